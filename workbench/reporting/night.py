"""`Night`: what the runs of one batch of a report say together, for the summary notebook.

Read from the run ledger; nothing is computed again. Runs that did not succeed are counted and named, never left out in
silence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.backtest.tables import in_words, percent
from workbench.errors import RunError
from workbench.reporting.verdicts import count_of, verdict_of
from workbench.research.ledger import Ledger
from workbench.research.run import Run
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from pandas.io.formats.style import Styler

__all__ = ["Night", "load_night"]

_LEAGUE = {
    "sharpe_ratio": "Sharpe",
    "total_return": "return",
    "annualised_return": "a year",
    "max_drawdown": "drawdown",
    "win_rate": "win rate",
    "trades": "trades",
    "benchmark_return": "holding",
}


@dataclass(frozen=True)
class Night:
    """The backtests of one batch.

    Attributes
    ----------
    report, batch : str
        Empty batch: the report has not run yet.
    runs : sequence of Run
        The last attempt of each, in the order of their names; only runs of a strategy.
    """

    report: str
    batch: str
    runs: Sequence[Run]

    @property
    def succeeded(self) -> list[Run]:
        """Runs that did all they should, best Sharpe ratio first; those without one last."""
        good = [run for run in self.runs if run.succeeded]
        return sorted(good, key=lambda run: -_number(run, "sharpe_ratio", -math.inf))

    @property
    def failed(self) -> list[Run]:
        """Runs that did not."""
        return [run for run in self.runs if not run.succeeded]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a run that succeeded, best Sharpe ratio first: strategy, market, metrics, and `doctor`.

        The last is the worst severity that its diagnosis found; empty where the run recorded none.
        """
        import pandas as pd

        rows = [
            {"strategy": run.strategy, "market": f"{run.symbol} {run.timeframe}"}
            | {name: _number(run, name, math.nan) for name in _LEAGUE}
            | {"doctor": "" if (verdict := verdict_of(run)) is None else verdict.word}
            for run in self.succeeded
        ]
        columns = ["strategy", "market", *_LEAGUE, "doctor"]
        return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))

    def table(self) -> Styler:
        """Give the league table, formatted."""
        texts: Any = {label: METRICS.get(name, METRICS["total_return"]).text for name, label in _LEAGUE.items()}
        return self.frame.rename(columns=_LEAGUE).style.format(texts, escape="html")

    def by_strategy(self) -> Styler:
        """One row a strategy: markets, how many made money and beat buying and holding, and the middle Sharpe ratio."""
        frame = self.frame.assign(
            made_money=self.frame["total_return"] > 0,
            beat_holding=self.frame["total_return"] > self.frame["benchmark_return"],
        )
        table = frame.groupby("strategy").agg(
            markets=("market", "size"), made_money=("made_money", "sum"), beat_holding=("beat_holding", "sum"),
            median_sharpe_ratio=("sharpe_ratio", "median"), worst_drawdown=("max_drawdown", "min"),
        )  # fmt: skip
        shown: Any = {"median_sharpe_ratio": "{:.2f}", "worst_drawdown": percent}
        styled = table.rename_axis(None).style.format(shown).format_index(escape="html")
        return styled.format_index(in_words, axis="columns")

    def worst_drawdowns(self, count: int = 8) -> pd.DataFrame:
        """List the deepest falls of the night, deepest first."""
        import pandas as pd

        rows = [
            (
                run.strategy,
                f"{run.symbol} {run.timeframe}",
                *(METRICS[name].text(run.metrics.get(name)) for name in _FALL),
            )
            for run in sorted(self.succeeded, key=lambda run: _number(run, "max_drawdown", 0.0))[:count]
        ]
        columns = ["strategy", "market", "depth", "from", "trough", "recovered"]
        return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))

    def plot(self) -> Figure:
        """Draw return against depth of drawdown, one mark a run; better is up and to the right."""
        import matplotlib.pyplot as plt
        from matplotlib.ticker import PercentFormatter

        from workbench._ink import INK
        from workbench.backtest.charts import chart_style

        colors = [INK[name].light for name in ("accent", "series_2", "series_3", "series_4", "ink")]
        with plt.rc_context(chart_style()):
            figure, axes = plt.subplots(figsize=(10.6, 4.2), layout="constrained")
            for number, (strategy, mine) in enumerate(self.frame.groupby("strategy")):
                color = colors[number % len(colors)]
                axes.scatter(
                    mine["max_drawdown"], mine["annualised_return"], s=44, color=color, alpha=0.85, label=strategy
                )
            axes.axhline(0, color=INK["faint"].light, linewidth=0.8)
            axes.xaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
            axes.set_title("Annualised return against the deepest drawdown")
            if len(self.frame):
                axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.99), frameon=False, ncols=6, handletextpad=0.1)
        plt.close(figure)
        return figure

    def named_results(self) -> dict[str, int | float | str | None]:
        """Give what the summary records: how many runs; how many succeeded, made money, beat holding, are doubtful."""
        frame = self.frame
        sharpes = frame["sharpe_ratio"].dropna().to_numpy()
        return {
            "batch": self.batch or None,
            "runs": len(self.runs),
            "succeeded": len(self.succeeded),
            "failed": len(self.failed),
            "made_money": int((frame["total_return"] > 0).sum()),
            "beat_buy_and_hold": int((frame["total_return"] > frame["benchmark_return"]).sum()),
            "median_sharpe_ratio": float(np.median(sharpes)) if len(sharpes) else None,
            "doctor_critical": count_of(self.runs, "critical")[0],
            "doctor_warnings": count_of(self.runs, "warning")[0],
        }

    def _repr_html_(self) -> str:
        if not self.batch:
            name = escape(self.report)
            return f"<p>The report {name} has not run yet: <code>workbench report run {name}</code></p>"
        failed = "".join(
            f"<li>{escape(run.name)}: {escape(run.status)}, {escape(run.error[:200])}</li>" for run in self.failed
        )
        return (
            f"<p><strong>{len(self.succeeded)}</strong> of {len(self.runs)} backtests succeeded in batch "
            f"<code>{escape(self.batch)}</code>.{self._diagnoses}</p>{f'<ul>{failed}</ul>' if failed else ''}"
        )

    @property
    def _diagnoses(self) -> str:
        """Say how many runs have critical findings, and how many only warnings."""
        critical, told = count_of(self.runs, "critical")
        doubtful, _ = count_of(self.runs, "warning")
        if not told:
            return ""
        return (
            f" The doctor found something critical in <strong>{critical}</strong> of {told} and warns of {doubtful} "
            "more: the page of each run begins with what, and with what to do."
        )


_FALL = ("max_drawdown", "max_drawdown_start", "max_drawdown_trough", "max_drawdown_recovery")


def _number(run: Run, name: str, otherwise: float) -> float:
    value: Any = run.metrics.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else otherwise


def load_night(report: str = "nightly", batch: str = "latest", *, ledger: Ledger | None = None) -> Night:
    """Read a batch from the run ledger.

    Parameters
    ----------
    report : str
    batch : str, default "latest"
        The id of a batch, or the newest one that is recorded.
    ledger : Ledger, optional
        That of the current workspace when left out.

    Returns
    -------
    Night
        Without runs where the report has never run.

    Raises
    ------
    RunError
        The report has no such batch.
    """
    if ledger is None:
        from workbench.settings import load_settings

        ledger = Ledger(load_settings().ledger_root)
    chosen = ledger.latest(report) if batch == "latest" else batch
    if chosen is None:
        return Night(report, "", ())
    records = ledger.records(report, chosen, attempts="last")
    if not records:
        known = ", ".join(ledger.batches(report)["batch"].head(5)) or "none"
        raise RunError(f"report {report!r} has no batch {chosen!r}; the newest are {known}", batch=chosen)
    return Night(report, chosen, sorted((run for run in records if run.strategy), key=lambda run: run.name))
