"""What the core is made for: a `Trader`, which decides, and `Traded`, what it knows of an instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from workbench.market.instrument import Instrument
from workbench.trading import events as ev
from workbench.trading.gate import Listing
from workbench.trading.orders import Order
from workbench.trading.terms import CostTerms, Lots

if TYPE_CHECKING:
    from workbench.trading.desk import Refusal
    from workbench.trading.view import View

__all__ = ["Traded", "Trader", "traded"]


class Traded(NamedTuple):
    """What the core knows of an instrument that it trades; `traded` makes one."""

    instrument: Instrument
    lots: Lots
    costs: CostTerms
    leverage: float
    tiers: Any
    listing: Listing


def traded(instrument: Instrument, lots: Lots, costs: CostTerms, leverage: float = 1.0, tiers: Any = ()) -> Traded:
    """Give what the core knows of an instrument that it trades: its steps, costs, leverage and margin tiers."""
    listing = Listing(lots, instrument.contract_size, instrument.kind == "inverse")
    return Traded(instrument, lots, costs, leverage, tiers, listing)


class Trader(Protocol):
    """What a strategy offers the core; `strategy.OrderStrategy` is the base class to inherit from."""

    def on_start(self, view: View) -> Any:
        """Before the first event of a market."""

    def on_bar(self, view: View, bar: ev.Bar) -> Any:
        """A bar has closed."""

    def on_tick(self, view: View, tick: ev.Tick) -> Any:
        """The market has traded."""

    def on_fill(self, view: View, fill: ev.Filled) -> Any:
        """An own order was executed, in part or in full."""

    def on_timer(self, view: View, timer: ev.Timer) -> Any:
        """A time that was asked for has come."""

    def on_trigger(self, view: View, order: Order) -> Any:
        """The trigger of an own stop or take-profit was reached; it trades as far as there is volume."""

    def on_funding(self, view: View, funded: ev.Funded) -> Any:
        """Funding was settled on an own position."""

    def on_refused(self, view: View, refusal: Refusal) -> Any:
        """An own order was refused."""

    def on_end(self, view: View, order: Order) -> Any:
        """An own order was cancelled or has expired."""

    def snapshot(self) -> Any:
        """Give what must be kept beside the memory of the view."""

    def restore(self, data: Any) -> None:
        """Take up what `snapshot` gave."""
