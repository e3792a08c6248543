"""How every chart of ours looks, in one place; the colours are those of `_ink`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench._ink import INK

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["chart_style", "percent_axis"]


def chart_style() -> Any:
    """Give the matplotlib settings that every chart of ours is drawn with, for `plt.rc_context`."""
    ink, muted, grid = INK["ink"].light, INK["muted"].light, INK["grid"].light
    return {
        "figure.facecolor": INK["surface"].light, "axes.facecolor": "none", "savefig.facecolor": "auto",
        "font.size": 9.5, "text.color": ink, "axes.labelcolor": muted, "axes.titlecolor": ink,
        "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.edgecolor": grid, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
        "axes.spines.left": False, "axes.grid": True, "axes.grid.axis": "y", "grid.color": grid, "grid.linewidth": 0.8,
        "xtick.color": muted, "ytick.color": muted, "xtick.major.size": 0, "ytick.major.size": 0, "ytick.minor.size": 0,
        "axes.axisbelow": True, "lines.solid_joinstyle": "round",
    }  # fmt: skip


def percent_axis(axis: Axis) -> None:
    """Label an axis of fractions as percent, with as many digits as it needs."""
    from matplotlib.ticker import FuncFormatter

    def text(value: float, _: int | None) -> str:
        return f"{round(value * 100, 9):g}%".replace("-", "\N{MINUS SIGN}")

    axis.set_major_formatter(FuncFormatter(text))
