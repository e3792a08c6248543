"""How many bars a rule file needs before all that it says is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.market.alignment import known_from
from workbench.market.timeframe import Timeframe
from workbench.strategy.rules.arrays import Frame, constants, with_output
from workbench.strategy.rules.nodes import (
    Agreement,
    Call,
    Column,
    Cross,
    Lasting,
    Moving,
    On,
    Part,
    Recent,
    Shift,
    Value,
    parts,
)
from workbench.strategy.rules.plan import RuleFile
from workbench.strategy.rules.scope import indicator_of

__all__ = ["first_known"]


def first_known(file: RuleFile, parameters: Mapping[str, Any], timeframe: Timeframe | None = None) -> int:
    """Give the index of the first bar on which every condition, stop and size of a file is known.

    Parameters
    ----------
    file : RuleFile
    parameters : mapping of str to value
    timeframe : Timeframe, optional
        Of the bars that it is asked about; the file's own when left out.

    Returns
    -------
    int
        At least what the file asks for under `warm_up:`.

    Notes
    -----
    From `Indicator.first` and how far operators look back. A column on longer bars counts as many of the bars as they
    hold; where no timeframe is known a longer bar counts as one, and the column says by its NaN that there is nothing
    yet.
    """
    fixed = constants(file, parameters)
    needed = [*file.sides.values(), *file.stops.values(), *([file.size] if file.size is not None else [])]
    counter = _Counter(file, fixed, timeframe or file.timeframe)
    own = max((counter.first(part) for part in needed), default=0)
    return max(own, 0 if file.warm_up is None else int(fixed.value(file.warm_up)))


class _Counter:
    """The first known row of each part, worked out once."""

    def __init__(self, file: RuleFile, constants: Frame, base: Timeframe | None) -> None:
        self.file, self.constants, self.base = file, constants, base
        self.known: dict[Part, int] = {}

    def first(self, part: Part) -> int:
        if part not in self.known:
            self.known[part] = self._first(part)
        return self.known[part]

    def _first(self, part: Part) -> int:
        inner = max((self.first(one) for one in parts(part)), default=0)
        if isinstance(part, Column):
            found = self.file.columns[part.name]
            return self.first(found if part.output is None else with_output(found, part.output, self.file.columns))
        if isinstance(part, Call):
            return inner + self._warm_up(part)
        if isinstance(part, Cross):
            return inner + 1
        if isinstance(part, (Shift, Moving)):
            return inner + self.constants.whole(part.bars)
        if isinstance(part, (Lasting, Recent)):
            return inner + self.constants.whole(part.bars) - 1
        if isinstance(part, Agreement):
            return max(self._on(one, _first_vote()) for one in part.timeframes)
        return self._on(part.timeframe, inner) if isinstance(part, On) else inner

    def _warm_up(self, part: Call) -> int:
        indicator = indicator_of(part.indicator, part.place)
        given = {name: self.constants.value(value) for name, value in part.settings}
        firsts = dict(zip(indicator.outputs, indicator.first(*indicator.parameters(**given)), strict=True))
        return int(firsts[part.output] if part.output else max(firsts.values()))

    def _on(self, timeframe: Value, inner: int) -> int:
        """Count the own bars of the longer ones, and those of a first one that the history begins inside of."""
        longer = Timeframe.parse(str(self.constants.value(timeframe)))
        return inner if self.base is None else known_from(inner, of=longer, at=self.base)


def _first_vote() -> int:
    """Give the first bar on which every indicator of a confluence has a value."""
    from workbench.indicators import registry
    from workbench.strategy.confluence import ConfluenceTerms

    terms = ConfluenceTerms()
    macd = registry.get("macd").first(terms.macd_fast, terms.macd_slow, terms.macd_signal)
    slowest = max(terms.ema_fast, terms.ema_slow)
    return max(*registry.get("rsi").first(terms.rsi_length), *macd, *registry.get("ema").first(slowest))
