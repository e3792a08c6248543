"""`Scores`: what a model said about each bar, out of sample, tied to those bars by their times and prices."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, StrategyError
from workbench.market.bars import Bars, moment
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Scores", "load_scores"]

_META: Final = b"workbench.scores"


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores:
    """One number a bar, known at its close.

    Parameters
    ----------
    symbol : str
    timeframe : Timeframe
    ts : int64 array, shape (n,)
        Open times of the bars that they were made of, ms UTC.
    close : float64 array, shape (n,)
        Of those bars, to know them again.
    values : float64 array, shape (n,)
        NaN where no bar was scored.
    fingerprint : str
        Of the bars.
    causal : bool
        Whether every score comes from a model that was trained on earlier bars only. Others cannot be traded.
    note : str
        How they were made.
    """

    symbol: str
    timeframe: Timeframe
    ts: NDArray[np.int64] = field(repr=False)
    close: NDArray[np.float64] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)
    fingerprint: str
    causal: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeframe", Timeframe.parse(self.timeframe))
        for name in ("ts", "close", "values"):
            column = np.array(getattr(self, name), dtype=np.int64 if name == "ts" else np.float64)
            column.flags.writeable = False
            object.__setattr__(self, name, column)
            if column.shape != self.ts.shape or column.ndim != 1:
                raise DataError(f"scores: {name} has shape {column.shape} for {len(self.ts)} bars; give one a bar")

    def on(self, bars: Bars) -> NDArray[np.float64]:
        """Give the scores of some bars, found by their times.

        Parameters
        ----------
        bars : Bars, n rows
            Those that were scored, a part of them, or more than them.

        Returns
        -------
        float64 array, shape (n,)
            NaN for bars before and after those that were scored.

        Raises
        ------
        StrategyError
            The bars are of another symbol or timeframe, or a bar amid the scored ones is another than it was.
        """
        if (bars.symbol, bars.timeframe) != (self.symbol, self.timeframe):
            raise StrategyError(
                f"these are scores of {self.symbol} {self.timeframe}, not of {bars.symbol} {bars.timeframe}; "
                "train a model on those bars",
                symbol=bars.symbol,
            )
        found = np.full(len(bars), np.nan)
        if not len(self.ts) or not len(bars):
            return found
        inside = np.flatnonzero((bars.ts >= self.ts[0]) & (bars.ts <= self.ts[-1]))
        rows = np.searchsorted(self.ts, bars.ts[inside])
        wrong = (self.ts[rows] != bars.ts[inside]) | (self.close[rows] != bars.close[inside])
        if wrong.any():
            row = int(inside[np.argmax(wrong)])
            raise StrategyError(
                f"the bar {moment(bars.ts[row])} of {bars.symbol} is not the one that was scored ({int(wrong.sum()):,} "
                "such bars): the data has changed since; train again",
                row=row,
            )
        found[inside] = self.values[rows]
        return found

    def save(self, path: str | Path) -> Path:
        """Write the scores as a Parquet file, whole or not at all; `load_scores` reads it.

        The estimators are not kept: a saved model would be code from a file. Train again, which is deterministic.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = Path(path)
        meta = {name: getattr(self, name) for name in ("symbol", "fingerprint", "causal", "note")}
        meta["timeframe"] = str(self.timeframe)
        table = pa.table({name: getattr(self, name) for name in ("ts", "close", "values")})
        table = table.replace_schema_metadata({_META: json.dumps(meta).encode()})
        draft = path.with_name(path.name + ".draft")
        try:
            pq.write_table(table, draft)
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise DataError(f"the scores cannot be written to {path}: {error}") from error
        return path

    def to_pandas(self) -> pd.Series[float]:
        """Give a Series named `score` over the open times, UTC."""
        import pandas as pd

        index = pd.DatetimeIndex(self.ts.astype("datetime64[ms]"), tz="UTC", name="ts")
        return pd.Series(self.values.copy(), index=index, name="score")

    def __len__(self) -> int:
        return len(self.ts)

    def __repr__(self) -> str:
        scored = np.flatnonzero(np.isfinite(self.values))
        when = f" from {moment(self.ts[scored[0]])} to {moment(self.ts[scored[-1]])}" if len(scored) else ""
        return f"<Scores {self.symbol} {self.timeframe}: {len(scored):,} of {len(self):,} bars{when}>"


def load_scores(path: str | Path) -> Scores:
    """Read what `Scores.save` wrote.

    Raises
    ------
    DataError
        The file is not there, or does not hold scores.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        meta = json.loads((table.schema.metadata or {})[_META])
        columns = {name: table[name].to_numpy() for name in ("ts", "close", "values")}
        return Scores(**columns, **meta)
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path} does not hold scores: {error}", path=str(path)) from error
