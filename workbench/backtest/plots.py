"""Interactive figures of a result for notebooks, drawn by plotly.

Lines hold the lowest and the highest value of each of two thousand columns and not more, so that a million bars stay a
figure that a browser can move. A figure cannot know whether the page is light or dark: its ground is transparent, and
its colours lie in the middle between the two forms of `_ink`, where they can be read on both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench._ink import INK
from workbench.backtest import curves
from workbench.backtest.charts import column_means, envelope
from workbench.backtest.charts_equity import deepest_falls
from workbench.backtest.charts_monthly import MONTHS, percent_text, shade_scale
from workbench.backtest.charts_trades import instrument_of
from workbench.errors import ConfigError
from workbench.risk import metrics

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = ["KINDS", "figure"]

Floats = NDArray[np.float64]

_COLUMNS: Final = 2_000
_MOST_MARKERS: Final = 5_000
_TEXT: Final = "#7d8694"  # between the muted tones of the light and the dark scheme: readable on both
_GRID: Final = "rgba(128,134,144,.25)"
_WIDE: Final = 5.0


def figure(result: Result, kind: str = "overview", *, symbol: str | None = None) -> Any:
    """Draw an interactive figure.

    Parameters
    ----------
    result : Result
    kind : {"overview", "price", "equity", "underwater", "monthly", "trades", "exposure"}
        Overview: price with fills (of several instruments: their positions), equity and falls. Price: bars as candles
        where there are few, with fills. Equity: after and before costs, and buying and holding. Underwater: below its
        highest value. Monthly: a heatmap of returns. Trades: each by its return and how far it went against. Exposure:
        held long and short.
    symbol : str, optional
        Of which instrument, where one is drawn; the first when left out.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ConfigError
        The kind or the symbol is unknown.
    """
    draw = KINDS.get(kind)
    if draw is None:
        raise ConfigError(f"plotly kind {kind!r} is not one of {', '.join(map(repr, KINDS))}", kind=kind)
    return draw(result, symbol)


def _empty(title: str, *, rows: tuple[float, ...] = (1.0,), height: int = 420) -> Any:
    """Give a figure of our style, with one panel above the other where there are several rows."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    made = go.Figure() if len(rows) == 1 else make_subplots(
        rows=len(rows), cols=1, shared_xaxes=True, row_heights=list(rows), vertical_spacing=0.035
    )  # fmt: skip
    made.update_layout(
        template="none", height=height, title={"text": title, "x": 0, "xref": "paper", "font": {"size": 14}},
        font={"family": "system-ui,sans-serif", "size": 12, "color": _TEXT}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)", margin={"l": 62, "r": 16, "t": 72, "b": 40}, hovermode="x unified",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        hoverlabel={"bgcolor": INK["surface"].light, "font": {"color": INK["ink"].light}}, dragmode="zoom",
    )  # fmt: skip
    made.update_xaxes(gridcolor="rgba(0,0,0,0)", zeroline=False, showline=False, tickcolor=_GRID)
    made.update_yaxes(gridcolor=_GRID, zeroline=False, showline=False, separatethousands=True, automargin=True)
    return made


def _color(name: str, alpha: float = 1.0) -> str:
    """Give the colour that lies between the light and the dark form of a role."""
    tones = [[int(tone[i : i + 2], 16) for i in (1, 3, 5)] for tone in (INK[name].light, INK[name].dark)]
    red, green, blue = ((a + b) // 2 for a, b in zip(*tones, strict=True))
    return f"rgba({red},{green},{blue},{alpha:g})"


def _add(made: Any, trace: Any, row: int | None) -> None:
    made.add_trace(trace, **({} if row is None else {"row": row, "col": 1}))


def _line(
    made: Any, times: Any, values: Floats, color: str, name: str, *, row: int | None = None, width: float = 1.4,
    legend: bool = True, text: str = ",.6~g",
) -> None:  # fmt: skip
    """Add a line that keeps the extremes of every column."""
    import plotly.graph_objects as go

    rows, kept = envelope(values, _COLUMNS)
    style = {"color": _color(color), "width": width}
    _add(
        made,
        go.Scatter(x=times[rows], y=kept, mode="lines", name=name, line=style, showlegend=legend,
                   hovertemplate=f"%{{y:{text}}}"),
        row,
    )  # fmt: skip


def _times(ts: NDArray[np.int64]) -> Any:
    return ts.astype("datetime64[ms]")


def _logarithmic_if_wide(made: Any, values: Floats, row: int | None = None) -> None:
    known = values[np.isfinite(values)]
    if not len(known) or not known.min() > 0 or known.max() / known.min() <= _WIDE:
        return
    low, high = float(known.min()), float(known.max())
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if high / low > 30 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [step * 10.0**power for power in powers for step in steps if low * 0.9 <= step * 10.0**power <= high * 1.1]
    made.update_yaxes(
        type="log", tickvals=ticks, ticktext=[f"{tick:,.6g}" for tick in ticks],
        **({} if row is None else {"row": row, "col": 1}),
    )  # fmt: skip


# Price and fills


def _price(result: Result, symbol: str | None) -> Any:
    number = instrument_of(result, symbol)
    bars = result.series[number]
    made = _empty(f"{bars.symbol} {bars.timeframe}, {bars.instrument.quote}", height=480)
    if len(bars) <= _COLUMNS // 2:
        _candles(made, result, number)
    else:
        _line(made, _times(bars.ts), bars.close, "ink", "close", width=1.1, legend=False)
    _logarithmic_if_wide(made, bars.close)
    _fills(made, result, number)
    made.update_layout(hovermode="closest")
    return made


def _candles(made: Any, result: Result, number: int) -> None:
    import plotly.graph_objects as go

    bars = result.series[number]
    made.add_trace(
        go.Candlestick(
            x=_times(bars.ts), open=bars.open, high=bars.high, low=bars.low, close=bars.close, name="bars",
            increasing={"line": {"color": _color("faint"), "width": 1}, "fillcolor": "rgba(0,0,0,0)"},
            decreasing={"line": {"color": _color("faint"), "width": 1}, "fillcolor": _color("faint")},
            showlegend=False,
        )
    )  # fmt: skip
    made.update_layout(xaxis={"rangeslider": {"visible": False}})


def _fills(made: Any, result: Result, number: int, row: int | None = None) -> None:
    import plotly.graph_objects as go

    fills = result.fills
    mine = fills[fills["symbol"] == result.series[number].symbol].iloc[-_MOST_MARKERS:]
    for side, mark, color in (("buy", "triangle-up", "positive"), ("sell", "triangle-down", "negative")):
        some = mine[mine["side"] == side]
        told = _hover(some, {"reason": "", "quantity": "quantity", "fee": "fee"})
        style = {
            "symbol": mark, "size": 10, "color": _color(color), "line": {"color": INK["surface"].light, "width": 1}
        }  # fmt: skip
        _add(
            made,
            go.Scatter(
                x=some["time"].dt.tz_localize(None), y=some["price"], mode="markers", marker=style, text=told,
                name="bought" if side == "buy" else "sold", hovertemplate="%{y:,.6~g}<br>%{text}",
            ),
            row,
        )  # fmt: skip


def _hover(some: pd.DataFrame, columns: dict[str, str]) -> list[str]:
    """Write what stands beside a marker: `name value` of each column, one a line."""
    from html import escape

    texts = []
    for values in some[list(columns)].itertuples(index=False):
        parts = [
            f"{label} {value:,.6g}".strip() if isinstance(value, float) else f"{label} {escape(str(value))}".strip()
            for label, value in zip(columns.values(), values, strict=True)
        ]
        texts.append("<br>".join(parts))
    return texts


# What the account did


def _equity_lines(made: Any, result: Result, row: int | None = None, *, legend: bool = True) -> None:
    times, equity = _times(result.records.ts), result.records.equity
    gross = equity + curves.cost_curve(result.plan, result.records)
    _line(made, times, result.buy_and_hold, "faint", "buy and hold", row=row, width=1.1, legend=legend)
    _line(made, times, gross, "series_2", "before costs", row=row, width=1.2, legend=legend)
    _line(made, times, equity, "accent", "equity", row=row, width=1.8, legend=legend)
    _logarithmic_if_wide(made, np.concatenate((equity, result.buy_and_hold)), row)


def _equity(result: Result, _: str | None) -> Any:
    made = _empty(f"Equity, {result.currency}")
    _equity_lines(made, result)
    return made


def _below(made: Any, result: Result, row: int | None = None) -> None:
    import plotly.graph_objects as go

    below = metrics.underwater_of(result.records.equity, result.cash)
    rows, kept = envelope(below, _COLUMNS)
    _add(
        made,
        go.Scatter(
            x=_times(result.records.ts)[rows], y=kept, mode="lines", name="below its highest value",
            line={"color": _color("negative"), "width": 1.1}, fill="tozeroy", fillcolor=_color("negative", 0.18),
            showlegend=False, hovertemplate="%{y:.2%}",
        ),
        row,
    )  # fmt: skip
    made.update_yaxes(tickformat=".0%", **({} if row is None else {"row": row, "col": 1}))


def _underwater(result: Result, _: str | None) -> Any:
    made = _empty("Below its highest value; the deepest falls shaded", height=340)
    _below(made, result)
    times = _times(result.records.ts)
    for first, trough, last, depth in deepest_falls(result.records.equity, result.cash):
        made.add_vrect(x0=times[first], x1=times[last], fillcolor=_color("negative", 0.10), line_width=0, layer="below")
        made.add_annotation(
            x=times[trough], y=depth, text=f"{depth:.1%}", showarrow=False, yanchor="top", font={"size": 11}
        )
    return made


def _exposure_areas(made: Any, result: Result, row: int | None = None, *, legend: bool = True) -> None:
    import plotly.graph_objects as go

    exposure, times = result.exposure, _times(result.records.ts)
    for side, color in (("long", "positive"), ("short", "negative")):
        rows, kept = column_means(np.nan_to_num(exposure[side].to_numpy()), _COLUMNS)
        _add(
            made,
            go.Scatter(
                x=times[rows], y=kept, mode="lines", name=f"held {side}", line={"width": 0, "shape": "hv"},
                fill="tozeroy", fillcolor=_color(color, 0.75), showlegend=legend, hovertemplate="%{y:.1%}",
            ),
            row,
        )  # fmt: skip
    made.update_yaxes(tickformat=".0%", **({} if row is None else {"row": row, "col": 1}))


def _exposure(result: Result, _: str | None) -> Any:
    made = _empty("Held, as a share of the equity", height=340)
    _exposure_areas(made, result)
    return made


def _overview(result: Result, symbol: str | None) -> Any:
    several = len(result.series) > 1 and symbol is None
    made = _empty(
        f"{result.name} on {result.market}", rows=(0.32, 0.44, 0.24) if several else (0.46, 0.34, 0.2), height=720
    )
    if several:
        _exposure_areas(made, result, 1)
    else:
        number = instrument_of(result, symbol)
        bars = result.series[number]
        _line(made, _times(bars.ts), bars.close, "ink", bars.symbol, row=1, width=1.1, legend=False)
        _logarithmic_if_wide(made, bars.close, 1)
        _fills(made, result, number, 1)
    _equity_lines(made, result, 2)
    _below(made, result, 3)
    for row, said in ((1, "held" if several else "price"), (2, f"equity, {result.currency}"), (3, "below the high")):
        made.update_yaxes(title={"text": said, "font": {"size": 11}}, row=row, col=1)
    made.update_layout(legend={"y": 1.01})
    return made


# Months and trades


def _monthly(result: Result, _: str | None) -> Any:
    import plotly.graph_objects as go

    from workbench.backtest.breakdown import monthly_returns

    table = monthly_returns(result)
    months, years = table[list(range(1, 13))].to_numpy(), table["year"].to_numpy()
    both = np.column_stack((months, years))
    shade = both / np.array([shade_scale(months)] * 12 + [shade_scale(years)])
    made = _empty("Returns by month, percent", height=130 + 34 * len(table))
    made.add_trace(
        go.Heatmap(
            z=np.clip(shade, -1.35, 1.35), x=[*MONTHS, "<b>Year</b>"], y=[str(year) for year in table.index],
            colorscale=[[0, INK["negative"].light], [0.5, INK["surface"].light], [1, INK["positive"].light]],
            zmin=-1.35, zmax=1.35, xgap=2, ygap=2, showscale=False, customdata=both,
            hovertemplate="%{y} %{x}: %{customdata:.2%}<extra></extra>",
        )
    )  # fmt: skip
    for row, column in np.argwhere(np.isfinite(both)):
        strong = abs(shade[row, column]) > 0.85
        made.add_annotation(
            x=column, y=row, text=percent_text(both[row, column]), showarrow=False,
            font={"size": 11, "color": INK["surface" if strong else "ink"].light},
        )  # fmt: skip
    made.update_yaxes(autorange="reversed", type="category", gridcolor="rgba(0,0,0,0)")
    made.update_xaxes(side="top", type="category")
    made.update_layout(hovermode="closest", margin={"t": 78})
    return made


def _trades(result: Result, _: str | None) -> Any:
    import plotly.graph_objects as go

    closed = result.trades[result.closed]
    made = _empty(f"{len(closed):,} closed trades: return by how far each went against its holder", height=480)
    kind = go.Scattergl if len(closed) > _MOST_MARKERS else go.Scatter
    for side, mark in (("long", "triangle-up"), ("short", "triangle-down")):
        for won, color in ((True, "positive"), (False, "negative")):
            some = closed[(closed["side"] == side) & ((closed["pnl"] > 0) == won)]
            told = _hover(
                some.assign(when=some["exit_time"].dt.strftime("%Y-%m-%d %H:%M")),
                {"symbol": "", "when": "", "exit_reason": "", "pnl": "profit", "bars_held": "bars"},
            )
            made.add_trace(
                kind(
                    x=some["mae"].abs(), y=some["return_"], mode="markers", text=told,
                    name=f"{side}, {'won' if won else 'lost'}",
                    marker={"symbol": mark, "size": 8 if len(closed) < 2_000 else 5, "color": _color(color, 0.75)},
                    hovertemplate="%{text}<br>return %{y:.2%}<br>went against %{x:.2%}<extra></extra>",
                )
            )  # fmt: skip
    made.add_hline(y=0, line={"color": _GRID, "width": 1.5})
    made.update_layout(hovermode="closest")
    made.update_xaxes(tickformat=".1%", title={"text": "furthest against", "standoff": 12}, gridcolor=_GRID)
    made.update_layout(margin={"b": 60})
    made.update_yaxes(tickformat=".1%", title="return")
    return made


KINDS: Final[dict[str, Callable[[Result, str | None], Any]]] = {
    "overview": _overview,
    "price": _price,
    "equity": _equity,
    "underwater": _underwater,
    "monthly": _monthly,
    "trades": _trades,
    "exposure": _exposure,
}
