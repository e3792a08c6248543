"""Charts of what was traded, drawn by matplotlib: a price with its fills, and the trades one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench._ink import INK
from workbench.backtest.charts import chart_style, draw_line, logarithmic_if_wide, percent_axis
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.backtest.result import Result

__all__ = ["fills_chart", "instrument_of", "trades_chart"]

_MOST_MARKERS: Final = 400


def instrument_of(result: Result, symbol: str | None) -> int:
    """Give the number of an instrument by its symbol; the first for None; ConfigError for one that is not there."""
    symbols = [bars.symbol for bars in result.series]
    if symbol is None:
        return 0
    if symbol not in symbols:
        shown = ", ".join(symbols[:20]) + (", …" if len(symbols) > 20 else "")
        raise ConfigError(f"symbol = {symbol!r} is not among what was traded: {shown}", symbol=symbol)
    return symbols.index(symbol)


def fills_chart(result: Result, symbol: str | None = None) -> Figure:
    """Draw the closes of one instrument with its fills: bought above ground, sold below, larger for more.

    Parameters
    ----------
    result : Result
    symbol : str, optional
        The first instrument when left out.

    Raises
    ------
    ConfigError
        The symbol was not traded.
    """
    import matplotlib.pyplot as plt

    bars = result.series[instrument_of(result, symbol)]
    fills = result.fills
    mine = fills[fills["symbol"] == bars.symbol]
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(figsize=(10.6, 4.6), layout="constrained")
        times = bars.ts.astype("datetime64[ms]")
        draw_line(axes, times, bars.close, "ink", 0.9)
        logarithmic_if_wide(axes, bars.close)
        shown = mine if len(mine) <= _MOST_MARKERS else mine.iloc[-_MOST_MARKERS:]
        for side, marker, color in (("buy", "^", "positive"), ("sell", "v", "negative")):
            some = shown[shown["side"] == side]
            axes.scatter(
                some["time"].dt.tz_localize(None), some["price"], marker=marker, s=_sizes(some, shown),
                color=INK[color].light, edgecolor=INK["surface"].light, linewidth=0.7, zorder=4,
                label="bought" if side == "buy" else "sold",
            )  # fmt: skip
        told = f"{len(mine):,} fills" if len(shown) == len(mine) else f"the last {len(shown)} of {len(mine):,} fills"
        axes.set_title(f"{bars.symbol} {bars.timeframe}, {bars.instrument.quote}; {told}")
        if len(shown):
            axes.legend(frameon=False, loc="upper left", ncols=2)
        if len(times) > 1:
            axes.set_xlim(times[0], times[-1] + (times[-1] - times[0]) // 100)
    plt.close(figure)
    return figure


def _sizes(some: pd.DataFrame, shown: pd.DataFrame) -> Any:
    """Give the area of each marker: larger for a larger value, within bounds that stay readable."""
    value, most = some["quantity"] * some["price"], float((shown["quantity"] * shown["price"]).max())
    return 16.0 + 34.0 * (value / most if most > 0 else 0.0)


def trades_chart(result: Result) -> Figure:
    """Draw each closed trade: its return by when it ended, and by how far it went against its holder."""
    import matplotlib.pyplot as plt

    closed = result.trades[result.closed]
    with plt.rc_context(chart_style()):
        figure, axes = plt.subplots(1, 2, figsize=(10.6, 4.2), layout="constrained", width_ratios=[1.7, 1.0])
        for side, marker in (("long", "^"), ("short", "v")):
            for won, color in ((True, "positive"), (False, "negative")):
                some = closed[(closed["side"] == side) & ((closed["pnl"] > 0) == won)]
                style: dict[str, Any] = {
                    "marker": marker, "s": 26 if len(closed) < 2_000 else 8, "color": INK[color].light,
                    "alpha": 0.9 if len(closed) < 500 else 0.5, "linewidth": 0, "rasterized": len(closed) > 2_000,
                }  # fmt: skip
                axes[0].scatter(some["exit_time"].dt.tz_localize(None), some["return_"], **style)
                axes[1].scatter(some["mae"].abs(), some["return_"], **style)
        for one in axes:
            one.axhline(0.0, color=INK["muted"].light, linewidth=0.8)
            percent_axis(one.yaxis)
        percent_axis(axes[1].xaxis)
        _finish(axes, closed)
    plt.close(figure)
    return figure


def _finish(axes: Any, closed: pd.DataFrame) -> None:
    axes[0].set_title(f"{len(closed):,} closed trades by when they ended; \N{BLACK UP-POINTING TRIANGLE} long, "
                      "\N{BLACK DOWN-POINTING TRIANGLE} short")  # fmt: skip
    axes[1].set_title("By how far each went against")
    _diagonal(axes[1], closed)


def _diagonal(axes: Axes, closed: pd.DataFrame) -> None:
    """Mark where a trade ends at its worst: nothing can lie below but what costs took."""
    most = float(closed["mae"].abs().max()) if len(closed) else 0.0
    if most > 0:
        axes.plot([0.0, most], [0.0, -most], color=INK["faint"].light, linewidth=0.8, linestyle=(0, (4, 3)))
