"""Running a coroutine to its end from code that is not asynchronous, wherever it stands.

A notebook has an event loop running already, and a second one cannot run in the same thread. So the coroutine gets a
thread with a loop of its own; Ctrl-C in the caller cancels it and waits until it has put things in order.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["run_apart"]

T = TypeVar("T")


def run_apart(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run what `make` gives to its end in a thread of its own, and give its result or raise its error."""
    results: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()  # to join the thread would not do: a join that Ctrl-C ends takes it for ended
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

    async def outer() -> None:
        task = asyncio.ensure_future(make())
        running.append((asyncio.get_running_loop(), task))
        results.append(await task)

    def work() -> None:
        try:
            asyncio.run(outer())
        except BaseException as error:  # the caller's thread raises it
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=work, name="workbench-download", daemon=True)
    thread.start()
    try:
        _wait(done)
    except KeyboardInterrupt:
        for loop, task in running:
            loop.call_soon_threadsafe(task.cancel)
        _wait(done)
        raise
    if errors:
        raise errors[0]
    return results[0]


def _wait(done: threading.Event) -> None:
    while not done.wait(0.2):  # without a limit Ctrl-C is not heard on every platform
        pass
