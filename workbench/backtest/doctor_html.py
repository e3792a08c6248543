"""A diagnosis as HTML for notebooks and reports: what is wrong with its remedy, the rest folded away; no scripts.

Inline styles only, in the colours of a report page where there are any, else in those of JupyterLab. Rows wrap by
themselves, so that it reads on a phone as on a screen.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from workbench._ink import INK
from workbench.market.bars import moment

if TYPE_CHECKING:
    from workbench.backtest.doctor_findings import Diagnosis, Finding

__all__ = ["MUTED", "RULE", "SMALL", "TONES", "diagnosis_html", "pill", "text"]

TONES: Final = {
    "critical": f"var(--wb-negative,var(--jp-error-color0,{INK['negative'].light}))",
    "warning": f"var(--wb-warning,var(--jp-warn-color0,{INK['warning'].light}))",
    "note": f"var(--wb-accent,var(--jp-brand-color1,{INK['accent'].light}))",
    "fine": f"var(--wb-positive,var(--jp-success-color0,{INK['positive'].light}))",
    "not applicable": f"var(--wb-muted,var(--jp-ui-font-color2,{INK['muted'].light}))",
}
MUTED: Final = f"color:{TONES['not applicable']}"
RULE: Final = f"var(--wb-grid,var(--jp-border-color2,{INK['grid'].light}))"
SMALL: Final = "font-size:.86em;line-height:1.5"
_TIMES: Final = 5
_OPEN: Final = ("critical", "warning")
_HEADINGS: Final = {"note": "Worth a thought", "fine": "Looked at and found fine", "not applicable": "Does not apply"}
_CALM: Final = "Nothing is critical and nothing calls for a warning. That proves nothing; it is a start."


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Write a diagnosis: a headline, a row for each critical finding and warning, and the rest on a click."""
    worst = diagnosis.worst
    rows = "".join(_row(finding) for finding in diagnosis if finding.severity in _OPEN)
    rest = "".join(_folded(diagnosis, severity) for severity in _HEADINGS)
    calm = "" if rows else f'<p style="margin:.5em 0 0;{SMALL}">{_CALM}</p>'
    return (
        f'<section aria-label="Diagnosis" style="border:1px solid {RULE};border-left:4px solid {TONES[worst]};'
        'border-radius:8px;padding:.8em 1.1em;max-width:60em">'
        '<div style="display:flex;justify-content:space-between;align-items:baseline;gap:.2em 1em;flex-wrap:wrap">'
        f'<strong>Diagnosis</strong><span style="{MUTED};{SMALL}">{text(diagnosis.summary)}</span></div>'
        f"{rows}{calm}{rest}</section>"
    )


def _row(finding: Finding) -> str:
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.2em .9em;padding:.5em 0 0;margin-top:.5em;'
        f'border-top:1px solid {RULE}">{pill(finding.severity)}'
        '<div style="flex:1 1 15em;min-width:0;overflow-wrap:anywhere">'
        f'<div style="line-height:1.4"><strong>{text(finding.title)}.</strong> {text(finding.said)}</div>'
        f'<div style="{SMALL}">{_remedy(finding)}</div></div></div>'
    )


def pill(severity: str) -> str:
    """Write a severity as a small coloured label."""
    tone = TONES[severity]
    return (
        f'<span style="flex:0 0 5.4em;align-self:flex-start;text-align:center;font-size:.78em;font-weight:600;'
        f"line-height:1.5;padding:.1em .3em;border-radius:99px;color:{tone};"
        f'background:color-mix(in srgb,{tone} 13%,transparent)">{text(severity)}</span>'
    )


def _remedy(finding: Finding) -> str:
    """Write what to do; a click on it shows the evidence."""
    told = "".join(f"<div>{text(part)}</div>" for part in _evidence(finding))
    return (
        f'<details><summary style="cursor:pointer"><b style="font-weight:600">What to do:</b> '
        f'{text(finding.remedy)}</summary><div style="{MUTED};padding:.2em 0 .2em 1em">{told}</div></details>'
    )


def _evidence(finding: Finding) -> list[str]:
    facts = "; ".join(f"{name.replace('_', ' ')} {_written(value)}" for name, value in finding.evidence.items())
    limits = ", ".join(f"{severity} {_side(finding)} {limit:g}" for severity, limit in _shown_limits(finding))
    parts = [facts, f"limits: {limits}; {finding.why}" if limits else finding.why]
    if finding.times:
        parts.append(f"bars: {_listed([moment(ts) for ts in finding.times])}")
    if finding.trades:
        parts.append(f"rows of result.trades: {_listed([str(row) for row in finding.trades])}")
    return [part for part in parts if part]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _TIMES} more" if len(names) > _TIMES else ""
    return f"{', '.join(names[:_TIMES])}{more}"


def _shown_limits(finding: Finding) -> list[tuple[str, float]]:
    """Leave out limits that only mean "any at all"."""
    return [(severity, limit) for severity, limit in finding.limits.items() if limit > 1e-6]


def text(words: str) -> str:
    """Escape text and keep a percent sign beside its number."""
    return escape(words).replace(" %", "\N{NO-BREAK SPACE}%")


def _side(finding: Finding) -> str:
    return "from" if finding.rising else "below"


def _written(value: float | int | str) -> str:
    if isinstance(value, str):
        return value or "none"
    return f"{value:,}" if isinstance(value, int) else f"{float(value):,.4g}"


def _folded(diagnosis: Diagnosis, severity: str) -> str:
    found = [finding for finding in diagnosis if finding.severity == severity]
    if not found:
        return ""
    rows = "".join(
        f'<div style="padding:.15em 0;overflow-wrap:anywhere"><b style="font-weight:600">{text(one.title)}.</b> '
        f'<span style="{MUTED}">{text(one.said)}</span>{_remedy(one) if one.is_suspicious else ""}</div>'
        for one in found
    )
    return (
        f'<details style="{SMALL};padding-top:.4em;margin-top:.4em;border-top:1px solid {RULE}">'
        f'<summary style="cursor:pointer"><span style="color:{TONES[severity]};font-weight:600">{_HEADINGS[severity]}'
        f'</span> <span style="{MUTED}">{len(found)}</span></summary>'
        f'<div style="padding:.3em 0 0 1em">{rows}</div></details>'
    )
