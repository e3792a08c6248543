"""A report of the checker as HTML for notebooks: what was found with its remedy, then a table of all columns.

It looks as the doctor's diagnosis does, and takes its colours and labels from there. Inline styles only, no scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.backtest.doctor_html import MUTED, RULE, SMALL, TONES, pill, text

if TYPE_CHECKING:
    from workbench.research.check.findings import CheckReport, ColumnReport, Finding

__all__ = ["report_html"]

_OPEN: Final = ("critical", "warning")
_CALM: Final = (
    "No bar changed when later ones were appended, the same question had the same answer, and the warm-up is known."
)
_SETTLES: Final = {
    "yes": "", "slowly": "not within this history", "never": "depends on where history starts",
    "unknown": "nothing to compare",
}  # fmt: skip
_CELL: Final = 'style="padding:.15em 1.2em .15em 0;text-align:{};border:0"'


def report_html(report: CheckReport) -> str:
    """Write a report: a headline, a row for each finding, and the columns on a click."""
    tone = TONES["fine" if report.passed else report.findings[0].severity]
    rows = "".join(_row(one) for one in report if one.severity in _OPEN)
    calm = "" if rows else f'<p style="margin:.5em 0 0;{SMALL}">{text(_CALM)}</p>'
    return (
        f'<section aria-label="Check" style="border:1px solid {RULE};border-left:4px solid {tone};'
        'border-radius:8px;padding:.8em 1.1em;max-width:60em">'
        '<div style="display:flex;justify-content:space-between;align-items:baseline;gap:.2em 1em;flex-wrap:wrap">'
        f'<strong>{text(report.name)}</strong><span style="color:{tone};{SMALL}">{text(report.summary)}</span></div>'
        f'<div style="{MUTED};{SMALL}">{text(report.market)}; warm-up {report.warm_up_in_words}; '
        f"asked {report.runs:,} times</div>"
        f"{rows}{calm}{_notes(report)}{_columns(report)}</section>"
    )


def _row(finding: Finding) -> str:
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.2em .9em;padding:.5em 0 0;margin-top:.5em;'
        f'border-top:1px solid {RULE}">{pill(finding.severity)}'
        '<div style="flex:1 1 15em;min-width:0;overflow-wrap:anywhere">'
        f'<div style="line-height:1.4"><strong>{text(finding.title)}.</strong> {text(_sentence(finding))}</div>'
        f'<div style="{SMALL}">{_remedy(finding)}</div></div></div>'
    )


def _sentence(finding: Finding) -> str:
    return f"{finding.said[:1].upper()}{finding.said[1:]}."


def _remedy(finding: Finding) -> str:
    """Write what to do; a click on it shows the evidence."""
    facts = [f"bar {finding.row:,}, {finding.time}"] if finding.row is not None else []
    facts += [f"{name.replace('_', ' ')} {_written(value)}" for name, value in finding.evidence.items()]
    told = text("; ".join(facts))
    return (
        f'<details><summary style="cursor:pointer"><b style="font-weight:600">What to do:</b> {text(finding.remedy)}'
        f'</summary><div style="{MUTED};padding:.2em 0 .2em 1em">{told}</div></details>'
        if facts
        else f'<div><b style="font-weight:600">What to do:</b> {text(finding.remedy)}</div>'
    )


def _written(value: float | int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def _notes(report: CheckReport) -> str:
    notes = [one for one in report if one.severity == "note"]
    rows = "".join(
        f'<div style="padding:.15em 0;overflow-wrap:anywhere"><b style="font-weight:600">{text(one.title)}.</b> '
        f'<span style="{MUTED}">{text(_sentence(one))}</span>{_remedy(one)}</div>'
        for one in notes
    )
    return _folded("Worth a thought", TONES["note"], len(notes), rows) if notes else ""


def _columns(report: CheckReport) -> str:
    heads = ("left", "Column"), ("left", ""), ("right", "Warm-up"), ("left", "Looks ahead"), ("left", "Settles")
    head = "".join(f"<th {_CELL.format(side)}>{text(label)}</th>" for side, label in heads)
    rows = "".join(_column_row(one) for one in report.columns)
    table = (
        '<div style="overflow-x:auto">'
        '<table style="font-variant-numeric:tabular-nums;border-collapse:collapse;margin:0;font-size:inherit">'
        f"<tr>{head}</tr>{rows}</table></div>"
    )
    return _folded("Columns looked at", TONES["fine"], len(report.columns), table) if report.columns else ""


def _column_row(one: ColumnReport) -> str:
    ahead = f'<b style="color:{TONES["critical"]}">yes</b>' if one.look_ahead else "no"
    cells = [
        ("left", text(one.name)),
        ("left", f'<span style="{MUTED}">{"signal" if one.is_signal else "column"}</span>'),
        ("right", "" if one.warm_up is None else f"{one.warm_up:,}"),
        ("left", ahead),
        ("left", "" if one.look_ahead else text(_SETTLES[one.settles]) or "yes"),
    ]
    return f"<tr>{''.join(f'<td {_CELL.format(side)}>{told}</td>' for side, told in cells)}</tr>"


def _folded(heading: str, tone: str, count: int, rows: str) -> str:
    return (
        f'<details style="{SMALL};padding-top:.4em;margin-top:.4em;border-top:1px solid {RULE}">'
        f'<summary style="cursor:pointer"><span style="color:{tone};font-weight:600">{heading}'
        f'</span> <span style="{MUTED}">{count}</span></summary>'
        f'<div style="padding:.3em 0 0 1em">{rows}</div></details>'
    )
