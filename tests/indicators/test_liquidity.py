"""Liquidity and order flow: made markets whose spread and impact are known, and each formula in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from tests.indicators.real import assert_close, bars
from workbench.indicators.liquidity import abdi_ranaldo, corwin_schultz, roll_spread, zero_returns
from workbench.indicators.order_flow import amihud, bulk_volume, close_location, kyle_lambda, vpin

GOOGL = bars("nasdaq_GOOGL_1d")
HIGH, LOW, CLOSE, VOLUME = (GOOGL[name][:2_000] for name in ("high", "low", "close", "volume"))


def windows(values: np.ndarray, length: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, length)


def bouncing(spread: float, bars: int = 3_000, trades: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make bars of trades at bid or ask, around a price that walks at random: high, low and close."""
    rng = np.random.default_rng(5)
    value = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0004, (bars, trades)).ravel()).reshape(bars, trades))
    price = value * (1.0 + 0.5 * spread * rng.choice([-1.0, 1.0], (bars, trades)))
    return price.max(axis=1), price.min(axis=1), price[:, -1]


@pytest.mark.parametrize("spread", [0.005, 0.02])
def test_spreads_of_a_made_market_are_found(spread: float) -> None:
    high, low, close = bouncing(spread)
    assert np.median(roll_spread(close, 1_000)[1_001:]) == pytest.approx(100.0 * spread, rel=0.2)
    assert np.median(corwin_schultz(high, low, close, 1_000)[1_000:]) == pytest.approx(spread, rel=0.2)
    assert np.median(abdi_ranaldo(high, low, close, 1_000)[1_000:]) == pytest.approx(spread, rel=0.2)


def test_a_market_that_goes_on_has_no_spread() -> None:
    trend = np.cumsum(np.arange(1.0, 60.0))
    assert (roll_spread(trend, 20)[21:] == 0.0).all()


def test_spreads_follow_the_formulas_of_their_papers() -> None:
    changes = np.diff(CLOSE)
    covariance = [
        np.cov(a, b, ddof=0)[0, 1] for a, b in zip(windows(changes[1:], 20), windows(changes, 20), strict=False)
    ]
    assert_close(roll_spread(CLOSE)[21:], 2.0 * np.sqrt(np.maximum(-np.array(covariance), 0.0)), rtol=1e-7)
    middle, last = 0.5 * (np.log(HIGH) + np.log(LOW)), np.log(CLOSE)
    squares = 4.0 * (last - middle)[:-1] * (last[:-1] - middle[1:])
    assert_close(abdi_ranaldo(HIGH, LOW, CLOSE)[20:], np.sqrt(np.maximum(windows(squares, 20).mean(axis=1), 0.0)))
    # bars that lie wholly beyond the close before are moved to it
    shift = np.minimum(CLOSE[:-1] - LOW[1:], 0.0) + np.maximum(CLOSE[:-1] - HIGH[1:], 0.0)
    high, low = HIGH[1:] + shift, LOW[1:] + shift
    sums = np.log(HIGH[:-1] / LOW[:-1]) ** 2 + np.log(high / low) ** 2
    both = np.log(np.maximum(HIGH[:-1], high) / np.minimum(LOW[:-1], low)) ** 2
    k = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = (np.sqrt(2.0 * sums) - np.sqrt(sums)) / k - np.sqrt(both / k)
    each = np.maximum(2.0 * (np.exp(alpha) - 1.0) / (1.0 + np.exp(alpha)), 0.0)
    assert_close(corwin_schultz(HIGH, LOW, CLOSE)[20:], windows(each, 20).mean(axis=1))


def test_measures_of_impact_follow_their_formulas() -> None:
    changes = np.diff(CLOSE)
    each = np.abs(changes / CLOSE[:-1]) / (CLOSE[1:] * VOLUME[1:])
    assert_close(amihud(CLOSE, VOLUME)[20:], windows(each, 20).mean(axis=1))
    signed = np.sign(changes) * VOLUME[1:]
    slopes = [
        scipy.stats.linregress(a, b).slope for a, b in zip(windows(signed, 50), windows(changes, 50), strict=True)
    ]
    assert_close(kyle_lambda(CLOSE, VOLUME)[50:], np.array(slopes))
    still = np.round(CLOSE)
    assert_close(zero_returns(still)[20:], windows((np.diff(still) == 0.0).astype(float), 20).mean(axis=1))


def test_bulk_classification_and_vpin_follow_their_formulas() -> None:
    changes = np.diff(CLOSE)
    bought = scipy.stats.norm.cdf(changes[49:] / windows(changes, 50).std(axis=1))
    assert_close(bulk_volume(CLOSE, VOLUME)[50:], bought)
    volume = VOLUME[50:]
    apart = windows(volume * np.abs(2.0 * bought - 1.0), 50).sum(axis=1)
    assert_close(vpin(CLOSE, VOLUME)[99:], apart / windows(volume, 50).sum(axis=1))


def test_the_close_is_placed_from_low_to_high() -> None:
    np.testing.assert_array_equal(
        close_location([2.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 2.0, 1.0]), [-1.0, 0.0, 1.0, 0.0]
    )


def test_a_bar_without_trades_does_not_count_as_illiquid() -> None:
    close, volume = [10.0, 11.0, 11.0, 12.1], [5.0, 0.0, 5.0, 0.0]
    np.testing.assert_array_equal(amihud(close, volume, 2), [np.nan, np.nan, 0.0, 0.0])


def test_prices_that_are_not_above_zero_have_no_spread() -> None:
    high, low = np.full(10, 2.0), np.full(10, 1.0)
    low[5] = 0.0
    for function in (corwin_schultz, abdi_ranaldo):
        np.testing.assert_array_equal(
            np.isfinite(function(high, low, high, 2)), [False] * 2 + [True] * 3 + [False] * 3 + [True] * 2
        )
