"""Charts of what the account did, drawn by matplotlib: equity before and after costs, falls, and exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench._ink import INK
from workbench.backtest import curves
from workbench.backtest.charts import chart_style, draw_line, logarithmic_if_wide, percent_axis
from workbench.risk import metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workbench.backtest.result import Result

__all__ = ["deepest_falls", "equity_chart", "exposure_chart", "underwater_chart"]

Floats = NDArray[np.float64]


def equity_chart(result: Result) -> Figure:
    """Draw equity, what it would be before costs, and buying and holding."""
    import matplotlib.pyplot as plt

    gross = result.records.equity + curves.cost_curve(result.plan, result.records)
    lines = (
        ("buy and hold", result.buy_and_hold, "faint", 1.0),
        ("before costs", gross, "series_2", 1.1),
        ("equity", result.records.equity, "accent", 1.6),
    )
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 4.2), layout="constrained")
        times = result.records.ts.astype("datetime64[ms]")
        for label, values, color, width in lines:
            draw_line(axes, times, values, color, width, label=label)
        logarithmic_if_wide(axes, np.concatenate([values for _, values, _, _ in lines]))
        axes.set_title(f"Equity of {result.name}, {result.currency}")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], frameon=False, loc="upper left", ncols=3)
        _end_axis(axes, times)
    plt.close(figure)
    return figure


def deepest_falls(equity: Floats, cash: float, count: int = 5) -> list[tuple[int, int, int, float]]:
    """Find the deepest falls that do not overlap.

    Returns
    -------
    list of (start, trough, end, depth)
        Rows of the equity, deepest first: the first bar below the high before it, the lowest, and the first back at the
        high (the last bar where it is not back yet); `depth` a negative fraction.
    """
    below = metrics.underwater_of(equity, cash)
    under = np.concatenate(([False], below < 0.0, [False]))
    starts, ends = np.flatnonzero(under[1:] & ~under[:-1]), np.flatnonzero(~under[1:] & under[:-1])
    if not len(starts):
        return []
    depths = np.minimum.reduceat(below, starts)  # a run reaches to the next start, and all in between is zero
    found = []
    for k in np.argsort(depths, kind="stable")[:count]:
        first, last = int(starts[k]), int(ends[k])
        trough = first + int(np.argmin(below[first:last]))
        found.append((first, trough, min(last, len(below) - 1), float(depths[k])))
    return found


def underwater_chart(result: Result) -> Figure:
    """Draw how far the equity was below its highest value, with the five deepest falls marked."""
    import matplotlib.pyplot as plt

    from workbench.backtest.charts import draw_underwater

    falls = deepest_falls(result.records.equity, result.cash)
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 3.2), layout="constrained")
        times = result.records.ts.astype("datetime64[ms]")
        draw_underwater(axes, result, times)
        for rank, (first, _, last, _) in enumerate(falls):
            axes.axvspan(
                times[first], times[last], color=INK["negative_soft"].light, alpha=0.55, linewidth=0, zorder=0,
                label=f"fall {rank + 1}",
            )  # fmt: skip
        for _, trough, _, depth in falls:
            axes.annotate(
                f"{depth:.1%}".replace("-", "\N{MINUS SIGN}").replace("%", " %"), (times[trough], depth),
                xytext=(0, -3), textcoords="offset points", ha="center", va="top", fontsize=8.5,
                color=INK["muted"].light,
            )  # fmt: skip
        low = axes.get_ylim()[0]
        axes.set_ylim(low * 1.12, 0.0)
        axes.set_title(f"Below its highest value, {result.name}; the deepest falls shaded")
        _end_axis(axes, times)
    plt.close(figure)
    return figure


def exposure_chart(result: Result) -> Figure:
    """Draw what was held long and short, as fractions of the equity: mean of each pixel column."""
    import matplotlib.pyplot as plt

    from workbench.backtest.charts import column_means

    exposure = result.exposure
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 3.0), layout="constrained")
        times = result.records.ts.astype("datetime64[ms]")
        for side, color in (("long", "positive"), ("short", "negative")):
            rows, kept = column_means(np.nan_to_num(exposure[side].to_numpy()))
            axes.fill_between(times[rows], kept, 0.0, step="post", color=INK[color].light, linewidth=0, alpha=0.85)
        if len(result.series) > 1:
            rows, kept = column_means(np.nan_to_num(exposure["net"].to_numpy()))
            axes.step(times[rows], kept, where="post", color=INK["ink"].light, linewidth=0.8)
        percent_axis(axes.yaxis)
        net = ", net as a line" if len(result.series) > 1 else ""
        axes.set_title(f"Held long above, short below{net}; share of the equity")
        _end_axis(axes, times)
    plt.close(figure)
    return figure


def _end_axis(axes: Any, times: Any) -> None:
    if len(times) > 1:
        axes.set_xlim(times[0], times[-1] + (times[-1] - times[0]) // 100)
