"""One column of `ta` beside one output of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What `ta` computes, and ours.

    Parameters
    ----------
    ours : str
        An output of ours: `rsi`, or `macd.signal`.
    parameters : dict
        Of ours; the defaults otherwise.
    theirs : dict
        Parameters of `ta`; the defaults otherwise.
    columns : dict
        Which column of the prices an input of ours reads, if not the one of its name; `values` reads the close.
    factor, offset : float
        Ours times this, and plus that, is theirs.
    agrees : bool
        From the first value of both on, apart from `fades`; otherwise they are to differ.
    fades : int
        Bars until different seeds are forgotten to 1e-9.
    why : str
        If they differ, or only agree later: who is right, and why.
    """

    ours: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    factor: float = 1.0
    offset: float = 0.0
    agrees: bool = True
    fades: int = 0
    why: str = ""
