"""What guards have done one after the other stays known until the books have it."""

from __future__ import annotations

from pathlib import Path

from tests.bots.brokers.stage import PERP
from workbench.bots.brokers.talk import VenueFill
from workbench.bots.guard_record import Record, keep_record, read_record

KEY = b"0" * 32
ONE = VenueFill("7", "70", PERP, "sell", 0.5, 100.0, 0.1, False, 5, "wbguard1")
TWO = VenueFill("8", "80", PERP, "sell", 0.1, 100.0, 0.1, False, 9, "wbguard2")


def test_a_guard_that_comes_after_another_forgets_nothing_of_it(tmp_path: Path) -> None:
    first = Record(
        "bot", "flatten", "a kill file was found", 5, venue_ts=4, closings=[["wbguard1", PERP, "net", "sell", 0.5]]
    )
    first.add([ONE])
    keep_record(tmp_path, first, KEY)
    second = Record("bot", "flatten", "killed once more", 9)
    second.go_on_from(read_record(tmp_path, "bot", KEY))
    second.add([ONE, TWO])
    assert second.executions() == (ONE, TWO) and [one[0] for one in second.closings] == ["wbguard1"]
    assert second.venue_ts == 4  # from then on the venue is asked for executions
    keep_record(tmp_path, second, KEY)
    assert read_record(tmp_path, "bot", KEY) == second


def test_the_first_guard_and_one_of_a_paper_bot_have_nothing_to_go_on_from() -> None:
    record = Record("bot", "cancel", "killed", 9)
    record.go_on_from(None)
    record.go_on_from(Record("bot", "cancel", "killed on paper", 5, fills=[list(ONE)], venue=False))
    assert record == Record("bot", "cancel", "killed", 9)
