"""Transfers between own accounts that came as a withdrawal here and a deposit there: found, and booked as transfers.

A withdrawal looks like money spent and a deposit like money earned. Where the two are one movement, both are taken
back and a transfer is booked in their place: nothing is lost of what the venues said, and importing again brings
nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbench.accounting.books import Books
from workbench.accounting.entries import Entry
from workbench.accounting.happenings import About, transfer
from workbench.accounting.money import Money, total
from workbench.accounting.showing import time_text

__all__ = ["Match", "match_transfers"]

_OUTSIDE = "equity:external"
_HOUR = 3_600_000


@dataclass(frozen=True)
class Match:
    """A withdrawal and the deposit that it became.

    Attributes
    ----------
    sent, arrived : Entry
        As they were imported.
    why : str
        What says so: "txid", or "amount and time".
    """

    sent: Entry
    arrived: Entry
    why: str

    @property
    def source(self) -> str:
        """The wallet that it left."""
        return _wallet(self.sent)

    @property
    def target(self) -> str:
        """The wallet that it came to."""
        return _wallet(self.arrived)

    @property
    def amount(self) -> Money:
        """What arrived."""
        return _amount(self.arrived)

    @property
    def lost(self) -> Money:
        """What was sent and did not arrive: the fee of the network, besides those that the venue told."""
        return _amount(self.sent) - self.amount

    def entries(self) -> list[Entry]:
        """Give what to post: both taken back, and a transfer in their place."""
        note = f"one transfer, by {self.why}"
        fees = [one.amount for one in self.sent.postings if one.account.startswith("fees:")]
        begun = min(self.sent.ts, self.arrived.ts)  # some venues tell when a withdrawal was over
        moved = transfer(
            self.source, self.target, self.amount, begun, arrived=self.arrived.ts, fees=[*fees, self.lost],
            about=About(id=f"transfer:{self.sent.id}", note=note, refs=_refs(self.sent, self.arrived)),
        )  # fmt: skip
        return [self.sent.reversal(note=note), self.arrived.reversal(note=note), *moved]

    def __str__(self) -> str:
        return f"{self.amount} from {self.source} ({time_text(self.sent.ts)}) to {self.target}, by {self.why}"


def match_transfers(books: Books, *, hours: float = 48.0) -> list[Match]:
    """Find withdrawals from one own wallet that are deposits in another; nothing is booked.

    Parameters
    ----------
    books : Books
    hours : float, default 48
        How long one may have been under way, where no transaction id says that the two are one.

    Returns
    -------
    list of Match
        In order of time; `books.post(match.entries())` books one. Those that no transaction id joins must be of exactly
        the same amount, and the only ones that fit each other.

    Examples
    --------
    >>> from workbench.accounting import deposit, own, withdrawal
    >>> coin = Money("0.5", "BTC")
    >>> books = Books([withdrawal(own("kraken"), coin, 0), deposit(own("binance"), coin, 900_000)])
    >>> print(*match_transfers(books))
    0.5 BTC from own:kraken:main (1970-01-01 00:00:00) to own:binance:main, by amount and time
    """
    gone = {one.refs.get("reverses", "") for one in books.entries(kind="reversal")}
    sent = [one for one in books.entries(kind="withdrawal") if one.id not in gone]
    came = [one for one in books.entries(kind="deposit") if one.id not in gone]
    found = list(_by_txid(sent, came))
    known = {one.id for match in found for one in (match.sent, match.arrived)}
    found += _by_amount(
        [one for one in sent if one.id not in known], [one for one in came if one.id not in known], hours
    )
    return sorted(found, key=lambda match: match.sent.order)


def _by_txid(sent: Iterable[Entry], came: Iterable[Entry]) -> Iterator[Match]:
    """Join what bears one transaction id; of several, those whose amounts are nearest."""
    left = [one for one in came if one.refs.get("txid")]
    for out in sent:
        fits = [
            one for one in left
            if one.refs["txid"] == out.refs.get("txid") and _could_be(out, one) and _amount(one) <= _amount(out)
        ]  # fmt: skip
        if fits:
            best = max(fits, key=lambda one: _amount(one).amount)
            left.remove(best)
            yield Match(out, best, "txid")


def _by_amount(sent: list[Entry], came: list[Entry], hours: float) -> Iterator[Match]:
    """Join what is of one amount and not long apart, where each has no other."""

    def near(out: Entry, one: Entry) -> bool:
        apart = one.ts - out.ts
        other = {out.refs.get("txid", ""), one.refs.get("txid", "")} - {""}
        same = _could_be(out, one) and _amount(out) == _amount(one)
        return same and len(other) < 2 and -_HOUR <= apart <= hours * _HOUR

    for out in sent:
        fits = [one for one in came if near(out, one)]
        if len(fits) == 1 and sum(near(other, fits[0]) for other in sent) == 1:
            yield Match(out, fits[0], "amount and time")


def _could_be(out: Entry, one: Entry) -> bool:
    return _wallet(out) != _wallet(one) and _amount(out).currency == _amount(one).currency


def _wallet(entry: Entry) -> str:
    return next(one.account for one in entry.postings if one.account.startswith("own:"))


def _amount(entry: Entry) -> Money:
    """Give what left to outside, or came from there."""
    outside = [one.amount for one in entry.postings if one.account == _OUTSIDE]
    return abs(total(outside, outside[0].currency))


def _refs(*entries: Entry) -> dict[str, str]:
    known = {name: value for one in entries for name, value in one.refs.items() if name in ("txid", "network")}
    return known | {"replaces": " ".join(one.id for one in entries)}
