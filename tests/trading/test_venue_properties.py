"""What holds at the simulated venue whatever is sent to it, over random histories of requests and bars."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.trading.venue_cases import MINUTE, PERP, SPOT, Desk
from workbench.trading.account import Account
from workbench.trading.events import (
    Accepted,
    Amended,
    Canceled,
    Event,
    Expired,
    Filled,
    Funded,
    Rejected,
    Tick,
    Triggered,
    to_plain,
)  # fmt: skip
from workbench.trading.gate import REJECTIONS
from workbench.trading.orders import FINAL, may_follow
from workbench.trading.terms import AccountTerms, CostTerms, Lots

pytestmark = pytest.mark.deep

LOTS = Lots(tick=0.5, lot=0.1)
TIERS = ((0.0, 0.01, 0.0, 50.0), (5000.0, 0.02, 50.0, 5.0))
STATUS = {Accepted: "accepted", Rejected: "rejected", Canceled: "canceled", Expired: "expired"}
prices = st.integers(180, 220).map(lambda ticks: ticks / 2)
quantities = st.integers(1, 80).map(lambda lots: lots / 10)
TYPES = (
    "market",
    "market",
    "limit",
    "limit",
    "stop",
    "stop_limit",
    "take_profit",
    "take_profit_limit",
    "trailing_stop",
)


@st.composite
def sends(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    kind = draw(st.sampled_from(TYPES))
    facts: dict[str, Any] = {"side": draw(st.sampled_from(("buy", "sell"))), "type": kind, "quantity": draw(quantities)}
    if kind in ("limit", "stop_limit", "take_profit_limit"):
        facts["price"] = draw(prices)
    if kind.startswith(("stop", "take")):
        facts["stop_price"] = draw(prices)
    if kind == "trailing_stop":
        facts["trail"] = draw(st.sampled_from((0.01, 0.03)))
    if kind == "limit":
        facts["post_only"] = draw(st.booleans())
        facts["display"] = draw(st.sampled_from((math.nan, math.nan, 0.1)))
    if not facts.get("post_only"):
        facts["time_in_force"] = draw(st.sampled_from(("GTC", "GTC", "GTC", "IOC", "FOK", "GTD")))
        facts["expires"] = draw(st.integers(0, 12)) * MINUTE if facts["time_in_force"] == "GTD" else None
    facts["reduce_only"] = draw(st.sampled_from((False, False, True)))
    facts["close_position"] = facts["reduce_only"] and draw(st.booleans())
    facts["oco"] = draw(st.sampled_from(("", "", "one", "two")))
    return "send", facts


@st.composite
def bars(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    four = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    opened, close = draw(st.permutations(four[1:3]))
    reactions = draw(st.lists(sends(), max_size=2))
    volume = draw(st.sampled_from((0.0, 5.0, 40.0, 1000.0)))
    return "bar", {"bar": (opened, four[3], four[0], close), "volume": volume, "reactions": reactions}


requests = st.one_of(
    sends(), sends(), bars(), bars(),
    st.tuples(st.just("cancel"), st.integers(0, 12).map(lambda n: {"name": f"o{n}"})),
    st.tuples(st.just("amend"), st.fixed_dictionaries(
        {"name": st.integers(0, 12).map("o{}".format)},
        optional={"price": prices, "quantity": quantities, "stop": prices},
    )),
    st.tuples(st.just("fund"), st.just({})),
)  # fmt: skip
worlds = st.fixed_dictionaries(
    {"symbol": st.sampled_from((SPOT, PERP)), "intrabar": st.sampled_from(("pessimistic", "path")),
     "limit_fill": st.sampled_from(("touch", "through", "queue")), "latency_ms": st.sampled_from((0, 0, 1, 90_000)),
     "mode": st.sampled_from(("cash", "cross", "isolated"))}
)  # fmt: skip
histories = st.lists(requests, min_size=4, max_size=25)


def desk_of(world: dict[str, Any]) -> Desk:
    mode, symbol = world["mode"], world["symbol"]
    if mode == "cash":
        symbol = SPOT
    terms = AccountTerms("cash") if mode == "cash" else AccountTerms(isolated=mode == "isolated", leverage=5.0)
    desk = Desk(
        symbol=symbol, cash=1000.0, terms=terms, lots=LOTS, tiers=() if mode == "cash" else TIERS,
        costs=CostTerms(0.001, 0.0002, per_order=0.01, slippage=0.001, impact_kind=1, impact=0.05, volume_share=0.1,
                        liquidation_fee=0.01),
        intrabar=world["intrabar"], limit_fill=world["limit_fill"], latency_ms=world["latency_ms"],
    )  # fmt: skip
    desk.bar(100.0, 100.0, 100.0, 100.0)
    return desk


def act(desk: Desk, step: tuple[str, dict[str, Any]]) -> None:
    what, facts = step
    if what == "send":
        desk.send(**facts)
    elif what == "cancel":
        desk.cancel(facts["name"])
    elif what == "amend":
        desk.amend(facts["name"], **{key: value for key, value in facts.items() if key != "name"})
    elif what == "fund":
        desk.note(desk.venue.fund(desk.symbol, desk.ts, 0.001, 100.0))
    else:
        todo = list(facts["reactions"])

        def react(event: Event) -> None:
            if isinstance(event, Filled) and todo:
                act(desk, todo.pop())

        desk.bar(*facts["bar"], volume=facts["volume"], react=react)
        desk.note(desk.venue.settle(desk.ts))


def follow(desk: Desk) -> dict[str, str]:
    """Follow every order through the events, and hold them to the rules of states."""
    status: dict[str, str] = {}
    for event in desk.events:
        if isinstance(event, (Funded, Amended, Triggered)):
            if not isinstance(event, Funded):
                assert status.get(event.id) in ("accepted", "partially_filled"), event
            continue
        before = status.get(event.id, "submitted")
        if isinstance(event, Filled):
            after = "filled" if event.final else "partially_filled"
            if event.id.startswith("liquidation:"):
                continue
        else:
            after = STATUS[type(event)]
            if isinstance(event, Rejected):
                assert event.code in REJECTIONS
                if event.id in status or event.code in ("unknown_order", "order_is_final"):
                    continue  # the request was refused, not the order
        assert may_follow(before, after), (event, before)
        status[event.id] = after
    return status


@settings(max_examples=examples(250))
@given(world=worlds, history=histories)
def test_orders_only_go_from_state_to_state_as_they_may(world: dict[str, Any], history: list[Any]) -> None:
    desk = desk_of(world)
    for step in history:
        act(desk, step)
    status = follow(desk)
    alive = {name for name, state in status.items() if state not in FINAL}
    assert alive == {one.id for one in desk.venue.orders()}
    assert all(one.status == status[one.id] for one in desk.venue.orders())


@settings(max_examples=examples(250))
@given(world=worlds, history=histories)
def test_no_fill_breaks_a_limit_the_volume_or_the_steps(world: dict[str, Any], history: list[Any]) -> None:
    desk = desk_of(world)
    limits: dict[str, float] = {}
    for step in history:
        desk.events.clear()
        before = {one.id: one for one in desk.venue.orders()}
        act(desk, step)
        limits |= {one.id: one.price for one in (*before.values(), *desk.venue.orders()) if one.type.endswith("limit")}
        if step[0] == "send" and step[1]["type"].endswith("limit"):
            limits[f"o{desk.number - 1}"] = step[1]["price"]
        taken = 0.0
        for event in desk.events:
            if isinstance(event, Amended) and event.price == event.price and event.id in limits:
                limits[event.id] = event.price
            if not isinstance(event, Filled) or event.reason == "liquidation":
                continue
            taken += event.quantity
            sign = 1.0 if event.side == "buy" else -1.0
            if event.id in limits:
                assert sign * (event.price - limits[event.id]) <= 1e-9
            assert sign * (event.price - event.quoted) >= 0.0 or event.id in limits
        if step[0] == "bar":
            assert taken <= 0.1 * step[1]["volume"] + 1e-9


@settings(max_examples=examples(250))
@given(world=worlds, history=histories)
def test_reduce_only_never_increases_and_the_books_follow_from_the_events(
    world: dict[str, Any], history: list[Any]
) -> None:
    desk = desk_of(world)
    mirror = desk_of(world).account
    sent: dict[str, dict[str, Any]] = {}
    send = desk.send

    def noted(*args: Any, **facts: Any) -> Any:
        sent[f"o{desk.number}"] = facts
        return send(*args, **facts)

    desk.send = noted  # type: ignore[method-assign]
    for step in history:
        act(desk, step)
    for event in desk.events:
        if not isinstance(event, Filled):
            if isinstance(event, Funded):
                mirror.apply_funding(event)
            continue
        before = mirror.quantity(event.symbol)
        mirror.apply(event)
        after = mirror.quantity(event.symbol)
        facts = sent.get(event.id, {"reduce_only": True})
        if facts["reduce_only"]:
            assert abs(after) < abs(before)
            assert before * after >= 0.0
    for account in (mirror, desk.account):
        account.mark(desk.symbol, 100.0)
    assert mirror.snapshot()["pools"] == desk.account.snapshot()["pools"]
    assert [one.snapshot() for one in mirror.positions] == [one.snapshot() for one in desk.account.positions]


@settings(max_examples=examples(200))
@given(
    quantity=quantities, other=quantities, volume=st.integers(1, 100), steps=st.lists(bars(), min_size=1, max_size=6)
)
def test_the_orders_of_a_group_together_never_trade_more_than_the_larger(
    quantity: float, other: float, volume: int, steps: list[Any]
) -> None:
    desk = desk_of({"symbol": SPOT, "mode": "cross", "intrabar": "pessimistic", "limit_fill": "touch", "latency_ms": 0})
    desk.open(100.0, volume)
    desk.send("buy", quantity, "limit", price=95.0, oco="pair")
    desk.send("buy", other, "stop", stop_price=105.0, oco="pair")
    for _, facts in steps:
        desk.bar(*facts["bar"], volume=facts["volume"])
    traded = [
        sum(one.quantity for one in desk.events if isinstance(one, Filled) and one.id == name) for name in ("o0", "o1")
    ]
    assert sum(traded) <= max(quantity, other) + 1e-9


def written(events: list[Event]) -> str:
    return json.dumps([to_plain(one) for one in events])


@settings(max_examples=examples(150))
@given(world=worlds, history=histories, cut=st.integers(0, 25))
def test_keeping_and_restoring_in_the_middle_changes_nothing(
    world: dict[str, Any], history: list[Any], cut: int
) -> None:
    whole, first, second = desk_of(world), desk_of(world), desk_of(world)
    for step in history:
        act(whole, step)
    for step in history[:cut]:
        act(first, step)
    kept = json.dumps(first.venue.snapshot(), allow_nan=False)
    second.venue.restore(json.loads(kept))
    second.ts, second.number, second.events = first.ts, first.number, first.events
    assert json.dumps(second.venue.snapshot(), allow_nan=False) == kept
    for step in history[cut:]:
        act(second, step)
    assert written(second.events) == written(whole.events)
    assert json.dumps(second.venue.snapshot()) == json.dumps(whole.venue.snapshot())


@settings(max_examples=examples(150))
@given(world=worlds, history=histories, step=bars())
def test_a_bar_between_the_bounds_changes_nothing(world: dict[str, Any], history: list[Any], step: Any) -> None:
    desk = desk_of({**world, "latency_ms": 0})
    for one in history:
        act(desk, one)
    opened, high, low, close = step[1]["bar"]
    bounds = desk.venue.bounds(desk.symbol)
    if low > bounds[0] and high < bounds[1] and not desk.venue.trailing(desk.symbol):
        desk.events.clear()
        before = desk.venue.orders()
        desk.bar(opened, high, low, close, volume=1000.0)
        assert desk.events == []
        assert repr(desk.venue.orders()) == repr(before)


@settings(max_examples=examples(100))
@given(history=st.lists(st.one_of(sends(), prices.map(lambda price: ("tick", price))), min_size=5, max_size=40))
def test_trades_of_the_market_keep_the_states_too(history: list[Any]) -> None:
    desk = Desk(symbol=PERP, cash=1000.0, terms=AccountTerms(leverage=5.0), lots=LOTS, tiers=TIERS)
    desk.tick(100.0, 5.0)
    for what, facts in history:
        if what == "send":
            desk.send(**facts)
        else:
            desk.ts += 1
            desk.note(desk.venue.tick(Tick(desk.symbol, desk.ts, facts, 5.0)))
    status = follow(desk)
    assert {name for name, state in status.items() if state not in FINAL} == {one.id for one in desk.venue.orders()}


def test_a_damaged_snapshot_is_refused() -> None:
    desk = desk_of({"symbol": SPOT, "mode": "cross", "intrabar": "path", "limit_fill": "touch", "latency_ms": 0})
    data = desk.venue.snapshot()
    for damage in ({"version": 99}, {"orders": [[1]]}, {"markets": {}}):
        with pytest.raises(Exception, match=r"cannot be read|damaged"):
            desk.venue.restore({**data, **damage})
    assert isinstance(desk.account, Account)
