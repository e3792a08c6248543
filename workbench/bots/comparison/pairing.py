"""Which trade of a bot is which trade of its backtest: one to one, so that together they lie as near as can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from workbench.bots.comparison.trips import Trip

__all__ = ["Pair", "pair_up"]

_FAR: Final = 1e9


class Pair(NamedTuple):
    """A trade that was promised and the one that was made of it; None where there is none."""

    promised: Trip | None
    lived: Trip | None

    @property
    def shown(self) -> Trip:
        """The promised one, or where there is none, the other."""
        return self.promised if self.promised is not None else self.lived  # type: ignore[return-value]


def pair_up(promised: Sequence[Trip], lived: Sequence[Trip], apart_ms: int) -> list[Pair]:
    """Pair trades of the same instrument, leg and side whose times are near each other.

    Parameters
    ----------
    promised, lived : sequence of Trip
    apart_ms : int
        How far the decisions to enter may be apart; trades that overlap in time may be paired too.

    Returns
    -------
    list of Pair
        By time, each trade in exactly one.
    """
    groups: dict[tuple[str, str, float], tuple[list[Trip], list[Trip]]] = defaultdict(lambda: ([], []))
    for which, trips in enumerate((promised, lived)):
        for trip in trips:
            groups[trip.symbol, trip.leg, trip.sign][which].append(trip)
    found = [pair for wanted, got in groups.values() for pair in _paired(wanted, got, apart_ms)]
    return sorted(found, key=lambda pair: pair.shown.entered)


def _paired(wanted: list[Trip], got: list[Trip], apart_ms: int) -> list[Pair]:
    """Pair those of one group: first those that were decided at the same bar, then the rest by the least distance."""
    from scipy.optimize import linear_sum_assignment

    by_bar = {trip.decided: trip for trip in got}
    pairs = [Pair(trip, by_bar[trip.decided]) for trip in wanted if trip.decided in by_bar]
    done = {id(trip) for pair in pairs for trip in pair}
    rest, others = [one for one in wanted if id(one) not in done], [one for one in got if id(one) not in done]
    if rest and others:
        cost = np.array([[_distance(a, b, apart_ms) for b in others] for a in rest])
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if cost[i, j] < _FAR:
                pairs.append(Pair(rest[i], others[j]))
                done |= {id(rest[i]), id(others[j])}
    pairs += [Pair(trip, None) for trip in rest if id(trip) not in done]
    return pairs + [Pair(None, trip) for trip in others if id(trip) not in done]


def _distance(a: Trip, b: Trip, apart_ms: int) -> float:
    apart = abs(a.decided - b.decided)
    overlap = min(a.left, b.left) - max(a.entered, b.entered)
    return float(apart) / max(apart_ms, 1) if apart <= apart_ms or overlap > 0 else _FAR
