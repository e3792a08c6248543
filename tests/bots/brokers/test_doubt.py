"""Answers that are lost, venues that are busy, keys that are no good: what a broker says then, and what it finds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.bots.brokers.stage import NAN, PERP, SPOT, USD, desk, run, until
from workbench.bots.brokers.credentials import Credentials
from workbench.bots.brokers.fees import Fees
from workbench.bots.brokers.talk import Find
from workbench.bots.vault.secret import Secret
from workbench.bots.vault.vault import Credential
from workbench.errors import BrokerFatal, BrokerRejected, BrokerTransient, BrokerUnknown, ConfigError
from workbench.practice.exchange import Exchange

ONCE = {"nth": 1}
LOST: dict[str, dict[str, Any]] = {
    "timeout": {"fault": "timeout"},
    "reset": {"fault": "reset"},
    "5xx": {"fault": "server_error", "status": 503},
}


def fault(exchange: Exchange, target: str, **more: Any) -> None:
    exchange.faults.add({"target": target, "when": ONCE, **more})


@pytest.mark.parametrize("symbol", [SPOT, PERP, USD])
@pytest.mark.parametrize("landed", [True, False])
def test_a_submit_whose_answer_is_lost(exchange: Exchange, symbol: str, landed: bool) -> None:
    """U1 U2: unknown, then found by our id, or proven absent; there is exactly one order, or none."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            for name, how in LOST.items():
                if name == "timeout" and symbol != SPOT:
                    continue  # it takes its time, and is no different elsewhere
                kind, stop = ("stop", 95.5) if name == "reset" else ("limit", NAN)
                order = one.order("sell" if kind == "stop" else "buy", kind, price=96.5, stop_price=stop)
                exchange.faults.clear()
                fault(exchange, "submit", landed=landed, **how)
                with pytest.raises(BrokerUnknown, match="may have taken effect"):
                    await one.submit(order)
                found = await one.find(order.id)
                assert (found is not None and (found.id, found.status) == (order.id, "open")) == landed, name
                assert len(one.standing()) == landed
                if not landed:  # only now may it be sent again, under the same id
                    assert (await one.submit(order)).id == order.id
                assert len(one.standing()) == 1
                await one.broker.cancel_all()

    run(story())


def test_an_answer_that_names_no_order_is_no_answer(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            fault(exchange, "submit", fault="garbage", kind="empty", landed=True)
            order = one.order("buy", "limit", price=95.5)
            with pytest.raises(BrokerUnknown):
                await one.submit(order)
            assert (await one.seen(order.id)).status == "open"

    run(story())


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@pytest.mark.parametrize("landed", [True, False])
def test_a_cancel_or_a_change_whose_answer_is_lost_is_settled_by_asking(
    exchange: Exchange, symbol: str, landed: bool
) -> None:
    """U3 U4: also where a change is another order, and where that one was sent but the old one not yet cancelled."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            order = await one.place("buy", "limit", price=96.5)
            fault(exchange, "cancel", landed=landed, **LOST["5xx"])
            with pytest.raises(BrokerUnknown):
                await one.cancel(order.id)
            assert (await one.seen(order.id)).status == ("canceled" if landed else "open")
            await one.broker.cancel_all()

            await one.place("buy")
            stop = await one.place("sell", "stop", stop_price=95.5, reduce_only=True)
            exchange.faults.clear()
            fault(exchange, "amend" if symbol == SPOT else "submit", fault="reset", landed=landed)
            with pytest.raises(BrokerUnknown):
                await one.amend(stop.id, stop=96.5)
            seen = await one.seen(stop.id)
            (standing,) = one.standing()  # never two, never none
            assert seen.status == "open" and standing.stop_price == seen.stop_price == (96.5 if landed else 95.5)
            await one.amend(stop.id, stop=97.5)
            assert (await one.seen(stop.id)).stop_price == 97.5 and len(one.standing()) == 1
            await one.cancel(stop.id)
            assert one.standing() == []

    run(story())


def test_a_market_order_is_not_bought_twice_after_a_restart(exchange: Exchange) -> None:
    """U1 and P2: it landed and filled, so that its id is free again at the venue; only asking tells."""

    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            order = one.order("buy")
            fault(exchange, "submit", fault="reset", landed=True)
            with pytest.raises(BrokerUnknown):
                await one.submit(order)
            one.broker.register.lines.clear()
            found = await one.seen(order.id)
            assert (found.status, found.filled) == ("closed", 1.0)
            (fill,) = (await one.look()).fills
            assert fill.id == order.id

    run(story())


def test_reads_that_fail_are_transient(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            order = await one.place("buy", "limit", price=95.5)
            fault(exchange, "query", fault="server_error", status=502)
            with pytest.raises(BrokerTransient):
                await one.find(order.id)
            assert (await one.seen(order.id)).status == "open"
            await one.cancel(order.id)

    run(story())


def test_a_ban_is_waited_for_by_everybody_and_nothing_is_sent_meanwhile(exchange: Exchange) -> None:
    """X2: with the time that the venue names; two brokers on a key share one allowance."""

    async def story() -> None:
        async with desk(exchange, SPOT) as one, desk(exchange, SPOT, key=one.account) as other:
            assert one.broker.wire.limiter is other.broker.wire.limiter
            exchange.faults.add("rate_limit", target="submit", retry_after="1s", when=ONCE)
            with pytest.raises(BrokerTransient, match="too many requests") as told:
                await one.place("buy", "limit", price=95.5)
            assert told.value.fields["retry_ms"] == 1_000
            asked = exchange.requests
            for broker in (one, other):
                with pytest.raises(BrokerTransient, match="was not sent") as told:
                    await broker.place("buy", "limit", price=95.5)
                assert 0 < told.value.fields["retry_ms"] <= 1_001
            assert exchange.requests == asked and one.orders() == []
            await until(lambda: one.broker.wire.limiter.paused_s == 0.0)
            assert (await one.place("buy", "limit", price=95.5)).status == "open"

    run(story())


def test_a_wrong_clock_is_set_right_and_the_order_may_go_again(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            exchange.faults.add("clock_skew", skew="40s")
            order = one.order("buy", "limit", price=95.5)
            with pytest.raises(BrokerTransient, match="clocks differ"):
                await one.submit(order)
            assert one.orders() == []
            assert (await one.submit(order)).status == "open"

    run(story())


OFFERED = [(SPOT, "FOK, GTC, IOC", "no"), (PERP, "FOK, GTC, GTD, IOC", "yes"), (USD, "FOK, GTC, IOC", "yes")]


def test_what_a_venue_offers(exchange: Exchange) -> None:
    async def story() -> None:
        for symbol, times, dead_man in (
            (SPOT, "FOK, GTC, IOC", "no"),
            (PERP, "FOK, GTC, GTD, IOC", "yes"),
            (USD, "FOK, GTC, IOC", "yes"),
        ):
            async with desk(exchange, symbol) as one:
                found = await one.broker.check()
                assert found.missing == () and found.protects and found.streams
                assert (", ".join(found.times[symbol]), "yes" if found.dead_man else "no") == (times, dead_man)
                assert found.withdraws is (None if symbol == USD else False)
                assert f"{one.broker.name}: ready" in str(found)

    run(story())


def test_keys_that_may_too_much_or_too_little_are_refused(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT, key="greedy") as one:
            with pytest.raises(BrokerFatal, match="test may withdraw money"):
                await one.broker.check()
        async with desk(exchange, SPOT, key="looker") as one:
            with pytest.raises(BrokerFatal, match="may look but not trade"):
                await one.broker.check()
            with pytest.raises(BrokerFatal, match="the key is refused"):
                await one.place("buy", "limit", price=95.5)
        for symbol in (SPOT, USD):
            async with desk(exchange, symbol, key="stranger") as one:
                with pytest.raises(BrokerFatal) as told:
                    await one.broker.check()
                assert "stranger" not in str(told.value)
                with pytest.raises(BrokerFatal):
                    await anext(one.broker.news())

    run(story())


def test_the_dead_mans_switch(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP, dead_man_s=90.0) as one:
            await one.place("buy", "limit", price=95.5)
            assert await one.broker.heartbeat()
            await one.minutes(1)
            assert await one.broker.heartbeat() and len(one.standing()) == 1
            await one.minutes(1)
            assert len(one.standing()) == 1
            await one.minutes(1)
            assert one.standing() == []  # nobody said a word for 90 s
            await one.place("buy", "limit", price=95.5)
            assert await one.broker.heartbeat() and await one.broker.heartbeat(0)
            await one.minutes(3)
            assert len(one.standing()) == 1
        async with desk(exchange, SPOT, dead_man_s=90.0) as one:
            assert not await one.broker.heartbeat()
        async with desk(exchange, PERP) as one:
            assert not await one.broker.heartbeat()  # not asked for

    run(story())


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_what_happens_while_the_stream_is_cut_is_told_after_all(exchange: Exchange, symbol: str) -> None:
    """P7: cut in the middle of a fill, and down for a while."""

    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            await one.to_phase(0)
            fault(exchange, "fills", fault="disconnect")
            first = await one.place("buy")
            await until(lambda: bool(one.fills(first.id)))
            assert exchange.faults.log[-1].fault == "disconnect"
            resting = await one.place("sell", "limit", price=101.0)
            exchange.cut(stay_down=True)
            await one.minutes(3)
            exchange.restore()
            await until(lambda: bool(one.fills(resting.id)) and "closed" in one.words(resting.id))
            assert len({fill.trade_id for fill in one.fills()}) == 2

    run(story())


@pytest.mark.parametrize("how", ["duplicate", "reorder", "drop"])
def test_fills_come_with_their_own_ids_however_often_and_in_whatever_order(exchange: Exchange, how: str) -> None:
    """U7 U8: what the stream repeats, turns round or loses is the same trade, and the look round has all of them."""

    async def story() -> None:
        async with desk(exchange, SPOT, listen=True) as one:
            exchange.faults.add({"fault": how, "target": "user", "when": {"probability": 0.5}})
            bought = [await one.place("buy", quantity=0.1) for _ in range(4)]
            exchange.faults.clear()
            last = await one.place("buy", quantity=0.1)
            await until(lambda: bool(one.fills(last.id)))
            seen = await one.look()
            truth = {fill.trade_id: fill.quantity for fill in seen.fills}
            assert sum(truth.values()) == pytest.approx(0.5) and {fill.id for fill in seen.fills} == {
                one.id for one in (*bought, last)
            }
            assert {fill.trade_id: fill.quantity for fill in one.fills()}.items() <= truth.items()

    run(story())


def test_all_pages_of_fills_are_asked_for(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.bots.brokers.paging._PAGE", 3)

    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            for n in range(10):
                await one.place("buy", quantity=0.1)
                if n in (1, 7):
                    await one.minutes(1)  # several of one moment, and more of one than fit a page
            fills = (await one.look(exchange.now - 3 * 86_400_000)).fills  # over several windows of a day
            assert len({fill.trade_id for fill in fills}) == len(fills) == len(one.orders())

    run(story())


def test_credentials_do_not_leak(exchange: Exchange) -> None:
    import copy
    import pickle

    held = Credentials("a-key", "a-secret", password="a-word", name="main")
    assert repr(held) == str(held) == "Credentials(name='main', key=…, secret=…)"
    assert held.hide("a-key:a-secret a-word") == "…:… …"
    for way in (pickle.dumps, copy.deepcopy):
        with pytest.raises(ConfigError, match="not pickled"):
            way(held)
    with pytest.raises(ConfigError, match="need a key and a secret"):
        Credentials("", "x")
    kept = Credential(name="desk", venue="okx", fields={"key": Secret("k"), "secret": Secret("s")}, added=0, rotated=0)
    taken = Credentials.of(kept)
    assert (taken.name, taken.access().key, taken.access().secret, taken.settings()) == ("desk", "k", "s", {})

    async def story() -> None:
        async with desk(exchange, SPOT, key="nobody") as one:
            with pytest.raises(BrokerFatal) as told:
                await one.broker.find(Find("x", SPOT))
            for text in (
                str(told.value),
                repr(told.value),
                repr(told.value.fields),
                repr(one.broker),
                repr(one.broker.wire._access),
            ):
                assert "nobody" not in text and "signature" not in text

    run(story())


def test_what_cannot_be_traded_together_is_said(exchange: Exchange) -> None:
    from tests.bots.brokers.stage import known
    from workbench.bots.brokers.ccxt_broker import CcxtBroker

    key = Credentials("k", "s")
    with pytest.raises(ConfigError, match="accounts apart"):
        CcxtBroker("binance", {name: known(exchange, name) for name in (SPOT, PERP)}, credentials=key)
    with pytest.raises(ConfigError, match="at least one market"):
        CcxtBroker("binance", {}, credentials=key)

    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            foreign = one.order("buy", "limit", price=95.5)
            foreign.symbol = "ETH/USDT"
            with pytest.raises(BrokerRejected, match="not traded here"):
                await one.submit(foreign)

    run(story())


def test_a_venue_without_a_stream_is_polled(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            can = one.broker.wire.can
            one.broker.wire.can = lambda call: not call.startswith("watch") and can(call)  # type: ignore[method-assign]
            news = one.broker.news()
            heard = asyncio.create_task(_collect(news, one))
            await until(lambda: one.broker.health.get("state") == "polling")
            await one.to_phase(0)
            order = await one.place("buy", "limit", price=97.0)
            await one.minutes(8)
            await until(lambda: bool(one.fills(order.id)) and "closed" in one.words(order.id))
            with pytest.raises(ConfigError, match="listens to the news"):
                await anext(one.broker.news())
            heard.cancel()

    run(story())


async def _collect(news: Any, one: Any) -> None:
    async for told in news:
        one.told.append(told)


def test_a_stream_that_went_deaf_is_noticed(exchange: Exchange) -> None:
    """A garbled message ends ccxt's socket without a word; REST shows what it no longer tells."""

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        async with desk(exchange, SPOT, listen=True) as one:
            fault(exchange, "user", fault="garble")
            bought = [await one.place("buy", quantity=0.1) for _ in range(3)]
            await until(lambda: {fill.id for fill in one.fills()} == {order.id for order in bought})

    run(story(), 60.0)  # a socket that is torn down says goodbye, and waits for an answer


def test_leverage_is_what_the_bot_reckons_with(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            one.broker.markets[PERP] = one.broker.markets[PERP]._replace(leverage=3.0)
            await one.broker.prepare()
            assert exchange.call(lambda: exchange.engine.leverage(one.account, PERP)) == 3.0

    run(story())


def test_fees_in_any_currency(exchange: Exchange) -> None:
    asked: list[str] = []

    async def price(symbol: str) -> float | None:
        asked.append(symbol)
        return {"BNB/USDT": 500.0, "USDT/EUR": 0.8}.get(symbol)

    market = {"quote": "USDT", "base": "BTC"}
    fees = Fees(lambda: {SPOT: market, "BNB/USDT": {}, "USDT/EUR": {}}, price)
    instrument = exchange.engine.instrument(SPOT)
    trade = {"symbol": SPOT, "amount": 2.0, "price": 100.0, "takerOrMaker": "taker"}

    async def fee(*said: tuple[float, str]) -> float:
        rows = [{"cost": cost, "currency": currency} for cost, currency in said]
        return await fees.of({**trade, "fee": rows[0] if rows else None, "fees": rows}, instrument)

    async def story() -> None:
        assert await fee((0.2, "USDT")) == 0.2 and await fee((0.002, "BTC")) == pytest.approx(0.2)
        assert await fee((-0.1, "USDT")) == -0.1  # a rebate
        assert [await fee((0.001, "BNB")) for _ in range(3)] == [0.5] * 3 and asked == ["BNB/USDT"]
        assert await fee((0.8, "EUR")) == pytest.approx(1.0)
        assert await fee((0.1, "USDT"), (0.001, "BTC")) == pytest.approx(0.2)
        assert await fee() == await fee((1.0, "XYZ")) == pytest.approx(200.0 * instrument.taker_fee)

    run(story())


def test_a_change_that_http_repeats_is_done_once_and_no_refusal(exchange: Exchange) -> None:
    """The client's HTTP library sends a PUT again when its connection breaks, and the venue has nothing to change."""

    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            order = await one.place("buy", "limit", price=96.5)
            exchange.faults.add("reset", target="amend", landed=True, when={"count": 1})
            changed = await one.amend(order.id, quantity=0.5)
            assert (changed.status, changed.quantity) == ("open", 0.5)
            assert [row.quantity for row in one.standing()] == [0.5]
            exchange.faults.clear()
            await one.broker.cancel_all()

    run(story())
