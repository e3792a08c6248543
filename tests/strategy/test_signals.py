"""Exits of signals: activation, custom stops, ladders, time limits, barriers, and what a strategy's class adds."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.backtest.conftest import bars_of
from workbench.errors import StrategyError
from workbench.strategy import param, signals_of

BARS = bars_of([(100, 101, 99, 100)] * 3)
ENTRY = [True, False, False]


def test_exits_that_are_left_out_are_none() -> None:
    signals = wb.Signals(entry=ENTRY)
    for name in ("trailing_activation", "stop_price", "stop_loss"):
        assert np.isnan(getattr(signals, name)).all()
    assert (signals.roi, signals.max_bars, signals.size_unit) == (None, None, "fraction")


def test_exits_are_kept_when_signals_are_changed_cut_or_sent() -> None:
    given = {"trailing_stop": 0.05, "trailing_activation": 0.02, "stop_price": [90.0, math.nan, 95.0],
             "roi": {60: 0.01, 0: 0.04}, "max_bars": np.int64(5), "size": 0.01, "size_unit": "risk"}  # fmt: skip
    signals = wb.Signals(entry=ENTRY, **given)
    assert list(signals.roi.items()) == [(0.0, 0.04), (60.0, 0.01)]  # by rising minutes
    for same in (signals.replace(exit=[False, False, True]), signals.after(1), pickle.loads(pickle.dumps(signals))):
        assert (same.roi, same.max_bars, same.size_unit) == (signals.roi, 5, "risk")
        np.testing.assert_array_equal(same.stop_price, [90.0, math.nan, 95.0])
        np.testing.assert_array_equal(same.trailing_activation, [0.02])
    assert not signals.after(1).entry.any()


def test_the_ladder_is_a_copy() -> None:
    ladder = {0: 0.04}
    signals = wb.Signals(entry=ENTRY, roi=ladder)
    ladder[0] = 9.0
    assert signals.roi == {0: 0.04}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"trailing_activation": 0}, r"trailing_activation must be a fraction above 0 \(0.05 is five percent\) or NaN"),
        ({"trailing_activation": math.inf}, "trailing_activation must be a fraction above 0 .*; found inf"),
        ({"trailing_stop": 1.0}, "trailing_stop must be a fraction above 0 and below 1"),
        ({"stop_price": -5}, "stop_price must be a finite price above 0 or NaN for none; found -5.0"),
        ({"stop_price": [1.0, 2.0]}, r"stop_price has shape \(2,\), but entry has 3 bars"),
        ({"roi": {}}, r"roi = \{\}; give minutes and the gain to leave at, such as \{0: 0.04"),
        ({"roi": 0.04}, "roi = 0.04; give minutes"),
        ({"roi": {-1: 0.04}}, "roi has -1: 0.04; minutes are 0 or more"),
        ({"roi": {0: math.nan}}, "roi has 0: nan"),
        ({"roi": {0: -1}}, "roi has 0: -1; .* above -1"),
        ({"roi": {"0": 0.1}}, "roi has '0': 0.1"),
        ({"roi": {True: 0.1}}, "roi has True: 0.1"),
        ({"max_bars": 0}, "max_bars = 0; give a whole number of bars, at least 1, or None"),
        ({"max_bars": 2.0}, "max_bars = 2.0"),
        ({"max_bars": True}, "max_bars = True"),
        ({"size_unit": "percent"}, "size_unit 'percent' is not one of fraction, quantity, cash, risk"),
        ({"size": 2.0, "size_unit": "risk"}, "size 2.0 is more than the whole equity"),
    ],
)
def test_wrong_exits_are_named(fields: dict, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        wb.Signals(entry=ENTRY, **fields)


def test_times_of_a_stop_price_are_held_to_the_bars() -> None:
    index = pd.date_range("2024-01-01", periods=3, freq="1h", tz="UTC")
    with pytest.raises(StrategyError, match="the Series entry and stop_price have different indexes"):
        wb.Signals(entry=pd.Series(ENTRY, index=index), stop_price=pd.Series([1.0, 2, 3], index=index[::-1]))


def test_three_barriers_are_a_target_a_stop_and_a_time_limit() -> None:
    signals = wb.Signals(entry=ENTRY, stop_loss=0.5).triple_barrier(up=[0.01, 0.02, 0.03], bars=24)
    np.testing.assert_array_equal(signals.take_profit, [0.01, 0.02, 0.03])
    np.testing.assert_array_equal(signals.stop_loss, [0.5])  # left out: stays
    assert signals.max_bars == 24
    with pytest.raises(StrategyError, match="stop_loss must be a fraction above 0 and below 1"):
        signals.triple_barrier(down=2)


class Guarded(wb.SignalStrategy):
    """Exits on the class, some of them parameters."""

    trailing_stop = 0.1
    trailing_activation: float = param(0.03, low=0.0)
    roi = {0: 0.1, 30: 0.05}  # noqa: RUF012
    max_bars: int | None = param(None, low=1)
    protections = (wb.Cooldown(2),)
    leverage: float = param(2.0, low=1.0)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.ones(len(bars), dtype=bool))


def test_what_the_class_says_holds_where_the_signals_say_nothing() -> None:
    found = signals_of(Guarded(max_bars=7), BARS)
    assert (found.trailing_stop.tolist(), found.trailing_activation.tolist()) == ([0.1], [0.03])
    assert (found.roi, found.max_bars) == ({0: 0.1, 30: 0.05}, 7)
    assert signals_of(Guarded(), BARS).max_bars is None


def test_what_the_signals_say_goes_before_the_class() -> None:
    class Louder(Guarded):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return super().signals(bars).replace(trailing_stop=0.2, roi={0: 0.5}, max_bars=1)

    found = signals_of(Louder(max_bars=7), BARS)
    assert (found.trailing_stop.tolist(), found.roi, found.max_bars) == ([0.2], {0: 0.5}, 1)


def test_exits_of_the_class_that_are_wrong_are_named() -> None:
    for name, wrong in (("trailing_stop", 5), ("roi", {})):
        with pytest.raises(StrategyError, match=f"{name} "):
            signals_of(type("Odd", (Guarded,), {name: wrong})(), BARS)
