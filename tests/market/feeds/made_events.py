"""Events of every kind, for tests that carry them."""

from __future__ import annotations

from workbench.market.feeds.events import (
    BarClosed,
    BookMoved,
    ConnectionMoved,
    Event,
    FillMade,
    GapFound,
    OrderMoved,
    TickerMoved,
    TradePrinted,
)

BTC = "BTC/USDT"


def bar(number: int, symbol: str = BTC) -> BarClosed:
    start = number * 60_000
    return BarClosed(symbol, start, start + 60_017, "1m", 10.1, 12.3, 9.7, 11.0 + number, 0.1 + number, "stream")


def ticker(number: int, symbol: str = BTC) -> TickerMoved:
    return TickerMoved(symbol, number, number + 3, 1 / 3 + number, None, 0.1, 2.0, None, 1e9)


def trade(number: int, symbol: str = BTC) -> TradePrinted:
    return TradePrinted(symbol, number, number + 5, str(number), 0.1 + 0.2, 5e-324, (-1) ** number)


def book(number: int, *, resynced: bool = False, symbol: str = BTC) -> BookMoved:
    return BookMoved(symbol, number, number + 1, ((9.9, 1.0), (9.8, 0.3)), ((10.0, float(number)),), resynced)


def everything(number: int) -> list[Event]:
    """Give one event of each kind, with gaps in what is known."""
    return [
        bar(number),
        ticker(number),
        trade(number),
        book(number, resynced=True),
        BookMoved(BTC, number, number, (), (), False),
        OrderMoved(BTC, 5, 6, "17", None, "buy", "limit", "open", 9.5, 0.3, 0.1, None, "rest"),
        FillMade(BTC, 5, 6, "f1", "17", "sell", 9.5, 0.1, None, None, None, "stream"),
        FillMade(BTC, 5, 6, "f2", "17", "sell", 9.5, 0.1, 0.001, "BNB", True, "stream"),
        ConnectionMoved("", 7, 8, "orders", "lost", "NetworkError: \u2019gone\u2019"),
        GapFound(BTC, 1, 9, "trades", 4, None, "gone"),
    ]
