"""`Caps`: the most that a position, a group of instruments and all positions together may be worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NamedTuple

from workbench.errors import ConfigError
from workbench.risk.sizing.state import SizingState

__all__ = ["Caps", "Room"]


class Room(NamedTuple):
    """How much value may still be bought or sold, and which cap says so ("" for none)."""

    value: float
    cap: str


@dataclass(frozen=True, kw_only=True)
class Caps:
    """The most that may be held, as fractions of equity, whatever the leverage.

    Parameters
    ----------
    position : float or None, default 0.2
        Value of one position, what is on order counted; None for no cap. More than 1 is allowed with leverage.
    group : float, or mapping of group to float, optional
        Value of the positions of one group together, long and short added up.
    total : float, optional
        Value of all positions together, long and short added up.
    groups : mapping of symbol to str
        The group of each instrument that is in one; others are in none.

    Raises
    ------
    ConfigError
        A cap is not positive, or there is a cap of groups and nothing is said of which instrument is in which.

    Examples
    --------
    >>> Caps(position=0.25, total=1.0)
    Caps(position=0.25, total=1.0)
    >>> Caps(group=0.5, groups={"BTC/USDT": "majors", "ETH/USDT": "majors"}).room(
    ...     SizingState(equity=1_000.0, price=10.0, symbol="BTC/USDT", exposures={"ETH/USDT": 400.0})
    ... )
    Room(value=100.0, cap='group')
    """

    position: float | None = 0.2
    group: float | Mapping[str, float] | None = None
    total: float | None = None
    groups: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("position", "total"):
            object.__setattr__(self, name, _fraction(name, getattr(self, name)))
        if isinstance(self.group, Mapping):
            caps = {str(name): _fraction(f"group {name!r}", one) for name, one in self.group.items()}
            object.__setattr__(self, "group", {name: one for name, one in caps.items() if one is not None})
        else:
            object.__setattr__(self, "group", _fraction("group", self.group))
        if not isinstance(self.groups, Mapping) or not all(isinstance(one, str) for one in self.groups.values()):
            raise ConfigError(
                f"Caps: groups = {self.groups!r}; give the group of each symbol, {{'BTC/USDT': 'majors'}}"
            )
        object.__setattr__(self, "groups", dict(self.groups))
        if self.group is not None and not self.groups:
            raise ConfigError(
                "Caps: there is a cap of groups, but no groups; say groups={'BTC/USDT': 'majors', ...}", name="groups"
            )

    def __hash__(self) -> int:
        group = tuple(sorted(self.group.items())) if isinstance(self.group, Mapping) else self.group
        return hash((self.position, group, self.total, tuple(sorted(self.groups.items()))))

    def __repr__(self) -> str:
        usual: dict[str, Any] = {"position": 0.2, "group": None, "total": None, "groups": {}}
        said = [f"{name}={value!r}" for name, one in usual.items() if (value := getattr(self, name)) != one]
        return f"Caps({', '.join(said)})"

    @property
    def shared(self) -> bool:
        """Whether a cap looks at other positions too."""
        return self.group is not None or self.total is not None

    def room(self, state: SizingState) -> Room:
        """Give how much value may still be added to a position."""
        held, equity = state.exposures, max(state.equity, 0.0)
        rooms = []
        if self.position is not None:
            rooms.append(Room(self.position * equity - held.get(state.symbol, 0.0), "position"))
        mine = self.groups.get(state.symbol)
        cap = self.group.get(mine or "") if isinstance(self.group, Mapping) else self.group
        if mine is not None and cap is not None:
            others = math.fsum(value for symbol, value in held.items() if self.groups.get(symbol) == mine)
            rooms.append(Room(cap * equity - others, "group"))
        if self.total is not None:
            rooms.append(Room(self.total * equity - math.fsum(held.values()), "total"))
        return min(rooms, key=lambda one: one.value, default=Room(math.inf, ""))


def _fraction(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 < float(value) < math.inf:
        raise ConfigError(
            f"Caps: {name} = {value!r}; give a fraction of equity above 0 (0.2 is 20 %), or None for no cap", name=name
        )
    return float(value)
