"""Confluence: how far RSI, MACD and moving averages of several timeframes agree, as one score from 0 to 100.

Each timeframe is resampled from the same bars, complete bars only, and seen as it was known when a base bar closed:
a higher bar that is still being made never counts. `confluence` gives the whole picture, `confluence_score` the one
column that a filter needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, StrategyError
from workbench.indicators.momentum import macd, rsi
from workbench.indicators.moving import ema
from workbench.market.alignment import last_closed
from workbench.market.bars import Bars, moment
from workbench.market.resampling import resample
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEFAULT_TIMEFRAMES", "Confluence", "ConfluenceTerms", "confluence", "confluence_score"]

Floats = NDArray[np.float64]

DEFAULT_TIMEFRAMES: Final = ("1h", "4h", "1d")
_VOTERS: Final = ("rsi", "macd", "ema")
_LENGTHS: Final = ("rsi_length", "macd_fast", "macd_slow", "macd_signal", "ema_fast", "ema_slow")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfluenceTerms:
    """How the votes are taken and weighed.

    Parameters
    ----------
    rsi, macd, ema : float
        Weight of each indicator, not negative; they need not add up to one.
    rsi_length : int
    rsi_span : float
        Distance of the RSI from 50 at which its vote is whole, above 0 and at most 50.
    macd_fast, macd_slow, macd_signal : int
    ema_fast, ema_slow : int
    medium, high : float
        Strength, from 0 to 100, from which the quality is MEDIUM and HIGH.

    Raises
    ------
    StrategyError
        A value is out of range.
    """

    rsi: float = 1.0
    macd: float = 1.0
    ema: float = 1.0
    rsi_length: int = 14
    rsi_span: float = 20.0
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    ema_fast: int = 20
    ema_slow: int = 50
    medium: float = 30.0
    high: float = 60.0

    def __post_init__(self) -> None:
        for name in _LENGTHS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise StrategyError(f"confluence: {name} = {value!r}; give a whole number of bars, at least 1")
        for fast, slow in (("macd_fast", "macd_slow"), ("ema_fast", "ema_slow")):
            if getattr(self, fast) >= getattr(self, slow):
                raise StrategyError(
                    f"confluence: {fast} = {getattr(self, fast)} must be shorter than {slow} = {getattr(self, slow)}"
                )
        _checked_weights({name: getattr(self, name) for name in _VOTERS}, "the weights rsi, macd and ema")
        if not _is_number(self.rsi_span) or not 0 < self.rsi_span <= 50:
            raise StrategyError(f"confluence: rsi_span = {self.rsi_span!r}; give a number above 0 and at most 50")
        if not all(map(_is_number, (self.medium, self.high))) or not 0 <= self.medium <= self.high <= 100:
            raise StrategyError(
                f"confluence: medium = {self.medium!r} and high = {self.high!r}; give two numbers from 0 to 100, "
                "medium not above high"
            )

    @property
    def warm_up(self) -> int:
        """Bars of a timeframe before every indicator has a value there."""
        return max(self.rsi_length + 1, self.macd_slow + self.macd_signal - 1, self.ema_slow)


@dataclass(frozen=True, eq=False, kw_only=True)
class Confluence:
    """What `confluence` found, one value for each base bar.

    Parameters
    ----------
    bars : Bars, n rows
        That it was asked of.
    terms : ConfluenceTerms
    weights : mapping of str to float
        By timeframe.
    score : float64 array, shape (n,)
        From 0 (everything points down) over 50 (neutral) to 100 (everything points up); NaN until every timeframe has a
        value.
    parts : mapping of str to float64 array, shape (n,)
        The score of each timeframe alone, as it was known.
    votes : mapping of str to mapping of str to float64 array, shape (n,)
        By timeframe and indicator, from -1 to 1.
    rows : mapping of str to int64 array, shape (n,)
        Which bar of the timeframe was the newest finished one; -1 for none.
    opens : mapping of str to int64 array
        When the bars of each timeframe open, ms UTC.
    """

    bars: Bars = field(repr=False)
    terms: ConfluenceTerms
    weights: Mapping[str, float]
    score: Floats = field(repr=False)
    parts: Mapping[str, Floats] = field(repr=False)
    votes: Mapping[str, Mapping[str, Floats]] = field(repr=False)
    rows: Mapping[str, NDArray[np.int64]] = field(repr=False)
    opens: Mapping[str, NDArray[np.int64]] = field(repr=False)

    @property
    def timeframes(self) -> tuple[str, ...]:
        """The timeframes, as they were asked for."""
        return tuple(self.weights)

    @cached_property
    def strength(self) -> Floats:
        """How far the score is from neutral, from 0 to 100, whichever way it points."""
        return _locked(np.abs(self.score - 50.0) * 2.0)

    @cached_property
    def direction(self) -> NDArray[np.int8]:
        """1 where the score is above 50, -1 where it is below, else 0; 0 where there is no score."""
        with np.errstate(invalid="ignore"):
            return _locked((self.score > 50.0).astype(np.int8) - (self.score < 50.0).astype(np.int8))

    @cached_property
    def quality(self) -> NDArray[np.str_]:
        """`HIGH`, `MEDIUM` or `LOW` by the strength; empty where there is no score."""
        strength = self.strength
        with np.errstate(invalid="ignore"):
            conditions = [np.isnan(strength), strength >= self.terms.high, strength >= self.terms.medium]
        return _locked(np.select(conditions, ["", "HIGH", "MEDIUM"], default="LOW"))

    def __len__(self) -> int:
        return len(self.score)

    def to_pandas(self) -> pd.DataFrame:
        """Give one row a bar: score, direction, quality, and the score of each timeframe as `score_4h`."""
        import pandas as pd

        index = pd.DatetimeIndex(self.bars.ts.astype("datetime64[ms]"), tz="UTC", name="ts")
        columns = {"score": self.score, "direction": self.direction, "quality": self.quality}
        parts = {f"score_{name}": values for name, values in self.parts.items()}
        return pd.DataFrame({name: np.array(values) for name, values in (columns | parts).items()}, index=index)

    def table(self, row: int = -1) -> pd.DataFrame:
        """Give what each timeframe said at one base bar, the last one by default.

        Returns
        -------
        pandas.DataFrame
            A row each timeframe: weight, `bar` (open of the newest finished bar, UTC), the votes of rsi, macd and ema
            from -1 to 1, and score.
        """
        import pandas as pd

        if not -len(self) <= row < len(self):
            raise DataError(f"row {row} is not among the {len(self)} bars", row=row)
        found = []
        for name in self.timeframes:
            place = self.rows[name][row]
            opened = pd.Timestamp(int(self.opens[name][place]), unit="ms", tz="UTC") if place >= 0 else pd.NaT
            votes = {voter: float(values[row]) for voter, values in self.votes[name].items()}
            found.append({"weight": self.weights[name], "bar": opened, **votes, "score": float(self.parts[name][row])})
        return pd.DataFrame(found, index=pd.Index(self.timeframes, name="timeframe"))

    def __repr__(self) -> str:
        last = "no bars"
        if len(self):
            score = float(self.score[-1])
            last = "no score yet" if math.isnan(score) else f"{score:.1f} {self.quality[-1]} at {moment(self.bars.end)}"
        return f"<Confluence of {', '.join(self.timeframes)} on {self.bars.symbol}: {last}>"

    def _repr_html_(self) -> str:
        from html import escape

        head = f"<p>{escape(repr(self)[1:-1])}</p>"
        if not len(self):
            return head
        shown = self.table().map(lambda value: f"{value:+.2f}" if isinstance(value, float) else value)
        shown["weight"] = [f"{weight:g}" for weight in self.weights.values()]
        shown["score"] = [f"{float(part[-1]):.1f}" for part in self.parts.values()]
        return head + str(shown.to_html(escape=True, na_rep="none yet"))


def confluence(
    bars: Bars,
    timeframes: Sequence[str | Timeframe] = DEFAULT_TIMEFRAMES,
    *,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    terms: ConfluenceTerms | None = None,
) -> Confluence:
    """Weigh what RSI, MACD and moving averages say on several timeframes.

    Parameters
    ----------
    bars : Bars, n rows
        Of the base timeframe.
    timeframes : sequence of str or Timeframe
        Whole multiples of the base, itself allowed; each once.
    weights : mapping of str to float, or sequence of float, optional
        Of each timeframe, not negative; all alike when left out. They need not add up to one.
    terms : ConfluenceTerms, optional
        Weights of the indicators, their lengths, and the thresholds of the quality.

    Returns
    -------
    Confluence

    Raises
    ------
    DataError
        A timeframe is no whole multiple of the base.
    StrategyError
        There are no timeframes, one is there twice, or weights are missing, negative or all zero.

    Notes
    -----
    A vote is from -1 to 1. RSI: `(rsi - 50) / rsi_span`, cut to that range. MACD: half the sign of the histogram and
    half the sign of the MACD line. EMA: half the sign of `close - slow` and half the sign of `fast - slow`. The score
    of a timeframe is `50 * (1 + v)`, v the weighted mean of its votes; the score is the mean of those by the weights
    of the timeframes. 50 is neutral, 100 is every vote up, 0 every vote down. The strength is `2 * |score - 50|`.

    NaN until every timeframe with a weight has every indicator with a weight: a history that is too short for the
    slowest timeframe has no score at all, and its quality is empty.

    Nothing sees the future: only complete bars are resampled, and one counts from the base bar on whose close it
    closed. A higher bar with a hole in it is never made; until the next complete one the one before it counts, however
    old it has become by then.

    The idea is the triple screen of A. Elder, Trading for a Living (1993), chapter 9, with votes in place of
    screens; the weights and cuts are this project's own.

    Examples
    --------
    >>> import workbench as wb
    >>> ts = np.arange(2_000) * 3_600_000
    >>> close = 100 + np.arange(2_000) / 10
    >>> price = dict.fromkeys(("open", "high", "low", "close"), close)
    >>> bars = wb.Bars(instrument=wb.Instrument(symbol="BTC/USDT"), timeframe="1h", ts=ts, volume=close, **price)
    >>> seen = confluence(bars, ("1h", "4h", "1d"), weights=(1, 2, 3))
    >>> seen.quality[-1], int(seen.direction[-1]), bool(np.isnan(seen.score[1_000]))
    (np.str_('HIGH'), 1, True)
    """
    terms = ConfluenceTerms() if terms is None else terms
    weighed = _weights_of(_checked_timeframes(bars, timeframes), weights)
    leanings: dict[str, Floats] = {}
    votes: dict[str, dict[str, Floats]] = {}
    rows: dict[str, NDArray[np.int64]] = {}
    opens: dict[str, NDArray[np.int64]] = {}
    for name in weighed:
        slow = bars if Timeframe.parse(name) == bars.timeframe else resample(bars, name)
        rows[name], opens[name] = last_closed(slow, at=bars), slow.ts
        votes[name] = {voter: _locked(_seen(vote, rows[name])) for voter, vote in _votes(slow.close, terms).items()}
        leanings[name] = _mean(votes[name], {voter: getattr(terms, voter) for voter in _VOTERS})
    return Confluence(
        bars=bars,
        terms=terms,
        weights=weighed,
        score=_as_score(_mean(leanings, weighed)),
        parts={name: _as_score(leaning) for name, leaning in leanings.items()},
        votes=votes,
        rows=rows,
        opens=opens,
    )


def confluence_score(
    bars: Bars,
    timeframes: Sequence[str | Timeframe] = DEFAULT_TIMEFRAMES,
    *,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    terms: ConfluenceTerms | None = None,
) -> Floats:
    """Give the score of `confluence` as a plain column, for filters in code and in rules.

    Returns
    -------
    float64 array, shape (n,)
        From 0 to 100, NaN where there is none.
    """
    return confluence(bars, timeframes, weights=weights, terms=terms).score


def _votes(close: Floats, terms: ConfluenceTerms) -> dict[str, Floats]:
    lines = macd(close, terms.macd_fast, terms.macd_slow, terms.macd_signal)
    fast, slow = np.asarray(ema(close, terms.ema_fast)), np.asarray(ema(close, terms.ema_slow))
    above = np.sign(np.asarray(lines.histogram)) + np.sign(np.asarray(lines.macd))
    return {
        "rsi": np.clip((np.asarray(rsi(close, terms.rsi_length)) - 50.0) / terms.rsi_span, -1.0, 1.0),
        "macd": 0.5 * above,
        "ema": 0.5 * (np.sign(close - slow) + np.sign(fast - slow)),
    }


def _mean(values: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Give the weighted mean; what has no weight is not asked, not even for a value."""
    whole = sum(values[name] * weight for name, weight in weights.items() if weight > 0)
    return np.asarray(whole / sum(weights.values()))


def _as_score(leaning: Floats) -> Floats:
    return _locked(50.0 * (1.0 + leaning))


def _seen(values: Floats, rows: NDArray[np.int64]) -> Floats:
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.where(rows < 0, np.nan, values[np.maximum(rows, 0)])


def _locked(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values


def _checked_timeframes(bars: Bars, timeframes: Sequence[str | Timeframe]) -> list[str]:
    if not isinstance(bars, Bars):
        raise DataError(f"confluence of a {type(bars).__name__}: give wb.Bars")
    if isinstance(timeframes, str) or not isinstance(timeframes, Sequence) or not timeframes:
        raise StrategyError(f"confluence: timeframes = {timeframes!r}; give a list such as ('1h', '4h', '1d')")
    read = [Timeframe.parse(one) for one in timeframes]
    for place, one in enumerate(read):
        if one in read[:place]:
            raise StrategyError(f"confluence: the timeframe {one} stands twice")
        if one.ms % bars.timeframe.ms:
            raise DataError(
                f"confluence: {one} bars cannot be made of {bars.timeframe} bars; give whole multiples of "
                f"{bars.timeframe}, or start from shorter bars"
            )
    return [str(one) for one in read]


def _weights_of(names: list[str], weights: Mapping[str, float] | Sequence[float] | None) -> dict[str, float]:
    if weights is None:
        return dict.fromkeys(names, 1.0)
    if isinstance(weights, Mapping):
        named = {str(Timeframe.parse(name)): value for name, value in weights.items()}
        if set(named) != set(names):
            raise StrategyError(
                f"confluence: weights for {', '.join(named) or 'nothing'}, but the timeframes are {', '.join(names)}; "
                "give one for each"
            )
        return _checked_weights({name: named[name] for name in names}, "the weights of the timeframes")
    if isinstance(weights, str) or not isinstance(weights, Sequence) or len(weights) != len(names):
        raise StrategyError(f"confluence: weights = {weights!r}; give one for each of {', '.join(names)}")
    return _checked_weights(dict(zip(names, weights, strict=True)), "the weights of the timeframes")


def _checked_weights(weights: Mapping[str, Any], what: str) -> dict[str, float]:
    for name, value in weights.items():
        if not _is_number(value) or value < 0:
            raise StrategyError(f"confluence: the weight of {name} is {value!r}; give a number that is not negative")
    if not sum(weights.values()) > 0:
        raise StrategyError(f"confluence: {what} are all zero; one must count")
    return {name: float(value) for name, value in weights.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
