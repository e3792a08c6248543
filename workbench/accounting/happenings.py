"""Entries for what happens to money: deposits, trades, fees, funding, interest, transfers.

Each function gives an `Entry` (a transfer: one or two) that balances by construction; nothing is stored. Amounts are
positive where the name says which way they go.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.accounting.entries import Entry, Posting, checked_account, parts_of, positions
from workbench.accounting.money import Money
from workbench.errors import DataError

__all__ = [
    "About",
    "adjustment",
    "contract_trade",
    "deposit",
    "fee",
    "funding",
    "income",
    "interest",
    "trade",
    "transfer",
    "withdrawal",
]


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of a happening besides its amounts.

    Parameters
    ----------
    id : str, optional
        A random one when left out: give the venue's own, so that nothing is booked twice.
    note : str, optional
    refs : mapping of str to str, optional
    """

    id: str = ""
    note: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)


def _entry(
    kind: str,
    ts: int,
    postings: Iterable[tuple[str, Money]],
    about: About | None,
    refs: Mapping[str, str] | None = None,
) -> Entry:
    known = about or About()
    return Entry(
        id=known.id or f"{kind}:{secrets.token_hex(8)}",
        ts=ts,
        kind=kind,
        postings=tuple(Posting(account, amount) for account, amount in postings),
        note=known.note,
        refs={**(refs or {}), **known.refs},
    )


def _positive(amount: Any, what: str) -> Money:
    if not isinstance(amount, Money) or amount.amount <= 0:
        raise DataError(f"{what} is {amount!r}; give Money above zero")
    return amount


def _venue(wallet: str) -> str:
    root, venue, _ = parts_of(wallet)
    if root != "own":
        raise DataError(f"{wallet!r} is no wallet; give own(venue, name)", account=wallet)
    return venue


def deposit(wallet: str, amount: Money, ts: int, about: About | None = None) -> Entry:
    """Book money that comes into a wallet from outside.

    Examples
    --------
    >>> entry = deposit("own:binance:main", Money("1000", "USDT"), 0)
    >>> entry.change("own:binance:main", "USDT")
    Money('1000', 'USDT')
    """
    _venue(wallet)
    _positive(amount, "a deposit")
    return _entry("deposit", ts, [(wallet, amount), ("equity:external", -amount)], about)


def withdrawal(wallet: str, amount: Money, ts: int, fees: Iterable[Money] = (), about: About | None = None) -> Entry:
    """Book money that leaves a wallet for outside; the fees are paid on top of the amount."""
    _positive(amount, "a withdrawal")
    moved = [(wallet, -amount), ("equity:external", amount)]
    return _entry("withdrawal", ts, [*moved, *_paid(wallet, fees)], about)


def _paid(wallet: str, fees: Iterable[Money]) -> list[tuple[str, Money]]:
    """Give the postings of fees, each in a currency of its own; a rebate is a negative fee."""
    venue = _venue(wallet)
    return [line for one in fees for line in ((wallet, -one), (f"fees:{venue}", one))]


def trade(
    wallet: str, bought: Money, sold: Money, ts: int, fees: Iterable[Money] = (), about: About | None = None
) -> Entry:
    """Book an exchange of one asset for another, with fees in any asset (the two, or a third such as BNB).

    Parameters
    ----------
    wallet : str
    bought, sold : Money
        What came and what went, both positive, before fees.
    ts : int
        ms UTC.
    fees : iterable of Money, optional
        Negative ones are rebates.
    about : About, optional

    Examples
    --------
    >>> entry = trade(
    ...     "own:binance:main", Money("0.5", "BTC"), Money("15000", "USDT"), 0, [Money("0.02", "BNB")]
    ... )
    >>> entry.change("own:binance:main", "BNB")
    Money('-0.02', 'BNB')
    """
    _positive(bought, "what was bought")
    _positive(sold, "what was sold")
    if bought.currency == sold.currency:
        raise DataError(f"cannot trade {sold} for {bought}: it is the same asset")
    market = f"market:{_venue(wallet)}"
    moved = [(wallet, bought), (market, -bought), (wallet, -sold), (market, sold)]
    return _entry("trade", ts, [*moved, *_paid(wallet, fees)], about)


def contract_trade(
    wallet: str, contracts: Money, cost: Money, ts: int, fees: Iterable[Money] = (), about: About | None = None
) -> Entry:
    """Book a trade of a contract (perpetual, future): the position changes, and no cash moves but the fees.

    Parameters
    ----------
    wallet : str
    contracts : Money
        Signed quantity, its currency the contract's symbol: `Money("-2", "BTC/USDT:USDT")` sells two.
    cost : Money
        What is owed for it, in the settlement currency: price times quantity for a buy (negative for a sale) of
        a linear contract. Of an inverse one minus the value in the coin, as its profit is the value at entry less that
        at exit.
    ts : int
    fees : iterable of Money, optional
    about : About, optional
        `refs["leg"]` is "long" or "short" in hedge mode.

    Notes
    -----
    The cost waits in the positions account; what of it is realised follows from the trades in order of time
    (`balances.realised`, average cost) and is shown as cash of the wallet. When all is closed nothing waits.
    """
    if not contracts or ":" not in contracts.currency:
        raise DataError(f"a contract trade is of {contracts}; give a quantity of a contract such as BTC/USDT:USDT")
    leg = (about.refs if about else {}).get("leg", "net")
    held, market = positions(wallet, leg), f"market:{_venue(wallet)}"
    moved = [(held, contracts), (market, -contracts), (held, -cost), (market, cost)]
    return _entry("trade", ts, [*moved, *_paid(wallet, fees)], about, {"symbol": contracts.currency})


def fee(wallet: str, amount: Money, ts: int, about: About | None = None) -> Entry:
    """Book a fee by itself; a negative one is a rebate."""
    return _entry("fee", ts, _paid(wallet, [amount]), about)


def funding(wallet: str, amount: Money, ts: int, about: About | None = None) -> Entry:
    """Book a funding payment; positive where it was received."""
    return _entry("funding", ts, [(wallet, amount), (f"funding:{_venue(wallet)}", -amount)], about)


def interest(wallet: str, amount: Money, ts: int, about: About | None = None) -> Entry:
    """Book interest; positive where it was received, negative where it was paid."""
    return _entry("interest", ts, [(wallet, amount), (f"interest:{_venue(wallet)}", -amount)], about)


def income(wallet: str, amount: Money, ts: int, about: About | None = None) -> Entry:
    """Book what a venue gave (an airdrop, a reward, a referral), or took where it is negative."""
    return _entry("income", ts, [(wallet, amount), (f"income:{_venue(wallet)}", -amount)], about)


def adjustment(wallet: str, amount: Money, ts: int, about: About | None = None) -> Entry:
    """Book a difference that nobody can explain, so that it is seen for what it is."""
    return _entry("adjustment", ts, [(wallet, amount), (f"adjustment:{_venue(wallet)}", -amount)], about)


def transfer(
    source: str,
    target: str,
    amount: Money,
    sent: int,
    *,
    arrived: int | None = None,
    fees: Iterable[Money] = (),
    about: About | None = None,
) -> tuple[Entry, ...]:
    """Book a transfer between two own wallets.

    Parameters
    ----------
    source, target : str
        Two wallets.
    amount : Money
        What arrives.
    sent : int
        When it left, ms UTC.
    arrived : int, optional
        When it came, ms UTC: at the same moment when equal to `sent`, not yet when left out.
    fees : iterable of Money
        Paid by the source on top.
    about : About, optional

    Returns
    -------
    tuple of Entry
        One where it was at once or is still under way; else one for each end. In between the amount is in transit.
    """
    _positive(amount, "a transfer")
    if checked_account(source) == checked_account(target):
        raise DataError(f"cannot transfer {amount} from {source} to itself")
    if arrived is not None and arrived < sent:
        raise DataError(f"the transfer of {amount} to {target} arrived before it was sent; check the two times")
    _venue(target)
    known = about or About()
    base = known.id or f"transfer:{secrets.token_hex(8)}"
    way = "transit:" + target.removeprefix("own:").replace(":", "-")
    refs = {**known.refs, "from": source, "to": target}

    def about_of(end: str) -> About:
        return About(id=base + end, note=known.note, refs=refs)

    paid = _paid(source, fees)
    if arrived == sent:
        return (_entry("transfer", sent, [(source, -amount), (target, amount), *paid], about_of("")),)
    left = _entry("transfer", sent, [(source, -amount), (way, amount), *paid], about_of(":sent"))
    if arrived is None:
        return (left,)
    return left, _entry("transfer", arrived, [(way, -amount), (target, amount)], about_of(":arrived"))
