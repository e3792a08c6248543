"""Binance's public endpoints that only perpetuals have: mark prices and funding."""

from __future__ import annotations

from typing import Any

from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_words import Pair, Params, money

__all__ = ["funding_info", "funding_rates", "open_interest", "premium_index"]


def premium_index(venue: Binance, params: Params, account: str) -> Any:
    """Give mark prices, index prices and the funding that comes next."""

    def row(pair: Pair) -> dict[str, Any]:
        engine = venue.engine
        due, rate = engine.next_funding(pair.symbol)
        mark, index = engine.mark(pair.symbol), engine.index(pair.symbol)
        return {
            "symbol": pair.id, "markPrice": money(mark), "indexPrice": money(index),
            "estimatedSettlePrice": money(mark), "lastFundingRate": money(rate),
            "interestRate": money(pair.instrument.funding_rate), "nextFundingTime": due, "time": venue.now(),
        }  # fmt: skip

    pairs, single = venue.some_pairs(params)
    return row(pairs[0]) if single else [row(pair) for pair in pairs]


def funding_rates(venue: Binance, params: Params, account: str) -> Any:
    """Give settlements of funding, oldest first."""
    limit = params.limit(100, 1_000)
    start = params.integer("startTime") if params.has("startTime") else None
    end = params.integer("endTime") if params.has("endTime") else None
    pairs, _ = venue.some_pairs(params)
    rows = [
        {"symbol": pair.id, "fundingTime": ts, "fundingRate": money(rate), "markPrice": money(mark)}
        for pair in pairs
        for ts, rate, mark in venue.engine.funding_rates(pair.symbol, start=start, end=end, limit=limit)
    ]
    rows.sort(key=lambda row: row["fundingTime"])
    return rows[:limit] if start is not None else rows[-limit:]


def funding_info(venue: Binance, params: Params, account: str) -> Any:
    """Give how often funding is settled."""
    return [
        {"symbol": pair.id, "adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000",
         "fundingIntervalHours": int(pair.instrument.funding_interval_h), "disclaimer": False}
        for pair in venue.pairs.values()
    ]  # fmt: skip


def open_interest(venue: Binance, params: Params, account: str) -> Any:
    """Give what is open in a symbol: as much as was traded in a day, for want of anybody else's positions."""
    pair = venue.pair(params)
    volume = venue.engine.ticker(pair.symbol).volume
    return {"symbol": pair.id, "openInterest": pair.quantity(volume), "time": venue.now()}
