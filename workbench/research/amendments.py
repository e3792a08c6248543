"""Tags and notes: what is said of a run or a study afterwards, added and never rewritten."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from workbench.errors import DataError
from workbench.store import PartStore

if TYPE_CHECKING:
    import pandas as pd

    from workbench.settings import Settings

__all__ = ["Amendments", "Kind"]

Kind = Literal["tag", "untag", "note"]

_COLUMNS: Final = ("when", "by", "run_id", "study", "kind", "text")


class Amendments:
    """A folder of tags and notes.

    Parameters
    ----------
    root : path
        Made by the first one.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self._store = PartStore(self.root, lock_timeout_s=120.0)

    def __repr__(self) -> str:
        return f"Amendments({str(self.root)!r})"

    @classmethod
    def of(cls, settings: Settings) -> Amendments:
        """Give those of a workspace."""
        return cls(settings.ledger_root / "notes")

    def add(self, kind: Kind, text: str, *, runs: Iterable[str] = (), study: str = "") -> None:
        """Say something of runs, or of a study; it is on disk when this returns.

        Raises
        ------
        DataError
            The text is empty, or the disk refuses.
        """
        if kind not in get_args(Kind):
            raise DataError(f"{kind!r} is not one of {', '.join(map(repr, get_args(Kind)))}", kind=kind)
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"the {kind} is {text!r}; write a text", text=text)
        import pyarrow as pa

        now, by = dt.datetime.now(dt.UTC), _user()
        rows: list[dict[str, Any]] = [
            {"when": now, "by": by, "run_id": one, "study": study, "kind": kind, "text": text.strip()}
            for one in (list(runs) or [""])
        ]
        schema = pa.schema([("when", pa.timestamp("us", tz="UTC")), *((name, pa.string()) for name in _COLUMNS[1:])])
        self._store.append(pa.Table.from_pylist(rows, schema=schema))
        self._store.compact()

    def rows(self) -> list[dict[str, Any]]:
        """Give all of them, oldest first."""
        if not self._store.exists():
            return []
        found: list[dict[str, Any]] = self._store.table().to_pylist()
        return sorted(found, key=lambda row: row["when"])

    def table(self, *, run: str | None = None, study: str | None = None) -> pd.DataFrame:
        """Give those of a run or study, oldest first, as a table: `when, by, kind, text`."""
        import pandas as pd

        rows = [row for row in self.rows() if run in (None, row["run_id"]) and study in (None, row["study"])]
        return pd.DataFrame(rows, columns=list(_COLUMNS))[["when", "by", "kind", "text"]]

    def by_run(self) -> dict[str, tuple[dict[str, bool], list[str]]]:
        """Give of each run the tags that were added (true) or taken away (false) last, and its notes in order."""
        found: dict[str, tuple[dict[str, bool], list[str]]] = {}
        for row in self.rows():
            if row["run_id"]:
                tags, notes = found.setdefault(row["run_id"], ({}, []))
                if row["kind"] == "note":
                    notes.append(row["text"])
                else:
                    tags[row["text"]] = row["kind"] == "tag"
        return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
