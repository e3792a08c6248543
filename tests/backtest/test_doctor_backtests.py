"""The doctor on backtests that were run: what each mistake of a backtester looks like to him."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.backtest.conftest import flags
from tests.backtest.doctor_cases import flat_bars
from workbench.backtest.doctor import Diagnosis, diagnose
from workbench.backtest.doctor_case import case_of
from workbench.strategy.orders import OrderStrategy

CHEAP = wb.Costs(fee=0.0005, slippage_bps=1.0)


def market(n: int = 4_000, seed: int = 1, **facts: object) -> wb.Bars:
    """Give a random walk on hourly bars, with volume enough for anyone."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.005, n)))
    opened = np.concatenate(([100.0], close[:-1]))
    columns = {
        "open": opened,
        "close": close,
        "high": np.maximum(opened, close) * 1.002,
        "low": np.minimum(opened, close) * 0.998,
        "volume": np.full(n, 1e9),
    }
    return flat_bars(n, **columns, **facts)


def seer(bars: wb.Bars) -> wb.Signals:
    """Say on each bar which way the next one goes."""
    up = np.append(np.diff(bars.close) > 0, False)
    return wb.Signals(entry=up, exit=~up)


def coin(bars: wb.Bars, seed: int = 2, **options: object) -> wb.Signals:
    rng = np.random.default_rng(seed)
    return wb.Signals(entry=rng.random(len(bars)) < 0.05, exit=rng.random(len(bars)) < 0.05, **options)


@pytest.fixture(scope="module")
def bars() -> wb.Bars:
    return market()


@pytest.fixture(scope="module")
def honest(bars: wb.Bars) -> Diagnosis:
    return diagnose(wb.backtest(coin(bars), bars))


def test_a_look_into_the_future_is_seen(bars: wb.Bars) -> None:
    told = diagnose(wb.backtest(seer(bars), bars, costs=CHEAP))
    assert told["sharpe_too_high"].severity == "critical"
    assert told["one_bar_delay"].severity == "critical" and told["one_bar_delay"].value > 1
    assert told.worst == "critical"


def test_an_honest_coin_only_loses_its_costs(honest: Diagnosis) -> None:
    assert honest["loss"].severity == "warning"
    fine = ("costs_near_zero", "few_trades", "fill_at_close", "leverage", "margin_calls", "outside_prices",
            "outside_volume", "fills_without_volume", "stale_fills", "missing_bars", "sharpe_too_high")  # fmt: skip
    assert {name: honest[name].severity for name in fine} == dict.fromkeys(fine, "fine")
    assert honest["leverage"].value == pytest.approx(1.0, abs=0.01)
    assert honest["costs_near_zero"].value == pytest.approx(1.0, rel=1e-6)


def test_the_costs_that_a_profit_survives_are_those_of_the_reruns(bars: wb.Bars) -> None:
    result = wb.backtest(seer(bars), bars, costs=wb.Costs(fee=0.0008, slippage_bps=0))
    found = diagnose(result)["costs_times"]
    twice = wb.backtest(seer(bars), bars, costs=wb.Costs(fee=0.0016, slippage_bps=0))
    assert found.evidence["once"] == pytest.approx(result.metrics["total_return"])
    assert found.evidence["twice"] == pytest.approx(twice.metrics["total_return"])


def test_the_delay_is_that_of_signals_moved_by_a_bar(bars: wb.Bars) -> None:
    said = seer(bars)
    late = wb.Signals(entry=np.append(False, said.entry[:-1]), exit=np.append(False, said.exit[:-1]))
    found = diagnose(wb.backtest(said, bars, costs=CHEAP))["one_bar_delay"]
    assert found.evidence["one_bar_later"] == pytest.approx(
        wb.backtest(late, bars, costs=CHEAP).metrics["total_return"]
    )


def test_fills_at_the_close_and_free_trading_are_named(bars: wb.Bars) -> None:
    told = diagnose(wb.backtest(coin(bars), bars, fill="close", costs=wb.Costs(fee=0, slippage_bps=0)))
    assert told["fill_at_close"].severity == "warning"
    assert told["costs_near_zero"].severity == "critical" and told["costs_near_zero"].value == 0
    assert told["outside_prices"].severity == "fine"


def test_stop_and_target_in_one_bar_hang_on_its_path() -> None:
    n = 60
    bars = flat_bars(n, high=np.full(n, 106.0), low=np.full(n, 94.0), volume=np.full(n, 1e9))
    said = wb.Signals(entry=np.arange(n) % 3 == 0, stop_loss=0.05, take_profit=0.05)
    found = diagnose(wb.backtest(said, bars, costs=CHEAP))["same_bar_exits"]
    assert found.severity == "critical" and found.evidence["stop_and_target"] == found.evidence["exits"] == 20
    path = diagnose(wb.backtest(said, bars, costs=CHEAP, rules=wb.Rules(intrabar="path")))["same_bar_exits"]
    assert path.evidence["stop_and_target"] == 20, "another assumption is still an assumption"


def test_more_than_the_volume_is_only_had_by_asking_for_it() -> None:
    n = 60
    bars = flat_bars(n, volume=np.full(n, 50.0))
    said = wb.Signals(entry=flags(n, 3), exit=flags(n, 50))
    assert diagnose(wb.backtest(said, bars))["outside_volume"].severity == "fine"
    greedy = diagnose(wb.backtest(said, bars, costs=wb.Costs(volume_share=float("inf"))))
    assert greedy["outside_volume"].severity == "critical" and greedy["outside_volume"].value > 1.9


def test_a_liquidation_is_a_margin_call() -> None:
    n = 40
    close = np.full(n, 100.0)
    close[20:] = 80.0
    bars = flat_bars(n, close=close, low=np.minimum(99.0, close), high=np.full(n, 101.0),
                     symbol="TEST/USDT:USDT", kind="linear", volume=np.full(n, 1e9))  # fmt: skip
    result = wb.backtest(wb.Signals(entry=flags(n, 3)), bars, leverage=10)
    told = diagnose(result)
    assert told["margin_calls"].severity == "critical" and told["margin_calls"].trades == (0,)
    assert told["leverage"].severity in ("warning", "critical") and told["outside_prices"].severity == "fine"


def test_shorts_of_spot_borrow_for_nothing(bars: wb.Bars) -> None:
    said = wb.Signals(entry=flags(len(bars)), short_entry=flags(len(bars), 5), short_exit=flags(len(bars), 50))
    assert diagnose(wb.backtest(said, bars))["short_unborrowed"].value == 1


def test_holding_is_like_holding(bars: wb.Bars) -> None:
    told = diagnose(wb.backtest(wb.Signals(entry=flags(len(bars), 0)), bars))
    assert told["benchmark_like"].severity == "warning" and told["benchmark_like"].value > 0.99
    assert told["few_trades"].severity == "critical"


def test_a_portfolio_is_looked_at_as_a_whole() -> None:
    both = [market(seed=3, symbol="AAA/USDT"), market(seed=4, symbol="BBB/USDT")]
    said = {"AAA/USDT": seer(both[0]), "BBB/USDT": coin(both[1])}
    half = {symbol: one.replace(size=0.5) for symbol, one in said.items()}
    told = diagnose(wb.backtest(half, both, costs=CHEAP))
    assert told["one_instrument"].evidence["instrument"] == "AAA/USDT"
    assert told["one_instrument"].severity == "critical"
    assert told.name.endswith("AAA/USDT, BBB/USDT 1h")


def test_what_was_held_out_can_be_said(bars: wb.Bars) -> None:
    result = wb.backtest(coin(bars), bars)
    assert result.doctor()["in_sample_only"].severity == "note"
    assert result.doctor(held_out="2024")["in_sample_only"].severity == "fine"


def test_the_same_diagnosis_comes_of_both_paths(bars: wb.Bars) -> None:
    few = bars[:600]
    said = coin(few, stop_loss=0.02, take_profit=0.03)
    compiled = diagnose(wb.backtest(said, few, path="compiled"))
    event = diagnose(wb.backtest(said, few, path="event"))
    for finding in compiled:
        other = event[finding.name]
        assert (other.severity, other.said) == (finding.severity, finding.said), finding.name


class Ladder(OrderStrategy):
    """Buys with a limit below the last close, and sells above it what it has."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.orders():
            return None
        if view.quantity() == 0:
            return view.limit("buy", price=bar.close * 0.999, quantity=1)
        return view.limit("sell", price=bar.close * 1.001, quantity=view.quantity())


def test_orders_are_diagnosed_too_and_a_delay_is_their_way_to_the_venue(bars: wb.Bars) -> None:
    result = wb.backtest(Ladder(), bars[:400], costs=wb.Costs(fee=0.0, maker_fee=0.0, slippage_bps=0))
    told = diagnose(result)
    assert told["touch_fills"].severity in ("fine", "note", "warning") and told["few_trades"].value > 30
    assert told["same_bar_exits"].severity == "not applicable" and told["outside_prices"].severity == "fine"
    case = case_of(result)
    late = wb.backtest(Ladder(), bars[:400], costs=result.costs, rules=wb.Rules(latency_ms=3_600_000))
    assert case.later() == pytest.approx(late.equity_values)
    assert case.later()[-1] != result.equity_values[-1]
