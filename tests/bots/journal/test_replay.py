"""What a journal gives back makes the same mind again, for a paper bot that wrote it while it ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from workbench.backtest.prepare import prepare
from workbench.bots.journal import Journal, JournalReader
from workbench.bots.mind import Mind
from workbench.bots.papering import PaperReplay
from workbench.market.lake import Lake
from workbench.strategy import library
from workbench.trading.events import Event, Submit, to_plain


def plain(actions: Any) -> list[str]:
    return [repr(to_plain(action)) for action in actions]


def test_a_mind_told_what_the_journal_says_wants_the_same_again(lake: Lake, tmp_path: Path) -> None:
    plan = prepare(library.get("trend_following")(), lake.read("BTC/USDT", "1d")[-500:])
    with Journal.open(tmp_path / "demo.sqlite", "demo") as journal:
        journal.begin_session()
        heard: list[str] = []

        def write(one: Any) -> None:
            heard.extend(plain([one]))
            journal.write(one, isinstance(one, Submit))

        mind = Mind(plan, name="demo")
        estimate = mind.core.estimate  # by what it was told itself: that of the venue is in no journal
        bot = PaperReplay(plan, mind, write)
        mind.core.estimate = estimate
        bot.go()
        journal.save_snapshot(bot.mind.snapshot())
    with JournalReader.open(tmp_path / "demo.sqlite", "demo") as reader:
        again = [entry.record for entry in reader.entries()]
        assert plain(again) == heard and any(isinstance(one, Submit) for one in again)
        snapshot = reader.latest_snapshot()
    mind = Mind(plan, name="demo")
    wanted = [said for one in again if isinstance(one, get_args(Event)) for said in plain(mind.handle(one))]
    assert wanted == plain(one for one in again if not isinstance(one, get_args(Event)))
    assert repr(mind.snapshot()) == repr(bot.mind.snapshot())
    other = Mind(plan, name="demo")
    assert snapshot is not None
    other.restore(snapshot.data)
    assert repr(other.snapshot()) == repr(mind.snapshot())
