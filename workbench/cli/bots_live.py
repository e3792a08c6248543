"""`workbench bots run` at a venue: a bot with its runner in the foreground, for money or on paper at live prices."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from workbench.cli.console import say, say_warning, show_json
from workbench.cli.vault import open_vault
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.journal import Journal
    from workbench.bots.launching import Launch
    from workbench.bots.listing import Listing
    from workbench.bots.runner import Runner
    from workbench.bots.spec import Series
    from workbench.market.sources.clients import Route
    from workbench.settings import Settings

__all__ = ["Wanted", "route_to", "run_at_venue"]

_TRIES: Final = 5  # to reach the venue at the start
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for on the command line, beside strategy, parameters and costs."""

    at: str
    on: tuple[str, ...]
    mode: str
    key: str
    practice: str | None
    cash: float | None
    account: str | None
    policy: Any
    passphrase_fd: int | None
    revive: bool
    resume: bool
    as_json: bool


@dataclass(kw_only=True)
class _Reach:
    """How the venue is reached, and its clock once it is."""

    at: str
    route: Route | None
    credentials: Credentials | None
    broker: Any = None

    def now(self) -> int:
        return self.broker.now() if self.broker is not None else time.time_ns() // 1_000_000


def run_at_venue(said: dict[str, Any], wanted: Wanted, settings: Settings) -> None:
    """Run a bot at a venue until it ends, and say how.

    Raises
    ------
    ConfigError, DataError, StrategyError, RunError
        It cannot be begun.
    """
    from workbench.bots.journal import open_journal
    from workbench.bots.killing import kill_order
    from workbench.bots.spec import Series

    name = said["name"]
    if kill_order(settings, name):
        raise ConfigError(
            f"a kill file forbids {name!r} to run; `workbench bots calm {name}` (or --all) takes it away", name=name
        )
    series = tuple(Series.parse(one) for one in wanted.on)
    told = _told(name, settings)
    route = route_to(wanted.practice, settings)
    reach = _Reach(at=wanted.at, route=route, credentials=_credentials(wanted, route))
    launch = _launch(said, wanted, settings, (series, told, reach))
    hide = reach.credentials.hide if reach.credentials is not None else None
    with open_journal(name, settings, clock=reach.now, hide=hide) as journal:
        runner = asyncio.run(_session(launch, wanted, settings, (journal, reach)))
    _say_end(runner, launch, as_json=wanted.as_json)


# what it is


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
    given: tuple[tuple[Series, ...], Mapping[str, Any], _Reach],
) -> Launch:
    from workbench.bots.launching import known_instruments, launch_of
    from workbench.bots.listing import Listing, list_at
    from workbench.bots.spec import BotSpec

    series, told, reach = given
    before = told.get("spec", {})
    known = known_instruments(told)
    listing = Listing(instruments=known)
    if not known:
        listing = asyncio.run(list_at(wanted.at, series, route=reach.route, credentials=reach.credentials))
    cash = before.get("cash") if wanted.cash is None else wanted.cash
    spec = BotSpec(
        **said, series=series, mode=wanted.mode, key=wanted.key, policy=wanted.policy,
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


# its run


async def _session(launch: Launch, wanted: Wanted, settings: Settings, given: tuple[Journal, _Reach]) -> Runner:
    """Run the bot, and give its runner once that is over."""
    from workbench.bots.killing import kill_order
    from workbench.bots.limit_settings import limits_here
    from workbench.bots.runner import Runner, shell_for
    from workbench.bots.runner_terms import RunTerms
    from workbench.research.run import versions

    spec, (journal, reach) = launch.spec, given
    shell = shell_for(launch.plan, spec.name, journal, account=spec.account)
    terms = RunTerms(
        policy=spec.policy, revive=wanted.revive, killed=partial(kill_order, settings, spec.name),
        limits=limits_here(settings, bot=spec.name, account=spec.account), details=launch.details(versions()),
    )  # fmt: skip
    broker, feeds = _broker(launch, shell.mind.core.markets, reach)
    reach.broker = broker
    async with broker:
        runner = Runner(shell, broker, feeds, journal, terms=terms, alert=lambda alert: say_warning(alert.text))
        with _interrupts(runner):
            await runner.run()
    return runner


def _broker(launch: Launch, markets: Any, reach: _Reach) -> tuple[Any, Any]:
    """Give the broker, and what opens the feeds."""
    from workbench.bots.brokers.ccxt_broker import CcxtBroker, Terms
    from workbench.bots.runner_feeds import feeds_at
    from workbench.market.feeds.feed import Access

    if reach.credentials is None:
        raise ConfigError("on paper at a venue is not there yet")
    broker = CcxtBroker(reach.at, markets, credentials=reach.credentials, terms=Terms(route=reach.route))
    return broker, feeds_at(broker.wire.venue, launch.plan, access=Access(route=reach.route))


@contextmanager
def _interrupts(runner: Runner) -> Iterator[None]:
    """Let Ctrl-C stop the bot properly, and a second one kill it."""
    loop = asyncio.get_running_loop()
    count = 0

    def interrupted() -> None:
        nonlocal count
        count += 1
        if count == 1:
            runner.stop()
        else:
            runner.kill("cancel", "killed by Ctrl-C")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _say_end(runner: Runner, launch: Launch, *, as_json: bool) -> None:
    core, spec = runner.shell.mind.core, launch.spec
    account = core.account
    plain = {
        "name": spec.name, "mode": spec.mode, "venue": spec.venue, "state": core.state, "reason": runner.reason,
        "session": runner.journal.session, "market_time": core.now, "equity": account.equity,
        "currency": account.currency, "open_orders": len(core.orders), "entries": runner.journal.position,
        "positions": [
            [one.symbol, one.quantity, one.price, one.unrealised(core.prices.get(one.symbol, one.price))]
            for one in account.positions
        ],
    }  # fmt: skip
    if as_json:
        show_json(plain)
        return
    say(f"{spec.name} is {core.state}: {runner.reason}", "bold")
    gain = account.equity / spec.cash - 1.0
    say(
        f"equity {account.equity:,.2f} {account.currency} ({gain:+.2%}); {len(core.orders)} open orders, "
        f"{len(account.positions)} open positions"
    )
    if account.positions:
        say_warning("positions are still open; run the bot again to go on, or kill it with --flatten")
    say(f"journal: {runner.journal.position:,} entries; `workbench bots verify {spec.name}` checks it", "dim")
