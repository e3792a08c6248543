"""Facts of markets in the three ways in which ccxt gives precision; ccxt's own classes hold the markets."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest

from workbench.errors import DataError
from workbench.market.instrument import Instrument
from workbench.market.sources.facts import market_rows, require_markets, require_timeframe, tier_rows
from workbench.market.venue_tables import instrument_of


def market(symbol: str, **more: Any) -> dict[str, Any]:
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    usual = {
        "id": base + quote, "symbol": symbol, "base": base, "quote": quote, "settle": settle or None, "active": True,
        "spot": not settle, "swap": bool(settle), "contract": bool(settle), "linear": settle == quote,
        "inverse": bool(settle) and settle == base, "option": False, "maker": 0.0002, "taker": 0.0005,
        "precision": {"price": 0.01, "amount": 0.001}, "limits": {"cost": {"min": 5}, "leverage": {"max": 75}},
    }  # fmt: skip
    return usual | more


def client(*markets: dict[str, Any], mode: int = ccxt.TICK_SIZE) -> Any:
    made = ccxt.Exchange({"precisionMode": mode, "timeframes": {"1m": "1", "1h": "60"}})
    made.markets = {one["symbol"]: one for one in markets}
    return made


def test_what_ccxt_says_becomes_the_facts_of_an_instrument() -> None:
    [row] = market_rows(client(market("BTC/USDT:USDT", contractSize=0.1)))
    assert instrument_of(row, "okx") == Instrument(
        symbol="BTC/USDT:USDT", venue="okx", kind="linear", quote="USDT", tick_size=0.01, lot_size=0.001,
        min_notional=5.0, maker_fee=0.0002, taker_fee=0.0005, contract_size=0.1, max_leverage=75.0,
    )  # fmt: skip
    [row] = market_rows(client(market("BTC/USD:BTC", contractSize=100)))
    assert instrument_of(row, "okx").kind == "inverse"


@pytest.mark.parametrize(
    ("mode", "price", "step"),
    [(ccxt.TICK_SIZE, 0.05, 0.05), (ccxt.DECIMAL_PLACES, 3, 0.001), (ccxt.SIGNIFICANT_DIGITS, 5, None)],
)
def test_precision_is_a_step_whichever_way_it_is_said(mode: int, price: float, step: float | None) -> None:
    [row] = market_rows(client(market("A/B", precision={"price": price, "amount": None}), mode=mode))
    assert (row["tick_size"], row["lot_size"]) == (step, None)


def test_what_a_venue_does_not_say_is_missing_and_then_usual() -> None:
    [row] = market_rows(client(market("A/USDT", maker=None, taker=float("nan"), limits={}, precision={})))
    assert [row[name] for name in ("maker_fee", "taker_fee", "min_notional", "tick_size")] == [None] * 4
    assert instrument_of(row, "x") == Instrument.default("A/USDT", "x")


def test_options_are_no_markets_of_ours_and_unknown_ones_are_named() -> None:
    some = client(market("BTC/USDT"), market("BTC/USD:BTC-240101-C", option=True))
    assert [row["symbol"] for row in market_rows(some)] == ["BTC/USDT"]
    require_markets(some, ["BTC/USDT"], "x")
    for symbol, said in (("btcusdt", "did you mean 'BTC/USDT'"), ("ZZ", "it has 2 others, such as")):
        with pytest.raises(DataError, match=said):
            require_markets(some, [symbol], "x")
    with pytest.raises(DataError, match="is an option"):
        require_markets(some, ["BTC/USD:BTC-240101-C"], "x")
    with pytest.raises(DataError, match="x has no 5m candles; it has 1m, 1h"):
        require_timeframe(some, "5m", "x")


def test_leverage_tiers_take_off_what_keeps_the_margin_whole() -> None:
    tiers = [
        {"minNotional": 50_000, "maintenanceMarginRate": 0.01, "maxLeverage": 20},
        {"minNotional": 0, "maintenanceMarginRate": 0.005, "maxLeverage": 50},
        {"minNotional": 250_000, "maintenanceMarginRate": 0.05, "maxLeverage": 5},
    ]
    rows = tier_rows({"A/B:B": tiers, "C/D:D": [{"minNotional": 5, "maintenanceMarginRate": 0.1}]})
    found = [(row["symbol"], row["floor"], row["rate"], row["amount"], row["max_leverage"]) for row in rows]
    assert found == [
        ("A/B:B", 0.0, 0.005, 0.0, 50.0),
        ("A/B:B", 50_000.0, 0.01, 250.0, 20.0),
        ("A/B:B", 250_000.0, 0.05, 10_250.0, 5.0),
    ]
