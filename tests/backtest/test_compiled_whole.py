"""What holds for the compiled path as a whole: repeats, prefixes, room, kinds, and what it leaves to the event path."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.backtest.cases import arguments, cases
from tests.backtest.plans import CALM, bars_of, line, plan
from workbench.backtest import compiled, kernel_inside, kernel_orders, kernel_state, kernel_step
from workbench.backtest import kernel as kernel_
from workbench.backtest.kernel_parts import Inner
from workbench.backtest.plan import Line, Plan
from workbench.backtest.prepare import prepare
from workbench.backtest.records import REASON_CODES, SKIP_REASONS, Records
from workbench.errors import ConfigError
from workbench.trading import exits
from workbench.trading.terms import AccountTerms, CostTerms

TABLES = ("fills", "funding", "skipped", "ts", "equity")
RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large]


def plan_of(case: dict[str, Any]) -> Plan:
    said = arguments(case)
    return prepare(said.pop("strategy"), said.pop("bars"), **said)


def assert_same(one: Records, other: Records) -> None:
    for name in TABLES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def begun(whole: Plan, bars: int) -> Plan:
    """The same plan over the first strategy bars only."""
    return replace(whole, lines=tuple(_begun(one, bars) for one in whole.lines))


def _begun(one: Line, bars: int) -> Line:
    rows = bars if one.word is None else int(np.flatnonzero(one.word >= 0)[bars - 1]) + 1
    series = ("ts", "open", "high", "low", "close", "volume")
    cut = {name: getattr(one, name)[:rows] for name in series}
    long = {name: getattr(one, name)[:rows] for name in ("span", "sigma") if len(getattr(one, name)) > 1}
    told = one.signals
    assert told is not None
    columns = {field.name: getattr(told, field.name) for field in fields(told) if field.init}
    short = {
        name: value[:bars] if isinstance(value, np.ndarray) and len(value) == len(told) else
        value.item() if isinstance(value, np.ndarray) else value
        for name, value in columns.items()
    }  # fmt: skip
    signals = type(told)(**short)
    word = None if one.word is None else one.word[:rows]
    return replace(one, bars=one.bars[:bars], **cut, **long, word=word, signals=signals, stop_price=signals.stop_price)


@settings(max_examples=100, suppress_health_check=RELAXED)
@given(case=cases())
def test_runs_repeat_to_the_bit_and_change_nothing_that_they_are_given(case: dict[str, Any]) -> None:
    made = plan_of(case)
    if compiled.unfit(made):
        return
    before = [getattr(one, name).copy() for one in made.lines for name in ("open", "volume", "funding_rate", "tiers")]
    assert_same(compiled.run(made), compiled.run(made))
    after = [getattr(one, name) for one in made.lines for name in ("open", "volume", "funding_rate", "tiers")]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


@settings(max_examples=200, suppress_health_check=RELAXED)
@given(case=cases(most=1))
def test_a_longer_history_never_changes_what_was_done_before(case: dict[str, Any]) -> None:
    whole = plan_of(case)
    bars = len(whole.lines[0].bars)
    full = compiled.run(whole)
    for cut in {max(1, bars // 3), max(1, 2 * bars // 3)}:
        part = begun(whole, cut)
        if bool(part.lines[0].volume.any()) != bool(whole.lines[0].volume.any()):
            continue  # a series that has no volume at all has no cap
        short = compiled.run(part)
        np.testing.assert_array_equal(short.equity, full.equity[:cut])
        for name in ("fills", "funding"):
            np.testing.assert_array_equal(getattr(short, name), getattr(full, name)[: len(getattr(short, name))])
        ended = short.skipped[:, 4] == SKIP_REASONS.index("the data ends before it could fill")
        np.testing.assert_array_equal(short.skipped[~ended], full.skipped[: int((~ended).sum())])


def test_the_table_of_fills_grows_when_volume_splits_orders() -> None:
    rows = [(*CALM, 1e3), *[(*CALM, 0.1)] * 300]
    costs = CostTerms(volume_share=1.0)
    records = compiled.run(plan(line(rows, "1" + "0" * 300, costs=costs)))
    assert len(records.fills) == 300
    assert records.fills[:, 3].tolist() == [0.1] * 300
    assert len(set(records.fills[:, 10])) == 1


def test_bars_that_are_skipped_and_bars_that_are_looked_at_give_the_same() -> None:
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 2_000)))
    opened = np.concatenate((close[:1], close[:-1]))
    rows = np.column_stack((opened, np.maximum(opened, close) * 1.003, np.minimum(opened, close) * 0.997, close))
    words = "".join(rng.choice(list("0000000000000124"), 2_000))
    said = {"stop_loss": 0.05, "take_profit": 0.08, "trailing_stop": 0.04, "stop_price": close * 0.93, "size": 0.4}
    alone = line(rows.tolist(), words, **said)
    # a second instrument that never trades makes every bar one that is looked at
    idle = line([CALM] * 2_000, "0" * 2_000, symbol="B/USDT")
    for options in ({}, {"path_inside": True}, {"at_close": True}, {"roi": [(0, 0.1), (600, 0.02)], "max_bars": 40}):
        one, two = compiled.run(plan(alone, **options)), compiled.run(plan(alone, idle, **options))
        assert len(one.fills) > 100
        assert_same(one, two)


def test_equity_is_what_is_held_at_each_close() -> None:
    records = compiled.run(plan(line([CALM, CALM, (100, 111, 99, 110), (110, 121, 109, 120)], "1000", size=0.5)))
    assert records.equity.tolist() == [10_000, 10_000, 10_500, 11_000]
    assert not records.equity.flags.writeable and not records.fills.flags.writeable


def test_one_kernel_serves_every_plan() -> None:
    kernel: Any = kernel_.run_nb
    compiled.run(plan(line([CALM] * 3, "100")))
    before = len(kernel.signatures)
    fine = [CALM] * 12
    compiled.run(plan(line([CALM] * 3, "100", detail=fine, stop_price=[90.0, 91.0, 92.0]), at_close=True, max_bars=3))
    compiled.run(plan(*(line([CALM] * 3, "100", symbol=name, leverage=3.0) for name in ("A", "B")), roi=[(0, 0.1)]))
    assert len(kernel.signatures) == before == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"account": AccountTerms(hedge=True)}, "hedge"),
        ({"account": AccountTerms(kind="cash")}, "cash account"),
        ({"latency_ms": 5}, "latency_ms"),
        ({"ticks": (1,)}, "ticks"),
        ({"extra": (bars_of([CALM]),)}, "several timeframes"),
    ],
)
def test_it_says_what_it_leaves_to_the_event_path(changes: dict[str, Any], why: str) -> None:
    made = plan(line([CALM] * 2, "10"), **changes)
    assert why in compiled.unfit(made)
    with pytest.raises(ConfigError, match=r"cannot be run compiled: .*; path='event' or 'auto' can"):
        compiled.run(made)


def test_instruments_and_targets_can_be_unfit_too() -> None:
    one = line([CALM] * 2, "10")
    assert compiled.unfit(plan(one)) == ""
    assert "order strategy" in compiled.unfit(plan(replace(one, signals=None)))
    assert "base asset" in compiled.unfit(plan(replace(one, inverse=True)))
    assert "more or less than one unit" in compiled.unfit(plan(replace(one, contract_size=10.0)))
    assert compiled.unfit(plan(one, limit_fill="through")) == ""  # without a target no order rests
    assert "limit_fill='through'" in compiled.unfit(plan(line([CALM], "1", take_profit=0.1), limit_fill="through"))
    assert "limit_fill='queue'" in compiled.unfit(plan(one, limit_fill="queue", roi=[(0, 0.1)]))
    finer = line([CALM] * 2, "10", symbol="B/USDT", detail=[CALM] * 8)
    assert "several lengths" in compiled.unfit(plan(one, finer))
    assert compiled.unfit(plan(finer, line([CALM] * 2, "10", symbol="C/USDT", detail=[CALM] * 8))) == ""


def test_the_codes_are_those_of_the_names() -> None:
    reasons = {
        "SIGNAL": kernel_state.SIGNAL, "TIME_LIMIT": kernel_state.TIME_LIMIT, "REVERSAL": kernel_orders.REVERSAL,
        "ENTRY": kernel_orders.ENTERED, "STOP_LOSS": kernel_inside.STOP_LOSS, "TAKE_PROFIT": kernel_inside.TAKE_PROFIT,
        "TRAILING_STOP": kernel_inside.TRAILING_STOP, "BANKRUPTCY": kernel_inside.BANKRUPTCY, "ROI": kernel_inside.ROI,
        "CUSTOM_STOP": kernel_inside.CUSTOM_STOP, "LIQUIDATION": kernel_inside.LIQUIDATION,
    }  # fmt: skip
    assert reasons == {name: REASON_CODES[name.lower()] for name in reasons}
    skips = {
        "no equity left": kernel_orders.NO_EQUITY, "below the smallest order": kernel_orders.TOO_SMALL,
        "no stop to size by": kernel_orders.NO_STOP, "too many positions": kernel_orders.TOO_MANY,
        "leverage beyond the tier": kernel_orders.TOO_LEVERED,
        "the data ends before it could fill": kernel_.END_OF_DATA,
    }  # fmt: skip
    assert skips == {name: SKIP_REASONS.index(name) for name in skips}
    assert (kernel_inside.HIT_STOP, kernel_inside.HIT_TARGET) == (exits.HIT_STOP, exits.HIT_TARGET)
    assert exits.nearest_stop(1.0, math.nan, math.nan, math.nan, 50.0)[1] == kernel_inside.RUIN


def test_a_cached_kernel_sees_a_change_in_any_part_of_it() -> None:
    watched: Any = kernel_.run_nb
    names = {path.rpartition("/")[2] for path in watched._workbench_files}
    assert names >= {f"kernel_{part}.py" for part in ("books", "inside", "orders", "scan", "state", "step", "words")}
    assert names >= {"arithmetic.py", "margin.py", "exits.py", "guards.py", "kernel.py"}


def test_a_part_of_the_kernel_that_is_called_from_python_runs_as_python() -> None:
    assert isinstance(kernel_step.add_up_nb, Inner)
    assert kernel_state.side_of_nb(-3.0) == -1.0
