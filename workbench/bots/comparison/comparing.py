"""`parity`: read a bot's journal, run the backtest over the same time, and compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.backtest.blame import blaming
from workbench.backtest.plan import Plan
from workbench.bots.comparison.causes import explain
from workbench.bots.comparison.facts import Facts
from workbench.bots.comparison.lived import TOLD, Lived, read_life
from workbench.bots.comparison.pairing import pair_up
from workbench.bots.comparison.promising import Promise
from workbench.bots.comparison.report import Compared, ParityReport
from workbench.bots.comparison.trips import Trip, trips_of
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["compare_lives", "parity"]


def parity(name: str, *, settings: Settings | None = None, apart: str | None = None) -> ParityReport:
    """Compare what a bot did with what the backtest says of the same bars.

    Parameters
    ----------
    name : str
        Of the bot, as `workbench bots list` shows it. It may be running.
    settings : Settings, optional
        Of the workspace; the current one when left out.
    apart : str, optional
        How far the decisions of two trades may be apart to be taken for the same, such as "12h"; three bars when left
        out.

    Returns
    -------
    ParityReport

    Raises
    ------
    ConfigError
        There is no such bot, it has not heard of any bar yet, or `apart` is no length of time.
    DataError
        The journal is not whole.
    StrategyError
        The strategy raises in its backtest; it names the bar and the line.

    Notes
    -----
    A bot on a replayed tape is compared on the bars that the lake has now. One that heard a live market is compared on
    what it heard, over which the lake's bars of that venue are laid where there are any; bars before its first are
    history to both.
    """
    from workbench.bots.comparison.taping import plan_of
    from workbench.bots.journal import read_journal
    from workbench.bots.spec import BotSpec
    from workbench.settings import load_settings

    settings, near = settings or load_settings(), _ms(apart)
    with read_journal(name, settings) as journal:
        sessions = journal.sessions()
        head = journal.head
        life = read_life(entry.record for entry in journal.entries(after=head.base, kinds=TOLD))
    if not life.began or not sessions:
        raise ConfigError(f"bot {name!r} has not heard of any bar yet, so there is nothing to compare", name=name)
    if "spec" not in sessions[0].details:
        raise ConfigError(f"the journal of {name!r} does not say what the bot is: it was begun otherwise", name=name)
    details = sessions[0].details
    plan = plan_of(BotSpec.from_plain(details["spec"]), details, life, settings)
    told, now = str(details.get("code", "")), str(getattr(plan.strategy, "code_hash", ""))
    notes = ("the code of its strategy has changed since it began: this compares with the new one",)
    return compare_lives(name, plan, life, apart_ms=near, notes=notes if told != now else ())


def _ms(text: str | None) -> int | None:
    from workbench.market.timeframe import Timeframe

    return None if text is None else Timeframe.parse(text).ms


def compare_lives(
    name: str, plan: Plan, life: Lived, *, apart_ms: int | None = None, notes: tuple[str, ...] = ()
) -> ParityReport:
    """Compare a life, as `read_life` gives it, with the backtest of a plan.

    Parameters
    ----------
    name : str
    plan : Plan
        What the bot was to trade, on the bars as they are now.
    life : Lived
    apart_ms : int, optional
        As `parity` has it.
    notes : tuple of str
        What a reader must know beside.
    """
    ends = max(int(line.ts[-1] + line.span[-1]) for line in plan.lines)
    until = min(life.ended, ends - 1)  # what trades at the open after the last bar, no backtest can know
    promise = Promise(plan, life.began, until)
    with blaming(plan.strategy):
        promise.go()
    told = [one for one in life.told if one.ts <= until]
    wanted, got = (_trips(one, plan, life, promise) for one in (promise.told, told))
    step = min(line.bars.timeframe.ms for line in plan.lines)
    facts = Facts(life, plan)
    compared: list[Compared] = []
    disturbed = False
    for pair in pair_up(wanted, got, apart_ms or 3 * step):
        causes = explain(pair, facts, disturbed)
        compared.append(Compared(pair, tuple(causes)))
        disturbed = disturbed or bool(causes)
    return ParityReport(
        name=name, strategy=repr(plan.strategy), compared=tuple(compared), began=life.began, ended=life.ended,
        cash=plan.cash, currency=plan.lines[0].bars.instrument.settle, restarts=tuple(life.restarts),
        executed=tuple(told), promise=promise, notes=notes,
    )  # fmt: skip


def _trips(told: Any, plan: Plan, life: Lived, promise: Promise) -> list[Trip]:
    instruments = {line.bars.symbol: line.bars.instrument for line in plan.lines}
    marks = {symbol: life.prices.get(symbol, promise.core.prices.get(symbol, 0.0)) for symbol in instruments}
    return trips_of(told, instruments, marks, life.ended)
