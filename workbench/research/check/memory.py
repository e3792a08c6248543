"""Memory, chance and the outside world: the same question must have the same answer, whatever was asked in between."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.market.bars import COLUMNS, Bars
from workbench.research.check.findings import Finding, FindingKind, Severity
from workbench.research.check.laboratory import Laboratory, differing
from workbench.research.check.outside import Use, uses_in
from workbench.research.check.subject import Broke

__all__ = ["look_at_memory"]

_WINDOW: Final = 2_000
_SHOWN: Final = 4
_ASKED: Final[dict[FindingKind, tuple[str, str]]] = {
    "randomness": (
        "draws random numbers without a seed",
        "make a generator with a fixed seed inside: rng = np.random.default_rng(seed), with the seed as a parameter",
    ),
    "clock": ("reads the clock", "take the time from bars.ts: history has no now"),
    "file": (
        "reads files, a store or the network, of which the check sees nothing: what comes from there is not cut off",
        "give it as bars or as a parameter, and read nothing while signals are made",
    ),
    "environment": (
        "asks the machine that it runs on",
        "make it a parameter, so that a run can be repeated elsewhere",
    ),
}


def look_at_memory(lab: Laboratory) -> list[Finding]:
    """Ask twice, then about other prices, then again; and look at inputs, variables and generators on the way.

    What was seen to be remembered or drawn is from then on put back by the laboratory, and columns that differ even so
    are marked as noisy.
    """
    lab.whole = lab.ask(lab.bars, "all")
    found = _mutations(lab)
    once = lab.keeper.changed()
    kept = lab.keeper.digests() if once else []
    again = lab.ask(lab.bars)
    counts = bool(once) and lab.keeper.digests() != kept
    differ = differing(lab.whole, again)
    drew = lab.drew()
    lab.remembers, lab.draws = bool(once), drew
    uses = _uses(lab)
    found += _outside(uses, differ, drew)
    found += _state(lab, once, differ, counts, explained=drew or bool(_of(uses, "randomness", "clock")))
    if lab.remembers or lab.draws:
        lab.whole = lab.say(lab.bars)
    if differ:
        lab.noisy.update(differing(lab.whole, lab.say(lab.bars)))
    return found


def _mutations(lab: Laboratory) -> list[Finding]:
    return [
        Finding(
            kind="mutation",
            severity="critical",
            column=name,
            row=row,
            ts=int(lab.bars.ts[row]),
            said=f"it writes into bars.{name}, so that whoever reads the bars next reads other prices",
            remedy=f"work on a copy: {name} = bars.{name}.copy()",
        )
        for name, row in lab.spoiled.items()
    ]


def _uses(lab: Laboratory) -> list[Use]:
    """Give what it asks of the outside: heard while it ran, and read in its source; each line once."""
    found: dict[tuple[str, str, int], Use] = {}
    for use in (*lab.whole.uses, *uses_in(lab.subject.authored.functions)):
        found.setdefault((use.kind, use.path, use.line), use)
    return list(found.values())


def _of(uses: list[Use], *kinds: str) -> list[Use]:
    return [use for use in uses if use.kind in kinds]


def _outside(uses: list[Use], differ: list[str], drew: bool) -> list[Finding]:
    """Say what it asks of the outside; critical where its answers differ and this can be why."""
    asked = {kind: _of(uses, kind) for kind in _ASKED}
    if not differ and _of(uses, "seed"):
        asked["randomness"] = []
    chance = bool(asked["randomness"]) or drew
    blamed: dict[FindingKind, list[str]] = {"randomness": differ, "clock": [] if chance else differ}
    return [
        _told(kind, made, blamed.get(kind, []))
        for kind, made in asked.items()
        if made or (kind == "randomness" and drew and differ)
    ]


def _told(kind: FindingKind, uses: list[Use], differ: list[str]) -> Finding:
    said, remedy = _ASKED[kind]
    severity: Severity = "critical" if differ else "warning"
    where = [f"{use.name} in line {use.line} of {use.path.rpartition('/')[2]}" for use in uses]
    places = f" ({', '.join(where[:_SHOWN])})" if where else ""
    so = f", and the same bars give other values of {_listed(differ)} each time" if differ else ""
    evidence: dict[str, float | int | str] = {"lines": ", ".join(str(use.line) for use in uses)}
    return Finding(
        kind=kind, severity=severity, column=differ[0] if differ else "", said=f"it {said}{places}{so}", remedy=remedy,
        evidence=evidence if uses else {},
    )  # fmt: skip


def _state(lab: Laboratory, once: tuple[str, ...], differ: list[str], counts: bool, explained: bool) -> list[Finding]:
    """Say what it remembers, and whether that changes what it says."""
    stale = _stale(lab) if once and not differ else []
    wrong = differ or stale
    if wrong and (once or not explained):
        told = f"it keeps {_listed(list(once))} between calls" if once else "it keeps something between calls"
        how = "the same bars have other" if differ else "asked about other prices first, it gives other"
        return [
            Finding(
                kind="hidden_state",
                severity="critical",
                column=wrong[0],
                said=f"{told}, and {how} values of {_listed(wrong)}",
                remedy="keep nothing between calls: a strategy is a value, and what it works out stays in local "
                "variables",
                evidence={"remembers": ", ".join(once)},
            )
        ]
    if not once:
        return []
    severity: Severity = "warning" if counts else "note"
    return [
        Finding(
            kind="hidden_state",
            severity=severity,
            said=f"it keeps {_listed(list(once))} between calls{', which changes with every call' * counts}; no value "
            "was seen to depend on it",
            remedy="leave it out, or make sure that it is keyed by all that the result depends on (bars.fingerprint)",
            evidence={"remembers": ", ".join(once)},
        )
    ]


def _stale(lab: Laboratory) -> list[str]:
    """Ask about some bars and then about other prices at the same times, and compare with asking about those afresh."""
    window = lab.bars[-_WINDOW:]
    other = _other_prices(window)
    try:
        lab.keeper.restore()
        lab.ask(window)
        after = lab.ask(other)
        lab.keeper.restore()
        afresh = lab.ask(other)
    except Broke as error:
        return [str(error)]
    finally:
        lab.keeper.restore()
    return differing(afresh, after)


def _other_prices(bars: Bars) -> Bars:
    """Give bars of the same times whose prices and volumes go another way."""
    factor = 1.0 + 0.2 * np.sin(np.arange(len(bars)) / 37.0)
    columns = {name: getattr(bars, name) * (factor if name != "volume" else 2.0 - factor) for name in COLUMNS}
    low, high = columns["low"], columns["high"]
    columns["low"] = np.minimum(low, np.minimum(columns["open"], columns["close"]))
    columns["high"] = np.maximum(high, np.maximum(columns["open"], columns["close"]))
    return Bars(instrument=bars.instrument, timeframe=bars.timeframe, ts=bars.ts, **columns)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
