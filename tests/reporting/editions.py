"""Editions of an index page, made of records written by hand: nothing is executed."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

from tests.reporting.small import make_workspace
from workbench.reporting.batch import Batch
from workbench.reporting.index import Edition
from workbench.reporting.plan import Plan, PlannedRun, make_plan
from workbench.research.run import Run, new_run_id
from workbench.settings import Settings

START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
HOSTILE = """<script>alert('x')</script>"><img src=http://example.com/x onerror=alert(1)>"""


def definition(symbols: list[str], title: str = "A night") -> str:
    """Write a report over symbols; TOML text that JSON can write as well."""
    import json

    series = ", ".join(json.dumps({"s": f"{symbol} 1h"})[6:-1] for symbol in symbols)
    return (
        f'[report]\ntitle = {json.dumps(title)}\n[[runs]]\nnotebook = "good"\n'
        f'strategies = ["hold", {{ name = "hold", parameters = {{ days = 5 }} }}]\nseries = [{series}]\n'
        '[[summary]]\nnotebook = "summary"\n'
    )


def record(planned: PlannedRun, plan: Plan, batch: Batch, number: int, **facts: Any) -> Run:
    """Make the record of one planned run, with numbers that differ from run to run."""
    gain = 0.4 - 0.17 * number
    curve = tuple(1 + gain * step / 50 + 0.05 * math.sin(step / 3 + number) for step in range(51))
    series = planned.series
    found: dict[str, Any] = {
        "total_return": curve[-1] - 1, "annualised_return": gain / 3, "sharpe_ratio": 1.2 - 0.4 * number,
        "sortino_ratio": None if number == 2 else 1.0 - 0.3 * number,
        "max_drawdown": -0.02 - 0.09 * number, "max_drawdown_start": "1970-01-01 05:00",
        "max_drawdown_trough": "1970-01-02", "max_drawdown_recovery": "1970-01-03" if number % 2 else None,
        "doctor_worst": ("critical", "warning", "note", "fine")[number % 4], "doctor_critical": int(number % 4 == 0),
        "doctor_says": "Too few trades; Leverage" if number % 4 == 0 else "",
        "win_rate": 0.5, "trades": 10 * number, "exposure": 0.3, "benchmark_return": 0.1, "bars": 60,
    }  # fmt: skip
    given: dict[str, Any] = {
        "run_id": new_run_id(), "report": plan.report, "batch": batch.id, "name": planned.name,
        "notebook": planned.notebook, "strategy": planned.strategy, "code_hash": "c0dec0dec0de",
        "parameters": planned.strategy_parameters, "inputs": planned.inputs,
        "venue": series and series.venue, "symbol": series and series.symbol, "timeframe": series and series.timeframe,
        "start": START, "end": START + dt.timedelta(hours=60), "data_fingerprint": series and series.fingerprint,
        "costs": {"fee": 0.001, "maker_fee": 0.0005, "slippage_bps": 1.0}, "fill": "next_open", "cash": 1_000.0,
        "seed": 7, "versions": {"python": "3.11.7", "workbench": "0.1.0"}, "metrics": found,
        "curves": {"equity": curve, "benchmark": tuple(1 + step / 500 for step in range(51))},
        "started": START, "finished": START, "duration_s": 1.5,
        "html": f"output/night/{batch.id}/pages/{planned.name}.html",
    }  # fmt: skip
    return Run(**{**given, **facts})


def edition(root: Path, symbols: list[str], title: str = "A night", **facts: Any) -> tuple[Edition, Settings]:
    """Make a workspace and an edition in which every run of it succeeded; the summary has no metrics."""
    settings = make_workspace(root, definition(symbols, title), symbols=tuple(symbols))
    plan = make_plan("night", settings)
    batch = Batch.create(plan, settings)
    runs = [record(planned, plan, batch, number) for number, planned in enumerate(plan.runs)]
    last = record(plan.summary[0], plan, batch, 0, metrics={"seen": 3}, curves={}, costs={}, strategy=None, symbol=None)
    return Edition(**{"plan": plan, "batch": batch, "runs": [*runs, last], "duration_s": 42.0, **facts}), settings
