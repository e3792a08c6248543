"""Say whose mistake an exception is: what a strategy raises becomes a StrategyError that names event and line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from workbench.errors import StrategyError, WorkbenchError
from workbench.market.bars import moment
from workbench.trading.view import View

__all__ = ["blaming"]


@contextmanager
def blaming(strategy: Any) -> Iterator[None]:
    """Turn what a strategy's own methods raise into StrategyErrors; anything else passes as it is.

    Parameters
    ----------
    strategy : OrderStrategy, SignalStrategy or Signals

    Raises
    ------
    StrategyError
        Names the strategy, the method, the time of the event (UTC) and the line of its file.

    Notes
    -----
    It is wrapped around a whole replay: the method is found in the traceback, so an event costs nothing.

    Examples
    --------
    >>> class Rash:
    ...     def on_bar(self, view, bar):
    ...         return 1 / bar
    ...
    ...     def __repr__(self):
    ...         return "Rash()"
    >>> rash = Rash()
    >>> with blaming(rash):
    ...     rash.on_bar(None, 0)
    Traceback (most recent call last):
        ...
    workbench.errors.StrategyError: Rash().on_bar raised ZeroDivisionError: division by zero (line 3 of ...)
    """
    try:
        yield
    except WorkbenchError as error:
        frames = _own_frames(strategy, error.__traceback__)
        if frames:
            error.add_note(f"while {_told(strategy, frames[0].tb_frame)}")
        raise
    except (Exception, SystemExit) as error:  # a strategy may end itself, not whoever runs it
        frames = _own_frames(strategy, error.__traceback__)
        if not frames:
            raise
        last = traceback.extract_tb(frames[-1], limit=1)[0]
        text = f": {last.line}" if last.line else ""
        raise StrategyError(
            f"{_told(strategy, frames[0].tb_frame)} raised {type(error).__name__}: {error} "
            f"(line {last.lineno} of {Path(last.filename).name}{text})",
            strategy=repr(strategy),
        ) from error


def _own_frames(strategy: Any, trace: TracebackType | None) -> list[TracebackType]:
    """Give the steps of a traceback in the file of the strategy's method that was called, that method first."""
    found: list[TracebackType] = []
    while trace is not None:
        frame = trace.tb_frame
        if found:
            if frame.f_code.co_filename == found[0].tb_frame.f_code.co_filename:
                found.append(trace)
        elif _is_method(strategy, frame):
            found.append(trace)
        trace = trace.tb_next
    return found


def _is_method(strategy: Any, frame: FrameType) -> bool:
    name = frame.f_code.co_name
    own = any(one is strategy for one in _arguments(frame)[:1])
    return own and not name.startswith("_") and hasattr(type(strategy), name)


def _arguments(frame: FrameType) -> list[Any]:
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return [frame.f_locals.get(name) for name in names]


def _told(strategy: Any, frame: FrameType) -> str:
    views = [one for one in _arguments(frame) if isinstance(one, View)]
    when = f" at {moment(views[0].now)}" if views and views[0].now else ""
    return f"{strategy!r}.{frame.f_code.co_name}{when}"
