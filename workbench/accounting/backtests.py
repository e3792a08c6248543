"""A backtest's result as books: every fill, fee and settlement an entry, and the proof that they end at its equity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from workbench.accounting.books import Books
from workbench.accounting.entries import Entry, own
from workbench.accounting.happenings import About, contract_trade, deposit, fee, funding, trade
from workbench.accounting.money import Money
from workbench.accounting.reading import number
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.backtest.plan import Line
    from workbench.backtest.result import Result

__all__ = ["books_of", "equity_of"]

_PLACES: Final = 24  # of a value in coins, which is a division
_CLOSE: Final = 1e-9  # what the sums of floats of a backtest may be off by, as a fraction of what was turned over


def books_of(result: Result) -> Books:
    """Book a backtest: the cash, each fill with its fee, and each funding payment, in exact decimals.

    Parameters
    ----------
    result : Result

    Returns
    -------
    Books
        With one wallet, `own:backtest:main`. Assets held without margin are in it; what is held on margin is in
        `positions:backtest:main:net`, by symbol (`:long` and `:short` in hedge mode).

    Raises
    ------
    DataError
        The books do not end at the final equity: a fault of the backtest or of the books.

    Notes
    -----
    A float becomes the shortest decimal that means it. The equity of a backtest is a sum of floats, so the two are
    compared within a billionth of what was turned over.
    """
    wallet, currency = own("backtest"), result.currency
    entries: list[Entry] = []
    if result.cash > 0:
        entries.append(deposit(wallet, _money(result.cash, currency), result.start, About(id="cash")))
    legs = _legs(result)
    for place, row in enumerate(result.records.fills):
        entries += _fill(wallet, result, (place, legs[place]), row.tolist())
    for place, row in enumerate(result.records.funding):
        ts, which, amount = int(row[0]), int(row[1]), float(row[5])
        symbol = result.plan.lines[which].bars.symbol
        if amount:
            about = About(id=f"funding:{place}", refs={"symbol": symbol})
            entries.append(funding(wallet, _money(amount, currency), ts, about))
    books = Books(entries)
    _prove(books, result)
    return books


def _legs(result: Result) -> list[str]:
    """Name the leg that each fill is of: "long" or "short" in hedge mode, else ""."""
    from workbench.backtest import trips

    if not result.plan.account.hedge:
        return [""] * len(result.records.fills)
    filled, _ = trips.books_of(result.plan, result.records)
    return ["short" if book % 2 else "long" for book in filled.tolist()]


def _money(value: float, currency: str) -> Money:
    return Money(number(float(value), f"the amount of {currency}"), currency)


def _contract(line: Line) -> bool:
    return line.margined or line.inverse or ":" in line.bars.symbol


def _asset(line: Line) -> str:
    """Name what is held: the base of a pair, the contract, or the symbol itself."""
    symbol = line.bars.symbol
    if _contract(line):
        return symbol if ":" in symbol else f"{symbol}:margin"
    return symbol.partition("/")[0]


def _fill(wallet: str, result: Result, which: tuple[int, str], row: list[float]) -> list[Entry]:
    place, leg = which
    ts, side, quantity, price, paid = int(row[0]), int(row[2]), row[3], row[5], row[6]
    line = result.plan.lines[int(row[1])]
    currency, asset = result.currency, _asset(line)
    fees = [_money(paid, currency)] if paid else []
    refs = {"symbol": line.bars.symbol, "side": "buy" if side > 0 else "sell", "price": repr(price)}
    refs |= {"leg": leg} if leg else {}
    about = About(id=f"fill:{place}", refs=refs)
    value = _value(line, quantity, price, currency)
    held = _money(quantity, asset)
    if not value:  # a price of zero: what is left is worth nothing
        return [fee(wallet, fees[0], ts, about)] if fees else []
    if _contract(line):
        cost = -value if line.inverse else value
        return [contract_trade(wallet, held * side, cost * side, ts, fees, about)]
    bought, sold = (held, value) if side > 0 else (value, held)
    return [trade(wallet, bought, sold, ts, fees, about)]


def _value(line: Line, quantity: float, price: float, currency: str) -> Money:
    units = _money(quantity, currency) * number(line.contract_size, "the contract's size")
    if line.inverse:
        return units.divided(number(price, "the price"), places=_PLACES)
    return units * number(price, "the price")


def equity_of(books: Books, result: Result, at: int | None = None) -> Money:
    """Give what the books of a result are worth at its last closes: cash, assets, and contracts at their value."""
    wallet, currency = own("backtest"), result.currency
    totals = books.balances(at).totals()
    worth = totals.pop(currency, Money.zero(currency))
    prices: dict[str, Any] = {_asset(line): line for line in result.plan.lines}
    for asset, held in totals.items():
        line = prices.get(asset)
        if line is None:
            raise DataError(f"the books of {wallet} hold {held}, which the backtest did not trade", asset=asset)
        value = _value(line, float(held.amount), float(line.bars.close[-1]), currency)
        worth = worth - value if line.inverse else worth + value
    return worth


def _prove(books: Books, result: Result) -> None:
    final = float(result.equity_values[-1]) if len(result.equity_values) else result.cash
    booked = float(equity_of(books, result).amount)
    turned = sum(abs(float(p.amount.amount)) for one in books.entries() for p in one.postings
                 if p.amount.currency == result.currency)  # fmt: skip
    if not math.isclose(booked, final, rel_tol=0.0, abs_tol=_CLOSE * max(turned, abs(final), 1.0)):
        raise DataError(
            f"the books of this backtest end at {booked:,.8f} {result.currency} and its equity at {final:,.8f}; "
            "please report it with the result (`result.save`)",
            booked=booked,
            equity=final,
        )
