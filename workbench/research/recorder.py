"""From a backtest to a record of it: its identity before it runs, and the `Run` once it has."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.backtest.plan import Line, Plan
from workbench.backtest.prepare import prepare
from workbench.backtest.result import Result
from workbench.backtest.sound import check_limit, refuse_poor
from workbench.backtest.tables import named_results
from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.research.codes import code_digest, engine_digest
from workbench.research.identity import digest
from workbench.research.questions import SIGNALS, facts_of
from workbench.research.run import Run, new_run_id, versions
from workbench.research.trials import session_id
from workbench.risk.sizing import told
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = [
    "TERMS",
    "asked_identity",
    "identity_of",
    "instrument_digest",
    "keep_source",
    "line_said",
    "record_run",
    "rules_said",
    "run_of",
]

TERMS: Final = ("cash", "at_close", "path_inside", "limit_fill", "latency_ms", "max_positions")
_LINE: Final = (
    "funding_ts",
    "funding_rate",
    "funding_mark",
    "tiers",
    "margined",
    "inverse",
    "contract_size",
    "leverage",
)
_BASE: Final = ("ts", "open", "high", "low", "close", "volume", "span", "word")
_NOT_METRICS: Final = frozenset(
    ("start", "end", "data_fingerprint", "data_quality", "strategy", "strategy_code_hash", "fee", "maker_fee",
     "slippage_bps", "equity_points", "benchmark_points")
)  # fmt: skip


def identity_of(result: Result) -> str | None:
    """Give the identity of a backtest; None where nobody can say what its strategy rests on."""
    return _identity(result.plan, result.strategy, result.rules)


def asked_identity(strategy: Any, bars: Any, options: Mapping[str, Any]) -> str | None:
    """Give the identity that a backtest will have, without running it; parameters and errors as `backtest`.

    The plan is laid out with no signals in it: what the strategy will say follows from its code, its parameters and
    the bars.
    """
    given = dict(options)
    given.pop("path", None)
    most = given.pop("max_missing", None)
    check_limit(most)
    if isinstance(strategy, SignalStrategy):
        series = list(bars) if isinstance(bars, (list, tuple)) else [bars]
        nothing = {one.symbol: Signals(entry=np.zeros(len(one), bool)) for one in series if isinstance(one, Bars)}
        leverage = given.get("leverage")
        given["leverage"] = getattr(strategy, "leverage", 1.0) if leverage is None else leverage
        plan = prepare(nothing, bars, **given)
    else:
        plan = prepare(strategy, bars, **given)
    traded = {one.symbol for one in plan.ticks}
    refuse_poor((one for one in (*(x.bars for x in plan.lines), *plan.extra) if one.symbol not in traded), most)
    return _identity(plan, strategy, given.get("rules"))


def _identity(plan: Plan, strategy: Any, rules: Any) -> str | None:
    try:
        return digest(
            code_digest(strategy),
            {name: value for name, value in versions().items() if name in ("python", "numpy", "numba", "workbench")},
            engine_digest(),
            [line_said(line) for line in plan.lines],
            [(one.fingerprint, str(one.timeframe), one.symbol) for one in plan.extra],
            [[one.symbol, *(np.asarray(value) for _, value in _arrays(one))] for one in plan.ticks],
            {name: getattr(plan, name) for name in TERMS},
            plan.account._asdict() | ({} if plan.limits is None else {"limits": plan.limits.to_dict()}),
            None if rules is None or rules.protections is None else repr(rules.protections),
            *_sizing_said(rules),
        )
    except DataError:
        return None


def _sizing_said(rules: Any) -> list[str]:
    """Say by what sizing a run was sized, nothing where it had none of its own."""
    sizing = None if rules is None else rules.sizing
    if sizing is None:
        return []
    if told(sizing) is None:
        raise DataError(f"nobody can say what {type(sizing).__name__} rests on: its code is not the workbench's")
    return [repr(sizing)]


def _arrays(owner: Any) -> list[tuple[str, Any]]:
    names = sorted(getattr(type(owner), "__dataclass_fields__", {}))
    return [(name, value) for name in names if isinstance(value := getattr(owner, name), np.ndarray)]


def line_said(line: Line, *, priced: bool = True) -> Any:
    """Say in plain data what a series is traded as; without costs and leverage where it is not to be priced."""
    inside = {} if line.word is None else {name: getattr(line, name) for name in _BASE}
    facts = {name: getattr(line, name) for name in _LINE if priced or name != "leverage"}
    return [
        line.bars.fingerprint, str(line.bars.timeframe), instrument_digest(line.bars),
        line.costs._asdict() if priced else {}, line.lots._asdict(), facts, inside,
    ]  # fmt: skip


def instrument_digest(bars: Bars) -> str:
    """Hash the facts of the instrument of some bars: fees, steps, margin."""
    return digest(json.dumps(bars.instrument.to_dict(), sort_keys=True, default=str))


def run_of(result: Result, *, study: str | None = None, tags: Sequence[str] = (), note: str = "",
           started: dt.datetime | None = None) -> Run:  # fmt: skip
    """Make the record of a backtest, as `record_run` keeps it."""
    from workbench.research.sameness import trial_identity

    found, facts = named_results(result), facts_of(result.strategy, result.series)
    now = dt.datetime.now(dt.UTC)
    begun = now if started is None else started
    return Run(
        run_id=new_run_id(now), report="", batch="", name=result.name, notebook="",
        strategy=facts["strategy"], code_hash=facts["code_hash"] or None,
        parameters={} if facts["strategy"] == SIGNALS else _own_values(result.strategy),
        venue=", ".join(dict.fromkeys(bars.venue for bars in result.series)),
        symbol=facts["symbol"], timeframe=facts["timeframe"], start=facts["start"], end=facts["end"],
        data_fingerprint=facts["data_fingerprint"], data_quality=result.quality,
        costs=result.costs.to_dict(), fill=result.fill, cash=result.cash,
        seed=seed if isinstance(seed := getattr(result.strategy, "seed", None), int) else None,
        versions={**versions(), "engine": engine_digest()},
        metrics={**{name: value for name, value in found.items() if name not in _NOT_METRICS}, **_moments(result)},
        curves={curve: tuple(json.loads(str(found[f"{curve}_points"]))) for curve in ("equity", "benchmark")},
        started=begun, finished=now, duration_s=(now - begun).total_seconds(), study=study, session=session_id(),
        identity=identity_of(result), trial=trial_identity(result),
        series=tuple(_series_said(result)), rules=rules_said(result.rules),
        tags=tuple(dict.fromkeys(tags)), note=note,
    )  # fmt: skip


def _own_values(strategy: Any) -> dict[str, Any]:
    """Give the parameters, and exits that were set on the object alone."""
    own = {
        name: value
        for name, value in vars(strategy).items()
        if value is None or isinstance(value, bool | int | float | str)
    }
    return {**own, **{name: _plain(value) for name, value in strategy.parameters.items()}}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _moments(result: Result) -> dict[str, float | int | str]:
    returns = result.returns.to_numpy()
    spread = float(returns.std(ddof=1)) if len(returns) > 1 else math.nan
    centred = returns - returns.mean()
    variance = float(np.mean(centred**2))
    infinite = [name for name, value in result.metrics.items() if isinstance(value, float) and math.isinf(value)]
    return {
        "sharpe_per_bar": float(returns.mean()) / spread if spread > 0 else math.nan,
        "return_skew": float(np.mean(centred**3)) / variance**1.5 if variance > 0 else math.nan,
        "return_kurtosis": float(np.mean(centred**4)) / variance**2 if variance > 0 else math.nan,
        "periods_per_year": result.periods_per_year,
        **({"infinite": " ".join(infinite)} if infinite else {}),
    }


def _series_said(result: Result) -> list[dict[str, Any]]:
    told = [
        {"role": "traded", **_facts(line.bars), "costs": costs.to_dict(), "leverage": line.leverage,
         "detail": result.detail.get(line.bars.symbol)}
        for line, costs in zip(result.plan.lines, result.charged, strict=True)
    ]  # fmt: skip
    return [*told, *({"role": "heard", **_facts(one)} for one in result.plan.extra),
            *({"role": "ticks", "symbol": one.symbol} for one in result.plan.ticks)]  # fmt: skip


def _facts(bars: Bars) -> dict[str, Any]:
    return {
        "venue": bars.venue, "symbol": bars.symbol, "timeframe": str(bars.timeframe), "start": int(bars.start),
        "end": int(bars.end), "rows": len(bars), "fingerprint": bars.fingerprint, "instrument": instrument_digest(bars),
    }  # fmt: skip


def rules_said(rules: Any) -> dict[str, Any]:
    """Give the rules as plain data, what is as usual left out; a series of funding rates is only told of."""
    if rules is None:
        return {}
    usual = type(rules)()
    said: dict[str, Any] = {} if rules.limits is None else {"limits": rules.limits.to_dict()}
    for name in (one for one in type(rules).__dataclass_fields__ if one != "limits"):
        value = getattr(rules, name)
        if name == "sizing" and value is not None and (plain := told(value)) is not None:
            said[name] = plain
        elif value is None or isinstance(value, bool | int | float | str):
            if value != getattr(usual, name):
                said[name] = value
        elif isinstance(value, Mapping) and all(isinstance(one, int | float) for one in value.values()):
            said[name] = dict(value)
        else:
            said[name] = {"given": repr(value) if name in ("protections", "sizing") else type(value).__name__}
    return said


def keep_source(strategy: Any, settings: Settings) -> None:
    """Keep the source of a strategy by its hash, that of a notebook's class too; ready-made signals have none."""
    from workbench.strategy.versions import Archive

    cls = strategy if isinstance(strategy, type) else type(strategy)
    if hasattr(cls, "declared"):
        archive = Archive.of(settings)
        if archive.keep(cls) is None:
            archive.keep_written(cls)


def record_run(result: Result, *, study: str | None = None, tags: Sequence[str] = (), note: str = "",
               settings: Settings | None = None) -> Run:  # fmt: skip
    """Record a backtest in the run ledger of the workspace, with the source of its strategy.

    Parameters
    ----------
    result : Result
    study : str, optional
        It counts as a trial of this study.
    tags : sequence of str, optional
    note : str, optional
    settings : Settings, optional
        Of the workspace; the current one when left out.

    Returns
    -------
    Run
        As it was recorded; it is on disk.

    Raises
    ------
    DataError
        The disk is full, or the folder cannot be written.
    """
    from workbench.research.ledger import Ledger
    from workbench.settings import load_settings

    if not isinstance(result, Result):
        raise DataError(f"a {type(result).__name__} is no result: give what wb.backtest gives")
    where = load_settings() if settings is None else settings
    keep_source(result.strategy, where)
    run = run_of(result, study=study, tags=tags, note=note)
    Ledger(where.ledger_root).append(run)
    return run
