"""`Features`: named columns that are known at the close of each bar, and the proof that they are.

A column is proven causal by computing it on histories cut short: what was said about a bar must not change when later
bars are appended. One that does is refused by name, with the first bar that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, StrategyError, WorkbenchError
from workbench.indicators.causality import Change, first_change
from workbench.indicators.registry import columns_of, get
from workbench.market.alignment import last_closed
from workbench.market.bars import Bars, moment
from workbench.market.resampling import resample
from workbench.market.timeframe import Timeframe
from workbench.research.check.cuts import full_cuts
from workbench.research.learning.external import External

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FeatureTable", "Features", "Slower"]

Floats = NDArray[np.float64]
Spec = Any

_WINDOW: Final = 1_024
_STRETCH: Final = 32  # last bars of the window, each of which is a cut
_TOLERANCE: Final = 1e-9
_SHORT: Final = "short histories are asked for, too: NaN is the answer where there is too little of it"


@dataclass(frozen=True, eq=False)
class Slower:
    """A feature of longer bars, or of another instrument's, seen as of their last close.

    Parameters
    ----------
    of : str, Timeframe or Bars
        A timeframe that the bars are resampled to, or bars of the same or a longer timeframe.
    spec : str, tuple, callable or External
        As `Features` takes them.

    Examples
    --------
    >>> Slower("1d", ("rsi", 14))
    Slower('1d', ('rsi', 14))
    """

    of: str | Timeframe | Bars
    spec: Spec

    def __repr__(self) -> str:
        return f"Slower({self.of if isinstance(self.of, Bars) else str(self.of)!r}, {self.spec!r})"


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureTable:
    """Features of some bars.

    Parameters
    ----------
    bars : Bars, n rows
    names : tuple of str, length f
    values : float64 array, shape (n, f)
        What was known at the close of each bar; NaN where nothing was.
    proven : bool
        Whether it was proven that none of them looks ahead.
    """

    bars: Bars
    names: tuple[str, ...]
    values: Floats = field(repr=False)
    proven: bool = True

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Where every feature has a value, shape (n,); the warm-up is not among them."""
        return np.asarray(np.isfinite(self.values).all(axis=1))

    @property
    def warm_up(self) -> int:
        """How many bars there are before the first that has every feature."""
        return int(np.argmax(self.known)) if self.known.any() else len(self.bars)

    def column(self, name: str) -> Floats:
        """Give one feature, shape (n,)."""
        if name not in self.names:
            raise DataError(f"there is no feature {name!r}; there are {', '.join(self.names)}", feature=name)
        return self.values[:, self.names.index(name)]

    def to_pandas(self) -> pd.DataFrame:
        """Give the rows that have every feature; the warm-up is dropped."""
        import pandas as pd

        index = pd.DatetimeIndex(self.bars.ts.astype("datetime64[ms]"), tz="UTC", name="ts")
        return pd.DataFrame(self.values.copy(), index=index, columns=list(self.names))[self.known]

    def __len__(self) -> int:
        return len(self.bars)

    def __repr__(self) -> str:
        return (
            f"<FeatureTable {len(self.names)} features of {self.bars.symbol} {self.bars.timeframe}, "
            f"{int(self.known.sum()):,} of {len(self):,} bars, {'proven' if self.proven else 'not proven'} causal>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self)[1:-1])}</p>{self.to_pandas().describe().T.to_html(float_format='{:.4g}'.format)}"


class Features:
    """Declared features, by name.

    Parameters
    ----------
    columns : mapping of str to spec
        A spec is the name of an indicator (`"rsi"`), a tuple of its name and parameters (`("rsi", 14)`, the last one
        may be a mapping of names to values), one output of several as `("macd.histogram", 12, 26, 9)`, a function of
        `Bars` that gives one number a bar, an `External`, or `Slower(timeframe or bars, spec)`. An indicator of several
        outputs named without one gives a column for each.

    Raises
    ------
    StrategyError
        There are no features, or one is not of these kinds.

    Examples
    --------
    >>> from workbench.indicators import sma
    >>> Features({"rsi_14": ("rsi", 14), "sma_ratio": lambda bars: bars.close / sma(bars.close, 50) - 1.0})
    <Features rsi_14, sma_ratio>
    """

    def __init__(self, columns: Mapping[str, Spec]) -> None:
        if not isinstance(columns, Mapping) or not columns:
            raise StrategyError(f"Features({columns!r}): give at least one, such as {{'rsi_14': ('rsi', 14)}}")
        for name, spec in columns.items():
            if not isinstance(name, str) or not name:
                raise StrategyError(f"Features: {name!r} is no name; give text")
            _check(name, spec)
        self.columns = dict(columns)

    def on(self, bars: Bars, *, prove: bool = True) -> FeatureTable:
        """Compute the features, and prove that they do not look ahead.

        Parameters
        ----------
        bars : Bars, n rows
        prove : bool, default True
            The proof costs some ten times the computing.

        Returns
        -------
        FeatureTable

        Raises
        ------
        StrategyError
            A feature looks ahead, raised, or did not give one number a bar.
        """
        if not isinstance(bars, Bars) or not len(bars):
            raise DataError("there are no bars to compute features on: give Bars, such as wb.read('BTC/USDT', '1h')")
        found = self._compute(bars)
        if prove:
            self._prove(bars)
        values = np.column_stack(list(found.values())).astype(np.float64)
        values[np.isinf(values)] = np.nan
        values.flags.writeable = False
        return FeatureTable(bars=bars, names=tuple(found), values=values, proven=prove)

    def _compute(self, bars: Bars) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for name, spec in self.columns.items():
            for column, values in _outputs(name, spec, bars).items():
                if column in found:
                    raise StrategyError(f"Features: two columns are called {column!r}; rename one")
                found[column] = values
        return found

    def _prove(self, bars: Bars) -> None:
        """Compare with what shorter histories say: at many lengths, and after each of the last bars of a window."""
        size = min(len(bars), _WINDOW)
        stretch = tuple(range(max(2, size - _STRETCH), size))
        for history, cuts in ((bars, full_cuts(len(bars)).cuts), (bars[len(bars) - size :], stretch)):
            first = len(bars) - len(history)
            changes = _changes(lambda cut: self._compute(cut), history, cuts)
            _refuse({name: change for name, change in changes.items() if change}, bars, first)
        for name, spec in self.columns.items():
            if isinstance(spec, Slower) and isinstance(spec.of, Bars) and len(spec.of):
                Features({name: spec.spec})._prove(spec.of)

    def __repr__(self) -> str:
        return f"<Features {', '.join(self.columns)}>"


def _changes(compute: Callable[[Bars], Mapping[str, Floats]], bars: Bars, cuts: Any) -> dict[str, Change | None]:
    return first_change(lambda columns: compute(bars[: len(columns["ts"])]), {"ts": bars.ts}, cuts,
                        tolerance=_TOLERANCE)  # fmt: skip


def _refuse(changes: Mapping[str, Change], bars: Bars, first: int) -> None:
    if not changes:
        return
    name, change = min(changes.items(), key=lambda item: item[1].row)
    row = first + change.row
    others = [other for other in changes if other != name]
    raise StrategyError(
        f"the feature {name!r} looks ahead: at bar {row} ({moment(bars.ts[row])}) it was {change.before:.6g} in a "
        f"history of {change.rows:,} bars and is {change.after:.6g} once later bars are there"
        f"{'; so do ' + ', '.join(others) if others else ''}. Compute it from that bar and earlier ones only",
        feature=name, row=row,
    )  # fmt: skip


def _check(name: str, spec: Spec) -> None:
    if isinstance(spec, Slower):
        _check(name, spec.spec)
    elif isinstance(spec, (str, tuple)) and spec:
        text = spec if isinstance(spec, str) else spec[0]
        indicator = get(str(text).partition(".")[0])
        indicator.parameters(*_given(spec)[0], **_given(spec)[1])
        output = str(text).partition(".")[2]
        if output and output not in indicator.outputs:
            raise StrategyError(
                f"the feature {name!r}: {indicator.name} has no output {output!r}; it has "
                f"{', '.join(indicator.outputs)}"
            )
    elif not isinstance(spec, External) and not callable(spec):
        raise StrategyError(
            f"the feature {name!r} is {spec!r}; give the name of an indicator, a tuple such as ('rsi', 14), a function "
            "of bars, an External or Slower(timeframe, spec)",
            feature=name,
        )


def _given(spec: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(spec, str):
        return (), {}
    rest = spec[1:]
    return (rest[:-1], dict(rest[-1])) if rest and isinstance(rest[-1], Mapping) else (rest, {})


def _outputs(name: str, spec: Spec, bars: Bars) -> dict[str, Floats]:
    if isinstance(spec, Slower):
        slow = spec.of if isinstance(spec.of, Bars) else _resampled(bars, spec.of)
        rows = last_closed(slow, at=bars)
        said = _outputs(name, spec.spec, slow)
        return {column: _placed(values, rows) for column, values in said.items()}
    if isinstance(spec, External):
        return {name: spec.on(bars)}
    if isinstance(spec, (str, tuple)):
        return _indicator(name, spec, bars)
    return {name: _called(name, spec, bars)}


def _resampled(bars: Bars, timeframe: str | Timeframe) -> Bars:
    return bars if Timeframe.parse(timeframe) == bars.timeframe else resample(bars, timeframe)


def _placed(values: Floats, rows: NDArray[np.int64]) -> Floats:
    return np.where(rows < 0, np.nan, values[np.maximum(rows, 0)]) if len(values) else np.full(len(rows), np.nan)


def _indicator(name: str, spec: Any, bars: Bars) -> dict[str, Floats]:
    text, _, output = str(spec if isinstance(spec, str) else spec[0]).partition(".")
    indicator = get(text)
    plain, named = _given(spec)
    if not len(bars):
        return {name: np.zeros(0)} if len(indicator.outputs) == 1 or output else {
            f"{name}_{one}": np.zeros(0) for one in indicator.outputs
        }  # fmt: skip
    said = indicator(*columns_of(indicator, bars), *indicator.parameters(*plain, **named))
    if indicator.lines is None:
        return {name: np.asarray(said, dtype=np.float64)}
    if output:
        return {name: np.asarray(getattr(said, output), dtype=np.float64)}
    return {f"{name}_{one}": np.asarray(getattr(said, one), dtype=np.float64) for one in indicator.outputs}


def _called(name: str, function: Callable[[Bars], Any], bars: Bars) -> Floats:
    try:
        with np.errstate(all="ignore"):
            values = np.array(function(bars), dtype=np.float64)
    except WorkbenchError:
        raise
    except Exception as error:
        raise StrategyError(
            f"the feature {name!r} raised {type(error).__name__} on {len(bars):,} bars: {error} ({_SHORT})",
            feature=name,
        ) from error
    if values.shape != (len(bars),):
        raise StrategyError(
            f"the feature {name!r} gave shape {values.shape} for {len(bars)} bars; give one number a bar ({_SHORT})",
            feature=name,
        )
    return values
