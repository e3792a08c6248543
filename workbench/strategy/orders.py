"""`OrderStrategy`: the base class of strategies that place orders: grids, ladders, market making, arbitrage.

Each method is told what has happened and gets a view of the past and of the strategy's own books; it returns wishes
made with the view (`view.limit(...)`, `view.cancel(...)`), or None. Plain data in and out: the same object runs over
history, on paper and live. What it wants to remember goes into `view.memory`. Ladders of orders, positions in legs,
weights and timers are in `strategy.helpers`, and strategies to read or to use in `strategy.library`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.market.bars import Bars
from workbench.strategy.parameterised import Parameterised
from workbench.trading.desk import Refusal
from workbench.trading.events import Bar, Filled, Funded, Tick, Timer
from workbench.trading.orders import Order
from workbench.trading.view import View

if TYPE_CHECKING:
    from workbench.risk.sizing import Sizing

__all__ = ["OrderStrategy"]


class OrderStrategy(Parameterised):
    """Base class: declare parameters with `param` and write the methods that matter, `on_bar` above all.

    Attributes
    ----------
    sizing : Sizing or None
        How large orders are that leave their quantity open, as in `view.market("buy")`, unless the run has its own.
    warm_up : int
        Bars that are only shown, not told: before them `on_bar` is not called.

    Examples
    --------
    >>> from workbench.strategy import OrderStrategy, param
    >>> class BuyTheDip(OrderStrategy):
    ...     depth: float = param(0.02, low=0.001, high=0.2)
    ...
    ...     def on_bar(self, view, bar):
    ...         if view.quantity() == 0 and not view.orders():
    ...             return view.limit("buy", price=bar.close * (1 - self.depth), quantity=1, tag="dip")
    >>> BuyTheDip(depth=0.05)
    BuyTheDip(depth=0.05)
    """

    sizing: Sizing | None = None
    warm_up: int = 0

    def indicators(self, bars: Bars) -> Mapping[str, Any]:
        """Give columns worked out for a whole series at once, one value a bar, by name; `view.value(name)` reads them.

        Each value may rest on its own bar and earlier ones only.
        """
        return {}

    def on_start(self, view: View) -> Any:
        """Say what to do before the first bar."""

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Say what to do now that a bar has closed; orders trade at the first price after it."""

    def on_tick(self, view: View, tick: Tick) -> Any:
        """Say what to do after a trade of the market."""

    def on_fill(self, view: View, fill: Filled) -> Any:
        """Say what to do after an execution of an own order, which is `view.order`: its tag says what it was for."""

    def on_timer(self, view: View, timer: Timer) -> Any:
        """Say what to do at a time that `view.timer` asked for."""

    def on_trigger(self, view: View, order: Order) -> Any:
        """Say what to do when the trigger of an own stop or take-profit was reached."""

    def on_funding(self, view: View, funded: Funded) -> Any:
        """Say what to do after funding was settled on an own position."""

    def on_refused(self, view: View, refusal: Refusal) -> Any:
        """Say what to do after an order was refused, by the gate or by the venue."""

    def on_end(self, view: View, order: Order) -> Any:
        """Say what to do after an order was cancelled or has expired with something of it left."""

    def snapshot(self) -> Any:
        """Give what must be kept beside `view.memory`: nothing, a strategy is a value."""
        return None

    def restore(self, data: Any) -> None:
        """Take up what `snapshot` gave."""
