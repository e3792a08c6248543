"""The one error tree, split by who must act.

Everything that workbench raises on purpose is a `WorkbenchError`. A message names the thing, the value and the
likely fix; the same facts travel as attributes (`error.fields`). Foreign errors are mapped once, at the border where
they come in, with the original kept as `__cause__`. Context is added on the way up with `add_note`.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BrokerError",
    "BrokerFatal",
    "BrokerRejected",
    "BrokerTransient",
    "BrokerUnknown",
    "ConfigError",
    "DataError",
    "RunError",
    "StrategyError",
    "WorkbenchError",
]


class WorkbenchError(Exception):
    """Base of all errors raised on purpose; the program stops what it was asked to do and says this message.

    Parameters
    ----------
    message : str
        What is wrong, with which value, and what would mend it.
    **fields
        The facts of the message as data, also readable as attributes of `fields`.
    """

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.fields = fields

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args[0], self.fields)


def _rebuild(kind: type[WorkbenchError], message: str, fields: dict[str, Any]) -> WorkbenchError:
    return kind(message, **fields)


class DataError(WorkbenchError):
    """Market data is missing, malformed or contradicts itself; nothing was written. The user mends the data."""


class ConfigError(WorkbenchError):
    """A setting, a file of settings or a command is wrong; nothing was started. The user mends the setting."""


class StrategyError(WorkbenchError):
    """A strategy cannot be loaded, has wrong parameters or gives wrong output. Its author mends it."""


class RunError(WorkbenchError):
    """A run (backtest, notebook, report) did not finish; what finished before it is kept and recorded."""


class BrokerError(WorkbenchError):
    """A venue did not do what was asked. Which subclass it is says whether to give up, retry or ask again."""


class BrokerRejected(BrokerError):
    """The venue said no to this request; it did not take effect and the same request will be refused again."""


class BrokerTransient(BrokerError):
    """The request surely did not take effect and may be repeated after a pause."""


class BrokerFatal(BrokerError):
    """Nothing will work until a person acts (bad key, banned address, closed account); the bot stops."""


class BrokerUnknown(BrokerError):
    """The answer was lost: the request may or may not have taken effect. Ask by client order id; never repeat."""
