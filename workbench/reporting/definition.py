"""What a report consists of, as `reports/NAME.toml` says it: which notebooks, over which strategies and series.

Read and checked against the schema here, every mistake of the file in one error; whether the notebooks, strategies and
series exist is the business of `plan`. The report is named after its file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError, field_validator

from workbench.errors import ConfigError, WorkbenchError
from workbench.market.bars import to_ms
from workbench.market.timeframe import Timeframe
from workbench.settings import Settings

__all__ = [
    "Definition",
    "ReportFile",
    "RunTable",
    "SeriesEntry",
    "StrategyEntry",
    "SummaryTable",
    "all_problems",
    "load_definition",
]

_MOST_SHOWN: Final = 25


class _Table(BaseModel):
    """One table of the file. The description of a field is what an error message tells the user to write."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


_Parameters = Annotated[dict[str, Any], Field(description="a table, such as { cash = 10_000 }")]


class StrategyEntry(_Table):
    """One strategy: `"sma_cross"`, or `{ name = "sma_cross", parameters = { fast = 20 } }`."""

    name: str = Field(min_length=1, description='the name of a strategy, such as "sma_cross"')
    parameters: _Parameters = {}


class SeriesEntry(_Table):
    """One series of the lake: `"BTC/USDT 1h"`, or `{ symbol = "BTC/USDT", timeframe = "1h", venue = "binance" }`."""

    symbol: str = Field(min_length=1, description='a symbol, such as "BTC/USDT"')
    timeframe: str = Field(description='the length of a bar, such as "1h"')
    venue: str | None = Field(None, min_length=1, description='a venue, such as "binance"')

    @field_validator("timeframe")
    @classmethod
    def _is_a_timeframe(cls, value: str) -> str:
        try:
            return str(Timeframe.parse(value))
        except WorkbenchError as error:
            raise ValueError(str(error)) from error


def _strategy_from_text(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _series_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    symbol, _, timeframe = value.strip().rpartition(" ")
    if not symbol:
        raise ValueError('write a symbol and the length of a bar, such as "BTC/USDT 1h"')
    return {"symbol": symbol.strip(), "timeframe": timeframe}


def _moment_as_text(value: Any) -> Any:
    if not isinstance(value, str | date | datetime):
        return value
    try:
        to_ms(value)
    except WorkbenchError as error:
        raise ValueError(str(error)) from error
    return value if isinstance(value, str) else value.isoformat()


_Moment = Annotated[
    str | None, BeforeValidator(_moment_as_text), Field(description="a day or time, such as 2021-01-31")
]


class RunTable(_Table):
    """One `[[runs]]` table: a notebook for each pair of its strategies and series.

    Parameters
    ----------
    notebook : str
        Of the notebooks folder.
    strategies, series : tuple
        One that is left out is not varied over: the notebook's own default holds.
    start, end : str, optional
        The part of the series to use, UTC.
    parameters : dict
        Further parameters of the notebook.
    label : str
        Put before the names of the runs; tells the runs of two such tables apart.
    """

    notebook: str = Field("backtest", min_length=1, description='the name of a notebook, such as "backtest"')
    strategies: Annotated[tuple[Annotated[StrategyEntry, BeforeValidator(_strategy_from_text)], ...], Strict(False)] = (
        Field((), min_length=1, description='a list of names, such as ["sma_cross"], or leave it out')
    )
    series: Annotated[tuple[Annotated[SeriesEntry, BeforeValidator(_series_from_text)], ...], Strict(False)] = Field(
        (), min_length=1, description='a list of series, such as ["BTC/USDT 1h"], or leave it out'
    )
    start: _Moment = None
    end: _Moment = None
    parameters: _Parameters = {}
    label: str = Field("", description="a short text")


class SummaryTable(_Table):
    """One `[[summary]]` table: a notebook that is run when all others are done."""

    notebook: str = Field(min_length=1, description='the name of a notebook, such as "nightly"')
    parameters: _Parameters = {}


class ReportTable(_Table):
    """`[report]`: what concerns the whole.

    Parameters
    ----------
    title : str
        The heading of the index; made from the name when left out.
    timeout_s : float, optional
        Longest time for one notebook, in seconds; the setting of the workspace when left out.
    workers : int, optional
        Notebooks at the same time; the setting of the workspace when left out.
    keep : int
        How many batches stay on disk; older ones are deleted.
    """

    title: str = Field("", description="a text")
    timeout_s: float | None = Field(None, gt=0, description="a positive number of seconds, such as 120")
    workers: int | None = Field(None, ge=1, le=64, description="a whole number from 1 to 64")
    keep: int = Field(30, ge=1, description="a whole number of at least 1")


class Definition(_Table):
    """The whole file."""

    report: ReportTable = Field(ReportTable(), description="a table, written as [report]")
    runs: Annotated[tuple[RunTable, ...], Strict(False)] = Field((), description="tables, each written as [[runs]]")
    summary: Annotated[tuple[SummaryTable, ...], Strict(False)] = Field(
        (), description="tables, each written as [[summary]]"
    )


_INSIDE: Final[dict[str, type[_Table]]] = {
    "report": ReportTable,
    "runs": RunTable,
    "summary": SummaryTable,
    "strategies": StrategyEntry,
    "series": SeriesEntry,
}
_HEADS: Final = {"report": "[report]", "runs": "[[runs]]", "summary": "[[summary]]"}
_ITEMS: Final = {
    "runs": "a table, written as [[runs]]",
    "summary": "a table, written as [[summary]]",
    "strategies": 'a name, such as "sma_cross", or a table such as { name = "sma_cross", parameters = { fast = 20 } }',
    "series": 'a series, such as "BTC/USDT 1h", or a table such as { symbol = "BTC/USDT", timeframe = "1h" }',
}


@dataclass(frozen=True, kw_only=True)
class ReportFile:
    """A definition and the file that it was read from."""

    name: str
    path: Path
    definition: Definition

    @property
    def title(self) -> str:
        """The heading of the report."""
        return self.definition.report.title or self.name.replace("_", " ").replace("-", " ").capitalize()


def load_definition(name: str, settings: Settings) -> ReportFile:
    """Read `NAME.toml` of the workspace's folder of reports.

    Raises
    ------
    ConfigError
        There is no such file, it is not TOML, or keys or values are wrong: all of them are listed.
    """
    path = settings.reports / f"{name}.toml"
    known = sorted(found.stem for found in settings.reports.glob("*.toml"))
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        there = f"did you mean {close[0]!r}" if close else f"there is {', '.join(known) or 'none'}"
        raise ConfigError(
            f"there is no report {name!r} in {settings.reports} ({there}); a report is defined by a file "
            "NAME.toml there",
            name=name,
            known=known,
        )
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as UTF-8 text: {error}", path=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; mend it there", path=str(path)) from error
    try:
        return ReportFile(name=name, path=path, definition=Definition.model_validate(document))
    except ValidationError as error:
        raise all_problems(path, [_in_words(one) for one in error.errors(include_url=False)]) from error


def all_problems(path: Path, problems: Sequence[str]) -> ConfigError:
    """Make one error of everything that is wrong with a report's file."""
    found = list(dict.fromkeys(problems))
    if len(found) == 1:
        return ConfigError(f"{path}: {found[0]}", path=str(path), problems=found)
    shown = "\n".join(f"  - {problem}" for problem in found[:_MOST_SHOWN])
    more = f"\n  and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
    return ConfigError(
        f"{path}: {len(found)} problems; nothing was started\n{shown}{more}", path=str(path), problems=found
    )


def _in_words(error: Any) -> str:
    """Say where one mistake stands, what is there and what to write instead."""
    model: type[_Table] = Definition
    where, key, last = "", "", error["loc"][-1]
    for part in error["loc"]:
        if isinstance(part, int):
            where += f" number {part + 1}"
        else:
            model = _INSIDE.get(key, model)
            where += f"{', ' if where else ''}{_HEADS.get(part, part) if model is Definition else part}"
            key = part
    field = model.model_fields.get(key)
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, model.model_fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(model.model_fields)}"
        return f"{where} is no key that is known ({hint}); remove it or rename it"
    if error["type"] == "value_error":
        return f"{where} is {error['input']!r}: {error['ctx']['error']}"
    wanted = _ITEMS.get(key, "a text") if isinstance(last, int) else field.description if field else "a table"
    if error["type"] == "missing":
        return f"{where} is missing; it must be {wanted}"
    return f"{where} is {error['input']!r}; it must be {wanted}"
