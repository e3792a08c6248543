"""The protections of `reference_contract`: a list of trips, and plain questions about it."""

from __future__ import annotations

import math
from typing import Any

from tests.backtest.cases import HOUR

ORDER = ("Cooldown", "StopGuard", "DrawdownPause", "LowProfit", "LosingPairs")
STOPPING = ("stop_loss", "custom_stop", "trailing_stop", "liquidation", "bankruptcy")


class Protections:
    """What has ended so far, and until when that forbids entries: by instrument, and under None for all."""

    def __init__(self, guards: list[dict[str, Any]], cash: float) -> None:
        self.guards, self.cash = sorted(guards, key=lambda guard: ORDER.index(guard["kind"])), cash
        self.trips: list[dict[str, Any]] = []
        self.blocks: dict[int | None, tuple[float, str]] = {}
        self.losing: dict[int, dict[str, Any]] = {}

    def ended(self, market: int, ts: int, pnl: float, value: float, reason: str) -> None:
        trip = {"ts": ts, "market": market, "pnl": pnl, "return": pnl / value, "stop": reason in STOPPING}
        self.trips.append(trip)
        for guard in self.guards:
            getattr(self, f"judge_{guard['kind']}")(trip, guard)

    def block(self, who: int | None, until: float, why: str) -> None:
        if until > self.blocks.get(who, (-math.inf, ""))[0]:
            self.blocks[who] = (until, why)

    def blocked(self, market: int, ts: int) -> str:
        over = [self.blocks.get(who, (-math.inf, "")) for who in (market, None)]
        until, why = max(over, key=lambda one: one[0])
        return why if ts < until else ""

    def window(self, trip: dict[str, Any], lookback: float) -> list[dict[str, Any]]:
        return [one for one in self.trips if one["ts"] > trip["ts"] - lookback * HOUR]

    def judge_Cooldown(self, trip: dict[str, Any], guard: dict[str, Any]) -> None:
        self.block(trip["market"], trip["ts"] + guard["bars"] * HOUR, "cooldown")

    def judge_StopGuard(self, trip: dict[str, Any], guard: dict[str, Any]) -> None:
        whose = trip["market"] if guard["only_this"] else None
        found = [one for one in self.window(trip, guard["lookback"]) if one["stop"] and whose in (None, one["market"])]
        if len(found) >= guard["limit"]:
            self.block(whose, trip["ts"] + guard["pause"] * HOUR, "stop guard")

    def judge_DrawdownPause(self, trip: dict[str, Any], guard: dict[str, Any]) -> None:
        recent = self.window(trip, guard["lookback"])
        money, heights = self.cash, []
        for one in self.trips:
            before, money = money, money + one["pnl"]
            if any(one is other for other in recent):
                heights += [before, money]
        top = max(heights)
        fallen = (top - money) / top if money > 0 else 1.0
        if len(recent) >= guard["min_trips"] and fallen >= guard["limit"]:
            self.block(None, trip["ts"] + guard["pause"] * HOUR, "drawdown pause")

    def judge_LowProfit(self, trip: dict[str, Any], guard: dict[str, Any]) -> None:
        recent = [one for one in self.window(trip, guard["lookback"]) if one["market"] == trip["market"]]
        if len(recent) >= guard["min_trips"] and sum(one["return"] for one in recent) < guard["required"]:
            self.block(trip["market"], trip["ts"] + guard["pause"] * HOUR, "low profit")

    def judge_LosingPairs(self, trip: dict[str, Any], guard: dict[str, Any]) -> None:
        story = self.losing.setdefault(trip["market"], {"since": math.inf, "trips": []})
        if trip["ts"] >= story["since"]:
            story.update(trips=[], since=math.inf)
        story["trips"].append(trip)
        streak = 0
        for one in story["trips"]:
            streak = streak + 1 if one["pnl"] < 0 else 0
        poor = len(story["trips"]) >= guard["min_trips"] and sum(one["return"] for one in story["trips"]) < guard["roi"]
        if streak >= guard["losses"] or poor:
            until = math.inf if guard["review"] is None else trip["ts"] + guard["review"] * HOUR
            self.block(trip["market"], until, "losing pair")
            story["since"] = until if story["since"] == math.inf else max(story["since"], until)
