"""The card that a notebook shows for a result: name, numbers, a small equity line, terms. One string, no scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from workbench.backtest.sizes import sizing_in_words
from workbench.market.bars import moment
from workbench.market.timeframe import Timeframe
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["card", "sparkline", "terms_in_words"]

_SHOWN: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "win_rate", "profit_factor", "expectancy", "exposure", "trades",
)  # fmt: skip
_PER: Final = (("per_unit", "a unit"), ("per_order", "an order"))
_MOST_ROWS: Final = 12
_MUTED: Final = "color:var(--wb-muted,var(--jp-ui-font-color2,#5d656e))"
_GRID: Final = "display:grid;grid-template-columns:repeat(auto-fill,minmax(7.4em,1fr));gap:.7em 1em;margin:.8em 0"
_RULE: Final = "var(--wb-grid,var(--jp-border-color2,#e4e2dc))"


def sparkline(values: object, *, width: int = 240, height: int = 44) -> str:
    """Draw a small line as inline SVG in the current text colour.

    Parameters
    ----------
    values : float64 array, shape (n,)
    width, height : int
        Pixels.
    """
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    rows = np.unique(np.linspace(0, len(series) - 1, min(len(series), width)).astype(np.int64))
    kept = series[rows]
    low, high = float(kept.min()), float(kept.max())
    x = rows / max(int(rows[-1]), 1) * width
    y = (high - kept) / ((high - low) or 1.0) * (height - 4) + 2
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="equity">'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )


def card(result: Result) -> str:
    """Write the card of a result: what was run, its numbers, and under it the terms it was run on."""
    told = result.metrics
    cells = "".join(
        f'<div title="{escape(METRICS[name].formula)}">'
        f'<div style="{_MUTED};font-size:.82em">{escape(METRICS[name].label)}</div>'
        f'<div style="font-weight:600;font-variant-numeric:tabular-nums">{escape(METRICS[name].text(told[name]))}</div>'
        f"</div>"
        for name in _SHOWN
    )
    notes = "".join(f"<div>{escape('; '.join(line))}</div>" for line in terms_in_words(result))
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:60em">'
        f'<div style="display:flex;justify-content:space-between;gap:1em;flex-wrap:wrap">'
        f"<div><strong>{escape(result.name)}</strong><br><span>{escape(result.market)}</span></div>"
        f'<div style="color:var(--wb-accent,var(--jp-brand-color1,#1f4e8c))">{sparkline(result.equity_values)}</div>'
        f'</div><div style="{_GRID}">{cells}</div>{_instruments(result)}'
        f'<div style="{_MUTED};font-size:.82em">{notes}</div></div>'
    )


def terms_in_words(result: Result) -> list[list[str]]:
    """Say on what terms a result was made, as lines of phrases: data and path, then costs and account."""
    from workbench.backtest.sound import quality_in_words
    from workbench.backtest.tables import combined_fingerprint

    bars, plan = result.bars, result.plan
    venues = ", ".join(dict.fromkeys(one.venue for one in result.series))
    how = "fills at the next open" if result.fill == "next_open" else "fills at the deciding close: no one can trade so"
    data = [
        f"{venues}, {moment(result.start)} to {moment(result.end)}",
        f"{len(bars):,} bars" if len(result.series) == 1 else f"{len(result.records.ts):,} bars in common time",
        how,
        _inside(result),
        f"{result.path} path",
        f"data {combined_fingerprint(result)[:12]}",
        f"data quality: {quality_in_words(result)}",
    ]
    account = [*_charges(result), f"starts with {result.cash:,.6g} {result.currency}"]
    levers = sorted({line.leverage for line in plan.lines})
    if plan.account.kind == "cash":
        account.append("cash account")
    elif levers != [1.0] or any(line.margined for line in plan.lines):
        reach = f"{levers[0]:g}x" if len(levers) == 1 else f"{levers[0]:g}x to {levers[-1]:g}x"
        account.append(f"leverage {reach}, {'isolated' if plan.account.isolated else 'cross'} margin")
    if plan.account.hedge:
        account.append("long and short side by side")
    if plan.max_positions:
        account.append(f"at most {plan.max_positions} positions")
    if plan.sizing is not None:
        account.append(sizing_in_words(result))
    if plan.guards.any:
        account.append("protections on")
    if plan.latency_ms:
        account.append(f"{plan.latency_ms:,} ms under way")
    return [data, account]


def _inside(result: Result) -> str:
    """Say what is known about the way inside a bar, and how many bars finer ones have resolved."""
    assumed = "the nearer extreme first" if result.plan.path_inside else "the worse is assumed"
    finer = [line for line in result.plan.lines if line.word is not None]
    if not finer:
        return f"inside a bar {assumed}"
    resolved = sum(int(((line.word[1:] >= 0) & (line.word[:-1] < 0)).sum()) for line in finer if line.word is not None)
    every = sum(len(line.bars) for line in result.plan.lines)
    lengths = ", ".join(dict.fromkeys(str(Timeframe(int(line.span.min()))) for line in finer))
    return f"{lengths} bars resolve {resolved:,} of {every:,}, else {assumed}"


def _charges(result: Result) -> list[str]:
    costs = result.costs
    same = all(one == costs for one in result.charged)
    told = [f"{'' if same else result.bars.symbol + ': '}fee {costs.fee:.4%}, slippage {costs.slippage_bps:g} bps"]
    if costs.maker_fee != costs.fee:
        told[0] = told[0].replace("fee", f"maker fee {costs.maker_fee:.4%}, taker fee", 1)
    told += [f"{getattr(costs, name):g} {unit}" for name, unit in _PER if getattr(costs, name)]
    if costs.impact != "none":
        told.append(f"{costs.impact.replace('_', ' ')} impact {costs.impact_coefficient:g}")
    if costs.volume_share <= 1:
        told.append(f"at most {costs.volume_share:.0%} of a bar's volume")
    return [text.replace("%", " %") for text in told] + ([] if same else ["the others at their own"])


def _instruments(result: Result) -> str:
    """Write a small table of the instruments and what each of them made, where there are several."""
    from workbench.backtest.curves import profits_by_instrument

    if len(result.series) == 1:
        return ""
    made, counts = profits_by_instrument(result)
    order = sorted(range(len(made)), key=lambda k: -made[k])
    shown = order if len(order) <= _MOST_ROWS else [*order[: _MOST_ROWS // 2], *order[-_MOST_ROWS // 2 :]]
    cell = 'style="padding:.1em 1em .1em 0;text-align:{};border:0"'
    rows = "".join(
        f"<tr><td {cell.format('left')}>{escape(result.series[k].symbol)}</td>"
        f"<td {cell.format('right')}>{METRICS['expectancy'].text(float(made[k]))}</td>"
        f"<td {cell.format('right')}>{counts[k]:,} trades</td></tr>"
        for k in shown
    )
    left_out = len(order) - len(shown)
    more = f"best and worst of {len(order)} instruments, {result.currency}" if left_out else f"in {result.currency}"
    return (
        f'<details style="margin:0 0 .6em"><summary style="{_MUTED};font-size:.82em">Profit by instrument, {more}'
        f'</summary><table style="font-size:.86em;font-variant-numeric:tabular-nums;border-collapse:collapse;'
        f'margin:.4em 0">{rows}</table></details>'
    )
