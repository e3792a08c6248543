"""A portfolio over two bots, three accounts and two currencies, which several tests measure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.risk.portfolio import Balance, Holding

__all__ = ["HELD", "PRICES", "RATES", "prices_of"]

RATES = {"USDT/USD": 1.0, "EUR/USD": 1.25}
HELD = [
    Holding(
        symbol="BTC/USDT", quantity=1.0, price=40_000.0, currency="USDT", venue="binance", bot="trend", group="coins",
        daily_value=4e6, spread=0.001,
    ),
    Holding(
        symbol="ETH/USDT:USDT", quantity=-5.0, price=2_000.0, currency="USDT", venue="binance", account="perp",
        bot="hedge", group="coins", margined=True, entry_price=2_200.0, liquidation_price=2_600.0, maintenance=0.01,
        daily_value=1e6, spread=0.002,
    ),
    Holding(symbol="DAX", quantity=2.0, price=8_000.0, currency="EUR", venue="xetra", account="shares", group="shares"),
    Balance(amount=10_000.0, currency="EUR", venue="xetra", account="shares"),
    Balance(amount=4_000.0, currency="USDT", venue="binance", account="perp", bot="hedge"),
]  # fmt: skip


def prices_of(seed: int = 1, rows: int = 300) -> pd.DataFrame:
    """Make prices of everything in `HELD`, some of them moving together."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(4, size=(rows, 1))
    moves = (common + rng.standard_t(4, size=(rows, 4))) * [0.02, 0.03, 0.008, 0.004]
    index = pd.date_range("2020-01-01", periods=rows, tz="UTC")
    names = ["BTC/USDT", "ETH/USDT", "DAX", "EUR/USD"]
    return pd.DataFrame(
        np.exp(np.cumsum(moves, axis=0)) * [30_000.0, 1_500.0, 8_000.0, 1.2], index=index, columns=names
    )


PRICES = prices_of()
