"""Timers: every so many minutes or bars, at times of the day, and once all instruments have been heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from workbench.errors import StrategyError
from workbench.strategy.helpers.books import is_base

if TYPE_CHECKING:
    from workbench.trading.events import Bar
    from workbench.trading.orders import Wake
    from workbench.trading.view import View

__all__ = ["every", "every_bars", "heard_all", "next_time_of_day", "times_of_day"]

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
_SILENT_BARS: Final = 3  # an instrument without a bar for longer is not waited for


def every(view: View, minutes: float, name: str) -> Wake:
    """Ask to be called at the next whole multiple of some minutes since midnight UTC of 1970; ask anew in `on_timer`.

    Raises
    ------
    StrategyError
        `minutes` is not above zero.

    Examples
    --------
    >>> from workbench.strategy import OrderStrategy
    >>> class Hourly(OrderStrategy):
    ...     def on_start(self, view):
    ...         return every(view, 60, "hourly")
    ...
    ...     def on_timer(self, view, timer):
    ...         return [*view.cancel_all(), every(view, 60, "hourly")]
    """
    step = round(minutes * MINUTE_MS)
    if step <= 0:
        raise StrategyError(f"every: {minutes!r} minutes; give a number above 0")
    return view.timer((view.now // step + 1) * step, name)


def times_of_day(view: View, times: Sequence[str], name: str) -> Wake:
    """Ask to be called at the next of some times of the day (UTC), such as "08:00"; ask anew in `on_timer`."""
    return view.timer(next_time_of_day(view.now, times), name)


def next_time_of_day(now: int, times: Sequence[str]) -> int:
    """Give the first moment after `now` (ms UTC) at one of some times of the day.

    Raises
    ------
    StrategyError
        There is none, or one is no time of a day.

    Examples
    --------
    >>> next_time_of_day(9 * 3_600_000, ["08:00", "16:30"]) / 3_600_000
    16.5
    >>> next_time_of_day(20 * 3_600_000, ["08:00", "16:30"]) / 3_600_000
    32.0
    """
    if not times:
        raise StrategyError("times of day: give at least one, such as ['08:00']")
    today = now - now % DAY_MS
    return min(today + away + (DAY_MS if today + away <= now else 0) for away in map(_since_midnight, times))


def _since_midnight(text: str) -> int:
    hours, _, minutes = text.partition(":")
    digits = hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()
    if not digits or len(minutes) != 2 or int(hours) > 23 or int(minutes) > 59:
        raise StrategyError(f"{text!r} is no time of the day; write it as '08:00'")
    return int(hours) * 60 * MINUTE_MS + int(minutes) * MINUTE_MS


def every_bars(view: View, bars: int, name: str) -> bool:
    """Count a bar and tell whether it is the first of each so many; call it once a bar.

    Examples
    --------
    >>> class Memory:
    ...     memory = {}
    >>> [every_bars(Memory, 3, "rebalance") for _ in range(7)]
    [True, False, False, True, False, False, True]
    """
    passed = int(view.memory.get(name, 0))
    view.memory[name] = (passed + 1) % max(bars, 1)
    return passed == 0


def heard_all(view: View, bar: Bar, symbols: Sequence[str] | None = None) -> bool:
    """Tell, in `on_bar`, whether this bar is the last of those of all instruments that close at its time.

    Parameters
    ----------
    view : View
    bar : Bar
        The one that is told.
    symbols : sequence of str, optional
        Instruments that must all have a bar. When left out, all of the run but those that have had none for three
        bars: not listed yet, or no longer.

    Notes
    -----
    Bars of one time come one after another; a decision about several instruments belongs after the last. Until then
    prices of the others are older. An instrument that has no bar at this time makes it False.
    """
    if not is_base(view, bar):
        return False
    heard: dict[str, int] = view.memory.setdefault("heard", {})
    heard[bar.symbol] = bar.closes
    oldest = bar.closes - _SILENT_BARS * (bar.closes - bar.ts)
    # one that was never told but has bars is told in a moment; one without any is not listed yet
    awaited = symbols or [
        one for one in view.symbols if heard.get(one, bar.closes if view.count(one) else oldest - 1) >= oldest
    ]
    return all(heard.get(one) == bar.closes for one in awaited)
