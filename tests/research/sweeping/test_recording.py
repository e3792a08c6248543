"""What is written down and shared says the same, to the bit, as what is worked out anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.research.sweeping.made import walk
from workbench.indicators import crosses_above, ema, previous, rsi, sma
from workbench.indicators.recording import RECORDER, Lazy, Recorder, Unrecordable, recording
from workbench.research.sweeping.making import SignalMaker, same_signals
from workbench.strategy.library import __all__ as library_names
from workbench.strategy.strategy import SignalStrategy, signals_of

BARS = walk(600)


class Mixed(wb.SignalStrategy):
    """Asks for what can be written down and for what cannot."""

    length: int = wb.param(14, low=2, high=100)
    level: float = wb.param(30.0, low=1.0, high=99.0)
    stop: float | None = wb.param(None, low=0.001, high=0.5)
    late: int = wb.param(0, low=0, high=200)

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        return self.late

    def signals(self, bars: wb.Bars) -> wb.Signals:
        line, mean = rsi(bars.close, self.length), ema(bars.close, self.length)
        up = (bars.close > mean) & (line < self.level)
        down = np.where(previous(mean) > mean, True, False) | crosses_above(line, 70)
        stop = None if self.stop is None else np.clip((bars.high - bars.low) / bars.close * self.stop, 0.001, 0.9)
        return wb.Signals(entry=up, exit=down, stop_loss=stop)


class Writes(wb.SignalStrategy):
    """Writes into what an indicator gave."""

    length: int = wb.param(5, low=2, high=100)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, self.length)
        mean[:50] = np.nan
        entry = bars.close > mean
        entry &= mean > 0
        return wb.Signals(entry=entry, exit=bars.close < mean)


class Looks(wb.SignalStrategy):
    """Asks what it was given."""

    length: int = wb.param(5, low=2, high=100)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, self.length)
        if not isinstance(mean, np.ndarray):
            raise TypeError
        frame = bars.to_pandas()
        return wb.Signals(entry=frame["close"].to_numpy() > mean, exit=bars.close < mean.copy())


def library() -> list[type[SignalStrategy]]:
    import workbench.strategy.library as shelf

    found = [getattr(shelf, name) for name in library_names]
    return [one for one in found if isinstance(one, type) and issubclass(one, SignalStrategy)]


@given(
    st.lists(
        st.tuples(
            st.integers(2, 100), st.floats(1.0, 99.0), st.none() | st.floats(0.001, 0.5), st.integers(0, 200)
        ), min_size=1, max_size=6,
    )
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_any_parameters_in_any_order_give_the_same_signals(rows: list[Any]) -> None:
    maker = SignalMaker(BARS, most_bytes=20_000)  # so little that what is kept must go again and again
    for length, level, stop, late in rows:
        strategy = Mixed(length=length, level=level, stop=stop, late=late)
        assert same_signals(maker.signals(strategy), signals_of(strategy, BARS))


@pytest.mark.parametrize("kind", [Writes, Looks, *library()], ids=lambda one: str(one.__name__))
def test_every_strategy_says_the_same(kind: type[SignalStrategy]) -> None:
    maker = SignalMaker(BARS)
    for _ in range(5):  # the first ones are compared by the maker itself
        assert same_signals(maker.signals(kind()), signals_of(kind(), BARS))


def test_equal_work_is_done_once() -> None:
    recorder = Recorder(len(BARS), 1 << 20)
    close = recorder.column(BARS.close)
    with recording(recorder):
        assert sma(close, 10) is sma(BARS.close, 10)
        assert sma(close, 10) is not sma(close, 11)
        assert (sma(close, 10) > ema(close, 5)) is (sma(close, 10) > ema(close, 5))
    assert RECORDER.get() is None
    assert type(sma(BARS.close, 10)) is np.ndarray


def test_an_array_of_the_strategys_own_is_read_at_once() -> None:
    recorder, own = Recorder(len(BARS), 1 << 20), BARS.close.copy()
    with recording(recorder):
        mean = sma(own, 10)
        own[:] = 0.0
    np.testing.assert_array_equal(mean, sma(BARS.close, 10))


def test_what_others_share_cannot_be_written_into() -> None:
    recorder = Recorder(len(BARS), 1 << 20)
    with recording(recorder):
        mean = sma(recorder.column(BARS.close), 10)
    assert type(mean) is Lazy
    with pytest.raises(Unrecordable):
        mean[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(mean)[0] = 1.0


def test_memory_is_held_to() -> None:
    recorder = Recorder(len(BARS), 10 * BARS.close.nbytes)
    with recording(recorder):
        for length in range(2, 60):
            np.asarray(sma(recorder.column(BARS.close), length))
    assert recorder.kept_bytes <= 10 * BARS.close.nbytes
