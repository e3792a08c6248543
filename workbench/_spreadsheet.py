"""Text in CSV that no spreadsheet takes for a formula, and that reads back as it was.

A cell that begins with =, +, -, @ (also as wide characters), a tab or a line end is run by spreadsheet programs. Such
text gets an apostrophe before it, as does text that begins with an apostrophe, so that taking one away again always
gives the original.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["guarded", "unguarded"]

_FORMULA: Final = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")


def guarded(text: Any) -> Any:
    """Guard a text; what is no text is given back as it is, as numbers may begin with a minus.

    Examples
    --------
    >>> guarded("=1+1"), guarded("BTC/USDT"), guarded(-5)
    ("'=1+1", 'BTC/USDT', -5)
    """
    if isinstance(text, str) and text.lstrip(" ").startswith((*_FORMULA, "'")):
        return "'" + text
    return text


def unguarded(text: str) -> str:
    """Give the text that was guarded.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("'tis")
    ('=1+1', "'tis")
    """
    rest = text[1:]
    return rest if text.startswith("'") and rest.lstrip(" ").startswith((*_FORMULA, "'")) else text
