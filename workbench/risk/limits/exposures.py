"""What is at stake with an order and without it, counted at its worst: every order that works as if it were filled.

Plain numbers in, plain lists out, because a gate asks for them before every order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["Row", "opened_value", "stakes"]


class Row(NamedTuple):
    """A position of one bot and the orders that work on it, as values in the currency of the account.

    `value` is signed; `buys` and `sells` are the values of orders that would buy or sell, above zero.
    """

    symbol: str
    asset: str
    value: float
    buys: float = 0.0
    sells: float = 0.0


def opened_value(value: float, buys: float, sells: float, sign: float, size: float) -> float:
    """Give how much of an order (value `size`, sign +1 buys) would open at worst, once all others have filled."""
    before = value + buys if sign > 0.0 else sells - value
    after = before + size
    return (after if after > 0.0 else 0.0) - (before if before > 0.0 else 0.0)


def stakes(
    rows: Iterable[Row], row: Row, sign: float, size: float, groups: Mapping[str, Iterable[str]]
) -> tuple[list[float], list[float], int]:
    """Give gross, net, instrument's, group's and asset's value before and after an order, and how many positions.

    Parameters
    ----------
    rows : iterable of Row
        All but that of the order.
    row : Row
        Of the order, without it.
    sign, size : float
        +1 buys; value of the order.
    groups : mapping of name to symbols

    Returns
    -------
    before, after : list of float, 5 each
    count : int
        Positions that are open or that working orders may open, after the order.
    """
    symbol, asset, value, buys, sells = row
    high, low = value + buys, value - sells
    new_high, new_low = (high + size, low) if sign > 0.0 else (high, low - size)
    own, new = max(high, -low), max(new_high, -new_low)
    gross = up = down = same = kin = 0.0
    count = 1
    sums = {name: 0.0 for name, held in groups.items() if symbol in held} if groups else {}
    for other, base, held, more, less in rows:
        top, bottom = held + more, held - less
        worst = top if top > -bottom else -bottom
        gross += worst
        up += top
        down += bottom
        count += 1
        if other == symbol:
            same += worst
        if base == asset:
            kin += worst
        for name in sums:
            if other in groups[name]:
                sums[name] += worst
    group = max(sums.values()) if sums else 0.0
    before = [gross + own, max(up + high, -(down + low)), same + own, group + own if sums else 0.0, kin + own]
    after = [gross + new, max(up + new_high, -(down + new_low)), same + new, group + new if sums else 0.0, kin + new]
    return before, after, count
