"""`workbench data`: the lake listed, shown, asked, filled and checked."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from tests.cli.commands import Command, call
from workbench.market.lake import Lake
from workbench.settings import load_settings

DAYS = """time,open,high,low,close,volume
2021-01-01,10,12,9,11,5
2021-01-03,11,13,10,12,6
2021-01-02,11,12,10,11,7
2021-01-03,11,13,10,12,6
2021-01-06,12,14,11,13,8
"""


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def lake_of(desk: Path) -> Lake:
    return Lake(load_settings(desk).lake_root)


def test_list_says_of_every_series_what_the_catalogue_says(run: Command, desk: Path) -> None:
    catalog = lake_of(desk).catalog()
    assert len(catalog) >= 8
    table = run("data", "list").lines
    assert len(table) == len(catalog) + 1
    as_json, as_csv = run("data", "list", "--json").json(), rows(run("data", "list", "--csv").out)
    for line, one, other, (_, row) in zip(table[1:], as_json, as_csv, catalog.iterrows(), strict=True):
        assert line.split()[:4] == [row["symbol"], row["timeframe"], row["venue"], f"{row['rows']:,}"]
        assert {name: one[name] for name in ("symbol", "venue", "timeframe", "rows", "missing", "fingerprint")} == {
            name: row[name] for name in ("symbol", "venue", "timeframe", "rows", "missing", "fingerprint")
        }
        assert one["start"] == f"{row['start']:%Y-%m-%dT%H:%M:%S}Z"
        assert list(other) == list(catalog.columns)
        assert int(other["rows"]) == row["rows"]


def test_an_empty_lake_says_how_to_fill_it(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").touch()
    done = call("--workspace", tmp_path, "data", "list")
    assert done.code == 0
    assert "The lake is empty: `workbench data import FILE`" in done.out
    assert call("--workspace", tmp_path, "data", "list", "--json").json() == []


def test_show_says_what_is_known_and_shows_both_ends(run: Command, desk: Path) -> None:
    bars = lake_of(desk).read("SPX", "1d")
    done = run("data", "show", "SPX", "1d", "--rows", "5")
    assert done.code == 0
    facts = dict(line.split(maxsplit=1) for line in done.lines if not line.startswith(("…", " ", "1", "2", "O")))
    assert facts["Series"] == "SPX 1d at index (index, in USD)"
    assert facts["Bars"].startswith(f"{len(bars):,}, 1999-01-04 to ")
    assert facts["Fingerprint"] == bars.fingerprint
    assert facts["Licence"] == bars.provenance["licence"]
    shown = [line.split() for line in done.lines[done.lines.index("…") - 3 :]]
    assert len(shown) == 3 + 1 + 2
    assert [float(text.replace(",", "")) for text in shown[0][1:5]] == [
        pytest.approx(getattr(bars, name)[0], rel=1e-7) for name in ("open", "high", "low", "close")
    ]
    assert shown[-1][0] == str(np.datetime64(int(bars.ts[-1]), "ms").astype("datetime64[D]"))


def test_show_more_rows_than_there_are_shows_each_once(run: Command) -> None:
    words = ("data", "show", "SPX", "1d", "--start", "2018-06-01", "--end", "2018-06-09", "--rows", "100")
    dates = [line.split()[0] for line in run(*words).lines if line.startswith("2018-")]
    assert dates == [f"2018-06-0{day}" for day in (1, 4, 5, 6, 7, 8)]
    assert "Opens" not in run(*words[:-1], "0").out


def test_show_as_csv_is_every_bar_to_the_last_bit(run: Command, desk: Path) -> None:
    bars = lake_of(desk).read("EUR/USD", "1h", "2017-03-01", "2017-04-01")
    said = rows(run("data", "show", "EUR/USD", "1h", "--start", "2017-03-01", "--end", "2017-04-01", "--csv").out)
    assert len(said) == len(bars)
    for name in ("open", "high", "low", "close", "volume"):
        assert [float(row[name]) for row in said] == getattr(bars, name).tolist()
    assert said[0]["ts"] == "2017-03-01T00:00:00Z"


def test_a_time_that_is_none_is_refused(run: Command) -> None:
    done = run("data", "show", "SPX", "1d", "--start", "yesterday")
    assert (done.code, done.out) == (2, "")
    assert "'yesterday' is no time: write it like '2021-01-31'" in done.err


def test_sql_as_a_table_json_and_csv(run: Command, desk: Path) -> None:
    query = (
        "SELECT symbol, count(*) AS bars, max(high) AS top, NULL AS nothing FROM bars WHERE symbol = 'SPX' GROUP BY 1"
    )
    bars = lake_of(desk).read("SPX", "1d")
    assert run("data", "sql", query, "--json").json() == [
        {"symbol": "SPX", "bars": len(bars), "top": float(bars.high.max()), "nothing": None}
    ]
    assert rows(run("data", "sql", query, "--csv").out) == [
        {"symbol": "SPX", "bars": str(len(bars)), "top": str(bars.high.max()), "nothing": ""}
    ]
    assert run("data", "sql", query).lines[0].split() == ["symbol", "bars", "top", "nothing"]


def test_sql_only_reads(run: Command) -> None:
    done = run("data", "sql", "CREATE TABLE t (a INT)")
    assert done.code == 2
    assert done.err.startswith("Error: ")


def test_import_says_what_it_did_and_the_lake_has_it(own_desk: Path, tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(DAYS)
    words = ("--workspace", own_desk, "data", "import", tmp_path / "days.csv", "--symbol", "DOGE/USDT")
    done = call(*words, "--venue", "kraken", "--source", "a friend", "--licence", "private")
    assert done.code == 0
    assert "5 rows in, 4 bars out" in done.out
    assert "they came unsorted" in done.out
    assert "gaps: 1 with 2 missing bars" in done.out
    assert "1 identical row dropped" in done.out
    assert done.lines[-1] == "DOGE/USDT 1d at kraken: 4 added; 4 bars"
    bars = lake_of(own_desk).read("DOGE/USDT", "1d")
    assert bars.close.tolist() == [11, 11, 12, 13]
    assert (bars.provenance["source"], bars.provenance["licence"]) == ("a friend", "private")
    assert call(*words, "--venue", "kraken").lines[-1] == "DOGE/USDT 1d at kraken: 4 identical; 4 bars"


def test_a_dry_run_writes_nothing(own_desk: Path, tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(DAYS)
    done = call("--workspace", own_desk, "data", "import", tmp_path / "days.csv", "--symbol", "DOGE/USDT", "--dry-run")
    assert done.code == 0
    assert done.lines[-1].startswith("dry run: 4 bars of DOGE/USDT 1d at unknown")
    assert not (lake_of(own_desk).root / "venue=unknown").exists()


def test_a_contradiction_is_refused_until_told_what_counts(own_desk: Path, tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(DAYS)
    (tmp_path / "later.csv").write_text(DAYS.replace("12,9,11,5", "12,9,11.5,5"))
    words = ("--workspace", own_desk, "data", "import", "--symbol", "DOGE/USDT")
    assert call(*words, tmp_path / "days.csv").code == 0
    refused = call(*words, tmp_path / "later.csv")
    assert refused.code == 2
    assert "1 bar differs from what the lake has" in refused.err
    assert "close 11.0 -> 11.5" in refused.err
    assert "take the new ones with --on-conflict replace, or leave the old ones with --on-conflict keep" in refused.err
    assert call(*words, tmp_path / "later.csv", "--on-conflict", "replace").lines[-1].endswith("1 replaced; 4 bars")
    assert lake_of(own_desk).read("DOGE/USDT", "1d").close[0] == 11.5
    wrong = call(*words, tmp_path / "later.csv", "--on-conflict", "ask")
    assert (wrong.code, "on_conflict is 'ask'; it must be one of" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("table", "remedy"),
    [
        ("when,open,high,low,close,volume\n2021-01-01,1,2,1,2,5\n", "name it, for example --columns ts=…"),
        ("date,open,high,close,volume\n2021-01-01,1,2,2,5\n", "or pass --close-only if there are closes only"),
        ("date,open,high,low,close\n2021-01-01,1,2,1,2\n", "or pass --missing-volume zero"),
        ("date,open,high,low,close,volume\n2021-01-01,1,2,1,2,5\n", "give it, for example --timeframe 1d"),
        ("date,open,high,low,close,volume\n01/02/2021,1,2,1,2,5\n02/02/2021,1,2,1,2,5\n", "--time-format '%d.%m.%Y …'"),
    ],
    ids=["column", "closes", "volume", "timeframe", "day or month"],
)
def test_what_mends_an_import_is_said_in_the_words_of_the_command(
    own_desk: Path, tmp_path: Path, table: str, remedy: str
) -> None:
    (tmp_path / "odd.csv").write_text(table)
    words = ("--workspace", own_desk, "data", "import", tmp_path / "odd.csv", "--symbol", "A")
    done = call(*words)
    assert (done.code, done.out) == (2, "")
    assert remedy in done.err


def test_columns_are_told_by_name_or_by_position(own_desk: Path, tmp_path: Path) -> None:
    (tmp_path / "named.csv").write_text("when,Last\n2021-01-01,1.5\n2021-01-02,1.6\n")
    (tmp_path / "bare.csv").write_text("1.5,1609459200\n1.6,1609545600\n")
    words = ("--workspace", own_desk, "data", "import", "--symbol", "A", "--close-only", "--missing-volume", "zero")
    named = call(*words, tmp_path / "named.csv", "--columns", "ts=when, close=Last", "--venue", "one")
    bare = call(*words, tmp_path / "bare.csv", "--columns", "ts=1", "--columns", "close=0", "--venue", "two")
    assert (named.code, bare.code) == (0, 0), named.err + bare.err
    one, two = (lake_of(own_desk).read("A", "1d", venue=venue) for venue in ("one", "two"))
    assert one.close.tolist() == two.close.tolist() == [1.5, 1.6]
    assert one.ts.tolist() == two.ts.tolist()
    wrong = call(*words, tmp_path / "named.csv", "--columns", "close")
    assert (wrong.code, "--columns 'close': write our name, =, and the file's name" in wrong.err) == (2, True)


def test_a_file_that_is_not_there_is_named(run: Command, tmp_path: Path) -> None:
    done = run("data", "import", tmp_path / "no.csv", "--symbol", "A")
    assert done.code == 2
    assert f"{tmp_path / 'no.csv'}: there is no such file" in done.err


def test_check_finds_every_series_sound_and_counts_the_gaps(run: Command, desk: Path) -> None:
    done = run("data", "check")
    assert done.code == 0
    said = {tuple(line.split()[:3]): line.split()[4:7] for line in done.lines[1:-1] if "  sound  " in line}
    for info in lake_of(desk).series():
        state, missing, _ = said[info.symbol, info.timeframe, info.venue]
        assert (state, missing) == ("sound", f"{info.missing:,}")
    assert "IXIC 1d at index: 2 zero volume" in done.lines
    assert done.lines[-1] == f"{len(said)} series checked, every byte is as it was written"


def test_check_of_one_symbol_lists_its_gaps(run: Command) -> None:
    done = run("data", "check", "EUR/USD")
    assert "Gaps of EUR/USD 1h at gym-anytrading:" in done.lines
    assert "  14 bars from 2017-12-25 08:00 to 2017-12-25 22:00  gap@2017-12-25T08:00" in done.lines
    (series,) = run("data", "check", "EUR/USD", "60m", "--json").json()["series"]
    assert series["missing"] == sum(gap["missing"] for gap in series["gaps"]) == 15
    unknown = run("data", "check", "EUR/USB")
    assert (unknown.code, "the lake has no EUR/USB: did you mean 'EUR/USD'?" in unknown.err) == (2, True)


def test_findings_are_decided_about_and_the_decision_is_kept(own_desk: Path) -> None:
    words = ("--workspace", own_desk, "data")
    gap, silence = "gap@2018-02-08T01:00", "zero_volume@2020-12-21T14:00"
    done = call(*words, "decide", "BTC/USDT", "1h", gap, silence, "--as", "accept", "--note", "the venue was down")
    assert done.lines[0] == f"{gap}  unknown, 75 bars [accept: the venue was down]"
    assert done.lines[-1].startswith("BTC/USDT 1h at binance: 95 bars missing in 28 gaps")
    checked = call(*words, "check", "BTC/USDT", "1h")
    assert f"  {silence}  1 bar [accept: the venue was down]" in checked.lines
    (series,) = call(*words, "check", "BTC/USDT", "1h", "--json").json()["series"]
    assert series["quality"]["missing"] == 95
    assert {row["id"]: row["decision"] for row in series["findings"]}[gap] == "accept"
    for finding, decision, told in (
        (
            "gap@2018-02-08T02:00",
            "accept",
            "has no finding 'gap@2018-02-08T02:00': did you mean 'gap@2018-02-08T01:00'",
        ),
        (gap, "exclude", "has no bars that could be excluded"),
        (gap, "maybe", "decision = 'maybe' is not one of 'open', 'accept'"),
    ):
        refused = call(*words, "decide", "BTC/USDT", "1h", finding, "--as", decision)
        assert (refused.code, told in refused.err) == (2, True)


def test_damage_is_found_named_and_taken_out(own_desk: Path) -> None:
    series = own_desk / "data" / "lake" / "venue=binance" / "symbol=BTC%2FUSDT" / "timeframe=1h"
    part = max(series.glob("*.parquet"), key=lambda path: path.stat().st_size)
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 0xFF
    part.write_bytes(content)
    whole = len(lake_of(own_desk).read("BTC/USDT", "1h", skip_corrupt=True))

    words = ("--workspace", own_desk, "data", "check")
    done = call(*words)
    assert done.code == 1
    assert any(line.startswith("BTC/USDT  1h") and "1 damaged" in line for line in done.lines)
    assert any(line.startswith("damaged: BTC/USDT 1h at binance") and str(part) in line for line in done.lines)
    assert call(*words, "--json").json()["damaged"][0]["file"] == str(part)
    assert call(*words, "SPX").code == 0
    read = call("--workspace", own_desk, "data", "show", "BTC/USDT", "1h")
    assert (read.code, "1 part is corrupt" in read.err) == (2, True)

    mended = call(*words, "BTC/USDT", "--drop")
    assert mended.code == 0
    assert mended.lines[-1].startswith("taken out: BTC/USDT 1h at binance")
    assert call(*words).code == 0
    assert len(lake_of(own_desk).read("BTC/USDT", "1h")) == whole
