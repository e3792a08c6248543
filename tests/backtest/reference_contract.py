"""The whole contract once more: slow, in plain Python, from its text alone, sharing no code with the package.

It reads a case of `tests.backtest.cases` (plain data) and gives fills, funding, skipped entries and equity. Both paths
of the package are held to it, so that an error common to both does not pass as agreement. `Replay` is the order of
things; `reference_account`, `reference_market` and `reference_protections` are its parts.
"""

from __future__ import annotations

import math
from collections import defaultdict

from tests.backtest.cases import HOUR
from tests.backtest.reference_account import Account, Outcome
from tests.backtest.reference_market import NONE, Base, Market, Wish, on_tick, whole


class Replay(Account):
    """One run of a case, from the first bar to the last."""

    def run(self) -> Outcome:
        slots = {ts for market in self.markets for ts in market.starts}
        opens, closes = defaultdict(list), defaultdict(list)
        for market in self.markets:
            for base in market.bases.values():
                opens[base.ts].append((market, base))
                closes[base.ts + base.span].append((market, base))
        for ts in sorted({*opens, *closes}):
            if ts in closes:
                self.close(closes[ts])
                if ts - HOUR in slots:
                    self.out.equity[ts - HOUR] = self.equity()
            if ts in opens:
                self.open(opens[ts])
        for market in self.markets:
            if market.wish and market.wish.what != "leave" and market.wish.left is None and not self.at_close:
                self.skip(market, market.wish, NONE, "the data ends before it could fill")
        return self.out

    def open(self, bars: list[tuple[Market, Base]]) -> None:
        for market, base in bars:
            market.mark = base.open
            market.new_bar(base)
            self.fund(market, base, base.open, lambda due, ts=base.ts: due <= ts)
        before = len(self.out.fills)
        self.carry_out(bars, at_open=True)
        for fill in [fill for fill in self.out.fills[before:] if fill["reason"] == "entry"]:
            market = self.markets[fill["instrument"]]
            for rate in [rate for ts, rate in market.one["funding"] if ts == fill["ts"]]:
                self.settle(market, fill["side"] * fill["quantity"], market.mark, rate, fill["ts"])

    def close(self, bars: list[tuple[Market, Base]]) -> None:
        for market, base in bars:
            if market.q:
                self.inside(market, base)
            self.fund(market, base, base.close, lambda due, end=base.ts + base.span: due < end)
        for market, base in bars:
            market.mark = base.close
        self.margin_call(bars)
        closing = [(market, base) for market, base in bars if base.word is not None]
        for market, base in closing:
            market.hear(base.word)
            self.decide(market, base)
        if self.at_close:
            self.carry_out(closing, at_open=False)

    # Trading at an open or a close.

    def carry_out(self, bars: list[tuple[Market, Base]], *, at_open: bool) -> None:
        # what a stop has left trades at opens; what the strategy wants where it was asked for
        now = [
            (market, base) for market, base in bars if market.wish and (market.stopped or not self.at_close) == at_open
        ]
        for market, base in now:
            wish = market.wish
            if wish and market.q and (wish.what == "leave" or wish.what != market.side):
                self.leave(market, base, wish, base.open if at_open else base.close)
        for market, base in now:
            wish = market.wish
            if wish and wish.what == "leave" and not market.q:
                market.wish = None
            elif wish and wish.what != "leave" and (not market.q or market.side == wish.what):
                self.enter(market, base, wish, base.open if at_open else base.close, at_open)

    def leave(self, market: Market, base: Base, wish: Wish, quoted: float) -> None:
        quantity = min(abs(market.q), market.room)
        if quantity <= 0:
            return
        price = self.slipped(market, quoted, -market.side, quantity, base)
        reason = wish.reason if wish.what == "leave" else "reversal"
        first = not wish.ordered
        wish.ordered = True
        self.fill(market, base, -market.side, quantity, quoted, price, reason,
                  decided=wish.ts, first=first)  # fmt: skip
        if not market.q:
            wish.ordered = False
            if wish.what == "leave":
                market.wish = None

    def enter(self, market: Market, base: Base, wish: Wish, quoted: float, at_open: bool) -> None:
        side, available = wish.what, self.available()
        assert isinstance(side, int)
        price = self.slipped(market, quoted, side, 0.0, base)
        price = self.slipped(market, quoted, side, self.affordable(available, price, market, wish), base)
        if wish.left is None:
            wish.left, problem = self.sized(market, base, wish, (price, quoted), available)
            if problem:
                self.skip(market, wish, wish.left, problem)
                market.wish = None
                return
        capped = min(wish.left, market.room)
        quantity = whole(min(capped, self.affordable(available, price, market, wish)), market.lot)
        if quantity > 0:
            fresh, before = not market.q, market.price
            filled_at = self.slipped(market, quoted, side, quantity, base)
            first = not wish.ordered
            wish.ordered = True
            if fresh:
                market.decided = wish.decided
                market.opened_word = len([ts for ts in market.starts if ts <= base.ts]) - 1
                market.opened_ts = base.ts if at_open else base.ts + base.span
                market.custom = market.said("stop_price", wish.decided)
            self.fill(market, base, side, quantity, quoted, filled_at, "entry",
                      decided=wish.ts, first=first)  # fmt: skip
            market.best = filled_at if fresh else side * max(side * market.best, side * filled_at)
            market.added = (base.ts, before) if at_open else None
        wish.left -= quantity
        if wish.left <= 1e-12 * max(quantity, 1.0) or quantity < whole(capped, market.lot):
            market.wish = None

    def sized(
        self, market: Market, base: Base, wish: Wish, prices: tuple[float, float], available: float
    ) -> tuple[float, str]:
        price, quoted = prices
        unit, size, side = self.case["size_unit"], market.said("size", wish.decided), wish.what
        assert isinstance(side, int)
        if available <= 0:
            return NONE, "no equity left"
        most = self.rules["max_positions"]
        if most and sum(1 for one in self.markets if one.q) >= most:
            return NONE, "too many positions"
        top = self.affordable(available, price, market, wish)
        if unit == "fraction":
            quantity = self.affordable(min(size * self.equity(), available), price, market, wish)
        elif unit == "cash":
            quantity = self.affordable(min(size, available), price, market, wish)
        elif unit == "quantity":
            quantity = min(size, top)
        else:
            fixed = price * (1 - side * market.said("stop_loss", wish.decided))
            levels = [fixed, market.said("stop_price", wish.decided)]
            levels = [on_tick(level, market.tick, side < 0) for level in levels if not math.isnan(level)]
            if not levels:
                return NONE, "no stop to size by"
            risked = abs(price - max(levels, key=lambda level: side * level))
            quantity = min(size * self.equity() / risked if risked else math.inf, top)
        if market.margined:
            caps = [tier[0] for tier in market.tiers if tier[3] < market.leverage]
            if caps and caps[0] == 0:
                return NONE, "leverage beyond the tier"
            quantity = min(quantity, caps[0] / max(price, quoted)) if caps else quantity
        quantity = whole(quantity, market.lot)
        value = quantity * self.slipped(market, quoted, side, quantity, base)
        small = quantity <= 0 or value < market.one["min_notional"]
        return quantity, "below the smallest order" if small else ""

    # Inside a bar.

    def inside(self, market: Market, base: Base) -> None:
        before, market.rung = market.rung, market.rung_at(base.ts)
        side, best = market.side, market.best
        self.look_for_stops(market, base, best, base.open, at_open=True)
        if market.q:
            self.targets_at_open(market, base, before)
        for level, extreme in self.legs(side, base):
            if not market.q:
                return
            target, goal = self.nearest_target(market, market.rung)
            if level == "stop":
                self.look_for_stops(market, base, best, extreme, at_open=False)
            elif side * (extreme - target) >= 0:
                self.take(market, base, target, target, goal, taker=False)
            if self.rules["intrabar"] == "path" and level == "target":
                best = side * max(side * best, side * extreme)
        if market.q:
            market.best = self.further(market, base.high if side > 0 else base.low)

    def look_for_stops(self, market: Market, base: Base, best: float, price: float, *, at_open: bool) -> None:
        """Let the price come as far as this: the nearest stop, and ruin behind a stop that could not let all out."""
        side = market.side
        if not market.stopped:
            stop, why = self.nearest_stop(market, best)
            if side * (price - stop) <= 0:
                self.stop_out(market, base, price if at_open else stop, why)
        if market.q and market.stopped:
            ruin, why = self.liquidation(market)
            if side * (price - ruin) <= 0:
                self.stop_out(market, base, price if at_open else ruin, why)

    def targets_at_open(self, market: Market, base: Base, rung: int) -> None:
        """Look at the open for the targets as they stood before it, and then for a rung that begins with it."""
        target, goal = self.nearest_target(market, rung)
        if market.side * (base.open - target) >= 0:
            moved = False
            if market.added and market.added[0] == base.ts:  # by a part of the entry at this very open
                now, market.price = market.price, market.added[1]
                moved = self.nearest_target(market, rung)[0] != target
                market.price = now
            self.take(market, base, base.open, target, goal, taker=moved)
            return
        begun = market.roi(market.rung) if market.rung != rung else NONE
        if market.side * (base.open - begun) >= 0:
            self.take(market, base, base.open, begun, "roi", taker=True)

    def further(self, market: Market, price: float) -> float:
        return market.side * max(market.side * market.best, market.side * price)

    def legs(self, side: int, base: Base) -> list[tuple[str, float]]:
        """Give what each leg of the path can reach, and how far it goes."""
        falls, rises = ("stop", "target") if side > 0 else ("target", "stop")
        if self.rules["intrabar"] == "pessimistic":
            worst, finest = (base.low, base.high) if side > 0 else (base.high, base.low)
            return [("stop", worst), ("target", finest)]
        if base.open - base.low <= base.high - base.open:
            return [(falls, base.low), (rises, base.high), (falls, base.close)]
        return [(rises, base.high), (falls, base.low), (rises, base.close)]

    def nearest_stop(self, market: Market, best: float) -> tuple[float, str]:
        ruin, name = self.liquidation(market)
        levels = [
            (market.stop_loss(), "stop_loss"), (market.custom_stop(), "custom_stop"),
            (market.trailing_stop(best), "trailing_stop"), (ruin, name),
        ]  # fmt: skip
        known = [one for one in levels if not math.isnan(one[0])]
        return max(known, key=lambda one: market.side * one[0], default=(NONE, ""))

    def nearest_target(self, market: Market, rung: int) -> tuple[float, str]:
        levels = [(market.take_profit(), "take_profit"), (market.roi(rung), "roi")]
        known = [one for one in levels if not math.isnan(one[0])]
        return min(known, key=lambda one: market.side * one[0], default=(NONE, ""))

    def stop_out(self, market: Market, base: Base, quoted: float, why: str) -> None:
        if why == "liquidation":
            self.liquidate(market, base, quoted)
            return
        side = market.side
        quantity = abs(market.q) if why == "bankruptcy" else min(abs(market.q), market.room)
        market.wish = None
        if quantity > 0:
            price = self.slipped(market, quoted, -side, quantity, base)
            self.fill(market, base, -side, quantity, quoted, price, why, decided=base.ts)
        if market.q:
            market.stopped = True
            market.wish = Wish("leave", 0, base.ts, why, ordered=quantity > 0)
        elif why == "bankruptcy" and not any(one.q for one in self.markets):
            self.cash = min(self.cash, 0.0)

    def take(self, market: Market, base: Base, price: float, level: float, why: str, *, taker: bool) -> None:
        side, quantity = market.side, min(abs(market.q), market.room)
        if quantity <= 0:
            return
        quoted = price
        if taker:
            price = self.slipped(market, price, -side, quantity, base)
            price = side * max(side * price, side * level)
        if market.wish and market.wish.what != "leave":
            market.wish = None
        first, market.target_begun = not market.target_begun, True  # one order, wherever its price is moved to
        self.fill(market, base, -side, quantity, quoted, price, why, decided=base.ts, maker=not taker, first=first)

    # The strategy.

    def decide(self, market: Market, base: Base) -> None:
        word = base.word
        assert word is not None
        if market.stopped:
            return
        mask = int(market.one["words"][word], 16)
        said = {name: bool(mask >> bit & 1) for bit, name in enumerate(("long", "leave", "short", "cover"))}
        for one, other in (("long", "leave"), ("short", "cover"), ("long", "short")):
            if said[one] and said[other]:
                said[one] = said[other] = False
        wish = market.wish
        stance = wish.what if wish and wish.what != "leave" else market.side
        want: int | str | None = None
        if stance == 1:
            want = -1 if said["short"] else "leave" if said["leave"] else None
        elif stance == -1:
            want = 1 if said["long"] else "leave" if said["cover"] else None
        else:
            want = 1 if said["long"] else -1 if said["short"] else None
        reason = "signal"
        if want is None and market.q and self.case["max_bars"]:
            held = word - market.opened_word + (0 if self.at_close else 1)
            if held >= self.case["max_bars"]:
                want, reason = "leave", "time_limit"
        if want in (1, -1):
            why = self.protections.blocked(market.number, market.starts[word])
            if why:
                self.skip(market, Wish(want, word, market.starts[word], ""), NONE, why)
                want = "leave" if market.q else None
        if want is None or (wish and wish.same(want)):
            return
        if want == market.side or (want == "leave" and not market.q):
            market.wish = None  # what waits is taken back
        else:
            market.wish = Wish(want, word, market.starts[word], reason if want == "leave" else "entry")
