"""`workbench backtest` with several symbols, leverage, finer bars and rules says what `wb.backtest` says."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.cli.commands import Command
from workbench.market.lake import Lake

BANKS = ("backtest", "sma_cross", "KO", "XOM", "1d", "--start", "2010-01-01")


@pytest.fixture
def together(desk: Path, monkeypatch: pytest.MonkeyPatch) -> wb.Result:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(desk))
    lake = Lake(desk / "data" / "lake")
    series = [lake.read(symbol, "1d", "2010-01-01") for symbol in ("KO", "XOM")]
    rules = wb.Rules(intrabar="path", margin="isolated")
    return wb.backtest(wb.load_strategy("sma_cross")(), series, leverage=2, rules=rules, path="event")


OPTIONS = ("--leverage", "2", "--intrabar", "path", "--margin", "isolated", "--path", "event")


def test_every_option_reaches_the_backtest(run: Command, together: wb.Result) -> None:
    told = run(*BANKS, *OPTIONS, "--json").json()
    assert told["path"] == "event"
    assert told["metrics"]["total_return"] == together.metrics["total_return"]
    assert told["metrics"]["trades"] == together.metrics["trades"]
    assert [(one["symbol"], one["leverage"], one["detail"]) for one in told["series"]] == [
        ("KO", 2.0, None), ("XOM", 2.0, None),
    ]  # fmt: skip
    assert [one["fingerprint"] for one in told["series"]] == [one.fingerprint for one in together.series]


def test_all_instruments_are_told(run: Command, together: wb.Result) -> None:
    done = run(*BANKS, *OPTIONS, "--trades")
    assert f"SmaCross(fast=10, slow=30) on KO, XOM 1d at nyse, {sum(map(len, together.series)):,} bars" in done.lines[0]
    assert "Leverage KO 2, XOM 2, isolated margin" in done.lines
    head = next(at for at, line in enumerate(done.lines) if line.startswith("Symbol"))
    shown = [line.split()[0] for line in done.lines[head + 1 :]]
    assert shown == together.trades["symbol"].tolist()
    assert {"KO", "XOM"} <= set(shown)


def test_what_is_the_same_for_all_is_said_once(run: Command, together: wb.Result) -> None:
    done = run(*BANKS)
    assert done.out.count("taker fee") == 1
    assert "Leverage" not in done.out


def test_finer_bars_are_told(run: Command) -> None:
    words = ("backtest", "sma_cross", "BTC/USDT", "1d", "--start", "2020-01-01", "--detail")
    assert "Inside bars by BTC/USDT 1h" in run(*words, "auto").lines
    told = run(*words, "1h", "--json").json()
    assert told["series"][0]["detail"] == "1h"


def test_the_help_shows_them_with_an_example(run: Command) -> None:
    shown = run("backtest", "--help").out
    for word in ("SYMBOL...", "--leverage", "--detail", "--path", "--intrabar", "--margin"):
        assert word in shown
    assert "sma_cross KO XOM 1d --leverage 2 --margin isolated" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--leverage", "5"], "leverage of KO = 5 is more than its 2; lower it"),
        (["--leverage", "0"], "leverage of KO = 0.0; give a number of at least 1"),
        (["--detail", "fine"], "detail = 'fine' is no timeframe such as '1m', nor 'auto'"),
        (["--detail", "1m"], "has no KO 1m at nyse"),
        (["--path", "fast"], "path = 'fast' is not one of 'auto', 'compiled', 'event'"),
        (["--intrabar", "lucky"], "rules: intrabar = 'lucky' is not one of"),
        (["--margin", "both"], "rules: margin = 'both' is not one of 'cross', 'isolated'"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Command, words: list[str], message: str) -> None:
    done = run(*BANKS, *words)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.split())
