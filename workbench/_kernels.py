"""How a plain function becomes a compiled kernel, in one place.

`kernel` is `numba.njit` with the options that the whole house shares: results are cached on disk, the GIL is let go,
division follows IEEE (no exceptions), and never `fastmath` (a metric must not depend on how a sum was reordered).

numba throws a cached kernel away when the file of the kernel changes, but not when a kernel that it *calls* changes in
another file. Money depends on that difference, so the cache here also watches the files of every kernel called.
Arrays enter kernels as read-only views (`frozen`): each kernel is then compiled once, not once per writability.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import caching
from numba.core.dispatcher import Dispatcher
from numpy.typing import ArrayLike, NDArray

__all__ = ["frozen", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


class _WatchingCache(caching.FunctionCache):  # type: ignore[misc]
    """The disk cache of one kernel, stale as soon as one of the watched files changes."""

    def __init__(self, function: Callable[..., Any], watched: frozenset[str]) -> None:
        super().__init__(function)
        digest = hashlib.sha256()
        for name in sorted(watched):
            digest.update(Path(name).read_bytes())
        stamp = (self._impl.locator.get_source_stamp(), digest.hexdigest())
        self._cache_file = caching.IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)


def kernel(function: F) -> F:
    """Compile a function of numbers and arrays with numba, cached on disk.

    Parameters
    ----------
    function : callable
        Plain Python that numba can compile. Kernels that it calls must be module globals defined before it.

    Returns
    -------
    callable
        The compiled function; the plain one stays reachable as `.py_func`.
    """
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
    compiled._workbench_files = _files_of(function)
    try:
        compiled._cache = _WatchingCache(function, compiled._workbench_files)
    except (RuntimeError, OSError):
        pass  # no writable cache directory, or source that is not a file: compiled again in each process
    return cast(F, compiled)


def _files_of(function: Callable[..., Any]) -> frozenset[str]:
    files = {function.__code__.co_filename} if Path(function.__code__.co_filename).is_file() else set()
    for name in function.__code__.co_names:
        called = function.__globals__.get(name)
        if isinstance(called, Dispatcher):
            files |= getattr(called, "_workbench_files", frozenset())
    return frozenset(files)


def frozen(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    """Give a read-only, C-contiguous view (a copy only where the values are not such an array already).

    Parameters
    ----------
    values : array_like, shape (n,)
    dtype : numpy dtype, default float64

    Returns
    -------
    numpy.ndarray, shape (n,), not writeable
        The caller's own array keeps its flags.
    """
    view = np.ascontiguousarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view
