"""What Binance says about its symbols: filters, precisions, leverage brackets, fees, coins."""

from __future__ import annotations

from typing import Any, Final

from workbench.practice.engine_filters import filters_of
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_words import Pair, Params, exact

__all__ = [
    "NEVER",
    "brackets",
    "coins",
    "commission_rate",
    "futures_info",
    "nothing",
    "spot_info",
    "trade_fees",
]

NEVER: Final = 4_133_404_800_000  # 2100-12-25: when a perpetual is delivered
_SPOT_TYPES: Final = [
    "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT",
]  # fmt: skip
_FUTURES_TYPES: Final = [
    "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET",
]  # fmt: skip
_STATUS: Final = {"trading": "TRADING", "halt": "BREAK", "delisted": "BREAK", "pending": "PRE_TRADING"}
_FUTURES_STATUS: Final = {"trading": "TRADING", "halt": "CLOSE", "delisted": "SETTLING", "pending": "PENDING_TRADING"}


def spot_info(venue: Binance, params: Params, account: str) -> Any:
    """Give the rules of spot trading."""
    pairs, _ = venue.some_pairs(params)
    limits = venue.limits
    return {
        "timezone": "UTC", "serverTime": venue.now(), "exchangeFilters": [],
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_1m),
            _rate_limit("ORDERS", "SECOND", 10, limits.orders_10s),
            _rate_limit("ORDERS", "DAY", 1, limits.orders_1d),
        ],
        "symbols": [_spot_symbol(venue, pair) for pair in pairs],
    }  # fmt: skip


def futures_info(venue: Binance, params: Params, account: str) -> Any:
    """Give the rules of futures trading."""
    quotes = sorted({pair.instrument.quote for pair in venue.pairs.values()})
    limits = venue.limits
    return {
        "timezone": "UTC", "serverTime": venue.now(), "futuresType": "U_MARGINED", "exchangeFilters": [],
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_1m),
            _rate_limit("ORDERS", "SECOND", 10, limits.orders_10s),
        ],
        "assets": [{"asset": quote, "marginAvailable": True, "autoAssetExchange": "0"} for quote in quotes],
        "symbols": [_futures_symbol(venue, pair) for pair in venue.pairs.values()],
    }  # fmt: skip


def _rate_limit(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _filters(pair: Pair) -> list[dict[str, Any]]:
    rules, (price, quantity) = filters_of(pair.instrument), pair.written
    least, most, lot = (exact(one, quantity) for one in (rules.min_quantity, rules.max_quantity, rules.step))
    return [
        {
            "filterType": "PRICE_FILTER", "minPrice": exact(rules.min_price, price),
            "maxPrice": exact(rules.max_price, price), "tickSize": exact(rules.tick, price),
        },
        {"filterType": "LOT_SIZE", "minQty": least, "maxQty": most, "stepSize": lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": least, "maxQty": most, "stepSize": lot},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_orders, "limit": rules.max_orders},
    ]  # fmt: skip


def _spot_symbol(venue: Binance, pair: Pair) -> dict[str, Any]:
    facts = pair.instrument
    notional = {
        "filterType": "NOTIONAL", "minNotional": exact(facts.min_notional), "applyMinToMarket": True,
        "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5,
    }  # fmt: skip
    rules = filters_of(facts)
    near = {
        "filterType": "PERCENT_PRICE_BY_SIDE", "avgPriceMins": 0,
        **{f"{side}Multiplier{way}": exact(factor, 4) for side in ("bid", "ask")
           for way, factor in (("Up", rules.multiplier_up), ("Down", rules.multiplier_down))},
    }  # fmt: skip
    return {
        "symbol": pair.id, "status": _STATUS[venue.engine.status(pair.symbol)],
        "baseAsset": facts.base, "baseAssetPrecision": 8, "quoteAsset": facts.quote, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": _SPOT_TYPES, "icebergAllowed": True, "ocoAllowed": True, "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": True, "cancelReplaceAllowed": True,
        "amendAllowed": True, "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [*_filters(pair), notional, near], "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE", "allowedSelfTradePreventionModes": ["NONE"],
    }  # fmt: skip


def _futures_symbol(venue: Binance, pair: Pair) -> dict[str, Any]:
    facts = pair.instrument
    market, rules = venue.engine.data.market(pair.symbol), filters_of(pair.instrument)
    return {
        "symbol": pair.id, "pair": pair.id, "contractType": "PERPETUAL", "deliveryDate": NEVER,
        "onboardDate": market.start, "status": _FUTURES_STATUS[venue.engine.status(pair.symbol)],
        "maintMarginPercent": exact(facts.maintenance_margin * 100, 4),
        "requiredMarginPercent": exact(round(100 / facts.max_leverage, 4), 4),
        "baseAsset": facts.base, "quoteAsset": facts.quote, "marginAsset": facts.settle,
        "pricePrecision": pair.price_places, "quantityPrecision": pair.quantity_places,
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN", "underlyingSubType": [],
        "triggerProtect": "0.0500", "liquidationFee": exact(facts.liquidation_fee, 6), "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000, "orderTypes": _FUTURES_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "filters": [
            *_filters(pair),
            {"filterType": "MIN_NOTIONAL", "notional": exact(facts.min_notional, 0)},
            {"filterType": "PERCENT_PRICE", "multiplierUp": exact(rules.multiplier_up, 4),
             "multiplierDown": exact(rules.multiplier_down, 4), "multiplierDecimal": "4"},
        ],
    }  # fmt: skip


def brackets(venue: Binance, params: Params, account: str) -> Any:
    """Give the leverage brackets of symbols."""
    pairs, _ = venue.some_pairs(params)
    return [{"symbol": pair.id, "notionalCoef": 1.0, "brackets": _brackets(pair)} for pair in pairs]


def _brackets(pair: Pair) -> list[dict[str, Any]]:
    facts = pair.instrument
    tiers = facts.leverage_tiers or ((0.0, facts.maintenance_margin, 0.0, facts.max_leverage),)
    caps = [*(tier[0] for tier in tiers[1:]), 1e12]
    return [
        {"bracket": number, "initialLeverage": int(top), "notionalCap": int(cap), "notionalFloor": int(floor),
         "maintMarginRatio": rate, "cum": amount}
        for number, ((floor, rate, amount, top), cap) in enumerate(zip(tiers, caps, strict=True), start=1)
    ]  # fmt: skip


def coins(venue: Binance, params: Params, account: str) -> Any:
    """Give the coins of an account's spot wallet; none of them can be sent anywhere."""
    return [
        {"coin": one.asset, "depositAllEnable": False, "withdrawAllEnable": False, "name": one.asset,
         "free": exact(one.free), "locked": exact(one.locked), "freeze": "0", "withdrawing": "0", "ipoing": "0",
         "ipoable": "0", "storage": "0", "isLegalMoney": False, "trading": True, "networkList": []}
        for one in venue.engine.balances(account, "spot")
    ]  # fmt: skip


def trade_fees(venue: Binance, params: Params, account: str) -> Any:
    """Give the fees of spot symbols."""
    pairs, _ = venue.some_pairs(params)
    return [
        {"symbol": pair.id, "makerCommission": exact(pair.instrument.maker_fee),
         "takerCommission": exact(pair.instrument.taker_fee)}
        for pair in pairs
    ]  # fmt: skip


def commission_rate(venue: Binance, params: Params, account: str) -> Any:
    """Give the fees of a futures symbol."""
    pair = venue.pair(params)
    return {
        "symbol": pair.id, "makerCommissionRate": exact(pair.instrument.maker_fee, 4),
        "takerCommissionRate": exact(pair.instrument.taker_fee, 4),
    }  # fmt: skip


def nothing(venue: Binance, params: Params, account: str) -> Any:
    """Give an empty list: what there is none of here."""
    return []
