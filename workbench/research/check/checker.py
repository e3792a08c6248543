"""`check`: the order in which the questions are asked, and the report that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from workbench.errors import ConfigError, DataError, StrategyError
from workbench.market.bars import COLUMNS, Bars, moment
from workbench.research.check.authored import authored_by
from workbench.research.check.findings import SEVERITIES, CheckReport, Finding
from workbench.research.check.laboratory import Laboratory
from workbench.research.check.live import look_at_unfinished
from workbench.research.check.memory import look_at_memory
from workbench.research.check.starts import TOLERANCE, settle
from workbench.research.check.state import Keeper
from workbench.research.check.subject import Broke, FunctionSubject, OrderSubject, SignalSubject, Subject
from workbench.research.check.truncation import truncate
from workbench.research.check.verdicts import (
    about_columns,
    about_leaks,
    about_settling,
    about_unfinished,
    about_wishes,
    broken_histories,
    is_write,
)
from workbench.research.check.wishes import WishLab, compare_wishes
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.strategy import SignalStrategy, signals_of

__all__ = ["check", "check_columns"]

_FEWEST: Final = 50


def check(
    strategy: SignalStrategy | OrderStrategy,
    bars: Bars | Iterable[Bars],
    *,
    thorough: bool = False,
    tolerance: float = TOLERANCE,
    labels: Iterable[str] = (),
) -> CheckReport:
    """Prove that a strategy cannot see the future, or show where it does.

    It is asked for its signals again and again, on histories that end earlier, begin later, or have other prices; and
    what it says about the same bar is compared. Columns worked out on the way (the variables of its code, and
    indicators of the package) are compared too, so that a leak is named where it arises.

    Parameters
    ----------
    strategy : SignalStrategy or OrderStrategy
        With its parameters; of an order strategy the indicators and the orders are looked at.
    bars : Bars, or list of Bars
        A few hundred bars at least, better thousands; several series are for order strategies only.
    thorough : bool, default False
        Cut every one of the last two thousand bars, too.
    tolerance : float, default 1e-6
        Relative difference at which a column counts as settled after its warm-up.
    labels : iterable of str
        Names of variables that are meant to look ahead, such as the returns that a model is taught with. They must not
        reach a signal; that they look ahead is then a note.

    Returns
    -------
    CheckReport
        `report.passed`; `report.look_ahead`, `report.warm_up`, `report.findings`.

    Raises
    ------
    StrategyError
        The strategy fails on the whole history already.
    DataError
        There are too few bars, or several series for a signal strategy.

    Notes
    -----
    What is found:

    - look-ahead, by column and signal: the first bar that changes when bars are appended, and how many it takes;
    - warm-up: bars until a later start makes no difference, and whether the declared number is enough;
    - start dependence: what never settles;
    - changed inputs, memory between calls, chance without a seed, clock, files and environment;
    - what changes while the last bar is unfinished.

    Where histories are cut, why those cuts suffice and what they cannot show stands in `research.check.cuts`. Columns
    are compared to a relative 1e-9, flags exactly. The strategy's memory, the shared random generators and the bars are
    left as they were found.

    What a strategy brings along is not judged: prices of the future that lie ready in a variable of the module and are
    looked up by time do not change with the history that is given, and so pass.

    Examples
    --------
    >>> import numpy as np
    >>> import workbench as wb
    >>> class Tomorrow(wb.SignalStrategy):
    ...     def signals(self, bars):
    ...         tomorrow = np.roll(bars.close, -1)
    ...         return wb.Signals(entry=tomorrow > bars.close)
    >>> close = 100 + np.cumsum(np.random.default_rng(1).normal(size=600))
    >>> price = dict.fromkeys(("open", "high", "low", "close"), close)
    >>> bars = wb.Bars(instrument=wb.Instrument(symbol="BTC/USDT"), timeframe="1h", volume=np.ones(600),
    ...                ts=np.arange(600) * 3_600_000, **price)
    >>> report = wb.check(Tomorrow(), bars)
    >>> report.passed, [(one.kind, one.column, one.bars_ahead) for one in report.look_ahead]
    (False, [('look_ahead', 'entry', 1), ('look_ahead', 'tomorrow', 1)])
    """
    series = _series_of(strategy, bars)
    _check_tolerance(tolerance)
    if not isinstance(labels, Iterable):
        raise ConfigError(f"check: labels = {labels!r}; give a list of names of variables", value=labels)
    if isinstance(strategy, SignalStrategy):
        return _check_subject(
            SignalSubject(strategy, series[0].timeframe), series[0], thorough, tolerance, tuple(labels)
        )
    reports = []
    for one in series:
        report = _check_subject(OrderSubject(strategy), one, thorough, tolerance, tuple(labels))
        reports.append(_of_symbol(report, one.symbol) if len(series) > 1 else report)
    return _with_wishes(strategy, series, reports)


def check_columns(
    name: str,
    function: Callable[[Bars], Any],
    bars: Bars,
    *,
    declared: int = 0,
    thorough: bool = False,
    tolerance: float = TOLERANCE,
) -> CheckReport:
    """Check any function of bars in the same way: an indicator above all.

    Parameters
    ----------
    name : str
        Of its column; `name.field` are those of a NamedTuple or a frame.
    function : callable
        `bars -> column`, or a NamedTuple, dict or frame of columns; as long as the bars.
    bars : Bars
    declared : int
        Bars before which its values are not looked at.
    thorough : bool
        Cut every one of the last two thousand bars, too.
    tolerance : float, default 1e-6
        Relative difference at which a column counts as settled.

    Returns
    -------
    CheckReport

    Examples
    --------
    >>> import numpy as np
    >>> import workbench as wb
    >>> close = 100 + np.cumsum(np.random.default_rng(1).normal(size=600))
    >>> price = dict.fromkeys(("open", "high", "low", "close"), close)
    >>> bars = wb.Bars(instrument=wb.Instrument(symbol="BTC/USDT"), timeframe="1h", volume=np.ones(600),
    ...                ts=np.arange(600) * 3_600_000, **price)
    >>> check_columns("mean", lambda bars: wb.indicators.sma(bars.close, 20), bars).warm_up
    19
    """
    _check_tolerance(tolerance)
    _check_length([bars], function)
    subject = FunctionSubject(name, function, authored_by(function), declared)
    return _check_subject(subject, bars, thorough, tolerance, ())


def _series_of(strategy: Any, bars: Any) -> list[Bars]:
    if not isinstance(strategy, (SignalStrategy, OrderStrategy)):
        said = strategy.__name__ if isinstance(strategy, type) else repr(strategy)
        hint = f": make one, as in {said}()" if isinstance(strategy, type) else ""
        raise StrategyError(f"check: {said} is no strategy{hint}; check_columns takes plain functions of bars")
    series = list(bars) if isinstance(bars, Iterable) and not isinstance(bars, Bars) else [bars]
    if isinstance(strategy, SignalStrategy) and len(series) > 1:
        raise DataError(
            f"check: {len(series)} series for a signal strategy, which is asked for each by itself; check it on one",
            value=len(series),
        )
    _check_length(series, strategy)
    return series


def _check_length(series: Sequence[Any], who: object) -> None:
    for one in series:
        if not isinstance(one, Bars):
            raise DataError(f"check: a {type(one).__name__} is no series; give wb.Bars, as wb.read gives them")
    if not series or min(map(len, series)) < _FEWEST:
        raise DataError(
            f"check: {min(map(len, series), default=0)} bars are too few to compare histories; give at least "
            f"{_FEWEST}, better thousands",
            value=min(map(len, series), default=0),
        )


def _check_tolerance(tolerance: float) -> None:
    if not isinstance(tolerance, (int, float)) or not 0.0 < tolerance < 1.0:
        raise ConfigError(f"check: tolerance = {tolerance!r}; give a relative difference such as 1e-6", value=tolerance)


def _check_subject(
    subject: Subject, bars: Bars, thorough: bool, tolerance: float, labels: tuple[str, ...]
) -> CheckReport:
    own = _own_copy(bars)
    with Laboratory(subject, own) as lab:
        try:
            findings = look_at_memory(lab)
        except Broke as error:
            return _unable(lab, error, tolerance)
        needed = max(subject.declared, _first_values(lab))
        cut = truncate(lab, needed, thorough)
        settled = settle(lab, needed, tolerance, {*cut.leaks, *lab.noisy})
        unfinished = look_at_unfinished(lab, needed)
        warm_up = max((one.warm_up for one in settled.values() if one.settles == "yes"), default=0)
        findings += about_leaks(lab, cut, labels)
        findings += about_unfinished(own, unfinished, cut.leaks)
        findings += about_settling(lab, settled, warm_up)
        findings += broken_histories(lab, cut.broke)
        columns = about_columns(lab, settled, cut.leaks)
        return _report(lab, findings, columns=columns, warm_up=warm_up, tolerance=tolerance)


def _report(lab: Laboratory, findings: list[Finding], **known: Any) -> CheckReport:
    return CheckReport(
        name=lab.subject.name, market=_market(lab.bars), findings=_sorted(findings),
        declared_warm_up=lab.subject.declared, runs=lab.runs, **known,
    )  # fmt: skip


def _unable(lab: Laboratory, error: Broke, tolerance: float) -> CheckReport:
    """Report an attempt to write into the bars; what else fails on the whole history is raised as a backtest would."""
    if not is_write(str(error)):
        if isinstance(lab.subject.target, SignalStrategy):
            signals_of(lab.subject.target, lab.bars)
        raise error
    finding = Finding(
        kind="mutation",
        severity="critical",
        said=f"it writes into the bars that it is given, which are read-only: {error}",
        remedy="work on a copy, such as bars.close.copy(); nothing else could be checked",
    )
    return _report(lab, [finding], columns=(), warm_up=0, tolerance=tolerance)


def _first_values(lab: Laboratory) -> int:
    """Give the row at which most columns have their first value; a column that starts in the later half is rare."""
    firsts = [int(np.argmax(~np.isnan(one))) for one in lab.whole.values.values() if one.dtype != np.bool_]
    near = [first for first in firsts if first * 2 < len(lab.bars)]
    return max(near, default=0)


def _own_copy(bars: Bars) -> Bars:
    """Give the same bars in other memory, so that a strategy that forces its way in spoils none of the user's."""
    columns = {name: getattr(bars, name).copy() for name in ("ts", *COLUMNS)}
    return Bars(
        instrument=bars.instrument, timeframe=bars.timeframe, filled=bars.filled, provenance=bars.provenance, **columns
    )


def _market(bars: Bars) -> str:
    return f"{bars.symbol} {bars.timeframe}, {len(bars):,} bars from {moment(bars.start)} to {moment(bars.end)}"


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: SEVERITIES.index(one.severity)))


def _of_symbol(report: CheckReport, symbol: str) -> CheckReport:
    findings = [replace(one, column=f"{symbol} {one.column}".rstrip()) for one in report.findings]
    columns = [replace(one, name=f"{symbol} {one.name}") for one in report.columns]
    return replace(report, findings=tuple(findings), columns=tuple(columns))


def _with_wishes(strategy: OrderStrategy, series: list[Bars], reports: list[CheckReport]) -> CheckReport:
    """Add to what is known of the indicators what the orders show."""
    lab = WishLab(strategy, Keeper(authored_by(strategy), strategy))
    lab.remembers = any(one.of("hidden_state") for one in reports)
    diverged, repeats = compare_wishes(lab, series)
    lab.keeper.restore()
    findings = [one for report in reports for one in report.findings] + about_wishes(diverged, repeats, series[0])
    first = reports[0]
    return replace(
        first,
        market="; ".join(report.market for report in reports),
        findings=_sorted(findings),
        columns=tuple(column for report in reports for column in report.columns),
        warm_up=max(report.warm_up for report in reports),
        runs=sum(report.runs for report in reports) + lab.runs,
    )
