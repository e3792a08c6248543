"""How a simulated venue treats a paper bot: how late orders are, what the spread costs, and how deep its book is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workbench.errors import ConfigError

__all__ = ["PaperTerms"]


@dataclass(frozen=True, kw_only=True)
class PaperTerms:
    """Terms of trading on paper at live prices.

    Parameters
    ----------
    latency_ms : float, default 50
        How long a request is under way, by the bot's clock; it meets the market of then.
    jitter_ms : float, default 0
        At most so much is added to that, evenly distributed.
    seed : int, default 0
        Of the jitter: the same requests in the same order are as late every time.
    spread_bps : float, optional
        Between the best prices, basis points, where neither a book nor quotes are known: half of it is paid by whoever
        takes. Left out, the slippage of the plan's costs is.
    depth : int, default 20
        Levels of each side of the book that can be traded with.
    share : float, default 1.0
        Of the quantity at each level that can be had: less, where others are faster.
    beyond_bps : float, default 10
        What exceeds the visible book trades so much worse than its last level, basis points.
    stale_ms : int, default 10_000
        After so long without a book, last prices and quotes are traded at instead.
    venue : str, optional
        Whose prices they are, for names.

    Raises
    ------
    ConfigError
        A number is out of its range.

    Examples
    --------
    >>> PaperTerms(latency_ms=120, jitter_ms=80).latency_ms
    120
    """

    latency_ms: float = 50.0
    jitter_ms: float = 0.0
    seed: int = 0
    spread_bps: float | None = None
    depth: int = 20
    share: float = 1.0
    beyond_bps: float = 10.0
    stale_ms: int = 10_000
    venue: str = ""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("latency_ms", 0.0, 60_000.0), ("jitter_ms", 0.0, 60_000.0), ("spread_bps", 0.0, 5_000.0),
            ("beyond_bps", 0.0, 5_000.0), ("depth", 1, 10_000), ("stale_ms", 1, math.inf),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ConfigError(f"PaperTerms({name}={value!r}): it is between {least:g} and {most:g}")
        if not 0.0 < self.share <= 1.0:
            raise ConfigError(f"PaperTerms(share={self.share!r}): it is above 0 and at most 1")

    def to_plain(self) -> dict[str, Any]:
        """Give them as plain data; `from_plain` reads it."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> PaperTerms:
        """Read what `to_plain` gave; ConfigError where it is not that."""
        try:
            return cls(**data)
        except TypeError as error:
            raise ConfigError(f"these are no terms of paper trading: {error}") from error
