"""Charts of chance: equity among its bands, how metrics of the runs spread, and null distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench._ink import INK
from workbench.backtest.charts import chart_style, logarithmic_if_wide, percent_axis
from workbench.risk.metrics import METRICS, Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.research.chance.simulated import MonteCarlo
    from workbench.research.chance.testing import Significance

__all__ = ["bands_chart", "nulls_chart", "spread_chart"]

Floats = NDArray[np.float64]


def bands_chart(simulated: MonteCarlo) -> Figure:
    """Draw the equity among the bands of the runs; under it how two numbers of the runs spread."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        left = "longest_losing_streak" if simulated.method == "shuffle_trades" else "total_return"
        figure, axes = plt.subplot_mosaic(
            [["bands", "bands"], [left, "max_drawdown"]], figsize=(10.6, 6.6), height_ratios=[2.4, 1.0],
            layout="constrained",
        )  # fmt: skip
        _draw_bands(axes["bands"], simulated)
        for name in (left, "max_drawdown"):
            _draw_spread(axes[name], simulated.simulated[name], simulated.real[name], METRICS[name])
            axes[name].set_title(f"{METRICS[name].label} of the runs; the line is the real one", fontsize=9)
    plt.close(figure)
    return figure


def _draw_bands(axes: Axes, simulated: MonteCarlo) -> None:
    times = simulated.times
    low, inner_low, middle, inner_high, high = np.quantile(simulated.paths, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    soft, accent = INK["accent_soft"].light, INK["accent"].light
    axes.fill_between(times, low, high, color=soft, alpha=0.55, linewidth=0, label="5 to 95 %")
    axes.fill_between(times, inner_low, inner_high, color=accent, alpha=0.28, linewidth=0, label="25 to 75 %")
    axes.plot(times, middle, color=accent, linewidth=1.1, label="median")
    axes.plot(times, simulated.real_path, color=INK["ink"].light, linewidth=1.5, label="real")
    logarithmic_if_wide(axes, np.concatenate((low, high, simulated.real_path)))
    method = simulated.method.replace("_", " ")
    axes.set_title(f"{simulated.name}: {simulated.runs:,} runs by {method}, equity in {simulated.currency}")
    axes.legend(frameon=False, loc="upper left", ncols=4)
    if len(times) > 1:
        axes.set_xlim(times[0], times[-1])


def spread_chart(values: Floats, real: float, metric: Metric, title: str) -> Figure:
    """Draw how often which value of a metric came, and the real one as a line."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 3.2), layout="constrained")
        _draw_spread(axes, values, real, metric)
        axes.set_title(f"{metric.label}, {title}; the line is the real one")
    plt.close(figure)
    return figure


def nulls_chart(found: Significance) -> Figure:
    """Draw for each test what chance alone would have given, and where the real number lies."""
    import matplotlib.pyplot as plt

    tests = list(found.tests.values())
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(
            len(tests), 1, figsize=(10.6, 2.3 * len(tests)), layout="constrained", squeeze=False
        )
        for place, test in zip(axes[:, 0], tests, strict=True):
            _draw_spread(place, test.null, test.observed, METRICS[test.statistic])
            label = METRICS[test.statistic].label.lower()
            place.set_title(f"{test.title}: {label} by chance, the line is the real one; p = {test.p_value:.3f}")
    plt.close(figure)
    return figure


def _draw_spread(axes: Axes, values: Floats, real: float, metric: Metric) -> None:
    """Draw a histogram between the 0.5 and 99.5 % quantiles (and as far as the real one); the rest is in its ends."""
    known = values[np.isfinite(values)]
    axes.set_yticks([])
    axes.grid(visible=False)
    if not len(known) or np.ptp(known) <= 1e-9 * max(1.0, float(np.abs(known).max())):
        told = f"{metric.text(float(known[0]))} in every run" if len(known) else "no run has an answer"
        axes.text(0.5, 0.5, told, ha="center", transform=axes.transAxes)
        return
    low, high = (float(one) for one in np.quantile(known, [0.005, 0.995]))
    if np.isfinite(real):
        low, high = min(low, real), max(high, real)
    margin = 0.02 * (high - low) or 0.01 * max(abs(high), 1.0)
    low, high = low - margin, high + margin
    counts, edges = np.histogram(np.clip(known, low, high), bins=60, range=(low, high))
    axes.stairs(counts, edges, fill=True, color=INK["accent_soft"].light)
    axes.axvline(float(np.median(known)), color=INK["accent"].light, linewidth=1.0, linestyle=(0, (3, 2)))
    if np.isfinite(real):
        axes.axvline(real, color=INK["negative"].light, linewidth=1.8)
    axes.set_xlim(low, high)
    _axis_of(axes.xaxis, metric)


def _axis_of(axis: Any, metric: Metric) -> None:
    if metric.unit == "fraction":
        percent_axis(axis)
