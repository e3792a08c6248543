"""The calendar of returns as a heatmap, drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench._ink import INK
from workbench.backtest.breakdown import monthly_returns
from workbench.backtest.charts import chart_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workbench.backtest.result import Result

__all__ = ["MONTHS", "monthly_heatmap", "percent_text", "shade_scale"]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def shade_scale(values: Any) -> float:
    """Give the return (fraction) at which a colour is full: the 90th percentile of the sizes, at least one percent."""
    known = np.abs(np.asarray(values, dtype=np.float64))
    known = known[np.isfinite(known)]
    return max(float(np.quantile(known, 0.9)) if len(known) else 0.0, 0.01)


def percent_text(value: float) -> str:
    """Write a fraction as a short percentage; nothing for NaN."""
    if not np.isfinite(value):
        return ""
    digits = 0 if abs(value) >= 0.9995 else 1
    return f"{value * 100:z.{digits}f}".replace("-", "\N{MINUS SIGN}")


def monthly_heatmap(result: Result) -> Figure:
    """Draw the return of every month (UTC) in percent, one row a year, with the year's own at the right."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    table = monthly_returns(result)
    months, years = table[list(range(1, 13))].to_numpy(), table["year"].to_numpy()
    shades = LinearSegmentedColormap.from_list(
        "returns", [INK["negative"].light, INK["surface"].light, INK["positive"].light]
    )
    with plt.rc_context({**chart_style(), "axes.grid": False}):
        height = 1.0 + 0.34 * len(table)
        figure, axes = plt.subplots(figsize=(10.6, height), layout="constrained")
        both = np.column_stack((months, np.full(len(table), np.nan), years))
        scale = np.array([shade_scale(months)] * 13 + [shade_scale(years)])
        axes.imshow(both / scale, cmap=shades, vmin=-1.35, vmax=1.35, aspect="auto")
        for row, column in np.argwhere(np.isfinite(both)):
            strong = abs(both[row, column] / scale[column]) > 0.85
            axes.text(
                column, row, percent_text(both[row, column]), ha="center", va="center", fontsize=8.5,
                color=INK["surface" if strong else "ink"].light, fontweight="bold" if column == 13 else "normal",
            )  # fmt: skip
        axes.set_xticks([*range(12), 13], [*MONTHS, "Year"])
        axes.set_yticks(range(len(table)), [str(year) for year in table.index])
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        _separate(axes, len(table))
        axes.set_title(f"Returns by month, percent, {result.name}", pad=10)
    plt.close(figure)
    return figure


def _separate(axes: Any, rows: int) -> None:
    """Draw the gaps between the cells."""
    for edge in np.arange(0.5, 12):
        axes.axvline(edge, color=INK["surface"].light, linewidth=2)
    for edge in np.arange(0.5, rows - 1):
        axes.axhline(edge, color=INK["surface"].light, linewidth=2)
