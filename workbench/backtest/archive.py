"""A set of named files as one folder or one zip file: written whole or not at all, and checked when read.

`manifest.json` carries the schema version and a checksum of every file, and its own. Nothing here knows what the files
mean.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from workbench._durable import explained, make_folder, sync_folder, write_new
from workbench.errors import DataError

__all__ = ["VERSION", "read", "replace_file", "write"]

VERSION: Final = 1
_FORMAT: Final = "workbench result"
_MANIFEST: Final = "manifest.json"


def write(path: Path, content: Mapping[str, Any], files: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Write an archive; a path that ends in `.zip` becomes one file, any other a folder.

    Parameters
    ----------
    path : Path
    content : mapping
        Plain JSON data, kept in the manifest.
    files : mapping of str to bytes
    overwrite : bool
        Whether an archive that is there already may be replaced.

    Raises
    ------
    DataError
        There is something at the path that may not be replaced, or the disk refuses; nothing was changed.
    """
    if path.exists() or path.is_symlink():
        _require_replaceable(path, overwrite)
    manifest = _manifest_of(content, files)
    with explained(path):
        make_folder(path.parent)
        if path.suffix == ".zip":
            replace_file(path, _zipped({_MANIFEST: manifest, **files}))
        else:
            _write_folder(path, {_MANIFEST: manifest, **files})


def replace_file(path: Path, content: bytes) -> None:
    """Put a whole file in the place of what is at a path, or leave everything as it was."""
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        write_new(part / path.name, content)
        os.replace(part / path.name, path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        (part / "new").mkdir()
        for name, data in files.items():
            write_new(part / "new" / name, data)
        sync_folder(part / "new")
        if path.exists():  # a folder that is not empty cannot be replaced in one step: the old one goes aside
            os.rename(path, part / "old")
        try:
            os.rename(part / "new", path)
        except OSError:
            with suppress(OSError):
                os.rename(part / "old", path)
            raise
        sync_folder(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _require_replaceable(path: Path, overwrite: bool) -> None:
    is_archive = (path / _MANIFEST).is_file() if path.is_dir() else path.suffix == ".zip"
    if overwrite and is_archive:
        return
    advice = (
        "say overwrite=True, or choose another name" if is_archive else "that is no saved result: choose another name"
    )
    raise DataError(f"{path} is there already; {advice}", path=str(path))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _manifest_of(content: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    said = {"files": {name: {"size": len(data), "crc32": _checksum(data)} for name, data in files.items()}, **content}
    whole = {"format": _FORMAT, "version": VERSION, "checksum": _checksum(_canonical(said)), "content": said}
    return json.dumps(whole, indent=1, allow_nan=False).encode()


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, allow_nan=False).encode()


def _checksum(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"


def read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read an archive and check every byte of it.

    Returns
    -------
    content, files

    Raises
    ------
    DataError
        There is none, it is damaged or incomplete, or a newer workbench has written it.
    """
    files = _files_of(path)
    try:
        whole = json.loads(files.pop(_MANIFEST))
        if whole["format"] != _FORMAT:
            raise DataError(f"{path} holds a {whole['format']!r}, not a saved result", path=str(path))
        version = whole["version"]
        if version != VERSION:
            raise DataError(
                f"{path} was saved with schema version {version!r}; this workbench reads version {VERSION}: use the "
                "workbench that wrote it, or a newer one",
                path=str(path),
                version=version,
            )
        content = whole["content"]
        damaged = [] if whole["checksum"] == _checksum(_canonical(content)) else [_MANIFEST]
        for name, facts in content["files"].items():
            if name not in files or facts != {"size": len(files[name]), "crc32": _checksum(files[name])}:
                damaged.append(name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} is damaged: its {_MANIFEST} is none ({error!r}); save it again", path=str(path)
        ) from error
    if damaged:
        raise DataError(
            f"{path} is damaged: {', '.join(damaged)} is missing or not what was written; save the result again, or "
            "restore it from a backup",
            path=str(path),
            damaged=damaged,
        )
    return content, files


def _files_of(path: Path) -> dict[str, bytes]:
    try:
        if path.is_dir():
            files = {one.name: one.read_bytes() for one in path.iterdir() if one.is_file()}
        else:
            with zipfile.ZipFile(path) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no saved result; check the path", path=str(path)) from error
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read as a saved result: {error}", path=str(path)) from error
    if _MANIFEST not in files:
        raise DataError(f"{path} is no saved result: it has no {_MANIFEST}", path=str(path))
    return files
