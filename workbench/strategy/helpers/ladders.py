"""Ladders: prices and sizes of many resting orders, and keeping those at the venue in step with those wanted.

`keep_ladder` compares what rests with what is wanted, by tag, and says the least that makes them equal. It keeps
nothing in memory: whatever happened to the orders meanwhile, what it is shown is what there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import StrategyError
from workbench.trading.orders import Intent, Order, Side

if TYPE_CHECKING:
    from workbench.trading.view import View

__all__ = [
    "Rung",
    "arithmetic_levels",
    "cumulative_steps",
    "geometric_levels",
    "keep_ladder",
    "levels_around",
    "scaled_sizes",
]

NAN: Final = math.nan
SAME: Final = 1e-9  # two prices or quantities that differ by less, as a fraction, are the same: bits of floats


@dataclass(frozen=True, slots=True)
class Rung:
    """One order of a ladder: `tag` names it within the ladder, `quantity` is what should rest now."""

    tag: str
    side: Side
    price: float
    quantity: float


def arithmetic_levels(lower: float, upper: float, count: int) -> list[float]:
    """Give prices at equal distances, both ends among them.

    Parameters
    ----------
    lower, upper : float
        Prices, the lower above zero.
    count : int
        Levels, at least 2.

    Returns
    -------
    list of float, rising

    Raises
    ------
    StrategyError
        The bounds are no range of prices, or there are fewer than two levels.

    Examples
    --------
    >>> arithmetic_levels(90, 110, 5)
    [90.0, 95.0, 100.0, 105.0, 110.0]
    """
    _check_range("arithmetic_levels", lower, upper, count)
    return [lower + (upper - lower) * number / (count - 1) for number in range(count)]


def geometric_levels(lower: float, upper: float, count: int) -> list[float]:
    """Give prices at equal ratios, both ends among them: each step earns the same fraction.

    Parameters
    ----------
    lower, upper : float
        Prices, the lower above zero.
    count : int
        Levels, at least 2.

    Returns
    -------
    list of float, rising

    Raises
    ------
    StrategyError
        The bounds are no range of prices, or there are fewer than two levels.

    Examples
    --------
    >>> [round(level, 9) for level in geometric_levels(50, 200, 3)]
    [50.0, 100.0, 200.0]
    """
    _check_range("geometric_levels", lower, upper, count)
    inner = [lower * (upper / lower) ** (number / (count - 1)) for number in range(1, count - 1)]
    return [float(lower), *inner, float(upper)]


def levels_around(price: float, step: float, count: int, *, scale: float = 1.0) -> tuple[list[float], list[float]]:
    """Give levels below and above a price, the nearest first.

    Parameters
    ----------
    price : float
    step : float
        Distance of the first level, a fraction of the price.
    count : int
        Levels on each side.
    scale : float, default 1.0
        How much longer each further step is than the one before.

    Returns
    -------
    below, above : lists of float
        As many below as there are above zero.

    Examples
    --------
    >>> levels_around(100, 0.01, 3, scale=2.0)
    ([99.0, 97.0, 93.0], [101.0, 103.0, 107.0])
    """
    away = cumulative_steps(step, count, scale)
    return [price * (1.0 - one) for one in away if one < 1.0], [price * (1.0 + one) for one in away]


def cumulative_steps(step: float, count: int, scale: float = 1.0) -> list[float]:
    """Give how far each of some levels is away when each step is `scale` times the one before.

    Examples
    --------
    >>> cumulative_steps(0.02, 3, 2.0)
    [0.02, 0.06, 0.14]
    """
    return list(accumulate(step * scale**number for number in range(count)))


def scaled_sizes(total: float, count: int, scale: float = 1.0) -> list[float]:
    """Divide a total into sizes of which each is `scale` times the one before.

    Examples
    --------
    >>> scaled_sizes(70.0, 3, 2.0)
    [10.0, 20.0, 40.0]
    """
    shares = [scale**number for number in range(count)]
    return [total * share / math.fsum(shares) for share in shares]


def keep_ladder(
    view: View,
    rungs: Iterable[Rung],
    *,
    name: str,
    symbol: str | None = None,
    post_only: bool = False,
    reduce_only: bool = False,
) -> list[Any]:
    """Say what brings the resting orders of a ladder in step with the rungs wanted.

    Parameters
    ----------
    view : View
    rungs : iterable of Rung
        All that should rest; what of them the venue would refuse as too small is left out.
    name : str
        Of the ladder: the tags of its orders start with it and a colon, and orders of other tags are not touched.
    symbol : str, optional
        The current one when left out.
    post_only, reduce_only : bool
        Of the orders placed.

    Returns
    -------
    list of wishes
        Cancels first, then amendments, then new orders; empty where all is as it should be.

    Raises
    ------
    StrategyError
        Two rungs have the same tag.

    Notes
    -----
    Told the same again, it says nothing. Orders whose state is unknown (an answer of the venue was lost) are neither
    changed nor placed anew. Orders that wait for the next price count as resting.

    Examples
    --------
    >>> from workbench.strategy import OrderStrategy
    >>> class TwoBids(OrderStrategy):
    ...     def on_bar(self, view, bar):
    ...         bids = [Rung(str(n), "buy", bar.close * (1 - n / 100), 1.0) for n in (1, 2)]
    ...         return keep_ladder(view, bids, name="bids")
    """
    where = view.symbol if symbol is None else symbol
    wanted: dict[str, Rung] = {}
    for rung in rungs:
        price, quantity = view.rounded(rung.side, rung.price, rung.quantity, where)
        tag = f"{name}:{rung.tag}"
        if tag in wanted:
            raise StrategyError(f"the ladder {name!r} has two rungs {rung.tag!r}: give each a tag of its own")
        if quantity > 0.0:
            wanted[tag] = Rung(tag, rung.side, price, quantity)
    cancels: list[Any] = []
    amends: list[Any] = []
    there: set[str] = set()
    found: list[Order | Intent] = [*view.orders(where), *view.wishes(where)]
    for one in found:
        if not one.tag.startswith(f"{name}:"):
            continue
        asked = wanted.get(one.tag)
        if asked is not None and one.tag not in there and _keeps(one, asked):
            there.add(one.tag)
            change = _change(view, one, asked)
            amends += [] if change is None else [change]
        else:
            cancels.append(view.cancel(one.id))
    placed = [
        view.limit(
            rung.side, rung.quantity, price=rung.price, symbol=where, tag=tag, post_only=post_only,
            reduce_only=reduce_only,
        )
        for tag, rung in wanted.items()
        if tag not in there
    ]  # fmt: skip
    return [*cancels, *amends, *placed]


def _keeps(one: Order | Intent, asked: Rung) -> bool:
    """Tell whether an order can stay, as it is or amended; one that was not sent yet is asked for anew instead."""
    if isinstance(one, Order):
        return one.side == asked.side
    return one.side == asked.side and _same(one.price, asked.price) and _same(one.size, asked.quantity)


def _change(view: View, one: Order | Intent, asked: Rung) -> Any:
    """Give what makes an order what is wanted, None where it is that."""
    if isinstance(one, Intent) or one.status == "unknown":
        return None
    moves, grows = not _same(one.price, asked.price), not _same(one.remaining, asked.quantity)
    if not (moves or grows):
        return None
    return view.amend(
        one.id, price=asked.price if moves else NAN, quantity=one.filled + asked.quantity if grows else NAN
    )


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME)


def _check_range(owner: str, lower: float, upper: float, count: int) -> None:
    if not 0.0 < lower < upper < math.inf:
        raise StrategyError(f"{owner}: {lower!r} to {upper!r} is no range of prices; give 0 < lower < upper")
    if count < 2:
        raise StrategyError(f"{owner}: {count!r} levels; a range has at least its two ends")
