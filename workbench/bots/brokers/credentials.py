"""The key to an account at a venue, held so that it cannot be shown, logged or pickled by accident."""

from __future__ import annotations

from typing import Any, Never, Self

from workbench.bots.vault.secret import Secret
from workbench.bots.vault.vault import Credential
from workbench.errors import ConfigError
from workbench.market.feeds.feed import Access
from workbench.market.sources.clients import Route

__all__ = ["Credentials"]


class Credentials:
    """An API key and what belongs to it; nothing of it is ever printed.

    Parameters
    ----------
    key, secret : str or Secret
    password : str or Secret, optional
        The passphrase that some venues (OKX, KuCoin) ask for beside the secret.
    name : str, optional
        What to call it in messages: its name in the vault.

    Raises
    ------
    ConfigError
        The key or the secret is empty; or somebody tries to pickle it.

    Examples
    --------
    >>> Credentials("k-123", "s-456", name="binance-main")
    Credentials(name='binance-main', key=…, secret=…)
    """

    __slots__ = ("_key", "_password", "_secret", "name")

    def __init__(self, key: str | Secret, secret: str | Secret, *, password: str | Secret = "", name: str = "") -> None:
        if not key or not secret:
            raise ConfigError(f"credentials {name!r} need a key and a secret; `workbench vault add` keeps them")
        self._key, self._secret, self._password = (_sealed(one) for one in (key, secret, password))
        self.name = name

    @classmethod
    def of(cls, kept: Credential) -> Self:
        """Take what a vault keeps.

        Raises
        ------
        ConfigError
            It has no key or no secret.
        """
        fields = {name: kept.fields.get(name, Secret("")) for name in ("key", "secret", "password")}
        return cls(fields["key"], fields["secret"], password=fields["password"], name=kept.name)

    def __repr__(self) -> str:
        return f"Credentials(name={self.name!r}, key=…, secret=…)"

    def __reduce__(self) -> Never:
        raise ConfigError("credentials are not pickled or copied: keep their name, and open them from the vault")

    def access(self, route: Route | None = None) -> Access:
        """Give what a connection is opened with, by a route."""
        return Access(route=route, key=self._key.reveal(), secret=self._secret.reveal())

    def settings(self) -> dict[str, Any]:
        """Give what ccxt needs beside key and secret."""
        return {"password": self._password.reveal()} if self._password else {}

    def hide(self, text: str) -> str:
        """Take everything secret out of a text."""
        for one in (self._key, self._secret, self._password):
            text = text.replace(one.reveal(), "…") if one else text
        return text


def _sealed(one: str | Secret) -> Secret:
    return one if isinstance(one, Secret) else Secret(one)
