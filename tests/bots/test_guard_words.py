"""What a guard hears of a bot that dies, and what is said where no guard has said anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import workbench
from workbench.bots.guard_record import Record, keep_record
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward
from workbench.bots.journal import bots_folder, read_journal
from workbench.bots.journal.keys import seal_key
from workbench.bots.kill_outcome import kill_outcome
from workbench.settings import Settings, load_settings

NAME = "dead"


def dead_bot(folder: Path) -> tuple[Settings, Ward]:
    (folder / "workbench.toml").touch()
    settings = load_settings(folder)
    bots = bots_folder(settings)
    bots.mkdir(parents=True, exist_ok=True)
    ward = Ward(NAME, str(bots), [], 0, 0.0, str(bots / f"{NAME}.sqlite"), NAME)
    ward.write()
    return settings, ward


def test_the_last_that_a_dying_bot_said_is_heard(tmp_path: Path) -> None:
    """More of it lies in the pipe than is read at once, and the order to kill comes last."""
    settings, ward = dead_bot(tmp_path)
    hello = {"ward": asdict(ward), "terms": asdict(GuardTerms()), "signals": -1, "key": None}
    state = {"orders": {f"order{n}": ["A", "buy", "net", 0.0, False] for n in range(4_000)}, "held": []}
    lines = [hello, state, {"kill": "flatten", "reason": "killed by its user"}]
    source = tmp_path / "said"
    source.write_text("".join(json.dumps(one) + "\n" for one in lines))
    with source.open() as said:
        done = subprocess.run(
            [sys.executable, "-m", "workbench.bots.guard"], stdin=said, capture_output=True, text=True, timeout=60,
            cwd=Path(workbench.__file__).parents[1], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    assert done.returncode == 0 and "killed by its user; the bot's process was gone" in done.stderr, done
    with read_journal(NAME, settings) as journal:
        last = [one.record for one in journal.entries(kinds=["Moved"])][-1]
    assert last.state == "KILLED"
    outcome = kill_outcome(settings, NAME, 1.0, running=True)
    assert outcome.state == "killed" and "killed by its user" in outcome.text


def test_a_bot_of_which_no_guard_has_said_anything_does_not_count_as_killed(tmp_path: Path) -> None:
    """Such as where the disk was full."""
    settings, ward = dead_bot(tmp_path)
    ward.venue = "binance"
    ward.write()
    outcome = kill_outcome(settings, NAME, 1.0, running=True)
    assert outcome.state == "left" and "--at-venue" in outcome.text


def test_what_a_guard_did_in_an_earlier_life_says_nothing_of_this_one(tmp_path: Path) -> None:
    settings, ward = dead_bot(tmp_path)
    bots = bots_folder(settings)
    keep_record(bots, Record(NAME, "flatten", "killed", 5_000, verified=True, text="all closed"), seal_key(bots))
    ward.venue, ward.born, ward.ended = "binance", 6.0, {"state": "STOPPED", "reason": "stopped", "clean": False}
    ward.write()
    outcome = kill_outcome(settings, NAME, 1.0, running=True)
    assert outcome.state == "left" and "was not killed" in outcome.text
