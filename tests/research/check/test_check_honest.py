"""What is honest passes, also where it is recursive, slow to settle, or remembers without harm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.research.check.made import walk
from workbench.indicators import atr, bollinger, crosses_above, crosses_below, ema, macd, previous, rsi, sma
from workbench.market.lake import Lake

FOLDER = Path(__file__).resolve().parents[3] / "strategies"
BARS = walk()


class Recursive(wb.SignalStrategy):
    """A filter written as a loop over bars."""

    warm_up = 200

    def signals(self, bars: wb.Bars) -> wb.Signals:
        level, levels = bars.close[0], []
        for price in bars.close.tolist():
            level += 0.1 * (price - level)
            levels.append(level)
        slow = np.array(levels)
        return wb.Signals(entry=bars.close > slow, exit=bars.close < slow)


class AllTimeHigh(wb.SignalStrategy):
    start_dependent = True

    def signals(self, bars: wb.Bars) -> wb.Signals:
        peak = np.maximum.accumulate(bars.close)
        return wb.Signals(entry=bars.close >= peak, exit=bars.close < 0.95 * peak)


class FinishedDays(wb.SignalStrategy):
    """Days that are over, spread over hours the right way."""

    warm_up = 24 * 10

    def signals(self, bars: wb.Bars) -> wb.Signals:
        days = wb.data.align(wb.data.resample(bars, "1d"), to=bars)
        trend = days["close"]
        return wb.Signals(entry=bars.close > trend, exit=bars.close < trend)


class PandasDays(wb.SignalStrategy):
    """The day so far, and the day before: both known."""

    warm_up = 48

    def signals(self, bars: wb.Bars) -> wb.Signals:
        frame = bars.to_pandas()
        day = frame.index.date
        so_far = frame.high.groupby(day).cummax()
        before = frame.high.groupby(day).max().shift(1)
        frame["before"] = before.reindex(day).to_numpy()
        return wb.Signals(entry=(frame.close >= so_far) & (frame.close > frame.before))


class Many(wb.SignalStrategy):
    warm_up = 600

    def signals(self, bars: wb.Bars) -> wb.Signals:
        bands, lines = bollinger(bars.close, 20), macd(bars.close)
        strength = rsi(bars.close, 14)
        width = atr(bars.high, bars.low, bars.close, 14) / bars.close
        return wb.Signals(
            entry=crosses_above(bars.close, bands.lower) & (strength < 50),
            exit=crosses_below(lines.macd, lines.signal),
            stop_loss=np.clip(3 * width, 0.001, 0.5),
        )


class WalkForward(wb.SignalStrategy):
    """A model that is taught anew every hundred bars, with what was known by then."""

    start_dependent = True

    def signals(self, bars: wb.Bars) -> wb.Signals:
        moves = np.diff(np.log(bars.close), prepend=np.log(bars.close[0]))
        score = np.full(len(bars), np.nan)
        for start in range(200, len(bars), 100):
            taught = moves[:start]
            weight = np.dot(taught[:-1], taught[1:]) / np.dot(taught, taught)
            score[start : start + 100] = weight * moves[start : start + 100]
        return wb.Signals(entry=score > 0.0, exit=score < 0.0)


class OnlyTime(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        hour = bars.ts // 3_600_000 % 24
        return wb.Signals(entry=hour == 9, exit=hour == 17)


class Seeded(wb.SignalStrategy):
    """The same chance for the same time, whatever comes before and after it."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        draws = np.random.default_rng(7).random(10_000)
        return wb.Signals(entry=draws[bars.ts // 3_600_000 % 10_000] > 0.95)


CACHE: dict[str, np.ndarray] = {}


class WellKept(wb.SignalStrategy):
    """Keeps what it has worked out, by all that it depends on."""

    warm_up = 20

    def signals(self, bars: wb.Bars) -> wb.Signals:
        if bars.fingerprint not in CACHE:
            CACHE[bars.fingerprint] = sma(bars.close, 20)
        mean = CACHE[bars.fingerprint]
        return wb.Signals(entry=bars.close > mean, exit=bars.close < previous(mean))


class PandasMeans(wb.SignalStrategy):
    warm_up = 400

    def signals(self, bars: wb.Bars) -> wb.Signals:
        close = pd.Series(bars.close)
        fast, slow = close.ewm(span=12, adjust=False).mean(), close.rolling(50).mean()
        spread = (fast - slow).rolling(20).std()
        return wb.Signals(entry=(fast > slow) & (spread > 0.1), exit=fast < slow)


class Silent(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.zeros(len(bars), dtype=bool))


HONEST = (
    Recursive, AllTimeHigh, FinishedDays, PandasDays, Many, WalkForward, OnlyTime, Seeded, WellKept, PandasMeans,
    Silent,
)  # fmt: skip


@pytest.mark.parametrize("strategy", HONEST, ids=lambda strategy: strategy.__name__)
def test_an_honest_strategy_passes(strategy: type[wb.SignalStrategy]) -> None:
    report = wb.check(strategy(), BARS)
    assert [str(one) for one in report if one.severity != "note"] == []
    assert report.passed and report.look_ahead == []


SUITED: dict[str, dict[str, str]] = {"macd_trend": {"trend_frame": "1d"}}  # eight months are too short for weeks


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_the_bundled_strategies_pass_on_real_prices(path: Path, lake: Lake) -> None:
    strategy = wb.load_strategy(path)(**SUITED.get(path.stem, {}))
    report = wb.check(strategy, lake.read("BTC/USDT", "1h", "2021-01-01", "2021-09-01"))
    assert report.passed, str(report)
    assert [one.name for one in report.columns if one.settles == "never"] == []


def test_rounding_is_no_look_ahead() -> None:
    class Spectral(wb.SignalStrategy):
        """A causal filter by a transform whose last digits depend on how long history is."""

        warm_up = 40

        def signals(self, bars: wb.Bars) -> wb.Signals:
            weights = np.exp(-np.arange(20) / 5.0)
            size = 2 * len(bars) + 40
            waves = np.fft.rfft(bars.close, size) * np.fft.rfft(weights / weights.sum(), size)
            smooth = np.fft.irfft(waves, size)[: len(bars)]
            return wb.Signals(entry=bars.close > smooth * 1.001)

    one, other = (Spectral().signals(bars).entry for bars in (BARS, BARS[:-1]))
    assert np.array_equal(one[:-1], other)
    assert wb.check(Spectral(), BARS).passed


def test_weekends_and_other_gaps_are_no_look_ahead() -> None:
    bars = walk(3_000)
    open_ = (bars.ts // 86_400_000 + 3) % 7 < 5
    columns = {name: getattr(bars, name)[open_] for name in ("ts", "open", "high", "low", "close", "volume")}
    gappy = wb.Bars(instrument=bars.instrument, timeframe="1h", **columns)
    assert wb.check(Many(), gappy).passed


def test_an_ema_takes_about_seven_lengths() -> None:
    class Mean(wb.SignalStrategy):
        warm_up = 500

        def signals(self, bars: wb.Bars) -> wb.Signals:
            mean = ema(bars.close, 30)
            return wb.Signals(entry=bars.close > mean)

    report = wb.check(Mean(), BARS)
    assert 5 * 30 < report.warm_up < 8 * 30 and report.passed and report.declared_warm_up == 500
