"""Strategies: parameters, signals, the base class and the loader, with every way to get them wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional, Union

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.backtest.conftest import bars_of
from workbench.errors import StrategyError
from workbench.strategy import list_strategies, load_strategy, param, signals_of

BARS = bars_of([(100, 101, 99, 100)] * 5)


class Cross(wb.SignalStrategy):
    """Two numbers and a switch."""

    fast: int = param(3, low=1, high=50)
    slow: int = param(5, low=2, high=200)
    band: float = param(0.5, low=0.0)
    mode: str = param("both", choices=("both", "long"))
    strict: bool = param(False)
    stop_loss: float | None = param(None, low=0.001, high=0.5)

    def validate(self) -> None:
        if self.fast >= self.slow:
            raise StrategyError(f"fast = {self.fast} must be below slow = {self.slow}")

    def signals(self, bars: wb.Bars) -> wb.Signals:
        n = len(bars)
        return wb.Signals(entry=np.arange(n) == 0, exit=np.arange(n) == self.fast)


def test_defaults_types_and_repr_that_can_be_pasted_back() -> None:
    one = Cross(fast=np.int64(4), band=1)
    assert one.parameters == {
        "fast": 4, "slow": 5, "band": 1.0, "mode": "both", "strict": False, "stop_loss": None,
    }  # fmt: skip
    assert type(one.fast) is int and type(one.band) is float
    assert eval(repr(one)) == one and hash(eval(repr(one))) == hash(one)
    assert one.replace(fast=2) == Cross(fast=2, band=1.0) != one


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fast": 0}, r"Cross: parameter fast = 0 must be at least 1 and at most 50"),
        ({"fast": 51}, r"parameter fast = 51 must be at most 50 and at least 1"),
        ({"fast": 3.5}, r"parameter fast = 3.5 must be a whole number"),
        ({"fast": True}, r"parameter fast = True must be a whole number"),
        ({"fast": "3"}, r"parameter fast = '3' must be a whole number"),
        ({"fast": None}, r"parameter fast = None must be a whole number"),
        ({"band": float("nan")}, r"parameter band = nan must be a finite number"),
        ({"mode": "short"}, r"parameter mode = 'short' must be one of 'both', 'long'"),
        ({"strict": 1}, r"parameter strict = 1 must be True or False"),
        ({"stop_loss": 0.6}, r"parameter stop_loss = 0.6 must be at most 0.5"),
        ({"stop_loss": "x"}, r"parameter stop_loss = 'x' must be a number or None"),
        ({"fsat": 3}, r"Cross has no parameter 'fsat': did you mean 'fast'\?"),
        ({"fast": 9, "slow": 4}, r"fast = 9 must be below slow = 4"),
    ],
)
def test_wrong_parameters(given: dict, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        Cross(**given)


def test_a_default_is_held_to_its_own_rule() -> None:
    with pytest.raises(StrategyError, match="parameter n = 5 must be at least 10"):
        type("Bad", (wb.SignalStrategy,), {"n": param(5, low=10)})
    with pytest.raises(StrategyError, match="parameter n has the default None and no type"):
        type("Bad", (wb.SignalStrategy,), {"n": param(None)})
    with pytest.raises(StrategyError, match="must be a bool, int, float, str or None"):
        type("Bad", (wb.SignalStrategy,), {"n": param([1])})


def test_parameters_are_inherited_and_can_be_redeclared() -> None:
    class Wider(Cross):
        fast: int = param(4, low=1, high=90)

    assert Wider(fast=80, slow=100).parameters["mode"] == "both"
    assert list(Wider.declared) == list(Cross.declared)


def test_a_strategy_keeps_nothing() -> None:
    with pytest.raises(StrategyError, match="cannot be changed: a strategy keeps nothing between calls"):
        Cross().fast = 7


def test_class_wide_stops_apply_where_the_signals_say_none() -> None:
    assert signals_of(Cross(stop_loss=0.1), BARS).stop_loss.tolist() == [0.1]
    assert np.isnan(signals_of(Cross(), BARS).stop_loss).all()

    class Own(Cross):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return wb.Signals(entry=np.ones(len(bars), dtype=bool), stop_loss=0.02)

    assert signals_of(Own(stop_loss=0.1), BARS).stop_loss.tolist() == [0.02]


def saying(what: object) -> wb.SignalStrategy:
    class Says(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return what(bars) if callable(what) else what

    return Says()


def test_what_a_strategy_says_is_checked() -> None:
    with pytest.raises(StrategyError, match=r"Says\(\).signals returned a list; return wb.Signals"):
        signals_of(saying([True]), BARS)
    with pytest.raises(StrategyError, match="returned 4 values for 5 bars; say one value a bar"):
        signals_of(saying(wb.Signals(entry=[True] * 4)), BARS)
    with pytest.raises(StrategyError, match=r"raised ZeroDivisionError: .* \(line \d+ of test_strategy.py: "):
        signals_of(saying(lambda bars: 1 / 0), BARS)
    with pytest.raises(StrategyError, match="SignalStrategy does not say its signals"):
        signals_of(wb.SignalStrategy(), BARS)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"entry": [1, 0, 1]}, "entry holds int64 values, not bool"),
        ({"entry": [1.0, float("nan")]}, "entry holds float64 values, not bool"),
        ({"entry": pd.Series([True, None])}, "entry holds object values, not bool; .*fillna"),
        ({"entry": [[True]]}, r"entry has shape \(1, 1\); give one value a bar"),
        ({"entry": [True, False], "exit": [True]}, r"exit has shape \(1,\), but entry has 2 bars"),
        ({"entry": [True, False], "size": [0.5]}, r"size has shape \(1,\), but entry has 2 bars"),
        ({"entry": [True], "size": 0.0}, "size must be a finite number above zero"),
        ({"entry": [True, False], "size": [float("nan"), 1]}, "size must be a finite number above zero"),
        ({"entry": [True], "size": 1.5}, "size 1.5 is more than the whole equity"),
        ({"entry": [True], "size": "all"}, "size = 'all' is not a number"),
        ({"entry": [True], "size_unit": "lots"}, "size_unit 'lots' is not one of fraction, quantity, cash"),
        ({"entry": [True], "stop_loss": 5.0}, "stop_loss must be a fraction above 0 and below 1 .*; found 5.0"),
        ({"entry": [True], "trailing_stop": 0.0}, "trailing_stop must be a fraction above 0 and below 1"),
        ({"entry": [True], "take_profit": -0.1}, "take_profit must be a fraction above 0 .*; found -0.1"),
    ],
)
def test_wrong_signals(fields: dict, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        wb.Signals(**fields)


def test_signals_take_pandas_and_lists_and_copy_them() -> None:
    mine = np.array([True, False])
    signals = wb.Signals(entry=mine, exit=pd.Series([False, True]), size=[0.5, 1.0])
    mine[0] = False
    assert signals.entry.tolist() == [True, False]
    assert repr(signals) == "<Signals 2 bars: 1 entry, 1 exit>"


GOOD = '''
import workbench as wb

class Simple(wb.SignalStrategy):
    """Always in."""
    n: int = wb.param(3, low=1)

    def signals(self, bars):
        return wb.Signals(entry=bars.close > 0)
'''


def test_a_file_is_loaded_and_reloaded_when_edited(tmp_path: Path) -> None:
    path = tmp_path / "simple.py"
    path.write_text(GOOD)
    first = load_strategy(path)
    assert load_strategy(str(path)) is first
    path.write_text(GOOD.replace("param(3", "param(4"))
    second = load_strategy(path)
    assert (first().n, second().n) == (3, 4)
    assert first().code_hash != second().code_hash and len(first().code_hash) == 16


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class X(:\n    pass\n", r"broken.py: line 1, column 9: .*class X\(:"),
        ("import nowhere_to_be_found\n", "broken.py: line 1: ModuleNotFoundError: No module named"),
        ("x = 1\ny = x / 0\n", "broken.py: line 2: ZeroDivisionError"),
        ("x = 1\n", "no strategy in this file; write a class that extends wb.SignalStrategy"),
        (GOOD + GOOD.replace("Simple", "Other"), r"several strategies \(Simple, Other\); name one: '.*:Other'"),
        (GOOD.replace("low=1", "low=9"), "parameter n = 3 must be at least 9"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, source: str, message: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)
    with pytest.raises(StrategyError, match=message):
        load_strategy(str(path))


def test_a_class_of_a_file_is_named_after_a_colon(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text(GOOD + GOOD.replace("Simple", "Other"))
    assert load_strategy(f"{path}:Other").__name__ == "Other"
    with pytest.raises(StrategyError, match="no strategy class 'Third'; it has Simple, Other"):
        load_strategy(f"{path}:Third")


def test_not_text_and_not_there(tmp_path: Path) -> None:
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StrategyError, match="cannot be read as a UTF-8 text file"):
        load_strategy(tmp_path / "bytes.py")
    with pytest.raises(StrategyError, match=r"there is no strategy file .*absent\.py"):
        load_strategy(tmp_path / "absent.py")


def test_listing_shows_broken_files_with_their_error(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text("def :")
    (tmp_path / "_private.py").write_text("1/0")
    bad, good = list_strategies(tmp_path)
    assert (good.name, good.summary, good.error) == ("good", "Always in.", None)
    assert [one.name for one in good.parameters] == ["n"]
    assert "line 1" in bad.error


@pytest.mark.parametrize("warm_up", [None, 2.5, -1, True, "3", property(lambda self: 1 // 0)])
def test_a_warm_up_is_a_number_of_bars(warm_up: object) -> None:
    strategy = type("Late", (Cross,), {"warm_up": warm_up})()
    with pytest.raises(
        StrategyError, match=r"Late\(.*\)?: (warm_up is .*; it must be a whole number|its warm_up raised)"
    ):
        signals_of(strategy, BARS)


def test_optional_may_be_written_in_the_old_way() -> None:
    annotations = {"stop": Optional[float], "level": Union[int, None]}  # noqa: UP007, UP045
    cls = type("Old", (Cross,), {"stop": param(0.05), "level": param(None), "__annotations__": annotations})
    assert cls(stop=None).stop is None
    assert cls(level=3).level == 3


@pytest.mark.parametrize("name", ["replace", "parameters", "signals"])
def test_a_parameter_cannot_take_a_name_that_strategies_have(name: str) -> None:
    with pytest.raises(StrategyError, match=f"Odd: a parameter cannot be called {name}"):
        type("Odd", (wb.SignalStrategy,), {name: param(3)})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys\nsys.exit(3)\n", r"odd\.py: line 2: SystemExit: 3"),
        ("from workbench import *\nclass Odd(SignalStrategy):\n  def validate(self): self.replace(a=1)\n", "has no p"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_does_not_hide_the_others(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "good.py").write_text("import workbench as wb\nclass Good(wb.SignalStrategy): pass\n")
    (tmp_path / "odd.py").write_text(source)
    for _ in range(2):  # nothing half-loaded is left behind
        good, odd = list_strategies(str(tmp_path))
        assert good.error is None
        assert odd.error is not None and re.search(message, odd.error)


def test_the_hash_of_a_class_without_source_is_that_of_what_it_does() -> None:
    text = (
        "import workbench as wb\nclass Bare(wb.SignalStrategy):\n    def signals(self, bars): return bars.close > {}\n"
    )
    hashes = []
    for level in (5, 5, 6):
        space: dict = {"__name__": "nowhere"}
        exec(text.format(level), space)
        hashes.append(space["Bare"]().code_hash)
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"entry": [[True], [True, False]]}, "entry is no column"),
        ({"entry": np.ma.array([True, False], mask=[False, True])}, "entry has masked values"),
        ({"entry": [True, False], "stop_loss": [0.05, 5.0]}, "stop_loss must be .*; found 5.0"),
    ],
)
def test_signals_that_are_no_column(said: dict, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        wb.Signals(**said)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"low": "a"}, "low='a', which is no number"),
        ({"high": True}, "high=True"),
        ({"choices": 5}, "choices=5; give a"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_named(facts: dict, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        type("Odd", (wb.SignalStrategy,), {"n": param(3, **facts)})


def test_a_whole_number_beyond_all_floats_is_not_finite() -> None:
    with pytest.raises(StrategyError, match="must be a finite number"):
        Cross(band=10**400)


def test_several_strategies_of_one_file_are_listed_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(GOOD + GOOD.replace("Simple", "Other"))
    assert [(one.name, one.error) for one in list_strategies(tmp_path)] == [("two:Simple", None), ("two:Other", None)]


class Weekly(wb.SignalStrategy):
    """Always long, once three longer bars are known."""

    warm_up = 1

    def warm_up_on(self, timeframe: wb.Timeframe) -> int:
        return max(self.warm_up, 12 * 3_600_000 // timeframe.ms)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.ones(len(bars), dtype=bool))


def test_a_warm_up_may_depend_on_the_length_of_the_bars() -> None:
    hours = bars_of([(100, 101, 99, 100)] * 20)
    assert np.flatnonzero(signals_of(Weekly(), hours).entry)[0] == 12
    assert np.flatnonzero(signals_of(Weekly(), wb.data.resample(hours, "4h")).entry)[0] == 3
