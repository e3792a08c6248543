"""Charts of an allocation: what it made beside its parts, and how the money was shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench._ink import INK
from workbench.backtest.charts import chart_style, draw_line, logarithmic_if_wide, percent_axis
from workbench.risk import metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.research.allocating.allocation import Allocation

__all__ = ["allocation_chart", "weights_chart"]

_COLUMNS: Final = 900
_PALETTE: Final = ("series_2", "series_3", "series_4", "positive", "negative", "warning")


def allocation_chart(found: Allocation) -> Figure:
    """Draw equity beside equal weights and each strategy alone, the weights held, and drawdown."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(
            3, 1, figsize=(10.6, 7.6), sharex=True, height_ratios=[2.6, 1.6, 1.0], layout="constrained"
        )
        _draw_equity(axes[0], found)
        _draw_weights(axes[1], found)
        _draw_falls(axes[2], found)
    plt.close(figure)
    return figure


def weights_chart(found: Allocation) -> Figure:
    """Draw the weights held over time; what is missing to one is cash."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 3.4), layout="constrained")
        _draw_weights(axes, found)
    plt.close(figure)
    return figure


def _times(found: Allocation) -> NDArray[np.datetime64]:
    import pandas as pd

    times: NDArray[np.datetime64] = pd.DatetimeIndex(found.inputs.index).tz_localize(None).to_numpy()
    return times


def _color(number: int) -> str:
    return INK[_PALETTE[number % len(_PALETTE)]].light


def _draw_equity(axes: Axes, found: Allocation) -> None:
    times, drawn = _times(found), [found.walked.growth, found.equal.growth]
    for number, name in enumerate(found.names):
        grown = np.cumprod(1.0 + np.nan_to_num(found.inputs[name].to_numpy()))
        drawn.append(grown)
        draw_line(axes, times, grown, _PALETTE[number % len(_PALETTE)], 0.8, label=_short(name))
    draw_line(axes, times, found.equal.growth, "faint", 1.3, label="equal weights")
    draw_line(axes, times, found.walked.growth, "accent", 1.9, label=found.method.replace("_", " "))
    logarithmic_if_wide(axes, np.concatenate(drawn))
    axes.set_title("What one became: the allocation after costs, equal weights, and each strategy alone", pad=22)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], labels[::-1], frameon=False, loc="lower left", bbox_to_anchor=(0.0, 0.985), borderaxespad=0.0,
        ncols=min(len(labels), 6), fontsize=8.5,
    )  # fmt: skip
    axes.set_xlim(times[0], times[-1])


def _draw_weights(axes: Axes, found: Allocation) -> None:
    held, times = found.walked.held, _times(found)
    rows = np.unique(np.linspace(0, len(held) - 1, min(len(held), _COLUMNS)).astype(np.int64))
    colors: list[Any] = [_color(number) for number in range(len(found.names))]
    axes.stackplot(
        times[rows], np.maximum(held[rows], 0.0).T, colors=colors, alpha=0.75, linewidth=0,
        labels=[_short(name) for name in found.names],
    )  # fmt: skip
    axes.set_ylim(0.0, max(1.0, float(np.maximum(held, 0.0).sum(axis=1).max())))
    axes.set_xlim(times[0], times[-1])
    percent_axis(axes.yaxis)
    axes.set_title("Weights held; what is missing to the whole is cash")
    if len(axes.figure.axes) == 1:  # otherwise the lines above have named the colours
        axes.legend(frameon=False, loc="upper left", ncols=3, fontsize=8.5)


def _draw_falls(axes: Axes, found: Allocation) -> None:
    times = _times(found)
    below = metrics.underwater_of(found.walked.growth, 1.0)
    axes.fill_between(times, below, 0.0, color=INK["negative_soft"].light, linewidth=0)
    draw_line(axes, times, below, "negative", 0.9)
    draw_line(axes, times, metrics.underwater_of(found.equal.growth, 1.0), "faint", 0.9)
    percent_axis(axes.yaxis)
    axes.set_title("Below its highest value; the grey line is equal weights")


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:20]}\N{HORIZONTAL ELLIPSIS}{name[-12:]}"
