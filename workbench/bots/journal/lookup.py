"""Single things out of a journal, found without reading all of it: the last entry of a kind, snapshots, old bars."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from workbench.bots.journal.chain import Entry
from workbench.bots.journal.findings import Snapshot
from workbench.bots.journal.reader import JournalReader
from workbench.bots.journal.records import read_body
from workbench.errors import DataError

__all__ = ["good_snapshots", "last_of", "told_before"]

_MOST = 10  # snapshots that are looked at


def last_of(journal: JournalReader, kinds: Collection[str], most: int = 1, *, having: str = "") -> list[Entry]:
    """Give the last entries of some kinds, newest first; each alone is checked to be as it was written.

    Parameters
    ----------
    journal : JournalReader
    kinds : collection of str
        Names of types of records.
    most : int
    having : str, optional
        A word in quotes that their texts have, such as the name of a field.

    Raises
    ------
    DataError
        One was changed.
    """
    from sqlalchemy import select

    from workbench.bots.journal.tables import ENTRIES

    journal._settle()
    at = ENTRIES.c
    query = select(*(at[name] for name in Entry._fields)).where(at.journal == journal.name, at.kind.in_(kinds))
    if having:
        query = query.where(at.body.contains(f'"{having}"', autoescape=True))
    with journal._database.reading() as connection:
        rows = [Entry(*row) for row in connection.execute(query.order_by(at.position.desc()).limit(most))]
    return [journal._own(row) for row in rows]


def good_snapshots(journal: JournalReader) -> Iterator[tuple[Snapshot | None, str]]:
    """Give the states that were kept, newest first: each with what is wrong with it, and None in its place then."""
    head = journal.head
    for row in journal._snapshots(_MOST):
        try:
            journal._check_snapshot(row, head)
            yield Snapshot(row.position, row.recorded, json.loads(row.body)), ""
        except DataError as error:
            yield None, str(error.fields.get("text") or error)


def told_before(journal: JournalReader, kinds: Collection[str], position: int) -> Iterator[Any]:
    """Give the records of some kinds up to a position, in order and fast: the chain is not checked.

    Whoever reads them must hold them against something that is sealed, such as a hash in a snapshot.

    Raises
    ------
    DataError
        One cannot be read.
    """
    from sqlalchemy import select

    from workbench.bots.journal.tables import ENTRIES

    at = ENTRIES.c
    query = (
        select(at.kind, at.version, at.body)
        .where(at.journal == journal.name, at.position <= position, at.kind.in_(kinds))
        .order_by(at.position)
    )
    with journal._database.reading() as connection:
        rows = connection.execute(query).all()
    for kind, version, body in rows:
        yield read_body(kind, version, body)
