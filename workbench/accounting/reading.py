"""What ccxt says of an account's past, as entries: its unified trades, deposits, withdrawals, payments and transfers.

ccxt gives numbers as floats or text; a float becomes the shortest decimal that means it, which is what the venue wrote.
What a structure lacks decides: without time, amount or price it cannot be booked and is a `Garbled` row, told in the
report; without a fee it is booked and told. Ids are the venue's, with venue and account before them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from workbench.accounting.entries import Entry, own
from workbench.accounting.happenings import (
    About,
    contract_trade,
    deposit,
    funding,
    income,
    interest,
    trade,
    transfer,
    withdrawal,
)
from workbench.accounting.money import Money, decimal
from workbench.accounting.venues import family_of, home_of, is_binance, wallet_venue
from workbench.errors import DataError

__all__ = ["READERS", "Owner", "Pending", "number"]

_DONE: Final = ("ok", "closed", "complete", "completed", "success", None)
_ELSEWHERE: Final = frozenset(
    "trade fee commission transaction deposit withdrawal transfer funding margin realized_pnl funding_fee "
    "internal_transfer spend receive settlement rollover coin_swap_deposit coin_swap_withdraw".split()
)  # lines of a ledger that the other histories have in full, or that realised profits of contracts are


class Pending(Exception):
    """A row that is not over yet (a withdrawal on its way), or that another history has: it is not booked."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose rows they are: venue and account name, and the venue's markets as ccxt has them."""

    venue: str
    name: str
    markets: Mapping[str, Mapping[str, Any]]

    @property
    def wallet(self) -> str:
        """The account that they are booked to."""
        return own(self.venue, self.name)

    def at(self, venue: str) -> Owner:
        """Give the owner of another wallet of the account, by the venue that it is booked under."""
        return replace(self, venue=venue)

    def id(self, what: str, row: Mapping[str, Any], *parts: Any) -> str:
        """Give an entry's id: of the venue's own, or of all that the row says where the venue gives none."""
        known = row.get("id")
        if known is None:
            said = [row.get(name) for name in ("timestamp", "symbol", "currency", "code", "side", "order", "txid")]
            said += [str(row.get(name)) for name in ("price", "amount", "interest")]
            known = hashlib.sha256(repr(said).encode()).hexdigest()[:20]
        return ":".join(map(str, (self.venue, self.name, what, *parts, known)))


def number(value: Any, what: str) -> Decimal:
    """Read a number of ccxt exactly: text as it is, a float as the shortest decimal that means it."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DataError(f"{what} is {value!r}")
        return decimal(repr(float(value)).removesuffix(".0"), what)
    if value is None:
        raise DataError(f"{what} is missing")
    return decimal(value, what)


def _time(row: Mapping[str, Any]) -> int:
    at = row.get("timestamp")
    if isinstance(at, bool) or not isinstance(at, (int, float)) or at <= 0:
        raise DataError(f"its time is {at!r}")
    return int(at)


def _fees(row: Mapping[str, Any]) -> tuple[list[Money], bool]:
    """Give the fees of a row, and whether it says them at all; `fees` repeats `fee` where there is one only."""
    listed = row.get("fees") or ([row["fee"]] if row.get("fee") else [])
    found = [one for one in listed if one and one.get("cost") is not None and one.get("currency")]
    return [Money(number(one["cost"], "its fee"), one["currency"]) for one in found], bool(found)


def _refs(row: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(row[name]) for name in names if row.get(name) not in (None, "")}


def _trade(owner: Owner, row: Mapping[str, Any]) -> Entry:
    symbol, side = str(row.get("symbol")), row.get("side")
    market = owner.markets.get(symbol) or {}
    if side not in ("buy", "sell"):
        raise DataError(f"its side is {side!r}")
    quantity, price = number(row.get("amount"), "its amount"), number(row.get("price"), "its price")
    fees, told = _fees(row)
    refs = _refs(row, "symbol", "side", "order", "price", "takerOrMaker") | ({} if told else {"fee": "unknown"})
    leg = str((row.get("info") or {}).get("positionSide", "")).lower() if isinstance(row.get("info"), dict) else ""
    contract = market.get("contract", ":" in symbol) and not market.get("option")
    refs |= {"leg": leg} if contract and leg in ("long", "short") else {}
    owner = owner.at(home_of(owner.venue, {**market, "contract": contract}))
    about = About(id=owner.id("trade", row, symbol), refs=refs)
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    if not contract:
        # what Binance paid in `cost` is price times amount as it rounds it: the venue's own figure moves its balance
        paid = row.get("cost")
        cost = number(paid, "its cost") if paid is not None else (Money(price, quote) * quantity).amount
        got, gave = Money(quantity, symbol if ":" in symbol else base), Money(cost, settle or quote)
        bought, sold = (got, gave) if side == "buy" else (gave, got)
        return trade(owner.wallet, bought, sold, _time(row), fees, about)
    size = market.get("contractSize")
    units = (Money(quantity, symbol) * (number(size, "the contract's size") if size is not None else Decimal(1))).amount
    sign = 1 if side == "buy" else -1
    if market.get("inverse", settle == base):
        value = -Money(units, settle).divided(price, places=18)
    else:
        value = Money(units, settle or quote) * price
    return contract_trade(owner.wallet, Money(quantity * sign, symbol), value * sign, _time(row), fees, about)


def _moved(owner: Owner, row: Mapping[str, Any], what: str) -> Entry:
    if row.get("status") not in _DONE:
        raise Pending(f"{what} {row.get('id')} is {row.get('status')}")
    amount = Money(number(row.get("amount"), "its amount"), str(row.get("currency")))
    fees, _ = _fees(row)
    owner = owner.at(family_of(owner.venue))  # whichever part of a venue is asked, they come to its first wallet
    about = About(id=owner.id(what, row), refs=_refs(row, "txid", "address", "network"))
    if what == "withdrawal":
        return withdrawal(owner.wallet, amount, _time(row), fees, about)
    return deposit(owner.wallet, amount, _time(row), about)


def _funding(owner: Owner, row: Mapping[str, Any]) -> Entry:
    symbol = row.get("symbol")
    amount = Money(number(row.get("amount"), "its amount"), str(row.get("code") or row.get("currency")))
    if is_binance(owner.venue):  # whose numbers of payments are one row over all symbols
        owner = owner.at(wallet_venue(owner.venue, "linear")) if owner.venue == family_of(owner.venue) else owner
        id = owner.id("funding", row)
    else:
        id = owner.id("funding", row, symbol or "all")
    about = About(id=id, refs=_refs(row, "symbol"))
    return funding(owner.wallet, amount, _time(row), about)


def _interest(owner: Owner, row: Mapping[str, Any]) -> Entry:
    amount = Money(number(row.get("interest"), "its interest"), str(row.get("currency")))
    owner = owner.at(wallet_venue(owner.venue, "margin")) if is_binance(owner.venue) else owner
    about = About(id=owner.id("interest", row, amount.currency), refs=_refs(row, "symbol"))
    return interest(owner.wallet, -amount, _time(row), about)


def _transfer(owner: Owner, row: Mapping[str, Any]) -> Entry:
    if row.get("status") not in _DONE:
        raise Pending(f"transfer {row.get('id')} is {row.get('status')}")
    amount = Money(number(row.get("amount"), "its amount"), str(row.get("currency")))
    ends = [wallet_venue(owner.venue, str(row.get(name) or "unknown")) for name in ("fromAccount", "toAccount")]
    source, target = (own(venue, owner.name) for venue in ends)
    # the same, from whichever end it is imported
    about = About(id=f"{family_of(owner.venue)}:{owner.name}:transfer:{row.get('id')}")
    at = _time(row)
    return transfer(source, target, amount, at, arrived=at, about=about)[0]


def _line(owner: Owner, row: Mapping[str, Any]) -> Entry:
    info = row.get("info") if isinstance(row.get("info"), dict) else {}
    own_word = str((info or {}).get("incomeType") or (info or {}).get("type") or "").lower()
    kind = str(row.get("type") or own_word).lower()
    if kind in _ELSEWHERE or own_word in _ELSEWHERE:
        raise Pending(f"{kind} is in another history")
    amount = number(row.get("amount"), "its amount")
    if row.get("direction") == "out":
        amount = -abs(amount)
    about = About(id=owner.id("ledger", row), note=own_word or kind, refs=_refs(row, "referenceId"))
    book = interest if "interest" in kind or "interest" in own_word else income
    return book(owner.wallet, Money(amount, str(row.get("currency"))), _time(row), about)


READERS: Final[Mapping[str, Callable[[Owner, Mapping[str, Any]], Entry]]] = {
    "trades": _trade,
    "deposits": lambda owner, row: _moved(owner, row, "deposit"),
    "withdrawals": lambda owner, row: _moved(owner, row, "withdrawal"),
    "funding": _funding,
    "interest": _interest,
    "transfers": _transfer,
    "ledger": _line,
}
"""How each kind of history becomes entries, one row at a time."""
