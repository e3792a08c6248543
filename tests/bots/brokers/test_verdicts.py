"""The error table: every kind of error, for every operation, and in the words of the venues."""

from __future__ import annotations

import asyncio
import binascii
from types import SimpleNamespace
from typing import Any

import ccxt
import pytest

from workbench.bots.brokers.names import Names
from workbench.bots.brokers.verdicts import RULES, VENUE_REJECTIONS, code_of, judge
from workbench.errors import BrokerFatal, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.trading.gate import REJECTIONS
from workbench.trading.orders import client_order_id

CHANGES = ("submit", "cancel", "amend")


def judged(error: Exception, operation: Any = "submit", headers: Any = None) -> Any:
    client = SimpleNamespace(apiKey="the-key", secret="the-secret", last_response_headers=headers or {})
    return judge(error, operation, venue="somewhere", client=client, asked="order x")


LOST = [
    ccxt.RequestTimeout("binance POST https://x timeout"), ccxt.NetworkError("closed"),
    ccxt.ExchangeNotAvailable("binance 503 Service Unavailable <html>"), ccxt.OperationFailed('{"code":-1001}'),
    ccxt.RequestTimeout('binance {"code":-1007,"msg":"Timeout waiting for response; execution status unknown."}'),
    ccxt.BadResponse("half"), ccxt.NullResponse("none"), TimeoutError(), KeyError("id"), ConnectionResetError(),
]  # fmt: skip


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_lost_answer_is_unknown_for_what_changes_and_transient_for_what_reads(error: Exception) -> None:
    assert [type(judged(error, operation)) for operation in CHANGES] == [BrokerUnknown] * 3
    assert type(judged(error, "read")) is BrokerTransient


def test_what_never_left_is_transient() -> None:
    import aiohttp

    cause = aiohttp.ClientConnectorError(SimpleNamespace(host="h", port=1, ssl=True), OSError("refused"))  # type: ignore[arg-type]
    error = ccxt.ExchangeNotAvailable("binance POST https://x")
    error.__cause__ = cause
    assert type(judged(error)) is BrokerTransient


REJECTED = {
    "insufficient_margin": [
        ccxt.InsufficientFunds("binance Account has insufficient balance for requested action."),
        ccxt.InsufficientFunds('{"code":-2019,"msg":"Margin is insufficient."}'),
        ccxt.ExchangeError('kraken {"error":["EOrder:Insufficient funds"]}'),
    ],
    "duplicate_id": [
        ccxt.InvalidOrder("binance Duplicate order sent."),
        ccxt.ExchangeError('{"code":-4116,"msg":"ClientOrderId is duplicated."}'),
    ],
    "post_only_would_take": [
        ccxt.OrderImmediatelyFillable("Order would immediately match and take."),
        ccxt.OrderImmediatelyFillable('{"code":-5022,"msg":"The order could not be executed as maker"}'),
    ],
    "would_trigger": [
        ccxt.OrderImmediatelyFillable('{"code":-2021,"msg":"Order would immediately trigger."}'),
        ccxt.InvalidOrder("Order would trigger immediately."),
    ],
    "below_min_notional": [
        ccxt.BadRequest('{"code":-1013,"msg":"Filter failure: NOTIONAL"}'),
        ccxt.OperationRejected('{"code":-4164,"msg":"Order\'s notional must be no smaller than 5"}'),
    ],
    "off_lot": [
        ccxt.InvalidOrder("Filter failure: LOT_SIZE"),
        ccxt.BadRequest('{"code":-1111,"msg":"Precision is over the maximum defined for this asset."}'),
    ],
    "off_tick": [ccxt.InvalidOrder("Filter failure: PRICE_FILTER")],
    "price_out_of_band": [ccxt.BadRequest("Filter failure: PERCENT_PRICE_BY_SIDE")],
    "too_many_orders": [ccxt.BadRequest("Filter failure: MAX_NUM_ORDERS")],
    "reduce_only_would_increase": [ccxt.OrderNotFillable('{"code":-2022,"msg":"ReduceOnly Order is rejected."}')],
    "unknown_order": [ccxt.OrderNotFound('{"code":-2013,"msg":"Order does not exist."}')],
    "not_trading": [ccxt.MarketClosed("Market is closed."), ccxt.ContractUnavailable("gone")],
    "unknown_instrument": [ccxt.BadSymbol("no")],
    "not_supported": [ccxt.NotSupported("no"), ccxt.ArgumentsRequired("no")],
    "refused_by_venue": [
        ccxt.ExchangeError("EOrder:Something new"),
        ccxt.OperationFailed('{"code":-2021,"msg":"Order cancel-replace partially failed."}'),
    ],
}
TRANSIENT = [
    ccxt.OnMaintenance("later"),
    ccxt.OperationFailed('{"code":-1008,"msg":"overloaded"}'),
    ccxt.InvalidNonce('{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}'),
]
FATAL = [
    ccxt.AuthenticationError('{"code":-1022}'),
    ccxt.PermissionDenied("no"),
    ccxt.AccountSuspended("no"),
    ccxt.DDoSProtection('binance {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}'),
    ccxt.ExchangeError('kraken {"error":["EAPI:Invalid signature"]}'),
    binascii.Error("Incorrect padding"),
]
MEANS = [
    *((error, BrokerRejected, code) for code, errors in REJECTED.items() for error in errors),
    *((error, BrokerTransient, None) for error in TRANSIENT),
    *((error, BrokerFatal, None) for error in FATAL),
]


@pytest.mark.parametrize(("error", "kind", "code"), MEANS, ids=lambda one: repr(one)[:60])
def test_each_error_means_one_thing(error: Exception, kind: type, code: str | None) -> None:
    told = judged(error)
    assert type(told) is kind and told.fields.get("code") == code
    assert str(told).startswith("somewhere: order x: ")


def test_how_long_to_wait() -> None:
    busy = ccxt.DDoSProtection("binance 429 Too Many Requests {}")
    assert judged(busy, headers={"Retry-After": "30"}).fields["retry_ms"] == 30_000
    assert judged(busy).fields["retry_ms"] == 1_000
    assert judged(ccxt.DDoSProtection("binance 418 I'm a teapot {}")).fields["retry_ms"] == 120_000
    assert judged(ccxt.RateLimitExceeded("slow")).fields["verdict"] == "slow"


def test_secrets_stay_out_of_messages() -> None:
    told = judged(ccxt.NetworkError("GET https://x/y?apiKey=the-key&signature=abc the-secret"))
    assert not any(word in str(told) for word in ("the-key", "the-secret", "abc"))


def test_every_code_is_explained_and_every_class_exists() -> None:
    assert {rule.code for rule in RULES if rule.verdict == "rejected"} <= {*REJECTIONS, *VENUE_REJECTIONS}
    assert all(not rule.error or hasattr(ccxt, rule.error) for rule in RULES)
    assert code_of("what is this") == "refused_by_venue" and code_of("Filter failure: LOT_SIZE") == "off_lot"
    assert asyncio.TimeoutError is TimeoutError


@pytest.mark.parametrize("venue", ["binance", "kraken", "hyperliquid", "gate", "okx"])
def test_ids_of_replacements_are_read_back(venue: str) -> None:
    names, ours = Names(venue), client_order_id("bot", 7, "BTC/USDT", "buy", "limit")
    spelled = [names.spell(ours, number) for number in (0, 1, 12)]
    assert len(set(spelled)) == 3 and all(len(text) <= 34 and text.isalnum() for text in spelled)
    assert [names.read(text) for text in spelled] == [(ours, 0), (ours, 1), (ours, 12)]
    assert [Names(venue).read(text) for text in spelled] == [(ours, 0), (ours, 1), (ours, 12)]  # after a restart
    assert names.read("somebody-else") == ("somebody-else", 0) and names.read(None) == ("", 0)
    assert names.read(names.spell("mine", 2)) == ("mine", 2)
    assert Names("gate").read("t-" + ours) == (ours, 0)
