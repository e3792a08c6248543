"""What a new strategy begins as: a small one that runs, of each kind."""

from __future__ import annotations

from string import Template
from typing import Final

from workbench.errors import StrategyError
from workbench.strategy.names import LIBRARY

__all__ = ["TEMPLATES", "render"]

_SIGNALS: Final = '''\
"""$title: what it trades on, in a sentence."""

import workbench as wb
from workbench.indicators import crosses_above, crosses_below, ema


class $name(wb.SignalStrategy):
    """Long while the fast mean is above the slow one.

    Say here how it earns, when it loses and what it assumes.
    """

    fast: int = wb.param(12, low=2, high=100, doc="bars of the fast mean")
    slow: int = wb.param(48, low=5, high=400, doc="bars of the slow mean")
    stop_loss: float | None = wb.param(0.1, low=0.005, high=0.5, doc="fraction below the entry price")

    def validate(self) -> None:
        if self.fast >= self.slow:
            raise wb.errors.StrategyError(f"fast = {self.fast} must be shorter than slow = {self.slow}")

    @property
    def warm_up(self) -> int:
        return self.slow

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = ema(bars.close, self.fast), ema(bars.close, self.slow)
        return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))
'''
_ORDERS: Final = '''\
"""$title: which orders it places, in a sentence."""

import workbench as wb


class $name(wb.OrderStrategy):
    """Buy with a limit order below the market, sell with one above what was paid.

    Say here how it earns, when it loses and what it assumes.
    """

    depth: float = wb.param(0.02, low=0.001, high=0.2, doc="fraction below the close at which to buy")
    gain: float = wb.param(0.02, low=0.001, high=0.2, doc="fraction above the price paid at which to sell")
    share: float = wb.param(0.5, low=0.01, high=0.95, doc="fraction of the equity that one purchase takes")

    def on_bar(self, view, bar):
        if view.quantity() == 0:
            price = bar.close * (1 - self.depth)
            quantity = self.share * view.equity / price
            return [*view.cancel_all(tag="dip"), view.limit("buy", price=price, quantity=quantity, tag="dip")]

    def on_fill(self, view, fill):
        if fill.side == "buy":
            return view.limit("sell", price=fill.price * (1 + self.gain), quantity=fill.quantity, tag="gain")
'''
_RULES: Final = """\
# $title: what it trades on, in a sentence. The language is described in RULES.md.
parameters:
  fast: {default: 12, low: 2, high: 100, doc: bars of the fast mean}
  slow: {default: 48, low: 5, high: 400, doc: bars of the slow mean}

indicators:
  quick: ema(close, fast)
  calm: ema(close, slow)

entry: quick crosses_above calm
exit: quick crosses_below calm

stops:
  stop_loss: 0.1
"""
_BY_KIND: Final = {"orders": (_ORDERS, ".py"), "rules": (_RULES, ".yaml"), "signals": (_SIGNALS, ".py")}
TEMPLATES: Final = tuple(_BY_KIND)


def render(template: str, stem: str) -> tuple[str, str]:
    """Write a new strategy.

    Parameters
    ----------
    template : str
        `"signals"`, `"orders"`, `"rules"`, or one of the library such as `"library:grid"`.
    stem : str
        Name of the file without its ending.

    Returns
    -------
    tuple of str
        The text, and the ending of its file.

    Raises
    ------
    StrategyError
        There is no such template.
    """
    if template in _BY_KIND:
        text, ending = _BY_KIND[template]
        words = stem.split("_")
        names = {"name": "".join(word.capitalize() for word in words), "title": " ".join(words).capitalize()}
        return Template(text).substitute(names), ending
    return _of_library(template), ".py"


def _of_library(template: str) -> str:
    import inspect
    import sys

    from workbench.strategy.library import get, names

    name = template.removeprefix(LIBRARY)
    if name not in names():
        known = ", ".join([*TEMPLATES, *(f"{LIBRARY}{one}" for one in names())])
        raise StrategyError(f"there is no template {template!r}; there is {known}", template=template)
    return inspect.getsource(sys.modules[get(name).__module__])
