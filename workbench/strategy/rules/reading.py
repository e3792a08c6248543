"""YAML into a small tree in which everything knows its line and column.

Only what a rule file needs is read: mappings with text keys, lists, and plain or quoted text. The parser of PyYAML
gives events; no object is ever built from a tag, nothing is shared between places (no aliases), and size and depth
are limited, so that a file that was made to hurt is refused like any other mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from workbench.strategy.rules.mistakes import NOWHERE, Mistake, Mistakes, Place

__all__ = ["Listed", "Mapped", "Node", "Text", "describe", "read_yaml"]

_LONGEST: Final = 200_000  # characters of a file
_DEEPEST: Final = 30
_MOST: Final = 20_000  # nodes
_NUMBER: Final = re.compile(r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?", re.ASCII)
_LARGEST: Final = 1e15
_ESCAPES: Final = {"x": 4, "u": 6, "U": 10}  # characters that an escape in double quotes takes; 2 for all others
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "null": None, "Null": None, "~": None, "true": True, "True": True, "false": False, "False": False,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Text:
    """One value: what is written, whether in quotes, and where.

    `value` is what plain text means: None, True, False, a number, or else the text itself.
    """

    text: str
    quoted: bool
    place: Place
    written: str = ""

    @cached_property
    def value(self) -> Any:
        """What is meant: plain `14` is a number, `"14"` in quotes is text."""
        if self.quoted:
            return self.text
        if self.text in _WORDS:
            return _WORDS[self.text]
        return number_in(self.text, self.place) if _NUMBER.fullmatch(self.text) else self.text

    def at(self, offset: int) -> Place:
        """Give the place of the character at an offset into the text."""
        begin = self.written.find(self.text)
        index = begin + offset if begin >= 0 else _aligned(self.written, self.text, offset)
        before = self.written[:index]
        if "\n" in before:
            return Place(self.place.line + before.count("\n"), len(before) - before.rfind("\n"))
        return Place(self.place.line, self.place.column + len(before))


@dataclass(frozen=True, eq=False)
class Listed:
    """A list."""

    items: list[Node]
    place: Place


@dataclass(frozen=True, eq=False)
class Mapped:
    """A mapping, with its keys in the order of the file."""

    items: dict[str, Node]
    place: Place
    keys: dict[str, Text] = field(default_factory=dict)

    def place_of(self, key: str) -> Place:
        """Where a key stands."""
        return self.keys[key].place


Node = Text | Listed | Mapped


def number_in(text: str, place: Place) -> int | float:
    """Read a number; whole ones are int."""
    plain = text.replace("_", "")
    if len(plain) > 40 or abs(float(plain)) > _LARGEST:
        raise Mistake(f"the number {text[:40]} is larger than anything in a strategy", place)
    return int(plain) if plain.lstrip("+-").isdigit() else float(plain)


def describe(node: Node) -> str:
    """Say what a node is, for messages."""
    if isinstance(node, Mapped):
        return "a mapping (name: value)"
    if isinstance(node, Listed):
        return "a list"
    if not node.quoted and node.text in ("", "~", "null"):
        return "nothing"
    return repr(node.text if len(node.text) <= 60 else node.text[:57] + "...")


def read_yaml(mistakes: Mistakes) -> Mapped:
    """Read the source of a rule file.

    Returns
    -------
    Mapped
        Its top level.

    Raises
    ------
    StrategyError
        It is no YAML, not a mapping, too large, or uses what rule files do not: aliases, tags, several documents.
    """
    try:
        root = _tree(mistakes.source, mistakes)
    except Mistake as mistake:
        mistakes.found.append(mistake)
    else:
        if isinstance(root, Mapped):
            return root
        found = "nothing in it" if root is None else f"{describe(root)} at its top"
        mistakes.add(f"the file has {found}; write `entry: ...` and the other sections", NOWHERE)
    raise mistakes.error()


def _events(source: str) -> Iterator[Any]:
    import yaml

    if len(source) > _LONGEST:
        raise Mistake(f"the file has {len(source)} characters; a rule file has at most {_LONGEST}", NOWHERE)
    try:
        yield from yaml.parse(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise Mistake(*_explained(error)) from error
    except yaml.reader.ReaderError as error:
        place = _place_in(source, error.position)
        raise Mistake("a character that no text file should have: retype or delete it", place) from error
    except (yaml.YAMLError, ValueError, UnicodeError) as error:
        raise Mistake(f"this is no YAML: {error}", NOWHERE) from error


def _explained(error: Any) -> tuple[str, Place]:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or "this is no YAML")
    hints = {
        "mapping values are not allowed": "put text that contains ': ' into quotes",
        "cannot start any token": "indent with spaces, and put text with [ or {, or a sign at its start, into quotes",
        "could not find expected ':'": "a name wants ': ' after it, and items of a list want '- ' before them",
        "did not find expected key": "check the indentation here and quotes, and put text with [ or { into quotes",
        "did not find expected ',' or": "close the bracket, and put a condition with [ ] inside a list into quotes",
        "undefined alias": "rule files have no aliases (*name); put text that begins with * into quotes",
        "quoted scalar": "a quote is opened and never closed",
    }
    said = f"{error.context or ''} {problem}"
    hint = next((text for part, text in hints.items() if part in said), "check the indentation and the quotes")
    place = Place(mark.line + 1, mark.column + 1) if mark else NOWHERE
    return f"this is no YAML: {problem}; {hint}", place


def _place_in(source: str, position: Any) -> Place:
    at = position if isinstance(position, int) and 0 <= position <= len(source) else 0
    odd = next((i for i, letter in enumerate(source) if not letter.isprintable() and letter not in "\n\r\t"), at)
    before = source[:odd]
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _tree(source: str, mistakes: Mistakes) -> Node | None:
    """Build the tree without recursion; an open mapping keeps the key that waits for its value."""
    root: Node | None = None
    open_: list[tuple[Listed | Mapped, list[Text]]] = []
    documents = count = 0
    for event in _events(source):
        kind = type(event).__name__
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "DocumentStartEvent" and (documents := documents + 1) > 1:
            raise Mistake("a second document begins here (---); a rule file has one", place)
        if kind in ("SequenceEndEvent", "MappingEndEvent"):
            open_.pop()
        node = _node(event, kind, place, source)
        if node is None:
            continue
        if (count := count + 1) > _MOST or len(open_) > _DEEPEST:
            much = f"more than {_MOST} values" if count > _MOST else f"nested deeper than {_DEEPEST} levels"
            raise Mistake(f"{much}: no strategy needs that", place)
        root = node if root is None else root
        if open_:
            _put(open_[-1], node, mistakes)
        if not isinstance(node, Text):
            open_.append((node, []))
    return root


def _node(event: Any, kind: str, place: Place, source: str) -> Node | None:
    if kind == "AliasEvent" or getattr(event, "anchor", None):
        sign = "*" if kind == "AliasEvent" else "&"
        raise Mistake(
            f"{sign}{event.anchor} is an alias, which rule files do not have; write the value out, or make it a "
            "parameter or a column under `indicators:`", place,
        )  # fmt: skip
    if getattr(event, "tag", None):
        raise Mistake(f"the tag {event.tag} means nothing here; leave it out", place)
    if kind == "ScalarEvent":
        written = source[event.start_mark.index : event.end_mark.index]
        return Text(event.value, bool(event.style), place, written)
    if kind == "SequenceStartEvent":
        return Listed([], place)
    return Mapped({}, place) if kind == "MappingStartEvent" else None


def _put(parent: tuple[Listed | Mapped, list[Text]], node: Node, mistakes: Mistakes) -> None:
    holder, waiting = parent
    if isinstance(holder, Listed):
        holder.items.append(node)
    elif waiting:
        key = waiting.pop()
        if key.text in holder.items:
            first = holder.keys[key.text].place.line
            mistakes.add(f"{key.text!r} is here a second time (first on line {first}); keep one of the two", key.place)
        else:
            holder.items[key.text] = node
            holder.keys[key.text] = key
    elif isinstance(node, Text):
        waiting.append(node)
    else:
        raise Mistake(f"a name is wanted here, not {describe(node)}; put text with [ or {{ into quotes", node.place)


def _aligned(written: str, text: str, offset: int) -> int:
    """Find where a character of folded or escaped text is written: walk both, letting white space stretch."""
    at = found = 0
    for letter in text[: offset + 1]:
        if letter.isspace():
            continue
        while at < len(written) and written[at] != letter and written[at] != "\\":
            at += 1  # white space, the opening quote or the sign of a block
        found = at
        escaped = written[at : at + 1] == "\\"
        at += _ESCAPES.get(written[at + 1 : at + 2], 2) if escaped else 1
    return min(found, len(written))
