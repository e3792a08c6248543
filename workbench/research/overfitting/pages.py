"""Verdicts and statistics as HTML and as text; inline styles, in the colours of the page or notebook around."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Final

from workbench.backtest.doctor_html import MUTED, RULE, SMALL, TONES, text

if TYPE_CHECKING:
    from workbench.research.overfitting.judging import Overfitting
    from workbench.research.overfitting.verdicts import Check, Verdict

__all__ = ["overfitting_html", "verdict_html", "verdict_text"]

_TONE: Final = {"noise": "critical", "unclear": "warning", "likely real": "fine"}
_WIDTH: Final = 100


def verdict_html(verdict: Verdict) -> str:
    """Write the page: the sentence, the checks, the sections."""
    tone = TONES[_TONE[verdict.level]]
    checks = "".join(_check_html(check) for check in verdict.checks)
    sections = "".join(
        f'<h4 style="margin:1em 0 .2em;font-size:1em">{text(section.title)}</h4>'
        + "".join(f'<p style="margin:.25em 0;line-height:1.5">{text(line)}</p>' for line in section.lines)
        for section in verdict.sections
    )
    return (
        f'<section aria-label="Verdict" style="border:1px solid {RULE};border-left:4px solid {tone};'
        'border-radius:8px;padding:.9em 1.2em;max-width:54em;overflow-wrap:anywhere">'
        '<div style="display:flex;justify-content:space-between;align-items:baseline;gap:.2em 1em;flex-wrap:wrap">'
        f"<strong>{text(verdict.name)}</strong>{_label(verdict.level, tone)}</div>"
        f'<p style="margin:.5em 0;font-size:1.08em;line-height:1.5">{text(verdict.sentence)}</p>'
        f"{checks}{sections}</section>"
    )


def _label(level: str, tone: str) -> str:
    return (
        f'<span style="font-size:.86em;font-weight:600;padding:.15em .8em;border-radius:99px;color:{tone};'
        f'background:color-mix(in srgb,{tone} 13%,transparent)">{text(level)}</span>'
    )


def _check_html(check: Check) -> str:
    tone = TONES["fine" if check.passed else "critical"]
    mark = "passed" if check.passed else "failed"
    return (
        f'<div style="display:flex;gap:.8em;padding:.45em 0;border-top:1px solid {RULE};line-height:1.45">'
        f'<b style="flex:0 0 4.2em;color:{tone};font-size:.86em;line-height:1.7">{mark}</b>'
        f'<div style="flex:1;min-width:0"><b style="font-weight:600">{text(check.name)}.</b> {text(check.said)}</div>'
        "</div>"
    )


def verdict_text(verdict: Verdict) -> str:
    """Write the page as text, wrapped at 100 columns."""
    lines = [f"{verdict.name}: {verdict.level.upper()}", "", *_wrapped(verdict.sentence), ""]
    for check in verdict.checks:
        lines += _wrapped(f"{check.name}. {check.said}", f"[{'passed' if check.passed else 'failed'}] ")
    for section in verdict.sections:
        lines += ["", section.title, "-" * len(section.title)]
        for line in section.lines:
            lines += _wrapped(line)
    return "\n".join(lines)


def _wrapped(line: str, first: str = "") -> list[str]:
    return textwrap.wrap(line, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def overfitting_html(found: Overfitting) -> str:
    """Write the sentence of the verdict and the table."""
    verdict = found.verdict()
    tone = TONES[_TONE[verdict.level]]
    cell = f'style="padding:.2em 1.2em .2em 0;text-align:{{}};border:0;border-top:1px solid {RULE}"'
    rows = "".join(
        f'<tr style="background:none"><th scope="row" {cell.format("left")}>'
        f'<span style="font-weight:500">{text(name.replace("_", " "))}</span></th>'
        f'<td {cell.format("right")}><span style="font-variant-numeric:tabular-nums">{_value(value)}</span></td>'
        f'<td {cell.format("left")}><span style="{MUTED}">{text(meaning)}</span></td></tr>'
        for name, value, meaning in found.table.itertuples(index=False)
    )
    return (
        f'<section aria-label="Overfitting" style="border:1px solid {RULE};border-left:4px solid {tone};'
        'border-radius:8px;padding:.9em 1.2em;max-width:70em;overflow-x:auto">'
        '<div style="display:flex;justify-content:space-between;align-items:baseline;gap:.2em 1em;flex-wrap:wrap">'
        f"<strong>{text(verdict.name)}</strong>{_label(verdict.level, tone)}</div>"
        f'<p style="margin:.5em 0;line-height:1.5">{text(verdict.sentence)}</p>'
        f'<table style="border-collapse:collapse;{SMALL}"><tbody>{rows}</tbody></table></section>'
    )


def _value(value: float) -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100.0 else f"{value:.3f}" if abs(value) >= 0.001 else f"{value:.1e}"
