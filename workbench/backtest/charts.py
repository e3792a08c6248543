"""Charts of a result, drawn once in the light colours of `_ink`; report pages turn those into CSS variables.

Lines are drawn from the lowest and highest value per pixel column: a million bars draw as fast as a thousand, and no
spike is lost.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench._drawing import chart_style, percent_axis
from workbench._ink import INK
from workbench.backtest.curves import closes_on
from workbench.risk import metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.backtest.result import Result
    from workbench.market.bars import Bars

__all__ = [
    "chart_style",
    "column_means",
    "draw_line",
    "draw_underwater",
    "envelope",
    "logarithmic_if_wide",
    "percent_axis",
    "price_chart",
    "returns_chart",
    "tear_sheet",
]

_COLUMNS: Final = 900
_MOST_MARKERS: Final = 80
_PALETTE: Final = ("accent", "series_2", "series_3", "series_4", "positive", "negative", "ink", "faint")
Floats = NDArray[np.float64]


def envelope(values: Floats, columns: int = _COLUMNS) -> tuple[NDArray[np.int64], Floats]:
    """Thin out a series to the lowest and highest value of each of so many columns, in the order in which they came.

    Parameters
    ----------
    values : float64 array, shape (n,)
    columns : int

    Returns
    -------
    rows : int64 array, shape (k,), k <= 2 * columns + 2
        Positions kept; the first and the last always are.
    values : float64 array, shape (k,)
    """
    n = len(values)
    if n <= 2 * columns:
        return np.arange(n), values
    edges = np.linspace(0, n, columns + 1).astype(np.int64)
    kept = {0, n - 1}
    for first, last in pairwise(edges):
        kept |= {first + int(np.argmin(values[first:last])), first + int(np.argmax(values[first:last]))}
    rows = np.array(sorted(kept), dtype=np.int64)
    return rows, values[rows]


def tear_sheet(result: Result) -> Figure:
    """Draw prices with fills, the time in the market, equity beside buy and hold, and drawdown, one above the other.

    Of several instruments the prices are drawn from a common start, and the strip says how many positions were held.
    """
    import matplotlib.pyplot as plt

    several = len(result.series) > 1
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(
            4, 1, figsize=(10.6, 7.4), sharex=True, height_ratios=[3.0, 0.6 if several else 0.22, 2.4, 1.3],
            layout="constrained",
        )  # fmt: skip
        times = result.records.ts.astype("datetime64[ms]")
        if several:
            _draw_prices(axes[0], result, times)
            _draw_count(axes[1], result, times)
        else:
            _draw_price(axes[0], result, times)
            _draw_position(axes[1], result, times)
        _draw_equity(axes[2], result, times)
        draw_underwater(axes[3], result, times)
        if len(times) > 1:
            axes[3].set_xlim(times[0], times[-1] + (times[-1] - times[0]) // 100)
    plt.close(figure)  # the caller shows what is returned; left open, a notebook would show it twice
    return figure


def price_chart(bars: Bars) -> Figure:
    """Draw the closes of a series over its volume, with the holes shaded."""
    import matplotlib.pyplot as plt

    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(
            2, 1, figsize=(10.6, 4.6), sharex=True, height_ratios=[3.2, 1.0], layout="constrained"
        )
        times = bars.ts.astype("datetime64[ms]")
        draw_line(axes[0], times, bars.close, "ink", 0.9)
        logarithmic_if_wide(axes[0], bars.close)
        axes[0].set_title(f"{bars.symbol} {bars.timeframe}, {bars.instrument.quote}")
        _shade_gaps(axes[0], bars)
        columns = np.linspace(0, len(bars), min(len(bars), _COLUMNS) + 1).astype(np.int64)
        summed = np.add.reduceat(bars.volume, columns[:-1])
        axes[1].fill_between(times[columns[:-1]], 0, summed, step="post", color=INK["faint"].light, linewidth=0)
        axes[1].set_title("Volume" if bars.volume.any() else "Volume: none recorded")
        axes[1].set_yticks([])
    plt.close(figure)
    return figure


def returns_chart(bars: Bars) -> Figure:
    """Draw how often the close moved by how much from bar to bar, beside a normal law of the same spread."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import PercentFormatter

    moves = np.diff(np.log(bars.close))
    spread = float(moves.std() if len(moves) else 0.0) or 1e-9
    edges = np.linspace(-6 * spread, 6 * spread, 121)
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 3.0), layout="constrained")
        counts, _ = np.histogram(np.clip(moves, edges[0], edges[-1]), edges)
        axes.stairs(np.maximum(counts, 0.5), edges, fill=True, color=INK["accent_soft"].light)
        middle = (edges[1:] + edges[:-1]) / 2
        normal = np.exp(-0.5 * (middle / spread) ** 2) / (spread * np.sqrt(2 * np.pi)) * len(moves) * np.diff(edges)
        axes.plot(middle, np.maximum(normal, 0.5), color=INK["accent"].light, linewidth=1.2)
        axes.set_yscale("log")
        axes.set_ylim(0.5, None)
        axes.xaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=1))
        axes.set_title("Moves from close to close, bars on a logarithmic scale; the line is a normal law")
    plt.close(figure)
    return figure


def draw_line(
    axes: Axes, times: Any, values: Floats, color: str, width: float = 1.2, *, label: str | None = None
) -> None:
    """Draw a series thinned out, in a colour of `_ink`."""
    rows, kept = envelope(values)
    axes.plot(times[rows], kept, color=INK[color].light, linewidth=width, label=label)


def column_means(values: Floats, columns: int = _COLUMNS) -> tuple[NDArray[np.int64], Floats]:
    """Thin out a series to the mean of each of so many columns: the row each begins at, and its mean."""
    edges = np.unique(np.linspace(0, len(values), min(len(values), columns) + 1).astype(np.int64))
    return edges[:-1], np.add.reduceat(values, edges[:-1]) / np.diff(edges)


def _shade_gaps(axes: Axes, bars: Bars) -> None:
    """Shade all holes as one artist: a series can have tens of thousands of them."""
    from matplotlib.dates import date2num

    if bars.gaps:
        times = np.array([(gap.start, gap.end) for gap in bars.gaps]).astype("datetime64[ms]")
        holes = date2num(times)  # type: ignore[no-untyped-call]
        spans = [(start, end - start) for start, end in holes.tolist()]
        axes.broken_barh(
            spans, (0, 1), transform=axes.get_xaxis_transform(), color=INK["warning_soft"].light, linewidth=0, zorder=0
        )


def logarithmic_if_wide(axes: Axes, values: Floats) -> None:
    """Use a logarithmic axis where the values span more than five times, so that early and late moves compare."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if values.min() > 0 and values.max() / values.min() > 5:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def _draw_price(axes: Axes, result: Result, times: Any) -> None:
    bars = result.bars
    draw_line(axes, times, bars.close, "ink", 0.9)
    logarithmic_if_wide(axes, bars.close)
    axes.set_title(f"{bars.symbol}, {bars.instrument.quote}")
    trades = result.trades
    if len(trades) > _MOST_MARKERS:
        return
    for side, marker, color in (("long", "^", "positive"), ("short", "v", "negative")):
        mine = trades[trades["side"] == side]
        axes.scatter(
            mine["entry_time"].dt.tz_localize(None), mine["entry_price"], marker=marker, s=34,
            color=INK[color].light, edgecolor=INK["surface"].light, linewidth=0.7, zorder=4,
        )  # fmt: skip
    over = trades[trades["exit_reason"] != "open"]
    axes.scatter(
        over["exit_time"].dt.tz_localize(None), over["exit_price"], marker="o", s=16,
        color=INK["surface"].light, edgecolor=INK["ink"].light, linewidth=0.9, zorder=3,
    )  # fmt: skip


def _draw_position(axes: Axes, result: Result, times: Any) -> None:
    """Fill a strip while a position is held: in the colour of profit while long, of loss while short."""
    columns = np.linspace(0, len(times), min(len(times), _COLUMNS) + 1).astype(np.int64)
    first, last = result.held_bars
    held = np.zeros((2, len(times) + 1))
    sides = result.sides
    for row, side in ((0, 1.0), (1, -1.0)):
        np.add.at(held[row], first[sides == side], 1)
        np.add.at(held[row], last[sides == side], -1)
    share = np.add.reduceat(np.cumsum(held, axis=1)[:, :-1] > 0, columns[:-1], axis=1) / np.diff(columns)
    edges = times[np.minimum(columns, len(times) - 1)]
    for row, color in ((0, "positive"), (1, "negative")):
        axes.fill_between(edges[:-1], 0.0, share[row], step="post", color=INK[color].light, linewidth=0, label=color)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.grid(visible=False)
    words = "held long" if not (sides < 0).any() else "held short" if not (sides > 0).any() else "held long, short"
    axes.set_title(words, fontsize=8.5, fontweight="normal", color=INK["muted"].light, pad=2)


def _draw_prices(axes: Axes, result: Result, times: Any) -> None:
    """Draw what one unit of money put into each instrument at its start became; those that moved most are named."""
    found = []
    for line in result.plan.lines:
        closes = closes_on(line, result.records.ts) / line.bars.close[0]
        found.append(np.where(result.records.ts < line.bars.ts[0], np.nan, closes))
    order = np.argsort([-abs(np.log(values[-1])) for values in found], kind="stable")
    named = dict(zip(order.tolist(), _PALETTE, strict=False))
    for k, values in enumerate(found):
        if k not in named:
            _draw_from_start(axes, times, values, "grid", 0.8, None)
    for k, color in named.items():
        _draw_from_start(axes, times, found[k], color, 1.1, result.series[k].symbol)
    logarithmic_if_wide(axes, np.concatenate([values[np.isfinite(values)] for values in found]))
    more = len(found) - len(named)
    axes.set_title(f"{len(found)} instruments from a common start" + (f", {more} of them in grey" if more else ""))
    axes.legend(frameon=False, loc="upper left", ncols=4)


def _draw_from_start(axes: Axes, times: Any, values: Floats, color: str, width: float, label: str | None) -> None:
    known = np.isfinite(values)
    draw_line(axes, times[known], values[known], color, width, label=label)


def _draw_count(axes: Axes, result: Result, times: Any) -> None:
    """Draw how many long and how many short positions were held, on average in each column."""
    from matplotlib.ticker import MaxNLocator

    first, last = result.held_bars
    for side, color, sign in ((1.0, "positive", 1), (-1.0, "negative", -1)):
        change = np.zeros(len(times) + 1)
        np.add.at(change, first[result.sides == side], 1)
        np.add.at(change, last[result.sides == side], -1)
        rows, kept = column_means(np.cumsum(change)[:-1])
        axes.fill_between(times[rows], sign * kept, 0.0, step="post", color=INK[color].light, linewidth=0)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    told = "Positions held, short ones below"
    axes.set_title(told, fontsize=8.5, fontweight="normal", color=INK["muted"].light, pad=2)


def _draw_equity(axes: Axes, result: Result, times: Any) -> None:
    held = result.buy_and_hold
    draw_line(axes, times, held, "faint", 1.0)
    draw_line(axes, times, result.equity_values, "accent", 1.5)
    logarithmic_if_wide(axes, np.concatenate((held, result.equity_values)))
    axes.set_title(f"Equity, {result.currency}", color=INK["accent"].light)
    axes.set_title("buy and hold", loc="right", fontsize=8.5, fontweight="normal", color=INK["muted"].light)


def draw_underwater(axes: Axes, result: Result, times: Any) -> None:
    """Draw how far the equity was below its highest value, as a red area under zero."""
    from matplotlib.ticker import PercentFormatter

    below = metrics.underwater_of(result.equity_values, result.cash)
    rows, kept = envelope(below)
    axes.fill_between(times[rows], kept, 0.0, color=INK["negative_soft"].light, linewidth=0)
    axes.plot(times[rows], kept, color=INK["negative"].light, linewidth=0.9)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
    axes.set_title("Below its highest value")
