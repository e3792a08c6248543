"""From what was seen to findings: how bad it is, in which words, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterable

from workbench.market.bars import Bars
from workbench.research.check.findings import ColumnReport, Finding
from workbench.research.check.laboratory import Laboratory
from workbench.research.check.live import Unfinished
from workbench.research.check.patterns import Pattern, pattern_of, unfinished_bars
from workbench.research.check.starts import Settling
from workbench.research.check.subject import FLAGS
from workbench.research.check.truncation import Leak, Truncations, smallest_change
from workbench.research.check.wishes import Divergence
from workbench.strategy.strategy import SignalStrategy

__all__ = [
    "about_columns",
    "about_leaks",
    "about_settling",
    "about_unfinished",
    "about_wishes",
    "broken_histories",
    "is_write",
]

_MEASURED = 12  # leaks whose reach is measured by bisection; the others are of the same making


def about_leaks(lab: Laboratory, found: Truncations, labels: Iterable[str]) -> list[Finding]:
    """Say what changes when bars are appended: a finding a column, signals first."""
    signals, allowed = lab.whole.signals, set(labels)
    leaks = sorted(found.leaks.values(), key=lambda leak: (leak.name not in signals, leak.row))
    reached = any(leak.name in signals for leak in leaks)
    ts, step = lab.bars.ts, lab.bars.timeframe.ms
    seen = unfinished_bars(found, ts, step)
    return [
        _about_leak(
            lab, leak, pattern_of(leak, found, ts, step, seen),
            measured=place < _MEASURED, reached=reached, allowed=leak.name in allowed,
        )
        for place, leak in enumerate(leaks)
    ]  # fmt: skip


def _about_leak(
    lab: Laboratory, leak: Leak, pattern: Pattern, *, measured: bool, reached: bool, allowed: bool
) -> Finding:
    bars, signal = lab.bars, leak.name in lab.whole.signals
    change = smallest_change(lab, leak) if measured else None
    first, cut = (change.first, change.cut) if change else (leak.history.first, leak.history.cuts[0])
    before, after = (change.before, change.after) if change else (leak.before, leak.after)
    ahead = change.ahead if change else None
    flag, ends = lab.whole.values[leak.name].dtype == bool, cut - leak.row - 1
    last = "that is the last bar" if ends == 0 else f"history ends {_bars(ends)} later"
    more = f"once {_bars(ahead)} {'is' if ahead == 1 else 'are'} appended" if ahead else "with the bars after it"
    hidden = "" if signal or reached else "; no signal was seen to change with it"
    return Finding(
        kind=pattern.kind,
        severity="note" if allowed else "critical" if signal or reached else "warning",
        column=leak.name,
        row=leak.row,
        ts=int(bars.ts[leak.row]),
        before=before,
        after=after,
        history=cut - first,
        bars_ahead=ahead,
        said=f"at bar {leak.row:,} it is {written(before, flag)} while {last}, and {written(after, flag)} {more}; "
        f"{pattern.said}{hidden}",
        remedy="it is named as a label: see that it reaches no signal" if allowed else pattern.remedy,
        evidence={
            "history_from": first, "history_to": cut, "cuts_that_show_it": len(leak.touches),
            "longest_reach": max(touch.reach for touch in leak.touches),
        },
    )  # fmt: skip


def about_unfinished(bars: Bars, seen: Unfinished, leaks: Iterable[str]) -> list[Finding]:
    """Say what an unfinished last bar changes."""
    known = set(leaks)
    found = [
        Finding(
            kind="repaint",
            severity="critical",
            column=name,
            row=row,
            ts=int(bars.ts[row]),
            before=before,
            after=after,
            said=f"while a later bar was unfinished it was {written(before)} at bar {row:,}, and {written(after)} when "
            "that bar was over",
            remedy="work out each bar from itself and earlier ones",
        )
        for name, (row, before, after) in seen.repaints.items()
        if name not in known
    ]
    flips = {name: count for name, count in seen.flips.items() if name not in known}
    if flips:
        told = ", ".join(f"{name} on {count} of {seen.tried}" for name, count in flips.items())
        found.append(
            Finding(
                kind="unfinished_signal",
                severity="note",
                said=f"fed a bar that is not over, signals are given or withdrawn before its close ({told} bars tried)",
                remedy="ask on closed bars only, as bots here do; on charts, the last bar says nothing yet",
                evidence={**flips, "tried": seen.tried},
            )
        )
    return found


def about_settling(lab: Laboratory, settled: dict[str, Settling], suggested: int) -> list[Finding]:
    """Say which signals and columns depend on where history starts, and whether the declared warm-up is enough."""
    allowed = bool(getattr(lab.subject.target, "start_dependent", False))
    never = {name: one for name, one in settled.items() if one.settles == "never"}
    found = [_about_start(lab, name, one, allowed) for name, one in never.items()]
    slow = [name for name, one in settled.items() if one.settles == "slowly"]
    if slow:
        found.append(_about_slow(lab, slow))
    rest = {name: one for name, one in settled.items() if one.settles == "yes"}
    if not allowed:
        found += _about_warm_up(lab, rest, suggested)
    return found


def _about_start(lab: Laboratory, name: str, one: Settling, allowed: bool) -> Finding:
    signal = name in lab.whole.signals
    row = one.row
    return Finding(
        kind="start_dependence",
        severity="warning" if signal and not allowed else "note",
        column=name,
        row=row,
        ts=None if row is None else int(lab.bars.ts[row]),
        said=f"it never forgets where history starts: a history that begins later gives other values to the end"
        f"{'' if name in FLAGS else f', up to {_share(one.off)} apart'}",
        remedy="use changes, ratios to a mean or windows of fixed length instead of totals and extremes of all there "
        "was; if it is meant so, say start_dependent = True in the class, and start backtest and bot at the same bar",
        evidence={"relative_difference": one.off},
    )


def _about_slow(lab: Laboratory, names: list[str]) -> Finding:
    return Finding(
        kind="warm_up",
        severity="note",
        column=names[0] if len(names) == 1 else "",
        said=f"{', '.join(names[:4])} had not settled when the {len(lab.bars):,} bars were used up, but come closer",
        remedy="check it on a longer history, or shorten its memory",
    )


def _about_warm_up(lab: Laboratory, settled: dict[str, Settling], suggested: int) -> list[Finding]:
    declared = lab.subject.declared
    wrong = {name: one for name, one in settled.items() if one.warm_up > declared}
    if not wrong:
        return []
    flags = {name: one for name, one in wrong.items() if name in FLAGS}
    spurious = [name for name, one in flags.items() if one.spurious]
    serious = spurious if declared == 0 else list(flags)
    if serious:
        one = flags[serious[0]]
        said = (
            f"{', '.join(serious)} {'is' if len(serious) == 1 else 'are'} not yet right after the {declared:,} bars "
            f"declared: a later start gives {one.spurious:,} signals that the long history has not, and lacks "
            f"{one.silent:,} that it has"
        )
    elif flags and declared == 0:
        said = f"no warm-up is declared; signals are silent or not settled for the first {suggested:,} bars"
    else:
        name, one = max(wrong.items(), key=lambda pair: (pair[1].off, pair[0]))
        off = "has no value yet" if math.isinf(one.off) else f"is up to {_share(one.off)} off"
        since = f"after the {_bars(declared)} declared {name} {off}" if declared else f"{name} {off} at first"
        said = f"{since}; no signal was seen to change with it"
    row = min((one.row for one in wrong.values() if one.row is not None), default=None)
    return [
        Finding(
            kind="warm_up",
            severity="warning" if serious else "note",
            column=serious[0] if serious else "",
            row=row,
            ts=None if row is None else int(lab.bars.ts[row]),
            said=said,
            remedy=f"declare warm_up = {suggested:,} (or a property that works it out of the parameters)".replace(
                ",", "_"
            ),
            evidence={"declared": declared, "measured": suggested},
        )
    ]


def about_wishes(diverged: list[Divergence], repeats: bool, bars: Bars) -> list[Finding]:
    """Say where orders were decided differently with later bars there, or from one run to the next."""
    found = []
    if diverged:
        one = min(diverged, key=lambda each: each.ts)
        row = int(bars.ts.searchsorted(one.ts - bars.timeframe.ms))
        found.append(
            Finding(
                kind="look_ahead",
                severity="critical",
                column=one.method,
                row=min(row, len(bars) - 1),
                ts=int(bars.ts[min(row, len(bars) - 1)]),
                history=one.history,
                said=f"at the end of {_bars(one.history)} it wished {one.shorter}, and with later bars appended "
                f"{one.longer}; so at {len(diverged)} of the cuts tried",
                remedy="decide from what the view shows (view.bars, view.value): it ends at the last closed bar",
                evidence={"cuts_that_show_it": len(diverged)},
            )
        )
    if not repeats:
        found.append(
            Finding(
                kind="hidden_state",
                severity="critical",
                column="on_bar",
                said="the same history gave other orders when it was run again",
                remedy="keep what is to be remembered in view.memory, and draw no random numbers without a seed",
            )
        )
    return found


def broken_histories(lab: Laboratory, broke: dict[int, str]) -> list[Finding]:
    """Say on which histories the subject raised or gave something of the wrong length."""
    broke = {length: why for length, why in broke.items() if not is_write(why)}
    if not broke:
        return []
    length = max(broke)
    enough = length > max(lab.subject.declared, _longest_wait(lab))
    return [
        Finding(
            kind="breaks",
            severity="warning" if enough else "note",
            history=length,
            said=f"on a history of {length:,} bars it fails: {broke[length]}",
            remedy="make it work on any history: a bot starts with a short one, and a gap may leave less",
            evidence={"histories": len(broke)},
        )
    ]


def is_write(why: str) -> bool:
    """Tell whether an error is that of writing into bars, which are read-only."""
    return "read-only" in why or "WRITEABLE" in why


def _longest_wait(lab: Laboratory) -> int:
    return min(len(lab.bars) - 1, 64)


def about_columns(lab: Laboratory, settled: dict[str, Settling], leaks: Iterable[str]) -> tuple[ColumnReport, ...]:
    """Give a line for each column that says anything: signals first, those that are always the same left out."""
    ahead = set(leaks)
    rows = []
    for name, column in lab.whole.values.items():
        signal = name in lab.whole.signals
        always_same = bool(((column == column[0]) | (column != column)).all())
        if signal and isinstance(lab.subject.target, SignalStrategy) and always_same and name not in ahead:
            continue
        one = settled.get(name, Settling())
        rows.append(
            ColumnReport(
                name=name, is_signal=signal, settles=one.settles, look_ahead=name in ahead,
                warm_up=one.warm_up if one.settles == "yes" else None,
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: not row.is_signal))


def written(value: float, flag: bool = False) -> str:
    """Write a value of a column for people."""
    if flag:
        return "yes" if value else "no"
    return "missing" if math.isnan(value) else f"{value:,.6g}"


def _bars(count: int) -> str:
    return f"{count:,} {'bar' if count == 1 else 'bars'}"


def _share(off: float) -> str:
    if math.isinf(off):
        return "a missing value"
    return f"{100 * off:.2g} %"
