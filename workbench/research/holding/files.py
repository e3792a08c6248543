"""Holdings and balances in a CSV file, one a line."""

from __future__ import annotations

import csv
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from workbench.errors import DataError
from workbench.risk.portfolio import Balance, Holding

__all__ = ["read_holdings"]

_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TEXTS: Final = frozenset({"symbol", "currency", "account", "venue", "bot", "asset", "group", "series"})
_SWITCHES: Final = frozenset({"margined", "inverse"})
_MONEY: Final = frozenset({"amount", "currency", "account", "venue", "bot"})


def read_holdings(path: str | Path) -> list[Holding | Balance]:
    """Read a CSV file whose columns are the fields of `Holding` and `Balance`.

    Parameters
    ----------
    path : str or Path
        UTF-8, a comma between cells, names in the first line. A line with an `amount` is a balance, one with a `symbol`
        a holding. An empty cell is left out. Numbers are written with a point.

    Returns
    -------
    list of Holding and Balance

    Raises
    ------
    DataError
        There is no such file, a column or a cell is wrong (the message names the line), or there is no line.
    """
    file = Path(path).expanduser()
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            table = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error})", path=str(file)) from error
    rows = [(number, row) for number, row in enumerate(table, 1) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise DataError(f"{file}: has no line below the names of its columns", path=str(file))
    names = [cell.strip() for cell in rows[0][1]]
    known = {one.name for one in (*fields(Holding), *fields(Balance))}
    wrong = next((name for name in names if name not in known or names.count(name) > 1), None)
    if wrong is not None:
        why = "stands twice" if wrong in known else f"is unknown; there are {', '.join(sorted(known))}"
        raise DataError(f"{file}: the column {wrong!r} {why}", path=str(file), column=wrong)
    found = []
    for number, row in rows[1:]:
        if len(row) > len(names):
            raise DataError(f"{file}, line {number}: has {len(row)} cells for {len(names)} columns", path=str(file))
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}
        try:
            found.append(_item(cells))
        except DataError as error:
            raise DataError(f"{file}, line {number}: {error}", path=str(file), line=number) from error
    return found


def _item(cells: dict[str, str]) -> Holding | Balance:
    money = "amount" in cells
    if money == ("symbol" in cells):
        raise DataError("give a symbol (a holding) or an amount (money), one of them")
    lacking = [name for name in ("quantity", "price", "currency") if name not in cells and not money]
    if lacking or "currency" not in cells:
        raise DataError(f"{cells.get('symbol', 'a balance')} has no {(lacking or ['currency'])[0]}")
    beyond = sorted(set(cells) - _MONEY) if money else []
    if beyond:
        raise DataError(f"a balance has no {beyond[0]}")
    values: dict[str, Any] = {name: _value(name, cell) for name, cell in cells.items()}
    return Balance(**values) if money else Holding(**values)


def _value(name: str, cell: str) -> Any:
    if name in _TEXTS:
        return cell
    if name in _SWITCHES:
        if cell.lower() not in _WORDS:
            raise DataError(f"{name} = {cell!r}: write yes or no")
        return _WORDS[cell.lower()]
    try:
        return float(cell)
    except ValueError as error:
        raise DataError(f"{name} = {cell!r} is no number") from error
