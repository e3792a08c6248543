"""One instrument of `reference_contract`: its bars, what is said about it, its position and the levels of its exits."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from tests.backtest.cases import HOUR, START

NONE = math.nan


class Base(NamedTuple):
    """A bar that drives the market; `word` is the number of the strategy bar that ends with it."""

    ts: int
    span: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    word: int | None


@dataclass
class Wish:
    """What is to be traded at the next open (or this close): +1, -1 or "leave"."""

    what: int | str
    decided: int  # strategy bar
    ts: int
    reason: str
    left: float | None = None  # None: not sized yet
    ordered: bool = False  # the fee of an order has been paid

    def same(self, other: int | str) -> bool:
        return self.what == other


def whole(quantity: float, lot: float) -> float:
    """Cut a quantity to whole lots."""
    return quantity if not lot or quantity / lot > 2**52 else round(math.floor(quantity / lot * (1 + 1e-12)) * lot, 10)


def on_tick(price: float, tick: float, up: bool) -> float:
    if not tick or math.isnan(price):
        return price
    steps = price / tick
    near = round(steps)
    whole_steps = near if abs(steps - near) < 1e-7 else math.ceil(steps) if up else math.floor(steps)
    return round(whole_steps * tick, 10)  # the number that a bar at that price holds


class Market:
    """One instrument: its bars, what is said about it, and its position."""

    def __init__(self, number: int, one: dict[str, Any], case: dict[str, Any]) -> None:
        self.number, self.one, self.case = number, one, case
        self.strategy = one["bars"]
        self.starts = [START + int(row[0]) * HOUR for row in self.strategy]
        self.bases = {base.ts: base for base in self._bases()}
        self.lot, self.tick = one["lot_size"], one["tick_size"]
        self.volumes = sum(base.volume for base in self.bases.values()) > 0
        self.leverage = one["leverage"]
        self.margined = one["kind"] == "linear" or self.leverage != 1
        self.tiers = one["leverage_tiers"] or [[0.0, one["maintenance_margin"], 0.0, math.inf]]
        self.dues = sorted(one["funding"])
        self.q, self.price, self.mark = 0.0, NONE, NONE
        self.wish: Wish | None = None
        self.room = 0.0  # what is left of the volume of the bar
        self.flat()

    def flat(self) -> None:
        self.q, self.price = 0.0, NONE
        self.best = self.custom = NONE
        self.settled = 0.0  # funding on this position's own margin
        self.opened_word = self.opened_ts = 0
        self.decided = 0
        self.rung = -1
        self.stopped = False  # a stop was reached and has not let everything out yet
        self.added: tuple[int, float] | None = None  # when a part of the entry last traded at an open; the price before
        self.target_begun = False  # the target has been filled in part
        self.trip = {"pnl": 0.0, "value": 0.0}

    def _bases(self) -> list[Base]:
        subs = self.case["subs"]
        fine = {int(row[0]): row for row in self.one["detail"]}
        found = []
        for word, row in enumerate(self.strategy):
            slots = [int(row[0]) * subs + k for k in range(subs)]
            if subs and all(slot in fine for slot in slots):
                span = HOUR // subs
                for slot in slots:
                    found.append(Base(START + slot * span, span, *fine[slot][1:], word if slot == slots[-1] else None))
            else:
                found.append(Base(START + int(row[0]) * HOUR, HOUR, *row[1:], word))
        return found

    @property
    def side(self) -> int:
        return (self.q > 0) - (self.q < 0)

    def said(self, name: str, word: int) -> float:
        value = self.one[name]
        value = value[word] if isinstance(value, list) else value
        return NONE if value is None else value

    def tier(self, notional: float) -> list[float]:
        return [tier for k, tier in enumerate(self.tiers) if k == 0 or tier[0] <= notional][-1]

    def maintenance(self, price: float) -> float:
        if not self.margined or not self.q:
            return 0.0
        notional = abs(self.q) * price
        _, rate, amount, _ = self.tier(notional)
        return notional * rate - amount

    def new_bar(self, base: Base) -> None:
        share = self.case["costs"]["volume_share"]
        self.room = math.inf if share == math.inf or not self.volumes else whole(base.volume * share, self.lot)

    def sigma(self, base: Base) -> float:
        """Give the volatility of a bar's return: of up to 100 returns before it, brought to one length of bars."""
        bars = sorted(self.bases.values())
        shortest, now = min(one.span for one in bars), bars.index(base)
        moves = [
            math.log(one.close / before.close) / math.sqrt(one.span / shortest) for before, one in pairwise(bars[:now])
        ]
        return statistics.stdev(moves[-100:]) * math.sqrt(base.span / shortest) if len(moves) > 1 else NONE

    # Levels of the position, as they stand.

    def stop_loss(self) -> float:
        return on_tick(self.price * (1 - self.side * self.said("stop_loss", self.decided)), self.tick, self.side < 0)

    def custom_stop(self) -> float:
        return on_tick(self.custom, self.tick, self.side < 0)

    def trailing_stop(self, best: float) -> float:
        activation = self.said("trailing_activation", self.decided)
        if not math.isnan(activation) and self.side * (best - self.price * (1 + self.side * activation)) < 0:
            return NONE
        return on_tick(best * (1 - self.side * self.said("trailing_stop", self.decided)), self.tick, self.side < 0)

    def take_profit(self) -> float:
        return on_tick(self.price * (1 + self.side * self.said("take_profit", self.decided)), self.tick, self.side > 0)

    def rung_at(self, ts: int) -> int:
        ladder = self.case["roi"] or []
        return max((k for k, (minutes, _) in enumerate(ladder) if minutes * 60_000 <= ts - self.opened_ts), default=-1)

    def roi(self, rung: int) -> float:
        if rung < 0:
            return NONE
        return on_tick(self.price * (1 + self.side * self.case["roi"][rung][1]), self.tick, self.side > 0)

    def hear(self, word: int) -> None:
        """Let the custom stop follow the series, in favour of the position only."""
        if self.q:
            wanted = self.said("stop_price", word)
            if not math.isnan(wanted) and not self.side * (wanted - self.custom) <= 0:
                self.custom = wanted
