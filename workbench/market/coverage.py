"""Which spans of a series a venue was asked for and answered: what makes a download resume instead of repeat.

A hole in the data is either the venue's (asked, and nothing came) or ours (never asked). The difference is noted in the
manifest of the series' store, so that it is deleted with the data and changes in one step. Spans are half open, in ms
UTC; nothing here touches a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

__all__ = ["COVERAGE", "SPOOL", "Asked", "Coverage", "Span", "join", "without"]

COVERAGE: Final = "coverage"  # in a store's notes: rows of (start, end, first asked at, last asked at)
_AGAIN: Final = "asked_again"  # the same
SPOOL: Final = "pages.spool"  # beside them: answers that are not in the store yet (see `sources.spool`)


class Span(NamedTuple):
    """From `start` on and before `end`, ms UTC."""

    start: int
    end: int


class Asked(NamedTuple):
    """A span that was answered, and when (ms UTC by the venue's clock) its first and its last part were."""

    start: int
    end: int
    first_at: int
    last_at: int


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What of a series was asked and answered.

    Parameters
    ----------
    asked : tuple of Asked
        By time, without overlaps; what touches is one.
    again : tuple of Asked
        Holes inside it that were asked a second time and stayed empty: the venue has nothing there.
    """

    asked: tuple[Asked, ...] = ()
    again: tuple[Asked, ...] = ()

    @classmethod
    def of(cls, notes: Mapping[str, Any]) -> Coverage:
        """Read it from the notes of a store; nothing was asked where they do not say."""
        asked, again = (tuple(Asked(*row) for row in notes.get(name, [])) for name in (COVERAGE, _AGAIN))
        return cls(asked=asked, again=again)

    def note(self, notes: dict[str, Any]) -> None:
        """Leave it in the notes of a store."""
        notes[COVERAGE] = [list(one) for one in self.asked]
        notes[_AGAIN] = [list(one) for one in self.again]

    @staticmethod
    def forget(notes: dict[str, Any]) -> None:
        """Take it out of the notes of a store whose rows are gone."""
        notes.pop(COVERAGE, None)
        notes.pop(_AGAIN, None)

    def answered(self, spans: Iterable[Span], at: int) -> Coverage:
        """Add spans that were answered at a time."""
        return replace(self, asked=join([*self.asked, *(Asked(*span, at, at) for span in spans)]))

    def asked_again(self, spans: Iterable[Span], at: int) -> Coverage:
        """Add holes that were asked a second time."""
        return replace(self, again=join([*self.again, *(Asked(*span, at, at) for span in spans)]))

    def missing(self, start: int, end: int) -> list[Span]:
        """Give what was never asked between two times, oldest first."""
        return without([Span(start, end)], self.asked)

    def cut(self, start: int, end: int) -> Coverage:
        """Forget a span: its data is gone, so that it has to be asked again."""
        return Coverage(asked=_cut(self.asked, start, end), again=_cut(self.again, start, end))


def join(spans: Iterable[Asked]) -> tuple[Asked, ...]:
    """Merge spans that overlap or touch."""
    joined: list[Asked] = []
    for span in sorted(span for span in spans if span.start < span.end):
        last = joined[-1] if joined else None
        if last is None or span.start > last.end:
            joined.append(span)
        else:
            joined[-1] = Asked(
                last.start, max(last.end, span.end), min(last.first_at, span.first_at), max(last.last_at, span.last_at)
            )
    return tuple(joined)


def without(spans: Sequence[Span], taken: Iterable[Asked | Span]) -> list[Span]:
    """Give what is left of spans when others are taken out."""
    left = [span for span in spans if span.start < span.end]
    for hole in taken:
        cut = []
        for span in left:
            if hole.end <= span.start or hole.start >= span.end:
                cut.append(span)
                continue
            parts = (Span(span.start, hole.start), Span(hole.end, span.end))
            cut += [part for part in parts if part.start < part.end]
        left = cut
    return left


def _cut(asked: Sequence[Asked], start: int, end: int) -> tuple[Asked, ...]:
    kept = []
    for one in asked:
        parts = without([Span(one.start, one.end)], [Span(start, end)])
        kept += [Asked(*part, one.first_at, one.last_at) for part in parts]
    return tuple(kept)
