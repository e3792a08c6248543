"""What a session of a bot at a venue begins with: that it is the bot of its journal, its plan, and what is kept of it.

A bot at a venue has no history of its own when it is made: the plan is laid out on bars that are made up, of which a
mind looks at nothing but instruments and lengths; real bars come from the feed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.journal import JournalReader
from workbench.bots.spec import BotSpec, Series
from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["Launch", "known_instruments", "launch_of", "told_first"]

_ROWS: Final = 500
_BEGIN: Final = 1_704_672_000_000  # a Monday, 2024-01-08
_PRICE: Final = 100.0


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a session begins with.

    Parameters
    ----------
    spec : BotSpec
    plan : Plan
    instruments : tuple of Instrument
    code : str
        Hash of the strategy's code.
    """

    spec: BotSpec
    plan: Plan
    instruments: tuple[Instrument, ...]
    code: str

    def details(self, versions: Mapping[str, str]) -> dict[str, Any]:
        """Give what the journal keeps with the session, as plain data."""
        return {
            "spec": self.spec.to_plain(), "code": self.code, "versions": dict(versions),
            "instruments": [one.to_dict() for one in self.instruments],
        }  # fmt: skip


def told_first(journal: JournalReader) -> Mapping[str, Any]:
    """Give what the first session of a journal says of its bot; empty before there is one."""
    sessions = journal.sessions()
    return sessions[0].details if sessions else {}


def known_instruments(told: Mapping[str, Any]) -> tuple[Instrument, ...]:
    """Give the instruments that a bot was made with; none before its first session.

    Raises
    ------
    DataError
        The journal says something else in their place.
    """
    try:
        return tuple(Instrument.from_dict(one) for one in told.get("instruments", ()))
    except TypeError as error:
        raise DataError(f"the journal's first session does not tell the bot's instruments: {error}") from error


def launch_of(
    spec: BotSpec, settings: Settings, instruments: Iterable[Instrument], told: Mapping[str, Any] | None = None
) -> Launch:
    """Lay out a session.

    Parameters
    ----------
    spec : BotSpec
    settings : Settings
    instruments : iterable of Instrument
        One for each symbol of the series.
    told : mapping, optional
        What the first session said, which must be the same.

    Raises
    ------
    ConfigError
        The journal is of a bot that was made otherwise.
    StrategyError
        The strategy is not there, or does not fit what it is to trade.
    """
    strategy, found = spec.made(settings), tuple(instruments)
    code = str(getattr(strategy, "code_hash", ""))
    if told:
        spec.check_same(told, code)
    plan = prepare(strategy, _made_up(spec.series, found), **spec.options())
    return Launch(spec=spec, plan=plan, instruments=found, code=code)


def _made_up(series: Sequence[Series], instruments: Sequence[Instrument]) -> list[Bars]:
    """Give bars of no market for each series: a slow wave, so that no strategy divides by nothing."""
    known = {one.symbol: one for one in instruments}
    wave = _PRICE * (1.0 + 0.02 * np.sin(np.arange(_ROWS) / 7.0))
    found = []
    for one in series:
        frame = Timeframe.parse(one.timeframe)
        start = frame.floor(_BEGIN)
        found.append(
            Bars(
                instrument=known[one.symbol], timeframe=frame, ts=start + frame.ms * np.arange(_ROWS), open=wave,
                high=wave * 1.01, low=wave * 0.99, close=wave, volume=np.full(_ROWS, 1e6),
            )
        )  # fmt: skip
    return found
