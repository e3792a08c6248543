"""The colours of charts and pages, in one place: what each is for, in light and in dark.

A chart is drawn once, with the light values. A report page puts the chart's SVG into the page and turns each of these
exact values into the CSS variable of the same name (`Ink.variable`), so that one drawing is right in both schemes.
Profit and loss are teal and vermilion, which colour-blind readers can tell apart; a sign or a label says it as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["INK", "Ink"]


class Ink(NamedTuple):
    """One colour: the name of its role and its value in each scheme, as `#rrggbb` in lower case."""

    name: str
    light: str
    dark: str

    @property
    def variable(self) -> str:
        """The CSS custom property that carries it, such as `--wb-accent-soft`."""
        return "--wb-" + self.name.replace("_", "-")


_ALL: Final = (
    Ink("ink", "#1b1f24", "#e8eaed"),  # text, and the main line of a chart when there is only one
    Ink("muted", "#5d656e", "#a3abb6"),  # captions, axis labels
    Ink("faint", "#81888f", "#7d8694"),  # ticks, benchmarks, what should stand back
    Ink("grid", "#e4e2dc", "#2c323c"),  # grid lines, rules, borders
    Ink("surface", "#ffffff", "#161a21"),  # what charts and tables lie on
    Ink("sunken", "#f1efea", "#1e232c"),  # code, table heads
    Ink("page", "#f7f6f3", "#0e1116"),  # behind everything
    Ink("accent", "#1f4e8c", "#86b1f2"),  # the strategy, links
    Ink("accent_soft", "#d9e4f2", "#22385a"),  # areas under it
    Ink("positive", "#0a7263", "#41bfa8"),  # profit, success
    Ink("positive_soft", "#d5ebe6", "#143b36"),
    Ink("negative", "#b3400d", "#f08a5d"),  # loss, drawdown, failure
    Ink("negative_soft", "#f7e0d5", "#47291c"),
    Ink("warning", "#835c00", "#dbb04f"),  # stopped early, doubtful
    Ink("warning_soft", "#f6ead0", "#3d3113"),
    Ink("series_2", "#c07a12", "#e5ad56"),  # more lines in one chart; the first is accent
    Ink("series_3", "#7b4f9d", "#bd97dd"),
    Ink("series_4", "#66752a", "#b1c163"),
)

INK: Final[Mapping[str, Ink]] = MappingProxyType({ink.name: ink for ink in _ALL})
"""Every colour by its name; `INK["accent"].light` is what to draw with."""
