"""A nursery: a process that has imported everything and forks bots, so that a life costs no imports.

It reads a line of JSON for each life from its standard input and answers with the number of the process; when its input
ends, as it does when whoever started it dies, it kills all that it has forked.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn

from workbench.errors import WorkbenchError

__all__ = ["nurse"]

Live = Callable[[dict[str, Any]], Awaitable[None]]


def nurse(live: Live) -> None:
    """Fork lives as they are asked for."""
    import ccxt.async_support
    import ccxt.pro  # noqa: F401  before the first fork, so that no life pays for it

    from workbench.bots.journal.database import Database  # noqa: F401

    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            children.discard(order["reap"])
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _live_and_exit(live, order)
        children.add(pid)
        print(pid, flush=True)
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _live_and_exit(live: Live, order: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        log = os.open(f"{order['folder']}/said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(number, target)
        faulthandler.enable()

        async def life() -> None:
            await live(order)

        asyncio.run(life())
        code = 0
    except WorkbenchError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
