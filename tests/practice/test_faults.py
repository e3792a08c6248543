"""Rules decide the same faults for the same requests, count only what they match, and log what they did."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.practice.faults import Asked, Cut, Faults
from workbench.practice.faults_rules import MARKET_RULES, RULES
from workbench.practice.faults_when import Spread

ORDER = Asked("POST", "/api/v3/order", "binance", {"symbol": "BTCUSDT", "side": "BUY"})
KLINES = Asked("GET", "/api/v3/klines", "binance")


class Hands:
    """A clock and a real clock that the test moves."""

    def __init__(self) -> None:
        self.ms, self.seconds = 1_000_000, 50.0

    def faults(self, *args: Any, **more: Any) -> Faults:
        faults = Faults(*args, real=lambda: self.seconds, **more)
        faults.begin(lambda: self.ms)
        return faults


class Ledger:
    """An engine that writes down what is done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.accounts = ("a",)

    def __getattr__(self, name: str) -> Any:
        return lambda *what, **more: self.done.append((name, *what, *more.values()))


def asked(faults: Faults, requests: list[Asked]) -> list[tuple[str, str, float]]:
    out = []
    for one in requests:
        said = faults.before(one)
        if said.action == "pass":
            after = faults.after(one, 200, b'{"orderId":1,"status":"NEW"}')
            said = after._replace(delay_ms=said.delay_ms + after.delay_ms)
        out.append((said.action, said.detail, said.delay_ms))
    return out


def test_the_same_scenario_gives_the_same_faults() -> None:
    requests = [random.Random(3).choice([ORDER, KLINES]) for _ in range(400)]
    one, two, other = Faults("bad_day"), Faults("bad_day"), Faults("bad_day", seed=9)
    assert asked(one, requests) == asked(two, requests)
    assert [done[1:] for done in one.log] == [done[1:] for done in two.log]
    assert asked(Faults("bad_day"), requests) != asked(other, requests)


def test_a_rule_does_not_feel_other_traffic_nor_other_rules() -> None:
    rule = {"fault": "reset", "target": "submit", "when": {"probability": 0.3}}
    alone, among = Faults([rule], seed=5), Faults([rule], seed=5)
    among.add("latency", target="candles", latency={"kind": "exponential", "ms": 9})
    among.add("server_error", target="submit", status=500, when={"nth": [2, 9, 30]})
    first = [alone.before(ORDER).action == "reset" for _ in range(200)]
    mixed = []
    for _ in range(200):
        among.before(KLINES)
        mixed.append(among.before(ORDER).action == "reset")
    assert first == mixed
    assert 30 < sum(first) < 90
    other = Faults([rule], seed=6)
    assert [other.before(ORDER).action == "reset" for _ in range(200)] != first


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ({"nth": 3}, [3]),
        ({"nth": [1, 4]}, [1, 4]),
        ({"every": 4}, [4, 8, 12]),
        ({"skip": 9}, [10, 11, 12]),
        ({"skip": 2, "every": 5}, [7, 12]),
        ({"count": 2}, [1, 2]),
        ({"probability": 0.0}, []),
        ({"start": "+1s", "end": "+3s", "nth": 1}, [2]),
        ({"start": 1_001_000, "end": "1970-01-01T00:16:43Z"}, [2, 3]),
    ],
)
def test_when(when: dict[str, Any], hits: list[int]) -> None:
    hands = Hands()
    faults = hands.faults([{"fault": "reset", "target": "POST */order", "when": when}])
    found = []
    for turn in range(1, 13):
        hands.ms = 1_000_000 + (turn - 1) * 1_000
        faults.before(KLINES)
        found += [turn] if faults.before(ORDER).action == "reset" else []
    assert found == hits
    assert len(faults.log) == len(hits)


def test_who_does_not_wait_is_banned_and_who_does_is_not() -> None:
    hands = Hands()
    faults = hands.faults(
        [{"fault": "rate_limit", "retry_after": "3s", "patience": 2, "ban": "20s", "when": {"nth": 1}}]
    )
    patient = faults.before(ORDER)
    assert (patient.status, patient.headers["Retry-After"]) == (429, "3")
    hands.seconds += 3
    assert faults.before(ORDER).action == "pass"

    faults.add("rate_limit", retry_after="3s", patience=2, ban="20s", when={"nth": 1})
    assert [faults.before(KLINES).status for _ in range(4)] == [429, 429, 429, 418]
    assert faults.before(Asked("GET", "/0/public/Time", "kraken")).status == 200  # another venue's patience
    hands.seconds += 19
    assert faults.before(ORDER).headers["Retry-After"] == "1"
    hands.seconds += 1
    assert faults.before(ORDER).action == "pass"


def test_landed_faults_come_after_the_request_was_handled() -> None:
    for fault in ("server_error", "timeout", "reset", "garbage"):
        for landed in (False, True):
            faults = Faults([{"fault": fault, "landed": landed}])
            before, after = faults.before(ORDER), faults.after(ORDER, 200, b'{"orderId":12}')
            assert (before.action == "pass", after.action == "pass") == (landed, not landed)
            assert ("took effect" in faults.log[0].detail) == landed
    cut = Faults([{"fault": "garbage", "kind": "truncated"}]).after(ORDER, 200, b'{"orderId":12}')
    assert cut.body == b'{"order'


def test_delays_add_up_and_the_first_of_others_wins() -> None:
    faults = Faults([{"fault": "latency", "latency": 20}, {"fault": "latency", "latency": "30ms"}, {"fault": "reset"}])
    faults.add("server_error", status=500, when={"count": 1})
    said = faults.before(ORDER)
    assert (said.action, said.delay_ms) == ("reset", 50.0)
    assert len(faults) == 4
    faults.remove(2)
    assert faults.before(ORDER).status == 500  # it was not spent while another fault came first
    assert faults.before(ORDER).action == "pass"
    faults.clear()
    assert faults.before(ORDER).delay_ms == 0


def test_requests_are_told_apart_by_fields_and_venue() -> None:
    faults = Faults([{"fault": "reject", "code": -2010, "having": {"symbol": "ETH*"}}])
    faults.add("reject", target="submit", code=-1013, venue="binanceusdm")
    assert faults.before(ORDER).action == "pass"
    assert faults.before(ORDER._replace(params={"symbol": "ETHUSDT"})).code == -2010
    assert faults.before(Asked("POST", "/fapi/v1/order", "binanceusdm")).code == -1013
    assert faults.before(Asked("WS", "order.place", "binance", {"symbol": "ETHBTC"})).code == -2010


def test_messages() -> None:
    trade = {"e": "trade", "t": 1}

    def one(fault: str, **settings: Any) -> list[Any]:
        faults = Faults()
        faults.add(fault, target="trades", **settings)
        return [tuple(sent) for sent in faults.message("btcusdt@trade", trade)]

    assert one("drop") == []
    assert one("duplicate", copies=2, delay=5) == [(0.0, trade), (5.0, trade), (5.0, trade)]
    assert one("delay", delay="1s") == [(1_000.0, trade)]
    assert one("garble") == [(0.0, '{"e":"tra')]
    assert one("disconnect") == [(0.0, Cut(1006))]
    assert one("disconnect", delivered=True, close=True) == [(0.0, trade), (0.0, Cut(1001))]
    assert one("drop", when={"nth": 2}) == [(0.0, trade)]
    untouched = Faults([{"fault": "drop", "target": "trades"}])
    assert untouched.message("btcusdt@kline_1m", {}) == [(0.0, {})]


def test_messages_are_reordered_within_their_stream() -> None:
    faults = Faults([{"fault": "reorder", "target": "*@depth*", "behind": 2, "when": {"nth": 2}}])
    sent = [payload for number in range(5) for _, payload in faults.message("btcusdt@depth", {"u": number})]
    assert [payload["u"] for payload in sent] == [0, 2, 3, 1, 4]
    assert faults.message("ethusdt@depth", {"u": 9}, connection="b") == [(0.0, {"u": 9})]


@given(st.lists(st.sampled_from(["a@trade", "b@trade"]), max_size=60), st.integers(0, 99))
def test_reordering_and_doubling_lose_nothing_but_what_is_still_held(streams: list[str], seed: int) -> None:
    rules = [{"fault": "duplicate", "when": {"probability": 0.3}}, {"fault": "reorder", "when": {"probability": 0.3}}]
    faults = Faults(rules, seed=seed)
    sent = Counter(payload["n"] for n, one in enumerate(streams) for _, payload in faults.message(one, {"n": n}))
    for stream in ("a@trade", "b@trade"):
        mine = [n for n, one in enumerate(streams) if one == stream]
        assert all(n in sent for n in mine[:-1])


def test_a_cut_in_the_middle_of_a_fill_keeps_websockets_down_for_a_while() -> None:
    hands = Hands()
    faults = hands.faults([{"fault": "disconnect", "target": "fills", "down": "2s"}])
    new, fill = {"event": {"e": "executionReport", "x": "NEW"}}, {"event": {"e": "executionReport", "x": "TRADE"}}
    assert faults.message("user", new, venue="binance") == [(0.0, new)]
    assert faults.message("user", json.dumps(fill), venue="binance") == [(0.0, Cut(1006))]
    dial = Asked("DIAL", "/ws", "binance")
    assert (faults.before(dial).status, faults.before(KLINES).action) == (503, "pass")
    hands.seconds += 2
    assert faults.before(dial).action == "pass"


def test_maintenance_and_a_wrong_clock_hold_for_their_window() -> None:
    hands = Hands()
    faults = hands.faults("maintenance")
    faults.add("clock_skew", skew="7s", venue="kraken", when={"end": "+1m"})
    faults.add("clock_skew", skew="-40s", when={"end": "+1m"})
    assert faults.skew_ms("kraken") == -33_000
    assert (faults.skew_ms("binance"), faults.closed("binance"), faults.before(ORDER).action) == (
        -40_000,
        False,
        "pass",
    )
    hands.ms += 600_000
    said = faults.before(Asked("DIAL", "/ws", "kraken"))
    assert (faults.skew_ms("binance"), faults.closed("kraken"), said.status) == (0, True, 503)
    assert said.body.startswith(b"<html>")
    hands.ms += 120_000
    assert (faults.closed(), faults.before(ORDER).action) == (False, "pass")


def test_the_market_is_disturbed_by_time_and_by_requests_and_put_right_again() -> None:
    hands, engine = Hands(), Ledger()
    faults = Faults("crash")
    faults.begin(lambda: hands.ms)
    assert faults.act(engine) == 1_240_000
    times = []
    while (then := faults.act(engine)) is not None:
        hands.ms = then
        times.append(then - 1_000_000)
    assert times == [240_000, 300_000, 360_000, 480_000, 900_000]
    assert engine.done == [
        ("freeze_book", "BTC/USDT", True),
        ("freeze_book", "BTC/USDT", False),
        ("gap", "BTC/USDT", -0.12),
        ("limit_fills", "BTC/USDT", 0.2),
        ("halt", "BTC/USDT"),
        ("resume", "BTC/USDT"),
        ("limit_fills", "BTC/USDT", 1.0),
    ]
    faults.add("balance", asset="BTC", amount=-0.5, account="a", target="submit", when={"nth": 2})
    faults.add("delist", symbol="ETH/USDT", target="GET */klines")
    for one in (ORDER, KLINES, ORDER, ORDER):
        faults.touch(one, engine)
    assert engine.done[7] == ("delist", "ETH/USDT")
    assert engine.done[8:] == [("adjust", "a", "BTC", -0.5, "changed from outside", "spot")]
    assert faults.log[-1].target == "BTC"


@given(st.sampled_from(["uniform", "normal", "exponential", "lognormal", "pareto"]), st.integers(0, 1_000))
def test_lengths_of_time_stay_within_their_bounds(kind: str, seed: int) -> None:
    spread = Spread.model_validate({"kind": kind, "ms": 80, "low": 10, "high": 500, "sigma": 1.5})
    drawn = [spread.draw(random.Random(seed)) for _ in range(20)]
    assert all(10 <= one <= 500 for one in drawn)


def test_the_median_of_a_lognormal_latency_is_what_was_asked_for() -> None:
    generator, spread = random.Random(1), Spread.model_validate({"kind": "lognormal", "ms": 80, "sigma": 0.6})
    drawn = sorted(spread.draw(generator) for _ in range(4_000))
    assert drawn[2_000] == pytest.approx(80, rel=0.05)
    assert drawn[3_365] == pytest.approx(80 * 1.822, rel=0.06)  # one sigma up


def test_every_fault_can_be_added_and_is_described() -> None:
    needed = {
        "latency": {"latency": 1}, "delay": {"delay": 1}, "price_gap": {"symbol": "X", "fraction": 0.1},
        "halt": {"symbol": "X"}, "delist": {"symbol": "X"}, "stale_book": {"symbol": "X"},
        "partial_fills": {"symbol": "X"}, "balance": {"asset": "X", "amount": 1},
    }  # fmt: skip
    faults = Faults()
    for fault, kind in RULES.items():
        target = {"target": "submit"} if issubclass(kind, MARKET_RULES) else {}
        faults.add(fault, **needed.get(fault, {}), **target)
        assert kind.__doc__
    with pytest.raises(ConfigError, match=r"fault 'rset' \(did you mean reset\?\)"):
        faults.add("rset")
