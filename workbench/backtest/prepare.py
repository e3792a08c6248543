"""From what a user says to a `Plan`: everything is looked up, checked and laid out in arrays here, once.

What is wrong is refused here, by name, so that neither path has to ask again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.costs import Costs, Fill
from workbench.backtest.detail import BaseBars, base_bars, find_details
from workbench.backtest.funding import rate_by_symbol, settlements
from workbench.backtest.measuring import measured, sizing_of_run
from workbench.backtest.plan import ExitTerms, Guards, Line, Plan
from workbench.backtest.rules import Rules
from workbench.errors import ConfigError, DataError, StrategyError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.ticks import Ticks
from workbench.strategy.parameterised import Parameterised
from workbench.strategy.protections import (
    Cooldown,
    DrawdownPause,
    LosingPairs,
    LowProfit,
    Protection,
    StopGuard,
    checked_protections,
)
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of
from workbench.trading.terms import AccountTerms, CostTerms, Lots

__all__ = ["costs_by_symbol", "prepare"]

Floats = NDArray[np.float64]

SIGMA_WINDOW: Final = 100
TICK_BARS: Final = "1m"  # bars that are made where only ticks are given: what the equity is reckoned at


def prepare(
    strategy: Any,
    bars: Bars | Ticks | Iterable[Bars | Ticks],
    *,
    cash: float = 10_000.0,
    costs: Costs | Mapping[str, Costs] | None = None,
    fill: Fill = "next_open",
    leverage: float | Mapping[str, float] | None = None,
    detail: Any = None,
    rules: Rules | None = None,
) -> Plan:
    """Make a plan of what `backtest` takes; see there for the parameters.

    Returns
    -------
    Plan

    Raises
    ------
    ConfigError, DataError, StrategyError
        As `backtest`.
    """
    _check_call(strategy, cash, fill, rules)
    given, ticks = _apart(bars)
    series, extra = _series_of(given, several=not isinstance(strategy, (SignalStrategy, Signals, Mapping)))
    rules = Rules() if rules is None else rules
    said = _said(strategy, series)
    instruments = [one.instrument for one in series]
    _check_account(rules, instruments, said)
    charged, details = costs_by_symbol(costs, instruments), find_details(detail, series)
    rates = rate_by_symbol(rules.funding, instruments)
    levers = _levers(getattr(strategy, "leverage", 1.0) if leverage is None else leverage, instruments, rules)
    lines = tuple(
        _line(one, said.get(one.symbol), base_bars(one, details.get(one.symbol)), charged[one.symbol].terms(),
              levers[one.symbol], rates.get(one.symbol, 0.0))
        for one in series
    )  # fmt: skip
    sizing = sizing_of_run(strategy, rules.sizing, said)
    own = rules.protections
    protections = checked_protections(getattr(strategy, "protections", ()) if own is None else own)
    return Plan(
        strategy=strategy,
        lines=measured(lines, sizing, getattr(strategy, "with_past", None)),
        extra=tuple(extra),
        ticks=ticks,
        cash=float(cash),
        account=AccountTerms(
            kind=rules.account,
            isolated=rules.margin == "isolated",
            hedge=rules.positions == "hedge",
            leverage=max(levers.values()),
        ),
        at_close=fill == "close",
        path_inside=rules.intrabar == "path",
        limit_fill=rules.limit_fill,
        latency_ms=rules.latency_ms,
        max_positions=rules.max_positions or 0,
        exits=_exits_of(said),
        guards=_guards_of(protections),
        sizing=sizing,
        limits=rules.limits,
    )


def costs_by_symbol(costs: Costs | Mapping[str, Costs] | None, instruments: Sequence[Instrument]) -> dict[str, Costs]:
    """Give the costs of each instrument by symbol, with nothing left out.

    Raises
    ------
    ConfigError
        They are no `Costs`, or of an instrument that is not traded.
    """
    symbols = [one.symbol for one in instruments]
    given: Mapping[str, Any] = costs if isinstance(costs, Mapping) else dict.fromkeys(symbols, costs)
    for symbol, one in given.items():
        if symbol not in symbols:
            raise ConfigError(f"costs of {symbol!r}, which is not among what is traded: {', '.join(symbols)}")
        if one is not None and not isinstance(one, Costs):
            raise ConfigError(f"costs is a {type(one).__name__}: give wb.Costs(fee=0.001, slippage_bps=2)", costs=one)
    return {one.symbol: (given.get(one.symbol) or Costs()).of(one) for one in instruments}


def _check_call(strategy: Any, cash: float, fill: str, rules: Rules | None) -> None:
    if isinstance(strategy, type):
        raise StrategyError(f"{strategy.__name__} is a class; make a strategy of it first: {strategy.__name__}()")
    if not isinstance(strategy, (Parameterised, Signals, Mapping)):
        raise StrategyError(
            f"a {type(strategy).__name__} is no strategy: give a wb.SignalStrategy or wb.Signals, or a wb.OrderStrategy"
        )
    if not _is_number(cash) or not 0 < cash <= 1e100:
        raise ConfigError(f"cash = {cash!r}: start with a finite amount above zero, such as 10_000", cash=cash)
    if not isinstance(fill, str) or fill not in get_args(Fill):
        raise ConfigError(f"fill = {fill!r} is not one of {', '.join(map(repr, get_args(Fill)))}", fill=fill)
    if fill == "close" and getattr(strategy, "needs_next_open", False):
        raise ConfigError(
            f"fill='close': {strategy!r} follows its positions from the next open on, so its exits would look at "
            "another price than was paid; leave fill='next_open'", fill=fill,
        )  # fmt: skip
    if rules is not None and not isinstance(rules, Rules):
        raise ConfigError(f"rules is a {type(rules).__name__}: give wb.Rules(margin='isolated')", rules=rules)
    if rules is not None and rules.positions == "hedge" and isinstance(strategy, (SignalStrategy, Signals, Mapping)):
        raise ConfigError(
            "rules: positions='hedge' is for order strategies; signals hold one net position an instrument "
            "(positions='one_way')"
        )


def _apart(given: Any) -> tuple[Any, tuple[Ticks, ...]]:
    """Give the bars and the ticks; an instrument of which there are only ticks gets bars made of them."""
    if isinstance(given, Ticks):
        given = [given]
    if isinstance(given, Iterator):
        given = list(given)
    ticks = tuple(one for one in given if isinstance(one, Ticks)) if isinstance(given, (list, tuple)) else ()
    if not ticks:
        return given, ()
    bars = [one for one in given if not isinstance(one, Ticks)]
    symbols = [one.symbol for one in ticks]
    if len(set(symbols)) < len(symbols):
        raise DataError(f"ticks of {max(symbols, key=symbols.count)} are given twice: give each instrument's once")
    known = {one.symbol for one in bars if isinstance(one, Bars)}
    if known - set(symbols):
        lone = ", ".join(sorted(known - set(symbols)))
        raise DataError(f"{lone} has bars but no ticks: give ticks of every instrument, or of none")
    return [*bars, *(one.to_bars(TICK_BARS) for one in ticks if one.symbol not in known)], ticks


def _series_of(given: Any, *, several: bool) -> tuple[list[Bars], list[Bars]]:
    """Give one series an instrument, the finest, and with `several` the coarser ones of the same instruments."""
    found = list(given) if isinstance(given, (list, tuple, Iterator)) else [given]
    if not found:
        raise DataError("bars is empty: give wb.Bars, or a list with one for each instrument")
    for bars in found:
        if not isinstance(bars, Bars):
            raise DataError(
                f"bars is a {type(bars).__name__}: give wb.Bars, for example "
                "wb.Bars.from_pandas(df, symbol='BTC/USDT', timeframe='1h')"
            )
        if not len(bars):
            raise DataError(f"{bars.symbol} {bars.timeframe}: there are no bars to trade; ask for a longer range")
    by_symbol: dict[str, list[Bars]] = {}
    for bars in found:
        by_symbol.setdefault(bars.symbol, []).append(bars)
    for symbol, group in by_symbol.items():
        _check_group(symbol, group, several=several)
    main = [min(group, key=lambda one: one.timeframe) for group in by_symbol.values()]
    settled = {bars.instrument.settle: bars.symbol for bars in main}
    if len(settled) > 1:
        said = ", ".join(f"{symbol} in {currency}" for currency, symbol in settled.items())
        raise DataError(
            f"the instruments are paid for in different currencies ({said}), but share one account: backtest them "
            "apart, or correct the instruments' quote"
        )
    return main, [bars for group in by_symbol.values() for bars in group if not any(bars is one for one in main)]


def _check_group(symbol: str, group: list[Bars], *, several: bool) -> None:
    """Hold several series of one symbol to be one instrument at different timeframes, and wanted."""
    if len(group) == 1:
        return
    lengths = [bars.timeframe for bars in group]
    venues = {bars.venue for bars in group}
    if len(venues) > 1:
        raise DataError(
            f"{symbol} is given of several venues ({', '.join(sorted(venues))}): a symbol is one instrument; rename "
            "the others with bars.instrument.replace(symbol=...)",
            symbol=symbol,
        )
    if len(set(lengths)) < len(lengths):
        raise DataError(f"{symbol} {min(lengths)} is given twice: give each series once", symbol=symbol)
    if not several:
        raise DataError(
            f"{symbol} is given as {', '.join(map(str, lengths))}: a signal strategy hears one timeframe; give the "
            "others as detail=, or make them in the strategy with wb.data.resample",
            symbol=symbol,
        )


def _said(strategy: Any, series: Sequence[Bars]) -> dict[str, Signals]:
    """Give the signals of each series by symbol; empty for an order strategy."""
    if isinstance(strategy, SignalStrategy):
        return {bars.symbol: signals_of(strategy, bars) for bars in series}
    if isinstance(strategy, Parameterised):
        return {}
    symbols = [bars.symbol for bars in series]
    if isinstance(strategy, Signals):
        if len(series) > 1:
            raise StrategyError(
                f"these wb.Signals are of one instrument, but there are {len(series)}: give a dict of them by symbol, "
                f"{{{symbols[0]!r}: wb.Signals(...), ...}}, or a strategy"
            )
        strategy = {symbols[0]: strategy}
    missing = [symbol for symbol in symbols if symbol not in strategy]
    unknown = [repr(symbol) for symbol in strategy if symbol not in symbols]
    if missing or unknown:
        raise StrategyError(
            f"the signals by symbol do not fit the bars: {f'none of {missing[0]}' if missing else ''}"
            f"{' and ' if missing and unknown else ''}{f'no bars of {unknown[0]}' if unknown else ''}; "
            f"the bars are of {', '.join(symbols)}"
        )
    return {bars.symbol: _fitting(strategy[bars.symbol], bars) for bars in series}


def _fitting(signals: Any, bars: Bars) -> Signals:
    if not isinstance(signals, Signals):
        raise StrategyError(f"what is said of {bars.symbol} is a {type(signals).__name__}: give wb.Signals")
    if len(signals) != len(bars):
        raise StrategyError(f"signals say {len(signals)} bars, but there are {len(bars)}: give one value a bar")
    signals.require_times(bars.ts)
    return signals


def _check_account(rules: Rules, instruments: Sequence[Instrument], said: Mapping[str, Signals]) -> None:
    if rules.account != "cash":
        return
    for one in instruments:
        if one.perpetual:
            raise ConfigError(f"rules: {one.symbol} is a perpetual, which a cash account cannot hold; account='margin'")
        if one.symbol in said and said[one.symbol].short_entry.any():
            raise ConfigError(
                f"rules: a cash account sells nothing short, but the signals of {one.symbol} have short entries; drop "
                "them or say account='margin'"
            )


def _levers(leverage: Any, instruments: Sequence[Instrument], rules: Rules) -> dict[str, float]:
    """Give the leverage of each instrument, which it and the account must allow."""
    symbols = [one.symbol for one in instruments]
    given: Mapping[str, Any] = leverage if isinstance(leverage, Mapping) else dict.fromkeys(symbols, leverage)
    for symbol, value in given.items():
        if symbol not in symbols:
            raise ConfigError(f"leverage of {symbol!r}, which is not among what is traded: {', '.join(symbols)}")
        if not _is_number(value) or not 1 <= value < 1e6:
            raise ConfigError(f"leverage of {symbol} = {value!r}; give a number of at least 1", leverage=value)
        if value > 1 and rules.account == "cash":
            raise ConfigError(f"leverage of {symbol} = {value!r}: a cash account borrows nothing; account='margin'")
    found = {one.symbol: float(given.get(one.symbol, 1.0)) for one in instruments}
    for one in instruments:
        most = min(one.max_leverage, one.leverage_tiers[0][3] if one.leverage_tiers else one.max_leverage)
        if found[one.symbol] > most:
            raise ConfigError(
                f"leverage of {one.symbol} = {found[one.symbol]:g} is more than its {most:g}; lower it, or say what "
                "the venue allows: instrument.replace(max_leverage=...)",
                symbol=one.symbol,
                most=most,
            )
    return found


def _line(bars: Bars, signals: Signals | None, base: BaseBars, costs: CostTerms, leverage: float, funding: Any) -> Line:
    facts = bars.instrument
    paid = settlements(facts, funding, int(base.ts[0]), bars.end)
    if costs.volume_share != np.inf and not base.volume.any():
        costs = costs._replace(volume_share=np.inf)
    margined = facts.perpetual or leverage != 1.0
    return Line(
        bars=bars,
        **base._asdict(),
        signals=signals,
        stop_price=_NONE if signals is None else signals.stop_price,
        funding_ts=paid.ts,
        funding_rate=paid.rate,
        funding_mark=paid.mark,
        tiers=_tiers(facts) if margined else _NO_TIERS,
        margined=margined,
        inverse=facts.kind == "inverse",
        contract_size=facts.contract_size,
        lots=Lots(float(facts.tick_size), float(facts.lot_size), float(facts.min_notional)),
        costs=costs,
        leverage=leverage,
        sigma=_sigma(base) if costs.impact_kind == 2 else _NONE,
    )


def _tiers(instrument: Instrument) -> Floats:
    flat = ((0.0, instrument.maintenance_margin, 0.0, instrument.max_leverage),)
    return _locked(np.array(instrument.leverage_tiers or flat, dtype=np.float64))


def _sigma(base: BaseBars) -> Floats:
    """Give the volatility of a bar's return, as known before it opens: of up to 100 bars before; NaN for the first two.

    Where bars differ in length, returns are first brought to one length by the square root of time.
    """
    scale = np.sqrt(base.span / base.span.min())
    moved = np.zeros(len(base.ts))
    np.divide(np.diff(np.log(base.close)), scale[1:] if len(scale) > 1 else 1.0, out=moved[1:])
    total = np.concatenate(([0.0], np.cumsum(moved)))
    squares = np.concatenate(([0.0], np.cumsum(moved * moved)))
    now = np.arange(len(moved))
    first = np.maximum(now - SIGMA_WINDOW, 1)
    count = (now - first).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        sum_, sum_squares = total[now] - total[first], squares[now] - squares[first]
        variance = np.maximum(sum_squares - sum_ * sum_ / count, 0.0) / (count - 1)
    return _locked(np.where(count >= 2, np.sqrt(variance), np.nan) * scale)


def _exits_of(said: Mapping[str, Signals]) -> ExitTerms:
    ladders = {symbol: (one.roi, one.max_bars) for symbol, one in said.items()}
    first = next(iter(ladders), "")
    for symbol, one in ladders.items():
        if one != ladders[first]:
            raise StrategyError(
                f"roi and max_bars are the same for all instruments, but {first} has {ladders[first]} and {symbol} has "
                f"{one}: give all signals the same"
            )
    roi, max_bars = ladders.get(first, (None, None))
    ladder = roi or {}
    return ExitTerms(
        roi_ms=_locked(np.array([round(minutes * 60_000) for minutes in ladder], dtype=np.int64)),
        roi_level=_locked(np.array(list(ladder.values()), dtype=np.float64)),
        max_bars=max_bars or 0,
    )


def _guards_of(protections: Sequence[Protection]) -> Guards:
    def rows(kind: type, *names: str) -> Floats:
        found = [[getattr(one, name) for name in names] for one in protections if isinstance(one, kind)]
        known = [[np.inf if value is None else float(value) for value in row] for row in found]
        return _locked(np.array(known, dtype=np.float64).reshape(-1, len(names)))

    return Guards(
        cooldown=max((one.bars for one in protections if isinstance(one, Cooldown)), default=0),
        stops=rows(StopGuard, "limit", "lookback", "pause", "only_this"),
        drawdowns=rows(DrawdownPause, "limit", "lookback", "pause", "min_trips"),
        profits=rows(LowProfit, "required", "lookback", "pause", "min_trips"),
        losing=rows(LosingPairs, "losses", "roi", "min_trips", "review"),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


_NONE: Final = _locked(np.array([np.nan]))
_NO_TIERS: Final = _locked(np.empty((0, 4)))
