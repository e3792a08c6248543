"""The card that a notebook shows for a parity report: the sentence, causes with their cost, the trades that differ."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from workbench._markup import table_of

if TYPE_CHECKING:
    from workbench.bots.comparison.report import Compared, ParityReport

__all__ = ["page_of", "time_text"]

_MUTED: Final = "color:var(--wb-muted,var(--jp-ui-font-color2,#5d656e))"
_RULE: Final = "var(--wb-grid,var(--jp-border-color2,#e4e2dc))"
_BAD: Final = "color:var(--wb-loss,#b3261e);font-weight:600"
_MOST: Final = 15
_MINUS: Final = "\N{MINUS SIGN}"


def page_of(report: ParityReport) -> str:
    """Write the card of a report. Plain HTML, no scripts."""
    title = f"Parity of {report.name}: {report.score:.1%}"
    span = f"{time_text(report.began)} to {time_text(report.ended)} UTC, {report.strategy}"
    alarm = f'<p style="margin:.4em 0;{_BAD}">{escape(report.alarm)}</p>' if report.alarm else ""
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:66em;overflow-x:auto">'
        f"<div><strong>{escape(title)}</strong><br><span style='{_MUTED};font-size:.9em'>{escape(span)}</span></div>"
        f'<p style="margin:.4em 0">{escape(report.sentence)}</p>{alarm}{_causes(report)}{_trades(report)}</div>'
    )


def _causes(report: ParityReport) -> str:
    rows = [
        [f"{name}: {row['meaning']}", _money(row["cost"]), str(int(row["trades"]))]
        for name, row in report.causes.iterrows()
    ]
    return table_of(["cause", f"cost in {report.currency}", "trades"], rows) if rows else ""


def _trades(report: ParityReport) -> str:
    differ = sorted((one for one in report.compared if one.causes), key=lambda one: -abs(one.difference))
    if not differ:
        return ""
    head = ["trade", "promised", "lived", "difference", "score", "cause"]
    rest = len(differ) - _MOST
    more = f"<div style='{_MUTED};font-size:.82em'>and {rest} more in .trades</div>" if rest > 0 else ""
    return table_of(head, [_row(one) for one in differ[:_MOST]]) + more


def _row(one: Compared) -> list[str]:
    wanted, got = one.pair
    shown = one.pair.shown
    side = "long" if shown.sign > 0 else "short"
    return [
        f"{side} {shown.symbol}, {time_text(shown.entered)}", _trip(wanted), _trip(got), _money(one.difference),
        f"{one.score:.0%}", max(one.causes, key=lambda cause: abs(cause.cost)).name,
    ]  # fmt: skip


def _trip(trip: Any) -> str:
    return "none" if trip is None else f"{trip.quantity:g} from {trip.entry:,.6g} to {trip.exit:,.6g}"


def _money(value: float) -> str:
    return f"{value:+,.2f}".replace("-", _MINUS)


def time_text(ts: int) -> str:
    """Write a time (ms UTC) to the minute."""
    import pandas as pd

    return f"{pd.Timestamp(ts, unit='ms'):%Y-%m-%d %H:%M}"
