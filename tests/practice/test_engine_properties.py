"""What must hold after any sequence of requests: money is neither made nor lost, and steps of time do not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.stage import ETH, ETHBTC, MINUTE, PERP, SPOT, T0, Held, market
from workbench.practice.engine_messages import Message
from workbench.practice.engine_records import AccountSetup, Refused, Request
from workbench.practice.markets import Listing

SYMBOLS = (SPOT, ETH, ETHBTC, PERP, "ETH/USDT:USDT")
MINUTES = 200
MOST_STEPS = 60  # of a walk; what is left is one more


def rows(seed: int, price: float, tick: float) -> list[tuple[float, ...]]:
    rng = np.random.default_rng(seed)
    close = np.round(price * np.exp(np.cumsum(rng.normal(0.0, 0.004, MINUTES))) / tick) * tick
    opens = np.concatenate(([price], close[:-1]))
    high, low = np.maximum(opens, close) + 3 * tick, np.minimum(opens, close) - 2 * tick
    volume = np.round(rng.exponential(30.0, MINUTES), 3)
    return [tuple(float(f"{x:.5f}") for x in row) for row in zip(opens, high, low, close, volume, strict=True)]


FUNDING = Listing(funding=tuple((T0 + k * 20 * MINUTE, 0.002 * (-1) ** k) for k in range(1, 10)))
HALT = Listing(halts=((T0 + 60 * MINUTE, T0 + 70 * MINUTE),), delisted=T0 + 170 * MINUTE)
MARKETS = (
    market(SPOT, rows(1, 100.0, 0.01)),
    market(ETH, rows(2, 10.0, 0.01), HALT),
    market(ETHBTC, rows(3, 0.1, 1e-5), tick_size=1e-5, min_notional=1e-4),
    market(PERP, rows(4, 100.0, 0.01), FUNDING),
    market("ETH/USDT:USDT", rows(5, 10.0, 0.01), HALT),
)
TYPES = ("market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop")
wishes = st.fixed_dictionaries({
    "what": st.sampled_from(["submit"] * 6 + ["cancel", "amend", "adjust", "leverage", "list", "transfer"]),
    "account": st.sampled_from(["me", "you"]),
    "symbol": st.sampled_from(SYMBOLS),
    "side": st.sampled_from(["buy", "sell"]),
    "type": st.sampled_from(TYPES),
    "lots": st.integers(1, 60_000),
    "away": st.floats(-0.02, 0.02),
    "time": st.sampled_from(["GTC", "GTC", "IOC", "FOK", "GTD"]),
    "flags": st.sampled_from(["", "", "reduce_only", "post_only", "display"]),
    "wait": st.integers(0, 25 * MINUTE),
})  # fmt: skip


def fresh() -> Held:
    held = Held(*MARKETS, at=T0 + MINUTE, linear={"USDT": 2_000.0}, spot={"USDT": 5_000.0, "BTC": 3.0, "ETH": 20.0})
    you = AccountSetup(spot={"USDT": 800.0}, linear={"USDT": 300.0}, isolated=True, leverage=40.0, spot_fees="quote")
    held.engine.add_account("you", you)
    for symbol in SYMBOLS:
        held.engine.watch(symbol)
    return held


def do(held: Held, wish: dict[str, Any]) -> str:
    """Do what is wished; why it was refused, else ""."""
    engine, account, symbol = held.engine, wish["account"], wish["symbol"]
    tick = 1e-5 if symbol == ETHBTC else 0.01
    price = round(round(engine.mark(symbol) * (1 + wish["away"]) / tick) * tick, 5)
    trigger = round(round(engine.mark(symbol) * (1 + wish["away"] / 2) / tick) * tick, 5)
    more: dict[str, Any] = {"time_in_force": wish["time"]}
    if wish["time"] == "GTD":
        more["expires"] = engine.now + 7 * MINUTE
    if wish["flags"]:
        more[wish["flags"]] = max(wish["lots"] // 5, 1) / 1000 if wish["flags"] == "display" else True
    request = Request(
        symbol=symbol, side=wish["side"], type=wish["type"], quantity=wish["lots"] / 1000,
        price=price if wish["type"].endswith("limit") else float("nan"),
        stop_price=trigger if wish["type"].startswith(("stop", "take")) else float("nan"),
        trail=0.004 if wish["type"] == "trailing_stop" else float("nan"), **more,
    )  # fmt: skip
    opened = engine.open_orders(account, symbol)
    try:
        if wish["what"] == "submit":
            engine.submit(account, request)
        elif wish["what"] == "cancel" and opened:
            engine.cancel(account, symbol, id=opened[0].id)
        elif wish["what"] == "amend" and opened:
            engine.amend(account, symbol, id=opened[-1].id, price=price, quantity=request.quantity)
        elif wish["what"] == "adjust":
            engine.adjust(account, "USDT", wish["away"] * 20_000.0, wallet="linear" if ":" in symbol else "spot")
        elif wish["what"] == "leverage":
            engine.set_leverage(account, symbol, 1.0 + wish["lots"] % 49)
        elif wish["what"] == "transfer":
            engine.transfer(account, "USDT", wish["lots"] / 100, "linear", "spot")
        elif wish["what"] == "list":
            pair = {"symbol": symbol, "side": "sell", "quantity": wish["lots"] / 10_000 // 0.001 / 1000}
            up, down = (round(round(engine.mark(symbol) * x / tick) * tick, 5) for x in (1.008, 0.993))
            engine.submit_list(account, [
                Request(type="limit", price=up, **pair), Request(type="stop", stop_price=down, **pair),
            ])  # fmt: skip
    except Refused as no:
        return no.code
    return ""


def check(held: Held) -> None:
    """Hold the books: nothing below zero, nothing locked that is not there, and every amount explained."""
    for account in ("me", "you"):
        for row in held.engine.balances(account, "spot"):
            total = held.engine.statement(account, "spot", row.asset)
            assert row.wallet >= 0.0 and row.free >= 0.0 and row.locked >= 0.0
            assert total["total"] == pytest.approx(total["deposits"] + total["traded"] - total["fees"], abs=1e-7)
        total = held.engine.statement(account, "linear", "USDT")
        came = total["deposits"] + total["realised"] - total["fees"] + total["funding"] + total["unrealised"]
        assert total["equity"] == pytest.approx(came, abs=1e-6)
        # the history of the wallet adds up to what is in it
        start = {"me": 2_000.0, "you": 300.0}[account]
        lines = sum(line.amount for line in held.engine.income(account, limit=10**6))
        assert held.engine.balances(account, "linear")[0].wallet == pytest.approx(start + lines, abs=1e-5)
        for order in held.engine.open_orders(account):
            assert order.open and not order.filled > order.quantity
            assert order.filled == pytest.approx(sum(one.quantity for one in order.executions))


@settings(max_examples=60, deadline=None)
@given(st.lists(wishes, min_size=1, max_size=25))
def test_money_is_neither_made_nor_lost(sequence: list[dict[str, Any]]) -> None:
    held = fresh()
    for wish in sequence:
        do(held, wish)
        held.engine.advance(min(held.engine.now + wish["wait"], T0 + MINUTES * MINUTE))
        check(held)


@settings(max_examples=12, deadline=None)
@given(st.lists(wishes, min_size=1, max_size=8), st.lists(st.integers(1, 4 * MINUTE), min_size=1, max_size=9))
def test_one_jump_comes_to_the_same_as_many_steps(sequence: list[dict[str, Any]], steps: list[int]) -> None:
    jump, walk = fresh(), fresh()
    for wish in sequence:
        assert do(jump, wish) == do(walk, wish)
        until = min(jump.engine.now + wish["wait"], T0 + MINUTES * MINUTE)
        jump.engine.advance(until)
        number = 0
        while walk.engine.now < until:
            step = steps[number % len(steps)] if number < MOST_STEPS else until - walk.engine.now
            walk.engine.advance(min(walk.engine.now + step, until))
            number += 1
    assert repr(jump.told) == repr(walk.told)
    for account in ("me", "you"):
        for what in ("positions", "income", "open_orders"):
            assert repr(getattr(jump.engine, what)(account)) == repr(getattr(walk.engine, what)(account))
        assert jump.engine.balances(account, "spot") == walk.engine.balances(account, "spot")


def test_the_sequences_of_these_tests_do_trade() -> None:
    """Guard against properties that hold because everything was refused."""
    held, rng, codes = fresh(), np.random.default_rng(3), []
    for number in range(400):
        wish = {
            "what": "submit", "account": ("me", "you")[number % 2], "symbol": SYMBOLS[rng.integers(5)],
            "side": ("buy", "sell")[rng.integers(2)], "type": TYPES[rng.integers(7)],
            "lots": int(rng.integers(1, 9_000)),
            "away": float(rng.uniform(-0.01, 0.01)), "time": "GTC", "flags": "", "wait": 0,
        }  # fmt: skip
        codes.append(do(held, wish))
        held.engine.advance(held.engine.now + 20_000)
        check(held)
    assert codes.count("") > 130
    kinds = {getattr(one, "kind", type(one).__name__) for one in held.told}
    assert {"trade", "triggered", "FundingPaid", "MarketChanged", "Printed", "expired"} <= kinds
    assert held.told == sorted(held.told, key=when)


def when(message: Message) -> int:
    return message.ts
