"""The doctor on equity: each check where it fires, where it does not, and at its limits."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from tests.backtest.doctor_cases import CASH, HOUR, fill, flat_bars, look, make_case
from workbench.backtest.doctor_case import Case
from workbench.backtest.doctor_findings import Finding, grade
from workbench.backtest.doctor_table import CHECKS
from workbench.risk import metrics


def with_equity(equity: object, **facts: object) -> Case:
    values = np.asarray(equity, dtype=float)
    return make_case(flat_bars(len(values), **facts), equity=values)


def graded(name: str, value: float) -> str:
    return grade(value, next(check for check in CHECKS if check.name == name))


def compounded(returns: np.ndarray) -> np.ndarray:
    return CASH * np.cumprod(1 + returns)


def alternating(n: int, mean: float, swing: float) -> np.ndarray:
    return mean + swing * (-1.0) ** np.arange(n)


def test_sharpe_too_high() -> None:
    found = look(with_equity(compounded(alternating(500, 0.001, 0.01)), timeframe="1d"), "sharpe_too_high")
    assert found.value == pytest.approx(0.1 * math.sqrt(365), rel=0.01) and found.severity == "fine"
    found = look(with_equity(compounded(alternating(500, 0.002, 0.01)), timeframe="1d"), "sharpe_too_high")
    assert found.severity == "warning"
    assert [graded("sharpe_too_high", value) for value in (2.99, 3.0, 4.99, 5.0)] == [
        "fine", "warning", "warning", "critical",
    ]  # fmt: skip
    assert look(with_equity(np.full(50, CASH)), "sharpe_too_high").severity == "not applicable"


@pytest.mark.parametrize(("gain", "severity"), [(1.0, "fine"), (0.0, "fine"), (-0.01, "warning")])
def test_loss(gain: float, severity: str) -> None:
    fills = [fill(2, 1, 101.0, quoted=100.0, fee=2.0), fill(4, -1, 100.0, reason="signal", fee=1.0)]
    found = look(make_case(flat_bars(9), fills=fills, equity=np.full(9, CASH + gain)), "loss")
    assert found.severity == severity and found.value == pytest.approx(gain / CASH)
    assert found.evidence["before_costs"] == pytest.approx((gain + 4) / CASH)


def test_luck_is_the_probabilistic_sharpe_ratio() -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.01, 400)
    found = look(with_equity(compounded(returns)), "luck")
    sharpe, (skew, kurtosis) = returns.mean() / returns.std(ddof=1), moments(returns)
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    assert found.value == pytest.approx(NormalDist().cdf(sharpe * math.sqrt(399 / spread)), abs=1e-3)


def moments(returns: np.ndarray) -> tuple[float, float]:
    """Give skewness and kurtosis (3 for a normal distribution)."""
    away = (returns - returns.mean()) / returns.std()
    return float((away**3).mean()), float((away**4).mean())


def test_luck() -> None:
    assert look(with_equity(compounded(alternating(900, 0.001, 0.01))), "luck").severity == "fine"
    assert look(with_equity(compounded(alternating(200, 0.001, 0.01))), "luck").severity == "warning"
    assert look(with_equity(compounded(alternating(50, 0.001, 0.01))), "luck").severity == "critical"
    assert look(with_equity(compounded(alternating(900, -0.001, 0.01))), "luck").severity == "not applicable"
    assert look(with_equity(compounded(alternating(15, 0.001, 0.01))), "luck").severity == "not applicable"
    assert [graded("luck", value) for value in (0.7999, 0.8, 0.9499, 0.95)] == [
        "critical", "warning", "warning", "fine",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "severity"), [(364, "warning"), (365, "note"), (3 * 365 - 1, "note"), (3 * 365, "fine")]
)
def test_short_history(days: int, severity: str) -> None:
    found = look(make_case(flat_bars(days, timeframe="1d")), "short_history")
    assert found.severity == severity and found.value == pytest.approx(days / 365)


@pytest.mark.parametrize(
    ("still", "severity"),
    [(0, "fine"), (24, "fine"), (25, "note"), (50, "warning"), (89, "warning"), (90, "critical"), (100, "critical")],
)
def test_flat_equity(still: int, severity: str) -> None:
    equity = CASH + np.arange(1, 101) * 1.0
    equity[100 - still :] = equity[100 - still - 1] if still < 100 else CASH
    found = look(with_equity(equity), "flat_equity")
    assert found.severity == severity and found.value == pytest.approx(still / 100)
    if still:
        assert found.times == ((100 - still) * HOUR, 99 * HOUR)


def test_the_longest_stretch_counts_and_not_the_sum() -> None:
    equity = CASH + np.repeat(np.arange(10), 10)  # ten bars each, the first ten as the cash was
    found = look(with_equity(equity), "flat_equity")
    assert found.value == pytest.approx(0.10) and found.times == (0, 9 * HOUR)


def monthly(gains: list[float]) -> Finding:
    bars = flat_bars(365, timeframe="1d")
    months = bars.ts.astype("datetime64[ms]").astype("datetime64[M]").astype(int)
    equity = CASH + np.array([sum(gains[: month + 1]) for month in months])
    return look(make_case(bars, equity=equity), "one_month")


@pytest.mark.parametrize(
    ("gains", "share", "severity"),
    [
        ([1.0] * 12, 1 / 12, "fine"),
        ([11.0, *[1.0] * 11], 0.5, "warning"),
        ([10.9, *[1.0] * 11], 10.9 / 21.9, "fine"),
        ([0.0] * 11 + [5.0], 1.0, "critical"),
        ([-1.0, 5.0, *[0.0] * 10], 1.25, "critical"),
    ],
)
def test_one_month(gains: list[float], share: float, severity: str) -> None:
    found = monthly(gains)
    assert found.severity == severity and found.value == pytest.approx(share)
    assert found.evidence["month"] == f"1970-{int(np.argmax(gains)) + 1:02}"


def test_one_month_needs_months_and_a_profit() -> None:
    assert monthly([-1.0] * 12).severity == "not applicable"
    few = make_case(flat_bars(150, timeframe="1d"), equity=CASH + np.arange(150.0))
    assert look(few, "one_month").severity == "not applicable"
    six = make_case(flat_bars(181, timeframe="1d"), equity=CASH + np.arange(181.0))
    assert look(six, "one_month").severity == "fine"


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [(0.5, 0.5, "fine"), (0.79, 0.21, "fine"), (0.81, 0.19, "note"), (1.0, 0.0, "warning"), (1.5, -0.5, "warning")],
)
def test_first_half(first: float, second: float, severity: str) -> None:
    halves = np.concatenate((np.linspace(0, first, 51)[1:], first + np.linspace(0, second, 51)[1:]))
    found = look(with_equity(CASH * np.exp(halves)), "first_half")
    assert found.severity == severity and found.value == pytest.approx(first)


def test_the_first_half_is_a_share_of_the_growth_there_was() -> None:
    halves = np.concatenate((np.linspace(0, 0.1, 51)[1:], np.linspace(0.1, 0.4, 51)[1:]))
    found = look(with_equity(CASH * np.exp(halves)), "first_half")
    assert found.value == pytest.approx(0.25) and found.evidence["second_half"] == pytest.approx(np.expm1(0.3))


@pytest.mark.parametrize("equity", [CASH - np.arange(100.0), np.full(30, CASH + 1), [-1.0, *[CASH * 2] * 60]])
def test_first_half_needs_growth(equity: object) -> None:
    assert look(with_equity(equity), "first_half").severity == "not applicable"


@pytest.mark.parametrize(
    ("low", "severity"), [(100.0, "fine"), (99.0, "fine"), (98.0, "note"), (95.0, "warning"), (85.0, "critical")]
)
def test_hidden_drawdown(low: float, severity: str) -> None:
    lows = np.full(20, 100.0)
    lows[5] = low
    bars = flat_bars(20, low=lows, high=np.full(20, 120.0))
    found = look(make_case(bars, fills=[fill(2, 1, 100.0, 100.0)]), "hidden_drawdown")
    assert found.severity == severity and found.value == pytest.approx((100.0 - low) / 100)
    assert found.times == ((5 * HOUR,) if low < 100 else ())
    short = flat_bars(20, high=200.0 - lows, low=np.full(20, 80.0))
    found = look(make_case(short, fills=[fill(2, -1, 100.0, 100.0)]), "hidden_drawdown")
    assert found.value == pytest.approx((100.0 - low) / 100)


def test_what_the_closes_show_is_not_hidden() -> None:
    close = np.full(20, 100.0)
    close[5:] = 90.0
    bars = flat_bars(20, close=close, low=np.full(20, 89.0), high=np.full(20, 101.0))
    found = look(make_case(bars, fills=[fill(2, 1, 100.0, 10.0)], equity=CASH + 10 * (close - 100)), "hidden_drawdown")
    assert found.evidence["at_closes"] == pytest.approx(-0.01) and found.evidence["inside_bars"] == pytest.approx(
        -0.011
    )


def test_a_position_bought_at_the_close_was_not_held_inside_that_bar() -> None:
    lows = np.full(20, 100.0)
    lows[2] = 50.0
    bars = flat_bars(20, low=lows)
    fills = [fill(2, 1, 100.0, 100.0)]
    assert look(make_case(bars, fills=fills, at_close=True), "hidden_drawdown").value == 0
    assert look(make_case(bars, fills=fills), "hidden_drawdown").value == pytest.approx(0.5)


@pytest.mark.parametrize(("stale", "severity"), [(0, "fine"), (1, "note"), (4, "note"), (5, "warning")])
def test_stale_marks(stale: int, severity: str) -> None:
    volume = np.full(101, 10.0)
    volume[10 : 10 + stale] = 0.0
    bars = flat_bars(101, volume=volume)
    found = look(make_case(bars, fills=[fill(1, 1, 100.0)]), "stale_marks")
    assert found.severity == severity and found.value == pytest.approx(stale / 100)
    assert look(make_case(bars), "stale_marks").severity == "not applicable"


def test_a_price_that_stands_still_is_stale_without_any_volume() -> None:
    high = np.full(50, 101.0)
    low = np.full(50, 99.0)
    high[7] = low[7] = 100.0
    bars = flat_bars(50, high=high, low=low, volume=np.zeros(50))
    found = look(make_case(bars, fills=[fill(1, 1, 100.0)]), "stale_marks")
    assert found.times == (7 * HOUR,)


@pytest.mark.parametrize(
    ("quantity", "severity"),
    [(199.0, "fine"), (200.0, "note"), (-300.0, "warning"), (999.0, "warning"), (1_000.0, "critical")],
)
def test_leverage(quantity: float, severity: str) -> None:
    case = make_case(flat_bars(9), fills=[fill(2, 1 if quantity > 0 else -1, 100.0, abs(quantity))])
    found = look(case, "leverage")
    assert found.severity == severity and found.value == pytest.approx(abs(quantity) / 100)


def test_leverage_adds_up_all_instruments_and_needs_a_position() -> None:
    bars = [flat_bars(9, symbol="AAA/USDT"), flat_bars(9, symbol="BBB/USDT")]
    fills = [fill(2, 1, 100.0, 100.0), fill(3, -1, 100.0, 150.0, instrument=1)]
    assert look(make_case(*bars, fills=fills), "leverage").value == pytest.approx(2.5)
    assert look(make_case(*bars), "leverage").severity == "not applicable"
    broke = make_case(bars[0], fills=fills[:1], equity=np.zeros(9))
    assert look(broke, "leverage").severity == "critical"


@pytest.mark.parametrize(
    ("peak", "last", "severity"),
    [(99, 1.2, "fine"), (76, 1.0, "fine"), (74, 1.0, "note"), (49, 1.0, "warning"), (49, 1.15, "fine")],
)
def test_never_recovers(peak: int, last: float, severity: str) -> None:
    equity = CASH * np.concatenate((np.linspace(1.01, 1.2, peak + 1), np.linspace(1.19, last, 99 - peak)))
    found = look(with_equity(equity), "never_recovers")
    assert found.severity == severity
    if severity != "fine":
        assert found.times == (peak * HOUR,) and found.value == pytest.approx((99 - peak) / 100)


def test_what_only_fell_never_recovers() -> None:
    assert look(with_equity(CASH * np.linspace(0.99, 0.5, 100)), "never_recovers").value == 1.0


def walk(seed: int, n: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, n)


@pytest.mark.parametrize(("noise", "severity"), [(0.0, "warning"), (0.0045, "note"), (0.03, "fine")])
def test_benchmark_like(noise: float, severity: str) -> None:
    market = walk(1)
    close = 100 * np.cumprod(1 + market)
    opened = np.concatenate(([100.0], close[:-1]))
    bars = flat_bars(400, open=opened, close=close, high=np.maximum(opened, close), low=np.minimum(opened, close))
    mine = 0.5 * market + 0.5 * noise * walk(2) / 0.01
    found = look(make_case(bars, equity=compounded(mine)), "benchmark_like")
    assert found.severity == severity
    assert found.value == pytest.approx(np.corrcoef(market, mine)[0, 1] ** 2)
    if not noise:
        assert found.evidence["beta"] == pytest.approx(0.5)


def test_the_opposite_of_the_market_is_not_like_it() -> None:
    market = walk(1)
    close = 100 * np.cumprod(1 + market)
    bars = flat_bars(400, open=close, close=close, high=close, low=close)
    opposite = make_case(bars, equity=compounded(np.concatenate(([0.0], -market[1:]))))
    assert look(opposite, "benchmark_like").value == 0.0
    assert look(with_equity(np.full(400, CASH)), "benchmark_like").severity == "not applicable"
    assert [graded("benchmark_like", value) for value in (0.7499, 0.75, 0.8999, 0.9)] == [
        "fine", "note", "note", "warning",
    ]  # fmt: skip


def test_behind_holding() -> None:
    market = np.abs(walk(1)) - 0.004
    close = 100 * np.cumprod(1 + market)
    bars = flat_bars(400, open=close, close=close, high=close, low=close)
    behind = look(make_case(bars, equity=compounded(alternating(400, 0.0001, 0.01))), "behind_holding")
    assert behind.severity == "note"
    same = look(make_case(bars, equity=CASH * close / close[0]), "behind_holding")
    assert same.severity == "fine" and same.value == pytest.approx(0.0, abs=1e-9)
    assert look(with_equity(np.full(400, CASH)), "behind_holding").severity == "not applicable"
    assert behind.evidence["holding"] == pytest.approx(
        metrics.sharpe_ratio(np.concatenate(([0.0], close[1:] / close[:-1] - 1)), bars.periods_per_year)
    )
