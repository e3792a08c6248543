"""What a bot at a venue is made of, from the command line: the way there, its key and money, whether it is armed."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from workbench.cli.console import say
from workbench.cli.vault import open_vault
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.launching import Launch
    from workbench.bots.listing import Listing
    from workbench.market.sources.clients import Route
    from workbench.settings import Settings

__all__ = ["Reach", "Wanted", "armed_now", "launched", "route_to"]

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_WAYS: Final = {"replay": "on a replayed tape", "paper": "on paper", "live": "for money"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for on the command line, beside strategy, parameters and costs."""

    at: str
    mode: str
    key: str
    practice: str | None
    cash: float | None
    account: str | None
    policy: Any
    passphrase_fd: int | None
    arm: tuple[str, ...]
    restarts: int
    revive: bool
    resume: bool
    as_json: bool


@dataclass(kw_only=True)
class Reach:
    """How the venue is reached, and its clock once it is."""

    at: str
    route: Route | None
    credentials: Credentials | None
    clock: Callable[[], int] | None = None

    def now(self) -> int:
        """Give the time there, ms UTC; ours before that is known."""
        return self.clock() if self.clock is not None else time.time_ns() // 1_000_000

    def hide(self, text: str) -> str:
        """Take the key out of a text."""
        return text if self.credentials is None else self.credentials.hide(text)


def launched(said: dict[str, Any], wanted: Wanted, settings: Settings) -> tuple[Launch, Reach]:
    """Make out what is to be run and how the venue is reached; nothing is begun or written.

    Raises
    ------
    ConfigError, DataError, StrategyError
        Something of it is not there, or the journal is of another bot.
    """
    from workbench.market.sources.clients import check_venue

    check_venue(wanted.at)
    told = _told(said["name"], settings)
    _check_mode(said["name"], told, wanted.mode)
    route = route_to(wanted.practice, settings)
    reach = Reach(at=wanted.at, route=route, credentials=_credentials(wanted, route))
    return _launch(said, wanted, settings, (told, reach)), reach


def _check_mode(name: str, told: Mapping[str, Any], mode: str) -> None:
    """Refuse to make a bot that was made for one thing another, before anything else is asked."""
    before = told.get("spec", {}).get("mode", mode)
    if before != mode:
        raise ConfigError(
            f"bot {name!r} was made to trade {_WAYS.get(before, before)} and stays so; to trade {_WAYS[mode]}, give "
            "another --name",
            name=name, before=before, after=mode,
        )  # fmt: skip


def _told(name: str, settings: Settings) -> Mapping[str, Any]:
    """Give what the journal says the bot is; empty where there is none."""
    from workbench.bots.journal import journal_names, read_journal
    from workbench.bots.launching import told_first

    if name not in journal_names(settings):
        return {}
    with read_journal(name, settings) as journal:
        return told_first(journal)


def route_to(practice: str | None, settings: Settings) -> Route | None:
    """Give the way to a practice exchange: `here`, its address on loopback, or the file that it left.

    Raises
    ------
    ConfigError
        None runs there.
    """
    from workbench.market.sources.clients import Route
    from workbench.practice.clients import running_route

    if practice is None:
        return None
    if practice == "here":
        return running_route(settings.data)
    if "://" not in practice:
        return Route.read(Path(practice).expanduser())
    found = urlsplit(practice)
    try:
        host, port = found.hostname, found.port
    except ValueError:
        host, port = None, None
    if host not in _LOOPBACK or port is None:
        raise ConfigError(
            f"--practice {practice!r} is no practice exchange: give its address on this machine, such as "
            "https://127.0.0.1:PORT, the route.json that it left, or `here`",
            practice=practice,
        )
    route = running_route(settings.data)
    if route.port != port:
        raise ConfigError(
            f"--practice {practice}: the practice exchange of this workspace is on port {route.port}; for that of "
            "another one give the path of its data/practice/route.json",
            port=port,
        )
    return route


def _credentials(wanted: Wanted, route: Route | None) -> Credentials | None:
    """Take the key from the vault; None on paper."""
    from workbench.bots.brokers.credentials import Credentials

    if wanted.mode != "live":
        if wanted.key:
            raise ConfigError(f"--key {wanted.key}: a bot on paper trades without a key; leave it out, or say --live")
        return None
    if not wanted.key:
        raise ConfigError("a live bot trades with a key of the vault: say --key NAME; `workbench vault list` has them")
    kept = open_vault(wanted.passphrase_fd)[wanted.key]
    fitting = (wanted.at,) if route is None else (wanted.at, route.name(wanted.at))
    if kept.venue not in fitting:
        raise ConfigError(
            f"--key {wanted.key} is for {kept.venue} and the bot is to trade at {wanted.at}; `workbench vault list` "
            "says which key is for which venue",
            name=wanted.key, venue=kept.venue,
        )  # fmt: skip
    return Credentials.of(kept)


def _launch(
    said: dict[str, Any],
    wanted: Wanted,
    settings: Settings,
    given: tuple[Mapping[str, Any], Reach],
) -> Launch:
    from workbench.bots.launching import known_instruments, launch_of
    from workbench.bots.listing import Listing, list_at
    from workbench.bots.spec import BotSpec

    told, reach = given
    before = told.get("spec", {})
    known = known_instruments(told)
    listing = Listing(instruments=known)
    if not known:
        listing = asyncio.run(list_at(wanted.at, said["series"], route=reach.route, credentials=reach.credentials))
    cash = before.get("cash") if wanted.cash is None else wanted.cash
    spec = BotSpec(
        **said, mode=wanted.mode, key=wanted.key, policy=wanted.policy,
        venue=wanted.at if reach.route is None else reach.route.name(wanted.at),
        cash=_cash(cash, listing, settings), account=wanted.account or before.get("account") or wanted.key or "paper",
    )  # fmt: skip
    return launch_of(spec, settings, listing.instruments, told)


def _cash(wanted: float | None, listing: Listing, settings: Settings) -> float:
    """Give the money that the bot reckons with: as said, or all that the account has."""
    money: float = listing.money
    if math.isnan(money):  # on paper, or known from before
        return settings.backtest.cash if wanted is None else wanted
    currency = listing.instruments[0].settle
    if wanted is None and money > 0.0:
        return money
    if wanted is None or wanted > money:
        raise ConfigError(
            f"the account has {money:,.10g} {currency}"
            + (", and nothing can be traded with that: pay in" if wanted is None else f", less than --cash {wanted:g}")
            + f" some {currency}, or trade with another --key",
            money=money,
        )
    return wanted


def armed_now(name: str, wanted: Wanted, *, armed: bool) -> bool:
    """Tell whether somebody arms a live bot now: by `--arm` twice, or at the terminal, which is asked.

    Raises
    ------
    ConfigError
        What was typed is not its name, twice.
    """
    from workbench.bots.arming import check_typed

    if wanted.mode != "live":
        if wanted.arm:
            raise ConfigError(f"--arm {wanted.arm[0]}: only a live bot is armed; leave it out, or say --live")
        return False
    if wanted.arm or armed or wanted.as_json or not sys.stdin.isatty():
        return check_typed(name, wanted.arm)
    say(f"{name} trades for money and is not armed: it watches, and opens nothing.", "bold")
    first = input(f"Type its name to arm it ({name}), or only Enter to let it watch: ").strip()
    if not first:
        return False
    check_typed(name, [first, name])  # a wrong one is not asked for again
    return check_typed(name, [first, input("Type its name again: ").strip()])
