"""The bridge to `ta`: all its columns by name, and those that look ahead refused with the reason."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.indicators.catalog import market
from workbench.errors import StrategyError
from workbench.indicators import registry, ta_bridge
from workbench.indicators.causality import Change, first_change
from workbench.indicators.ta_verdicts import VERDICTS, Verdict

MODULES = ("momentum", "others", "trend", "volatility", "volume")
FAILS_EARLY = {"ta:trend.adx"}  # on no rows but missing ones: what is NaN then is 0.0 later, neither a value
COLUMNS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def bars(lake: wb.Lake) -> dict[str, np.ndarray]:
    """The real bars of which the table of verdicts speaks."""
    first = lake.read("BTC/USDT", "1h")[:200]
    return {name: np.array(getattr(first, name), dtype=float) for name in COLUMNS}


def late(bars: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same bars with the first thirty missing."""
    return {name: np.where(np.arange(len(column)) < 30, np.nan, column) for name, column in bars.items()}


def change(name: str, bars: dict[str, np.ndarray], cut: int, **parameters: Any) -> Change | None:
    indicator = ta_bridge.get(name, force=True)

    def compute(columns: Any) -> list[np.ndarray]:
        return [indicator.__call__(*(columns[one] for one in indicator.inputs), *given)]

    given = tuple({**indicator.defaults, **parameters}.values())
    return first_change(compute, bars, [cut])["0"]


def test_every_column_of_ta_is_there() -> None:
    theirs = {
        f"ta:{module}.{method}"
        for module in MODULES
        for kind in vars(importlib.import_module(f"ta.{module}")).values()
        if inspect.isclass(kind) and kind.__module__ == f"ta.{module}"
        for method, code in vars(kind).items()
        if inspect.isfunction(code) and not method.startswith("_")
    }
    assert set(registry.names("ta")) == theirs
    assert len(theirs) == 84


@pytest.mark.parametrize("name", ta_bridge.names())
def test_a_column_is_what_ta_gives_with_its_own_defaults(name: str, bars: dict[str, np.ndarray]) -> None:
    indicator = ta_bridge.get(name, force=True)
    module, method = name.removeprefix("ta:").split(".")
    library = importlib.import_module(f"ta.{module}")
    kind = next(
        one for one in vars(library).values()
        if inspect.isclass(one) and one.__module__ == library.__name__ and method in vars(one)
    )  # fmt: skip
    bare = {name: value for name, value in indicator.defaults.items() if name == "window"}
    series = {one: pd.Series(bars[one]) for one in indicator.inputs}
    expected = getattr(kind(**series, **bare), method)()
    np.testing.assert_array_equal(indicator(*series.values()), expected)
    assert indicator.group == "ta"
    assert indicator.summary
    own = inspect.signature(kind.__init__).parameters
    for parameter, value in indicator.defaults.items():
        assert own[parameter].default in (value, inspect.Parameter.empty)


@pytest.mark.parametrize("name", ta_bridge.names())
def test_the_table_says_of_each_column_what_running_it_shows(name: str, bars: dict[str, np.ndarray]) -> None:
    """Each with its defaults, filled, drawn ahead and with a window of one or two, on whole bars and late ones."""
    takes = ta_bridge.get(name, force=True).defaults
    tried = [{}, {"fillna": True}, *([{"visual": True}] if "visual" in takes else [])]
    tried += [{"window": length} for length in (1, 2, 3) if "window" in takes]
    for given in tried:
        known = [one for one in ta_bridge.verdicts(name) if one.holds({**takes, **given})]
        for gap in (False, True):
            found = change(name, late(bars) if gap else bars, 20 if gap else 60, **given)
            if found is not None and not (gap and name in FAILS_EARLY):
                assert known, f"{name} with {given} looks ahead: {found}"
            for verdict in known:
                if verdict.leading_gap == gap:
                    assert found is not None, f"{name} with {given} does not look ahead"
                    assert found.row == verdict.row or given.keys() != verdict.when.keys()


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda one: f"{one.columns[0]} {one.condition}".strip())
def test_the_size_of_the_change_is_the_one_in_the_table(verdict: Verdict, bars: dict[str, np.ndarray]) -> None:
    gap = verdict.leading_gap
    found = change(f"ta:{verdict.columns[0]}", late(bars) if gap else bars, 20 if gap else 60, **verdict.when)
    assert found is not None
    assert found.size == pytest.approx(verdict.change, rel=1e-4)


def test_a_column_that_always_looks_ahead_is_refused_unless_forced() -> None:
    with pytest.raises(
        StrategyError,
        match=r"^ta:trend\.kst: it looks ahead: row 14 changes by 23 in its own unit when bars are appended, "
        r"as ta fills .* with the mean of the whole series; use another, or say force=True$",
    ):
        wb.indicators.get("ta:trend.kst")
    close = market(100)["close"]
    with pytest.raises(StrategyError, match=r"^ta:trend\.kst_sig: it looks ahead"):
        wb.indicators.compute("ta:trend.kst_sig", close)
    assert np.isfinite(wb.indicators.compute("ta:trend.kst", close, force=True)).any()


def test_parameters_that_make_a_column_look_ahead_are_refused_unless_forced() -> None:
    data = market(100)
    assert np.isfinite(wb.indicators.compute("ta:trend.ichimoku_a", data)).any()
    with pytest.raises(StrategyError, match=r"^ta:trend\.ichimoku_a: with visual=True it looks ahead: row 0 changes"):
        wb.indicators.compute("ta:trend.ichimoku_a", data, visual=True)
    with pytest.raises(StrategyError, match=r"^ta:trend\.dpo: with window=2 it looks ahead"):
        wb.indicators.compute("ta:trend.dpo", data, window=2)
    assert np.isfinite(wb.indicators.compute("ta:trend.ichimoku_a", data, visual=True, force=True)).any()


def test_an_unknown_column_is_told_with_the_nearest() -> None:
    with pytest.raises(StrategyError, match=r"^ta has no column 'ta:trend\.kts'; did you mean .*ta:trend\.kst"):
        registry.get("ta:trend.kts")
    with pytest.raises(StrategyError, match=r"^ta:momentum\.rsi: parameter 'length' is not what it takes: window"):
        registry.compute("ta:momentum.rsi", [1.0], length=3)


def test_series_come_back_on_their_index_and_arrays_as_arrays() -> None:
    data = market(60)
    index = pd.date_range("2024-01-01", periods=60, freq="h", tz="UTC")
    given = registry.compute("ta:momentum.rsi", pd.Series(data["close"], index=index), window=5)
    assert given.index.equals(index)
    assert given.name == "ta:momentum.rsi_5"
    np.testing.assert_array_equal(given, registry.compute("ta:momentum.rsi", data["close"], window=5))


def test_a_series_too_short_for_ta_gives_nan_and_a_stream_the_same_values() -> None:
    data = market(40)
    assert np.isnan(registry.compute("ta:trend.adx", {name: column[:5] for name, column in data.items()})).all()
    stream = registry.stream("ta:momentum.rsi", window=5)
    told = [stream.update(value) for value in data["close"]]
    np.testing.assert_array_equal(told, registry.compute("ta:momentum.rsi", data["close"], window=5))
    assert registry.get("ta:momentum.rsi").first(5, False) == (4,)


def test_what_ta_cannot_compute_is_said() -> None:
    with pytest.raises(StrategyError, match=r"^ta:trend\.sma_indicator: ta fails with window=-3, .* on 40 rows: "):
        registry.compute("ta:trend.sma_indicator", market(40), window=-3)


def test_nothing_of_ta_is_imported_to_list_its_columns() -> None:
    code = (
        "import sys; from workbench import indicators; indicators.names('ta'); indicators.get('rsi');"
        "print({'ta', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """`ta` itself warns, in its own code, of what newer versions of pandas and numpy will do."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="ta")
        yield
