"""Where a command works: the settings of the workspace around it, and its lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.accounting import StoredBooks
    from workbench.market.lake import Lake
    from workbench.settings import Settings

__all__ = ["books_here", "lake_here", "settings_here"]


def settings_here() -> Settings:
    """Give the settings of the workspace that the command is in.

    Raises
    ------
    ConfigError
        There is no workspace here, or its settings are wrong. A command must not scatter folders over any folder that
        it happens to be called in.
    """
    from workbench.settings import SETTINGS_FILE, load_settings

    settings = load_settings()
    if not settings.found:
        raise ConfigError(
            f"{settings.root} is not in a workspace (there is no {SETTINGS_FILE} in it or above it); make one with "
            "`workbench init DIR`, or say where yours is with --workspace DIR",
            folder=str(settings.root),
        )
    return settings


def lake_here() -> Lake:
    """Give the lake of the workspace that the command is in."""
    from workbench.market.lake import Lake

    return Lake(settings_here().lake_root)


def books_here() -> StoredBooks:
    """Give the books of the workspace that the command is in."""
    from workbench.accounting import StoredBooks

    return StoredBooks(settings_here().data / "books")
