"""`confluence(1h, 4h, 1d)` in rules is the score of `strategy.confluence`, as a filter like any other column."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strategy.rules.made import rules
from workbench.errors import StrategyError
from workbench.market.lake import Lake
from workbench.strategy.confluence import confluence_score


def test_the_score_is_that_of_code(lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h")[:6_000]
    plain = confluence_score(bars, ("1h", "4h", "1d"))
    np.testing.assert_array_equal(rules("entry: confluence(1h, 4h, 1d) > 60")().signals(bars).entry, plain > 60)
    weighed = confluence_score(bars, ("1h", "1d"), weights=(1, 3))
    column = "indicators:\n  score: {confluence: [1h, 1d], weights: [1, w]}\n"
    spelt = f"parameters: {{w: 3}}\n{column}entry: score crosses_above 60"
    said = rules(spelt)().signals(bars).entry
    assert said.any()
    np.testing.assert_array_equal(said[1:], (weighed[1:] > 60) & (weighed[:-1] <= 60))


def test_its_warm_up_is_that_of_the_slowest_timeframe(lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h")[:3_000]
    made = rules("timeframe: 1h\nentry: confluence(1h, 4h) > 0")()
    first = int(np.flatnonzero(made.signals(bars).entry)[0])
    assert made.warm_up - 3 <= first <= made.warm_up


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("entry: confluence(1h, 4 hours) > 60", "a timeframe is wanted in confluence, such as 4h or 1d, not '4'", 23),
        ("entry: confluence() > 60", r"a timeframe is wanted in confluence, such as 4h or 1d, not '\)'", 19),
        ("entry: confluence(1h, 1h) > 60", "this timeframe stands twice", 23),
        ("entry: confluence(1h, 4h) @ 4h > 60", "only known of the strategy's own bars", 8),
        ("entry: confluence > 60", "'confluence' cannot stand here", 8),
        ("entry: close > 3 for confluence(1h)", "differs from bar to bar", 22),
        ("{entry: x > 3, indicators: {x: {confluence: 4h}}}", "confluence wants a list of timeframes", 45),
        (
            "{entry: x > 3, indicators: {x: {confluence: [4h], weights: [1, 2]}}}",
            "one number for each of the 1 timef",
            60,
        ),
        ("{entry: x > 3, indicators: {x: {confluence: [4h], weight: [1]}}}", "did you mean 'weights'", 51),
    ],
)
def test_mistakes_have_their_place(text: str, message: str, column: int) -> None:
    with pytest.raises(StrategyError, match=message) as caught:
        rules(text)
    assert (caught.value.fields["line"], caught.value.fields["column"]) == (1, column)
