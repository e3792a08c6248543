"""In which way a column looks ahead, told from which bars change at which cuts; and what to do about each way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.research.check.findings import FindingKind
from workbench.research.check.truncation import Leak, Truncations

__all__ = ["Pattern", "pattern_of", "unfinished_bars"]

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_WEEK: Final = 7 * _DAY
_MONDAY: Final = 4 * _DAY
_LENGTHS: Final = {
    **{f"{n}m": n * _MINUTE for n in (3, 5, 10, 15, 20, 30)},
    **{f"{n}h": n * 60 * _MINUTE for n in (1, 2, 3, 4, 6, 8, 12)},
    "1d": _DAY, "1w": _WEEK,
}  # fmt: skip
_FEW: Final = 64
_CHANCE: Final = (
    0.002  # that a column which has nothing to do with a longer bar looks as if it had; over a dozen are tried
)
_WHOLE: Final = 0.5  # of a history's bars: what changes as far back as this rests on all of it


class Pattern(NamedTuple):
    """A way of looking ahead: what kind of finding it makes, in which words, and what to do."""

    kind: FindingKind
    said: str
    remedy: str


def unfinished_bars(found: Truncations, ts: NDArray[np.int64], step: int) -> set[str]:
    """Give the longer bars that some column surely sees before they are over."""
    return {_longer_bar(leak, found, ts, step) for leak in found.leaks.values()} - {""}


def pattern_of(
    leak: Leak, found: Truncations, ts: NDArray[np.int64], step: int, bars_seen: Collection[str] = ()
) -> Pattern:
    """Tell in which way a column looks ahead.

    Parameters
    ----------
    leak : Leak
    found : Truncations
    ts : int64 array, shape (n,)
        Open times of all bars, ms UTC.
    step : int
        Length of a bar, ms.
    bars_seen : names
        Longer bars that other columns surely see (`unfinished_bars`): a flag that is seldom another then sees them too.
    """
    longer = _longer_bar(leak, found, ts, step) or next(
        (name for name, slots in _slots(ts, step) if name in bars_seen and _within(leak, slots)), ""
    )
    if longer:
        return Pattern(
            "unfinished_bar",
            f"it is known from the open of each bar of {longer} on and made at its close",
            "show only finished bars: wb.data.align(wb.data.resample(bars, ...), to=bars), or .shift(1) on the bars of "
            f"{longer} before spreading them over the shorter ones",
        )
    reach = max(touch.reach for touch in leak.touches)
    if _rests_on_all(leak):
        return Pattern(
            "look_ahead",
            "it rests on the whole series: earlier values change with every bar that is appended",
            "use a rolling or expanding window, so that a bar is judged by what came before it (mean, deviation, "
            "minimum, quantile, fit and rank alike)",
        )
    if reach == 1:
        return Pattern(
            "look_ahead",
            "the last bar of a history gets another value than it has once the next bar is there",
            "do not read the next bar (shift(-1), np.roll, np.gradient, open of the next bar), and treat the last row "
            "like any other",
        )
    return Pattern(
        "look_ahead",
        f"values change up to {reach:,} bars after the fact",
        "use windows that end at their bar (center=False, no shift by a negative number, no filling backwards or "
        "between two values), and confirm turning points before they count",
    )


def _rests_on_all(leak: Leak) -> bool:
    """Tell whether most cuts change bars of the earlier half of their history."""
    told = [touch for touch in leak.touches if touch.reach > _FEW and touch.reach > _WHOLE * (touch.cut - touch.first)]
    return len(told) * 2 > len(leak.touches)


def _longer_bar(leak: Leak, found: Truncations, ts: NDArray[np.int64], step: int) -> str:
    """Give the shortest longer bar that a column sees before it is over, "" where it is nothing of the kind."""
    for name, slots in _slots(ts, step):
        if _within(leak, slots) and _stops_at_ends(leak, found, slots):
            return name
    return ""


def _within(leak: Leak, slots: NDArray[np.int64]) -> bool:
    """Tell whether only bars of the longer bar that was open at the cut have changed."""
    cuts = np.array([touch.cut for touch in leak.touches])
    earliest = np.array([touch.earliest for touch in leak.touches])
    cut_open = slots[cuts - 1] == slots[np.minimum(cuts, len(slots) - 1)]
    return bool(cut_open.all() and (slots[earliest] == slots[cuts - 1]).all())


def _stops_at_ends(leak: Leak, found: Truncations, slots: NDArray[np.int64]) -> bool:
    """Tell whether it can hardly be chance that no cut at the end of a longer bar has changed anything."""
    tried = np.array(sorted(cut for cut in found.tried[leak.name] if cut < len(slots)), dtype=np.int64)
    ends = slots[tried] != slots[tried - 1]
    inside = np.isin(tried[~ends], [touch.cut for touch in leak.touches])
    reach = max(touch.reach for touch in leak.touches)
    return len(inside) > 0 and reach > 1 and float((1.0 - inside.mean()) ** ends.sum()) < _CHANCE


def _slots(ts: NDArray[np.int64], step: int) -> list[tuple[str, NDArray[np.int64]]]:
    found = [
        (name, (ts - (_MONDAY if ms == _WEEK else 0)) // ms)
        for name, ms in _LENGTHS.items()
        if ms > step and ms % step == 0
    ]
    months = ts.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return [*found, ("a month", months)]
