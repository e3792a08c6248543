"""Limits as pure numbers: what may be said of them, the strictest of several, trading hours, and asking by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.risk.limits import PROFILES, RULES, Bound, Limits, Row, Situation, assess, joined, strictest
from workbench.risk.limits.hours import is_open

HOUR = 3_600_000
FRIDAY = 24 * HOUR  # 1970-01-02
NOW = Situation(equity=10_000.0, prices={"A/USDT": 100.0, "B/USDT": 50.0}, positions={"B/USDT": 40.0})
SAID = {
    "daily_loss": 0.05, "gross_exposure": 2.0, "max_positions": 3, "order_cash": 500.0, "spread": 0.01,
    "leverage": 3.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"daily_loss": 5.0}, "daily_loss = 5; give a fraction"),
        ({"daily_loss": -0.1}, "daily_loss = -0.1; give a number from 0 on"),
        ({"spread": float("nan")}, "spread = nan; give a number"),
        ({"max_positions": True}, "max_positions = True; give a number"),
        ({"leverage": Bound(2.0, "reduce")}, "leverage cannot be kept by a smaller order"),
        ({"correlation_at": 2.0}, "correlation_at = 2.0; give a number from -1 to 1"),
        ({"correlation_bars": 5}, "correlation_bars = 5; give a whole number, at least 20"),
        ({"pause_ms": 0}, "pause_ms = 0; give a whole number, at least 1"),
        ({"groups": {"both": "A/USDT"}}, "groups = .*; give a mapping of names to lists"),
        ({"trading_hours": "08:00"}, "trading hours '08:00': '08:00' is no window"),
        ({"trading_hours": 5}, "trading_hours = 5; give text"),
    ],
)
def test_a_wrong_limit_is_named_with_its_value(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Limits(**said)


def test_a_wrong_bound_is_named() -> None:
    with pytest.raises(ConfigError, match="action = 'stop' is not one of warn, reject, reduce, flatten"):
        Bound(1.0, "stop")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"warn = 0.2 is beyond at = 0.1: warn earlier"):
        Bound(0.1, warn=0.2)


def test_limits_are_the_same_after_a_trip_through_plain_data() -> None:
    for limits in (
        *PROFILES.values(),
        Limits(groups={"both": ["A", "B"]}, trading_hours="mon 08:00-17:00", pause_ms=5),
    ):
        assert Limits.from_dict(limits.to_dict()) == limits
    assert Limits.from_dict({"profile": "default", "spread": False}) == Limits.profile("default", spread=None)
    with pytest.raises(ConfigError, match="there is no profile 'brave'; there are conservative, default, aggressive"):
        Limits.profile("brave")
    with pytest.raises(ConfigError, match="max_postions is no limit; did you mean max_positions"):
        Limits.profile("default", max_postions=3)


PARTS = st.builds(
    lambda said, share: Limits(**{name: SAID[name] * share for name in said}),
    st.sets(st.sampled_from(sorted(SAID))), st.floats(0.1, 1.0),
)  # fmt: skip


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_what_the_strictest_lets_through_each_of_them_does(several: list[Limits]) -> None:
    merged = strictest(several)
    for one in several:
        for name, bound in one.bounds.items():
            assert merged.bounds[name].at <= bound.at
    assert set(merged.bounds) == {name for one in several for name in one.bounds}


def test_the_strictest_keeps_the_earlier_warning_the_stricter_action_and_the_longer_pause() -> None:
    mild, hard = Limits(spread=Bound(0.01, "warn"), pause_ms=5, max_drawdown=0.2), Limits(spread=0.02, max_drawdown=0.3)
    assert strictest([mild, hard]).spread == Bound(0.02, "reject", 0.01)
    assert strictest([mild, hard]).pause_ms is None and strictest([mild]).pause_ms == 5
    assert joined(mild, {"bot": hard, "account": mild}) == {"bot": strictest([mild, hard]), "account": mild}
    assert joined(None, None) is None


@pytest.mark.parametrize(
    ("text", "hour", "inside"),
    [
        ("mon-fri 08:00-17:00", 8, True), ("mon-fri 08:00-17:00", 17, False), ("sat-sun 00:00-24:00", 8, False),
        ("22:00-02:00", 23, True), ("22:00-02:00", 1, True), ("22:00-02:00", 2, False),
        ("thu 22:00-02:00", 1, True), ("fri 22:00-02:00", 1, False), ("fri-mon 00:00-24:00", 3, True),
        ("mon 08:00-09:00, fri 03:00-04:00", 3, True),
    ],
)  # fmt: skip
def test_trading_hours(text: str, hour: int, inside: bool) -> None:
    assert is_open(text, FRIDAY + hour * HOUR) is inside


def test_an_assessment_says_what_goes_out_and_why() -> None:
    order = {"symbol": "A/USDT", "side": "buy", "quantity": 50.0}
    said = assess(order, NOW, Limits(gross_exposure=Bound(0.5, warn=0.3), order_cash=9_000.0))
    assert said.sentence == (
        "Approved in part: buy 50 A/USDT is cut to 30; gross_exposure: 0.70 x equity (limit 0.50 x equity)."
    )
    assert (said.approved, said.quantity, said.code) == (True, pytest.approx(30.0), "gross_exposure")
    assert [(one.limit, one.value, one.threshold, one.passed) for one in said.checks] == [
        ("gross_exposure", 0.7, 0.5, False), ("order_cash", 5_000.0, 9_000.0, True),
    ]  # fmt: skip
    small = assess({**order, "quantity": 15.0}, NOW, Limits(gross_exposure=Bound(0.5, warn=0.3)))
    assert small.sentence == "Approved: buy 15 A/USDT; 1 limits checked, with 1 warning." and len(small.warnings) == 1
    none = assess(order, NOW, Limits(order_cash=100.0))
    assert not none.approved and none.sentence.startswith(
        "Rejected: buy 50 A/USDT; order_cash: 5,000.00 (limit 100.00)"
    )
    sold = assess({"symbol": "B/USDT", "side": "sell", "quantity": 40.0}, NOW, Limits(order_cash=1.0))
    assert sold.approved and "only reduces" in sold.sentence


def test_what_others_hold_counts() -> None:
    others = Situation(equity=20_000.0, prices=NOW.prices, elsewhere=[Row("A/USDT", "A", 9_000.0)])
    said = assess({"symbol": "A/USDT", "side": "buy", "quantity": 50.0}, others, Limits(instrument_exposure=0.5))
    assert said.quantity == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"symbol": "A/USDT", "side": "hold", "quantity": 1.0}, "is no order"),
        ({"symbol": "A/USDT", "side": "buy", "quantity": 0.0}, "is no order"),
        ({"symbol": "C/USDT", "side": "buy", "quantity": 1.0}, "there is no price of C/USDT"),
    ],
)
def test_what_is_no_order_is_named(order: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        assess(order, NOW)


def test_every_rule_has_a_field_and_a_code() -> None:
    assert {rule.name for rule in RULES} <= set(Limits.__dataclass_fields__)
    assert len({rule.code for rule in RULES}) == len(RULES)
