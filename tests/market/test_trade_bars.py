"""Trades into bars: against a plain loop, with nothing lost, and never a bar before its last trade."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import DataError
from workbench.market.alignment import align, last_closed
from workbench.market.ticks import Ticks
from workbench.market.trade_bars import TradeBars, bars_from_trades

BITCOIN = wb.Instrument(symbol="BTC/USDT")
MINUTE = 60_000


def ticks_of(rows: list[tuple[int, float, float, int]], instrument: wb.Instrument = BITCOIN) -> Ticks:
    ts, price, quantity, side = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Ticks(instrument=instrument, ts=np.array(ts, np.int64), price=price, quantity=quantity, side=side)


trades = st.lists(
    st.tuples(
        st.integers(0, 20 * MINUTE), st.integers(1, 400).map(lambda n: n / 8), st.integers(1, 50).map(lambda n: n / 10),
        st.sampled_from([-1, 0, 1]),
    ),
    min_size=1, max_size=80,
).map(sorted)  # fmt: skip


def by_hand(rows: list[tuple[int, float, float, int]], by: str, size: float) -> list[dict[str, float]]:
    """The meaning of bars by tick, volume and dollar, as a loop over trades that a person can follow."""
    bars, held, reached = [], [], 0.0
    for row in rows:
        held.append(row)
        reached += {"tick": 1.0, "volume": row[2], "dollar": row[2] * row[1]}[by]
        if reached >= size:
            bars.append((held, True))
            held, reached = [], 0.0
    if held:
        bars.append((held, False))
    return [
        {
            "ts": part[0][0], "last": part[-1][0], "open": part[0][1], "high": max(row[1] for row in part),
            "low": min(row[1] for row in part), "close": part[-1][1], "volume": sum(row[2] for row in part),
            "value": sum(row[1] * row[2] for row in part), "buy_volume": sum(row[2] for row in part if row[3] > 0),
            "sell_volume": sum(row[2] for row in part if row[3] < 0), "trades": len(part), "complete": done,
        }
        for part, done in bars
    ]  # fmt: skip


@settings(max_examples=60)
@given(rows=trades, by=st.sampled_from(["tick", "volume", "dollar"]), size=st.integers(1, 60))
def test_bars_are_those_of_a_plain_loop(rows, by, size) -> None:
    made = TradeBars.from_ticks(ticks_of(rows), by=by, size=size, unfinished=True)
    wanted = by_hand(rows, by, size)
    assert len(made) == len(wanted)
    for name in wanted[0]:
        np.testing.assert_allclose(getattr(made, name), [bar[name] for bar in wanted], rtol=1e-12)
    np.testing.assert_allclose(made.vwap, [bar["value"] / bar["volume"] for bar in wanted], rtol=1e-12)
    asked = bars_from_trades(ticks_of(rows), by=by, size=size)
    assert len(asked) == sum(bar["complete"] for bar in wanted) and asked.complete.all()


@settings(max_examples=60)
@given(rows=trades, size=st.sampled_from(["1m", "5m"]), early=st.integers(0, 400_000), late=st.integers(1, 400_000))
def test_time_bars_are_given_where_all_their_trades_are_at_hand(rows, size, early, late) -> None:
    ticks, bar = ticks_of(rows), wb.Timeframe.parse(size)
    since, until = rows[0][0] - early, rows[-1][0] + late
    bars = bars_from_trades(ticks, size=size, since=since, until=until)
    slots = sorted({bar.floor(row[0]) for row in rows})
    assert bars.ts.tolist() == [slot for slot in slots if since <= slot and slot + bar.ms <= until]
    for ts, low, high, volume in zip(bars.ts, bars.low, bars.high, bars.volume, strict=True):
        inside = [row for row in rows if ts <= row[0] < ts + bar.ms]
        assert (low, high) == (min(row[1] for row in inside), max(row[1] for row in inside))
        assert volume == pytest.approx(sum(row[2] for row in inside))


def test_an_unfinished_bar_is_given_only_when_asked_for_and_then_marked() -> None:
    ticks = ticks_of([(0, 10.0, 1.0, 1), (30_000, 11.0, 1.0, 1), (70_000, 12.0, 1.0, -1)])
    assert bars_from_trades(ticks).ts.tolist() == [0]
    marked = bars_from_trades(ticks, unfinished=True)
    assert (marked.ts.tolist(), marked.provenance["unfinished"]) == ([0, MINUTE], [MINUTE])
    assert bars_from_trades(ticks, until=2 * MINUTE).ts.tolist() == [0, MINUTE]
    assert bars_from_trades(ticks, by="tick", size=2, unfinished=True).complete.tolist() == [True, False]


def test_the_lake_does_not_store_an_unfinished_bar(tmp_path) -> None:
    ticks = ticks_of([(0, 10.0, 1.0, 1), (70_000, 12.0, 1.0, -1)])
    lake, marked = wb.Lake(tmp_path), bars_from_trades(ticks, unfinished=True)
    with pytest.raises(DataError, match=r"is not finished.*is never stored"):
        lake.write(marked)
    assert lake.series() == []
    assert lake.write(marked[:1]).added == 1


def test_a_first_bar_that_the_trades_begin_inside_is_not_complete() -> None:
    ticks = ticks_of([(15_000, 10.0, 1.0, 0), (65_000, 12.0, 1.0, 0), (130_000, 12.0, 1.0, 0)])
    assert bars_from_trades(ticks).ts.tolist() == [MINUTE]
    assert bars_from_trades(ticks, since=0).ts.tolist() == [0, MINUTE]


@settings(max_examples=60)
@given(rows=trades, by=st.sampled_from(["tick", "volume"]), size=st.integers(1, 12), cut=st.integers(1, 79))
def test_a_trade_bar_shows_after_its_last_trade_and_the_future_changes_nothing(rows, by, size, cut) -> None:
    ticks = ticks_of(rows)
    minutes = bars_from_trades(ticks, since=0, until=21 * MINUTE)
    filled = bars_from_trades(ticks, by=by, size=size)
    rows_seen = last_closed(filled, at=minutes)
    closes = minutes.ts + MINUTE
    for close, row in zip(closes, rows_seen, strict=True):
        assert row == -1 or filled.last[row] < close
        assert row + 1 == len(filled) or filled.last[row + 1] >= close
    part = ticks_of(rows[: min(cut, len(rows))])
    shorter = bars_from_trades(part, by=by, size=size)
    known = closes <= part.ts[-1]  # what was over when the cut was made
    for name, seen in align(filled, to=minutes).items():
        np.testing.assert_array_equal(seen[known], align(shorter, to=minutes)[name][known])


def test_an_incomplete_bar_is_not_known() -> None:
    ticks = ticks_of([(0, 10.0, 1.0, 1), (1, 11.0, 1.0, 1), (2, 12.0, 1.0, 1)])
    minutes = bars_from_trades(ticks, since=0, until=MINUTE)
    marked = TradeBars.from_ticks(ticks, by="tick", size=2, unfinished=True)
    assert align(marked, to=minutes)["close"].tolist() == [11.0]


def test_time_bars_can_be_had_with_their_sides_and_vwap() -> None:
    ticks = ticks_of([(0, 10.0, 1.0, 1), (1, 12.0, 3.0, -1), (2, 14.0, 1.0, 0)])
    made = TradeBars.from_ticks(ticks, since=0, until=MINUTE)
    assert (made.vwap.tolist(), made.buy_volume.tolist(), made.sell_volume.tolist()) == ([12.0], [1.0], [3.0])
    assert made.to_bars() == bars_from_trades(ticks, since=0, until=MINUTE)
    frame = made.to_pandas()
    assert frame[["trades", "volume"]].to_numpy().tolist() == [[3, 5.0]]
    assert repr(made) == "<TradeBars BTC/USDT by time of 1m, 1 bars, 1970-01-01 to 1970-01-01 UTC>"


def test_inverse_contracts_count_their_value_in_contracts() -> None:
    coin = wb.Instrument(symbol="BTC/USD:BTC", kind="inverse", contract_size=100.0)
    ticks = ticks_of([(0, 50_000.0, 1.0, 0), (1, 50_000.0, 1.0, 0), (2, 50_000.0, 2.0, 0)], coin)
    assert bars_from_trades(ticks, by="dollar", size=200).trades.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "imbalance"}, "by = 'imbalance' is not one of 'time', 'tick', 'volume', 'dollar'"),
        ({"by": "tick", "size": 1.5}, "size = 1.5 of bars by tick must be a whole number of trades"),
        ({"by": "volume"}, "size = None of bars by volume must be a quantity above zero"),
        ({"by": "dollar", "size": float("nan")}, "must be a value in the quote currency above zero"),
        ({"since": 60_000}, "reach beyond since"),
        ({"until": 5}, "reach beyond"),
    ],
)
def test_wrong_options_are_named(options, words) -> None:
    with pytest.raises(DataError, match=words):
        bars_from_trades(ticks_of([(0, 1.0, 1.0, 0), (5, 1.0, 1.0, 0)]), **options)


def test_what_holds_no_trades_is_refused() -> None:
    with pytest.raises(DataError, match="a list holds no trades"):
        bars_from_trades([1])
    with pytest.raises(DataError, match="there are no ticks"):
        bars_from_trades(ticks_of([]))
    with pytest.raises(DataError, match=r"bars by tick have no grid .* wb.data.align"):
        bars_from_trades(ticks_of([(0, 1.0, 1.0, 0)]), by="tick", size=1).to_bars()
