"""The states of a bot: the table, what it allows, and its drawing."""

from __future__ import annotations

import itertools
import re

import pytest

from workbench.errors import ConfigError, RunError
from workbench.trading import lifecycle as life


def test_the_table_is_complete() -> None:
    assert len(life.STATES) == len(set(life.STATES)) == 11
    assert set(life.TRANSITIONS) == set(life.STATES)
    assert set().union(*life.TRANSITIONS.values()) == set(life.STATES) - {"IDLE"}  # nothing goes back to the start


def test_the_way_of_a_bot_that_runs() -> None:
    way = "IDLE STARTING WARMING_UP RECONCILING RUNNING PAUSED RUNNING CIRCUIT_OPEN RUNNING STOPPING STOPPED".split()
    for before, after in itertools.pairwise(way):
        assert life.may_go(before, after)
        life.check_transition(before, after)


@pytest.mark.parametrize("state", life.STATES)
def test_whoever_has_not_ended_can_be_stopped_killed_or_fail(state: str) -> None:
    for after in {"STOPPING", "KILLED", "FAILED"} - {state}:
        assert life.may_go(state, after) is (state not in life.ENDED)
    assert not life.may_go(state, state)


@pytest.mark.parametrize(
    ("before", "after"),
    [("IDLE", "RUNNING"), ("WARMING_UP", "RUNNING"), ("PAUSED", "CIRCUIT_OPEN"), ("RUNNING", "STOPPED"),
     ("STOPPING", "RUNNING"), ("CIRCUIT_OPEN", "PAUSED")],
)  # fmt: skip
def test_no_short_cuts(before: str, after: str) -> None:
    assert not life.may_go(before, after)
    with pytest.raises(RunError, match=f"a bot cannot go from {before} to {after}; it can go to ") as caught:
        life.check_transition(before, after)
    assert caught.value.fields == {"before": before, "after": after}


def test_an_ended_bot_says_what_to_do() -> None:
    with pytest.raises(RunError, match="from KILLED to STARTING; it has ended: start a new session"):
        life.check_transition("KILLED", "STARTING")


def test_a_name_that_is_no_state() -> None:
    with pytest.raises(ConfigError, match="'SLEEPING' is no state of a bot; the states are IDLE, STARTING"):
        life.may_go("SLEEPING", "RUNNING")
    with pytest.raises(ConfigError, match="'running' is no state"):
        life.check_transition("PAUSED", "running")


def test_only_a_running_bot_opens_positions() -> None:
    assert [state for state in life.STATES if life.may_open(state)] == ["RUNNING"]
    assert {state for state in life.STATES if life.may_reduce(state)} == {
        "RUNNING", "PAUSED", "CIRCUIT_OPEN", "STOPPING",
    }  # fmt: skip


def test_the_drawing_shows_the_table_and_nothing_else() -> None:
    text = life.drawing()
    arrows = re.findall(r"(\S+) --> (\S+)", text)
    inside = re.findall(r"^        (\w+) --> (\w+)$", text, flags=re.MULTILINE)
    boxed = {state for arrow in inside for state in arrow}
    drawn = {(before, after) for before, after in arrows if "[*]" not in (before, after) and before != "alive"}
    drawn |= {(before, after) for box, after in arrows if box == "alive" for before in boxed}
    table = {(before, after) for before, targets in life.TRANSITIONS.items() for after in targets}
    assert drawn == table
    assert ("[*]", "IDLE") in arrows and {before for before, after in arrows if after == "[*]"} == life.ENDED
    assert text.splitlines()[0] == "stateDiagram-v2" and text == life.drawing()
