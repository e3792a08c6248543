"""The front door: which path runs, what reaches it, and what of it the result tells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import ConfigError, StrategyError

HOUR = 3_600_000
START = 1_704_067_200_000  # 2024-01-01
FREE = wb.Costs(fee=0.0, slippage_bps=0.0)
SPOT = wb.Instrument(symbol="BTC/USDT", venue="paper", quote="USDT")
PERPETUAL = wb.Instrument.default("BTC/USDT:USDT", "paper")
CALM = (100.0, 101.0, 99.0, 100.0)


def made(rows: Any, *, instrument: wb.Instrument = SPOT, timeframe: str = "1h", volume: float = 1e9) -> wb.Bars:
    opened, high, low, close = np.asarray(rows, dtype=float).T
    length = wb.Timeframe.parse(timeframe)
    return wb.Bars(
        instrument=instrument, timeframe=length, ts=START + np.arange(len(rows)) * length.ms,
        open=opened, high=high, low=low, close=close, volume=np.full(len(rows), volume),
    )  # fmt: skip


def wandering(n: int, *, instrument: wb.Instrument = SPOT, seed: int = 0, volume: float = 1e9) -> wb.Bars:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
    return made(np.column_stack([opened, high, low, close]), instrument=instrument, volume=volume)


def flags(n: int, *at: int) -> np.ndarray:
    found = np.zeros(n, dtype=bool)
    found[list(at)] = True
    return found


class Flips(wb.SignalStrategy):
    """Long and short in turn, by the last digits of the close."""

    stop_loss = 0.03

    def signals(self, bars: wb.Bars) -> wb.Signals:
        digit = (bars.close * 1e6).astype(np.int64) % 10
        return wb.Signals(entry=digit == 1, exit=digit == 2, short_entry=digit == 3, short_exit=digit == 4)


class Still(wb.OrderStrategy):
    """Trades nothing."""


def others(count: int, kind: wb.Instrument = SPOT) -> list[wb.Instrument]:
    return [kind.replace(symbol=kind.symbol.replace("BTC", name)) for name in ("BTC", "ETH", "SOL")[:count]]


def test_the_path_is_chosen_and_told() -> None:
    bars = wandering(60)
    assert wb.backtest(Flips(), bars).path == "compiled"
    assert wb.backtest(Flips(), bars, path="event").path == "event"
    assert wb.backtest(Still(), bars).path == "event"
    assert "path=event" in repr(wb.backtest(Still(), bars))


def test_both_paths_give_the_same_trades() -> None:
    series = [wandering(150, instrument=one, seed=k) for k, one in enumerate(others(3, PERPETUAL))]
    options = {"leverage": 3, "rules": wb.Rules(protections=[wb.Cooldown(2)], max_positions=2)}
    one, other = (wb.backtest(Flips(), series, path=path, **options) for path in ("compiled", "event"))
    assert len(one.trades) > 10
    np.testing.assert_allclose(one.records.fills[:, :-1], other.records.fills[:, :-1], rtol=1e-9)
    np.testing.assert_allclose(one.records.equity, other.records.equity, rtol=1e-9)


@pytest.mark.parametrize(
    ("strategy", "options"),
    [(Still(), {}), (Flips(), {"rules": wb.Rules(latency_ms=5)})],
)
def test_the_compiled_path_says_what_it_cannot(strategy: Any, options: dict) -> None:
    with pytest.raises(ConfigError, match=r"path='compiled': .+; say path='auto' or 'event'"):
        wb.backtest(strategy, wandering(20), path="compiled", **options)


@pytest.mark.parametrize("path", ["fast", None, 1])
def test_there_are_three_paths(path: Any) -> None:
    with pytest.raises(ConfigError, match=f"path = {path!r} is not one of 'auto', 'compiled', 'event'"):
        wb.backtest(Flips(), wandering(20), path=path)


@pytest.mark.parametrize("path", ["compiled", "event"])
class TestWhatReachesThePath:
    """Each option changes what it should."""

    def test_a_share_of_the_volume_is_the_most_that_can_be_had(self, path: Any) -> None:
        bars, words = made([CALM] * 5, volume=200.0), wb.Signals(entry=flags(5, 0))
        some = wb.backtest(words, bars, costs=FREE, path=path)
        assert some.fills["quantity"].tolist() == pytest.approx([20.0, 20.0, 20.0, 20.0])
        cash = wb.Costs(fee=0.0, slippage_bps=0.0, volume_share=math.inf)
        assert wb.backtest(words, bars, costs=cash, path=path).fills["quantity"].tolist() == pytest.approx([100.0])
        dry = made([CALM] * 5, volume=0.0)
        assert wb.backtest(words, dry, costs=FREE, path=path).fills["quantity"].tolist() == pytest.approx([100.0])

    def test_leverage_and_funding(self, path: Any) -> None:
        bars = made([CALM] * 12, instrument=PERPETUAL)
        words = wb.Signals(entry=flags(12, 0))
        result = wb.backtest(words, bars, costs=FREE, leverage=3, path=path)
        assert result.fills["quantity"].tolist() == pytest.approx([300.0])
        assert result.equity.iloc[-1] == pytest.approx(10_000 - 300 * 100 * 0.0001)  # one settlement, at 08:00
        none = wb.backtest(words, bars, costs=FREE, leverage=3, path=path, rules=wb.Rules(funding=0.0))
        assert none.equity.iloc[-1] == pytest.approx(10_000)

    def test_finer_bars_say_which_came_first(self, path: Any) -> None:
        quarters = [CALM] * 8 + [(100, 106, 100, 105), (105, 105, 94, 95), (95, 96, 95, 95), (95, 96, 95, 95)]
        fine = made(quarters, timeframe="15m")
        bars = wb.data.resample(fine, "1h")
        words = wb.Signals(entry=flags(3, 0), stop_loss=0.05, take_profit=0.05)
        plain = wb.backtest(words, bars, costs=FREE, path=path)
        finer = wb.backtest(words, bars, costs=FREE, path=path, detail=fine)
        assert (plain.trades["exit_reason"].tolist(), plain.detail) == (["stop_loss"], {})
        assert finer.trades["exit_reason"].tolist() == ["take_profit"]
        assert dict(finer.detail) == {"BTC/USDT": "15m"}

    def test_several_instruments_share_the_cash(self, path: Any) -> None:
        first, second = others(2)
        bars = [made([CALM] * 5, instrument=first), made([CALM] * 5, instrument=second)]
        words = {"BTC/USDT": wb.Signals(entry=flags(5, 0), size=0.6), "ETH/USDT": wb.Signals(entry=flags(5, 1))}
        result = wb.backtest(words, bars, costs=FREE, path=path)
        assert result.fills["symbol"].tolist() == ["BTC/USDT", "ETH/USDT"]
        assert result.fills["quantity"].tolist() == pytest.approx([60.0, 40.0])

    def test_costs_by_symbol(self, path: Any) -> None:
        first, second = others(2)
        bars = [made([CALM] * 3, instrument=first), made([CALM] * 3, instrument=second)]
        words = wb.Signals(entry=flags(3, 0), size=1.0, size_unit="quantity")
        costs = {"BTC/USDT": FREE, "ETH/USDT": wb.Costs(fee=0.01, slippage_bps=0)}
        result = wb.backtest(dict.fromkeys(costs, words), bars, costs=costs, path=path)
        assert result.fills["fee"].tolist() == pytest.approx([0.0, 1.0])
        assert [one.fee for one in result.charged] == [0.0, 0.01]


def test_a_strategy_that_breaks_is_named_for_its_series() -> None:
    class Broken(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            raise StrategyError("no")

    with pytest.raises(StrategyError) as caught:
        wb.backtest(Broken(), wandering(20))
    assert "while Broken() said its signals on <Bars BTC/USDT 1h" in caught.value.__notes__[0]


class TestVectorbt:
    """The portfolio that is handed over."""

    vbt = pytest.importorskip("vectorbt")

    def test_several_instruments_share_the_cash_there_too(self) -> None:
        series = [wandering(120, instrument=one, seed=k) for k, one in enumerate(others(3))]
        series[1] = series[1][20:]
        result = wb.backtest(Flips(), series, path="event")
        portfolio = result.to_vectorbt()
        assert set(result.fills["symbol"]) == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
        np.testing.assert_allclose(portfolio.value(), result.equity, rtol=1e-9)
        theirs = portfolio.trades.records
        assert sorted(theirs["pnl"]) == pytest.approx(sorted(result.trades["pnl"]))

    def test_funding_is_booked_with_the_fees(self) -> None:
        bars = wandering(100, instrument=PERPETUAL)
        words = wb.Signals(entry=flags(100, 0, 50), exit=flags(100, 30))
        result = wb.backtest(words, bars, path="event")
        assert result.trades["funding"].abs().min() > 0
        portfolio = result.to_vectorbt()
        assert portfolio.final_value() == pytest.approx(result.equity.iloc[-1])
        assert portfolio.trades.records["pnl"][0] == pytest.approx(result.trades["pnl"][0])

    def test_inverse_contracts_are_refused(self) -> None:
        bars = wandering(20, instrument=wb.Instrument.default("BTC/USD:BTC"))
        with pytest.raises(ConfigError, match="BTC/USD:BTC is inverse: vectorbt reckons profits in the quote"):
            wb.backtest(Still(), bars).to_vectorbt()
