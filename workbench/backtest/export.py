"""A result in files: saved so that it comes back bit for bit, or written as JSON and CSV for others to read.

What is saved holds bars, signals, fills and terms, so every table and metric can be worked out again, and a result of
signals can be run again too. Code is never saved: a strategy is kept as its name, parameters and hash, and to run an
order strategy again it must be given.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench._durable import explained, make_folder
from workbench.backtest import archive
from workbench.backtest.costs import Costs
from workbench.backtest.packing import (
    LoadedStrategy,
    decoded,
    encoded,
    packed_plan,
    packed_records,
    unpacked_plan,
    unpacked_records,
)
from workbench.errors import DataError, StrategyError, WorkbenchError
from workbench.market.bars import moment

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = ["load_result", "save", "to_csv", "to_json", "to_parquet"]


def save(result: Result, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a result so that `load_result` gives it back bit for bit.

    Parameters
    ----------
    result : Result
    path : str or Path
        A name that ends in `.zip` becomes one file, any other a folder: Parquet tables and a `manifest.json` with
        schema version and checksums.
    overwrite : bool, default False
        Whether a result that is saved there already may be replaced.

    Returns
    -------
    Path
        Where it is, whole: it is written aside and then renamed.

    Raises
    ------
    DataError
        Something is there already, or the disk refuses.
    """
    from workbench import __version__

    where = Path(path)
    plan, plan_files = packed_plan(result.plan)
    records, record_files = packed_records(result.records)
    content = {
        "workbench": __version__,
        "name": result.name,
        "fill": result.fill,
        "detail": dict(result.detail),
        "costs": [encoded(costs.to_dict()) for costs in result.charged],
        "metrics": encoded(dict(result.metrics)),
        "plan": plan,
        "records": records,
    }
    archive.write(where, content, {**plan_files, **record_files}, overwrite=overwrite)
    return where


def load_result(path: str | Path, *, strategy: Any = None) -> Result:
    """Read a result that was saved.

    Parameters
    ----------
    path : str or Path
    strategy : SignalStrategy or OrderStrategy, optional
        The strategy that made it, where it is to be run again: the same code with the same parameters.

    Returns
    -------
    Result
        Its tables and metrics are those of the one that was saved, to the last bit. Without `strategy` its strategy is
        a name with parameters and a hash.

    Raises
    ------
    DataError
        There is nothing, it is damaged, or of another schema version.
    StrategyError
        The strategy is not the one that made the result.
    """
    from dataclasses import replace

    from workbench.backtest.result import Result

    where = Path(path)
    content, files = archive.read(where)
    try:
        plan = unpacked_plan(content["plan"], files)
        records = unpacked_records(content["records"], files)
        costs = [Costs(**decoded(one)) for one in content["costs"]]
        fill, detail = content["fill"], content["detail"]
    except WorkbenchError as error:
        error.add_note(f"while reading {where}")
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{where} is damaged: {error!r}; save the result again", path=str(where)) from error
    if strategy is not None:
        _require_same(plan.strategy, strategy)
        plan = replace(plan, strategy=strategy)
    return Result(plan=plan, records=records, costs=costs, fill=fill, detail=detail)


def _require_same(known: Any, given: Any) -> None:
    if not isinstance(known, LoadedStrategy):
        raise StrategyError("this result was made of ready-made signals, which were saved with it: give no strategy")
    if repr(given) != known.name:
        raise StrategyError(f"the result was made by {known.name}, not by {given!r}: give the strategy that made it")
    if getattr(given, "code_hash", "") != known.code_hash:
        raise StrategyError(
            f"the code of {known.name} has changed since the result was saved (hash {known.code_hash} then, "
            f"{getattr(given, 'code_hash', '')} now): backtest it anew, on result.series"
        )


def to_json(result: Result, file: str | Path | None = None) -> str:
    """Write a result as JSON for other programs: terms, metrics, equity, trades and fills.

    Parameters
    ----------
    result : Result
    file : str or Path, optional
        Also written there, whole or not at all.

    Returns
    -------
    str
        One JSON object. Times are ISO 8601 in UTC; what has no value is null.

    Raises
    ------
    DataError
        The disk refuses.
    """
    told = {
        "name": result.name,
        "symbols": [bars.symbol for bars in result.series],
        "timeframe": str(result.bars.timeframe),
        "start": moment(result.start),
        "end": moment(result.end),
        "cash": result.cash,
        "currency": result.currency,
        "fill": result.fill,
        "path": result.path,
        "costs": {bars.symbol: costs.to_dict() for bars, costs in zip(result.series, result.charged, strict=True)},
        "quality": result.quality,
        "fingerprints": {bars.symbol: bars.fingerprint for bars in result.series},
        "metrics": dict(result.metrics),
        "equity": {"ts": _iso(result.records.ts), "value": result.records.equity.tolist()},
        "trades": _rows(result.trades),
        "fills": _rows(result.fills),
    }
    text = json.dumps(_plain(told), allow_nan=False)
    if file is not None:
        where = Path(file)
        with explained(where):
            make_folder(where.parent)
            archive.replace_file(where, text.encode())
    return text


def _iso(ts: Any) -> list[str]:
    texts: list[str] = np.datetime_as_string(ts.astype("datetime64[ms]"), unit="s", timezone="UTC").tolist()
    return texts


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Give a frame as one dict a row, its times as ISO text."""
    plain = frame.copy()
    for name in plain.columns:
        if str(plain[name].dtype).startswith("datetime64"):
            text = plain[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
            plain[name] = text.astype(object).where(plain[name].notna(), None)
    return plain.to_dict(orient="records")


def _plain(value: Any) -> Any:
    """Put null in the place of what JSON has no number for."""
    said = encoded(value)
    if isinstance(said, dict):
        return None if said.keys() == {"float"} else {name: _plain(one) for name, one in said.items()}
    return [_plain(one) for one in said] if isinstance(said, list) else said


def to_csv(result: Result, folder: str | Path) -> list[Path]:
    """Write the tables as CSV: trades, fills, orders, positions, equity (with what belongs to each bar), and metrics.

    Parameters
    ----------
    result : Result
    folder : str or Path
        Made if need be; files of these names are replaced, all or none. Text that a spreadsheet
        would take for a formula begins with an apostrophe.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    DataError
        The disk refuses.
    """
    from workbench.backtest.export_tables import export_tables

    return export_tables(result, folder, "csv")


def to_parquet(result: Result, folder: str | Path) -> list[Path]:
    """Write the same tables as Parquet, with a `schema.json` that says what each column is.

    Parameters
    ----------
    result : Result
    folder : str or Path
        Made if need be; files of these names are replaced, all or none.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    DataError
        The disk refuses.
    """
    from workbench.backtest.export_tables import export_tables

    return export_tables(result, folder, "parquet")
