"""Lines of a log for people: what is meant by no number, times and amounts, and no fact twice."""

from __future__ import annotations

import math

from workbench.bots.journal.telling import describe, with_facts
from workbench.trading import events as ev
from workbench.trading.orders import Order

MS = 1_795_971_540_254


def test_an_order_for_all_that_is_held_says_so_and_money_has_a_currency() -> None:
    order = Order(id="o", symbol="BTC/USDT", side="sell", type="market", quantity=math.nan)
    assert describe(ev.Submit(order)) == "submit market sell all that is held of BTC/USDT (o)"
    fill = ev.Filled(1, "o", "BTC/USD:BTC", "buy", 2.0, 100.0, 0.001, False, 100.0, "order", 1)
    assert describe(fill) == "bought 2 BTC/USD:BTC at 100, fee 0.001 BTC (order)"
    assert "+3 USDT" in describe(ev.Funded(1, "BTC/USDT:USDT", 1.0, math.nan, math.nan, 3.0))


def test_facts_are_rounded_times_are_dates_and_nothing_is_said_twice() -> None:
    facts = {
        "order": "wb1", "side": "buy", "ts": MS, "symbol": "BTC/USDT", "bid": 35_512.1, "ask": 35_519.2, "last": None,
        "spread_bps": 1.9894503092770928, "quoted_at": MS,
    }  # fmt: skip
    assert with_facts("the market as wb1 goes out", facts) == (
        "the market as wb1 goes out (symbol BTC/USDT, bid 35,512.1, "
        "ask 35,519.2, spread in bps 1.99, quoted 2026-11-29 16:59:00 UTC)"
    )
    assert with_facts("what it has", {"money_apart": {"USDT": 0.0}}) == "what it has (nothing)"
    closed = {
        "how": "flatten", "verified": True, "closings": [["wbg1", "BTC/USDT", "net", "sell", 0.5]],
        "fills": [["7", "70", "BTC/USDT", "sell", 0.5, 100.0, 0.1, False, 5, "wbg1"]],
    }  # fmt: skip
    assert with_facts("killed by its guard", closed) == (
        "killed by its guard (how flatten, verified yes, closed with sell 0.5 BTC/USDT, "
        "executed sold 0.5 BTC/USDT at 100)"
    )
    assert with_facts("line", {}) == "line" and with_facts("8 of them", {"number": 8}) == "8 of them"
