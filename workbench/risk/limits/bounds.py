"""`Limits`: how far each thing may go and what is done beyond, as frozen values, and ready-made profiles.

Nothing is limited in `Limits()`; `Limits.profile("default")` limits everything. A bare number stands for a `Bound` with
the usual action of its rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, Final

from workbench.errors import ConfigError
from workbench.risk.limits.hours import windows_of
from workbench.risk.limits.rules import ACTIONS, EQUITY_RULES, PLACE, RULES, Action, Rule

__all__ = ["PROFILES", "Bound", "Limits"]

_HOUR: Final = 3_600_000


@dataclass(frozen=True)
class Bound:
    """How far something may go.

    Parameters
    ----------
    at : float
        In the unit of its rule (`wb.risk.limits.RULES`): fractions, times the equity, counts, ms.
    action : {"warn", "reject", "reduce", "flatten"}, optional
        Beyond it, an order is let through with a warning, refused, or made as small as fits; "flatten" closes all
        positions, cancels entries and halts until the next day (or week; until somebody resumes it where the limit is
        on drawdown or capital). Of limits on the equity "reduce" allows nothing but reductions for that time, "reject"
        only as long as the value is beyond.
    warn : float, optional
        From here on there is a warning; below `at`.

    Raises
    ------
    ConfigError
        A number is not finite or below 0, or the action is none of these.
    """

    at: float
    action: Action | None = None
    warn: float | None = None

    def __post_init__(self) -> None:
        for name in ("at", "warn"):
            value: Any = getattr(self, name)
            if value is None and name == "warn":
                continue
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not 0.0 <= float(value) < math.inf:
                raise ConfigError(f"Bound: {name} = {value!r}; give a number from 0 on", name=name, value=value)
            object.__setattr__(self, name, float(value))
        if self.action is not None and self.action not in ACTIONS:
            raise ConfigError(f"Bound: action = {self.action!r} is not one of {', '.join(ACTIONS)}", name="action")
        if self.warn is not None and self.warn > self.at:
            raise ConfigError(f"Bound: warn = {self.warn:g} is beyond at = {self.at:g}: warn earlier", name="warn")


Given = Bound | float | None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on risk; what is left out is not limited. Losses and exposures are fractions (of the equity).

    Parameters
    ----------
    daily_loss, weekly_loss : Bound or float, optional
        Fall of the equity since the day (the week, from Monday) began in UTC; flattens and halts until the next one.
    max_drawdown : Bound or float, optional
        Fall of the equity from its highest; pauses (only reductions) until somebody resumes.
    capital_depletion : Bound or float, optional
        Part of all capital paid in that is lost; flattens and halts until somebody resumes.
    gross_exposure, net_exposure, instrument_exposure, group_exposure, concentration : Bound or float, optional
        Value over equity: of all, of long less short, of one instrument, of each of `groups`, of one base asset. Orders
        that work count as if they were filled. Orders are made smaller to fit.
    max_positions, max_positions_total : Bound or int, optional
        Open positions of this bot, and of all bots together.
    leverage : Bound or float, optional
        At which an instrument may be traded.
    order_value, order_cash : Bound or float, optional
        Value of one order over equity, and in the currency of the account.
    price_distance : Bound or float, optional
        Of limit and trigger prices from the last price, a fraction.
    orders_per_minute : Bound or int, optional
        Orders and amendments.
    correlated_positions : Bound or int, optional
        Positions whose returns correlate above `correlation_at` with the new one's, itself counted.
    stale_data_ms : Bound or int, optional
        Age of the newest price, and of the last bar beyond its own length.
    spread, volatility_halt : Bound or float, optional
        Best ask less best bid over their middle; range of the price within `volatility_window_ms` (by the square root
        of time where the bars are longer).
    losing_trades : Bound or int, optional
        Losing trades in a row of an instrument, which is then left alone for `losing_pause_ms`.
    trading_hours : str, or tuple of str, optional
        When positions may be opened, such as "mon-fri 08:00-17:00" (UTC); of several all must hold.
    groups : mapping of name to symbols, optional
        For `group_exposure`.
    correlation_at : float, default 0.7
    correlation_bars : int, default 100
        Returns that a correlation is made of; at least 20 must be known.
    volatility_window_ms : int, default one hour
    losing_pause_ms : int, default one day
    pause_ms : int, optional
        How long max_drawdown and capital_depletion hold; after that they are reckoned anew from the equity of then.
        Left out: until somebody resumes, which in a backtest nobody does, so that nothing is opened in the rest of it.

    Raises
    ------
    ConfigError
        A value is out of range, or its action does not go with the limit.

    Examples
    --------
    >>> Limits(daily_loss=0.03).daily_loss
    Bound(at=0.03, action='flatten', warn=None)
    """

    daily_loss: Given = None
    weekly_loss: Given = None
    max_drawdown: Given = None
    capital_depletion: Given = None
    gross_exposure: Given = None
    net_exposure: Given = None
    instrument_exposure: Given = None
    group_exposure: Given = None
    concentration: Given = None
    max_positions: Given = None
    max_positions_total: Given = None
    leverage: Given = None
    order_value: Given = None
    order_cash: Given = None
    price_distance: Given = None
    orders_per_minute: Given = None
    correlated_positions: Given = None
    stale_data_ms: Given = None
    spread: Given = None
    volatility_halt: Given = None
    losing_trades: Given = None
    trading_hours: str | tuple[str, ...] | None = None
    groups: Mapping[str, Iterable[str]] = field(default_factory=dict)
    correlation_at: float = 0.7
    correlation_bars: int = 100
    volatility_window_ms: int = _HOUR
    losing_pause_ms: int = 24 * _HOUR
    pause_ms: int | None = None

    def __post_init__(self) -> None:
        for rule in RULES[:-1]:
            object.__setattr__(self, rule.name, _bound(rule, getattr(self, rule.name)))
        hours = self.trading_hours
        given: Any = () if hours is None else (hours,) if isinstance(hours, str) else hours
        texts = tuple(given) if isinstance(given, list | tuple) else (given,)
        for text in texts:
            if not isinstance(text, str):
                raise ConfigError(f"limits: trading_hours = {hours!r}; give text such as 'mon-fri 08:00-17:00'")
            windows_of(text)
        object.__setattr__(self, "trading_hours", texts or None)
        object.__setattr__(self, "groups", _groups(self.groups))
        if not isinstance(self.correlation_at, Real) or not -1.0 <= self.correlation_at < 1.0:
            raise ConfigError(f"limits: correlation_at = {self.correlation_at!r}; give a number from -1 to 1, as 0.7")
        for name, least in (
            ("correlation_bars", 20),
            ("volatility_window_ms", 1),
            ("losing_pause_ms", 1),
            ("pause_ms", 1),
        ):
            value = getattr(self, name)
            if name == "pause_ms" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"limits: {name} = {value!r}; give a whole number, at least {least}", name=name)

    @classmethod
    def profile(cls, name: str, **changes: Any) -> Limits:
        """Give the limits of a profile ("conservative", "default", "aggressive"), with changes; None takes one away.

        Raises
        ------
        ConfigError
            There is no such profile, or a change is wrong.
        """
        if name not in PROFILES:
            raise ConfigError(f"limits: there is no profile {name!r}; there are {', '.join(PROFILES)}", profile=name)
        check_names(changes)
        return replace(PROFILES[name], **changes)

    @property
    def bounds(self) -> dict[str, Bound]:
        """What is limited by a number, by name."""
        return {rule.name: bound for rule in RULES[:-1] if (bound := getattr(self, rule.name)) is not None}

    def to_dict(self) -> dict[str, Any]:
        """Give what is said as plain data for JSON and TOML; `Limits.from_dict` reads it back."""
        data: dict[str, Any] = {}
        for name, bound in self.bounds.items():
            data[name] = {key: value for key, value in vars(bound).items() if value is not None}
        for name, usual in _OTHERS.items():
            value = getattr(self, name)
            if value != usual:
                data[name] = list(value) if isinstance(value, tuple) else value
        data.update({"groups": {name: list(held) for name, held in self.groups.items()}} if self.groups else {})
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Limits:
        """Read what `to_dict` gave, or what a settings file says: a profile and changes of it.

        Raises
        ------
        ConfigError
            A name is unknown or a value is wrong.
        """
        said = {key: _read(key, value) for key, value in data.items() if key != "profile"}
        check_names(said)
        name = data.get("profile")
        return cls(**said) if name is None else cls.profile(name, **said)


_OTHERS: Final[dict[str, Any]] = {
    one.name: one.default for one in fields(Limits) if one.name not in PLACE and one.name != "groups"
} | {"trading_hours": None}


def check_names(said: Mapping[str, Any]) -> None:
    """Refuse names that are no limits, with the nearest one."""
    import difflib

    known = [one.name for one in fields(Limits)]
    for name in said:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise ConfigError(f"limits: {name} is no limit; {hint}", name=name)


def _read(name: str, value: Any) -> Any:
    if name in PLACE and isinstance(value, Mapping):
        unknown = set(value) - {"at", "action", "warn"}
        if unknown or "at" not in value:
            raise ConfigError(
                f'limits: {name} = {dict(value)!r}; write such as {{ at = 0.05, action = "reject", warn = 0.03 }}',
                name=name,
            )
        return Bound(**value)
    if value is False:
        return None
    return tuple(value) if name == "trading_hours" and isinstance(value, list) else value


def _bound(rule: Rule, value: Any) -> Bound | None:
    if value is None:
        return None
    try:
        bound = value if isinstance(value, Bound) else Bound(value)
    except ConfigError as error:
        raise ConfigError(
            f"limits: {rule.name} = {value!r}; give a number from 0 on or a Bound", name=rule.name
        ) from error
    action = bound.action or rule.action
    if action == "reduce" and not rule.cuts and PLACE[rule.name] >= EQUITY_RULES:
        raise ConfigError(
            f"limits: {rule.name} cannot be kept by a smaller order; its action is warn, reject or flatten",
            name=rule.name,
        )
    if rule.unit == "fraction" and PLACE[rule.name] < EQUITY_RULES and not 0.0 < bound.at <= 1.0:
        raise ConfigError(f"limits: {rule.name} = {bound.at:g}; give a fraction (0.05 is five percent)", name=rule.name)
    return Bound(bound.at, action, bound.warn)


def _groups(given: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping) or any(isinstance(held, str) for held in given.values()):
        raise ConfigError(f"limits: groups = {given!r}; give a mapping of names to lists of symbols", name="groups")
    return {str(name): tuple(held) for name, held in given.items()}


def _profile(**values: Any) -> Limits:
    return Limits(**values)


PROFILES: Final[Mapping[str, Limits]] = {
    "conservative": _profile(
        daily_loss=Bound(0.03, warn=0.02), weekly_loss=Bound(0.06, warn=0.04), max_drawdown=Bound(0.15, warn=0.10),
        capital_depletion=Bound(0.30, warn=0.20), gross_exposure=1.0, net_exposure=1.0, instrument_exposure=0.25,
        group_exposure=0.5, concentration=0.25, max_positions=10, max_positions_total=25, leverage=2.0,
        order_value=Bound(0.5, "reduce"), price_distance=0.10, orders_per_minute=60, correlated_positions=2,
        stale_data_ms=60_000, spread=0.003, volatility_halt=0.05, losing_trades=2,
    ),
    "default": _profile(
        daily_loss=Bound(0.05, warn=0.03), weekly_loss=Bound(0.10, warn=0.07), max_drawdown=Bound(0.25, warn=0.15),
        capital_depletion=Bound(0.50, warn=0.35), gross_exposure=2.0, net_exposure=2.0, instrument_exposure=1.0,
        group_exposure=1.0, concentration=1.0, max_positions=20, max_positions_total=50, leverage=5.0,
        order_value=Bound(1.0, "reduce"), price_distance=0.20, orders_per_minute=120, correlated_positions=3,
        stale_data_ms=300_000, spread=0.01, volatility_halt=0.10, losing_trades=3,
    ),
    "aggressive": _profile(
        daily_loss=Bound(0.10, warn=0.07), weekly_loss=Bound(0.20, warn=0.15), max_drawdown=Bound(0.40, warn=0.25),
        capital_depletion=Bound(0.75, warn=0.50), gross_exposure=5.0, net_exposure=5.0, instrument_exposure=3.0,
        group_exposure=3.0, concentration=3.0, max_positions=50, max_positions_total=100, leverage=20.0,
        order_value=Bound(3.0, "reduce"), price_distance=0.50, orders_per_minute=600, correlated_positions=6,
        stale_data_ms=900_000, spread=0.03, volatility_halt=0.20, losing_trades=5,
    ),
}  # fmt: skip
"""Ready-made limits by name."""
