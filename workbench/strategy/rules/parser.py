"""Expressions and conditions as people write them: `rsi < 30 for 3 bars and close > 1.02 * ema(close, 50)`.

A Pratt parser: each sign binds its neighbours with a strength, from `or` (weakest) to `close[1]` (strongest). It makes
plain values of `nodes` and never runs anything.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from workbench.strategy.rules.clocks import clock, days_of, zone_of
from workbench.strategy.rules.mistakes import Mistake, Place, suggestion
from workbench.strategy.rules.nodes import (
    Agreement,
    Arithmetic,
    Call,
    Clock,
    Column,
    Compare,
    Condition,
    Cross,
    Either,
    Every,
    Flag,
    Lasting,
    Literal,
    Moving,
    Not,
    On,
    Part,
    Recent,
    Setting,
    Shift,
    Value,
    Weekday,
)
from workbench.strategy.rules.reading import Text, number_in
from workbench.strategy.rules.scope import RESERVED, Scope, indicator_of
from workbench.strategy.rules.tokens import Token, tokens

__all__ = ["COMPARISONS", "condition", "expression"]

COMPARISONS: Final = (">", "<", ">=", "<=", "==", "!=")
_STRENGTH: Final = {
    "or": 1, "and": 2, "for": 4, "within": 4, **dict.fromkeys(COMPARISONS, 5), "crosses_above": 5, "crosses_below": 5,
    "rising": 5, "falling": 5, "+": 6, "-": 6, "*": 7, "/": 7, "[": 9, ".": 9, "@": 9,
}  # fmt: skip
_NOT, _MINUS = 3, 8
_DEEPEST: Final = 40
_ZONE: Final = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+\-]+)*")


def condition(text: Text, scope: Scope) -> Condition:
    """Read a condition.

    Raises
    ------
    Mistake
        The text is not one; the place is that of the first word that does not fit.
    """
    parser = _Parser(text, scope)
    return parser.as_condition(parser.whole())


def expression(text: Text, scope: Scope) -> Value:
    """Read a value: a number or a column of numbers.

    Raises
    ------
    Mistake
        The text is not one.
    """
    parser = _Parser(text, scope)
    return parser.as_value(parser.whole())


class _Parser:
    """One pass over one text."""

    def __init__(self, text: Text, scope: Scope) -> None:
        self.text, self.scope = text, scope
        self.tokens, self.next, self.depth = tokens(text), 0, 0

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    @property
    def place(self) -> Place:
        return self.text.at(min(self.token.start, max(len(self.text.text) - 1, 0)))

    def take(self) -> Token:
        token = self.token
        self.next += token.kind != "end"
        return token

    def took(self, text: str) -> bool:
        if self.token.text == text and self.token.kind in ("word", "sign"):
            self.next += 1
            return True
        return False

    def want(self, text: str, why: str) -> None:
        if not self.took(text):
            cut = self.token.kind == "end" and not self.text.quoted
            hint = "; inside { } and [ ], put text with a comma or bracket in it into quotes" if cut else ""
            raise Mistake(f"{text!r} is wanted here {why}, not {self.shown()}{hint}", self.place)

    def shown(self) -> str:
        return "the end" if self.token.kind == "end" else repr(self.token.text)

    def whole(self) -> Part:
        found = self.parse(0)
        if self.token.kind != "end":
            raise self._left_over()
        return found

    def _left_over(self) -> Mistake:
        word = self.token.text
        hints = {
            "=": "; write == to compare", "crosses": "; write crosses_above or crosses_below", ")": " without a (",
            "above": "; write >, or crosses_above", "below": "; write <, or crosses_below", "is": "; write ==",
        }  # fmt: skip
        hint = hints.get(word)
        if hint is None and self.token.kind == "word":
            hint = suggestion(word, (one for one in _STRENGTH if one.isalpha() or "_" in one), most=0)
            hint = hint if "mean" in hint else "; an operator is wanted, such as <, crosses_above, and"
        return Mistake(f"{word!r} does not fit here{hint or '; an operator such as < or + is wanted'}", self.place)

    def parse(self, strength: int) -> Part:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Mistake("nested too deep; give parts of it names under `indicators:`", self.place)
        left = self._first()
        while self.token.kind in ("word", "sign") and _STRENGTH.get(self.token.text, 0) > strength:
            left = self._more(left, self.take())
        self.depth -= 1
        return left

    def value(self, strength: int) -> Value:
        return self.as_value(self.parse(strength))

    def as_value(self, part: Part) -> Value:
        if isinstance(part, Value):
            return part
        raise Mistake("a condition stands here where a number or a column is wanted", part.place)

    def as_condition(self, part: Part) -> Condition:
        if isinstance(part, Condition):
            return part
        if isinstance(part, Setting) and self.scope.settings[part.name].kind is bool:
            return Flag(part.name, place=part.place)
        if self.token.kind == "word" and self.token.text not in _STRENGTH:
            raise self._left_over()  # what was meant as the comparison
        what = part.name if isinstance(part, (Setting, Column)) else "this"
        raise Mistake(f"{what} is a value and not a condition; compare it, as in `close > open`", part.place)

    def _first(self) -> Part:
        place, token = self.place, self.take()
        if token.kind == "number":
            return Literal(number_in(token.text, place), place=place)
        if token.kind == "quote":
            return Literal(token.text[1:-1], place=place)
        if token.text == "-":
            of = self.value(_MINUS)
            if isinstance(of, Literal) and not isinstance(of.value, str):
                return Literal(-of.value, place=place)
            return Arithmetic("*", Literal(-1), of, place=place)
        if token.text == "(":
            found = self.parse(0)
            self.want(")", "to close the bracket")
            return found
        if token.text == "not":
            return Not(self.as_condition(self.parse(_NOT)), place=place)
        if token.kind == "word":
            return self._word(token, place)
        self.next -= token.kind != "end"
        raise Mistake(f"a value is wanted here, such as close or 30, not {self.shown()}", place)

    def _word(self, token: Token, place: Place) -> Part:
        if token.text == "time" and self.token.text == "between":
            return self._time(place)
        if token.text == "weekday" and self.token.text in ("in", "=="):
            return self._weekday(place)
        if token.text in ("time", "weekday"):
            example = "time between 09:30 and 16:00" if token.text == "time" else "weekday in [mon, tue]"
            raise Mistake(f"{token.text} is asked like this: `{example}`", place)
        if token.text == "confluence" and self.took("("):
            return self._agreement(place)
        if self.token.text == "(" and token.text not in RESERVED - {"abs", "min", "max"}:
            return self._call(token, place)
        return self.scope.name(token.text, place)

    def _call(self, token: Token, place: Place) -> Value:
        self.take()
        given: list[Value] = []
        named: dict[str, Value] = {}
        while not self.took(")"):
            if given or named:
                self.want(",", "between values, or ')' after the last")
            where, key = self.place, self.token.text
            if self.token.kind == "word" and self.tokens[self.next + 1].text == "=":
                self.next += 2
                if key in named:
                    raise Mistake(f"{token.text}: {key} is given twice", where)
                named[key] = replace(self.value(0), place=where)
            elif named:
                raise Mistake("values without a name come before those with one", where)
            else:
                given.append(self.value(0))
        return self.scope.call(token.text, given, named, place)

    def _more(self, left: Part, token: Token) -> Part:
        sign, place = token.text, self.text.at(token.start)
        if sign in ("and", "or"):
            return self._both(left, sign, place)
        if sign in ("for", "within"):
            return self._lasting(left, sign, place)
        if sign in COMPARISONS:
            return self._compare(left, sign)
        value = self.as_value(left)
        if sign in ("crosses_above", "crosses_below"):
            return Cross(sign == "crosses_above", value, self.value(_STRENGTH[sign]), place=value.place)
        if sign in ("rising", "falling"):
            return Moving(sign == "rising", value, self._bars(sign), place=value.place)
        if sign in ("+", "-", "*", "/"):
            return Arithmetic(sign, value, self.value(_STRENGTH[sign]), place=value.place)
        if sign == "[":
            bars = self._number()
            self.want("]", "after the number of bars")
            return Shift(value, bars, place=value.place)
        return self._output(value) if sign == "." else On(value, self._timeframe(), place=value.place)

    def _both(self, left: Part, sign: str, place: Place) -> Condition:
        first, second = self.as_condition(left), self.as_condition(self.parse(_STRENGTH[sign]))
        kind = Every if sign == "and" else Either
        chained = first.of if isinstance(first, kind) else (first,)
        return kind((*chained, second), place=first.place)

    def _compare(self, left: Part, sign: str) -> Condition:
        first = self.as_value(left)
        found: list[Condition] = []
        while True:  # 30 < rsi < 70 compares each pair
            second = self.value(_STRENGTH[sign])
            found.append(Compare(sign, first, second, place=first.place))
            if self.token.text not in COMPARISONS:
                break
            first, sign = second, self.take().text
        return found[0] if len(found) == 1 else Every(tuple(found), place=found[0].place)

    def _lasting(self, left: Part, sign: str, place: Place) -> Condition:
        of = self.as_condition(left)
        return (Lasting if sign == "for" else Recent)(of, self._bars(sign), place=of.place)

    def _bars(self, after: str) -> Value:
        if self.token.kind == "end":
            raise Mistake(f"{after!r} wants a number of bars, as in `{after} 3`", self.place)
        bars = self._number()
        self.took("bars") or self.took("bar")
        return bars

    def _number(self) -> Value:
        """Read a number of bars: a literal or a parameter."""
        scope, self.scope = self.scope, self.scope.numbers()
        found = self.value(_STRENGTH["for"] + 1)
        self.scope = scope
        return found

    def _output(self, value: Value) -> Value:
        place, token = self.place, self.take()
        if token.kind != "word":
            raise Mistake(f"the name of an output is wanted after the dot, not {token.text!r}", place)
        if isinstance(value, Column) and value.output is None:
            return replace(value, output=token.text, place=place)
        if isinstance(value, Call) and value.output is None:
            outputs = indicator_of(value.indicator, place).outputs
            if token.text not in outputs:
                raise Mistake(f"{value.indicator} has no output {token.text!r}{suggestion(token.text, outputs)}", place)
            return replace(value, output=token.text)
        raise Mistake(f"there is no {token.text!r} in this: only indicators and their columns have outputs", place)

    def _agreement(self, place: Place) -> Value:
        """Read the timeframes of `confluence(1h, 4h, 1d)`."""
        if not self.scope.bars:
            raise Mistake("confluence(...) differs from bar to bar; a number or a parameter is wanted here", place)
        found = [self._timeframe("in confluence")]
        while self.took(","):
            found.append(self._timeframe("in confluence"))
        self.want(")", "after the last timeframe")
        return Agreement(tuple(found), place=place)

    def _timeframe(self, where: str = "after @") -> Value:
        place, token = self.place, self.take()
        if token.kind == "span":
            return Literal(token.text, place=place)
        if token.kind == "word":
            return self.scope.numbers().name(token.text, place)
        raise Mistake(f"a timeframe is wanted {where}, such as 4h or 1d, not {token.text or 'the end'!r}", place)

    def _time(self, place: Place) -> Condition:
        self.take()
        start = clock(self.token.text, self.place)
        self.take()
        self.want("and", "between the two times")
        end = clock(self.token.text, self.place)
        self.take()
        return Clock(start, end, self._zone(), place=place)

    def _weekday(self, place: Place) -> Condition:
        if self.take().text == "==":
            names = [(self.token.text, self.place)]
            self.take()
        else:
            self.want("[", "before the days")
            names = []
            while not self.took("]"):
                if names:
                    self.want(",", "between days, or ']' after the last")
                names.append((self.token.text, self.place))
                if self.take().kind == "end":
                    break
        return Weekday(days_of(names, place), self._zone(), place=place)

    def _zone(self) -> str:
        """Read `in America/New_York`; UTC where it is not written."""
        if not self.took("in"):
            return "UTC"
        match, place = _ZONE.match(self.text.text, self.token.start), self.place
        if match is None:
            raise Mistake(f"a timezone is wanted after `in`, such as America/New_York, not {self.shown()}", place)
        while self.token.kind != "end" and self.token.start < match.end():
            self.take()
        return zone_of(match.group(), place)
