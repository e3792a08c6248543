"""Whole backtests as plain data: a generator with every feature of the contract, and the way from a case to a run.

A case is a dict of numbers, strings and lists: printed, it can be pasted into a test. Prices lie on a coarse grid and
distances are round, so that opens, extremes, stops and targets meet exactly more often than any market would let them.
`tests/backtest/parity.py` compares two runs of a case and says where they part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import hypothesis.strategies as st
import numpy as np
import pandas as pd

import workbench as wb

__all__ = ["HOUR", "START", "arguments", "bars_of", "cases", "run", "signals_of", "simplest"]

Case = dict[str, Any]

HOUR: Final = 3_600_000
START: Final = 1_704_067_200_000  # 2024-01-01
WORDS: Final = ("entry", "exit", "short_entry", "short_exit")  # bits 1, 2, 4 and 8 of a case's word
_COLUMNS: Final = ("open", "high", "low", "close", "volume")

# What the bytes of a tape mean. Zero is the calmest, so that a shrunk tape is a quiet market.
_GAPS: Final = (0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 1, -1, 2, -2, 9, -9)
_BODIES: Final = (0, 0, 0, 1, -1, 1, -1, 2, -2, 2, -2, 3, -3, 5, -5, 12)
_WICKS: Final = (0, 0, 1, 1, 2, 2, 3, 6)
_VOLUMES: Final = (1_000.0, 100.0, 0.0, 35.0)
_TALK: Final = (1, 2, 4, 8, 1, 2, 4, 8, 1, 4, 6, 9, 3, 12, 5, 15)
_NONE: Final = (None, None, None)
_TIERS: Final = [[0.0, 0.01, 0.0, 20.0], [6_000.0, 0.025, 90.0, 10.0], [25_000.0, 0.05, 715.0, 5.0]]
_STEEP: Final = [[0.0, 0.02, 0.0, 10.0], [12_000.0, 0.1, 960.0, 3.0]]


@st.composite
def cases(draw: st.DrawFn, *, most: int = 4, length: int = 40) -> Case:
    """Give any backtest: up to `most` instruments that share the cash, up to `length` strategy bars each."""
    count = draw(st.sampled_from([k for k in (1, 1, 1, 2, 3, 4) if k <= most]))
    n = draw(st.integers(1, length) | st.sampled_from([min(12, length), min(25, length), length]))
    subs = draw(st.sampled_from([0, 0, 0, 2, 4]))
    leverage = draw(st.sampled_from([1.0, 1.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0]))
    even = draw(st.sampled_from([True, True, False] if count > 1 else [False]))
    lines = {"subs": subs, "leverage": leverage, "exits": draw(_exits()), "even": even}
    case: Case = {
        "cash": draw(st.sampled_from([10_000.0, 10_000.0, 1_000.0])),
        "fill": draw(st.sampled_from(["next_open", "next_open", "close"])),
        "subs": subs,
        "costs": draw(_costs()),
        "rules": {
            "intrabar": draw(st.sampled_from(["pessimistic", "path"])),
            "margin": draw(st.sampled_from(["cross", "isolated"])),
            "max_positions": draw(st.sampled_from([None, None, 1, 2])) if count > 1 else None,
        },
        "protections": draw(_protections()),
        "roi": draw(st.sampled_from(_LADDERS)),
        "max_bars": draw(st.sampled_from([None, None, None, 1, 2, 3, 6])),
        "size_unit": draw(st.sampled_from(["fraction", "fraction", "fraction", "cash", "quantity", "risk"])),
    }
    case["instruments"] = [draw(_instrument(number, n, lines, case["size_unit"])) for number in range(count)]
    return case


_LADDERS: Final = (
    None, None, None, [[0, 0.05]], [[0, 0.1], [60, 0.03]], [[30, 0.04], [120, 0.01]], [[120, 0.02]],
    [[0, 0.08], [90, 0.04], [180, 0.0], [300, -0.03]],
)  # fmt: skip


@st.composite
def _costs(draw: st.DrawFn) -> dict[str, Any]:
    fee = draw(st.sampled_from([0.0, 0.0, 0.001, 0.0093]))
    impact = draw(st.sampled_from(["none", "none", "none", "volume_share", "square_root"]))
    return {
        "fee": fee,
        "maker_fee": draw(st.sampled_from([0.0, 0.0002, -0.0001])) if fee else 0.0,
        "slippage_bps": draw(st.sampled_from([0.0, 0.0, 5.0, 100.0])),
        "per_unit": draw(st.sampled_from([0.0, 0.0, 0.0, 0.01])),
        "per_order": draw(st.sampled_from([0.0, 0.0, 0.0, 1.5])),
        "impact": impact,
        "impact_coefficient": draw(st.sampled_from([0.1, 0.5])) if impact != "none" else None,
        "volume_share": draw(st.sampled_from([math.inf, math.inf, 0.1, 0.5, 1.0])),
        "liquidation_fee": draw(st.sampled_from([0.0, 0.005])),
    }


@st.composite
def _protections(draw: st.DrawFn) -> list[dict[str, Any]]:
    known = st.sampled_from(["Cooldown", "StopGuard", "DrawdownPause", "LowProfit", "LosingPairs"])
    kinds = draw(st.lists(known, max_size=2, unique=True))
    span = st.sampled_from([1, 2, 5, 20])
    found = []
    for kind in kinds:
        if kind == "Cooldown":
            facts = {"bars": draw(st.sampled_from([1, 2, 4]))}
        elif kind == "StopGuard":
            facts = {"limit": draw(st.integers(1, 2)), "lookback": draw(span), "pause": draw(span),
                     "only_this": draw(st.booleans())}  # fmt: skip
        elif kind == "DrawdownPause":
            facts = {"limit": draw(st.sampled_from([0.0117, 0.0513])), "lookback": draw(span), "pause": draw(span),
                     "min_trips": draw(st.integers(1, 2))}  # fmt: skip
        elif kind == "LowProfit":
            facts = {"required": draw(st.sampled_from([-0.0003, 0.0213])), "lookback": draw(span), "pause": draw(span),
                     "min_trips": draw(st.integers(1, 2))}  # fmt: skip
        else:
            facts = {"losses": draw(st.integers(1, 3)), "roi": draw(st.sampled_from([-0.1033, -0.0107])),
                     "min_trips": draw(st.integers(1, 3)), "review": draw(st.sampled_from([None, 2, 6]))}  # fmt: skip
        found.append({"kind": kind, **facts})
    return found


@st.composite
def _exits(draw: st.DrawFn) -> dict[str, Any]:
    """Say which exits there are and how: None, a number for all bars, or "per bar"."""
    near = st.sampled_from([*_NONE, 0.01, 0.02, 0.05, 0.1, "per bar"])
    found = {name: draw(near) for name in ("stop_loss", "take_profit", "trailing_stop")}
    found["trailing_activation"] = (
        draw(st.sampled_from([None, 0.01, 0.02, 0.05, "per bar"])) if found["trailing_stop"] else None
    )
    found["stop_price"] = draw(st.sampled_from([*_NONE, "per bar"]))
    found["size"] = draw(st.sampled_from([0, 1, 2, "per bar"]))
    return found


_SIZES: Final[dict[str, Sequence[float]]] = {
    "fraction": (1.0, 0.5, 0.3), "cash": (3_000.0, 500.0, 1e6), "quantity": (10.0, 1.0, 1_000.0),
    "risk": (0.02, 0.005, 0.5),
}  # fmt: skip
_DISTANCES: Final = (None, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.02)


@st.composite
def _instrument(draw: st.DrawFn, number: int, n: int, lines: dict[str, Any], unit: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["linear", "linear", "spot"]))
    name, subs, exits = "ABCD"[number], lines["subs"], lines["exits"]
    tiers = draw(st.sampled_from([[], [], _TIERS, _STEEP]))
    top = tiers[0][3] if tiers else 125.0
    tape = draw(st.binary(min_size=n * (4 + 3 * subs), max_size=n * (4 + 3 * subs)))
    market = _market(tape, n, subs, {
        "talk": draw(st.sampled_from([2, 4, 8, 15])),
        "missing": draw(st.sampled_from([0, 0, 1, 5])),
        "late": draw(st.integers(0, n - 1)) if number and draw(st.booleans()) else 0,
        "unit": draw(st.sampled_from([1.0, 1.0, 1.0, 0.1, 37.5])),
        "volume": draw(st.sampled_from([1.0, 1.0, 1.0, 0.03, 0.0])),
        "even": lines["even"],
        "wild": draw(st.sampled_from([1, 1, 1, 3])),
        "drift": draw(st.sampled_from([0, 0, 0, 0, 5, -2])),
    })  # fmt: skip
    found = {
        "symbol": f"{name}/USDT:USDT" if kind == "linear" else f"{name}/USDT",
        "kind": kind,
        "tick_size": round(draw(st.sampled_from([0.0, 0.0, 1.0, 0.5, 0.1])) * market.pop("unit"), 9),
        "lot_size": draw(st.sampled_from([0.0, 0.0, 1.0, 0.1, 0.001])),
        "min_notional": draw(st.sampled_from([0.0, 0.0, 0.0, 50.0, 2_000.0])),
        "leverage": min(draw(st.sampled_from([lines["leverage"]] * 3 + [1.0])), top),
        "leverage_tiers": tiers,
        # no rate that is one of the leverages turned over: whether all is lost at once would hang on the last bit
        "maintenance_margin": draw(st.sampled_from([0.005, 0.02, 0.049])),
        **market,
    }
    rows, variants = found["bars"], found.pop("variants")
    for one in ("stop_loss", "take_profit", "trailing_stop", "trailing_activation"):
        turn = _COLUMNS.index("open") + len(one)
        found[one] = [_DISTANCES[(v + turn) % 8] for v in variants] if exits[one] == "per bar" else exits[one]
    step = rows[0][1] / 50
    found["stop_price"] = exits["stop_price"] and [
        None if v % 3 == 0 else round(max(row[4] + (v % 5 - 2) * step, step), 6)
        for row, v in zip(rows, variants, strict=True)
    ]
    sizes = _SIZES[unit]
    found["size"] = [sizes[v % 3] for v in variants] if exits["size"] == "per bar" else sizes[exits["size"]]
    found["funding"] = _funding(draw, n) if kind == "linear" else []
    return found


def _funding(draw: st.DrawFn, n: int) -> list[list[float]]:
    every = draw(st.sampled_from([0, 0, 1, 3, 8]))
    if not every:
        return []
    rate, late = draw(st.sampled_from([0.001, -0.002, 0.03])), draw(st.sampled_from([0, 0, 20, 30]))
    return [[START + slot * HOUR + late * 60_000, rate * (1 if slot % 2 else -0.5)] for slot in range(0, n, every)]


def _market(tape: bytes, n: int, subs: int, facts: dict[str, Any]) -> dict[str, Any]:
    """Read a tape: bars (slot, open, high, low, close, volume), what is said on them, and bars that are finer."""
    rows, fine, words, variants, price = [], [], "", [], 100
    width = 4 + 3 * subs
    for slot in range(n):
        now = tape[slot * width : (slot + 1) * width]
        split = bool(subs) and (facts["even"] or now[3] % 4 != 1)
        parts = [now[4 + 3 * k : 7 + 3 * k] for k in range(subs)] if split else [now[:2] + now[3:4]]
        traded = []
        for part in parts:
            row, price = _move(part, price, facts)
            traded.append(row)
        if slot < facts["late"] or (facts["missing"] and now[3] // 4 < facts["missing"] * 2 and len(rows)):
            continue
        rows.append([slot, traded[0][0], max(r[1] for r in traded), min(r[2] for r in traded), traded[-1][3],
                     sum(r[4] for r in traded)])  # fmt: skip
        gone = (
            split and not facts["even"] and now[3] % 16 == 3
        )  # a finer bar is missing: this strategy bar has no detail
        fine += [[slot * subs + k, *row] for k, row in enumerate(traded) if split and not (gone and k == 1)]
        words += f"{_TALK[now[2] // 16] if now[2] % 16 < facts['talk'] else 0:x}"
        variants.append(now[2] % 16 + now[3] // 16)
    return {"bars": rows, "detail": fine, "words": words, "variants": variants, "unit": facts["unit"]}


def _move(part: bytes, price: int, facts: dict[str, Any]) -> tuple[list[float], int]:
    opened = max(price + _GAPS[part[0] // 16], 8)
    close = max(opened + _BODIES[part[0] % 16] * facts["wild"] + facts["drift"], 8)
    high, low = max(opened, close) + _WICKS[part[1] % 8], max(min(opened, close) - _WICKS[part[1] // 8 % 8], 4)
    prices = [round(one * facts["unit"], 6) for one in (opened, high, low, close)]
    return [*prices, _VOLUMES[part[1] // 64] * facts["volume"]], close


def simplest(rows: Sequence[Sequence[float]], words: str, **changes: Any) -> Case:
    """Write a case by hand: rows of (open, high, low, close) or (open, high, low, close, volume) and words.

    `changes` go where they belong: into the case, its costs, its rules or its only instrument.
    """
    bars = [[slot, *row, *([1_000.0] if len(row) == 4 else [])] for slot, row in enumerate(rows)]
    one = {
        "symbol": "A/USDT:USDT", "kind": "linear", "tick_size": 0.0, "lot_size": 0.0, "min_notional": 0.0,
        "leverage_tiers": [], "maintenance_margin": 0.005, "leverage": 1.0, "bars": bars, "detail": [],
        "words": words, "stop_loss": None, "take_profit": None, "trailing_stop": None, "trailing_activation": None,
        "stop_price": None, "size": 1.0, "funding": [],
    }  # fmt: skip
    case: Case = {
        "cash": 10_000.0, "fill": "next_open", "subs": 0, "protections": [], "roi": None,
        "max_bars": None, "size_unit": "fraction", "instruments": [one],
        "costs": {"fee": 0.0, "maker_fee": 0.0, "slippage_bps": 0.0, "per_unit": 0.0, "per_order": 0.0,
                  "impact": "none", "impact_coefficient": None, "volume_share": math.inf, "liquidation_fee": 0.0},
        "rules": {"intrabar": "pessimistic", "margin": "cross", "max_positions": None},
    }  # fmt: skip
    for name, value in changes.items():
        home = next(room for room in (case, case["costs"], case["rules"], one) if name in room)
        home[name] = value
    return case


def bars_of(one: dict[str, Any], *, minutes: int = 60, rows: str = "bars") -> wb.Bars:
    """Make the bars of one instrument of a case: its strategy bars, or with `rows="detail"` the finer ones."""
    table = np.asarray(one[rows], dtype=np.float64).reshape(-1, 6)
    tiers = tuple(tuple(tier) for tier in one["leverage_tiers"])
    instrument = wb.Instrument(
        symbol=one["symbol"], venue="paper", kind=one["kind"], quote="USDT", tick_size=one["tick_size"],
        lot_size=one["lot_size"], min_notional=one["min_notional"], maker_fee=0.0, taker_fee=0.0, spread_bps=0.0,
        leverage_tiers=tiers, maintenance_margin=one["maintenance_margin"], funding_rate=0.0,
        max_leverage=tiers[0][3] if tiers else 125.0,
    )  # fmt: skip
    return wb.Bars(
        instrument=instrument,
        timeframe=wb.Timeframe.parse("1h" if minutes == 60 else f"{minutes}m"),
        ts=START + (table[:, 0] * minutes).astype(np.int64) * 60_000,
        **{name: table[:, 1 + k].copy() for k, name in enumerate(_COLUMNS)},
    )


def _number(value: Any) -> Any:
    """Write None as NaN inside a list; leave the rest."""
    return [math.nan if one is None else one for one in value] if isinstance(value, list) else value


def signals_of(case: Case, one: dict[str, Any]) -> wb.Signals:
    """Make what is said about one instrument of a case."""
    masks = np.array([int(digit, 16) for digit in one["words"]], dtype=np.int64)
    exits = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")
    return wb.Signals(
        **{name: (masks >> bit & 1).astype(bool) for bit, name in enumerate(WORDS)},
        **{name: _number(one[name]) for name in exits},
        size=one["size"],
        size_unit=case["size_unit"],
        roi=None if case["roi"] is None else dict(case["roi"]),
        max_bars=case["max_bars"],
    )


def arguments(case: Case) -> dict[str, Any]:
    """Give what `wb.backtest` is called with to run a case."""
    detail = None
    if case["subs"] and any(one["detail"] for one in case["instruments"]):
        minutes = 60 // case["subs"]
        detail = [bars_of(one, minutes=minutes, rows="detail") for one in case["instruments"] if one["detail"]]
    funding = {
        one["symbol"]: pd.Series(
            [rate for _, rate in one["funding"]],
            index=pd.to_datetime([int(ts) for ts, _ in one["funding"]], unit="ms", utc=True),
        )
        for one in case["instruments"]
        if one["funding"]
    }
    protections = [
        getattr(wb, guard["kind"])(**{name: value for name, value in guard.items() if name != "kind"})
        for guard in case["protections"]
    ]
    return {
        "strategy": {one["symbol"]: signals_of(case, one) for one in case["instruments"]},
        "bars": [bars_of(one) for one in case["instruments"]],
        "cash": case["cash"],
        "costs": wb.Costs(**case["costs"]),
        "fill": case["fill"],
        "leverage": {one["symbol"]: one["leverage"] for one in case["instruments"]},
        "detail": detail,
        "rules": wb.Rules(**case["rules"], funding=funding or None, protections=protections),
    }


def run(case: Case, path: str) -> wb.Result:
    """Run a case through the front door, on the path that is named."""
    return wb.backtest(**arguments(case), path=path, max_missing=1.0)
