"""Binance's futures endpoints about an account: money, positions, leverage, margin and position modes, income."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.practice.engine_records import PositionRecord, Refused
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_orders import span
from workbench.practice.wire.binance_usdm_orders import leg_of
from workbench.practice.wire.binance_words import Params, exact, money

__all__ = [
    "account_config",
    "account_info",
    "balances",
    "get_margin_mode",
    "get_position_mode",
    "income",
    "position_risk",
    "position_row",
    "set_leverage",
    "set_margin_type",
    "set_position_mode",
    "symbol_config",
]

_INCOME: Final = {
    "realised": "REALIZED_PNL", "commission": "COMMISSION", "funding": "FUNDING_FEE",
    "liquidation_fee": "INSURANCE_CLEAR", "transfer": "TRANSFER",
}  # fmt: skip
_KINDS: Final = {word: kind for kind, word in _INCOME.items()}


def account_info(venue: Binance, params: Params, account: str) -> Any:
    """Give money and positions."""
    positions = venue.engine.positions(account, flat=True)
    held = venue.engine.balances(account, "linear")
    maintenance = sum(one.maintenance for one in positions)
    initial = sum(_initial(one) for one in positions)
    wallet, profit = sum(one.wallet for one in held), sum(one.unrealised for one in held)
    locked, free = sum(one.locked for one in held), sum(one.free for one in held)
    return {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True, "updateTime": 0,
        "multiAssetsMargin": False, "tradeGroupId": -1, "totalInitialMargin": money(locked),
        "totalMaintMargin": money(maintenance), "totalWalletBalance": money(wallet),
        "totalUnrealizedProfit": money(profit), "totalMarginBalance": money(wallet + profit),
        "totalPositionInitialMargin": money(initial), "totalOpenOrderInitialMargin": money(max(locked - initial, 0.0)),
        "totalCrossWalletBalance": money(wallet), "totalCrossUnPnl": money(profit), "availableBalance": money(free),
        "maxWithdrawAmount": money(free), "assets": _assets(venue, account, positions),
        "positions": [position_row(venue, one) for one in positions],
    }  # fmt: skip


def _assets(venue: Binance, account: str, positions: list[PositionRecord]) -> list[dict[str, Any]]:
    rows = []
    for one in venue.engine.balances(account, "linear"):
        mine = [p for p in positions if venue.by_symbol[p.symbol].instrument.settle == one.asset]
        initial = sum(_initial(p) for p in mine)
        rows.append(
            {
                "asset": one.asset, "walletBalance": money(one.wallet), "unrealizedProfit": money(one.unrealised),
                "marginBalance": money(one.wallet + one.unrealised),
                "maintMargin": money(sum(p.maintenance for p in mine)), "initialMargin": money(one.locked),
                "positionInitialMargin": money(initial),
                "openOrderInitialMargin": money(max(one.locked - initial, 0.0)),
                "crossWalletBalance": money(one.wallet), "crossUnPnl": money(one.unrealised),
                "availableBalance": money(one.free), "maxWithdrawAmount": money(one.free), "marginAvailable": True,
                "updateTime": venue.now(),
            }
        )  # fmt: skip
    return rows


def balances(venue: Binance, params: Params, account: str) -> Any:
    """Give money by asset."""
    return [
        {
            "accountAlias": "practice", "asset": one.asset, "balance": money(one.wallet),
            "crossWalletBalance": money(one.wallet), "crossUnPnl": money(one.unrealised),
            "availableBalance": money(one.free), "maxWithdrawAmount": money(one.free), "marginAvailable": True,
            "updateTime": venue.now(),
        }
        for one in venue.engine.balances(account, "linear")
    ]  # fmt: skip


def position_risk(venue: Binance, params: Params, account: str) -> Any:
    """Give positions that are open."""
    symbol = venue.pair(params).symbol if params.has("symbol") else ""
    return [position_row(venue, one) for one in venue.engine.positions(account, symbol)]


def _initial(one: PositionRecord) -> float:
    return abs(one.notional) / one.leverage if one.leverage else 0.0


def position_row(venue: Binance, one: PositionRecord) -> dict[str, Any]:
    """Write a position."""
    pair = venue.by_symbol[one.symbol]
    initial = money(_initial(one))
    isolated = money(one.margin + one.unrealised) if one.isolated else "0.00000000"
    return {
        "symbol": pair.id, "positionSide": leg_of(one.leg), "positionAmt": pair.quantity(one.quantity),
        "entryPrice": _price(one.entry_price), "breakEvenPrice": _price(one.break_even_price),
        "markPrice": money(one.mark_price), "unRealizedProfit": money(one.unrealised),
        "unrealizedProfit": money(one.unrealised), "liquidationPrice": _price(one.liquidation_price),
        "isolatedMargin": isolated, "notional": money(math.copysign(abs(one.notional), one.quantity)),
        "marginAsset": pair.instrument.settle, "isolatedWallet": money(one.margin) if one.isolated else "0",
        "initialMargin": initial, "maintMargin": money(one.maintenance), "positionInitialMargin": initial,
        "openOrderInitialMargin": "0", "adl": 1, "bidNotional": "0", "askNotional": "0",
        "updateTime": one.updated, "leverage": f"{one.leverage:g}", "isolated": one.isolated,
        "marginType": "isolated" if one.isolated else "cross", "isAutoAddMargin": "false",
        "maxNotionalValue": money(_largest(venue, one.symbol, one.leverage)),
    }  # fmt: skip


def _price(value: float) -> str:
    return exact(round(value, 8), 1) if math.isfinite(value) else "0"


def _largest(venue: Binance, symbol: str, leverage: float) -> float:
    """Give the largest notional that may be had at a leverage."""
    tiers = venue.by_symbol[symbol].instrument.leverage_tiers
    return next((tier[0] for tier in tiers if tier[3] < leverage), 1e9)


def set_leverage(venue: Binance, params: Params, account: str) -> Any:
    """Set the leverage of a symbol."""
    pair, leverage = venue.pair(params), params.integer("leverage")
    if not 1 <= leverage <= pair.instrument.max_leverage:
        raise BinanceError(-4028, f"Leverage {leverage} is not valid")
    largest = venue.engine.set_leverage(account, pair.symbol, float(leverage))
    shown = exact(min(largest, 1e12), 0) if math.isfinite(largest) else "1000000000000"
    return {"leverage": leverage, "maxNotionalValue": shown, "symbol": pair.id}


def set_margin_type(venue: Binance, params: Params, account: str) -> Any:
    """Set whether the positions of a symbol have a margin of their own."""
    pair = venue.pair(params)
    isolated = params.one_of("marginType", ("ISOLATED", "CROSSED")) == "ISOLATED"
    venue.engine.set_margin_mode(account, pair.symbol, isolated=isolated)
    return {"code": 200, "msg": "success"}


def get_position_mode(venue: Binance, params: Params, account: str) -> Any:
    """Tell whether positions are in hedge mode."""
    return {"dualSidePosition": venue.engine.is_hedged(account)}


def set_position_mode(venue: Binance, params: Params, account: str) -> Any:
    """Set hedge mode or one-way mode."""
    params.text("dualSidePosition")
    words = {
        "no_change": (-4059, "No need to change position side."),
        "orders_open": (-4067, "Position side cannot be changed if there exists open orders."),
        "position_open": (-4068, "Position side cannot be changed if there exists position."),
    }
    try:
        venue.engine.set_position_mode(account, hedge=params.truth("dualSidePosition"))
    except Refused as error:
        if error.code in words:
            raise BinanceError(*words[error.code]) from error
        raise
    return {"code": 200, "msg": "success"}


def get_margin_mode(venue: Binance, params: Params, account: str) -> Any:
    """Tell whether several assets stand behind positions: no."""
    return {"multiAssetsMargin": False}


def symbol_config(venue: Binance, params: Params, account: str) -> Any:
    """Give margin mode and leverage by symbol."""
    pairs, _ = venue.some_pairs(params)
    rows = []
    for pair in pairs:
        leverage = venue.engine.leverage(account, pair.symbol)
        isolated = venue.engine.is_isolated(account, pair.symbol)
        rows.append(
            {"symbol": pair.id, "marginType": "ISOLATED" if isolated else "CROSSED", "isAutoAddMargin": False,
             "leverage": int(leverage), "maxNotionalValue": money(_largest(venue, pair.symbol, leverage))}
        )  # fmt: skip
    return rows


def account_config(venue: Binance, params: Params, account: str) -> Any:
    """Give how an account is set."""
    return {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True,
        "dualSidePosition": venue.engine.is_hedged(account), "updateTime": 0, "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }  # fmt: skip


def income(venue: Binance, params: Params, account: str) -> Any:
    """Give lines of the account's history."""
    symbol = venue.pair(params).symbol if params.has("symbol") else ""
    word = params.text("incomeType", "")
    if word and word not in _KINDS:
        return []
    part = span(params, 100)
    found = venue.engine.income(account, symbol=symbol, kind=_KINDS.get(word, ""), **part._asdict())
    return [
        {
            "symbol": venue.by_symbol[one.symbol].id if one.symbol in venue.by_symbol else "",
            "incomeType": _INCOME.get(one.kind, one.kind.upper()), "income": money(one.amount), "asset": one.asset,
            "info": str(one.execution_id) if one.execution_id else _INCOME.get(one.kind, ""), "time": one.ts,
            "tranId": one.id, "tradeId": str(one.execution_id) if one.execution_id else "",
        }
        for one in found
    ]  # fmt: skip
