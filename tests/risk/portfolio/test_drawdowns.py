"""The drawdown monitor: hand-derived states, payments, thresholds, going on from a snapshot."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.risk import metrics
from workbench.risk.portfolio import DrawdownMonitor, drawdown_table, monitor_of

DAY = 86_400_000


def told(*equities: float, **options: float) -> DrawdownMonitor:
    monitor = DrawdownMonitor(**options)
    for day, equity in enumerate(equities):
        monitor.update(day * DAY, equity)
    return monitor


def test_depth_length_and_the_way_back() -> None:
    now = told(100.0, 125.0, 100.0, 80.0, 110.0).now
    assert (now.depth, now.deepest) == pytest.approx((110 / 125 - 1, 80 / 125 - 1))
    assert (now.peak_ts, now.trough_ts, now.days) == (DAY, 3 * DAY, 3.0)
    assert now.peak_equity == pytest.approx(125.0)
    assert now.gain_needed == pytest.approx(125 / 110 - 1)
    # Four days from 100 to 110: at that rate ln(125 / 110) takes this many days.
    assert now.projected_days == pytest.approx(4 * math.log(125 / 110) / math.log(1.1))
    assert "back, about 5 days at its mean growth" in now.sentence


def test_it_agrees_with_the_metrics_of_the_same_curve() -> None:
    returns = [0.1, -0.2, 0.05, -0.1, 0.02]
    equity = [1.0]
    for one in returns:
        equity.append(equity[-1] * (1 + one))
    table = metrics.drawdown_table(returns)
    now = told(*equity).now
    assert now.depth == pytest.approx(metrics.current_drawdown(returns))
    assert now.deepest == pytest.approx(table["depth"].iloc[0])
    assert now.gain_needed == pytest.approx(table["gain_needed"].iloc[0])


def test_thresholds_and_ruin() -> None:
    monitor = told(100.0)
    assert monitor.now.standing == "ok" and monitor.now.sentence == "At its highest value."
    assert monitor.update(DAY, 85.0).standing == "warn"
    assert monitor.update(2 * DAY, 75.0).standing == "pause"
    assert monitor.update(3 * DAY, 90.0).standing == "ok"
    assert monitor.update(4 * DAY, -5.0).standing == "ruined"
    assert monitor.now.depth == -1.0 and math.isnan(monitor.now.projected_days)
    assert monitor.update(5 * DAY, 50.0, paid_in=55.0).standing == "ruined"
    assert told(100.0, 89.0, warn=0.1, pause=0.2).now.standing == "warn"


def test_money_paid_in_or_out_is_no_profit_and_no_loss() -> None:
    monitor = told(100.0, 90.0)
    assert monitor.update(2 * DAY, 190.0, paid_in=100.0).depth == pytest.approx(-0.1)
    assert monitor.now.peak_equity == pytest.approx(190.0 / 0.9)
    assert monitor.update(3 * DAY, 95.0, paid_in=-95.0).depth == pytest.approx(-0.1)
    assert monitor.update(4 * DAY, 95.0 / 0.9).depth == pytest.approx(0.0)


def test_a_snapshot_goes_on() -> None:
    monitor = told(100.0, 130.0, 110.0, warn=0.1)
    again = DrawdownMonitor.restore(json.loads(json.dumps(monitor.snapshot())))
    assert again.now == monitor.now and again.update(9 * DAY, 80.0) == monitor.update(9 * DAY, 80.0)
    with pytest.raises(DataError, match="no 'warn'"):
        DrawdownMonitor.restore({})


def test_wrong_input_changes_nothing() -> None:
    monitor = told(100.0, 90.0)
    before = monitor.snapshot()
    for ts, equity in ((DAY, 80.0), (5 * DAY, math.nan)):
        with pytest.raises(DataError):
            monitor.update(ts, equity)
    assert monitor.snapshot() == before
    with pytest.raises(DataError, match="heard of no equity"):
        _ = DrawdownMonitor().now
    with pytest.raises(DataError, match="begins with an equity above zero"):
        DrawdownMonitor().update(0, 0.0)
    with pytest.raises(ConfigError, match="the warning comes first"):
        DrawdownMonitor(warn=0.3, pause=0.2)
    with pytest.raises(ConfigError, match="pause = 25"):
        DrawdownMonitor(pause=25)


def test_tables_are_of_each_column() -> None:
    days = pd.date_range("2024-01-01", periods=3)
    table = drawdown_table(pd.DataFrame({"a": [1.0, 2.0, 1.0], "b": [None, 1.0, 3.0]}, index=days))
    assert table["depth"].to_dict() == {"a": -0.5, "b": 0.0}
    assert table["standing"].to_dict() == {"a": "pause", "b": "ok"}
    assert table["peak_time"]["a"] == pd.Timestamp("2024-01-02", tz="UTC")
    with pytest.raises(DataError, match="DatetimeIndex"):
        monitor_of(pd.Series([1.0, 2.0]))
