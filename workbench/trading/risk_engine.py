"""The limits on risk of one core: what it has seen, what it makes of an order, and what it does when too much is lost.

A hook of the gate. It sees every event before the core does (marks and clocks) and after (fills), so that a loss stops
an order of the same event. All it knows comes from events and is in its snapshot: replaying a journal, or restarting,
gives the same decisions. States: ACTIVE; REDUCING, nothing but reductions; HALTED, entries are cancelled and all
positions closed at the next price. What only reduces a position is never refused.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import DataError
from workbench.risk.limits.bounds import Limits, strictest
from workbench.risk.limits.exposures import Row, stakes
from workbench.risk.limits.hours import is_open
from workbench.risk.limits.judging import Assessment, Finding, compiled, findings, verdict_on
from workbench.risk.limits.rules import EQUITY_RULES, RULES
from workbench.trading import events as ev
from workbench.trading.arithmetic import round_down
from workbench.trading.equity_watch import EquityWatch, until
from workbench.trading.market_watch import MarketWatch
from workbench.trading.orders import Order
from workbench.trading.risk_book import Book, Trips

if TYPE_CHECKING:
    from workbench.trading.core import Core
    from workbench.trading.gate import Verdict

__all__ = ["SCOPES", "STATES", "Decision", "RiskEngine", "engine_of"]

NAN: Final = math.nan
SCOPES: Final = ("bot", "account", "workspace")
STATES: Final = ("ACTIVE", "REDUCING", "HALTED")
REASON: Final = "risk_limit"
_LEVEL: Final = {"reduce": 1, "flatten": 2}
_MINUTE: Final = 60_000
_PLAIN: Final = EQUITY_RULES + 7  # the first rule after exposures and counts: those do not go by scope


class Decision(NamedTuple):
    """What limits did: of an order ("warn", "reject", "reduce", "flatten"), or of the bot (a state of `STATES`)."""

    ts: int
    symbol: str
    side: str
    limit: str
    scope: str
    value: float
    threshold: float
    action: str
    order: str = ""


class RiskEngine:
    """The limits of one core.

    Parameters
    ----------
    limits : Limits, or mapping of scope to Limits
        Of the bot, or of "bot", "account" and "workspace"; all hold, so the strictest wins.
    bot, account : str
        Names by which others know this bot (`events.Peer`).

    Attributes
    ----------
    decisions : list of Decision
        What was done; the shell may take them out.
    causes : dict of str to (int, float)
        What holds the bot back: level (1 REDUCING, 2 HALTED) and until when, ms UTC.
    """

    def __init__(self, limits: Limits | Mapping[str, Limits], *, bot: str = "", account: str = "") -> None:
        self.limits = dict(limits) if isinstance(limits, Mapping) else {"bot": limits}
        self.bot, self.account = bot, account
        self.decisions: list[Decision] = []
        self.causes: dict[str, tuple[int, float]] = {}
        self.watches = {scope: EquityWatch() for scope in SCOPES}
        self.peers: dict[str, ev.Peer] = {}
        self.requests: deque[int] = deque()
        self.canceling: set[str] = set()
        self.raised: dict[str, tuple[float, float]] = {}
        self.warned: set[str] = set()
        self.now = 0

    def attach(self, core: Core) -> None:
        """Take up a core; it calls this itself."""
        self.core, self.book = core, Book(core, self)
        self._compile()
        every = {name: one.instrument.calendar == "24/7" for name, one in core.markets.items()}
        self.market = MarketWatch(every, self.merged.volatility_window_ms, self.merged.correlation_bars)
        self.trips = Trips(core)

    def _compile(self) -> None:
        self.merged = strictest(self.limits.values())
        self.rows = {scope: compiled(one) for scope, one in self.limits.items()}
        self.wholes = tuple(row for row in compiled(self.merged) if row[0] >= _PLAIN)
        self.scoped = {scope: tuple(row for row in rows if row[0] < _PLAIN) for scope, rows in self.rows.items()}

    @property
    def state(self) -> str:
        """One of `STATES`."""
        return STATES[max((level for level, _ in self.causes.values()), default=0)]

    def around(self, event: ev.Event) -> Sequence[ev.Action]:
        """Handle an event for the core, with limits before and after."""
        core, kind = self.core, type(event)
        before = core.begin()
        self._clock(event.closes if kind is ev.Bar else event.ts)  # type: ignore[union-attr]
        if kind is ev.Peer:
            self._peer(event)  # type: ignore[arg-type]
        elif kind is ev.Limited:
            self.limits[event.scope] = Limits.from_dict(event.limits)  # type: ignore[union-attr]
            self._compile()
        elif kind is ev.Resumed:
            self.causes.clear()
            self.warned.clear()
            for scope in SCOPES:
                self.watches[scope].renew(self.equity(scope))
        else:
            return self._market_or_own(event, before)
        self.review()
        return before

    def _market_or_own(self, event: Any, before: list[ev.Action]) -> Sequence[ev.Action]:
        core, kind = self.core, type(event)
        if kind in (ev.Bar, ev.Opened, ev.Tick, ev.Book):
            self._see(event)
            self.review()
        equity = core.account.equity if kind is ev.Adjusted else 0.0
        if kind is ev.Filled:
            self.trips.before(event)
        actions = core.plainly(event)
        after = core.begin()
        if kind is ev.Adjusted and event.reason != "interest":
            for watch in self.watches.values():
                watch.shift(core.account.equity - equity)
        elif kind is ev.Filled:
            self.trips.after(event, self.merged, self.now)
        if kind in (ev.Filled, ev.Funded, ev.Adjusted, ev.Canceled, ev.Rejected, ev.Expired, ev.Amended, ev.Accepted):
            self.canceling.discard(getattr(event, "id", ""))
            if kind is not ev.Accepted and kind is not ev.Filled:
                self.raised.pop(getattr(event, "id", ""), None)
            self.review()
        return [*before, *actions, *after] if before or after else actions

    def _clock(self, ts: int) -> None:
        """Let time pass: days and weeks begin, and what held only for one ends."""
        if ts <= self.now:
            return
        self.now = ts
        for scope in SCOPES:
            watch = self.watches[scope]
            if ts >= watch.day:
                watch.roll(ts, self.equity(scope))
                self.warned = {name for name in self.warned if "loss" not in name}
        for name, (level, end) in list(self.causes.items()):
            if ts >= end:
                del self.causes[name]
                self._note(name.partition(":")[0], name.partition(":")[2], (NAN, NAN), self.state, level)

    def _see(self, event: Any) -> None:
        """Take in what the market says, before the core acts on it."""
        core, market = self.core, self.market
        if type(event) is ev.Bar:
            market.bar(event)
            prices = {event.symbol: event.close}
        elif type(event) is ev.Opened:
            prices = event.prices
            for symbol, price in prices.items():
                market.price(symbol, event.ts, price)
        elif type(event) is ev.Tick:
            market.price(event.symbol, event.ts, event.price)
            prices = {event.symbol: event.price}
        else:
            market.book(event)
            prices = {}
        for symbol, price in prices.items():
            if symbol in core.account.lines and 0.0 < price < math.inf:
                core.account.mark(symbol, price)

    def _peer(self, peer: ev.Peer) -> None:
        known = self.peers.get(peer.bot)
        moved = peer.paid_in - known.paid_in if known is not None else peer.equity
        for scope in self.scopes_of(peer):
            self.watches[scope].shift(moved)
        self.peers[peer.bot] = peer

    def scopes_of(self, peer: ev.Peer) -> tuple[str, ...]:
        """Give the scopes in which another bot counts."""
        return ("account", "workspace") if peer.account == self.account else ("workspace",)

    def equity(self, scope: str) -> float:
        """Give the equity of a scope."""
        total = self.core.account.equity
        for peer in self.peers.values():
            if scope in self.scopes_of(peer):
                total += peer.equity
        return total

    def review(self) -> None:
        """Judge the equity; hold the bot back where too much is lost, and carry on with what that asks for."""
        for scope, rows in self.scoped.items():
            equity = self.equity(scope)
            self.watches[scope].see(equity)
            self._losses(scope, findings(rows, self.watches[scope].losses(equity) + [NAN] * 30))
        if self.causes:
            self.book.hold_back(max(level for level, _ in self.causes.values()))

    def _losses(self, scope: str, found: list[Finding]) -> None:
        for one in found:
            if one.rule >= EQUITY_RULES:
                continue
            name, level = RULES[one.rule].name, _LEVEL.get(one.action, 0)
            key = f"{name}:{scope}"
            if level and key not in self.causes:
                self.hold(name, scope, (one.value, one.threshold), level)
            elif not level and key not in self.warned:
                self.warned.add(key)
                self._note(name, scope, (one.value, one.threshold), one.action, 0)

    def hold(self, name: str, scope: str, numbers: tuple[float, float], level: int) -> None:
        """Hold the bot back: only reductions (1), or close everything (2)."""
        self.causes[f"{name}:{scope}"] = (level, until(name, self.now))
        self._note(name, scope, numbers, STATES[level], level)

    def _note(self, name: str, scope: str, numbers: tuple[float, float], action: str, level: int) -> None:
        self.decisions.append(Decision(self.now, "", "", name, scope, *numbers, action))
        value = "" if numbers[0] != numbers[0] else f" at {numbers[0]:.2%} (limit {numbers[1]:.2%})"
        self.core.act(ev.Alert(self.now, "error" if level == 2 else "warning", f"{name}{value}: {action}"))

    def sent(self, order: Order) -> None:
        """Count an order that goes out."""
        self.requests.append(self.now)

    def check(self, order: Order, context: Any) -> Verdict:
        """Judge an order; a hook of the gate."""
        quantity, code = self._judge(order, order.quantity, order.price, order.stop_price, "")
        from workbench.trading.gate import APPROVED, reduce, reject

        if code and not quantity > 0.0:
            return reject(code)
        return reduce(quantity) if code else APPROVED

    def check_amend(self, order: Order, change: ev.AmendOrder) -> str:
        """Judge a change of a working order as if it came anew; the code of what is against it, "" for nothing."""
        if order.reduce_only or order.close_position:
            return ""
        quantity = change.quantity if change.quantity == change.quantity else order.quantity
        price = change.price if change.price == change.price else order.price
        stop = change.stop_price if change.stop_price == change.stop_price else order.stop_price
        same = (price == order.price or price != price) and (stop == order.stop_price or stop != stop)
        if same and quantity <= order.quantity and order.id not in self.raised:
            self.requests.append(self.now)
            return ""
        left = quantity - order.filled
        allowed, code = self._judge(order, left, price, stop, order.id)
        if code and allowed < left:
            return code
        self.requests.append(self.now)
        known = self.raised.get(order.id, (0.0, 0.0))
        level = max((one for one in (price, stop) if one == one), default=0.0)
        self.raised[order.id] = (max(quantity, known[0]), max(level, known[1]))
        return ""

    def _judge(self, order: Order, quantity: float, price: float, stop: float, without: str) -> tuple[float, str]:
        """Give how much of an order may go out, and the reason code where that is not all of it."""
        if order.reduce_only or order.close_position:
            return quantity, ""
        book = self.book
        asked = book.ask(order, quantity, price, stop, without)
        closing = min(asked.closing, quantity)
        if not asked.opened > 0.0:
            return quantity, ""
        level = max((level for level, _ in self.causes.values()), default=0)
        if level:
            return self._cut(order, closing, quantity, "halted" if level == 2 else "reducing")
        worst, code, share = None, "", 1.0
        for scope, values, before in self.readings(order, asked):
            rows = self.scoped.get(scope, ()) if scope else self.wholes
            for one in findings(rows, values, before):
                if one.action == "warn":
                    self._said(order, scope, one, "warn")
                elif worst is None or one.share < share:
                    worst, share, code = (scope, one), one.share, RULES[one.rule].code
        if worst is None:
            return quantity, ""
        scope, one = worst
        if one.action == "flatten":
            self.hold(RULES[one.rule].name, scope or "bot", (one.value, one.threshold), 2)
            book.hold_back(2)
        self._said(order, scope, one, one.action)
        return self._cut(order, max(closing, share * quantity), quantity, code)

    def _cut(self, order: Order, allowed: float, quantity: float, code: str) -> tuple[float, str]:
        """Round what is allowed down; nothing where that is below what the venue takes."""
        market = self.core.markets[order.symbol]
        allowed = round_down(min(allowed, quantity), market.lots.lot)
        if allowed >= quantity:
            return quantity, ""
        price = self.core.prices[order.symbol]
        small = market.lots.min_notional > 0.0 and allowed * price * market.listing.size < market.lots.min_notional
        if code in ("halted", "reducing"):
            self.decisions.append(
                Decision(self.now, order.symbol, order.side, code, "", NAN, NAN, "reject", order.id)
            )  # fmt: skip
        return (0.0, code) if small or not allowed > 0.0 else (allowed, code)

    def _said(self, order: Order, scope: str, one: Finding, action: str) -> None:
        name = RULES[one.rule].name
        self.decisions.append(
            Decision(self.now, order.symbol, order.side, name, scope, one.value, one.threshold, action, order.id)
        )

    def readings(self, order: Order, asked: Any) -> list[tuple[str, list[float], list[float]]]:
        """Give the numbers of an order: for each scope those of equity, exposure and counts, then "" for all others."""
        found, core, groups = [], self.core, self.merged.groups
        total = len(self.peers) and sum(len(peer.rows) for peer in self.peers.values())
        alike: dict[int, Any] = {}
        for scope in self.limits:
            rows, equity = asked.rows, self.equity(scope)
            peers = [peer for peer in self.peers.values() if scope in self.scopes_of(peer)]
            if len(peers) not in alike:
                held = [*rows, *(Row(*row) for peer in peers for row in peer.rows)]
                alike[len(peers)] = stakes(held, asked.row, order.sign, asked.size, groups)
            before, after, count = alike[len(peers)]
            per = 1.0 / equity if equity > 0.0 else math.inf
            values = self.watches[scope].losses(equity)
            values += [one * per if one else 0.0 for one in after]
            values += [len(rows) + 1.0, len(rows) + 1.0 + total]
            found.append((scope, values, [one * per if one else 0.0 for one in before]))
        equity = core.account.equity
        found.append(("", self._others(order, asked, 1.0 / equity if equity > 0.0 else math.inf), []))
        return found

    def _others(self, order: Order, asked: Any, per: float) -> list[float]:
        market, limits, symbol, now = self.market, self.merged, order.symbol, self.now
        while self.requests and self.requests[0] <= now - _MINUTE:
            self.requests.popleft()
        moves = 0
        if limits.correlated_positions is not None:
            held = [(row.symbol, 1.0 if row.value + row.buys - row.sells > 0.0 else -1.0) for row in asked.rows]
            moves = market.correlated(symbol, order.sign, held, limits.correlation_at)
        spread = market.spreads.get(symbol)
        if spread is None:
            spread = 2.0 * self.core.markets[symbol].costs.slippage  # what is reckoned with where no book is seen
        shut = bool(limits.trading_hours) and not all(is_open(text, now) for text in limits.trading_hours or ())
        values = [NAN] * _PLAIN
        values += [
            self.core.account.leverage(symbol), asked.size * per, asked.size, asked.distance, len(self.requests) + 1.0,
            moves + 1.0, market.age(symbol, now), spread, market.volatility(symbol, now),
            self.trips.losing(symbol, now), float(shut),
        ]  # fmt: skip
        return values

    def assess(self, order: Order) -> Assessment:
        """Say what the limits make of an order, without sending it (see `wb.risk.assess`)."""
        kept, causes = list(self.decisions), dict(self.causes)
        asked = self.book.ask(order, order.quantity, order.price, order.stop_price, "")
        begun = self.core.begin()
        intents = list(self.core.desk.intents)
        quantity, code = self._judge(order, order.quantity, order.price, order.stop_price, "")
        self.decisions, self.causes, self.core.desk.intents = kept, causes, intents
        begun.clear()
        readings = self.readings(order, asked)
        values = [max((row[1][k] for row in readings[:-1]), default=NAN) for k in range(_PLAIN)]
        values += readings[-1][1][_PLAIN:]
        what = f"{order.side} {order.quantity:g} {order.symbol}"
        return verdict_on(order.quantity, quantity, code, self.merged, values, what)

    def standing(self) -> ev.Peer:
        """Give where this bot stands, to be told to the others of its account and workspace at once."""
        account = self.core.account
        paid = math.fsum(math.fsum(pool.paid_in) for pool in account.pools.values())
        rows = tuple(tuple(row) for row in self.book.rows().values())
        return ev.Peer(self.now, self.bot or self.core.name, self.account, account.equity, paid, rows)  # type: ignore[arg-type]

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain data for JSON."""
        return {
            "limits": {scope: one.to_dict() for scope, one in self.limits.items()}, "now": self.now,
            "causes": {name: [level, None if end == math.inf else end] for name, (level, end) in self.causes.items()},
            "watches": {scope: watch.snapshot() for scope, watch in self.watches.items()},
            "peers": [list(peer) for peer in self.peers.values()], "requests": list(self.requests),
            "canceling": sorted(self.canceling), "raised": {key: list(row) for key, row in self.raised.items()},
            "warned": sorted(self.warned), "market": self.market.snapshot(), "trips": self.trips.snapshot(),
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave; the limits too, as they were changed by events.

        Raises
        ------
        DataError
            It is damaged.
        """
        try:
            self.limits = {scope: Limits.from_dict(one) for scope, one in data["limits"].items()}
            self._compile()
            self.now, self.warned, self.canceling = data["now"], set(data["warned"]), set(data["canceling"])
            self.causes = {name: (lv, math.inf if end is None else end) for name, (lv, end) in data["causes"].items()}
            self.watches = {scope: EquityWatch.restore(one) for scope, one in data["watches"].items()}
            peers = [ev.Peer(*row[:5], tuple(tuple(one) for one in row[5])) for row in data["peers"]]
            self.peers = {peer.bot: peer for peer in peers}
            self.requests = deque(data["requests"])
            self.raised = {key: (row[0], row[1]) for key, row in data["raised"].items()}
            self.market.restore(data["market"])
            self.trips.restore(data["trips"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"the snapshot of limits on risk is damaged: {error!r}; replay the journal") from error


def engine_of(limits: Limits | Mapping[str, Limits] | None, bot: str = "", account: str = "") -> RiskEngine | None:
    """Make the engine of a core; None where nothing is limited."""
    return None if limits is None else RiskEngine(limits, bot=bot, account=account)
