"""The files of strategies from their beginning to their end: made from a template, restored, retired, taken back."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench._durable import explained, make_folder, sync_folder, write_new
from workbench.errors import StrategyError, WorkbenchError
from workbench.strategy import retirement
from workbench.strategy.loader import classes_of
from workbench.strategy.names import ENDINGS, LIBRARY, find_file, no_such, parse_name
from workbench.strategy.templates import render
from workbench.strategy.versions import Archive

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["create", "file_of", "restore", "retire", "unretire"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def create(name: str, settings: Settings, *, template: str = "signals") -> Path:
    """Write a new strategy file.

    Parameters
    ----------
    name : str
        In lower case, such as `"my_trend"`.
    settings : Settings
    template : str, default "signals"
        `"signals"`, `"orders"`, `"rules"`, or one of the library such as `"library:grid"`.

    Returns
    -------
    Path

    Raises
    ------
    StrategyError
        The name is no name of a file of code, there is such a file, or there is no such template.
    DataError
        The folder cannot be written.
    """
    stem = name.removesuffix(".py").removesuffix(".yaml")
    if not _NAME.fullmatch(stem) or keyword.iskeyword(stem):
        raise StrategyError(f"{name!r} cannot be the name of a strategy: use lower case, digits and _, as in my_trend")
    text, ending = render(template, stem)
    path = settings.strategies / f"{stem}{ending}"
    if path.exists():
        raise StrategyError(f"{path} is there already; choose another name, or edit it", path=str(path))
    _write(path, text)
    return path


def restore(name: str, settings: Settings, *, to: Path | None = None, force: bool = False) -> Path:
    """Write a kept version back to a file.

    Parameters
    ----------
    name : str
        With a hash, such as `"sma_cross@3f2a9c"`.
    settings : Settings
    to : Path, optional
        The file; the one that it was when left out.
    force : bool, default False
        Overwrite a file that differs; what it held is kept as a version first.

    Returns
    -------
    Path

    Raises
    ------
    StrategyError
        There is no such version, or the file is there with something else in it and `force` is not given.
    DataError
        The file cannot be written.
    """
    said = parse_name(name)
    if not said.version:
        raise StrategyError(
            f"{name!r} names no version; give its hash, as `workbench strategies versions {name}` lists"
        )
    archive = Archive.of(settings)
    version = archive.find(said, None if said.library else find_file(said, settings))
    file = version.name.removeprefix(LIBRARY) + ".py" if version.name.startswith(LIBRARY) else version.name
    target = settings.strategies / file if to is None else to
    source = version.source
    if target.exists():
        if target.read_bytes() == source.encode():
            return target
        if not force:
            raise StrategyError(
                f"{target} is there, and differs from {version.code_hash[:8]}; --force overwrites it (what it holds "
                "now is kept as a version first), --to FILE writes another file",
                path=str(target),
            )
        _keep_if_it_loads(archive, target)
    _write(target, source)
    return target


def retire(name: str, settings: Settings, *, reason: str = "") -> retirement.Decision:
    """Retire a strategy file: hide it from lists and refuse it to new runs, unless it is named with its hash.

    The version that is retired is kept, where it loads.
    """
    path = file_of(name, settings)
    code_hash = _keep_if_it_loads(Archive.of(settings), path)
    return retirement.retire(path, code_hash=code_hash, reason=reason)


def unretire(name: str, settings: Settings, *, reason: str = "") -> retirement.Decision:
    """Take a retired strategy file back."""
    path = file_of(name, settings)
    return retirement.unretire(path, code_hash=_keep_if_it_loads(Archive.of(settings), path), reason=reason)


def file_of(name: str, settings: Settings) -> Path:
    """Give the file of a strategy of the workspace, retired or not.

    Raises
    ------
    StrategyError
        There is none.
    """
    said = parse_name(name)
    path = None if said.library else find_file(said, settings)
    if path is None:
        from workbench.strategy.library import names

        if said.file in names():
            raise StrategyError(
                f"{said.file} is of the library and has no file here; `workbench strategies new NAME --template "
                f"{LIBRARY}{said.file}` makes one of your own"
            )
        raise no_such(said, settings, ())
    return path


def _keep_if_it_loads(archive: Archive, path: Path) -> str:
    """Keep what a file holds now and give its hash; a file that does not load has no version."""
    try:
        loaded: Mapping[str, type] = classes_of(path) if path.suffix in ENDINGS else {}
        kept = [archive.keep(cls) for cls in loaded.values()]
    except WorkbenchError:
        return ""
    return kept[0].code_hash if kept and kept[0] is not None else ""


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    with explained(path):
        make_folder(path.parent)
        try:
            write_new(temporary, text.encode())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
