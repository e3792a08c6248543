"""Every rule file that is shipped says, on real bars, exactly what its twin in code says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]

import workbench as wb
from workbench.market.lake import Lake
from workbench.strategy import signals_of
from workbench.strategy.rules import load_rules, schema

STRATEGIES = Path(__file__).resolve().parents[3] / "strategies"
FILES = sorted(STRATEGIES.glob("*.yaml"))
CALLED = {"rsi_length": "length"}  # parameters that the twin in code calls otherwise
SERIES = (("BTC/USDT", "1h"), ("EUR/USD", "1h"), ("BTC/USDT", "1d"), ("KO", "1d"))
OTHERS = {
    "bollinger_squeeze": ({"length": 40, "width": 1.5, "lately": 1}, {"quiet": 30, "lately": 13, "risk": 0.02}),
    "donchian_breakout": ({"entry_length": 20, "exit_length": 10, "short": False}, {"atr_stop": 0.7, "atr_length": 5}),
    "macd_trend": ({"trend_frame": "1d", "trend_length": 5}, {"fast": 5, "slow": 50, "signal": 3, "atr_stop": 1.5}),
    "rsi_reversion": ({"rsi_length": 21, "stop_loss": None}, {"oversold": 40.0, "trend": 50, "recovered": 70.0}),
    "session_dip": ({"rise_bars": 1, "dip": 25.0}, {"profit_wanted": 0.05, "loss_taken": 0.1, "patience": 4}),
    "sma_cross": ({"fast": 3, "slow": 8}, {"fast": 50, "slow": 200}),
}


def pair(path: Path) -> tuple[type[wb.SignalStrategy], type[wb.SignalStrategy]]:
    return load_rules(path, path.read_text(encoding="utf-8")), wb.load_strategy(path.with_suffix(".py"))


def in_code(given: dict[str, object]) -> dict[str, object]:
    return {CALLED.get(name, name): value for name, value in given.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rules_and_code_say_the_same_on_real_bars(path: Path, lake: Lake) -> None:
    ruled, coded = pair(path)
    said = 0
    for given in ({}, *OTHERS[path.stem]):
        for symbol, timeframe in SERIES:
            bars = lake.read(symbol, timeframe)
            one, other = signals_of(ruled(**given), bars), signals_of(coded(**in_code(given)), bars)
            for name in ("entry", "exit", "short_entry", "short_exit", "size", "stop_loss", "trailing_stop"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=f"{given} {name}")
            assert (one.roi, one.max_bars, one.size_unit) == (other.roi, other.max_bars, other.size_unit)
            said += int(one.entry.sum())
    assert said > 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rules_and_code_declare_the_same(path: Path) -> None:
    ruled, coded = pair(path)
    named = {CALLED.get(name, name): one for name, one in ruled.declared.items()}
    assert list(named) == list(coded.declared)
    for name, one in coded.declared.items():
        facts = ("kind", "default", "low", "high", "choices", "optional", "doc")
        assert [getattr(named[name], fact) for fact in facts] == [getattr(one, fact) for fact in facts], name
    for given in ({}, *OTHERS[path.stem]):
        one, other = ruled(**given), coded(**in_code(given))
        assert one.warm_up == other.warm_up
        assert (one.protections, one.leverage) == (other.protections, other.leverage)
        assert one.needs_next_open == other.needs_next_open
    assert (ruled.__doc__ or "").split("\n")[0] == (coded.__doc__ or "").split("\n")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_longer_history_changes_no_signal_of_a_shipped_file(path: Path, lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h")[:4_000]
    strategy = pair(path)[0]()
    whole = signals_of(strategy, bars)
    for cut in (strategy.warm_up + 1, 500, 1_777, 3_998):
        part = signals_of(strategy, bars[:cut])
        for name in ("entry", "exit", "short_entry", "short_exit"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:cut], err_msg=f"{name} {cut}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_is_what_the_schema_describes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=rules.schema.json\n")


def test_the_shipped_schema_is_in_step() -> None:
    """`workbench strategies schema > strategies/rules.schema.json` writes it after an indicator was added."""
    assert json.loads((STRATEGIES / "rules.schema.json").read_text(encoding="utf-8")) == schema()


def test_each_of_them_has_its_twin_and_some_are_there() -> None:
    assert {path.stem for path in FILES} == set(OTHERS)
    assert all(path.with_suffix(".py").is_file() for path in FILES)


def test_a_shipped_file_is_called_with_its_parameters() -> None:
    ruled = pair(STRATEGIES / "rsi_reversion.yaml")[0]
    assert repr(ruled(rsi_length=21)).startswith("RsiReversion(rsi_length=21, oversold=30.0")


def test_a_longer_timeframe_counts_as_many_bars_as_it_holds_in_rules_and_in_code() -> None:
    path = STRATEGIES / "macd_trend.yaml"
    for timeframe, held in (("1h", 168), ("1d", 7), ("1w", 1)):
        found = {one().warm_up_on(wb.Timeframe.parse(timeframe)) for one in pair(path)}
        assert found == {max(34, 20 * held + held - 2)}
