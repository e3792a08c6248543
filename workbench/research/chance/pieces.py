"""Runs shared out among workers in pieces; what comes of it does not depend on how."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["in_pieces"]


def in_pieces(
    task: Callable[[Any, int, int], dict[str, NDArray[Any]]],
    shared: Any,
    count: int,
    *,
    most: int,
    executor: Executor | None = None,
) -> dict[str, NDArray[Any]]:
    """Run a task over all of so many runs and put what it gave together, in the order of the runs.

    Parameters
    ----------
    task : callable
        A module's function of (shared, start, stop) that gives arrays with one row a run, by name.
    shared : object
        Picklable where the executor's workers are processes.
    count, most : int
        How many runs there are, and how many a piece has at most.
    executor : concurrent.futures.Executor, optional
        Threads of this process when left out.

    Returns
    -------
    dict of str to array, shape (count, ...)
    """
    size = max(1, min(most, -(-count // (os.cpu_count() or 1))))
    starts = range(0, count, size)
    if executor is not None:
        found = list(executor.map(task, [shared] * len(starts), starts, [min(s + size, count) for s in starts]))
    else:
        with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as threads:
            jobs = [threads.submit(task, shared, start, min(start + size, count)) for start in starts]
            try:
                found = [job.result() for job in jobs]
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
    return {name: np.concatenate([piece[name] for piece in found]) for name in found[0]}
