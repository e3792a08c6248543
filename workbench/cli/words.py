"""Numbers, times and remedies as people read and type them in a terminal."""

from __future__ import annotations

import math
import re
from typing import Final

__all__ = ["as_commands", "as_options", "exact", "iso", "moment_of", "number", "percent", "size"]

_ARGUMENT: Final = re.compile(
    r"\b(timeframe|tz|time_format|columns|close_only|missing_volume|off_grid|on_conflict)=('[^']*'|\{[^{}]*\}|True|…)"
)
_PAIR: Final = re.compile(r"'(\w+)': (?:'([^']*)'|([^\s,}]+))")


def as_commands(message: str) -> str:
    """Turn the calls that an error of the lake tells to make into the commands that do the same.

    Examples
    --------
    >>> as_commands("take the part out with lake.drop_corrupt(…) and import that time again")
    'take the part out with `workbench data check --drop` and import that time again'
    """
    return message.replace("lake.drop_corrupt(…)", "`workbench data check --drop`")


def as_options(message: str) -> str:
    """Turn the arguments that an error of a function tells to pass into the options of the command.

    Examples
    --------
    >>> as_options("leave them out with off_grid='drop'; or name it: columns={'close': 'Adj Close'}")
    "leave them out with --off-grid drop; or name it: --columns close='Adj Close'"
    """
    return _ARGUMENT.sub(_option, message)


def _option(found: re.Match[str]) -> str:
    name, value = "--" + found[1].replace("_", "-"), found[2]
    if value == "True":
        return name
    if value.startswith("{"):
        return f"{name} " + ",".join(f"{pair[1]}={_typed(pair[2] or pair[3])}" for pair in _PAIR.finditer(value))
    return f"{name} {_typed(value.strip(chr(39)))}"


def _typed(value: str) -> str:
    return f"'{value}'" if re.search(r"[\s%]", value) else value


def exact(text: str) -> str:
    """Write an exact amount with thousands apart, without zeros at its end that say nothing.

    Examples
    --------
    >>> exact("-1234567.8900"), exact("100.000"), exact("")
    ('-1,234,567.89', '100', '')
    """
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    return f"{sign}{int(whole):,}{'.' if part else ''}{part}" if whole else text


def iso(ts: int) -> str:
    """Write a time (ms UTC) as ISO 8601, as `2021-01-31T14:00:00Z`."""
    import datetime as dt

    when = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ts)
    return when.isoformat(timespec="milliseconds" if ts % 1_000 else "seconds") + "Z"


def moment_of(text: str | None) -> int | None:
    """Read a time that was typed (UTC), as ms; None where there is none."""
    if text is None:
        return None
    from workbench.market.bars import to_ms

    return to_ms(text)


def number(value: float) -> str:
    """Write a number to eight significant digits, thousands apart.

    Examples
    --------
    >>> number(28_950.5), number(0.00001234), number(123_456_789.5), number(float("nan"))
    ('28,950.5', '1.234e-05', '123,456,790', '–')
    """
    if not math.isfinite(value):
        return "\N{EN DASH}"
    return f"{value:,.8g}" if abs(value) < 1e8 else f"{value:,.0f}"


def percent(fraction: float) -> str:
    """Write a fraction as percent, with as many digits as it has.

    Examples
    --------
    >>> percent(0.001), percent(0.00002)
    ('0.1 %', '0.002 %')
    """
    return f"{fraction * 100:.4g} %"


def size(count: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> size(512), size(20_480), size(3_500_000)
    ('512 B', '20 KB', '3.5 MB')
    """
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= scale:
            return f"{count / scale:.{1 if count < 10 * scale else 0}f} {unit}"
    return f"{count} B"
