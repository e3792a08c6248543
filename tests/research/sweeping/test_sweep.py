"""A sweep's rows are the results; it is cut short, resumed and repeated without a difference."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.research.sweeping.made import Cross, walk
from workbench.errors import ConfigError, DataError, StrategyError
from workbench.research.study import Study
from workbench.research.sweeping.evaluator import Evaluator
from workbench.research.sweeping.running import memory_bytes, sweep
from workbench.research.sweeping.sampling import Sampler
from workbench.strategy.protections import Cooldown

BARS = walk(400)
GRID: dict[str, Any] = {"fast": range(4, 8), "slow": range(6, 22, 5)}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "workbench.toml").touch()
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def study() -> Study:
    return sweep(Cross, BARS, grid=GRID, costs=wb.Costs(fee=0.001))


def test_a_row_is_what_a_backtest_says(study: Study) -> None:
    for row in study.table.index:
        metrics = study.result(row).metrics
        assert {name: study.table.loc[row, name] for name in study.metrics} == pytest.approx(
            {name: metrics[name] for name in study.metrics}, rel=1e-9, nan_ok=True
        )


def test_what_the_strategy_does_not_take_is_left_out_and_counted(study: Study) -> None:
    assert study.refused == 2
    assert len(study.table) == 14
    assert (study.table["fast"] < study.table["slow"]).all()
    assert "2 combinations that the strategy does not take" in study.summary()


@pytest.mark.parametrize("pieces", [1, 3])
def test_the_table_does_not_depend_on_who_computes_it(study: Study, pieces: int) -> None:
    with ThreadPoolExecutor(pieces) as crew:
        other = sweep(Cross, BARS, grid=GRID, costs=wb.Costs(fee=0.001), executor=crew, memory="100MB")
    pd.testing.assert_frame_equal(study.table, other.table, check_exact=True)


def test_exits_costs_size_and_leverage_are_parameters() -> None:
    grid = {
        "stop_loss": [None, 0.02], "take_profit": [0.03], "trailing_stop": [None, 0.01], "max_bars": [None, 4],
        "size": [0.5], "fee": [0.0, 0.002], "slippage_bps": [3.0], "leverage": [1.0],
    }  # fmt: skip
    found = sweep(Cross, BARS, grid=grid)
    assert len(found) == 16
    assert found.table["total_return"].nunique() > 8
    row = found.table[(found.table["stop_loss"] == 0.02) & (found.table["max_bars"] == 4)].iloc[0]

    class Same(Cross):
        stop_loss, take_profit, trailing_stop, max_bars = 0.02, 0.03, row["trailing_stop"], 4

        def signals(self, bars: wb.Bars) -> wb.Signals:
            return super().signals(bars).replace(size=0.5)

    told = wb.backtest(Same(), BARS, costs=wb.Costs(fee=row["fee"], slippage_bps=3.0)).metrics
    assert told["total_return"] == pytest.approx(row["total_return"], rel=1e-12)


def test_several_instruments_share_an_account_and_several_series_do_not() -> None:
    other = walk(400, seed=1, symbol="ETH/USDT")
    shared = sweep(Cross, [BARS, other], grid={"fast": [4, 5]})
    assert len(shared) == 2
    assert shared.result(0).metrics["total_return"] == shared.table.loc[0, "total_return"]
    apart = sweep(Cross, {"btc": BARS, "eth": other}, grid={"fast": [4, 5]})
    assert apart.table["series"].tolist() == ["btc", "btc", "eth", "eth"]
    assert apart.result(3).bars.symbol == "ETH/USDT"
    assert apart.table.loc[0, "total_return"] == wb.backtest(Cross(fast=4), BARS).metrics["total_return"]


def test_protections_and_options_reach_the_rows() -> None:
    class Careful(Cross):
        protections = (Cooldown(bars=20),)

    evaluator = Evaluator(Careful, BARS, cash=500.0, fill="close")
    rows = evaluator.rows({"fast": [4, 6, 8]})
    told = [wb.backtest(Careful(fast=fast), BARS, cash=500.0, fill="close").metrics["expectancy"] for fast in (4, 6, 8)]
    assert rows["expectancy"].tolist() == told
    assert (
        rows["expectancy"].tolist()
        != Evaluator(Cross, BARS, cash=500.0, fill="close").rows({"fast": [4, 6, 8]})["expectancy"].tolist()
    )


def test_an_equal_sweep_comes_from_the_disk(desk: Path) -> None:
    first = sweep(Cross, BARS, grid=GRID, study="ours")
    again = sweep(Cross, BARS, grid=GRID, study="ours")
    assert (first.recalled, again.recalled) == (0, 16)
    assert "from the disk" in again.summary()
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    assert sweep(Cross, BARS, grid=GRID, study="ours", costs=wb.Costs(fee=0.0)).recalled == 0
    assert sweep(Cross, BARS[:-1], grid=GRID, study="ours").recalled == 0
    assert sweep(Cross, BARS, grid=GRID, study="ours", resume=False).recalled == 0


def test_what_is_done_is_kept_at_ctrl_c_and_gone_on_with(desk: Path) -> None:
    calls = 0

    class Stops(Cross):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            nonlocal calls
            calls += np.asarray(bars.close).size > 0  # which cannot be written down, so that each is asked
            if calls == 8:
                signal.raise_signal(signal.SIGINT)
            return super().signals(bars)

    with ThreadPoolExecutor(1) as crew:
        stopped = sweep(Stops, BARS, grid=GRID, study="stopped", executor=crew)
        assert stopped.partial
        assert "PARTIAL" in repr(stopped)
        calls = 100
        whole = sweep(Stops, BARS, grid=GRID, study="stopped", executor=crew)
    assert not whole.partial
    assert whole.recalled == stopped.planned - stopped.missing
    columns = list(whole.table)
    pd.testing.assert_frame_equal(whole.table[columns], sweep(Cross, BARS, grid=GRID).table, check_exact=True)


def test_a_killed_sweep_goes_on(desk: Path) -> None:
    code = """
        import os, signal
        from tests.research.sweeping.made import Cross, walk
        from workbench.research.sweeping import running
        running._WRITE_EVERY_S = 0.0
        add = running.Shelf.add
        def once(self, pieces):
            add(self, pieces)
            os.kill(os.getpid(), signal.SIGKILL)
        running.Shelf.add = once
        running.sweep(Cross, walk(400), grid={"fast": range(4, 8), "slow": range(6, 22, 5)}, study="killed")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    found = sweep(Cross, BARS, grid=GRID, study="killed")
    assert found.recalled > 0
    pd.testing.assert_frame_equal(found.table, sweep(Cross, BARS, grid=GRID).table, check_exact=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "give grid= or sampler="),
        ({"grid": GRID, "sampler": Sampler(count=3)}, "one of them"),
        ({"grid": GRID, "metrics": ("sharp",)}, "metric 'sharp'"),
        ({"grid": GRID, "memory": "1 elephant"}, "memory = '1 elephant'"),
        ({"grid": GRID, "memory": "1MB"}, "too little"),
        (
            {"grid": {"fast": range(2, 50), "slow": range(3, 200), "fee": np.linspace(0, 0.1, 99)}, "memory": "100MB"},
            "a table of 936,144 rows needs about",
        ),
        ({"grid": GRID, "study": " "}, "give it a name"),
        ({"grid": [1, 2]}, "grid is a list"),
        ({"grid": {}}, "grid is empty"),
    ],
)
def test_a_wrong_call_is_refused(options: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        sweep(Cross, BARS, **options)


def test_what_is_no_signal_strategy_is_refused() -> None:
    with pytest.raises(StrategyError, match="cannot be swept"):
        sweep(object(), BARS, grid=GRID)  # type: ignore[arg-type]
    with pytest.raises(StrategyError, match=r"give wb.load_strategy\('sma_cross'\)"):
        sweep("sma_cross", BARS, grid=GRID)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"bars is a DataFrame: give wb\.Bars"):
        sweep(Cross, BARS.to_pandas(), grid=GRID)


def test_a_cost_that_is_none_stays_as_it_is() -> None:
    found = sweep(Cross, BARS, grid={"fast": [5], "slow": [20], "fee": [None, 0.02]}, costs=wb.Costs(fee=0.005))
    plain = wb.backtest(Cross(fast=5, slow=20), BARS, costs=wb.Costs(fee=0.005))
    assert found.table["total_return"][0] == pytest.approx(plain.metrics["total_return"], rel=1e-9)
    assert found.result(0).metrics["total_return"] == plain.metrics["total_return"]
    assert found.table["total_return"][1] < found.table["total_return"][0]


def test_none_is_best_where_nothing_was_traded() -> None:
    nothing = sweep(Cross, BARS[:25], grid={"fast": [5], "slow": [150, 160]})
    with pytest.raises(DataError, match="no row has a sharpe_ratio"):
        nothing.best()


def test_sizes_of_memory() -> None:
    assert [memory_bytes(one) for one in ("2GB", "1.5GiB", 10**9)] == [2 * 10**9, 3 * 2**29, 10**9]


def test_the_best_knows_the_direction(study: Study) -> None:
    assert study.best("sharpe_ratio")["sharpe_ratio"] == study.table["sharpe_ratio"].max()
    assert study.best("max_drawdown", n=2)["max_drawdown"].tolist() == sorted(study.table["max_drawdown"])[:-3:-1]
    with pytest.raises(ConfigError, match="neither more nor less trades"):
        study.best("trades")
    with pytest.raises(ConfigError, match="no metric 'sharp'"):
        study.best("sharp")


def test_slices_and_rows(study: Study) -> None:
    assert set(study.slice(fast=5, slow=[11, 16])["slow"]) == {11, 16}
    assert study.result(study.best()).metrics["sharpe_ratio"] == pytest.approx(study.best()["sharpe_ratio"], rel=1e-12)
    assert study.returns([1, 2]).shape == (2, len(BARS))
    with pytest.raises(DataError, match="no row 99"):
        study.result(99)
    with pytest.raises(ConfigError, match="no parameter 'fsat'"):
        study.slice(fsat=5)


def test_stability_is_that_of_the_neighbours(study: Study) -> None:
    found = study.stability("total_return")
    near = study.table[study.table["fast"].between(4, 6) & study.table["slow"].between(6, 16)]
    near = near[(near["fast"] != 5) | (near["slow"] != 11)]["total_return"]
    row = found[(found["fast"] == 5) & (found["slow"] == 11)].iloc[0]
    assert row["neighbours"] == len(near)
    assert (row["mean"], row["worst"]) == (pytest.approx(near.mean()), near.min())
    assert found["plateau"].is_monotonic_decreasing


def test_a_needle_is_no_plateau() -> None:
    from workbench.research.sweeping.neighbours import stability

    x, y = np.meshgrid(np.arange(9), np.arange(9))
    value = np.where((x < 4) & (y < 4), 1.0, 0.0)
    value[7, 7] = 5.0
    table = pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "m": value.ravel()})
    found = stability(table, ["x", "y"], "m", up=True)
    assert (found.iloc[0]["x"] < 4) & (found.iloc[0]["y"] < 4)
    needle = found[(found["x"] == 7) & (found["y"] == 7)].iloc[0]
    assert needle["plateau"] < 0.5 < found.iloc[0]["plateau"]


def test_a_sample_has_neighbours_too() -> None:
    found = sweep(Cross, BARS, sampler=Sampler(count=20), where=lambda p: p["fast"] < p["slow"]).stability()
    assert (found["neighbours"] == 4).all()


def test_a_file_gives_the_study_back(study: Study, tmp_path: Path) -> None:
    read = Study.load(study.to_parquet(tmp_path / "one.parquet"))
    pd.testing.assert_frame_equal(read.table, study.table, check_exact=True)
    with pytest.raises(DataError, match="attach"):
        read.result(1)
    again = read.attach(Cross, BARS, costs=wb.Costs(fee=0.001))
    assert again.result(1).metrics["sharpe_ratio"] == study.table.loc[1, "sharpe_ratio"]
    with pytest.raises(DataError, match="there is no file"):
        Study.load(tmp_path / "two.parquet")


@pytest.mark.parametrize("how", ["median", "best"])
def test_heatmaps_show_the_values(study: Study, how: Any) -> None:
    drawn = study.heatmap("fast", "slow", how=how)
    shown = np.asarray(drawn.axes[0].images[0].get_array())
    assert np.nanmax(shown) == study.table["sharpe_ratio"].max()
    assert (drawn.axes[0].get_xlabel(), drawn.axes[0].get_ylabel()) == ("fast", "slow")
    plotted = study.heatmap("fast", "slow", how=how, engine="plotly")
    np.testing.assert_array_equal(np.asarray(plotted.data[0].z, dtype=float), np.ma.filled(shown, np.nan))


def test_a_study_is_judged(study: Study) -> None:
    trials = study.trials(sample=5)
    assert trials.distinct_count == len(study)
    assert trials.returns is not None
    assert trials.returns.shape[0] == len(BARS)
    chosen = study.returns([int(study.best().name)])[0]
    np.testing.assert_allclose(trials.returns[:, trials.place], chosen, atol=1e-12)
    assert study.verdict().level in ("noise", "unclear", "likely real")
    assert "SmaCross" not in study._repr_html_()
    assert "Cross on BTC/USDT" in study._repr_html_()
