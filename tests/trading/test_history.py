"""Past bars as a strategy sees them."""

import numpy as np
import pytest

from workbench.errors import StrategyError
from workbench.indicators import crosses_above, crosses_below
from workbench.trading.events import Bar
from workbench.trading.history import COLUMNS, History

FAST = np.array([np.nan, 1.0, 3.0, 2.0, 2.0, 3.0, np.nan, 4.0, 1.0])
SLOW = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0])


def history() -> History:
    bars = History("BTC/USDT", "1m", {name: np.arange(1, len(FAST) + 1, dtype=np.float64) for name in COLUMNS})
    bars.name({"fast": FAST, "slow": SLOW})
    return bars


def test_crosses_at_the_last_closed_bar_are_those_of_the_indicator():
    bars, above, below = history(), [], []
    for closed in range(1, len(FAST) + 1):
        bars.count = closed
        above.append(bars.crosses("fast", "slow"))
        below.append(bars.crosses("slow", "fast"))
    assert above == crosses_above(FAST, SLOW).tolist()
    assert below == crosses_below(FAST, SLOW).tolist()
    assert sum(above) == 2 and sum(below) == 1


def test_nothing_crosses_before_the_first_bar():
    assert history().crosses("fast", "slow") is False


def test_a_cross_of_an_unknown_column_names_those_there_are():
    bars = history()
    bars.count = 3
    with pytest.raises(StrategyError, match=r"no column 'quick'; it has .*fast, slow"):
        bars.crosses("quick", "slow")


def test_crosses_of_a_series_that_grows_are_those_of_its_last_two_bars():
    bars, above, below = History("BTC/USDT", "1m"), [], []
    for row, close in enumerate(FAST):
        bars.append(Bar("BTC/USDT", row, row + 1, 2.0, close, close, close, 1.0))
        above.append(bars.crosses("close", "open"))
        below.append(bars.crosses("open", "close"))
    assert above == crosses_above(FAST, SLOW).tolist()
    assert below == crosses_below(FAST, SLOW).tolist()


def test_a_column_that_is_named_anew_crosses_anew():
    bars = history()
    bars.count = 3
    assert bars.crosses("fast", "slow")
    bars.name({"fast": SLOW - 1.0})
    assert not bars.crosses("fast", "slow")
