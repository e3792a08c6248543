"""What a person sees of a bot at a venue: the picture at a terminal of 80 columns, and lines of a log."""

from __future__ import annotations

import io
import math
import threading
from dataclasses import replace

from rich.console import Console

from tests.practice.stage import PERP
from workbench.bots.journal.records import Logged
from workbench.bots.standing import Connection, Holding, Line, Standing, Watcher
from workbench.cli.bots_watch import drawn, line_text, repainted
from workbench.trading import events as ev
from workbench.trading.orders import Order

NOW = Standing(
    name="demo", mode="live", venue="binance", state="RUNNING", reason="", session=3, now=1_795_953_910_000,
    equity=4_987.12, cash=5_000.0, currency="USDT", holdings=(Holding(PERP, 0.012, 35_890.3, 35_812.25, -0.94),),
    orders=tuple(f"limit buy 0.0{n} {PERP} at 35,123.4" for n in range(1, 8)), prices={PERP: 35_812.25},
    connections=(Connection("market", "live", 0.4), Connection("own orders", "polling", 12.0)),
    armed="armed by jane@desk, next 3 orders small, 12.88 of 250.00 lost", limits="", fills=14, latency_ms=83.2,
    entries=12_345,
)  # fmt: skip


def picture(now: Standing, *lines: Line, silent: float = 0.0) -> str:
    console = Console(file=io.StringIO(), width=80, legacy_windows=False)
    console.print(drawn(now, list(lines), silent))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(len(line) <= 80 for line in text.splitlines())
    return text


def test_the_picture_says_what_matters() -> None:
    text = picture(NOW, Line(NOW.now, "critical", "risk", "a long line " * 20))
    for said in (
        "demo: FOR MONEY at binance", "RUNNING, session 3", "armed by jane@desk, next 3 orders small", "-0.26%",
        "market live (0 s ago)", "own orders over REST (12 s ago)", "+0.012", "35,812.25", "-0.94", "and 3 more",
        "14 executions, answered in 83 ms", "Ctrl-C stops, twice kills", "12:05:10",
    ):  # fmt: skip
        assert said in text, text
    assert "(old)" not in text


def test_what_is_old_or_not_there_is_called_so() -> None:
    assert "(old)" in picture(replace(NOW, connections=(Connection("market", "live", 95.0),)))
    begun = replace(NOW, connections=(), prices={}, holdings=(), orders=(), latency_ms=math.nan, armed="", mode="paper")
    text = picture(begun)
    assert "not connected yet" in text and "none yet" in text and "no position" in text and "on paper" in text
    assert "armed" not in text


def test_a_bot_of_which_nothing_is_heard_does_not_look_well() -> None:
    text = picture(NOW, silent=1_234.0)
    assert "│ no sign of life for 1,234 s: it hangs, or its disk; Ctrl-C twice kills it " in text, text
    assert "market live (1,234 s ago)" in text and "(old)" in text
    assert "sign of life" not in picture(NOW, silent=14.0)


def test_the_picture_is_made_anew_while_its_teller_hangs_and_leaves_nothing_behind() -> None:
    ages: list[float] = []
    thrice = threading.Event()

    def draw(told: str, silent: float) -> str:
        ages.append(silent)
        if len(ages) > 2:
            thrice.set()
        return "\n".join(f"{told} {number}" for number in range(10))

    console = Console(
        file=io.StringIO(), width=80, height=6, force_terminal=True, highlight=False, legacy_windows=False
    )
    with repainted(draw, console) as show:
        show("row")
        assert thrice.wait(20.0)
    assert ages == sorted(ages) and ages[-1] > ages[0]
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "row 3" in text and "row 9" not in text  # what is taller than the window could not be wiped


def test_a_watcher_hears_what_is_worth_telling_without_secrets() -> None:
    told: list[Line] = []
    watcher = Watcher(told.append, lambda text: text.replace("S3", "…"))
    order = Order(id="one", symbol=PERP, side="buy", type="market", quantity=1.0)
    watcher.hear(ev.Submit(order), 5)
    watcher.hear(ev.Marked(6, PERP, 100.0), 6)
    watcher.hear(ev.Accepted(7, "one", "v1"), 7)
    watcher.hear(Logged(8, "warning", "system", "with S3 in it"), 8)
    assert [line.ts for line in told] == [5, 8] == [line.ts for line in watcher.lines]
    assert len(watcher.latencies) == 1 and watcher.fills == 0
    assert line_text(told[-1]) == "1970-01-01T00:00:00.008Z  warning   system     with … in it"
