"""Confluence: the votes and their mean against plain arithmetic, and no unfinished higher bar at any cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.market.made_bars import START
from workbench.errors import DataError, StrategyError
from workbench.indicators import ema, macd, rsi
from workbench.market.alignment import align
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.resampling import resample
from workbench.strategy.confluence import ConfluenceTerms, confluence, confluence_score

SHORT = ConfluenceTerms(rsi_length=3, macd_fast=2, macd_slow=4, macd_signal=2, ema_fast=2, ema_slow=4)


def walk(count: int, seed: int = 0, keep: np.ndarray | None = None, calendar: str = "24/7", tf: str = "1h") -> Bars:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, count)))
    ts = START + np.arange(count, dtype=np.int64) * wb.Timeframe.parse(tf).ms
    rows = np.ones(count, bool) if keep is None else keep
    price = dict.fromkeys(("open", "high", "low", "close"), close[rows])
    instrument = Instrument(symbol="BTC/USDT", calendar=calendar)
    return Bars(instrument=instrument, timeframe=tf, ts=ts[rows], volume=np.ones(rows.sum()), **price)


def test_the_score_is_the_weighted_mean_of_votes_worked_out_by_hand() -> None:
    bars = walk(24 * 90)
    terms, weights = ConfluenceTerms(rsi=2, macd=1, ema=0.5), {"1h": 1, "4h": 2, "1d": 3}
    got = confluence(bars, ("1h", "4h", "1d"), weights=weights, terms=terms)
    expected = np.zeros(len(bars))
    for name, weight in weights.items():
        slow = bars if name == "1h" else resample(bars, name)
        lines, quick, long = macd(slow.close), ema(slow.close, 20), ema(slow.close, 50)
        vote = 2 * np.clip((rsi(slow.close, 14) - 50) / 20, -1, 1)
        vote = vote + 0.5 * (np.sign(lines.histogram) + np.sign(lines.macd))
        vote = vote + 0.5 * 0.5 * (np.sign(slow.close - long) + np.sign(quick - long))
        seen = Bars(
            instrument=bars.instrument, timeframe=slow.timeframe, ts=slow.ts, volume=slow.volume,
            **dict.fromkeys(("open", "high", "low", "close"), np.nan_to_num(50 * (1 + vote / 3.5), nan=-1) + 2),
        )  # fmt: skip
        column = align(seen, to=bars)["close"] - 2
        expected += weight / 6 * np.where(column < -0.5, np.nan, column)
    assert np.isnan(got.score[: 24 * 50 - 1]).all()
    assert np.isfinite(got.score[24 * 50 - 1 :]).all()
    np.testing.assert_allclose(got.score, expected, atol=1e-9)


@pytest.mark.parametrize(("step", "score"), [(0.00001, 100.0), (-0.00001, 0.0)])
def test_a_straight_way_up_is_100_and_down_is_0(step: float, score: float) -> None:
    close = 1_000 + step * np.arange(3_000.0) ** 2
    ts = START + np.arange(3_000, dtype=np.int64) * 3_600_000
    price = dict.fromkeys(("open", "high", "low", "close"), close)
    bars = Bars(instrument=Instrument(symbol="X/USDT"), timeframe="1h", ts=ts, volume=np.ones(3_000), **price)
    got = confluence(bars)
    assert got.score[-1] == pytest.approx(score)
    assert (got.quality[-1], int(got.direction[-1])) == ("HIGH", 1 if score else -1)


def test_a_flat_market_is_neutral_and_low() -> None:
    price = dict.fromkeys(("open", "high", "low", "close"), np.full(2_000, 7.0))
    ts = START + np.arange(2_000, dtype=np.int64) * 3_600_000
    bars = Bars(instrument=Instrument(symbol="X/USDT"), timeframe="1h", ts=ts, volume=np.ones(2_000), **price)
    got = confluence(bars)
    assert (got.score[-1], got.quality[-1], got.direction[-1], got.strength[-1]) == (50.0, "LOW", 0, 0.0)


def test_quality_follows_the_thresholds() -> None:
    got = confluence(walk(24 * 40), ("1h", "2h", "3h"), terms=ConfluenceTerms(medium=20, high=40))
    known = np.isfinite(got.score)
    strength = 2 * np.abs(got.score[known] - 50)
    expected = np.where(strength >= 40, "HIGH", np.where(strength >= 20, "MEDIUM", "LOW"))
    assert (got.quality[known] == expected).all()
    assert set(expected) == {"HIGH", "MEDIUM", "LOW"}
    assert set(got.quality[~known]) == {""}
    assert (got.direction[~known] == 0).all()


def test_a_history_too_short_for_the_slowest_timeframe_has_no_score() -> None:
    got = confluence(walk(24 * 20))
    assert np.isnan(got.score).all()
    assert set(got.quality) == {""}
    assert np.isfinite(got.parts["1h"][-1])
    assert "no score yet" in repr(got)
    only_fast = confluence(walk(24 * 20), weights=(1, 1, 0))
    assert np.isfinite(only_fast.score[-1])


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.15), st.sampled_from(["24/7", "24/5", "XNYS"]))
def test_no_unfinished_bar_counts_at_any_cut(seed: int, holes: float, calendar: str) -> None:
    count = 24 * 14
    keep = np.random.default_rng(seed).random(count) >= holes
    keep[0] = True
    if calendar == "XNYS":  # sessions open at 14:30 UTC: half-hour bars
        bars = walk(count * 2, seed, np.repeat(keep, 2), calendar, "30m")
        frames = ("30m", "1h", "2h")
    else:
        bars, frames = walk(count, seed, keep, calendar), ("1h", "4h", "12h")
    whole = confluence(bars, frames, terms=SHORT)
    assert np.isfinite(whole.parts[frames[0]][-1])
    cuts = range(1, len(bars)) if len(bars) < 40 else sorted({*range(1, 30), *range(len(bars) - 30, len(bars))})
    for cut in cuts:
        part = confluence(bars[:cut], frames, terms=SHORT)
        assert part.score.tobytes() == whole.score[:cut].tobytes(), cut
        for name in frames:
            assert part.parts[name].tobytes() == whole.parts[name][:cut].tobytes(), (cut, name)


def test_no_unfinished_bar_counts_on_a_real_market(lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h")[:1_500]
    whole = confluence(bars)
    for cut in range(1_400, 1_500):
        assert confluence_score(bars[:cut]).tobytes() == whole.score[:cut].tobytes()


def test_tables_and_pages() -> None:
    got = confluence(walk(24 * 60))
    frame = got.to_pandas()
    assert list(frame.columns) == ["score", "direction", "quality", "score_1h", "score_4h", "score_1d"]
    assert len(frame) == 24 * 60
    table = got.table()
    assert list(table.index) == ["1h", "4h", "1d"]
    assert str(table.loc["1d", "bar"]) == "2021-03-01 00:00:00+00:00"
    assert got.table(0).loc["1d"].isna().sum() == 5
    assert "<table" in got._repr_html_() and "Confluence of 1h, 4h, 1d" in got._repr_html_()
    with pytest.raises(DataError, match="row 99999 is not among the 1440 bars"):
        got.table(99_999)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"timeframes": ()}, StrategyError, "give a list such as"),
        ({"timeframes": "1h"}, StrategyError, "give a list such as"),
        ({"timeframes": ("1h", "60m")}, StrategyError, "the timeframe 1h stands twice"),
        ({"timeframes": ("90m",)}, DataError, "90m bars cannot be made of 1h bars; give whole multiples of 1h"),
        ({"timeframes": ("5m",)}, DataError, "5m bars cannot be made of 1h bars"),
        ({"weights": (1, 2)}, StrategyError, "give one for each of 1h, 4h, 1d"),
        ({"weights": {"1h": 1}}, StrategyError, "weights for 1h, but the timeframes are 1h, 4h, 1d"),
        ({"weights": (1, -2, 3)}, StrategyError, "the weight of 4h is -2; give a number that is not negative"),
        ({"weights": (0, 0, 0)}, StrategyError, "are all zero; one must count"),
    ],
)
def test_wrong_calls_say_what_to_write(call: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        confluence(walk(10), **call)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"rsi_length": 0}, "rsi_length = 0; give a whole number of bars"),
        ({"ema_fast": 50}, "ema_fast = 50 must be shorter than ema_slow = 50"),
        ({"rsi": 0, "macd": 0, "ema": 0}, "all zero"),
        ({"rsi_span": 60}, "rsi_span = 60; give a number above 0 and at most 50"),
        ({"medium": 70}, "medium not above high"),
        ({"high": float("nan")}, "two numbers from 0 to 100"),
    ],
)
def test_wrong_terms(terms: dict, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        ConfluenceTerms(**terms)
