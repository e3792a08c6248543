"""The core: one bot's mind and books as a deterministic state machine, `core.handle(event) -> actions`.

It hosts the strategy, keeps the account and the open orders by what the events say, turns wishes into orders (sized at
the first price after the decision, rounded to ticks and lots, checked by the gate) and protects positions with stops
and targets. It never does anything itself: backtest, paper and live are shells that feed it and carry its actions out.
Feeding the same events to a new core, or to one restored from a snapshot, gives the same actions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.trading import events as ev
from workbench.trading import lifecycle
from workbench.trading.account import Account
from workbench.trading.desk import Desk, Refusal
from workbench.trading.events import Action, Event, Submit
from workbench.trading.gate import Gate
from workbench.trading.history import History
from workbench.trading.keeping import state_of, take_up
from workbench.trading.minding import Minder
from workbench.trading.orders import Order
from workbench.trading.protection import Guarded, Protector
from workbench.trading.sizing import Sizer
from workbench.trading.trader import Traded, Trader, traded
from workbench.trading.view import View

if TYPE_CHECKING:
    from workbench.trading.arming import Arming
    from workbench.trading.risk_engine import RiskEngine

__all__ = ["NOTHING", "Core", "Refusal", "Traded", "Trader", "traded"]

NAN: Final = math.nan
NOTHING: Final = ()
INF: Final = math.inf


class Core:
    """The machine of one bot.

    Parameters
    ----------
    trader : Trader
        The strategy.
    account : Account
        Empty but for its cash; the core books on it what events say.
    markets : mapping of symbol to Traded
    name : str
        Of the bot; client order ids are made of it.
    gate : Gate, optional
        Checks of every order before it is sent.
    max_positions : int
        How many positions may be open at once; 0 for any number.

    Attributes
    ----------
    orders : dict of Order
        The open ones, by id.
    refusals : list of Refusal
    quiet : int
        Bars of each instrument that the strategy sees but is not told: its `warm_up`.
    finished : list of Order
        Those that are final, in that order; the shell may take them out.
    estimate : callable
        `(symbol, side, quantity) -> price` that a market order would get now; set by the shell (from the matcher, or
        from the live book). The last price with slippage when it is not set.
    risk : RiskEngine or None
        Limits on risk; `RiskEngine.attach` sets it.
    arming : Arming or None
        Whether it may open positions, where that is for somebody to allow; the first `Armed` or `Disarmed` sets it.
    minder : Minder or None
        Set by the shell where the venue does not size and drop protective orders by itself.
    """

    def __init__(
        self,
        trader: Trader,
        account: Account,
        markets: Mapping[str, Traded],
        *,
        name: str = "run",
        gate: Gate | None = None,
        max_positions: int = 0,
    ) -> None:
        self.trader, self.account, self.markets, self.name = trader, account, dict(markets), name
        self.gate, self.max_positions = gate or Gate(), max_positions
        self.quiet = int(getattr(trader, "warm_up", 0))
        self.state = "RUNNING"
        self.now = self.decided = self.number = 0
        self.prices: dict[str, float] = {}
        self._listeners: dict[str, Callable[[ev.Bar], Sequence[Action]]] = {}
        self.orders: dict[str, Order] = {}
        self.finished, self.refusals = list[Order](), list[Refusal]()
        self.histories: list[History] = []
        self.main: dict[str, History] = {}
        self.estimate: Callable[[str, float, float], float] = self._slipped
        self.brackets: dict[str, Guarded] = {}
        self.protector = Protector(self)
        self.minder: Minder | None = None
        self.sizer = Sizer(self)
        self.desk = Desk(self)
        self.view = View(self)
        self.risk: RiskEngine | None = None
        self.arming: Arming | None = None
        self._actions: list[Action] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.Opened: self._opened, ev.Tick: self._tick, ev.Filled: self._filled,
            ev.Accepted: self._accepted, ev.Rejected: self._rejected, ev.Canceled: self._canceled,
            ev.Expired: self._expired, ev.Amended: self._amended, ev.Triggered: self._triggered,
            ev.Unknown: self._unknown, ev.Funded: self._funded, ev.Adjusted: self._adjusted, ev.Timer: self._timer,
            ev.Marked: self._marked, ev.Learnt: self._learnt, ev.Rated: self._learnt,
            ev.Book: self._book, ev.Started: self._started, ev.Stopped: self._stopped, ev.Moved: self._moved,
            ev.Armed: self._arm, ev.Disarmed: self._arm,
        }  # fmt: skip

    def watch(self, history: History) -> None:
        """Show a series to the strategy; of an instrument the finest one first."""
        self.histories.append(history)
        self._listeners.clear()
        self.main.setdefault(history.symbol, history)

    def handle(self, event: Event) -> Sequence[Action]:
        """Take in one event and say what is to be done, in order; `NOTHING` for a bar at which nothing is wished.

        Raises
        ------
        StrategyError
            The strategy raised, or returned something that is no wish.
        """
        actions = self.plainly(event) if self.risk is None else self.risk.around(event)
        return actions if self.arming is None else self.arming.after(event, actions)

    def begin(self) -> list[Action]:
        """Begin a new list of what is to be done."""
        self._actions = []
        return self._actions

    def plainly(self, event: Event) -> Sequence[Action]:
        """Do what `handle` does, limits on risk left aside."""
        if type(event) is ev.Bar:
            return self.listener(event.symbol)(event)
        actions: list[Action] = []
        self._actions = actions
        self._handlers[type(event)](event)
        return actions

    def listener(self, symbol: str) -> Callable[[ev.Bar], Sequence[Action]]:
        """Give what `handle` does with the bars of one instrument: they come most by far, so all is looked up before.

        It holds until another series is watched or a snapshot is restored.
        """
        return self._listeners.get(symbol) or self._listener(symbol)

    def _listener(self, symbol: str) -> Callable[[ev.Bar], Sequence[Action]]:
        view, prices, on_bar = self.view, self.prices, self.trader.on_bar
        line, quiet, main = self.account.lines.get(symbol), self.quiet, self.main.get(symbol)

        def listen(bar: ev.Bar) -> Sequence[Action]:
            close = bar.close
            self.now = view.now = bar.closes
            self.decided = bar.ts
            view.symbol = symbol
            prices[symbol] = close
            if line is not None and 0.0 < close < INF:
                line.mark = close
            else:
                self.account.mark(symbol, close)  # which says what is wrong
            if quiet and main is not None and main.count <= quiet:
                return NOTHING
            said = on_bar(view, bar)
            return self._closed(said) if said else NOTHING

        self._listeners[symbol] = listen
        return listen

    def _closed(self, said: Any) -> list[Action]:
        """Take in what the strategy wishes at the close of a bar."""
        actions: list[Action] = []
        self._actions = actions
        self.desk.take(said, closed=True)
        return actions

    def _started(self, event: ev.Started) -> None:
        self._at(event.ts)
        self.desk.take(self.trader.on_start(self.view))

    def _stopped(self, event: ev.Stopped) -> None:
        self._at(event.ts)
        self.desk.intents.clear()

    def _moved(self, event: ev.Moved) -> None:
        lifecycle.check_transition(self.state, event.state)
        self.state = event.state
        self._at(event.ts)
        if event.then:
            self.desk.wind_down(flatten=event.then == "flatten")

    def _arm(self, event: ev.Armed | ev.Disarmed) -> None:
        from workbench.trading.arming import Arming

        self._at(event.ts)
        Arming.of(self).take(event)

    def _at(self, ts: int) -> None:
        self.now = self.view.now = ts

    def _tick(self, tick: ev.Tick) -> None:
        self.now = self.view.now = tick.ts
        self.view.symbol = symbol = tick.symbol
        self.prices[symbol] = tick.price
        self.account.mark(symbol, tick.price)
        desk = self.desk
        if desk.intents or desk.changes:
            desk.release({symbol}, True, True)
        self.decided = tick.ts
        said = self.trader.on_tick(self.view, tick)
        if said:
            self.desk.take(said)

    def _book(self, book: ev.Book) -> None:
        self._at(book.ts)
        if book.bids and book.asks:
            self.prices[book.symbol] = middle = (book.bids[0][0] + book.asks[0][0]) / 2.0
            self.account.mark(book.symbol, middle)

    def _marked(self, event: ev.Marked) -> None:
        self.prices[event.symbol] = event.price
        self.account.mark(event.symbol, event.price)

    def _learnt(self, event: ev.Learnt | ev.Rated) -> None:
        """Histories are kept by whoever watches them."""

    def _opened(self, event: ev.Opened) -> None:
        self._at(event.ts)
        for symbol, price in event.prices.items():
            self.prices[symbol] = price
            self.account.mark(symbol, price)
        desk = self.desk
        if desk.intents or desk.changes:
            desk.release(event.prices.keys(), event.leaves, event.entries)
        if self.minder:
            self.minder.check()

    def _timer(self, event: ev.Timer) -> None:
        self._at(event.ts)
        self.desk.take(self.trader.on_timer(self.view, event))

    def _funded(self, event: ev.Funded) -> None:
        self._at(max(self.now, event.ts))  # a venue tells of it later
        self.account.apply_funding(event)
        self.sizer.funded(event)
        self.view.symbol = event.symbol
        self.desk.take(self.trader.on_funding(self.view, event))

    def _adjusted(self, event: ev.Adjusted) -> None:
        self._at(event.ts)
        self.account.adjust(event)

    def _accepted(self, event: ev.Accepted) -> None:
        order = self.orders.get(event.id)
        if order is not None:
            order.venue_id, order.updated = event.venue_id, event.ts
            if order.status in ("submitted", "unknown"):
                order.status = "accepted"

    def _triggered(self, event: ev.Triggered) -> None:
        order = self.orders.get(event.id)
        if order is not None:
            order.triggered, order.updated = True, event.ts
            self.view.symbol = order.symbol
            self.desk.take(self.trader.on_trigger(self.view, order))

    def _unknown(self, event: ev.Unknown) -> None:
        order = self.orders.get(event.id)
        if order is not None:
            order.status, order.updated = "unknown", event.ts

    def _amended(self, event: ev.Amended) -> None:
        order = self.orders.get(event.id)
        if order is None:
            return
        order.updated = event.ts
        order.price = order.price if math.isnan(event.price) else event.price
        order.quantity = order.quantity if math.isnan(event.quantity) else event.quantity
        order.stop_price = order.stop_price if math.isnan(event.stop_price) else event.stop_price
        order.reason = event.reason or order.reason

    def _rejected(self, event: ev.Rejected) -> None:
        order = self.orders.get(event.id)
        if order is not None and order.status in ("submitted", "unknown"):
            self._finish(event.id, "rejected", event.ts)
            order.rejected = event.code
            self.desk.refuse(order.decided, order.symbol, order.side, order.quantity, event.code, order.id)
            if self.minder is not None:
                self.minder.lost(order, f"was refused ({event.code}); the position is closed", event.code)

    def _canceled(self, event: ev.Canceled) -> None:
        self._ended(self._finish(event.id, "canceled", event.ts))

    def _expired(self, event: ev.Expired) -> None:
        self._ended(self._finish(event.id, "expired", event.ts))

    def _ended(self, order: Order | None) -> None:
        if order is not None and not order.parent:
            self.desk.take(self.trader.on_end(self.view, order))
        if order is not None and self.minder is not None:
            self.minder.lost(order, "was taken away; it is placed again")

    def _finish(self, order_id: str, status: str, ts: int) -> Order | None:
        order = self.orders.pop(order_id, None)
        if order is not None:
            order.status, order.updated = status, ts  # type: ignore[assignment]
            self.finished.append(order)
            self.brackets.pop(order_id, None)
        return order

    def _filled(self, fill: ev.Filled) -> None:
        self.view.now = self.now = max(self.now, fill.ts)
        symbol, leg = fill.symbol, fill.leg
        held = self.account.position(symbol, leg)
        before = held.quantity
        self.account.apply(fill)
        if 0.0 < abs(held.quantity) < min(abs(before), 0.999 * self.markets[symbol].lots.lot):
            self.account.write_off(symbol, leg)  # fees taken in coins leave parts of a lot, which nobody buys
        after = held.quantity
        self.sizer.filled(fill, before, after)
        order = self.orders.get(fill.id)
        if order is not None:
            self._execute(order, fill)
        self.view.symbol = symbol
        turned = before * after < 0.0  # through zero: what protected the other side is no protection any more
        if after == 0.0 or turned:
            self.protector.drop(symbol, leg)
        if order is not None and (turned or abs(after) > abs(before)):
            spec = self.brackets.get(order.id)
            if spec is not None:
                self.protector.cover(spec, symbol, leg, fill.price)
            else:
                self.protector.refresh(symbol, leg, fill.price)
        if order is not None and fill.final:
            self._finish(order.id, "filled", fill.ts)
        if self.minder is not None:
            self.minder.filled(order, fill)
        self.view.order = order
        said = self.trader.on_fill(self.view, fill)
        self.view.order = None
        if said:
            self.desk.take(said)
        if self.desk.waiting:
            self.desk.release_waiting(symbol)

    def _execute(self, order: Order, fill: ev.Filled) -> None:
        filled = order.filled + fill.quantity
        old = 0.0 if order.filled == 0.0 else order.average_price * order.filled
        order.average_price = (old + fill.price * fill.quantity) / filled
        order.filled, order.fee, order.updated = filled, order.fee + fill.fee, fill.ts
        order.status = "partially_filled"

    def submit(self, order: Order) -> None:
        """Send an order that is ready."""
        if self.minder is not None and order.close_position:
            self.minder.size(order)
        order.status = "submitted"
        order.created = order.updated = self.now
        self.orders[order.id] = order
        if self.risk is not None:
            self.risk.sent(order)
        self._actions.append(Submit(order))

    def act(self, action: Action) -> None:
        """Have an action done with those of the event in hand."""
        self._actions.append(action)

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state as plain data for JSON; `restore` takes it up.

        Histories of bars are market data, not state: a shell fills them again.
        """
        return state_of(self)

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up the state that `snapshot` gave, of a core with the same strategy and instruments.

        Raises
        ------
        DataError
            The snapshot is of another version or of another bot.
        """
        take_up(self, data)

    def _slipped(self, symbol: str, sign: float, quantity: float) -> float:
        return self.prices[symbol] * (1.0 + sign * self.markets[symbol].costs.slippage)
