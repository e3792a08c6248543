"""Charts of a portfolio's risk, in the light colours of `_ink`; report pages turn those into CSS variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench._drawing import chart_style, percent_axis
from workbench._ink import INK
from workbench.errors import DataError
from workbench.risk.portfolio.tails import Simulated

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.risk.portfolio.risk import PortfolioRisk

__all__ = ["correlation_chart", "overview_chart", "stress_chart"]

_MOST: Final = 10
_MINUS: Final = "\N{MINUS SIGN}"


def overview_chart(risk: PortfolioRisk, by: str) -> Figure:
    """Draw exposures, parts of the shortfall, profits of the past with the tail, and the worst scenarios."""
    import matplotlib.pyplot as plt

    risk.prices()
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(2, 2, figsize=(10.6, 7.0), layout="constrained")
        _draw_exposures(axes[0, 0], risk, by)
        _draw_parts(axes[0, 1], risk, by)
        _draw_profits(axes[1, 0], risk)
        _draw_stress(axes[1, 1], risk, risk.stress(), 8)
    plt.close(figure)
    return figure


def stress_chart(risk: PortfolioRisk, table: pd.DataFrame) -> Figure:
    """Draw what each scenario does, the worst on top."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        height = 1.0 + 0.27 * max(len(table), 2)
        figure, axes = plt.subplots(figsize=(10.6, height), layout="constrained")
        _draw_stress(axes, risk, table, len(table))
    plt.close(figure)
    return figure


def correlation_chart(risk: PortfolioRisk, by: str) -> Figure:
    """Draw the correlations as a map: vermilion moves together, teal against each other."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    table = risk.correlations(by)
    if not len(table):
        raise DataError("nothing in this portfolio moves: there are no correlations to draw")
    size = 2.6 + 0.62 * len(table)
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(size + 0.4, size * 0.8), layout="constrained")
        axes.grid(visible=False)
        for (row, column), value in np.ndenumerate(table.to_numpy()):
            # One colour of the palette, more or less of it: a page can turn that into its dark one.
            color, strong = INK["negative" if value > 0.0 else "positive"].light, abs(value) > 0.6
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1.0, 1.0, color=color, alpha=abs(value), linewidth=0))
            axes.text(
                column, row, f"{value:z.2f}".replace("-", _MINUS), ha="center", va="center", fontsize=9,
                color=INK["surface" if strong else "ink"].light,
            )  # fmt: skip
        names = [_short(name, 24) for name in table.columns]
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5), aspect="equal")
        axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        figure.suptitle(f"Correlations ({risk.terms.covariance.replace('_', '-')})", fontsize=10, fontweight="bold")
    plt.close(figure)
    return figure


def _short(name: object, most: int = 30) -> str:
    text = str(name)
    head = most // 2
    return text if len(text) <= most else f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[head + 1 - most :]}"


def _unit(risk: PortfolioRisk) -> tuple[float, str]:
    """Say what amounts are divided by, and how titles call that."""
    return (risk.equity, "share of equity") if risk.equity > 0.0 else (1.0, risk.currency)


def _label(axes: Axes, risk: PortfolioRisk) -> None:
    if risk.equity > 0.0:
        percent_axis(axes.xaxis)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.axvline(0.0, color=INK["faint"].light, linewidth=0.8)
    low, high = axes.get_xlim()
    axes.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))


def _draw_exposures(axes: Axes, risk: PortfolioRisk, by: str) -> None:
    table = risk.exposures(by).drop(index="all")
    table = table[table["gross"] > 0.0].head(_MOST)[::-1]
    whole, unit = _unit(risk)
    places = np.arange(len(table))
    axes.barh(places, table["long"] / whole, color=INK["accent"].light, height=0.62)
    axes.barh(places, table["short"] / whole, color=INK["series_2"].light, height=0.62)
    axes.scatter(table["net"] / whole, places, marker="|", s=260, linewidth=2.0, color=INK["ink"].light, zorder=3)
    axes.set_yticks(places, [_short(name, 24) for name in table.index])
    axes.set_title(f"Exposure, {unit}: long, short, net (stroke)")
    _label(axes, risk)


def _draw_parts(axes: Axes, risk: PortfolioRisk, by: str) -> None:
    table = risk.tails(by).drop(index="all")
    table = table[table["component_es"].abs() > 0.0].head(_MOST)[::-1]
    whole, _ = _unit(risk)
    places = np.arange(len(table))
    colors = [INK["negative" if value > 0.0 else "positive"].light for value in table["component_es"]]
    axes.barh(places, table["expected_shortfall"] / whole, color=INK["sunken"].light, height=0.72)
    axes.barh(places, table["component_es"] / whole, color=colors, height=0.44)
    axes.set_yticks(places, [_short(name, 24) for name in table.index])
    axes.set_title("Part in the shortfall; pale: alone")
    _label(axes, risk)


def _draw_profits(axes: Axes, risk: PortfolioRisk) -> None:
    whole, _ = _unit(risk)
    law = risk.law()
    profits = law.profits.sum(axis=1) / whole if isinstance(law, Simulated) else risk.profits().to_numpy() / whole
    edges = np.histogram_bin_edges(profits, bins=61) if np.ptp(profits) > 0.0 else np.linspace(-0.01, 0.01, 62)
    counts, _ = np.histogram(profits, edges)
    axes.stairs(counts, edges, fill=True, color=INK["accent_soft"].light)
    # Bars are either beyond the value at risk or not: the one it falls into is split there.
    axes.stairs(counts, np.minimum(edges, -risk.value_at_risk / whole), fill=True, color=INK["negative_soft"].light)
    color, tall = INK["negative"].light, axes.get_ylim()[1]
    for value, name, line, side in (
        (risk.value_at_risk, " VaR", "-", "left"),
        (risk.expected_shortfall, "ES ", "--", "right"),
    ):
        axes.axvline(-value / whole, color=color, linewidth=1.3, linestyle=line)
        axes.text(-value / whole, tall, name, color=color, va="top", ha=side, fontsize=9)
    axes.set_yscale("symlog", linthresh=3.0)
    axes.set_yticks([])
    scaled = ", scaled to now" if risk.terms.method == "filtered" else ""
    axes.set_title(f"Profits of what is held, {len(profits):,} {risk.step}s of the past{scaled}")
    _label(axes, risk)


def _draw_stress(axes: Axes, risk: PortfolioRisk, table: pd.DataFrame, most: int) -> None:
    whole, unit = _unit(risk)
    rows = table.head(most)[::-1]
    values = rows["profit"].to_numpy(dtype=np.float64) / whole
    colors = [INK["negative" if value < 0.0 else "positive"].light for value in values]
    places = np.arange(len(rows))
    axes.barh(places, values, color=colors, height=0.62)
    partly = ["" if covered >= 0.995 else f" ({covered:.0%} known)" for covered in rows["covered"]]
    names = [_short(name, 40) + more for name, more in zip(rows.index, partly, strict=True)]
    axes.set_yticks(places, names, fontsize=8.5)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_title(f"{'Scenarios' if most >= len(table) else 'The worst scenarios'}, {unit}")
    _label(axes, risk)
