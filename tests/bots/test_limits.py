"""Every limit on risk stops what it should, the same in a backtest and in a paper bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

import workbench as wb
from tests.backtest.handmade import FREE, HOUR, series
from workbench.backtest.packing import packed_plan, packed_records, unpacked_plan, unpacked_records
from workbench.backtest.prepare import prepare
from workbench.bots.mind import Mind
from workbench.bots.noting import Refusals
from workbench.bots.papering import PaperReplay
from workbench.errors import ConfigError
from workbench.research.recorder import rules_said
from workbench.risk.limits import CODES, RULES, Limits
from workbench.trading.risk_engine import Decision

A, B, TWIN = "A/USDT", "B/USDT", "A/USDT:USDT"
SUNDAY = 90  # hours from the epoch: Sunday 18:00 UTC, so that a day and a week begin six bars later
Plays = dict[tuple[str, int], Callable[[Any], Any]]


def scripted(plays: Plays) -> wb.OrderStrategy:
    """A strategy that does what is written at the close of bars (symbol, number)."""

    class Scripted(wb.OrderStrategy):
        count: dict[str, int]

        def on_start(self, view: Any) -> Any:
            view.memory["seen"] = {}

        def on_bar(self, view: Any, bar: Any) -> Any:
            seen = view.memory["seen"]
            number = seen[bar.symbol] = seen.get(bar.symbol, -1) + 1
            play = plays.get((bar.symbol, number))
            return None if play is None else play(view)

    return Scripted()


def buy(quantity: float, symbol: str = A) -> Callable[[Any], Any]:
    return lambda view: view.market("buy", quantity, symbol=symbol)


def sell(quantity: float, symbol: str = A) -> Callable[[Any], Any]:
    return lambda view: view.market("sell", quantity, symbol=symbol)


class Shown(NamedTuple):
    """What became of a run."""

    fills: Any
    refused: list[str]
    decisions: list[Decision]
    state: str


def both(bars: Sequence[Any], plays: Plays, limits: Limits | str, **options: Any) -> Shown:
    """Run a script as a backtest and as a paper bot; what came of it, which must be the same."""
    options = {"cash": 10_000.0, "costs": FREE, "rules": wb.Rules(limits=limits), **options}
    wanted = wb.backtest(scripted(plays), list(bars), max_missing=1.0, **options).records
    plan = prepare(scripted(plays), list(bars), **options)
    bot = PaperReplay(plan, Mind(plan, name="backtest"))
    bot.go()
    risk = bot.core.risk
    assert risk is not None
    assert np.array_equal(wanted.fills, bot.log.records(bot).fills)
    assert wanted.path == "event" and repr(list(wanted.limits)) == repr(risk.decisions)  # repr: NaN is NaN
    assert np.array_equal(wanted.equity, bot.log.records(bot).equity)
    return Shown(wanted.fills, [one.code for one in bot.core.refusals], risk.decisions, risk.state)


def flat(count: int = 12, symbol: str = A, **facts: Any) -> Any:
    return series(symbol, [100.0] * count, first=SUNDAY, reach=0.0, **facts)


def falling(*closes: float, symbol: str = A) -> Any:
    return series(symbol, [*closes, *[closes[-1]] * (12 - len(closes))], first=SUNDAY, reach=0.0)


def holed(symbol: str, first: int, last: int) -> Any:
    """Bars of which some, from `first` to before `last`, are missing."""
    bars = flat(symbol=symbol)
    kept = np.r_[:first, last : len(bars)]
    columns = {name: getattr(bars, name)[kept] for name in ("ts", "open", "high", "low", "close", "volume")}
    return wb.Bars(instrument=bars.instrument, timeframe="1h", **columns)


def moving(count: int, symbol: str, scale: float = 1.0) -> Any:
    return series(symbol, [100.0 * (1.0 + scale * 0.01 * ((k * 7) % 5)) for k in range(count)], reach=0.0)


def quantities(shown: Shown) -> list[float]:
    return (shown.fills[:, 3] * shown.fills[:, 2]).round(9).tolist()


class Case(NamedTuple):
    """Limits, bars and a script; the code of the refusal ("" where the order is cut) and what is filled (signed)."""

    limits: Limits
    bars: list[Any]
    plays: Plays
    code: str
    filled: list[float]
    options: Mapping[str, Any] = MappingProxyType({})


PAIR = [flat(), flat(symbol=B)]
FALLS = falling(100.0, 100.0, 80.0)  # a fifth of half of the money is a tenth of it
CASES: dict[str, Case] = {
    "daily_loss": Case(
        Limits(daily_loss=0.05), [FALLS], {(A, 0): buy(50.0), (A, 4): buy(1.0), (A, 8): buy(2.0)},
        "halted", [50.0, -50.0, 2.0],
    ),
    "weekly_loss": Case(
        Limits(weekly_loss=0.05), [FALLS], {(A, 0): buy(50.0), (A, 4): buy(1.0), (A, 8): buy(2.0)},
        "halted", [50.0, -50.0, 2.0],
    ),
    "max_drawdown": Case(
        Limits(max_drawdown=0.05), [FALLS], {(A, 0): buy(50.0), (A, 4): buy(1.0), (A, 8): sell(20.0)},
        "reducing", [50.0, -20.0],
    ),
    "capital_depletion": Case(
        Limits(capital_depletion=0.05), [FALLS], {(A, 0): buy(50.0), (A, 8): buy(1.0)}, "halted", [50.0, -50.0],
    ),
    "gross_exposure": Case(
        Limits(gross_exposure=0.6), PAIR, {(A, 0): buy(50.0), (A, 1): sell(50.0, B)}, "", [50.0, -10.0],
    ),
    "net_exposure": Case(
        Limits(net_exposure=0.6), PAIR, {(A, 0): buy(50.0), (A, 1): buy(50.0, B)}, "", [50.0, 10.0],
    ),
    "instrument_exposure": Case(
        Limits(instrument_exposure=0.5), PAIR, {(A, 0): buy(40.0), (A, 1): buy(20.0), (A, 2): buy(20.0, B)}, "",
        [40.0, 10.0, 20.0],
    ),
    "group_exposure": Case(
        Limits(group_exposure=0.5, groups={"both": (A, B)}), PAIR, {(A, 0): buy(40.0), (A, 1): buy(20.0, B)}, "",
        [40.0, 10.0],
    ),
    "concentration": Case(
        Limits(concentration=0.5), [flat(), flat(symbol=TWIN, kind="linear")],
        {(A, 0): buy(40.0), (A, 1): buy(20.0, TWIN)}, "", [40.0, 10.0],
    ),
    "max_positions": Case(
        Limits(max_positions=1), PAIR, {(A, 0): buy(1.0), (A, 1): buy(1.0, B), (A, 2): buy(1.0)}, "max_positions",
        [1.0, 1.0],
    ),
    "max_positions_total": Case(
        Limits(max_positions_total=1), PAIR, {(A, 0): buy(1.0), (A, 1): buy(1.0, B)}, "max_positions_total", [1.0],
    ),
    "leverage": Case(
        Limits(leverage=2.0), [flat(symbol=TWIN, kind="linear")], {(TWIN, 0): buy(1.0, TWIN)}, "leverage", [],
        {"leverage": 3.0},
    ),
    "order_value": Case(
        Limits(order_value=0.1), PAIR, {(A, 0): buy(11.0), (A, 1): buy(10.0)}, "order_value", [10.0],
    ),
    "order_cash": Case(
        Limits(order_cash=500.0), PAIR, {(A, 0): buy(5.1), (A, 1): buy(5.0)}, "order_cash", [5.0],
    ),
    "price_distance": Case(
        Limits(price_distance=0.1), PAIR,
        {
            (A, 0): lambda view: view.limit("buy", 1.0, price=89.0),
            (A, 1): lambda view: view.limit("sell", 1.0, price=91.0),
        },
        "price_distance", [-1.0],
    ),
    "orders_per_minute": Case(
        Limits(orders_per_minute=1), PAIR, {(A, 0): lambda view: [view.market("buy", 1.0), view.market("buy", 2.0)]},
        "order_rate", [1.0],
    ),
    "correlated_positions": Case(
        Limits(correlated_positions=1, correlation_bars=30), [moving(30, A), moving(30, B)],
        {(A, 25): buy(1.0), (A, 26): buy(1.0, B), (A, 27): sell(2.0, B)}, "correlation", [1.0, -2.0],
    ),
    "stale_data_ms": Case(
        Limits(stale_data_ms=HOUR), [flat(12), holed(B, 3, 6)],
        {(A, 0): buy(1.0, B), (A, 4): buy(2.0, B), (A, 8): buy(3.0, B)}, "stale_data", [1.0, 3.0],
    ),
    "spread": Case(
        Limits(spread=0.001), PAIR, {(A, 0): buy(1.0)}, "spread", [],
        {"costs": wb.Costs(fee=0.0, slippage_bps=10.0)},
    ),
    "volatility_halt": Case(
        Limits(volatility_halt=0.1), [falling(100.0, 100.0, 120.0), flat(symbol=B)],
        {(A, 2): lambda view: [view.market("buy", 1.0), view.market("buy", 2.0, symbol=B)]}, "volatility_halt", [2.0],
    ),
    "losing_trades": Case(
        Limits(losing_trades=1, losing_pause_ms=4 * HOUR), [FALLS, flat(symbol=B)],
        {
            (A, 0): buy(1.0), (A, 2): sell(1.0), (A, 8): buy(4.0),
            (A, 3): lambda view: [view.market("buy", 2.0), view.market("buy", 3.0, symbol=B)],
        },
        "losing_pair", [1.0, -1.0, 3.0, 4.0],
    ),
    "trading_hours": Case(
        Limits(trading_hours="mon 00:00-24:00"), PAIR, {(A, 0): buy(1.0), (A, 6): buy(2.0)}, "trading_hours", [2.0],
    ),
}  # fmt: skip


def test_limits_and_what_they_did_are_kept_with_a_result() -> None:
    case = CASES["daily_loss"]
    result = wb.backtest(scripted(case.plays), case.bars, cash=10_000.0, costs=FREE, limits=case.limits)
    again = unpacked_records(*packed_records(result.records))
    assert repr(list(again.limits)) == repr(list(result.records.limits)) and len(again.limits) > 2
    assert unpacked_plan(*packed_plan(result.plan)).limits == case.limits
    assert result.limits["action"].tolist()[:2] == ["HALTED", "reject"]
    assert rules_said(result.rules)["limits"] == case.limits.to_dict()


def test_limits_are_judged_event_by_event_and_said_once() -> None:
    bars, signals = flat(), wb.Signals(entry=np.zeros(12, dtype=bool))
    with pytest.raises(ConfigError, match="limits on risk are judged event by event"):
        wb.backtest(signals, bars, limits="default", path="compiled")
    assert wb.backtest(signals, bars, limits="default").path == "event"
    with pytest.raises(ConfigError, match="limits are said twice"):
        wb.backtest(signals, bars, limits="default", rules=wb.Rules(limits="aggressive"))
    with pytest.raises(ConfigError, match=r"limits = 3; give wb.risk.Limits\(...\) or the name of a profile"):
        wb.Rules(limits=3)  # type: ignore[arg-type]


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", CASES)
def test_a_limit_stops_what_is_beyond_it(name: str) -> None:
    case = CASES[name]
    shown = both(case.bars, case.plays, case.limits, **case.options)
    assert quantities(shown) == case.filled
    assert [one for one in shown.refused if one in CODES] == ([case.code] if case.code else [])
    assert name in {one.limit for one in shown.decisions}


def test_the_log_says_from_how_much_to_how_much_a_limit_has_made_an_order_smaller() -> None:
    case = CASES["gross_exposure"]
    options: dict[str, Any] = {"cash": 10_000.0, "costs": FREE, "rules": wb.Rules(limits=case.limits)}
    plan = prepare(scripted(case.plays), case.bars, **options)
    bot = PaperReplay(plan, Mind(plan, name="backtest"))
    bot.go()
    told: list[tuple[Any, ...]] = []
    Refusals(bot.core, lambda *line: told.append(line)).note()
    ((_, _, text, fields),) = told
    assert text == (
        "sell B/USDT was made smaller, from 50 to 10, by the limit gross_exposure of the bot, 1 where 0.6 is the most"
    )
    assert (fields["wanted"], fields["allowed"]) == (50.0, pytest.approx(10.0))
