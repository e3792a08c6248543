"""A rule at work: how often it matched and fired, and its own random numbers."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Any

from workbench.practice.faults_rules import Rule

__all__ = ["Live"]


class Live:
    """A rule at work.

    Two generators, one for whether it fires and one for sizes, so that the first is the same whatever is drawn by the
    second. Both are seeded by the scenario's seed and the rule's number only.

    Parameters
    ----------
    number : int
    rule : Rule
    seed : int
    """

    def __init__(self, number: int, rule: Rule, seed: int) -> None:
        self.number = number
        self.rule = rule
        self.matched = 0
        self.fired = 0
        self.sizes = random.Random(f"{seed}/{number}/sizes")
        self.held: dict[Hashable, list[tuple[int, Any]]] = {}
        self.until: int | None = None  # when what it did to the market is undone
        self._chance = random.Random(f"{seed}/{number}/chance")

    def fires(self, now: int, began: int, *, spend: bool = True) -> bool:
        """Count a match, and tell whether the rule acts at it; `spend` False leaves its `count` as it is."""
        when = self.rule.when
        if not when.open(now, began):
            return False
        self.matched += 1
        lucky = when.probability >= 1.0 or self._chance.random() < when.probability
        turn = self.matched - when.skip
        if turn < 1 or not lucky or (when.nth and self.matched not in when.nth):
            return False
        if (when.every and turn % when.every) or (when.count is not None and self.fired >= when.count):
            return False
        self.fired += spend
        return True

    def starts(self, began: int) -> int | None:
        """Give the time (ms) at which a rule of the market acts by itself, None if it has or waits for a request."""
        return (
            None if self.fired or self.rule.target or self.rule.when.start is None else self.rule.when.start.at(began)
        )

    def due(self, now: int, began: int) -> bool:
        """Tell whether a rule of the market acts by itself now, which it does once."""
        start = self.starts(began)
        if start is None or now < start:
            return False
        self.fired += 1
        return True
