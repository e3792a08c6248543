"""Options in one row for the user, apart for the parts: what belongs to the search, the walk, the backtest."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from workbench.backtest.run import backtest
from workbench.errors import ConfigError

__all__ = ["split_options", "with_options"]

T = TypeVar("T")

_BACKTEST: Final = tuple(
    name for name, one in inspect.signature(backtest).parameters.items() if one.kind is one.KEYWORD_ONLY
)


def split_options(given: Mapping[str, Any], *kinds: type) -> tuple[dict[str, Any], ...]:
    """Tell options apart by the dataclass that has a field of the name; what is left must be one of a backtest.

    Returns
    -------
    tuple of dict
        One a kind, then that of the backtest.

    Raises
    ------
    ConfigError
        Nothing has an option of that name.
    """
    names = [{one.name for one in dataclasses.fields(kind)} for kind in kinds]
    found: list[dict[str, Any]] = [{} for _ in (*kinds, None)]
    for name, value in given.items():
        place = next((k for k, known in enumerate(names) if name in known), len(kinds))
        if place == len(kinds) and name not in _BACKTEST:
            every = [*(name for known in names for name in sorted(known)), *_BACKTEST]
            near = difflib.get_close_matches(name, every, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(f"there is no option {name!r}: {hint}there are {', '.join(every)}", name=name)
        found[place][name] = value
    return tuple(found)


def with_options(base: T | None, kind: type[T], options: Mapping[str, Any]) -> T:
    """Give the options as their dataclass, those that are named going before those in `base`."""
    if base is not None and not isinstance(base, kind):
        raise ConfigError(f"{kind.__name__.lower()} is a {type(base).__name__}: give a {kind.__name__}(...)")
    if base is None:
        return kind(**options)
    return dataclasses.replace(base, **options)  # type: ignore[type-var]
