from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.stage import instrument
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.timeframe import Timeframe
from workbench.practice.markets import SyntheticMarket, Temper

M1, DAY = Timeframe.parse("1m"), 86_400_000
FOREVER = 2**62
COLUMNS = ("ts", "open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_volume")


def make(seed: int = 1, symbol: str = "BTC/USDT", **more: object) -> SyntheticMarket:
    given: dict[str, object] = {"price": 20_000.0, "start": "2024-01-01", "end": "2025-01-01"}
    return SyntheticMarket(instrument(symbol), seed=seed, **given | more)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 20 * 1440), length=st.integers(1, 3000))
def test_a_window_is_the_same_whichever_is_asked(first: int, length: int) -> None:
    one, other = make(), make()
    start = one.start + first * 60_000
    whole = one.candles(M1, one.start, one.start + 23 * DAY, FOREVER)
    part = other.candles(M1, start, start + length * 60_000, FOREVER)
    low, high = np.searchsorted(whole.ts, [start, start + length * 60_000])
    for name in COLUMNS:
        assert (getattr(whole, name)[low:high] == getattr(part, name)).all(), name


def test_what_is_given_are_bars_on_ticks_and_lots_and_days_meet() -> None:
    one = make(temper=Temper(gaps=0.0, outages=0.0))
    found = one.candles(M1, one.start, one.start + 30 * DAY, FOREVER)
    facts = one.instrument
    columns = {name: getattr(found, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    made = Bars(instrument=facts, timeframe="1m", **columns)
    assert len(made) == 30 * 1440 and not made.gaps
    assert (made.open[1:] == made.close[:-1]).all()
    for name, step in (("close", facts.tick_size), ("high", facts.tick_size), ("volume", facts.lot_size)):
        values = columns[name]
        assert (np.round(values / step) / round(1 / step) == values).all()


def test_it_looks_like_a_market() -> None:
    one = make(temper=Temper(outages=0.5, gaps=0.5))
    found = one.candles(M1, one.start, one.end, FOREVER)
    moves = np.diff(np.log(found.close))
    assert np.mean((moves - moves.mean()) ** 4) / np.var(moves) ** 2 > 6.0  # jumps and changing volatility
    size = np.abs(moves)
    assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.1  # which comes in clusters
    assert abs(np.corrcoef(moves[1:], moves[:-1])[0, 1]) < 0.05
    assert np.corrcoef(size, found.volume[1:])[0, 1] > 0.2
    holes = np.diff(found.ts) // 60_000 - 1
    assert 100 < (holes > 0).sum() < 260 and 3 <= holes[holes > 0].min() and holes.max() <= 45
    edges = np.flatnonzero(found.ts[1:] % DAY == 0)
    assert 100 < (np.abs(found.open[edges + 1] / found.close[edges] - 1.0) > 1e-4).sum() < 260
    assert {one.regime(one.start + day * DAY) for day in range(366)} == {"calm", "rising", "falling", "wild"}


def test_the_seed_and_the_symbol_make_the_market() -> None:
    ends = {float(one.candles(M1, one.end - DAY, one.end, FOREVER).close[-1])
            for one in (make(1), make(2), make(1, "ETH/USDT"))}  # fmt: skip
    assert len(ends) == 3
    assert make(1).synthetic and "synthetic" in repr(make(1)).lower()


def test_trades_by_id_and_funding() -> None:
    one = make(symbol="BTC/USDT:USDT")
    last = one.last(one.start + 40 * DAY)
    assert last is not None
    assert one.prints_from(last.id, FOREVER, 1) == [last]
    rates = one.funding(one.start, one.end)
    assert len(rates) == 366 * 3 - 1 and len({rate for _, rate in rates}) > 100
    assert max(abs(rate) for _, rate in rates) <= 0.003


def test_days_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be made"):
        make(end="2024-01-01")
    with pytest.raises(ConfigError, match="cannot be made"):
        make(price=-1.0)
