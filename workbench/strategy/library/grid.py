"""Grid: buy a step lower, sell a step higher, again and again, between two bounds."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.errors import StrategyError
from workbench.strategy.helpers.books import is_base, own_equity, own_memory
from workbench.strategy.helpers.ladders import Rung, arithmetic_levels, geometric_levels, keep_ladder
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar, Filled
from workbench.trading.view import View

__all__ = ["Grid"]

NAME: Final = "grid"
_BROKEN: Final = ("stop_loss", "custom_stop", "liquidation", "bankruptcy")


class Grid(OrderStrategy):
    """Divide a range of prices into cells; each buys at its lower line and sells at its upper one.

    **How it earns.** Every time the price goes down through a cell and up again, the cell has earned its height. It
    does not need to know where the price goes, only that it goes back and forth.

    **When it loses.** When the price leaves the range. Below it, all cells hold what they bought on the way down, and
    the loss is that of holding; above it, everything is sold, and the gain stops. A grid is short volatility: many
    small gains, and the fall that takes them back. `stop_loss` ends it below the range; `trailing` moves the range up.

    **What it assumes.** That a resting order at a line is filled when the price gets there (`Rules(limit_fill=...)`
    says how strictly a backtest takes that), and that a cell is higher than two fees: it refuses to start otherwise.

    Notes
    -----
    With `start="buy"` cells above the price buy at once, at the market, what they will sell; nothing is ever sold that
    is not held. With `start="neutral"` they sell short instead, which needs a margin account. All cells trade the same
    quantity; `capital` is what the whole grid costs when all of it is bought.

    The state of a cell is the quantity it holds. What should rest follows from that, so a grid that was stopped goes on
    with the same orders.
    """

    lower: float | None = param(None, low=0.0, high=1e12, doc="lowest line, a price; None: `width` below the first price")
    upper: float | None = param(None, low=0.0, high=1e12, doc="highest line, a price; None: `width` above it")
    width: float = param(0.15, low=0.005, high=0.9, doc="half of the range around the first price, a fraction")
    cells: int = param(20, low=1, high=200, doc="cells between the bounds")
    spacing: str = param("geometric", choices=("geometric", "arithmetic"), doc="equal ratios or equal distances")
    capital: float = param(0.95, low=0.01, high=10.0, doc="fraction of the equity that the grid costs, all bought")
    start: str = param("buy", choices=("buy", "neutral"), doc="cells above the price buy at once, or sell short")
    trailing: bool = param(False, doc="move the range up when the price leaves it at the top")
    stop_loss: float | None = param(0.1, low=0.001, high=0.9, doc="fraction beyond the range at which all is left")

    def validate(self) -> None:
        """Hold the bounds to be a range, both given or neither."""
        if (self.lower is None) != (self.upper is None):
            raise StrategyError("Grid: give lower and upper both, or neither (then the range is made with width)")
        if self.lower is not None and self.upper is not None and not 0.0 < self.lower < self.upper:
            raise StrategyError(f"Grid: lower = {self.lower:g} must be above 0 and below upper = {self.upper:g}")

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Lay out the grid at the first price inside its range, then keep its orders."""
        memory = own_memory(view)
        if memory.get("ended") or not is_base(view, bar):
            return None
        if "lines" not in memory and not self._lay_out(view, bar.close):
            return None
        while self.trailing and bar.close > memory["lines"][-1] and not memory["held"][0]:
            self._move_up(memory)
        return self._keep(view)

    def on_fill(self, view: View, fill: Filled) -> Any:
        """Book the fill to its cell and place the other side of it; leave the field when the stop was hit."""
        memory = own_memory(view)
        if fill.reason in _BROKEN:
            memory["ended"] = True
            return keep_ladder(view, [], name=NAME)
        if view.order is None or memory.get("ended") or not view.order.tag.startswith(f"{NAME}:"):
            return None
        cell = int(view.order.tag.partition(":")[2][1:]) - memory["first"]
        change = fill.quantity if fill.side == "buy" else -fill.quantity
        memory["held"][cell] = _settled(memory["held"][cell] + change, memory["size"][cell])
        return [*self._stop(view), *self._keep(view)]

    def _lay_out(self, view: View, price: float) -> bool:
        """Work out lines and sizes; False while the price is outside bounds that were given."""
        lower = price * (1.0 - self.width) if self.lower is None else self.lower
        upper = price * (1.0 + self.width) if self.upper is None else self.upper
        if not lower <= price <= upper or not own_equity(view):
            return False
        make = geometric_levels if self.spacing == "geometric" else arithmetic_levels
        lines = make(lower, upper, self.cells + 1)
        cost = math.fsum(min(line, price) if self.start == "buy" else line for line in lines[:-1])
        size = self.capital * own_equity(view) / (cost * view.instrument().contract_size)
        self._check(view, lines, size)
        _, size = view.rounded("buy", upper, size)
        above = [self.start == "neutral" and line >= price for line in lines[:-1]]
        own_memory(view).update(
            lines=lines, size=[size] * self.cells, held=[size if one else 0.0 for one in above], first=0,
        )  # fmt: skip
        return True

    def _check(self, view: View, lines: list[float], size: float) -> None:
        """Refuse a grid that could only lose: cells below two fees, or orders that the venue refuses."""
        step, fees = min(high / low for low, high in zip(lines, lines[1:], strict=False)) - 1.0, 2.0 * view.costs().maker
        if step <= fees:
            raise StrategyError(
                f"Grid: cells of {step:.4%} do not pay two fees of {fees / 2:.4%} on {view.symbol}; take fewer cells "
                f"than {self.cells} or a wider range",
                cells=self.cells,
            )
        if not view.rounded("buy", lines[0], size)[1]:
            facts = view.instrument()
            raise StrategyError(
                f"Grid: {self.cells} cells of {size:.8g} {facts.base} each are below the smallest order of "
                f"{view.symbol} ({facts.min_notional:g} {facts.quote}, steps of {facts.lot_size:g}); take fewer cells, "
                "or more capital",
                cells=self.cells,
            )

    def _keep(self, view: View) -> list[Any]:
        """Give what brings the orders in step with what the cells hold."""
        memory, rungs = own_memory(view), []
        lines, first = memory["lines"], memory["first"]
        for cell, (size, held) in enumerate(zip(memory["size"], memory["held"], strict=True)):
            if held < size:
                rungs.append(Rung(f"b{first + cell}", "buy", lines[cell], size - held))
            if held > 0.0:
                rungs.append(Rung(f"s{first + cell}", "sell", lines[cell + 1], held))
        return keep_ladder(view, rungs, name=NAME)

    def _stop(self, view: View) -> list[Any]:
        """Give the stop beyond the range, on the side that is held."""
        held, lines = view.quantity(), own_memory(view)["lines"]
        if self.stop_loss is None or not held:
            return []
        level = lines[0] * (1.0 - self.stop_loss) if held > 0.0 else lines[-1] * (1.0 + self.stop_loss)
        return [view.protect(stop_at=level)]

    def _move_up(self, memory: dict[str, Any]) -> None:
        """Take the lowest cell, which holds nothing, away, and put its money into a new one at the top."""
        lines, size = memory["lines"], memory["size"]
        top = lines[-1] + (lines[-1] - lines[-2]) if self.spacing == "arithmetic" else lines[-1] ** 2 / lines[-2]
        size.append(size[0] * lines[0] / lines[-1])
        lines.append(top)
        memory["held"].append(0.0)
        memory["first"] += 1
        for column in (lines, size, memory["held"]):
            del column[0]


def _settled(held: float, size: float) -> float:
    """Give what a cell holds without the last bits of floats."""
    return 0.0 if held <= 1e-9 * size else size if held >= size * (1.0 - 1e-9) else held
