"""What an order strategy raises names the strategy, the event and the line; what it did not raise passes as it is."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.backtest.blame import blaming
from workbench.errors import DataError, StrategyError


class Careless(wb.OrderStrategy):
    """Divides by nothing in the method that it is told to."""

    where: str = wb.param("on_bar")

    def indicators(self, bars):
        return {"ratio": self.ratio(bars.close)} if self.where == "indicators" else {}

    def on_bar(self, view, bar):
        if self.where == "refusal":
            raise DataError("the series is not to its taste")
        return self.ratio(1.0) if self.where == "on_bar" else view.market("buy", quantity=1)

    def on_fill(self, view, fill):
        np.ones(2).reshape(3)

    def ratio(self, value):
        return [1 / 0, value]


def bars() -> wb.Bars:
    flat = dict.fromkeys(("open", "high", "low", "close"), np.full(80, 100.0))
    return wb.Bars(
        instrument=wb.Instrument(symbol="BTC/USDT"), timeframe="1h", ts=np.arange(80) * 3_600_000,
        volume=np.full(80, 1e6), **flat,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("on_bar", r"on_bar at 1970-01-01 01:00.* raised ZeroDivisionError.*test_blame.py: return \[1 / 0, value\]"),
        ("indicators", r"indicators raised ZeroDivisionError.*return \[1 / 0, value\]"),
        ("on_fill", r"on_fill at 1970-01-01 01:00.* raised ValueError.*test_blame.py: np.ones"),
    ],
)
def test_an_exception_names_the_strategy_the_event_and_the_line(where, said):
    with pytest.raises(StrategyError, match=rf"Careless\(where='{where}'\)\.{said}"):
        wb.backtest(Careless(where=where), bars())


def test_an_error_of_the_workbench_stays_what_it_is_and_says_when():
    with pytest.raises(DataError, match="taste") as caught:
        wb.backtest(Careless(where="refusal"), bars())
    assert "on_bar at 1970-01-01 01:00" in caught.value.__notes__[0]


def test_the_check_tells_it_in_the_same_words():
    with pytest.raises(StrategyError, match=r"on_bar at .* raised ZeroDivisionError"):
        wb.check(Careless(), bars())


def test_what_the_strategy_did_not_raise_is_not_blamed_on_it():
    with pytest.raises(KeyError), blaming(Careless()):
        raise KeyError("of the package")


def test_a_parameter_without_its_name_is_refused_with_the_names_there_are():
    with pytest.raises(StrategyError, match="Careless: 'on_fill' has no name; its parameters are where"):
        Careless("on_fill")
