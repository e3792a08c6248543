"""One indicator of ours beside one or several functions of TA-Lib."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.indicators import registry

Prices = Mapping[str, NDArray[Any]]
Lines = tuple[NDArray[Any], ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What is to give the same numbers.

    Parameters
    ----------
    ours : str
        A registered indicator.
    theirs : callable
        Prices in, TA-Lib's array or tuple of arrays out.
    functions : tuple of str
        The functions of TA-Lib that `theirs` calls.
    parameters : dict
        Of ours; the defaults otherwise.
    columns : dict
        Which column of the prices an input reads, if not the one of its name; `values` reads the close.
    outputs : tuple of str, optional
        Ours in the order of theirs; all, if not said.
    factor : float
        Ours times this is theirs.
    fades : int
        Bars after TA-Lib's first value until different seeds are forgotten to 1e-9; 0 is equal from the first value.
    uncounted : callable, optional
        Prices in, a flag a row out: rows on which the two differ for good, for the reason in `why`.
    why : str
        Whoever differs, who is right, and why.
    """

    ours: str
    theirs: Callable[[Prices], Any]
    functions: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] | None = None
    factor: float = 1.0
    fades: int = 0
    uncounted: Callable[[Prices], NDArray[np.bool_]] | None = None
    why: str = ""

    def call_ours(self, prices: Prices) -> Lines:
        """Our lines, in the order of theirs."""
        indicator = registry.get(self.ours)
        named = {"values": "close", **self.columns}
        given = [prices[named.get(one, one)] for one in indicator.inputs]
        result = indicator(*given, *indicator.parameters(**self.parameters))
        lines = result if isinstance(result, tuple) else (result,)
        chosen = [lines[indicator.outputs.index(name)] for name in self.outputs or indicator.outputs]
        return tuple(line if self.factor == 1.0 else self.factor * line for line in chosen)

    def call_theirs(self, prices: Prices) -> Lines:
        result = self.theirs(prices)
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)
