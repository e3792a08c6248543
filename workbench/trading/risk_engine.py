"""The limits on risk of one core: what it has seen, what it makes of an order, and what it does when too much is lost.

A hook of the gate. It sees every event before the core does (marks and clocks) and after (fills), so that a loss stops
an order of the same event. All it knows comes from events and is in its snapshot: replaying a journal, or restarting,
gives the same decisions. States: ACTIVE; REDUCING, nothing but reductions; HALTED, entries are cancelled and all
positions closed at the next price. What only reduces a position is never refused.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import ConfigError, DataError
from workbench.risk.limits.bounds import Limits
from workbench.risk.limits.judging import Assessment, Finding, compiled, findings
from workbench.risk.limits.merging import strictest
from workbench.risk.limits.rules import EQUITY_RULES, RULES
from workbench.trading import events as ev
from workbench.trading.equity_watch import EquityWatch, until
from workbench.trading.gate import APPROVED, Gate, Verdict, reduce, reject
from workbench.trading.market_watch import MarketWatch
from workbench.trading.orders import Order
from workbench.trading.risk_book import REASON, Book
from workbench.trading.risk_judge import PLAIN, Judge, Judged
from workbench.trading.risk_trips import Trips

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["SCOPES", "STATES", "Decision", "RiskEngine", "limited"]

NAN: Final = math.nan
SCOPES: Final = ("bot", "account", "workspace")
STATES: Final = ("ACTIVE", "REDUCING", "HALTED")
_LEVEL: Final = {"reduce": 1, "flatten": 2}
_PRICES: Final = (ev.Bar, ev.Opened, ev.Tick, ev.Book)
_BLIND: Final = [NAN] * len(RULES)
_OWN: Final = frozenset(
    (ev.Filled, ev.Funded, ev.Adjusted, ev.Canceled, ev.Rejected, ev.Expired, ev.Amended, ev.Accepted, ev.Triggered)
)
_NO_REQUEST: Final = frozenset(("order_is_final", "unknown_order"))  # a refused cancellation is no refused amendment


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
    smaller : dict of str to (float, float)
        By orders that were made smaller: how much was wanted, and how much limits let go; likewise.
    causes : dict of str to (int, float)
        What holds the bot back: level (1 REDUCING, 2 HALTED) and until when, ms UTC.
    tell : callable or None
        Told of the engine after every event; set by whoever keeps several bots together.
    """

    def __init__(self, limits: Limits | Mapping[str, Limits], *, bot: str = "", account: str = "") -> None:
        self.limits = dict(limits) if isinstance(limits, Mapping) else {"bot": limits}
        unknown = set(self.limits) - set(SCOPES)
        if unknown:
            raise ConfigError(f"limits: {sorted(unknown)[0]!r} is no scope; there are {', '.join(SCOPES)}")
        self.bot, self.account = bot, account
        self.decisions: list[Decision] = []
        self.smaller: dict[str, tuple[float, float]] = {}
        self.causes: dict[str, tuple[int, float]] = {}
        self.watches: dict[str, EquityWatch] = {}
        self.peers: dict[str, ev.Peer] = {}
        self.requests: deque[int] = deque()
        self.canceling: set[str] = set()
        self.raised: dict[str, tuple[float, float, int]] = {}
        self.failed: dict[str, tuple[int, int]] = {}
        self.warned: set[str] = set()
        self.tell: Callable[[RiskEngine], None] | None = None
        self.now = self.level = 0
        self.midnight = 0

    def attach(self, core: Core) -> None:
        """Judge the orders of a core from now on."""
        self.core, self.book, self.judge, self.trips = core, Book(core, self), Judge(core, self), Trips(core)
        self.market = MarketWatch({name: one.instrument.calendar == "24/7" for name, one in core.markets.items()})
        self._compile()
        core.risk, core.gate = self, Gate((*core.gate.checks, self.check))

    def _compile(self) -> None:
        self.merged = merged = strictest(self.limits.values())
        rows = {scope: compiled(one) for scope, one in self.limits.items()}
        self.wholes = tuple(row for row in compiled(merged) if row[0] >= PLAIN)
        self.scoped = {scope: tuple(row for row in one if row[0] < PLAIN) for scope, one in rows.items()}
        self.losing = {scope: tuple(row for row in one if row[0] < EQUITY_RULES) for scope, one in rows.items()}
        self.market.tune(
            merged.volatility_window_ms if merged.volatility_halt is not None else 0,
            merged.correlation_bars if merged.correlated_positions is not None else 0,
        )
        for scope in self.limits:
            if scope not in self.watches:
                self.watches[scope] = EquityWatch()
                if self.now:
                    self.watches[scope].roll(self.now, self.equity(scope))

    @property
    def state(self) -> str:
        """One of `STATES`."""
        return STATES[self.level]

    def around(self, event: ev.Event) -> Sequence[ev.Action]:
        """Handle an event for the core, with limits before and after; tell others where that leaves it."""
        actions = self._around(event)
        if self.tell is not None:
            self.tell(self)
        return actions

    def _around(self, event: ev.Event) -> Sequence[ev.Action]:
        core, kind = self.core, type(event)
        before = core.begin()
        self._clock(event.closes if kind is ev.Bar else event.ts)  # type: ignore[union-attr]
        if kind in _PRICES:
            self._see(event)
            self.review()
        elif kind in _OWN:
            return self._own(event, before)
        elif kind is ev.Peer or kind is ev.Limited or kind is ev.Resumed:
            self._told(event)
            self.review()
            return before
        actions = core.plainly(event)
        after = core.begin()
        return [*before, *actions, *after] if before or after else actions

    def _told(self, event: Any) -> None:
        if type(event) is ev.Peer:
            self._peer(event)
        elif type(event) is ev.Limited:
            if event.scope not in SCOPES:
                raise DataError(f"limits of {event.scope!r}: the scopes are {', '.join(SCOPES)}")
            self.limits[event.scope] = Limits.from_dict(event.limits)
            self._compile()
        else:
            self.causes.clear()
            self.warned.clear()
            self.failed.clear()
            self.level = 0
            for scope, watch in self.watches.items():
                watch.renew(self.equity(scope))

    def _own(self, event: Any, before: list[ev.Action]) -> Sequence[ev.Action]:
        """Handle what happened to the account or an order."""
        core, kind = self.core, type(event)
        name = getattr(event, "id", "")
        order = core.orders.get(name) if name else None
        equity = core.account.equity if kind is ev.Adjusted else 0.0
        if kind is ev.Filled:
            self.trips.before(event)
        actions = core.plainly(event)
        after = core.begin()
        self.book.touch(order.symbol if order is not None else getattr(event, "symbol", ""))
        if kind is ev.Adjusted and event.reason != "interest":
            for watch in self.watches.values():
                watch.shift(core.account.equity - equity)
        elif kind is ev.Filled:
            self.trips.after(event, self.merged, self.now)
            if self.failed and core.account.quantity(event.symbol, event.leg) == 0.0:
                self.failed.pop(f"{event.symbol} {event.leg}", None)
        if name:
            self._settle(name, kind, event, order)
        self.review()
        return [*before, *actions, *after] if before or after else actions

    def _settle(self, name: str, kind: type, event: Any, order: Order | None) -> None:
        """Forget what was under way with an order as it comes to its end."""
        if kind is not ev.Accepted:
            self.canceling.discard(name)
        if name not in self.core.orders:
            self.raised.pop(name, None)
            if kind is not ev.Filled and order is not None and order.reason == REASON:
                self.book.refused(order)
        elif name in self.raised and (
            kind is ev.Amended or (kind is ev.Rejected and event.code not in _NO_REQUEST)
        ):  # of several that are under way each counts until its own answer
            most, level, count = self.raised[name]
            if count <= 1:
                del self.raised[name]
            else:
                self.raised[name] = (most, level, count - 1)

    def _clock(self, ts: int) -> None:
        """Let time pass: days and weeks begin, and what held only for one ends."""
        if ts <= self.now:
            return
        self.now = ts
        if ts >= self.midnight:
            for scope, watch in self.watches.items():
                watch.roll(ts, self.equity(scope))
                self.midnight = watch.day
            self.warned = {name for name in self.warned if "loss" not in name}
        if self.trips.blocked:
            self.trips.pass_time(ts)
        if self.causes:
            for name, (_, end) in list(self.causes.items()):
                if ts >= end:
                    self._release(name)

    def _release(self, name: str) -> None:
        """Go on after a time is over; a fall from the highest and a loss of capital are reckoned anew from here."""
        del self.causes[name]
        self.level = max((level for level, _ in self.causes.values()), default=0)
        rule, _, scope = name.partition(":")
        if rule in ("max_drawdown", "capital_depletion") and scope in self.watches:
            self.watches[scope].renew(self.equity(scope))
            self.warned -= {f"max_drawdown:{scope}", f"capital_depletion:{scope}"}
        self._note(rule, scope, (NAN, NAN), self.state, 0)

    def _see(self, event: Any) -> None:
        """Take in what the market says, before the core acts on it."""
        core, market, kind = self.core, self.market, type(event)
        lines = core.account.lines
        if kind is ev.Bar:
            market.bar(event)
            line = lines.get(event.symbol)
            if line is not None and 0.0 < event.close < math.inf:
                line.mark = event.close
        elif kind is ev.Opened:
            for symbol, price in event.prices.items():
                market.price(symbol, event.ts, price)
                if symbol in lines and 0.0 < price < math.inf:
                    lines[symbol].mark = price
        elif kind is ev.Tick:
            market.price(event.symbol, event.ts, event.price)
            if event.symbol in lines and 0.0 < event.price < math.inf:
                lines[event.symbol].mark = event.price
        else:
            market.book(event)
            if event.symbol in lines and event.bids and event.asks:
                lines[event.symbol].mark = (event.bids[0][0] + event.asks[0][0]) / 2.0

    def _peer(self, peer: ev.Peer) -> None:
        """Take in where another bot stands: money that it put in or took out is neither profit nor loss."""
        if peer.bot == (self.bot or self.core.name):
            return
        known = self.peers.get(peer.bot)
        gone = not peer.rows and peer.equity == 0.0 and peer.paid_in == 0.0
        if gone:
            moved = -known.equity if known is not None else 0.0
        else:
            moved = peer.paid_in - known.paid_in if known is not None else peer.equity
        for scope in self.scopes_of(peer):
            if scope in self.watches:
                self.watches[scope].shift(moved)
        self.peers[peer.bot] = peer
        if gone:
            del self.peers[peer.bot]

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
        for scope, rows in self.losing.items():
            if rows:
                equity, watch = self.equity(scope), self.watches[scope]
                watch.see(equity)
                found = findings(rows, watch.losses(equity))
                if found:
                    self._losses(scope, found)
        if self.level:
            self.book.hold_back(self.level)

    def _losses(self, scope: str, found: list[Finding]) -> None:
        for one in found:
            name, level = RULES[one.rule].name, _LEVEL.get(one.action, 0)
            key = f"{name}:{scope}"
            if level and key not in self.causes:
                self.hold(name, scope, (one.value, one.threshold), level)
            elif not level and key not in self.warned:
                self.warned.add(key)
                self._note(name, scope, (one.value, one.threshold), one.action, 0)

    def hold(self, name: str, scope: str, numbers: tuple[float, float], level: int) -> None:
        """Hold the bot back: only reductions (1), or close everything (2)."""
        limits = self.limits.get(scope, self.merged)
        self.causes[f"{name}:{scope}"] = (level, until(name, self.now, limits.pause_ms))
        self.level = max(self.level, level)
        self._note(name, scope, numbers, STATES[level], level)

    def _note(self, name: str, scope: str, numbers: tuple[float, float], action: str, level: int) -> None:
        self.decisions.append(Decision(self.now, "", "", name, scope, *numbers, action))
        value = "" if numbers[0] != numbers[0] else f" at {numbers[0]:.2%} (limit {numbers[1]:.2%})"
        self.core.act(ev.Alert(self.now, "error" if level == 2 else "warning", f"{name}{value}: {action}"))

    def sent(self, order: Order) -> None:
        """Count an order that goes out."""
        self.requests.append(self.now)
        self.book.touch(order.symbol)

    def recent(self, since: int) -> int:
        """Give how many orders and amendments went out since a time."""
        requests = self.requests
        while requests and requests[0] <= since:
            requests.popleft()
        return len(requests)

    def check(self, order: Order, context: Any) -> Verdict:
        """Judge an order; a hook of the gate."""
        found = self.judge.look(order, order.quantity, order.price, order.stop_price)
        if found.warned or found.code or found.worst is not None:
            self._follow(order, found)
        if not found.code:
            return APPROVED
        if not found.allowed > 0.0:
            return reject(found.code)
        self.smaller[order.id] = order.quantity, found.allowed
        return reduce(found.allowed)

    def check_amend(self, order: Order, change: ev.AmendOrder) -> str:
        """Judge a change of a working order as if it came anew; the code of what is against it, "" for nothing."""
        if order.reduce_only or order.close_position:
            return ""
        quantity = change.quantity if change.quantity == change.quantity else order.quantity
        price = change.price if change.price == change.price else order.price
        stop = change.stop_price if change.stop_price == change.stop_price else order.stop_price
        same = (price == order.price or price != price) and (stop == order.stop_price or stop != stop)
        if not same or quantity > order.quantity or order.id in self.raised:
            left = quantity - order.filled
            found = self.judge.look(order, left, price, stop, order.id)
            if found.warned or found.code or found.worst is not None:
                self._follow(order, found)
            if found.code:
                return found.code
        self.requests.append(self.now)
        most, level, count = self.raised.get(order.id, (0.0, 0.0, 0))
        level = max((one for one in (price, stop, level) if one == one), default=0.0)
        self.raised[order.id] = (max(quantity, order.quantity, most), level, count + 1)
        self.book.touch(order.symbol)
        return ""

    def _follow(self, order: Order, found: Judged) -> None:
        """Keep what was decided about an order, and halt where that is asked for."""
        for scope, one in found.warned:
            self._said(order, scope, one, "warn")
        if found.worst is not None:
            scope, one = found.worst
            if one.action == "flatten":
                self.hold(RULES[one.rule].name, scope or "bot", (one.value, one.threshold), 2)
                self.book.hold_back(2)
            self._said(order, scope, one, one.action)
        elif found.code:
            self.decisions.append(
                Decision(self.now, order.symbol, order.side, found.code, "", NAN, NAN, "reject", order.id)
            )

    def _said(self, order: Order, scope: str, one: Finding, action: str) -> None:
        name = RULES[one.rule].name
        self.decisions.append(
            Decision(self.now, order.symbol, order.side, name, scope, one.value, one.threshold, action, order.id)
        )

    def assess(self, order: Any) -> Assessment:
        """Say what the limits make of an order, without sending it (see `wb.risk.assess`)."""
        return self.judge.assess(order)

    def standing(self) -> ev.Peer:
        """Give where this bot stands, to be told to the others of its account and workspace at once."""
        account = self.core.account
        paid = math.fsum(math.fsum(pool.paid_in) for pool in account.pools.values())
        rows = tuple((one.symbol, one.asset, one.value, one.buys, one.sells) for _, one in self.book.rows())
        return ev.Peer(self.now, self.bot or self.core.name, self.account, account.equity, paid, rows)

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain data for JSON."""
        return {
            "limits": {scope: one.to_dict() for scope, one in self.limits.items()}, "now": self.now,
            "causes": {name: [level, None if end == math.inf else end] for name, (level, end) in self.causes.items()},
            "watches": {scope: watch.snapshot() for scope, watch in self.watches.items()},
            "peers": [list(peer) for peer in self.peers.values()], "requests": list(self.requests),
            "canceling": sorted(self.canceling), "raised": {key: list(row) for key, row in self.raised.items()},
            "failed": {key: list(row) for key, row in self.failed.items()}, "midnight": self.midnight,
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
            self.now, self.warned, self.canceling = data["now"], set(data["warned"]), set(data["canceling"])
            self.midnight, self.failed = data["midnight"], {key: (a, b) for key, (a, b) in data["failed"].items()}
            self.causes = {name: (lv, math.inf if end is None else end) for name, (lv, end) in data["causes"].items()}
            self.level = max((level for level, _ in self.causes.values()), default=0)
            self.watches = {scope: EquityWatch.restore(one) for scope, one in data["watches"].items()}
            self._compile()
            self.peers = {row[1]: ev.from_plain(["Peer", *row]) for row in data["peers"]}
            self.requests = deque(data["requests"])
            self.raised = {key: (row[0], row[1], row[2]) for key, row in data["raised"].items()}
            self.market.restore(data["market"])
            self.trips.restore(data["trips"])
            self.book.touch("")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"the snapshot of limits on risk is damaged: {error!r}; replay the journal") from error


def limited(core: Core, limits: Limits | Mapping[str, Limits] | None, bot: str = "", account: str = "") -> Core:
    """Give the core with limits on risk, where there are any and it has none yet."""
    if limits is not None and core.risk is None:
        RiskEngine(limits, bot=bot, account=account).attach(core)
    return core
