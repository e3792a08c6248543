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
