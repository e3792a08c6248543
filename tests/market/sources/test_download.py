"""Downloads from a practice exchange in this process: what is asked, what is stored, and what is said."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

import workbench as wb
from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars, to_ms
from workbench.market.coverage import Coverage
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.sources.asking import Patience
from workbench.market.sources.download import download, update
from workbench.market.sources.mending import fill, verify
from workbench.market.sources.progress import progress_on
from workbench.market.sources.session import Connection
from workbench.market.tables import funding, trades
from workbench.market.timeframe import Timeframe
from workbench.market.venue_tables import leverage_tiers, listing, markets
from workbench.practice.clock import HeldClock
from workbench.practice.exchange import Exchange
from workbench.practice.markets import SyntheticMarket, Temper
from workbench.practice.wire.signing import PRACTICE

MINUTE, DAY_MS = Timeframe.parse("1m"), 86_400_000
NOW = to_ms("2024-01-08T00:00:30")
SPOT, PERP = "AAA/USDT", "PPP/USDT:USDT"
TIERS = ((0.0, 0.005, 0.0, 50.0), (50_000.0, 0.01, 250.0, 20.0))


def instrument(symbol: str, **facts: object) -> Instrument:
    usual = {"quote": "USDT", "tick_size": 0.01, "lot_size": 0.001, "min_notional": 5.0, "venue": "binance"}
    return Instrument(symbol=symbol, **usual | facts)  # type: ignore[arg-type]


TEMPER = Temper(outages=1.0)
MADE = {
    SPOT: SyntheticMarket(instrument(SPOT), seed=3, start="2024-01-01", end="2024-06-01", temper=TEMPER),
    PERP: SyntheticMarket(
        instrument(PERP, kind="linear", leverage_tiers=TIERS, maker_fee=0.0002, taker_fee=0.0005),
        seed=3, start="2024-01-01", end="2024-06-01", temper=TEMPER,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    """An exchange whose clock tests move, with holes in its series, over Binance's and Kraken's protocols."""
    with Exchange(MADE, protocols=("binance", "kraken"), clock=HeldClock(NOW)) as running:
        yield running


@pytest.fixture
def way(exchange: Exchange) -> Connection:
    return Connection(route=exchange.route, timeout_s=5, patience=Patience(first_s=0.01, longest_s=0.05))


@pytest.fixture
def pool(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def source(exchange: Exchange, start: str, end: str, symbol: str = SPOT) -> Bars:
    market = MADE[symbol]
    found = market.candles(MINUTE, to_ms(start), to_ms(end), exchange.now)
    return Bars(
        instrument=market.instrument, timeframe=MINUTE, ts=found.ts,
        open=found.open, high=found.high, low=found.low, close=found.close, volume=found.volume,
    )  # fmt: skip


def same(bars: Bars, expected: Bars) -> bool:
    return all(
        np.array_equal(getattr(bars, name), getattr(expected, name))
        for name in ("ts", "open", "high", "low", "close", "volume")
    )


def test_bars_come_whole_with_the_fewest_requests_and_are_not_asked_again(
    exchange: Exchange, way: Connection, pool: Lake
) -> None:
    before = exchange.requests
    report = download(SPOT, venue="binance", since="2024-01-03", until="2024-01-05", connection=way, lake=pool)
    assert exchange.requests - before == 2 + 3  # markets, clock; 2,880 minutes
    bars = pool.read(SPOT, "1m", venue="practice-binance")
    assert same(bars, source(exchange, "2024-01-03", "2024-01-05"))
    [outcome] = report.outcomes
    assert (outcome.added, outcome.empty) == (len(bars), 2_880 - len(bars))
    assert outcome.empty > 0, "the market has outages"
    assert bars.instrument.tick_size == 0.01 and bars.instrument.min_notional == 5.0
    assert bars.provenance["source"] == "practice-binance through ccxt"

    before = exchange.requests
    again = download(SPOT, venue="binance", since="2024-01-03", until="2024-01-05", connection=way, lake=pool)
    assert exchange.requests - before == 2
    assert str(again).startswith("AAA/USDT 1m at practice-binance: nothing was missing")


def test_answers_of_nothing_are_no_answers_however_often_they_come(
    exchange: Exchange, way: Connection, pool: Lake
) -> None:
    rules = [
        exchange.faults.add("garbage", kind=kind, target="candles", when={"skip": 1, "count": 2})
        for kind in ("empty", "html", "truncated", "wrong")
    ]
    try:
        download(SPOT, venue="binance", since="2024-01-03", until="2024-01-05", connection=way, lake=pool)
    finally:
        for rule in rules:
            exchange.faults.remove(rule)
    assert same(pool.read(SPOT, "1m"), source(exchange, "2024-01-03", "2024-01-05"))


def test_an_earlier_since_prepends_and_no_since_goes_on_but_not_into_the_open_candle(
    exchange: Exchange, way: Connection, pool: Lake
) -> None:
    download(SPOT, venue="binance", since="2024-01-04", until="2024-01-05", connection=way, lake=pool)
    before = exchange.requests
    download(SPOT, venue="binance", since="2024-01-03", until="2024-01-05", connection=way, lake=pool)
    assert exchange.requests - before == 2 + 2
    download(SPOT, venue="binance", connection=way, lake=pool)
    bars = pool.read(SPOT, "1m")
    assert same(bars, source(exchange, "2024-01-03", "2024-01-08"))
    assert bars.end == to_ms("2024-01-08"), "the candle of 00:00 is not closed at 00:00:30"
    assert bars.end <= exchange.now
    exchange.advance(5 * 60_000)
    update(SPOT, connection=way, lake=pool)
    assert pool.read(SPOT, "1m").end == to_ms("2024-01-08T00:05")


def test_what_comes_from_a_file_is_gone_on_with(exchange: Exchange, way: Connection, pool: Lake) -> None:
    whole = source(exchange, "2024-01-03", "2024-01-05")
    named = whole.instrument.replace(venue="practice-binance")
    part = whole.between("2024-01-03", "2024-01-03T12:00")
    columns = {name: getattr(part, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    pool.write(Bars(instrument=named, timeframe=MINUTE, **columns))
    before = exchange.requests
    download(SPOT, venue="binance", until="2024-01-04", connection=way, lake=pool)
    assert exchange.requests - before == 2 + 1
    assert same(pool.read(SPOT, "1m"), whole.between(end="2024-01-04"))


def test_several_timeframes_and_symbols_side_by_side(way: Connection, pool: Lake) -> None:
    stream = io.StringIO()
    frames = ("1h", "1d")
    report = download(
        [SPOT, PERP], frames, venue="binance", since="2024-01-02", connection=way, lake=pool,
        progress=progress_on(stream),
    )  # fmt: skip
    assert [(one.symbol, one.timeframe) for one in report.outcomes] == [
        (SPOT, "1h"), (PERP, "1h"), (SPOT, "1d"), (PERP, "1d")
    ]  # fmt: skip
    assert len(pool.read(SPOT, "1d")) == 6
    assert stream.getvalue() == "asking for what is missing of 4 series\n"
    assert list(report.to_pandas()["added"]) == [one.added for one in report.outcomes]


def test_trades_come_each_once_and_are_read_as_ticks(exchange: Exchange, way: Connection, pool: Lake) -> None:
    span = {"since": "2024-01-07T22:00", "until": "2024-01-07T23:00"}
    download(SPOT, venue="binance", what="trades", connection=way, lake=pool, **span)
    ticks = trades(SPOT, root=pool.root)
    start, end = to_ms(span["since"]), to_ms(span["until"])
    prints = [one for one in MADE[SPOT].prints(start - 1, end) if start <= one.ts < end]
    assert ticks.ts.tolist() == [one.ts for one in prints]
    assert ticks.price.tolist() == [one.price for one in prints]
    assert set(ticks.side.tolist()) <= {-1, 1}
    assert len(trades(SPOT, span["since"], "2024-01-07T22:30", root=pool.root)) < len(ticks)
    before = exchange.requests
    download(SPOT, venue="binance", what="trades", connection=way, lake=pool, **span)
    assert exchange.requests - before == 2


def test_funding_rates_and_facts_reach_a_backtest(exchange: Exchange, way: Connection, pool: Lake) -> None:
    kinds = ("bars", "funding", "tiers")
    key = Connection(route=way.route, key=PRACTICE.key, secret=PRACTICE.secret)
    download(PERP, "1h", venue="binanceusdm", since="2024-01-02", what=kinds, connection=key, lake=pool)  # type: ignore[arg-type]
    rates = funding(PERP, root=pool.root)
    known = exchange.call(lambda: exchange.engine.funding_rates(PERP, start=to_ms("2024-01-02")))
    assert rates.tolist() == pytest.approx([rate for _, rate, _ in known])
    assert rates.index[0] == pd.Timestamp("2024-01-02", tz="UTC")
    facts = listing(PERP, "practice-binanceusdm", root=pool.root)
    assert (facts.kind, facts.taker_fee, facts.funding_interval_h) == ("linear", 0.0005, 8.0)
    assert facts.leverage_tiers == TIERS
    assert list(leverage_tiers("practice-binanceusdm", root=pool.root).index) == [PERP, PERP]

    download(PERP, "1h", venue="binanceusdm", connection=way, lake=pool)
    bars = pool.read(PERP, "1h")

    class Hold(wb.SignalStrategy):
        """Long from the first bar on."""

        def signals(self, bars: Bars) -> wb.Signals:
            entry = np.zeros(len(bars), dtype=bool)
            entry[0] = True
            return wb.Signals(entry=entry, exit=np.zeros(len(bars), dtype=bool))

    paid = wb.backtest(Hold(), bars, rules=wb.Rules(funding=rates))
    free = wb.backtest(Hold(), bars, rules=wb.Rules(funding=0.0))
    assert paid.trip("funding").sum() != 0.0
    assert free.trip("funding").sum() == 0.0


def test_kraken_gives_its_latest_candles_only_and_that_is_said(exchange: Exchange, way: Connection, pool: Lake) -> None:
    before = exchange.requests
    report = download(SPOT, venue="kraken", since="2024-01-01", connection=way, lake=pool)
    first = exchange.requests - before
    assert "the venue does not have; it starts at 2024-01-07" in str(report)
    bars = pool.read(SPOT, "1m", venue="practice-kraken")
    assert same(bars, source(exchange, "2024-01-01", "2024-01-09").between(bars.start, bars.end))
    before = exchange.requests
    download(SPOT, venue="kraken", since="2024-01-01", connection=way, lake=pool)
    assert exchange.requests - before == first - 1


def test_gaps_are_asked_for_once_more_and_never_again(exchange: Exchange, way: Connection, pool: Lake) -> None:
    download(SPOT, venue="binance", since="2024-01-03", until="2024-01-06", connection=way, lake=pool)
    whole = pool.read(SPOT, "1m")
    missed = np.ones(len(whole), dtype=bool)
    missed[1_000:1_200] = False  # an omission of ours
    columns = {name: getattr(whole, name)[missed] for name in ("ts", "open", "high", "low", "close", "volume")}
    store = pool.store(pool._find(SPOT, MINUTE, None))
    notes = store.manifest().meta
    pool.write(Bars(instrument=whole.instrument, timeframe=MINUTE, **columns), mode="replace")
    with store.transaction() as change:
        Coverage.of(notes).note(change.meta)

    report = fill(SPOT, connection=way, lake=pool)
    assert report.outcomes[0].added == 200
    assert report.outcomes[0].empty == sum(gap.missing for gap in whole.gaps)
    assert same(pool.read(SPOT, "1m"), whole)
    before = exchange.requests
    assert "nothing was missing" in str(fill(SPOT, connection=way, lake=pool))
    assert exchange.requests - before == 2


def test_what_a_venue_revises_is_shown_and_taken_only_when_told(
    exchange: Exchange, way: Connection, pool: Lake
) -> None:
    span = {"since": "2024-01-03", "until": "2024-01-04"}
    download(SPOT, venue="binance", connection=way, lake=pool, **span)
    whole = pool.read(SPOT, "1m")
    changed = {name: getattr(whole[10:11], name).copy() for name in ("ts", "open", "high", "low", "close", "volume")}
    changed["volume"] += 1.0
    pool.write(Bars(instrument=whole.instrument, timeframe=MINUTE, **changed), on_conflict="replace")

    report = verify(SPOT, "1m", sample=1, connection=way, lake=pool)
    [revision] = report.revisions
    assert (revision.ts, revision.kind, set(revision.old)) == (int(whole.ts[10]), "differs", {"volume"})
    assert revision.old["volume"] == revision.new["volume"] + 1.0
    assert report.checked == len(whole) and not same(pool.read(SPOT, "1m"), whole)
    assert verify(SPOT, "1m", sample=1, take=True, connection=way, lake=pool).taken == 1
    assert same(pool.read(SPOT, "1m"), whole)
    assert verify(SPOT, "1m", sample=0.3, connection=way, lake=pool).revisions == ()


def test_it_works_where_an_event_loop_runs(way: Connection, pool: Lake) -> None:
    async def as_in_a_notebook() -> int:
        return download(SPOT, "1h", venue="binance", since="2024-01-07", connection=way, lake=pool).added

    assert asyncio.run(as_in_a_notebook()) > 0


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        ({"symbols": "AAB/USDT"}, DataError, "practice-binance has no market 'AAB/USDT'; did you mean 'AAA/USDT'"),
        ({"symbols": "AAAUSDT"}, DataError, "did you mean 'AAA/USDT'"),
        ({"timeframe": "7m"}, DataError, "practice-binance has no 7m candles; it has 1s, 1m, 3m"),
        ({"since": "2050-01-01"}, DataError, "it is wanted since 2050-01-01 UTC, which has not come: it is 2024-01-"),
        ({"timeframe": "x"}, DataError, "timeframe 'x' is not understood"),
        ({"since": None}, DataError, "so there is nothing to go on from; say since when"),
        ({"since": "2024-02-01", "until": "2024-01-01"}, DataError, "is empty; `since` must come before `until`"),
        ({"what": "funding"}, DataError, "AAA/USDT at practice-binance is no perpetual"),
        ({"what": "candles"}, ConfigError, "what='candles' is not one of 'bars', 'trades'"),
        ({"venue": "binanc"}, ConfigError, "did you mean 'binance'"),
        ({"venue": "kraken", "what": "funding"}, DataError, "practice-kraken gives no funding through ccxt; it gives"),
        ({"symbols": ()}, DataError, "no symbols to ask binance for"),
        ({"what": "tiers"}, ConfigError | DataError, "leverage tiers"),
    ],
)
def test_wrong_input_is_told_with_what_would_be_right(
    way: Connection, pool: Lake, wrong: dict[str, object], kind: type[Exception], said: str
) -> None:
    given = {"symbols": SPOT, "venue": "binance", "since": "2024-01-07", "connection": way, "lake": pool} | wrong
    with pytest.raises((ConfigError, DataError)) as caught:
        download(**given)  # type: ignore[arg-type]
    assert isinstance(caught.value, kind)
    assert said in str(caught.value)
    assert pool.series() == []


def test_one_series_that_fails_leaves_the_others_and_is_named(way: Connection, pool: Lake) -> None:
    download(SPOT, "1h", venue="binance", since="2024-01-06", connection=way, lake=pool)
    folder = pool.store(pool._find(SPOT, Timeframe.parse("1h"), None)).folder
    with FileLock(folder / ".download.lock"), pytest.raises(DataError, match="another process is downloading it") as e:
        download([SPOT, PERP], "1h", venue="binance", since="2024-01-05", connection=way, lake=pool)
    assert [bool(one.error) for one in e.value.fields["report"].outcomes] == [True, False]
    assert len(pool.read(PERP, "1h")) > 0


def test_nothing_to_update_verify_or_fill_is_said(way: Connection, pool: Lake) -> None:
    with pytest.raises(DataError, match="nothing that fits was ever downloaded"):
        update(connection=way, lake=pool)
    with pytest.raises(DataError, match="no bars of AAA/USDT 1m were downloaded"):
        verify(SPOT, "1m", connection=way, lake=pool)
    with pytest.raises(DataError, match="sample is 0"):
        verify(SPOT, "1m", sample=0, connection=way, lake=pool)
    with pytest.raises(DataError, match="no bars were downloaded"):
        fill(connection=way, lake=pool)


def test_data_that_is_deleted_or_damaged_is_asked_for_again(exchange: Exchange, way: Connection, pool: Lake) -> None:
    span = {"since": "2024-01-06", "until": "2024-01-07"}
    download(SPOT, venue="binance", connection=way, lake=pool, **span)
    store = pool.store(pool._find(SPOT, MINUTE, None))
    [part] = store.manifest().parts
    store.path(part).write_bytes(b"spoilt")
    assert len(pool.drop_corrupt(SPOT, "1m")) == 1
    download(SPOT, venue="binance", connection=way, lake=pool, **span)
    whole = source(exchange, span["since"], span["until"])
    assert same(pool.read(SPOT, "1m"), whole)
    pool.delete(SPOT, "1m")
    download(SPOT, venue="binance", connection=way, lake=pool, **span)
    assert same(pool.read(SPOT, "1m"), whole)


def test_markets_are_kept_as_they_were(way: Connection, pool: Lake) -> None:
    report = download(venue="binance", what="markets", connection=way, lake=pool)
    assert "symbols are new or have changed" in str(report)
    table = markets("practice-binance", root=pool.root)
    assert set(table.index) == {SPOT, PERP}
    assert table.loc[SPOT, "lot_size"] == 0.001
    again = download(venue="binance", what="markets", connection=way, lake=pool)
    assert again.outcomes[0].added == 0
    with pytest.raises(DataError, match="knows no markets of 'kraken'"):
        markets("kraken", root=pool.root)
    with pytest.raises(DataError, match="did you mean 'AAA/USDT'"):
        listing("AAB/USDT", "practice-binance", root=pool.root)


def test_a_connection_never_shows_its_key() -> None:
    shown = repr(Connection(key="my-key", secret="my-secret"))
    assert "my-key" not in shown and "my-secret" not in shown
    with pytest.raises(ConfigError, match="share is 2"):
        Connection(share=2)
