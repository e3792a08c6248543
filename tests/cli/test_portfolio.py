"""`workbench portfolio` says what the functions say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import Command, call
from workbench.research.holding import portfolio_risk, read_holdings

TEXT = """symbol,quantity,price,currency,venue,account,bot,margined,entry_price,liquidation_price,maintenance,amount
BTC/USDT,0.5,42000,USDT,binance,main,trend,,,,,
JPM,100,130,USD,nyse,shares,shares,,,,,
BTC/USDT:USDT,-0.1,42000,USDT,binance,perp,hedge,yes,41000,60000,0.005,
,,,USDT,binance,perp,hedge,,,,,2000
"""


@pytest.fixture
def file(desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(desk))
    path = tmp_path / "holdings.csv"
    path.write_text(TEXT)
    return path


def test_it_prints_sentences_parts_and_scenarios(run: Command, file: Path) -> None:
    risk = portfolio_risk(read_holdings(file), rates={"USDT/USD": 1.0})
    words = ("portfolio", str(file), "--rate", "USDT/USD=1")
    told = json.loads(run(*words, "--json").out)
    assert told["value_at_risk"] == pytest.approx(risk.value_at_risk)
    assert [row["scenario"] for row in told["stress"]] == risk.stress().index.tolist()
    text = run(*words, "--by", "bot", "--proxy", "BTC/USDT=SPX").out
    assert risk.sentence in text and "trend" in text and "Lehman, 2008" in text


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "--rate USDT/USD=NUMBER"),
        (("--rate", "USDT/USD"), "write NAME=VALUE"),
        (("--rate", "USDT/USD=one"), "'one' is no number"),
        (("--rate", "USDT/USD=1", "--by", "moon"), "by = 'moon'"),
        (("--rate", "USDT/USD=1", "--level", "99"), "level = 99.0"),
    ],
)
def test_wrong_words_are_refused(more: tuple[str, ...], says: str, file: Path) -> None:
    done = call("portfolio", str(file), *more)
    assert done.code == 2 and says in done.err and done.out == ""
