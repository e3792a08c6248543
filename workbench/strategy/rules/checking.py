"""What a rule file as a whole must keep to, once each of its expressions can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from workbench.errors import WorkbenchError
from workbench.market.timeframe import Timeframe
from workbench.strategy.rules.mistakes import Mistake, Mistakes, Place, suggestion
from workbench.strategy.rules.nodes import (
    Agreement,
    Call,
    Clock,
    Column,
    Compare,
    Flag,
    Holding,
    Literal,
    On,
    Part,
    Setting,
    Shift,
    Value,
    Weekday,
    parts,
    speaks_of_position,
    walk,
)
from workbench.strategy.rules.plan import STOPS, RuleFile, Size
from workbench.strategy.rules.scope import indicator_of
from workbench.strategy.rules.sizes import STEADY

__all__ = ["check_file", "lines_of"]

_STOP_NAMES: Final = (*STOPS, "max_bars")


def check_file(file: RuleFile, mistakes: Mistakes) -> None:
    """Note what is wrong between the parts of a file."""
    if _has_circle(file, mistakes):
        return
    for root in file.roots():
        with mistakes.noted(root.place):
            _check_kinds(root, file, is_column=any(root is one for one in file.columns.values()))
        with mistakes.noted(root.place):
            _check_timeframes(root, None, file)
    _check_position(file, mistakes)
    _check_use(file, mistakes)


def _has_circle(file: RuleFile, mistakes: Mistakes) -> bool:
    """Note a column that is made of itself: each is visited once all that it is made of has been."""
    done: set[str] = set()
    for name in file.columns:
        path: list[tuple[str, Iterator[str]]] = [(name, _refers(file, name))]
        while path and name not in done:
            following = next(path[-1][1], None)
            if following is None:
                done.add(path.pop()[0])
            elif following in [one for one, _ in path]:
                circle = [one for one, _ in path]
                circle = [*circle[circle.index(following) :], following]
                shown = " is made of ".join(circle[:6])
                mistakes.add(f"{shown}: a column cannot be made of itself", file.columns[following].place)
                return True
            elif following not in done:
                path.append((following, _refers(file, following)))
    return False


def _refers(file: RuleFile, name: str) -> Iterator[str]:
    return iter(dict.fromkeys(one.name for one in walk(file.columns[name]) if isinstance(one, Column)))


def lines_of(part: Part, columns: Mapping[str, Value]) -> tuple[str, ...]:
    """Give the names of the lines among which none has been chosen yet; none where it is one column."""
    if isinstance(part, On):
        return lines_of(part.of, columns)
    if isinstance(part, Column) and part.output is None:
        return lines_of(columns[part.name], columns)
    if isinstance(part, Call) and part.output is None:
        outputs: tuple[str, ...] = tuple(indicator_of(part.indicator, part.place).outputs)
        return outputs if len(outputs) > 1 else ()
    return ()


def _check_kinds(root: Part, file: RuleFile, *, is_column: bool) -> None:
    """Refuse lines of which none was chosen, outputs that there are not, and text or flags where numbers are wanted."""
    if not is_column:
        _refuse_lines(root, file)
    for part in walk(root):
        if isinstance(part, Column) and part.output is not None:
            lines = lines_of(file.columns[part.name], file.columns)
            if part.output not in lines:
                hint = suggestion(part.output, lines) if lines else "; it is one column"
                raise Mistake(f"{part.name} has no output {part.output!r}{hint}", part.place)
        if isinstance(part, On) and is_column:
            continue  # a column may be of an indicator with several lines, on longer bars too
        for one in parts(part):
            _refuse_lines(one, file)
        _check_words(part, file)


def _refuse_lines(part: Part, file: RuleFile) -> None:
    lines = lines_of(part, file.columns)
    if lines:
        name = part.name if isinstance(part, Column) else "it"
        raise Mistake(f"{name} has several lines: {', '.join(lines)}; choose one, as {name}.{lines[-1]}", part.place)


def _check_words(part: Part, file: RuleFile) -> None:
    """Refuse text and flags in arithmetic and comparisons of numbers."""
    if isinstance(part, Call):
        return
    if isinstance(part, Compare) and part.sign in ("==", "!=") and _is_text(part.left, file):
        if not _is_text(part.right, file):
            raise Mistake("text can only be compared with text", part.right.place)
        return
    if isinstance(part, (On, Agreement)):
        return
    for one in parts(part):
        if _is_text(one, file) and isinstance(one, Value):
            raise Mistake("text stands here where a number is wanted; it can be compared by == and !=", one.place)
        if isinstance(one, Setting) and file.settings[one.name].kind is bool:
            raise Mistake(f"{one.name} is true or false and no number; use it as a condition by itself", one.place)


def _is_text(part: Part, file: RuleFile) -> bool:
    if isinstance(part, Literal):
        return isinstance(part.value, str)
    return isinstance(part, Setting) and file.settings[part.name].kind is str


def _check_timeframes(part: Part, inside: On | None, file: RuleFile) -> None:
    """Refuse timeframes that are none or do not fit, and what has no meaning on longer bars."""
    frames = (part.timeframe,) if isinstance(part, On) else part.timeframes if isinstance(part, Agreement) else ()
    for place, frame in enumerate(frames):
        if frame in frames[:place]:
            raise Mistake("this timeframe stands twice; each has one say", frame.place)
        for text in _timeframes(frame, file):
            _check_fits(text, frame.place, file)
    if isinstance(part, On):
        inside = part
    elif inside is not None and isinstance(part, Column) and not isinstance(file.columns[part.name], On):
        raise Mistake(
            f"{part.name} is a column of the strategy's own bars and stands inside one of longer bars: give "
            f"{part.name} the same timeframe, or write what it is made of in its place", part.place,
        )  # fmt: skip
    elif inside is not None and isinstance(part, (Clock, Weekday, Holding, Agreement)):
        raise Mistake("this is only known of the strategy's own bars; take the timeframe away", part.place)
    for one in parts(part):
        _check_timeframes(one, inside, file)


def _timeframes(part: Value, file: RuleFile) -> list[str]:
    """Give every timeframe that may be meant: the one written, or all choices of the parameter."""
    if isinstance(part, Literal):
        return [str(part.value)]
    declared = file.settings[part.name] if isinstance(part, Setting) else None
    if declared is None or declared.kind is not str:
        raise Mistake("a timeframe is text such as 4h, or a parameter that holds such text", part.place)
    return [str(one) for one in (declared.choices or (declared.default,))]


def _check_fits(text: str, place: Place, file: RuleFile) -> None:
    try:
        asked = Timeframe.parse(text)
    except WorkbenchError as error:
        raise Mistake(str(error), place) from error
    base = file.timeframe
    if base is not None and asked != base and (asked < base or asked.ms % base.ms):
        raise Mistake(
            f"{text} bars cannot be made of {base} bars, which the file is meant for (`timeframe:`); a whole multiple "
            "can", place,
        )  # fmt: skip


def _check_position(file: RuleFile, mistakes: Mistakes) -> None:
    """Refuse what asks for a position where there is none, or where protections decide whether there is one."""
    exits = [file.sides[name] for name in ("exit", "short_exit") if name in file.sides]
    for root in file.roots():
        asked = next((one for one in walk(root) if isinstance(one, Holding)), None)
        if asked is None:
            continue
        if not any(root is one for one in exits):
            mistakes.add(f"{asked.name} is known of an open position: use it in exit and short_exit only", asked.place)
        for one in walk(root):
            if isinstance(one, (Shift, Call, On)) and speaks_of_position(one):
                mistakes.add(f"{asked.name} is no column: nothing can be made of its past", one.place)
    asked = next((one for root in exits for one in walk(root) if isinstance(one, Holding)), None)
    if asked is not None and file.guards:
        mistakes.add(
            f"{asked.name} cannot be followed beside protections ({file.guards[0].kind}): an entry that these forbid "
            "would be followed all the same. Leave one of the two out; `bars_held >= 10` as an exit by itself goes "
            "with everything",
            asked.place,
        )
    if asked is not None and file.sizing is not None and not _is_steady(file.sizing):
        mistakes.add(
            f"{asked.name} cannot be followed beside sizing ({file.sizing.kind}): an entry that it refuses, or adds, "
            f"would not be followed. Take one of {', '.join(STEADY)} without caps of groups or of all",
            asked.place,
        )


def _is_steady(size: Size) -> bool:
    """Tell whether a sizing lets every entry through, so that positions can be followed without it."""
    return size.kind in STEADY and not {name for name, _ in size.caps} & {"group", "total"}


def _check_use(file: RuleFile, mistakes: Mistakes) -> None:
    used = {one.name for one in file.everything() if isinstance(one, (Setting, Flag))}
    for name in file.settings:
        if name not in used and name not in _STOP_NAMES:
            message = f"the parameter {name} is never used: a search over it would change nothing"
            mistakes.add(message, file.places[name])
