"""Whether an answer is what it seems: each row of a page against the rules of its kind, before anything is stored.

A page of HTML with status 200 reaches us as candles of None; half a list parses; a venue may give a price of zero. A
`Garbled` answer is asked again. Where a few rows among many stay unsound, the sound ones are taken.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from workbench.market.sources.asking import Garbled
from workbench.market.timeframe import Timeframe

__all__ = ["said_nothing", "sound_candles", "sound_funding", "sound_trades"]

_EMPTY: Final = re.compile(r"\[\s*\]|\{\s*\}|null")

Rows = list[tuple[Any, ...]]


def sound_candles(answer: Any, frame: Timeframe) -> Rows:
    """Give candles as (ts, open, high, low, close, volume), by rising time, each once.

    Raises
    ------
    Garbled
        The answer is no list of candles, or one of them is none.
    """
    return _sound(answer, lambda row: _candle(row, frame), "candle", once=True)


def sound_trades(answer: Any) -> Rows:
    """Give trades as (ts, id, price, quantity, side), by time; +1 where a buyer took, -1 where a seller did, else 0."""
    rows = _sound(answer, _trade, "trade", once=False)
    seen: dict[str, tuple[Any, ...]] = {}
    same = 0
    for place, row in enumerate(rows):
        same = same + 1 if place and rows[place - 1][0] == row[0] else 0
        named = row if row[1] else (row[0], f"{row[0]}-{same}", *row[2:])  # a name that the same answer gives again
        seen.setdefault(named[1], named)
    return list(seen.values())


def sound_funding(answer: Any) -> Rows:
    """Give funding rates as (ts, rate), by rising time, each once."""
    return _sound(answer, _rate, "funding rate", once=True)


def said_nothing(answer: Any, body: Any) -> Any:
    """Give an empty answer back where the venue's own words have an empty list in them.

    Parameters
    ----------
    answer : object
        What ccxt made of the body; a page of HTML, half a list and nothing at all become an empty list there.
    body : str or None
        None where it is not known.

    Raises
    ------
    Garbled
        The body is no JSON, or JSON in which nothing is empty.
    """
    if not isinstance(body, str):
        return answer
    try:
        json.loads(body)
    except ValueError as error:
        raise Garbled(f"the answer is no JSON: {_shown(body)}") from error
    if _EMPTY.search(body) is None:
        raise Garbled(f"no rows in {_shown(body)}", answer)
    return answer


def _sound(answer: Any, read: Callable[[Any], tuple[Any, ...] | str], noun: str, *, once: bool) -> Rows:
    if not isinstance(answer, (list, tuple)):
        raise Garbled(f"the answer is no list of {noun}s but a {type(answer).__name__}")
    read_rows = [read(row) for row in answer]
    wrong = [row for row in read_rows if isinstance(row, str)]
    rows = sorted((row for row in read_rows if not isinstance(row, str)), key=lambda row: row[0])
    if once:
        rows, twice = _each_once(rows)
        wrong += [f"two {noun}s at {ts} differ" for ts in twice]
    if wrong:
        most = rows if len(rows) > 9 * len(wrong) else None
        raise Garbled(f"{len(wrong)} of {len(answer)} rows are no {noun}s: {wrong[0]}", most)
    return rows


def _each_once(rows: Sequence[tuple[Any, ...]]) -> tuple[Rows, list[int]]:
    kept: dict[int, tuple[Any, ...]] = {}
    twice = []
    for row in rows:
        if kept.setdefault(row[0], row) != row:
            twice.append(row[0])
    return [row for ts, row in kept.items() if ts not in twice], twice


def _candle(row: Any, frame: Timeframe) -> tuple[Any, ...] | str:
    if not isinstance(row, (list, tuple)) or len(row) < 6 or not all(_is_number(value) for value in row[:6]):
        return f"{_shown(row)} is not a time and five numbers"
    ts, opened, high, low, close, volume = int(row[0]), *(float(value) for value in row[1:6])
    if not frame.on_grid(np.array([ts]))[0]:
        return f"{_shown(row)} does not open on the {frame} grid"
    if not (0 < low <= min(opened, close) and high >= max(opened, close) and volume >= 0):
        return f"{_shown(row)} has a price or volume that cannot be"
    return ts, opened, high, low, close, volume


def _trade(row: Any) -> tuple[Any, ...] | str:
    if not isinstance(row, dict):
        return f"{_shown(row)} is no trade"
    ts: Any = row.get("timestamp")
    price: Any = row.get("price")
    quantity: Any = row.get("amount")
    if not (_is_number(ts) and _is_number(price) and _is_number(quantity)) or min(ts, price, quantity) <= 0:
        return f"a trade with time {ts!r}, price {price!r} and quantity {quantity!r}"
    side = {"buy": 1, "sell": -1}.get(str(row.get("side")), 0)
    return int(ts), str(row.get("id") or ""), float(price), float(quantity), side


def _rate(row: Any) -> tuple[Any, ...] | str:
    if not isinstance(row, dict):
        return f"{_shown(row)} is no funding rate"
    ts: Any = row.get("timestamp")
    rate: Any = row.get("fundingRate")
    if not (_is_number(ts) and _is_number(rate)) or abs(rate) >= 1:
        return f"a funding rate with time {ts!r} and rate {rate!r}"
    return int(ts), float(rate)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _shown(row: Any) -> str:
    text = repr(row)
    return text if len(text) <= 80 else f"{text[:80]}\N{HORIZONTAL ELLIPSIS}"
