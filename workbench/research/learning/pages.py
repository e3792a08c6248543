"""The cards that a notebook shows for a model, a leakage report and forecasts. Plain HTML, no scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.learning.forecasts import Forecasts
    from workbench.research.learning.leakage import LeakageReport
    from workbench.research.learning.model import ModelRun

__all__ = ["forecast_page", "leakage_page", "model_page"]

_MUTED: Final = "color:var(--wb-muted,var(--jp-ui-font-color2,#5d656e));font-size:.86em"
_RULE: Final = "var(--wb-grid,var(--jp-border-color2,#e4e2dc))"
_BAD: Final = "color:var(--wb-negative,#b3400d)"


def model_page(run: ModelRun) -> str:
    """Write the card of a model: the verdict first, then its numbers beside the baselines."""
    samples = run.samples
    title = f"{type(samples.estimator).__name__} on {samples.features.bars.symbol} {samples.features.bars.timeframe}"
    terms = [
        f"{len(samples.features.names)} features: {', '.join(samples.features.names)}",
        f"labels: {samples.labels.name}; weights: {samples.weighting}",
        f"{len(run.folds)} folds, {run.splitter}",
        *(f"warned in {count} folds: {text}" for text, count in run.warned.items()),
    ]
    return _card(title, run.verdict, _table(run.metrics), terms)


def leakage_page(report: LeakageReport) -> str:
    """Write the lines of a leakage report, those that failed in colour, over the table of features."""
    lines = "".join(
        f'<div style="{"" if line.startswith(("ok", "note")) else _BAD}">{escape(line)}</div>' for line in report.lines
    )
    verdict = "Nothing found." if report.clean else "Look at this before believing the model."
    return _card("Leakage", verdict, lines + _table(report.features), [])


def forecast_page(found: Forecasts) -> str:
    """Write the card of forecasts: the verdict, the table of losses, and what the fits warned of."""
    terms = [f"{len(found.rows):,} bars out of sample, fitted anew every {found.refit} bars on {found.train:,} bars"]
    terms += [f"{name}: {count} warnings from {found.fits} fits" for name, count in found.warned.items() if count]
    return _card(f"{found.bars.symbol} {found.bars.timeframe}: {found.what}", found.verdict, _table(found.table), terms)


def _card(title: str, verdict: str, body: str, terms: list[str]) -> str:
    notes = "".join(f"<div>{escape(line)}</div>" for line in terms)
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:60em">'
        f"<strong>{escape(title)}</strong><p>{escape(verdict)}</p>{body}"
        f'<div style="{_MUTED};margin-top:.6em">{notes}</div></div>'
    )


def _table(frame: pd.DataFrame) -> str:
    def text(value: object) -> str:
        if isinstance(value, (bool, np.bool_)):
            return "yes" if value else ""
        if isinstance(value, str):
            return value
        number = float(value)  # type: ignore[arg-type]
        return "" if number != number else f"{number:.4g}"

    return str(frame.map(text).to_html(escape=True, border=0))
