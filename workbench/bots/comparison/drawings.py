"""The drawings of a parity card, inline SVG for light and dark: equities in their band, and the score in time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench._ink import INK

if TYPE_CHECKING:
    import pandas as pd

    from workbench.bots.comparison.banding import Band

__all__ = ["band_drawing", "ink", "trend_drawing"]

_WIDTH: Final = 760
_LEFT: Final = 64  # for the numbers of the axis
_JUPYTER: Final = {
    "ink": "--jp-content-font-color1", "muted": "--jp-ui-font-color2", "grid": "--jp-border-color2",
    "accent": "--jp-brand-color1", "negative": "--jp-error-color1", "positive": "--jp-success-color1",
}  # fmt: skip


def ink(name: str) -> str:
    """Give a colour of the house as CSS: that of the page, of JupyterLab, or the light one."""
    colour = INK[name]
    fallback = f"var({_JUPYTER[name]},{colour.light})" if name in _JUPYTER else colour.light
    return f"var({colour.variable},{fallback})"


def band_drawing(band: Band, currency: str) -> str:
    """Draw the equity of the bot and of its backtest in the band of the Monte Carlo runs."""
    top, height = 30, 200
    times = band.times.astype(np.int64).astype(np.float64)
    values = np.concatenate((band.low, band.high, band.promised, band.lived))
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.01 * max(abs(high), 1.0)
    low, high = low - margin, high + margin
    x = _LEFT + (times - times[0]) / max(times[-1] - times[0], 1.0) * (_WIDTH - _LEFT - 8)

    def line(column: NDArray[np.float64]) -> list[str]:
        y = top + (high - column) / (high - low) * height
        return [f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)]

    area = " ".join((*line(band.high), *reversed(line(band.low))))
    parts = [
        *_grid(low, high, top, height),
        f'<polygon points="{area}" fill="{ink("accent")}" fill-opacity="0.16"/>',
        f'<polyline points="{" ".join(line(band.promised))}" fill="none" stroke="{ink("accent")}" stroke-width="1.6" '
        'stroke-dasharray="5 3"/>',
        f'<polyline points="{" ".join(line(band.lived))}" fill="none" stroke="{ink("ink")}" stroke-width="1.8"/>',
    ]
    if band.left is not None:
        at = line(band.lived)[band.left].split(",")
        parts.append(
            f'<circle cx="{at[0]}" cy="{at[1]}" r="5" fill="none" stroke="{ink("negative")}" stroke-width="2.2"/>'
        )
    keys = [
        (f'<rect x="0" y="-9" width="18" height="9" fill="{ink("accent")}" fill-opacity="0.2"/>',
         f"{band.level:.0%} band of {band.runs:,} runs"),
        (f'<path d="M0-4h18" stroke="{ink("accent")}" stroke-width="1.6" stroke-dasharray="5 3"/>', "backtest"),
        (f'<path d="M0-4h18" stroke="{ink("ink")}" stroke-width="1.8"/>', "bot"),
    ]  # fmt: skip
    parts += _legend(f"Equity in {currency}", keys) + _dates(band.times, top + height + 18)
    return _svg(parts, top + height + 24, f"Equity of the bot and of its backtest in {currency}, in the band")


def _grid(low: float, high: float, top: int, height: int) -> list[str]:
    """Draw three to six lines at round numbers."""
    rough = (high - low) / 4.0
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(one for one in (1.0, 2.0, 2.5, 5.0, 10.0) if power * one >= rough)
    parts = []
    for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
        y = top + (high - value) / (high - low) * height
        digits = 0 if step >= 1.0 else int(np.ceil(-np.log10(step)))
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 8}" stroke="{ink("grid")}" stroke-width="1"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{ink("muted")}">{value:,.{digits}f}</text>'
        )
    return parts


def _legend(title: str, keys: list[tuple[str, str]]) -> list[str]:
    parts = [f'<text x="{_LEFT}" y="14" fill="{ink("ink")}" font-weight="600">{escape(title)}</text>']
    x = _WIDTH - 8.0
    for drawn, word in reversed(keys):
        x -= 36 + 6.9 * len(word)
        parts.append(
            f'<g transform="translate({x:.0f} 14)">{drawn}<text x="23" y="0" fill="{ink("muted")}">{word}</text></g>'
        )
    return parts


def _dates(times: NDArray[np.datetime64], y: int) -> list[str]:
    unit: Any = "D" if times[-1] - times[0] > np.timedelta64(5, "D") else "m"
    first, last = (str(one).replace("T", " ") for one in np.datetime_as_string(times[[0, -1]], unit=unit))
    muted = ink("muted")
    return [
        f'<text x="{_LEFT}" y="{y}" fill="{muted}">{first}</text>'
        f'<text x="{_WIDTH - 8}" y="{y}" text-anchor="end" fill="{muted}">{last} UTC</text>'
    ]


def trend_drawing(trend: pd.DataFrame) -> str:
    """Draw the score of each period as a bar, and that of all trades so far as a line."""
    top, height, rows = 30, 84, len(trend)
    wide = (_WIDTH - _LEFT - 8) / rows
    bar = min(wide * 0.72, 46.0)
    parts = [
        f'<path d="M{_LEFT} {top + height * (1 - level):.1f}H{_WIDTH - 8}" stroke="{ink("grid")}" stroke-width="1"/>'
        f'<text x="{_LEFT - 8}" y="{top + height * (1 - level) + 4:.1f}" text-anchor="end" '
        f'fill="{ink("muted")}">{level:.0%}</text>'
        for level in (0.0, 0.5, 1.0)
    ]
    points = []
    for place, (start, row) in enumerate(trend.iterrows()):
        middle, tall = _LEFT + (place + 0.5) * wide, max(height * row["score"], 1.0)
        told = f"{start:%Y-%m-%d}: {row['score']:.1%}, {int(row['alike'])} of {int(row['trades'])} trades as promised"
        parts.append(
            f'<rect x="{middle - bar / 2:.1f}" y="{top + height - tall:.1f}" width="{bar:.1f}" height="{tall:.1f}" '
            f'rx="1.5" fill="{ink("accent")}" fill-opacity="0.45"><title>{told}</title></rect>'
        )
        points.append(f"{middle:.1f},{top + height * (1 - row['so_far']):.1f}")
    if rows > 1:
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{ink("ink")}" stroke-width="1.6"/>')
    keys = [
        (f'<rect x="0" y="-9" width="18" height="9" fill="{ink("accent")}" fill-opacity="0.45"/>', _length(trend)),
        (f'<path d="M0-4h18" stroke="{ink("ink")}" stroke-width="1.6"/>', "all trades so far"),
    ]
    parts += _legend("Score", keys)
    stamps = np.array([start.value // 1_000_000 for start in _stamps(trend)]).astype("datetime64[ms]")
    parts += _dates(stamps[[0, -1]] if rows > 1 else stamps[[0, 0]], top + height + 18)
    return _svg(parts, top + height + 24, f"Score of {rows} periods")


def _stamps(trend: pd.DataFrame) -> Any:
    return trend.index


def _length(trend: pd.DataFrame) -> str:
    return f"each {trend.attrs.get('period', 'period')}"


def _svg(parts: list[str], height: int, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}" font-size="12" '
        f'font-family="inherit" style="width:100%;max-width:62em;height:auto;display:block;margin:.6em 0">'
        f"{''.join(parts)}</svg>"
    )
