"""The migrations make the tables that the code knows, and an older database is brought up to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from workbench.bots.journal import Journal
from workbench.bots.journal.database import Database
from workbench.bots.journal.migrating import _FOLDER
from workbench.bots.journal.tables import METADATA, SCHEMA
from workbench.errors import DataError


def test_the_tables_are_those_of_the_newest_migration(tmp_path: Path) -> None:
    assert ScriptDirectory(str(_FOLDER)).get_heads() == [SCHEMA]
    database = Database(tmp_path / "demo.sqlite", write=True)
    database.make_tables()
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _not_the_index})
        assert compare_metadata(context, METADATA) == []
    database.make_tables()  # again changes nothing
    database.close()


def _not_the_index(found: object, name: str | None, kind: str, *more: object) -> bool:
    return kind != "index"


def test_a_database_without_tables_is_not_made_one_by_reading(tmp_path: Path) -> None:
    (tmp_path / "demo.sqlite").touch()
    database = Database(tmp_path / "demo.sqlite", write=False)
    with pytest.raises(DataError, match="has no journals"):
        database.make_tables()
    database.close()
    assert (tmp_path / "demo.sqlite").stat().st_size == 0


def test_nothing_but_the_package_is_needed_to_migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Journal.open("demo.sqlite", "demo").close()
    assert {path.name for path in tmp_path.iterdir()} == {"demo.sqlite", "demo.sqlite.lock", "journal.key"}
