"""Pictures of a search, in the colours of the house."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench._ink import INK
from workbench.backtest.charts import chart_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workbench.research.optimising.objectives import Objective
    from workbench.research.optimising.optimisation import Optimisation

__all__ = ["history_chart", "importance_chart", "parameters_chart", "pareto_chart"]


def history_chart(found: Optimisation) -> Figure:
    """Draw each trial and the best so far, one panel an objective."""
    import matplotlib.pyplot as plt

    table = found.table
    numbers = np.arange(1, len(table) + 1)
    good = table["feasible"].to_numpy(dtype=bool)
    with plt.rc_context(chart_style()):
        figure, grid = plt.subplots(
            len(found.objectives), 1, figsize=(10.6, 3.4 * len(found.objectives)), squeeze=False, layout="constrained"
        )
        for axes, one in zip(grid[:, 0], found.objectives, strict=True):
            values = table[one.name].to_numpy(dtype=np.float64)
            shown = np.isfinite(values)
            _dots(axes, numbers[good & shown], values[good & shown], "accent", "trial")
            if (~good & shown).any():
                _dots(axes, numbers[~good & shown], values[~good & shown], "faint", "against a constraint")
            best = np.maximum.accumulate(np.where(good, one.better(values), -np.inf))
            known = np.isfinite(best)
            line = best if one.maximise else -best
            axes.step(
                numbers[known],
                line[known],
                where="post",
                color=INK["series_2"].light,
                linewidth=1.6,
                label="best so far",
            )
            axes.set_title(f"{one.label} by trial")
            axes.set_xlabel("trial")
            axes.set_xlim(0, len(table) + 1)
            _fit(axes, values[shown])
            axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.0)
    plt.close(figure)
    return figure


def parameters_chart(found: Optimisation, one: Objective) -> Figure:
    """Draw the objective over each parameter, with later trials darker."""
    import matplotlib.pyplot as plt

    names = found.parameters
    columns = min(len(names), 3)
    rows = math.ceil(len(names) / columns)
    table = found.table[found.table["feasible"]]
    values = table[one.name].to_numpy(dtype=np.float64)
    with plt.rc_context(chart_style()):
        figure, grid = plt.subplots(
            rows, columns, figsize=(10.6, 3.0 * rows), squeeze=False, sharey=True, layout="constrained"
        )
        for axes, name in zip(grid.flat, names, strict=False):
            known = table[name].notna().to_numpy()
            given = table[name][known]
            plain = given.astype(str) if given.dtype == object or given.dtype == bool else given
            shade = np.linspace(0.25, 0.9, len(table))[known]
            axes.scatter(plain, values[known], s=16, color=INK["accent"].light, alpha=shade, linewidths=0)
            axes.set_title(name)
            if given.dtype.kind in "iu":
                axes.xaxis.get_major_locator().set_params(integer=True)
            _fit(axes, values)
        for axes in list(grid.flat)[len(names) :]:
            axes.set_visible(False)
        figure.suptitle(f"{one.label} by parameter, later trials darker", x=0.01, ha="left", fontsize=10)
    plt.close(figure)
    return figure


def importance_chart(found: Optimisation, one: Objective) -> Figure:
    """Draw the importance of each parameter as bars."""
    import matplotlib.pyplot as plt

    share = found.importance(one.name)[::-1]
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(8.0, 0.9 + 0.38 * len(share)), layout="constrained")
        bars = axes.barh(list(share.index), share.to_numpy(), color=INK["accent"].light, height=0.6)
        axes.bar_label(bars, [f"{value:.0%}" for value in share], padding=4, color=INK["muted"].light)
        axes.set_title(f"What {one.label} depends on")
        axes.set_xticks([])
        axes.grid(visible=False)
        axes.margins(x=0.12)
    plt.close(figure)
    return figure


def pareto_chart(found: Optimisation) -> Figure:
    """Draw the first two objectives against each other, with the front as a line."""
    import matplotlib.pyplot as plt

    first, second = found.objectives[:2]
    table, front = found.ranking(), found.pareto().sort_values(first.name)
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(8.0, 5.0), layout="constrained")
        _dots(axes, table[first.name], table[second.name], "faint", "trial")
        line: dict[str, Any] = {"color": INK["accent"].light, "marker": "o", "markersize": 5, "linewidth": 1.4}
        axes.plot(front[first.name], front[second.name], **line, label="no other is better in all")
        axes.set_title(f"{second.label} against {first.label}")
        ways = [f"{one.label} ({'higher' if one.maximise else 'lower'} is better)" for one in (first, second)]
        axes.set_xlabel(ways[0])
        axes.set_ylabel(ways[1])
        axes.grid(axis="both")
        axes.legend(frameon=False)
    plt.close(figure)
    return figure


def _dots(axes: Any, x: Any, y: Any, color: str, label: str) -> None:
    axes.scatter(x, y, s=16, color=INK[color].light, alpha=0.6, linewidths=0, label=label)


def _fit(axes: Any, values: Any) -> None:
    """Keep a few terrible trials from pressing all others into a line."""
    if len(values) >= 20:
        low, high = np.quantile(values, (0.02, 0.98))
        low, high = min(low, values.max()), max(high, values.max())
        pad = 0.08 * (high - low) or 1.0
        axes.set_ylim(low - pad, high + pad)
