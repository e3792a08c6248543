"""The tables of a journal, in SQLAlchemy's words; `migrations` makes them, version by version."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    insert,
    update,
)

__all__ = ["ADD", "ENTRIES", "JOURNALS", "METADATA", "MOVE", "SCHEMA", "SNAPSHOTS"]

SCHEMA: Final = "1"
"""The migration that these tables come out of."""

METADATA: Final = MetaData()

JOURNALS: Final = Table(
    "bot_journals",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("key_mark", LargeBinary, nullable=False),
    Column("base", BigInteger, nullable=False),
    Column("base_hash", LargeBinary, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

ENTRIES: Final = Table(
    "bot_entries",
    METADATA,
    Column("journal", String(64), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("session", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("category", String(16), nullable=False),
    Column("level", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

SNAPSHOTS: Final = Table(
    "bot_snapshots",
    METADATA,
    Column("journal", String(64), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

# What every commit does, made once: SQLAlchemy then knows it again without looking through it.
ADD: Final = insert(ENTRIES)
MOVE: Final = (
    update(JOURNALS)
    .where(
        JOURNALS.c.name == bindparam("mine"),
        JOURNALS.c.base == bindparam("old_base"),
        JOURNALS.c.position == bindparam("old_position"),
        JOURNALS.c.hash == bindparam("old_hash"),
    )
    .values({name: bindparam(f"new_{name}") for name in ("base", "base_hash", "position", "hash", "seal")})
)
