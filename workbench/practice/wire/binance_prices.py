"""Binance's public endpoints about prices, for spot and futures: time, candles, trades, books, tickers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from workbench.practice.engine_records import Ticker
from workbench.practice.markets.market import Candles, Print
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_book import best_of
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_words import INTERVALS, Pair, Params, dump, money, texts

__all__ = [
    "aggregate_trades",
    "average_price",
    "best_prices",
    "candle_rows",
    "candles",
    "day_tickers",
    "depth",
    "depth_of",
    "last_prices",
    "mark_candles",
    "ping",
    "recent_trades",
    "server_time",
    "ticker_of",
]

_MOST_CANDLES: Final = {False: 1_000, True: 1_500}
_FUTURES_DEPTHS: Final = (5, 10, 20, 50, 100, 500, 1_000)


def ping(venue: Binance, params: Params, account: str) -> Any:
    """Say that it is there."""
    return {}


def server_time(venue: Binance, params: Params, account: str) -> Any:
    """Tell the time."""
    venue.backing.keyring.told(venue.backing.now())
    return {"serverTime": venue.now()}


def candles(venue: Binance, params: Params, account: str) -> str:
    """Give candles as rows of twelve."""
    return _candles(venue, params, venue.pair(params), lambda found: found)


def mark_candles(venue: Binance, params: Params, account: str) -> str:
    """Give candles of the mark price: those of trades, moved by how far the mark is from the last trade now."""
    pair = venue.pair(params)
    mark, last = venue.engine.mark(pair.symbol), venue.engine.ticker(pair.symbol).last
    ratio = mark / last if mark == mark and last > 0.0 else 1.0

    def moved(found: Candles) -> Candles:
        nothing = found.volume * 0.0
        prices = (found.open * ratio, found.high * ratio, found.low * ratio, found.close * ratio)
        return Candles(found.ts, *prices, nothing, nothing, found.trades, nothing, nothing)

    return _candles(venue, params, pair, moved)


def _candles(venue: Binance, params: Params, pair: Pair, change: Callable[[Candles], Candles]) -> str:
    frame = INTERVALS.get(params.text("interval"))
    if frame is None:
        raise BinanceError(-1120, "Invalid interval.")
    start, end = params.integer("startTime", -1), params.integer("endTime", -1)
    if -1 < end < start:
        raise BinanceError(-1102 if not venue.futures else -1023, "Start time is greater than end time.")
    limit = params.limit(500, _MOST_CANDLES[venue.futures])
    found = venue.engine.candles(
        pair.symbol, frame, start=start if start >= 0 else None, end=end if end >= 0 else None, limit=limit
    )
    return "[" + ",".join(candle_rows(pair, change(found), frame.ms)) + "]"


def candle_rows(pair: Pair, found: Candles, length_ms: int) -> list[str]:
    """Write candles as Binance does, a JSON array each."""
    price, quantity = pair.written
    exactly = (*(texts(column, price) for column in found[1:5]), texts(found.volume, quantity))
    o, h, l, c, v = (f'"{conversion}"' for conversion, _ in exactly)  # noqa: E741
    row = f'[%d,{o},{h},{l},{c},{v},%d,"%.8f",%d,"%.{quantity}f","%.8f","0"]'
    opened = found.ts.tolist()
    closed = [ts + length_ms - 1 for ts in opened]
    values = [content for _, content in exactly]
    rest = (found.quote_volume, found.trades, found.taker_volume, found.taker_quote_volume)
    return [row % one for one in zip(opened, *values, closed, *(column.tolist() for column in rest), strict=True)]


def recent_trades(venue: Binance, params: Params, account: str) -> Any:
    """Give single trades of the market."""
    pair, limit = venue.pair(params), params.limit(500, 1_000)
    from_id = params.integer("fromId", -1)
    found = _trades(venue, pair, limit, {"from_id": from_id} if from_id >= 0 else {})
    return [
        {
            "id": one.id, "price": pair.price(one.price), "qty": pair.quantity(one.quantity),
            "quoteQty": money(one.price * one.quantity), "time": one.ts, "isBuyerMaker": one.side == "sell",
            "isBestMatch": True,
        }
        for one in found
    ]  # fmt: skip


def aggregate_trades(venue: Binance, params: Params, account: str) -> Any:
    """Give trades of the market, one by one: none of them are of one order."""
    pair, limit = venue.pair(params), params.limit(500, 1_000)
    chosen = {
        ours: params.integer(theirs)
        for ours, theirs in (("from_id", "fromId"), ("start", "startTime"), ("end", "endTime"))
        if params.has(theirs)
    }
    return [_aggregate(venue, pair, one) for one in _trades(venue, pair, limit, chosen)]


def _trades(venue: Binance, pair: Pair, limit: int, chosen: dict[str, int]) -> list[Print]:
    """Give trades, without the prices at which nothing was traded: a page stays full as long as more follow."""
    found: list[Print] = []
    while True:
        page = venue.engine.trades(pair.symbol, **chosen, limit=limit)
        found += [one for one in page if one.quantity > 0.0]
        if len(found) >= limit or len(page) < limit or not {"from_id", "start"} & set(chosen):
            return found[:limit]
        chosen = {"from_id": page[-1].id + 1} | ({"end": chosen["end"]} if "end" in chosen else {})


def _aggregate(venue: Binance, pair: Pair, one: Print) -> dict[str, Any]:
    row = {
        "a": one.id, "p": pair.price(one.price), "q": pair.quantity(one.quantity), "f": one.id, "l": one.id,
        "T": one.ts, "m": one.side == "sell",
    }  # fmt: skip
    return row if venue.futures else row | {"M": True}


def depth(venue: Binance, params: Params, account: str) -> Any:
    """Give the order book."""
    pair = venue.pair(params)
    limit = params.limit(500 if venue.futures else 100, 1_000 if venue.futures else 5_000)
    if venue.futures and limit not in _FUTURES_DEPTHS:
        raise BinanceError(-4021, f"Invalid depth limit; one of {', '.join(map(str, _FUTURES_DEPTHS))}.")
    return depth_of(venue, pair, limit)


def depth_of(venue: Binance, pair: Pair, limit: int) -> dict[str, Any]:
    """Give the order book in the order of its streams: what is sent of it later follows on."""
    book = venue.streams.book(pair)
    sides = {"bids": book.bids[:limit], "asks": book.asks[:limit]}
    found = {name: [[pair.price(price), pair.quantity(held)] for price, held in side] for name, side in sides.items()}
    now = venue.now()
    return {"lastUpdateId": book.number, **({"E": now, "T": now} if venue.futures else {}), **found}


def average_price(venue: Binance, params: Params, account: str) -> Any:
    """Give the average price of five minutes."""
    pair = venue.pair(params)
    found = venue.engine.candles(pair.symbol, "1m", limit=5)
    volume, quote = float(found.volume.sum()), float(found.quote_volume.sum())
    last = venue.engine.ticker(pair.symbol).last
    return {"mins": 5, "price": money(quote / volume if volume > 0.0 else last), "closeTime": venue.now()}


def last_prices(venue: Binance, params: Params, account: str) -> Any:
    """Give the last prices."""

    def row(pair: Pair) -> dict[str, Any]:
        recent = venue.engine.trades(pair.symbol, limit=1)
        found = {"symbol": pair.id, "price": pair.price(recent[0].price if recent else float("nan"))}
        return found | ({"time": recent[0].ts if recent else 0} if venue.futures else {})

    return _each(venue, params, row)


def best_prices(venue: Binance, params: Params, account: str) -> Any:
    """Give the best bids and asks."""

    def row(pair: Pair) -> dict[str, Any]:
        (bid, bid_quantity), (ask, ask_quantity), number = best_of(venue.engine, pair.symbol)
        found: dict[str, Any] = {
            "symbol": pair.id, "bidPrice": pair.price(bid), "bidQty": pair.quantity(bid_quantity),
            "askPrice": pair.price(ask), "askQty": pair.quantity(ask_quantity),
        }  # fmt: skip
        return found | ({"time": venue.now(), "lastUpdateId": number} if venue.futures else {})

    return _each(venue, params, row)


def day_tickers(venue: Binance, params: Params, account: str) -> Any:
    """Give the statistics of 24 hours."""
    return _each(venue, params, lambda pair: ticker_of(venue, pair, venue.engine.ticker(pair.symbol)))


def ticker_of(venue: Binance, pair: Pair, one: Ticker) -> dict[str, Any]:
    """Write the statistics of 24 hours."""
    found: dict[str, Any] = {
        "symbol": pair.id, "priceChange": pair.price(round(one.change, 8)),
        "priceChangePercent": f"{one.change_fraction * 100 if one.change == one.change else 0.0:.3f}",
        "weightedAvgPrice": money(one.average), "lastPrice": pair.price(one.last),
        "lastQty": pair.quantity(one.last_quantity), "openPrice": pair.price(one.open),
        "highPrice": pair.price(one.high), "lowPrice": pair.price(one.low),
        "volume": pair.quantity(one.volume), "quoteVolume": money(one.quote_volume),
        "openTime": one.opened, "closeTime": one.ts, "firstId": one.first_id, "lastId": one.last_id,
        "count": one.trades,
    }  # fmt: skip
    if not venue.futures:
        found |= {
            "prevClosePrice": pair.price(one.previous_close), "bidPrice": pair.price(one.bid),
            "bidQty": pair.quantity(one.bid_quantity), "askPrice": pair.price(one.ask),
            "askQty": pair.quantity(one.ask_quantity),
        }  # fmt: skip
    return found


def _each(venue: Binance, params: Params, row: Callable[[Pair], dict[str, Any]]) -> str:
    pairs, single = venue.some_pairs(params)
    return dump(row(pairs[0]) if single else [row(pair) for pair in pairs])
