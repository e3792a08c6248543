"""`Books`: entries, in memory or in a folder, and what they say: balances at any time, accounts, tables.

Nothing is ever changed or taken out. What was wrong is taken back by a reversal; both stay to be seen. The same entry
twice is one entry, so whoever is not sure whether something was booked books it again. `StoredBooks` keeps them as
immutable parts (`workbench.store`): any number of processes may post and read at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from workbench.accounting.balances import Balances, balances_of
from workbench.accounting.entries import Entry, parts_of
from workbench.accounting.money import Money
from workbench.accounting.showing import table_html, time_text
from workbench.errors import DataError
from workbench.store import Manifest, Part, PartStore

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Books", "Posted", "StoredBooks"]

Conflict = Literal["raise", "keep"]

_MANY_PARTS: Final = 32
_SHOWN: Final = 12


@dataclass(frozen=True)
class Posted:
    """What came of posting: how many entries were new, how many were there, and which ids say something else now."""

    added: int
    known: int
    conflicts: tuple[str, ...] = ()


class Books:
    """Entries in memory, with all that can be asked of them.

    Parameters
    ----------
    entries : iterable of Entry, optional

    Examples
    --------
    >>> from workbench.accounting import deposit, own
    >>> books = Books([deposit(own("binance"), Money("100", "USDT"), 0)])
    >>> books.balance(own("binance"), "USDT")
    Money('100', 'USDT')
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._kept: dict[str, Entry] = {}
        self.post(entries)

    # --- writing

    def post(self, entries: Entry | Iterable[Entry], *, on_conflict: Conflict = "raise") -> Posted:
        """Book entries, all of them or none.

        Parameters
        ----------
        entries : Entry or iterable of Entry
        on_conflict : {"raise", "keep"}
            What to do where an id is taken by an entry that says something else: refuse, or keep the one that is there
            and tell.

        Raises
        ------
        DataError
            An id is taken by another entry, or a reversal takes back what is not there or was taken back.
        """
        given = [entries] if isinstance(entries, Entry) else list(entries)
        fresh, posted = _sorted_out(given, self._kept.get, on_conflict)
        self._kept.update((entry.id, entry) for entry in fresh)
        return posted

    def reverse(self, id: str, *, note: str = "", ts: int | None = None) -> Entry:
        """Take an entry back by one that undoes it, and give that; see `Entry.reversal`."""
        entry = self.entry(id).reversal(ts=ts, note=note)
        if not self.post(entry, on_conflict="keep").added:
            raise DataError(f"entry {id} was taken back before, by {entry.id}; nothing was booked", entry=id)
        return entry

    def correct(self, id: str, replacement: Entry, *, note: str = "") -> Entry:
        """Take an entry back and book another in its place, both or neither; give the reversal."""
        reversal = self.entry(id).reversal(note=note)
        self.post([reversal, replacement])
        return reversal

    # --- reading

    def _all(self) -> Sequence[Entry]:
        return list(self._kept.values())

    def entries(
        self,
        *,
        account: str | None = None,
        kind: str | None = None,
        currency: str | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> list[Entry]:
        """Give entries in order of time.

        Parameters
        ----------
        account : str, optional
            Only those that touch this account, or one below it: `own:binance` is all wallets there.
        kind, currency : str, optional
        start, end : int, optional
            From and before these moments, ms UTC.
        """
        found = [
            one
            for one in self._all()
            if (kind is None or one.kind == kind)
            and (start is None or one.ts >= start)
            and (end is None or one.ts < end)
            and (currency is None or currency in one.currencies)
            and (account is None or any(_below(name, account) for name in one.accounts))
        ]
        return sorted(found, key=lambda one: one.order)

    def entry(self, id: str) -> Entry:
        """Give one entry by its id, of which a beginning or an end that no other has is enough."""
        every = self._all()
        found = [one for one in every if one.id == id] or [
            one for one in every if one.id.startswith(id) or one.id.endswith(id)
        ]
        if len(found) == 1:
            return found[0]
        told = "no entry has" if not found else f"{len(found)} entries have"
        shown = ", ".join(one.id for one in found[:3])
        raise DataError(f"{told} the id {id!r}{': ' * bool(found)}{shown}; `entries()` lists them", id=id)

    def balances(self, at: int | None = None) -> Balances:
        """Add up what is in every account, up to and at a moment (ms UTC); see `balances_of`."""
        return balances_of(self._all(), at)

    def balance(self, account: str, currency: str, at: int | None = None) -> Money:
        """Give what is in one account of a currency."""
        return self.balances(at).of(account, currency)

    @property
    def wallets(self) -> tuple[str, ...]:
        """The user's wallets that entries name, sorted."""
        names = {name for one in self._all() for name in one.accounts}
        return tuple(sorted(name for name in names if parts_of(name)[0] == "own"))

    def in_transit(self, at: int | None = None) -> dict[str, Mapping[str, Money]]:
        """Give what has left one wallet and not arrived in another, by transit account."""
        return {name: held for name, held in self.balances(at).items() if name.startswith("transit")}

    def frame(self, **which: Any) -> pd.DataFrame:
        """Give a table with a row for each posting; parameters as of `entries`.

        Returns
        -------
        pandas.DataFrame
            `ts` (UTC), `entry`, `kind`, `account`, `currency`, `amount` (Decimal, exact), `symbol` and `note`.
        """
        import pandas as pd

        rows = [
            (entry.ts, entry.id, entry.kind, one.account, one.amount.currency, one.amount.amount,
             entry.refs.get("symbol", ""), entry.note)
            for entry in self.entries(**which) for one in entry.postings
        ]  # fmt: skip
        names = ["ts", "entry", "kind", "account", "currency", "amount", "symbol", "note"]
        frame = pd.DataFrame(rows, columns=names)
        frame["ts"] = pd.to_datetime(frame["ts"].astype("int64"), unit="ms", utc=True)
        return frame

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        wallets = len(self.wallets)
        return f"<Books of {len(self):,} entries in {wallets} wallet{'s' if wallets != 1 else ''}>"

    def _repr_html_(self) -> str:
        last = self.entries()[-_SHOWN:]
        rows = [
            (time_text(one.ts), one.kind, ", ".join(str(p.amount) for p in one.postings if p.mine), one.id)
            for one in reversed(last)
        ]
        latest = table_html(("When (UTC)", "What", "Mine", "Entry"), rows, caption=f"The last {len(rows)} entries")
        return f"<p>{len(self):,} entries</p>{self.balances().mine._repr_html_()}{latest}"


def _below(name: str, account: str) -> bool:
    return name == account or name.startswith(account + ":")


def _sorted_out(
    given: Sequence[Entry], known: Callable[[str], Entry | None], on_conflict: Conflict
) -> tuple[list[Entry], Posted]:
    """Tell what is new from what is there and what contradicts it."""
    if on_conflict not in ("raise", "keep"):
        raise DataError(f"on_conflict is {on_conflict!r}; it must be 'raise' or 'keep'")
    fresh: dict[str, Entry] = {}
    conflicts: list[str] = []
    for one in given:
        if not isinstance(one, Entry):
            raise DataError(f"cannot book {one!r:.120}: give entries, as `deposit(...)` and its neighbours make them")
        there = fresh.get(one.id) or known(one.id)
        if there is None:
            fresh[one.id] = one
        elif there != one:
            conflicts.append(one.id)
    if conflicts and on_conflict == "raise":
        raise DataError(
            f"the books have other entries under {', '.join(conflicts[:3])}; take those back with reverse(id) and give "
            "the new ones ids of their own",
            entries=conflicts,
        )
    for one in fresh.values():
        back = one.refs.get("reverses", "")
        if one.kind == "reversal" and fresh.get(back) is None and known(back) is None:
            raise DataError(f"entry {one.id} takes back {back or 'nothing'!r}, which is not in the books", entry=one.id)
    return list(fresh.values()), Posted(len(fresh), len(given) - len(fresh) - len(conflicts), tuple(conflicts))


class StoredBooks(Books):
    """Books in a folder; what is posted is on the disk when `post` returns.

    Parameters
    ----------
    root : path
        Made by the first `post`. `<workspace>/data/books` in a workspace.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(StoredBooks(folder))
    0
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.store = PartStore(self.root, lock_timeout_s=120.0)
        self._read: dict[str, tuple[Entry, ...]] = {}  # parts never change, so each is read and checked once

    @classmethod
    def here(cls) -> StoredBooks:
        """Open the books of the workspace that one is in."""
        from workbench.settings import load_settings

        return cls(load_settings().data / "books")

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredBooks, (self.root,)

    def post(
        self,
        entries: Entry | Iterable[Entry],
        *,
        on_conflict: Conflict = "raise",
        marks: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Posted:
        """Book entries, all of them or none; see `Books.post`.

        Parameters
        ----------
        entries : Entry or iterable of Entry
        on_conflict : {"raise", "keep"}
        marks : mapping, optional
            How far imports are, by their name; written together with the entries.

        Raises
        ------
        DataError
            As of `Books.post`; the disk is full, or the folder cannot be written. Nothing was booked.
        """
        given = [entries] if isinstance(entries, Entry) else list(entries)
        if not given and not marks:
            return Posted(0, 0)
        with self.store.transaction() as change:
            there = {entry.id: entry for part in change.parts for entry in self._part(part)}
            fresh, posted = _sorted_out(given, there.get, on_conflict)
            if fresh:
                change.add(_table(fresh))
            if marks:
                change.meta["marks"] = {**change.meta.get("marks", {}), **{k: dict(v) for k, v in marks.items()}}
        with suppress(DataError):  # what was posted is there; what hinders tidying up is told to whoever reads
            self.store.compact(more_than=_MANY_PARTS)
        return posted

    def marks(self) -> dict[str, dict[str, Any]]:
        """Give how far imports are, by their name."""
        found: dict[str, dict[str, Any]] = dict(self.store.manifest().meta.get("marks", {}))
        return found

    def _all(self) -> Sequence[Entry]:
        def load(manifest: Manifest) -> list[Entry]:
            listed = {part.file for part in manifest.parts}
            self._read = {file: found for file, found in self._read.items() if file in listed}
            return [entry for part in manifest.parts for entry in self._part(part)]

        return self.store.read(load)

    def _part(self, part: Part) -> tuple[Entry, ...]:
        if part.file not in self._read:
            table = self.store.table([part])
            names = ("id", "ts", "kind", "postings", "note", "refs")
            missing = [name for name in names if name not in table.column_names]
            if missing:
                path = self.store.path(part)
                raise DataError(
                    f"{path} has no column {missing[0]!r}; it holds no entries: move it away", path=str(path)
                )
            self._read[part.file] = tuple(map(_entry, table.select(names).to_pylist()))
        return self._read[part.file]

    def __repr__(self) -> str:
        return f"StoredBooks({str(self.root)!r})"


def _entry(row: Mapping[str, Any]) -> Entry:
    try:
        parts = {name: json.loads(row[name]) for name in ("postings", "refs")}
    except (TypeError, ValueError) as error:
        raise DataError(f"entry {row['id']!r}: its postings or refs are no JSON ({error})") from error
    return Entry.from_plain({**row, **parts})


def _table(entries: Sequence[Entry]) -> pa.Table:
    import pyarrow as pa

    now = time.time_ns() // 1_000_000
    rows = []
    for entry in entries:
        plain = entry.to_plain()
        texts = {name: json.dumps(plain[name], ensure_ascii=False) for name in ("postings", "refs")}
        rows.append({**plain, **texts, "recorded": now})
    words = ("id", "kind", "postings", "note", "refs")
    fields = [(name, pa.string()) for name in words] + [("ts", pa.int64()), ("recorded", pa.int64())]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
