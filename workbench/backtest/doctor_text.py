"""How the doctor writes numbers in his sentences."""

from __future__ import annotations

import math

__all__ = ["amount", "count", "percent", "ratio", "span"]


def percent(fraction: float) -> str:
    """Write a fraction as percent, with as many digits as it takes to see it; past ten times as a multiple."""
    if not math.isfinite(fraction):
        return "all"
    if abs(fraction) >= 10:
        return _signed(f"{fraction:,.0f} times")
    shown = 100 * fraction + 0.0  # no minus before a zero
    if 0 < abs(shown) < 0.01:
        return "under 0.01 %"
    digits = 0 if abs(shown) >= 10 or shown == 0 else 1 if abs(shown) >= 1 else 2
    return _signed(f"{shown:.{digits}f} %")


def amount(money: float) -> str:
    """Write an amount of the quote currency."""
    return _signed(f"{money:,.0f}" if abs(money) >= 100 else f"{money:,.4g}")


def span(years: float) -> str:
    """Write a length of time, in days where it is less than a year."""
    return f"{years:.1f} years" if years >= 1 else count(round(365 * years), "day")


def ratio(value: float) -> str:
    """Write a ratio with two digits."""
    return _signed(f"{value:.2f}")


def _signed(text: str) -> str:
    """Write a minus as metrics do, with the sign that is as wide as a plus."""
    return text.replace("-", "\N{MINUS SIGN}", 1)


def count(n: int, one: str, many: str = "") -> str:
    """Write how many there are of something."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
