"""History into the core: what a strategy would have done, with every cost that it would have paid.

The package can be called, since its name is also the name of what it does: `wb.backtest(strategy, bars)` is
`workbench.backtest.run.backtest`, whose documentation says the rest.
"""

import inspect
import sys
from types import ModuleType
from typing import Any

from workbench.backtest.costs import Costs
from workbench.backtest.result import Result
from workbench.backtest.rules import Rules
from workbench.backtest.run import backtest

__all__ = ["Costs", "Result", "Rules", "backtest"]


class _CallablePackage(ModuleType):
    """A package that can be called: importing it must not hide the function of the same name."""

    __signature__ = inspect.signature(backtest)

    def __call__(self, *args: Any, **options: Any) -> Result:
        return backtest(*args, **options)


sys.modules[__name__].__class__ = _CallablePackage
