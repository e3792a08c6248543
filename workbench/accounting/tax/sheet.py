"""Transactions in CSV or JSON: one documented set of columns, read strictly and written back the same.

`COLUMNS` is the template; in JSON each transaction is an object with these names. In CSV, text that a spreadsheet would
take for a formula is written with an apostrophe before it, and read without it.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TextIO

from workbench._spreadsheet import guarded, unguarded
from workbench.accounting.money import Money, decimal
from workbench.accounting.tax.transaction import KINDS, LotChoice, Transaction
from workbench.errors import DataError

__all__ = ["COLUMNS", "moment_of", "opened", "read_transactions", "said_moment", "template", "write_transactions"]

COLUMNS: Final = MappingProxyType({
    "time": "when: 2024-03-01T12:30:00Z, with an offset, or whole milliseconds since 1970; without an offset it is UTC",
    "kind": "one of: " + ", ".join(KINDS),
    "wallet": "account or wallet that it happened in",
    "sent": "quantity that left, above zero",
    "sent_asset": "of which asset: USD, BTC, ...",
    "received": "quantity that came, above zero",
    "received_asset": "of which asset",
    "fee": "what was paid besides",
    "fee_asset": "in which asset",
    "to_wallet": "for a transfer: where it arrives",
    "value": "fair value of what moved without the fee, in the currency of the report, where it is known",
    "fee_value": "the same of the fee, or of what a transfer lost on the way",
    "cost": "for a deposit or gift_received: what it had cost",
    "acquired": "for a deposit or gift_received: when it was acquired, a time as above",
    "lots": "lots that are given, for the method specific: ID or ID=QUANTITY, several with ; between",
    "id": "a name that no other transaction has; the name of the file and the line where left out",
    "note": "anything",
})  # fmt: skip
_NEEDED: Final = ("time", "kind", "wallet")
_MOST_WRONG: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE: Final = (
    "2023-01-05T10:00:00Z,trade,kraken,16800,USD,1,BTC,25.20,USD,,,,,,,buy-1,\n"
    "2023-03-01T00:00:00Z,staking,kraken,,,0.5,ETH,,,,800,,,,,stake-1,\n"
    "2023-06-01T12:00:00Z,transfer,kraken,0.4,BTC,0.3998,BTC,,,ledger,,5.40,,,,move-1,network fee 0.0002\n"
    "2024-02-10T09:30:00Z,trade,ledger,0.2,BTC,3.5,ETH,,,,9500,,,,,swap-1,crypto for crypto\n"
    "2024-05-01T09:30:00Z,trade,kraken,0.5,BTC,29000,USD,29,USD,,,,,,,sell-1,\n"
)


def template() -> str:
    """Give the template: the heading and five transactions to write over."""
    return ",".join(COLUMNS) + "\n" + _EXAMPLE


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open a CSV or JSON that people made, and say in words why it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield stream
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: save it as UTF-8", file=str(path)) from error
    except csv.Error as error:
        raise DataError(f"{path} is no CSV: {error}", file=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", file=str(path)) from error


def moment_of(text: str) -> int:
    """Read a time as milliseconds since 1970.

    Raises
    ------
    DataError
        It is no time.
    """
    said = text.strip()
    if said.isascii() and said.isdigit() and len(said) >= 11:
        return int(said)
    try:
        when = datetime.fromisoformat(said)
    except ValueError as error:
        raise DataError(f"time {said!r} is no time; write 2024-03-01T12:30:00Z or milliseconds") from error
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    since = when - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def said_moment(ts: int) -> str:
    """Write milliseconds since 1970 as a time in UTC, to the millisecond where there are any."""
    when = _EPOCH + timedelta(milliseconds=ts)
    return when.isoformat(timespec="milliseconds" if ts % 1000 else "seconds").replace("+00:00", "Z")


def read_transactions(*files: str | Path) -> list[Transaction]:
    """Read transactions from one or more files.

    Parameters
    ----------
    *files : str or Path
        CSV with the columns of `COLUMNS`, in any order; time, kind and wallet are needed, others may be left out. Or
        JSON, where the name ends in .json: a list of objects with these names; numbers may be text, which is exact,
        or numbers, whose digits are taken as they stand.

    Returns
    -------
    list of Transaction
        In the order of the files and lines.

    Raises
    ------
    DataError
        A file, line or object cannot be read (up to ten are named), or an id stands twice.
    """
    found: list[Transaction] = []
    where: dict[str, str] = {}
    for file in files:
        path = Path(file)
        for place, one in _read(path):
            if one.id in where:
                raise DataError(
                    f"{place}: the id {one.id!r} stands already in {where[one.id]}; is a file given twice?",
                    id=one.id,
                )
            where[one.id] = place
            found.append(one)
    return found


def _read(path: Path) -> Iterator[tuple[str, Transaction]]:
    wrong: list[str] = []
    known = path.suffix.lower() == ".json"
    for number, row in _objects(path) if known else _lines(path):
        where = f"{'transaction' if known else 'line'} {number}"
        try:
            yield f"{path.name} {where}", _transaction(row, f"{path.name}#{number}")
        except DataError as error:
            wrong.append(f"{where}: {error}")
            if len(wrong) == _MOST_WRONG:
                break
    if wrong:
        raise DataError(f"{path}: " + "; ".join(wrong), file=str(path), lines=wrong)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with opened(path) as stream:
        rows = csv.DictReader(stream, strict=True)
        names = [str(name).strip() for name in rows.fieldnames or ()]
        _check_heading(path, names)
        rows.fieldnames = names
        for row in rows:
            if None in row:
                raise DataError(
                    f"{path} line {rows.line_num} has more fields than the heading; is a text with a comma not in "
                    "quotes?",
                    file=str(path),
                )
            if any(row.values()):
                yield rows.line_num, {name: unguarded((text or "").strip()) for name, text in row.items()}


def _objects(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with opened(path) as stream:
            rows = json.load(stream, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {error}", file=str(path)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path} must be a list of objects, one for each transaction", file=str(path))
    for number, row in enumerate(rows, 1):
        _check_heading(path, list(row), f" (transaction {number})")
        yield number, {name: _text(path, number, name, value) for name, value in row.items()}


def _text(path: Path, number: int, name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{path}: transaction {number}: {name} must be text or a number", file=str(path))
    return value.strip()


def _check_heading(path: Path, names: list[str], where: str = "") -> None:
    if len(names) == 1 and ";" in names[0]:
        raise DataError(
            f"{path} has ; between its columns: write it with commas, and . before decimals", file=str(path)
        )
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        raise DataError(f"{path}{where} has no {lacking[0]!r}; it needs {', '.join(_NEEDED)}", file=str(path))
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(COLUMNS)}"
            raise DataError(f"{path}{where} has {name!r}, which is not known{hint}", file=str(path), column=name)
    if len(set(names)) < len(names):
        raise DataError(f"{path} has a column twice", file=str(path))


def _transaction(said: dict[str, str], name: str) -> Transaction:
    get = said.get
    acquired = get("acquired", "")
    return Transaction(
        id=get("id", "") or name,
        ts=moment_of(said["time"]),
        kind=said["kind"].lower(),
        wallet=said["wallet"],
        sent=_money(said, "sent"),
        received=_money(said, "received"),
        fee=_money(said, "fee"),
        to_wallet=get("to_wallet", ""),
        value=_number(said, "value"),
        fee_value=_number(said, "fee_value"),
        cost=_number(said, "cost"),
        acquired=moment_of(acquired) if acquired else None,
        lots=tuple(_choice(text) for text in get("lots", "").split(";") if text.strip()),
        note=get("note", ""),
    )


def _money(said: dict[str, str], name: str) -> Money | None:
    amount, asset = said.get(name, ""), said.get(f"{name}_asset", "")
    if not amount and not asset:
        return None
    if not amount or not asset:
        raise DataError(f"{name} {amount or '(empty)'} and {name}_asset {asset or '(empty)'} need each other")
    return Money(decimal(amount, name), asset)


def _number(said: dict[str, str], name: str) -> Decimal | None:
    text = said.get(name, "")
    return decimal(text, name) if text else None


def _choice(text: str) -> LotChoice:
    lot, mark, quantity = text.strip().rpartition("=")
    if not mark:
        return LotChoice(text.strip())
    return LotChoice(lot, decimal(quantity, "quantity of a lot") if quantity else None)


def write_transactions(transactions: Iterable[Transaction]) -> str:
    """Write transactions as CSV of the template; `read_transactions` gives the same back."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in transactions:
        writer.writerow([_cell(one, column) for column in COLUMNS])
    return stream.getvalue()


def _cell(one: Transaction, column: str) -> str:
    if column in ("sent", "received", "fee"):
        money = getattr(one, column)
        return "" if money is None else money.text
    if column.endswith("_asset"):
        money = getattr(one, column.removesuffix("_asset"))
        return "" if money is None else guarded(money.currency)
    if column in ("time", "acquired"):
        ts = one.ts if column == "time" else one.acquired
        return "" if ts is None else said_moment(ts)
    if column == "lots":
        texts = [f"{choice.lot}={'' if choice.quantity is None else f'{choice.quantity:f}'}" for choice in one.lots]
        return str(guarded(";".join(texts)))
    said = getattr(one, column)
    if said is None:
        return ""
    return f"{said:f}" if isinstance(said, Decimal) else str(guarded(said))
