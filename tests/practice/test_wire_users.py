"""What Binance's user streams tell, event by event, and the websocket API beside them; without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.practice.stage import T0
from tests.practice.test_wire_binance import FUTURES, ORDER, Desk, Heard
from workbench.practice.wire.protocol import Call, Talk
from workbench.practice.wire.signing import PRACTICE, hmac_hex, websocket_payload


@pytest.fixture
def desk() -> Desk:
    return Desk()


def api(desk: Desk, path: str = "/ws-api/v3") -> tuple[Heard, Talk]:
    socket = Heard()
    talk = (desk.usdm if "fapi" in path else desk.spot).open(Call.read("GET", path, b"", {}), socket)
    assert talk is not None
    return socket, talk


def call(desk: Desk, socket: Heard, talk: Talk, method: str, secret: str = PRACTICE.secret, **params: Any) -> Any:
    """Ask something signed over the websocket API; the answer, apart from the events that came with it."""
    told = {**params, "apiKey": PRACTICE.key, "timestamp": desk.exchange.now}
    told["signature"] = hmac_hex(secret, websocket_payload(told))
    talk.said(json.dumps({"id": "7", "method": method, "params": told}))
    [answer] = [one for one in socket.messages if "status" in one]
    socket.messages.remove(answer)
    assert answer["id"] == "7" and answer["rateLimits"][0]["count"] > 0
    return answer


def last_price(desk: Desk, path: str) -> float:
    return float(desk.ask("GET", f"{path}/ticker/price", symbol="BTCUSDT")[1]["price"])


def test_spot_tells_of_orders_fills_and_money_in_order(desk: Desk) -> None:
    socket, talk = api(desk)
    assert call(desk, socket, talk, "userDataStream.subscribe.signature")["result"] == {"subscriptionId": 0}
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    placed = call(desk, socket, talk, "order.place", **order, newOrderRespType="FULL")["result"]
    events = [one["event"] for one in socket.messages]
    assert [(one["e"], one.get("x")) for one in events] == [
        ("executionReport", "NEW"), ("executionReport", "TRADE"), ("outboundAccountPosition", None),
    ]  # fmt: skip
    trade, money = events[1], events[2]
    assert trade["i"] == placed["orderId"] and trade["t"] == placed["fills"][0]["tradeId"]
    assert (trade["X"], trade["z"], trade["N"], trade["m"]) == ("FILLED", "0.10000000", "BTC", False)
    assert {row["a"]: row["f"] for row in money["B"]}["BTC"] == "10.09990000"
    socket.messages.clear()
    desk.exchange.engine.adjust("practice", "USDT", -5.0, "withdraw")
    assert [(one["event"]["e"], one["event"].get("d")) for one in socket.messages] == [
        ("balanceUpdate", "-5.00000000"), ("outboundAccountPosition", None),
    ]  # fmt: skip
    talk.closed()
    socket.messages.clear()
    desk.sign("POST", ORDER, **order)
    assert socket.messages == []


def test_spot_tells_of_lists_and_cancels(desk: Desk) -> None:
    socket, talk = api(desk)
    call(desk, socket, talk, "userDataStream.subscribe.signature")
    last = last_price(desk, "/api/v3")
    sent = call(
        desk, socket, talk, "orderList.place.oco", symbol="BTCUSDT", side="SELL", quantity="0.1",
        aboveType="LIMIT_MAKER", abovePrice=f"{last * 1.1:.2f}", belowType="STOP_LOSS",
        belowStopPrice=f"{last * 0.9:.2f}",
    )["result"]  # fmt: skip
    kinds = [one["event"]["e"] for one in socket.messages]
    assert kinds.count("listStatus") == 1 and kinds.count("executionReport") == 2
    socket.messages.clear()
    call(desk, socket, talk, "orderList.cancel", symbol="BTCUSDT", orderListId=sent["orderListId"])
    events = [one["event"] for one in socket.messages]
    assert [one["x"] for one in events if one["e"] == "executionReport"] == ["CANCELED", "CANCELED"]
    assert [one["L"] for one in events if one["e"] == "listStatus"] == ["ALL_DONE"]


def test_the_websocket_api_refuses_in_the_same_words(desk: Desk) -> None:
    socket, talk = api(desk)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    assert call(desk, socket, talk, "order.place", "wrong", **order)["error"]["code"] == -1022
    assert call(desk, socket, talk, "order.place", **order | {"quantity": "0"})["error"]["code"] == -1013
    assert call(desk, socket, talk, "order.fly", **order)["error"]["code"] == -1006
    for text in ("{", '{"method":"time","params":[1],"id":1}'):
        talk.said(text)
        assert socket.messages.pop()["status"] == 400
    talk.said('{"method":"time","id":3}')
    assert socket.messages.pop()["result"] == {"serverTime": desk.exchange.now}


def user(desk: Desk) -> Heard:
    answer = desk.usdm.answer(Call.read("POST", "/fapi/v1/listenKey", b"", {"X-MBX-APIKEY": PRACTICE.key}))
    key, socket = json.loads(answer.body)["listenKey"], Heard()
    assert desk.usdm.open(Call.read("GET", f"/private/ws?listenKey={key}", b"", {}), socket) is not None
    assert desk.usdm.open(Call.read("GET", "/private/ws?listenKey=other", b"", {}), socket) is None
    return socket


def test_futures_tell_what_a_trade_did_in_one_event_and_of_funding(desk: Desk) -> None:
    socket = user(desk)
    desk.sign("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=10)
    desk.sign("POST", FUTURES, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
    assert [(one["e"], one.get("o", {}).get("x")) for one in socket.messages] == [
        ("ACCOUNT_CONFIG_UPDATE", None), ("ORDER_TRADE_UPDATE", "NEW"), ("ORDER_TRADE_UPDATE", "TRADE"),
        ("ACCOUNT_UPDATE", None),
    ]  # fmt: skip
    assert socket.messages[0]["ac"] == {"s": "BTCUSDT", "l": 10}
    trade, account = socket.messages[2]["o"], socket.messages[3]["a"]
    assert (trade["X"], trade["z"], trade["N"], trade["R"]) == ("FILLED", "0.100", "USDT", False)
    assert account["m"] == "ORDER" and account["P"][0]["pa"] == "0.100" and account["P"][0]["ep"] == trade["ap"]
    fee = float(trade["n"])
    assert float(account["B"][0]["wb"]) == pytest.approx(100_000 - fee) and account["B"][0]["bc"] == "0.00000000"
    socket.messages.clear()
    desk.exchange.advance_to(T0 + 8 * 3_600_000)
    [funding] = [one for one in socket.messages if one["e"] == "ACCOUNT_UPDATE"]
    [income] = desk.sign("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")[1]
    assert funding["a"]["m"] == "FUNDING_FEE" and funding["E"] == T0 + 8 * 3_600_000
    assert funding["a"]["B"][0]["bc"] == income["income"] and float(income["income"]) < 0


def test_a_futures_stop_is_told_while_it_waits_when_it_triggers_and_when_it_is_done(desk: Desk) -> None:
    desk.sign("POST", FUTURES, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
    socket, last = user(desk), last_price(desk, "/fapi/v1")
    for side, level in (("SELL", last - 15), ("SELL", last * 0.5)):
        desk.sign(
            "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side=side, type="STOP_MARKET",
            quantity="0.05", triggerPrice=f"{level:.2f}", reduceOnly="true", clientAlgoId=f"stop-{level < last * 0.9}",
        )  # fmt: skip
    desk.exchange.advance(12 * 3_600_000)
    assert desk.sign("DELETE", "/fapi/v1/algoOpenOrders", symbol="BTCUSDT")[0] == 200
    first = [one["o"] for one in socket.messages if one.get("o", {}).get("caid") == "stop-False"]
    assert [one["X"] for one in first] == ["NEW", "TRIGGERED", "FINISHED"]
    assert first[-1]["aq"] == "0.050" and first[-1]["ai"] == str(first[0]["aid"])
    second = [one["o"]["X"] for one in socket.messages if one.get("o", {}).get("caid") == "stop-True"]
    assert second == ["NEW", "CANCELED"]
    fills = [one["o"] for one in socket.messages if one["e"] == "ORDER_TRADE_UPDATE" and one["o"]["x"] == "TRADE"]
    assert [one["z"] for one in fills][-1] == "0.050" and fills[-1]["ot"] == "STOP_MARKET"
    listed = desk.sign("GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT")[1]
    assert [row["algoStatus"] for row in listed] == ["FINISHED", "CANCELED"]


def test_a_listen_key_lasts_until_it_is_taken_away(desk: Desk) -> None:
    path = "/fapi/v1/listenKey"
    assert desk.refused("PUT", path) == -1125
    _, first = desk.sign("POST", path)
    assert desk.sign("POST", path)[1] == desk.sign("PUT", path)[1] == first
    assert desk.usdm.users.account_of(first["listenKey"]) == PRACTICE.account
    desk.sign("DELETE", path)
    assert desk.refused("PUT", path) == -1125
    assert desk.usdm.users.account_of(first["listenKey"]) == ""
    assert desk.sign("POST", path)[1] != first
