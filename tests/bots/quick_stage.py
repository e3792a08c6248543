"""A bot of a signal strategy with a real journal, and a venue that takes and fills everything at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import workbench as wb
from tests.bots.world import walk
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.talk import VenueFill, VenueOrder
from workbench.bots.journal import Journal
from workbench.bots.quick_start import QuickStart
from workbench.bots.runner import shell_for
from workbench.trading.events import Bar, Learnt, Moved, Opened, Started, Submit

MINUTE = 60_000
AWAKE = ("STARTING", "WARMING_UP", "RECONCILING", "RUNNING")
OHLCV = ("open", "high", "low", "close", "volume")


class Crosses(wb.SignalStrategy):
    """Long while the close is above its mean."""

    length: int = wb.param(10, low=2, high=50)
    stop_loss = 0.02
    asked = 0

    def signals(self, bars: Any) -> Any:
        Crosses.asked += 1
        mean = wb.indicators.sma(bars.close, self.length)
        return wb.Signals(entry=bars.close > mean, exit=bars.close < mean, roi={0: 0.05, 60: 0.02})


class Remembers(wb.OrderStrategy):
    """Keeps something that JSON would change."""

    def on_bar(self, view: Any, bar: Any) -> None:
        view.memory["last"] = (bar.ts, bar.close)


class Story:
    """One bot over all its sessions."""

    def __init__(self, folder: Path, strategy: Any = None, bars: int = 400) -> None:
        self.folder, self.bars = folder, walk(7, bars)
        self.open(strategy or Crosses())

    def open(self, strategy: Any) -> None:
        """Begin a session, with nothing but what is on disk."""
        self.logs: list[tuple[str, str, dict[str, Any]]] = []
        self.journal = Journal.open(self.folder / "quick.sqlite", "quick", clock=lambda: 1)
        self.shell = shell_for(prepare(strategy, self.bars[:50], cash=10_000.0), "quick", self.journal)
        self.quick = QuickStart(self.shell, self.journal, lambda *line: self.logs.append(line))

    def again(self, strategy: Any = None) -> str:
        """Break off and begin anew; give what was said of how."""
        self.journal.close()
        self.open(strategy or Crosses())
        self.quick.recover(self.shell.now)
        return self.logs[-1][1]

    def lives(self, first: int, last: int) -> None:
        """Hear bars, and trade."""
        if not first:
            for state in AWAKE:
                self.shell.take(Moved(0, state), 0)
            self.shell.take(Started(0), 0)
        for row in range(first, last):
            ts = int(self.bars.ts[row])
            prices = [float(getattr(self.bars, name)[row]) for name in OHLCV]
            now, close = ts + MINUTE, prices[3]
            symbol = self.bars.symbol
            if row < 20:
                self.shell.take(Learnt(symbol, ts, now, *prices, "1m"), now)
                continue
            for event in (Bar(symbol, ts, now, *prices, "1m"), Opened(now, {symbol: close})):
                self.shell.take(event, now)
                self._answer(now, close)

    def _answer(self, now: int, price: float) -> None:
        shell = self.shell
        while shell.requests:
            request: Any = shell.requests.popleft()
            action = getattr(request, "action", None)
            order = action.order if isinstance(action, Submit) else None
            status = "canceled" if order is None else "open"
            name = f"v{request.id}"
            said = VenueOrder(request.id, name, request.symbol, "buy", "limit", status, 0.0, 0.0)
            if order is not None:
                said = said._replace(side=order.side, type=order.type, quantity=order.quantity)
            shell.answered(request, said, now)
            if order is not None and order.type == "market":
                fill = (
                    f"t{order.id}",
                    name,
                    order.symbol,
                    order.side,
                    order.quantity,
                    price,
                    0.1,
                    False,
                    now,
                    order.id,
                )
                shell.heard(VenueFill(*fill), now)

    def state(self) -> str:
        """All that the bot is, as text."""
        shell = self.shell
        return json.dumps([shell.snapshot(), shell.mind.sums()], sort_keys=True)
