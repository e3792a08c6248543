"""`workbench bots run`: a bot in the foreground."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import on_terminal, say, say_warning, show_json
from workbench.cli.options import AsJson, Cash, End, Fee, Leverage, Param, SlippageBps, Start, Venue, examples
from workbench.cli.place import settings_here
from workbench.cli.vault import FromFd
from workbench.cli.words import iso
from workbench.errors import ConfigError, StrategyError, WorkbenchError

if TYPE_CHECKING:
    from workbench.bots.replaying import ReplayBot, Status
    from workbench.bots.spec import BotSpec
    from workbench.settings import Settings

__all__ = ["add_to"]

_REAL: Final = 1.0
_LOOK_S: Final = 0.25  # how often the screen, the kill files and the disk are seen to
_NAP_S: Final = 0.05


def add_to(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command(
        "run",
        epilog=examples(
            "workbench bots run sma_cross --paper --replay BTC/USDT:1h --speed max --name demo",
            "workbench bots run strategies/sma_cross.py --paper --replay BTC/USDT:1h -p fast=20 --start 2024-01-01",
            "workbench bots run my_dca.yaml --paper                       a parameter file has its own series",
            "workbench bots run sma_cross --paper --at binance --on BTC/USDT:1m --name dry",
            "workbench bots run sma_cross --live --at binance --on BTC/USDT:USDT:1m --key desk --name demo",
            "workbench bots run sma_cross --live --at binance --on BTC/USDT:1m --key desk --name demo --practice here",
        ),
    )(run)


def run(
    strategy: Annotated[
        str,
        typer.Argument(
            metavar="STRATEGY", help="A file in the strategies folder, a path, library:NAME, or a parameter file."
        ),
    ],
    paper: Annotated[bool, typer.Option("--paper", help="Trade on paper: no order leaves this machine.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Trade for money, at a venue, with a key of the vault.")] = False,
    replay: Annotated[
        list[str] | None,
        typer.Option(metavar="SYMBOL:TIMEFRAME", help="Play a series of the lake as if it happened now. Repeatable."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="VENUE", help="Trade at its prices as they come; as ccxt names it.")
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option("--on", metavar="SYMBOL:TIMEFRAME", help="What to trade at the venue. Repeatable."),
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="NAME", help="In the vault: what a live bot trades with.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the bot; its journal bears it. Its class's when left out.")
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="max|TIMES", help="How much faster than real time the tape is played.")
    ] = "max",
    param: Param = None,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    cash: Cash = None,
    fee: Fee = None,
    slippage_bps: SlippageBps = None,
    leverage: Leverage = None,
    margin: Annotated[str, typer.Option(metavar="cross|isolated", help="What stands behind a position.")] = "cross",
    account: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose limits it shares: limits.accounts.NAME in workbench.toml; the key's name for a live bot.",
        ),
    ] = None,
    policy: Annotated[
        str,
        typer.Option(
            metavar="adopt|alert|halt",
            help="What is done about what others do on its account: all is told; `adopt` takes their trades and money "
            "into its books, `halt` opens nothing new while orders of others are there, or once they have traded.",
        ),
    ] = "alert",
    practice: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE", help="To a practice exchange instead: its address, or its route.json; `here`."
        ),
    ] = None,
    passphrase_fd: FromFd = None,
    arm: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Arm a live bot: its name, and the option twice. Asked for at a terminal."),
    ] = None,
    restarts: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="How often an hour it is run again after a venue or network was away."),
    ] = 5,
    revive: Annotated[bool, typer.Option("--revive", help="Let a bot that was killed go on.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Trade on where limits on risk have paused it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a bot in the foreground. Ctrl-C stops it properly, twice kills it; run it again and it goes on.

    Everything that it hears and wants stands in its journal, data/bots/NAME.sqlite.
    """
    from workbench.bots.journal import check_name
    from workbench.bots.spec import BotSpec, Series
    from workbench.cli.backtest import given_parameters
    from workbench.cli.bots_file import read_bot_file
    from workbench.cli.bots_watch import prints_aside
    from workbench.strategy.loader import load_strategy

    settings = settings_here()
    file = read_bot_file(strategy, settings)
    series = tuple(Series.parse(one, venue) for one in replay or on or ()) or file.series
    where = _where(replay or [], at, on or [], paper=paper, live=live, filed=bool(file.series))
    with prints_aside():
        kind = load_strategy(file.strategy, settings=settings)
    cash = file.cash if cash is None else cash
    said: dict[str, Any] = {
        "name": check_name(file.name or kind.__name__.lower() if name is None else name), "strategy": file.strategy,
        "parameters": {**file.parameters, **given_parameters(kind.declared, param or [])},
        "fee": file.fee if fee is None else fee, "margin": margin, "series": series,
        "slippage_bps": file.slippage_bps if slippage_bps is None else slippage_bps,
        "leverage": file.leverage if leverage is None else leverage,
    }  # fmt: skip
    if where != "replay":
        from workbench.cli.bots_live import run_at_venue
        from workbench.cli.bots_live_spec import Wanted

        wanted = Wanted(
            at=str(at), mode=where, key=key or "", practice=practice, cash=cash, account=account,
            policy=policy, passphrase_fd=passphrase_fd, arm=tuple(arm or ()), restarts=restarts, revive=revive,
            resume=resume, as_json=as_json,
        )  # fmt: skip
        run_at_venue(said, wanted, settings)
        return
    spec = BotSpec(
        **said, start=start, end=end,
        cash=settings.backtest.cash if cash is None else cash, account=account or "paper",
    )  # fmt: skip
    _run(spec, settings, _speed_of(speed), {"revive": revive, "resume": resume}, as_json=as_json)


def _where(replay: list[str], at: str | None, on: list[str], *, paper: bool, live: bool, filed: bool) -> str:
    """Say which of the three ways to trade was asked for; a parameter file has series of its own."""
    plays = bool(replay) or (filed and not at and not on)
    if paper == live or (plays and (live or at or on)) or not (plays or (at and (on or filed))):
        raise ConfigError(
            "say where the bot trades: --paper --replay SYMBOL:TIMEFRAME plays a series of the lake, --paper --at "
            "VENUE --on SYMBOL:TIMEFRAME trades on paper at a venue's prices, --live --at VENUE --on SYMBOL:TIMEFRAME "
            "--key NAME for money",
            paper=paper, live=live,
        )  # fmt: skip
    return "replay" if plays else "live" if live else "paper"


def _speed_of(text: str) -> float:
    if text == "max":
        return float("inf")
    try:
        found = float(text.removesuffix("x"))
    except ValueError:
        found = 0.0
    if not found > 0.0:
        raise ConfigError(f"--speed {text!r}: give max, or how many times real time, such as 60", value=text)
    return found


def _run(spec: BotSpec, settings: Settings, speed: float, how: dict[str, bool], *, as_json: bool) -> None:
    from workbench.bots.guard_tape import guarded_tape
    from workbench.bots.guard_terms import GuardTerms
    from workbench.bots.journal import open_journal
    from workbench.bots.killing import check_allowed
    from workbench.bots.limit_settings import limits_here
    from workbench.bots.replaying import ReplayBot
    from workbench.research.run import versions

    check_allowed(settings, spec.name)
    plan = spec.plan(settings)
    with open_journal(spec.name, settings) as journal:
        bot = ReplayBot(
            spec, plan, journal, versions=dict(versions()),
            limits=limits_here(settings, bot=spec.name, account=spec.account), **how,
        )  # fmt: skip
        terms = GuardTerms(panel=not as_json and on_terminal())
        try:
            with (
                guarded_tape(bot, settings, revive=how["revive"], terms=terms) as guard,
                _screen(quiet=as_json) as show,
                suppress(StrategyError),  # the bot has failed, and its reason says so
            ):
                _drive(bot, settings, speed, (show, guard.beat))
        except WorkbenchError as error:
            if as_json:
                show_json({**_plain(bot.status(), bot), "state": "FAILED", "reason": bot.reason or str(error)})
            raise
        status = bot.status()
    if as_json:
        show_json(_plain(status, bot))
    else:
        _say_end(status, bot)
    if status.state != "STOPPED":
        raise typer.Exit(1)


def _drive(bot: ReplayBot, settings: Settings, speed: float, tell: tuple[Any, Any]) -> None:
    """Go through the tape at its speed, and see to the screen, the guard, the kill files and the disk now and then."""
    from workbench.bots.killing import kill_order

    show, beat = tell
    began, first, looked = time.monotonic(), None, 0.0
    for ts in bot.steps():
        first = ts if first is None else first
        due = began + (ts - first) / 1_000.0 / speed
        while True:
            now = time.monotonic()
            if now - looked >= _LOOK_S:
                looked = now
                beat()
                how = kill_order(settings, bot.spec.name)
                if how:
                    bot.kill(how, "a kill file")
                bot.journal.flush()
                show(bot.status())
            if now >= due or bot.asked_to_end:
                break
            time.sleep(min(_NAP_S, due - now))
    show(bot.status())


@contextmanager
def _screen(*, quiet: bool) -> Iterator[Any]:
    """Give what draws a status; nothing where nobody watches a terminal."""
    from workbench.cli.bots_watch import prints_aside, repainted

    if quiet or not on_terminal():
        with prints_aside():
            yield lambda status: None
        return
    with repainted(_drawn) as show:
        yield show


def _drawn(status: Status, silent: float) -> Any:
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from workbench.cli.bots_watch import no_sign_of_life

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    gain = status.equity / status.cash_start - 1.0
    colour = "green" if gain >= 0.0 else "red"
    table.add_row("state", f"[bold]{status.state}[/bold], session {status.session}")
    table.add_row("market time", f"{iso(status.now)}   {status.done:.0%} of the tape")
    table.add_row("equity", f"{status.equity:,.2f} {status.currency}  [{colour}]{gain:+.2%}[/{colour}]")
    for symbol, quantity, price, gained in status.positions or (("flat", 0.0, 0.0, 0.0),):
        text = symbol if not quantity else f"{quantity:+g} {symbol} at {price:,.6g}, {gained:+,.2f}"
        table.add_row("position", text)
    table.add_row("orders", f"{status.orders} open, {status.fills} executions")
    table.add_row("journal", f"{status.entries:,} entries")
    hangs = no_sign_of_life(silent)
    told = Group(Text(hangs, style="bold red"), table) if hangs else table
    return Panel(told, title=status.name, subtitle="Ctrl-C stops, twice kills", width=78)


def _plain(status: Status, bot: ReplayBot) -> dict[str, Any]:
    return {
        "name": status.name, "state": status.state, "session": status.session, "reason": status.reason,
        "market_time": status.now, "equity": status.equity, "currency": status.currency,
        "positions": [list(one) for one in status.positions], "open_orders": status.orders, "fills": status.fills,
        "entries": status.entries, "recovered": bot.recovered,
    }  # fmt: skip


def _say_end(status: Status, bot: ReplayBot) -> None:
    if bot.recovered:
        say(f"went again through {bot.recovered:,} entries of the journal, all as they were", "dim", wrap=True)
    gain = status.equity / status.cash_start - 1.0
    say(f"{status.name} is {status.state}: {status.reason}", "bold", wrap=True)
    say(
        f"equity {status.equity:,.2f} {status.currency} ({gain:+.2%}) at {iso(status.now)}; "
        f"{status.fills:,} executions, {status.orders} open orders, {len(status.positions)} open positions",
        wrap=True,
    )
    if status.positions:
        say_warning("positions are still open; run the bot again to go on, or kill it with --flatten")
    say(f"journal: {status.entries:,} entries; `workbench bots verify {status.name}` checks it", "dim", wrap=True)
