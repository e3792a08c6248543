"""When two trials are one: the same number for a backtest and for the row of a sweep that computes the same.

What cannot be told apart must count once among the distinct trials, whichever door it came in by. So the parameters,
the exits, what trading costs and the leverage are columns, the same for both; all else is one hash before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.plan import Plan
from workbench.backtest.prepare import costs_by_symbol, prepare
from workbench.backtest.result import Result
from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.research.codes import class_digest
from workbench.research.identity import digest, identities
from workbench.research.recorder import TERMS, line_said
from workbench.research.sweeping.names import COSTS, EXITS
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    from workbench.research.sweeping.evaluator import Evaluator

__all__ = ["trial_identities", "trial_identity"]

_EXITS: Final = tuple(name for name in EXITS if name != "size")  # which is the signals' own


def trial_identity(result: Result) -> str | None:
    """Give the identity (16 hex digits) of a backtest as a trial; None where its strategy has none of its own.

    Parameters
    ----------
    result : Result
        Of a signal strategy; anything else cannot be swept, and its own identity will do.
    """
    strategy = result.strategy
    if not isinstance(strategy, SignalStrategy):
        return None
    costs = [one.to_dict() for one in result.charged]
    found = _identities(strategy, result.plan, result.rules, costs, {})
    return None if found is None else f"{int(found[0]):016x}"


def trial_identities(evaluator: Evaluator, parameters: Mapping[str, Any]) -> NDArray[np.uint64] | None:
    """Give the identities of combinations; None where nobody can say what the strategy rests on.

    Parameters
    ----------
    evaluator : Evaluator
    parameters : mapping of str to array_like, length k each
        Without any there is one combination, that of the evaluator's strategy.

    Returns
    -------
    uint64 array, shape (k,), or None

    Notes
    -----
    A cost of None is the one that is charged anyway.
    """
    usual = evaluator.options.get("leverage")
    if "leverage" not in parameters:
        return _of_plan(evaluator, parameters, usual)
    asked = list(parameters["leverage"])
    found = np.empty(len(asked), np.uint64)
    for leverage in dict.fromkeys(asked):  # what a plan says of margin follows from it
        rows = [row for row, value in enumerate(asked) if value == leverage]
        mine = {name: [values[row] for row in rows] for name, values in parameters.items() if name != "leverage"}
        given = _of_plan(evaluator, mine, usual if leverage is None else leverage)
        if given is None:
            return None
        found[rows] = given
    return found


def _of_plan(evaluator: Evaluator, parameters: Mapping[str, Any], leverage: Any) -> NDArray[np.uint64] | None:
    """Give the identities of combinations that share all but what is in columns."""
    series = [evaluator.bars] if isinstance(evaluator.bars, Bars) else evaluator.bars
    options = {name: value for name, value in evaluator.options.items() if name not in ("path", "max_missing")}
    strategy = evaluator.strategy
    options["leverage"] = strategy.leverage if leverage is None else leverage
    nothing = {one.symbol: Signals(entry=np.zeros(len(one), bool)) for one in series}
    plan = prepare(nothing, evaluator.bars, **options)
    asked = options.get("costs")
    swept = dict(parameters)
    own = None if isinstance(asked, Mapping) else asked
    if "fee" in swept and "maker_fee" not in swept and (own is None or own.maker_fee is None):
        swept["maker_fee"] = swept["fee"]
    return _identities(strategy, plan, options.get("rules"), _charged(asked, plan), swept)


def _charged(asked: Any, plan: Plan) -> list[dict[str, Any]]:
    found = costs_by_symbol(asked, [line.bars.instrument for line in plan.lines])
    return [found[line.bars.symbol].to_dict() for line in plan.lines]


def _identities(
    strategy: SignalStrategy, plan: Plan, rules: Any, costs: list[dict[str, Any]], swept: Mapping[str, Any]
) -> NDArray[np.uint64] | None:
    shared: dict[str, Any] = {name: getattr(strategy, name, None) for name in _EXITS}
    shared |= strategy.parameters
    shared |= {name: _common([one.get(name) for one in costs]) for name in COSTS}
    swept = {name: _filled(values, shared[name]) if name in COSTS else values for name, values in swept.items()}
    shared["leverage"] = _common([line.leverage for line in plan.lines])
    given = strategy.protections if rules is None or rules.protections is None else rules.protections
    protections = tuple(given)
    try:
        context = digest(
            class_digest(strategy), [line_said(line, priced=False) for line in plan.lines],
            [{name: one[name] for name in sorted(one) if name not in COSTS} for one in costs],
            [(one.fingerprint, str(one.timeframe), one.symbol) for one in plan.extra],
            {name: getattr(plan, name) for name in TERMS}, plan.account._asdict(), repr(protections),
        )  # fmt: skip
        return identities(context, swept, {name: value for name, value in shared.items() if name not in swept})
    except DataError:
        return None


def _filled(values: Any, usual: Any) -> list[Any]:
    """Give values with what is None as usual."""
    return [usual if value is None or value != value else value for value in values]


def _common(values: list[Any]) -> Any:
    """Give the value of all of them, or of each as text where they differ."""
    return values[0] if all(value == values[0] for value in values) else repr(values)
