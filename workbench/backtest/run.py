"""`backtest`: a strategy, or ready-made signals, over the bars of one instrument or of many that share an account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from workbench.backtest.costs import Costs, Fill
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import costs_by_symbol, prepare
from workbench.backtest.records import Records
from workbench.backtest.result import Result
from workbench.backtest.rules import Rules
from workbench.backtest.sound import check_limit, refuse_poor
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    from workbench.market.ticks import Ticks
    from workbench.market.timeframe import Timeframe
    from workbench.risk.limits import Limits
    from workbench.risk.sizing import Sizing
    from workbench.strategy.orders import OrderStrategy

__all__ = ["OBSERVER", "Path", "backtest", "unobserved"]

Path = Literal["auto", "compiled", "event"]
OBSERVER: Final[ContextVar[Callable[[Result], None] | None]] = ContextVar("OBSERVER", default=None)
"""Who hears of every backtest of this context, once it is done (a study counts its trials)."""


@contextmanager
def unobserved() -> Iterator[None]:
    """Let nobody hear of the backtests inside: those of a sweep, which are counted all at once, or those of chance."""
    token = OBSERVER.set(None)
    try:
        yield
    finally:
        OBSERVER.reset(token)


def backtest(
    strategy: SignalStrategy | OrderStrategy | Signals | Mapping[str, Signals],
    bars: Bars | Ticks | Iterable[Bars | Ticks],
    *,
    cash: float = 10_000.0,
    costs: Costs | Mapping[str, Costs] | None = None,
    fill: Fill = "next_open",
    leverage: float | Mapping[str, float] | None = None,
    path: Path = "auto",
    detail: str | Timeframe | Bars | Iterable[Bars] | None = None,
    rules: Rules | None = None,
    sizing: Sizing | None = None,
    max_missing: float | None = None,
    limits: Limits | str | None = None,
) -> Result:
    """Trade a strategy over history.

    Parameters
    ----------
    strategy : SignalStrategy, OrderStrategy, Signals, or dict of Signals by symbol
        Signals are as long as the bars of their instrument; a signal strategy is asked for each instrument by itself.
    bars : Bars, Ticks, or list of these
        One series an instrument; all share the cash. An order strategy may hear several timeframes of an instrument:
        the finest is the market. Where ticks are given they are the market, and bars are only heard.
    cash : float, default 10,000
        Equity before the first bar, in the currency that the instruments are paid for in.
    costs : Costs, or dict of Costs by symbol, optional
        The instrument's fees and half its spread when left out, and at most a tenth of a bar's volume.
    fill : {"next_open", "close"}
        Where a decision trades: at the open of the next bar, or at the close of the bar that it was made on (which no
        one can do; results say it).
    leverage : float, or dict of float by symbol, optional
        Notional for each unit of margin; the strategy's when left out, 1 if it has none.
    path : {"auto", "compiled", "event"}
        How it is worked out, not what comes of it: compiled where that can be, else event by event.
    detail : str, Timeframe, Bars or list of Bars, optional
        Finer bars that say what happened inside a bar: a timeframe such as "1m" that the lake has, "auto" for the
        finest that it has of the whole range, or the bars themselves.
    rules : Rules, optional
        How account and venue behave: margin, path inside a bar, funding, protections, latency.
    sizing : Sizing, optional
        How large entries are, of `wb.sizing`, instead of the strategy's own; the same as `rules=Rules(sizing=...)`.
        `Result.sizes` says why each was what it was.
    max_missing : float, optional
        Largest share of bars of a series that may be missing or filled, a fraction; that of `workbench.toml` (0.02)
        when left out, 1 for any.
    limits : Limits or str, optional
        Limits on risk, or a profile of them by name, judged before every order; the same as `Rules(limits=)`. What they
        did is in `Result.limits`.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        An option is out of range, or the compiled path is asked for what only the event path can do.
    StrategyError
        The strategy broke, or its signals are not of the right length or kind.
    DataError
        There are no bars, a series is there twice, currencies differ, the detail contradicts the bars, or too many
        bars are missing or filled.

    Notes
    -----
    Inside a bar the worse is assumed: a stop is hit before a target; a gap through a stop fills at the open. A trailing
    stop moves on bars that are over. Stops pay the taker fee and slip, targets rest at their price and pay the maker
    fee. Perpetuals settle funding, and positions on margin are liquidated by their maintenance margin.

    Examples
    --------
    >>> import numpy as np
    >>> import workbench as wb
    >>> price = np.array([100.0, 101.0, 102.0, 103.0])
    >>> columns = dict.fromkeys(("open", "high", "low", "close"), price)
    >>> bitcoin = wb.Instrument(symbol="BTC/USDT")
    >>> ts, volume = np.arange(4) * 3_600_000, np.full(4, 1e6)
    >>> bars = wb.Bars(instrument=bitcoin, timeframe="1h", ts=ts, volume=volume, **columns)
    >>> signals = wb.Signals(entry=price == 100, exit=price == 102)
    >>> result = wb.backtest(signals, bars, costs=wb.Costs(fee=0, slippage_bps=0))
    >>> result.trades[["entry_price", "exit_price"]].to_numpy().tolist()
    [[101.0, 103.0]]
    """
    if not isinstance(path, str) or path not in get_args(Path):
        raise ConfigError(f"path = {path!r} is not one of {', '.join(map(repr, get_args(Path)))}", path=path)
    check_limit(max_missing)
    rules = rules if sizing is None else _with_sizing(rules, sizing)
    rules = rules if limits is None else _with_limits(rules, limits)
    plan = prepare(
        strategy, bars, cash=cash, costs=costs, fill=fill, leverage=leverage, detail=detail, rules=rules
    )  # fmt: skip
    traded = {one.symbol for one in plan.ticks}  # bars that were made of trades lack those in which nothing traded
    refuse_poor(
        (one for one in (*(line.bars for line in plan.lines), *plan.extra) if one.symbol not in traded), max_missing
    )
    charged = costs_by_symbol(costs, [line.bars.instrument for line in plan.lines])
    records, finer = _run(plan, path), _resolved(plan)
    result = Result(plan=plan, records=records, costs=charged, fill=fill, detail=finer, rules=rules)
    observer = OBSERVER.get()
    if observer is not None:
        observer(result)
    return result


def _with_sizing(rules: Any, sizing: Sizing) -> Rules:
    """Put a sizing into the rules of a run."""
    if rules is None:
        return Rules(sizing=sizing)
    if not isinstance(rules, Rules):
        raise ConfigError(f"rules is a {type(rules).__name__}: give wb.Rules(margin='isolated')", rules=rules)
    if rules.sizing is not None and rules.sizing != sizing:
        raise ConfigError(f"sizing is said twice: sizing={sizing!r} and rules with {rules.sizing!r}; leave one of them")
    return replace(rules, sizing=sizing)


def _with_limits(rules: Any, limits: Limits | str) -> Rules:
    """Put limits on risk into the rules of a run."""
    if rules is None:
        return Rules(limits=limits)
    if not isinstance(rules, Rules):
        raise ConfigError(f"rules is a {type(rules).__name__}: give wb.Rules(margin='isolated')", rules=rules)
    made = replace(rules, limits=limits)
    if rules.limits is not None and rules.limits != made.limits:
        raise ConfigError(f"limits are said twice: limits={limits!r} and rules with {rules.limits!r}; leave one out")
    return made


def _run(plan: Plan, path: Path) -> Records:
    """Run a plan on the path that was asked for, or on the fastest that can."""
    if path != "event":
        from workbench.backtest import compiled

        reason = compiled.unfit(plan)
        if not reason:
            return compiled.run(plan)
        if path == "compiled":
            raise ConfigError(f"path='compiled': {reason}; say path='auto' or 'event'", reason=reason)
    from workbench.backtest import event_path

    return event_path.run(plan)


def _resolved(plan: Plan) -> dict[str, Any]:
    """Give the timeframe of the finer bars that resolved bars of an instrument, by symbol."""
    from workbench.market.timeframe import Timeframe

    return {line.bars.symbol: str(Timeframe(int(line.span.min()))) for line in plan.lines if line.word is not None}
