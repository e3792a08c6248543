"""`Evaluator`: what a signal strategy makes of some bars under many parameters.

The one door through which sweeps, optimisers, walk-forwards and validation compute. What can be varied is a parameter
of the strategy, one of its exits, or what trading costs; `Evaluator.result` is the definition (a backtest), `rows` the
fast way to the same numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import compiled
from workbench.backtest.costs import Costs
from workbench.backtest.prepare import costs_by_symbol, prepare
from workbench.backtest.result import Result
from workbench.backtest.rules import Rules
from workbench.backtest.run import backtest
from workbench.errors import ConfigError, StrategyError
from workbench.market.bars import Bars
from workbench.research.sweeping.making import SignalMaker, without_lazy
from workbench.research.sweeping.names import COSTS, EXITS
from workbench.risk.metrics import HEADLINE
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["COSTS", "EXITS", "USUAL", "Evaluator"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

USUAL: Final = ("total_return", "annualised_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "max_drawdown",
                "win_rate", "profit_factor", "expectancy", "exposure", "trades")  # fmt: skip
_TIMES: Final = ("max_drawdown_start", "max_drawdown_trough", "max_drawdown_recovery")
_NUMBERS: Final = tuple(name for name in HEADLINE if name not in _TIMES)


class Evaluator:
    """The numbers of a signal strategy under many parameters, on one set of bars.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
        An object's parameters hold where a combination says nothing else.
    bars : Bars or list of Bars
        Several share one account, as in a backtest.
    metrics : sequence of str
        Names of `Result.metrics` that are numbers.
    **options
        As `wb.backtest` takes them.

    Raises
    ------
    StrategyError
        It is no signal strategy.
    ConfigError
        A metric is unknown.

    Notes
    -----
    An exit that a combination gives holds where the signals carry none of their own, as an attribute of the class does;
    `size` is a fraction of the equity where the signals ask for all of it. May be pickled and used by many threads.
    """

    def __init__(
        self,
        strategy: SignalStrategy | type[SignalStrategy],
        bars: Bars | Iterable[Bars],
        *,
        metrics: Sequence[str] = USUAL,
        **options: Any,
    ) -> None:
        self.strategy = strategy() if isinstance(strategy, type) else strategy
        if not isinstance(self.strategy, SignalStrategy):
            raise StrategyError(
                f"a {type(self.strategy).__name__} cannot be swept: give a wb.SignalStrategy, or a class of them"
            )
        self.bars: Bars | list[Bars] = bars if isinstance(bars, Bars) else list(bars)
        self.metrics = tuple(metrics)
        for name in self.metrics:
            if name not in _NUMBERS:
                raise ConfigError(f"metric {name!r} is not one of {', '.join(_NUMBERS)}", metric=name)
        self.options = options
        self._makers = {one.symbol: SignalMaker(one) for one in self.series}
        self._sound = False

    def __reduce__(self) -> Any:
        return _again, (self.strategy, self.bars, self.metrics, self.options)

    @property
    def series(self) -> list[Bars]:
        """The bars, one an instrument."""
        return [self.bars] if isinstance(self.bars, Bars) else self.bars

    def share_memory(self, most_bytes: int) -> None:
        """Use so much memory for what combinations share."""
        for maker in self._makers.values():
            maker.keep(most_bytes // len(self._makers))

    def on(self, bars: Bars | Iterable[Bars]) -> Evaluator:
        """Give the same on other bars."""
        return Evaluator(self.strategy, bars, metrics=self.metrics, **self.options)

    def result(self, parameters: Mapping[str, Any]) -> Result:
        """Run one combination in full.

        Raises
        ------
        ConfigError
            A name is neither a parameter nor an exit nor a cost.
        StrategyError
            The strategy does not take the combination.
        """
        strategy, options = self._with(parameters)
        return backtest(strategy, self.bars, **options)

    def rows(self, parameters: Mapping[str, Sequence[Any]]) -> dict[str, Floats]:
        """Give the metrics of many combinations.

        Parameters
        ----------
        parameters : mapping of str to sequence, length k each

        Returns
        -------
        dict of str to float64 array, shape (k,)

        Raises
        ------
        StrategyError
            The strategy does not take one of the combinations.
        """
        table, _ = self.table(parameters, strict=True)
        return {name: table[:, place].copy() for place, name in enumerate(self.metrics)}

    def table(self, parameters: Mapping[str, Any], *, strict: bool = False) -> tuple[Floats, Flags]:
        """Give the metrics of many combinations, and which of them the strategy does not take.

        Parameters
        ----------
        parameters : mapping of str to sequence, length k each
        strict : bool
            Raise at the first combination that is not taken, instead of leaving its row NaN.

        Returns
        -------
        float64 array, shape (k, number of metrics)
        bool array, shape (k,)
            True where the strategy refused the combination.
        """
        combinations = combinations_of(parameters)
        table = np.full((len(combinations), len(self.metrics)), np.nan)
        refused = np.zeros(len(combinations), dtype=np.bool_)
        for row, one in enumerate(combinations):
            try:
                strategy, options = self._with(one)
            except StrategyError:
                if strict:
                    raise
                refused[row] = True
                continue
            table[row] = self._numbers(strategy, options)
        return table, refused

    def returns(self, parameters: Mapping[str, Sequence[Any]]) -> Floats:
        """Give the returns per bar of many combinations, fractions, shape (k, n)."""
        return np.array([self.result(one).returns.to_numpy() for one in combinations_of(parameters)])

    def _numbers(self, strategy: SignalStrategy, options: Mapping[str, Any]) -> list[float]:
        if options.get("fill") == "close" and strategy.needs_next_open:
            return _numbers_of(backtest(strategy, self.bars, **options), self.metrics)
        said: dict[str, Signals] = {
            symbol: without_lazy(maker.signals(strategy)) for symbol, maker in self._makers.items()
        }
        told = _as_told(strategy, options)
        path, limit = told.pop("path", "auto"), told.pop("max_missing", None)
        plan = prepare(said, self.bars, **told)
        if not self._sound or path == "event" or compiled.unfit(plan):
            self._sound = True  # from here on the quality of the bars is known to be good enough
            return _numbers_of(backtest(said, self.bars, path=path, max_missing=limit, **told), self.metrics)
        charged = costs_by_symbol(told.get("costs"), [one.instrument for one in self.series])
        fill, rules = told.get("fill", "next_open"), told.get("rules")
        result = Result(plan=plan, records=compiled.run(plan), costs=charged, fill=fill, detail={}, rules=rules)
        return _numbers_of(result, self.metrics)

    def _with(self, parameters: Mapping[str, Any]) -> tuple[SignalStrategy, dict[str, Any]]:
        """Give the strategy and the options of one combination."""
        declared = self.strategy.declared
        own = {name: value for name, value in parameters.items() if name in declared}
        strategy, options = self.strategy.replace(**own), dict(self.options)
        costs: dict[str, Any] = {}
        for name, value in parameters.items():
            if name in own:
                continue
            if name in EXITS:
                object.__setattr__(strategy, name, value)
            elif name in COSTS:
                costs[name] = value
            elif name == "leverage":
                options[name] = value
            else:
                raise ConfigError(
                    f"{strategy!r} has no parameter {name!r}, and it is neither exit nor cost", parameter=name
                )
        if costs:
            options["costs"] = _charged(options.get("costs"), self.series, costs)
        return strategy, options


def _again(strategy: Any, bars: Any, metrics: tuple[str, ...], options: dict[str, Any]) -> Evaluator:
    return Evaluator(strategy, bars, metrics=metrics, **options)


def _charged(given: Any, series: Sequence[Bars], changes: Mapping[str, Any]) -> Any:
    if isinstance(given, Mapping):
        symbols = [one.symbol for one in series]
        return {one: dataclasses.replace(given.get(one) or Costs(), **changes) for one in symbols}
    return dataclasses.replace(given or Costs(), **changes)


def _as_told(strategy: SignalStrategy, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options with what a backtest would have taken from the strategy."""
    told = dict(options)
    if told.get("leverage") is None:
        told["leverage"] = strategy.leverage
    rules = told.get("rules") or Rules()
    if isinstance(rules, Rules) and rules.protections is None and strategy.protections:
        told["rules"] = dataclasses.replace(rules, protections=strategy.protections)
    return told


def _numbers_of(result: Result, names: Sequence[str]) -> list[float]:
    return [float(result.metrics[name]) for name in names]  # type: ignore[arg-type]


def combinations_of(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn columns of parameters into one mapping a combination."""
    columns = [one.tolist() if isinstance(one, np.ndarray) else one for one in parameters.values()]
    return [dict(zip(parameters, values, strict=True)) for values in zip(*columns, strict=True)]
