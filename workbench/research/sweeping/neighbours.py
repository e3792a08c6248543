"""How the neighbourhood of each combination does: whether a good one stands on a plateau or on a needle."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["stability"]

Floats = NDArray[np.float64]

_MOST_AXES: Final = 4  # up to which diagonal steps count
_MOST_CELLS: Final = 20_000_000


def stability(table: pd.DataFrame, parameters: Sequence[str], metric: str, *, up: bool) -> pd.DataFrame:
    """Give how the neighbours of each row do; see `Study.stability`.

    Parameters
    ----------
    table : DataFrame
        One row a combination: parameters and the metric.
    parameters : sequence of str
    metric : str
    up : bool
        Whether more is better.
    """
    values = table[metric].to_numpy(dtype=np.float64)
    ranks = _ranks(values if up else -values)
    codes = [_codes(table[name]) for name in parameters]
    sizes = [int(code.max(initial=-1)) + 1 for code, _ in codes]
    steps = [(code, size, ordered) for (code, ordered), size in zip(codes, sizes, strict=True)]
    is_grid = float(np.prod(np.array(sizes, dtype=float))) <= min(_MOST_CELLS, 8.0 * len(table) + 64)
    pairs = _grid_pairs(steps, len(table)) if is_grid else _near_pairs([code for code, *_ in steps], len(table))
    count, mean, worst, rank = _gather(pairs, values, ranks, up)
    found = table.copy()
    found["neighbours"], found["mean"], found["worst"], found["rank"] = count.astype(np.int64), mean, worst, rank
    found["plateau"] = np.fmin(ranks, rank)
    found.loc[count == 0, "plateau"] = np.nan
    return found.sort_values("plateau", ascending=False, kind="stable", na_position="last")


def _ranks(values: Floats) -> Floats:
    """Give the share of rows that each is better than, equals as half; NaN is the worst of all."""
    import pandas as pd

    ranks = pd.Series(values).rank(method="average", na_option="top").to_numpy()
    return np.asarray((ranks - 1) / max(len(values) - 1, 1))


def _codes(column: Any) -> tuple[NDArray[np.int64], bool]:
    """Give the place of each value among those of its parameter, and whether they have an order to step along."""
    numbers = column.dtype.kind in "if"
    if numbers:
        return np.unique(column.to_numpy(), return_inverse=True)[1].astype(np.int64), True
    import pandas as pd

    return pd.factorize(column, use_na_sentinel=False)[0].astype(np.int64), False


def _grid_pairs(steps: list[tuple[NDArray[np.int64], int, bool]], count: int) -> Any:
    """Yield, for each step in the grid, the row that it leads to from each row, -1 where there is none."""
    sizes = [size for _, size, _ in steps]
    flat = np.ravel_multi_index([code for code, *_ in steps], sizes)
    where = np.full(int(np.prod(sizes)), -1, dtype=np.int64)
    where[flat] = np.arange(count)
    choices = [(-1, 0, 1) if ordered and size > 1 else (0,) for _, size, ordered in steps]
    moving = sum(len(one) > 1 for one in choices)
    for move in itertools.product(*choices):
        if not any(move) or (moving > _MOST_AXES and sum(map(abs, move)) > 1):
            continue
        there = [code + by for (code, *_), by in zip(steps, move, strict=True)]
        inside = np.all([(one >= 0) & (one < size) for one, size in zip(there, sizes, strict=True)], axis=0)
        to = np.full(count, -1, dtype=np.int64)
        to[inside] = where[np.ravel_multi_index([one[inside] for one in there], sizes)]
        yield to


def _near_pairs(codes: list[NDArray[np.int64]], count: int) -> Any:
    """Yield the nearest rows of each row, by the ranks of its values."""
    from scipy.spatial import cKDTree

    points = np.column_stack([code / max(int(code.max()), 1) for code in codes])
    wanted = min(2 * len(codes), count - 1)
    if wanted < 1:
        return
    near = cKDTree(points).query(points, k=wanted + 1)[1]
    for place in range(1, wanted + 1):
        yield near[:, place]


def _gather(pairs: Any, values: Floats, ranks: Floats, up: bool) -> tuple[Floats, Floats, Floats, Floats]:
    count, total, rank = np.zeros(len(values)), np.zeros(len(values)), np.zeros(len(values))
    known, worst = np.zeros(len(values)), np.full(len(values), np.nan)
    for to in pairs:
        there = to >= 0
        value = np.where(there, values[to], np.nan)
        count += there
        known += ~np.isnan(value)
        total += np.nan_to_num(value)
        rank += np.where(there, ranks[to], 0.0)
        worst = np.fmin(worst, value) if up else np.fmax(worst, value)
    nothing = np.full(len(values), np.nan)
    mean = np.divide(total, known, out=nothing.copy(), where=known > 0)
    return count, mean, worst, np.divide(rank, count, out=nothing, where=count > 0)
