"""How a bot at a venue stands at one moment, as plain data, and the last lines of its log, for whoever shows them.

`Watcher` listens to the journal as it is written, so that it misses nothing and asks nobody; `standing` looks at the
runner and touches nothing.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.bots.journal.records import LEVELS, Logged, Record
from workbench.bots.journal.telling import classify, describe, with_facts
from workbench.trading.events import Accepted, Canceled, Filled, Rejected, Submit

if TYPE_CHECKING:
    from workbench.bots.runner import Runner
    from workbench.bots.spec import BotSpec

__all__ = ["Connection", "Holding", "Line", "Standing", "Watcher", "standing"]

_KEPT: Final = 50
_ANSWERS: Final = (Accepted, Filled, Rejected, Canceled)
_INFO: Final = LEVELS.index("info")


class Line(NamedTuple):
    """A line of the log: when (ms UTC), its level and category, and what it says."""

    ts: int
    level: str
    category: str
    text: str


class Holding(NamedTuple):
    """What is held of a symbol, at which price it was entered, the last price, and the profit at that."""

    symbol: str
    quantity: float
    entry: float
    price: float
    unrealised: float


class Connection(NamedTuple):
    """A connection: what it is for, its state, and how long ago anything came by it (real seconds)."""

    name: str
    state: str
    age_s: float


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a bot stands.

    Attributes
    ----------
    now : int
        By the bot's clock, ms UTC.
    prices : mapping of symbol to float
        The last that are known.
    armed : str
        In words; empty for a bot that needs no arming.
    limits : str
        What limits on risk hold back, in words; empty for nothing.
    latency_ms : float
        Median of the last answers to orders, real time; NaN before the first.
    """

    name: str
    mode: str
    venue: str
    state: str
    reason: str
    session: int
    now: int
    equity: float
    cash: float
    currency: str
    holdings: tuple[Holding, ...]
    orders: tuple[str, ...]
    prices: Mapping[str, float]
    connections: tuple[Connection, ...]
    armed: str
    limits: str
    fills: int
    latency_ms: float
    entries: int

    def to_plain(self) -> dict[str, Any]:
        """Give it as plain data for JSON."""
        plain = asdict(self)
        plain["holdings"] = [one._asdict() for one in self.holdings]
        plain["connections"] = [one._asdict() for one in self.connections]
        return plain


class Watcher:
    """Hears what a journal is told, and keeps what a person wants to see of it.

    Parameters
    ----------
    told : callable, optional
        Told every line of the log from level "info" on.
    hide : callable, optional
        Takes secrets out of a text.
    """

    def __init__(
        self, told: Callable[[Line], None] = lambda line: None, hide: Callable[[str], str] = lambda text: text
    ) -> None:
        self._tell, self._hide = told, hide
        self.lines: deque[Line] = deque(maxlen=_KEPT)
        self.fills = 0
        self.latencies: deque[float] = deque(maxlen=_KEPT)
        self._sent: dict[str, float] = {}

    def hear(self, record: Record, ts: int) -> None:
        """Take in a record and its time (ms UTC), as `Journal.listener`."""
        kind = type(record)
        if kind is Submit:
            self._sent[record.order.id] = time.monotonic()  # type: ignore[union-attr]
        elif kind in _ANSWERS:
            began = self._sent.pop(record.id, None)  # type: ignore[union-attr]
            if began is not None:
                self.latencies.append(1_000.0 * (time.monotonic() - began))
            self.fills += kind is Filled
        category, level = classify(record)
        if category and LEVELS.index(level) >= _INFO:
            said = with_facts(record.text, record.fields) if isinstance(record, Logged) else describe(record)
            self.add(Line(ts, level, category, self._hide(said)))

    def add(self, line: Line) -> None:
        """Take in a line of the log that is in no journal."""
        self.lines.append(line)
        self._tell(line)


def standing(runner: Runner, spec: BotSpec, watcher: Watcher, feeds: Sequence[Any] = ()) -> Standing:
    """Say how a bot stands.

    Parameters
    ----------
    runner : Runner
    spec : BotSpec
    watcher : Watcher
        That listens to its journal.
    feeds : sequence of Feed
        Those of the runner.
    """
    core = runner.shell.mind.core
    account = core.account
    prices = {name: price for name in core.markets if (price := runner.market.price(name)) == price}
    held = []
    for one in account.positions:
        price = prices.get(one.symbol, core.prices.get(one.symbol, one.price))
        held.append(Holding(one.symbol, one.quantity, one.price, price, one.unrealised(price)))
    return Standing(
        name=spec.name, mode=spec.mode, venue=spec.venue, state=core.state, reason=runner.reason,
        session=runner.journal.session, now=max(runner.now, core.now), equity=account.equity, cash=spec.cash,
        currency=account.currency, holdings=tuple(held), orders=tuple(map(_order, core.orders.values())), prices=prices,
        connections=tuple(_connections(runner, feeds)), armed=_armed(core) if spec.mode == "live" else "",
        limits="" if core.risk is None or core.risk.level == 0 else f"{core.risk.state}: {', '.join(core.risk.causes)}",
        fills=watcher.fills,
        latency_ms=statistics.median(watcher.latencies) if watcher.latencies else math.nan,
        entries=runner.journal.position,
    )  # fmt: skip


def _order(order: Any) -> str:
    at = "" if order.price != order.price else f" at {order.price:,.10g}"
    trigger = "" if order.stop_price != order.stop_price else f" when {order.stop_price:,.10g}"
    done = f", {order.filled:g} done" if order.filled else ""
    much = f"{order.quantity:g}" if order.quantity == order.quantity else "all that is held of"
    return f"{order.type.replace('_', ' ')} {order.side} {much} {order.symbol}{at}{trigger}{done}"


def _connections(runner: Runner, feeds: Sequence[Any]) -> list[Connection]:
    found = []
    for feed in feeds:
        health = feed.health
        found.append(Connection("market", str(health.get("state", "?")), _age(health)))
    health = runner.broker.health
    if health:
        found.append(Connection("own orders", str(health.get("state", "?")), _age(health)))
    return found


def _age(health: Mapping[str, Any]) -> float:
    age = health.get("age_s")
    return math.nan if age is None else float(age)


def _armed(core: Any) -> str:
    arming = core.arming
    if arming is None:
        return "not armed yet"
    if not arming.armed:
        return f"not armed: {arming.why}"
    parts = [f"armed by {arming.who}"]
    if arming.left:
        parts.append(f"next {arming.left} orders small")
    if arming.loss < math.inf:
        parts.append(f"{max(arming.lost, 0.0):,.2f} of {arming.loss:,.2f} {core.account.currency} lost")
    return ", ".join(parts)
