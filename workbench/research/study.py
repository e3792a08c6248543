"""`Study`: what a sweep found, one row a combination, and what to ask of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.research.sweeping import heatmaps, judged, neighbours
from workbench.research.sweeping.combinations import Combinations
from workbench.research.sweeping.evaluator import Evaluator
from workbench.research.sweeping.names import parameter_of
from workbench.research.sweeping.shelf import slug_of, studies_root
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result
    from workbench.research.overfitting import Overfitting, Trials, Verdict

__all__ = ["Study"]

_KEY: Final = b"workbench.study"
_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What many combinations of parameters came to.

    Parameters
    ----------
    name : str
    table : DataFrame
        One row a combination (and series): its parameters, then metrics. The index is the combination's number.
    parameters, metrics : tuple of str
        Columns of the table.
    planned : int
        Rows that the sweep had to compute.
    refused : int
        Combinations that the strategy itself does not take; they have no row.
    missing : int
        Rows that are not computed; the study is partial then.
    recalled : int
        Rows that came from the disk, where an equal sweep had left them.
    seconds : float
        What this sweep took.
    kept : bool
        Whether it was named, and so is kept and counted.
    """

    name: str
    table: pd.DataFrame
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    planned: int
    refused: int = 0
    missing: int = 0
    recalled: int = 0
    seconds: float = 0.0
    kept: bool = False
    evaluators: Mapping[str, Evaluator] | None = None

    @classmethod
    def of_sweep(
        cls,
        name: str,
        combinations: Combinations,
        series: tuple[str, ...],
        evaluators: Sequence[Evaluator],
        found: tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]],
        **facts: Any,
    ) -> Study:
        """Make a study of the numbers of all combinations: their table, which were refused, which are done."""
        import pandas as pd

        table, refused, done = found
        rows = np.flatnonzero(done & ~refused)
        several = series != ("",)
        columns: dict[str, Any] = (
            {"series": np.array(series, dtype=object)[rows // len(combinations)]} if several else {}
        )
        columns |= combinations.columns_of(rows % len(combinations))
        metrics = evaluators[0].metrics
        columns |= {metric: _narrow(metric, table[rows, place]) for place, metric in enumerate(metrics)}
        return cls(
            name=name, table=pd.DataFrame(columns, index=pd.Index(rows, name="row")),
            parameters=combinations.names, metrics=metrics, planned=len(done), refused=int(refused.sum()),
            missing=int((~done).sum()), evaluators=dict(zip(series, evaluators, strict=True)), **facts,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.table)

    @property
    def _series_column(self) -> tuple[str, ...]:
        return ("series",) if "series" in self.table else ()

    @property
    def partial(self) -> bool:
        """Whether it was stopped before all was computed."""
        return self.missing > 0

    def best(self, metric: str = "sharpe_ratio", n: int | None = None) -> Any:
        """Give the best combination, or the `n` best.

        Parameters
        ----------
        metric : str
            Whether more or less is better is known of each.
        n : int, optional

        Returns
        -------
        Series, or DataFrame with `n`
            Rows of `table`, the best first; of equals the earlier one. Rows without a number come last.

        Raises
        ------
        ConfigError
            The metric is not in the table, or neither more nor less of it is better.
        DataError
            There is no row, or none with a number.
        """
        up = self.rises(metric)
        if not len(self.table):
            raise DataError(f"study {self.name!r} has no row to choose from")
        values = self.table[metric].to_numpy(dtype=np.float64)
        if np.isnan(values).all():
            raise DataError(
                f"study {self.name!r}: no row has a {metric}, so none is best; most likely nothing was traded"
            )
        order = np.argsort(np.where(np.isnan(values), np.inf, -values if up else values), kind="stable")
        return self._row(order[0]) if n is None else self.table.iloc[order[:n]]

    def _row(self, place: int) -> pd.Series:
        """Give a row in which whole numbers stay whole."""
        return self.table.iloc[[place]].astype(object).iloc[0]

    def rises(self, metric: str) -> bool:
        """Tell whether more of a metric is better."""
        self._known(metric, self.metrics, "metric")
        if not METRICS[metric].better:
            raise ConfigError(
                f"neither more nor less {metric} is better: sort study.table by it, or choose one of "
                f"{', '.join(name for name in self.metrics if METRICS[name].better)}", metric=metric,
            )  # fmt: skip
        return METRICS[metric].better == "higher"

    def slice(self, **values: Any) -> pd.DataFrame:
        """Give the rows of some values: `study.slice(fast=10, slow=range(20, 40))`.

        Parameters
        ----------
        **values : a value, or several in a list, range or set
            By parameter, or `series`.
        """
        found = self.table
        for name, wanted in values.items():
            self._known(name, (*self.parameters, *self._series_column), "parameter")
            several = isinstance(wanted, (list, tuple, set, range, np.ndarray))
            column = found[name]
            found = found[
                column.isin(list(wanted)) if several else column.isna() if wanted is None else column == wanted
            ]
        return found

    def stability(self, metric: str = "sharpe_ratio") -> pd.DataFrame:
        """Give how the neighbours of each combination do, the widest plateau first.

        Returns
        -------
        DataFrame
            Parameters, the metric, `neighbours` (how many), their `mean`, `worst` and `rank` (share of all combinations
            that the average neighbour beats, 0 to 1), and `plateau`: the lower of the combination's own rank and that
            of its neighbours. A peak among bad neighbours has a low one, a point amid equals a high one.

        Notes
        -----
        In a grid neighbours are at most one step away on every axis (beyond four axes, on one axis); values without an
        order are not stepped over. In a sample they are the nearest two for each parameter. Over several series the
        mean of the metric counts.
        """
        return neighbours.stability(self.mean_over_series(metric), self.parameters, metric, up=self.rises(metric))

    def mean_over_series(self, metric: str) -> pd.DataFrame:
        """Give one row a combination: its parameters, and the mean of a metric over the series."""
        self._known(metric, self.metrics, "metric")
        columns = [*self.parameters, metric]
        if "series" not in self.table:
            return self.table[columns]
        return self.table.groupby(list(self.parameters), dropna=False, sort=False)[metric].mean().reset_index()

    def heatmap(
        self,
        x: str,
        y: str,
        metric: str = "sharpe_ratio",
        *,
        how: Literal["median", "mean", "best", "worst"] = "median",
        engine: Literal["matplotlib", "plotly"] = "matplotlib",
    ) -> Any:
        """Draw a metric over two parameters.

        Parameters
        ----------
        x, y : str
            Parameters.
        metric : str
        how : {"median", "mean", "best", "worst"}
            What is shown where several combinations share a cell.
        engine : {"matplotlib", "plotly"}

        Returns
        -------
        matplotlib or plotly Figure
        """
        for name in (x, y):
            self._known(name, self.parameters, "parameter")
        self._known(metric, self.metrics, "metric")
        return heatmaps.heatmap(self, x, y, metric, how=how, engine=engine)

    def result(self, row: Any) -> Result:
        """Run one row again in full.

        Parameters
        ----------
        row : int, or a row of `table`, or mapping of parameters
            A number is that of the index.

        Raises
        ------
        DataError
            There is no such row, or the study was read from a file and knows no strategy (`attach`).
        """
        evaluator, parameters = self.told(row)
        return evaluator.result(parameters)

    def told(self, row: Any) -> tuple[Evaluator, dict[str, Any]]:
        """Give what computes a row, and the row's parameters."""
        if self.evaluators is None:
            raise DataError(f"study {self.name!r} was read from a file: study.attach(strategy, bars) says what to run")
        if isinstance(row, (int, np.integer)) and not isinstance(row, bool):
            if row not in self.table.index:
                raise DataError(f"study {self.name!r} has no row {row}; its rows are the index of study.table")
            row = self._row(int(np.flatnonzero(self.table.index == row)[0]))
        lacking = [name for name in (*self.parameters, *self._series_column) if name not in row]
        if lacking:
            raise DataError(
                f"a row of study {self.name!r} needs {lacking[0]!r}; give its number, or a row of study.table"
            )
        evaluator = self.evaluators[row["series"] if self._series_column else ""]
        return evaluator, {name: _as_declared(evaluator, name, row[name]) for name in self.parameters}

    def returns(self, rows: Sequence[int]) -> NDArray[np.float64]:
        """Give the returns per bar of some rows, by number: fractions, shape (len(rows), bars)."""
        return np.array([self.result(int(row)).returns.to_numpy() for row in rows])

    def attach(self, strategy: Any, bars: Any, **options: Any) -> Study:
        """Give a study that was read from a file with what is needed to run its rows again."""
        from dataclasses import replace

        series = bars if isinstance(bars, Mapping) else {"": bars}
        found = {name: Evaluator(strategy, one, metrics=self.metrics, **options) for name, one in series.items()}
        return replace(self, evaluators=found)

    def trials(self, metric: str = "sharpe_ratio", *, sample: int = 200) -> Trials:
        """Give what was tried as `research.overfitting` judges it: the best by a metric among all of it."""
        return judged.trials_of(self, metric, sample)

    def overfitting(self, metric: str = "sharpe_ratio", *, sample: int = 200) -> Overfitting:
        """Work out how much of the best combination is luck.

        Parameters
        ----------
        metric : str
            By which the best is chosen.
        sample : int
            Combinations whose returns are computed, for correlation and cross-validation; spread over all ranks.
        """
        from workbench.research.overfitting import judge

        return judge(self.trials(metric, sample=sample))

    @cached_property
    def _usual(self) -> Overfitting:
        return self.overfitting()

    def verdict(self) -> Verdict:
        """Say in a sentence and a page what can be believed of the best Sharpe ratio."""
        return self._usual.verdict()

    def compare(self, *others: Study, metric: str = "sharpe_ratio") -> pd.DataFrame:
        """Give the best, the median and the share above zero of a metric in several studies, a row each."""
        import pandas as pd

        rows = {}
        for one in (self, *others):
            values = one.table[metric]
            rows[one.name] = {
                "rows": len(values), "best": one.best(metric)[metric], "median": values.median(),
                "worst": values.min() if one.rises(metric) else values.max(), "above zero": float((values > 0).mean()),
            }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("study")

    def to_parquet(self, file: str | Path) -> Path:
        """Write the table and what it is to a Parquet file; whole or not at all."""
        import os

        import pyarrow as pa
        import pyarrow.parquet as pq

        path = Path(file)
        names = ("name", "parameters", "metrics", "planned", "refused", "missing", "seconds", "kept")
        facts = {name: getattr(self, name) for name in names}
        mixed = [name for name in self.parameters if self.table[name].dtype == object]
        plain = self.table.assign(**{name: [json.dumps(_plain(one)) for one in self.table[name]] for name in mixed})
        content = pa.Table.from_pandas(plain)
        notes = {**(content.schema.metadata or {}), _KEY: json.dumps({**facts, "mixed": mixed}).encode()}
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            pq.write_table(content.replace_schema_metadata(notes), temporary, compression="zstd")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, name: str | Path) -> Study:
        """Read a study: a file that `to_parquet` wrote, or the newest sweep of a study's name.

        Raises
        ------
        DataError
            There is no such study, or the file is none.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = _found(name)
        try:
            content = pq.read_table(path)
            facts = json.loads((content.schema.metadata or {})[_KEY])
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{path} holds no study; Study.to_parquet writes one") from error
        mixed = facts.pop("mixed")
        table = content.to_pandas()
        for column in mixed:
            values = np.empty(len(table), dtype=object)
            values[:] = [json.loads(one) for one in table[column]]
            table[column] = values
        facts |= {"parameters": tuple(facts["parameters"]), "metrics": tuple(facts["metrics"])}
        return cls(table=table, recalled=len(table), **facts)

    def _known(self, name: str, among: Sequence[str], what: str) -> None:
        if name not in among:
            raise ConfigError(f"study {self.name!r} has no {what} {name!r}; it has {', '.join(among)}", name=name)

    def summary(self) -> str:
        """One line: how many rows, from where, and what is lacking."""
        notes = [f"{len(self.table):,} rows, {len(self.parameters)} parameters"]
        if self.partial:
            notes.append(f"PARTIAL: {self.missing:,} of {self.planned:,} are not computed; the same call goes on")
        if self.refused:
            notes.append(f"{self.refused:,} combinations that the strategy does not take are left out")
        if self.recalled >= self.planned - self.missing and self.recalled:
            notes.append("from the disk, where an equal sweep had left it")
        elif self.recalled:
            notes.append(f"{self.recalled:,} of them from the disk")
        return "; ".join(notes)

    def __repr__(self) -> str:
        return f"<Study {self.name!r}: {self.summary()}>"

    def _repr_html_(self) -> str:
        metric = next(
            (name for name in ("sharpe_ratio", *self.metrics) if name in self.metrics and METRICS[name].better), ""
        )
        rows = self.best(metric, n=_SHOWN) if metric and len(self.table) else self.table.head(_SHOWN)
        shown: Any = {name: METRICS[name].text for name in self.metrics}
        title = f"<b>{escape(self.name)}</b><br>{escape(self.summary())}"
        order = f"<br>the best by {escape(METRICS[metric].label)}" if metric else ""
        return f"<div>{title}{order}{rows.to_html(formatters=shown, border=0)}</div>"


def _found(name: str | Path) -> Path:
    path = Path(name)
    if path.suffix == ".parquet":
        if not path.exists():
            raise DataError(f"there is no file {path}")
        return path
    root = studies_root()
    files = [] if root is None else sorted((root / slug_of(str(name))).glob("*/study.parquet"), key=_age)
    if not files:
        raise DataError(
            f"there is no study {str(name)!r} in this workspace; wb.sweep(..., study={str(name)!r}) makes one"
        )
    return files[-1]


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def _narrow(metric: str, values: NDArray[np.float64]) -> NDArray[Any]:
    """Give counts as whole numbers."""
    return values.astype(np.int64) if metric == "trades" and np.isfinite(values).all() else values


def _as_declared(evaluator: Evaluator, name: str, value: Any) -> Any:
    """Give a value as it was before a row of floats took it in."""
    value = _plain(value)
    whole = parameter_of(evaluator.strategy, name).kind is int and isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value
