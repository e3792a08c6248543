"""Universes: each filter against numbers worked out by hand, and nothing that was not known on the day."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import backtest
from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars, to_ms
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.universe import Universe, universe
from workbench.market.universe_filters import Known
from workbench.strategy.signals import Signals

DAY = 86_400_000
START = to_ms("2021-01-04")  # a Monday


def made(
    symbol: str, close: object, *, first: int = 0, volume: object = 1.0, hours: int = 24, keep: object = None,
    **facts: object,
) -> Bars:  # fmt: skip
    """Bars of so many hours that begin some days after START."""
    close = np.asarray(close, dtype=float)
    ts = START + first * DAY + np.arange(len(close), dtype=np.int64) * hours * 3_600_000
    rows = np.ones(len(close), bool) if keep is None else np.asarray(keep)
    price = dict.fromkeys(("open", "high", "low", "close"), close[rows])
    traded = np.broadcast_to(np.asarray(volume, dtype=float), close.shape)[rows]
    instrument = Instrument(**{"symbol": symbol, "venue": "here", "quote": "USDT", **facts})
    return Bars(instrument=instrument, timeframe=f"{hours}h", ts=ts[rows], volume=traded, **price)


def day(number: float) -> int:
    return int(START + number * DAY)


FLAT = np.full(60, 10.0)
MANY = [made("A", FLAT, volume=5), made("B", FLAT * 2, volume=9), made("C", FLAT, first=20), made("D", FLAT[:15])]


def test_all_that_trade_on_the_day_are_in_those_that_ended_included() -> None:
    everything = universe()
    assert everything.at(day(0.9), MANY) == ()  # no bar had closed
    assert everything.at(day(10), MANY) == ("A", "B", "D")
    assert everything.at(day(15 + 7.9), MANY) == ("A", "B", "C", "D")
    assert everything.at(day(15 + 8.1), MANY) == ("A", "B", "C")  # D has been gone for more than a week and a bar
    assert universe(stale_days=0).at(day(16.1), MANY) == ("A", "B")
    assert universe(["C", "A"], exclude="B").at(day(30), MANY) == ("C", "A")
    assert universe(exclude=["A"]).at(day(30), {"a": MANY[0], "b": MANY[1]}) == ("B",)


def test_volume_is_the_mean_value_a_day_and_sorts() -> None:
    growing = made("E", FLAT, volume=np.arange(60.0))
    series = [*MANY[:2], growing]
    assert universe().volume(days=30).at(day(60), series) == ("E", "B", "A")
    assert universe().volume(days=5, top=1).at(day(5), series) == ("B",)
    # the last five closed days of E at day 20 traded 15 … 19 units at 10
    assert universe().volume(days=5, low=170, high=170).at(day(20), series) == ("E",)
    assert universe().volume(days=5, low=170.1, high=179).at(day(20), series) == ()
    hourly = made("H", np.full(48, 10.0), hours=1)  # 24 units a day at 10
    assert universe(timeframe="1h").volume(days=2, low=240, high=240).at(day(2), [hourly]) == ("H",)


def test_volatility_is_of_daily_log_returns() -> None:
    up = np.exp(np.cumsum(np.tile([0.01, 0.03], 30)))
    wanted = np.std(np.tile([0.01, 0.03], 30)[:9], ddof=1)
    for hours in (24, 6):
        series = [made("A", np.repeat(up, 24 // hours), hours=hours)]
        for low, there in ((wanted - 1e-9, ("A",)), (wanted + 1e-9, ())):
            assert universe(timeframe=f"{hours}h").volatility(days=10, low=low).at(day(10), series) == there


def test_a_day_counts_for_returns_when_it_is_over() -> None:
    bars = made("A", np.exp(np.arange(80) / 100), hours=6)
    days, returns = Known(bars, 42, day(10.5)).daily_returns(5)
    assert (days - START // DAY).tolist() == [6, 7, 8, 9]  # of day 5 only the afternoon is in the window: no return
    np.testing.assert_allclose(returns, 0.04)


def test_age_price_facts_and_missing_bars() -> None:
    assert universe().age(low=10).at(day(25), MANY) == ("A", "B")
    assert universe().age(high=10).at(day(25), MANY) == ("C",)
    assert universe().price(low=15).at(day(10), MANY) == ("B",)
    assert universe().first(1).at(day(10), MANY) == ("A",)
    facts = [made("A", FLAT, venue="one"), made("B", FLAT, quote="BTC"), made("C", FLAT, kind="linear", spread_bps=9.0)]
    assert universe().only(venues="one").at(day(9), facts) == ("A",)
    assert universe().only(quotes=["BTC", "EUR"]).at(day(9), facts) == ("B",)
    assert universe().only(kinds="linear").at(day(9), facts) == ("C",)
    assert universe().spread(high=5).at(day(9), facts) == ("A", "B")
    holes = np.ones(60, bool)
    holes[[3, 4]] = False
    series = [made("A", FLAT, keep=holes), made("B", FLAT)]
    assert universe().missing(days=10, high=0.19).at(day(10), series) == ("B",)
    assert universe().missing(days=10, high=0.21).at(day(10), series) == ("A", "B")
    assert universe().missing(days=5, high=0).at(day(10), series) == ("A", "B")


def test_a_spread_is_estimated_from_bars() -> None:
    random = np.random.default_rng(1)
    middle = 100 * np.exp(np.cumsum(random.normal(0, 0.0005, 4_000)))
    half = 0.002  # 40 basis points in all
    close = middle * np.where(random.random(4_000) < 0.5, 1 - half, 1 + half)
    high, low = np.maximum(close, middle * (1 + half)), np.minimum(close, middle * (1 - half))
    ts = START + np.arange(4_000, dtype=np.int64) * 3_600_000
    bars = Bars(
        instrument=Instrument(symbol="S", spread_bps=1.0), timeframe="1h", ts=ts, open=close, high=high, low=low,
        close=close, volume=np.ones(4_000),
    )  # fmt: skip
    hourly = universe(timeframe="1h")
    assert hourly.spread(source="bars", days=160, low=32, high=48).at(day(160), [bars]) == ("S",)
    assert hourly.spread(high=5).at(day(160), [bars]) == ("S",)


def test_of_those_that_move_together_the_first_stay() -> None:
    random = np.random.default_rng(5)
    one, other = random.normal(0, 0.02, (2, 100))
    series = [
        made("A", np.exp(np.cumsum(one))), made("B", np.exp(np.cumsum(one + other / 10)), volume=9),
        made("C", np.exp(np.cumsum(other))), made("D", np.exp(np.cumsum(one)) * 2),
    ]  # fmt: skip
    assert universe().correlation(above=0.9).at(day(90), series) == ("A", "C")
    assert universe().correlation(above=0.9, at_most=2).at(day(90), series) == ("A", "B", "C")
    assert universe().volume().correlation(above=0.9).at(day(90), series)[0] == "B"  # filters work in their order
    assert universe().correlation(above=0.9).at(day(8), series) == ("A", "B", "C", "D")  # too few days to know


RICH = (
    universe(timeframe="12h").volume(days=10, top=4).volatility(days=10, high=0.2).missing(days=10, high=0.6)
    .spread(source="bars", high=4_000, days=9).correlation(days=20, above=0.2).price(low=0.01)
)  # fmt: skip


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.6, 59.4))
def test_bars_that_come_later_never_change_what_was_known(seed: int, when: float) -> None:
    random = np.random.default_rng(seed)
    series = []
    for symbol in "ABCDEF":
        close = 100 * np.exp(np.cumsum(random.normal(0, 0.03, int(random.integers(20, 120)))))
        keep = random.random(len(close)) > 0.1
        keep[0] = True
        series.append(
            made(symbol, close, volume=random.random(len(close)) * 100, first=int(random.integers(0, 20)), hours=12,
                 keep=keep)
        )  # fmt: skip
    moment = day(when)
    past = [one[: int(np.searchsorted(one.ts + one.timeframe.ms, moment, side="right"))] for one in series]
    for rule in (universe(timeframe="12h"), RICH):
        assert rule.at(moment, series) == rule.at(moment, past)
    dates = RICH.membership(day(0), day(60), every="3d", data=series)
    for date, members in zip(dates.ts, dates.members, strict=True):
        assert members == RICH.at(int(date), series)


def test_membership_by_date_and_the_mask_of_bars() -> None:
    held = universe().age(low=5).membership(day(2), day(30), every="7d", data=MANY)
    assert [(int(ts) - START) / DAY for ts in held.ts] == [0, 7, 14, 21, 28]
    assert held.members == ((), ("A", "B", "D"), ("A", "B", "D"), ("A", "B", "D"), ("A", "B", "C"))
    frame = universe().age(low=5).over(day(2), day(30), data=MANY)
    assert frame.columns.tolist() == ["A", "B", "C", "D"]
    assert frame["C"].tolist() == [False] * 4 + [True]
    assert str(frame.index[0]) == "2021-01-04 00:00:00+00:00"
    assert (held.at(day(6.9)), held.at(day(7)), held.at(day(-1))) == ((), ("A", "B", "D"), ())
    mask = held.mask(MANY[3])
    assert np.flatnonzero(mask).tolist() == list(range(6, 15))  # the bar that closes on day 7 is the first
    assert not held.mask(made("Z", FLAT)).any()
    assert repr(held) == "<Membership of 4 instruments, 5 dates, 2021-01-04 to 2021-02-01>"
    assert "<table" in held._repr_html_()


def test_a_backtest_enters_members_only() -> None:
    rule = universe().age(low=5)
    bars = rule.bars(MANY, every="1d")
    assert [one.symbol for one in bars] == ["A", "B", "C", "D"]
    held = rule.membership(day(0), day(60), every="1d", data=MANY)
    signals = {one.symbol: Signals(entry=np.ones(len(one), bool)).where(held.mask(one)) for one in bars}
    trades = backtest(signals, bars, path="event").trades
    first = {row.symbol: row.entry_time for row in trades.itertuples()}
    assert str(first["A"])[:10] == "2021-01-09"  # day 5: the bar that closed then decided, and this one traded
    assert "C" not in first or str(first["C"])[:10] >= "2021-01-29"


def test_signals_are_allowed_where_a_mask_says() -> None:
    said = Signals(entry=[True, True, False], short_entry=[False, False, True], exit=[False, False, True])
    allowed = [True, False, False]
    assert said.where(allowed).entry.tolist() == [True, False, False]
    assert said.where(allowed).short_entry.tolist() == [False, False, False]
    assert said.where(allowed).exit.tolist() == [False, False, True]
    assert said.where(allowed, leave=True).exit.tolist() == [False, True, True]


def test_the_lake_gives_the_same_as_bars_in_hand(lake: Lake) -> None:
    rule = universe().only(kinds="equity").volume(days=60, top=3)
    held = rule.at("2015-06-01", lake)
    hand = [lake.read(info.symbol, "1d") for info in lake.series() if info.timeframe == "1d"]
    assert held == rule.at("2015-06-01", hand)
    assert len(held) == 3
    assert universe(["KO", "BTC/USDT"]).at("2015-06-01", lake) == ("KO",)  # there was no such coin in the lake then
    assert rule.at("2015-06-01") == held  # the workspace's own lake
    bars = rule.bars(lake, "2015-01-01", "2016-01-01", every="30d")
    assert [one.symbol for one in bars] == sorted(rule.membership("2015-01-01", "2016-01-01", every="30d").symbols)
    assert all(to_ms("2015-01-01") <= one.start and one.end <= to_ms("2016-01-02") for one in bars)


def test_two_venues_of_one_symbol_must_be_told_apart() -> None:
    series = [made("A", FLAT, venue="one"), made("A", FLAT * 2, venue="two")]
    with pytest.raises(DataError, match=r"A is at 2 venues, one, two; begin with \.only\(venues='one'\)"):
        universe().at(day(9), series)
    assert universe().only(venues="two").at(day(9), series) == ("A",)
    assert [one.venue for one in universe().only(venues="two").bars(series)] == ["two"]


def test_a_universe_is_plain_data_and_comes_back_the_same() -> None:
    rule = (
        universe(["A/USDT", "B"], timeframe="4h", exclude="Ü\x7f", stale_days=2.5)
        .only(quotes="USDT").volume(top=3, days=20).volatility(low=0.01, high=0.2).age(low=90).spread(high=8)
        .price(low=0.5).missing().correlation(above=0.8, at_most=2).first(7).first(10)
    )  # fmt: skip
    assert Universe.from_dict(rule.to_dict()) == rule
    assert Universe.from_json(rule.to_json()) == rule
    assert Universe.from_toml(rule.to_toml()) == rule
    assert eval(repr(rule), {"universe": universe}) == rule
    assert repr(universe().first(10)) == "universe(timeframe='1d').first(10)"
    code = "import sys; from workbench.market.universe import Universe;"
    code += "print(Universe.from_json(sys.argv[1]).fingerprint)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code, rule.to_json()], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == rule.fingerprint
    assert rule.fingerprint != rule.first(10).fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timeframe = '1d'\nfliters = []", "'fliters' is not known: did you mean 'filters'?"),
        ("symbols = ['A']", "it has no timeframe; write one"),
        ("timeframe = '1d'\nfilters = 3", "filters = 3; give a list of tables"),
        ("timeframe = '1d'\nfilters = [{days = 3}]", "is no filter; write filter = 'volume'"),
        ("timeframe = '1d'\nfilters = [{filter = 'volum'}]", "'volum' is not known: did you mean 'volume'?"),
        (
            "timeframe = '1d'\nfilters = [{filter = 'volume', tops = 3}]",
            "volume: 'tops' is not known: did you mean 'top'?",
        ),
        ("timeframe = '1d'\nfilters = [{filter = 'volume', top = 0}]", "volume: top = 0; give a whole number"),
        (
            "timeframe = '1d'\nfilters = [{filter = 'volume', days = '3'}]",
            "volume: days = '3'; give a number of at least",
        ),
        ("timeframe = '1d'\nfilters = [{filter = 'age', low = 9, high = 3}]", "age: low = 9 is above high = 3"),
        ("timeframe = '1d'\nfilters = [{filter = 'spread', source = 'x'}]", "it is 'instrument' or 'bars'"),
        ("timeframe = '1d'\nfilters = [{filter = 'only', venues = 3}]", "only: venues = 3; give a text or a list"),
        ("timeframe = '1d'\nfilters = [{filter = 'correlation', above = 2}]", "give a number from -1 to 1"),
        ("timeframe = '1d'\nsymbols = ['A', 'A']", "symbols has 'A' twice"),
        ("timeframe = '1d'\nstale_days = -1", "stale_days = -1; give a number of days"),
        ("timeframe = ", "is no TOML"),
    ],
)
def test_a_wrong_file_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Universe.from_toml(text)
    assert message in str(caught.value)


def test_wrong_calls() -> None:
    with pytest.raises(DataError, match=r"a int has no bars; give a wb\.Lake, or a list or dict of wb.Bars"):
        universe().at(day(3), 5)
    with pytest.raises(DataError, match="a str is among the bars"):
        universe().at(day(3), ["A"])
    with pytest.raises(ConfigError, match=r"the range .* is empty"):
        universe().over(day(3), day(3), data=MANY)
    with pytest.raises(ConfigError, match="is no JSON"):
        Universe.from_json("{")
    with pytest.raises(ConfigError, match="a list is no universe"):
        Universe.from_dict([])  # type: ignore[arg-type]
    assert math.isclose(universe(stale_days=1).stale_days, 1)


def test_an_empty_list_of_symbols_does_not_mean_all():
    with pytest.raises(ConfigError, match="symbols is empty"):
        universe([])


@pytest.mark.parametrize("wrong", [5, [None]])
def test_symbols_that_are_no_texts_are_named(wrong):
    with pytest.raises(ConfigError, match=r"symbols = .*give a text or a list of texts"):
        universe(wrong)
