"""Machine learning: nothing sees the future, labels trade as the backtest does, scores stay on their bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import workbench as wb
from workbench.errors import DataError, StrategyError
from workbench.research.learning import (
    External,
    Features,
    FeatureTable,
    Labels,
    ScoreFilter,
    Slower,
    fixed_horizon,
    forecast_returns,
    forecast_volatility,
    load_scores,
    train,
    triple_barrier,
)
from workbench.research.learning.barriers import barriers_nb, barriers_py
from workbench.research.learning.leakage import overlaps
from workbench.research.validation import PurgedKFold, RollingSplit
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

HOUR = 3_600_000


def made(count: int = 600, seed: int = 1, first: int = 0) -> wb.Bars:
    chance = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.01, count)))
    open_ = np.concatenate([[100.0], close[:-1]])
    spread = np.abs(chance.normal(0.0, 0.004, count)) + 1.0
    return wb.Bars(
        instrument=wb.Instrument(symbol="MADE/UP"), timeframe="1h", ts=(np.arange(count) + first) * HOUR, open=open_,
        high=np.maximum(open_, close) * spread, low=np.minimum(open_, close) / spread, close=close,
        volume=np.full(count, 1e9),
    )  # fmt: skip


class Always(SignalStrategy):
    """Go in on every third bar."""

    def signals(self, bars: wb.Bars) -> Signals:
        """Say so."""
        rows = np.arange(len(bars)) % 3
        return Signals(entry=rows == 0, exit=rows == 2)


def test_a_feature_that_looks_ahead_is_refused_by_name_and_bar() -> None:
    bars = made()
    ahead = Features({"rsi": ("rsi", 14), "next": lambda bars: np.append(bars.close[1:], np.nan)})
    with pytest.raises(StrategyError, match=r"the feature 'next' looks ahead: at bar \d+"):
        ahead.on(bars)
    with pytest.raises(StrategyError, match="the feature 'whole' looks ahead"):
        Features({"whole": lambda bars: bars.close / bars.close.mean()}).on(bars)
    table = Features({"rsi": ("rsi", 14), "slow": Slower("4h", ("sma", 5)), "macd": "macd"}).on(bars)
    assert table.proven and table.names[:2] == ("rsi", "slow")
    assert len(table.to_pandas()) == len(bars) - table.warm_up


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12), st.sampled_from([None, "4h"]))
def test_an_external_value_is_never_seen_before_it_is_published(rows: list[tuple[int, int]], stale: str | None) -> None:
    bars = made(40)
    times = [about * HOUR for about, _ in rows]
    published = [(about + wait) * HOUR + 1 for about, wait in rows]
    found = External(times, np.arange(len(rows), dtype=float), published=published, stale_after=stale).on(bars)
    for row, close in enumerate(bars.ts + HOUR):
        known = [(times[one], published[one], one) for one in range(len(rows)) if published[one] <= close]
        newest = max(known, default=None)
        if newest is None or (stale and close - newest[1] > 4 * HOUR):
            assert np.isnan(found[row])
        else:
            assert found[row] == newest[2]


def test_labels_are_what_the_backtest_trades() -> None:
    bars = made(900, seed=3)
    for up, down, limit, short in ((0.02, 0.01, 6, False), (0.01, 0.02, 4, True)):
        labels = triple_barrier(bars, profit=up, stop=down, limit=limit, short=short)
        entry, none = np.arange(len(bars)) % 30 == 5, np.zeros(len(bars), dtype=bool)
        entry[-30:] = False
        signals = Signals(entry=none, short_entry=entry) if short else Signals(entry=entry)
        signals = signals.replace(size=10.0, size_unit="cash").triple_barrier(up=up, down=down, bars=limit)
        trades = wb.backtest(signals, bars, costs=wb.Costs(fee=0.0, slippage_bps=0.0)).trades
        rows = np.flatnonzero(entry)
        index = bars.to_pandas().index
        assert len(trades) == len(rows)
        np.testing.assert_allclose(labels.gain[rows], trades.return_.to_numpy(), atol=2e-5)
        assert (index.get_indexer(trades.exit_time) == labels.end[rows]).all()


def test_the_kernel_equals_its_plain_twin() -> None:
    bars = made(300)
    barrier = np.full(300, 0.01)
    for side in (1, -1):
        plain = barriers_py((bars.open, bars.high, bars.low), barrier, barrier, 5, side)
        for one, other in zip(
            plain, barriers_nb((bars.open, bars.high, bars.low), barrier, barrier, 5, side), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_future_labels_scrambled_out_of_the_training_give_chance() -> None:
    """The feature is the label, but scrambled in all rows that may be trained on: any overlap would tell."""
    bars = made(1_200, seed=5)
    labels = fixed_horizon(bars, 100)
    chance, splits = np.random.default_rng(0), RollingSplit(train=600, test=500)
    rows = np.arange(len(bars))
    feature = labels.y.astype(float)
    hidden = (labels.end < 600) & (rows < 600)
    feature[hidden] = chance.permutation(feature[hidden])
    table = FeatureTable(bars=bars, names=("future",), values=feature[:, None])
    run = train(table, labels, LogisticRegression(C=1e6), splits=splits)
    assert run.folds[0].train[-1] == 498  # the last whose label ends before the test
    learnt = abs(run.folds[0].fitted.coef_[0, 0])
    leaky = labels.end.copy()
    leaky[:600] = rows[:600]
    told = Labels(
        bars=bars, name="told nothing", y=labels.y.copy(), gain=labels.gain.copy(), end=leaky, known=labels.known.copy()
    )
    assert abs(train(table, told, LogisticRegression(C=1e6), splits=splits).folds[0].fitted.coef_[0, 0]) > 3.0 * learnt


def test_a_planted_edge_is_found_and_noise_is_not() -> None:
    bars = made(1_500, seed=7)
    labels = fixed_horizon(bars, 1)
    chance = np.random.default_rng(2)
    noise = chance.normal(size=len(bars))
    hint = labels.y + chance.normal(0.0, 2.0, len(bars))
    both = FeatureTable(bars=bars, names=("noise", "hint"), values=np.column_stack([noise, hint]))
    run = train(both, labels, LogisticRegression())
    assert "knows more" in run.verdict and run.importance(2).index[0] == "hint"
    report = run.leakage(1)
    assert report.overlapping == 0 and not report.features.suspect["noise"]
    alone = train(FeatureTable(bars=bars, names=("noise",), values=noise[:, None]), labels, LogisticRegression())
    assert "knows more than the baselines" not in alone.verdict
    told = FeatureTable(bars=bars, names=("told",), values=(labels.y + 0.1 * noise)[:, None])
    assert not train(told, labels, LogisticRegression()).leakage(1).clean
    assert "model" in run._repr_html_()


def test_overlap_is_counted() -> None:
    end = np.arange(20) + 3
    assert overlaps(np.arange(10), np.arange(10, 15), np.minimum(end, 19)) == 3


def test_scores_stay_on_their_bars(tmp_path: Path) -> None:
    bars = made(800)
    run = train(Features({"rsi": ("rsi", 14)}).on(bars), fixed_horizon(bars, 2), LogisticRegression())
    scores = load_scores(run.scores.save(tmp_path / "scores.parquet"))
    np.testing.assert_array_equal(scores.on(bars[100:700]), run.scores.values[100:700])
    result = wb.backtest(ScoreFilter(Always(), scores, above=0.0), bars)
    first = int(np.flatnonzero(np.isfinite(scores.values))[0])
    assert len(result.trades) and (result.trades.entry_time > bars.to_pandas().index[first]).all()
    assert wb.backtest(ScoreFilter(Always(), scores, above=1.0), bars).metrics["trades"] == 0
    with pytest.raises(StrategyError, match="is not the one that was scored"):
        ScoreFilter(Always(), scores).signals(made(800, seed=2))
    folds = train(
        Features({"rsi": ("rsi", 14)}).on(bars), fixed_horizon(bars, 2), LogisticRegression(), splits=PurgedKFold()
    )
    with pytest.raises(StrategyError, match="trained on later bars"):
        ScoreFilter(Always(), folds.scores)
    with pytest.raises(DataError, match="does not hold scores"):
        load_scores(tmp_path / "none.parquet")


def test_forecasts_see_only_the_past() -> None:
    bars = made(330)
    for whole, short in (
        (forecast_volatility(bars, train=250, refit=40), forecast_volatility(bars[:300], train=250, refit=40)),
        (
            forecast_returns(bars, ["ar"], train=250, refit=40),
            forecast_returns(bars[:300], ["ar"], train=250, refit=40),
        ),
    ):
        for name, values in short.values.items():
            np.testing.assert_allclose(whole.values[name][: len(values)], values, rtol=1e-9)
        assert whole.verdict and len(whole.table) == len(whole.values)
