from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.stage import MINUTE, SPOT, T0, bars, flat, instrument, market
from workbench.errors import DataError
from workbench.market.feeds.events import TradePrinted
from workbench.market.feeds.tape import Tape
from workbench.market.ticks import Ticks
from workbench.market.timeframe import Timeframe
from workbench.practice.markets import Listing, Print, RecordedMarket
from workbench.practice.markets.prints import Trades, aggregate
from workbench.trading.exits import path_points

M1, M5 = Timeframe.parse("1m"), Timeframe.parse("5m")
FOREVER = 2**62


def walk(seed: int, count: int) -> list[tuple[float, ...]]:
    rng = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.002, count))), 2)
    opens = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opens, close) + 0.05, np.minimum(opens, close) - 0.03
    volume = np.round(rng.exponential(5.0, count), 3)
    return list(zip(opens, high.round(2), low.round(2), close, volume, strict=True))


def columns(prints: list[Print]) -> Trades:
    ts, price, quantity, side, ids = zip(*prints, strict=True)
    signs = np.array([1 if one == "buy" else -1 for one in side], dtype=np.int8)
    return Trades(np.array(ts), np.array(price), np.array(quantity), signs, np.array(ids))


@given(
    volume=st.lists(st.floats(0.0, 1e9) | st.integers(0, 10**6).map(lambda lots: lots / 1000), min_size=1, max_size=20),
    lot=st.sampled_from([0.0, 0.001, 1.0, 0.1, 3.0]),
)
def test_the_trades_of_a_bar_add_up_to_the_bar_to_the_last_bit(volume: list[float], lot: float) -> None:
    rows = [(100.0, 101.0, 99.5, 100.5, one) for one in volume]
    one = market(SPOT, rows, lot_size=lot)
    prints = list(one.prints(0, FOREVER))
    for row in range(len(rows)):
        four = prints[4 * row : 4 * row + 4]
        assert [each.price for each in four] == [100.0, 99.5, 101.0, 100.5]
        total = 0.0
        for each in four:
            assert each.quantity >= 0.0
            total += each.quantity
        assert total == volume[row]
    found = aggregate(columns(prints), M1)
    assert (found.volume == one.bars.volume).all()


@pytest.mark.parametrize("seed", range(3))
def test_prints_aggregate_to_the_recorded_bars(seed: int) -> None:
    one = market(SPOT, walk(seed, 500))
    prints = list(one.prints(0, FOREVER))
    assert [each.id for each in prints] == list(range(1, 2001))
    assert all(a.ts < b.ts for a, b in pairwise(prints))
    found, asked = aggregate(columns(prints), M1), one.candles(M1, 0, FOREVER, FOREVER)
    for name in ("ts", "open", "high", "low", "close", "volume"):
        assert (getattr(found, name) == getattr(one.bars, name)).all(), name
        assert (getattr(asked, name) == getattr(one.bars, name)).all(), name
    for name in ("quote_volume", "taker_volume", "taker_quote_volume"):
        np.testing.assert_allclose(getattr(found, name), getattr(asked, name), rtol=1e-13)
    assert (found.trades == asked.trades).all()


def test_the_path_inside_a_bar_is_the_one_that_backtests_assume() -> None:
    one = market(SPOT, walk(9, 300))
    prints = list(one.prints(0, FOREVER))
    for row in range(300):
        bar = [float(getattr(one.bars, name)[row]) for name in ("open", "high", "low", "close")]
        assert tuple(each.price for each in prints[4 * row : 4 * row + 4]) == path_points(*bar)


def test_the_open_candle_holds_what_has_been_traded_by_now() -> None:
    one = market(SPOT, [(100.0, 103.0, 99.0, 102.0, 4.0)] * 3)
    now = T0 + MINUTE + 20_000
    found = one.candles(M1, 0, FOREVER, now)
    assert found.ts.tolist() == [T0, T0 + MINUTE]
    assert (found.high[1], found.low[1], found.close[1], found.volume[1]) == (100.0, 99.0, 99.0, 2.0)
    longer = one.candles(M5, 0, FOREVER, now)
    assert (longer.high[0], longer.close[0], longer.volume[0], longer.trades[0]) == (103.0, 99.0, 6.0, 6)


@settings(max_examples=40)
@given(now=st.integers(T0 - MINUTE, T0 + 90 * MINUTE), frame=st.sampled_from(["1m", "3m", "5m", "15m", "1h", "20s"]))
def test_candles_at_any_time_are_those_of_the_trades_by_then(now: int, frame: str) -> None:
    one = market(SPOT, walk(4, 80))
    length = Timeframe.parse(frame)
    prints = list(one.prints(0, now))
    found = one.candles(length, 0, FOREVER, now)
    if not prints:
        assert not len(found.ts)
        return
    told = aggregate(columns(prints), length)
    for name in ("ts", "open", "high", "low", "close", "trades"):
        assert (getattr(found, name) == getattr(told, name)).all(), name
    np.testing.assert_allclose(found.volume, told.volume, rtol=1e-12)


def test_pages_of_candles_join_without_holes() -> None:
    rows = bars(SPOT, walk(5, 400))
    kept = np.ones(400, dtype=bool)
    kept[50:170] = False
    from workbench.market.bars import Bars

    names = ("ts", "open", "high", "low", "close", "volume")
    held = {name: getattr(rows, name)[kept] for name in names}
    one = RecordedMarket(Bars(instrument=rows.instrument, timeframe="1m", **held))
    seen: list[int] = []
    start = 0
    while True:
        page = one.first_candles(M1, start, 7, FOREVER)
        if not len(page.ts):
            break
        seen += page.ts.tolist()
        start = seen[-1] + 1
    assert seen == held["ts"].tolist()
    assert one.last_candles(M1, int(rows.ts[170]), 3, FOREVER).ts.tolist() == rows.ts[47:50].tolist()


def test_the_last_trades_and_trades_by_id() -> None:
    one = market(SPOT, flat(100.0, 100))
    last = one.last(T0 + 50 * MINUTE)
    assert last is not None and last.id == 201 and last.ts == T0 + 50 * MINUTE
    assert one.last(T0 - 1) is None
    assert [each.id for each in one.recent(T0 + 50 * MINUTE, 4)] == [198, 199, 200, 201]
    assert [each.id for each in one.prints_from(399, FOREVER, 10)] == [399, 400]
    assert one.prints_from(401, FOREVER, 10) == []
    assert len(one.recent(FOREVER, 10_000)) == 400


def test_books_follow_from_the_last_trade_alone() -> None:
    one = market(SPOT, walk(2, 50))
    for ts in range(T0, T0 + 30 * MINUTE, 17_000):
        last = one.last(ts)
        assert last is not None
        bids, asks = one.book(ts, 20)
        assert (asks[0][0] if last.side == "buy" else bids[0][0]) == last.price
        assert bids[0][0] < asks[0][0]
        assert [price for price, _ in bids] == sorted({price for price, _ in bids}, reverse=True)
        assert [price for price, _ in asks] == sorted({price for price, _ in asks})
        assert all(size > 0.0 for _, size in (*bids, *asks))
        assert one.book(ts, 5) == (bids[:5], asks[:5])
    assert one.book(T0 - 1, 5) == ((), ())


def test_halts_have_no_trades_and_are_known() -> None:
    pause = (T0 + 10 * MINUTE, T0 + 20 * MINUTE)
    one = market(SPOT, flat(100.0, 60), Listing(halts=(pause,), delisted=T0 + 40 * MINUTE))
    found = one.candles(M1, 0, FOREVER, FOREVER)
    assert found.ts.tolist() == [T0 + k * MINUTE for k in (*range(10), *range(20, 40))]
    assert [one.status(T0 + k * MINUTE) for k in (-1, 0, 10, 19, 20, 40)] == [
        "pending", "trading", "halt", "halt", "trading", "delisted",
    ]  # fmt: skip
    assert one.changes(T0, FOREVER) == [
        (pause[0], "halt"), (pause[1], "trading"), (T0 + 40 * MINUTE, "delisted"),
    ]  # fmt: skip
    over = market(SPOT, flat(100.0, 60))
    assert over.status(T0 + 60 * MINUTE) == "halt"  # nothing is known of what came after
    with pytest.raises(DataError, match="halts are"):
        market(SPOT, flat(100.0, 60), Listing(halts=((5, 5),)))


def test_single_trades_keep_their_ids() -> None:
    facts = instrument(SPOT)
    ticks = Ticks(
        instrument=facts, ts=[T0, T0, T0 + 5, T0 + MINUTE], price=[100.0, 101.0, 100.5, 99.0],
        quantity=[1.0, 2.0, 0.5, 1.5], side=[1, -1, 1, -1],
    )  # fmt: skip
    one = RecordedMarket.of_ticks(ticks, ids=np.array([7, 9, 12, 13]))
    assert [each.id for each in one.prints(0, FOREVER)] == [7, 9, 12, 13]
    assert [each.price for each in one.prints(T0, FOREVER)] == [100.5, 99.0]
    assert [each.id for each in one.prints_from(8, FOREVER, 2)] == [9, 12]
    candles = one.candles(M1, 0, FOREVER, FOREVER)
    assert candles.volume.tolist() == [3.5, 1.5] and candles.high.tolist() == [101.0, 99.0]
    assert one.candles(M1, 0, FOREVER, T0).volume.tolist() == [3.0]
    with pytest.raises(DataError, match="ids of trades must rise"):
        RecordedMarket.of_ticks(ticks, ids=np.array([7, 7, 8, 9]))


def test_a_tape_of_events_gives_the_trades_of_one_symbol() -> None:
    def traded(symbol: str, ts: int, number: str) -> SimpleNamespace:
        return SimpleNamespace(symbol=symbol, ts=ts, price=100.0, quantity=1.0, side="buy", id=number)

    tape = [traded(SPOT, T0, "5"), traded("ETH/USDT", T0, "1"), SimpleNamespace(ts=T0), traded(SPOT, T0 + 1, "8")]
    one = RecordedMarket.from_events(tape, instrument=instrument(SPOT))
    assert [(each.id, each.ts, each.side) for each in one.prints(0, FOREVER)] == [(5, T0, "buy"), (8, T0 + 1, "buy")]
    with pytest.raises(DataError, match="no trade of it"):
        RecordedMarket.from_events(tape[2:3], instrument=instrument(SPOT))


def test_funding_is_at_its_times() -> None:
    one = market("BTC/USDT:USDT", flat(100.0, 17 * 60), funding_rate=0.0002)
    hours = 60 * MINUTE
    assert one.funding(T0, T0 + 17 * hours) == [(T0 + 8 * hours, 0.0002), (T0 + 16 * hours, 0.0002)]
    assert one.next_funding(T0 + 1) == (T0 + 8 * hours, 0.0002)
    known = market("BTC/USDT:USDT", flat(100.0, 60), Listing(funding=((T0 + 5, 0.01), (T0 + 9, -0.02))))
    assert known.funding(T0, T0 + 9) == [(T0 + 5, 0.01), (T0 + 9, -0.02)]
    assert market(SPOT, flat(100.0, 600)).funding(0, FOREVER) == []


def test_a_tape_of_the_lake_is_a_market(tmp_path: Path) -> None:
    told = [
        TradePrinted(SPOT, 1_000 * n, 1_000 * n + 5, str(70 + n), 100.0 + n, 0.5, (-1, 0, 1)[n % 3]) for n in range(6)
    ]
    tape = Tape(tmp_path, "monday")
    with tape.writer("binance") as writer:
        for event in told:
            writer.add(event)
    market = RecordedMarket.from_events(tape.events(), instrument=instrument(SPOT))
    prints = list(market.prints(-1, 10_000))
    assert [(one.ts, one.price, one.id) for one in prints] == [(one.ts, one.price, int(one.id)) for one in told]
    known = [(one.side, print_.side) for one, print_ in zip(told, prints, strict=True) if one.side]
    assert set(known) == {(1, "buy"), (-1, "sell")}
