"""What if: shocks that someone thought of, and crashes that have happened."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from workbench.errors import ConfigError
from workbench.risk.portfolio.holdings import Holding

__all__ = ["CRASHES", "Scenario", "uniform_shocks"]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing that may happen: shocks, or a stretch of the past.

    Parameters
    ----------
    name : str
    shocks : mapping of str to float
        Return of a symbol, an asset, a group or `"*"` (everything); the first of these that is named counts. What is
        not named does not move.
    currencies : mapping of str to float
        Return of a currency against the reporting one.
    window : (first, last), optional
        Days, ISO text: what happened between these closes, in place of shocks.

    Raises
    ------
    ConfigError
        A shock is below -1 or no number, a window is not two days that rise, or there are both or neither.

    Examples
    --------
    >>> Scenario(name="coins halve", shocks={"BTC": -0.5, "ETH": -0.6})
    Scenario(name='coins halve', shocks={'BTC': -0.5, 'ETH': -0.6}, currencies={}, window=None)
    """

    name: str
    shocks: Mapping[str, float] = field(default_factory=dict)
    currencies: Mapping[str, float] = field(default_factory=dict)
    window: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigError(f"a scenario is called {self.name!r}: give it a name")
        for told in (self.shocks, self.currencies):
            if not isinstance(told, Mapping):
                raise ConfigError(f"{self.name}: {told!r}; give a mapping such as {{'BTC': -0.3}}")
            for key, value in told.items():
                good = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
                if not good or not -1.0 <= float(value) < math.inf:
                    raise ConfigError(
                        f"{self.name}: the shock of {key} is {value!r}; give a return, such as -0.3 for minus 30 %"
                    )
        if (self.window is not None) == bool(self.shocks or self.currencies):
            raise ConfigError(f"{self.name}: give shocks or a window of the past, one of them")
        if self.window is not None:
            self._check_window()

    def _check_window(self) -> None:
        window: Any = self.window
        example = "('2020-02-19', '2020-03-23')"
        try:
            first, last = (np.datetime64(day, "D") for day in window)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.name}: window = {window!r}; give two days, as {example}") from error
        if not first < last:
            raise ConfigError(f"{self.name}: the window begins {window[0]} and ends {window[1]}; it must go forward")

    def shock_of(self, held: Holding) -> float:
        """Give the return that a position's price has in this scenario; zero where nothing is said of it."""
        for key in (held.symbol, held.asset, held.group, "*"):
            if key is not None and key in self.shocks:
                return float(self.shocks[key])
        return 0.0


def uniform_shocks(sizes: Iterable[float] = (-0.5, -0.3, -0.2, -0.1, 0.1, 0.2, 0.5)) -> tuple[Scenario, ...]:
    """Give scenarios in which everything moves alike, a fraction each."""
    return tuple(
        Scenario(name=f"everything {size:+.0%}".replace("%", " %").replace("-", "\N{MINUS SIGN}"), shocks={"*": size})
        for size in sizes
    )


# Closes of the market that is named, from a high (or the day before) to a low: S&P 500; Bitcoin by Binance's UTC days.
CRASHES: Final[tuple[Scenario, ...]] = (
    Scenario(name="Black Monday, 1987", window=("1987-10-16", "1987-10-19")),
    Scenario(name="Russia and LTCM, 1998", window=("1998-07-17", "1998-08-31")),
    Scenario(name="dot-com, 2000 to 2002", window=("2000-03-24", "2002-10-09")),
    Scenario(name="11 September, 2001", window=("2001-09-10", "2001-09-21")),
    Scenario(name="financial crisis, 2007 to 2009", window=("2007-10-09", "2009-03-09")),
    Scenario(name="Lehman, 2008", window=("2008-09-12", "2008-11-20")),
    Scenario(name="flash crash, May 2010", window=("2010-05-05", "2010-05-07")),
    Scenario(name="US downgrade, 2011", window=("2011-07-22", "2011-08-08")),
    Scenario(name="yuan, August 2015", window=("2015-08-17", "2015-08-25")),
    Scenario(name="volatility, February 2018", window=("2018-01-26", "2018-02-08")),
    Scenario(name="Bitcoin, 2017 to 2018", window=("2017-12-16", "2018-12-15")),
    Scenario(name="autumn 2018", window=("2018-09-20", "2018-12-24")),
    Scenario(name="Covid, 2020", window=("2020-02-19", "2020-03-23")),
    Scenario(name="Bitcoin, 12 March 2020", window=("2020-03-11", "2020-03-12")),
    Scenario(name="Bitcoin, May 2021", window=("2021-05-08", "2021-05-23")),
    Scenario(name="Terra, 2022", window=("2022-05-04", "2022-05-12")),
    Scenario(name="FTX, 2022", window=("2022-11-05", "2022-11-09")),
)
"""Days of the past on which much was lost; each counts for what has prices of it."""
