"""What a fault makes of a message on a websocket: nothing, several, later, other, or the end of the connection."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any, NamedTuple

from workbench.practice.faults_answers import Cut
from workbench.practice.faults_rules import Delay, Disconnect, Drop, Duplicate, Garble, Reorder
from workbench.practice.faults_state import Live

__all__ = ["Sending", "send"]


class Sending(NamedTuple):
    """A message that goes out after a delay in ms of real time; a `Cut` in its place ends the connection."""

    delay_ms: float
    payload: Any


def send(live: Live, fires: bool, out: list[Sending], lane: Hashable) -> tuple[list[Sending], str]:
    """Apply a rule to what goes out, and say what it did in words, "" if nothing."""
    rule = live.rule
    if isinstance(rule, Reorder):
        return _reorder(live, rule, fires, out, lane)
    if not fires:
        return out, ""
    match rule:
        case Drop():
            return [], "dropped"
        case Duplicate():
            again = [Sending(one.delay_ms + rule.delay.draw(live.sizes), one.payload) for one in out * rule.copies]
            return [*out, *again], f"sent {1 + rule.copies} times"
        case Delay():
            ms = rule.delay.draw(live.sizes)
            return [Sending(one.delay_ms + ms, one.payload) for one in out], f"{ms:.0f} ms late"
        case Garble():
            return [Sending(one.delay_ms, _half(one.payload)) for one in out], "cut in half"
        case Disconnect():
            cut = Sending(out[-1].delay_ms if out else 0.0, Cut(1001 if rule.close else 1006))
            return [*(out if rule.delivered else []), cut], "connection cut" + " after it" * rule.delivered
    return out, ""


def _reorder(live: Live, rule: Reorder, fires: bool, out: list[Sending], lane: Hashable) -> tuple[list[Sending], str]:
    """Hold a message back, or let those go whose turn has come. One that nothing follows is never sent."""
    waiting = [(left - 1, one) for left, one in live.held.get(lane, [])]
    ready = [one for left, one in waiting if left <= 0]
    live.held[lane] = [(left, one) for left, one in waiting if left > 0]
    if fires:
        live.held[lane] += [(rule.behind, one) for one in out]
        return ready, f"held behind {rule.behind}"
    return [*out, *ready], ""


def _half(payload: Any) -> Any:
    if isinstance(payload, Cut):
        return payload
    text = payload if isinstance(payload, str) else json.dumps(payload, separators=(",", ":"))
    return text[: max(len(text) // 2, 1)]
