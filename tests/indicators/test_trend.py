"""Trends: published figures, and each indicator beside a plain one or a case worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.indicators.catalog import market
from workbench import indicators as ind
from workbench.errors import StrategyError

HERE = Path(__file__).parent
BARS = market(400, seed=5)
HIGH, LOW, CLOSE = BARS["high"], BARS["low"], BARS["close"]


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """Bars and what Stock.Indicators publishes for them; the files name their source."""
    bars, facts = (
        pd.read_csv(HERE / f"stock_indicators_{name}.csv", comment="#", index_col="row") for name in ("flow", "trend")
    )
    return bars[["high", "low", "close"]].join(facts, how="inner")


def test_equal_to_published_values_from_the_first_one_on(published: pd.DataFrame) -> None:
    bar = [published[name] for name in ("high", "low", "close")]
    high, low, close = bar
    bands, mouth, cloud = ind.keltner(*bar), ind.alligator(high, low), ind.ichimoku(high, low)
    vortex, aroon = ind.vortex(*bar), ind.aroon(high, low)
    ours = {
        "supertrend": ind.supertrend(*bar).line, "chandelier_long": ind.chandelier_exit(*bar).long,
        "keltner_upper": bands.upper, "keltner_middle": bands.middle, "keltner_lower": bands.lower,
        "choppiness": ind.choppiness(*bar), "alma": ind.alma(close), "mcginley_dynamic": ind.mcginley_dynamic(close),
        "jaw": mouth.jaw, "teeth": mouth.teeth, "lips": mouth.lips,
        "conversion": cloud.conversion, "base": cloud.base, "span_a": cloud.span_a,
        "vortex_plus": vortex.plus, "vortex_minus": vortex.minus, "aroon_up": aroon.up, "aroon_down": aroon.down,
    }  # fmt: skip
    assert set(ours) == set(published.columns) - {"high", "low", "close"}
    for name, line in ours.items():
        assert line.notna().any(), name
        np.testing.assert_allclose(line, published[name], rtol=1e-10, err_msg=name)


def test_the_cloud_is_the_one_worked_out_as_many_bars_ago_as_the_base_is_long() -> None:
    cloud = ind.ichimoku(HIGH, LOW, 4, 10, 20)
    longest = ind.donchian(HIGH, LOW, 20).middle
    np.testing.assert_array_equal(cloud.span_b, ind.previous(longest, 10))
    np.testing.assert_array_equal(cloud.span_a, ind.previous((cloud.conversion + cloud.base) / 2.0, 10))


def test_a_supertrend_never_steps_back_and_turns_with_the_close_beyond_it() -> None:
    trend = ind.supertrend(HIGH, LOW, CLOSE, 5, 1.5)
    way, line = trend.direction[5:], trend.line[5:]
    same = way[1:] == way[:-1]
    assert 10 < (~same).sum() < 200
    assert ((line[1:] - line[:-1])[same] * way[1:][same] >= 0.0).all()
    assert (np.sign(CLOSE[5:] - line) * way >= 0.0).all()
    crossed = (CLOSE[6:] - line[:-1]) * way[:-1] < 0.0
    assert (way[1:] == -way[:-1])[crossed].all()


def test_the_short_exit_is_the_long_one_of_the_mirrored_price() -> None:
    exits, mirrored = ind.chandelier_exit(HIGH, LOW, CLOSE, 7), ind.chandelier_exit(-LOW, -HIGH, -CLOSE, 7)
    np.testing.assert_array_equal(exits.short, -mirrored.long)


def test_of_equal_extremes_the_newest_counts() -> None:
    lines = ind.aroon([5.0, 1.0, 5.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0, 1.0], 4)
    assert (lines.up[4], lines.down[4], lines.oscillator[4]) == (50.0, 75.0, -25.0)


def test_an_envelope_is_an_average_and_a_share_of_it() -> None:
    bands, middle = ind.moving_average_envelope(CLOSE, 9, 0.1), ind.sma(CLOSE, 9)
    np.testing.assert_array_equal(bands.middle, middle)
    np.testing.assert_allclose(bands.upper, 1.1 * middle, rtol=1e-14)
    np.testing.assert_allclose(bands.lower, 0.9 * middle, rtol=1e-14)


def test_the_range_over_the_way_is_that_of_a_plain_window() -> None:
    ours = ind.vertical_horizontal_filter(CLOSE, 12)
    assert np.isnan(ours[:12]).all()
    for i in range(12, len(CLOSE)):
        window, way = CLOSE[i - 11 : i + 1], np.abs(np.diff(CLOSE[i - 12 : i + 1])).sum()
        assert ours[i] == pytest.approx((window.max() - window.min()) / way, rel=1e-11)


def test_the_mass_is_the_sum_of_the_ratios_of_the_public_averages() -> None:
    once = ind.ema(HIGH - LOW, 5)
    ratios = pd.Series(once / ind.ema(once, 5))
    np.testing.assert_allclose(ind.mass_index(HIGH, LOW, 5, 8), ratios.rolling(8).sum(), rtol=1e-11)


def test_the_dynamic_average_moves_by_the_momentum_without_its_sign() -> None:
    ours, changes = ind.vidya(CLOSE, 6, 4), np.diff(CLOSE, prepend=np.nan)
    level = CLOSE[3]
    for i in range(4, len(CLOSE)):
        part = changes[i - 3 : i + 1]
        up, down = part[part > 0.0].sum(), -part[part < 0.0].sum()
        level += 2.0 / 7.0 * abs(up - down) / (up + down) * (CLOSE[i] - level)
        assert ours[i] == pytest.approx(level, rel=1e-11)


def test_a_dynamic_average_never_leaps_past_a_price_that_collapsed() -> None:
    assert ind.mcginley_dynamic([100.0, 100.0, 1.0, 1.0], 14)[-1] == 1.0


def test_a_cycle_without_any_range_stays_where_it_was() -> None:
    rise = np.concatenate([market(60)["close"], 200.0 * 1.02 ** np.arange(150)])
    cycle = ind.schaff_trend_cycle(rise, 3, 8, 4)
    np.testing.assert_allclose(cycle[-100:], 100.0, atol=1e-6)


def test_lengths_that_make_no_sense_are_refused() -> None:
    with pytest.raises(StrategyError, match="give at least 2"):
        ind.choppiness(HIGH, LOW, CLOSE, 1)
    with pytest.raises(StrategyError, match="fast is 9 and slow is 9"):
        ind.schaff_trend_cycle(CLOSE, 9, 9)
