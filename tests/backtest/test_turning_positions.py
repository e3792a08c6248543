"""An order that takes a position through zero: what protected the old side is gone, the new side has its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb

MINUTE = 60_000


def bars(closes: Any) -> wb.Bars:
    c = np.asarray(closes, dtype=float)
    perp = wb.Instrument(
        symbol="BTC/USDT:USDT", venue="x", quote="USDT", kind="linear", tick_size=0.01, lot_size=0.001, spread_bps=0.0
    )
    ts = 1_700_000_040_000 + MINUTE * np.arange(len(c))
    return wb.Bars(
        instrument=perp, timeframe="1m", ts=ts, open=c, high=c, low=c, close=c, volume=np.full(len(c), 1e6)
    )  # fmt: skip


class Turn(wb.OrderStrategy):
    """Long at the third bar, through zero to short at the sixth; `stops` says which of the two has a stop."""

    stops: str = wb.param("both", choices=["both", "long", "short"])

    def on_bar(self, view: Any, bar: Any) -> Any:
        stop = {"stop_loss": 0.05}
        if view.count() == 3:
            return view.market("buy", 1.0, **(stop if self.stops != "short" else {}))
        if view.count() == 6:
            return view.market("sell", 2.0, **(stop if self.stops != "long" else {}))
        return None


@pytest.mark.parametrize("stops", ["both", "short"])
def test_the_new_side_has_its_stop(stops: str) -> None:
    path = [100.0] * 10 + np.linspace(100.0, 112.0, 13).tolist()
    result = wb.backtest(Turn(stops=stops), bars(path), rules=wb.Rules(account="margin"), costs=wb.Costs(fee=0.0))
    assert result.trades["exit_reason"].tolist() == ["order", "stop_loss"]
    assert result.trades["exit_price"].iloc[-1] == pytest.approx(105.0)


def test_a_side_that_asked_for_none_has_none() -> None:
    path = [100.0] * 10 + np.linspace(100.0, 112.0, 13).tolist()
    result = wb.backtest(Turn(stops="long"), bars(path), rules=wb.Rules(account="margin"), costs=wb.Costs(fee=0.0))
    assert result.trades["exit_reason"].tolist() == ["order", "open"]


def test_the_stop_of_the_old_side_does_not_close_the_new_one() -> None:
    path = [100.0] * 10 + np.linspace(100.0, 88.0, 13).tolist()
    result = wb.backtest(Turn(stops="both"), bars(path), rules=wb.Rules(account="margin"), costs=wb.Costs(fee=0.0))
    assert result.trades["exit_reason"].tolist() == ["order", "open"]
