"""`workbench backtest` says what `wb.backtest` says."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.cli.commands import Command, call
from workbench.backtest import backtest
from workbench.market.lake import Lake

DAILY = ("backtest", "sma_cross", "BTC/USDT", "1d")
OPTIONAL = """import workbench as wb


class Picky(wb.SignalStrategy):
    up: bool = wb.param(True)
    stop: float | None = wb.param(0.1, low=0.01)
    name: str = wb.param("a", choices=("a", "none"))

    def signals(self, bars):
        raise RuntimeError(f"{self.up!r} {self.stop!r} {self.name!r}")
"""


def expected(desk: Path, monkeypatch: pytest.MonkeyPatch, parameters: Any = (), **options: Any) -> wb.Result:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(desk))
    strategy = wb.load_strategy("sma_cross")(**dict(parameters))
    return backtest(strategy, Lake(desk / "data" / "lake").read("BTC/USDT", "1d"), **options)


def same(told: dict[str, Any], metrics: Any) -> bool:
    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return told == {name: plain(value) for name, value in metrics.items()}


def test_the_numbers_are_those_of_the_library(run: Command, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = expected(desk, monkeypatch)
    done = run(*DAILY)
    assert done.code == 0
    assert done.lines[0].startswith("SmaCross(fast=10, slow=30) on BTC/USDT 1d at binance, 2,297 bars, 2017-08-18 to ")
    for name, value in result.metrics.items():
        about = wb.metrics.METRICS[name]
        text = about.text(value).replace("\N{MINUS SIGN}", "-")
        assert re.search(rf"^{about.label} +{re.escape(text)}$", done.out, flags=re.M)
    assert f"Data {result.bars.fingerprint}, code {result.strategy.code_hash}, 365 bars a year" in done.lines
    assert "Filled at the next bar's open; taker fee 0.1 %, maker fee 0.1 %, slippage 1 bps" in done.lines
    assert "no one can trade so" not in done.out


def test_every_option_reaches_the_backtest(run: Command, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = expected(
        desk, monkeypatch, {"fast": 20, "slow": 60}, cash=500.0, costs=wb.Costs(fee=0.002, slippage_bps=7), fill="close"
    )
    words = ("-p", "fast=20", "--param", "slow=60", "--cash", "500", "--fee", "0.002", "--slippage-bps", "7")
    told = run(*DAILY, *words, "--fill", "close", "--venue", "binance", "--json").json()
    assert same(told["metrics"], result.metrics)
    assert told["parameters"] == {"fast": 20, "slow": 60}
    assert told["costs"] == {"fee": 0.002, "maker_fee": 0.002, "slippage_bps": 7.0}
    assert (told["cash"], told["fill"], told["fingerprint"]) == (500.0, "close", result.bars.fingerprint)
    shown = run(*DAILY, *words, "--fill", "close")
    assert "Filled at the close that made the decision: no one can trade so." in shown.out


def test_a_part_of_the_history(run: Command) -> None:
    told = run(*DAILY, "--start", "2020-01-01", "--end", "2021-01-01", "--json").json()
    assert (told["start"], told["end"]) == ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")


def test_what_is_left_out_comes_from_the_settings(own_desk: Path) -> None:
    (own_desk / "workbench.toml").write_text('[backtest]\ncash = 777\nfill = "close"\n')
    told = call("--workspace", own_desk, *DAILY, "--json").json()
    assert (told["cash"], told["fill"]) == (777.0, "close")


def test_trades_are_listed(run: Command, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trades = expected(desk, monkeypatch).trades
    done = run(*DAILY, "--trades")
    start = next(at for at, line in enumerate(done.lines) if line.startswith("Entry (UTC)"))
    shown = done.lines[start + 1 :]
    assert len(shown) == len(trades)
    first = shown[0].split()
    assert first[:5] == ["2017-10-03", "00:00", "2017-12-30", "00:00", "long"]
    assert float(first[8].replace(",", "")) == round(trades["pnl"][0], 2)
    told = run(*DAILY, "--trades", "--json").json()["trades"]
    assert [row["pnl"] for row in told] == trades["pnl"].tolist()
    assert list(told[0]) == list(trades.columns)
    assert told[0]["entry_time"].startswith("2017-10-03")


def test_explain_prints_the_formulas(run: Command) -> None:
    done = run(*DAILY, "--explain")
    assert "mean return / sample standard deviation x sqrt(periods per year)" in done.out
    assert "Sharpe (1994)" in done.out


def test_a_page_is_written_on_request(run: Command, tmp_path: Path) -> None:
    page = tmp_path / "result.html"
    done = run(*DAILY, "--html", page)
    assert done.lines[-1] == f"page: {page}"
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "SmaCross(fast=10, slow=30)" in text
    assert not re.search(r"(src|href)=.?https?:", text)
    refused = run(*DAILY, "--html", tmp_path / "no" / "page.html")
    assert (refused.code, "cannot be written: No such file or directory; give a file" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "fast"], "--param 'fast': write the parameter's name, = and its value, such as fast=10"),
        (["-p", "fast=5", "-p", "fast=6"], "--param fast stands twice, with 5 and '6'; give it once"),
        (["-p", "fast=5.5"], "SmaCross: parameter fast = '5.5' must be a whole number"),
        (["-p", "fast=1"], "SmaCross: parameter fast = 1 must be at least 2 and at most 100"),
        (["-p", "fats=5"], "SmaCross has no parameter 'fats': did you mean 'fast'?"),
        (["-p", "fast=60"], "SmaCross: fast = 60 must be below slow = 30"),
        (["--cash", "0"], "cash = 0.0: start with a finite amount above zero"),
        (["--fee", "10"], "costs: fee = 10.0 is outside"),
        (["--fill", "now"], "fill = 'now' is not one of 'next_open', 'close'"),
        (["--start", "2030-01-01"], "has no bars from 2030-01-01"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Command, words: list[str], message: str) -> None:
    done = run(*DAILY, *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ([], "True 0.1 'a'"),
        (["-p", "up=no", "-p", "stop=none", "-p", "name=none"], "False None 'none'"),
        (["-p", "up=TRUE", "-p", "stop=0.25"], "True 0.25 'a'"),
    ],
)
def test_parameters_are_read_as_what_they_are(own_desk: Path, words: list[str], values: str) -> None:
    (own_desk / "strategies" / "picky.py").write_text(OPTIONAL)
    done = call("--workspace", own_desk, "backtest", "picky", "SPX", "1d", *words)
    assert done.code == 2
    assert f"raised RuntimeError: {values} (line 10 of picky.py" in done.err


def test_a_study_records_it_and_counts_it(own_desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(own_desk))
    words = ("--workspace", own_desk, "backtest", "sma_cross", "GOOGL", "1d", "--study", "crosses by hand")
    assert call(*words).lines[-1].startswith("Recorded as run ")
    recorded = call(*words, "-p", "fast=20", "--json").json()["run"]
    rows = call("--workspace", own_desk, "runs", "list", "--json").json()
    assert [row["study"] for row in rows] == ["crosses by hand"] * 2 and recorded in [row["run_id"] for row in rows]


def test_entries_are_sized_as_in_a_rule_file(run: Command, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.risk import sizing as sz

    result = expected(desk, monkeypatch, sizing=sz.VolatilityTarget(0.3))
    told = run(*DAILY, "--sizing", "volatility_target: 0.3", "--json").json()
    assert same(told["metrics"], result.metrics) and told["sizing"] == {"volatility_target": {"target": 0.3}}
    said = run(*DAILY, "--sizing", "fixed_risk")
    assert re.search(r"^Sized by FixedRisk\(\); not entered: no stop to size by 40 times$", said.out, flags=re.M)
    wrong = run(*DAILY, "--sizing", "kely")
    message = "--sizing: line 1, column 1: there is no sizing 'kely'; did you mean 'kelly'?"
    assert wrong.code == 2 and message in wrong.err
