"""What happens at the venue while the process of a bot is dead, and the venue acceptance list as a whole.

The cases are those of NautilusTrader's execution testing specification, in our words and less options; each runs from
the core's action to the venue's book and back.

| cases | where they are tested |
|---|---|
| M1-M4, M6, L1-L9, S1-S9, A1-A5, C1, C2, C4, C5, B1-B3, F1-F3, R1-R4 | `brokers/test_acceptance.py`, broker and venue |
| U1-U4, U7, U8, P7, X2 | `brokers/test_doubt.py`; with clerk and books `brokers/test_with_the_clerk.py` |
| all of these with the core, seeded and killed at every boundary; P2, P8 | `test_world.py` |
| P1, P2, P7, P8, U1-U4, U7, U8 with processes that are killed | `test_killed.py`, `test_cut_off.py` |
| P3 (long and short of an earlier life), S1-S8 (a stop that triggers while the bot is away), P4, P5, P6, P9 | here |
| P4, P9 while it runs, T1, T2 (close and unsubscribe on stop), T3 | `test_runner.py` |
| X1 two processes, one bot: the journal has one writer | `journal/test_journal_under_fire.py` |

Not applicable: M5 (a bot sizes in units of what it trades, never by quote amount), U5 and U6 (orders go one by one, no
batches), C3 (the same as C1 for a bot). U9, an overfill, is taken as the venue's truth with an alert by the clerk; the
practice exchange never overfills, so that only the clerk's own arithmetic is tested.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.bots.processes.stage import ACCOUNT, Nursery, Stand
from tests.bots.world import SYMBOL
from workbench.practice.engine_records import Request


def away(bot: Stand, happens: Any) -> None:
    """Kill the bot while it is protected, let something happen, and let another life take it up."""
    bot.watch.go()
    bot.waits(lambda: bot.protected() and bot.books.problems() == [], "held a position that is protected", 60.0)
    bot.watch.stop()
    bot.kill()
    happens()
    bot.start()


@pytest.mark.long
def test_what_happens_while_a_bot_is_away(nursery: Nursery, tmp_path: Path) -> None:
    with Stand(nursery, tmp_path, 5) as bot:
        engine = bot.exchange.engine

        def filled() -> int:
            return bot.exchange.call(lambda: len(engine.executions(ACCOUNT, limit=1_000_000)))

        def something_is_filled() -> None:
            before = filled()
            bot.watch.go()
            while filled() == before:
                time.sleep(0.02)
            bot.watch.stop()

        def its_stop_is_taken_away() -> None:
            for one in engine.open_orders(ACCOUNT):
                if one.type == "stop" and one.reduce_only:
                    engine.cancel(ACCOUNT, SYMBOL, id=one.id)

        def more_is_sold() -> None:
            engine.submit(ACCOUNT, Request(symbol=SYMBOL, side="sell", type="market", quantity=0.05))

        bot.start()
        bot.runs()
        away(bot, something_is_filled)
        bot.watch.go()
        bot.runs()
        bot.calms()  # its fill is booked once, and what else guarded the position is gone
        away(bot, lambda: bot.exchange.call(its_stop_is_taken_away))
        bot.watch.go()
        bot.runs()
        bot.calms()  # it stands again
        away(bot, lambda: bot.exchange.call(more_is_sold))
        bot.watch.go()
        bot.waits(lambda: not bot.books.running(bot.pid) and bot.books.state == "PAUSED", "stopped entries")
        assert f"position in {SYMBOL}" in bot.said()
