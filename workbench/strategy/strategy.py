"""`SignalStrategy`: the base class of strategies that say, per bar, whether to be in or out.

A strategy is a value: its class is the rule, its parameters are fixed when it is made, and it keeps nothing between
calls. The same object is swept, validated, reported on and traded.
"""

from __future__ import annotations

import hashlib
import inspect
import traceback
from pathlib import Path
from types import CodeType
from typing import Any, ClassVar, Final

import numpy as np

from workbench.errors import StrategyError, WorkbenchError
from workbench.market.bars import Bars
from workbench.strategy.parameters import Parameter, Value, _Undecided, check_parameters, declare
from workbench.strategy.signals import Signals

__all__ = ["SignalStrategy", "signals_of"]

_TAKEN: Final = frozenset(("code_hash", "declared", "parameters", "replace", "signals", "validate"))


class SignalStrategy:
    """Base class: declare parameters with `param` and write `signals`.

    Attributes
    ----------
    stop_loss, take_profit, trailing_stop : float or None
        Set on the class, or declared with `param`, to protect every position: fractions of the entry price (of the best
        price since entry for the trailing stop). What `signals` gives per bar goes before these.
    warm_up : int
        Bars before which no signal counts; an attribute, or a property that reads the parameters.

    Examples
    --------
    >>> from workbench.indicators import crosses_above, crosses_below, sma
    >>> from workbench.strategy import Signals, SignalStrategy, param
    >>> class SmaCross(SignalStrategy):
    ...     fast: int = param(10, low=2, high=50)
    ...     slow: int = param(30, low=5, high=200)
    ...
    ...     def signals(self, bars):
    ...         fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
    ...         return Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))
    >>> SmaCross(slow=50)
    SmaCross(fast=10, slow=50)
    """

    declared: ClassVar[dict[str, Parameter]] = {}
    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None
    warm_up: int = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own, annotations = {}, inspect.get_annotations(cls)
        for name, value in list(vars(cls).items()):
            if isinstance(value, _Undecided):
                annotation = annotations.get(name, "")
                text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
                if name in _TAKEN:
                    raise StrategyError(f"{cls.__name__}: a parameter cannot be called {name}, every strategy has that")
                own[name] = declare(cls.__name__, name, text, value)
                delattr(cls, name)
        cls.declared = {**cls.declared, **own}

    def __init__(self, **parameters: Any) -> None:
        values = check_parameters(type(self).__name__, self.declared, parameters)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.validate()

    def validate(self) -> None:
        """Check how parameters fit together; override and raise StrategyError. Nothing is checked by default."""

    def signals(self, bars: Bars) -> Signals:
        """Say what to do on each bar, from that bar and earlier ones only.

        Parameters
        ----------
        bars : Bars
            Closed bars, oldest first.

        Returns
        -------
        Signals
            As long as `bars`.
        """
        raise StrategyError(f"{type(self).__name__} does not say its signals: write `def signals(self, bars)`")

    @property
    def parameters(self) -> dict[str, Value]:
        """The value of every declared parameter, by name."""
        return {name: getattr(self, name) for name in self.declared}

    def replace(self, **changes: Any) -> SignalStrategy:
        """Give a strategy of the same class with some parameters changed."""
        return type(self)(**{**self.parameters, **changes})

    @property
    def code_hash(self) -> str:
        """Hash (16 hex digits) of the source the strategy was written in: its file, or its class in a notebook."""
        return _code_hash(type(self))

    def __setattr__(self, name: str, value: Any) -> None:
        raise StrategyError(
            f"{self!r} cannot be changed: a strategy keeps nothing between calls; make another with "
            f".replace({name}={value!r}) or keep {name} in a local variable"
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.parameters == self.parameters

    def __hash__(self) -> int:
        return hash((type(self), *self.parameters.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"


def signals_of(strategy: SignalStrategy, bars: Bars) -> Signals:
    """Ask a strategy for its signals on some bars, and hold them to the contract.

    Returns
    -------
    Signals
        As long as `bars`, silent during the warm-up, with the strategy's own stops where it gave none per bar.

    Raises
    ------
    StrategyError
        The strategy raised, did not return `Signals`, or returned a wrong length.
    """
    name = repr(strategy)
    try:
        found = strategy.signals(bars)
    except WorkbenchError as error:
        error.add_note(f"while {name} said its signals on {bars!r}")
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise StrategyError(
            f"{name} raised {type(error).__name__}: {error} (line {where.lineno} of {Path(where.filename).name}: "
            f"{where.line})",
            strategy=name,
        ) from error
    if not isinstance(found, Signals):
        raise StrategyError(f"{name}.signals returned a {type(found).__name__}; return wb.Signals(entry=..., exit=...)")
    if len(found) != len(bars):
        raise StrategyError(
            f"{name}.signals returned {len(found)} values for {len(bars)} bars; say one value a bar (do not drop rows)",
            expected=len(bars),
            found=len(found),
        )
    found.require_times(bars.ts)
    return _with_own_stops(strategy, found).after(_warm_up_of(strategy))


def _warm_up_of(strategy: SignalStrategy) -> int:
    try:
        bars = strategy.warm_up
    except WorkbenchError:
        raise
    except Exception as error:
        raise StrategyError(f"{strategy!r}: its warm_up raised {type(error).__name__}: {error}") from error
    if isinstance(bars, bool) or not isinstance(bars, (int, np.integer)) or bars < 0:
        raise StrategyError(f"{strategy!r}: warm_up is {bars!r}; it must be a whole number of bars, 0 for none")
    return int(bars)


def _with_own_stops(strategy: SignalStrategy, found: Signals) -> Signals:
    """Put the strategy's class-wide stops where the signals carry none."""
    stops = {}
    for name in ("stop_loss", "take_profit", "trailing_stop"):
        own, said = getattr(strategy, name), getattr(found, name)
        if own is not None and np.isnan(said).all():
            stops[name] = own
    return found.replace(**stops) if stops else found


def _code_hash(cls: type) -> str:
    source = getattr(inspect.getmodule(cls), "__workbench_source__", None)
    if source is None:
        try:
            source = inspect.getsource(cls)
        except (OSError, TypeError):
            source = repr(sorted((name, _essence(value)) for name, value in vars(cls).items()))
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _essence(value: Any) -> str:
    """Write what a member of a class without source does, in words that hold no address: the same in any process."""
    code = getattr(getattr(value, "fget", getattr(value, "__func__", value)), "__code__", value)
    if not isinstance(code, CodeType):
        return sorted(map(_essence, code)).__repr__() if isinstance(code, frozenset) else repr(code)
    return repr((code.co_code, code.co_names, code.co_varnames, [_essence(one) for one in code.co_consts]))
