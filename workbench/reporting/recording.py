"""What the parent process records of a run: the plan's words, the outcome's verdict, the notebook's numbers.

The verdict (status, cause, duration, memory) comes from the outcome alone; the notebook is only asked what it found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from workbench.errors import DataError
from workbench.market.bars import to_ms
from workbench.reporting.batch import Batch
from workbench.reporting.execute import Outcome
from workbench.reporting.plan import PlannedRun
from workbench.research.run import Run, new_run_id, versions

__all__ = ["record_of"]

_COSTS: Final = ("fee", "maker_fee", "slippage_bps")
_CURVES: Final = {"equity_points": "equity", "benchmark_points": "benchmark"}
# Results that have a field of their own in the record; `strategy` is there too, by its name and parameters.
_FIELDS: Final = frozenset(
    {*_COSTS, *_CURVES, "start", "end", "data_fingerprint", "data_quality", "strategy", "strategy_code_hash"}
)
_LONGEST_ERROR: Final = 2_000
_LARGEST_SEED: Final = 2**63  # larger ones are in the inputs only


def record_of(planned: PlannedRun, outcome: Outcome, batch: Batch, reports: Path) -> Run:
    """Make the record of a run.

    Parameters
    ----------
    planned : PlannedRun
    outcome : Outcome
    batch : Batch
    reports : Path
        The folder that the path of the page is relative to.
    """
    found = outcome.results
    series = planned.series
    return Run(
        run_id=new_run_id(outcome.finished),
        report=batch.report,
        batch=batch.id,
        name=planned.name,
        notebook=planned.notebook,
        strategy=planned.strategy,
        code_hash=_text(found, "strategy_code_hash") or planned.code_hash,
        parameters=planned.strategy_parameters,
        inputs={**planned.inputs, **outcome.job.parameters},
        venue=None if series is None else series.venue,
        symbol=None if series is None else series.symbol,
        timeframe=None if series is None else series.timeframe,
        start=_moment(found, "start"),
        end=_moment(found, "end"),
        data_fingerprint=_text(found, "data_fingerprint"),
        data_quality=_mapping(found.get("data_quality")),
        costs={name: value for name in _COSTS if isinstance(value := found.get(name), int | float)},
        fill=_input(planned, "fill", str),
        cash=_input(planned, "cash", (int, float)),
        seed=seed if (seed := _input(planned, "seed", int)) is not None and abs(seed) < _LARGEST_SEED else None,
        versions=versions(),
        metrics={name: value for name, value in found.items() if name not in _FIELDS},
        curves={curve: points for name, curve in _CURVES.items() if (points := _points(found.get(name)))},
        status=outcome.status,
        exit_cause="completed" if outcome.succeeded else outcome.error_name or outcome.status,
        error=outcome.error_message[:_LONGEST_ERROR],
        started=outcome.started or outcome.finished,
        finished=outcome.finished,
        duration_s=outcome.duration_s,
        peak_memory_bytes=outcome.peak_memory_bytes,
        html=None if outcome.html is None else outcome.html.relative_to(reports).as_posix(),
    )


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value else None


def _moment(found: Mapping[str, Any], name: str) -> datetime | None:
    """Read a time that a notebook recorded; a notebook may record anything under that name."""
    try:
        return datetime.fromtimestamp(to_ms(_text(found, name)) / 1_000, UTC)
    except (DataError, ValueError, OverflowError, OSError):
        return None


def _input(planned: PlannedRun, name: str, kind: Any) -> Any:
    value = planned.inputs.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _mapping(text: Any) -> dict[str, Any]:
    """Read what a notebook recorded as a JSON object; anything else is none."""
    try:
        read = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _points(text: Any) -> tuple[float, ...]:
    """Read a curve that a notebook recorded as a JSON list of numbers; anything else is no curve."""
    try:
        points = json.loads(text) if isinstance(text, str) else []
        return tuple(float(point) for point in points)
    except (ValueError, TypeError):
        return ()
