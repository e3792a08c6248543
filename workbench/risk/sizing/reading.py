"""Sizings as plain data: what rule files, archives and studies keep of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final

from workbench.errors import ConfigError
from workbench.risk.sizing.base import Sizing
from workbench.risk.sizing.caps import Caps
from workbench.risk.sizing.growth import Kelly, OptimalF
from workbench.risk.sizing.insurance import CPPI
from workbench.risk.sizing.plain import FixedCash, FixedQuantity, FixedRisk, PercentEquity
from workbench.risk.sizing.sharing import RiskParity
from workbench.risk.sizing.streaks import AntiMartingale, Pyramid
from workbench.risk.sizing.swings import PercentVolatility, VolatilityTarget

__all__ = ["KINDS", "sizing_of", "told"]

KINDS: Final[dict[str, type[Sizing]]] = {
    "anti_martingale": AntiMartingale,
    "cppi": CPPI,
    "fixed_cash": FixedCash,
    "fixed_quantity": FixedQuantity,
    "fixed_risk": FixedRisk,
    "kelly": Kelly,
    "optimal_f": OptimalF,
    "percent_equity": PercentEquity,
    "percent_volatility": PercentVolatility,
    "pyramid": Pyramid,
    "risk_parity": RiskParity,
    "volatility_target": VolatilityTarget,
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}


def sizing_of(said: Mapping[str, Any]) -> Sizing:
    """Make a sizing of plain data: its kind with its numbers, and `caps`.

    Parameters
    ----------
    said : mapping
        `{"percent_volatility": {"risk": 0.01}, "caps": {"position": 0.2}}`.

    Raises
    ------
    ConfigError
        There is no such kind or number, or one is out of range.

    Examples
    --------
    >>> sizing_of({"percent_volatility": {"risk": 0.02}, "caps": {"total": 1.0}})
    PercentVolatility(risk=0.02, caps=Caps(total=1.0))
    >>> sizing_of({"pyramid": {"base": {"fixed_cash": {"money": 500}}, "adds": 2}})
    Pyramid(base=FixedCash(money=500.0), adds=2)
    """
    kinds = [name for name in said if name != "caps"]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise ConfigError(f"sizing: {list(said)!r} is not one kind of sizing and caps; the kinds are {known}")
    kind = KINDS[kinds[0]]
    numbers = dict(said[kinds[0]])
    names = [one.name for one in fields(kind) if one.name != "caps"]
    for name in numbers:
        if name not in names:
            raise ConfigError(f"sizing: {kinds[0]} has no {name!r}; it has {', '.join(names)}", name=name)
    missing = [one.name for one in fields(kind) if one.name not in numbers and _wanted(one)]
    if missing:
        raise ConfigError(f"sizing: {kinds[0]} wants {' and '.join(missing)} too")
    if isinstance(numbers.get("base"), Mapping):
        numbers["base"] = sizing_of(numbers["base"])
    caps = said.get("caps")
    return kind(**numbers, **({} if caps is None else {"caps": _caps(caps)}))


def told(sizing: Sizing) -> dict[str, Any] | None:
    """Give a sizing as plain data, as `sizing_of` reads it; None for one of a user's own class.

    Examples
    --------
    >>> told(FixedCash(500.0))
    {'fixed_cash': {'money': 500.0}}
    """
    name = _NAMES.get(type(sizing))
    if name is None:
        return None
    numbers: dict[str, Any] = {}
    for one in fields(sizing):
        value = getattr(sizing, one.name)
        if one.name == "caps" or (one.default is not MISSING and value == one.default):
            continue
        numbers[one.name] = told(value) if isinstance(value, Sizing) else value
        if numbers[one.name] is None:
            return None
    said: dict[str, Any] = {name: numbers}
    caps = {one.name: getattr(sizing.caps, one.name) for one in fields(Caps)}
    usual = Caps()
    changed = {key: value for key, value in caps.items() if value != getattr(usual, key)}
    return {**said, "caps": changed} if changed else said


def _wanted(one: Any) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _caps(said: Any) -> Caps:
    names = [one.name for one in fields(Caps)]
    if not isinstance(said, Mapping):
        raise ConfigError(f"sizing: caps = {said!r}; give {', '.join(names)}, as in {{position: 0.2}}")
    for name in said:
        if name not in names:
            raise ConfigError(f"sizing: caps have no {name!r}; they have {', '.join(names)}", name=name)
    return Caps(**said)
