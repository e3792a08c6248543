from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import DataError
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.tables import TableKey, find_tables, funding, table_store, trades, write_events
from workbench.market.venue_tables import MARKET_FACTS, listing, markets, write_venue_table

DAY = 86_400_000
KEY = TableKey("binance", "BTC/USDT", "trades")
FACTS = Instrument.default("BTC/USDT", "binance")


def write(root: Path, rows: list[tuple[object, ...]], key: TableKey = KEY) -> tuple[int, int, int]:
    did = write_events(table_store(root, key), key, rows, instrument=FACTS, source="a test")
    return did.added, did.identical, did.kept


def trade(ts: int, name: str, price: float = 10.0) -> tuple[object, ...]:
    return ts, name, price, 2.0, 1


def test_trades_join_what_is_there_in_the_order_of_the_venue(tmp_path: Path) -> None:
    assert write(tmp_path, [trade(DAY, "b"), trade(DAY, "a"), trade(2 * DAY, "c")]) == (3, 0, 0)
    assert write(tmp_path, [trade(5, "x"), trade(DAY, "a"), trade(DAY, "d")]) == (2, 1, 0)
    ticks = trades("BTC/USDT", root=tmp_path)
    assert ticks.ts.tolist() == [5, DAY, DAY, DAY, 2 * DAY]
    assert ticks.instrument == FACTS
    assert len(table_store(tmp_path, KEY).manifest().parts) == 3
    assert trades("BTC/USDT", DAY, 2 * DAY, root=tmp_path).ts.tolist() == [DAY] * 3
    assert find_tables(tmp_path) == [KEY]
    assert Lake(tmp_path).series() == []


def test_a_trade_that_differs_from_the_lake_is_not_taken(tmp_path: Path) -> None:
    write(tmp_path, [trade(DAY, "b")])
    assert write(tmp_path, [trade(DAY, "b", 11.0)]) == (0, 0, 1)
    assert trades("BTC/USDT", root=tmp_path).price.tolist() == [10.0]


def test_funding_rates_are_a_series_by_time(tmp_path: Path) -> None:
    key = TableKey("binance", "BTC/USDT:USDT", "funding")
    write(tmp_path, [(8 * 3_600_000 + 3, 0.0001), (16 * 3_600_000, -0.0002)], key)
    rates = funding("BTC/USDT:USDT", root=tmp_path)
    assert rates.index.strftime("%H:%M:%S.%f").tolist() == ["08:00:00.000000", "16:00:00.000000"]
    assert rates.tolist() == [0.0001, -0.0002]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    write(tmp_path, [trade(DAY, "b")])
    write(tmp_path, [trade(DAY, "b")], KEY._replace(venue="kraken"))
    for given, said in (
        ({"symbol": "BTC/USDT"}, "of 2 venues: 'binance', 'kraken'; say which one with venue='binance'"),
        ({"symbol": "BTC/USD"}, "did you mean 'BTC/USDT'"),
        ({"symbol": "BTC/USDT", "venue": "kraken", "start": 5 * DAY}, "the lake has 1 from 1970-01-02"),
        ({"symbol": "BTC/USDT", "venue": "okx"}, "at okx"),
    ):
        with pytest.raises(DataError) as caught:
            trades(root=tmp_path, **given)  # type: ignore[arg-type]
        assert said in str(caught.value)
    with pytest.raises(DataError, match="has no funding of 'BTC/USDT'; it has funding of 0 other symbols"):
        funding("BTC/USDT", root=tmp_path)


def test_a_damaged_part_is_never_read(tmp_path: Path) -> None:
    write(tmp_path, [trade(DAY, "b")])
    store = table_store(tmp_path, KEY)
    [part] = store.manifest().parts
    content = bytearray(store.path(part).read_bytes())
    content[len(content) // 2] ^= 1
    store.path(part).write_bytes(content)
    with pytest.raises(DataError, match="checksum"):
        trades("BTC/USDT", root=tmp_path)


def row(symbol: str, **facts: object) -> dict[str, object]:
    return dict.fromkeys(MARKET_FACTS) | {"symbol": symbol, "kind": "spot", "quote": "USDT"} | facts


def test_markets_are_known_as_they_were_at_a_time(tmp_path: Path) -> None:
    assert write_venue_table(tmp_path, "okx", "markets", [row("A/USDT", tick_size=0.1), row("B/USDT")], 100) == 2
    assert write_venue_table(tmp_path, "okx", "markets", [row("A/USDT", tick_size=0.1), row("B/USDT")], 150) == 0
    assert write_venue_table(tmp_path, "okx", "markets", [row("A/USDT", tick_size=0.01)], 200) == 1
    assert markets("okx", root=tmp_path)["tick_size"].tolist()[0] == 0.01
    assert markets("okx", at=199, root=tmp_path).loc["A/USDT", "tick_size"] == 0.1
    assert listing("A/USDT", "okx", at=150, root=tmp_path).tick_size == 0.1
    with pytest.raises(DataError, match="no markets of 'okx' at that time"):
        markets("okx", at=99, root=tmp_path)


def test_a_funding_interval_that_rates_have_shown_stays(tmp_path: Path) -> None:
    one = row("A/USDT:USDT", kind="linear")
    write_venue_table(tmp_path, "okx", "markets", [one], 100)
    write_venue_table(tmp_path, "okx", "markets", [one | {"funding_interval_h": 4.0}], 200)
    assert write_venue_table(tmp_path, "okx", "markets", [one], 300) == 0
    assert listing("A/USDT:USDT", "okx", root=tmp_path).funding_interval_h == 4.0
