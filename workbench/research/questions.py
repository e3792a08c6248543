"""When two trials ask the same question: a strategy of one family over data that overlap."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.market.bars import Bars

if TYPE_CHECKING:
    from workbench.market.ticks import Ticks

__all__ = ["asks_the_same", "combined_fingerprint", "facts_of", "family_of", "named", "question_of"]

_NOT_TEXT: Final = re.compile(r"[^0-9a-z]+")
_ENDING: Final = re.compile(r"\.(py|ya?ml)$")
SIGNALS: Final = "ready-made signals"


def family_of(strategy: str) -> str:
    """Give the family that the name of a strategy belongs to: its file and class, without version and parameters.

    Examples
    --------
    >>> family_of("sma_cross"), family_of("SmaCross(fast=10)"), family_of("library:sma_cross@3f2a9c")
    ('smacross', 'smacross', 'smacross')
    >>> family_of("crosses.py:SmaCross")
    'crosses smacross'
    """
    text = strategy.split("(", 1)[0].split("@", 1)[0].strip()
    text = text.removeprefix("library:").removeprefix("notebook:")
    parts = {_NOT_TEXT.sub("", _ENDING.sub("", part.rsplit("/", 1)[-1]).lower()) for part in text.split(":")}
    return " ".join(sorted(parts - {""}))


def named(strategy: Any) -> str:
    """Give the name of a strategy, object or class: `file.py:Class`, `library:name`, or the class of a notebook."""
    if isinstance(strategy, str):
        return strategy
    cls = strategy if isinstance(strategy, type) else type(strategy)
    if not hasattr(cls, "declared"):
        return SIGNALS
    package, _, module = cls.__module__.rpartition(".")
    if package == "workbench.strategy.library":
        return f"library:{module}"
    home = inspect.getmodule(cls)
    if getattr(home, "__workbench_source__", None) is None:
        return cls.__name__
    file = str(getattr(home, "__file__", "")).rsplit("/", 1)[-1]
    return f"{file}:{cls.__name__}"


def question_of(family: str, symbol: str, timeframe: str) -> str:
    """Hash (16 hex digits) a question: the family of the strategy, the instruments and the length of a bar."""
    symbols = ",".join(sorted(symbol.split(", ")))
    return hashlib.blake2b(f"{family}|{symbols}|{timeframe}".encode(), digest_size=8).hexdigest()


def combined_fingerprint(series: Sequence[Bars]) -> str:
    """Give the fingerprint of the bars; of several series one that changes when any of theirs does."""
    prints = [bars.fingerprint for bars in series]
    return prints[0] if len(prints) == 1 else hashlib.blake2b(" ".join(prints).encode(), digest_size=16).hexdigest()


def facts_of(strategy: Any, bars: Bars | Ticks | Sequence[Bars]) -> dict[str, Any]:
    """Give what a batch of trials says of a strategy and its data."""
    series = [one for one in (bars if isinstance(bars, (list, tuple)) else [bars]) if isinstance(one, Bars)]
    said = strategy() if isinstance(strategy, type) else strategy
    return {
        "strategy": named(strategy),
        "code_hash": str(getattr(said, "code_hash", "")),
        "symbol": ", ".join(dict.fromkeys(one.symbol for one in series)),
        "timeframe": str(min((one.timeframe for one in series), default="")),
        "start": _moment(min(one.start for one in series)) if series else None,
        "end": _moment(max(one.end for one in series)) if series else None,
        "data_fingerprint": combined_fingerprint(series) if series else "",
        "periods_per_year": max((one.periods_per_year for one in series), default=float("nan")),
    }


def _moment(ms: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=int(ms))


def asks_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Say how two sets of trials are linked: "same data", "overlapping data", or nothing.

    Parameters
    ----------
    one, other : mapping
        With `family`, `symbol`, `timeframe`, `data_fingerprint`, `start` and `end`.
    """
    families = [set(each["family"].split()) for each in (one, other)]
    if not families[0] & families[1]:
        return ""
    if one["data_fingerprint"] and one["data_fingerprint"] == other["data_fingerprint"]:
        return "same data"
    symbols = [set(each["symbol"].split(", ")) - {""} for each in (one, other)]
    if not symbols[0] & symbols[1] or one["timeframe"] != other["timeframe"]:
        return ""
    apart = _before(one["end"], other["start"]) or _before(other["end"], one["start"])
    return "" if apart else "overlapping data"


def _before(end: Any, start: Any) -> bool:
    return end is not None and start is not None and end == end and start == start and bool(end <= start)
