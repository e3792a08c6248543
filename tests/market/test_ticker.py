"""Prices now, asked of a practice exchange by the real ccxt client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.cache import Cache
from workbench.market.instrument import Instrument
from workbench.market.sources.clients import Route
from workbench.market.ticker import Tickers, fetch_tickers, tickers
from workbench.practice.exchange import Exchange
from workbench.practice.markets import RecordedMarket

START = 1_700_006_400_000
SYMBOLS = [f"C{number:03}/USDT" for number in range(160)]


def market(symbol: str, price: float) -> RecordedMarket:
    minutes = 1_500
    flat = np.full(minutes, price)
    facts = Instrument(symbol=symbol, venue="binance", quote="USDT", tick_size=0.01, lot_size=0.001, min_notional=5.0)
    ts = START + 60_000 * np.arange(minutes)
    return RecordedMarket(
        Bars(instrument=facts, timeframe="1m", ts=ts, open=flat, high=flat, low=flat, close=flat, volume=flat)
    )


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    with Exchange([market(symbol, 10.0 + number) for number, symbol in enumerate(SYMBOLS)]) as running:
        yield running


def requests(exchange: Exchange) -> int:
    return len(exchange.faults.log) if hasattr(exchange.faults, "log") else 0


def test_many_symbols_and_what_is_not_there(exchange: Exchange) -> None:
    found = tickers([*SYMBOLS, "C000/USD", "C001/USDT"], route=exchange.route, store=Cache())
    assert [row.symbol for row in found] == SYMBOLS and found.venue == "practice-binance"
    assert found["C007/USDT"].last == 17.0
    assert found["C007/USDT"].bid <= 17.0 <= found["C007/USDT"].ask
    assert list(found.missing) == ["C000/USD"]
    assert found.missing["C000/USD"].startswith("the venue does not list it; did you mean 'C000/USDT'")
    frame = found.to_pandas()
    assert list(frame.columns) == "symbol bid ask last mid volume change ts age".split() and len(frame) == 160
    assert "does not list it" in found._repr_html_() and "1 missing" in repr(found)
    with pytest.raises(DataError, match="C000/USD at practice-binance: the venue does not list it"):
        found["C000/USD"]


def test_an_answer_is_given_again_for_ten_seconds(exchange: Exchange) -> None:
    now = [1_000.0]
    store = Cache(clock=lambda: now[0])
    first = tickers(SYMBOLS[:3], route=exchange.route, store=store)
    asked = store.stats().writes
    again = tickers(SYMBOLS[:3], route=exchange.route, store=store)
    assert again.rows == first.rows and store.stats().writes == asked
    tickers(SYMBOLS[:4], route=exchange.route, store=store)
    assert store.stats().writes == asked + 1  # only the new one was asked for
    now[0] += 10.1
    tickers(SYMBOLS[:3], route=exchange.route, store=store)
    assert store.stats().writes == asked + 4
    tickers(SYMBOLS[:3], route=exchange.route, store=store, max_age_s=0)
    assert store.stats().writes == asked + 7


def test_inside_a_running_loop(exchange: Exchange) -> None:
    async def both() -> tuple[Tickers, Tickers]:
        return tickers(SYMBOLS[:2], route=exchange.route, store=Cache()), await fetch_tickers(
            SYMBOLS[:2], route=exchange.route, store=Cache()
        )

    one, other = asyncio.run(both())
    assert [row.symbol for row in one] == [row.symbol for row in other] == SYMBOLS[:2]


def test_a_venue_that_does_not_answer_is_said_for_every_symbol(exchange: Exchange) -> None:
    nobody = Route(port=1, certificate=exchange.route.certificate)
    found = tickers(SYMBOLS[:2], route=nobody, store=Cache())
    assert not len(found) and list(found.missing) == SYMBOLS[:2]
    assert "the markets could not be loaded" in found.missing[SYMBOLS[0]]


@pytest.mark.parametrize("symbols", ["BTC/USDT", [1], []])
def test_what_is_no_list_of_symbols_is_refused(symbols: object) -> None:
    with pytest.raises(DataError, match="give a list of text"):
        tickers(symbols, store=Cache())  # type: ignore[arg-type]


def test_a_venue_that_ccxt_does_not_know() -> None:
    with pytest.raises(ConfigError, match="ccxt knows no venue 'binanse'; did you mean"):
        tickers(["BTC/USDT"], venue="binanse", store=Cache())
