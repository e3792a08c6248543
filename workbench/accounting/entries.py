"""Entries of double entry: what moved, between which accounts, so that nothing comes from nowhere.

An `Entry` is one happening (a trade, a deposit, a fee) as postings; for each currency its postings sum to zero, checked
whenever one is made or read. Accounts are names of parts joined by colons:

- `own:VENUE:NAME` is a wallet, `positions:VENUE:NAME:LEG` what is held in contracts there, and what it cost;
- `transit:…` is what has left one wallet and not arrived in another;
- everything else is the world outside: `equity`, `market`, `fees`, `funding`, `interest`, `income`, `adjustment`.

A posting above zero puts something into an account. An outside account that has received fees is positive by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from workbench.accounting.money import Money, left_over, total
from workbench.errors import DataError

__all__ = ["KINDS", "OWN_ROOTS", "ROOTS", "Entry", "Posting", "own", "positions", "wallet_of"]

OWN_ROOTS: Final = ("own", "positions", "transit")
"""First parts of the accounts whose content is the user's."""

ROOTS: Final = (*OWN_ROOTS, "adjustment", "equity", "fees", "funding", "income", "interest", "market")
"""First parts that an account may have."""

KINDS: Final = (
    "adjustment", "conversion", "deposit", "fee", "funding", "income", "interest", "reversal", "trade", "transfer",
    "withdrawal",
)  # fmt: skip
"""What an entry may be."""

_PART: Final = re.compile(r"[A-Za-z0-9][\w.@+-]*")
_LEGS: Final = ("net", "long", "short")
_LATEST_MS: Final = 253_402_300_800_000  # the year 10000
_LONGEST: Final = 500


def own(venue: str, name: str = "main") -> str:
    """Give the account of a wallet.

    Examples
    --------
    >>> own("binance")
    'own:binance:main'
    """
    return checked_account(f"own:{venue}:{name}")


def positions(wallet: str, leg: str = "net") -> str:
    """Give the account of what a wallet holds in contracts; `leg` is "net", or "long" or "short" in hedge mode."""
    root, venue, name = parts_of(wallet)
    if root != "own" or leg not in _LEGS:
        raise DataError(f"{wallet!r} with leg {leg!r} has no positions; give a wallet as own(venue, name), and a leg")
    return f"positions:{venue}:{name}:{leg}"


def wallet_of(account: str) -> str:
    """Give the wallet that a positions account belongs to; an own account is its own."""
    parts = parts_of(account)
    return f"own:{parts[1]}:{parts[2]}" if parts[0] == "positions" else account


def parts_of(account: str) -> tuple[str, str, str]:
    """Give root, venue and name of an account; empty where it has none."""
    parts = [*checked_account(account).split(":"), "", ""]
    return parts[0], parts[1], parts[2]


@lru_cache(maxsize=4_096)
def _is_account(account: str) -> bool:
    parts = account.split(":")
    need = {"own": 3, "positions": 4}.get(parts[0], len(parts))
    sound = parts[0] in ROOTS and all(map(_PART.fullmatch, parts)) and len(account) <= _LONGEST
    return sound and len(parts) == need


def checked_account(account: str) -> str:
    """Give an account back if it is one.

    Raises
    ------
    DataError
        Its root is unknown, or it has wrong characters or too few parts.
    """
    if not isinstance(account, str) or not _is_account(account):
        raise DataError(
            f"{account!r:.120} is no account; a wallet is 'own:VENUE:NAME' as in 'own:binance:main', and others begin "
            f"with one of {', '.join(ROOTS)}",
            account=str(account)[:120],
        )
    return account


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount into an account, or out of it where it is negative.

    Parameters
    ----------
    account : str
    amount : Money
    """

    account: str
    amount: Money

    def __post_init__(self) -> None:
        checked_account(self.account)
        if not isinstance(self.amount, Money):
            raise DataError(f"a posting to {self.account} is {self.amount!r}; give Money")

    @property
    def mine(self) -> bool:
        """Whether the account's content is the user's."""
        return self.account.partition(":")[0] in OWN_ROOTS


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One happening, as postings that sum to zero for each currency.

    Parameters
    ----------
    id : str
        No two entries of a book have the same. An imported one's is made of what the venue calls it, so that importing
        twice is importing once.
    ts : int
        When it happened, ms UTC.
    kind : str
        One of `KINDS`.
    postings : sequence of Posting
        Postings of zero are left out.
    note : str, optional
        In words.
    refs : mapping of str to str, optional
        What it is about: `symbol`, `side`, `price`, `order`, `trade`, `txid`, `reverses`.

    Raises
    ------
    DataError
        The postings of a currency do not sum to zero, or a field is not what it must be.

    Examples
    --------
    >>> paid = Posting("own:binance:main", Money("-1.5", "USDT"))
    >>> Entry(id="f1", ts=0, kind="fee", postings=[paid, Posting("fees:binance", Money("1.5", "USDT"))]).currencies
    ('USDT',)
    """

    id: str
    ts: int
    kind: str
    postings: tuple[Posting, ...]
    note: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not 0 < len(self.id) <= _LONGEST or not self.id.isprintable():
            raise DataError(f"the id of an entry is {self.id!r:.120}; give text of 1 to {_LONGEST} characters")
        if isinstance(self.ts, bool) or not isinstance(self.ts, int) or not 0 <= self.ts < _LATEST_MS:
            raise DataError(f"entry {self.id}: ts is {self.ts!r}; give milliseconds since 1970 as a whole number")
        if self.kind not in KINDS:
            raise DataError(f"entry {self.id}: kind is {self.kind!r}; it must be one of {', '.join(KINDS)}")
        if not isinstance(self.note, str):
            raise DataError(f"entry {self.id}: the note is {self.note!r:.120}; give text")
        refs = dict(self.refs)
        if any(not isinstance(one, str) for pair in refs.items() for one in pair):
            raise DataError(f"entry {self.id}: refs {refs!r:.200} must be text to text")
        object.__setattr__(self, "refs", MappingProxyType(dict(sorted(refs.items()))))
        object.__setattr__(self, "postings", _balanced(self.id, self.postings))

    def __hash__(self) -> int:
        return hash((self.id, self.ts, self.kind, self.postings))

    def __reduce__(self) -> tuple[Any, ...]:
        return Entry.from_plain, (self.to_plain(),)

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that moved, in order."""
        return tuple(dict.fromkeys(posting.amount.currency for posting in self.postings))

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts between which they moved, in order."""
        return tuple(dict.fromkeys(posting.account for posting in self.postings))

    @property
    def order(self) -> tuple[int, int, str]:
        """What entries are sorted by: time, then id, where 99 comes before 100."""
        return self.ts, len(self.id), self.id

    def change(self, account: str, currency: str) -> Money:
        """Give what it puts into an account of a currency, or takes out."""
        return total(
            (one.amount for one in self.postings if one.account == account and one.amount.currency == currency),
            currency,
        )

    def reversal(self, *, ts: int | None = None, note: str = "") -> Entry:
        """Give the entry that takes this one back.

        Parameters
        ----------
        ts : int, optional
            When it counts, ms UTC; at the same moment when left out, so that balances of all times are mended.
        note : str, optional
            Why.
        """
        if self.kind == "reversal":
            raise DataError(f"entry {self.id} is a reversal; post what it took back anew, under an id of its own")
        return Entry(
            id=f"{self.id}:reversal",
            ts=self.ts if ts is None else ts,
            kind="reversal",
            postings=tuple(Posting(one.account, -one.amount) for one in self.postings),
            note=note,
            refs={**self.refs, "reverses": self.id},
        )

    def to_plain(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        postings = [[one.account, one.amount.text, one.amount.currency] for one in self.postings]
        told = {"id": self.id, "ts": self.ts, "kind": self.kind, "postings": postings, "note": self.note}
        return {**told, "refs": dict(self.refs)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Entry:
        """Read what `to_plain` gave; checked as any other."""
        try:
            rows = [(account, text, currency) for account, text, currency in plain["postings"]]
            given = {name: plain[name] for name in ("id", "ts", "kind", "note", "refs")}
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{plain!r:.200} is no entry: {type(error).__name__} {error}") from error
        postings = tuple(Posting(account, Money(text, currency)) for account, text, currency in rows)
        return cls(postings=postings, **given)


def _balanced(id: str, postings: Iterable[Posting]) -> tuple[Posting, ...]:
    kept = []
    for one in postings:
        if not isinstance(one, Posting):
            raise DataError(f"entry {id}: {one!r:.120} is no Posting")
        if one.amount:
            kept.append(one)
    off = [str(amount) for amount in left_over(one.amount for one in kept).values()]
    if off:
        raise DataError(
            f"entry {id} does not balance: its postings leave {', '.join(off)}; what one gets another must give",
            entry=id,
            left=off,
        )
    if not kept:
        raise DataError(f"entry {id} moves nothing; leave it out", entry=id)
    return tuple(kept)
