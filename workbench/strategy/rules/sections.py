"""The sections of a rule file, read one after another into a `RuleFile`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, cast, get_args

from workbench.market.timeframe import Timeframe
from workbench.strategy.rules.columns import read_columns, timeframe_of
from workbench.strategy.rules.conditions import condition_of, value_of
from workbench.strategy.rules.guards import read_guards
from workbench.strategy.rules.mistakes import Mistake, Mistakes, Place, suggestion
from workbench.strategy.rules.nodes import Condition, Literal, Value
from workbench.strategy.rules.plan import SIDES, STOPS, Required, RuleFile, Size
from workbench.strategy.rules.reading import Mapped, Node, Text, describe, number_in
from workbench.strategy.rules.scope import Scope
from workbench.strategy.rules.settings import read_settings
from workbench.strategy.rules.sizes import read_sizing
from workbench.strategy.signals import SizeUnit

__all__ = ["SECTIONS", "STOP_KEYS", "read_file"]

SECTIONS: Final = (
    "name", "description", "timeframe", "parameters", "require", "indicators", *SIDES, "stops", "size", "sizing",
    "protections", "leverage", "warm_up",
)  # fmt: skip
STOP_KEYS: Final = (*STOPS, "roi", "max_bars")


def read_file(root: Mapped, path: Path, mistakes: Mistakes) -> RuleFile:
    """Read all sections; what is wrong is noted in `mistakes`, and the file that is given then is not to be used."""
    for key in root.items:
        if key not in SECTIONS:
            mistakes.add(f"there is no section {key!r}{suggestion(key, SECTIONS, most=20)}", root.place_of(key))
    reader = _Reader(root, path, mistakes)
    sides = reader.sides()
    stops = reader.section("stops", STOP_KEYS)
    per_bar = {name: value for name in STOPS if (value := reader.value(stops, name, bars=True)) is not None}
    size, unit = reader.size()
    return RuleFile(
        path=path,
        name=reader.name,
        summary=reader.text("description"),
        timeframe=reader.timeframe(),
        settings=reader.settings,
        places=reader.places(),
        required=reader.required(),
        columns=reader.columns,
        sides=sides,
        stops=per_bar,
        roi=reader.ladder(stops),
        max_bars=reader.value(stops, "max_bars"),
        size=size,
        size_unit=unit,
        guards=read_guards(root.items.get("protections"), reader.scope.numbers(), mistakes),
        leverage=reader.value(root, "leverage"),
        warm_up=reader.value(root, "warm_up"),
        sizing=reader.sizing(),
    )


class _Reader:
    """The sections of one file, and the names that they share."""

    def __init__(self, root: Mapped, path: Path, mistakes: Mistakes) -> None:
        self.root, self.mistakes = root, mistakes
        self.name = class_name(self.text("name") or path.stem)
        self.settings = read_settings(root.items.get("parameters"), self.name, mistakes)
        columns = root.items.get("indicators")
        if columns is not None and not isinstance(columns, Mapped):
            mistakes.add(f"indicators: wants names with a column each, not {describe(columns)}", columns.place)
        names = tuple(columns.items) if isinstance(columns, Mapped) else ()
        self.scope = Scope(self.settings, names)
        self.columns = read_columns(columns, self.scope, mistakes)

    def text(self, key: str) -> str:
        node = self.root.items.get(key)
        if node is None:
            return ""
        if not isinstance(node, Text):
            self.mistakes.add(f"{key}: wants text, not {describe(node)}", node.place)
            return ""
        return node.text.strip()

    def places(self) -> dict[str, Place]:
        declared = self.root.items.get("parameters")
        return {name: declared.place_of(name) for name in declared.items} if isinstance(declared, Mapped) else {}

    def timeframe(self) -> Timeframe | None:
        node = self.root.items.get("timeframe")
        if node is None:
            return None
        with self.mistakes.noted(node.place):
            found = timeframe_of(node, Scope({}))
            return Timeframe.parse(str(found.value)) if isinstance(found, Literal) else None
        return None

    def section(self, key: str, known: tuple[str, ...]) -> Mapped | None:
        node = self.root.items.get(key)
        if node is None:
            return None
        if not isinstance(node, Mapped):
            self.mistakes.add(f"{key}: wants names with a value each, not {describe(node)}", node.place)
            return None
        for name in node.items:
            if name not in known:
                self.mistakes.add(f"{key} has no {name!r}{suggestion(name, known)}", node.place_of(name))
        return node

    def value(self, section: Mapped | None, key: str, *, bars: bool = False) -> Value | None:
        node = section.items.get(key) if section else None
        if node is None:
            return None
        with self.mistakes.noted(node.place):
            return value_of(node, self.scope if bars else self.scope.numbers())
        return None

    def sides(self) -> dict[str, Condition]:
        found: dict[str, Condition] = {}
        for side in SIDES:
            node = self.root.items.get(side)
            if node is not None:
                with self.mistakes.noted(node.place):
                    found[side] = condition_of(node, self.scope)
        if not {"entry", "short_entry"} & set(self.root.items):
            place = self.root.place_of(next(iter(self.root.items))) if self.root.items else self.root.place
            self.mistakes.add("there is neither an entry nor a short_entry; say when to go into the market", place)
            return found
        for way_out, way_in in (("exit", "entry"), ("short_exit", "short_entry")):
            if way_out in self.root.items and way_in not in self.root.items:
                message = f"there is an {way_out} and no {way_in}: nothing would ever be left by it"
                self.mistakes.add(message.replace("an short", "a short"), self.root.place_of(way_out))
        return found

    def required(self) -> tuple[Required, ...]:
        node = self.root.items.get("require")
        if node is None:
            return ()
        items = [node] if isinstance(node, Text) else getattr(node, "items", [])
        if isinstance(items, dict):
            self.mistakes.add("require: wants text or a list of it, as in [fast < slow]", node.place)
            return ()
        found = []
        for one in items:
            with self.mistakes.noted(one.place):
                if not isinstance(one, Text):
                    raise Mistake(f"require: wants text such as `fast < slow`, not {describe(one)}", one.place)
                found.append(Required(condition_of(one, self.scope.numbers()), one.text))
        return tuple(found)

    def ladder(self, stops: Mapped | None) -> tuple[tuple[float, Value], ...]:
        node = stops.items.get("roi") if stops else None
        if node is None:
            return ()
        if not isinstance(node, Mapped) or not node.items:
            message = f"roi: wants minutes and the gain to leave at, as in {{0: 0.04, 60: 0.01}}, not {describe(node)}"
            self.mistakes.add(message, node.place)
            return ()
        found = []
        for key, given in node.items.items():
            with self.mistakes.noted(given.place):
                if not re.fullmatch(r"\d{1,9}(\.\d+)?", key, re.ASCII):
                    raise Mistake(f"{key!r} is no number of minutes", node.place_of(key))
                found.append((float(number_in(key, given.place)), value_of(given, self.scope.numbers())))
        return tuple(found)

    def size(self) -> tuple[Value | None, SizeUnit]:
        node = self.root.items.get("size")
        if not isinstance(node, Mapped):
            return self.value(self.root, "size", bars=True), "fraction"
        section = self.section("size", ("amount", "unit"))
        if "amount" not in node.items:
            self.mistakes.add("size has no amount; write {amount: 0.5, unit: fraction}", node.place)
        return self.value(section, "amount", bars=True), self._unit(node.items.get("unit"))

    def sizing(self) -> Size | None:
        if "size" in self.root.items and "sizing" in self.root.items:
            self.mistakes.add(
                "there is a size and a sizing: both say how large entries are; leave one of them out",
                self.root.place_of("sizing"),
            )
        return read_sizing(self.root.items.get("sizing"), self.scope.numbers(), self.mistakes)

    def _unit(self, node: Node | None) -> SizeUnit:
        text = node.text if isinstance(node, Text) else ""
        for known in get_args(SizeUnit):
            if text == known:
                return cast(SizeUnit, known)
        if node is not None:
            self.mistakes.add(f"{describe(node)} is no unit of size{suggestion(text, get_args(SizeUnit))}", node.place)
        return "fraction"


def class_name(text: str) -> str:
    """Make the name of a class of a name or the stem of a file: `sma_cross` is SmaCross."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[0].upper() + word[1:] for word in words)[:80]
    return name if name[:1].isalpha() else f"Rules{name}"
