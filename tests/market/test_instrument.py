"""The facts about what is traded: defaults, checks, and the way into JSON and back."""

import json
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.market.instrument import Instrument

FACTS = st.builds(
    Instrument,
    symbol=st.text(min_size=1, max_size=12),
    venue=st.text(min_size=1, max_size=12),
    kind=st.sampled_from(["spot", "linear", "inverse", "equity", "index", "fx"]),
    tick_size=st.floats(0, 1e6),
    lot_size=st.floats(0, 1e6),
    min_notional=st.floats(0, 1e6),
    maker_fee=st.floats(-0.01, 0.1),
    taker_fee=st.floats(-0.01, 0.1),
    spread_bps=st.floats(0, 1e3),
    contract_size=st.floats(1e-6, 1e6),
    max_leverage=st.none() | st.floats(1, 200),
    leverage_tiers=st.sampled_from([(), ((0, 0.01, 0, 20),), ((0, 0.004, 0, 125), (50_000, 0.005, 50, 100))]),
    maintenance_margin=st.none() | st.floats(0, 0.5),
    liquidation_fee=st.none() | st.floats(0, 0.1),
    funding_rate=st.none() | st.floats(-0.01, 0.01),
    funding_interval_h=st.sampled_from([1, 4.0, 8]),
)


@pytest.mark.parametrize(
    ("symbol", "kind", "quote", "calendar"),
    [
        ("BTC/USDT", "spot", "USDT", "24/7"),
        ("ETH/BTC", "spot", "BTC", "24/7"),
        ("BTC/USDT:USDT", "linear", "USDT", "24/7"),
        ("BTC/USD:BTC", "inverse", "USD", "24/7"),
        ("EUR/USD", "fx", "USD", "24/5"),
        ("USD/JPY", "fx", "JPY", "24/5"),
        ("BTC/EUR", "spot", "EUR", "24/7"),
        ("AAPL", "equity", "USD", "XNYS"),
    ],
)
def test_a_symbol_tells_the_usual_facts(symbol, kind, quote, calendar):
    instrument = Instrument.default(symbol, "somewhere")
    assert (instrument.symbol, instrument.venue) == (symbol, "somewhere")
    assert (instrument.kind, instrument.quote, instrument.calendar) == (kind, quote, calendar)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC", "EUR/USD", "AAPL"])
def test_trading_is_never_free_by_default(symbol):
    instrument = Instrument.default(symbol)
    assert instrument.taker_fee > 0
    assert instrument.maker_fee > 0
    assert instrument.spread_bps > 0


@pytest.mark.parametrize("name", ["tick_size", "lot_size", "min_notional", "spread_bps"])
@pytest.mark.parametrize("value", [-0.01, math.nan, math.inf])
def test_a_size_is_finite_and_not_negative(name, value):
    with pytest.raises(DataError, match=rf"X: {name} is {value!r}; give a finite number of at least 0"):
        Instrument(symbol="X", **{name: value})


@pytest.mark.parametrize("name", ["maker_fee", "taker_fee"])
def test_a_fee_may_be_a_small_rebate(name):
    assert getattr(Instrument(symbol="X", **{name: -0.0001}), name) == -0.0001
    for value in (-0.02, math.nan, math.inf):
        with pytest.raises(DataError, match=rf"X: {name} is {value!r}; give a finite number of at least -0.01"):
            Instrument(symbol="X", **{name: value})


def test_an_unknown_kind_is_refused():
    with pytest.raises(DataError, match="X: kind 'future' is not one of spot, linear, inverse, equity, index, fx"):
        Instrument(symbol="X", kind="future")


@pytest.mark.parametrize("names", [{"symbol": ""}, {"symbol": "X", "venue": ""}])
def test_an_instrument_has_a_name(names):
    with pytest.raises(DataError, match="an instrument needs text for its symbol, venue"):
        Instrument(**names)


@given(FACTS)
def test_facts_survive_json_repr_and_pickle(instrument):
    assert Instrument.from_dict(json.loads(json.dumps(instrument.to_dict()))) == instrument
    assert eval(repr(instrument), {"Instrument": Instrument}) == instrument  # the repr is code to paste
    assert pickle.loads(pickle.dumps(instrument)) == instrument


def test_unknown_or_missing_facts_are_refused():
    with pytest.raises(DataError, match=r"instrument 'X': .*colour"):
        Instrument.from_dict({"symbol": "X", "colour": "red"})
    with pytest.raises(DataError, match=r"instrument '\?': .*symbol"):
        Instrument.from_dict({"venue": "binance"})


def test_replace_changes_and_checks():
    instrument = Instrument.default("BTC/USDT").replace(tick_size=0.01)
    assert instrument.tick_size == 0.01
    with pytest.raises(DataError, match="tick_size is -1"):
        instrument.replace(tick_size=-1)


@pytest.mark.parametrize(
    "facts",
    [
        {"symbol": 5},
        {"symbol": "X", "tick_size": "0.1"},
        {"symbol": "X", "maker_fee": None},
        {"symbol": "X", "calendar": 7},
    ],
)
def test_facts_of_the_wrong_type_are_named(facts):
    with pytest.raises(DataError, match=f"{list(facts)[-1]} is {list(facts.values())[-1]!r}; "):
        Instrument(**facts)


def test_a_default_needs_a_symbol_and_a_change_needs_a_fact():
    with pytest.raises(DataError, match="symbol is None"):
        Instrument.default(None)
    with pytest.raises(DataError, match="unexpected keyword argument 'tick'; an instrument has symbol, venue"):
        Instrument.default("X").replace(tick=0.1)


@pytest.mark.parametrize(
    ("symbol", "usual"),
    [
        ("BTC/USDT", (10, 0.05, 0.0, 0.0)),
        ("BTC/USDT:USDT", (125, 0.005, 0.0125, 0.0001)),
        ("BTC/USD:BTC", (125, 0.005, 0.0125, 0.0001)),
        ("AAPL", (2, 0.25, 0.0, 0.0)),
        ("EUR/USD", (30, 0.02, 0.0, 0.0)),
    ],
)
def test_margin_is_what_is_usual_for_the_kind(symbol, usual):
    one = Instrument.default(symbol)
    assert (one.max_leverage, one.maintenance_margin, one.liquidation_fee, one.funding_rate) == usual
    assert (one.leverage_tiers, one.contract_size, one.funding_interval_h) == ((), 1.0, 8.0)
    assert one.perpetual == (":" in symbol)


def test_facts_from_before_margin_was_known_still_load_and_get_what_is_usual():
    old = {"symbol": "BTC/USDT:USDT", "venue": "binance", "kind": "linear", "quote": "USDT", "tick_size": 0.1,
           "lot_size": 0.001, "min_notional": 5.0, "maker_fee": 0.0002, "taker_fee": 0.0005, "spread_bps": 1.0,
           "calendar": "24/7"}  # fmt: skip
    one = Instrument.from_dict(old)
    assert (one.maintenance_margin, one.funding_rate) == (0.005, 0.0001)
    assert {name: value for name, value in one.to_dict().items() if name in old} == old
    assert Instrument.from_dict({**old, "max_leverage": None}) == one  # null in JSON is left out too


def test_the_currencies_are_read_from_the_symbol():
    found = {}
    for symbol in ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC", "ETHUSDT", "BTC-USD", "AAPL"):
        one = Instrument.default(symbol)
        found[symbol] = (one.base, one.settle)
    assert found == {
        "BTC/USDT": ("BTC", "USDT"), "BTC/USDT:USDT": ("BTC", "USDT"), "BTC/USD:BTC": ("BTC", "BTC"),
        "ETHUSDT": ("ETH", "USDT"), "BTC-USD": ("BTC", "USD"), "AAPL": ("AAPL", "USD"),
    }  # fmt: skip
    assert Instrument(symbol="XBTUSD", kind="inverse", quote="USD").settle == "XBT"


def test_leverage_is_that_of_the_first_tier_where_there_are_tiers():
    tiers = [[0, 0.01, 0, 50], [10_000, 0.02, 100, 25]]  # as JSON gives them
    one = Instrument(symbol="X", kind="linear", leverage_tiers=tiers)
    assert one.max_leverage == 50.0
    assert one.leverage_tiers == ((0.0, 0.01, 0.0, 50.0), (10_000.0, 0.02, 100.0, 25.0))
    assert json.loads(json.dumps(one.to_dict())) == one.to_dict()  # what the lake compares with its manifest
    assert hash(one) == hash(Instrument.from_dict(one.to_dict()))


def test_with_the_kind_goes_what_is_usual_for_it():
    changed = Instrument.default("BTC/USDT").replace(kind="linear", funding_rate=0.0)
    assert (changed.max_leverage, changed.maintenance_margin, changed.funding_rate) == (125.0, 0.005, 0.0)
    kept = Instrument(symbol="X", max_leverage=7.0).replace(kind="linear")
    assert (kept.max_leverage, kept.maintenance_margin) == (7.0, 0.005)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"contract_size": 0}, "contract_size is 0; it must be above zero"),
        ({"contract_size": math.nan}, "contract_size is nan; give a finite number"),
        ({"max_leverage": 0.5}, "max_leverage is 0.5; give a finite number of at least 1"),
        ({"max_leverage": "10"}, "max_leverage is '10'; give"),
        ({"maintenance_margin": 5}, "maintenance_margin is 5; it must be below 1"),
        ({"maintenance_margin": -0.1}, "maintenance_margin is -0.1; give"),
        ({"liquidation_fee": 1.25}, "liquidation_fee is 1.25; it must be below 0.5"),
        ({"funding_rate": 0.5}, "funding_rate is 0.5; it must be below 0.1"),
        ({"funding_interval_h": 0}, "funding_interval_h is 0; it must be above zero"),
        ({"leverage_tiers": 5}, r"leverage_tiers is 5; give rows of \(floor, rate, amount, max_leverage\)"),
        ({"leverage_tiers": [(0, 0.01, 0)]}, "give rows of"),
        ({"leverage_tiers": [(5, 0.01, 0, 20)]}, r"row 0 is \(5.0, .*; the first floor is 0"),
        ({"leverage_tiers": [(0, 1.5, 0, 20)]}, "row 0 is .* a rate is a fraction"),
        ({"leverage_tiers": [(0, math.nan, 0, 20)]}, "row 0 is"),
        (
            {"leverage_tiers": [(0, 0.01, 0, 20), (0, 0.02, 0, 10)]},
            "row 1 is .*; floors and rates rise, leverage falls",
        ),
        ({"leverage_tiers": [(0, 0.01, 0, 20), (9, 0.02, 0, 30)]}, "row 1 is .*; floors and rates rise"),
    ],
)
def test_margin_that_cannot_be_is_named(facts, message):
    with pytest.raises(DataError, match=f"X: .*{message}"):
        Instrument(symbol="X", **facts)
