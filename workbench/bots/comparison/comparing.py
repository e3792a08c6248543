"""`parity`: read a bot's journal, run the backtest over the same time, and compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.backtest.event_path import Replay
from workbench.backtest.plan import Plan
from workbench.bots.comparison.causes import Facts, explain
from workbench.bots.comparison.lived import TOLD, Lived, read_life
from workbench.bots.comparison.pairing import pair_up
from workbench.bots.comparison.report import Compared, ParityReport
from workbench.bots.comparison.trips import trips_of
from workbench.errors import ConfigError
from workbench.strategy.strategy import SignalStrategy, signals_of
from workbench.trading.events import Event, Filled, Funded

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
    """
    from workbench.bots.journal import read_journal
    from workbench.bots.spec import BotSpec
    from workbench.settings import load_settings

    settings = settings or load_settings()
    with read_journal(name, settings) as journal:
        sessions = journal.sessions()
        life = read_life(entry.record for entry in journal.entries(kinds=TOLD))
    if not life.ended or not sessions:
        raise ConfigError(f"bot {name!r} has not heard of any bar yet, so there is nothing to compare", name=name)
    spec = BotSpec.from_plain(sessions[0].details["spec"])
    return compare_lives(name, spec.plan(settings), life, apart_ms=_ms(apart))


def _ms(text: str | None) -> int | None:
    from workbench.market.timeframe import Timeframe

    return None if text is None else Timeframe.parse(text).ms


def compare_lives(name: str, plan: Plan, life: Lived, *, apart_ms: int | None = None) -> ParityReport:
    """Compare a life, as `read_life` gives it, with the backtest of a plan.

    Parameters
    ----------
    name : str
    plan : Plan
        What the bot was to trade, on the bars as they are now.
    life : Lived
    apart_ms : int, optional
        As `parity` has it.
    """
    promise = Promise(plan, life.ended)
    promise.go()
    instruments = {line.bars.symbol: line.bars.instrument for line in plan.lines}
    bars = {line.bars.symbol: line.bars for line in plan.lines}
    marks = {symbol: life.prices.get(symbol, promise.core.prices.get(symbol, 0.0)) for symbol in instruments}
    wanted = trips_of(promise.told, instruments, marks, life.ended)
    got = trips_of(life.told, instruments, marks, life.ended)
    step = min(one.timeframe.ms for one in bars.values())
    facts = Facts(
        life=life, bars=bars, lots={one.symbol: one.lot_size for one in instruments.values()},
        looks_ahead=_looks_ahead(plan),
    )  # fmt: skip
    compared: list[Compared] = []
    disturbed = False
    for pair in pair_up(wanted, got, apart_ms or 3 * step):
        causes = explain(pair, facts, disturbed)
        compared.append(Compared(pair, tuple(causes)))
        disturbed = disturbed or bool(causes)
    return ParityReport(
        name=name, strategy=repr(plan.strategy), compared=tuple(compared), began=life.began, ended=life.ended,
        cash=plan.cash, currency=plan.lines[0].bars.instrument.quote,
    )  # fmt: skip


class Promise(Replay):
    """The event path over a plan, up to the last time that a bot heard of; `told` are its executions and funding."""

    def __init__(self, plan: Plan, until: int) -> None:
        super().__init__(plan)
        self.until = until
        self.told: list[Filled | Funded] = []

    def deliver(self, events: list[Event]) -> None:
        """Keep what was executed, and hand everything on."""
        for event in events:
            if isinstance(event, (Filled, Funded)) and event.ts <= self.until:
                self.told.append(event)
        super().deliver(events)


def _looks_ahead(plan: Plan) -> Any:
    """Give what tells whether a strategy says at a bar something else on what was known then than on all bars."""
    strategy = plan.strategy
    if not isinstance(strategy, SignalStrategy):
        return lambda symbol, ts: False
    whole = {line.bars.symbol: (line.bars, signals_of(strategy, line.bars)) for line in plan.lines}

    def ask(symbol: str, ts: int) -> bool:
        bars, said = whole[symbol]
        row = int(bars.ts.searchsorted(ts))
        if row >= len(bars):
            return False
        then = signals_of(strategy, bars[: row + 1])
        return any(bool(a) != bool(b) for a, b in zip(_words(said, row), _words(then, row), strict=True))

    return ask


def _words(said: Any, row: int) -> Iterator[bool]:
    columns: Iterable[Any] = (said.entry, said.exit, said.short_entry, said.short_exit)
    return (bool(column[row]) if column is not None else False for column in columns)
