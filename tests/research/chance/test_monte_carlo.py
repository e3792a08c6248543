"""Monte Carlo: runs measured like results, the same whoever computes them, candles that are candles, clear refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

import workbench as wb
from tests.research.chance.histories import CHEAP, Follow, blind_signals, walk_bars
from workbench.errors import ConfigError, DataError
from workbench.research.chance import monte_carlo
from workbench.research.chance.candles import again_of, changed_candles
from workbench.research.chance.resampling import block_length, draw, places_nb, states_of, walk
from workbench.risk import metrics

NOTHING = np.empty(0, dtype=np.int64)


@pytest.fixture(scope="module")
def result() -> wb.Result:
    return wb.backtest(Follow(), walk_bars(1_000, seed=3), costs=CHEAP)


@pytest.mark.parametrize("method", ["bootstrap_returns", "resampled_candles"])
def test_what_happened_is_measured_as_the_result_says(result: wb.Result, method: str) -> None:
    found = monte_carlo(result, method, runs=4)
    for name, value in found.real.items():
        assert value == pytest.approx(result.metrics[name], rel=1e-9, abs=1e-12), name
    assert found.real_path[-1] == pytest.approx(result.equity_values[-1], rel=1e-12)


def test_a_drawn_run_has_the_metrics_of_its_returns(result: wb.Result) -> None:
    returns, states = result.returns.to_numpy(), states_of(5, 3)
    shown = np.array([0, 99, len(returns) - 1])
    facts, paths = draw(returns, states, len(returns), block=20.0, shown=shown)
    for run in range(3):
        drawn = returns[places_nb(states[run], len(returns), len(returns), 20.0, False)]
        wealth = np.cumprod(1.0 + drawn)
        assert paths[run] == pytest.approx(wealth[shown], rel=1e-12)
        assert facts["deepest"][run] == pytest.approx(metrics.max_drawdown(drawn), rel=1e-12)
        assert facts["mean"][run] == pytest.approx(drawn.mean(), abs=1e-15)
        assert facts["squares"][run] == pytest.approx(((drawn - drawn.mean()) ** 2).sum(), rel=1e-12)
        assert facts["lowest"][run] == pytest.approx(min(wealth.min(), 1.0), rel=1e-12)
        assert facts["streak"][run] == metrics.longest_losing_streak(drawn)


def test_blocks_have_the_mean_length_asked_for_and_every_place_is_drawn_alike() -> None:
    places = places_nb(states_of(1, 1)[0], 1_000, 400_000, 25.0, False)
    breaks = np.count_nonzero((places[1:] - places[:-1]) % 1_000 != 1)
    assert 400_000 / breaks == pytest.approx(25.0, rel=0.03)
    counts = np.bincount(places // 100, minlength=10)
    assert counts.min() > 0.9 * counts.max()
    once = places_nb(states_of(1, 1)[0], 1_000, 1_000, 1.0, True)
    assert sorted(once) == list(range(1_000))
    assert abs(np.corrcoef(once, np.arange(1_000))[0, 1]) < 0.1


def test_a_shuffle_changes_the_way_and_not_the_end(result: wb.Result) -> None:
    found = monte_carlo(result, "shuffle_trades", runs=200)
    closed = result.profits[result.closed].sum() / result.cash
    assert found.simulated["total_return"] == pytest.approx(closed, rel=1e-9)
    assert np.ptp(found.simulated["max_drawdown"]) > 0.01
    assert np.isnan(found.table.loc["total_return", "rank"])
    assert 0.0 < found.table.loc["max_drawdown", "rank"] < 1.0
    assert found.real["win_rate"] == pytest.approx(result.metrics["win_rate"])
    assert found.real["expectancy"] == pytest.approx(result.metrics["expectancy"])
    assert found.real["profit_factor"] == pytest.approx(result.metrics["profit_factor"])


@pytest.mark.parametrize("method", ["bootstrap_returns", "bootstrap_trades", "resampled_candles", "noised_candles"])
def test_the_seed_decides_and_nothing_else(result: wb.Result, method: str) -> None:
    first = monte_carlo(result, method, runs=12, seed=7, block=10 if "trades" not in method else None)
    with ThreadPoolExecutor(3) as threads:
        second = monte_carlo(result, method, runs=12, seed=7, block=first_block(method), executor=threads)
    fewer = monte_carlo(result, method, runs=5, seed=7, block=first_block(method))
    other = monte_carlo(result, method, runs=5, seed=8, block=first_block(method))
    np.testing.assert_array_equal(first.paths, second.paths)
    np.testing.assert_array_equal(first.year_drawdown, second.year_drawdown)
    np.testing.assert_array_equal(first.paths[:5], fewer.paths)
    assert not np.array_equal(fewer.paths, other.paths)


def first_block(method: str) -> float | None:
    return 10 if "trades" not in method else None


def test_made_candles_keep_their_shape_and_their_times(result: wb.Result) -> None:
    bars = result.bars
    for change in ("permuted", "resampled", "noised"):
        again = again_of(result, change=change, states=states_of(0, 2), block=5.0, noise=0.2, shown=NOTHING)
        (made,) = changed_candles((bars,), again, 1)  # Bars checks highs and lows
        assert np.array_equal(made.ts, bars.ts) and not np.array_equal(made.close, bars.close)
        if change == "permuted":
            assert made.close[-1] == pytest.approx(bars.close[-1], rel=1e-9)  # the same moves in another order
            shape, real = (np.sort(np.log(one.high / one.low)) for one in (made, bars))
            np.testing.assert_allclose(shape, real, atol=1e-9)
            np.testing.assert_allclose(np.sort(made.volume), np.sort(bars.volume))


def test_instruments_go_on_moving_together() -> None:
    one = walk_bars(300, seed=1)
    two = wb.Bars(
        instrument=wb.Instrument(symbol="TWIN/USDT", venue="paper", quote="USDT"), timeframe="1h", ts=one.ts,
        open=one.open * 2, high=one.high * 2, low=one.low * 2, close=one.close * 2, volume=one.volume,
    )  # fmt: skip
    found = wb.backtest(Follow(), [one, two], costs=CHEAP)
    again = again_of(found, change="resampled", states=states_of(0, 1), block=5.0, shown=NOTHING)
    made = changed_candles(found.series, again, 0)
    np.testing.assert_allclose(made[1].close, 2 * made[0].close, rtol=1e-9)
    assert monte_carlo(found, "bootstrap_trades", runs=10).runs == 10
    late = walk_bars(300, seed=2, symbol="LATE/USDT")[10:]
    with pytest.raises(ConfigError, match="not of the same times"):
        monte_carlo(wb.backtest(Follow(), [one, late], costs=CHEAP), "resampled_candles", runs=2)


def test_risk_of_ruin_and_of_drawdown_are_shares_of_runs(result: wb.Result) -> None:
    found = monte_carlo(result, runs=300)
    assert found.risk_of_ruin(0.2) == np.mean(found.lowest <= 0.8 * result.cash)
    assert found.risk_of_ruin(0.2) >= found.risk_of_ruin(0.6)
    assert found.risk_of_drawdown(0.2) == np.mean(found.simulated["max_drawdown"] <= -0.2)
    assert found.risk_of_drawdown(0.2) >= found.risk_of_ruin(0.2)
    outlook = found.next_year
    assert outlook.loc["max_drawdown", "mean"] == pytest.approx(found.year_drawdown.mean())
    assert list(outlook.loc["max_drawdown", "1%":"99%"]) == sorted(outlook.loc["max_drawdown", "1%":"99%"])
    bands = found.bands([0.1, 0.9])
    assert (bands[0.1] <= bands[0.9]).all() and str(bands.index.tz) == "UTC"
    with pytest.raises(ConfigError, match=r"level = 20"):
        found.risk_of_ruin(20)


def test_the_walk_of_normal_returns_is_ruined_as_theory_says() -> None:
    # P(min of a driftless random walk of n steps of s <= -a) is 2 Phi(-a / (s sqrt n)), in logarithms.
    returns = np.expm1(np.random.default_rng(0).normal(0.0, 0.01, 20_000))
    centred = np.expm1(np.log1p(returns) - np.log1p(returns).mean())
    facts, _ = draw(centred, states_of(0, 4_000), 400, shown=NOTHING)
    share = np.mean(np.log(facts["lowest"]) <= -0.2)
    assert share == pytest.approx(2 * 0.15866, abs=0.03)


def test_the_block_is_that_of_arch_for_what_remembers_longer() -> None:
    random = np.random.default_rng(2)
    loud = np.exp(np.convolve(random.standard_normal(3_050), np.ones(51) / 7, "valid"))  # calm and wild stretches
    returns = 0.01 * loud * random.standard_normal(len(loud))
    own, squares = (optimal_block_length(x)["stationary"].iloc[0] for x in (returns, returns**2))
    assert block_length(returns, None) == pytest.approx(max(own, squares)) and squares > 2 * own
    assert block_length(returns, 17) == 17.0
    with pytest.raises(ConfigError, match=r"block = 0\.5"):
        block_length(returns, 0.5)


def test_what_cannot_be_drawn_is_refused_in_words(result: wb.Result) -> None:
    bars = walk_bars(100)
    silent = wb.backtest(wb.Signals(entry=np.zeros(100, bool), exit=np.zeros(100, bool)), bars, costs=CHEAP)
    with pytest.raises(DataError, match="0 closed trades, too few"):
        monte_carlo(silent, "shuffle_trades")
    with pytest.raises(ConfigError, match="ready-made"):
        monte_carlo(wb.backtest(blind_signals(100, seed=1), bars, costs=CHEAP), "noised_candles")
    with pytest.raises(ConfigError, match="'bootstrap' is not one of"):
        monte_carlo(result, "bootstrap")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="runs = 0"):
        monte_carlo(result, runs=0)
    with pytest.raises(ConfigError, match="seed = -1"):
        monte_carlo(result, runs=2, seed=-1)
    with pytest.raises(ConfigError, match="takes a Result"):
        monte_carlo(bars)  # type: ignore[arg-type]
    quiet = monte_carlo(silent, runs=5)  # nothing was traded, nothing can happen
    assert quiet.risk_of_ruin() == 0.0 and np.isnan(quiet.table.loc["sharpe_ratio", "mean"])


def test_it_shows_itself(result: wb.Result) -> None:
    found = monte_carlo(result, runs=50)
    assert "bootstrap_returns" in repr(found) and "seed 0" in repr(found)
    page = found._repr_html_()
    assert "one year ahead" in page and "Monte Carlo of Follow" in page
    assert "Expected deepest fall" in found.sentence
    assert len(found.plot().axes) == 3 and len(found.plot_metric("sharpe_ratio").axes) == 1
    assert monte_carlo(result, "shuffle_trades", runs=5).sentence.startswith("The order of trades does not change")
    with pytest.raises(ConfigError, match="do not tell 'alpha'"):
        found.plot_metric("alpha")


def test_a_walk_in_order_is_what_happened() -> None:
    facts, path = walk(np.array([0.5, -0.5, 0.2]), np.array([0, 1, 2]))
    assert path.tolist() == pytest.approx([1.5, 0.75, 0.9])
    assert facts["deepest"][0] == pytest.approx(-0.5) and facts["wins"][0] == 2
    assert (facts["won"][0], facts["lost"][0]) == pytest.approx((0.65, 0.75))
