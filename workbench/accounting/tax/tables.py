"""The tables of a tax report, for notebooks and for files: one list of columns for all of them.

| table        | one row for                                                                       |
|--------------|-----------------------------------------------------------------------------------|
| totals       | each year and term: proceeds, cost, gain; then derivatives, income, expenses      |
| disposals    | each part of a lot that was given for something                                   |
| income       | each receipt that counts, each expense (negative), each result of a derivative    |
| lots         | each lot that is left at the end                                                  |
| departures   | each part of a lot that left at cost                                              |
| acquisitions | each lot as it came                                                               |
| balances     | each wallet and asset: the quantity at the end                                    |
| warnings     | each thing that is missing or does not fit                                        |
| options      | each choice, in words                                                             |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from workbench._durable import replace_files
from workbench._spreadsheet import guarded
from workbench.accounting.tax.sheet import said_moment
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.accounting.tax.report import TaxReport

__all__ = ["TABLES", "as_json", "columns_of", "explained_row", "plain_number", "rows_of", "table_of", "write_csv"]

_WHERE: Final = ("kind", "asset", "wallet")
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "totals": ("year", "what", "term", "proceeds", "cost", "amount"),
    "disposals": (
        "transaction", "time", *_WHERE, "lot", "acquired", "quantity", "proceeds", "cost", "gain", "days", "term",
        "side", "price_from", "unknown",
    ),
    "income": ("transaction", "time", "category", *_WHERE, "quantity", "value", "price_from", "unknown"),
    "lots": ("lot", "asset", "wallet", "acquired", "quantity", "cost", "unit_cost", "side", "unknown"),
    "departures": ("transaction", "time", *_WHERE, "lot", "acquired", "quantity", "cost", "unknown"),
    "acquisitions": ("lot", "time", *_WHERE, "acquired", "quantity", "cost", "side", "price_from", "unknown"),
    "balances": ("wallet", "asset", "quantity"),
    "warnings": ("warning", "transaction", "time", "asset", "wallet", "message"),
    "options": ("option", "choice"),
})  # fmt: skip
TABLES: Final = tuple(_COLUMNS)
_TIMES: Final = ("time", "acquired")
Row = tuple[Any, ...]


def columns_of(name: str) -> tuple[str, ...]:
    """Name the columns of a table.

    Raises
    ------
    ConfigError
        There is no such table.
    """
    if name not in _COLUMNS:
        raise ConfigError(f"there is no table {name!r}; there are {', '.join(_COLUMNS)}", table=name)
    return _COLUMNS[name]


def rows_of(report: TaxReport, name: str, year: int | None = None) -> list[Row]:
    """Give a table as rows: times in milliseconds, money rounded as stated, None for what is not known."""
    columns_of(name)
    return _ROWS[name](report, year)


def _totals(report: TaxReport, year: int | None) -> list[Row]:
    rows: list[Row] = []
    for one in report.totals:
        if year not in (None, one.year):
            continue
        rows += [
            (one.year, "capital gains", term or "all", one.proceeds[term], one.cost[term], gain)
            for term, gain in one.gain.items()
        ]
        rows.append((one.year, "derivatives", "", None, None, one.derivatives))
        rows += [(one.year, f"income: {kind}", "", None, None, value) for kind, value in one.income.items()]
        rows.append((one.year, "expenses", "", None, None, -one.expenses))
        if one.open_rows:
            rows.append((one.year, f"not in the sums: {one.open_rows} rows", "", one.open_proceeds, None, None))
    return rows


def _disposals(report: TaxReport, year: int | None) -> list[Row]:
    money = _rounding(report)
    rows = []
    per_row = report.options.round_at == "rows"
    for row in report.of_year(report.disposals, year):
        proceeds, cost = money(row.proceeds), money(row.cost)
        gain = proceeds - cost if per_row and proceeds is not None and cost is not None else money(row.gain)
        rows.append((
            row.transaction, row.ts, row.kind, row.asset, row.wallet, row.lot, row.acquired, row.quantity, proceeds,
            cost, gain, row.days, row.term, row.side, row.source, _unknown(proceeds=proceeds, cost=cost),
        ))  # fmt: skip
    return rows


def _income(report: TaxReport, year: int | None) -> list[Row]:
    money = _rounding(report)
    return [
        (
            row.transaction, row.ts, row.category, row.kind, row.asset, row.wallet, row.quantity, money(row.value),
            row.source, _unknown(value=row.value),
        )
        for row in report.of_year(report.flows, year)
    ]  # fmt: skip


def _lots(report: TaxReport, year: int | None) -> list[Row]:
    money = _rounding(report)
    return [
        (
            one.lot, one.asset, one.wallet or "all", one.acquired, one.quantity, money(one.cost),
            None if one.cost is None else money(one.cost / one.quantity), one.side, _unknown(cost=one.cost),
        )
        for one in report.holdings
    ]  # fmt: skip


def _departures(report: TaxReport, year: int | None) -> list[Row]:
    money = _rounding(report)
    return [
        (
            row.transaction, row.ts, row.kind, row.asset, row.wallet, row.lot, row.acquired, row.quantity,
            money(row.cost), _unknown(cost=row.cost),
        )
        for row in report.of_year(report.departures, year)
    ]  # fmt: skip


def _acquisitions(report: TaxReport, year: int | None) -> list[Row]:
    money = _rounding(report)
    return [
        (
            row.lot, row.ts, row.kind, row.asset, row.wallet, row.acquired, row.quantity, money(row.cost), row.side,
            row.source, _unknown(cost=row.cost),
        )
        for row in report.of_year(report.acquisitions, year)
    ]  # fmt: skip


def _balances(report: TaxReport, year: int | None) -> list[Row]:
    return [(wallet, asset, quantity) for (wallet, asset), quantity in sorted(report.balances.items()) if quantity]


def _warnings(report: TaxReport, year: int | None) -> list[Row]:
    return [(one.code, one.transaction, one.ts, one.asset, one.wallet, one.message) for one in report.findings]


def _options(report: TaxReport, year: int | None) -> list[Row]:
    return list(report.options.in_words().items())


_ROWS: Final[Mapping[str, Callable[[TaxReport, int | None], list[Row]]]] = MappingProxyType({
    "totals": _totals, "disposals": _disposals, "income": _income, "lots": _lots, "departures": _departures,
    "acquisitions": _acquisitions, "balances": _balances, "warnings": _warnings, "options": _options,
})  # fmt: skip


def _rounding(report: TaxReport) -> Callable[[Decimal | None], Decimal | None]:
    rounded = report.options.rounded
    return lambda number: None if number is None else rounded(number)


def _unknown(**numbers: Decimal | None) -> str:
    return " and ".join(name for name, number in numbers.items() if number is None)


def table_of(report: TaxReport, name: str, year: int | None = None) -> pd.DataFrame:
    """Give a table as a DataFrame; times in the time zone of the report."""
    import pandas as pd

    columns = columns_of(name)
    frame = pd.DataFrame(rows_of(report, name, year), columns=list(columns), dtype=object)
    for column in set(columns) & set(_TIMES):
        frame[column] = pd.to_datetime(frame[column], unit="ms", utc=True).dt.tz_convert(report.options.zone)
    return frame


def plain_number(number: Decimal) -> str:
    """Write a number in plain digits, without an exponent."""
    return f"{number:f}"


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column in _TIMES:
        return said_moment(value)
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def write_csv(report: TaxReport, folder: str | Path) -> list[Path]:
    """Write every table as CSV into a folder: all of them or none."""
    return replace_files(Path(folder), {f"{name}.csv": _csv(report, name) for name in TABLES})


def _csv(report: TaxReport, name: str) -> bytes:
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = columns_of(name)
    writer.writerow(columns)
    for row in rows_of(report, name):
        texts = zip(columns, row, strict=True)
        writer.writerow([guarded(value) if isinstance(value, str) else _text(column, value) for column, value in texts])
    return stream.getvalue().encode()


def as_json(report: TaxReport, file: str | Path | None = None) -> str:
    """Write the report as JSON: amounts as text, times in ISO 8601 (UTC), null for what is not known."""
    from workbench.accounting.tax.report import NOT_ADVICE

    tables = {name: list(_objects(report, name)) for name in TABLES if name != "options"}
    told = {
        "about": NOT_ADVICE, "year": report.year, "currency": report.options.currency, "complete": report.complete,
        "options": report.options.in_words(), **tables,
    }  # fmt: skip
    text = json.dumps(told, ensure_ascii=False, allow_nan=False)
    if file is not None:
        replace_files(Path(file).parent, {Path(file).name: text.encode()})
    return text


def _objects(report: TaxReport, name: str) -> Iterable[dict[str, Any]]:
    columns = columns_of(name)
    for row in rows_of(report, name):
        yield {
            column: value if value is None or (type(value) is int and column not in _TIMES) else _text(column, value)
            for column, value in zip(columns, row, strict=True)
        }


def explained_row(report: TaxReport, transaction: str) -> str:
    """Say what came of one transaction, line by line."""
    currency = report.options.currency
    lines: list[str] = []
    for came in report.acquisitions:
        if came.lot == transaction:
            lines.append(
                f"acquired {came.quantity:f} {came.asset} in {came.wallet} at a cost of {_said(report, came.cost)} "
                f"{currency} ({came.source or 'no source'})"
            )
    for row in report.disposals:
        if row.transaction == transaction:
            of = f"lot {row.lot} of {said_moment(row.acquired)}" if row.acquired is not None else "no lot"
            lines.append(
                f"{row.kind}: {row.quantity:f} {row.asset} of {of}: proceeds {_said(report, row.proceeds)} "
                f"({row.source or 'no source'}) - cost {_said(report, row.cost)} = {_said(report, row.gain)} {currency}"
                + (f", held {row.days} days{', ' + row.term if row.term else ''}" if row.days is not None else "")
            )
    for left in report.departures:
        if left.transaction == transaction:
            lines.append(f"{left.kind}: {left.quantity:f} {left.asset} of lot {left.lot or '(none)'} left at "
                         f"{_said(report, left.cost)} {currency}")  # fmt: skip
    for flow in report.flows:
        if flow.transaction == transaction:
            lines.append(f"{flow.category}: {flow.kind} of {flow.quantity:f} {flow.asset}, {_said(report, flow.value)} "
                         f"{currency} ({flow.source or 'no source'})")  # fmt: skip
    lines += [f"warning: {one.code}: {one.message}" for one in report.findings if one.transaction == transaction]
    if not lines:
        raise DataError(
            f"nothing came of a transaction {transaction!r}: it moved only money, or there is none of that id",
            transaction=transaction,
        )
    taken = [row.transaction for row in report.disposals if row.lot == transaction]
    if taken:
        lines.append(f"its lot was given in: {', '.join(dict.fromkeys(taken))}")
    return "\n".join([transaction, *(f"  {line}" for line in lines)])


def _said(report: TaxReport, number: Decimal | None) -> str:
    return "unknown" if number is None else plain_number(report.options.rounded(number))
