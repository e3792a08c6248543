"""Protections: their limits, and the names of what is wrong with them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.strategy.protections import (
    Cooldown,
    DrawdownPause,
    LosingPairs,
    LowProfit,
    Protection,
    StopGuard,
    checked_protections,
)

ALL = (
    Cooldown(3), StopGuard(2, 24, 12), DrawdownPause(0.1, 100, 20), LowProfit(0.01, 50, 10, min_trips=2), LosingPairs(),
)  # fmt: skip


@pytest.mark.parametrize("one", ALL, ids=lambda one: type(one).__name__)
def test_they_are_values(one: Protection) -> None:
    assert eval(repr(one)) == one == pickle.loads(pickle.dumps(one))
    assert isinstance(one, Protection)
    with pytest.raises(AttributeError):
        one.bars = 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cooldown(0), r"Cooldown: bars = 0; give a whole number of bars, at least 1"),
        (lambda: Cooldown(2.5), r"Cooldown: bars = 2.5; give a whole"),
        (lambda: Cooldown(True), r"Cooldown: bars = True; give a whole"),
        (lambda: StopGuard(0, 5, 5), r"StopGuard: limit = 0; give a whole number of trades, at least 1"),
        (lambda: StopGuard(2, -1, 5), r"StopGuard: lookback = -1"),
        (lambda: StopGuard(2, 5, "5"), r"StopGuard: pause = '5'"),
        (lambda: StopGuard(2, 5, 5, only_this=1), r"StopGuard: only_this = 1; give True or False"),
        (
            lambda: DrawdownPause(0, 5, 5),
            r"DrawdownPause: limit = 0; give a fraction above 0 and below 1 \(0.05 is five",
        ),
        (lambda: DrawdownPause(5, 5, 5), r"DrawdownPause: limit = 5; "),
        (lambda: DrawdownPause(float("nan"), 5, 5), r"DrawdownPause: limit = nan; "),
        (lambda: LowProfit(0.01, 5, 5, 0), r"LowProfit: min_trips = 0; give a whole number of trades"),
        (lambda: LowProfit("1 %", 5, 5), r"LowProfit: required = '1 %'"),
        (lambda: LosingPairs(losses=0), r"LosingPairs: losses = 0"),
        (lambda: LosingPairs(roi=float("inf")), r"LosingPairs: roi = inf"),
        (lambda: LosingPairs(review=0), r"LosingPairs: review = 0; give a whole number of bars"),
    ],
)
def test_wrong_numbers_are_named(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_numbers_of_numpy_become_plain_ones() -> None:
    one = LowProfit(np.float64(0.01), np.int64(5), 5)
    assert repr(one) == "LowProfit(required=0.01, lookback=5, pause=5, min_trips=1)"


def test_one_or_several_are_taken_and_others_named() -> None:
    assert checked_protections(Cooldown(1)) == (Cooldown(1),)
    assert checked_protections(iter(ALL)) == ALL
    assert checked_protections([]) == ()
    for wrong, said in (
        (Cooldown, "Cooldown"),
        ([5], "5"),
        ("Cooldown", "'Cooldown'"),
        (None, "None"),
        ([Protection()], "Pr"),
    ):
        with pytest.raises(
            ConfigError, match=rf"protections: {said}.* is no protection; give a list such as \[wb\.Cool"
        ):
            checked_protections(wrong)
