"""The card that a notebook shows for a result: name, key numbers, a small equity line. One string, no scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["card", "sparkline"]

_SHOWN: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "win_rate", "profit_factor", "expectancy", "exposure", "trades",
)  # fmt: skip
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
    """Write the card of a result."""
    told = result.metrics
    cells = "".join(
        f'<div title="{escape(METRICS[name].formula)}">'
        f'<div style="{_MUTED};font-size:.82em">{escape(METRICS[name].label)}</div>'
        f'<div style="font-weight:600;font-variant-numeric:tabular-nums">{escape(METRICS[name].text(told[name]))}</div>'
        f"</div>"
        for name in _SHOWN
    )
    bars, costs = result.bars, result.costs
    charged = f"fee {costs.fee:.4%}, slippage {costs.slippage_bps:g} bps".replace("%", " %")
    how = "fills at the next open" if result.fill == "next_open" else "fills at the deciding close: no one can trade so"
    note = f"{bars.venue}, {len(bars):,} bars; {charged}; {how}; {result.path} path; data {bars.fingerprint[:12]}"
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:60em">'
        f'<div style="display:flex;justify-content:space-between;gap:1em;flex-wrap:wrap">'
        f"<div><strong>{escape(result.name)}</strong><br><span>{escape(bars.symbol)} {bars.timeframe}</span></div>"
        f'<div style="color:var(--wb-accent,var(--jp-brand-color1,#1f4e8c))">{sparkline(result.equity_values)}</div>'
        f'</div><div style="{_GRID}">{cells}</div>'
        f'<div style="{_MUTED};font-size:.82em">{escape(note)}</div></div>'
    )
