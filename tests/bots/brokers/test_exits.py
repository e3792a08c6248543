"""What is sold at once goes before what rests: at venues that lock coins, stops and targets make room and come back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.post import LivePost
from tests.bots.brokers.stage import MINUTE, NAN, SPOT, SWING, USD, Desk, desk, run, until
from tests.bots.street import FREE
from tests.practice.stage import T0
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.talk import VenueOrder
from workbench.errors import BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.practice.exchange import Exchange
from workbench.trading.events import Bar, Opened, from_plain

WHOLE: dict[str, Any] = {"reduce_only": True, "close_position": True}
BOTH = pytest.mark.parametrize("symbol", [SPOT, USD])


def give_away_coins(one: Desk) -> None:
    coins = one.balance("BTC")
    one.exchange.call(lambda: one.exchange.engine.adjust(one.account, "BTC", -coins, "withdraw"))


async def with_stop(one: Desk, *, target: bool = False) -> list[VenueOrder]:
    """Buy a coin, of which the venue takes 0.1 %, and protect it."""
    await one.to_phase(0)
    give_away_coins(one)
    await one.place("buy")
    one.broker.held = lambda symbol, leg: one.balance("BTC")
    made = [await one.place("sell", "stop", NAN, stop_price=95.5, **WHOLE)]
    return [*made, await one.place("sell", "limit", NAN, price=103.9, **WHOLE)] if target else made


def standing(one: Desk) -> list[tuple[str, float]]:
    return sorted((order.type, round(order.quantity, 6)) for order in one.standing())


class AllAtOnce(wb.OrderStrategy):
    """Buys with a stop in the first minute, and sells what it holds from the fourth on."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        minute = (bar.ts - T0) // MINUTE % len(SWING)
        if minute == 1:
            return view.market("buy", 1.0, stop_loss=0.2)
        return view.close() if minute >= 4 and view.quantity() else None


class Halves(AllAtOnce):
    """Sells half of it before."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        half = (bar.ts - T0) // MINUTE % len(SWING) == 3
        return view.market("sell", 0.5, reduce_only=True) if half else super().on_bar(view, bar)


async def lived(one: Desk, strategy: Any, sent: Any = lambda number: None) -> LivePost:
    """Run a bot for five bars, each once all of the one before has been dealt with."""
    give_away_coins(one)
    await one.to_phase(1)
    columns = {name: [100.0, 100.0] for name in ("open", "high", "low", "close", "volume")}
    bars = wb.Bars(instrument=one.exchange.engine.instrument(one.symbol), timeframe="1m", ts=[0, MINUTE], **columns)
    post = LivePost(one, prepare(strategy, [bars], cash=10_000.0, costs=FREE), {})
    one.broker.held = lambda symbol, leg: post.shell.mind.core.account.quantity(symbol, leg)
    pump = asyncio.create_task(post.pump())
    for number in range(5):
        await one.minutes(1)
        now = one.exchange.now
        last = one.exchange.call(lambda: one.exchange.engine.ticker(one.symbol).last)
        sent(number)
        post.take(
            Bar(one.symbol, now - MINUTE, now, last, last, last, last, 400.0, "1m"), Opened(now, {one.symbol: last})
        )
        await until(lambda: not post.busy())
    pump.cancel()
    return post


def refusals(post: LivePost) -> list[Any]:
    events = [from_plain(json.loads(line)) for line in post.journal]
    return [one for one in events if type(one).__name__ == "Rejected"]


@BOTH
def test_a_strategy_exits_while_its_stop_rests(exchange: Exchange, symbol: str) -> None:
    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            post = await lived(one, Halves())
            assert refusals(post) == [] and one.standing() == []
            assert post.shell.mind.core.account.quantity(symbol, "net") == 0.0 and one.balance("BTC") < 0.001
            sold = [order.filled for order in one.orders() if order.type == "market" and order.side == "sell"]
            assert sold == [0.5, 0.499]

    run(story())


@pytest.mark.parametrize("landed", [False, True])
def test_an_exit_whose_answer_is_lost_is_made_once(exchange: Exchange, landed: bool) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:

            def sent(number: int) -> None:
                if number == 3:
                    exchange.faults.add("reset", target="submit", landed=landed, when={"nth": 2})

            post = await lived(one, AllAtOnce(), sent)
            assert refusals(post) == [] and one.standing() == [] and one.balance("BTC") < 0.001
            assert post.shell.mind.core.account.quantity(SPOT, "net") == 0.0
            assert [order.filled for order in one.orders() if order.side == "sell" and order.filled] == [0.999]

    run(story())


def test_a_stop_that_made_room_in_vain_is_placed_again_once_the_exit_is_over(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            seen: list[list[tuple[str, float]]] = []

            def sent(number: int) -> None:
                if number == 2:  # what had become of the stop is not told, so that the sale is tried again without it
                    exchange.faults.add("server_error", target="query", status=502, when={"nth": 1})
                elif number == 3:
                    seen.append(standing(one))

            post = await lived(one, Halves(), sent)
            assert seen == [[("stop", 0.499)]] and refusals(post) == []
            assert one.standing() == [] and one.balance("BTC") < 0.001

    run(story())


@BOTH
def test_what_is_left_after_an_exit_is_protected_as_before(exchange: Exchange, symbol: str) -> None:
    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            (stop,) = await with_stop(one)
            sold = await one.place("sell", "market", 0.5, reduce_only=True)
            assert (await one.seen(sold.id)).filled == 0.5 and standing(one) == [("stop", 0.499)]
            held, one.broker.held = one.broker.held, lambda symbol, leg: 2.0  # books that are wrong
            with pytest.raises(BrokerRejected, match="not enough money") as refused:
                await one.place("sell", "market", 2.0, reduce_only=True)
            one.broker.held = held
            assert "has been put back" in refused.value.__notes__[0] and standing(one) == [("stop", 0.499)]
            never = await one.place("sell", "limit", 0.2, price=109.0, time_in_force="IOC", reduce_only=True)
            assert (await one.seen(never.id)).filled == 0.0 and standing(one) == [("stop", 0.499)]
            if symbol == USD:
                with pytest.raises(BrokerRejected, match=f"{stop.id} lock what it is to sell") as refused:
                    await one.place("sell", "limit", 0.4, price=109.0, reduce_only=True)
                assert refused.value.fields["code"] == "insufficient_margin"
            seen = await one.seen(stop.id)
            assert (seen.status, seen.stop_price) == ("open", 95.5) and "canceled" not in one.words(stop.id)
            await one.place("sell", "market", 0.499, reduce_only=True)
            assert one.standing() == [] and (await one.seen(stop.id)).status == "canceled"

    run(story())


def test_a_pair_makes_room_and_comes_back(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            stop, target = await with_stop(one, target=True)
            await one.place("sell", "market", 0.4, reduce_only=True)
            assert standing(one) == [("limit", 0.599), ("stop", 0.599)]
            await one.cancel(target.id)
            assert standing(one) == [("stop", 0.599)]
            sold, ended = await asyncio.gather(
                one.place("sell", "market", 0.1, reduce_only=True), one.cancel(stop.id), return_exceptions=True
            )
            assert one.standing() == [] or isinstance(ended, BrokerTransient), (sold, ended)

    run(story())


def test_a_stop_that_cannot_come_back_is_told_of(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            (stop,) = await with_stop(one)
            exchange.faults.add("reset", target="submit", landed=False, when={"nth": 3})
            sold = await one.place("sell", "market", 0.5, reduce_only=True)
            assert sold.filled == 0.5 and one.standing() == []
            await until(lambda: "canceled" in one.words(stop.id))

            exchange.faults.clear()
            stop = await one.place("sell", "stop", 0.499, stop_price=95.5, reduce_only=True)
            exchange.faults.add("reset", target="submit", landed=True, when={"nth": 2})
            with pytest.raises(BrokerUnknown) as lost:
                await one.place("sell", "market", 0.2, reduce_only=True)
            assert lost.value.fields["gone"] and one.standing() == []
            assert (await one.seen(stop.id)).status == "canceled"

    run(story())


def test_a_new_stop_rests_beside_a_target_whose_old_stop_has_ended(exchange: Exchange) -> None:
    """Binance ends the stop of a list as soon as its target begins to fill."""

    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            stop, _ = await with_stop(one, target=True)

            def begin_to_fill() -> None:
                engine = exchange.engine
                (limit,) = [row for row in engine.orders(one.account, SPOT) if row.open and row.type == "limit"]
                engine._desks[one.account].moved(limit, "trade")

            exchange.call(begin_to_fill)
            assert (await one.seen(stop.id)).status == "expired"
            await one.place("sell", "stop", 0.5, stop_price=95.5, reduce_only=True)
            assert [kind for kind, _ in standing(one)] == ["limit", "stop"]

    run(story())


def test_an_order_that_was_refused_locks_nothing(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            (stop,) = await with_stop(one)
            with pytest.raises(BrokerRejected, match=f"{stop.id} lock"):
                await one.place("sell", "stop", 0.999, stop_price=94.5, reduce_only=True)
            await one.place("sell", "limit", 0.999, price=103.9, reduce_only=True)
            assert [order.stop_price for order in one.standing() if order.type == "stop"] == [95.5]
            assert standing(one) == [("limit", 0.999), ("stop", 0.999)]

    run(story())


def test_a_replaced_order_is_not_taken_for_cancelled(exchange: Exchange) -> None:
    """The replacement lands, its answer is lost, and the stream tells of the end before anybody has asked."""

    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            (stop,) = await with_stop(one)
            await until(lambda: one.words(stop.id) == ["open"])
            exchange.faults.add("reset", target="amend", landed=True, when={"nth": 1})
            exchange.faults.add("delay", target="user", delay=200)
            with pytest.raises(BrokerUnknown):
                await one.amend(stop.id, stop=96.5)
            await until(lambda: one.words(stop.id).count("open") == 2)
            assert "canceled" not in one.words(stop.id)
            assert [order.stop_price for order in one.standing()] == [96.5]

    run(story())


@pytest.mark.parametrize("how", ["join", "leave", "put back"])
def test_a_pair_that_fails_half_way_tells_of_the_stop_that_is_gone(exchange: Exchange, how: str) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            stop, *targets = await with_stop(one, target=how != "join")
            if how == "put back":
                exchange.faults.add("reset", target="submit", landed=False, when={"nth": 1})
            else:
                exchange.faults.add("server_error", target="query", status=502, when={"nth": 2 if how == "join" else 1})
            with pytest.raises(BrokerUnknown if how == "put back" else BrokerTransient) as failed:
                if how == "join":
                    await one.place("sell", "limit", NAN, price=103.9, **WHOLE)
                else:
                    await one.cancel(targets[0].id)
            assert failed.value.fields["gone"] and one.standing() == []
            assert (await one.seen(stop.id)).status == "canceled"

    run(story())


def test_a_cancel_for_a_pair_whose_answer_is_lost_is_looked_for(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            await with_stop(one)
            exchange.faults.add("server_error", target="cancel", status=503, landed=True, when={"nth": 1})
            await one.place("sell", "limit", NAN, price=103.9, **WHOLE)
            assert standing(one) == [("limit", 0.999), ("stop", 0.999)]

    run(story())


def test_a_question_about_a_stop_does_not_keep_it_from_coming_back(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            stop, target = await with_stop(one, target=True)
            exchange.faults.add("latency", target="query", latency=300, when={"nth": 1})
            seen, _ = await asyncio.gather(one.find(stop.id), one.cancel(target.id))
            assert seen is not None and standing(one) == [("stop", 0.999)]

    run(story())


def test_an_exit_after_a_restart(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await with_stop(one, target=True)
            terms = [line.order for line in one.broker.register.lines.values() if line.order is not None]
            one.broker.register.lines.clear()
            one.broker.remember(terms[1:])
            await one.look()
            await one.place("sell", "market", 0.4, reduce_only=True)
            assert standing(one) == [("limit", 0.599), ("stop", 0.599)]
            await one.place("sell", "market", 0.599, reduce_only=True)
            assert one.standing() == [] and one.balance("BTC") < 0.001

    run(story())
