"""`workbench data download|update|fill|verify` against a practice exchange that runs in the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Command, call
from workbench.market.bars import to_ms
from workbench.market.instrument import Instrument
from workbench.practice.clock import HeldClock
from workbench.practice.exchange import Exchange, Serving
from workbench.practice.markets import SyntheticMarket

FACTS = Instrument(symbol="AAA/USDT", venue="binance", quote="USDT", tick_size=0.01, lot_size=0.001)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bare workspace in which a practice exchange runs."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "workbench.toml").write_text("")
    market = SyntheticMarket(FACTS, seed=1, start="2024-01-01", end="2024-03-01")
    serving = Serving(folder=folder / "data" / "practice")
    with Exchange([market], clock=HeldClock(to_ms("2024-01-04T00:00:30")), serving=serving):
        yield folder


@pytest.fixture
def run(root: Path) -> Command:
    return lambda *words: call("--workspace", root, "data", *words)


def test_a_download_its_update_and_its_verification(run: Command) -> None:
    words = ("download", "AAA/USDT", "--venue", "binance", "--since", "2024-01-02", "--practice")
    done = run(*words, "--until", "2024-01-03", "--timeframe", "5m")
    assert done.code == 0, done.err
    assert done.lines[0].split() == "Symbol What From To Added Differ Not there".split()
    assert done.lines[1].split()[:5] == ["AAA/USDT", "5m", "2024-01-02", "2024-01-03", "288"]
    assert done.lines[2].startswith("288 rows in ") and done.lines[2].endswith(" with 3 requests")

    told = run("update", "--practice", "--json").json()
    assert told["series"][0]["start"] == "2024-01-03T00:00:00Z" and told["series"][0]["added"] == 288
    assert "nothing was missing" in run("fill", "--practice").out
    good = run("verify", "AAA/USDT", "5m", "--sample", "1", "--practice")
    assert (good.code, good.lines[-1]) == (
        0, "AAA/USDT 5m at practice-binance: 576 bars compared, all as the venue gives them"
    )  # fmt: skip


def test_what_the_venue_revised_is_a_table_and_exit_code_1(run: Command, root: Path) -> None:
    from workbench.market.bars import Bars
    from workbench.market.lake import Lake

    run("download", "AAA/USDT", "--venue", "binance", "--timeframe", "1h", "--since", "2024-01-03", "--practice")
    pool = Lake(root / "data" / "lake")
    bars = pool.read("AAA/USDT", "1h")[3:4]
    columns = {name: getattr(bars, name).copy() for name in ("ts", "open", "high", "low", "close", "volume")}
    columns["volume"] += 1
    pool.write(Bars(instrument=bars.instrument, timeframe=bars.timeframe, **columns), on_conflict="replace")
    done = run("verify", "AAA/USDT", "1h", "--sample", "1", "--practice")
    assert done.code == 1
    assert done.lines[1].split()[:3] == ["2024-01-03", "03:00:00", "differs"]
    assert done.lines[-1].endswith("24 bars compared, 1 differs; the lake is as it was")
    assert (
        run("verify", "AAA/USDT", "1h", "--sample", "1", "--practice", "--json").json()["revisions"][0]["kind"]
        == "differs"
    )
    assert run("verify", "AAA/USDT", "1h", "--sample", "1", "--take", "--practice").code == 0
    assert run("verify", "AAA/USDT", "1h", "--sample", "1", "--practice").code == 0


def test_what_one_series_lacks_is_a_line_and_exit_code_1(run: Command) -> None:
    done = run(
        "download", "AAA/USDT", "--venue", "binance", "--timeframe", "2h", "--timeframe", "4h", "--since", "2024-01-03",
        "--what", "bars", "--what", "tiers", "--practice",
    )  # fmt: skip
    assert done.code == 1
    assert "practice-binance" in done.out and "48 rows" not in done.out and "18 rows" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("download", "AAB/USDT", "--venue", "binance", "--practice"), "did you mean 'AAA/USDT'"),
        (("download", "AAA/USDT", "--venue", "binanc", "--practice"), "did you mean 'binance'"),
        (("download", "AAA/USDT", "--venue", "binance", "--timeframe", "15m", "--practice"), "say since when"),
        (("update", "ZZZ/USDT", "--practice"), "nothing that fits was ever downloaded"),
        (("verify", "AAA/USDT", "1m", "--sample", "2", "--practice"), "sample is 2"),
    ],
)
def test_wrong_input_is_one_error_and_exit_code_2(run: Command, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.err.startswith("Error: ") and said in done.err


def test_half_a_key_and_no_practice_exchange_are_told(
    run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VENUE_KEY", "abc")
    done = run("update", "--practice")
    assert done.code == 2 and "only one is set" in done.err and "abc" not in done.err
    (tmp_path / "workbench.toml").write_text("")
    alone = call("--workspace", tmp_path, "data", "download", "AAA/USDT", "--venue", "binance", "--practice")
    assert alone.code == 2 and "workbench practice serve" in alone.err
