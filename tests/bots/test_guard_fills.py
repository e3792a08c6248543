"""What a guard has executed while its bot was dead comes into the books once, whatever else goes wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bots.brokers.stage import PERP, run, swinging
from tests.bots.runner_stage import Bot, Quiet, bot
from workbench.bots.brokers.talk import VenueFill
from workbench.bots.guard_record import Record, keep_record, record_file
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward
from workbench.bots.guarding import Guarding, _finish, _Teller
from workbench.practice.exchange import Exchange
from workbench.trading.orders import Order

NAME = "swing"


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP) as served:
        yield served


async def of_a_guard(mine: Bot) -> tuple[VenueFill, ...]:
    """Have a guard execute something, and write it down."""
    one = mine.one
    await one.submit(Order("wb" + "a" * 22, PERP, "buy", quantity=0.5))
    fills = tuple(fill for fill in (await one.look()).fills if fill.id == "wb" + "a" * 22)
    record = Record(NAME, "flatten", "killed", 5, verified=True, journalled=True, fills=[list(fill) for fill in fills])
    keep_record(mine.folder, record, b"0" * 32)
    return fills


def test_the_record_goes_when_the_journal_can_be_written_again_and_books_nothing_twice(
    exchange: Exchange, tmp_path: Path
) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            ward = Ward(NAME, str(tmp_path), [], 0, 0.0, "", "")
            teller = _Teller(runner, Guarding(ward, GuardTerms()), tmp_path)
            file, held = record_file(tmp_path, NAME), runner.shell.mind.core.account.quantity
            other = sqlite3.connect(tmp_path / f"{NAME}.sqlite", isolation_level=None)
            fills = await of_a_guard(mine)
            other.execute("BEGIN IMMEDIATE")
            runner.guards_fills, runner.watched = fills, teller.turn
            runner.await_fills(fills)
            runner.shell.adopt(runner.now, {fill.trade_id for fill in fills})
            runner.look_soon()
            await mine.waits(lambda: teller._noted)
            assert file.exists() and held(PERP) == 0.5
            other.execute("ROLLBACK")
            other.close()
            await mine.waits(lambda: not file.exists())
            assert not file.exists() and runner.state == "RUNNING"
            clerk = runner.shell.clerk
            clerk.trades.clear()  # a day later
            clerk.forgotten = fills[-1].ts + 1
            runner.await_fills(fills)
            assert held(PERP) == 0.5 and not clerk.early

    run(story())


def test_what_an_earlier_guard_has_done_is_not_said_of_a_kill_that_failed(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine, mine.opened() as runner:
            key = b"0" * 32
            keep_record(tmp_path, Record(NAME, "flatten", "killed", 5_000, verified=True, text="all closed"), key)
            runner.reason = "killed; NOT DONE, see to it at the venue"
            _finish(runner, Ward(NAME, str(tmp_path), [], 0, 6.0, "", ""), key)
            assert "NOT DONE" in runner.reason and not mine.alerts
            _finish(runner, Ward(NAME, str(tmp_path), [], 0, 4.0, "", ""), key)
            assert "all closed" in runner.reason and mine.alerts

    run(story())
