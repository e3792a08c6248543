"""Two paths, one answer: what the compiled path does is what the event path does, trade by trade.

The event path is the definition. `test_third_writing` holds both to a third, plain one.
"""

from __future__ import annotations

import math
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backtest.cases import cases, run, simplest
from tests.backtest.parity import differences, explain, told_by_package
from tests.backtest.reference_contract import Replay
from workbench.errors import ConfigError

CALM: Final = [HealthCheck.too_slow, HealthCheck.data_too_large]
PHASES: Final = [phase for phase in Phase if phase is not Phase.explain]  # explaining takes minutes
SHARDS: Final = 8
LONG: Final = 20_000

# What the generator seldom finds, by hand.
BY_HAND: Final[dict[str, dict[str, Any]]] = {
    "a short without leverage is ruined": simplest(
        [(100, 101, 99, 100), (100, 101, 99, 100), (100, 150, 99, 140), (140, 260, 130, 250), (250, 251, 249, 250)],
        "41000", kind="spot", symbol="A/USDT", fee=0.001, slippage_bps=5.0,
    ),
    "a short without leverage is ruined at the open": simplest(
        [(100, 101, 99, 100), (100, 101, 99, 100), (210, 220, 205, 215), (215, 216, 214, 215)],
        "4010", kind="spot", symbol="A/USDT", fee=0.001,
    ),
    "a gap far through the liquidation": simplest(
        [(100, 101, 99, 100), (100, 101, 99, 100), (40, 42, 38, 40), (40, 41, 39, 40)],
        "1010", leverage=5.0, fee=0.001, liquidation_fee=0.01,
    ),
    "a reversal that the volume does not let through at once": simplest(
        [(100, 101, 99, 100, 1000.0)] * 3 + [(100, 101, 99, 100, 30.0)] * 6, "104010000", volume_share=1.0,
    ),
    "words against a reversal that waits": simplest(
        [(100, 101, 99, 100, 1000.0)] * 3 + [(100, 101, 99, 100, 30.0)] * 6, "104100000", volume_share=1.0,
    ),
    "a stop on a bar without volume": simplest(
        [(100, 101, 99, 100)] * 2 + [(100, 100, 90, 92, 0.0), (92, 93, 91, 92, 60.0), (92, 93, 91, 92)],
        "10000", stop_loss=0.05, volume_share=1.0,
    ),
    "a target that fills in parts": simplest(
        [(100, 101, 99, 100)] * 2 + [(100, 112, 100, 110, 40.0)] * 4, "100000", take_profit=0.1, volume_share=1.0,
    ),
    "a target that calls a waiting reversal off": simplest(
        [(100, 101, 99, 100)] * 2 + [(100, 103, 100, 102, 20.0)] * 3 + [(101, 101, 100, 100)] * 2,
        "1040000", take_profit=0.02, volume_share=0.5,
    ),
    "everything is lost and nothing more can be traded": simplest(
        [(100, 101, 99, 100)] * 2 + [(1, 2, 1, 1), (1, 2, 1, 1), (1, 2, 1, 1)],
        "10101", leverage=10.0, margin="isolated",
    ),
}  # fmt: skip


def assert_equal(case: dict[str, Any]) -> None:
    if not compilable(case):
        with pytest.raises(ConfigError, match="several lengths"):
            run(case, "compiled")
        return  # `test_third_writing` holds the event path to the contract there
    compiled, event = (told_by_package(run(case, path).records) for path in ("compiled", "event"))
    found = differences(compiled, event, cash=case["cash"])
    assert not found, explain(case, compiled, event, found)
    assert compiled.name == "compiled" and event.name == "event"


def compilable(case: dict[str, Any]) -> bool:
    """Tell whether the bars that drive the market are of one length, or of one instrument."""
    markets = Replay(case).markets
    return len(markets) == 1 or len({base.span for market in markets for base in market.bases.values()}) == 1


@settings(max_examples=150, phases=PHASES, suppress_health_check=CALM)
@given(case=cases())
def test_both_paths_are_equal(case: dict[str, Any]) -> None:
    assert_equal(case)


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("margin", ["cross", "isolated"])
@pytest.mark.parametrize("intrabar", ["pessimistic", "path"])
def test_both_paths_are_equal_where_it_is_seldom(name: str, fill: str, margin: str, intrabar: str) -> None:
    case = BY_HAND[name]
    rules = {**case["rules"], "margin": margin, "intrabar": intrabar}
    assert_equal({**case, "fill": fill, "rules": rules})
    assert math.isfinite(run({**case, "fill": fill, "rules": rules}, "auto").equity.iloc[-1])


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_both_paths_are_equal_at_length(shard: int) -> None:
    @seed(shard)
    @settings(max_examples=LONG // SHARDS, phases=PHASES, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases())
    def check(case: dict[str, Any]) -> None:
        assert_equal(case)

    check()
