"""Order strategies through core and venue, worked by hand: what is asked for, when it trades, at what price."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import StrategyError
from workbench.strategy.orders import OrderStrategy

FREE = wb.Costs(fee=0, maker_fee=0, slippage_bps=0, volume_share=float("inf"))
HOUR = 3_600_000


def bars_of(rows: list[tuple[float, float, float, float]], symbol: str = "BTC/USDT", timeframe: str = "1h") -> wb.Bars:
    step = wb.Timeframe.parse(timeframe).ms
    opens, highs, lows, closes = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol), timeframe=timeframe, ts=np.arange(len(rows)) * step,
        open=opens, high=highs, low=lows, close=closes, volume=np.full(len(rows), 1e9),
    )  # fmt: skip


def flat(*prices: float) -> wb.Bars:
    return bars_of([(price, price, price, price) for price in prices])


class Scripted(OrderStrategy):
    """Returns what a table says for each bar: `script[bar]` is called with the view and the bar."""

    script: ClassVar[dict[int, Any]] = {}
    heard: ClassVar[list[Any]] = []

    def on_bar(self, view, bar):
        self.heard.append(("bar", bar.ts // HOUR, view.quantity()))
        step = self.script.get(bar.ts // HOUR)
        return step(view, bar) if step else None

    def on_fill(self, view, fill):
        self.heard.append(("fill", fill.side, fill.quantity, fill.price))

    def on_refused(self, view, refusal):
        self.heard.append(("refused", refusal.code))

    def on_timer(self, view, timer):
        self.heard.append(("timer", timer.ts // HOUR, timer.name))


def scripted(script: dict[int, Any]) -> Scripted:
    made = type("Scripted", (Scripted,), {"script": script, "heard": []})
    return made()


def run(script: dict[int, Any], bars: wb.Bars, **more: Any) -> tuple[wb.Result, Scripted]:
    strategy = scripted(script)
    return wb.backtest(strategy, bars, costs=more.pop("costs", FREE), path="event", **more), strategy


def fills(result: wb.Result) -> list[tuple[int, str, float, float]]:
    table = result.fills
    hours = table["time"].astype("datetime64[ms, UTC]").astype("int64") // HOUR
    return list(zip(hours, table["side"], table["quantity"], table["price"], strict=True))


def test_a_market_order_trades_at_the_next_open():
    result, strategy = run({0: lambda view, bar: view.market("buy", 2)}, flat(100, 101, 102))
    assert fills(result) == [(1, "buy", 2.0, 101.0)]
    assert strategy.heard == [("bar", 0, 0.0), ("fill", "buy", 2.0, 101.0), ("bar", 1, 2.0), ("bar", 2, 2.0)]
    assert result.equity.tolist() == [10_000.0, 10_000.0, 10_002.0]


def test_a_limit_rests_and_fills_at_its_price_or_at_a_better_open():
    touched = bars_of([(100, 100, 100, 100), (100, 101, 99, 100), (100, 100, 97, 98)])
    result, _ = run({0: lambda view, bar: view.limit("buy", 1, price=98.5)}, touched)
    assert fills(result) == [(2, "buy", 1.0, 98.5)]
    gapped = bars_of([(100, 100, 100, 100), (100, 101, 99, 100), (97, 98, 96, 98)])
    result, _ = run({0: lambda view, bar: view.limit("buy", 1, price=98.5)}, gapped)
    assert fills(result) == [(2, "buy", 1.0, 97.0)]


def test_orders_can_be_cancelled_and_amended_by_the_id_they_were_made_with():
    asked: dict[str, str] = {}

    def ask(view, bar):
        wish = view.limit("buy", 1, price=90)
        asked["id"] = wish.id
        return wish

    bars = bars_of([(100, 100, 100, 100), (100, 100, 95, 95), (95, 95, 89, 92), (92, 93, 80, 90)])
    result, _ = run({0: ask, 1: lambda view, bar: view.cancel(asked["id"])}, bars)
    assert fills(result) == []
    result, _ = run({0: ask, 2: lambda view, bar: None, 1: lambda view, bar: view.amend(asked["id"], price=85)}, bars)
    assert fills(result) == [(3, "buy", 1.0, 85.0)]


def test_a_bracket_leaves_at_its_stop_or_its_target_and_drops_the_other():
    script = {0: lambda view, bar: view.bracket(view.market("buy", 1), stop=95, target=110)}
    up = bars_of([(100, 100, 100, 100), (100, 104, 99, 103), (103, 111, 102, 108), (108, 120, 80, 100)])
    result, _ = run(script, up)
    assert fills(result) == [(1, "buy", 1.0, 100.0), (2, "sell", 1.0, 110.0)]
    assert result.trades["exit_reason"].tolist() == ["take_profit"]
    both = bars_of([(100, 100, 100, 100), (100, 104, 99, 103), (103, 111, 94, 108), (108, 120, 80, 100)])
    result, _ = run(script, both)
    assert fills(result) == [(1, "buy", 1.0, 100.0), (2, "sell", 1.0, 95.0)]
    assert result.trades["exit_reason"].tolist() == ["stop_loss"]


def test_of_two_orders_in_a_group_one_that_fills_cancels_the_other():
    script = {0: lambda view, bar: view.oco(view.limit("buy", 1, price=95), view.stop("buy", 1, stop_price=105))}
    bars = bars_of([(100, 100, 100, 100), (100, 106, 99, 100), (100, 100, 90, 92)])
    result, _ = run(script, bars)
    assert fills(result) == [(1, "buy", 1.0, 105.0)]


def test_a_timer_rings_at_the_first_bar_from_its_time_on():
    script = {0: lambda view, bar: view.timer(view.now + HOUR + 1, "tea")}
    _, strategy = run(script, flat(100, 101, 102, 103))
    assert ("timer", 3, "tea") in strategy.heard


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda view, bar: view.market("buy", 0), "zero_quantity"),
        (lambda view, bar: view.market("buy", float("nan")), "not_a_number"),
        (lambda view, bar: view.market("buy", -1), "negative_quantity"),
        (lambda view, bar: view.limit("buy", 1, price=float("nan")), "price_missing"),
        (lambda view, bar: view.market("sell", 1, reduce_only=True), "reduce_only_would_increase"),
        (lambda view, bar: view.market("buy", 1, symbol="NO/SUCH"), "unknown_instrument"),
        (lambda view, bar: view.cancel("nobody"), "unknown_order"),
        (lambda view, bar: view.market("buy", 1_000), "insufficient_margin"),
    ],
)
def test_wrong_orders_are_refused_with_a_reason(ask, code):
    result, strategy = run({0: ask}, flat(100, 101, 102))
    assert fills(result) == []
    assert ("refused", code) in strategy.heard


def test_what_is_no_wish_is_a_clear_error():
    with pytest.raises(StrategyError, match=r"returned a int .* return what view\.market"):
        run({0: lambda view, bar: 7}, flat(100, 101))


def test_higher_timeframes_show_only_bars_that_are_over():
    seen: list[tuple[str, int, int]] = []

    class Both(OrderStrategy):
        def on_bar(self, view, bar):
            count = len(view.bars("close", timeframe="4h"))
            seen.append((bar.timeframe, view.now // HOUR, count))

    hourly = flat(*range(100, 109))
    slow = bars_of([(100, 103, 100, 103), (104, 107, 104, 107)], timeframe="4h")
    wb.backtest(Both(), [hourly, slow], costs=FREE, path="event")
    assert [one for one in seen if one[0] == "4h"] == [("4h", 4, 1), ("4h", 8, 2)]
    assert all(count == now // 4 for timeframe, now, count in seen if timeframe == "1h")
    assert seen.index(("4h", 4, 1)) < seen.index(("1h", 4, 1))


def test_indicators_are_worked_out_once_and_read_bar_by_bar():
    seen: list[float] = []

    class Means(OrderStrategy):
        def indicators(self, bars):
            return {"mean": wb.indicators.sma(bars.close, 2)}

        def on_bar(self, view, bar):
            seen.append(view.value("mean"))

    wb.backtest(Means(), flat(1, 3, 5), costs=FREE, path="event")
    assert np.isnan(seen[0]) and seen[1:] == [2.0, 4.0]


def test_several_instruments_share_the_cash():
    bitcoin, ether = bars_of([(100, 100, 100, 100)] * 4), bars_of([(10, 10, 10, 10)] * 4, symbol="ETH/USDT")

    class Half(OrderStrategy):
        def on_bar(self, view, bar):
            if view.quantity() == 0:
                return view.market("buy", size=0.5, size_unit="fraction")
            return None

    result = wb.backtest(Half(), [bitcoin, ether], costs=FREE, path="event")
    assert fills(result) == [(1, "buy", 50.0, 100.0), (1, "buy", 500.0, 10.0)]


def test_ticks_trade_at_the_first_tick_after_the_decision():
    ticks = wb.Ticks(
        instrument=wb.Instrument(symbol="BTC/USDT"), ts=[0, 10, 20, 60_000], price=[100, 101, 102, 103],
        quantity=[5, 5, 5, 5],
    )  # fmt: skip

    class First(OrderStrategy):
        def on_tick(self, view, tick):
            return view.market("buy", 1) if tick.ts == 0 else None

    result = wb.backtest(First(), ticks, costs=FREE, path="event")
    assert result.fills[["price", "quantity"]].to_numpy().tolist() == [[101.0, 1.0]]


def test_replaying_the_events_of_a_run_gives_the_same_actions_from_any_snapshot():
    from workbench.backtest.event_path import Replay
    from workbench.backtest.event_setup import account_of, markets_of
    from workbench.backtest.prepare import prepare
    from workbench.trading.core import Core
    from workbench.trading.events import Bar, to_plain

    rng = np.random.default_rng(3)
    closes = 100 + np.cumsum(rng.normal(0, 1, 80))
    bars = bars_of([(c, c + 1, c - 1, c) for c in closes])

    class Busy(OrderStrategy):
        def on_bar(self, view, bar):
            view.memory["bars"] = view.memory.get("bars", 0) + 1
            if view.quantity() == 0 and view.memory["bars"] % 3 == 0:
                return [
                    *view.cancel_all(),
                    view.bracket(view.limit("buy", 1, price=bar.close - 0.5), stop=bar.close - 3),
                ]
            if view.quantity() > 0 and view.memory["bars"] % 7 == 0:
                return view.close()
            return None

    def written(actions) -> str:
        return json.dumps([to_plain(action) for action in actions])

    plan = prepare(Busy(), bars, costs=FREE)
    told: list[tuple[Any, str]] = []
    replay = Replay(plan)
    handle, listener = replay.core.handle, replay.core.listener

    def listen(event):
        actions = handle(event)
        if type(event) is not Bar:  # which its listener has heard
            told.append((event, written(actions)))
        return actions

    def listener_of(symbol):
        inner = listener(symbol)

        def hear(bar):
            actions = inner(bar)
            told.append((bar, written(actions)))
            return actions

        return hear

    replay.core.handle, replay.core.listener = listen, listener_of
    replay.go()
    assert len([1 for event, _ in told if type(event).__name__ == "Filled"]) > 10

    def fresh() -> Core:
        core = Core(Busy(), account_of(plan), markets_of(plan), name="backtest")
        core.estimate = replay.venue.estimate
        return core

    core = fresh()
    for number, (event, expected) in enumerate(told):
        assert written(core.handle(event)) == expected
        if number % 25 == 24:
            kept = json.loads(json.dumps(core.snapshot()))
            core = fresh()
            core.restore(kept)


def test_clocks_ring_on_bars_in_which_nothing_else_happens():
    perpetual = wb.Instrument.default("BTC/USDT:USDT", "paper")
    hours = flat(*[100.0] * 12)
    bars = wb.Bars(
        instrument=perpetual, timeframe="1h", ts=hours.ts, open=hours.open, high=hours.high, low=hours.low,
        close=hours.close, volume=hours.volume,
    )  # fmt: skip
    times = pd.to_datetime([3 * HOUR, 5 * HOUR + HOUR // 2, 9 * HOUR], unit="ms", utc=True)
    rules = wb.Rules(funding=pd.Series([0.001, 0.002, 0.004], index=times))
    script = {
        0: lambda view, bar: [view.market("buy", 1), view.timer(7 * HOUR, "tea"), view.timer(8 * HOUR + 1, "cake")]
    }
    result, strategy = run(script, bars, rules=rules)
    paid = [0.0] * 3 + [-0.1] * 2 + [-0.3] * 4 + [-0.7] * 3
    assert result.equity.tolist() == pytest.approx([10_000.0 + amount for amount in paid])
    rung = [strategy.heard[place - 1 : place + 1] for place, one in enumerate(strategy.heard) if one[0] == "timer"]
    assert rung == [[("bar", 6, 1.0), ("timer", 7, "tea")], [("bar", 8, 1.0), ("timer", 9, "cake")]]


@pytest.mark.parametrize(("expires", "ended"), [(4 * HOUR, 4), (4 * HOUR - 1, 4), (4 * HOUR + 1, 5)])
def test_an_order_expires_at_the_first_open_from_its_time_on_though_nothing_else_happens(expires, ended):
    heard = []

    class Waits(OrderStrategy):
        def on_bar(self, view, bar):
            heard.append(bar.ts // HOUR)
            if len(heard) == 1:
                return view.limit("buy", 1, price=50.0, time_in_force="GTD", expires=expires)
            return None

        def on_end(self, view, order):
            heard.append((order.status, order.updated // HOUR))

    result = wb.backtest(Waits(), flat(*[100.0] * 7), costs=FREE, path="event")
    assert heard[ended] == ("expired", ended)
    assert heard[:ended] == list(range(ended)) and heard[ended + 1 :] == list(range(ended, 7))
    assert result.fills.empty


def test_a_strategy_hears_crosses_as_the_indicators_say_them():
    nan = float("nan")
    fast = np.array([3.0, 1.0, 3.0, 2.0, 2.0, 3.0, nan, 4.0, 1.0, 1.0, 2.5])
    slow = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, nan, 2.0])
    above, below, named = [], [], []

    class Crosses(OrderStrategy):
        def indicators(self, bars):
            return {"fast": fast, "slow": slow}

        def on_bar(self, view, bar):
            above.append(view.crosses_above("fast", "slow"))
            below.append(view.crosses_below("fast", "slow"))
            named.append(view.crosses_above("slow", "fast", symbol="BTC/USDT"))

    wb.backtest(Crosses(), flat(*[100.0] * len(fast)), costs=FREE, path="event")
    assert above == wb.indicators.crosses_above(fast, slow).tolist()
    assert below == named == wb.indicators.crosses_below(fast, slow).tolist()
    assert above[:3] == [False, False, True] and below[:3] == [False, True, False]
    with pytest.raises(StrategyError, match="no bars of NO/SUCH"):
        run({0: lambda view, bar: view.crosses_above("close", "open", symbol="NO/SUCH")}, flat(100, 101))


def test_what_is_told_of_the_orders_is_the_same_however_it_is_asked_for():
    script = {0: lambda view, bar: [view.market("buy", 1, tag="in"), view.limit("sell", 1, price=500.0)]}
    result, _ = run(script, flat(100, 101, 102))
    told = result.records.orders
    assert len(told) == 2 and [one["number"] for one in told] == [0, -1]
    assert told[0]["tag"] == "in" and told[-1]["status"] == "accepted" and told[:1] == [told[0]]
    assert list(told) == [told[0], told[1]] and told[0]["filled"] == 1.0
