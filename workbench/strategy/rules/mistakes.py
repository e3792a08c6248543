"""What is wrong in a rule file, and where: collected, so that one reading tells all, and shown with the line itself."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import StrategyError, WorkbenchError

__all__ = ["NOWHERE", "Mistake", "Mistakes", "Place", "suggestion"]

_SHOWN = 20  # mistakes that a message lists; a file with more is not worth a longer one
_WIDTH = 160  # of the excerpt; longer lines are cut around the place


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file: line and column, both counted from 1."""

    line: int
    column: int


NOWHERE = Place(1, 1)


class Mistake(StrategyError):
    """One mistake at a place of a rule file; `Mistakes` makes the message that a user sees of it."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message, place=place)
        self.place = place


@dataclass(slots=True)
class Mistakes:
    """The mistakes of one file.

    Parameters
    ----------
    path : Path
    source : str
        The text of the file, for excerpts.
    """

    path: Path
    source: str
    found: list[Mistake] = field(default_factory=list)

    def add(self, message: str, place: Place) -> None:
        """Note a mistake and go on."""
        self.found.append(Mistake(message, place))

    @contextmanager
    def noted(self, place: Place) -> Iterator[None]:
        """Note what goes wrong inside, at its own place or else at the one given, and go on after the block."""
        try:
            yield
        except Mistake as mistake:
            self.found.append(mistake)
        except WorkbenchError as error:
            self.add(str(error), place)

    def settle(self) -> None:
        """Do nothing where nothing is wrong.

        Raises
        ------
        StrategyError
            As `error` makes it.
        """
        if self.found:
            raise self.error()

    def error(self) -> StrategyError:
        """Make the error that tells all mistakes in the order of the file.

        Its `fields` have path, line and column of the first, and in `mistakes` (line, column, message) of each.
        """
        found = sorted(dict.fromkeys((one.place, str(one)) for one in self.found))
        place = found[0][0]
        shown = [self._shown(*one) for one in found[:_SHOWN]]
        more = len(found) - _SHOWN
        return StrategyError(
            "\n".join(shown) + (f"\nand {more} more" if more > 0 else ""),
            path=str(self.path), line=place.line, column=place.column,
            mistakes=tuple((where.line, where.column, message) for where, message in found),
        )  # fmt: skip

    def _shown(self, place: Place, message: str) -> str:
        lines = self.source.splitlines()
        text = lines[place.line - 1] if place.line <= len(lines) else ""
        text = "".join(letter if letter.isprintable() else " " for letter in text)
        cut = max(0, place.column - _WIDTH // 2) if len(text) > _WIDTH else 0
        excerpt = f"\n    {text[cut : cut + _WIDTH]}\n    {' ' * (place.column - 1 - cut)}^" if text.strip() else ""
        return f"{self.path}: line {place.line}, column {place.column}: {message}{excerpt}"


def suggestion(wrong: str, known: Iterable[str], *, most: int = 12) -> str:
    """Say which name was probably meant, or which there are: the end of a message, from "; " or ": " on."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    if not names:
        return "; there are none"
    listed = ", ".join(names[:most])
    return f"; there {'is' if len(names) == 1 else 'are'} {listed}{', …' if len(names) > most else ''}"
