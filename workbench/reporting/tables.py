"""Tables in a notebook's outputs, dressed like the rest of the page.

pandas writes tables that align everything to the right and bring their own rules. Here each gets the page's classes and
a box to scroll in, and the columns that hold only numbers are found, so that they alone are aligned as numbers.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

__all__ = ["dress_tables"]

_TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL | re.IGNORECASE)
_PANDAS_RULES = re.compile(r"<style scoped>.*?</style>\s*", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL | re.IGNORECASE)
_CELL = re.compile(r"<(th|td)\b([^>]*)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")
_CLASS = re.compile(r"""\sclass\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_OLD = re.compile(r"""\s(?:border|cellpadding|cellspacing|align)\s*=\s*(?:"[^"]*"|'[^']*'|\w+)""", re.IGNORECASE)
_STYLE = re.compile(r"""\sstyle\s*=\s*(?:"[^"]*"|'[^']*')""", re.IGNORECASE)
_NUMBER = re.compile(r"[-+−]?[$€£¥]?(?:\d[\d,_ \u2009\u202f']*)?(?:\.\d+|\d)?(?:e[-+]?\d+)?\s*(?:%|bps?|x|ms|s)?", re.I)
_NOTHING: Final = frozenset({"", "nan", "none", "nat", "<na>", "-", "–", "—", "inf", "-inf", "..."})
_WRAPS_FROM: Final = 60  # characters: a column with a longer text may use several lines


def dress_tables(html: str) -> str:
    """Give every table in a piece of HTML the page's classes and a box that scrolls.

    Parameters
    ----------
    html : str
        Tables inside tables are left to themselves.
    """
    if "<table" not in html.lower():
        return html
    return _TABLE.sub(lambda found: _dressed(found[1], found[2]), _PANDAS_RULES.sub("", html))


def _dressed(attributes: str, body: str) -> str:
    own = _CLASS.search(attributes)
    names = [
        name for name in ((own[1] or own[2] or "") if own else "").split() if name not in ("dataframe", "wb-table")
    ]
    rest = _OLD.sub("", _CLASS.sub("", attributes))
    columns = _columns(body)
    numeric = {place for place, texts in columns.items() if _all_numbers(texts)}
    wordy = {place for place, texts in columns.items() if max(map(len, texts)) > _WRAPS_FROM}
    body = _ROW.sub(lambda row: _row(row[0], numeric, wordy), body)
    return (
        '<div class="wb-scroll" tabindex="0">'
        f'<table class="{" ".join(["wb-table", *names])}"{rest}>{body}</table></div>'
    )


def _text(cell: str) -> str:
    return unescape(_TAG.sub("", cell)).strip()


def _is_number(text: str) -> bool:
    return any(character.isdigit() for character in text) and _NUMBER.fullmatch(text) is not None


def _all_numbers(texts: list[str]) -> bool:
    filled = [text for text in texts if text.lower() not in _NOTHING]
    return bool(filled) and all(map(_is_number, filled))


def _columns(body: str) -> dict[int, list[str]]:
    """Give the texts of each column, counted from the right: the left may hold nested labels."""
    columns: dict[int, list[str]] = {}
    for row in _ROW.finditer(body):
        cells = [cell for cell in _CELL.finditer(row[0]) if cell[1].lower() == "td"]
        for place, cell in enumerate(reversed(cells)):
            columns.setdefault(place, []).append(_text(cell[3]))
    return columns


def _row(row: str, numeric: set[int], wordy: set[int]) -> str:
    cells = list(_CELL.finditer(row))
    heading = all(cell[1].lower() == "th" for cell in cells)
    plain = all("span" not in cell[2].lower() for cell in cells)
    dressed = []
    for index, cell in enumerate(cells):
        place = len(cells) - 1 - index
        number = place in numeric and (cell[1].lower() == "td" or (heading and plain))
        wraps = len(_text(cell[3])) > _WRAPS_FROM or (place in wordy and cell[1].lower() == "td")
        name = "wb-num" if number else "wb-wrap" if wraps else ""
        dressed.append(f"<{cell[1]}{_with_class(cell[2], name)}>{cell[3]}</{cell[1]}>")
    opening = row[: row.index(">") + 1]
    return _STYLE.sub("", opening) + "".join(dressed) + "</tr>"


def _with_class(attributes: str, name: str) -> str:
    if not name:
        return attributes
    own = _CLASS.search(attributes)
    if own is None:
        return f'{attributes} class="{name}"'
    names = dict.fromkeys([*(own[1] or own[2] or "").split(), name])
    return attributes.replace(own[0], f' class="{" ".join(names)}"')
