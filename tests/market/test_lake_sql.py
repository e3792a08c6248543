"""SQL over the lake: it sees every series and can change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.market.made_bars import make_bars
from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.market.lake import Lake


@pytest.fixture
def pool(tmp_path: Path) -> Lake:
    pool = Lake(tmp_path / "lake")
    pool.write(make_bars(20_000), source="one", licence="CC0")
    pool.write(make_bars(300, symbol="ETH/USDT", timeframe="1d", filled=np.arange(300) == 7), source="two")
    return pool


def test_bars_are_those_that_read_gives(pool: Lake) -> None:
    frame = pool.sql("SELECT * FROM bars WHERE symbol = 'BTC/USDT' ORDER BY ts")
    assert frame.columns.tolist() == ["venue", "symbol", "timeframe", "ts", *COLUMNS, "filled"]
    expected = pool.read("BTC/USDT", "1h").to_pandas()
    assert (frame["ts"].to_numpy() == expected.index.to_numpy()).all() and str(frame["ts"].dt.tz) in ("UTC", "Etc/UTC")
    for name in COLUMNS:
        assert (frame[name].to_numpy() == expected[name].to_numpy()).all()
    assert frame["timeframe"].unique().tolist() == ["1h"] and frame["venue"].unique().tolist() == ["binance"]


def test_times_are_utc_whatever_the_machine_thinks(pool: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    frame = pool.sql(
        "SELECT date_trunc('day', ts) AS day, count(*) AS n FROM bars WHERE timeframe = '1h' AND ts < '2021-01-03' "
        "GROUP BY day ORDER BY day"
    )
    assert frame["n"].tolist() == [24, 24] and frame["day"].iloc[0] == pd.Timestamp("2021-01-01", tz="UTC")


def test_the_catalogue_is_a_table(pool: Lake) -> None:
    frame = pool.sql("SELECT * FROM catalog")
    assert frame["symbol"].tolist() == ["BTC/USDT", "ETH/USDT"] and frame["filled"].tolist() == [0, 1]
    assert frame["source"].tolist() == ["one", "two"] and frame["fingerprint"].str.len().tolist() == [32, 32]
    joined = pool.sql("SELECT symbol, any_value(rows) AS said, count(*) AS counted FROM bars JOIN catalog USING (venue, symbol, timeframe) GROUP BY symbol")  # fmt: skip # noqa: E501
    assert (joined["said"] == joined["counted"]).all() and joined["counted"].sum() == 20_300


@pytest.mark.parametrize(
    "query",
    [
        "WITH a AS (SELECT close FROM bars) SELECT count(*) FROM a;",
        "from bars select count(*)",
        "  -- how many\n /* really */ (SELECT 1) UNION ALL (SELECT 2)",
        "VALUES (1)",
        "DESCRIBE bars",
        "SHOW TABLES",
        "SUMMARIZE catalog",
        "EXPLAIN SELECT * FROM bars",
        "explain analyze select max(close) from bars",
        "EXPLAIN (FORMAT JSON) SELECT 1",
        "PIVOT bars ON symbol USING avg(close) GROUP BY timeframe",
        "SELECT ';' AS text",
    ],
)
def test_whatever_reads_is_answered(pool: Lake, query: str) -> None:
    assert len(pool.sql(query)) > 0


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO catalog SELECT * FROM catalog",
        "DELETE FROM bars",
        "UPDATE bars SET close = 1",
        "DROP VIEW bars",
        "CREATE TABLE x AS SELECT 1",
        "CREATE TABLE x AS PIVOT bars ON symbol USING avg(close)",
        "SET threads = 1",
        "PRAGMA database_list",
        "ATTACH 'x.duckdb'",
        "INSTALL httpfs",
        "LOAD json",
        "COPY bars TO 'x.csv'",
        "EXPORT DATABASE 'x'",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'",
        "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
        "WITH a AS (SELECT 1) INSERT INTO catalog SELECT * FROM a",
    ],
)
def test_whatever_writes_is_refused_before_it_runs(pool: Lake, query: str) -> None:
    with pytest.raises(DataError, match=r"the query begins with '\w+', but SQL only reads the lake: ask with one of"):
        pool.sql(query)


def test_one_statement_at_a_time(pool: Lake) -> None:
    with pytest.raises(DataError, match="the query has 2 statements; give exactly one, such as SELECT"):
        pool.sql("SELECT 1; SELECT 2")
    with pytest.raises(DataError, match="the query has 0 statements"):
        pool.sql(" -- nothing")


def test_no_file_can_be_reached(pool: Lake, tmp_path: Path) -> None:
    secret, part = tmp_path / "secret.csv", next(pool.root.rglob("*.parquet"))
    secret.write_text("a\n1\n")
    before, listed = part.read_bytes(), sorted(tmp_path.rglob("*"))
    for query in (
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM '{secret}'",
        f"SELECT * FROM read_text('{secret}')",
        f"SELECT * FROM read_parquet('{part}')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"WITH a AS (COPY (SELECT 1 AS x) TO '{tmp_path}/out.csv') SELECT * FROM a",
        f"WITH a AS (COPY (SELECT 1 AS x) TO '{part}' (FORMAT parquet, USE_TMP_FILE false)) SELECT * FROM a",
        f"SELECT * FROM query('WITH a AS (COPY (SELECT 1) TO ''{tmp_path}/out.csv'') SELECT * FROM a')",
        "SELECT * FROM enable_logging(storage = 'file')",
        "SELECT * FROM secret",
    ):
        with pytest.raises(DataError, match=r"the query failed: (?s:.*) The tables are bars \(venue, symbol"):
            pool.sql(query)
    assert part.read_bytes() == before and sorted(tmp_path.rglob("*")) == listed


def test_variables_of_the_caller_are_no_tables(pool: Lake) -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(DataError, match="Table with name frame does not exist"):
        pool.sql("SELECT * FROM frame")
    assert len(frame) == 1


def test_what_duckdb_says_is_passed_on(pool: Lake) -> None:
    with pytest.raises(DataError, match=r"is no SQL that DuckDB understands: (?s:.*)syntax error at or near \"selct\""):
        pool.sql("selct 1")
    with pytest.raises(DataError, match=r"the query failed: (?s:.*)\"price\" not found"):
        pool.sql("SELECT price FROM bars")


def test_an_empty_lake_can_be_asked(tmp_path: Path) -> None:
    assert Lake(tmp_path).sql("SELECT count(*) AS n FROM bars")["n"].tolist() == [0]
    assert Lake(tmp_path).sql("SELECT symbol FROM catalog").empty


def test_a_part_replaced_while_the_query_runs_does_no_harm(tmp_path: Path) -> None:
    pool = Lake(tmp_path, grace_s=0)
    for shift in range(3):
        pool.write(make_bars(10, shift=shift), source="test", on_conflict="replace")
        assert pool.sql("SELECT min(close - shift) AS m FROM bars, (SELECT 0 AS shift)")["m"][0] > 0


def test_one_changed_bit_is_not_believed(pool: Lake) -> None:
    noise = np.random.default_rng(0).random(5_000)  # does not compress, so that a changed bit is a changed volume
    pool.write(make_bars(5_000, symbol="SOL/USDT", timeframe="1d", start="1990-01-01", volume=noise), source="three")
    [part] = pool.root.glob("*/symbol=SOL*/*/*.parquet")
    column = pq.ParquetFile(part).metadata.row_group(0).column(list(COLUMNS).index("volume") + 1)
    content = bytearray(part.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    part.write_bytes(content)
    assert pq.read_table(part, partitioning=None)["volume"].to_pylist() != noise.tolist()  # others believe it
    with pytest.raises(DataError, match=r"the query failed: .*(?i:crc|checksum)"):
        pool.sql("SELECT sum(volume) FROM bars")
    assert pool.sql("SELECT count(close) AS n FROM bars WHERE symbol = 'ETH/USDT'")["n"][0] == 300
