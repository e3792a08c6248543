"""What there is to say of one indicator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

PRICE: Final = None  # of a flat output: it is the price itself


@dataclass(frozen=True, kw_only=True)
class Traits:
    """In what one indicator is special.

    Parameters
    ----------
    parameters : tuple, optional
        Small ones to test by; a quarter of the defaults, if not said.
    flat : tuple, optional
        Each output on a series that stays where it is: a number, or `PRICE`. If not said, any finite number.
    forgets : bool
        What came before the window of a flat stretch leaves no trace at all: not so with running means.
    scales : {"price", "ratio", "no"}, optional
        What prices times a power of two do to the outputs; from the unit, if not said, and "no" where that is "other".
    restarts : bool
        A stretch between missing values is as if alone.
    holes : bool
        An output may be missing after the first value.
    longest : bool
        Takes the longest length there is in no time.
    """

    parameters: tuple[Any, ...] | None = None
    flat: tuple[float | None, ...] | None = None
    forgets: bool = False
    scales: Literal["price", "ratio", "no"] | None = None
    restarts: bool = True
    holes: bool = False
    longest: bool = True
