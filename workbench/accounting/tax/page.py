"""A tax report as one HTML page: sums first, then warnings, then every row and every choice; no scripts, no network.

Large tables are cut on the page, and the page says so: the CSV has all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from workbench._durable import replace_files
from workbench._ink import INK
from workbench.accounting.tax.calendar import Calendar
from workbench.accounting.tax.tables import columns_of, plain_number, rows_of

if TYPE_CHECKING:
    from workbench.accounting.tax.report import TaxReport, Totals

__all__ = ["card_of", "page_of"]

_MOST_ROWS: Final = 1000
_MOST_WARNINGS: Final = 200
_MONEY: Final = ("proceeds", "cost", "gain", "value", "unit_cost", "amount")
_NUMBERS: Final = (*_MONEY, "quantity", "days", "year")
_TITLES: Final = {
    "disposals": "What was given up, lot by lot",
    "income": "Income, expenses and results of derivatives",
    "departures": "What left at cost, without a gain",
    "lots": "Lots that are left",
    "balances": "Balances",
    "acquisitions": "Lots as they came",
}
_WORDS: Final = {"price_from": "value from", "unit_cost": "a unit"}
_STYLE: Final = """
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--wb-ink);background:var(--wb-page);margin:0;padding:2rem 1.2rem}
main{max-width:98rem;margin:auto}
h1{font-size:1.7rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
p{margin:.4rem 0;max-width:60rem}.muted{color:var(--wb-muted)}.small{font-size:.86rem}
.cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
.card{background:var(--wb-surface);border:1px solid var(--wb-grid);border-radius:8px;padding:.7rem 1rem;min-width:11rem}
.card b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.box{border:1px solid var(--wb-grid);border-left:4px solid var(--wb-warning);background:var(--wb-surface);
border-radius:8px;padding:.6rem 1rem;margin:1rem 0}
.box.fine{border-left-color:var(--wb-positive)}
.scroll{overflow-x:auto;background:var(--wb-surface);border:1px solid var(--wb-grid);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.86rem;color:inherit}
th,td{text-align:left;padding:.32rem .7rem;border-bottom:1px solid var(--wb-grid);white-space:nowrap}
th{background:var(--wb-sunken);font-weight:600}tr:last-child td{border-bottom:0}
.n{text-align:right;font-variant-numeric:tabular-nums}
td.wide{white-space:normal;min-width:22rem}
.loss{color:var(--wb-negative)}.open{color:var(--wb-warning);font-weight:600}
"""
_MEDIA: Final = """
@media(max-width:40rem){body{padding:1.2rem .8rem}.card{flex:1 1 40%;min-width:0}th,td{padding:.3rem .45rem}
td.wide{min-width:13rem}.sums td:first-child{white-space:normal}}
@media print{body{background:none;padding:0}.scroll{overflow:visible}}
"""
_NOTEBOOK: Final = {
    "ink": "content-font-color1", "muted": "ui-font-color2", "grid": "border-color2", "surface": "layout-color0",
    "sunken": "layout-color2", "positive": "success-color0", "negative": "error-color0", "warning": "warn-color0",
}  # fmt: skip


def page_of(report: TaxReport, file: str | Path | None = None) -> str:
    """Write the whole page; also to a file if one is given."""
    title = f"Tax report {report.year}" if report.year is not None else "Tax report"
    parts = [
        f"<h1>{title}</h1>", _terms(report), _advice(), *map(_year, report.totals), _missing(report),
        *(_section(report, name) for name in _TITLES), _choices(report),
    ]  # fmt: skip
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_colours()}{_STYLE}{_MEDIA}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )
    if file is not None:
        replace_files(Path(file).parent, {Path(file).name: page.encode()})
    return page


def card_of(report: TaxReport) -> str:
    """Write the sums and warnings of a report, as a notebook shows it."""
    style = f"<style>.wb-tax{{color:var(--wb-ink)}}{_scoped()}</style>"
    for name, theirs in _NOTEBOOK.items():  # a report's colours, else JupyterLab's theme, else the light ones
        ink = INK[name]
        style = style.replace(f"var({ink.variable})", f"var({ink.variable},var(--jp-{theirs},{ink.light}))")
    years = "".join(map(_year, report.totals[-3:]))
    return f'<div class="wb-tax">{style}{_terms(report)}{years}{_missing(report)}{_advice()}</div>'


def _scoped() -> str:
    rules = [rule for rule in _STYLE.replace("\n", "").split("}") if rule.startswith((".", "table", "th", "td", "tr"))]
    return "".join(
        ".wb-tax " + rule.replace(",", ",.wb-tax ", rule.partition("{")[0].count(",")) + "}" for rule in rules
    )


def _colours() -> str:
    return (
        f":root{{color-scheme:light dark;{_variables('light')}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{_variables('dark')}}}}}"
    )


def _variables(scheme: str) -> str:
    return "".join(f"{ink.variable}:{getattr(ink, scheme)};" for ink in INK.values())


def _terms(report: TaxReport) -> str:
    options = report.options
    pools = "lots of each wallet by itself" if options.pools == "wallet" else "lots of all wallets together"
    span = ""
    if report.year is not None:
        calendar = Calendar(options)
        first, last = calendar.start_of(report.year), calendar.start_of(report.year + 1) - 1
        span = f"{calendar.date_of(first)} to {calendar.date_of(last)}, "
    return (
        f'<p class="muted">{escape(span)}{escape(options.method)}, {pools}, amounts in {escape(options.currency)}, '
        f"years and dates in {escape(options.zone)}</p>"
    )


def _advice() -> str:
    from workbench.accounting.tax.report import NOT_ADVICE

    return f'<p class="small muted">{NOT_ADVICE}</p>'


def _year(totals: Totals) -> str:
    cards = [(f"Gain, {term} term" if term else "Gain", gain) for term, gain in totals.gain.items()]
    if totals.derivatives or not cards:
        cards.append(("Derivatives" if totals.derivatives else "Gain", totals.derivatives))
    if len(cards) > 1:
        cards.append(("Gains in all", totals.gains))
    income = sum(totals.income.values(), Decimal(0))
    cards += [("Income", income)] if totals.income else []
    cards += [("Expenses", totals.expenses)] if totals.expenses else []
    boxes = "".join(
        f'<div class="card"><span class="muted">{name}</span><b>{_money(value)}</b></div>' for name, value in cards
    )
    rows: list[tuple[str, Decimal | None, Decimal | None, Decimal]] = [
        (f"capital gains, {term}" if term else "capital gains", totals.proceeds[term], totals.cost[term], gain)
        for term, gain in totals.gain.items()
    ]
    rows += [(f"income: {kind}", None, None, value) for kind, value in totals.income.items()]
    rows += [("derivatives and funding", None, None, totals.derivatives)] if totals.derivatives else []
    rows += [("expenses", None, None, -totals.expenses)] if totals.expenses else []
    body = "".join(
        f'<tr><td>{escape(what)}</td><td class="n">{_cell_money(proceeds)}</td><td class="n">{_cell_money(cost)}</td>'
        f'<td class="n">{_cell_money(amount)}</td></tr>'
        for what, proceeds, cost, amount in rows
    )
    head = '<tr><th></th><th class="n">proceeds</th><th class="n">cost</th><th class="n">amount</th></tr>'
    table = (
        f'<div class="scroll sums"><table>{head}{body}</table></div>'
        if rows
        else "<p>Nothing to declare came of it.</p>"
    )
    left = ""
    if not totals.complete:
        rows_left = "1 row" if totals.open_rows == 1 else f"{totals.open_rows} rows"
        left = (
            f'<div class="box"><b>Not in these sums: {rows_left}</b> whose cost or value nobody knows, '
            f"with proceeds of {_money(totals.open_proceeds)}. See the warnings.</div>"
        )
    return f"<h2>{totals.year}</h2>{left}<div class='cards'>{boxes}</div>{table}"


def _missing(report: TaxReport) -> str:
    count = len(report.findings)
    if not count:
        return '<div class="box fine">Nothing is missing: every lot, price and transfer was found.</div>'
    kinds: dict[str, int] = {}
    for one in report.findings:
        kinds[one.code] = kinds.get(one.code, 0) + 1
    said = ", ".join(f"{code} ({number})" for code, number in sorted(kinds.items()))
    table = _table(report, "warnings", rows_of(report, "warnings")[:_MOST_WARNINGS])
    return (
        f'<h2>Warnings: {count}</h2><div class="box">{escape(said)}. A warning may belong to an earlier year whose '
        f"lots this one uses.</div>{table}{_cut(count, _MOST_WARNINGS)}"
    )


def _section(report: TaxReport, name: str) -> str:
    rows = rows_of(report, name)
    if not rows:
        return ""
    return f"<h2>{_TITLES[name]}</h2>{_table(report, name, rows[:_MOST_ROWS])}{_cut(len(rows), _MOST_ROWS)}"


def _cut(count: int, most: int) -> str:
    return f'<p class="small muted">{count - most:,} more rows are in the CSV.</p>' if count > most else ""


def _choices(report: TaxReport) -> str:
    return f"<h2>How it was worked out</h2>{_table(report, 'options', rows_of(report, 'options'))}"


def _table(report: TaxReport, name: str, rows: Iterable[Sequence[Any]]) -> str:
    columns, zone = columns_of(name), ZoneInfo(report.options.zone)
    rows = list(rows)
    dull = {"side": ("long",)}  # said only where something is short
    shown = [
        column
        for place, column in enumerate(columns)
        if any(row[place] not in ("", None, *dull.get(column, ())) for row in rows)
    ]
    head = "".join(f"<th{_class(column)}>{_WORDS.get(column, column)}</th>" for column in shown)
    body = "".join(
        "<tr>" + "".join(_cell(c, value, zone) for c, value in zip(columns, row, strict=True) if c in shown) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _class(column: str) -> str:
    return ' class="n"' if column in _NUMBERS else ' class="wide"' if column in ("message", "choice") else ""


def _cell(column: str, value: Any, zone: ZoneInfo) -> str:
    if column == "unknown" and value:
        return f'<td class="open">{escape(value)} unknown</td>'
    if value is None:
        return '<td class="open n">unknown</td>' if column in _MONEY else f"<td{_class(column)}></td>"
    if column in ("time", "acquired"):
        return f"<td>{datetime.fromtimestamp(value // 1000, zone):%Y-%m-%d %H:%M}</td>"
    if column in _MONEY:
        return f'<td class="n">{_money(value)}</td>'
    text = plain_number(value) if isinstance(value, Decimal) else str(value)
    return f"<td{_class(column)}>{escape(text)}</td>"


def _cell_money(value: Decimal | None) -> str:
    return "" if value is None else _money(value)


def _money(value: Decimal) -> str:
    text = f"{abs(value):,f}"
    return f'<span class="loss">\N{MINUS SIGN}{text}</span>' if value < 0 else text
