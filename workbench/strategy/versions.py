"""The versions of strategies, kept by their code hash, so that what a run recorded can be found again as it was.

`data/strategies` of the workspace holds each version's source as it was (`HASH.py`, `HASH.yaml`) and a note for each
name that it had (`HASH.NAME.json`): what it is, when it was first kept, which files beside it it imports. A file is
written once, whole, and never changed; any number of processes may keep at the same time. What runs used a version is
the run ledger's to say (`research.lineage`).
"""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import inspect
import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from workbench._durable import explained, make_folder, sync_folder, write_new
from workbench.errors import StrategyError
from workbench.strategy.names import ENDINGS, LIBRARY, StrategyName
from workbench.strategy.parameterised import Parameterised

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["Archive", "Version", "keep", "source_of"]

_PARSING: Final = threading.Lock()

_DIGITS: Final = 16


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a strategy that was kept.

    Parameters
    ----------
    name : str
        The file that it was, such as `"sma_cross.py"`, or `"library:grid"`.
    code_hash : str
        16 hex digits.
    kind : {"signals", "orders", "rules", "library", "several"}
    path : Path
        Where its source is kept.
    kept_at : str
        When it was first kept, in UTC (ISO 8601).
    workbench : str
        The version of workbench that kept it.
    siblings : mapping of str to str
        Files beside it that it imports, and a hash of each as it was. The code hash does not cover them.
    """

    name: str
    code_hash: str
    kind: str
    path: Path
    kept_at: str
    workbench: str
    siblings: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The text, checked against the hash.

        Raises
        ------
        StrategyError
            The kept file is gone or is no longer what was kept.
        """
        try:
            text = self.path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StrategyError(f"{self.path}: the kept version cannot be read: {error}") from error
        if self.kind != "library" and _digest(text) != self.code_hash:
            raise StrategyError(
                f"{self.path} was changed since it was kept: its hash is {_digest(text)}; restore it from a backup",
                path=str(self.path),
            )
        return text


class Archive:
    """The kept versions of a workspace.

    Parameters
    ----------
    root : path
        Made when the first version is kept.
    strategies : path
        The folder of strategy files, where siblings are looked for.
    """

    def __init__(self, root: str | Path, strategies: str | Path) -> None:
        self.root = Path(root).absolute()
        self.strategies = Path(strategies).absolute()

    def __repr__(self) -> str:
        return f"Archive({str(self.root)!r}, {str(self.strategies)!r})"

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """Give the archive of a workspace."""
        return cls(settings.data / "strategies", settings.strategies)

    def versions(self, name: str | None = None) -> list[Version]:
        """Give what is kept, oldest first; of one file or of all.

        Raises
        ------
        StrategyError
            A note is not what `keep` writes.
        """
        pattern = "*.json" if name is None else f"{'[0-9a-f]' * _DIGITS}.{quote(name, safe='')}.json"
        found = [self._version(path) for path in self.root.glob(pattern)]
        return sorted(found, key=lambda one: (one.kept_at, one.code_hash))

    def _version(self, path: Path) -> Version:
        note = _note_in(path)
        code_hash, name = path.name[:_DIGITS], unquote(path.name[_DIGITS + 1 : -len(".json")])
        ending = note.pop("ending")
        return Version(name=name, code_hash=code_hash, path=self.root / f"{code_hash}{ending}", **note)

    def find(self, said: StrategyName, path: Path | None = None) -> Version:
        """Give the version that a name with a hash means; one that is not kept yet but is in the file now is kept here.

        Parameters
        ----------
        said : StrategyName
            With a version.
        path : Path, optional
            The file that the name means now.

        Raises
        ------
        StrategyError
            No version or several begin so, or a file beside it that it imports has changed since.
        """
        names = _names_meant(said, path)
        found = {
            one.code_hash: one
            for name in names
            for one in self.versions(name)
            if one.code_hash.startswith(said.version)
        }
        if not found and path is not None and (now := _as_it_is(path)) and now[0].startswith(said.version):
            found = {now[0]: Version(name=path.name, code_hash=now[0], kind=_kind_of_file(path), path=path, kept_at="",
                                     workbench="")}  # fmt: skip
        if len(found) != 1:
            raise self._not_one(said, names, sorted(found))
        version = next(iter(found.values()))
        self._require_siblings(version)
        return version

    def _not_one(self, said: StrategyName, names: Iterable[str], found: list[str]) -> StrategyError:
        word = f"{said.file}@{said.version}"
        if found:
            return StrategyError(f"{word}: several versions begin so: {', '.join(found)}; give more digits", name=word)
        known = [one.code_hash[:8] for name in names for one in self.versions(name)]
        there = f"kept are {', '.join(known)}" if known else "none of its versions is kept"
        return StrategyError(
            f"{word}: no version of {said.file} that begins so was kept in {self.root}; {there}", name=word
        )

    def _require_siblings(self, version: Version) -> None:
        now = {name: self.hash_beside(name) for name in version.siblings}
        changed = sorted(name for name, was in version.siblings.items() if now[name] != was)
        if changed:
            raise StrategyError(
                f"{version.name}@{version.code_hash[:8]} imports {', '.join(changed)} from beside it, which changed or "
                f"went since it was kept ({version.kept_at[:10]}): the hash covers {version.name} alone, so it would "
                "not be what ran. Put the file back as it was, or move what is shared into the strategy's own file",
                siblings=changed,
            )

    def hash_beside(self, name: str) -> str:
        """Hash a file of the folder of strategies as it is now; empty where it is not there."""
        return _hash_of_file(self.strategies / name)

    def keep(self, cls: type[Parameterised]) -> Version | None:
        """Keep the version that a loaded class is of; nothing is written where it is kept already.

        Returns
        -------
        Version or None
            None for a class that came from no file, such as one of a notebook.

        Raises
        ------
        DataError
            The disk is full or the folder cannot be written.
        """
        file = getattr(inspect.getmodule(cls), "__file__", None)
        if file is not None and Path(file).parent == self.root:  # it was loaded from here
            return next((one for one in self.versions() if one.path == Path(file)), None)
        facts = _facts_of(cls)
        if facts is None:
            return None
        name, path, source, kind = facts
        code_hash = _code_hash_of(cls)
        note = {
            "kind": kind,
            "ending": path.suffix,
            "kept_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "workbench": _own_version(),
            "siblings": {} if kind == "library" else _siblings(path, source),
        }
        with explained(self.root):
            make_folder(self.root)
        self._publish(f"{code_hash}{path.suffix}", source.encode())
        self._publish(f"{code_hash}.{quote(name, safe='')}.json", json.dumps(note, indent=2).encode() + b"\n")
        return self._version(self.root / f"{code_hash}.{quote(name, safe='')}.json")

    def keep_written(self, cls: type[Parameterised]) -> Version | None:
        """Keep the lines of a class that came from no strategy file, such as one of a notebook, as `notebook:NAME`.

        Returns
        -------
        Version or None
            None where nobody knows its source.
        """
        try:
            source = source_of(cls)
        except StrategyError:
            return None
        if _digest(source) != str(code_hash := _code_hash_of(cls)):
            return None
        name = f"notebook:{cls.__name__}"
        note = {
            "kind": "signals", "ending": ".py", "kept_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "workbench": _own_version(), "siblings": {},
        }  # fmt: skip
        with explained(self.root):
            make_folder(self.root)
        self._publish(f"{code_hash}.py", source.encode())
        self._publish(f"{code_hash}.{quote(name, safe='')}.json", json.dumps(note, indent=2).encode() + b"\n")
        return self._version(self.root / f"{code_hash}.{quote(name, safe='')}.json")

    def _publish(self, name: str, content: bytes) -> None:
        """Give a whole file its name, unless it is there."""
        target = self.root / name
        if target.exists():
            return
        temporary = self.root / f".{os.urandom(8).hex()}.tmp"
        with explained(target):
            try:
                write_new(temporary, content)
                os.replace(temporary, target)  # who is second writes the same
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(self.root)


def keep(strategy: Parameterised | type[Parameterised], settings: Settings) -> Version | None:
    """Keep the version of a strategy in a workspace; see `Archive.keep`."""
    cls = strategy if isinstance(strategy, type) else type(strategy)
    return Archive.of(settings).keep(cls)


def source_of(cls: type[Parameterised]) -> str:
    """Give the text that a strategy class was written in: its file, or its own lines in a notebook or the library."""
    source = getattr(inspect.getmodule(cls), "__workbench_source__", None)
    try:
        return inspect.getsource(cls) if source is None else str(source)
    except (OSError, TypeError) as error:
        raise StrategyError(f"{cls.__name__}: its source is not known: {error}") from error


def _note_in(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # JSON and UTF-8 errors are both ValueErrors
        raise StrategyError(f"{path}: cannot be read: {error}; restore it from a backup") from error
    known = {"kind", "ending", "kept_at", "workbench", "siblings"}
    if not isinstance(note, dict) or set(note) != known or note["ending"] not in ENDINGS:
        raise StrategyError(f"{path}: is no note of a version; restore it from a backup", path=str(path))
    return note


def _names_meant(said: StrategyName, path: Path | None) -> list[str]:
    if said.library:
        return [f"{LIBRARY}{said.file}"]
    file = Path(said.file).name
    if path is not None:
        return [path.name]
    return [file] if file.endswith(ENDINGS) else [*(f"{file}{ending}" for ending in ENDINGS), f"{LIBRARY}{file}"]


def _facts_of(cls: type) -> tuple[str, Path, str, str] | None:
    """Give name, file, text and kind of the version that a class is of."""
    module = inspect.getmodule(cls)
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        return None
    source = getattr(module, "__workbench_source__", None)
    if source is not None:
        return Path(file).name, Path(file), str(source), _kind_of(cls, Path(file))
    package, _, name = cls.__module__.rpartition(".")
    if package != "workbench.strategy.library":
        return None
    return f"{LIBRARY}{name}", Path(file), Path(file).read_text(encoding="utf-8"), "library"


def _kind_of(cls: type, path: Path) -> str:
    if path.suffix != ".py":
        return "rules"
    orders = sys.modules.get("workbench.strategy.orders")
    return "orders" if orders is not None and issubclass(cls, orders.OrderStrategy) else "signals"


def _kind_of_file(path: Path) -> str:
    return "signals" if path.suffix == ".py" else "rules"


def _code_hash_of(cls: type[Parameterised]) -> str:
    source = getattr(inspect.getmodule(cls), "__workbench_source__", None)
    return _digest(str(source)) if source is not None else str(cls().code_hash)


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]


def _as_it_is(path: Path) -> tuple[str, str] | None:
    with suppress(OSError, UnicodeDecodeError):
        source = path.read_text(encoding="utf-8")
        return _digest(source), source
    return None


def _hash_of_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
    except OSError:
        return ""


def _siblings(path: Path, source: str) -> dict[str, str]:
    """Find the files beside a strategy that it imports by name."""
    if path.suffix != ".py":
        return {}
    found: dict[str, str] = {}
    with _PARSING:  # parsers of CPython 3.11 in several threads may take each other's depth for their own
        tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in _imported(node):
            parts = name.split(".")
            parts = parts[1:] if len(parts) > 1 and parts[0] == path.parent.name else parts
            for candidate in (path.parent / f"{parts[0]}.py", path.parent / parts[0] / "__init__.py"):
                if candidate != path and candidate.is_file():
                    found[candidate.relative_to(path.parent).as_posix()] = _hash_of_file(candidate)
    return found


def _imported(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _own_version() -> str:
    from workbench import __version__

    return __version__
