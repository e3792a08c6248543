"""`workbench bots run` at a venue: a bot with its runner in the foreground, for money or on paper at live prices.

Exit codes: 0 the bot was stopped; 1 it failed or was killed (the reason is said and in its journal); 2 it could not be
begun.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import typer

from workbench.cli.bots_live_spec import Reach, Wanted, armed_now, launched
from workbench.cli.bots_noise import leave_out_noise
from workbench.cli.bots_watch import watching
from workbench.cli.console import say, say_warning, show_json
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.bots.launching import Launch
    from workbench.bots.restarting import Restarting
    from workbench.bots.runner import Runner
    from workbench.bots.runner_terms import RunTerms
    from workbench.bots.standing import Standing
    from workbench.settings import Settings

__all__ = ["run_at_venue"]

_LOOK_S: Final = 0.25


def run_at_venue(said: dict[str, Any], wanted: Wanted, settings: Settings) -> None:
    """Run a bot at a venue until it ends, and say how.

    Raises
    ------
    ConfigError, DataError, StrategyError, RunError
        It cannot be begun.
    """
    from workbench.bots.killing import check_allowed

    name = said["name"]
    check_allowed(settings, name)
    launch, reach = launched(said, wanted, settings)
    stage = _Stage(
        launch=launch, wanted=wanted, settings=settings, reach=reach, arm=_asked_to_arm(name, wanted, settings)
    )
    try:
        last = asyncio.run(_run(stage))
    except WorkbenchError as error:
        if wanted.as_json:
            stood = {} if stage.runner is None else stage.look().to_plain()
            show_json({**stood, "name": name, "state": "FAILED", "reason": f"{error}"})
        raise
    if wanted.as_json:
        show_json(last.to_plain())
    else:
        _say_end(last)
    if last.state != "STOPPED":
        raise typer.Exit(1)


@dataclass(kw_only=True)
class _Stage:
    """What the sessions of one run have in common, and what the one in hand has made."""

    launch: Launch
    wanted: Wanted
    settings: Settings
    reach: Reach
    arm: bool
    panel: bool = False
    watcher: Any = None
    restarting: Any = None
    runner: Any = None
    feeds: list[Any] = field(default_factory=list)

    def look(self) -> Standing:
        """Say how the bot stands."""
        from workbench.bots.standing import standing

        return standing(self.runner, self.launch.spec, self.watcher, self.feeds)


def _asked_to_arm(name: str, wanted: Wanted, settings: Settings) -> bool:
    from workbench.bots.arming import was_armed
    from workbench.bots.journal import journal_names, read_journal

    armed = False
    if wanted.mode == "live" and name in journal_names(settings):
        with read_journal(name, settings) as journal:
            armed = was_armed(journal)
    return armed_now(name, wanted, armed=armed)


async def _run(stage: _Stage) -> Standing:
    """Run the bot before the eyes of whoever watches, again where that may help, and give how it stands at the end."""
    from workbench.bots.restarting import Restarting, RestartTerms
    from workbench.bots.standing import Line, Watcher

    leave_out_noise(asyncio.get_running_loop())
    with watching(quiet=stage.wanted.as_json) as screen:
        stage.panel = screen.is_panel
        stage.watcher = watcher = Watcher(screen.line, stage.reach.hide)
        stage.restarting = restarting = Restarting(
            partial(_session, stage), RestartTerms(most=stage.wanted.restarts),
            alert=lambda one: watcher.add(Line(one.ts, one.level, "system", one.text)),
        )  # fmt: skip
        show = asyncio.create_task(_show(screen.show, stage))
        try:
            with _interrupts(restarting):
                await restarting.run()
        finally:
            show.cancel()
    return stage.look()


async def _show(show: Callable[..., None], stage: _Stage) -> None:
    while True:
        if stage.runner is not None:
            show(stage.look(), stage.watcher.lines)
        await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def _session(stage: _Stage) -> AsyncIterator[Runner]:
    """Open journal and venue, and give the runner, guarded."""
    from workbench.bots.guard_terms import GuardTerms
    from workbench.bots.guarding import guarded
    from workbench.bots.journal import open_journal
    from workbench.bots.runner import Runner, shell_for

    launch, reach = stage.launch, stage.reach
    with open_journal(launch.spec.name, stage.settings, clock=reach.now, hide=reach.hide) as journal:
        journal.listener = stage.watcher.hear
        shell = shell_for(launch.plan, launch.spec.name, journal, account=launch.spec.account)
        broker, make = await _venue(launch, shell.mind.core.markets, reach, stage.settings)
        stage.feeds = feeds = []

        def opened(timeframe: str, start: int) -> Any:
            feeds.append(make(timeframe, start))
            return feeds[-1]

        async with broker:
            reach.clock = broker.now
            stage.runner = Runner(shell, broker, opened, journal, terms=_terms(stage))
            stage.arm = False  # once: who is armed stays so over restarts
            async with guarded(
                stage.runner, stage.settings, terms=GuardTerms(panel=stage.panel), ends=stage.restarting
            ):
                yield stage.runner


def _terms(stage: _Stage) -> RunTerms:
    from workbench.bots.arming import opening_words, whoever
    from workbench.bots.killing import kill_order
    from workbench.bots.limit_settings import limits_here
    from workbench.bots.runner_terms import RunTerms
    from workbench.research.run import versions
    from workbench.trading.events import Resumed

    spec, settings, wanted = stage.launch.spec, stage.settings, stage.wanted
    live = opening_words(settings.live, arm=stage.arm, who=whoever()) if spec.mode == "live" else lambda core, now: ()

    def opening(core: Any, now: int) -> list[Any]:
        goes_on = [Resumed(now, whoever(), "--resume")] if wanted.resume and core.risk is not None else []
        return [*live(core, now), *goes_on]

    return RunTerms(
        policy=spec.policy, revive=wanted.revive, killed=partial(kill_order, settings, spec.name), opening=opening,
        limits=limits_here(settings, bot=spec.name, account=spec.account), details=stage.launch.details(versions()),
    )  # fmt: skip


async def _venue(launch: Launch, markets: Any, reach: Reach, settings: Settings) -> tuple[Any, Any]:
    """Give the broker, and what opens the feeds."""
    from workbench.bots.journal import bots_folder
    from workbench.bots.listing import client_of
    from workbench.bots.runner_feeds import feeds_at
    from workbench.market.feeds.feed import Access

    spec, route = launch.spec, reach.route
    feeds = feeds_at(client_of(reach.at, spec.series), launch.plan, access=Access(route=route))
    if reach.credentials is not None:
        from workbench.bots.brokers.ccxt_broker import CcxtBroker, Terms

        return CcxtBroker(reach.at, markets, credentials=reach.credentials, terms=Terms(route=route)), feeds
    from workbench.bots.brokers.simulated import paper_at
    from workbench.bots.brokers.simulated_terms import PaperTerms

    memory = bots_folder(settings) / f"{spec.name}.paper.db"  # no journal: those end in .sqlite
    return paper_at(
        client_of(reach.at, spec.series), launch.plan, memory, route=route, terms=PaperTerms(venue=spec.venue)
    )


@contextmanager
def _interrupts(runner: Restarting) -> Iterator[None]:
    """Let Ctrl-C stop the bot properly, and a second one kill it; while a session lasts its guard sees to that."""
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


def _say_end(last: Standing) -> None:
    from workbench.bots.killing import TOO_SMALL

    say(f"{last.name} is {last.state}: {last.reason}", "bold", wrap=True)
    say(
        f"equity {last.equity:,.2f} {last.currency} ({last.equity / last.cash - 1.0:+.2%}); {last.fills:,} executions, "
        f"{len(last.orders)} open orders, {len(last.holdings)} open positions",
        wrap=True,
    )
    if last.holdings and TOO_SMALL not in last.reason:
        say_warning("positions are still open; run the bot again to go on, or kill it with --flatten")
    say(f"journal: {last.entries:,} entries; `workbench bots verify {last.name}` checks it", "dim", wrap=True)
