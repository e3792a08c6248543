"""Writing files so that they are whole and on disk when the call returns, and saying in words why they are not.

The disk's errors are mapped here, once: `explained` turns an `OSError` into a `DataError` that names the path, the free
space and the fix.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from workbench.errors import DataError

__all__ = ["explained", "make_folder", "replace_files", "sync_folder", "write_new"]

_FIXES: Final = {
    errno.ENOSPC: "free some space, or keep the data on another disk",
    errno.EDQUOT: "your disk quota is used up: free some space, or keep the data on another disk",
    errno.EFBIG: "this process may not write files that large: raise `ulimit -f`",
    errno.EACCES: "check who owns the folder and may write to it",
    errno.EPERM: "check who owns the folder and may write to it",
    errno.EROFS: "the disk is mounted read-only: keep the data on another one",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away",
    errno.EEXIST: "a file stands where a folder is needed: move it away",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Map the errors of writing to a path, once, at this border."""
    try:
        yield
    except OSError as error:
        fix = _FIXES.get(error.errno or 0, "check the disk")
        free = f" ({_free_space(path)})" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise DataError(
            f"cannot write {path}: {error.strerror or error}{free}; {fix}. Nothing was changed",
            path=str(path),
            errno=error.errno,
        ) from error


def _free_space(path: Path) -> str:
    for folder in path.parents:
        with suppress(OSError):
            return f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB free"
    return "free space unknown"


def make_folder(folder: Path) -> None:
    """Make a folder and what is above it, each name on disk before anything is put inside."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_new(path: Path, content: bytes | memoryview, mode: int = 0o666) -> None:
    """Write a new file and wait until it is on disk; nobody ever sees it with more rights than `mode` gives."""
    with open(path, "xb", buffering=0, opener=lambda name, flags: os.open(name, flags, mode)) as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    if os.name == "nt":
        return  # Windows has no folder handles to flush; the rename itself is journalled
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Put whole files in the place of those of their names: all are on disk before the first takes its place.

    Parameters
    ----------
    folder : Path
        Made if need be.
    files : mapping of str to bytes
        File name to content.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        The disk refuses, or a folder has such a name; then nothing was changed, as long as the disk refuses to write
        and not merely to rename.
    """
    for name in files:
        if (folder / name).is_dir():
            raise DataError(
                f"cannot write {folder / name}: a folder is there; move it away, or use another name. Nothing was "
                "changed",
                path=str(folder / name),
            )
    with explained(folder):
        make_folder(folder)
        part = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            for name, content in files.items():
                write_new(part / name, content)
            for name in files:
                os.replace(part / name, folder / name)
            sync_folder(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return [folder / name for name in files]
