"""Say whose mistake an exception is: what a sizing of a user's own raises names the sizing, its method and the line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import StrategyError, WorkbenchError

__all__ = ["naming"]


@contextmanager
def naming(owner: object, method: str) -> Iterator[None]:
    """Turn what is raised inside into a StrategyError that names the owner; errors of the workbench pass as they are.

    Raises
    ------
    StrategyError
    """
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise StrategyError(
            f"{owner!r}.{method} raised {type(error).__name__}: {error} (line {last.lineno} of "
            f"{Path(last.filename).name}: {last.line})"
        ) from error
