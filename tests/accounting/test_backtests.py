"""Backtests as books: whatever was traded, and however, the books end at the equity of the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import workbench as wb
from tests.backtest.cases import cases, run
from tests.backtest.conftest import flags
from tests.backtest.handmade import fill, plan_of, result_of, series
from tests.effort import examples
from workbench.accounting import Money, own, positions, total
from workbench.accounting.backtests import books_of, equity_of
from workbench.errors import DataError

HOME = own("backtest")
PERP, INVERSE = "BTC/USDT:USDT", "BTC/USD:BTC"
COSTS = wb.Costs(fee=0.001, maker_fee=0.0002, slippage_bps=3.0)
CLOSES = (100.0, 104.0, 99.0, 103.5, 107.25, 101.0, 98.5, 105.0, 111.0, 108.0)


def ends_at(result: wb.Result) -> Any:
    return pytest.approx(float(result.equity.iloc[-1]), rel=1e-9, abs=1e-9)


def worth(result: wb.Result) -> float:
    return float(equity_of(books_of(result), result).amount)


def backtest(symbol: str, *, facts: dict[str, Any] | None = None, **said: Any) -> wb.Result:
    bars = series(symbol, CLOSES, **(facts or {}))
    words = {
        "entry": flags(10, 0), "exit": flags(10, 3), "short_entry": flags(10, 4), "short_exit": flags(10, 7),
    }  # fmt: skip
    return wb.backtest(wb.Signals(**words), bars, **{"costs": COSTS} | said)


@pytest.mark.parametrize(
    ("symbol", "facts", "said"),
    [
        ("BTC/USDT", {}, {}),
        ("BTC/USDT", {}, {"leverage": 3.0}),
        (PERP, {"kind": "linear"}, {"leverage": 5.0, "rules": wb.Rules(funding=0.0003)}),
        (PERP, {"kind": "linear"}, {"rules": wb.Rules(funding=-0.0003, margin="isolated")}),
        (INVERSE, {"kind": "inverse", "quote": "USD", "contract_size": 10.0}, {"rules": wb.Rules(funding=0.0003)}),
        ("ETH/BTC", {"quote": "BTC"}, {"cash": 2.5}),
    ],
    ids=["spot", "margin", "perpetual", "isolated", "inverse", "in bitcoin"],
)
def test_books_end_at_the_equity(symbol: str, facts: dict[str, Any], said: dict[str, Any]) -> None:
    result = backtest(symbol, facts=facts, **said)
    assert len(result.trades) == 2 and set(result.trades["side"]) == {"long", "short"}
    assert worth(result) == ends_at(result)
    books = books_of(result)
    assert books.wallets == (HOME,) and len(books.entries(kind="trade")) == len(result.records.fills)
    assert books.entries(kind="deposit")[0].change(HOME, result.currency).text == f"{result.cash:g}"
    paid = sum(float(one.change("fees:backtest", result.currency).amount) for one in books.entries())
    assert paid == pytest.approx(float(result.records.fills[:, 6].sum()))
    funded = sum(float(one.change(HOME, result.currency).amount) for one in books.entries(kind="funding"))
    assert funded == pytest.approx(float(result.records.funding[:, 5].sum()))


def test_all_closed_is_all_cash() -> None:
    result = backtest(PERP, facts={"kind": "linear"}, leverage=5.0)
    books = books_of(result)
    left = [amount for amount in books.balances().totals().values() if amount.currency != "USDT"]
    assert all(abs(amount.amount) < 1e-9 for amount in left)
    assert float(books.balance(HOME, "USDT").amount) == ends_at(result)


def test_cash_on_the_way_is_the_equity_of_that_moment() -> None:
    result = backtest("BTC/USDT")
    books, flat = books_of(result), 4  # the long is sold at the open of the bar, the short not yet opened
    at = int(result.records.ts[flat])
    assert float(books.balance(HOME, "USDT", at).amount) == pytest.approx(float(result.equity.iloc[flat]))


def test_legs_of_hedge_mode_have_books_of_their_own() -> None:
    plan = plan_of(series(PERP, CLOSES, kind="linear"), signals=False, hedge=True)
    orders = [{"number": n, "leg": leg} for n, leg in enumerate(("long", "short", "long"))]
    fills = [fill(1, 1, 2.0, 100.0, order=0), fill(2, -1, 1.0, 104.0, order=1), fill(4, -1, 1.0, 107.0, order=2)]
    equity = 10_000.0 + 7.0 + (108.0 - 100.0) + (104.0 - 108.0)
    result = result_of(plan, *fills, orders=orders, equity=[10_000.0] * 9 + [equity])
    books = books_of(result)
    assert books.balance(positions(HOME, "long"), PERP) == Money("1", PERP)
    assert books.balance(positions(HOME, "short"), PERP) == Money("-1", PERP)
    assert books.balance(HOME, "USDT") == Money("10007", "USDT")
    assert worth(result) == equity


def test_instruments_share_the_wallet() -> None:
    both = [series("A/USDT", CLOSES), series(PERP, CLOSES[::-1], kind="linear")]
    signals = {one.symbol: wb.Signals(entry=flags(10, 1), size=0.3) for one in both}
    result = wb.backtest(signals, both, costs=COSTS)
    held = books_of(result).balances().totals()
    assert set(held) == {"A", PERP, "USDT"} and worth(result) == ends_at(result)


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=cases(most=3, length=25))
def test_books_of_any_backtest_end_at_its_equity(case: dict[str, Any]) -> None:
    result = run(case, "auto")
    books = books_of(result)  # it holds the books to the equity itself
    for currency, amount in books.balances().totals().items():
        mine = [p.amount for one in books.entries() for p in one.postings if p.mine and p.amount.currency == currency]
        assert total(mine, currency) == amount


def test_a_backtest_that_does_not_add_up_is_told() -> None:
    plan = plan_of(series("A/USDT", CLOSES))
    result = result_of(plan, fill(1, 1, 1.0, 100.0), equity=np.full(10, 12_345.0))
    with pytest.raises(DataError, match=r"books of this backtest end at 10,008\.0+ USDT and its equity at 12,345"):
        books_of(result)


def test_no_trades_is_the_cash() -> None:
    plan = plan_of(series("A/USDT", CLOSES))
    result = result_of(plan, equity=[10_000.0] * 10)
    assert [str(one) for one in books_of(result).balances().totals().values()] == ["10000 USDT"]
