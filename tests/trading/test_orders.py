"""Orders: which state may follow which, client order ids, and an order as plain data."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import fields
from typing import get_args

import hypothesis.strategies as st
import pytest
from hypothesis import given

from workbench.errors import ConfigError
from workbench.trading import orders as o

STATUSES: tuple[str, ...] = get_args(o.OrderStatus)

# What a venue may say after what, written out; `TRANSITIONS` builds the same from sets.
AFTER = {
    "new": "submitted rejected",
    "submitted": "accepted partially_filled filled canceled rejected expired unknown",
    "accepted": "partially_filled filled canceled expired unknown",
    "partially_filled": "partially_filled filled canceled expired unknown",
    "unknown": "accepted partially_filled filled canceled rejected expired",
    "filled": "", "canceled": "", "rejected": "", "expired": "",
}  # fmt: skip


def test_the_state_machine() -> None:
    assert set(AFTER) == set(STATUSES) == set(o.TRANSITIONS)
    for before, after in itertools.product(STATUSES, STATUSES):
        assert o.may_follow(before, after) is (after in AFTER[before].split())


def test_final_is_where_nothing_follows() -> None:
    assert {status for status in STATUSES if not any(o.may_follow(status, after) for after in STATUSES)} == o.FINAL
    for status in STATUSES:
        order = o.Order(id="a", symbol="X", side="buy", status=status)  # type: ignore[arg-type]
        assert order.is_final is (status in o.FINAL)


@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_no_story_goes_on_after_its_end(story: list[str]) -> None:
    status, ended = "new", False
    for after in story:
        if o.may_follow(status, after):
            assert not ended
            status, ended = after, after in o.FINAL


def test_sign_and_remaining() -> None:
    order = o.Order(id="a", symbol="X", side="sell", quantity=3.0, filled=1.0)
    assert (order.sign, order.remaining) == (-1.0, 2.0)
    assert o.Order(id="a", symbol="X", side="buy").sign == 1.0
    whole = o.Order(id="a", symbol="X", side="sell", close_position=True)
    assert whole.remaining != whole.remaining  # NaN: all that is held when it trades


# ---------------------------------------------------------------------------------------------------- client order ids

NAMES = st.text(max_size=10)


@given(bot=NAMES, number=st.integers(0, 2**40), symbol=NAMES, side=NAMES, kind=NAMES)
def test_an_id_is_a_function_of_the_intent(bot: str, number: int, symbol: str, side: str, kind: str) -> None:
    made = o.client_order_id(bot, number, symbol, side, kind)
    assert made == o.client_order_id(bot, number, symbol, side, kind)
    assert re.fullmatch(r"wb[0-9a-f]{22}", made)
    assert made != o.client_order_id(bot, number + 1, symbol, side, kind)
    assert made != o.client_order_id(bot + "x", number, symbol, side, kind)


def test_an_id_is_the_same_in_every_process() -> None:
    assert o.client_order_id("bot", 0, "BTC/USDT", "buy", "market") == "wb4ca2420ea9892d117e25ed"


def test_ids_are_unique_over_many_intents() -> None:
    sides, kinds = ("buy", "sell"), get_args(o.OrderType)
    ids = {
        o.client_order_id(bot, number, symbol, sides[number % 2], kinds[number % len(kinds)])
        for bot in ("a", "b")
        for symbol in ("BTC/USDT", "ETH/USDT")
        for number in range(25_000)
    }
    assert len(ids) == 100_000


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="intent number -1 is negative"):
        o.client_order_id("bot", -1, "X", "buy", "market")


# --------------------------------------------------------------------------------------------------------- plain data


@given(
    order=st.builds(
        o.Order, id=NAMES, symbol=NAMES, side=st.sampled_from(["buy", "sell"]),
        type=st.sampled_from(get_args(o.OrderType)), tag=NAMES, oco=NAMES, parent=NAMES, rejected=NAMES,
        quantity=st.floats(), price=st.floats(), stop_price=st.floats(), trail=st.floats(), activation=st.floats(),
        time_in_force=st.sampled_from(get_args(o.TimeInForce)), expires=st.none() | st.integers(), display=st.floats(),
        post_only=st.booleans(), reduce_only=st.booleans(), close_position=st.booleans(), triggered=st.booleans(),
        leg=st.sampled_from(["net", "long", "short"]), reason=st.sampled_from(o.REASONS), filled=st.floats(),
        status=st.sampled_from(STATUSES), created=st.integers(), updated=st.integers(), fee=st.floats(),
        extra=st.dictionaries(NAMES, st.lists(st.integers(), max_size=2), max_size=2),
    )
)  # fmt: skip
def test_an_order_as_plain_data(order: o.Order) -> None:
    plain = json.loads(json.dumps(order.to_dict()))
    assert list(plain) == [field.name for field in fields(o.Order)]
    assert repr(o.Order(**plain)) == repr(order)


def test_a_copy_shares_nothing_with_the_order() -> None:
    order = o.Order(id="a", symbol="X", side="buy", extra={"level": 1})
    plain = order.to_dict()
    plain["extra"]["level"] = plain["filled"] = 2
    assert (order.extra, order.filled) == ({"level": 1}, 0.0)


def test_the_fields_of_a_new_order() -> None:
    # a journal written by an older version is read by their names: a renamed or dropped one must be noticed
    assert sorted(o.Order(id="a", symbol="X", side="buy").to_dict()) == sorted(
        "id symbol side type quantity price stop_price trail activation time_in_force expires post_only reduce_only "
        "close_position display oco leg tag reason decided parent created updated status filled average_price fee "
        "triggered rejected venue_id extra".split()
    )


def test_an_intent_and_its_order_agree_on_names() -> None:
    shared = {field.name for field in fields(o.Intent)} & {field.name for field in fields(o.Order)}
    intent, order = o.Intent(symbol="X", side="buy"), o.Order(id="a", symbol="X", side="buy")
    assert {"symbol", "side", "type", "price", "stop_price", "trail", "time_in_force", "leg", "tag"} <= shared
    for name in shared - {"id"}:
        assert repr(getattr(intent, name)) == repr(getattr(order, name))


def test_reasons_are_distinct() -> None:
    assert len(set(o.REASONS)) == len(o.REASONS)
