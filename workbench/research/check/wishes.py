"""Order strategies: what they wish on shorter histories must be what they wished on longer ones, up to the cut.

The event path runs, with a recorder in the strategy's place that passes everything on and writes down what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

import numpy as np

from workbench.backtest.blame import blaming
from workbench.backtest.event_path import Replay
from workbench.backtest.prepare import prepare
from workbench.errors import WorkbenchError
from workbench.market.bars import Bars
from workbench.research.check.state import Keeper
from workbench.research.check.subject import Broke
from workbench.strategy.orders import OrderStrategy
from workbench.trading.view import flat_list

__all__ = ["Divergence", "Heard", "WishLab", "compare_wishes"]

_HEARS: Final = frozenset(
    ("on_start", "on_bar", "on_tick", "on_fill", "on_timer", "on_trigger", "on_funding", "on_refused", "on_end")
)
_WINDOW: Final = 3_000
_CUTS: Final = 10
_SEED: Final = 5
_OWN: Final = ("id", "decided")  # of a wish: numbers that the core gives it

Heard = list[tuple[int, str, str]]
"""What was wished: when (ms UTC), in which method, and the wishes in words."""


class _Recorder:
    """Stands for a strategy: passes on what the core tells it, and writes down its wishes."""

    def __init__(self, strategy: OrderStrategy) -> None:
        self.strategy, self.heard = strategy, Heard()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.strategy, name)
        return self._recording(name, value) if name in _HEARS else value

    def _recording(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def told(view: Any, *event: Any) -> Any:
            said = method(view, *event)
            if said:
                self.heard += [(int(view.now), name, in_words(wish)) for wish in flat_list(said)]
            return said

        return told


@dataclass(frozen=True)
class Divergence:
    """The first wish that is another on a shorter history: when, in which method, and both in words."""

    ts: int
    method: str
    shorter: str
    longer: str
    history: int


@dataclass
class WishLab:
    """Runs one order strategy over histories.

    Attributes
    ----------
    strategy : OrderStrategy
    keeper : Keeper
        Puts back what it remembers before each run once `remembers` says so.
    """

    strategy: OrderStrategy
    keeper: Keeper
    remembers: bool = False
    runs: int = 0

    def run(self, series: Sequence[Bars]) -> Heard:
        """Run over some history and give all wishes.

        Raises
        ------
        Broke
            The strategy cannot run on these bars.
        """
        self.runs += 1
        if self.remembers:
            self.keeper.restore()
        try:
            with blaming(self.strategy):
                replay = Replay(prepare(self.strategy, list(series)))
                recorder = _Recorder(self.strategy)
                replay.core.trader = recorder
                replay.go()
        except WorkbenchError as error:
            raise Broke(str(error)) from error
        return recorder.heard


def in_words(wish: Any) -> str:
    """Write a wish without what it leaves open: `Intent(side='buy', type='limit', size=1, price=99.5)`."""
    if not is_dataclass(wish):
        return repr(wish)
    said = {one.name: getattr(wish, one.name) for one in fields(wish)}
    left = {one.name: one.default for one in fields(wish)}
    told = {name: value for name, value in said.items() if value == value and value != left[name] and name not in _OWN}
    return f"{type(wish).__name__}({', '.join(f'{name}={value!r}' for name, value in told.items())})"


def compare_wishes(lab: WishLab, series: Sequence[Bars]) -> tuple[list[Divergence], bool]:
    """Compare wishes on shorter histories with those on the longest, at most three thousand bars of the first series.

    Returns
    -------
    diverged : list of Divergence
        One a cut at which a wish was another.
    repeats : bool
        Whether the same history gave the same wishes twice.
    """
    end = series[0].end
    start = int(series[0].ts[max(0, len(series[0]) - _WINDOW)])
    whole = [bars.between(start, end) for bars in series]
    heard = lab.run(whole)
    repeats = lab.run(whole) == heard
    found = []
    for cut in _cuts(whole[0], heard):
        shorter = [bars[: int(np.searchsorted(bars.ts + bars.timeframe.ms, cut, side="right"))] for bars in whole]
        if all(len(bars) for bars in shorter):
            said = lab.run(shorter)
            diverged = _first_difference(said, heard, cut, len(shorter[0]))
            found += [diverged] if diverged else []
    return found, repeats


def _cuts(bars: Bars, heard: Heard) -> list[int]:
    """Give times (ms UTC) to cut at: the close of bars with wishes, and of others."""
    ends = bars.ts + bars.timeframe.ms
    wished = sorted({ts for ts, _, _ in heard if ends[0] <= ts < ends[-1]})
    step = max(1, len(wished) // (_CUTS // 2))
    chance = np.random.default_rng(_SEED).integers(len(ends) // 2, len(ends), _CUTS // 2)
    return sorted({*wished[::step][: _CUTS // 2 + 1], *ends[chance].tolist()})


def _first_difference(shorter: Heard, longer: Heard, cut: int, history: int) -> Divergence | None:
    """Give the first difference up to a time; wishes at the time itself are of the last closed bar and count."""
    one = [wish for wish in shorter if wish[0] <= cut and _settled(wish, cut)]
    other = [wish for wish in longer if wish[0] <= cut and _settled(wish, cut)]
    for place in range(max(len(one), len(other))):
        mine = one[place] if place < len(one) else None
        theirs = other[place] if place < len(other) else None
        if mine != theirs:
            ts, method, _ = mine or theirs or (cut, "", "")
            return Divergence(ts, method, mine[2] if mine else "nothing", theirs[2] if theirs else "nothing", history)
    return None


def _settled(wish: tuple[int, str, str], cut: int) -> bool:
    """Leave out what answers events of the next bar's open, which has the time of this bar's close."""
    return wish[0] < cut or wish[1] == "on_bar"
