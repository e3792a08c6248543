"""`Secret`: a text that shows itself only to who asks by name, and cannot leave the process by accident."""

from __future__ import annotations

import hmac
import secrets
from typing import Any, Final, NoReturn

from workbench.errors import ConfigError

__all__ = ["Secret"]

_SHOWN: Final = "Secret(***)"


class Secret:
    """A secret text.

    `repr`, `str`, formatting, comparing, logging and tracebacks give nothing of it away, not even its length; it cannot
    be pickled or written as JSON. `reveal` gives it, to be handed straight to what needs it.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> key = Secret("hush")
    >>> key, f"{key}", key.reveal()
    (Secret(***), 'Secret(***)', 'hush')
    """

    # Kept apart from the pad that it is hidden under, so that whoever prints all attributes prints noise.
    __slots__ = ("_hidden", "_pad")

    def __init__(self, text: str) -> None:
        plain = text.encode("utf-8", "surrogatepass")
        self._pad = secrets.token_bytes(len(plain))
        self._hidden = _xor(plain, self._pad)

    def reveal(self) -> str:
        """Give the text."""
        return _xor(self._hidden, self._pad).decode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__

    def __format__(self, how: str) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, its = self.reveal().encode("utf-8", "surrogatepass"), other.reveal().encode("utf-8", "surrogatepass")
        return hmac.compare_digest(mine, its)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._hidden)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise ConfigError("a secret cannot be pickled or sent to another process: send its name in the vault instead")


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))
