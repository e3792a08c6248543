"""`Parcel`: what every piece of a job needs, sent to each worker once; and `run_piece`, which workers run.

In this process a parcel holds the thing itself. When something pickles it, only a token and the name of a spool file go
along, and the worker reads that file the first time; a worker that cannot reach the file says so and gets the content
with its next piece. A cluster scatters the content instead. So nothing large travels with every piece.
"""

from __future__ import annotations

import os
import platform
import tempfile
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from workbench import __version__
from workbench.errors import RunError
from workbench.research.spreading.pickling import dumps, loads

__all__ = [
    "Content",
    "Done",
    "Failure",
    "FullParcel",
    "Missing",
    "Parcel",
    "Task",
    "differences",
    "run_piece",
    "run_piece_of",
    "versions_here",
]

Task = Callable[[Any, int, int], Any]

_KEPT: Final = 2  # jobs whose content a worker keeps: one that runs, one that was interrupted by it

_opened: OrderedDict[str, tuple[Task, Any]] = OrderedDict()
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class Done:
    """A piece is done: its result, and how long it took."""

    out: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A task raised, or could not be begun; `error` is None where it cannot travel."""

    error: BaseException | None
    message: str
    trace: str


@dataclass(frozen=True, slots=True)
class Missing:
    """The worker cannot reach the content."""


@cache
def versions_here() -> dict[str, str]:
    """Give the versions that must agree for results to be the same everywhere."""
    found = {"python": ".".join(platform.python_version_tuple()[:2]), "workbench": __version__}
    for name in ("numpy", "numba"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def differences(wanted: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Say which versions of a worker are other than wanted; empty where they agree."""
    return ", ".join(f"{name} {there[name]} in place of {own}" for name, own in wanted.items() if there[name] != own)


class Parcel:
    """A task and what it shares between its pieces.

    Parameters
    ----------
    task : callable
    shared : object
    """

    def __init__(self, task: Task, shared: Any) -> None:
        self.token = uuid.uuid4().hex
        self.versions = versions_here()
        self.content: bytes | None = None
        self._inside: tuple[Task, Any] | None = (task, shared)
        self._spool: str | None = None
        self._packing = threading.Lock()

    def pack(self) -> bytes:
        """Give the content as bytes; made once."""
        with self._packing:
            if self.content is None:
                self.content = dumps(self._inside)
            return self.content

    def spool(self) -> str:
        """Write the content to a file that only this user can read, once, and give its path."""
        content = self.pack()
        with self._packing:
            if self._spool is None:
                handle, self._spool = tempfile.mkstemp(prefix="workbench-spread-")
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
            return self._spool

    def full(self) -> FullParcel:
        """Give the same with its content inside."""
        return FullParcel(self.token, self.versions, self.pack())

    def open(self) -> tuple[Task, Any]:
        """Give task and shared; a worker reads them the first time that it is asked."""
        return self._inside or _open(self.token, lambda: Path(str(self._spool)).read_bytes())

    @property
    def sent(self) -> bool:
        """Whether this is a copy in a worker."""
        return self._inside is None

    def close(self) -> None:
        """Remove the spool file."""
        with self._packing:
            if self._spool is not None:
                try:
                    os.unlink(self._spool)
                except FileNotFoundError:
                    pass
                self._spool = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _parcel_of, (self.token, self.versions, self.spool())


def _parcel_of(token: str, versions: dict[str, str], spool: str | None) -> Parcel:
    parcel = object.__new__(Parcel)
    parcel.token, parcel.versions, parcel.content = token, versions, None
    parcel._inside, parcel._spool, parcel._packing = None, spool, threading.Lock()
    return parcel


@dataclass(frozen=True, slots=True)
class FullParcel:
    """A parcel that carries its content."""

    token: str
    versions: dict[str, str]
    content: bytes

    def open(self) -> tuple[Task, Any]:
        """See `Parcel.open`."""
        return _open(self.token, lambda: self.content)


class Content:
    """What is in a parcel, for a cluster: one object on each worker, which is opened once and goes when dask drops it.

    Parameters
    ----------
    packed : bytes
    """

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._inside: tuple[Task, Any] | None = None
        self._opening = threading.Lock()

    def open(self) -> tuple[Task, Any]:
        """See `Parcel.open`."""
        with self._opening:
            if self._inside is None:
                self._inside = loads(self._packed)
            return self._inside

    def __reduce__(self) -> tuple[Any, ...]:
        return Content, (self._packed,)

    def __sizeof__(self) -> int:
        return 2 * len(self._packed)


def _open(token: str, read: Callable[[], bytes]) -> tuple[Task, Any]:
    with _opening:
        if token not in _opened:
            _opened[token] = loads(read())
            while len(_opened) > _KEPT:
                _opened.popitem(last=False)
        _opened.move_to_end(token)
        return _opened[token]


def run_piece(parcel: Parcel | FullParcel, start: int, stop: int) -> Done | Failure | Missing:
    """Run one piece of a job; what the task raises comes back as a value, so that it survives every way back."""
    wrong = differences(parcel.versions, versions_here())
    if wrong:
        return _other_versions(wrong)
    try:
        task, shared = parcel.open()
    except FileNotFoundError:
        return Missing()
    except Exception as error:
        return _unreadable(error)
    return _run(task, shared, start, stop, travels=not isinstance(parcel, Parcel) or parcel.sent)


def run_piece_of(content: Content, versions: Mapping[str, str], start: int, stop: int) -> Done | Failure:
    """Run one piece of a job on a cluster; as `run_piece`."""
    wrong = differences(versions, versions_here())
    if wrong:
        return _other_versions(wrong)
    try:
        task, shared = content.open()
    except Exception as error:
        return _unreadable(error)
    return _run(task, shared, start, stop, travels=True)


def _run(task: Task, shared: Any, start: int, stop: int, *, travels: bool) -> Done | Failure:
    began = time.perf_counter()
    try:
        out = task(shared, start, stop)
    except Exception as error:
        kept = _fit_to_travel(error) if travels else error
        return Failure(kept, f"{type(error).__name__}: {error}", traceback.format_exc())
    return Done(out, time.perf_counter() - began)


def _other_versions(wrong: str) -> Failure:
    return Failure(
        RunError(f"a worker on {platform.node()} has {wrong}; start the workers from the environment of this process"),
        "",
        "",
    )


def _unreadable(error: Exception) -> Failure:
    return Failure(None, f"the worker cannot read what it is to compute: {type(error).__name__}: {error}", "")


def _fit_to_travel(error: Exception) -> Exception | None:
    try:
        again = loads(dumps(error))
    except Exception:
        return None
    return again if type(again) is type(error) else None
