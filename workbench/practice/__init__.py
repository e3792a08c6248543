"""The practice exchange: a venue on loopback that real exchange clients cannot tell from the real one.

`wb.practice` is this package. `Exchange` is a whole one, `connect` a client of it, `Faults` what goes wrong on demand;
`engine` is the exchange without its network, `wire` how it speaks, `markets` where its prices come from. Names load
what they need on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "AccountSetup": "engine_records",
    "Engine": "engine",
    "Exchange": "exchange",
    "Faults": "faults",
    "HeldClock": "clock",
    "Listing": "markets",
    "RecordedMarket": "markets",
    "RecordedTrades": "markets",
    "Refused": "engine_records",
    "Request": "engine_records",
    "RunningClock": "clock",
    "Serving": "exchange",
    "SyntheticMarket": "markets",
    "connect": "clients",
    "load_scenario": "faults_scenario",
    "running_route": "clients",
    "scenarios": "faults_scenario",
}

__all__ = [
    "AccountSetup",
    "Engine",
    "Exchange",
    "Faults",
    "HeldClock",
    "Listing",
    "RecordedMarket",
    "RecordedTrades",
    "Refused",
    "Request",
    "RunningClock",
    "Serving",
    "SyntheticMarket",
    "connect",
    "load_scenario",
    "running_route",
    "scenarios",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.practice' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.practice.{_HOME[name]}"), name)
