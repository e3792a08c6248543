"""Costs and rules: what is left out, what they become for the core, and the names of what is wrong."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ConfigError
from workbench.trading.terms import CostTerms

PERPETUAL = wb.Instrument.default("BTC/USDT:USDT")
SPOT = wb.Instrument.default("BTC/USDT")


def test_what_is_left_out_comes_from_the_instrument() -> None:
    known = wb.Costs().of(PERPETUAL)
    assert known == wb.Costs(
        fee=0.0005, maker_fee=0.0002, slippage_bps=1.0, impact="none", volume_share=0.1, liquidation_fee=0.0125
    )
    assert known.of(SPOT) == known  # nothing is left to fill in
    assert wb.Costs().of(SPOT).liquidation_fee is None  # it has none
    assert wb.Costs(fee=0.01).of(PERPETUAL).maker_fee == 0.01
    assert wb.Costs(liquidation_fee=0.0).of(PERPETUAL).liquidation_fee == 0.0


@pytest.mark.parametrize(("impact", "usual"), [("none", None), ("volume_share", 0.1), ("square_root", 1.0)])
def test_impact_has_a_usual_coefficient(impact: str, usual: float | None) -> None:
    assert wb.Costs(impact=impact).of(SPOT).impact_coefficient == usual


def test_the_core_gets_bare_numbers() -> None:
    costs = wb.Costs(
        fee=0.001, maker_fee=-0.0001, slippage_bps=5, per_unit=0.005, per_order=1, impact="square_root",
        impact_coefficient=0.5, volume_share=math.inf, liquidation_fee=0.01,
    )  # fmt: skip
    assert costs.of(SPOT).terms() == CostTerms(
        taker=0.001, maker=-0.0001, per_unit=0.005, per_order=1.0, slippage=0.0005, impact_kind=2, impact=0.5,
        volume_share=math.inf, liquidation_fee=0.01,
    )  # fmt: skip


def test_scaling_multiplies_costs_and_leaves_liquidity() -> None:
    costs = wb.Costs(fee=0.001, per_order=2.0, impact="volume_share", impact_coefficient=0.1, volume_share=0.2)
    twice = costs.scaled(2)
    assert (twice.fee, twice.per_order, twice.impact_coefficient) == (0.002, 4.0, 0.2)
    assert (twice.volume_share, twice.impact, twice.maker_fee) == (0.2, "volume_share", None)
    nothing = costs.of(PERPETUAL).scaled(0).terms()
    assert nothing == CostTerms(impact_kind=1, volume_share=0.2)


def test_plain_data_makes_them_again() -> None:
    costs = wb.Costs(fee=0.001, volume_share=math.inf)
    assert wb.Costs(**costs.to_dict()) == costs
    assert wb.Costs(volume_share=None) == wb.Costs()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fee": 5}, r"costs: fee = 5 is outside -0.01 to 0.5; it is a fraction: 0.001 is 0.1 %"),
        ({"per_unit": -1}, r"costs: per_unit = -1 is outside 0 to 1e\+09; it is in the quote currency for each unit"),
        ({"per_order": None}, "costs: per_order = None is not a finite number"),
        ({"per_order": math.nan}, "costs: per_order = nan is not a finite number"),
        ({"impact": "linear"}, "costs: impact = 'linear' is not one of 'none', 'volume_share', 'square_root'"),
        ({"impact": ["none"]}, r"costs: impact = \['none'\] is not one of"),
        ({"impact_coefficient": 0.1}, "impact_coefficient = 0.1 has no impact to scale; say impact='volume_share'"),
        ({"volume_share": 0}, "costs: volume_share = 0; give a fraction of the bar's volume above 0 and at most 1"),
        ({"volume_share": 1.5}, r"volume_share = 1.5; give .* or float\('inf'\) for no cap"),
        ({"volume_share": True}, "volume_share = True"),
        ({"volume_share": math.nan}, "volume_share = nan"),
        ({"liquidation_fee": 1.25}, "liquidation_fee = 1.25 is outside 0 to 0.5"),
    ],
)
def test_costs_that_cannot_be_are_named(fields: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        wb.Costs(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"intrabar": "optimistic"}, "rules: intrabar = 'optimistic' is not one of 'pessimistic', 'path'"),
        ({"margin": None}, "rules: margin = None is not one of 'cross', 'isolated'"),
        ({"positions": "both"}, "rules: positions = 'both' is not one of 'one_way', 'hedge'"),
        ({"account": "credit"}, "rules: account = 'credit' is not one of 'margin', 'cash'"),
        ({"limit_fill": 1}, "rules: limit_fill = 1 is not one of 'touch', 'through', 'queue'"),
        ({"max_positions": 0}, "rules: max_positions = 0; give a whole number, at least 1, or None for no limit"),
        ({"max_positions": 2.0}, "rules: max_positions = 2.0"),
        ({"latency_ms": -1}, "rules: latency_ms = -1; give a whole number, at least 0, in milliseconds"),
        ({"latency_ms": None}, "rules: latency_ms = None"),
        ({"protections": "cooldown"}, "protections: 'cooldown' is no protection"),
        ({"funding": "0.01%"}, "rules: funding = '0.01%'; give a fraction a settlement"),
        ({"funding": 1.0}, "rules: funding = 1.0; give a fraction"),
        ({"funding": True}, "rules: funding = True"),
        ({"funding": math.nan}, "rules: funding = nan"),
        ({"funding": {"BTC/USDT:USDT": [0.1]}}, r"rules: funding of BTC/USDT:USDT = \[0.1\]; give"),
    ],
)
def test_rules_that_cannot_be_are_named(fields: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        wb.Rules(**fields)


def test_rules_are_said_by_name_and_kept() -> None:
    rules = wb.Rules(protections=[wb.Cooldown(1)], funding={"X": pd.Series([0.1])}, max_positions=3)
    assert rules.protections == (wb.Cooldown(1),)
    assert wb.Rules().protections is None  # the strategy's own
    with pytest.raises(TypeError, match="positional"):
        wb.Rules("path")
    with pytest.raises(AttributeError):
        rules.margin = "isolated"
