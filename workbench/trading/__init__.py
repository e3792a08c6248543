"""The core: what trading means, as pure functions and state. No I/O, clock, randomness or asyncio in here."""

from workbench.trading import arithmetic

__all__ = ["arithmetic"]
