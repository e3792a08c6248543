"""Heatmaps of a study: a metric over two parameters, in matplotlib or plotly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import ConfigError
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.study import Study

__all__ = ["heatmap"]

_TICKS: Final = 12
_WRITTEN: Final = 12  # cells a side up to which numbers are written into them
_HOW: Final = ("median", "mean", "best", "worst")


def heatmap(study: Study, x: str, y: str, metric: str, *, how: str, engine: str) -> Any:
    """Draw a metric over two parameters; see `Study.heatmap`."""
    if x == y:
        raise ConfigError(f"heatmap: x and y are both {x!r}; give two parameters")
    if how not in _HOW:
        raise ConfigError(f"heatmap: how = {how!r} is not one of {', '.join(map(repr, _HOW))}")
    if engine not in ("matplotlib", "plotly"):
        raise ConfigError(f"heatmap: engine = {engine!r} is not 'matplotlib' or 'plotly'")
    cells, shared = _cells(study, x, y, metric, how)
    rest = [name for name in study.parameters if name not in (x, y)]
    over = f"{how} over {', '.join(rest) or 'series'}" if shared else ""
    title = f"{study.name}: {METRICS[metric].label}" + (f" ({over})" if over else "")
    draw = _matplotlib if engine == "matplotlib" else _plotly
    return draw(cells, (x, y, title), metric, _scale(study, metric, cells))


def _cells(study: Study, x: str, y: str, metric: str, how: str) -> tuple[pd.DataFrame, bool]:
    groups = study.table.groupby([y, x], dropna=False, sort=True)[metric]
    if how in ("best", "worst"):
        higher = METRICS[metric].better != "lower"
        found = groups.max() if higher == (how == "best") else groups.min()
    else:
        found = groups.median() if how == "median" else groups.mean()
    return found.unstack(x), bool((groups.size() > 1).any())


def _scale(study: Study, metric: str, cells: pd.DataFrame) -> tuple[str, float, float]:
    """Give colours and their ends: around zero where there is a sign, else from one end to the other."""
    values = cells.to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if low < 0 < high:
        most = max(-low, high)
        return ("RdYlGn" if METRICS[metric].better != "lower" else "RdYlGn_r"), -most, most
    return ("viridis" if METRICS[metric].better != "lower" else "viridis_r"), low, high if high > low else low + 1.0


def _words(values: Any) -> list[str]:
    return [_word(one) for one in values]


def _word(value: Any) -> str:
    if value is None or value != value:
        return "none"
    return f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value)


def _matplotlib(cells: pd.DataFrame, labels: tuple[str, str, str], metric: str, scale: tuple[str, float, float]) -> Any:
    from matplotlib.figure import Figure

    x, y, title = labels
    height, width = cells.shape
    figure = Figure(figsize=(8.5, 6.0), layout="constrained")
    axes = figure.add_subplot()
    values = cells.to_numpy(dtype=np.float64)
    colours, low, high = scale
    image = axes.imshow(values, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high)
    axes.set_facecolor("#e6e6e6")
    for axis, names, count in ((axes.xaxis, cells.columns, width), (axes.yaxis, cells.index, height)):
        places = np.unique(np.linspace(0, count - 1, min(count, _TICKS)).round().astype(int))
        axis.set_ticks(places, labels=[_words(names)[place] for place in places])
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=11, wrap=True)
    bar = figure.colorbar(image, ax=axes)
    bar.ax.yaxis.set_major_formatter(lambda value, _: METRICS[metric].text(value))
    if max(height, width) <= _WRITTEN:
        for row, column in np.ndindex(height, width):
            if np.isfinite(values[row, column]):
                text = METRICS[metric].text(float(values[row, column]))
                axes.text(column, row, text, ha="center", va="center", fontsize=8)
    return figure


def _plotly(cells: pd.DataFrame, labels: tuple[str, str, str], metric: str, scale: tuple[str, float, float]) -> Any:
    import plotly.graph_objects as go

    x, y, title = labels
    colours, low, high = scale
    values = cells.to_numpy(dtype=np.float64)
    shown = [[METRICS[metric].text(one) for one in row] for row in values]
    map_ = go.Heatmap(
        x=_words(cells.columns), y=_words(cells.index), z=values, text=shown, zmin=low, zmax=high, colorscale=colours,
        colorbar={"title": METRICS[metric].label}, hoverongaps=False,
        hovertemplate=f"{x} %{{x}}<br>{y} %{{y}}<br>{METRICS[metric].label} %{{text}}<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(map_)
    figure.update_layout(title=title, template="plotly_white", xaxis_title=x, yaxis_title=y)
    figure.update_xaxes(type="category", nticks=_TICKS)
    figure.update_yaxes(type="category", nticks=_TICKS)
    return figure
