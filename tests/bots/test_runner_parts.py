"""What a runner is made of: bars that close together, bars that come late, and a circuit that opens."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from tests.practice.stage import bars, flat
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.talk import Look, Snapshot, VenueOrder, VenuePosition
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.mind import Mind
from workbench.bots.runner_market import Market
from workbench.bots.runner_reconciling import Reconciler
from workbench.bots.runner_terms import Breaker, Pace, RunTerms
from workbench.bots.strangers import Lineage
from workbench.errors import ConfigError
from workbench.market.feeds.events import BarClosed, GapFound, TickerMoved
from workbench.trading.events import Bar, CancelOrder, Learnt, Marked, Moved, Opened, Submit
from workbench.trading.orders import Order, client_order_id

MINUTE = 60_000
ONE, TWO = "BTC/USDT:USDT", "ETH/USDT:USDT"


class Quiet(wb.OrderStrategy):
    """Does nothing."""


def mind(*symbols: str) -> Mind:
    plan = prepare(Quiet(), [bars(symbol, flat(100.0, 10)) for symbol in symbols], cash=10_000.0)
    return Mind(plan, name="parts")


def over(symbol: str, minute: int) -> BarClosed:
    return BarClosed(symbol, minute * MINUTE, 0, "1m", 100.0, 101.0, 99.0, 100.5, 5.0, "stream")


def told(market: Market, one: Mind, now: int) -> list[Any]:
    found = market.ready(now)
    for event in found:
        one.handle(event)
    return found


def test_bars_that_close_together_are_all_known_before_any_is_told() -> None:
    one = mind(ONE, TWO)
    market = Market(one, 2_000)
    for symbol in (ONE, TWO):
        one.handle(Learnt(symbol, 0, MINUTE, 100.0, 101.0, 99.0, 100.5, 5.0, "1m"))
    market.closed(over(TWO, 1), 2 * MINUTE)
    assert told(market, one, 2 * MINUTE + 100) == []
    market.closed(over(ONE, 1), 2 * MINUTE + 200)
    found = told(market, one, 2 * MINUTE + 200)
    assert [(type(event), event.symbol) for event in found] == [(Learnt, ONE), (Learnt, TWO), (Bar, ONE), (Bar, TWO)]
    assert market.caught_up(2 * MINUTE + 200) and not market.caught_up(3 * MINUTE)


def test_a_bar_that_does_not_come_is_waited_for_only_so_long() -> None:
    one = mind(ONE, TWO)
    market = Market(one, 2_000)
    market.closed(over(ONE, 1), 2 * MINUTE)
    assert told(market, one, 2 * MINUTE + 1_999) == []
    assert [event.symbol for event in told(market, one, 2 * MINUTE + 2_000)] == [ONE]


def test_a_bar_is_told_once_and_a_late_one_is_history() -> None:
    one = mind(ONE)
    market = Market(one, 2_000)
    for minute in (1, 1, 2):
        market.closed(over(ONE, minute), 3 * MINUTE)
    assert [type(event) for event in told(market, one, 3 * MINUTE)] == [Learnt]
    assert [bar.ts for bar in market.late] == [MINUTE]
    assert [type(event) for event in told(market, one, 3 * MINUTE)] == [Bar]
    market.closed(over(ONE, 2), 3 * MINUTE)
    assert market.ready(3 * MINUTE) == []


def test_a_gap_that_is_for_good_is_not_waited_for() -> None:
    one = mind(ONE)
    market = Market(one, 2_000)
    market.closed(over(ONE, 1), 0)
    told(market, one, 2 * MINUTE)
    assert not market.caught_up(4 * MINUTE)
    market.gap(GapFound(ONE, 2 * MINUTE, 0, "bars 1m", 4 * MINUTE, 2, "none there"))
    assert market.caught_up(4 * MINUTE)


def test_where_a_new_series_begins_and_where_a_known_one_goes_on() -> None:
    one = mind(ONE, TWO)
    market = Market(one, 2_000)
    assert market.starts(100 * MINUTE + 5, 20) == {"1m": 80 * MINUTE}
    for symbol, minute in ((ONE, 90), (TWO, 88)):
        one.handle(Learnt(symbol, minute * MINUTE, (minute + 1) * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0, "1m"))
    assert market.starts(100 * MINUTE + 5, 20) == {"1m": 89 * MINUTE}


def test_prices_are_told_at_most_once_in_a_while_and_what_leaves_goes_first() -> None:
    one = mind(ONE, TWO)
    market = Market(one, 2_000)
    assert market.opened(5) == [] and market.marks(5, 1_000) == []
    for symbol, price in ((ONE, 100.0), (TWO, 50.0)):
        market.ticked(TickerMoved(symbol, 5, 5, price - 0.5, price + 0.5, price, None, None, None))
    assert market.opened(5) == [
        Opened(5, {ONE: 100.0, TWO: 50.0}, entries=False), Opened(5, {ONE: 100.0}, leaves=False),
        Opened(5, {TWO: 50.0}, leaves=False),
    ]  # fmt: skip
    assert market.marks(5, 1_000) == [Marked(5, ONE, 100.0), Marked(5, TWO, 50.0)]
    market.ticked(TickerMoved(ONE, 6, 6, 100.5, 101.5, 101.0, None, None, None))
    assert market.marks(900, 1_000) == [] and market.marks(1_005, 1_000) == [Marked(1_005, ONE, 101.0)]
    assert market.snapshot(ONE)["spread_bps"] == pytest.approx(10_000 / 101.0)


def test_the_circuit_opens_after_errors_close_together_and_the_pause_doubles() -> None:
    breaker = Breaker(Pace(errors=3, window_s=60, probe_s=10, probe_most_s=30))
    assert not any(breaker.failed(at) for at in (0, 1_000, 61_500, 100_000))
    assert breaker.failed(110_000) and breaker.due == 120_000
    pauses = []
    for _ in range(3):
        breaker.probed(200_000, well=False)
        pauses.append(breaker.due - 200_000)
    assert pauses == [20_000, 30_000, 30_000]
    assert breaker.probed(300_000, well=True) and not breaker.open
    assert not breaker.failed(300_001)


def test_a_difference_counts_when_two_looks_show_it() -> None:
    reconciler = Reconciler(mind(ONE).core)
    seen = Snapshot(0, 0, (), (), (VenuePosition(ONE, 0.5),), {"USDT": 90_000.0})
    assert reconciler.positions(seen) == () and reconciler.suspected
    assert [str(one) for one in reconciler.positions(seen)] == [
        f"position in {ONE}: the venue has 0.5, the books have 0"
    ]
    assert reconciler.positions(seen._replace(positions=())) == () and not reconciler.suspected
    assert reconciler.money(seen) == ()  # more than the bot was given: not its business
    less = seen._replace(balances={"USDT": 89_000.0})
    assert reconciler.money(less) == ()
    assert [one.venue - one.books for one in reconciler.money(less)] == [-1_000.0]
    assert reconciler.money(less) == ()


def test_an_order_is_the_bots_own_by_its_id_alone() -> None:
    core = mind(ONE).core
    core.name, core.number = "swing 0011", 2_000

    def seen(bot: str, number: int, said: str = "stop") -> VenueOrder:
        id = client_order_id(bot, number, ONE, "sell", "stop")
        return VenueOrder(id, "7", ONE, "sell", said, "open", 1.0, 0.0)

    lineage = Lineage(core)
    assert [lineage.number(seen("swing 0011", number)) for number in (1_990, 2_005)] == [1_990, 2_005]
    assert lineage.number(seen("swing 0011", 2_006, "market")) == 2_006  # what its venue made of a stop
    assert lineage.number(seen("swing 0012", 2_005)) == -1  # another bot of that name, or an earlier journal
    assert lineage.number(seen("swing 0011", 9_000)) == -1
    assert lineage.number(seen("swing 0011", 2_005)._replace(id="by hand")) == -1


def test_an_order_that_was_taken_for_gone_is_seen_again() -> None:
    clerk = Clerk(mind(ONE).core.markets, Patience(land_ms=1_000))
    clerk.intend(Submit(Order("wb1", ONE, "buy", "limit", 1.0, price=9.0)), 0)
    clerk.intend(CancelOrder("wb1"), 1)
    open_ = VenueOrder("wb1", "7", ONE, "buy", "limit", "open", 1.0, 0.0, 9.0)
    clerk.heard(open_._replace(status="canceled"), 2)
    for asked, strange in ((500, ()), (2_000, (open_,))):
        clerk.answered(Look(0), Snapshot(asked, 0, (open_,), ()), asked)
        assert clerk.strangers == strange


def test_a_session_may_begin_after_any_other_and_a_killed_bot_be_killed_again() -> None:
    one = mind(ONE)
    for state in ("STARTING", "WARMING_UP", "STARTING", "KILLED", "KILLED", "STARTING", "FAILED", "STARTING"):
        one.handle(Moved(0, state))
        assert one.core.state == state


def test_wrong_terms_are_refused() -> None:
    with pytest.raises(ConfigError, match="look_s=0"):
        Pace(look_s=0)
    with pytest.raises(ConfigError, match="'adopt', 'alert' or 'halt'"):
        RunTerms(policy="ignore")  # type: ignore[arg-type]
