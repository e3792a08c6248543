"""What every strategy of the library keeps to: documented, bounded, ready to run, blind to the future, restartable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.strategy.library.cases import FREE, HOUR, SPOT, orders_of, refusals, same_after_restarts, walk
from workbench.errors import StrategyError
from workbench.strategy import library
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.strategy import SignalStrategy

ETHER, SOLANA = (wb.Instrument(symbol=f"{coin}/USDT", quote="USDT") for coin in ("ETH", "SOL"))
PERPETUAL = wb.Instrument.default("BTC/USDT:USDT").replace(funding_rate=0.0003)
STEPS: dict[str, Any] = {"tick_size": 0.01, "lot_size": 0.001, "min_notional": 5.0}
BARS = 400

# parameters with which a few hundred made bars are enough to trade; how many walks it needs
QUICK: dict[str, tuple[dict[str, Any], int]] = {
    "arbitrage": ({"exit_gap": 0.01, "stop": None, "max_bars": 20}, 2),
    "avellaneda_stoikov": ({"volatility_length": 20}, 1),
    "breakout": ({"length": 10, "squeeze": False}, 1),
    "cash_and_carry": ({"settlements": 2, "enter_rate": 0.2}, 2),
    "dca": ({}, 1),
    "grid": ({"stop_loss": None, "trailing": True}, 1),
    "market_making": ({"spread": 0.02, "levels": 2, "size": 0.1}, 1),
    "mean_reversion": ({"length": 10, "trend": 20, "entry": 1.0, "extreme": 40.0, "short": True}, 1),
    "momentum": ({"lookback": 20, "hold": 2, "short": 1, "every": 5}, 3),
    "pairs": ({"window": 40, "critical": None, "entry": 1.0, "guard": 0.05}, 2),
    "rebalancer": ({"band": 0.02}, 3),
    "scalping": ({"min_range": 0.0, "fast": 3, "slow": 10, "pullback": 50.0}, 1),
    "trend_following": ({"entry_length": 20, "exit_length": 10, "trend": 50}, 1),
}
ORDERS = [name for name in QUICK if issubclass(library.get(name), OrderStrategy)]
SIGNALS = [name for name in QUICK if issubclass(library.get(name), SignalStrategy)]


def quick(name: str) -> Any:
    return library.get(name)(**QUICK[name][0])


def market(name: str, length: int = BARS) -> list[wb.Bars]:
    """Walks of as many instruments as a strategy needs; the second of two is near the first."""
    first = walk(BARS, 3, instrument=SPOT.replace(**STEPS))
    if QUICK[name][1] == 2:
        other = PERPETUAL if name == "cash_and_carry" else ETHER.replace(**STEPS)
        wobble = np.exp(np.random.default_rng(8).normal(0, 0.01, BARS))
        columns = {column: getattr(first, column) * wobble for column in ("open", "high", "low", "close")}
        second = wb.Bars(instrument=other, timeframe="1h", ts=first.ts, volume=first.volume, **columns)
        return [first[:length], second[:length]]
    more = [walk(BARS, seed, instrument=one.replace(**STEPS)) for seed, one in ((4, ETHER), (5, SOLANA))]
    return [one[:length] for one in [first, *more][: QUICK[name][1]]]


def terms(name: str) -> dict[str, Any]:
    """Funding that turns round every two days, for the one that lives on it."""
    if name != "cash_and_carry":
        return {}
    index = pd.to_datetime(np.arange(0, BARS, 8) * HOUR, unit="ms", utc=True)
    rates = pd.Series(np.where(np.arange(len(index)) // 6 % 2, -0.0005, 0.0005), index=index)
    return {"rules": wb.Rules(funding={PERPETUAL.symbol: rates})}


def test_every_name_is_tried_here_but_the_one_that_needs_three_currencies():
    assert set(library.names()) - set(QUICK) == {"triangular"}
    assert list(library.names()) == sorted(library.names())
    assert {library.get(name).__name__ for name in library.names()} <= set(library.__all__)


@pytest.mark.parametrize("name", library.names())
def test_it_is_documented_and_every_parameter_has_bounds_and_words(name):
    cls = library.get(name)
    text = cls.__doc__ or ""
    for words in ("**How it earns.**", "**When it loses.**", "**What it assumes.**", "Notes\n"):
        assert words in text, words
    assert text.split("\n")[0].endswith(".")
    assert 3 <= len(cls.declared) <= 15
    for one in cls.declared.values():
        assert one.doc and not one.doc.endswith("."), one.name
        assert one.kind in (bool, str) or (one.low is not None and one.high is not None), one.name
        assert one.kind is not str or one.choices or one.default == "", one.name
    assert eval(repr(cls()), {cls.__name__: cls}) == cls()


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(StrategyError, match=r"no strategy 'gird' in the library: did you mean 'grid'\?"):
        library.get("gird")
    with pytest.raises(AttributeError, match="has no attribute 'Gird'"):
        library.Gird  # noqa: B018


@pytest.mark.parametrize("name", QUICK)
def test_a_longer_history_never_changes_what_was_ordered(name):
    bars, cut = market(name), 250
    whole = wb.backtest(quick(name), bars, path="event", **terms(name))
    part = wb.backtest(quick(name), market(name, cut), path="event", **terms(name))
    assert len(part.fills) > 5
    early, late = (
        [row for row in orders_of(one) if row[0] != "NaT" and row[0] < str(whole.equity.index[cut - 1])]
        for one in (part, whole)
    )
    assert early == late and len(early) > 5
    np.testing.assert_array_equal(whole.equity_values[: cut - 1], part.equity_values[: cut - 1])


@pytest.mark.parametrize("name", ORDERS)
def test_killed_and_restored_anywhere_it_does_the_same(name):
    assert same_after_restarts(quick(name), market(name, 200), 5, **terms(name)) > 5


@pytest.mark.parametrize("name", ORDERS)
def test_gate_and_venue_refuse_nothing_in_normal_use(name):
    found = set(refusals(quick(name), market(name), **terms(name)))
    # a post-only quote that the next open has overtaken is refused, which is what post-only is for
    assert found <= ({"post_only_would_take"} if name in ("market_making", "avellaneda_stoikov") else set())


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_are_the_same_on_both_paths(name):
    bars = walk(1_500, 6, instrument=SPOT.replace(**STEPS))
    slow, fast = (wb.backtest(quick(name), bars, path=path) for path in ("event", "compiled"))
    assert len(slow.trades) > 5
    np.testing.assert_allclose(slow.equity_values, fast.equity_values, rtol=1e-9)


@pytest.mark.parametrize("name", ORDERS)
def test_money_is_conserved(name):
    """What the account is worth in the end is what it began with, and what all fills, fees and funding came to."""
    costs = FREE if name == "arbitrage" else None
    result = wb.backtest(quick(name), market(name), costs=costs, path="event", **terms(name))
    table, total = result.fills, result.cash
    for bars in result.series:
        mine = table[table["symbol"] == bars.symbol]
        signed = mine["quantity"] * np.where(mine["side"] == "buy", 1.0, -1.0)
        total += float(signed.sum() * bars.close[-1] - (signed * mine["price"]).sum() - mine["fee"].sum())
    total += float(result.trades["funding"].sum())
    assert result.equity_values[-1] == pytest.approx(total, rel=1e-9)
