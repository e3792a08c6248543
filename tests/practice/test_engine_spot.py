from __future__ import annotations

import math

import pytest

from tests.practice.stage import ETH, ETHBTC, MINUTE, SPOT, T0, Held, flat, market
from workbench.practice.engine_messages import BalanceChanged, ListChanged, MarketChanged, OrderChanged, Printed
from workbench.practice.engine_records import AccountSetup, Refused, Request
from workbench.practice.markets import Listing

# 10 quiet minutes at 100, one that falls to 95, ten there, one that rises to 106, and on
FALLS = [*flat(100.0, 10), (100.0, 100.0, 95.0, 95.0, 400.0), *flat(95.0, 10), (95.0, 106.0, 95.0, 106.0, 400.0),
         *flat(106.0, 30)]  # fmt: skip


@pytest.fixture
def held() -> Held:
    return Held(
        market(SPOT, FALLS),
        market(ETH, flat(10.0, 60)),
        market(ETHBTC, flat(0.1, 60), tick_size=1e-5, min_notional=1e-4),
    )


def test_a_market_order_walks_the_book_and_pays_its_fee_in_what_it_received() -> None:
    held = Held(market(SPOT, FALLS), spot={"USDT": 90_000.0, "BTC": 10.0})
    bids, asks, _ = held.engine.book(SPOT, 2)
    size = round(asks[0][1] + 1.0, 3)
    order = held.submit(SPOT, "buy", quantity=size)
    cost = asks[0][1] * asks[0][0] + 1.0 * asks[1][0]
    assert order.status == "filled" and order.filled == size
    assert order.quote_filled == pytest.approx(cost, rel=1e-9)
    assert order.fees == {"BTC": pytest.approx(size * 0.001)}
    assert held.spot("BTC").wallet == pytest.approx(10.0 + size * 0.999)
    assert held.spot("USDT").wallet == pytest.approx(90_000.0 - cost)
    sold = held.submit(SPOT, "sell", quantity=1.0)
    assert sold.average_price == bids[0][0] and sold.fees == {"USDT": pytest.approx(bids[0][0] * 0.001)}
    # what was taken from the book is gone until the market trades again
    assert held.submit(SPOT, "buy", quantity=0.1).average_price > asks[0][0]
    held.minutes(1)
    assert held.submit(SPOT, "buy", quantity=0.1).average_price == held.engine.book(SPOT, 1)[1][0][0]


def test_fees_can_always_be_in_the_quote() -> None:
    held = Held(market(SPOT, FALLS), spot_fees="quote", fee_discount=0.25)
    order = held.submit(SPOT, "buy", quantity=1.0)
    assert order.fees == {"USDT": pytest.approx(order.quote_filled * 0.00075)}
    assert held.spot("BTC").wallet == 11.0


def test_a_quote_quantity_is_spent_and_not_more(held: Held) -> None:
    order = held.submit(SPOT, "buy", quote_quantity=777.0)
    assert 776.8 < order.quote_filled <= 777.0 and order.quote_quantity == 777.0
    assert held.refused(SPOT, "buy", "limit", quote_quantity=100.0, price=99.0) == "not_supported"
    assert held.refused(SPOT, "buy", quote_quantity=2.0) == "min_notional"


def test_a_limit_order_locks_fills_in_part_and_as_maker(held: Held) -> None:
    order = held.submit(SPOT, "buy", "limit", 4.0, price=96.0, client_id="mine")
    assert order.status == "accepted" and held.spot("USDT").locked == pytest.approx(4 * 96.0)
    assert held.spot("USDT").free == pytest.approx(10_000 - 4 * 96.0)
    held.minutes(12)
    done = held.engine.order("me", SPOT, client_id="mine")
    assert done.status == "filled" and done.average_price == 96.0 and done.executions[0].maker
    assert held.spot("USDT").locked == 0.0


def test_a_limit_order_takes_only_what_trades() -> None:
    held = Held(market(SPOT, [*flat(100.0, 5), *[(100.0, 100.0, 99.0, 99.0, 4.0)] * 3]))
    held.submit(SPOT, "sell", "limit", 50.0 - 40.0, price=101.0)
    order = held.submit(SPOT, "buy", "limit", 6.0, price=99.0)
    held.minutes(5.75)
    part = held.engine.order("me", SPOT, id=order.id)
    assert part.status == "partially_filled" and part.filled == 1.0  # one trade of a quarter of the volume
    assert held.spot("USDT").locked == pytest.approx(5 * 99.0)
    held.minutes(3)
    assert held.engine.order("me", SPOT, id=order.id).filled > 1.0


def test_what_may_not_rest_ends() -> None:
    held = Held(market(SPOT, FALLS), spot={"USDT": 90_000.0})
    _, asks, _ = held.engine.book(SPOT, 100)
    assert held.submit(SPOT, "buy", "limit", 1.0, price=99.0, time_in_force="IOC").status == "expired"
    part = held.submit(SPOT, "buy", "limit", round(asks[0][1] + 5, 3), price=asks[0][0], time_in_force="IOC")
    assert part.status == "expired" and part.filled == pytest.approx(asks[0][1])
    held.minutes(1)
    _, asks, _ = held.engine.book(SPOT, 100)
    kill = held.submit(SPOT, "buy", "limit", round(asks[0][1] + 5, 3), price=asks[0][0], time_in_force="FOK")
    assert kill.status == "expired" and kill.filled == 0.0
    assert held.submit(SPOT, "buy", "limit", 1.0, price=asks[0][0], time_in_force="FOK").status == "filled"
    assert held.refused(SPOT, "buy", "limit", 1.0, price=101.0, post_only=True) == "post_only_would_take"
    assert held.submit(SPOT, "buy", "limit", 1.0, price=99.0, post_only=True).status == "accepted"
    assert held.spot("USDT").locked == pytest.approx(99.0)


def test_an_order_good_till_a_date_expires_then(held: Held) -> None:
    order = held.submit(SPOT, "buy", "limit", 1.0, price=90.0, time_in_force="GTD", expires=T0 + 90_001)
    held.engine.advance(T0 + 90_000)
    assert held.engine.order("me", SPOT, id=order.id).open
    held.engine.advance(T0 + 90_001)
    gone = held.engine.order("me", SPOT, id=order.id)
    assert gone.status == "expired" and gone.updated == T0 + 90_001 and gone.reason == "good_till_date"
    assert held.refused(SPOT, "buy", "limit", 1.0, price=90.0, time_in_force="GTD", expires=T0) == "already_expired"


def test_stops_and_take_profits_wait_for_their_triggers(held: Held) -> None:
    stop = held.submit(SPOT, "sell", "stop", 1.0, stop_price=97.0)
    limit = held.submit(SPOT, "sell", "stop_limit", 1.0, stop_price=96.0, price=99.0)
    take = held.submit(SPOT, "sell", "take_profit", 1.0, stop_price=105.0)
    take_limit = held.submit(SPOT, "buy", "take_profit_limit", 1.0, stop_price=96.0, price=95.5)
    assert held.spot("BTC").locked == pytest.approx(3.0)
    held.minutes(11)
    states = {one.id: one for one in held.engine.orders("me", SPOT)}
    assert states[stop.id].status == "filled" and states[stop.id].average_price <= 95.0
    assert states[limit.id].triggered and states[limit.id].status == "accepted"
    assert states[take_limit.id].status == "filled" and states[take_limit.id].average_price <= 95.5
    held.minutes(14)
    states = {one.id: one for one in held.engine.orders("me", SPOT)}
    assert states[limit.id].status == "filled" and states[limit.id].average_price == 99.0
    assert states[take.id].status == "filled" and states[take.id].average_price >= 105.0
    told = [one.kind for one in held.told if isinstance(one, OrderChanged) and one.order.id == limit.id]
    assert told == ["new", "triggered", "trade"]
    assert held.refused(SPOT, "sell", "stop", 1.0, stop_price=120.0) == "would_trigger"
    assert held.refused(SPOT, "buy", "take_profit", 1.0, stop_price=120.0) == "would_trigger"


def test_a_trailing_stop_follows(held: Held) -> None:
    held.minutes(15)
    order = held.submit(SPOT, "buy", "trailing_stop", 1.0, trail=0.02)
    held.minutes(15)
    done = held.engine.order("me", SPOT, id=order.id)
    assert done.status == "filled" and done.triggered and 96.9 <= done.average_price <= 106.1


def test_an_iceberg_fills_slice_by_slice(held: Held) -> None:
    order = held.submit(SPOT, "buy", "limit", 3.0, price=95.0, display=1.0)
    held.minutes(20)
    sizes = [one.quantity for one in held.engine.order("me", SPOT, id=order.id).executions]
    assert sizes == [1.0, 1.0, 1.0]


def test_a_one_cancels_the_other_list_locks_once_and_ends_as_one(held: Held) -> None:
    pair = (
        Request(symbol=SPOT, side="sell", type="limit", quantity=8.0, price=110.0, post_only=True, client_id="up"),
        Request(symbol=SPOT, side="sell", type="stop_limit", quantity=8.0, stop_price=96.0, price=94.0, client_id="dn"),
    )
    made = held.engine.submit_list("me", pair, "both")
    assert made.status == "open" and len(held.engine.open_orders("me", SPOT)) == 2
    assert held.spot("BTC").locked == 8.0
    held.minutes(11)
    up, down = (held.engine.order("me", SPOT, client_id=one) for one in ("up", "dn"))
    assert down.status == "filled" and up.status == "expired" and up.reason == "oco"
    assert held.engine.order_list("me", client_id="both").status == "done"
    assert [one.orders.status for one in held.told if isinstance(one, ListChanged)] == ["open", "done"]
    assert held.spot("BTC").locked == 0.0

    again = held.engine.submit_list("me", [
        Request(symbol=SPOT, side="buy", type="limit", quantity=1.0, price=90.0),
        Request(symbol=SPOT, side="buy", type="stop", quantity=1.0, stop_price=120.0),
    ])  # fmt: skip
    held.engine.cancel("me", SPOT, id=again.order_ids[0])
    assert not held.engine.open_orders("me") and held.engine.order_list("me", id=again.id).status == "done"
    with pytest.raises(Refused, match="one limit order and one stop"):
        held.engine.submit_list("me", [pair[0], pair[0]])
    before = held.engine.now, held.kinds()
    with pytest.raises(Refused, match="it takes"):
        held.engine.submit_list("me", [one.__class__(**{
            name: getattr(one, name) for name in one.__slots__} | {"quantity": 500.0}) for one in pair
        ])  # fmt: skip
    assert (held.engine.now, held.kinds()) == before


def test_filters_refuse_by_name(held: Held) -> None:
    assert held.refused(SPOT, "buy", "limit", 1.0, price=99.999) == "price_filter"
    assert held.refused(SPOT, "buy", "limit", 1.0, price=-1.0) == "price_filter"
    assert held.refused(SPOT, "buy", "limit", 1.0005, price=99.0) == "lot_size"
    assert held.refused(SPOT, "buy", "limit", 0.0, price=99.0) == "lot_size"
    assert held.refused(SPOT, "buy", "limit", math.nan, price=99.0) == "lot_size"
    assert held.refused(SPOT, "buy", "limit", 1.0) == "price_missing"
    assert held.refused(SPOT, "buy", "limit", 0.01, price=99.0) == "min_notional"
    assert held.refused(SPOT, "buy", "limit", 1.0, price=501.0) == "percent_price"
    assert held.refused(SPOT, "buy", "limit", 1.0, price=19.0) == "percent_price"
    assert held.refused(SPOT, "buy", "limit", 200.0, price=99.0) == "insufficient_balance"
    assert held.refused(SPOT, "buy", quantity=200.0) == "insufficient_balance"
    assert held.refused(SPOT, "sell", "limit", 10.001, price=99.0) == "insufficient_balance"
    assert held.refused(SPOT, "sell", quantity=1.0, reduce_only=True) == "not_supported"
    assert held.refused(SPOT, "sell", quantity=1.0, leg="long") == "not_supported"
    assert held.refused(SPOT, "sell", quantity=1.0, client_id="no spaces") == "client_id"
    assert held.refused("DOGE/USDT", "sell", quantity=1.0) == "unknown_instrument"
    assert held.refused(SPOT, "buy", "stop", 1.0) == "trigger_missing"
    assert held.refused(SPOT, "sell", "trailing_stop", 1.0) == "trail_missing"
    for _ in range(200):
        held.submit(SPOT, "buy", "limit", 0.1, price=90.0)
    assert held.refused(SPOT, "buy", "limit", 0.1, price=90.0) == "max_orders"
    assert len(held.engine.cancel_all("me", SPOT)) == 200 and held.spot("USDT").locked == 0.0


def test_client_ids_are_unique_among_open_orders(held: Held) -> None:
    first = held.submit(SPOT, "buy", "limit", 1.0, price=90.0, client_id="one")
    assert held.refused(SPOT, "buy", "limit", 1.0, price=90.0, client_id="one") == "duplicate_id"
    gone = held.engine.cancel("me", SPOT, client_id="one")
    assert gone.id == first.id and gone.status == "canceled"
    with pytest.raises(Refused) as no:
        held.engine.cancel("me", SPOT, client_id="one")
    assert no.value.code == "order_is_final"
    again = held.submit(SPOT, "buy", "limit", 1.0, price=91.0, client_id="one")
    assert held.engine.order("me", SPOT, client_id="one").id == again.id
    assert held.engine.order("me", SPOT, id=first.id).status == "canceled"
    with pytest.raises(Refused, match="there is no order 999"):
        held.engine.cancel("me", SPOT, id=999)
    with pytest.raises(Refused, match="there is no order"):
        held.engine.order("me", ETH, id=first.id)


def test_amend_and_replace(held: Held) -> None:
    order = held.submit(SPOT, "buy", "limit", 2.0, price=90.0, client_id="a")
    held.engine.amend("me", SPOT, id=order.id, quantity=1.5)
    assert held.engine.order("me", SPOT, id=order.id).quantity == 1.5
    assert held.spot("USDT").locked == pytest.approx(135.0)
    for change in ({"price": 91.0}, {"quantity": 3.0}):
        with pytest.raises(Refused, match="only the quantity"):
            held.engine.amend("me", SPOT, id=order.id, **change)
    wish = Request(symbol=SPOT, side="buy", type="limit", quantity=1.0, price=92.0, client_id="b")
    gone, new = held.engine.replace("me", wish, client_id="a")
    assert not isinstance(gone, Refused) and gone.status == "canceled" and new is not None and new.client_id == "b"
    failed, untried = held.engine.replace("me", wish, client_id="a")
    assert isinstance(failed, Refused) and untried is None
    failed, refused = held.engine.replace("me", wish, client_id="a", stop_on_failure=False)
    assert isinstance(failed, Refused) and isinstance(refused, Refused) and refused.code == "duplicate_id"


def test_coins_that_are_both_bought_and_paid_with(held: Held) -> None:
    held.submit(ETHBTC, "buy", quantity=20.0)
    assert held.spot("ETH").wallet == pytest.approx(20.0 * 0.999)
    assert held.spot("BTC").wallet == pytest.approx(10.0 - 20.0 * 0.1, abs=1e-3)
    held.submit(SPOT, "sell", quantity=round(math.floor(held.spot("BTC").wallet * 1000) / 1000, 3))
    assert 0.0 <= held.spot("BTC").wallet < 0.001
    held.minutes(25)  # the price of BTC rises: nothing is owed, so nothing is liquidated
    assert "Liquidated" not in held.kinds()
    assert held.spot("ETH").wallet == pytest.approx(20.0 * 0.999)
    held.submit(ETH, "sell", quantity=19.98)
    assert held.refused(ETH, "sell", quantity=1.0) == "insufficient_balance"


def test_balances_change_from_outside(held: Held) -> None:
    held.engine.adjust("me", "USDT", 500.0)
    held.engine.adjust("me", "BTC", -10.0, "withdraw")
    held.engine.adjust("me", "NEW", 3.0, "airdrop")
    assert (held.spot("USDT").wallet, held.spot("BTC").wallet, held.spot("NEW").wallet) == (10_500.0, 0.0, 3.0)
    changed = [one for one in held.told if isinstance(one, BalanceChanged)]
    assert [one.reason for one in changed] == ["deposit", "withdraw", "airdrop"]
    assert changed[0].changes == {"USDT": 500.0} and changed[0].balances[0].wallet == 10_500.0
    with pytest.raises(Refused, match="is to go"):
        held.engine.adjust("me", "BTC", -0.1, "withdraw")


def test_an_order_whose_money_was_taken_away_ends_when_it_trades(held: Held) -> None:
    order = held.submit(SPOT, "buy", "limit", 100.0, price=96.0)
    held.engine.adjust("me", "USDT", -9_990.0, "withdraw")
    assert held.spot("USDT").free == 0.0 and held.spot("USDT").locked == 10.0
    held.minutes(12)
    gone = held.engine.order("me", SPOT, id=order.id)
    assert gone.status == "expired" and gone.reason == "insufficient_margin"
    assert held.spot("USDT").free == 10.0


def test_halts_refuse_orders_and_let_go_of_them() -> None:
    rows = Listing(halts=((T0 + 5 * MINUTE, T0 + 8 * MINUTE),), delisted=T0 + 30 * MINUTE)
    held = Held(market(SPOT, FALLS, rows), market(ETH, flat(10.0, 60)))
    order = held.submit(SPOT, "buy", "limit", 1.0, price=90.0)
    held.minutes(6)
    assert held.engine.status(SPOT) == "halt"
    assert held.refused(SPOT, "buy", "limit", 1.0, price=90.0) == "market_closed"
    held.engine.cancel("me", SPOT, id=order.id)
    held.minutes(3)
    kept = held.submit(SPOT, "buy", "limit", 1.0, price=90.0)
    held.minutes(30)
    assert held.engine.order("me", SPOT, id=kept.id).reason == "delisted"
    assert held.refused(SPOT, "buy", quantity=1.0) == "market_closed"
    told = [one.status for one in held.told if isinstance(one, MarketChanged)]
    assert told == ["halt", "trading", "delisted"]
    held.engine.halt(ETH)
    assert held.refused(ETH, "buy", quantity=1.0) == "market_closed"
    held.engine.resume(ETH)
    assert held.submit(ETH, "buy", quantity=1.0).status == "filled"


def test_what_an_account_may_ask_is_paged(held: Held) -> None:
    for _ in range(5):
        held.submit(ETH, "buy", quantity=1.0)
        held.minutes(1)
    first = held.engine.executions("me", ETH)[0]
    assert [one.id for one in held.engine.executions("me", ETH, limit=2)] == [first.id + 3, first.id + 4]
    assert [one.id for one in held.engine.executions("me", ETH, from_id=first.id + 1, limit=2)] == [
        first.id + 1, first.id + 2,
    ]  # fmt: skip
    since = T0 + 2 * MINUTE
    assert [one.created for one in held.engine.orders("me", ETH, start=since, limit=1)] == [since]
    assert [one.created for one in held.engine.orders("me", ETH, start=since, end=since + MINUTE)] == [
        since, since + MINUTE,
    ]  # fmt: skip
    assert len(held.engine.executions("me", ETH, order_id=first.order_id)) == 1
    assert held.engine.executions("me", SPOT) == []


def test_accounts_do_not_see_each_other(held: Held) -> None:
    held.engine.add_account("you", AccountSetup(spot={"USDT": 50.0}))
    mine = held.submit(SPOT, "buy", "limit", 1.0, price=90.0, client_id="same")
    yours = held.engine.submit("you", Request(symbol=ETH, side="buy", type="limit", quantity=1.0, price=9.0))
    assert [one.id for one in held.engine.open_orders("you")] == [yours.id]
    with pytest.raises(Refused, match="there is no order"):
        held.engine.cancel("you", SPOT, id=mine.id)
    with pytest.raises(Refused, match="no account 'who'"):
        held.engine.balances("who", "spot")


def test_a_listener_may_trade_at_the_time_of_what_it_hears(held: Held) -> None:
    held.engine.watch(SPOT)
    seen: list[int] = []

    def follow(message: object) -> None:
        if isinstance(message, Printed) and message.print.price == 95.0 and not seen:
            seen.append(message.ts)
            held.submit(SPOT, "buy", quantity=1.0, client_id="heard")

    held.engine.listen(follow)
    held.minutes(40)
    order = held.engine.order("me", SPOT, client_id="heard")
    assert order.created == seen[0] and order.status == "filled"
    times = [one.ts for one in held.told]
    assert times == sorted(times)
