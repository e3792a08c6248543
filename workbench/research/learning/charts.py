"""Charts of a model and of forecasts, drawn by matplotlib in the colours of `_ink`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench._ink import INK
from workbench.backtest.charts import chart_style, column_means, draw_line, logarithmic_if_wide

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from workbench.research.learning.forecasts import Forecasts
    from workbench.research.learning.model import ModelRun

__all__ = ["calibration_chart", "forecast_chart", "importance_chart", "scores_chart"]


def importance_chart(table: pd.DataFrame, most: int = 25) -> Figure:
    """Draw `ModelRun.importance` as bars with one standard deviation."""
    import matplotlib.pyplot as plt

    shown = table.head(most)[::-1]
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(8.0, 1.3 + 0.32 * len(shown)), layout="constrained")
        colours = [INK["accent" if value > 0.0 else "faint"].light for value in shown["importance"]]
        axes.barh(shown.index, shown["importance"], height=0.62, color=colours, alpha=0.85)
        axes.errorbar(shown["importance"], np.arange(len(shown)), xerr=shown["spread"], fmt="none",
                      ecolor=INK["muted"].light, elinewidth=1.1)  # fmt: skip
        axes.axvline(0.0, color=INK["muted"].light, linewidth=0.9)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("rise of the log loss when shuffled, out of sample (line: one standard deviation)")
        axes.set_title("What the model loses without each feature")
    plt.close(figure)  # the caller shows what is returned
    return figure


def calibration_chart(run: ModelRun) -> Figure:
    """Draw how often class 1 came against the mean score of ten bins, with two standard errors."""
    import matplotlib.pyplot as plt

    table = run.calibration
    rate = table["frequency"].to_numpy()
    error = 2.0 * np.sqrt(np.maximum(rate * (1.0 - rate), 1e-12) / table["samples"].to_numpy())
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(5.6, 5.0), layout="constrained")
        low = float(min(table["score"].min(), (rate - error).min()))
        high = float(max(table["score"].max(), (rate + error).max()))
        axes.plot([low, high], [low, high], color=INK["faint"].light, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.errorbar(table["score"], rate, yerr=error, color=INK["accent"].light, marker="o", markersize=4.5,
                      linewidth=1.4, elinewidth=1.0)  # fmt: skip
        axes.axhline(float(np.average(rate, weights=table["samples"])), color=INK["series_2"].light, linewidth=1.0)
        axes.set_xlabel("score (dashed: as it should be; level: base rate)")
        axes.set_ylabel("how often class 1 came")
        axes.set_title("Calibration out of sample")
    plt.close(figure)
    return figure


def scores_chart(run: ModelRun) -> Figure:
    """Draw the price over the score, each where the score is."""
    import matplotlib.pyplot as plt

    scores, bars = run.scores, run.samples.features.bars
    rows = np.flatnonzero(np.isfinite(scores.values))
    first, last = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, len(bars))
    times = bars.ts[first:last].astype("datetime64[ms]")
    values = np.nan_to_num(scores.values[first:last], nan=float(np.nanmean(scores.values)))
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(2, 1, figsize=(10.6, 5.4), sharex=True, height_ratios=[1.4, 1.0],
                                    layout="constrained")  # fmt: skip
        draw_line(axes[0], times, bars.close[first:last], "ink", 0.9)
        logarithmic_if_wide(axes[0], bars.close[first:last])
        axes[0].set_title(f"{bars.symbol} {bars.timeframe}, {bars.instrument.quote}")
        draw_line(axes[1], times, values, "accent_soft", 0.7)
        starts, means = column_means(values, 200)
        axes[1].plot(times[starts], means, color=INK["accent"].light, linewidth=1.3)
        for fold in run.folds[1:]:
            if first <= fold.test[0] < last:
                axes[1].axvline(times[fold.test[0] - first], color=INK["grid"].light, linewidth=0.9)
        axes[1].set_title("Score: probability of class 1 out of sample (vertical lines: trained anew)")
    plt.close(figure)
    return figure


def forecast_chart(found: Forecasts, names: Any = None) -> Figure:
    """Draw what came and what was forecast."""
    import matplotlib.pyplot as plt

    bars = found.bars
    times = bars.ts[found.rows].astype("datetime64[ms]")
    volatility = found.what == "variance"

    def shape(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return 100.0 * (np.sqrt(np.maximum(values, 0.0)) if volatility else values)

    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 4.4), layout="constrained")
        rows = np.arange(len(times))
        step = max(1, len(rows) // 2_000)
        axes.plot(times[::step], shape(found.realised)[::step],
                  linestyle="none", marker=".", markersize=2.0, color=INK["faint"].light,
                  label="absolute return" if volatility else "return")  # fmt: skip
        for name, ink in zip(names or found.shown, ("accent", "series_2", "series_3", "series_4"), strict=False):
            draw_line(axes, times, shape(found.values[name]), ink, 1.2, label=name)
        axes.set_ylabel("percent a bar")
        what = "volatility" if volatility else "return"
        axes.set_title(f"{bars.symbol} {bars.timeframe}: {what} of the next bar, forecast out of sample")
        axes.legend(frameon=False, ncols=6, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
        if volatility:
            axes.set_ylim(bottom=0.0)
    plt.close(figure)
    return figure
