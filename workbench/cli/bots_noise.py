"""What is kept from the screen while a bot runs: words of libraries that say nothing new."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["leave_out_noise"]


def leave_out_noise(loop: asyncio.AbstractEventLoop) -> None:
    """Say nothing of errors that ccxt leaves in futures that nobody awaits: the feed tells of broken connections."""
    loop.set_exception_handler(_told)


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    import ccxt

    future = context.get("future")
    if (
        isinstance(context.get("exception"), ccxt.BaseError)
        and "never retrieved" in context.get("message", "")
        and not isinstance(future, asyncio.Task)  # a task may be ours
    ):
        return
    loop.default_exception_handler(context)
