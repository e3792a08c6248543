"""Where the profit comes from, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workbench as wb
from tests.backtest.handmade import HOUR, fill, plan_of, result_of, series
from workbench.backtest.breakdown import monthly_returns
from workbench.errors import ConfigError

DAY = 24


def trip(bar: int, bars: int, made: float, side: int = 1, *, reason: str = "signal", instrument: int = 0) -> list[dict]:
    """A trade of one unit at 100 that lasts some bars and makes an amount."""
    out = 100.0 + side * made
    return [
        fill(bar, side, 1.0, 100.0, instrument=instrument, fee=0.0),
        fill(bar + bars, -side, 1.0, out, instrument=instrument, reason=reason),
    ]


@pytest.fixture(scope="module")
def result() -> wb.Result:
    """Six closed trades over January and February 1970 (the first was a Thursday), and one that is open."""
    n = 50 * DAY
    plan = plan_of(series("A/USDT", [100.0] * n), series("B/USDT", [100.0] * n))
    return result_of(
        plan,
        *trip(1, 2, 10.0),  # Thursday 01:00, January
        *trip(25, 4, 5.0, -1, reason="take_profit"),  # Friday 01:00
        *trip(50, 1, -4.0, reason="stop_loss", instrument=1),  # Saturday 02:00
        *trip(60, 3, -6.0, -1, reason="stop_loss"),
        *trip(31 * DAY - 1, 2, 0.0, instrument=1),  # begins on the last evening of January, ends in February
        *trip(35 * DAY, 5, 8.0),
        fill(40 * DAY, 1, 1.0, 100.0),
    )


def test_both_sides_and_all(result: wb.Result) -> None:
    table = result.split()
    assert list(table.columns) == ["long", "short", "all"]
    told = table["all"].to_dict()
    assert (told["trades"], told["pnl"], told["win_rate"]) == (6, 13.0, 0.5)
    assert told["profit_factor"] == pytest.approx(23 / 10)
    assert (told["average_win"], told["average_loss"]) == (pytest.approx(23 / 3), -5.0)
    assert told["payoff_ratio"] == pytest.approx(23 / 15)
    assert (told["best"], told["worst"], told["expectancy"]) == (10.0, -6.0, pytest.approx(13 / 6))
    assert told["bars_held"] == pytest.approx(17 / 6) and told["average_return"] == pytest.approx(0.13 / 6)
    assert table["short"]["pnl"] == -1.0 and table["long"]["trades"] == 4
    assert table.loc["trades", "long"] + table.loc["trades", "short"] == result.metrics["trades"]


def test_a_side_that_never_traded_has_no_answer() -> None:
    one = result_of(plan_of(series("A/USDT", [100.0] * 5)), *trip(1, 1, 1.0)).split()
    assert one["short"]["trades"] == 0 and math.isnan(one["short"]["win_rate"]) and one["short"]["fees"] == 0.0


def test_by_each_key(result: wb.Result) -> None:
    months = result.by("month")
    assert months["trades"].to_dict() == {"1970-01": 4, "1970-02": 2}
    assert months["pnl"].to_dict() == {"1970-01": 5.0, "1970-02": 8.0}
    assert months.loc["1970-01", "profit_factor"] == pytest.approx(1.5)
    assert math.isnan(months.loc["1970-02", "profit_factor"])
    assert months.loc["1970-01", "bars_held"] == 2.5
    weekdays = result.by("weekday")
    assert weekdays.index.tolist() == ["Thursday", "Friday", "Saturday"]
    assert weekdays["pnl"].tolist() == [18.0, 5.0, -10.0]
    assert result.by("hour")["trades"].to_dict() == {0: 1, 1: 2, 2: 1, 12: 1, 23: 1}
    assert result.by("instrument")["pnl"].to_dict() == {"A/USDT": 17.0, "B/USDT": -4.0}
    assert result.by("exit_reason")["win_rate"].to_dict() == {
        "signal": pytest.approx(2 / 3), "stop_loss": 0.0, "take_profit": 1.0,
    }  # fmt: skip
    assert result.by("year")["trades"].to_dict() == {1970: 6}
    assert result.by("side", "month")["pnl"].to_dict() == {
        ("long", "1970-01"): 6.0, ("long", "1970-02"): 8.0, ("short", "1970-01"): -1.0,
    }  # fmt: skip


def test_by_what_there_is_not(result: wb.Result) -> None:
    for keys in (("quarter",), ()):
        with pytest.raises(ConfigError, match="group by one or more of 'year', 'month', 'weekday'"):
            result.by(*keys)


def test_streaks(result: wb.Result) -> None:
    table = result.streaks
    won, lost = table.loc["winning"], table.loc["losing"]  # + + - - 0 +
    assert (won["count"], won["longest"], won["mean"], won["pnl"], won["current"]) == (2, 2, 1.5, 15.0, 1)
    assert (lost["count"], lost["longest"], lost["pnl"], lost["current"]) == (1, 3, -10.0, 0)
    assert won["start"].value == HOUR * 10**6 and won["end"].value == 29 * HOUR * 10**6


def test_streaks_of_nothing() -> None:
    table = result_of(plan_of(series("A/USDT", [100.0] * 5))).streaks
    assert table["count"].tolist() == table["longest"].tolist() == table["current"].tolist() == [0, 0]


def test_best_and_worst(result: wb.Result) -> None:
    assert result.best(2)["pnl"].tolist() == [10.0, 8.0]
    assert result.worst(3)["pnl"].tolist() == [-6.0, -4.0, 0.0]
    assert len(result.best(99)) == 6  # the open one is not among them


def test_months_compound_to_years_and_to_the_whole() -> None:
    n = 420 * DAY
    rng = np.random.default_rng(3)
    equity = 10_000 * np.exp(np.cumsum(rng.normal(0, 0.001, n)))
    made = result_of(plan_of(series("A/USDT", [100.0] * n)), equity=equity)
    table = monthly_returns(made)
    assert table.index.tolist() == [1970, 1971] and list(table.columns) == [*range(1, 13), "year"]
    for year in table.index:
        assert (1 + table.loc[year, list(range(1, 13))].dropna()).prod() == pytest.approx(1 + table.loc[year, "year"])
    assert (1 + table["year"]).prod() == pytest.approx(equity[-1] / 10_000)
    assert table.loc[1970, 1] == pytest.approx(equity[31 * DAY - 1] / 10_000 - 1)
    assert table.loc[1971, 3:12].isna().all()


def test_a_month_that_began_with_nothing_has_no_return() -> None:
    n = 70 * DAY
    equity = np.where(np.arange(n) < 20 * DAY, 10_000.0, 0.0)
    table = monthly_returns(result_of(plan_of(series("A/USDT", [100.0] * n)), equity=equity))
    assert table.loc[1970, 1] == -1.0 and math.isnan(table.loc[1970, 2]) and table.loc[1970, "year"] == -1.0
