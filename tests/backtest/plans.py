"""Plans made by hand, without the front door: a few bars, words as one hex digit a bar, and what the account is like.

A digit is the sum of 1 entry, 2 exit, 4 short_entry, 8 short_exit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import workbench as wb
from workbench.backtest.plan import ExitTerms, Guards, Line, Plan
from workbench.backtest.records import SKIP_REASONS, Records
from workbench.trading.orders import REASONS
from workbench.trading.terms import AccountTerms, CostTerms, Lots

HOUR = 3_600_000
CALM = (100.0, 101.0, 99.0, 100.0)
FLAT_RATE = ((0.0, 0.005, 0.0, 125.0),)
WORDS = ("entry", "exit", "short_entry", "short_exit")

Rows = Sequence[Sequence[float]]


def bars_of(rows: Rows, *, symbol: str = "A/USDT", hours: Sequence[int] | None = None, minutes: int = 60) -> wb.Bars:
    """Make bars of rows of (open, high, low, close) or (open, high, low, close, volume), one after another."""
    table = np.array([(*row, 1_000.0)[:5] for row in rows], dtype=np.float64)
    slots = np.arange(len(rows)) if hours is None else np.asarray(hours)
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, venue="paper", kind="spot", quote="USDT"),
        timeframe=wb.Timeframe.parse("1h" if minutes == 60 else f"{minutes}m"),
        ts=slots * minutes * 60_000,
        **{name: table[:, k].copy() for k, name in enumerate(("open", "high", "low", "close", "volume"))},
    )


def signals_of(words: str, **said: Any) -> wb.Signals:
    """Make signals of one hex digit a bar; the rest is as in `wb.Signals`."""
    masks = np.array([int(digit, 16) for digit in words])
    return wb.Signals(**{name: (masks >> bit & 1).astype(bool) for bit, name in enumerate(WORDS)}, **said)


def line(
    rows: Rows, words: str, *, symbol: str = "A/USDT", hours: Sequence[int] | None = None, leverage: float = 1.0,
    tiers: Sequence[Sequence[float]] | None = None, funding: Sequence[tuple[float, float]] = (),
    costs: CostTerms | None = None, lots: Lots | None = None, detail: Rows = (), **said: Any,
) -> Line:  # fmt: skip
    """Make an instrument: its bars and words, and in `detail` four finer bars for each of them.

    With tiers or leverage it is held on margin. `funding` is (hour, rate).
    """
    bars = bars_of(rows, symbol=symbol, hours=hours)
    base = bars_of(detail, symbol=symbol, minutes=15) if detail else bars
    signals = signals_of(words, **said)
    margined = tiers is not None or leverage != 1.0
    return Line(
        bars=bars, ts=base.ts, open=base.open, high=base.high, low=base.low, close=base.close, volume=base.volume,
        span=np.array([base.timeframe.ms]),
        word=np.where(np.arange(len(base)) % 4 == 3, np.arange(len(base)) // 4, -1) if detail else None,
        signals=signals, stop_price=signals.stop_price,
        funding_ts=np.array([int(hour * HOUR) for hour, _ in funding], dtype=np.int64),
        funding_rate=np.array([rate for _, rate in funding], dtype=np.float64),
        funding_mark=np.full(len(funding), math.nan),
        tiers=np.array((FLAT_RATE if tiers is None else tiers) if margined else (), dtype=np.float64).reshape(-1, 4),
        margined=margined, inverse=False, contract_size=1.0, lots=lots or Lots(), costs=costs or CostTerms(),
        leverage=leverage, sigma=np.array([math.nan]),
    )  # fmt: skip


def guards(**rows: Any) -> Guards:
    """Make protections: `cooldown` bars, and rows of four for `stops`, `drawdowns`, `profits` and `losing`."""
    cooldown = rows.pop("cooldown", 0)
    tables = {name: np.empty((0, 4)) for name in ("stops", "drawdowns", "profits", "losing")}
    given = {name: np.array(values, dtype=np.float64).reshape(-1, 4) for name, values in rows.items()}
    return Guards(cooldown=cooldown, **{**tables, **given})


def plan(*lines: Line, roi: Sequence[tuple[int, float]] = (), max_bars: int = 0, **options: Any) -> Plan:
    """Make a plan of these instruments: `roi` is (minutes, fraction), the rest are fields of `Plan`.

    `isolated=True` is the account's.
    """
    account = AccountTerms(isolated=options.pop("isolated", False), leverage=max(one.leverage for one in lines))
    exits = ExitTerms(
        roi_ms=np.array([minutes * 60_000 for minutes, _ in roi], dtype=np.int64),
        roi_level=np.array([level for _, level in roi], dtype=np.float64),
        max_bars=max_bars,
    )
    made = Plan(
        strategy=None, lines=lines, extra=(), ticks=(), cash=10_000.0, account=account, at_close=False,
        path_inside=False, limit_fill="touch", latency_ms=0, max_positions=0, exits=exits, guards=guards(),
    )  # fmt: skip
    return replace(made, **options)


def fills_of(records: Records) -> list[tuple[float, float, float, str]]:
    """Tell the fills: hour, signed quantity, price, reason."""
    return [(row[0] / HOUR, row[2] * row[3], row[5], REASONS[int(row[8])]) for row in records.fills.tolist()]


def skips_of(records: Records) -> list[tuple[float, str]]:
    """Tell the entries that could not be had: hour of the deciding bar, why."""
    return [(row[0] / HOUR, SKIP_REASONS[int(row[4])]) for row in records.skipped.tolist()]
