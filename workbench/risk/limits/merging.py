"""Limits of several: the strictest of all, and those of a bot, its account and its workspace as settings say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.errors import ConfigError
from workbench.risk.limits.bounds import Bound, Limits
from workbench.risk.limits.rules import ACTIONS, RULES

__all__ = ["joined", "scoped", "strictest"]


def strictest(several: Iterable[Limits]) -> Limits:
    """Give limits that keep all of several: of each the lower number, the earlier warning and the stricter action.

    Trading hours of all must hold; groups are joined.
    """
    given = list(several)
    if not given:
        return Limits()
    said: dict[str, Any] = {}
    for rule in RULES[:-1]:
        bounds = [bound for one in given if (bound := getattr(one, rule.name)) is not None]
        if bounds:
            warns = [bound.warn for bound in bounds if bound.warn is not None]
            warns += [bound.at for bound in bounds if bound.action == "warn"]
            hard = [bound for bound in bounds if bound.action != "warn"] or bounds
            at = min(bound.at for bound in hard)
            action = max((bound.action for bound in hard), key=ACTIONS.index)
            said[rule.name] = Bound(at, action, min((*(one for one in warns if one <= at),), default=None))
    hours = dict.fromkeys(text for one in given for text in one.trading_hours or ())
    groups: dict[str, dict[str, None]] = {}
    for one in given:
        for name, symbols in one.groups.items():
            groups.setdefault(name, {}).update(dict.fromkeys(symbols))
    return Limits(
        **said, trading_hours=tuple(hours) or None, groups={name: tuple(held) for name, held in groups.items()},
        correlation_at=min(one.correlation_at for one in given),
        correlation_bars=max(one.correlation_bars for one in given),
        volatility_window_ms=max(one.volatility_window_ms for one in given),
        losing_pause_ms=max(one.losing_pause_ms for one in given), pause_ms=_longest(given),
    )  # fmt: skip


def joined(own: Limits | None, scoped: Mapping[str, Limits] | None) -> dict[str, Limits] | None:
    """Put a bot's own limits to those by scope ("bot", "account", "workspace"); None where nothing is limited."""
    found = dict(scoped or {})
    if own is not None:
        found["bot"] = strictest((own, found["bot"])) if "bot" in found else own
    return found or None


def scoped(said: Mapping[str, Any], bot: str = "", account: str = "") -> dict[str, Limits]:
    """Read the section `[limits]` of a settings file for one bot.

    Parameters
    ----------
    said : mapping
        Limits of the workspace, and under `accounts` and `bots` those of each by name.
    bot, account : str
        Names; of others nothing is taken, but what is said of them is read, so that a mistake is seen.

    Returns
    -------
    dict of str to Limits
        By scope: "workspace", and "account" and "bot" where something is said of them.

    Raises
    ------
    ConfigError
        A limit is unknown or has a bad value; it names where.
    """
    found: dict[str, Limits] = {}
    whole = {name: value for name, value in said.items() if name not in ("accounts", "bots")}
    if whole:
        found["workspace"] = _of_place("[limits]", whole)
    for plural, scope, mine in (("accounts", "account", account), ("bots", "bot", bot)):
        named = said.get(plural, {})
        if not isinstance(named, Mapping):
            raise ConfigError(f"[limits.{plural}] is {named!r}; write a section [limits.{plural}.NAME] for each")
        for name, content in named.items():
            read = _of_place(f"[limits.{plural}.{name}]", content)
            if name == mine:
                found[scope] = read
    return found


def _of_place(place: str, content: Any) -> Limits:
    if not isinstance(content, Mapping):
        raise ConfigError(f"{place} is {content!r}; write a section with limits, such as daily_loss = 0.05")
    try:
        return Limits.from_dict(content)
    except ConfigError as error:
        raise ConfigError(f"{place} {str(error).removeprefix('limits: ')}", place=place) from error


def _longest(given: list[Limits]) -> int | None:
    """Give the longest pause of those that have a limit that pauses; None, which never ends, is longer than any."""
    pauses = [one.pause_ms for one in given if one.max_drawdown is not None or one.capital_depletion is not None]
    ends = [pause for pause in pauses if pause is not None]
    return max(ends) if ends and len(ends) == len(pauses) else None
