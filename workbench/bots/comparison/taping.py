"""The plan that a bot is compared with: its spec, on the lake's bars or on those that it heard itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.bots.comparison.lived import Lived
from workbench.bots.spec import BotSpec, Series
from workbench.errors import ConfigError, WorkbenchError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument

if TYPE_CHECKING:
    from workbench.backtest.plan import Plan
    from workbench.settings import Settings

__all__ = ["plan_of"]


def plan_of(spec: BotSpec, details: Mapping[str, Any], life: Lived, settings: Settings) -> Plan:
    """Lay out what a bot was to trade, on the bars of its life.

    Parameters
    ----------
    spec : BotSpec
    details : mapping
        Of its first session: "instruments", as `Instrument.to_dict` gives them, where it heard a live market.
    life : Lived
    settings : Settings

    Raises
    ------
    ConfigError, DataError, StrategyError
        The strategy is not there any more, or a series that it is to hear was never heard.
    """
    if spec.mode == "replay":
        return spec.plan(settings)
    from workbench.backtest.prepare import prepare

    known = {one["symbol"]: Instrument.from_dict(one) for one in details.get("instruments", ())}
    heard = [_bars_of(spec, one, known, life, settings) for one in spec.series]
    return prepare(spec.made(settings), _alike(heard, life.began), **spec.options())


def _bars_of(spec: BotSpec, series: Series, known: Mapping[str, Instrument], life: Lived, settings: Settings) -> Bars:
    tape = life.tapes.get((series.symbol, series.timeframe))
    if tape is None:
        raise ConfigError(f"bot {spec.name!r} has never heard a bar of {series}", name=spec.name)
    venue = series.venue or getattr(spec, "venue", "") or None
    over = _of_the_lake(series, venue, settings)
    facts = known.get(series.symbol)
    if facts is None:
        facts = over.instrument if over is not None else Instrument.default(series.symbol, venue or "unknown")
    return tape.bars(facts, series.timeframe, over)


def _of_the_lake(series: Series, venue: str | None, settings: Settings) -> Bars | None:
    """Give the series as the lake has it of the same venue; None where it has not."""
    from workbench.market.lake import Lake

    if venue is None:
        return None
    try:
        return Lake(settings.lake_root).read(series.symbol, series.timeframe, venue=venue)
    except WorkbenchError:
        return None


def _alike(heard: list[Bars], began: int) -> list[Bars]:
    """Cut what came before the first bar that was acted on to the same length for all that move prices."""
    finest: dict[str, Bars] = {}
    for bars in heard:
        best = finest.get(bars.symbol)
        finest[bars.symbol] = bars if best is None or bars.timeframe.ms < best.timeframe.ms else best
    before = {symbol: int(np.searchsorted(one.ts + one.timeframe.ms, began)) for symbol, one in finest.items()}
    least = min(before.values())
    return [one[before[one.symbol] - least :] if one is finest[one.symbol] else one for one in heard]
