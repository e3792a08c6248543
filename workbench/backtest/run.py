"""`backtest`: a strategy, or ready-made signals, over the bars of one instrument."""

from __future__ import annotations

from numbers import Real
from typing import get_args

from workbench.backtest.costs import Costs, Fill
from workbench.backtest.kernel import SIZE_UNITS, Exits, Market, Terms, Words, simulate_nb
from workbench.backtest.result import Result
from workbench.errors import ConfigError, DataError, StrategyError
from workbench.market.bars import Bars
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of

__all__ = ["backtest"]


def backtest(
    strategy: SignalStrategy | Signals,
    bars: Bars,
    *,
    cash: float = 10_000.0,
    costs: Costs | None = None,
    fill: Fill = "next_open",
) -> Result:
    """Trade a strategy over history.

    Parameters
    ----------
    strategy : SignalStrategy or Signals
        Signals are as long as `bars`.
    bars : Bars
        At least one bar.
    cash : float, default 10,000
        Equity before the first bar, in the quote currency.
    costs : Costs, optional
        The instrument's fees and half its spread when left out.
    fill : {"next_open", "close"}
        Where a decision trades: at the open of the next bar, or at the close of the bar that it was made on (which no
        one can do; results say it).

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        Cash or fill is out of range.
    StrategyError
        The strategy broke, or its signals are not of the right length or kind.
    DataError
        There are no bars.

    Notes
    -----
    One position at a time, never more than the equity. Inside a bar the worse is assumed: a stop is hit before a
    target; a gap through a stop fills at the open. A trailing stop moves on bars that are over. Stops pay the taker fee
    and slip, targets rest at their price and pay the maker fee.

    Examples
    --------
    >>> import numpy as np
    >>> import workbench as wb
    >>> price = np.array([100.0, 101.0, 102.0, 103.0])
    >>> columns = dict.fromkeys(("open", "high", "low", "close", "volume"), price)
    >>> bitcoin = wb.Instrument(symbol="BTC/USDT")
    >>> bars = wb.Bars(instrument=bitcoin, timeframe="1h", ts=np.arange(4) * 3_600_000, **columns)
    >>> signals = wb.Signals(entry=price == 100, exit=price == 102)
    >>> result = wb.backtest(signals, bars, costs=wb.Costs(fee=0, slippage_bps=0))
    >>> result.trades[["entry_price", "exit_price"]].to_numpy().tolist()
    [[101.0, 103.0]]
    """
    _check_call(strategy, bars, cash, costs, fill)
    signals = signals_of(strategy, bars) if isinstance(strategy, SignalStrategy) else strategy
    if len(signals) != len(bars):
        raise StrategyError(f"signals say {len(signals)} bars, but there are {len(bars)}: give one value a bar")
    signals.require_times(bars.ts)
    known = (costs or Costs()).of(bars.instrument)
    trades, skipped, equity = simulate_nb(
        Market(bars.open, bars.high, bars.low, bars.close),
        Words(signals.entry, signals.exit, signals.short_entry, signals.short_exit),
        Exits(signals.size, signals.stop_loss, signals.take_profit, signals.trailing_stop),
        _terms(bars, float(cash), known, signals, fill),
    )
    equity.flags.writeable = False
    return Result(
        bars=bars,
        strategy=strategy,
        cash=float(cash),
        costs=known,
        fill=fill,
        equity_values=equity,
        trade_records=trades,
        skipped_records=skipped,
    )


def _check_call(strategy: SignalStrategy | Signals, bars: Bars, cash: float, costs: Costs | None, fill: str) -> None:
    if isinstance(strategy, type):
        raise StrategyError(f"{strategy.__name__} is a class; make a strategy of it first: {strategy.__name__}()")
    if not isinstance(strategy, (SignalStrategy, Signals)):
        raise StrategyError(f"a {type(strategy).__name__} is no strategy: give a wb.SignalStrategy or wb.Signals")
    if not isinstance(bars, Bars):
        raise DataError(
            f"bars is a {type(bars).__name__}: give wb.Bars, for example "
            "wb.Bars.from_pandas(df, symbol='BTC/USDT', timeframe='1h')"
        )
    if not len(bars):
        raise DataError(f"{bars.symbol} {bars.timeframe}: there are no bars to trade; ask for a longer range")
    if isinstance(cash, bool) or not isinstance(cash, Real) or not 0 < cash <= 1e100:
        raise ConfigError(f"cash = {cash!r}: start with a finite amount above zero, such as 10_000", cash=cash)
    if costs is not None and not isinstance(costs, Costs):
        raise ConfigError(f"costs is a {type(costs).__name__}: give wb.Costs(fee=0.001, slippage_bps=2)", costs=costs)
    if not isinstance(fill, str) or fill not in get_args(Fill):
        raise ConfigError(f"fill = {fill!r} is not one of {', '.join(map(repr, get_args(Fill)))}", fill=fill)


def _terms(bars: Bars, cash: float, costs: Costs, signals: Signals, fill: Fill) -> Terms:
    facts = bars.instrument
    taker, maker, slippage = float(costs.fee or 0.0), float(costs.maker_fee or 0.0), float(costs.slippage_bps or 0.0)
    return Terms(
        cash=cash,
        taker=taker,
        maker=maker,
        slippage=slippage / 10_000,
        tick_size=float(facts.tick_size),
        lot_size=float(facts.lot_size),
        min_notional=float(facts.min_notional),
        size_unit=SIZE_UNITS.index(signals.size_unit),
        at_close=fill == "close",
    )
