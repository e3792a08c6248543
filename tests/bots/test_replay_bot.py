"""A paper bot on a tape with its journal: broken off anywhere it goes on as if nothing had been."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.bots.journal import Journal, JournalReader
from workbench.bots.replaying import ReplayBot
from workbench.bots.spec import BotSpec, Series
from workbench.errors import ConfigError, DataError, RunError, StrategyError
from workbench.risk.limits import Limits
from workbench.settings import Settings, load_settings
from workbench.trading.events import CancelOrder, Filled, Moved, Submit, to_plain

SPEC = BotSpec(
    name="demo", strategy="library:grid", series=(Series("BTC/USDT", "1h"),), start="2021-01-01", end="2021-01-08"
)


class Broken(Exception):
    """The process is gone."""


class Fragile(Journal):
    """A journal in a process that is gone after some entries, with what had not been brought to disk."""

    left = 10**9

    def write(self, entry: Any, durable: bool = False) -> None:
        if self.left <= 0:
            raise Broken
        self.left -= 1
        super().write(entry, durable)

    def vanish(self) -> None:
        self._waiting.clear()
        self._end = self._written
        self.close()


def entries(place: Path) -> list[Any]:
    with JournalReader.open(place, "demo") as journal:
        own = ("Logged", "SessionStarted", "SessionEnded", "Moved")
        return [to_plain(one.record) for one in journal.entries() if one.kind not in own]


@pytest.fixture
def settings(workspace: Path) -> Settings:
    return load_settings(workspace)


def bot_of(settings: Settings, place: Path, spec: BotSpec = SPEC, **more: Any) -> tuple[ReplayBot, Journal]:
    journal = Journal.open(place, spec.name)
    try:
        return ReplayBot(spec, spec.plan(settings), journal, **more), journal
    except ConfigError:
        journal.close()
        raise


def run_through(settings: Settings, place: Path, spec: BotSpec = SPEC, **more: Any) -> ReplayBot:
    bot, journal = bot_of(settings, place, spec, **more)
    with journal:
        for _ in bot.steps():
            pass
    return bot


def test_limits_are_in_the_journal_and_hold_over_a_restart(settings: Settings, tmp_path: Path) -> None:
    few, fewer = {"bot": Limits(order_cash=60.0)}, {"workspace": Limits(order_cash=30.0)}
    bot, journal = bot_of(settings, tmp_path / "a.sqlite", limits=few)
    with journal:
        for count, _ in enumerate(bot.steps()):
            if count == 60:
                bot.stop()
    first = {one.limit for one in bot.mind.core.risk.decisions}  # type: ignore[union-attr]
    again = run_through(settings, tmp_path / "a.sqlite", limits=fewer)
    risk = again.mind.core.risk
    assert again.recovered > 50 and first == {"order_cash"} and risk is not None
    assert risk.limits == {"bot": Limits(), "workspace": fewer["workspace"]}
    with JournalReader.open(tmp_path / "a.sqlite", "demo") as read:
        told = [one.record for one in read.entries(kinds=("Limited",))]
    assert [(one.scope, one.limits["order_cash"]["at"]) for one in told if one.limits] == [
        ("bot", 60.0), ("workspace", 30.0),
    ]  # fmt: skip


def test_it_trades_what_the_backtest_does(settings: Settings, tmp_path: Path) -> None:
    bot = run_through(settings, tmp_path / "a.sqlite")
    wanted = wb.backtest(SPEC.made(settings), SPEC.bars(settings), path="event", **SPEC.options()).records
    found = bot.replay.log.records(bot.replay)
    assert len(wanted.fills) > 5 and np.array_equal(wanted.fills, found.fills)
    assert bot.state == "STOPPED" and bot.reason == "the tape has ended"


def test_broken_off_anywhere_it_goes_on(settings: Settings, tmp_path: Path) -> None:
    run_through(settings, tmp_path / "whole.sqlite")
    whole = entries(tmp_path / "whole.sqlite")
    dice, place = random.Random(5), tmp_path / "torn.sqlite"
    breaks = 0
    for _ in range(60):
        journal = Fragile.open(place, "demo")
        bot = ReplayBot(SPEC, SPEC.plan(settings), journal)
        journal.left = dice.randint(1, len(whole) // 4)
        try:
            for number, _ in enumerate(bot.steps()):
                if number % 7 == 0:
                    journal.flush()
        except Broken:
            breaks += 1
            journal.vanish()
        else:
            journal.close()
            break
    assert breaks >= 4 and bot.reason == "the tape has ended"
    assert entries(place) == whole
    with Journal.open(place, "demo") as again:
        assert again.verify().ok
        assert len(again.sessions()) == breaks + 1


def test_it_stops_when_asked_and_goes_on(settings: Settings, tmp_path: Path) -> None:
    place = tmp_path / "a.sqlite"
    run_through(settings, tmp_path / "whole.sqlite")
    bot, journal = bot_of(settings, place)
    with journal:
        for number, _ in enumerate(bot.steps()):
            if number == 40:
                bot.stop()
        assert (bot.state, bot.reason) == ("STOPPED", "stopped by its user")
    bot = run_through(settings, place)
    assert bot.recovered > 100
    assert entries(place) == entries(tmp_path / "whole.sqlite")


@pytest.mark.parametrize("how", ["cancel", "flatten"])
def test_a_killed_bot_is_left_with_nothing_or_with_what_protects(how: Any, settings: Settings, tmp_path: Path) -> None:
    place = tmp_path / "a.sqlite"
    bot, journal = bot_of(settings, place)
    with journal:
        for number, _ in enumerate(bot.steps()):
            if number > 60 and bot.mind.core.account.positions and bot.mind.core.orders and not bot.asked_to_end:
                bot.kill(how)
        core = bot.mind.core
        assert bot.state == "KILLED"
        assert all(one.parent for one in core.orders.values())
        assert bool(core.account.positions) == (how == "cancel")
        records = [one.record for one in journal.entries()]
        moved = next(number for number, one in enumerate(records) if isinstance(one, Moved) and one.state == "KILLED")
        after = [type(one) for one in records[moved:]]
        assert CancelOrder in after
        assert ((Submit in after) and (Filled in after)) == (how == "flatten")
    with pytest.raises(RunError, match=r"was killed; look at .* --revive"):
        run_through(settings, place)
    assert run_through(settings, place, revive=True).reason == "the tape has ended"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cash": 5_000.0}, "cash was 10000.0 and is 5000.0"),
        ({"parameters": {"cells": 3}}, "parameters was"),
        ({"end": "2021-01-05"}, "end was"),
    ],
)
def test_another_bot_cannot_take_up_its_journal(
    change: dict[str, Any], said: str, settings: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "a.sqlite"
    run_through(settings, place)
    plain = {**SPEC.to_plain(), **change}
    before = entries(place)
    with pytest.raises(ConfigError, match=said):
        run_through(settings, place, BotSpec.from_plain(plain))
    assert entries(place) == before


def test_a_journal_that_the_tape_does_not_lead_to_is_refused(settings: Settings, tmp_path: Path) -> None:
    place = tmp_path / "a.sqlite"
    bot, journal = bot_of(settings, place)
    with journal:
        for number, _ in enumerate(bot.steps()):
            if number == 20:
                break
        journal.write(Moved(0, "PAUSED"))
        journal.write(CancelOrder("wb-of-somebody-else"))
        journal.flush()
    with pytest.raises(RunError, match=r"says \['CancelOrder', 'wb-of-somebody-else'\], and the tape leads to"):
        run_through(settings, place)


def test_series_are_read_from_the_right() -> None:
    assert Series.parse("BTC/USDT:USDT:15m") == Series("BTC/USDT:USDT", "15m")
    for wrong in ("BTC/USDT", "1h", ":1h"):
        with pytest.raises((ConfigError, DataError)):
            Series.parse(wrong)


BROKEN = """
import workbench as wb

class Broken(wb.OrderStrategy):
    def on_bar(self, view, bar):
        if view.count() == 30:
            raise ValueError("no idea")
"""


def test_a_strategy_that_fails_is_told_in_the_journal(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    spec = BotSpec.from_plain({**SPEC.to_plain(), "strategy": str(tmp_path / "broken.py")})
    for sessions in (1, 1):  # again, it fails at the same place, before it has begun anew
        with pytest.raises(StrategyError, match="no idea"):
            run_through(settings, tmp_path / "a.sqlite", spec)
        with JournalReader.open(tmp_path / "a.sqlite", "demo") as journal:
            assert len(journal.sessions()) == sessions
            assert journal.sessions()[-1].reason.startswith("failed: ") and "no idea" in journal.sessions()[-1].reason
            assert journal.logs(level="critical").total == 1 and journal.verify().ok
            assert [one.record.state for one in journal.entries(kinds=["Moved"])].count("FAILED") == 1


def test_a_bot_at_a_spot_venue_has_a_cash_account_and_others_may_borrow() -> None:
    def account(mode: str, venue: str, *symbols: str) -> str:
        series = tuple(Series(symbol, "1h") for symbol in symbols)
        spec = BotSpec(name="x", strategy="library:sma_cross", series=series, mode=mode, venue=venue)  # type: ignore[arg-type]
        return str(spec.options()["rules"].account)

    assert account("paper", "binance", "BTC/USDT", "ETH/USDT") == "cash"
    assert account("paper", "binance", "BTC/USDT:USDT") == account("replay", "", "BTC/USDT") == "margin"


CHANCE = (
    BROKEN.replace("view.count() == 30", "view.count() == 30 and Path(MARK).exists()").replace(
        "import workbench", "from pathlib import Path\nimport workbench"
    )
    + "        return view.market('buy', 0.01) if view.count() == 30 else None\n"
)


def test_a_strategy_that_fails_by_chance_goes_on_where_it_failed(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "chance.py").write_text(CHANCE.replace("MARK", repr(str(tmp_path / "mark"))))
    spec = BotSpec.from_plain({**SPEC.to_plain(), "strategy": str(tmp_path / "chance.py")})
    (tmp_path / "mark").touch()
    with pytest.raises(StrategyError, match="no idea"):
        run_through(settings, tmp_path / "a.sqlite", spec)
    (tmp_path / "mark").unlink()
    for place in ("a.sqlite", "a.sqlite", "whole.sqlite"):
        bot = run_through(settings, tmp_path / place, spec)
        assert (bot.state, bot.fills) == ("STOPPED", 1)
    assert entries(tmp_path / "a.sqlite") == entries(tmp_path / "whole.sqlite")
