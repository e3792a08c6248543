from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.market.coverage import Asked, Coverage, Span, without

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda one: Span(one[0], one[0] + one[1])))


def moments(spans: list[Span] | tuple[Asked, ...]) -> set[int]:
    return {moment for span in spans for moment in range(span.start, span.end)}


@given(SPANS, SPANS)
def test_what_is_missing_is_what_was_not_asked(asked: list[Span], cut: list[Span]) -> None:
    coverage = Coverage().answered(asked, at=5)
    for span in cut:
        coverage = coverage.cut(*span)
    there = moments(asked) - moments(cut)
    assert moments(coverage.asked) == there
    assert moments(coverage.missing(0, 90)) == set(range(90)) - there
    assert all(early.end < late.start or cut for early, late in zip(coverage.asked, coverage.asked[1:], strict=False))


@given(SPANS, SPANS)
def test_taking_spans_out_of_spans(spans: list[Span], taken: list[Span]) -> None:
    assert moments(without(spans, taken)) == moments(spans) - moments(taken)


def test_what_touches_is_one_with_the_first_and_the_last_time() -> None:
    coverage = Coverage().answered([Span(0, 10)], 100).answered([Span(20, 30)], 200).answered([Span(10, 20)], 150)
    assert coverage.asked == (Asked(0, 30, 100, 200),)


def test_notes_give_back_what_they_were_given() -> None:
    notes: dict[str, object] = {}
    coverage = Coverage().answered([Span(0, 10)], 1).asked_again([Span(3, 4)], 2)
    coverage.note(notes)
    assert Coverage.of(notes) == coverage
    assert Coverage.of({}) == Coverage()
    Coverage.forget(notes)
    assert notes == {}
