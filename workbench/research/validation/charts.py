"""Pictures of validation: the joined equity of a walk-forward, what it chose, and the paths of a cross-validation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench._ink import INK
from workbench.backtest.charts import chart_style, draw_line, logarithmic_if_wide, percent_axis
from workbench.research.validation.choosing import are_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workbench.research.validation.crossing import CrossValidation
    from workbench.research.validation.walk import WalkForward

__all__ = ["choices_chart", "paths_chart", "walk_chart"]


def walk_chart(walk: WalkForward) -> Figure:
    """Draw the joined equity beside buying and holding, and below it each window's yearly rate in and out of sample."""
    import matplotlib.pyplot as plt

    times = walk.ts.astype("datetime64[ms]")
    held, equity = walk.buy_and_hold, walk.equity_values
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(
            2, 1, figsize=(10.6, 6.0), sharex=True, height_ratios=[2.4, 1.0], layout="constrained"
        )
        for number, one in enumerate(walk.windows):
            ends = np.array(one.test, dtype="datetime64[ms]")
            if number % 2:
                for panel in axes:
                    panel.axvspan(ends[0], ends[1], color=INK["sunken"].light, alpha=0.7, linewidth=0, zorder=0)
        draw_line(axes[0], times, held, "faint", 1.0, label="buy and hold")
        draw_line(axes[0], times, equity, "accent", 1.6, label="out of sample")
        logarithmic_if_wide(axes[0], np.concatenate((held, equity)))
        axes[0].legend(frameon=False, loc="upper left", ncols=2)
        axes[0].set_title(f"Out of sample, {type(walk.evaluator.strategy).__name__} chosen by {walk.objective.label}")
        _window_bars(axes[1], walk)
        axes[0].set_xlim(times[0], times[-1] + (times[-1] - times[0]) // 100)
    plt.close(figure)
    return figure


def _window_bars(axes: Any, walk: WalkForward) -> None:
    table = walk.table
    middle = [np.datetime64((one.test[0] + one.test[1]) // 2, "ms") for one in walk.windows]
    width = [np.timedelta64(max((one.test[1] - one.test[0]) // 3, 1), "ms") for one in walk.windows]
    promised = table["in_sample_annualised_return"].to_numpy(dtype=np.float64)
    made = table["annualised_return"].to_numpy(dtype=np.float64)
    top = float(np.nanquantile(np.abs(np.concatenate((promised, made))), 0.9)) if len(made) else 1.0
    axes.bar([a - w / 2 for a, w in zip(middle, width, strict=True)], promised, width, label="in sample",
             color=INK["grid"].light, edgecolor=INK["faint"].light, linewidth=0.6)  # fmt: skip
    colors = [INK["positive" if one >= 0 else "negative"].light for one in made]
    axes.bar([a + w / 2 for a, w in zip(middle, width, strict=True)], made, width, color=colors, label="out of sample")
    limit = 1.6 * top if math.isfinite(top) and top > 0 else 1.0
    axes.set_ylim(max(-limit, -1.0) if np.nanmin(np.r_[promised, made]) < 0 else 0.0, limit)
    axes.axhline(0.0, color=INK["faint"].light, linewidth=0.8)
    percent_axis(axes.yaxis)
    axes.set_title("Yearly rate of each window: promised by its training (grey), made in its test (colour)")


def choices_chart(walk: WalkForward) -> Figure:
    """Draw the value of each parameter from window to window, within the range that it was chosen from."""
    import matplotlib.pyplot as plt

    chosen = [one for one in walk.windows if one.choice is not None]
    names = list(dict.fromkeys(name for one in chosen for name in one.parameters))
    with plt.rc_context(chart_style()):
        figure, grid = plt.subplots(
            max(len(names), 1), 1, figsize=(10.6, 0.5 + 1.9 * max(len(names), 1)), sharex=True, squeeze=False,
            layout="constrained",
        )  # fmt: skip
        for axes, name in zip(grid[:, 0], names, strict=False):
            known = [one for one in chosen if name in one.parameters]
            values = [one.parameters[name] for one in known]
            edges = np.array([*(one.test[0] for one in known), known[-1].test[1]], dtype="datetime64[ms]")
            numbers = are_numbers(values)
            shown = values if numbers else [str(one) for one in values]
            axes.step(edges, [*shown, shown[-1]], where="post", color=INK["accent"].light, linewidth=1.6)
            if numbers and name in walk.ranges:
                low, high = walk.ranges[name]
                pad = 0.06 * (high - low) or 1.0
                axes.set_ylim(low - pad, high + pad)
            axes.set_title(f"{name} chosen for each window")
    plt.close(figure)
    return figure


def paths_chart(found: CrossValidation) -> Figure:
    """Draw the equity of every path out of sample, and how their Sharpe ratios are spread."""
    import matplotlib.pyplot as plt

    grown = np.asarray(np.cumprod(1.0 + found.path_returns, axis=1), dtype=np.float64)
    times = found.ts.astype("datetime64[ms]")
    sharpe = found.paths["sharpe_ratio"].to_numpy(dtype=np.float64)
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(1, 2, figsize=(10.6, 4.0), width_ratios=[2.4, 1.0], layout="constrained")
        for row in grown:
            draw_line(axes[0], times, row, "accent", 0.9)
        for line in axes[0].lines:
            line.set_alpha(max(0.25, 1.0 / math.sqrt(len(grown))))
        draw_line(axes[0], times, np.median(grown, axis=0), "ink", 1.6, label="median")
        axes[0].axhline(1.0, color=INK["faint"].light, linewidth=0.8)
        logarithmic_if_wide(axes[0], grown)
        axes[0].set_title(f"{len(grown)} path{'s' if len(grown) > 1 else ''} out of sample, growth of 1")
        axes[0].legend(frameon=False, loc="upper left")
        known = sharpe[np.isfinite(sharpe)]
        axes[1].hist(
            known, bins=min(max(len(known), 3), 20), color=INK["accent_soft"].light, edgecolor=INK["accent"].light
        )
        axes[1].axvline(0.0, color=INK["negative"].light, linewidth=1.2)
        if len(known):
            axes[1].axvline(np.median(known), color=INK["ink"].light, linewidth=1.4)
        axes[1].set_title("Sharpe ratio of the paths")
        axes[1].yaxis.get_major_locator().set_params(integer=True)
    plt.close(figure)
    return figure
