"""The series that each strategy of the library is shown with, in a template, the notebook and the benchmark."""

from __future__ import annotations

from typing import Final

from workbench.errors import StrategyError

__all__ = ["usual_series"]

_BITCOIN: Final = ("BTC/USDT 1h",)
_STOCKS: Final = ("GOOGL 1d", "JPM 1d", "KO 1d", "MSFT 1d", "WMT 1d", "XOM 1d")
_SEVERAL: Final = {
    "arbitrage": ("BTC/USDT 1h", "BTC/USDT:USDT 1h"),
    "cash_and_carry": ("BTC/USDT 1h", "BTC/USDT:USDT 1h"),
    "momentum": _STOCKS,
    "pairs": ("KO 1d", "WMT 1d"),
    "rebalancer": _STOCKS,
    "trend_following": ("BTC/USDT 4h",),
    "triangular": ("BTC/USDT 1h", "ETH/BTC 1h", "ETH/USDT 1h"),
}


def usual_series(name: str) -> tuple[str, ...]:
    """Give the series that a strategy of the library is usually shown with, as "SYMBOL TIMEFRAME".

    Raises
    ------
    StrategyError
        There is no such strategy in the library.

    Examples
    --------
    >>> usual_series("pairs")
    ('KO 1d', 'WMT 1d')
    """
    from workbench.strategy.library import names

    if name not in names():
        raise StrategyError(f"there is no strategy {name!r} in the library: there is {', '.join(names())}", name=name)
    return _SEVERAL.get(name, _BITCOIN)
