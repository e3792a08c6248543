"""A live feed at a practice exchange: orders reconciled, polling and back, books begun anew, errors that help."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.market.feeds.practice_feed import (
    BTC,
    MINUTE,
    QUICK,
    access_to,
    go_on,
    go_on_until,
    practice,
    reading,
    told,
    truth,
)
from workbench.errors import BrokerFatal, ConfigError, DataError
from workbench.market.feeds.ccxt_feed import CcxtFeed
from workbench.market.feeds.doors import collect, replay
from workbench.market.feeds.events import BarClosed, BookMoved, FillMade, OrderMoved, TickerMoved
from workbench.market.feeds.feed import Access, Feed, Watch
from workbench.market.feeds.lines import Lines, plain_reason
from workbench.market.feeds.record import Recording
from workbench.market.feeds.tape import Tape
from workbench.practice.clients import connect
from workbench.practice.exchange import Exchange


def test_orders_and_fills_of_a_broken_connection_are_found_again_once() -> None:
    async def run(exchange: Exchange) -> None:
        async with (
            connect("binance", route=exchange.route) as client,
            reading(exchange, Watch.of(BTC, None, "orders"), private=True) as reader,
        ):
            await client.load_markets()
            price = round((await client.fetch_ticker(BTC))["last"] * 0.8, 2)
            resting = await client.create_order(BTC, "limit", "buy", 0.01, price, {"clientOrderId": "before"})
            await reader.until(lambda _: [order.client_id for order in reader.of(OrderMoved)] == ["before"])
            hole = exchange.faults.add("drop", target="user")
            await client.create_order(BTC, "market", "buy", 0.02, None, {"clientOrderId": "unseen"})
            await client.cancel_order(resting["id"], BTC)
            exchange.faults.remove(hole)
            exchange.cut()
            await reader.until(lambda _: len(reader.of(FillMade)) >= 1 and len(reader.of(OrderMoved)) >= 3)
            await client.create_order(BTC, "market", "sell", 0.02, None, {"clientOrderId": "after"})
            await reader.until(lambda _: {"after"} <= {order.client_id for order in reader.of(OrderMoved)})
            await reader.until(lambda _: sum(fill.side == "sell" for fill in reader.of(FillMade)) >= 1)
        orders = reader.of(OrderMoved)
        last = {order.client_id: order.status for order in orders}
        assert last == {"before": "canceled", "unseen": "closed", "after": "closed"}
        assert len({(order.id, order.status, order.filled) for order in orders}) == len(orders)
        fills = reader.of(FillMade)
        assert len({fill.id for fill in fills}) == len(fills)
        for side in ("buy", "sell"):
            assert sum(fill.quantity for fill in fills if fill.side == side) == pytest.approx(0.02)
        assert {fill.source for fill in fills if fill.side == "buy"} == {"rest"}

    with practice() as exchange:
        asyncio.run(run(exchange))


def test_a_venue_whose_websockets_fail_is_polled_and_streamed_again() -> None:
    async def run(exchange: Exchange) -> None:
        start = exchange.now
        watch = Watch.of(BTC, "1m", ["tickers", "trades", "books"], start)
        shut = exchange.faults.add("reset", target="dial")
        async with reading(exchange, watch) as reader:
            await reader.until(lambda _: reader.states.count("polling") >= 4)
            await go_on(exchange, 3 * MINUTE + 5_000, step=20_000)
            await reader.until(lambda _: len(reader.bars) >= 3 and reader.of(BookMoved) and reader.of(TickerMoved))
            assert reader.feed.health["channels"][0]["polls"] >= 1
            exchange.faults.remove(shut)
            await go_on_until(exchange, reader, lambda: reader.feed.health["state"] == "live")
            seen = len(reader.bars)
            await go_on(exchange, 3 * MINUTE, step=20_000)
            await reader.until(lambda _: len(reader.bars) >= seen + 3)
        assert told(reader.bars) == truth(exchange, start, reader.bars[-1].ts + MINUTE)
        assert "rest" in {bar.source for bar in reader.bars} and "live" in reader.states
        ids = [int(trade.id) for trade in reader.trades]
        assert ids == list(range(ids[0], ids[0] + len(ids)))

    with practice() as exchange:
        asyncio.run(run(exchange))


def test_bars_from_a_start_in_the_past_come_first() -> None:
    async def run(exchange: Exchange) -> None:
        start = exchange.now - 1_500 * MINUTE  # more than one page
        async with reading(exchange, Watch.of(BTC, "1m", start=start)) as reader:
            await reader.until(lambda _: len(reader.bars) >= 1_499)
        assert told(reader.bars) == truth(exchange, reader.bars[0].ts, reader.bars[-1].ts + MINUTE)
        assert reader.bars[0].ts == start

    with practice() as exchange:
        exchange.advance(100 * MINUTE)
        asyncio.run(run(exchange))


def test_a_book_that_misses_a_message_is_begun_anew_and_says_so() -> None:
    async def run(exchange: Exchange) -> None:
        async with reading(exchange, Watch.of(BTC, None, "books"), replace(QUICK, quiet_intervals=10.0)) as reader:
            await go_on_until(exchange, reader, lambda: reader.of(BookMoved))
            assert not reader.of(BookMoved)[0].resynced
            hole = exchange.faults.add("drop", target="book")
            await go_on(exchange, 3 * MINUTE, step=5_000)
            exchange.faults.remove(hole)
            await go_on_until(exchange, reader, lambda: reader.of(BookMoved)[-1].resynced)
        for book in reader.of(BookMoved):
            assert book.bids[0][0] < book.asks[0][0]
            assert [price for price, _ in book.bids] == sorted((price for price, _ in book.bids), reverse=True)

    with practice() as exchange:
        asyncio.run(run(exchange))


def test_a_taped_feed_is_replayed_as_it_was_told(tmp_path: Path) -> None:
    async def run(exchange: Exchange) -> list[object]:
        watch = Watch.of(BTC, "1m", ["tickers", "trades", "books"], exchange.now)
        feed = CcxtFeed("binance", watch, access=access_to(exchange), tuning=QUICK)
        found = []
        async with Recording(feed, Tape(tmp_path, "live"), every=10) as recording:
            assert isinstance(recording, Feed)
            moving = asyncio.create_task(go_on(exchange, 5 * MINUTE, step=5_000))
            while sum(isinstance(event, BarClosed) for event in found) < 3:
                found.append(await anext(recording))
            await moving
        return found

    with practice() as exchange:
        events = asyncio.run(run(exchange))
    assert collect(replay("live", root=tmp_path)) == events
    assert {type(event).__name__ for event in events} >= {"BarClosed", "TickerMoved", "TradePrinted", "BookMoved"}


def test_wrong_input_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="channel 'candles' is unknown; a feed has bars and tickers, trades, books"):
        Watch.of(BTC, None, "candles")
    with pytest.raises(ConfigError, match="nothing is asked for"):
        Watch.of(BTC, None)
    with pytest.raises(ConfigError, match="name at least one"):
        Watch.of([])
    with pytest.raises(DataError, match="timeframe 'soon'"):
        Watch.of(BTC, "soon")
    with pytest.raises(ConfigError, match="own orders at binance need a key"):
        CcxtFeed("binance", Watch.of(BTC, None, "orders"))
    feed = CcxtFeed("binance", Watch.of(BTC))
    with pytest.raises(ConfigError, match="is not open"):
        asyncio.run(anext(feed))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"how many events=… or seconds=…"):
        collect(feed)


def test_what_the_venue_does_not_have_is_named_when_the_feed_opens() -> None:
    with practice() as exchange:
        access = access_to(exchange)
        for watch, message in (
            (Watch.of("BTC/USDTT"), "does not trade 'BTC/USDTT'; did you mean 'BTC/USDT'"),
            (Watch.of(BTC, "7m"), "has no bars of 7m; it has 1s, 1m"),
        ):
            with pytest.raises(ConfigError, match=message):
                collect(CcxtFeed("binance", watch, access=access, tuning=QUICK), events=1)


def test_a_wrong_secret_ends_the_feed_and_is_never_shown() -> None:
    with practice() as exchange:
        right = access_to(exchange, private=True)
        access = Access(route=exchange.route, key=right.key, secret="wrong-secret")
        feed = CcxtFeed("binance", Watch.of(BTC, None, "orders"), access=access, tuning=QUICK)
        with pytest.raises(BrokerFatal, match="refuses the key for own orders") as raised:
            collect(feed, seconds=20)
        for text in (str(raised.value), repr(access), repr(feed), str(feed.health)):
            assert "wrong-secret" not in text and right.key not in text


def test_reasons_hide_queries_and_secrets() -> None:
    error = OSError("GET https://x/api?signature=abc&x=1 failed for hush")
    assert plain_reason(error, ("hush", "")) == "OSError: GET https://x/api?… failed for ***"


def test_a_socket_that_is_let_go_of_while_it_is_dialled_does_not_stay() -> None:
    async def run(exchange: Exchange) -> None:
        async with Lines("binance", (BTC,), access_to(exchange), QUICK) as lines:
            client = await lines.stream("tickers")
            left = []
            for _ in range(5):
                watching = asyncio.ensure_future(client.watch_ticker(BTC))
                while not client.clients:
                    await asyncio.sleep(0)
                left += client.clients.values()
                assert left[-1].connection is None
                watching.cancel()
                await lines.reset("tickers", BTC)
            for socket in left:
                await asyncio.wait_for(asyncio.shield(socket.connected), 5.0)
            await asyncio.sleep(0.2)
            assert all(socket.closed() for socket in left) and client.clients == {}
            assert not [task for task in asyncio.all_tasks() if "ping_loop" in repr(task) or "receive" in repr(task)]

    with practice() as exchange:
        asyncio.run(run(exchange))


def test_a_socket_on_which_nobody_waits_is_closed_when_another_is_dialled() -> None:
    async def run(exchange: Exchange) -> None:
        async with Lines("binance", (BTC,), access_to(exchange), QUICK) as lines:
            client = await lines.stream("tickers")
            watching = asyncio.ensure_future(client.watch_ticker(BTC))
            while not watching.done():
                await asyncio.to_thread(exchange.advance, 1_000)
                await asyncio.sleep(0.02)
            (socket,) = client.clients.values()
            assert not socket.closed() and not socket.futures
            lines.redial("tickers")
            await asyncio.sleep(0.2)
            assert socket.closed() and client.clients == {}

    with practice() as exchange:
        asyncio.run(run(exchange))
