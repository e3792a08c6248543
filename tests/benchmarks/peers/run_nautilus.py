"""The SMA cross in NautilusTrader: one unit a trade, market orders that fill at the close of the bar that decided them.

That is the same price as the next open where a bar opens at the last close, as the made-up bars do. Set up to be fast:
no log, no analysis after the run, and positions of their own for each trade (netting is slower, its snapshots add up).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from answering import answer

CASH, FEE = 100_000, Decimal("0.001")


def load(path: str) -> tuple[str, Callable[[int, int], dict[str, Any]]]:
    """Read the bars and make the strategy."""
    import nautilus_trader
    import numpy as np
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig, StrategyConfig
    from nautilus_trader.indicators import SimpleMovingAverage
    from nautilus_trader.model.currencies import BTC, USDT
    from nautilus_trader.model.data import Bar, BarType
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import CurrencyPair
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.trading.strategy import Strategy

    venue = Venue("SIM")
    pair = CurrencyPair(
        instrument_id=InstrumentId(Symbol("BTCUSDT"), venue),
        raw_symbol=Symbol("BTCUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=6,
        size_precision=6,
        price_increment=Price.from_str("0.000001"),
        size_increment=Quantity.from_str("0.000001"),
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=FEE,
        taker_fee=FEE,
        ts_event=0,
        ts_init=0,
    )
    kind = BarType.from_str("BTCUSDT.SIM-1-MINUTE-LAST-EXTERNAL")
    columns = np.load(path)
    rows = zip(*(columns[name].tolist() for name in ("ts", "open", "high", "low", "close")), strict=True)
    volume, minute = Quantity.from_str("1000.000000"), 60_000
    bars = [
        Bar(kind, *(Price(value, 6) for value in prices), volume, (ts + minute) * 10**6, (ts + minute) * 10**6)
        for ts, *prices in rows
    ]
    last = float(columns["close"][-1])

    class Windows(StrategyConfig, frozen=True):  # type: ignore[call-arg,misc]
        fast: int
        slow: int

    class Cross(Strategy):  # type: ignore[misc]
        def __init__(self, config: Windows) -> None:
            super().__init__(config)
            self.quick, self.steady = SimpleMovingAverage(config.fast), SimpleMovingAverage(config.slow)
            self.before = 0.0
            self.ready = False
            self.entries = 0
            self.unit = Quantity.from_str("1.000000")

        def on_start(self) -> None:
            self.register_indicator_for_bars(kind, self.quick)
            self.register_indicator_for_bars(kind, self.steady)
            self.subscribe_bars(kind)

        def on_bar(self, bar: Bar) -> None:
            if not self.steady.initialized or bar.ts_event == bars[-1].ts_event:
                return  # after the last bar there is no next open
            gap = self.quick.value - self.steady.value
            if self.ready and self.before <= 0.0 < gap:
                self.entries += 1
                self.submit_order(self.order_factory.market(pair.id, OrderSide.BUY, self.unit))
            elif self.ready and self.before >= 0.0 > gap:
                self.close_all_positions(pair.id)
            self.before, self.ready = gap, True

    def run(fast: int, slow: int) -> dict[str, Any]:
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
        engine.add_venue(venue, OmsType.HEDGING, AccountType.CASH, [Money(CASH, USDT)])
        engine.add_instrument(pair)
        engine.add_data(bars)
        strategy = Cross(Windows(fast=fast, slow=slow))
        engine.add_strategy(strategy)
        start = time.perf_counter()
        engine.run()
        seconds = time.perf_counter() - start
        account = engine.cache.account_for_venue(venue)
        coins = account.balance_total(BTC)
        equity = account.balance_total(USDT).as_double() + (coins.as_double() * last if coins else 0.0)
        engine.dispose()
        return {"seconds": seconds, "trades": strategy.entries, "equity": equity}

    return f"NautilusTrader {nautilus_trader.__version__}", run


if __name__ == "__main__":
    answer(load)
