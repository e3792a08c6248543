"""The file of a vault: a header in clear, and what is kept, encrypted with AES-256-GCM and the header authenticated.

    8 bytes   "WBVAULT" and the version of this layout
    4 bytes   length of the header, big-endian
    header    JSON: which vault, where its key comes from (scrypt with salt and cost, or the keyring of the system)
    12 bytes  nonce, another for every write
    rest      AES-256-GCM of the content, its tag last; all before the nonce is authenticated with it

So there is no byte in the file whose change is not seen. The key comes from a passphrase by scrypt (RFC 7914), or is
32 random bytes that the system's keyring keeps.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final

from workbench.bots.vault.secret import Secret
from workbench.errors import ConfigError, DataError

__all__ = ["COST", "Header", "derived", "parsed", "sealed", "unsealed"]

COST: Final = 17
"""Binary logarithm of scrypt's cost: 2**17 blocks of 1 KiB (r = 8) are 128 MiB and about half a second."""

_MAGIC: Final = b"WBVAULT\x01"
_NONCE: Final = 12
_TAG: Final = 16
_COSTS: Final = range(10, 20)  # up to 512 MiB: a changed header must not take all memory
_LONGEST: Final = 4_096


@dataclass(frozen=True, kw_only=True)
class Header:
    """What stands in clear at the beginning of a vault's file.

    Parameters
    ----------
    id : str
        Of the vault, random; the keyring keeps its key under this name.
    source : {"passphrase", "keyring"}
        Where the key comes from.
    salt : str
        16 random bytes in hexadecimal, of a passphrase.
    cost : int
        Binary logarithm of scrypt's cost, of a passphrase.
    """

    id: str
    source: str
    salt: str = ""
    cost: int = 0

    @classmethod
    def new(cls, source: str, cost: int = COST) -> Header:
        """Make the header of a new vault, or of one whose key changes."""
        if source == "keyring":
            return cls(id=secrets.token_hex(8), source=source)
        return cls(id=secrets.token_hex(8), source=source, salt=secrets.token_hex(16), cost=cost)


def derived(header: Header, passphrase: Secret) -> Secret:
    """Derive the key of a vault from its passphrase; 32 bytes in hexadecimal.

    Raises
    ------
    ConfigError
        There is not enough memory.
    """
    salt, blocks = bytes.fromhex(header.salt), 1 << header.cost
    words = passphrase.reveal().encode()
    try:
        key = hashlib.scrypt(words, salt=salt, n=blocks, r=8, p=1, maxmem=blocks * 1_024 + (1 << 24), dklen=32)
    except (MemoryError, ValueError):
        raise ConfigError(
            f"there is not enough memory to derive the key of the vault ({blocks >> 10} MiB): end other programs first"
        ) from None
    return Secret(key.hex())


def sealed(header: Header, key: Secret, content: dict[str, Any]) -> bytes:
    """Write the bytes of a file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    told = json.dumps(asdict(header), sort_keys=True).encode()
    front = _MAGIC + len(told).to_bytes(4, "big") + told
    nonce = secrets.token_bytes(_NONCE)
    return front + nonce + AESGCM(bytes.fromhex(key.reveal())).encrypt(nonce, json.dumps(content).encode(), front)


def parsed(data: bytes) -> tuple[Header, int]:
    """Read the header of a file, which nothing vouches for yet, and where it ends.

    Raises
    ------
    DataError
        It is no vault, of a newer workbench, or damaged.
    """
    start = len(_MAGIC) + 4
    if data[:7] != _MAGIC[:7]:
        raise DataError("it is no vault of workbench")
    if data[:8] != _MAGIC:
        raise DataError("it is of another version of workbench, or was changed")
    length = int.from_bytes(data[8:start], "big")
    if length > _LONGEST or len(data) < start + length + _NONCE + _TAG:
        raise DataError("it was cut off or changed")
    try:
        header = Header(**json.loads(data[start : start + length]))
    except (TypeError, ValueError, RecursionError):
        raise DataError("its header was changed") from None
    if not _possible(header):
        raise DataError("its header was changed")
    return header, start + length


def _possible(header: Header) -> bool:
    texts = type(header.id) is type(header.source) is type(header.salt) is str and len(header.id) == 16
    if not texts or header.source not in ("passphrase", "keyring"):
        return False
    if header.source == "keyring":
        return header.salt == "" and header.cost == 0
    digits = len(header.salt) == 32 and set(header.salt) <= set("0123456789abcdef")
    return digits and type(header.cost) is int and header.cost in _COSTS


def unsealed(data: bytes, key: Secret) -> dict[str, Any]:
    """Read the content of a file.

    Raises
    ------
    ConfigError
        The key is another one, or any byte of the file was changed; nobody can tell which.
    DataError
        As `parsed`.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    _, end = parsed(data)
    nonce, rest = data[end : end + _NONCE], data[end + _NONCE :]
    try:
        plain = AESGCM(bytes.fromhex(key.reveal())).decrypt(nonce, rest, data[:end])
    except InvalidTag:
        raise ConfigError("its passphrase or key is another one, or the file was changed") from None
    content: dict[str, Any] = json.loads(plain)
    return content
