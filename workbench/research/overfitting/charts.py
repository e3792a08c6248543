"""The chart of `Overfitting`: ranks out of sample, degradation, and what was found against what chance makes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench._ink import INK
from workbench.backtest.charts import chart_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.research.overfitting.judging import Overfitting

__all__ = ["overfitting_chart"]

_MOST_POINTS: Final = 2_000


def overfitting_chart(found: Overfitting) -> Figure:
    """Draw three panels side by side; one that has nothing to show says so."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.0), layout="constrained")
        _draw_found(axes[0], found)
        _draw_logits(axes[1], found)
        _draw_degradation(axes[2], found)
    plt.close(figure)  # the caller shows what is returned
    return figure


def _draw_found(axes: Axes, found: Overfitting) -> None:
    ratios = found.trials.sharpe[np.isfinite(found.trials.sharpe)] * found.annual
    axes.set_title("Sharpe ratio a year of all trials")
    if not len(ratios):
        _say(axes, "No trial has returns that vary")
        return
    axes.hist(ratios, bins=min(60, max(8, len(ratios) // 8)), color=INK["accent_soft"].light)
    axes.set_yticks([])
    axes.set_ylim(0.0, axes.get_ylim()[1] * 1.3)
    marks = [
        (found.expected_maximum * found.annual, "negative", f"luck, best of {found.effective:,.0f}:", 0.97),
        (found.sharpe * found.annual, "accent", "chosen:", 0.87),
    ]
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, *(mark[0] for mark in marks)), max(high, *(mark[0] for mark in marks)) + (high - low) * 0.05)
    low, high = axes.get_xlim()
    for value, ink, label, height in marks:
        if math.isfinite(value):
            right = value > (low + high) / 2.0
            axes.axvline(value, color=INK[ink].light, linewidth=1.6)
            axes.text(
                value, height, f"{label} {value:.2f} " if right else f" {label} {value:.2f}", color=INK[ink].light,
                ha="right" if right else "left", va="top", transform=axes.get_xaxis_transform(),
            )  # fmt: skip


def _draw_logits(axes: Axes, found: Overfitting) -> None:
    cross = found.cross_validation
    if cross is None or not len(cross.logits):
        axes.set_title("Rank of the winner out of sample")
        _say(axes, "Too few trials or returns to compare")
        return
    axes.set_title(f"Winner's rank out of sample: {cross.probability:.0%} below middle")
    edges = np.linspace(-1.0, 1.0, 42) * max(float(np.abs(cross.logits).max()), 0.5)
    counts, _ = np.histogram(cross.logits, edges)
    middle = (edges[1:] + edges[:-1]) / 2.0
    colours = [INK["negative_soft" if at <= 0.0 else "positive_soft"].light for at in middle]
    axes.bar(middle, counts / len(cross.logits), np.diff(edges), color=colours)
    axes.axvline(0.0, color=INK["muted"].light, linewidth=1.0)
    axes.set_xlabel("logit of its relative rank (0 = the middle)")
    axes.set_yticks([])


def _draw_degradation(axes: Axes, found: Overfitting) -> None:
    cross = found.cross_validation
    axes.set_title("Winners: where chosen, and where not")
    if cross is None or not len(cross.logits):
        _say(axes, "Too few trials or returns to compare")
        return
    step = max(1, len(cross.inside) // _MOST_POINTS)
    inside, outside = cross.inside[::step] * found.annual, cross.outside[::step] * found.annual
    axes.scatter(inside, outside, s=5, color=INK["accent"].light, alpha=0.25, linewidths=0)
    axes.axhline(0.0, color=INK["muted"].light, linewidth=1.0)
    ends = np.array([inside.min(), inside.max()])
    if math.isfinite(cross.slope):
        axes.plot(ends, cross.intercept * found.annual + cross.slope * ends, color=INK["negative"].light, linewidth=1.6)
        axes.text(
            0.98, 0.97, f"slope {cross.slope:.2f}\nloss in {cross.probability_of_loss:.0%}", ha="right", va="top",
            transform=axes.transAxes, color=INK["negative"].light,
        )  # fmt: skip
    axes.set_xlabel("Sharpe ratio a year in the half that chose")
    axes.set_ylabel("in the other half")


def _say(axes: Axes, what: str) -> None:
    axes.text(0.5, 0.5, what, ha="center", va="center", transform=axes.transAxes, color=INK["muted"].light)
    axes.set_xticks([])
    axes.set_yticks([])
