"""Whether the data of a backtest are all there: a series with too many missing or filled bars is refused, by number.

What is counted is what the calendar expects and nobody has accepted as missing. How much is too much is the caller's
to say, else that of `workbench.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars, moment
from workbench.market.quality.findings import share_of

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["check_limit", "quality_in_words", "quality_of", "refuse_poor"]


def check_limit(max_missing: Any) -> None:
    """Refuse a limit that is no fraction.

    Raises
    ------
    ConfigError
        It is not from 0 to 1.
    """
    number = isinstance(max_missing, Real) and not isinstance(max_missing, bool)
    if max_missing is not None and not (number and 0 <= float(max_missing) <= 1):
        raise ConfigError(
            f"max_missing = {max_missing!r} must be a fraction from 0 to 1, such as 0.05 for five percent",
            max_missing=max_missing,
        )


def refuse_poor(series: Iterable[Bars], max_missing: float | None) -> None:
    """Refuse series of which more than a share of the bars are missing or filled.

    Parameters
    ----------
    series : iterable of Bars
    max_missing : float, optional
        The share, a fraction; the workspace's setting when left out.

    Raises
    ------
    DataError
        A series has more; the message gives the numbers and says what can be done.
    """
    for bars in series:
        missing, filled = _lacking(bars)
        share = share_of(len(bars), missing, filled)
        if not share:
            continue
        if max_missing is None:
            from workbench.settings import load_settings

            max_missing = load_settings().backtest.max_missing
        if share > max_missing:
            raise _too_many(bars, missing, filled, share, max_missing)


def _lacking(bars: Bars) -> tuple[int, int]:
    """Count missing bars that nobody has accepted, and filled ones."""
    filled = 0 if bars.filled is None else int(bars.filled.sum())
    if not bars.gaps:
        return 0, filled
    if bars.provenance.get("decisions"):
        return bars.quality.missing, filled
    return sum(gap.missing for gap in bars.gaps), filled


def _too_many(bars: Bars, missing: int, filled: int, share: float, limit: float) -> DataError:
    told = [f"{missing:,} bars are missing in {len(bars.gaps):,} gaps"] if missing else []
    if bars.gaps and missing:
        longest = max(bars.gaps, key=lambda gap: gap.missing)
        told[0] += f" (the longest {longest.missing:,} from {moment(longest.start)} to {moment(longest.end)})"
    told += [f"{filled:,} were made by a fill rule"] if filled else []
    expected = f"{len(bars) + missing:,} that the calendar {bars.instrument.calendar!r} expects"
    return DataError(
        f"{bars.symbol} {bars.timeframe}: of {expected}, {' and '.join(told)}; that is {share:.2%} and the limit is "
        f"{limit:.2%}. Fetch what is missing (`workbench data fill`), test a range that has it "
        f"(bars.between(…)), give the instrument its calendar, or say that it is well: max_missing={_above(share):g}",
        missing=missing, filled=filled, share=share, limit=limit,
    )  # fmt: skip


def _above(share: float) -> float:
    """Give the share, rounded up so that it lets the series pass."""
    import math

    return min(1.0, math.ceil(share * 1_000) / 1_000)


def quality_of(result: Result) -> dict[str, dict[str, int | float | str]]:
    """Give the summary of what is odd about each series of a result, by symbol."""
    return {bars.symbol: bars.quality.summary for bars in result.series}


def quality_in_words(result: Result) -> str:
    """Say in one phrase what is odd about the data of a result."""
    if len(result.series) == 1:
        return result.bars.quality.in_words
    odd = [f"{bars.symbol}: {bars.quality.in_words}" for bars in result.series if len(bars.quality)]
    return "; ".join(odd[:3]) + (f"; and {len(odd) - 3} more" if len(odd) > 3 else "") or "nothing found"
