"""A bot that has just lived, for whoever wants to look at one: on paper, on a replayed tape, always under one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["demonstration"]


def demonstration(
    strategy: str, symbol: str, timeframe: str, *, start: str | None = None, end: str | None = None,
    settings: Settings | None = None,
) -> str:  # fmt: skip
    """Let a bot trade a tape on paper, and give its name; one that has done so is not run again.

    Parameters
    ----------
    strategy : str
        As `load_strategy` takes it.
    symbol, timeframe : str
        A series of the lake.
    start, end : str, optional
        Of the tape, UTC.
    settings : Settings, optional
        Of the workspace; the current one when left out.

    Raises
    ------
    ConfigError, DataError, StrategyError
        The strategy or the series is not there.
    """
    from hashlib import blake2b

    from workbench.bots.journal import open_journal
    from workbench.bots.replaying import ReplayBot
    from workbench.bots.spec import BotSpec, Series
    from workbench.settings import load_settings

    settings = settings or load_settings()
    series = (Series(symbol, timeframe),)
    plan = BotSpec(name="demonstration", strategy=strategy, series=series, start=start, end=end).plan(settings)
    code = str(getattr(plan.strategy, "code_hash", ""))
    made_of = f"{strategy} {code} {plan.lines[0].bars.fingerprint} {timeframe}"
    spec = BotSpec(
        name=f"demonstration-{blake2b(made_of.encode(), digest_size=4).hexdigest()}", strategy=strategy, series=series,
        start=start, end=end,
    )  # fmt: skip
    with open_journal(spec.name, settings) as journal:
        sessions = journal.sessions()
        if sessions and sessions[-1].ended is not None:
            return spec.name
        for _ in ReplayBot(spec, plan, journal).steps():
            pass
    return spec.name
