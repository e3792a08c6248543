"""What other packages give for the same input: where they agree, where they differ, and that the table says so."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import DataError
from workbench.risk import metrics as m
from workbench.risk.metrics.peers import BENCHMARK, DIFFERENCES, EQUAL, PROFITS, RETURNS

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "peers.json").read_text())
LONG = [((i * 37) % 101 - 49) / 2_500 + ((i * i) % 29 - 14) / 2_000 for i in range(800)]
LONG_BENCHMARK = [((i * 37) % 101 - 49) / 4_000 + ((i * 53) % 37 - 18) / 3_000 for i in range(800)]
INPUTS = {"short": (RETURNS, BENCHMARK), "long": (LONG, LONG_BENCHMARK)}
GOOG = RECORDED["goog"]

CASES: dict[str, Any] = {
    "6 elapsed days": (RETURNS, 6.0 / 365.0),
    "-10 %, +5 %, +2 %": ([-0.1, 0.05, 0.02], None),
    "20 returns of 1 %": ([0.01] * 20, None),
    "20 returns of 0": ([0.0] * 20, None),
    "the worked trades": (PROFITS, None),
}


@cache
def ours_of(which: str) -> dict[str, float]:
    returns, benchmark = INPUTS[which]
    days = pd.date_range("2024-01-01", periods=len(returns), freq="D")
    profits = RETURNS if which == "short" else LONG
    sheet = m.tear_sheet(pd.Series(returns, days), 252, benchmark=pd.Series(benchmark, days), profits=profits)
    return dict(sheet["value"])


def ours_of_trades() -> dict[str, float]:
    return dict(m.tear_sheet([0.0, 0.0], 252, profits=PROFITS)["value"])


@pytest.mark.parametrize("name", sorted(EQUAL))
def test_what_is_said_to_be_equal_is(name: str) -> None:
    seen = 0
    for peer, called in EQUAL[name].items():
        for which in INPUTS:
            if called in RECORDED[which].get(peer, {}):
                assert ours_of(which)[name] == pytest.approx(RECORDED[which][peer][called], rel=1e-9, abs=1e-12), peer
                seen += 1
        if called in RECORDED["trades"].get(peer, {}):
            assert ours_of_trades()[name] == pytest.approx(RECORDED["trades"][peer][called], rel=1e-12), peer
            seen += 1
        if peer == "backtesting.py":
            percent = 100.0 if "%" in called else 1.0
            found: Any = m.METRICS[name].function
            assert found(GOOG["profits"]) * percent == pytest.approx(GOOG[called], rel=1e-9)
            seen += 1
    assert seen >= len(EQUAL[name])


@pytest.mark.parametrize("place", range(len(DIFFERENCES)))
def test_what_is_said_to_differ_does(place: int) -> None:
    one = DIFFERENCES[place]
    assert one.ours != pytest.approx(one.theirs, rel=1e-6, nan_ok=True)
    assert one.right in ("ours", "theirs", "both") and one.why and one.called
    if not one.case:
        assert ours_of("short")[one.metric] == pytest.approx(one.ours, rel=1e-12)
        scale = 0.01 if one.called == "to_ulcer_index" else 1.0
        assert RECORDED["short"][one.peer][one.called] * scale == pytest.approx(one.theirs, rel=1e-9)
    elif one.case in CASES:
        values, years = CASES[one.case]
        function: Any = m.METRICS[one.metric].function
        options = m.registry.options_of(m.METRICS[one.metric], 252.0, years)
        assert function(values, **options) == pytest.approx(one.ours, rel=1e-12, nan_ok=True)
    if one.case == "the worked trades":
        assert RECORDED["trades"][one.peer][one.called] == pytest.approx(one.theirs, rel=1e-12)


def test_every_number_of_a_peer_is_in_the_table() -> None:
    told = {(peer, called) for peers in EQUAL.values() for peer, called in peers.items()}
    told |= {(one.peer, one.called) for one in DIFFERENCES}
    recorded = {
        (peer, called)
        for which in ("short", "long", "trades")
        for peer, numbers in RECORDED[which].items()
        for called in numbers
    }
    # of returns over twelve months, whatever the calendar: a number that is not had here
    assert recorded - told == {("ffn", "twelve_month_win_perc")}


def test_the_known_wrong_ones_by_the_formulas_they_publish() -> None:
    trades = np.array([2.0, 2.0, 2.0, -1.0, -1.0, 2.0, -1.0, -1.0]) / 100
    equity = 1.0 + np.cumsum(trades)[1::2]
    by_day = m.sharpe_ratio(m.returns_of(equity, 1.0), 365)
    freqtrade = trades.sum() / 4 / trades.std() * math.sqrt(365)
    volume = np.arange(1.0, 9.0)
    level = np.cumsum(trades) / volume
    theirs = {"freqtrade": freqtrade, "hummingbot": level.mean() / level.std(ddof=1)}
    for one in DIFFERENCES:
        if one.metric == "sharpe_ratio" and one.peer in theirs:
            assert one.ours == pytest.approx(by_day) and one.right == "ours"
            assert one.theirs == pytest.approx(theirs.pop(one.peer))
    assert not theirs
    years = 3_116 / 365
    assert m.growth_rate(GOOG["Return [%]"] / 100, years) == pytest.approx(0.21144328913506993)
    assert m.growth_rate(GOOG["Return [%]"] / 100, 3_116 / 252) == pytest.approx(0.1416, abs=2e-4)  # as 0.6.4 did


def test_the_table_of_differences_as_a_user_reads_it() -> None:
    table = wb.metrics.differences()
    assert list(table.columns) == ["metric", "peer", "version", "called", "ours", "theirs", "right", "why", "case"]
    assert set(table["right"]) <= {"ours", "theirs", "both", "equal"}
    assert set(table["metric"]) <= set(m.METRICS)
    assert not table[["metric", "peer", "version", "called", "right"]].isna().any().any()
    assert (table["called"] != "").all()
    sharpe = wb.metrics.differences("sharpe_ratio")
    assert set(sharpe.loc[sharpe["right"] == "equal", "peer"]) == {"empyrical", "quantstats", "ffn", "vectorbt"}
    wrong = sharpe[sharpe["right"] == "ours"].set_index("peer")["why"]
    assert "sqrt(trades per day)" in wrong["freqtrade"] and "hummingbot" in wrong.index
    assert wb.metrics.differences("average_exposure").empty
    with pytest.raises(DataError, match="did you mean 'sharpe_ratio'"):
        wb.metrics.differences("sharp_ratio")


def test_what_is_said_of_a_metric_in_words_names_its_peers() -> None:
    said = wb.metrics.explain("sharpe_ratio")
    assert "equal in    empyrical, quantstats, ffn, vectorbt" in said
    assert "freqtrade 2024.10: mean profit a day over the deviation of a trade" in said
    assert "(ours right)" in said
    assert "equal in" not in wb.metrics.explain("pain_index")
