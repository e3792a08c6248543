"""Strategies that cheat, each in one way that people really do, and what the checker has to call it."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ta.trend

import workbench as wb
from workbench.indicators import ema, sma

__all__ = ["CHEATS", "Cheat"]


@dataclass(frozen=True)
class Cheat:
    """A strategy class, the kind of finding that it must get, and the columns that must be named."""

    strategy: type[wb.SignalStrategy]
    kind: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.strategy.__name__


CHEATS: list[Cheat] = []


def planted(kind: str, *columns: str) -> Any:
    def keep(cls: type[wb.SignalStrategy]) -> type[wb.SignalStrategy]:
        CHEATS.append(Cheat(cls, kind, columns))
        return cls

    return keep


def above(values: Any, level: Any, **more: Any) -> wb.Signals:
    with np.errstate(invalid="ignore"):
        return wb.Signals(entry=np.asarray(values > level), exit=np.asarray(values < level), **more)


@planted("look_ahead", "entry", "tomorrow")
class ShiftedBack(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        close = bars.to_pandas().close
        tomorrow = close.shift(-1)
        return wb.Signals(entry=tomorrow > close * 1.004)


@planted("look_ahead", "entry", "rolled")
class Rolled(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        rolled = np.roll(bars.close, -2)
        return wb.Signals(entry=rolled > bars.close * 1.01)


@planted("look_ahead", "entry", "exit")
class WithoutAName(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.roll(bars.close, -1) > bars.close, exit=np.roll(bars.low, -1) < bars.close * 0.99)


@planted("look_ahead", "entry", "zscore")
class WholeScore(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        zscore = (bars.close - bars.close.mean()) / bars.close.std()
        return wb.Signals(entry=zscore < -1.0, exit=zscore > 1.0)


@planted("look_ahead", "entry", "scaled")
class WholeScaling(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        scaled = (bars.close - bars.close.min()) / (bars.close.max() - bars.close.min())
        return above(0.3, scaled)


@planted("look_ahead", "entry", "middle")
class CentredWindow(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        close = bars.to_pandas().close
        middle = close.rolling(21, center=True).mean()
        return wb.Signals(entry=close < middle * 0.99)


@planted("look_ahead", "entry", "smooth")
class CentredConvolution(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        weights = np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35.0  # Savitzky and Golay, five points
        smooth = np.convolve(bars.close, weights, mode="same")
        return above(bars.close, smooth)


@planted("look_ahead", "entry", "low_pass")
class FourierFilter(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        waves = np.fft.rfft(bars.close)
        waves[len(waves) // 20 :] = 0.0
        low_pass = np.fft.irfft(waves, len(bars))
        return above(bars.close, low_pass)


@planted("look_ahead", "entry", "twice")
class FilteredBothWays(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        once = pd.Series(bars.close).ewm(span=10).mean()
        twice = once[::-1].ewm(span=10).mean()[::-1]
        return above(bars.close, twice.to_numpy())


@planted("look_ahead", "entry", "filled")
class FilledBackwards(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        close = bars.to_pandas().close
        filled = close.where(bars.volume > 25.0).bfill()
        return wb.Signals(entry=filled > close * 1.003)


@planted("look_ahead", "entry", "line")
class Interpolated(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        rows = np.arange(len(bars))
        known = rows % 8 == 0
        line = np.interp(rows, rows[known], bars.close[known])
        return above(bars.close, line * 1.002)


@planted("unfinished_bar", "entry", "slow")
class UnfinishedFourHours(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        close = bars.to_pandas().close
        slow = close.resample("4h").last().reindex(close.index, method="ffill")
        return wb.Signals(entry=slow > close * 1.004)


@planted("unfinished_bar", "entry", "top")
class DailyHighAtTheOpen(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        _, first, row = np.unique(bars.ts // 86_400_000, return_index=True, return_inverse=True)
        top = np.maximum.reduceat(bars.high, first)[row]
        return wb.Signals(entry=bars.close > top * 0.999)


@planted("look_ahead", "entry", "trend")
class FittedOnAll(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        rows = np.arange(len(bars))
        slope, level = np.polyfit(rows, bars.close, 1)
        trend = level + slope * rows
        return above(bars.close, trend)


@planted("look_ahead", "entry")
class ThresholdOfAll(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        moves = np.diff(np.log(bars.close), prepend=np.log(bars.close[0]))
        return wb.Signals(entry=moves > np.quantile(moves, 0.9))


@planted("look_ahead", "component", "entry")
class ComponentsOfAll(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        table = np.column_stack([bars.close, bars.high - bars.low, bars.volume])
        table = table / np.maximum.accumulate(table)
        _, _, axes = np.linalg.svd(table, full_matrices=False)
        component = table @ axes[1]
        return wb.Signals(entry=component > 0.0)


@planted("look_ahead", "entry")
class LastPrice(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=bars.close < bars.close[-1] * 0.95)


@planted("look_ahead", "entry")
class OnlyTheLastRow(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        entry = np.zeros(len(bars), dtype=bool)
        entry[-1] = bars.close[-1] > bars.close[-2]
        return wb.Signals(entry=entry)


@planted("look_ahead", "entry", "mean")
class AsLongAsHistory(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, 10 + len(bars) // 500)
        return above(bars.close, mean)


@planted("look_ahead", "entry", "turns")
class FuturePeaks(wb.SignalStrategy):
    """The zigzag of charting programs: a turn is known when prices have turned."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(bars.close, 10, mode="edge"), 21)
        turns = windows.argmin(axis=1) == 10
        return wb.Signals(entry=turns)


@planted("look_ahead", "entry", "to_come")
class CountedFromTheEnd(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        moves = np.diff(bars.close, prepend=bars.close[0])
        to_come = moves[::-1].cumsum()[::-1]
        return wb.Signals(entry=to_come > 0.0)


@planted("look_ahead", "entry", "label")
class LabelLeak(wb.SignalStrategy):
    """A model that is taught with the returns of the next hours, those that it trades included."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        label = np.append(bars.close[5:], bars.close[-5:]) / bars.close - 1.0
        feature = np.column_stack([np.ones(len(bars)), bars.close / bars.open - 1.0, bars.volume])
        weights, *_ = np.linalg.lstsq(feature, label, rcond=None)
        score = feature @ weights
        return wb.Signals(entry=score > 0.0)


@planted("look_ahead", "entry", "slope")
class CentredDifference(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        slope = np.gradient(bars.close)
        return wb.Signals(entry=slope > 0.3)


@planted("look_ahead", "entry", "rank")
class RankedAmongAll(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        rank = bars.close.argsort().argsort() / len(bars)
        return wb.Signals(entry=rank < 0.1)


@planted("look_ahead", "entry", "gap")
class NextOpen(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        gap = np.append(np.diff(bars.open), 0.0)
        return wb.Signals(entry=gap > 0.5)


@planted("look_ahead", "frame.best")
class InAFrame(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        frame = bars.to_pandas()
        frame["best"] = np.maximum(np.roll(bars.high, -1), np.roll(bars.high, -2))
        return wb.Signals(entry=frame.best > frame.close * 1.01)


def _ahead(values: Any) -> Any:
    later = np.roll(values, -3)
    return later / values - 1.0


@planted("look_ahead", "entry", "_ahead.later")
class InAHelper(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=_ahead(bars.close) > 0.005)


@planted("look_ahead", "stop_loss")
class StopOfTheFuture(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        worst = np.minimum(np.roll(bars.low, -1), bars.close) / bars.close
        stop = np.clip(1.001 - worst, 0.001, 0.5)
        return wb.Signals(entry=bars.close > ema(bars.close, 20), stop_loss=stop)


@planted("look_ahead", "size")
class SizeOfTheFuture(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=bars.close > 0.0, size=np.where(np.roll(bars.close, -1) > bars.close, 1.0, 0.1))


@planted("look_ahead", "kst['kst']")
class KnowSureThing(wb.SignalStrategy):
    """`ta` 0.11 fills the first rows of its rates of change with the mean of all prices."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        found = ta.trend.KSTIndicator(bars.to_pandas().close)
        kst = {"kst": found.kst(), "signal": found.kst_sig()}
        return wb.Signals(entry=kst["kst"] > kst["signal"])


@planted("look_ahead", "entry", "cloud")
class VisualIchimoku(wb.SignalStrategy):
    """`ta` 0.11 fills what it shifts for the eye with the mean of all prices."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        frame = bars.to_pandas()
        cloud = ta.trend.IchimokuIndicator(frame.high, frame.low, visual=True).ichimoku_a()
        return wb.Signals(entry=frame.close > cloud)


COUNT = 0


@planted("hidden_state", "entry")
class Counter(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        global COUNT
        COUNT += 1
        return wb.Signals(entry=bars.close > 100.0 + COUNT % 3)


MEANS: dict[Any, Any] = {}


@planted("hidden_state", "entry")
class WrongKey(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        key = bars.symbol, len(bars)
        if key not in MEANS:
            MEANS[key] = sma(bars.close, 20)
        return above(bars.close, MEANS[key])


@planted("hidden_state", "entry")
class OnTheClass(wb.SignalStrategy):
    seen: list[float] = []  # noqa: RUF012

    def signals(self, bars: wb.Bars) -> wb.Signals:
        self.seen.append(float(bars.close[-1]))
        return wb.Signals(entry=bars.close > self.seen[0] + len(self.seen))


@planted("hidden_state", "entry")
class DefaultArgument(wb.SignalStrategy):
    def signals(self, bars: wb.Bars, best: list[float] = [0.0]) -> wb.Signals:  # noqa: B006
        best[0] = max(best[0] + 1.0, float(bars.high.max()))
        return wb.Signals(entry=bars.close > best[0] * 0.8)


@planted("randomness", "entry")
class Dice(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.random.default_rng().random(len(bars)) > 0.9)


@planted("randomness", "entry")
class SharedDice(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        first = random.randrange(1_000_000)
        return wb.Signals(entry=(np.arange(len(bars)) + first) % 1_009 < 504)


@planted("randomness", "entry")
class HiddenDice(wb.SignalStrategy):
    """No call of a generator is written down: pandas draws."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        chosen = pd.Series(bars.close).sample(frac=0.1).index
        return wb.Signals(entry=np.isin(np.arange(len(bars)), chosen))


@planted("clock", "")
class LunchBreak(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        late = time.localtime().tm_year > 2_000
        return wb.Signals(entry=(bars.close > sma(bars.close, 10)) & late)


@planted("clock", "")
class PandasNow(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        age = (pd.Timestamp.now(tz="UTC") - pd.Timestamp(bars.end, unit="ms", tz="UTC")).days
        return wb.Signals(entry=bars.close > sma(bars.close, 10 if age > 3 else 20))


@planted("file", "")
class ReadsAFile(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        level = len(Path(__file__).read_text())
        return wb.Signals(entry=bars.close > level)


@planted("environment", "")
class AsksTheMachine(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        level = float(os.environ.get("LEVEL", "100"))
        return wb.Signals(entry=bars.close > level)


@planted("mutation", "close")
class WritesIntoItsInput(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        bars.close.flags.writeable = True
        bars.close[bars.close > 110.0] = 110.0
        return wb.Signals(entry=bars.close > 100.0)


@planted("mutation", "")
class TriesToWrite(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        bars.close[0] = 1.0
        return wb.Signals(entry=bars.close > 100.0)
