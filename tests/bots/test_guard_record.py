"""What guards have done one after the other stays known until the books have it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.bots.brokers.stage import PERP
from tests.bots.guard_stage import pending, until
from workbench.bots.brokers.talk import VenueFill
from workbench.bots.guard_record import Record, keep_record, read_record, record_file
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guarding import Guarding, ward_of
from workbench.settings import load_settings

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


@pytest.mark.parametrize(("state", "acts"), [("STOPPED", False), ("FAILED", True)])
def test_a_second_ctrl_c_is_nothing_to_the_guard_of_a_bot_that_has_stopped(
    tmp_path: Path, state: str, acts: bool
) -> None:
    (tmp_path / "workbench.toml").touch()
    ward = ward_of("quick", load_settings(tmp_path))
    Path(ward.folder).mkdir(parents=True)
    taken: list[int] = []
    guarding = Guarding(ward, GuardTerms(grace_s=5, journal_s=0.1))
    guarding.listen(lambda: taken.append(1), lambda: taken.append(2))
    try:
        guarding.start()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            until(lambda: not pending(os.getpid()) & 1 << (signal.SIGINT - 1), "the signal is not taken")
    finally:
        guarding.ignore()
    guarding.end({"state": state, "reason": "stopped by its user", "clean": False})
    guarding.wait(10.0)
    assert taken == [1, 2] and not ward.guarded
    assert record_file(Path(ward.folder), "quick").exists() is acts
