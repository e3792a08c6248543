"""The states of a bot: one table of what may follow what, and what each state lets a bot do.

Nothing here keeps a state: whoever holds one asks `check_transition` before changing it. The drawing in the docs comes
from the table, by `drawing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from workbench.errors import ConfigError, RunError

__all__ = [
    "ENDED",
    "STATES",
    "TRANSITIONS",
    "check_transition",
    "drawing",
    "may_go",
    "may_open",
    "may_reduce",
]

STATES: Final = (
    "IDLE", "STARTING", "WARMING_UP", "RECONCILING", "RUNNING", "PAUSED", "CIRCUIT_OPEN", "STOPPING", "STOPPED",
    "KILLED", "FAILED",
)  # fmt: skip

# An ended bot never goes on: starting it again is a new session, which begins in IDLE and recovers from the journal.
ENDED: Final = frozenset(("STOPPED", "KILLED", "FAILED"))

_OPENING: Final = frozenset(("RUNNING",))
_REDUCING: Final = frozenset(("RUNNING", "PAUSED", "CIRCUIT_OPEN", "STOPPING"))
_ALWAYS: Final = frozenset(("STOPPING", "KILLED", "FAILED"))
_ONWARD: Final[dict[str, tuple[str, ...]]] = {
    "IDLE": ("STARTING",),
    "STARTING": ("WARMING_UP",),
    "WARMING_UP": ("RECONCILING",),
    "RECONCILING": ("RUNNING",),
    "RUNNING": ("PAUSED", "CIRCUIT_OPEN"),
    "PAUSED": ("RUNNING",),
    "CIRCUIT_OPEN": ("RUNNING",),
    "STOPPING": ("STOPPED",),
}

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        state: frozenset() if state in ENDED else (_ALWAYS | frozenset(_ONWARD[state])) - {state}
        for state in STATES
    }
)  # fmt: skip


def may_go(before: str, after: str) -> bool:
    """Tell whether a bot may go from one state to another.

    Raises
    ------
    ConfigError
        One of them is no state.
    """
    for state in (before, after):
        if state not in TRANSITIONS:
            raise ConfigError(f"{state!r} is no state of a bot; the states are {', '.join(STATES)}", state=state)
    return after in TRANSITIONS[before]


def check_transition(before: str, after: str) -> None:
    """Make sure that a bot may go from one state to another.

    Raises
    ------
    ConfigError
        One of them is no state.
    RunError
        The table does not allow this step.
    """
    if not may_go(before, after):
        known = ", ".join(state for state in STATES if state in TRANSITIONS[before])
        can = f"it can go to {known}" if known else "it has ended: start a new session"
        raise RunError(f"a bot cannot go from {before} to {after}; {can}", before=before, after=after)


def may_open(state: str) -> bool:
    """Tell whether a bot in this state may open positions or add to them."""
    return state in _OPENING


def may_reduce(state: str) -> bool:
    """Tell whether a bot in this state may make positions smaller: every state that may open, and those that wind down.

    A killed bot sends nothing more of its own: whoever kills it says what becomes of its orders and positions.
    """
    return state in _REDUCING


def drawing() -> str:
    """Draw the table as a Mermaid state diagram, for the docs.

    What every running state may do (stop, be killed, fail) is drawn once, from the box around them all.

    Returns
    -------
    str
        Lines of Mermaid text, without a code fence.
    """
    lines = ["stateDiagram-v2", f"    [*] --> {STATES[0]}", "    state alive {"]
    alive = [state for state in STATES if state not in ENDED]
    inner = [state for state in alive if state not in _ALWAYS]
    for before in inner:
        lines += [f"        {before} --> {after}" for after in STATES if after in TRANSITIONS[before] - _ALWAYS]
    lines.append("    }")
    lines += [f"    alive --> {after}" for after in STATES if all(after in TRANSITIONS[before] for before in inner)]
    for before in (state for state in alive if state in _ALWAYS):
        lines += [f"    {before} --> {after}" for after in STATES if after in TRANSITIONS[before]]
    lines += [f"    {state} --> [*]" for state in STATES if state in ENDED]
    return "\n".join(lines)
