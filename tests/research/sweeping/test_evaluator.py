"""Rows against results: whatever a strategy is written in and whatever is varied, the same numbers."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.research.sweeping.test_engine import FREE, walk
from workbench.errors import ConfigError, StrategyError
from workbench.indicators import crosses_above, crosses_below, ema, rsi, sma
from workbench.research.sweeping.evaluator import Evaluator, combinations_of
from workbench.settings import load_settings
from workbench.strategy.library import get, names
from workbench.strategy.rules import load_rules

BARS = walk(900, seed=3, step=0.006)
DESK = load_settings(Path(wb.__file__).parents[1])


class Cross(wb.SignalStrategy):
    """Two means."""

    fast: int = wb.param(5, low=2, high=50)
    slow: int = wb.param(20, low=5, high=100)

    @property
    def warm_up(self) -> int:
        return self.slow

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
        return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))


class Dip(wb.SignalStrategy):
    """Arithmetic, logic, stops of its own, and an output of several lines."""

    length: int = wb.param(9, low=2, high=30)
    level: float = wb.param(35.0, low=5, high=60)
    trend: int = wb.param(40, low=5, high=200)
    stop: float | None = wb.param(0.04)
    stop_loss: float | None = wb.param(0.05)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        strength, mean = rsi(bars.close, self.length), ema((bars.high + bars.low) / 2.0, self.trend)
        bands = wb.indicators.bollinger(bars.close, self.length)
        entry = (strength < self.level) & (bars.close > mean * 0.98) & ~(bars.close > bands[0])
        return wb.Signals(entry=entry, exit=crosses_above(strength, 60.0), trailing_stop=self.stop)


class Branching(wb.SignalStrategy):
    """Looks at its parameters in ways that cannot be written down once for all."""

    length: int = wb.param(9, low=2, high=30)
    factor: float = wb.param(1.0, low=0.5, high=2.0)
    above: bool = wb.param(True)
    kind: str = wb.param("sma", choices=("sma", "ema"))

    def signals(self, bars: wb.Bars) -> wb.Signals:
        line = (sma if self.kind == "sma" else ema)(bars.close, self.length * 2)
        level = line * self.factor
        entry = bars.close > level if self.above else bars.close < level
        return wb.Signals(entry=entry & (bars.volume > 20.0), exit=~entry)


class Writing(wb.SignalStrategy):
    """Writes into arrays, which only real ones bear."""

    length: int = wb.param(9, low=2, high=30)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        entry = np.zeros(len(bars), dtype=bool)
        entry[1:] = np.diff(sma(bars.close, self.length)) > 0
        return wb.Signals(entry=entry, exit=~entry)


class Mixed(wb.SignalStrategy):
    """Asks for what can be written down and for what cannot; its stop differs from bar to bar."""

    length: int = wb.param(14, low=2, high=100)
    level: float = wb.param(30.0, low=1.0, high=99.0)
    width: float | None = wb.param(None, low=0.001, high=0.5)
    late: int = wb.param(0, low=0, high=200)

    @property
    def warm_up(self) -> int:
        return self.late

    def signals(self, bars: wb.Bars) -> wb.Signals:
        line, mean = rsi(bars.close, self.length), ema(bars.close, self.length)
        up = (bars.close > mean) & (line < self.level)
        down = np.where(wb.indicators.previous(mean) > mean, True, False) | crosses_above(line, 70)
        stop = None if self.width is None else np.clip((bars.high - bars.low) / bars.close * self.width, 0.001, 0.9)
        return wb.Signals(entry=up, exit=down, stop_loss=stop)


class Overwriting(wb.SignalStrategy):
    """Writes into what an indicator gave, which must not reach another combination."""

    length: int = wb.param(5, low=2, high=100)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, self.length)
        mean[:50] = np.nan
        entry = bars.close > mean
        entry &= mean > 0
        return wb.Signals(entry=entry, exit=bars.close < mean)


class Looking(wb.SignalStrategy):
    """Asks what it was given."""

    length: int = wb.param(5, low=2, high=100)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, self.length)
        if not isinstance(mean, np.ndarray):
            raise TypeError
        frame = bars.to_pandas()
        return wb.Signals(entry=frame["close"].to_numpy() > mean, exit=bars.close < mean.copy())


def assert_rows(evaluator: Evaluator, parameters: dict[str, Any], *, every: int = 1) -> dict[int, str]:
    scored = evaluator.score(parameters, threads=2)
    for place, settings in enumerate(combinations_of(parameters)):
        if place % every and place not in scored.refused:
            continue
        if place in scored.refused:
            with pytest.raises(StrategyError):
                evaluator.result(settings)
            assert np.isnan(scored.table[place]).all()
            continue
        told = evaluator.result(settings).metrics
        for name, found in zip(evaluator.metrics, scored.table[place], strict=True):
            assert found == pytest.approx(told[name], rel=1e-9, abs=1e-11, nan_ok=True), (settings, name)
    return scored.refused


def kind_of(evaluator: Evaluator) -> str:
    [speaker] = evaluator._speakers.values()
    return speaker.kind


def test_crosses_of_two_lines() -> None:
    fast, slow = np.meshgrid([2, 5, 9, 30], [5, 21, 60, 95])
    parameters = {"fast": fast.ravel(), "slow": slow.ravel()}
    evaluator = Evaluator(Cross, BARS, costs=FREE)
    assert not assert_rows(evaluator, parameters)
    assert kind_of(evaluator) == "recorded"
    assert evaluator._speakers[("fast", "slow")].crossing(combinations_of(parameters)[0]) is not None  # type: ignore[attr-defined]


def test_strategies_that_are_hard_to_follow() -> None:
    assert not assert_rows(
        Evaluator(Mixed, BARS),
        {
            "length": [3, 9, 14, 9],
            "level": [30.0, 60, 70, 60],
            "width": [None, 2e-1, 0.4, None],
            "late": [0, 0, 99, 200],
        },
    )
    assert not assert_rows(Evaluator(Overwriting, BARS), {"length": [3, 9, 14, 9, 3]})
    assert not assert_rows(Evaluator(Looking, BARS), {"length": [3, 9, 14, 9, 3]})


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_everything_that_can_be_varied(fill: Any) -> None:
    parameters = {
        "length": [3, 9, 9, 14, 20, 5], "level": [30.0, 45, 50, 55, 40, 59], "trend": [10, 20, 30, 40, 50, 60],
        "stop": [None, 0.02, 0.05, None, 0.1, 0.01], "stop_loss": [0.1, 0.02, None, 0.03, 0.05, None],
        "take_profit": [None, 0.03, 0.05, 0.1, None, 0.02], "max_bars": [None, 5, 9, None, 20, 3],
        "size": [1.0, 0.5, 0.2, 0.9, 1.0, 0.1], "fee": [0, 0.001, 0.002, 0.0, 0.0005, 0.001],
        "slippage_bps": [0, 1, 2, 3, 4, 5.0],
    }  # fmt: skip
    evaluator = Evaluator(Dip, BARS, fill=fill)
    assert not assert_rows(evaluator, parameters)
    assert kind_of(evaluator) == "recorded"


def test_parameters_that_decide_what_is_computed() -> None:
    parameters = {
        "length": [3, 9, 14, 3, 9, 14], "factor": [1.0, 0.99, 1.01, 1.0, 0.98, 1.0],
        "above": [True, True, False, False, True, False], "kind": ["sma", "ema", "sma", "ema", "sma", "ema"],
    }  # fmt: skip
    evaluator = Evaluator(Branching, BARS)
    assert not assert_rows(evaluator, parameters)
    assert kind_of(evaluator) == "recorded"


def test_a_strategy_that_cannot_be_written_down_is_asked() -> None:
    evaluator = Evaluator(Writing, BARS)
    assert not assert_rows(evaluator, {"length": list(range(2, 12))})
    assert kind_of(evaluator) == "asked"


@pytest.mark.parametrize("name", [name for name in names() if isinstance(get(name)(), wb.SignalStrategy)])
def test_the_library(name: str) -> None:
    assert_bundled(get(name)())


@pytest.mark.parametrize("ending", ["py", "yaml"])
@pytest.mark.parametrize(
    "name", ["sma_cross", "rsi_reversion", "macd_trend", "donchian_breakout", "bollinger_squeeze", "session_dip"]
)
def test_the_bundled_files(name: str, ending: str) -> None:
    found = wb.load_strategy(f"{name}.{ending}", settings=DESK)
    assert_bundled(found() if isinstance(found, type) else found)


def assert_bundled(strategy: Any) -> None:
    rng, parameters = np.random.default_rng(5), {}
    for name, one in strategy.declared.items():
        if one.kind is int and one.low is not None and one.high is not None:
            parameters[name] = rng.integers(one.low, min(one.high, one.low + 25), 5, endpoint=True).tolist()
        elif one.kind is float and one.low is not None and one.high is not None:
            parameters[name] = rng.uniform(one.low, one.high, 5).tolist()
    assert_rows(Evaluator(strategy, BARS), parameters)


def test_several_instruments_share_the_account() -> None:
    other = walk(900, seed=8)
    several = [BARS, dataclasses.replace(other, instrument=wb.Instrument(symbol="ETH/USDT"))]
    evaluator = Evaluator(Cross, several, metrics=("total_return", "sharpe_ratio", "trades"))
    assert not assert_rows(evaluator, {"fast": [2, 5], "slow": [20, 30], "size": [0.5, 0.4]})


def test_leverage_and_metrics_of_returns_go_the_long_way() -> None:
    evaluator = Evaluator(Cross, BARS, metrics=("total_return", "omega_ratio"))
    table = evaluator.score({"fast": [2, 5], "slow": [20, 30], "leverage": [2.0, 3.0]}).table
    result = evaluator.result({"fast": 5, "slow": 30, "leverage": 3.0})
    assert table[1, 0] == result.metrics["total_return"]
    assert table[1, 1] == pytest.approx(wb.metrics.omega_ratio(result.returns.to_numpy()))


def test_refused_combinations_are_told_with_the_reason() -> None:
    refused = assert_rows(Evaluator(Cross, BARS), {"fast": [5, 1, 51, 5], "slow": [20, 20, 20, 4]})
    assert set(refused) == {1, 2, 3}
    assert "fast = 1 must be at least 2" in refused[1] and "slow = 4 must be at least 5" in refused[3]


def test_what_cannot_be_varied_is_named() -> None:
    with pytest.raises(ConfigError, match=r"Cross has no parameter 'fats', and it is neither an exit nor a cost; what"):
        Evaluator(Cross, BARS).rows({"fats": [1]})
    with pytest.raises(ConfigError, match="there is no metric 'sharp'"):
        Evaluator(Cross, BARS, metrics=("sharp",))
    with pytest.raises(ConfigError, match="metrics = 'sharpe_ratio' is one name: give a list"):
        Evaluator(Cross, BARS, metrics="sharpe_ratio")
    with pytest.raises(ConfigError, match="'cahs' is no option"):
        Evaluator(Cross, BARS, cahs=1.0)
    with pytest.raises(StrategyError, match="a Grid cannot be swept"):
        Evaluator(get("grid")(), BARS)


def test_it_travels() -> None:
    evaluator = Evaluator(Cross, BARS, costs=FREE)
    parameters = {"fast": [2, 5], "slow": [20, 30]}
    again = pickle.loads(pickle.dumps(evaluator))
    np.testing.assert_array_equal(again.score(parameters).table, evaluator.score(parameters).table)


def test_little_memory_changes_nothing() -> None:
    parameters = {"length": list(range(3, 23)), "trend": list(range(10, 30))}
    plenty, little = Evaluator(Dip, BARS), Evaluator(Dip, BARS, memory=50_000)
    np.testing.assert_array_equal(plenty.score(parameters).table, little.score(parameters).table)
    assert little._sheet is not None and little._sheet.bytes <= 20_000


def test_returns_are_those_of_the_results() -> None:
    evaluator = Evaluator(Cross, BARS)
    returns = evaluator.returns({"fast": [2, 5], "slow": [20, 30]})
    assert returns.shape == (2, len(BARS))
    np.testing.assert_array_equal(returns[1], evaluator.result({"fast": 5, "slow": 30}).returns.to_numpy())


RULES = """\
parameters:
  fast: {default: 5, low: 1, high: 60}
  slow: {default: 20, low: 1, high: 60}
  stop: {default: 0.05, low: 0.0, high: 2.0}
require: fast < slow
entry: sma(close, fast) crosses_above sma(close, slow)
exit: sma(close, fast) crosses_below sma(close, slow)
stops: {stop_loss: stop}
"""


def test_a_rule_file_refuses_together_what_it_refuses_one_by_one() -> None:
    strategy = load_rules(Path("made.yaml"), RULES)
    grid = [(fast, slow, stop) for fast in (3, 9, 70) for slow in (9, 20.0, 21) for stop in (0.05, 0, 1.5, 0.5)]
    parameters = {name: [one[k] for one in grid] for k, name in enumerate(("fast", "slow", "stop"))}
    refused = Evaluator(strategy, BARS).score(parameters).refused
    for place, settings in enumerate(combinations_of(parameters)):
        try:
            strategy().replace(**settings)
        except StrategyError as error:
            assert refused[place] == str(error)
        else:
            assert place not in refused
    assert 0 < len(refused) < len(grid)


def test_lines_that_two_parameters_ask_for_are_computed_once() -> None:
    evaluator = Evaluator(Cross, BARS, costs=FREE, fill="close")
    pairs = [(fast, slow) for fast in range(5, 20) for slow in range(5, 20) if fast != slow]
    parameters = {"fast": [fast for fast, _ in pairs], "slow": [slow for _, slow in pairs]}
    assert_rows(evaluator, parameters, every=29)
    assert evaluator._sheet is not None
    made = sum(1 for key in evaluator._sheet._kept if "line" in key)
    assert made == 15
