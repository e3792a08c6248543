"""`Facts`: what is known beside the two lists of trades, and what it says of a bar, a decision or an order."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.plan import Plan
from workbench.bots.comparison.lived import Lived
from workbench.bots.comparison.tapes import Tape
from workbench.market.bars import Bars
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.strategy import SignalStrategy, signals_of
from workbench.trading.orders import Order

__all__ = ["Facts"]

_MONEY: Final = frozenset(("insufficient_margin", "no_equity", "below_min_notional", "zero_quantity"))
_RISK: Final = ("limit", "risk", "too_many", "not_running", "loss", "drawdown")
_ENOUGH: Final = 3  # orders, from which it can be seen in what steps a venue takes quantities


class Facts:
    """What is known of a life and of the bars beside the trades.

    Parameters
    ----------
    life : Lived
    plan : Plan
        On the bars as the data have them now: what the backtest ran on.
    """

    def __init__(self, life: Lived, plan: Plan) -> None:
        self.life, self.plan = life, plan
        self.bars: Mapping[str, Bars] = {line.bars.symbol: line.bars for line in plan.lines}
        self.lots = {line.bars.symbol: line.lots.lot for line in plan.lines}
        self._asked: dict[tuple[str, int], str] = {}

    # bars

    def row(self, symbol: str, ts: int) -> int:
        """Give the row of the bar in which a time lies; -1 before the first."""
        return int(np.searchsorted(self.bars[symbol].ts, ts, side="right")) - 1

    def price_at(self, symbol: str, ts: int) -> float:
        """Give the price at a time, as bars know it: the open of the bar that it lies in."""
        row = self.row(symbol, ts)
        return float(self.bars[symbol].open[row]) if row >= 0 else math.nan

    def step(self, symbol: str) -> int:
        """Give the length of a bar, ms."""
        return self.bars[symbol].timeframe.ms

    def tape(self, symbol: str) -> Tape:
        """Give the bars of a symbol as the bot heard them."""
        return self.life.tapes.get((symbol, str(self.bars[symbol].timeframe))) or Tape()

    @cached_property
    def _missed(self) -> dict[str, NDArray[np.int64]]:
        """Open times of bars that the bot has never heard of since it began, by symbol."""
        found = {}
        for symbol, bars in self.bars.items():
            step = self.step(symbol)
            over = (bars.ts + step > self.life.began) & (bars.ts + step <= self.life.ended)
            found[symbol] = self.tape(symbol).missed(bars.ts[over])
        return found

    @cached_property
    def _revised(self) -> dict[str, NDArray[np.int64]]:
        return {symbol: self.tape(symbol).revised(bars) for symbol, bars in self.bars.items()}

    # decisions

    def why_decided(self, symbol: str, decided: int) -> tuple[str, str]:
        """Say why a decision at a bar was not made, or was made elsewhere; two empty texts where nothing shows it."""
        life, row = self.life, self.row(symbol, decided)
        bar = int(self.bars[symbol].ts[row]) if row >= 0 else decided
        closes = bar + self.step(symbol)
        if closes > life.began:
            pause, how = life.pause_at(closes), self.tape(symbol).how(bar)
            if how == "late":
                return "late decision", "the bar came too late to act on"
            if pause is not None:
                return pause.cause, pause.text
            if how == "history":
                return "restart", "the bot was not running when the bar closed"
            if not how:
                return "missed bar", "the bot has never heard of the bar"
        return self._why_said(symbol, bar)

    def _why_said(self, symbol: str, bar: int) -> tuple[str, str]:
        """Say what makes a strategy say something else at a bar than it says on all the bars."""
        missed, revised = self._missed[symbol], self._revised[symbol]
        missed, revised = missed[missed <= bar], revised[revised <= bar]
        if self.looks_ahead(symbol, bar):
            return "look-ahead suspected", "on the bars known then the strategy says something else"
        if not (len(missed) or len(revised)) or self._asked_on_tape(symbol, bar) == "same":
            return "", ""
        if len(revised) and (not len(missed) or revised[-1] > missed[-1]):
            return "data revised", "prices are others now than the bot heard"
        pause = self.life.pause_at(int(missed[-1]) + self.step(symbol))
        return (pause.cause if pause is not None else "missed bar"), "a bar before is missing"

    def looks_ahead(self, symbol: str, ts: int) -> bool:
        """Tell whether the strategy says something else at a bar on what was known then than on all bars."""
        strategy, key = self.plan.strategy, (symbol, ts)
        if key not in self._asked:
            self._asked[key] = "same"
            bars, row = self.bars[symbol], self.row(symbol, ts)
            if row >= 0 and isinstance(strategy, (SignalStrategy, OrderStrategy)):
                whole, then = self._whole[symbol], _said(strategy, bars[: row + 1])
                same = all(_equal(whole[name][row], then[name][row]) for name in whole)
                self._asked[key] = "same" if same else "other"
        return self._asked[key] == "other"

    @cached_property
    def _whole(self) -> dict[str, dict[str, Any]]:
        return {symbol: _said(self.plan.strategy, bars) for symbol, bars in self.bars.items()}

    def _asked_on_tape(self, symbol: str, ts: int) -> str:
        """Ask a signal strategy what it says on the tape as it was heard: "same", "other", or "" where none can."""
        strategy = self.plan.strategy
        if not isinstance(strategy, SignalStrategy):
            return ""
        bars, tape = self.bars[symbol], self.tape(symbol)
        heard = tape.bars(bars.instrument, bars.timeframe).between(None, ts + 1)
        if not len(heard) or int(heard.ts[-1]) != ts:
            return ""
        now = _said(strategy, bars[: self.row(symbol, ts) + 1])
        then = _said(strategy, heard)
        return "same" if all(_equal(now[name][-1], then[name][-1]) for name in now) else "other"

    # orders

    @cached_property
    def _by_decision(self) -> dict[tuple[str, str, int], list[Order]]:
        found: dict[tuple[str, str, int], list[Order]] = defaultdict(list)
        for order in self.life.orders.values():
            found[order.symbol, order.side, order.decided].append(order)
        return found

    def why_refused(self, symbol: str, side: str, decided: int, disturbed: bool) -> tuple[str, str]:
        """Say who refused the order of a decision; two empty texts where nobody did."""
        life = self.life
        for order in self._by_decision.get((symbol, side, decided), ()):
            if order.id in life.refused:
                code, text = life.refused[order.id]
                return ("gate" if any(word in code for word in _RISK) else "rejected by venue"), text or code
        if (symbol, side, decided) in life.unsent:
            code, text = life.unsent[symbol, side, decided]
            pause = self._paused(symbol, decided, code)
            if pause:
                return pause
            return ("carried over" if code in _MONEY and disturbed else "gate"), text
        return "", ""

    def _paused(self, symbol: str, decided: int, code: str) -> tuple[str, str] | None:
        """Say why the bot was paused, where that is why an order was not sent."""
        pause = self.life.pause_at(decided + self.step(symbol)) if code == "not_running" else None
        return None if pause is None else (pause.cause, pause.text)

    def kept_back(self, symbol: str, sides: tuple[str, ...], span: tuple[int, int]) -> tuple[str, str]:
        """Say why an order of some sides was not sent in a time; two empty texts where none was."""
        for (name, side, ts), (code, text) in self.life.unsent.items():
            if name == symbol and side in sides and span[0] <= ts <= span[1] and code not in _MONEY:
                return self._paused(symbol, ts, code) or ("gate", text)
        return "", ""

    def lot(self, symbol: str) -> float:
        """Give in which steps the venue takes quantities, as orders show it where there are enough of them."""
        return max(self.lots.get(symbol, 0.0), self._steps.get(symbol, 0.0))

    @cached_property
    def _steps(self) -> dict[str, float]:
        asked: dict[str, list[float]] = defaultdict(list)
        for order in self.life.orders.values():
            if order.quantity > 0.0 and not order.reduce_only and not order.close_position:
                asked[order.symbol].append(order.quantity)
        return {
            symbol: 10.0 ** -next((d for d in range(-6, 12) if _whole_steps(found, d)), 12)
            for symbol, found in asked.items()
            if len(found) >= _ENOUGH
        }


def _whole_steps(quantities: list[float], digits: int) -> bool:
    scaled = (quantity * 10.0**digits for quantity in quantities)
    return all(abs(one - round(one)) < 1e-6 and round(one) for one in scaled)


def _said(strategy: Any, bars: Bars) -> dict[str, Any]:
    """Give what a strategy says on bars: columns, each as long as the bars."""
    if isinstance(strategy, SignalStrategy):
        said = signals_of(strategy, bars)
        names = ("entry", "exit", "short_entry", "short_exit")
        return {name: getattr(said, name) for name in names if getattr(said, name) is not None}
    if type(strategy).indicators is OrderStrategy.indicators:
        return {}
    return dict(_columns(strategy.indicators(bars), len(bars)))


def _columns(told: Mapping[str, Any], rows: int) -> Iterator[tuple[str, Any]]:
    for name, column in told.items():
        if getattr(column, "shape", None) == (rows,):
            yield name, column


def _equal(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b) or math.isclose(float(a), float(b), rel_tol=1e-9))
