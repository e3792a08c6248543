"""The lake: what is written comes back bit for bit, in any range, and mistakes are named."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.made_bars import START, assert_same, make_bars
from workbench.errors import DataError
from workbench.market.bars import Bars, digest_blocks, fingerprint_of
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake, lake, read
from workbench.market.timeframe import Timeframe


@pytest.fixture
def pool(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


# ----- writing and reading


def test_what_is_written_comes_back(pool: Lake) -> None:
    bars = make_bars(20_000)  # three years, three blocks
    report = pool.write(bars, source="test", licence="CC0", note="made")
    got = pool.read("BTC/USDT", "1h")
    assert_same(got, bars)
    assert str(report) == "BTC/USDT 1h at binance: 20,000 added; 20,000 bars"
    assert got.fingerprint == bars.fingerprint == report.fingerprint
    assert {name: got.provenance[name] for name in ("source", "licence", "note")} == {
        "source": "test", "licence": "CC0", "note": "made",
    }  # fmt: skip
    assert not got.close.flags.writeable and got.filled is None


def test_one_file_per_block(pool: Lake) -> None:
    pool.write(make_bars(20_000), source="test")
    assert len(list(pool.root.glob("venue=binance/symbol=BTC%2FUSDT/timeframe=1h/*.parquet"))) == 3


def test_fill_marks_come_back(pool: Lake) -> None:
    filled = np.arange(20_000) % 1_000 == 5
    bars = make_bars(20_000, filled=filled)
    pool.write(bars, source="test")
    assert_same(pool.read("BTC/USDT", "1h"), bars)
    assert pool.series()[0].filled == 20
    assert pool.read("BTC/USDT", "1h", "2021-01-02", "2021-01-03").filled is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, None),
        ("2021-06-01", None),
        (None, "2021-06-01"),
        ("2021-12-31T22:00", "2022-01-01T02:00+00:00"),
        (dt.datetime(2022, 3, 1), dt.datetime(2022, 3, 2, tzinfo=dt.timezone(dt.timedelta(hours=3)))),
        (START + 1, START + 2 * 3_600_000),
        (0, 10**13),
        ("2022-01-01", "2022-01-01T01:00"),
    ],
)
def test_a_range_is_cut_like_bars_between(pool: Lake, start: Any, end: Any) -> None:
    bars = make_bars(20_000)
    pool.write(bars, source="test")
    assert_same(pool.read("BTC/USDT", "1h", start, end), bars.between(start, end))


def test_only_the_files_of_the_range_are_opened(pool: Lake) -> None:
    pool.write(make_bars(20_000), source="test")
    for path in sorted(pool.root.rglob("*.parquet")):
        path.unlink()  # whatever is opened now would be missed
    pool.write(make_bars(10, start="2030-01-01"), source="test")
    assert len(pool.read("BTC/USDT", "1h", "2030-01-01")) == 10


def test_any_spelling_of_a_timeframe(pool: Lake) -> None:
    pool.write(make_bars(timeframe="60m"), source="test")
    assert str(pool.read("BTC/USDT", "3600s").timeframe) == "1h"
    assert pool.read("BTC/USDT", Timeframe.parse("1h")).fingerprint == pool.read("BTC/USDT", "60m").fingerprint


AWKWARD = [
    "BTC/USDT:USDT-240329",
    "../../x",
    "..",
    "a b",
    "100%",
    "%2F",
    "1001",
    "Ω",
    "x=y",
    "*?[a]",
    "'\"",
    "\\",
    "\n",
]


@pytest.mark.parametrize("symbol", AWKWARD)
def test_any_symbol_and_venue_stays_inside_the_lake(pool: Lake, symbol: str) -> None:
    bars = make_bars(symbol=symbol, venue=symbol)
    pool.write(bars, source="test")
    assert_same(pool.read(symbol, "1h"), bars)
    assert_same(pool.read(symbol, "1h", venue=symbol), bars)
    assert (pool.series()[0].symbol, pool.series()[0].venue) == (symbol, symbol)
    assert pool.sql("SELECT DISTINCT venue, symbol FROM bars").to_numpy().tolist() == [[symbol, symbol]]
    assert [path.name for path in pool.root.parent.iterdir()] == ["lake"]
    assert all(len(path.relative_to(pool.root).parts) == 4 for path in pool.root.rglob("*.parquet"))
    pool.delete(symbol, "1h")
    assert list(pool.root.iterdir()) == []


def test_a_venue_may_be_left_out_when_there_is_one(pool: Lake) -> None:
    pool.write(make_bars(), source="test")
    pool.write(make_bars(shift=1, venue="kraken"), source="test")
    pool.write(make_bars(symbol="ETH/USDT", venue="kraken"), source="test")
    assert pool.read("ETH/USDT", "1h").venue == "kraken"
    assert pool.read("BTC/USDT", "1h", venue="kraken").close[0] == make_bars(shift=1).close[0]
    with pytest.raises(DataError, match="BTC/USDT 1h is at 2 venues: 'binance', 'kraken'; say which one with venue="):
        pool.read("BTC/USDT", "1h")


@settings(max_examples=25)
@given(
    st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=20),
    st.sampled_from(["1s", "15s", "1m", "7m", "15m", "4h", "1d", "1w"]),
    st.integers(-1_500, 1_500),
)
def test_any_price_and_timeframe_comes_back_bit_for_bit(prices: list[float], timeframe: str, weeks: int) -> None:
    length, price = Timeframe.parse(timeframe), np.array(prices)
    ts = length.floor(START) + weeks * 604_800_000 + np.arange(len(price)) * max(length.ms, 604_800_000)
    bars = Bars(
        instrument=Instrument.default("X/Y"), timeframe=length, ts=ts,
        open=price, high=price, low=price, close=price, volume=price * 0.0,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        pool = Lake(folder)
        pool.write(bars, source="test")
        assert_same(pool.read("X/Y", timeframe), bars)
        assert pool.series()[0].fingerprint == fingerprint_of(digest_blocks(bars))


# ----- mistakes


def test_an_unknown_series_is_answered_with_what_is_there(pool: Lake) -> None:
    with pytest.raises(DataError, match=r"has no BTC/USDT 1h; it is empty: `workbench data import FILE` puts"):
        pool.read("BTC/USDT", "1h")
    pool.write(make_bars(), source="test")
    with pytest.raises(DataError, match="has no BTC/USDT 1m; it has BTC/USDT as 1h at binance"):
        pool.read("BTC/USDT", "1m")
    with pytest.raises(DataError, match="has no BTC/USDT 1h at kraken; it has BTC/USDT as 1h at binance"):
        pool.read("BTC/USDT", "1h", venue="kraken")
    for wrong in ("BTCUSDT", "btc/usdt", "BTC-USDT"):
        with pytest.raises(DataError, match=r"did you mean 'BTC/USDT'\? `workbench data list` shows all") as caught:
            pool.read(wrong, "1h")
        assert caught.value.fields["close"] == ["BTC/USDT"]
    with pytest.raises(DataError, match="it has 1 other series: `workbench data list`"):
        pool.read("QQQ", "1h")
    with pytest.raises(DataError, match="timeframe 'hourly' is not understood"):
        pool.read("BTC/USDT", "hourly")


@pytest.mark.parametrize(
    ("start", "end"), [("2022-01-01", None), (None, "2020-01-01"), ("2021-01-01T00:10", "2021-01-01T00:20")]
)
def test_a_range_without_bars_is_answered_with_what_is_there(pool: Lake, start: Any, end: Any) -> None:
    pool.write(make_bars(10), source="test")
    with pytest.raises(
        DataError, match=r"has no bars from .* to .*; it has 10 from 2021-01-01 to 2021-01-01 10:00 UTC"
    ):
        pool.read("BTC/USDT", "1h", start, end)


def test_a_range_in_a_hole_or_backwards_or_no_time(pool: Lake) -> None:
    pool.write(make_bars(2, step=100), source="test")
    with pytest.raises(DataError, match="has no bars from 2021-01-02 to 2021-01-03; it has 2 from"):
        pool.read("BTC/USDT", "1h", "2021-01-02", "2021-01-03")
    with pytest.raises(DataError, match="the range from 2021-01-03 to 2021-01-02 is empty; `start` must come before"):
        pool.read("BTC/USDT", "1h", "2021-01-03", "2021-01-02")
    with pytest.raises(DataError, match="'soon' is no time"):
        pool.read("BTC/USDT", "1h", "soon")


def test_writes_that_make_no_sense(pool: Lake) -> None:
    with pytest.raises(DataError, match="there are no bars to write"):
        pool.write(make_bars(0), source="test")
    with pytest.raises(DataError, match="on_conflict is 'ignore'; it must be one of 'error', 'keep', 'replace'"):
        pool.write(make_bars(), source="test", on_conflict="ignore")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="mode is 'append'; it must be one of 'merge', 'replace'"):
        pool.write(make_bars(), source="test", mode="append")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="is not between 1900 and 2200; is it in seconds, microseconds or nanoseconds"):
        pool.write(make_bars(start=START * 1_000_000 // 3_600_000 * 3_600_000), source="test")
    with pytest.raises(DataError, match="calendar '24/6' is unknown"):
        pool.write(make_bars(step=50, instrument=Instrument(symbol="X", calendar="24/6")), source="test")
    assert pool.series() == []


# ----- the workspace's lake


def test_the_lake_of_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    assert lake().root == tmp_path / "data" / "lake"
    lake().write(make_bars(), source="test")
    assert_same(read("BTC/USDT", "1h", "2021-01-01T05:00", venue="binance"), make_bars()[5:])


def test_reading_loads_no_heavy_library(pool: Lake) -> None:
    pool.write(make_bars(), source="test")
    code = (
        "import sys; from workbench.market.lake import Lake; Lake(sys.argv[1]).read('BTC/USDT', '1h').close.sum(); "
        "print(sorted({'pandas', 'duckdb', 'filelock', 'exchange_calendars', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(pool.root)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_not_said_of_the_origin_comes_with_the_bars(pool: Lake) -> None:
    bars = make_bars(3)
    pool.write(bars)
    assert pool.read("BTC/USDT", "1h").provenance["source"] == "unknown"
    told = replace(bars, provenance={"source": "a desk", "licence": "MIT", "note": "by hand"})
    pool.write(told, mode="replace", note="again")
    read_back = pool.read("BTC/USDT", "1h").provenance
    assert (read_back["source"], read_back["licence"], read_back["note"]) == ("a desk", "MIT", "again")


def test_what_cannot_be_written_or_asked_for_is_named(tmp_path: Path) -> None:
    place, bars = Lake(tmp_path), make_bars(3)
    with pytest.raises(DataError, match="a DataFrame cannot be written: give wb"):
        place.write(bars.to_pandas())
    with pytest.raises(DataError, match="source is 5; say it in text"):  # it would break the catalog of all series
        place.write(bars, source=5)
    with pytest.raises(DataError, match="symbol is None; give text"):
        place.read(None, "1h")
    assert len(place.catalog()) == 0
