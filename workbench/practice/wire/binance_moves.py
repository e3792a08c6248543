"""Binance's endpoints about money that comes, goes, and moves between the wallets of an account."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from workbench.practice.engine_records import Moved
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_orders import span
from workbench.practice.wire.binance_words import Params, money

__all__ = ["deposits", "interest", "transfer", "transfers", "withdrawals"]

_WAYS: Final = {"MAIN_UMFUTURE": ("spot", "linear"), "UMFUTURE_MAIN": ("linear", "spot")}
_OTHERS: Final = ("CMFUTURE", "FUNDING", "MARGIN", "OPTION")  # wallets that are not practised
_DONE: Final = {"deposit": 1, "withdrawal": 6}


def transfer(venue: Binance, params: Params, account: str) -> Any:
    """Move money between the spot and the futures wallet."""
    source, target = _WAYS[params.one_of("type", _WAYS)]
    amount = params.number("amount")
    if not amount > 0.0:
        raise BinanceError(-1102, "Mandatory parameter 'amount' was not sent, was empty/null, or malformed.")
    venue.engine.transfer(account, params.text("asset"), amount, source, target)
    made = venue.engine.moves(account, "transfer", source=source, target=target)
    return {"tranId": made[-1].id}


def transfers(venue: Binance, params: Params, account: str) -> Any:
    """Give the transfers of one way, the newest first."""
    word = params.text("type")
    if word not in _WAYS and not any(word in (f"{one}_MAIN", f"MAIN_{one}", *_between(one)) for one in _OTHERS):
        raise BinanceError(-1102, "Mandatory parameter 'type' was not sent, was empty/null, or malformed.")
    part = span(params, 1_000)
    source, target = _WAYS.get(word, ("", ""))
    found = venue.engine.moves(account, "transfer", source=source, target=target, **part._asdict()) if source else []
    size, current = min(params.integer("size", 10), 100), max(params.integer("current", 1), 1)
    rows = [
        {
            "timestamp": one.ts, "asset": one.asset, "amount": money(one.amount), "type": word, "status": "CONFIRMED",
            "tranId": one.id,
        }
        for one in reversed(found)
    ]  # fmt: skip
    return {"total": len(rows), "rows": rows[(current - 1) * size : current * size]}


def _between(one: str) -> tuple[str, str]:
    return f"{one}_UMFUTURE", f"UMFUTURE_{one}"


def deposits(venue: Binance, params: Params, account: str) -> Any:
    """Give what came in, the newest first."""
    return [
        {**_row(one), "insertTime": one.ts, "completeTime": one.ts, "confirmTimes": "1/1", "unlockConfirm": 1}
        for one in _found(venue, params, account, "deposit")
    ]


def withdrawals(venue: Binance, params: Params, account: str) -> Any:
    """Give what left, the newest first."""
    return [
        {**_row(one), "transactionFee": "0", "applyTime": _text(one.ts), "completeTime": _text(one.ts), "info": ""}
        for one in _found(venue, params, account, "withdrawal")
    ]


def interest(venue: Binance, params: Params, account: str) -> Any:
    """Give interest paid, of which there is none: nothing is borrowed here."""
    return {"rows": [], "total": 0}


def _found(venue: Binance, params: Params, account: str, kind: str) -> list[Moved]:
    part = span(params, 1_000)
    coin = params.text("coin", "")
    found = venue.engine.moves(account, kind, **part._asdict())
    return [one for one in reversed(found) if coin in ("", one.asset)]


def _row(one: Moved) -> dict[str, Any]:
    return {
        "id": str(one.id), "amount": money(one.amount), "coin": one.asset, "network": "PRACTICE",
        "status": _DONE[one.kind], "address": f"practice-{one.kind}", "addressTag": "", "txId": f"practice-{one.id}",
        "transferType": 0, "walletType": 0,
    }  # fmt: skip


def _text(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts / 1_000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
