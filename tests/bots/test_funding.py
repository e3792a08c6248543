"""Funding that a venue settles comes into the books: what is a bot's own, once, also of the time while it was down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import MINUTE, PERP, SPOT, known, run, swinging
from tests.bots.runner_stage import bot
from tests.practice.stage import T0
from workbench.bots.brokers.talk import Snapshot, VenueFunding, VenuePosition
from workbench.bots.clerk_funding import Fundings
from workbench.practice.exchange import Exchange
from workbench.practice.markets import Listing
from workbench.trading.events import Filled, Funded

HOUR = 3_600_000
RATES = Listing(funding=tuple((T0 + k * HOUR, 0.001 * k) for k in range(1, 9)))


class Holder(wb.OrderStrategy):
    """Buys once and keeps it."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        return None if view.quantity() else view.market("buy", 0.5, stop_loss=0.3)


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    with swinging(PERP, SPOT, listing=RATES) as served:
        yield served


def test_a_bot_books_its_funding_once_also_what_came_while_it_was_down(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Holder()) as mine:
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                while not mine.held():
                    await mine.minutes(1)
                await mine.one.minutes((T0 + 2 * HOUR - exchange.now) / MINUTE + 1)
                runner.look_soon()
                await mine.waits(lambda: runner.shell.mind.core.account.funding != 0.0)
                await mine.minutes(1)
                runner.stop()
                await mine.ends()
            await mine.one.minutes((T0 + 3 * HOUR - exchange.now) / MINUTE + 1)
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.minutes(1)
                paid = exchange.call(lambda: exchange.engine.income(mine.one.account, kind="funding"))
                told = [one.record for one in mine.journal.entries(kinds=["Funded"])]
                assert [(one.ts, one.amount) for one in told] == [(one.ts, one.amount) for one in paid]
                assert [one.ts for one in told] == [T0 + 2 * HOUR, T0 + 3 * HOUR] and told[0].amount < 0.0
                core = runner.shell.mind.core
                assert core.account.funding == pytest.approx(sum(one.amount for one in paid))
                wallet = exchange.call(lambda: exchange.engine.balances(mine.one.account, "linear")[0].wallet)
                assert core.account.wallet - 10_000.0 == pytest.approx(wallet - 100_000.0)
                assert mine.alerts == []
                runner.stop()
                await mine.ends()

    run(story(), 40.0)


# the reckoning of what is a bot's own


def fill(ts: int, side: str, quantity: float, symbol: str = PERP) -> Filled:
    return Filled(ts, f"of {ts}", symbol, side, quantity, 100.0, 0.0, False, 100.0, "order", ts)


def seen(*rows: VenueFunding, asked: int = 10 * HOUR, whole: float = 0.0) -> Snapshot:
    positions = (VenuePosition(PERP, whole),) if whole else ()
    return Snapshot(asked, 0, (), (), positions, {}, rows)


@pytest.fixture
def book(exchange: Exchange) -> Fundings:
    return Fundings({symbol: known(exchange, symbol) for symbol in (PERP, SPOT)})


def test_nothing_is_asked_for_where_nothing_was_held(book: Fundings) -> None:
    assert book.since() == 0
    book.filled(fill(HOUR, "buy", 1.0, SPOT))
    assert book.since() == 0 and book.take(seen(VenueFunding(2 * HOUR, PERP, -1.0))) == []
    book.filled(fill(HOUR, "buy", 1.0))
    assert book.since() == HOUR


def test_what_was_held_at_the_time_counts_and_each_settlement_once(book: Fundings) -> None:
    book.filled(fill(HOUR + 5, "buy", 2.0))
    book.filled(fill(3 * HOUR, "sell", 2.0))
    rows = [VenueFunding(at * HOUR, PERP, -float(at)) for at in (1, 2, 3, 4)]
    (event,) = book.take(seen(*rows, asked=4 * HOUR))
    assert event[:3] == (2 * HOUR, PERP, 2.0) and event.amount == -2.0
    assert book.take(seen(*rows, asked=4 * HOUR)) == [] and book.since() == 0


def test_a_bot_that_shares_a_position_gets_its_share(book: Fundings) -> None:
    book.filled(fill(HOUR, "buy", 1.0))
    (event,) = book.take(seen(VenueFunding(2 * HOUR, PERP, -8.0), whole=4.0))
    assert event.amount == -2.0
    (event,) = book.take(seen(VenueFunding(11 * HOUR, PERP, -8.0), asked=12 * HOUR, whole=1.0))
    assert event.amount == -8.0


def test_what_a_journal_says_gives_the_same(book: Fundings, exchange: Exchange) -> None:
    book.filled(fill(HOUR, "buy", 0.1))
    book.filled(fill(HOUR + 1, "buy", 0.2))
    (event,) = book.take(seen(VenueFunding(2 * HOUR, PERP, -1.0), asked=2 * HOUR))
    told: list[Filled | Funded] = [fill(HOUR, "buy", 0.1), fill(HOUR + 1, "buy", 0.2), event]
    again = Fundings({PERP: known(exchange, PERP)})
    for one in told:
        again.funded(one) if isinstance(one, Funded) else again.filled(one)
    assert again.since() == book.since() == 2 * HOUR
    kept = Fundings({PERP: known(exchange, PERP)})
    kept.restore(json.loads(json.dumps(book.snapshot())))
    for one in (again, kept):
        one.filled(fill(3 * HOUR, "sell", 0.3))
        assert one.take(seen(VenueFunding(4 * HOUR, PERP, -1.0))) == []  # flat but for what floats lose


def test_a_venue_that_was_not_asked_says_nothing(book: Fundings) -> None:
    book.filled(fill(HOUR, "buy", 1.0))
    assert book.take(seen()._replace(funding=None)) == [] and book.since() == HOUR
