"""What a running bot keeps from the screen, and what it does not."""

from __future__ import annotations

import asyncio
import gc
import logging

import ccxt
import pytest

from workbench.cli.bots_noise import leave_out_noise


def test_only_errors_of_ccxt_that_nobody_awaits_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(error: Exception) -> None:
        raise error

    async def leave(*errors: Exception) -> None:
        leave_out_noise(asyncio.get_running_loop())
        for error in errors:
            asyncio.get_running_loop().create_future().set_exception(error)
        task = asyncio.create_task(fails(ccxt.NetworkError("of a task")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    with caplog.at_level(logging.ERROR, logger="asyncio"):
        asyncio.run(leave(ccxt.NetworkError("it is gone"), ValueError("ours")))
    told = " ".join(str(one.exc_info[1]) for one in caplog.records if one.exc_info)
    assert "it is gone" not in told and "ours" in told and "of a task" in told
