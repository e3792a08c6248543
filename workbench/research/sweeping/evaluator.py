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

from workbench.backtest.costs import Costs
from workbench.backtest.result import Result
from workbench.backtest.run import backtest
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.strategy.strategy import SignalStrategy

__all__ = ["COSTS", "EXITS", "USUAL", "Evaluator"]

Floats = NDArray[np.float64]

USUAL: Final = ("total_return", "annualised_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "max_drawdown",
                "win_rate", "profit_factor", "expectancy", "exposure", "trades")  # fmt: skip
EXITS: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "max_bars", "size")
COSTS: Final = ("fee", "maker_fee", "slippage_bps")


class Evaluator:
    """The numbers of a signal strategy under many parameters, on one set of bars.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
        An object's parameters hold where a combination says nothing else.
    bars : Bars or list of Bars
        Several share one account, as in a backtest.
    metrics : sequence of str
        Names of `Result.metrics`.
    **options
        As `wb.backtest` takes them.
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
        self.bars: Bars | list[Bars] = bars if isinstance(bars, Bars) else list(bars)
        self.metrics = tuple(metrics)
        self.options = options

    def on(self, bars: Bars | Iterable[Bars]) -> Evaluator:
        """Give the same on other bars."""
        return Evaluator(self.strategy, bars, metrics=self.metrics, **self.options)

    def result(self, parameters: Mapping[str, Any]) -> Result:
        """Run one combination in full."""
        own = {name: value for name, value in parameters.items() if name in self.strategy.declared}
        rest = {name: value for name, value in parameters.items() if name not in own}
        strategy = self.strategy.replace(**own)
        options = dict(self.options)
        for name, value in rest.items():
            if name in EXITS:
                object.__setattr__(strategy, name, value)
            elif name in COSTS:
                options["costs"] = dataclasses.replace(options.get("costs") or Costs(), **{name: value})
            elif name == "leverage":
                options[name] = value
            else:
                raise ConfigError(
                    f"{strategy!r} has no parameter {name!r}, and it is neither exit nor cost", parameter=name
                )
        return backtest(strategy, self.bars, **options)

    def rows(self, parameters: Mapping[str, Sequence[Any]]) -> dict[str, Floats]:
        """Give the metrics of many combinations.

        Parameters
        ----------
        parameters : mapping of str to sequence, length k each

        Returns
        -------
        dict of str to float64 array, shape (k,)
        """
        results = [self.result(one) for one in combinations_of(parameters)]
        return {name: np.array([result.metrics[name] for result in results], dtype=np.float64) for name in self.metrics}

    def returns(self, parameters: Mapping[str, Sequence[Any]]) -> Floats:
        """Give the returns per bar of many combinations, fractions, shape (k, n)."""
        return np.array([self.result(one).returns.to_numpy() for one in combinations_of(parameters)])


def combinations_of(parameters: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Turn columns of parameters into one mapping a combination."""
    return [dict(zip(parameters, values, strict=True)) for values in zip(*parameters.values(), strict=True)]
