"""A plan and its records as tables and plain data, and back, bit for bit.

Arrays go into Parquet, one row group for each instrument; numbers and names into plain JSON data, where a float that is
not finite is written as `{"float": "nan"}`. A strategy's code is never written: its name, parameters and hash are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.plan import ExitTerms, Guards, Line, Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, SKIP_FIELDS, Records
from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.instrument import Instrument
from workbench.market.ticks import Ticks
from workbench.market.timeframe import Timeframe
from workbench.risk.limits import Limits
from workbench.risk.sizing import Sizing, sizing_of, told
from workbench.strategy.signals import Signals
from workbench.trading.risk_engine import Decision
from workbench.trading.terms import AccountTerms, CostTerms, Lots

__all__ = ["LoadedStrategy", "decoded", "encoded", "packed_plan", "packed_records", "unpacked_plan", "unpacked_records"]

Array = NDArray[Any]
T = TypeVar("T")

_BARS: Final = ("ts", *COLUMNS)
_OF_BASE: Final = (*_BARS, "word")
_WORDS: Final = ("entry", "exit", "short_entry", "short_exit")
_NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")
_SIGNALS: Final = (*_WORDS, *_NUMBERS)
_FUNDING: Final = ("funding_ts", "funding_rate", "funding_mark")
_TICKS: Final = ("ts", "price", "quantity", "side")
_FACTS: Final = ("margined", "inverse", "contract_size", "leverage")
_TERMS: Final = ("cash", "at_close", "path_inside", "limit_fill", "latency_ms", "max_positions")
_TABLES: Final = {"fills": FILL_FIELDS, "funding": FUNDING_FIELDS, "skipped": SKIP_FIELDS}


@dataclass(frozen=True)
class LoadedStrategy:
    """What is known of the strategy of a result that was read from a file: it cannot be run.

    Parameters
    ----------
    name : str
        As it was written in code, with its parameters.
    parameters : mapping
    code_hash : str
        Hash of the source it was written in.
    """

    name: str
    parameters: Mapping[str, Any]
    code_hash: str

    def __repr__(self) -> str:
        return self.name


def encoded(value: Any) -> Any:
    """Give plain data that JSON can hold: tuples as lists, numpy's numbers as Python's, NaN and infinities marked."""
    if isinstance(value, Mapping):
        return {str(key): encoded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return encoded(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def decoded(value: Any) -> Any:
    """Give back what `encoded` was given, with lists where there were tuples."""
    if isinstance(value, dict):
        return float(value["float"]) if value.keys() == {"float"} else {key: decoded(one) for key, one in value.items()}
    return [decoded(one) for one in value] if isinstance(value, list) else value


# Tables: one row group a part, with a column for whatever any of the parts has

Part = Mapping[str, Array]


def _packed(parts: Sequence[Part]) -> tuple[list[dict[str, Any]], bytes]:
    """Pack parts, each of columns of one length; single values may stand beside them and go into the plain data."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    long = [{name: values for name, values in part.items() if len(values) > 1} for part in parts]
    kinds = {name: pa.from_numpy_dtype(values.dtype) for part in long for name, values in part.items()}
    sink = pa.BufferOutputStream()
    facts = []
    with pq.ParquetWriter(sink, pa.schema(list(kinds.items())), compression="zstd") as writer:
        for part, columns in zip(parts, long, strict=True):
            rows = len(next(iter(columns.values()))) if columns else 0
            single = {
                name: {"dtype": str(values.dtype), "values": encoded(values)}
                for name, values in part.items()
                if name not in columns
            }
            facts.append({"rows": rows, "single": single})
            if rows:
                arrays = [pa.array(columns[n]) if n in columns else pa.nulls(rows, kinds[n]) for n in kinds]
                writer.write_table(pa.Table.from_arrays(arrays, names=list(kinds)), row_group_size=rows)
    return facts, sink.getvalue().to_pybytes()


def _unpacked(facts: Sequence[Mapping[str, Any]], data: bytes) -> list[dict[str, Array]]:
    """Read what `_packed` gave; columns that a part did not have are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file, group, found = pq.ParquetFile(pa.BufferReader(data)), 0, []
    for one in facts:
        part = {
            name: _locked(np.array(decoded(said["values"]), dtype=said["dtype"]))
            for name, said in one["single"].items()
        }
        if one["rows"]:
            table = file.read_row_group(group)
            group += 1
            part |= {
                name: _locked(table.column(name).to_numpy())
                for name in table.column_names
                if table.column(name).null_count == 0
            }
        found.append(part)
    return found


def _locked(values: Array) -> Array:
    array = np.ascontiguousarray(values)
    array.flags.writeable = False
    return array


# Plans


def packed_plan(plan: Plan) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Give a plan as plain data and files."""
    series = [*(line.bars for line in plan.lines), *plan.extra]
    parts = {
        "bars": [_columns(bars, *_BARS, *(["filled"] if bars.filled is not None else [])) for bars in series],
        "base": [_columns(line, "span", "sigma", *_OF_BASE[: 0 if line.word is None else None]) for line in plan.lines],
        "signals": [{} if line.signals is None else _columns(line.signals, *_SIGNALS) for line in plan.lines],
        "stops": [_columns(line, "stop_price") if line.signals is None else {} for line in plan.lines],
        "rates": [_columns(line, *_FUNDING) for line in plan.lines],
        "ticks": [_columns(one, *_TICKS) for one in plan.ticks],
    }
    packed = {name: _packed(some) for name, some in parts.items()}
    content = {
        "strategy": _packed_strategy(plan),
        "series": [_packed_series(bars) for bars in series],
        "lines": [_packed_line(line) for line in plan.lines],
        "tick_instruments": [encoded(one.instrument.to_dict()) for one in plan.ticks],
        "account": encoded(plan.account._asdict()),
        "exits": _packed_arrays(plan.exits),
        "guards": _packed_arrays(plan.guards),
        "terms": {name: encoded(getattr(plan, name)) for name in _TERMS},
        **({} if plan.sizing is None else {"sizing": encoded(told(plan.sizing))}),
        "parts": {name: facts for name, (facts, _) in packed.items()},
    }
    if plan.limits is not None:
        content["limits"] = encoded(plan.limits.to_dict())
    return content, {f"{name}.parquet": data for name, (_, data) in packed.items()}


def _columns(owner: Any, *names: str) -> dict[str, Array]:
    return {name: getattr(owner, name) for name in names}


def _packed_strategy(plan: Plan) -> dict[str, Any]:
    said = plan.strategy
    if isinstance(said, (Signals, Mapping)):
        return {"kind": "signals" if isinstance(said, Signals) else "signals by symbol"}
    return {
        "kind": "strategy",
        "name": repr(said),
        "parameters": encoded(getattr(said, "parameters", {})),
        "code_hash": getattr(said, "code_hash", ""),
    }


def _packed_series(bars: Bars) -> dict[str, Any]:
    return {
        "instrument": encoded(bars.instrument.to_dict()),
        "timeframe": str(bars.timeframe),
        "provenance": encoded(dict(bars.provenance)),
        "fingerprint": bars.fingerprint,
    }


def _packed_line(line: Line) -> dict[str, Any]:
    said = line.signals
    return {
        "detail": line.word is not None,
        "tiers": encoded(line.tiers),
        "lots": encoded(line.lots._asdict()),
        "costs": encoded(line.costs._asdict()),
        **{name: encoded(getattr(line, name)) for name in _FACTS},
        "signals": None if said is None else {
            "size_unit": said.size_unit,
            "max_bars": said.max_bars,
            "roi": None if said.roi is None else encoded(list(said.roi.items())),
        },
    }  # fmt: skip


def _packed_arrays(owner: Any) -> dict[str, Any]:
    """Give a dataclass of arrays and numbers as plain data, with the type and shape of each array."""
    found = {}
    for name, value in vars(owner).items():
        array = isinstance(value, np.ndarray)
        found[name] = (
            {"dtype": str(value.dtype), "shape": value.shape, "values": encoded(value.ravel())} if array else value
        )
    return found


def _unpacked_arrays(kind: type[T], told: Mapping[str, Any]) -> T:
    return kind(
        **{
            name: _locked(np.array(decoded(value["values"]), dtype=value["dtype"]).reshape(value["shape"]))
            if isinstance(value, dict)
            else value
            for name, value in told.items()
        }
    )


def unpacked_plan(content: Mapping[str, Any], files: Mapping[str, bytes]) -> Plan:
    """Read what `packed_plan` gave.

    Raises
    ------
    DataError
        The bars are not those that were written.
    """
    parts = {name: _unpacked(facts, files[f"{name}.parquet"]) for name, facts in content["parts"].items()}
    series = [_unpacked_series(*pair) for pair in zip(content["series"], parts["bars"], strict=True)]
    lines = tuple(
        _unpacked_line(facts, series[k], {name: parts[name][k] for name in ("base", "signals", "stops", "rates")})
        for k, facts in enumerate(content["lines"])
    )
    ticks = zip(content["tick_instruments"], parts["ticks"], strict=True)
    return Plan(
        strategy=_unpacked_strategy(content["strategy"], lines),
        lines=lines,
        extra=tuple(series[len(lines) :]),
        ticks=tuple(Ticks(instrument=_instrument(facts), **columns) for facts, columns in ticks),
        account=AccountTerms(**decoded(content["account"])),
        exits=_unpacked_arrays(ExitTerms, content["exits"]),
        guards=_unpacked_arrays(Guards, content["guards"]),
        sizing=_unpacked_sizing(content.get("sizing")),
        limits=Limits.from_dict(decoded(content["limits"])) if "limits" in content else None,
        **decoded(content["terms"]),
    )


def _unpacked_sizing(said: Any) -> Sizing | None:
    """Read a sizing; None where there was none, or one of a user's own class."""
    plain = None if said is None else decoded(said)
    return None if plain is None else sizing_of(plain)


def _unpacked_strategy(facts: Mapping[str, Any], lines: Sequence[Line]) -> Any:
    if facts["kind"] == "signals":
        return lines[0].signals
    if facts["kind"] == "signals by symbol":
        return {line.bars.symbol: line.signals for line in lines}
    return LoadedStrategy(facts["name"], decoded(facts["parameters"]), facts["code_hash"])


def _instrument(facts: Any) -> Instrument:
    return Instrument.from_dict(decoded(facts))


def _unpacked_series(facts: Mapping[str, Any], columns: Part) -> Bars:
    bars = Bars(
        instrument=_instrument(facts["instrument"]),
        timeframe=Timeframe.parse(facts["timeframe"]),
        provenance=decoded(facts["provenance"]),
        **columns,
    )
    if bars.fingerprint != facts["fingerprint"]:
        raise DataError(f"the saved bars of {bars.symbol} {bars.timeframe} are not those of the result; save it again")
    return bars


def _unpacked_line(facts: Mapping[str, Any], bars: Bars, parts: Mapping[str, Part]) -> Line:
    said = facts["signals"]
    signals = None if said is None else _unpacked_signals(said, parts["signals"])
    base: dict[str, Any] = (
        dict(parts["base"]) if facts["detail"] else {**_columns(bars, *_OF_BASE[:-1]), "word": None, **parts["base"]}
    )
    stops = parts["stops"]["stop_price"] if signals is None else signals.stop_price
    tiers = _locked(np.array(decoded(facts["tiers"]), dtype=np.float64).reshape(-1, 4))
    return Line(
        bars=bars,
        **base,
        funding_ts=parts["rates"]["funding_ts"],
        funding_rate=parts["rates"]["funding_rate"],
        funding_mark=parts["rates"]["funding_mark"],
        signals=signals,
        stop_price=stops,
        tiers=tiers,
        lots=Lots(**decoded(facts["lots"])),
        costs=CostTerms(**decoded(facts["costs"])),
        **{name: decoded(facts[name]) for name in _FACTS},
    )


def _unpacked_signals(facts: Mapping[str, Any], columns: Part) -> Signals:
    roi = None if facts["roi"] is None else dict(decoded(facts["roi"]))
    numbers = {name: columns[name].item() if len(columns[name]) == 1 else columns[name] for name in _NUMBERS}
    words = {name: columns[name] for name in _WORDS}
    return Signals(**words, **numbers, size_unit=facts["size_unit"], max_bars=facts["max_bars"], roi=roi)


# Records


def packed_records(records: Records) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Give records as plain data and files."""
    parts = [
        dict(zip(names, np.ascontiguousarray(getattr(records, table).T), strict=True))
        for table, names in _TABLES.items()
    ]
    packed = {table: _packed([part]) for table, part in zip(_TABLES, parts, strict=True)}
    packed["equity"] = _packed([{"ts": records.ts, "equity": records.equity}])
    orders = "\n".join(json.dumps(encoded(order), allow_nan=False) for order in records.orders)
    sizes = "\n".join(json.dumps(encoded(one), allow_nan=False) for one in records.sizes)
    content = {
        "path": records.path,
        "tags": list(records.tags),
        "tables": {name: facts for name, (facts, _) in packed.items()},
    }
    if records.limits:
        content["limits"] = [encoded(one._asdict()) for one in records.limits]
    lists = {"orders.jsonl": orders.encode(), **({"sizes.jsonl": sizes.encode()} if sizes else {})}
    return content, {**{f"{name}.parquet": data for name, (_, data) in packed.items()}, **lists}


def unpacked_records(content: Mapping[str, Any], files: Mapping[str, bytes]) -> Records:
    """Read what `packed_records` gave."""
    told = content["tables"]
    tables = {
        table: _locked(np.column_stack([_unpacked(told[table], files[f"{table}.parquet"])[0][name] for name in names]))
        for table, names in _TABLES.items()
    }
    curve = _unpacked(told["equity"], files["equity.parquet"])[0]
    orders = [decoded(json.loads(line)) for line in files["orders.jsonl"].decode().splitlines()]
    sizes = [decoded(json.loads(line)) for line in files.get("sizes.jsonl", b"").decode().splitlines()]
    told_of: dict[str, Any] = {**tables, **curve, "tags": list(content["tags"]), "orders": orders, "sizes": sizes}
    told_of["limits"] = [Decision(**decoded(one)) for one in content.get("limits", ())]
    return Records(path=content["path"], **told_of)
