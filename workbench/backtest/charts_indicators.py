"""A gallery: every indicator of a group over real bars, a panel each, in one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench._ink import INK
from workbench.backtest.charts import chart_style
from workbench.indicators import registry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.indicators.indicator import Indicator
    from workbench.market.bars import Bars

__all__ = ["indicator_gallery"]

_COLUMNS: Final = 2
_LINES: Final = ("accent", "warning", "positive", "negative", "muted", "ink", "faint")
_MOST_TICKS: Final = 3
_BEARISH: Final = ("top",)  # flags that are 1 where prices turn down
_NO_PRICE: Final = ("direction",)  # lines that are in another unit than those beside them


def indicator_gallery(bars: Bars, group: str, *, beside: Bars | None = None) -> Figure:
    """Draw every indicator of a group with its defaults: over the closes what is a price, below zero's line the rest.

    Parameters
    ----------
    bars : Bars
        A few hundred bars: each panel is five inches wide.
    group : str
        One of `indicators.GROUPS`, or `user`.
    beside : Bars, optional
        A second series for indicators of two, aligned on the times of the first; the opens of `bars`, if not given.

    Returns
    -------
    matplotlib.figure.Figure
        Empty if the group is.

    Raises
    ------
    StrategyError
        There is no such group.
    """
    import matplotlib.pyplot as plt

    found = [registry.get(name) for name in registry.names(group)]
    columns = _columns(bars, beside)
    rows = max(-(-len(found) // _COLUMNS), 1)
    with plt.rc_context({**chart_style(), "font.size": 8.5}):
        # fixed margins: to work out those of thirty panels takes matplotlib many times as long as to draw them
        height = 1.75 * rows + 0.6
        margins = {"left": 0.055, "right": 0.995, "top": 1.0 - 0.3 / height, "bottom": 0.4 / height}
        figure, grid = plt.subplots(
            rows, _COLUMNS, figsize=(10.6, height), sharex=True, squeeze=False,
            gridspec_kw={**margins, "hspace": 0.36, "wspace": 0.13},
        )  # fmt: skip
        times = bars.ts.astype("datetime64[ms]")
        for axes, indicator in zip(grid.flat, found, strict=False):
            _draw(axes, indicator, columns, times)
            axes.yaxis.set_major_formatter(_short)
        for axes in grid.flat[len(found) :]:
            axes.set_visible(False)
            grid[rows - 2, -1].xaxis.set_tick_params(labelbottom=True)  # the lowest of a shorter column
        for axes in grid[-1]:
            _few_dates(axes)
    plt.close(figure)
    return figure


def _columns(bars: Bars, beside: Bars | None) -> dict[str, Any]:
    columns = {name: getattr(bars, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    second = bars.open
    if beside is not None:
        rows = np.searchsorted(beside.ts, bars.ts, side="right") - 1
        second = np.where(rows >= 0, beside.close[np.maximum(rows, 0)], np.nan)
    return {**columns, "values": bars.close, "other": second, "benchmark": second}


def _draw(axes: Axes, indicator: Indicator, columns: dict[str, Any], times: Any) -> None:
    result = indicator(*(columns[name] for name in indicator.inputs), *indicator.parameters())
    lines = result if isinstance(result, tuple) else (result,)
    shown = ", ".join(
        f"{value:g}" if isinstance(value, (int, float)) else str(value) for value in indicator.defaults.values()
    )
    axes.set_title(f"{indicator.name} {shown}".strip(), pad=4)
    over = indicator.unit in ("price", "flag")
    if over:
        axes.plot(times, columns["close"], color=INK["faint"].light, linewidth=0.9, zorder=1)
    named = dict(zip(indicator.outputs, lines, strict=True))
    if indicator.unit == "flag":
        for name, line in named.items():
            _mark(axes, -line if name in _BEARISH else line, columns["close"], times)
        return
    named = {name: line for name, line in named.items() if name not in _NO_PRICE}
    if {"upper", "lower"} <= named.keys():
        band = named.pop("upper"), named.pop("lower")
        axes.fill_between(times, *band, color=INK["accent_soft"].light, linewidth=0, zorder=0, label="upper, lower")
    for (name, line), color in zip(named.items(), _LINES * len(lines), strict=False):
        if name == "histogram":
            axes.fill_between(times, 0.0, np.nan_to_num(line), step="mid", color=INK["accent_soft"].light, linewidth=0)
            continue
        axes.plot(times, line, color=INK[color].light, linewidth=1.0, label=name if len(lines) > 1 else None)
    if not over:
        low, high = (np.nanmin(lines), np.nanmax(lines)) if np.isfinite(lines).any() else (0.0, 0.0)
        if low < 0.0 < high:
            axes.axhline(0.0, color=INK["muted"].light, linewidth=0.7, zorder=0)
    axes.locator_params(axis="y", nbins=4)
    if len(lines) > 1:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=len(lines), frameon=False, fontsize=7,
            handlelength=1.1, columnspacing=0.9, borderpad=0.0, labelcolor=INK["muted"].light,
        )  # fmt: skip


def _mark(axes: Axes, flags: Any, close: Any, times: Any) -> None:
    """Mark the bars of a pattern on the closes: upwards where it is bullish, downwards where it is bearish."""
    for rows, marker, color in ((flags > 0.0, "^", "positive"), (flags < 0.0, "v", "negative")):
        axes.scatter(times[rows], close[rows], marker=marker, s=20, color=INK[color].light, linewidth=0, zorder=3)
    axes.locator_params(axis="y", nbins=4)


def _short(value: float, _: int | None) -> str:
    """Write a number for the margin, which has room for six characters."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            value /= 1e3 if letter == "k" else size
            return f"{value:.4g}{letter}".replace("-", "\N{MINUS SIGN}")
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def _few_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=_MOST_TICKS, maxticks=_MOST_TICKS + 3)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
