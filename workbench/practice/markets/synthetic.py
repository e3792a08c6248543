"""A market that is made up, from a seed: regimes, clustered volatility, jumps, price gaps and outages.

Days are the unit. A chain of regimes (calm, rising, falling, wild) and the close of every day follow from the seed in
one go; what happens within a day is made from the seed and the day's number alone, between the closes of the day before
and of the day. So any window costs only the days that it touches, and looks the same whichever window it is seen
through. Every name, id and record that speaks of such a market says that it is synthetic.
"""

from __future__ import annotations

import math
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.bars import to_ms
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe
from workbench.practice.markets.base import BarMarket, Listing
from workbench.practice.markets.prints import Rows

__all__ = ["Regime", "SyntheticMarket", "Temper"]

_DAY_MS: Final = 86_400_000
_MINUTE: Final = Timeframe.parse("1m")
_PER_DAY: Final = 1_440
_KEPT: Final = 40  # days in memory, each a tenth of a megabyte
_MOST_DAYS: Final = 40_000


class Regime(NamedTuple):
    """A mood of the market: drift and volatility a day (log return), and how many days it lasts on average."""

    name: str
    drift: float
    volatility: float
    days: float


REGIMES: Final = (
    Regime("calm", 0.0004, 0.018, 25.0),
    Regime("rising", 0.0050, 0.026, 18.0),
    Regime("falling", -0.0070, 0.034, 12.0),
    Regime("wild", 0.0, 0.065, 4.0),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Temper:
    """What a synthetic market is like.

    Parameters
    ----------
    regimes : tuple of Regime
    clustering : float
        How much volatility varies within a day: standard deviation of its logarithm.
    memory : float
        How long it remembers, in minutes.
    jumps : float
        Price jumps a day, on average.
    jump_size : float
        Standard deviation of a jump (log return).
    gaps : float
        Days, as a fraction, that open away from the close before.
    outages : float
        Days, as a fraction, in which there is no trading for 3 to 45 minutes.
    turnover : float
        Quote currency traded on an average day.
    """

    regimes: tuple[Regime, ...] = REGIMES
    clustering: float = 0.6
    memory: float = 90.0
    jumps: float = 0.3
    jump_size: float = 0.012
    gaps: float = 0.02
    outages: float = 0.01
    turnover: float = 50_000_000.0


class SyntheticMarket(BarMarket):
    """A market that is made up from a seed.

    Parameters
    ----------
    instrument : Instrument
        Its tick and lot size are kept to; the symbol is a part of the seed, so that markets differ.
    seed : int
    price : float, default 100.0
        Where it starts.
    start, end : int (ms UTC), str or datetime
        Whole days, UTC.
    temper : Temper, optional
    listing : Listing, optional

    Raises
    ------
    ConfigError
        The price is not positive, or the days are none or more than a century of them.
    """

    synthetic = True

    def __init__(
        self, instrument: Instrument, *, seed: int = 0, price: float = 100.0, start: object = "2023-01-01",
        end: object = "2028-01-01", temper: Temper | None = None, listing: Listing | None = None,
    ) -> None:  # fmt: skip
        first, last = (to_ms(when) // _DAY_MS for when in (start, end))
        if not 0.0 < price < math.inf or not 0 < last - first <= _MOST_DAYS:
            raise ConfigError(
                f"{instrument.symbol}: a synthetic market of price {price!r} from {start!r} to {end!r} cannot be made; "
                "give a positive price and 1 to 40,000 days"
            )
        super().__init__(instrument, first * _DAY_MS, last * _DAY_MS, _MINUTE, listing)
        self.seed, self.temper = int(seed), temper or Temper()
        self._key = (self.seed & 0xFFFFFFFFFFFFFFFF, zlib.crc32(instrument.symbol.encode()))
        self._first_day = first
        self._closes, self._volatility, self.regimes = self._days(last - first, price)
        self._made: OrderedDict[int, Rows] = OrderedDict()

    def _days(self, count: int, price: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Make the closes (log, the first one before the first day), volatilities and regimes of all days."""
        rng = np.random.default_rng((*self._key, 1))
        regimes = self.temper.regimes
        stay = np.array([1.0 - 1.0 / max(one.days, 1.0) for one in regimes])
        dice, choice = rng.random(count), rng.integers(1, max(len(regimes), 2), count)
        state, states = 0, np.empty(count, dtype=np.int64)
        for day in range(count):
            if dice[day] > stay[state]:
                state = int(state + choice[day]) % len(regimes)
            states[day] = state
        volatility = np.array([one.volatility for one in regimes])[states] * np.exp(rng.normal(-0.02, 0.2, count))
        drift = np.array([one.drift for one in regimes])[states]
        moves = drift - 0.5 * volatility**2 + volatility * rng.standard_normal(count)
        closes = math.log(price) + np.concatenate(([0.0], np.cumsum(moves)))
        return closes, volatility, states

    def regime(self, ts: int) -> str:
        """Give the name of the regime at a time, ms UTC."""
        day = min(max(ts // _DAY_MS - self._first_day, 0), len(self.regimes) - 1)
        return self.temper.regimes[int(self.regimes[day])].name

    def _all_rows(self, start: int, end: int) -> Rows:
        first = max(start // _DAY_MS - self._first_day, 0)
        last = min(-(-end // _DAY_MS) - self._first_day, len(self.regimes))
        days = [self._day(day) for day in range(first, last)]
        if not days:
            return self._day(0).part(slice(0))
        rows = days[0] if len(days) == 1 else Rows._make(np.concatenate(parts) for parts in zip(*days, strict=True))
        low, high = np.searchsorted(rows.ts, [start, end])
        return rows.part(slice(int(low), int(high)))

    def _time_of_row(self, row: int) -> int:
        return self._start + row * _MINUTE.ms

    def _day(self, day: int) -> Rows:
        """Give the minutes of a day, from memory where they are there."""
        found = self._made.get(day)
        if found is None:
            found = self._make(day)
            self._made[day] = found
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return found

    def _make(self, day: int) -> Rows:
        rng = np.random.default_rng((*self._key, 2, day))
        path, scale = self._path(day, rng)
        tick, lot = self._instrument.tick_size or 1e-8, self._instrument.lot_size or 1e-8
        opens, closes = path[:-1], path[1:]
        reach = scale * 0.45
        high = np.maximum(opens, closes) + reach * rng.exponential(size=_PER_DAY)
        low = np.minimum(opens, closes) - reach * rng.exponential(size=_PER_DAY)
        opened, highest, lowest, closed = (_whole(np.exp(values), tick) for values in (opens, high, low, closes))
        volume = np.maximum(_whole(self._volume(scale, closes - opens, closed, rng), lot), lot)
        number = day * _PER_DAY + np.arange(_PER_DAY)
        ts = self._start + number * _MINUTE.ms
        rows = Rows(ts, opened, highest, lowest, closed, volume, number)
        if rng.random() < self.temper.outages:
            first, length = int(rng.integers(0, _PER_DAY - 60)), int(rng.integers(3, 46))
            keep = np.ones(_PER_DAY, dtype=np.bool_)
            keep[first : first + length] = False
            rows = rows.part(keep)
        return rows

    def _path(self, day: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Make the log prices at the edges of the day's minutes, and the volatility of each minute."""
        temper = self.temper
        noise, shocks = rng.standard_normal(_PER_DAY), rng.standard_normal(_PER_DAY)
        hours = np.arange(_PER_DAY) / _PER_DAY
        season = 0.25 * np.cos(2.0 * math.pi * (hours - 0.62))  # busiest in the American afternoon
        scale = np.exp(season + temper.clustering * _remembered(shocks, temper.memory))
        scale *= self._volatility[day] / math.sqrt(float((scale**2).sum()))
        steps = scale * noise
        for _ in range(int(rng.poisson(temper.jumps))):
            steps[int(rng.integers(0, _PER_DAY))] += temper.jump_size * rng.standard_normal()
        start, end = float(self._closes[day]), float(self._closes[day + 1])
        if rng.random() < temper.gaps:
            start += float(self._volatility[day]) * 0.6 * rng.standard_normal()
        weights = scale**2 / float((scale**2).sum())
        steps += weights * (end - start - float(steps.sum()))  # the day ends at its close
        path = start + np.concatenate(([0.0], np.cumsum(steps)))
        path[-1] = end
        return path, scale

    def _volume(
        self, scale: NDArray[np.float64], moves: NDArray[np.float64], price: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:  # fmt: skip
        """Make volumes, which are larger where the price moves."""
        busy = (0.3 + np.abs(moves) / scale) * scale * np.exp(rng.normal(-0.18, 0.6, _PER_DAY))
        usual = 0.026 / math.sqrt(_PER_DAY)  # what a minute moves on an average day
        volume: NDArray[np.float64] = self.temper.turnover / _PER_DAY * busy / usual / price
        return volume

    def _rate(self, ts: int) -> float:
        """Give the funding rate: the usual one, more where the market has been rising."""
        day = min(max(ts // _DAY_MS - self._first_day, 0), len(self.regimes) - 1)
        before = max(day - 3, 0)
        rise = float(self._closes[day] - self._closes[before]) if day > before else 0.0
        return round(min(max(self._instrument.funding_rate + 0.004 * rise, -0.003), 0.003), 8)


def _remembered(shocks: NDArray[np.float64], minutes: float) -> NDArray[np.float64]:
    """Give an average of shocks that forgets exponentially, with a variance near one (a first-order autoregression)."""
    keep = math.exp(-1.0 / max(minutes, 1.0))
    length = min(int(6.0 * minutes), len(shocks))
    kernel = keep ** np.arange(length)
    kernel *= 1.0 / math.sqrt(float((kernel**2).sum()))
    size = 1 << (len(shocks) + length - 1).bit_length()
    spread = np.fft.irfft(np.fft.rfft(shocks, size) * np.fft.rfft(kernel, size), size)
    found: NDArray[np.float64] = spread[: len(shocks)]
    return found


def _whole(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Round to whole steps, never to zero: the number that is written so, not one beside it."""
    steps = np.maximum(np.round(values / step), 1.0)
    per_unit = round(1.0 / step)
    if abs(per_unit * step - 1.0) < 1e-12 and per_unit < 2**53:
        return steps / per_unit
    return steps * step
