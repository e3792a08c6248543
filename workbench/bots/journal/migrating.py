"""Bringing the tables of a journal to the newest version with Alembic, without any file of settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["migrate"]

_FOLDER: Final = Path(__file__).with_name("migrations")


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations that a database lacks, in the transaction of the caller.

    Parameters
    ----------
    connection : Connection
    to : str
        The version to come to.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_FOLDER))

    def steps(revision: Any, context: Any) -> Any:
        return scripts._upgrade_revs(to, revision)

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=to) as environment:
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()
