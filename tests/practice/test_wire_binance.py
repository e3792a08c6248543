"""Binance's protocol without a network: codes, weights, limits, streams that follow on, and rubbish for requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.stage import PERP, SPOT, T0
from tests.practice.wire_stage import walk
from workbench.practice.clock import HeldClock
from workbench.practice.exchange import Exchange, Serving
from workbench.practice.wire.binance_words import exact, money, places_of, texts
from workbench.practice.wire.limits import Limits, Window
from workbench.practice.wire.protocol import Answer, Call, Socket, Talk
from workbench.practice.wire.signing import PRACTICE, hmac_hex

MINUTE = 60_000


class Heard(Socket):
    """A websocket that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def send(self, payload: str, stream: str) -> None:
        self.messages.append(json.loads(payload))

    def serve(self, asked: Any, work: Callable[[], Answer], reply: Callable[[Answer], str]) -> None:
        self.send(reply(work()), "reply")

    def close(self, code: int = 1001) -> None:
        self.messages.append(code)


class Desk:
    """An exchange that serves nobody, asked directly."""

    def __init__(self, **serving: Any) -> None:
        markets = [walk(SPOT, 30_000.0, 1, minutes=900, start=T0), walk(PERP, 30_000.0, 3, minutes=900, start=T0)]
        self.exchange = Exchange(markets, clock=HeldClock(T0 + 30_000), serving=Serving(**serving))
        self.spot, self.usdm = self.exchange._protocols

    def ask(self, method: str, path: str, **params: Any) -> Any:
        """Ask something public; its status and content."""
        venue = self.usdm if "/fapi" in path else self.spot
        answer = venue.answer(Call.read(method, f"{path}?{urlencode(params)}", b"", {}))
        return answer.status, json.loads(answer.body), answer.headers

    def sign(self, method: str, path: str, **params: Any) -> Any:
        """Ask something of the account."""
        venue = self.usdm if "/fapi" in path else self.spot
        told = urlencode({**params, "timestamp": self.exchange.now})
        told += "&signature=" + hmac_hex(PRACTICE.secret, told.encode())
        body = told.encode() if method in ("POST", "PUT") else b""
        target = path if body else f"{path}?{told}"
        answer = venue.answer(Call.read(method, target, body, {"X-MBX-APIKEY": PRACTICE.key}))
        return answer.status, json.loads(answer.body)

    def refused(self, method: str, path: str, **params: Any) -> int:
        """The code of a refusal."""
        status, told = self.sign(method, path, **params)
        assert 400 <= status < 500, told
        return int(told["code"])

    def listen(self, path: str, *names: str) -> tuple[Heard, Talk]:
        venue, socket = (self.usdm if path.startswith(("/market", "/public")) else self.spot), Heard()
        talk = venue.open(Call.read("GET", path, b"", {}), socket)
        assert talk is not None
        talk.said(json.dumps({"method": "SUBSCRIBE", "params": list(names), "id": 1}))
        assert socket.messages.pop() == {"result": None, "id": 1}
        return socket, talk


@pytest.fixture
def desk() -> Desk:
    return Desk()


ORDER = "/api/v3/order"
FUTURES = "/fapi/v1/order"


def test_filters_and_money_refuse_with_the_codes_of_spot(desk: Desk) -> None:
    last = float(desk.ask("GET", "/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"])
    limit = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    cheap = f"{last * 0.9:.2f}"
    assert desk.refused("POST", ORDER, **limit, price=f"{last * 0.9:.2f}5") == -1013  # tick
    assert desk.refused("POST", ORDER, **limit | {"quantity": "0.0101"}, price=cheap) == -1013  # lot
    assert desk.refused("POST", ORDER, **limit | {"quantity": "0.010000001"}, price=cheap) == -1111
    assert desk.refused("POST", ORDER, **limit, price=f"{last * 6:.2f}") == -1013  # too far from the market
    assert desk.refused("POST", ORDER, **limit | {"quantity": "0.001"}, price="3000.00") == -1013
    assert desk.refused("POST", ORDER, **limit | {"quantity": "9"}, price=cheap) == -2010
    assert desk.refused("POST", ORDER, **limit) == -1102
    assert desk.refused("POST", ORDER, **limit | {"symbol": "NOPE"}, price=cheap) == -1121
    assert desk.refused("POST", ORDER, **limit | {"side": "HOLD"}, price=cheap) == -1117
    assert desk.refused("POST", ORDER, **limit | {"type": "GUESS"}, price=cheap) == -1116
    assert desk.refused("POST", ORDER, **limit | {"timeInForce": "SOON"}, price=cheap) == -1115
    assert desk.refused("POST", ORDER, **limit, price=cheap, newClientOrderId="a b") == -1100
    maker = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01"}
    assert desk.refused("POST", ORDER, **maker, price=f"{last * 1.01:.2f}") == -2010
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01"}
    assert desk.refused("POST", ORDER, **stop, stopPrice=f"{last * 1.01:.2f}") == -2010
    assert desk.refused("GET", ORDER, symbol="BTCUSDT", orderId=99) == -2013
    assert desk.refused("DELETE", ORDER, symbol="BTCUSDT", orderId=99) == -2011
    assert desk.refused("DELETE", ORDER, symbol="BTCUSDT") == -1102
    assert desk.sign("POST", "/api/v3/order/test", **limit, price=cheap) == (200, {})
    assert desk.sign("GET", "/api/v3/openOrders") == (200, [])


def test_filters_and_money_refuse_with_the_codes_of_futures(desk: Desk) -> None:
    last = float(desk.ask("GET", "/fapi/v1/ticker/price", symbol="BTCUSDT")[1]["price"])
    limit = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010"}
    cheap = f"{last * 0.95:.2f}"
    assert desk.refused("POST", FUTURES, **limit | {"quantity": "0.0101"}, price=cheap) == -1111
    assert desk.refused("POST", FUTURES, **limit | {"quantity": "80"}, price=cheap) in (-2019, -2027)
    assert desk.refused("POST", FUTURES, **limit, price=cheap, reduceOnly="true") == -2022
    assert desk.refused("POST", FUTURES, **limit | {"timeInForce": "GTX"}, price=f"{last * 1.01:.2f}") == -5022
    assert desk.refused("POST", FUTURES, **limit, price=cheap, positionSide="LONG") == -4061
    assert desk.refused("POST", FUTURES, **limit | {"type": "STOP"}, price=cheap) == -4120
    assert desk.refused("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=126) == -4028
    assert desk.refused("POST", "/fapi/v1/positionSide/dual", dualSidePosition="false") == -4059
    assert desk.refused("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="CROSSED") == -4046
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.010", "algoType": "CONDITIONAL"}
    assert desk.refused("POST", "/fapi/v1/algoOrder", **stop, triggerPrice=f"{last * 1.01:.2f}") == -2021
    assert desk.refused("DELETE", "/fapi/v1/algoOrder", algoId=99) == -2011


def test_an_order_is_replaced_and_what_failed_of_it_is_told(desk: Desk) -> None:
    last = float(desk.ask("GET", "/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"])
    limit = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": f"{last * 0.9:.2f}"}
    path = "/api/v3/order/cancelReplace"
    _, first = desk.sign("POST", ORDER, **limit, quantity="0.02")
    change = limit | {"cancelReplaceMode": "STOP_ON_FAILURE", "quantity": "0.01"}
    status, both = desk.sign("POST", path, **change, cancelOrderId=first["orderId"])
    assert (status, both["cancelResult"], both["newOrderResult"]) == (200, "SUCCESS", "SUCCESS")
    status, neither = desk.sign("POST", path, **change, cancelOrderId=first["orderId"])
    assert (status, neither["code"], neither["data"]["newOrderResult"]) == (400, -2022, "NOT_ATTEMPTED")
    second = both["newOrderResponse"]["orderId"]
    status, half = desk.sign("POST", path, **change | {"quantity": "900"}, cancelOrderId=second)
    assert (status, half["code"], half["data"]["cancelResult"]) == (409, -2021, "SUCCESS")
    assert half["data"]["newOrderResponse"]["code"] == -2010


def test_many_orders_at_once_each_stand_for_themselves(desk: Desk) -> None:
    last = float(desk.ask("GET", "/fapi/v1/ticker/price", symbol="BTCUSDT")[1]["price"])
    good = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010",
        "price": f"{last * 0.95:.2f}",
    }  # fmt: skip
    status, rows = desk.sign("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([good, good | {"quantity": "80"}]))
    assert status == 200 and rows[0]["status"] == "NEW" and rows[1]["code"] in (-2019, -2027)
    numbers = json.dumps([rows[0]["orderId"], 99])
    status, rows = desk.sign("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=numbers)
    assert status == 200 and rows[0]["status"] == "CANCELED" and rows[1]["code"] == -2011
    assert desk.refused("POST", "/fapi/v1/batchOrders", batchOrders="[]") == -4082


def test_a_countdown_cancels_unless_it_is_told_again(desk: Desk) -> None:
    last = float(desk.ask("GET", "/fapi/v1/ticker/price", symbol="BTCUSDT")[1]["price"])
    order = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010",
        "price": f"{last * 0.92:.2f}",
    }  # fmt: skip
    desk.sign("POST", FUTURES, **order)
    count = "/fapi/v1/countdownCancelAll"
    desk.sign("POST", count, symbol="BTCUSDT", countdownTime=10_000)
    desk.exchange.advance(9_000)
    desk.sign("POST", count, symbol="BTCUSDT", countdownTime=10_000)
    desk.exchange.advance(9_000)
    assert len(desk.sign("GET", "/fapi/v1/openOrders")[1]) == 1
    desk.exchange.advance(600_000)
    [row] = desk.sign("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")[1]
    assert row["status"] == "CANCELED" and row["updateTime"] == T0 + 30_000 + 19_000


def test_weights_are_counted_told_and_limited() -> None:
    now = [T0]
    limits = Limits(weight_1m=50, patience=2, ban_ms=100_000, clock=lambda: now[0])
    desk = Desk(limits={"binance": limits})
    for used in (2, 4):
        status, _, headers = desk.ask("GET", "/api/v3/klines", symbol="BTCUSDT", interval="1m")
        assert status == 200 and headers["X-MBX-USED-WEIGHT-1M"] == str(used)
    assert desk.ask("GET", "/api/v3/exchangeInfo")[2]["X-MBX-USED-WEIGHT-1M"] == "24"
    assert desk.ask("GET", "/api/v3/depth", symbol="BTCUSDT", limit=500)[2]["X-MBX-USED-WEIGHT-1M"] == "49"
    now[0] += 15_000
    for _ in range(2):
        status, told, headers = desk.ask("GET", "/api/v3/ticker/24hr", symbol="BTCUSDT")
        assert (status, told["code"], headers["Retry-After"]) == (429, -1003, "45")
    status, told, headers = desk.ask("GET", "/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert (status, told["code"], headers["Retry-After"]) == (418, -1003, "100")
    now[0] += 60_000
    assert desk.ask("GET", "/api/v3/ping")[0] == 418
    now[0] += 40_000
    assert desk.ask("GET", "/api/v3/ping")[0] == 200 and limits.refused == 4 and limits.most_used == 49


def test_orders_of_an_account_are_limited() -> None:
    limits = Limits(orders_10s=2, clock=lambda: T0)
    desk = Desk(limits={"binance": limits})
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    assert [desk.sign("POST", ORDER, **order)[0] for _ in range(3)] == [200, 200, 429]


def test_a_window_starts_again_with_each_interval() -> None:
    window = Window(1_000, 2)
    assert [window.add(ms, 1) for ms in (0, 999, 999, 1_000)] == [True, True, False, True]
    assert window.left_ms(1_250) == 750


def test_each_candle_closes_once_and_is_the_one_that_is_asked_for(desk: Desk) -> None:
    socket, talk = desk.listen("/ws/0", "btcusdt@kline_1m", "btcusdt@kline_5m")
    for step in (10_000, 20_000, MINUTE, 7 * MINUTE + 1, 59_999, 3 * MINUTE):
        desk.exchange.advance(step)
    closed = [m["k"] for m in socket.messages if m["e"] == "kline" and m["k"]["x"]]
    minutes = [k for k in closed if k["i"] == "1m"]
    assert [k["t"] for k in minutes] == list(range(T0, T0 + len(minutes) * MINUTE, MINUTE)) and len(minutes) == 13
    assert [k["t"] for k in closed if k["i"] == "5m"] == [T0, T0 + 5 * MINUTE]
    rows = desk.ask("GET", "/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=T0, limit=13)[1]
    assert [[k["t"], k["o"], k["h"], k["l"], k["c"], k["v"], k["T"]] for k in minutes] == [row[:7] for row in rows]
    talk.said(json.dumps({"method": "UNSUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 2}))
    before = len(socket.messages)
    talk.closed()
    desk.exchange.advance(10 * MINUTE)
    assert len(socket.messages) == before


@pytest.mark.parametrize(
    ("path", "rest", "futures"), [("/ws/0", "/api/v3/depth", False), ("/public/ws/0", "/fapi/v1/depth", True)]
)
def test_a_book_follows_from_a_snapshot_and_its_differences(desk: Desk, path: str, rest: str, futures: bool) -> None:
    socket, _ = desk.listen(path, "btcusdt@depth@100ms")
    desk.exchange.advance(90_000)
    snapshot = desk.ask("GET", rest, symbol="BTCUSDT", limit=1_000)[1]
    desk.exchange.advance(200_000)
    book = {side: dict(snapshot[side]) for side in ("bids", "asks")}
    last, applied = snapshot["lastUpdateId"], 0
    before = None
    for event in socket.messages:
        assert event["U"] <= event["u"]
        if before is not None:
            assert event["pu"] == before if futures else event["U"] == before + 1
        before = event["u"]
        if event["u"] <= last:
            continue
        assert applied or event["U"] <= last + 1 <= event["u"]
        applied += 1
        for side, letter in (("bids", "b"), ("asks", "a")):
            for price, quantity in event[letter]:
                if float(quantity) == 0.0:
                    book[side].pop(price, None)
                else:
                    book[side][price] = quantity
    now = desk.ask("GET", rest, symbol="BTCUSDT", limit=1_000)[1]
    assert applied > 3 and before == now["lastUpdateId"]
    assert book == {side: dict(now[side]) for side in ("bids", "asks")}


def test_streams_that_are_none_and_rubbish_are_refused_and_the_rest_goes_on(desk: Desk) -> None:
    socket, talk = desk.listen("/stream", "btcusdt@trade")
    for text in ("{", "[]", '{"method": 3}', '{"method":"SUBSCRIBE","params":["btcusdt@nonsense"],"id":7}',
                 '{"method":"SUBSCRIBE","params":[1],"id":7}', '{"method":"SING","id":7}'):  # fmt: skip
        talk.said(text)
        assert socket.messages.pop()["error"]["code"] in (2, 3)
    talk.said('{"method":"LIST_SUBSCRIPTIONS","id":8}')
    assert socket.messages.pop() == {"result": ["btcusdt@trade"], "id": 8}
    desk.exchange.advance(MINUTE)
    assert {m["stream"] for m in socket.messages} == {"btcusdt@trade"}
    ids = [m["data"]["t"] for m in socket.messages]
    rest = [row["id"] for row in desk.ask("GET", "/api/v3/trades", symbol="BTCUSDT", limit=len(ids))[1]]
    assert ids == rest and len(ids) >= 4


def test_numbers_are_written_so_that_they_read_back_the_same() -> None:
    assert exact(0.1, 8) == "0.10000000" and exact(1e-9, 8) == "0.000000001" and exact(123456.789, 2) == "123456.789"
    assert money(-1e-12) == "0.00000000" and money(float("nan")) == "0.00000000" and money(-0.5) == "-0.50000000"
    assert [places_of(step) for step in (0.01, 5.0, 1e-8, 0.0, 0.5)] == [2, 0, 8, 8, 1]


@given(st.lists(st.floats(0.0, 1e12, allow_subnormal=False), min_size=1, max_size=20), st.integers(0, 8))
def test_columns_are_written_so_that_they_read_back_the_same(values: list[float], places: int) -> None:
    conversion, content = texts(np.array(values), places)
    assert [float(conversion % one) for one in content] == values


_PATHS = sorted({(place, "/fapi" in place[1]) for venue in Desk().exchange._protocols for place in venue.table})  # type: ignore[attr-defined]
_WORDS = st.sampled_from(
    "symbol symbols interval limit startTime endTime fromId orderId side type timeInForce quantity price stopPrice "
    "quoteOrderQty leverage marginType batchOrders orderIdList countdownTime algoType triggerPrice origClientOrderId "
    "cancelReplaceMode dualSidePosition reduceOnly newQty incomeType callbackRate listenKey".split()
)
_VALUES = st.one_of(
    st.sampled_from(
        'BTCUSDT 1m BUY SELL LIMIT MARKET STOP GTC 0 -1 1e9 nan 0.01 [] ["BTCUSDT"] {} [{}] null true'.split()
    ),
    st.integers(-(1 << 70), 1 << 70).map(str),
    st.text(max_size=12),
)


@settings(max_examples=60)
@given(st.sampled_from(_PATHS), st.dictionaries(_WORDS, _VALUES, max_size=7))
def test_no_request_is_answered_with_anything_but_a_result_or_a_code(place: Any, params: dict[str, str]) -> None:
    (method, path), _ = place
    status, told = _DESK.sign(method, path, **params)
    assert status == 200 or (400 <= status < 500 and told["code"] < 0 and told["msg"])


_PLAIN = {
    ORDER: {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "29000",
    },
    "/api/v3/orderList/oco": {
        "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "aboveType": "LIMIT_MAKER", "abovePrice": "31000",
        "belowType": "STOP_LOSS", "belowStopPrice": "29000",
    },
    FUTURES: {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01"},
    "/fapi/v1/algoOrder": {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01",
        "triggerPrice": "29000", "positionSide": "BOTH",
    },
}  # fmt: skip
_TYPES = (
    "LIMIT MARKET LIMIT_MAKER STOP STOP_MARKET STOP_LOSS TAKE_PROFIT TAKE_PROFIT_LIMIT TRAILING_STOP_MARKET".split()
)
_TWISTS = st.fixed_dictionaries(
    {},
    optional={
        "side": st.sampled_from(["BUY", "SELL", ""]), "type": st.sampled_from(_TYPES),
        "belowType": st.sampled_from(_TYPES), "timeInForce": st.sampled_from("GTC IOC FOK GTX GTD".split()),
        **{name: st.sampled_from("0 0.001 0.0005 1 9999999 29000 31000.01 1e5 -1".split()) for name in (
            "quantity", "price", "stopPrice", "triggerPrice", "quoteOrderQty", "icebergQty", "trailingDelta",
            "callbackRate", "activatePrice", "goodTillDate", "abovePrice", "belowStopPrice", "belowPrice",
        )},
        "reduceOnly": st.sampled_from(["true", "false", "maybe"]), "closePosition": st.sampled_from(["true", "false"]),
        "positionSide": st.sampled_from(["BOTH", "LONG", "nope"]), "newClientOrderId": st.text(max_size=4),
    },
)  # fmt: skip


@settings(max_examples=150)
@given(st.sampled_from(sorted(_PLAIN)), _TWISTS)
def test_no_order_is_answered_with_anything_but_a_result_or_a_code(path: str, twists: dict[str, str]) -> None:
    status, told = _DESK.sign("POST", path, **_PLAIN[path] | twists)
    assert status == 200 or (400 <= status < 500 and told["code"] < 0 and told["msg"])


_DESK = Desk(limits={name: Limits(weight_1m=1 << 40, orders_10s=1 << 40) for name in ("binance", "binanceusdm")})
