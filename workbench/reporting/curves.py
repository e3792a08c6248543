"""The drawings of the index page as inline SVG: small equity charts, and Sharpe ratios as dots on a line.

Colours and strokes belong to the stylesheet of the index; here are only shapes. The equity charts of a market share one
logarithmic scale; they stretch to the width they are given, and their strokes keep their weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Dot", "Scale", "curve_svg", "strip_svg"]

_WIDTH: Final = 240
_HEIGHT: Final = 72
_MARGIN: Final = 3
_LOWEST: Final = 0.01  # of the initial cash; an account that has lost more lies on the floor of its chart
_LEAST_SPAN: Final = math.log(1.02)  # less than two percent between top and bottom would be noise drawn large


@dataclass(frozen=True)
class Scale:
    """The values at the bottom and the top of a chart, as multiples of the initial cash."""

    low: float
    high: float

    @classmethod
    def around(cls, curves: Iterable[Sequence[float]]) -> Scale:
        """Give the scale that holds all curves, and the start at 1."""
        kept = [max(point, _LOWEST) for curve in curves for point in curve if math.isfinite(point)]
        low, high = min([1.0, *kept]), max([1.0, *kept])
        lacking = _LEAST_SPAN - math.log(high / low)
        if lacking > 0:
            low, high = low * math.exp(-lacking / 2), high * math.exp(lacking / 2)
        return cls(low, high)

    def y(self, point: float) -> float:
        """Give the vertical position of a value, on a logarithmic scale."""
        value = max(point, _LOWEST) if math.isfinite(point) else _LOWEST
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return _HEIGHT - _MARGIN - share * (_HEIGHT - 2 * _MARGIN)


def curve_svg(equity: Sequence[float], benchmark: Sequence[float], scale: Scale, label: str) -> str:
    """Draw one chart: the equity, buying and holding behind it, and the level it started from.

    Parameters
    ----------
    equity, benchmark : sequence of float
        Multiples of the initial cash, evenly spaced; the benchmark may be empty.
    scale : Scale
    label : str
        Said by screen readers; plain text without markup, escaped here.
    """
    from markupsafe import escape

    start = f"{scale.y(1.0):.1f}"
    hold = f'<path class="ix-hold" d="{_path(benchmark, scale)}"/>' if len(benchmark) > 1 else ""
    return (
        f'<svg class="ix-curve" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}"><path class="ix-start" d="M0 {start}H{_WIDTH}"/>{hold}'
        f'<path class="ix-equity" d="{_path(equity, scale)}"/></svg>'
    )


def _path(points: Sequence[float], scale: Scale) -> str:
    step = _WIDTH / max(len(points) - 1, 1)
    return "M" + "L".join(f"{number * step:.4g} {scale.y(point):.1f}" for number, point in enumerate(points))


_STRIP_WIDTH: Final = 520
_STRIP_EDGE: Final = 14
_RADIUS: Final = 4.2
_ABOVE: Final = 16.0  # room for the word over the mark
_BELOW: Final = 20.0  # room for the numbers under the line
_MOST_TICKS: Final = 9


@dataclass(frozen=True)
class Dot:
    """One value on the line: what it is called, and where it leads."""

    value: float
    label: str
    href: str | None


def strip_svg(dots: Sequence[Dot], mark: float | None, word: str) -> str:
    """Draw values as dots on a line, stacked where they would cover each other.

    Parameters
    ----------
    dots : sequence of Dot
        At least one, finite.
    mark : float, optional
        A value to mark with a dashed line.
    word : str
        What stands at the mark.
    """
    values = [dot.value for dot in dots]
    axis = _Axis.through([*values, 0.0, *([] if mark is None else [mark])])
    placed, levels = _stacked(dots, axis.x)
    base = _ABOVE + levels * 2 * _RADIUS + 2
    parts = [*_ticks(axis, base), *([] if mark is None else _mark(axis.x(mark), base, word))]
    parts += [_dot(dot, x, base - 1 - _RADIUS - level * 2 * _RADIUS) for dot, x, level in placed]
    said = f"{len(dots)} values from {min(values):.2f} to {max(values):.2f}"
    return (
        f'<svg class="ix-strip" viewBox="0 0 {_STRIP_WIDTH} {base + _BELOW:.0f}" role="img" aria-label="{said}">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True)
class _Axis:
    """A line with ticks at multiples of a round step, from one tick to another."""

    low: float
    high: float
    step: float

    @classmethod
    def through(cls, values: Sequence[float]) -> _Axis:
        low, high = min(values), max(values)
        step = _tick_step(high - low)
        first = math.floor(low / step)
        return cls(first * step, max(math.ceil(high / step), first + 1) * step, step)

    def x(self, value: float) -> float:
        return _STRIP_EDGE + (value - self.low) / (self.high - self.low) * (_STRIP_WIDTH - 2 * _STRIP_EDGE)


def _ticks(axis: _Axis, base: float) -> Iterator[str]:
    for number in range(round((axis.high - axis.low) / axis.step) + 1):
        value = axis.low + number * axis.step
        kind = "ix-zero" if abs(value) < axis.step / 2 else "ix-axis"
        yield f'<path class="{kind}" d="M{axis.x(value):.1f} {_ABOVE - 4:.1f}V{base:.1f}"/>'
        yield f'<text x="{axis.x(value):.1f}" y="{base + 15:.1f}" text-anchor="middle">{_tick(value, axis.step)}</text>'
    yield f'<path class="ix-zero" d="M{_STRIP_EDGE} {base:.1f}H{_STRIP_WIDTH - _STRIP_EDGE}"/>'


def _mark(x: float, base: float, word: str) -> Iterator[str]:
    from markupsafe import escape

    side, shift = ("end", -6) if x > _STRIP_WIDTH / 2 else ("start", 6)
    yield f'<path class="ix-luck" d="M{x:.1f} 2V{base:.1f}"/>'
    yield f'<text class="ix-luck-word" x="{x + shift:.1f}" y="10" text-anchor="{side}">{escape(word)}</text>'


def _dot(dot: Dot, x: float, y: float) -> str:
    from markupsafe import escape

    named = f'<title>{escape(dot.label)}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS - 0.4}"/>'
    return f'<a href="{escape(dot.href)}">{named}</a>' if dot.href else f"<g>{named}</g>"


def _stacked(dots: Sequence[Dot], x_of: Callable[[float], float]) -> tuple[list[tuple[Dot, float, int]], int]:
    """Give each dot its place and its level: the lowest at which it touches no dot to its left; and how many levels."""
    ends: list[float] = []
    placed = []
    for dot in sorted(dots, key=lambda dot: dot.value):
        x = x_of(dot.value)
        level = next((number for number, end in enumerate(ends) if x - end >= 2 * _RADIUS), len(ends))
        ends[level : level + 1] = [x]
        placed.append((dot, x, level))
    return placed, len(ends)


def _tick_step(span: float) -> float:
    """Choose the distance between ticks: 1, 2 or 5 times a power of ten, so that there are few."""
    size = 10.0 ** math.floor(math.log10(max(span, 1e-6)))
    return next(size * step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if span / (size * step) <= _MOST_TICKS - 2)


def _tick(value: float, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step)))
    return f"{value + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}") if abs(value) > step / 2 else "0"
