"""Parity of bots at a practice exchange: what they heard is the tape, and what slipped is taken apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import PERP, run, swinging
from tests.bots.runner_stage import bot
from tests.cli.made import workspace_in
from workbench.bots.comparison import ParityReport, parity
from workbench.bots.journal import bots_folder
from workbench.bots.spec import BotSpec, Series
from workbench.market.lake import Lake
from workbench.practice.exchange import Exchange
from workbench.settings import Settings, load_settings
from workbench.strategy.loader import load_strategy

SWINGER = """
import workbench as wb

class Swinger(wb.OrderStrategy):
    def on_bar(self, view, bar):
        minute = bar.ts // 60_000 % 5
        if minute == 0 and not view.quantity():
            return view.market("buy", 0.5)
        if minute == 3 and view.quantity():
            return view.close()
"""


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
        name="swing", strategy="swinger", series=(Series(PERP, "1m"),), leverage=5.0, mode="paper", venue="practice",
        **options,
    )  # fmt: skip
    code = load_strategy("swinger", settings=settings)().code_hash
    return {"spec": spec.to_plain(), "code": code, "instruments": [exchange.engine.instrument(PERP).to_dict()]}


def lived(exchange: Exchange, settings: Settings, story: Any, **options: Any) -> ParityReport:
    async def life() -> None:
        strategy = load_strategy("swinger", settings=settings)()
        how = {"strategy": strategy, "details": details(settings, exchange, **options)}
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


@pytest.mark.long
def test_a_bot_at_a_venue_is_compared_on_what_it_heard(exchange: Exchange, settings: Settings) -> None:
    report = lived(exchange, settings, trades)
    sums_up(report)
    assert len(report.trades) >= 2 and report.trades["lived_pnl"].notna().all()  # each has its own
    assert report.score > 0.95 and report.alarm == ""
    assert set(report.causes.index) <= {"price slippage", "fee"}  # the backtest takes half a tick off, the venue not
    assert report.trend["trades"].sum() == len(report.trades)


@pytest.mark.long
def test_another_fee_of_a_venue_is_named(exchange: Exchange, settings: Settings) -> None:
    report = lived(exchange, settings, trades, fee=0.00005)
    sums_up(report)
    assert report.causes.index[0] == "fee" and report.causes.loc["fee", "cost"] < 0.0


def test_what_a_bot_slept_through_is_a_restart(exchange: Exchange, settings: Settings) -> None:
    async def story(mine: Any) -> None:
        await trades(mine, 6)
        await mine.one.minutes(12)
        await trades(mine, 6)

    report = lived(exchange, settings, story)
    sums_up(report)
    assert report.causes.index[0] == "restart"
    assert len(report.restarts) == 1 and len(report.trend_by("session")) == 2


@pytest.mark.long
def test_an_order_that_the_venue_refuses_is_named(exchange: Exchange, settings: Settings) -> None:
    async def story(mine: Any) -> None:
        async with mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.before_minute(0)
            exchange.faults.add({"fault": "server_error", "target": "submit", "status": 400, "when": {"count": 1}})
            await mine.minutes(12)
            runner.stop()
            await mine.ends()

    report = lived(exchange, settings, story)
    sums_up(report)
    print(report.causes)


@pytest.mark.long
def test_bars_that_the_lake_has_otherwise_are_seen(exchange: Exchange, settings: Settings) -> None:
    report = lived(exchange, settings, trades)
    tape = next(iter(report.promise.plan.lines)).bars
    other = wb.Bars(
        instrument=tape.instrument.replace(venue="practice"), timeframe="1m", ts=tape.ts, open=tape.open * 1.01,
        high=tape.high * 1.01, low=tape.low * 1.01, close=tape.close * 1.01, volume=tape.volume,
    )  # fmt: skip
    Lake(settings.lake_root).write(other)
    again = parity("swing", settings=settings)
    sums_up(again)
    assert again.promised != report.promised and again.lived == report.lived
