"""Compile every kernel of the indicators once, as a part of set-up, so that no user's first call waits for it."""

from __future__ import annotations

import numpy as np

from workbench.indicators import compare, registry
from workbench.indicators.indicator import GROUPS

__all__ = ["compile_kernels"]


def compile_kernels() -> None:
    """Compute each indicator that is registered on a tiny table, which fills numba's cache on disk."""
    line = np.linspace(1.0, 2.0, 8)
    for group in GROUPS:
        for name in registry.names(group):
            indicator = registry.get(name)
            indicator(*(line for _ in indicator.inputs), *indicator.defaults.values())
    compare.crosses_above(line, 1.5)
