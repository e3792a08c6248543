"""Bots that share an account's limits, hear several lengths of bars, and are minded between two bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import MINUTE, PERP, run, swinging
from tests.bots.runner_stage import Quiet, bot
from workbench.bots.peers import Peers
from workbench.practice.exchange import Exchange
from workbench.risk.limits import Limits


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP) as served:
        yield served


class Buys(wb.OrderStrategy):
    """Buys once and holds."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        return None if view.quantity() or view.wishes() else view.market("buy", 0.5)


def test_two_bots_keep_the_limits_of_their_account_together(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        peers = Peers()
        limits = {"account": Limits(gross_exposure=0.004)}  # 80 of the 20,000 that both have
        how: dict[str, Any] = {"strategy": Buys(), "account": "shared", "peers": peers, "limits": limits}
        async with AsyncExitStack() as stack:
            bots = [
                await stack.enter_async_context(bot(exchange, tmp_path, PERP, name=name, **how))
                for name in ("one", "two")
            ]
            for mine in bots:
                await stack.enter_async_context(mine.session())
                await mine.reaches("RUNNING")
            assert peers.members == ("one", "two")
            for _ in range(2):
                for mine in bots:
                    await mine.minutes(1)
            held = sorted(mine.held() for mine in bots)
            assert held[1] == 0.5 and sum(held) * 100.0 <= 84.0, held
            texts = [one.text for mine in bots for one in mine.journal.logs(category="risk").lines]
            assert any("gross_exposure" in one or "exposure" in one for one in texts), texts
            bots[0].runner.stop()
            await bots[0].ends()
            assert peers.members == ("two",)

    run(story())


class Two(wb.OrderStrategy):
    """Keeps what it sees of five minutes as each minute closes."""

    def on_bar(self, view: Any, bar: Any) -> None:
        ts = view.bars("ts", timeframe="5m")
        view.memory.setdefault("seen", []).append([bar.closes, int(ts[-1]) if len(ts) else -1])


def test_a_bot_hears_several_lengths_of_bars_and_the_longer_one_first(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Two(), extra=("5m",)) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.minutes(11)
            seen = runner.shell.mind.core.view.memory["seen"]
            assert len(seen) >= 10
            five = 5 * MINUTE
            assert [last for _, last in seen] == [closes // five * five - five for closes, _ in seen]

    run(story())


class Flips(Buys):
    """Closes as soon as it has bought."""

    def on_fill(self, view: Any, fill: Any) -> Any:
        return view.close() if fill.side == "buy" else None


def test_what_a_fill_brings_about_waits_for_no_bar(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Flips()) as mine, mine.session():
            await mine.reaches("RUNNING")
            await mine.minutes(1)
            await mine.waits(lambda: len(mine.one.orders()) >= 2 and not mine.held())
            kinds = [one.kind for one in mine.journal.entries(kinds=["Bar", "Submit"])]
            first = kinds.index("Submit")
            assert kinds[first : first + 2] == ["Submit", "Submit"]  # and no bar between them

    run(story())


def test_money_that_came_while_nobody_looked_is_told_after_a_restart(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine:
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                runner.stop()
                await mine.ends()
            exchange.call(lambda: exchange.engine.adjust(mine.one.account, "USDT", 500.0, "deposit", wallet="linear"))
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                for _ in range(2):
                    runner.look_soon()
                    await mine.minutes(1)
                assert any("money in USDT" in one.text for one in mine.alerts), mine.alerts

    run(story())
