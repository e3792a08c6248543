"""How a guard goes about it: how patient it is with its bot, and how often it looks at the venue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from workbench.errors import ConfigError

__all__ = ["GuardTerms", "OnDeath"]

OnDeath = Literal["", "cancel", "flatten"]
_CHOICES: Final = ("", "cancel", "flatten")


@dataclass(frozen=True, kw_only=True)
class GuardTerms:
    """How a guard goes about it. All times are real ones, in seconds.

    Parameters
    ----------
    grace_s : float, default 5
        How long a bot that was ordered to end may be silent, or go without its journal, before its guard ends it.
    patience_s : float, default 60
        How long it may take for that at all, while it gives signs of life.
    hang_s : float, default 30
        After how long a silence without any order its guard tells a human.
    settle_s : float, default 2
        Between the two looks at the venue that must both show that all is done.
    land_s : float, default 10
        How long a request of the dead bot may be under way: an order that nobody has seen counts as never arrived only
        then.
    journal_s : float, default 20
        How long the journal is waited for; then what was done stays in its file until the bot's next start.
    timeout_s : float, default 10
        For an answer of the venue.
    on_death : {"", "cancel", "flatten"}
        What is done where the bot dies without anybody having ordered it: nothing (protective stops stay), or as if it
        had been killed so.
    panel : bool
        The bot is drawn on the terminal that the guard speaks to.

    Raises
    ------
    ConfigError
        A time is not above zero, or there is no such choice.
    """

    grace_s: float = 5.0
    patience_s: float = 60.0
    hang_s: float = 30.0
    settle_s: float = 2.0
    land_s: float = 10.0
    journal_s: float = 20.0
    timeout_s: float = 10.0
    on_death: OnDeath = ""
    panel: bool = False

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name not in ("on_death", "panel") and not value > 0:
                raise ConfigError(f"GuardTerms({name}={value!r}): it must be above zero")
        if self.on_death not in _CHOICES:
            raise ConfigError(f"on_death is {self.on_death!r}; it is '', 'cancel' or 'flatten'")
