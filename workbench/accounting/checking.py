"""Books checked as a whole: that they can be read, add up, and tell a story that can have happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from workbench.accounting.balances import balances_of
from workbench.accounting.books import Books
from workbench.accounting.entries import Entry
from workbench.accounting.matching import match_transfers
from workbench.accounting.money import Money, total
from workbench.accounting.showing import table_html, time_text

__all__ = ["Finding", "verify"]

_DAY = 86_400_000


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is well ("ok", "warn", "fail"), and what was found."""

    check: str
    state: Literal["ok", "warn", "fail"]
    told: str

    def _repr_html_(self) -> str:
        return table_html(("Check", "State", "What"), [(self.check, self.state, self.told)])


def verify(books: Books, *, now: int | None = None) -> list[Finding]:
    """Check books: every entry anew, sums over all accounts, and what looks like a gap.

    Parameters
    ----------
    books : Books
        Of stored ones every file is read.
    now : int, optional
        Until when what is under way may be, ms UTC; the last entry's time when left out.

    Returns
    -------
    list of Finding

    Raises
    ------
    DataError
        A file is damaged.

    Examples
    --------
    >>> from workbench.accounting import deposit, own, withdrawal
    >>> books = Books([withdrawal(own("binance"), Money("5", "USDT"), 0)])
    >>> [one.check for one in verify(books) if one.state != "ok"]
    ['wallets below zero']
    """
    entries = books.entries()
    end = now if now is not None else max((one.ts for one in entries), default=0)
    return [
        Finding("entries", "ok", f"{len(entries):,} entries, each sums to zero"),  # or they could not have been read
        _sums(entries),
        _negative(entries),
        _transit(books, end),
        _unmatched(books),
        _without_fee(entries),
    ]


def _sums(entries: Iterable[Entry]) -> Finding:
    """Add up every currency over all accounts, after profits of contracts were worked out."""
    sums: dict[str, list[Money]] = {}
    for held in balances_of(entries).values():
        for currency, amount in held.items():
            sums.setdefault(currency, []).append(amount)
    off = [str(left) for currency, amounts in sums.items() if (left := total(amounts, currency))]
    told = f"{len(sums)} assets sum to zero over all accounts" if not off else f"{', '.join(off)} too much"
    return Finding("sums", "fail" if off else "ok", told)


def _negative(entries: Iterable[Entry]) -> Finding:
    """Find wallets that at some moment had less than nothing: what filled them is not in the books."""
    found = [f"{amount} in {wallet} on {time_text(ts)}" for wallet, amount, ts in _lowest(entries)]
    told = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
    hint = ": deposits or trades before it are missing, or it was borrowed"
    return Finding("wallets below zero", "warn" if found else "ok", told + hint if found else "never")


def _lowest(entries: Iterable[Entry]) -> Iterator[tuple[str, Money, int]]:
    """Give each wallet's lowest amount of an asset and when, where it is below zero; contracts' profits apart."""
    held: dict[tuple[str, str], Money] = {}
    lowest: dict[tuple[str, str], tuple[Money, int]] = {}
    contracts = {
        "own:" + name.removeprefix("positions:").rpartition(":")[0]
        for one in entries for name in one.accounts if name.startswith("positions:")
    }  # fmt: skip
    for ts, group in groupby(sorted(entries, key=lambda one: one.ts), key=lambda one: one.ts):
        moved = set()  # what happened in one millisecond counts at once
        for posting in (posting for one in group for posting in one.postings):
            key = posting.account, posting.amount.currency
            held[key] = held[key] + posting.amount if key in held else posting.amount
            moved.add(key)
        for key in moved:
            below = key[0].startswith("own:") and key[0] not in contracts and held[key].amount < 0
            if below and (key not in lowest or held[key] < lowest[key][0]):
                lowest[key] = held[key], ts
    for (wallet, _), (amount, ts) in sorted(lowest.items(), key=lambda item: item[0]):
        yield wallet, amount, ts


def _transit(books: Books, end: int) -> Finding:
    late = [
        f"{amount} for {way.removeprefix('transit:')}"
        for way, held in books.in_transit(end - 2 * _DAY).items()
        for currency, amount in held.items()
        if books.balances(end).of(way, currency).amount >= amount.amount > 0
    ]
    told = f"for more than two days: {'; '.join(late)}" if late else "nothing is late"
    return Finding("in transit", "warn" if late else "ok", told)


def _unmatched(books: Books) -> Finding:
    found = match_transfers(books)
    told = f"{len(found)} withdrawals are deposits in another own wallet: book them as transfers" if found else (
        "none is booked as withdrawal and deposit"
    )  # fmt: skip
    return Finding("own transfers", "warn" if found else "ok", told)


def _without_fee(entries: Iterable[Entry]) -> Finding:
    count = sum(one.refs.get("fee") == "unknown" for one in entries)
    told = f"{count:,} trades came without their fee" if count else "every trade has its fee"
    return Finding("fees", "warn" if count else "ok", told)
