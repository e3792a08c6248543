"""What holds whatever prices do: inventories within their bounds, cells that add up, nothing sold that is not held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.strategy.library.cases import FREE, SPOT, walk
from workbench.strategy.library import AvellanedaStoikov, Dca, Grid, MarketMaking

STEPS = SPOT.replace(tick_size=0.01, lot_size=0.0001, min_notional=1.0)
seeds, sizes = st.integers(0, 10_000), st.sampled_from((0.003, 0.01, 0.03))


def watched(base: type, after: Any) -> Any:
    """The same strategy, with a check after every bar and fill."""

    class Watched(base):
        def on_bar(self, view, bar):
            after(self, view)
            return super().on_bar(view, bar)

        def on_fill(self, view, fill):
            said = super().on_fill(view, fill)
            after(self, view)
            return said

    return Watched


@settings(max_examples=12)
@given(seeds, sizes, st.integers(1, 15), st.sampled_from(("geometric", "arithmetic")), st.booleans())
def test_a_grid_holds_what_its_cells_hold_and_never_more_than_its_capital(seed, size, cells, spacing, trailing):
    def check(grid, view):
        memory = view.memory.get(view.symbol, {})
        if "held" not in memory or memory.get("ended"):
            return
        assert view.quantity() == pytest.approx(sum(memory["held"]), abs=1e-9)
        assert all(0.0 <= held <= whole for held, whole in zip(memory["held"], memory["size"], strict=True))
        assert memory["lines"] == sorted(memory["lines"]) and len(memory["held"]) == cells
        offered = sum(order.remaining for order in view.orders() if order.side == "sell" and order.tag)
        assert offered <= view.quantity() + 1e-9

    grid = watched(Grid, check)(cells=cells, spacing=spacing, trailing=trailing, capital=0.9)
    result = wb.backtest(grid, walk(150, seed, size=size, instrument=STEPS), costs=FREE, path="event")
    assert (result.records.equity > 0).all()
    spent = np.minimum.accumulate([row["cash"] for row in _cash(result)])
    assert spent[-1] >= -1e-6 * result.cash


def _cash(result: wb.Result) -> list[dict[str, float]]:
    """Cash after every fill."""
    cash, rows = result.cash, []
    for row in result.fills.itertuples():
        cash += (-1.0 if row.side == "buy" else 1.0) * row.quantity * row.price - row.fee
        rows.append({"cash": cash})
    return rows or [{"cash": cash}]


@settings(max_examples=12)
@given(seeds, sizes, st.sampled_from((MarketMaking, AvellanedaStoikov)), st.floats(-0.2, 0.5), st.floats(0.05, 0.4))
def test_a_market_maker_is_never_further_from_its_target_than_allowed(seed, size, base, target, most):
    limits: list[tuple[float, float]] = [(-np.inf, np.inf)]

    class Watched(base):
        def on_bar(self, view, bar):
            unit = view.equity / bar.close
            slack = 1e-6 * unit
            # quotes of this bar may bring it to these bounds; what prices did since cannot be helped
            low, high = (self.target - self.most) * unit - slack, (self.target + self.most) * unit + slack
            limits.append((min(low, view.quantity()), max(high, view.quantity())))
            return super().on_bar(view, bar)

        def on_fill(self, view, fill):
            assert limits[-1][0] <= view.quantity() <= limits[-1][1]
            return super().on_fill(view, fill)

    facts: dict[str, Any] = {"size": 0.05, "target": target, "most": most}
    facts |= {"levels": 3, "spread": 0.01} if base is MarketMaking else {"volatility_length": 10, "least_spread": 0.01}
    result = wb.backtest(Watched(**facts), walk(150, seed, size=size, instrument=STEPS), costs=FREE, path="event")
    assert len(limits) > 100 and len(result.fills) > 0


@settings(max_examples=12)
@given(seeds, sizes, st.integers(0, 6), st.sampled_from(("long", "short")))
def test_dca_never_spends_more_than_its_ladder_and_aims_at_the_average(seed, size, orders, side):
    sign = 1.0 if side == "long" else -1.0

    def check(dca, view):
        memory = view.memory.get(view.symbol, {})
        held = view.position()
        if not held.quantity:
            return
        assert np.sign(held.quantity) == sign
        begun = memory["unit"] * sum([1.0, *(1.3**k for k in range(orders))])
        # what is sold at a better price than its rung asks for is worth more, and no more of it
        price = held.price if side == "long" else memory["base"]
        assert abs(held.quantity) * price <= begun * (1.0 + 1e-6)
        assert sum(order.tag.startswith("safety") for order in view.orders()) <= orders

    dca = watched(Dca, check)(safety_orders=orders, side=side, stop_loss=None, step=0.01)
    result = wb.backtest(dca, walk(150, seed, size=size, instrument=STEPS), costs=FREE, path="event")
    done = result.trades[result.trades["exit_reason"] == "take_profit"]
    gained = sign * (done["exit_price"] / done["entry_price"] - 1.0)
    assert (gained >= 0.015 - 1e-4).all()  # at the target, to a tick, or at an open beyond it
