"""The same check for everything that is registered or bundled: indicators, strategies in files, the library."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.research.check.made import walk
from workbench.indicators import registry
from workbench.indicators.indicator import Indicator
from workbench.research.check import CheckReport, check_columns
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.strategy import SignalStrategy

ROOT = Path(__file__).resolve().parents[3]
BARS = walk(1_200)
NOT_IN_A_BACKTEST = {"Triangular"}  # it needs cash in several currencies
FILES = sorted(path for kind in ("*.py", "*.yaml") for path in (ROOT / "strategies").glob(kind) if path.stem[0] != "_")


def inputs(indicator: Indicator, bars: wb.Bars) -> list[Any]:
    """The columns of an indicator; what is of another market is made of prices of the same bar."""
    made = {"values": bars.close, "other": np.sqrt(bars.high * bars.low), "benchmark": (bars.high + bars.low) / 2.0}
    return [made.get(name, getattr(bars, name, None)) for name in indicator.inputs]


@pytest.mark.parametrize("name", registry.names())
def test_no_registered_indicator_looks_ahead(name: str) -> None:
    indicator = registry.get(name)
    report = check_columns(name, lambda bars: indicator(*inputs(indicator, bars), *indicator.parameters()), BARS)
    assert report.look_ahead == []
    serious = [one for one in report if one.severity != "note"]
    if indicator.cumulative:
        assert {one.kind for one in serious} == {"start_dependence"}, str(report)
    else:
        assert serious == [], str(report)


def _in_library() -> Iterator[tuple[str, Any]]:
    """Every strategy class of the library, where there is one, by its name."""
    try:
        library = importlib.import_module("workbench.strategy.library")
    except ModuleNotFoundError:
        return
    found = {}
    for module in pkgutil.iter_modules(library.__path__, f"{library.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            is_strategy = isinstance(value, type) and issubclass(value, (SignalStrategy, OrderStrategy))
            own = is_strategy and value.__module__.startswith(library.__name__)
            if own and not value.__name__.startswith("_") and value.__name__ not in NOT_IN_A_BACKTEST:
                found[value.__name__] = value
    yield from sorted(found.items())


def _in_files() -> Iterator[tuple[str, Any]]:
    for path in FILES:
        if path.suffix == ".py":
            yield path.name, wb.load_strategy(path)
        else:
            rules = importlib.import_module("workbench.strategy.rules")
            yield path.name, rules.load_rules(path, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "strategy"), [*_in_files(), *_in_library()])
def test_no_strategy_that_is_bundled_looks_ahead(name: str, strategy: Any) -> None:
    report = wb.check(strategy(), BARS) if issubclass(strategy, SignalStrategy) else _on_some_market(strategy())
    assert report.look_ahead == []
    assert [str(one) for one in report if one.severity == "critical"] == []


def _on_some_market(strategy: OrderStrategy) -> CheckReport:
    """Check an order strategy on the first of several markets that it can trade."""
    refused = []
    for symbols in (
        ("BTC/USDT",), ("BTC/USDT", "ETH/USDT"), ("BTC/USDT", "BTC/USDT:USDT"), ("BTC/USDT", "ETH/BTC", "ETH/USDT"),
        ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"),
    ):  # fmt: skip
        series = [walk(700, symbol=symbol, seed=number) for number, symbol in enumerate(symbols, 3)]
        try:
            return wb.check(strategy, series)
        except wb.WorkbenchError as error:
            refused.append(str(error))
    pytest.fail("; ".join(refused))
