"""The engine of the practice exchange: its accounts, orders, money and time, without any network.

It is a function of what it was made with, of the requests it got and of when it got them: no wall clock, no chance, no
threads. Its present moves by `advance` alone, and one jump comes to the same as many small steps. Orders are matched by
`trading.venue.Venue` and money is kept by `trading.account.Account`, one pair for each wallet of an account: "spot"
and "linear" (perpetuals). Accounts trade against the market's prices, which they do not move, and not with each other.

`markets` is where prices come from, `engine_records` what is asked and answered, `engine_messages` what listeners are
told, `engine_filters` what an order must be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from workbench.errors import ConfigError
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe
from workbench.practice.clock import Clock
from workbench.practice.engine_data import MarketData
from workbench.practice.engine_messages import Listener, Message
from workbench.practice.engine_records import (
    AccountSetup,
    Balance,
    Execution,
    Income,
    OrderList,
    OrderRecord,
    PositionRecord,
    Refused,
    Request,
    Ticker,
    Wallet,
)
from workbench.practice.markets.market import Candles, Level, Market, Print

__all__ = ["Engine"]


class Engine:
    """A practice exchange without its network.

    Parameters
    ----------
    markets : mapping of symbol to Market
    clock : Clock
        Where the present starts; `catch_up` advances to it.
    accounts : mapping of name to AccountSetup, optional

    Attributes
    ----------
    now : int
        The present, ms UTC.
    """

    def __init__(
        self, markets: Mapping[str, Market], clock: Clock, *, accounts: Mapping[str, AccountSetup] | None = None
    ) -> None:
        wrong = [name for name, market in markets.items() if market.instrument.symbol != name]
        if wrong or not markets:
            raise ConfigError(f"markets are {list(markets)}: name each by its instrument's symbol, at least one")
        self.clock = clock
        self.data = MarketData(markets, clock.now())
        self._listeners: list[Listener] = []
        self._watched: dict[str, int] = {}

    # Time and listeners

    @property
    def now(self) -> int:
        """The present, ms UTC."""
        return self.data.now

    def advance(self, to_ms: int) -> None:
        """Let everything happen that happens up to a time (which counts), in the order of time.

        Raises
        ------
        ConfigError
            The time has passed.
        """
        if to_ms < self.now:
            raise ConfigError(f"the exchange is at {self.now} and cannot go back to {to_ms}")
        watched = [symbol for symbol in self.data.markets if self._watched.get(symbol)]
        prints = sorted(
            ((one.ts, place, one) for place, symbol in enumerate(watched)
             for one in self.data.markets[symbol].prints(self.now, to_ms)),
            key=lambda row: row[:2],
        )  # fmt: skip
        from workbench.practice.engine_messages import Printed

        for ts, place, one in prints:
            self.data.now = ts
            self._tell(Printed(ts, watched[place], one))
        self.data.now = to_ms

    def catch_up(self) -> None:
        """Advance to the clock's time."""
        self.advance(max(self.clock.now(), self.now))

    def next_event(self) -> float:
        """Give when something happens next that nobody has asked for (a print, funding, an expiry), ms UTC; or inf."""
        raise NotImplementedError

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call somebody with every message from now on; what is given back ends that.

        A listener may make requests: they happen after what it was told of, before anything later.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch(self, symbol: str) -> None:
        """Tell listeners the trades of a symbol's market from now on; counted, so each `watch` wants an `unwatch`."""
        self.data.market(symbol)
        self._watched[symbol] = self._watched.get(symbol, 0) + 1

    def unwatch(self, symbol: str) -> None:
        """Take back one `watch`."""
        self._watched[symbol] = max(self._watched.get(symbol, 0) - 1, 0)

    def _tell(self, message: Message) -> None:
        for listener in list(self._listeners):
            listener(message)

    # Markets

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, in the order of the markets."""
        return tuple(self.data.markets)

    def instrument(self, symbol: str) -> Instrument:
        """Give the facts of a symbol; Refused ("unknown_instrument") for an unknown one."""
        return self.data.market(symbol).instrument

    def status(self, symbol: str) -> str:
        """Say whether a symbol trades: "pending" (not yet listed), "trading", "halt" or "delisted"."""
        return self.data.status(symbol)

    def candles(
        self, symbol: str, timeframe: str | Timeframe, *, start: int | None = None, end: int | None = None,
        limit: int = 500,
    ) -> Candles:  # fmt: skip
        """Give candles up to now, oldest first; the last may still be open.

        Parameters
        ----------
        symbol, timeframe
        start, end : int, optional
            Open times (ms UTC), both count: with `start` the first candles from there on, else the last ones.
        limit : int
            At most so many.
        """
        return self.data.candles(symbol, timeframe, start=start, end=end, limit=limit)

    def ticker(self, symbol: str) -> Ticker:
        """Give what happened in the last 24 hours."""
        return self.data.ticker(symbol)

    def book(self, symbol: str, levels: int = 100) -> tuple[tuple[Level, ...], tuple[Level, ...], int]:
        """Give bids and asks, best first, and the number of the update that they are as of, which rises."""
        return self.data.book(symbol, levels)

    def trades(
        self, symbol: str, *, from_id: int | None = None, start: int | None = None, end: int | None = None,
        limit: int = 500,
    ) -> list[Print]:  # fmt: skip
        """Give trades of the market, oldest first: the first from an id or a time on, or the last ones."""
        return self.data.trades(symbol, from_id=from_id, start=start, end=end, limit=limit)

    def mark(self, symbol: str) -> float:
        """Give the mark price; NaN before the first trade."""
        return self.data.market(symbol).mark(self.now)

    def index(self, symbol: str) -> float:
        """Give the index price; NaN before the first trade."""
        return self.data.market(symbol).index(self.now)

    def next_funding(self, symbol: str) -> tuple[int, float]:
        """Give the time of the next funding and its rate as it looks now; (0, NaN) where there is none."""
        return self.data.market(symbol).next_funding(self.now)

    def funding_rates(
        self, symbol: str, *, start: int | None = None, end: int | None = None, limit: int = 100
    ) -> list[tuple[int, float, float]]:
        """Give settlements of funding up to now: time, rate, mark price, oldest first."""
        return self.data.funding_rates(symbol, start=start, end=end, limit=limit)

    # Orders

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the accounts."""
        raise NotImplementedError

    def add_account(self, name: str, setup: AccountSetup) -> None:
        """Open an account; ConfigError for a name that is taken, or money that no wallet knows."""
        raise NotImplementedError

    def submit(self, account: str, request: Request) -> OrderRecord:
        """Take an order and do what can be done of it at once.

        Raises
        ------
        Refused
            With the code of the reason; nothing has changed then.
        """
        raise NotImplementedError

    def test(self, account: str, request: Request) -> None:
        """Judge an order as `submit` does, but do not take it; Refused where `submit` would refuse its form."""
        raise NotImplementedError

    def submit_list(self, account: str, requests: Iterable[Request], client_id: str = "") -> OrderList:
        """Take a one-cancels-the-other list on spot: two orders of one side and quantity, all or none."""
        raise NotImplementedError

    def cancel(self, account: str, symbol: str, *, id: int | None = None, client_id: str = "") -> OrderRecord:
        """Cancel an open order, and with it its list; Refused ("unknown_order", "order_is_final") where it is none."""
        raise NotImplementedError

    def cancel_all(self, account: str, symbol: str) -> list[OrderRecord]:
        """Cancel all open orders of a symbol."""
        raise NotImplementedError

    def cancel_list(self, account: str, symbol: str, *, id: int | None = None, client_id: str = "") -> OrderList:
        """Cancel an order list."""
        raise NotImplementedError

    def amend(
        self, account: str, symbol: str, *, id: int | None = None, client_id: str = "", price: float = float("nan"),
        quantity: float = float("nan"), stop_price: float = float("nan"),
    ) -> OrderRecord:  # fmt: skip
        """Change an open order, which keeps its id; on spot only its quantity, and only downwards."""
        raise NotImplementedError

    def replace(
        self, account: str, request: Request, *, id: int | None = None, client_id: str = "",
        stop_on_failure: bool = True,
    ) -> tuple[OrderRecord | Refused, OrderRecord | Refused | None]:  # fmt: skip
        """Cancel an order and submit another: what became of the one and of the other (None: not tried)."""
        raise NotImplementedError

    def order(self, account: str, symbol: str, *, id: int | None = None, client_id: str = "") -> OrderRecord:
        """Give an order, open or not; Refused ("unknown_order") where there is none."""
        raise NotImplementedError

    def open_orders(self, account: str, symbol: str = "", wallet: Wallet = "") -> list[OrderRecord]:
        """Give open orders, oldest first; of one symbol, of one wallet, or all."""
        raise NotImplementedError

    def orders(
        self, account: str, symbol: str, *, from_id: int | None = None, start: int | None = None,
        end: int | None = None, limit: int = 500,
    ) -> list[OrderRecord]:  # fmt: skip
        """Give orders, open or not, oldest first: the first from an id or a time on, or the last ones."""
        raise NotImplementedError

    def order_list(self, account: str, *, id: int | None = None, client_id: str = "") -> OrderList:
        """Give an order list; Refused ("unknown_order") where there is none."""
        raise NotImplementedError

    def order_lists(self, account: str, *, only_open: bool = False) -> list[OrderList]:
        """Give order lists, oldest first."""
        raise NotImplementedError

    def executions(
        self, account: str, symbol: str = "", *, from_id: int | None = None, start: int | None = None,
        end: int | None = None, order_id: int | None = None, limit: int = 500,
    ) -> list[Execution]:  # fmt: skip
        """Give executions, oldest first: the first from an id or a time on, or the last ones."""
        raise NotImplementedError

    # Money and positions

    def balances(self, account: str, wallet: Wallet) -> list[Balance]:
        """Give what a wallet has of every asset that it knows."""
        raise NotImplementedError

    def positions(self, account: str, symbol: str = "", *, flat: bool = False) -> list[PositionRecord]:
        """Give the linear positions that are open; with `flat` also those that are not."""
        raise NotImplementedError

    def income(
        self, account: str, *, symbol: str = "", kind: str = "", start: int | None = None, end: int | None = None,
        limit: int = 100,
    ) -> list[Income]:  # fmt: skip
        """Give lines of the history of the linear wallet, oldest first: the first from `start` on, or the last."""
        raise NotImplementedError

    def adjust(
        self, account: str, asset: str, amount: float, reason: str = "deposit", *, wallet: Wallet = "spot"
    ) -> None:
        """Change a balance from outside: a deposit, a withdrawal, or what nobody can explain."""
        raise NotImplementedError

    def transfer(self, account: str, asset: str, amount: float, source: Wallet, target: Wallet) -> None:
        """Move money from one wallet to another; Refused ("insufficient_margin") where it is not free."""
        raise NotImplementedError

    def leverage(self, account: str, symbol: str) -> float:
        """Give the leverage of a symbol."""
        raise NotImplementedError

    def set_leverage(self, account: str, symbol: str, leverage: float) -> float:
        """Set the leverage of a symbol, and give the largest notional that may be had at it; Refused where not."""
        raise NotImplementedError

    def is_isolated(self, account: str, symbol: str) -> bool:
        """Tell whether a symbol's positions are isolated."""
        raise NotImplementedError

    def set_margin_mode(self, account: str, symbol: str, *, isolated: bool) -> None:
        """Set the margin mode of a symbol; Refused ("no_change", "position_open", "orders_open") where not."""
        raise NotImplementedError

    def is_hedged(self, account: str) -> bool:
        """Tell whether positions are in hedge mode."""
        raise NotImplementedError

    def set_position_mode(self, account: str, *, hedge: bool) -> None:
        """Set one-way or hedge mode; Refused as of `set_margin_mode`."""
        raise NotImplementedError

    # Trouble

    def halt(self, symbol: str) -> None:
        """Stop trading in a symbol from now on, until `resume`."""
        raise NotImplementedError

    def resume(self, symbol: str) -> None:
        """Let a symbol that was stopped by `halt` trade again."""
        raise NotImplementedError

    def delist(self, symbol: str) -> None:
        """End trading in a symbol now and for good: its orders are cancelled, its positions closed at the mark."""
        raise NotImplementedError
