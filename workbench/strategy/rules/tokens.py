"""The text of an expression into words, numbers and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workbench.strategy.rules.mistakes import Mistake
from workbench.strategy.rules.reading import Text

__all__ = ["Token", "tokens"]

_KINDS: Final = re.compile(
    r"""
      (?P<clock>\d{1,2}:\d\d(?!\d))
    | (?P<span>\d+[smhdw](?!\w))
    | (?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<word>ta:[A-Za-z_]+\.\w+|[A-Za-z_]\w*)
    | (?P<quote>"[^"]*"|'[^']*')
    | (?P<sign><=|>=|==|!=|[-+*/()\[\],.@=<>])
    """,
    re.VERBOSE | re.ASCII,
)
_MEANT: Final = {
    "&": "and", "&&": "and", "|": "or", "||": "or", "!": "not", "^": "* (there are no powers)", "%": "/ 100",
    "<>": "!=", "≥": ">=", "≤": "<=", "×": "*", "–": "-", "−": "-",
}  # fmt: skip
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign; `kind` is also `end` after the last one."""

    kind: str
    text: str
    start: int


def tokens(text: Text) -> list[Token]:
    """Split the text of an expression.

    Raises
    ------
    Mistake
        A sign means nothing here, or the text is empty or very long.
    """
    written = text.text
    if len(written) > _LONGEST:
        raise Mistake(f"an expression of {len(written)} characters; split it with columns under `indicators:`", text.place)
    found, at = [], 0
    while at < len(written):
        if written[at].isspace():
            at += 1
            continue
        match = _KINDS.match(written, at)
        if match is None:
            raise _unknown(text, at)
        found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    if not found:
        raise Mistake("an expression is wanted here, such as `rsi < 30`, and nothing is written", text.place)
    return [*found, Token("end", "", len(written))]


def _unknown(text: Text, at: int) -> Mistake:
    rest = text.text[at:]
    if rest[0].isdigit() or rest[0] == ".":
        word = re.match(r"[\w.:]+", rest)
        shown = word.group() if word else rest[0]
        return Mistake(f"{shown[:40]!r} is neither a number nor a name; names begin with a letter", text.at(at))
    if rest[0] in "\"'":
        return Mistake("a quote is opened here and never closed", text.at(at))
    sign = rest[:2] if rest[:2] in _MEANT else rest[0]
    hint = f"; write {_MEANT[sign]}" if sign in _MEANT else ""
    return Mistake(f"{sign!r} means nothing in a rule{hint}", text.at(at))
