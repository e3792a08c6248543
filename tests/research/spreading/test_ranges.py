from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.research.spreading.ranges import Pace, Ranges


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))), st.integers(1, 9))
def test_pieces_cover_what_is_left_once(count: int, ends: list[tuple[int, int]], size: int) -> None:
    done = [(min(pair), max(pair)) for pair in ends if max(pair) <= count]
    ranges = Ranges(count, done)
    wanted = set(range(count)) - {item for start, stop in done for item in range(start, stop)}
    assert ranges.items == len(wanted)
    got: list[int] = []
    again = True
    while ranges.items:
        start, stop = ranges.take(size)
        assert 0 < stop - start <= size
        if again:
            again = False
            ranges.put_back((start, stop))
            continue
        got += range(start, stop)
    assert sorted(got) == sorted(wanted) and len(got) == len(set(got))


@pytest.mark.parametrize("done", [(-1, 3), (4, 2), (0, 11)])
def test_a_range_outside_the_items_is_refused(done: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="there are 10 items"):
        Ranges(10, [done])


def test_a_piece_grows_until_it_takes_half_a_second() -> None:
    pace = Pace(least=1, most=10**9)
    sizes = []
    for _ in range(12):
        size = pace.size(10**9, 2)
        sizes.append(size)
        pace.note(size, size * 1e-5)
    assert sizes[:4] == [1, 8, 64, 512] and sizes[-1] == pytest.approx(50_000, rel=0.01)


def test_the_last_pieces_are_small_and_bounds_hold() -> None:
    pace = Pace(least=10, most=100)
    assert pace.size(1_000, 2) == 10
    for _ in range(4):
        pace.note(100, 1e-6)
    assert pace.size(10**6, 2) == 100
    assert pace.size(160, 2) == 40
    assert pace.size(20, 2) == 10
