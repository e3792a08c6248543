"""Every indicator by its name: those of this package, the user's own, and the columns of `ta`.

An indicator of the package is in here because the module that defines its `Indicator` constant is named in `_MODULES`.
`register` takes the user's own, a plain function of arrays; it lasts as long as the process, or as a `with` block.
Names that start with `ta:` are handed to `ta_bridge`. Nothing is imported before the first look-up.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import TracebackType
from typing import Any, Final

from numpy.typing import ArrayLike

from workbench.errors import DataError, StrategyError
from workbench.indicators.indicator import GROUPS, Group, Indicator
from workbench.indicators.plain import from_function
from workbench.indicators.streaming import Stream

__all__ = ["Registered", "columns_of", "compute", "get", "names", "register", "stream", "unregister"]

_MODULES: Final = (
    "averages",
    "bar_oscillators",
    "bar_ranges",
    "candle_dojis",
    "candle_pairs",
    "candle_shapes",
    "candle_triples",
    "distribution",
    "extremes",
    "levels",
    "liquidity",
    "momentum",
    "money_flow",
    "moving",
    "order_flow",
    "order_statistics",
    "oscillators",
    "pairs",
    "persistence",
    "positions",
    "range_volatility",
    "regression",
    "return_volatility",
    "smoothed_rates",
    "squeezing",
    "stacked",
    "strength",
    "swings",
    "trend_averages",
    "trend_channels",
    "trend_direction",
    "trend_stops",
    "trend_strength",
    "volatility",
    "volatility_bands",
    "volume",
    "volume_averages",
    "volume_oscillators",
)
_BRIDGE: Final = "ta:"

_users: dict[str, Indicator] = {}


class Registered:
    """A user's indicator that is found by its name; as a context manager, until the block ends.

    Examples
    --------
    >>> def typical(high, low, close):
    ...     return (high + low + close) / 3.0
    >>> with register(typical) as indicator:
    ...     compute("typical", {"high": [3.0], "low": [1.0], "close": [2.0]})
    array([2.])
    """

    def __init__(self, indicator: Indicator, before: Indicator | None) -> None:
        self.indicator, self._before = indicator, before

    def __enter__(self) -> Indicator:
        return self.indicator

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _users.pop(self.indicator.name, None)
        if self._before is not None:
            _users[self.indicator.name] = self._before

    def __repr__(self) -> str:
        return f"<Registered {self.indicator!r}>"


@cache
def _own() -> Mapping[str, Indicator]:
    """The indicators of the package, by name, in the order of the groups."""
    found: dict[str, Indicator] = {}
    for module in _MODULES:
        values = vars(importlib.import_module(f"workbench.indicators.{module}")).values()
        found |= {value.name: value for value in values if isinstance(value, Indicator)}
    return dict(sorted(found.items(), key=lambda item: (GROUPS.index(item[1].group), item[0])))


def get(name: str, *, force: bool = False) -> Indicator:
    """Find an indicator by its name.

    Parameters
    ----------
    name : str
        Of this package (`rsi`), of the user's own, or of a column of `ta` (`ta:trend.kst`).
    force : bool, default False
        Give a column of `ta` though it looks ahead.

    Returns
    -------
    Indicator

    Raises
    ------
    StrategyError
        There is none of this name; the message has the nearest ones. Or a column of `ta` looks ahead.

    Examples
    --------
    >>> get("rsi")
    <Indicator rsi(close, length=14)>
    """
    if isinstance(name, str) and name.startswith(_BRIDGE):
        from workbench.indicators import ta_bridge

        return ta_bridge.get(name, force=force)
    found = _users.get(name) or _own().get(name)
    if found is None:
        near = difflib.get_close_matches(str(name), [*_own(), *_users], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`workbench indicators list` shows all"
        raise StrategyError(f"there is no indicator {name!r}; {hint}", value=name)
    return found


def names(group: str | None = None) -> tuple[str, ...]:
    """List the indicators.

    Parameters
    ----------
    group : str, optional
        One of `indicators.GROUPS`, `user` for those registered, or `ta` for the bridge. All but the bridge by default.

    Returns
    -------
    tuple of str
        Group by group, by name within.

    Raises
    ------
    StrategyError
        There is no such group.

    Examples
    --------
    >>> "atr" in names("volatility")
    True
    """
    if group == "ta":
        from workbench.indicators import ta_bridge

        return ta_bridge.names()
    if group not in (None, "user", *GROUPS):
        raise StrategyError(
            f"there is no group {group!r} of indicators; there are {', '.join((*GROUPS, 'user', 'ta'))}", value=group
        )
    found: Iterable[Indicator] = {**_own(), **_users}.values()
    return tuple(one.name for one in found if group in (None, one.group))


def compute(name: str, data: Any, *, force: bool = False, **parameters: Any) -> Any:
    """Compute an indicator by its name.

    Parameters
    ----------
    name : str
    data : Bars, DataFrame or mapping of columns, or one array or Series
        Columns are found by the names of the indicator's inputs; `values` is the close if there is no such column.
        One array or Series will do for an indicator of one input.
    force : bool, default False
        As for `get`.
    **parameters
        Those left out are at their default.

    Returns
    -------
    float64 array or Series, shape (n,), or the NamedTuple of several

    Raises
    ------
    DataError
        A column that the indicator reads is not there.
    StrategyError
        There is no such indicator, or a parameter is wrong.

    Examples
    --------
    >>> compute("sma", {"close": [1.0, 3.0, 5.0]}, length=2)
    array([nan,  2.,  4.])
    """
    indicator = get(name, force=force)
    return indicator(*columns_of(indicator, data), *indicator.parameters(**parameters))


def columns_of(indicator: Indicator, data: Any) -> list[ArrayLike]:
    """Give the columns that an indicator reads, in its order; see `compute` for `data`."""
    named = isinstance(data, Mapping) or hasattr(data, "columns") or hasattr(data, "close")
    if not named and len(indicator.inputs) == 1:
        return [data]
    return [_column(indicator, data, one) for one in indicator.inputs]


def _column(indicator: Indicator, data: Any, name: str) -> ArrayLike:
    for wanted in (name, "close") if name == "values" else (name,):
        table = isinstance(data, Mapping) or hasattr(data, "columns")
        value: Any = data.get(wanted) if table else getattr(data, wanted, None)
        if value is not None:
            return value  # type: ignore[no-any-return]
    raise DataError(
        f"{indicator.name}: there is no column {name!r}; it reads {', '.join(indicator.inputs)}",
        function=indicator.name, parameter=name,
    )  # fmt: skip


def stream(name: str, **parameters: Any) -> Stream:
    """Open a stream: the indicator told one row after another, with the bits of a whole series.

    Parameters
    ----------
    name : str
    **parameters
        Those left out are at their default.

    Returns
    -------
    Stream

    Raises
    ------
    StrategyError
        There is no such indicator, or a parameter is wrong.

    Examples
    --------
    >>> opened = stream("sma", length=2)
    >>> opened.update(1.0), opened.update(3.0)
    (nan, 2.0)
    """
    return Stream(get(name), **parameters)


def register(
    function: Callable[..., Any] | Indicator,
    *,
    group: Group = "user",
    first: Callable[..., tuple[int, ...]] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    outputs: tuple[str, ...] = (),
    replace: bool = False,
) -> Registered:
    """Take an indicator of the user's own, to be found by the name of its function.

    Parameters
    ----------
    function : callable, or a ready Indicator
        Takes float64 arrays, named as `indicators.INPUTS`, and then parameters, each with a default; gives an array as
        long as they are, or a tuple of `outputs`. Its docstring is the documentation.
    group : str, default "user"
    first : callable, optional
        `(*parameters) -> tuple of int`: the index of the first value of each output. Measured if it is not said.
    bounds : dict of (low, high), optional
        Of each number among the parameters: what is sensible to try.
    outputs : tuple of str, optional
        The names of several outputs.
    replace : bool, default False
        Take the place of an indicator of the same name.

    Returns
    -------
    Registered
        Usable as a context manager, which forgets the indicator at its end.

    Raises
    ------
    StrategyError
        The name is taken, an input has another name than `indicators.INPUTS`, or there is none.

    Notes
    -----
    It is not known how to go on with a plain function from a row: a stream computes all rows so far again, which gives
    the same bits and takes longer. Whether it looks ahead is for `wb.check` to find out.

    Examples
    --------
    >>> def spread(high, low, factor=1.0):
    ...     return factor * (high - low)
    >>> with register(spread, bounds={"factor": (0.5, 2.0)}):
    ...     compute("spread", {"high": [3.0, 5.0], "low": [1.0, 2.0]}, factor=2.0)
    array([4., 6.])
    """
    if isinstance(function, Indicator):
        indicator = function
    else:
        indicator = from_function(function, group=group, first=first, bounds=bounds or {}, outputs=outputs)
    name = indicator.name
    if not replace and (name in _users or name in _own()):
        raise StrategyError(
            f"there is an indicator {name!r} already; rename the function, or say replace=True", value=name
        )
    before, _users[name] = _users.get(name), indicator
    return Registered(indicator, before)


def unregister(name: str) -> None:
    """Forget an indicator of the user's own; one of the package that it replaced is found again.

    Raises
    ------
    StrategyError
        None of this name is registered.
    """
    if name not in _users:
        known = ", ".join(_users) or "none is registered"
        raise StrategyError(f"{name!r} is no registered indicator of the user's own: {known}", value=name)
    del _users[name]
