"""How commands speak: tables, lines and errors; for people on a terminal, for programs at the end of a pipe.

A terminal gets rich tables and colour. Everything else gets plain columns in full width, so that `grep`, `awk` and a
log file see whole values and no escape codes. Numbers and words come in ready; nothing here knows what they mean.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "Cell",
    "Column",
    "on_terminal",
    "plain_streams",
    "say",
    "say_error",
    "say_warning",
    "show_code",
    "show_csv",
    "show_json",
    "show_table",
]

_ASCII: Final = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{MIDDLE DOT}": ".",
    "\N{BOX DRAWINGS HEAVY VERTICAL}": "|",
}  # the rest goes by its compatibility form: no-break spaces, ligatures, letters without their accents
_MINUS: Final = re.compile("(?<!\\w)[-\N{MINUS SIGN}](?=[\\d.])")  # before a number, not inside a date
_HANDLER: Final = "workbench.ascii"


class Cell(NamedTuple):
    """A text of a table with a style of its own, in rich's words (`"red"`, `"dim"`)."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column of a table: its heading, whether it holds numbers, and what becomes of it on a narrow terminal.

    `wrap` lets it go over several lines, `cut` lets it end in dots; without either it keeps its width.
    """

    label: str
    number: bool = False
    wrap: bool = False
    cut: bool = False


def plain_streams() -> None:
    """Let text reach a terminal or pipe that is not UTF-8 as the nearest ASCII, where it would be an error else."""
    codecs.register_error(_HANDLER, _nearest_ascii)
    for stream in (sys.stdout, sys.stderr):
        if not _is_utf8(stream) and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "").replace("_", "") == "utf8"


def _nearest_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    there = error.object[error.start : error.end]
    return "".join(map(_as_ascii, there)), error.end


def _as_ascii(character: str) -> str:
    if character in _ASCII:
        return _ASCII[character]
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return base or "?"


def on_terminal() -> bool:
    """Tell whether the answer goes to a person at a terminal and not to a pipe or a file."""
    return sys.stdout.isatty() and _console().is_terminal


def _console(stream: TextIO | None = None) -> Console:
    from rich.console import Console

    return Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)


def say(text: str = "", style: str = "", *, wrap: bool = False) -> None:
    """Print a line, in a style where there is one to see; with `wrap` a terminal gets it broken between words."""
    if wrap and on_terminal():
        _console().print(text, style=style)
    elif style and on_terminal():
        _console().print(text, style=style, soft_wrap=True)
    else:
        print(text)


def say_error(message: str, notes: Iterable[str] = ()) -> None:
    """Print an error and where it happened as one red block on stderr."""
    _block([f"Error: {message}", *(f"  {note}" for note in notes)], "red")


def say_warning(message: str) -> None:
    """Print a warning as one yellow block on stderr."""
    _block([f"Warning: {message}"], "yellow")


def _block(lines: Sequence[str], style: str) -> None:
    if not sys.stderr.isatty():
        print("\n".join(lines), file=sys.stderr)
        return
    console = _console(sys.stderr)
    width = max(console.width - 2, 20)
    kept = [
        part
        for line in "\n".join(lines).splitlines()
        for part in textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
    ]
    console.print("\n".join(f"\N{BOX DRAWINGS HEAVY VERTICAL} {line}" for line in kept), style=style, soft_wrap=True)


def show_table(columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]]) -> None:
    """Print a table.

    Parameters
    ----------
    columns : sequence of Column
    rows : iterable of sequences of str or Cell
        As long as `columns` each.
    """
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    if on_terminal() and _is_utf8(sys.stdout):
        _rich_table(columns, cells)
    else:
        _plain_table(columns, cells)


def _rich_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        show_header=any(column.label for column in columns),
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    widths = _between_words(columns, rows, _console().width)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            Text(column.label),
            justify="right" if column.number else "left",
            no_wrap=not (column.wrap or column.cut),
            overflow="fold",
            width=width,
        )
    for row in rows:
        texts = [Text(_as_number(*pair), style=pair[1].style) for pair in zip(columns, row, strict=True)]
        for text, column in zip(texts, columns, strict=True):
            if column.cut:
                text.no_wrap, text.overflow = True, "ellipsis"
        table.add_row(*texts)
    _console().print(table)


def _between_words(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[int | None]:
    """Give widths with which columns that wrap do so between words, where the terminal has room for that."""
    texts = [[column.label, *(row[place].text for row in rows)] for place, column in enumerate(columns)]
    whole = [max(_width(line) for text in one for line in text.splitlines() or [""]) for one in texts]
    found = [
        max((_width(word) for text in one for word in text.split()), default=0) if column.wrap else most
        for column, one, most in zip(columns, texts, whole, strict=True)
    ]
    between = 2 * len(columns)
    left = width - sum(found) - between
    if left < 0 or sum(whole) + between <= width or any(column.cut for column in columns):
        return [None] * len(columns)
    while left > 0:  # each of the rest goes where most lines are
        place = max(range(len(columns)), key=lambda one: whole[one] / max(found[one], 1))
        found[place] += 1
        left -= 1
    return list(found)


def _as_number(column: Column, cell: Cell, minus: str = "\N{MINUS SIGN}") -> str:
    """Write the minus of a number as people (a terminal) or programs (a pipe, where it is a hyphen) expect it."""
    return _MINUS.sub(minus, cell.text) if column.number else cell.text


def _plain_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    lines = [[column.label for column in columns]] if any(column.label for column in columns) else []
    for row in rows:
        lines.append([" ".join(_as_number(*pair, "-").split()) for pair in zip(columns, row, strict=True)])
    widths = [max((_width(line[place]) for line in lines), default=0) for place in range(len(columns))]
    for line in lines:
        padded = [
            " " * (width - _width(text)) + text if column.number else text + " " * (width - _width(text))
            for text, width, column in zip(line, widths, columns, strict=True)
        ]
        print("  ".join(padded).rstrip())


def show_code(source: str, language: str = "python") -> None:
    """Print source, coloured on a terminal; `language` as Pygments calls it, such as `"python"`, `"yaml"`, `"diff"`."""
    if not on_terminal():
        print(source.rstrip())
        return
    from rich.syntax import Syntax

    coloured = Syntax("", language, theme="ansi_dark", background_color="default").highlight(source)
    _console().print(coloured, end="", soft_wrap=True)


def _width(text: str) -> int:
    """Count the columns that a text takes in a terminal's font."""
    return sum(0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def show_json(data: Any) -> None:
    """Print data as JSON; numbers that JSON has no word for (NaN, infinity) become null."""
    print(json.dumps(_for_json(data), indent=2, ensure_ascii=not _is_utf8(sys.stdout), allow_nan=False))


def _for_json(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _for_json(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_for_json(value) for value in data]
    if hasattr(data, "item") and getattr(data, "ndim", None) == 0:
        data = data.item()
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if data is None or isinstance(data, (bool, int, str)):
        return data
    return None if str(data) in ("NaT", "<NA>") else str(data)


def show_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as CSV; what is missing is an empty field."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if (value := _for_json(cell)) is None else value for cell in row])
