"""Parameter files: one strategy, its parameters, instruments, money and costs, in YAML that people edit.

`template_of` writes one for any strategy of the library, every parameter with its default, bounds and meaning;
`read_parameter_file` gives the strategy object and the settings back. A file holds values only: nothing in it is run.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.backtest.costs import Costs
from workbench.errors import ConfigError, WorkbenchError
from workbench.market.timeframe import Timeframe
from workbench.strategy import library
from workbench.strategy.library.series import usual_series
from workbench.strategy.loader import load_strategy
from workbench.strategy.parameterised import Parameterised
from workbench.strategy.parameters import Parameter

if TYPE_CHECKING:
    from workbench.market.bars import Bars
    from workbench.market.lake import Lake

__all__ = ["SeriesName", "TradingSettings", "read_parameter_file", "template_of"]

LIBRARY: Final = "library:"
_CHARGED: Final = {
    "fee": "of a market order, a fraction; null: the instrument's",
    "maker_fee": "of a resting order, a fraction; null: the instrument's",
    "slippage_bps": "basis points that a market order fills worse; null: half the instrument's spread",
    "volume_share": "share of a bar's volume that can be had",
}
_HEAD: Final = """\
# {title}: {summary}
#
# A parameter file. Change values, keep names; what is left out keeps its default. `null` is none.
strategy: {strategy}

parameters:
{parameters}
# A series each: its symbol and the length of a bar, and its venue where two have it: BTC/USDT 1h binance
instruments:
{instruments}
# Money before the first trade, in the currency that the instruments are paid for in
cash: 10000.0
# Notional for each unit of margin; 1.0 borrows nothing
leverage: 1.0

costs:
{costs}"""


@dataclass(frozen=True, slots=True)
class SeriesName:
    """One series: `str` gives it as a file writes it."""

    symbol: str
    timeframe: str
    venue: str | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.symbol, self.timeframe, self.venue)))


@dataclass(frozen=True, kw_only=True)
class TradingSettings:
    """What a strategy trades, and on which terms.

    Parameters
    ----------
    instruments : tuple of SeriesName
    cash, leverage : float
    costs : Costs
    """

    instruments: tuple[SeriesName, ...]
    cash: float = 10_000.0
    leverage: float = 1.0
    costs: Costs = Costs()  # noqa: RUF009

    def bars(self, lake: Lake) -> list[Bars]:
        """Read the series from a lake, in the order of the file."""
        return [lake.read(one.symbol, one.timeframe, venue=one.venue) for one in self.instruments]


class _File(BaseModel):
    """What the file holds. The description of a field is what an error message tells the user to write."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    strategy: str = Field(min_length=1, description="a name, such as library:grid")
    parameters: dict[str, Any] | None = Field(None, description="names and values, each on a line of its own")
    instruments: list[str] = Field(min_length=1, description='a list of series, such as "- BTC/USDT 1h"')
    cash: float = Field(10_000.0, gt=0, description="an amount above zero, such as 10000")
    leverage: float = Field(1.0, ge=1, description="a number of at least 1")
    costs: dict[str, Any] | None = Field(None, description="names and numbers, such as fee: 0.001")


def template_of(name: str) -> str:
    """Write a parameter file for a strategy of the library, with its defaults.

    Parameters
    ----------
    name : str
        Such as "grid" or "library:grid".

    Returns
    -------
    str
        YAML, with the bounds and the meaning of each parameter as comments.

    Raises
    ------
    StrategyError
        There is no such strategy.

    Examples
    --------
    >>> print(template_of("rebalancer").splitlines()[3])
    strategy: library:rebalancer
    """
    name = name.removeprefix(LIBRARY)
    cls = library.get(name)
    costs = Costs()
    return _HEAD.format(
        title=cls.__name__,
        summary=(cls.__doc__ or "").strip().splitlines()[0],
        strategy=LIBRARY + name,
        parameters="".join(map(_entry, cls.declared.values())),
        instruments="".join(f"  - {one}\n" for one in usual_series(name)),
        costs="".join(f"  # {words}\n  {one}: {_yaml(getattr(costs, one))}\n" for one, words in _CHARGED.items()),
    )


def _entry(one: Parameter) -> str:
    said = "; ".join(filter(None, (one.doc, _bounds(one))))
    return f"  # {said}\n  {one.name}: {_yaml(one.default)}\n"


def _bounds(one: Parameter) -> str:
    if one.kind is bool:
        return "true or false"
    none = " or null" if one.optional else ""
    if one.choices is not None:
        return "one of " + ", ".join(map(str, one.choices)) + none
    if one.low is not None and one.high is not None:
        return f"{one.low:g} to {one.high:g}{none}"
    return "text" + none


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value)).removesuffix("...\n").strip()


def read_parameter_file(path: str | Path) -> tuple[Parameterised, TradingSettings]:
    """Read a parameter file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    strategy : SignalStrategy or OrderStrategy
    settings : TradingSettings

    Raises
    ------
    ConfigError
        The file cannot be read, is no YAML, or says what nobody knows; the message names the file, the place and what
        would be accepted.
    StrategyError
        The strategy is unknown, or a parameter is none of its own or out of bounds.
    """
    where = Path(path).expanduser()
    said = _checked(where, _loaded(where))
    try:
        strategy = _class_of(said.strategy)(**(said.parameters or {}))
        series = tuple(_series(one) for one in said.instruments)
        costs = _costs(said.costs or {})
    except WorkbenchError as error:
        error.add_note(f"in the parameter file {where}")
        raise
    return strategy, TradingSettings(instruments=series, cash=said.cash, leverage=said.leverage, costs=costs)


def _class_of(name: str) -> type[Parameterised]:
    return library.get(name.removeprefix(LIBRARY)) if name.startswith(LIBRARY) else load_strategy(name)


def _loaded(where: Path) -> Any:
    import yaml

    class Once(yaml.SafeLoader):  # type: ignore[misc]
        """Values only, and a name at most once in a place."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            names = [key.value for key, _ in node.value]
            twice = next((key for key, _ in node.value if names.count(key.value) > 1), None)
            if twice is not None:
                raise yaml.MarkedYAMLError(problem=f"{twice.value!r} is there twice", problem_mark=twice.start_mark)
            return dict(super().construct_mapping(node, deep))

    try:
        text = where.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{where} cannot be read as a UTF-8 text file: {error}; `workbench bots template NAME --output FILE` "
            "writes one",
            path=str(where),
        ) from error
    try:
        return yaml.load(text, Loader=Once)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise ConfigError(
            f"{where}{at}: {problem}; a parameter file is YAML: `name: value` lines", path=str(where)
        ) from (error)


def _checked(where: Path, found: Any) -> _File:
    if not isinstance(found, dict):
        raise ConfigError(
            f"{where} holds a {type(found).__name__}, not names and values; it begins with `strategy: library:grid`",
            path=str(where),
        )
    try:
        return _File.model_validate(found)
    except ValidationError as error:
        problems = "; ".join(_problem(one) for one in error.errors())
        raise ConfigError(f"{where}: {problems}", path=str(where)) from error


def _problem(one: Any) -> str:
    name = str(one["loc"][0]) if one["loc"] else ""
    known = _File.model_fields
    if one["type"] == "extra_forbidden":
        return f"{name!r} is no setting; there is {', '.join(known)}"
    wanted = known[name].description if name in known else "something else"
    if one["type"] == "missing":
        return f"{name} is missing; write {wanted}"
    return f"{name} is {one['input']!r}; write {wanted}"


def _series(text: str) -> SeriesName:
    parts = text.split()
    if len(parts) not in (2, 3):
        raise ConfigError(
            f"instruments: {text!r} is no series; write a symbol and a length of bar, such as BTC/USDT 1h"
        )
    return SeriesName(parts[0], str(Timeframe.parse(parts[1])), *parts[2:])


def _costs(given: dict[str, Any]) -> Costs:
    try:
        return Costs(**given)
    except TypeError as error:
        known = ", ".join(Costs.__dataclass_fields__)
        raise ConfigError(f"costs: {', '.join(map(str, given))}: one of these is no cost; there is {known}") from error
