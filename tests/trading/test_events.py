"""Events and actions as plain data: whatever is written is read back the same, also through JSON."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from workbench.errors import DataError
from workbench.trading import events as ev
from workbench.trading.orders import Order

NAN = math.nan
KINDS: tuple[type, ...] = (*get_args(ev.Event), *get_args(ev.Action))

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
TIMES = st.integers(-(2**53), 2**53)
TEXT = st.text(max_size=8)
SIDES = st.sampled_from(["buy", "sell"])
LEVELS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3).map(tuple)
ORDERS = st.builds(
    Order, id=TEXT, symbol=TEXT, side=SIDES, quantity=NUMBERS, price=NUMBERS, expires=st.none() | TIMES,
    post_only=st.booleans(), decided=TIMES, extra=st.dictionaries(TEXT, NUMBERS | TEXT, max_size=2),
)  # fmt: skip
# by the type that a field is annotated with
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "int": TIMES, "str": TEXT, "float": NUMBERS, "bool": st.booleans(), "Order": ORDERS,
    "dict[str, float]": st.dictionaries(TEXT, NUMBERS, max_size=3),
    "tuple[tuple[float, float], ...]": LEVELS,
    "dict[str, Any]": st.dictionaries(TEXT, NUMBERS | st.dictionaries(TEXT, NUMBERS | TEXT, max_size=2), max_size=3),
    "tuple[tuple[str, str, float, float, float], ...]": st.lists(
        st.tuples(TEXT, TEXT, NUMBERS, NUMBERS, NUMBERS), max_size=3
    ).map(tuple),
}  # fmt: skip


def made_of(kind: type) -> st.SearchStrategy[Any]:
    """Any value of a kind of event."""
    hints = {name: getattr(hint, "__forward_arg__", hint) for name, hint in kind.__annotations__.items()}
    return st.builds(kind, **{name: FIELDS[hint] for name, hint in hints.items()})


def shown(value: Any) -> str:
    """What a value is, to the last bit and with its types; two NaN show the same."""
    return repr(value)


def test_every_event_and_action_is_known() -> None:
    names = {kind.__name__ for kind in KINDS}
    assert names | {"Event", "from_plain", "to_plain"} == set(ev.__all__)
    assert len(names) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_round_trip_through_json(kind: type) -> None:
    @settings(max_examples=60)
    @given(made_of(kind))
    def same(event: Any) -> None:
        plain = ev.to_plain(event)
        assert plain[0] == kind.__name__
        assert shown(ev.from_plain(plain)) == shown(event)
        assert shown(ev.from_plain(json.loads(json.dumps(plain)))) == shown(event)

    same()


def test_a_fill_worked_by_hand() -> None:
    fill = ev.Filled(5, "wb1", "BTC/USDT", "buy", 0.5, 100.0, 0.05, False, 99.9, "entry", 3)
    assert ev.to_plain(fill) == [
        "Filled", 5, "wb1", "BTC/USDT", "buy", 0.5, 100.0, 0.05, False, 99.9, "entry", 3, "net", True, "", 0.0,
    ]  # fmt: skip
    assert ev.from_plain(ev.to_plain(fill)[:12]) == fill  # an older journal without the fields that have defaults


def test_an_order_read_back_is_another_order() -> None:
    order = Order(id="wb1", symbol="BTC/USDT", side="buy", quantity=2.0, extra={"a": 1.0})
    read = ev.from_plain(ev.to_plain(ev.Submit(order))).order
    read.filled, read.extra["a"] = 1.0, 2.0
    assert (order.filled, order.extra) == (0.0, {"a": 1.0})


@pytest.mark.parametrize("values", [[], ["Nothing", 1], [3], ["Order", 1], ["to_plain"]])
def test_an_unknown_kind_is_named(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r"is no event; the kinds are Accepted, Adjusted, Alert"):
        ev.from_plain(values)


@pytest.mark.parametrize(
    "values",
    [["Timer", 1], ["Timer", 1, "a", "b"], ["Book", "X", 1, []], ["Book", "X", 1, 5, []], ["Submit"],
     ["Submit", {"id": "a"}], ["Submit", {"id": "a", "symbol": "X", "side": "buy", "colour": 1}], ["Submit", 5]],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_shown(values: list[Any]) -> None:
    with pytest.raises(DataError, match=f"{values[0]} cannot be made of "):
        ev.from_plain(values)
