"""Rules said again in the plainest Python: trees of tuples, written as text and worked out bar by bar.

It shares nothing with the package: no parser, no numpy. A condition is True, False or None where something that it
needs is missing. `low` is the first row that exists for what is asked: 0, or the bar in which the position was opened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

Tree = tuple[Any, ...]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def text_of(tree: Tree) -> str:
    """Write a tree as an expression, with every bracket."""
    match tree:
        case ("number", value):
            return f"({value})" if value < 0 else f"{value}"
        case ("name", name):
            return str(name)
        case ("shift", of, bars):
            return f"({text_of(of)})[{bars}]"
        case ("on", of, frame):
            return f"({text_of(of)}) @ {frame}"
        case ("mean", of, length):
            return f"sma({text_of(of)}, {length})"
        case ("function", name, of):
            return f"{name}({', '.join(map(text_of, of))})"
        case ("cross", word, left, right):
            return f"({text_of(left)} {word} {text_of(right)})"
        case ("moving", word, of, bars):
            return f"({text_of(of)} {word} {bars})"
        case ("all", of):
            return f"({' and '.join(map(text_of, of))})"
        case ("any", of):
            return f"({' or '.join(map(text_of, of))})"
        case ("not", of):
            return f"(not {text_of(of)})"
        case ("for" | "within" as word, of, bars):
            return f"({text_of(of)} {word} {bars} bars)"
        case ("time", start, end, zone):
            return f"(time between {start // 60:02}:{start % 60:02} and {end // 60:02}:{end % 60:02} in {zone})"
        case ("weekday", days):
            return f"(weekday in [{', '.join(DAYS[day] for day in days)}])"
        case (sign, left, right):
            return f"({text_of(left)} {sign} {text_of(right)})"
    raise AssertionError(tree)


def spelt_out(tree: Tree) -> Any:
    """Write the same as a tree of mappings, as far as these go."""
    match tree:
        case ("all" | "any" as word, of):
            return {word: [spelt_out(one) for one in of]}
        case ("not", of):
            return {"not": spelt_out(of)}
        case ("for" | "within" as word, of, bars):
            inner = spelt_out(of)
            free = isinstance(inner, dict) and not {"for", "within"} & set(inner)
            return {**inner, word: bars} if free else {"all": [inner], word: bars}
        case ("cross", word, left, right):
            return {"left": text_of(left), "op": word, "right": text_of(right)}
        case ("moving", word, of, bars):
            return {"left": text_of(of), "op": word, "bars": bars}
        case ("time", start, end, zone):
            times = [f"{one // 60:02}:{one % 60:02}" for one in (start, end)]
            return {"time": times, "timezone": zone}
        case ("weekday", days):
            return {"weekday": [DAYS[day] for day in days]}
        case ("<" | ">" | "<=" | ">=" | "==" | "!=" as sign, left, right):
            return {"left": text_of(left), "op": sign, "right": text_of(right)}
    return text_of(tree)


def inner(tree: Tree) -> list[Tree]:
    """The trees that a tree is made of."""
    lists = [part if isinstance(part, list) else [part] for part in tree[1:]]
    return [one for several in lists for one in several if isinstance(one, tuple)]


def holding(tree: Tree) -> bool:
    """Whether a tree speaks of the position."""
    return tree in (("name", "profit"), ("name", "bars_held")) or any(map(holding, inner(tree)))


def constant(tree: Tree) -> bool:
    return tree[0] == "number" or (tree[0] not in ("name", "mean") and all(map(constant, inner(tree))))


class Naive:
    """Bars as lists, and everything worked out on one row at a time."""

    def __init__(self, rows: dict[str, Sequence[float]], frame_ms: int) -> None:
        self.rows, self.frame_ms = rows, frame_ms
        self.opened, self.side = 0, 0

    def slower(self, times: int) -> Naive:
        """Longer bars of so many rows on the clock's grid, complete ones only."""
        span, groups = self.frame_ms * times, {}
        for row, ts in enumerate(self.rows["ts"]):
            groups.setdefault(ts // span, []).append(row)
        whole = [rows for rows in groups.values() if len(rows) == times]
        take = self.rows
        made = {name: [take[name][one[0]] for one in whole] for name in ("ts", "open")}
        made["high"] = [max(take["high"][i] for i in one) for one in whole]
        made["low"] = [min(take["low"][i] for i in one) for one in whole]
        made["close"] = [take["close"][one[-1]] for one in whole]
        made["volume"] = [sum(take["volume"][i] for i in one) for one in whole]
        return Naive(made, span)

    def value(self, tree: Tree, row: int, low: int = 0) -> float:
        if not holding(tree):
            low = 0
        if row < low and not constant(tree):
            return math.nan
        match tree:
            case ("number", value):
                return float(value)
            case ("name", "bars_held"):
                return row - self.opened + 1.0
            case ("name", "profit"):
                return self.side * (self.rows["close"][row] / self.rows["open"][self.opened] - 1.0)
            case ("name", "hl2"):
                return (self.rows["high"][row] + self.rows["low"][row]) / 2.0
            case ("name", name):
                return float(self.rows[name][row])
            case ("shift", of, bars):
                return self.value(of, row - bars) if row >= bars or constant(of) else math.nan
            case ("mean", of, length):
                window = [self.value(of, i) if i >= 0 else math.nan for i in range(row - length + 1, row + 1)]
                return sum(window) / length
            case ("function", "abs", [of]):
                return abs(self.value(of, row, low))
            case ("function", name, of):
                values = [self.value(one, row, low) for one in of]
                return math.nan if any(map(math.isnan, values)) else (min if name == "min" else max)(values)
            case ("on", of, frame):
                if constant(of):
                    return self.value(of, row)
                slow = self.slower(int(frame[:-1]))
                known = [
                    i
                    for i, ts in enumerate(slow.rows["ts"])
                    if ts + slow.frame_ms <= self.rows["ts"][row] + self.frame_ms
                ]
                return slow.value(of, known[-1]) if known else math.nan
            case (sign, left, right):
                a, b = self.value(left, row, low), self.value(right, row, low)
                if sign == "/":
                    return a / b if b else math.nan
                return {"+": a + b, "-": a - b, "*": a * b}[sign]
        raise AssertionError(tree)

    def holds(self, tree: Tree, row: int, low: int = 0) -> bool | None:
        if not holding(tree):
            low = 0
        match tree:
            case ("all", of):
                return _all([self.holds(one, row, low) for one in of])
            case ("any", of):
                return _any([self.holds(one, row, low) for one in of])
            case ("not", of):
                return _contrary(self.holds(of, row, low))
            case ("for", of, bars):
                seen = [self.holds(of, i, low) for i in range(max(row - bars + 1, low), row + 1)]
                return _all(seen + [None] * (bars - len(seen)))
            case ("within", of, bars):
                seen = [self.holds(of, i, low) for i in range(max(row - bars + 1, low), row + 1)]
                return _any(seen + [None] * (bars - len(seen)))
            case ("moving", word, of, bars):
                sign = ">" if word == "rising" else "<"
                steps = [self._compare(sign, of, of, (i, i - 1), low) for i in range(max(row - bars + 1, low), row + 1)]
                return _all(steps + [None] * (bars - len(steps)))
            case ("cross", word, left, right):
                now, before = (">", "<=") if word == "crosses_above" else ("<", ">=")
                return _all(
                    [
                        self._compare(now, left, right, (row, row), low),
                        self._compare(before, left, right, (row - 1, row - 1), low),
                    ]
                )
            case ("time", start, end, zone):
                local = datetime.fromtimestamp(self.rows["ts"][row] / 1000, UTC).astimezone(ZoneInfo(zone))
                minute = local.hour * 60 + local.minute
                return start <= minute < end if start <= end else minute >= start or minute < end
            case ("weekday", days):
                return datetime.fromtimestamp(self.rows["ts"][row] / 1000, UTC).weekday() in days
            case (sign, left, right):
                return self._compare(sign, left, right, (row, row), low)
        raise AssertionError(tree)

    def _compare(self, sign: str, left: Tree, right: Tree, at: tuple[int, int], low: int) -> bool | None:
        a, b = (self._there(one, row, low) for one, row in zip((left, right), at, strict=True))
        if math.isnan(a) or math.isnan(b):
            return None
        return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "==": a == b, "!=": a != b}[sign]

    def _there(self, tree: Tree, row: int, low: int) -> float:
        """A value at a row that may lie before all that exists."""
        return self.value(tree, row, low) if row >= low or constant(tree) else math.nan

    def trades(self, entry: Tree, leave: Tree) -> tuple[list[int], list[int]]:
        """The bars that decide an entry and an exit of a long position, from the first bar on."""
        entries, exits = [], []
        row, count = 0, len(self.rows["ts"])
        while row < count:
            if self.holds(entry, row) is not True:
                row += 1
                continue
            entries.append(row)
            self.opened, self.side = row + 1, 1
            row += 1
            while row < count and self.holds(leave, row, self.opened) is not True:
                row += 1
            if row < count:
                exits.append(row)
            row += 1
        return entries, exits


def _all(several: list[bool | None]) -> bool | None:
    return False if False in several else None if None in several else True


def _any(several: list[bool | None]) -> bool | None:
    return True if True in several else None if None in several else False


def _contrary(said: bool | None) -> bool | None:
    return None if said is None else not said
