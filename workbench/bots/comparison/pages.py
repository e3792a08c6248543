"""The card of a parity report: the score, the band, its trend, causes, slippage, the trades that differ."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from workbench._ink import INK
from workbench._markup import table_of
from workbench.bots.comparison.drawings import band_drawing, ink, trend_drawing

if TYPE_CHECKING:
    from workbench.bots.comparison.report import Compared, ParityReport

__all__ = ["document_of", "page_of", "time_text"]

_MUTED: Final = f"color:{ink('muted')}"
_MOST: Final = 15
_MINUS: Final = "\N{MINUS SIGN}"


def document_of(report: ParityReport) -> str:
    """Write the card as a page of its own, which follows the scheme of the browser."""
    light = "".join(f"{one.variable}:{one.light};" for one in INK.values())
    dark = "".join(f"{one.variable}:{one.dark};" for one in INK.values())
    style = (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        "body{font-family:system-ui,sans-serif;margin:1.5em;background:var(--wb-page);color:var(--wb-ink)}"
        "body>div{background:var(--wb-surface);margin:auto}"
    )
    title = escape(f"Parity of {report.name}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head><body>{page_of(report)}</body></html>"
    )


def page_of(report: ParityReport) -> str:
    """Write the card of a report. Plain HTML, no scripts."""
    span = f"{time_text(report.began)} to {time_text(report.ended)} UTC, {report.strategy}"
    good = "positive" if report.score > 0.99 else "ink" if report.score > 0.9 else "negative"
    score = f'<span style="font-size:1.9em;font-weight:600;color:{ink(good)}">{report.score:.1%}</span>'
    return (
        f'<div style="border:1px solid {ink("grid")};border-radius:8px;padding:.9em 1.1em;max-width:66em;'
        'overflow-x:auto">'
        '<div style="display:flex;justify-content:space-between;gap:1em;align-items:baseline;flex-wrap:wrap">'
        f"<div><strong>{escape(f'Parity of {report.name}')}</strong><br>"
        f'<span style="{_MUTED};font-size:.9em">{escape(span)}</span></div>{score}</div>'
        f'<p style="margin:.5em 0">{escape(report.sentence)}</p>{_alarm(report)}{_drawings(report)}'
        f"{_causes(report)}{_slippage(report)}{_trades(report)}{_notes(report)}</div>"
    )


def _alarm(report: ParityReport) -> str:
    if not report.alarm:
        return ""
    return (
        f'<p role="alert" style="margin:.6em 0;padding:.5em .8em;border-left:4px solid {ink("negative")};'
        f'color:{ink("negative")};font-weight:600">{escape(f"Alarm: {report.alarm}.")}</p>'
    )


def _drawings(report: ParityReport) -> str:
    band = band_drawing(report.band, report.currency) if report.band is not None else ""
    return band + (trend_drawing(report.trend) if len(report.trend) else "")


def _notes(report: ParityReport) -> str:
    notes = list(report.notes)
    if report.band is not None:
        notes.append(
            f"Band: the whole path of the backtest stays inside in {report.band.level:.0%} of its Monte Carlo runs; "
            f"{report.band.note}"
        )
    return "".join(f'<div style="{_MUTED};font-size:.82em;margin-top:.3em">{escape(one)}</div>' for one in notes)


def _causes(report: ParityReport) -> str:
    rows = [
        [f"{name}: {row['meaning']}", _money(row["cost"]), str(int(row["trades"]))]
        for name, row in report.causes.iterrows()
    ]
    return table_of(["cause", f"cost in {report.currency}", "trades"], rows) if rows else ""


def _slippage(report: ParityReport) -> str:
    rows = [
        [f"{name}: {row['meaning']}", _money(row["cost"]), str(int(row["trades"]))]
        for name, row in report.slippage.iterrows()
    ]
    return table_of(["price slippage by part", f"cost in {report.currency}", "trades"], rows) if rows else ""


def _trades(report: ParityReport) -> str:
    differ = sorted((one for one in report.compared if one.causes), key=lambda one: -abs(one.difference))
    if not differ:
        return ""
    head = ["trade", "entered", "promised", "lived", "difference", "score", "cause"]
    rest = len(differ) - _MOST
    more = f"<div style='{_MUTED};font-size:.82em'>and {rest} more in .trades</div>" if rest > 0 else ""
    return table_of(head, [_row(one) for one in differ[:_MOST]]) + more


def _row(one: Compared) -> list[str]:
    wanted, got = one.pair
    shown = one.pair.shown
    side = "long" if shown.sign > 0 else "short"
    return [
        f"{side} {shown.symbol}", time_text(shown.entered), _trip(wanted), _trip(got), _money(one.difference),
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
