"""What may be the name of a bot: it is the name of files too."""

from __future__ import annotations

import re
from typing import Final

from workbench.errors import ConfigError

__all__ = ["check_name"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_name(name: str) -> str:
    """Give the name of a bot back.

    Raises
    ------
    ConfigError
        It cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot name a bot: use letters, digits, '_', '-' and '.', at most 64 of them")
    return name
