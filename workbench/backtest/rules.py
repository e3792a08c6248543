"""`Rules`: how the account and the venue of a backtest behave, beyond what trading costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, get_args

from workbench.errors import ConfigError
from workbench.risk.limits import Limits
from workbench.risk.sizing import Sizing
from workbench.strategy.protections import Protection, checked_protections

if TYPE_CHECKING:
    import pandas as pd

    Funding = float | pd.Series | Mapping[str, "float | pd.Series"] | None

__all__ = ["Account", "Intrabar", "LimitFill", "Margin", "Positions", "Rules"]

Intrabar = Literal["pessimistic", "path"]
Margin = Literal["cross", "isolated"]
Positions = Literal["one_way", "hedge"]
Account = Literal["margin", "cash"]
LimitFill = Literal["touch", "through", "queue"]
_CHOICES = {
    "intrabar": Intrabar, "margin": Margin, "positions": Positions, "account": Account, "limit_fill": LimitFill,
}  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Rules:
    """How account and venue behave.

    Parameters
    ----------
    intrabar : {"pessimistic", "path"}
        Inside a bar the worse is assumed (a stop goes before a target), or the price goes from the open to the nearer
        extreme, to the other one and to the close.
    margin : {"cross", "isolated"}
        Whether all money of the account stands behind every position, or each position has its own margin.
    positions : {"one_way", "hedge"}
        One net position an instrument, or a long and a short side by side (order strategies only).
    account : {"margin", "cash"}
        In a cash account nothing is borrowed and nothing sold short.
    max_positions : int, optional
        Positions that are open at one time at most.
    limit_fill : {"touch", "through", "queue"}
        A resting order fills when its price is touched, when it is passed, or after the volume that was there before
        it has traded.
    latency_ms : int, default 0
        Time from a decision until the venue knows.
    funding : float, pandas.Series, or mapping of symbols to these, optional
        Rates of perpetuals, fractions a settlement: one for all the instrument's settlement times, or a Series whose
        DatetimeIndex says when. The instrument's own rate where it is left out; 0.0 for none.
    protections : sequence of protections, optional
        Instead of the strategy's own; an empty list for none.
    sizing : Sizing, optional
        How large entries are (`risk.sizing`), instead of the strategy's own and of the sizes of its signals.
    limits : Limits or str, optional
        Limits on risk, or the name of a profile of them ("conservative", "default", "aggressive"); none when left out.

    Raises
    ------
    ConfigError
        A value is none of these.

    Examples
    --------
    >>> from workbench.strategy.protections import Cooldown
    >>> Rules(margin="isolated", max_positions=3, protections=[Cooldown(2)]).protections
    (Cooldown(bars=2),)
    """

    intrabar: Intrabar = "pessimistic"
    margin: Margin = "cross"
    positions: Positions = "one_way"
    account: Account = "margin"
    max_positions: int | None = None
    limit_fill: LimitFill = "touch"
    latency_ms: int = 0
    funding: Funding = None
    protections: Sequence[Protection] | None = None
    sizing: Sizing | None = None
    limits: Limits | str | None = None

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in get_args(kind):
                known = ", ".join(map(repr, get_args(kind)))
                raise ConfigError(f"rules: {name} = {value!r} is not one of {known}", name=name)
        if self.max_positions is not None:
            self._require_whole("max_positions", 1, "or None for no limit")
        self._require_whole("latency_ms", 0, "in milliseconds")
        if self.protections is not None:
            object.__setattr__(self, "protections", checked_protections(self.protections))
        if self.sizing is not None and not isinstance(self.sizing, Sizing):
            raise ConfigError(
                f"rules: sizing = {self.sizing!r}; give one of wb.sizing, such as wb.sizing.FixedRisk(0.01)",
                name="sizing",
            )
        object.__setattr__(self, "limits", _limits_of(self.limits))
        _check_funding(self.funding)

    def _require_whole(self, name: str, lowest: int, unit: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < lowest:
            raise ConfigError(f"rules: {name} = {value!r}; give a whole number, at least {lowest}, {unit}", name=name)
        object.__setattr__(self, name, int(value))


def _limits_of(given: Any) -> Limits | None:
    if given is None or isinstance(given, Limits):
        return given
    if not isinstance(given, str):
        raise ConfigError(
            f"rules: limits = {given!r}; give wb.risk.Limits(...) or the name of a profile", name="limits"
        )
    return Limits.profile(given)


def _check_funding(funding: Any) -> None:
    """Refuse what is no rate; times and symbols are looked at where the instruments are known."""
    rates = funding if isinstance(funding, Mapping) else {"": funding}
    for symbol, rate in rates.items():
        if rate is None or (hasattr(rate, "index") and hasattr(rate, "to_numpy")):
            continue
        number = isinstance(rate, Real) and not isinstance(rate, bool)
        if not number or not math.isfinite(rate) or not abs(rate) < 1:
            raise ConfigError(
                f"rules: funding{f' of {symbol}' if symbol else ''} = {rate!r}; give a fraction a settlement (0.0001 "
                "is 0.01 %), a pandas.Series of them by time, or a dict of these by symbol",
                name="funding",
            )
