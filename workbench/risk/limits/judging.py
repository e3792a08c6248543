"""Comparing: numbers of an order against limits, fast for the gate and in words for people.

A *reading* is a list with one number for each of `RULES`, NaN where it is not known: what is not known passes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from workbench.risk.limits.bounds import Limits
from workbench.risk.limits.rules import EQUITY_RULES, RULES

__all__ = ["Assessment", "Check", "Compiled", "Finding", "compiled", "findings", "say", "verdict_on"]

SLACK: Final = 1e-9
Compiled = tuple[tuple[int, float, float, str, float, float], ...]


class Finding(NamedTuple):
    """A number that is beyond a limit, or beyond where its warning begins (`action` is "warn" then).

    `rule` is a position in `RULES`; `share` how much of the order may go, 0 to 1, where its action is "reduce".
    """

    rule: int
    value: float
    threshold: float
    action: str
    share: float = 0.0


def compiled(limits: Limits) -> Compiled:
    """Make limits ready for comparing: (rule, too much from, warns from, action, and both as they were said) each."""
    rows = []
    for place, rule in enumerate(RULES):
        bound = getattr(limits, rule.name)
        if rule.unit == "flag":
            rows += [(place, 0.5, math.inf, "reject", 0.5, math.inf)] if bound else []
        elif bound is not None:
            # being at a limit is too much for some and allowed for others; floats may lose the last bits on the way
            at, warn = bound.at, math.inf if bound.warn is None else bound.warn
            most = at * (1.0 - SLACK) if rule.reaches else at * (1.0 + SLACK)
            rows.append((place, most, warn * (1.0 - SLACK), bound.action, at, warn))
    return tuple(rows)


def findings(rows: Compiled, values: Sequence[float], before: Sequence[float] = ()) -> list[Finding]:
    """Compare a reading with limits.

    Parameters
    ----------
    rows : Compiled
    values : sequence of float
        With the order.
    before : sequence of float, optional
        The exposures (rules from `EQUITY_RULES` on) without it: an order is cut between the two.

    Returns
    -------
    list of Finding
    """
    found = []
    for place, at, warn, action, limit, early in rows:
        value = values[place]
        if value > at:
            share = 0.0
            if action == "reduce" and RULES[place].cuts:
                base = before[place - EQUITY_RULES] if place - EQUITY_RULES < len(before) else 0.0
                # exposures are convex in the quantity, so a cut in proportion never leaves too much
                share = (limit - base) / (value - base) if value > base else 1.0
                if share >= 1.0:
                    continue
            found.append(Finding(place, value, limit, action, share if share > 0.0 else 0.0))
        elif value >= warn:
            found.append(Finding(place, value, early, "warn"))
    return found


@dataclass(frozen=True)
class Check:
    """One limit as an order meets it: number, threshold, and whether it passes; `action` what is done if not."""

    limit: str
    code: str
    value: float
    threshold: float
    action: str
    passed: bool
    text: str


@dataclass(frozen=True)
class Assessment:
    """What limits say of an order.

    Attributes
    ----------
    approved : bool
        Whether it may go out, as it is or smaller.
    quantity : float
        How much of it; 0.0 where it is refused.
    code : str
        Reason code of the refusal, "" for none.
    checks : tuple of Check
        Every limit that is set, with its numbers.
    warnings : tuple of str
    sentence : str
        All of it in one sentence.
    """

    approved: bool
    quantity: float
    code: str
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    sentence: str

    def __bool__(self) -> bool:
        return self.approved

    def __str__(self) -> str:
        return self.sentence


def say(place: int, value: float) -> str:
    """Write the number of a rule as a person would."""
    unit = RULES[place].unit
    if value != value:
        return "not known"
    if unit == "fraction":
        return f"{value:.2%}"
    if unit == "times":
        return f"{value:.2f} x equity" if RULES[place].name != "leverage" else f"{value:g} x"
    if unit == "ms":
        return f"{value / 1_000.0:g} s"
    if unit == "flag":
        return "closed" if value else "open"
    return f"{value:,.2f}" if unit == "cash" else f"{value:g}"


def verdict_on(
    quantity: float, allowed: float, code: str, limits: Limits, values: Sequence[float], what: str
) -> Assessment:
    """Put together what was found about an order.

    Parameters
    ----------
    quantity, allowed : float
        Wished, and what may go out.
    code : str
        Why it is refused or cut, "" where it is neither.
    limits : Limits
    values : sequence of float
        The reading.
    what : str
        The order in words, for the sentence.
    """
    rows = compiled(limits)
    bad = {one.rule: one for one in findings(rows, values)}
    checks, warnings = [], []
    for place, at, _, action, _, _ in rows:
        rule, found = RULES[place], bad.get(place)
        passed = found is None or found.action == "warn"
        bound: Any = getattr(limits, rule.name)
        threshold = at if rule.unit == "flag" else bound.at
        told = f"{rule.code}: {say(place, values[place])}"
        told += "" if rule.unit == "flag" else f" (limit {say(place, threshold)})"
        checks.append(Check(rule.name, rule.code, values[place], threshold, action, passed, told))
        if found is not None and found.action == "warn":
            warnings.append(f"{told}: {rule.text}")
    failed = next((one.text for one in checks if one.code == code), code)
    if not allowed > 0.0:
        sentence = f"Rejected: {what}; {failed}."
    elif allowed < quantity * (1.0 - SLACK):
        sentence = f"Approved in part: {what} is cut to {allowed:g}; {failed}."
    else:
        sentence = f"Approved: {what}; {len(checks)} limits checked."
    if warnings:
        sentence = sentence[:-1] + f", with {len(warnings)} warning{'s' if len(warnings) > 1 else ''}."
    return Assessment(allowed > 0.0, allowed, code, tuple(checks), tuple(warnings), sentence)
