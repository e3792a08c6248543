"""Parity of bots at a practice exchange: what they heard is the tape, and what slipped is taken apart."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import PERP, run, swinging
from tests.bots.runner_stage import bot
from tests.cli.made import workspace_in
from workbench.bots.comparison import ParityReport, parity
from workbench.bots.journal import bots_folder
from workbench.bots.spec import BotSpec, Series
from workbench.practice.exchange import Exchange
from workbench.settings import Settings, load_settings
from workbench.strategy.loader import load_strategy

SWINGER = '''
import workbench as wb

class Swinger(wb.OrderStrategy):
    def on_bar(self, view, bar):
        minute = bar.ts // 60_000 % 5
        if minute == 0 and not view.quantity():
            return view.market("buy", 0.5)
        if minute == 3 and view.quantity():
            return view.close()
'''


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP) as served:
        yield served


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = workspace_in(tmp_path, 48)
    (root / "strategies" / "swinger.py").write_text(SWINGER)
    return load_settings(root)


def details(settings: Settings, exchange: Exchange, **options: Any) -> dict[str, Any]:
    """What a session of a bot at a venue begins with."""
    spec = BotSpec(
        name="swing", strategy="swinger", series=(Series(PERP, "1m"),), leverage=5.0, **options
    )  # fmt: skip
    told = {**spec.to_plain(), "mode": "paper", "venue": "binance"}
    facts = exchange.engine.instrument(PERP)
    return {"spec": told, "code": load_strategy("swinger", settings=settings).code_hash, "instruments": [facts.to_dict()]}


def lived(exchange: Exchange, settings: Settings, story: Any, **options: Any) -> ParityReport:
    async def life() -> None:
        how = {"strategy": load_strategy("swinger", settings=settings)(), "details": details(settings, exchange, **options)}
        bots_folder(settings).mkdir(parents=True, exist_ok=True)
        async with bot(exchange, bots_folder(settings), PERP, **how) as mine:
            await story(mine)

    run(life(), 40.0)
    return parity("swing", settings=settings)


async def trades(mine: Any, minutes: int = 12) -> None:
    async with mine.session() as runner:
        await mine.reaches("RUNNING")
        await mine.minutes(minutes)
        runner.stop()
        await mine.ends()


def sums_up(report: ParityReport) -> None:
    whole = math.fsum(one.difference for one in report.compared)
    assert math.isclose(whole, math.fsum(report.causes["cost"]), rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(whole, report.lived - report.promised, rel_tol=1e-9, abs_tol=1e-9)
    slipped = report.causes["cost"].get("price slippage", 0.0)
    assert math.isclose(slipped, math.fsum(report.slippage["cost"]), rel_tol=1e-9, abs_tol=1e-7)


def test_a_bot_at_a_venue_is_compared_on_what_it_heard(exchange: Exchange, settings: Settings) -> None:
    report = lived(exchange, settings, trades)
    print(report, report.causes, report.slippage, report.trades.T, sep="\n")
    sums_up(report)
    assert 0
