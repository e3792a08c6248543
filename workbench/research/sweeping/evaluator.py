"""`Evaluator`: what a signal strategy makes of some bars under many parameters.

The one door through which sweeps, optimisers, walk-forwards and validation compute. What can be varied is a parameter
of the strategy, one of its exits, or what trading costs; `Evaluator.result` is the definition (a backtest), `rows` the
fast way to the same numbers: what combinations say is worked out together (`speaking`) and scored in the compiled loop
(`engine`). Where either cannot, a combination is backtested by itself.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.costs import Costs
from workbench.backtest.result import Result
from workbench.backtest.rules import Rules
from workbench.backtest.run import backtest, unobserved
from workbench.backtest.sound import refuse_poor
from workbench.errors import ConfigError, StrategyError
from workbench.market.bars import Bars
from workbench.research.sweeping.engine import Compact, Engine
from workbench.research.sweeping.kernel_score import SCORES
from workbench.research.sweeping.manner import varied
from workbench.research.sweeping.names import COSTS, EXITS, known_names
from workbench.research.sweeping.sheet import Sheet
from workbench.research.sweeping.speaking import GroupedSpeaker, Speaker, speaker_of
from workbench.risk import metrics as known_metrics
from workbench.strategy.parameterised import Parameterised
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of

__all__ = ["COSTS", "EXITS", "USUAL", "Evaluator", "Scored", "combinations_of"]

Floats = NDArray[np.float64]

USUAL: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "win_rate", "profit_factor", "expectancy", "exposure", "trades",
)  # fmt: skip
_AT_ONCE: Final = 64  # combinations whose signals wait for the engine together
_SHEET_SHARE: Final = 0.4
_OPTIONS: Final = ("cash", "costs", "fill", "leverage", "detail", "rules", "path", "max_missing")


class Scored(NamedTuple):
    """What came of combinations: `table` of shape (k, metrics), and why some were refused, by their place."""

    table: Floats
    refused: dict[int, str]


class Evaluator:
    """The numbers of a signal strategy under many parameters, on one set of bars.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
        An object's parameters hold where a combination says nothing else.
    bars : Bars or list of Bars
        Several share one account, as in a backtest.
    metrics : sequence of str
        Names of `Result.metrics`, or of metrics of returns per bar (`wb.metrics.METRICS`).
    memory : int
        Bytes that may be used for what combinations have in common and for signals that wait.
    **options
        As `wb.backtest` takes them: cash, costs, fill, leverage, detail, rules, path, max_missing.

    Raises
    ------
    ConfigError
        An option or a metric is unknown.

    Notes
    -----
    Parameters of a combination are looked for among those that the strategy declares, then among its exits
    (`stop_loss take_profit trailing_stop trailing_activation max_bars size`), then among what trading costs
    (`fee maker_fee slippage_bps`), and `leverage`.
    """

    def __init__(
        self,
        strategy: SignalStrategy | type[SignalStrategy],
        bars: Bars | Iterable[Bars],
        *,
        metrics: Sequence[str] = USUAL,
        memory: int = 2 * 10**9,
        **options: Any,
    ) -> None:
        self.strategy = strategy() if isinstance(strategy, type) else strategy
        if not isinstance(self.strategy, SignalStrategy):
            raise StrategyError(
                f"a {type(self.strategy).__name__} cannot be swept: give a wb.SignalStrategy, or a class of them"
            )
        if isinstance(metrics, str):
            raise ConfigError(
                f"metrics = {metrics!r} is one name: give a list of names, [{metrics!r}]", metrics=metrics
            )
        self.bars: Bars | list[Bars] = bars if isinstance(bars, Bars) else list(bars)
        self.metrics, self.memory = tuple(metrics), memory
        unknown = [name for name in options if name not in _OPTIONS]
        if unknown:
            raise ConfigError(f"{unknown[0]!r} is no option: a backtest takes {', '.join(_OPTIONS)}", option=unknown[0])
        for name in self.metrics:
            if name not in known_metrics.METRICS and name not in ("trades",):
                raise ConfigError(f"there is no metric {name!r}; wb.metrics.METRICS lists them", metric=name)
        self.options = options
        self._lock = threading.Lock()
        self._speakers: dict[tuple[str, ...], Speaker] = {}
        self._engines: dict[Any, Engine] = {}
        self._sheet: Sheet | None = None

    def __getstate__(self) -> dict[str, Any]:
        kept = ("strategy", "bars", "metrics", "memory", "options")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        again = Evaluator(
            state["strategy"], state["bars"], metrics=state["metrics"], memory=state["memory"], **state["options"]
        )
        self.__dict__.update(again.__dict__)

    def on(self, bars: Bars | Iterable[Bars]) -> Evaluator:
        """Give the same on other bars."""
        return Evaluator(self.strategy, bars, metrics=self.metrics, memory=self.memory, **self.options)

    def replace(self, *, metrics: Sequence[str]) -> Evaluator:
        """Give the same with other metrics."""
        return Evaluator(self.strategy, self.bars, metrics=metrics, memory=self.memory, **self.options)

    def check(self, names: Iterable[str]) -> None:
        """Hold names to be such as can be varied; ConfigError for one that is not."""
        known = known_names(self.strategy)
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"{type(self.strategy).__name__} has no parameter {name!r}, and it is neither an exit nor a cost; "
                    f"what can be varied is {', '.join(known)}",
                    parameter=name,
                )

    def result(self, parameters: Mapping[str, Any]) -> Result:
        """Run one combination in full."""
        self.check(parameters)
        own = {name: value for name, value in parameters.items() if name in self.strategy.declared}
        rest = {name: value for name, value in parameters.items() if name not in own}
        options = dict(self.options)
        charged = _charged(rest)
        if charged:
            costs = options.get("costs") or Costs()
            if isinstance(costs, Mapping):
                options["costs"] = {symbol: dataclasses.replace(one, **charged) for symbol, one in costs.items()}
            else:
                options["costs"] = dataclasses.replace(costs, **charged)
        if "leverage" in rest:
            options["leverage"] = rest["leverage"]
        strategy: Any = varied(self.strategy, parameters)
        if "size" in rest:
            strategy = self._sized(strategy, float(rest["size"]), options)
        with unobserved():
            return backtest(strategy, self.bars, **options)

    def _sized(self, strategy: SignalStrategy, size: float, options: dict[str, Any]) -> dict[str, Signals]:
        """Give a strategy's signals with another size; what else is asked of the strategy goes to the options."""
        series = [self.bars] if isinstance(self.bars, Bars) else self.bars
        options.setdefault("leverage", strategy.leverage)
        rules = options.get("rules") or Rules()
        if strategy.sizing is not None or rules.sizing is not None:
            raise ConfigError(
                f"size cannot be varied where {rules.sizing or strategy.sizing!r} says how large entries are; vary its "
                "numbers instead, as parameters of the strategy that its `sizing` is made of",
                name="size",
            )
        if strategy.protections and rules.protections is None:
            options["rules"] = dataclasses.replace(rules, protections=tuple(strategy.protections))
        return {one.symbol: signals_of(strategy, one).replace(size=size) for one in series}

    def rows(self, parameters: Mapping[str, Sequence[Any]]) -> dict[str, Floats]:
        """Give the metrics of many combinations.

        Parameters
        ----------
        parameters : mapping of str to sequence, length k each

        Returns
        -------
        dict of str to float64 array, shape (k,)
            NaN for combinations that the strategy does not take.
        """
        table = self.score(parameters).table
        return dict(zip(self.metrics, table.T, strict=True))

    def table(self, parameters: Mapping[str, Any], threads: int = 1) -> tuple[Floats, NDArray[np.bool_]]:
        """Give the metrics of many combinations, shape (k, metrics), and which the strategy refused, shape (k,)."""
        scored = self.score(parameters, threads)
        refused = np.zeros(len(scored.table), dtype=np.bool_)
        refused[list(scored.refused)] = True
        return scored.table, refused

    def share_memory(self, most_bytes: int) -> None:
        """Use so much memory for what combinations have in common, and for signals that wait."""
        self.memory = most_bytes
        with self._lock:
            self._speakers.clear()
            self._sheet = None

    def score(self, parameters: Mapping[str, Any], threads: int | None = None) -> Scored:
        """Give the metrics of many combinations, and which of them the strategy does not take.

        Parameters
        ----------
        parameters : mapping of str to sequence, length k each
        threads : int, optional
            As many as there are processors when left out.
        """
        self.check(parameters)
        columns = {name: _listed(values) for name, values in parameters.items()}
        count = len(next(iter(columns.values()))) if columns else 1
        table = np.full((count, len(self.metrics)), np.nan)
        threads = threads or os.cpu_count() or 1
        refused = self._unwelcome(columns, count)
        welcome = [k for k in range(count) if k not in refused]
        if welcome:
            found = self._fast(columns, welcome, table, refused, threads)
            if not found:
                self._slow(columns, welcome, table, refused, threads)
        return Scored(table, refused)

    def _unwelcome(self, columns: Mapping[str, list[Any]], count: int) -> dict[int, str]:
        """Say of which combinations a value, or how values go together, is not what the strategy takes."""
        refused: dict[int, str] = {}
        name, declared = type(self.strategy).__name__, self.strategy.declared
        for parameter, values in columns.items():
            if parameter in declared:
                wrong = {}
                for value in set(values):
                    try:
                        declared[parameter].check(name, value)
                    except StrategyError as error:
                        wrong[value] = str(error)
                refused |= {k: wrong[value] for k, value in enumerate(values) if wrong and value in wrong}
        if type(self.strategy).validate is not Parameterised.validate:
            for k, settings in enumerate(_settings(columns, range(count))):
                if k not in refused:
                    try:
                        varied(self.strategy, settings)
                    except StrategyError as error:
                        refused[k] = str(error)
        return refused

    def _fast(
        self, columns: Mapping[str, list[Any]], places: list[int], table: Floats, refused: dict[int, str], threads: int
    ) -> bool:  # fmt: skip
        """Score what can be scored without a backtest each; False where nothing can."""
        if not isinstance(self.bars, Bars) or "leverage" in columns or not set(self.metrics) <= set(SCORES):
            return False
        first, last = ({name: values[k] for name, values in columns.items()} for k in (places[0], places[-1]))
        speaker = self._speaker(self.bars, tuple(columns), [_without_costs(first), _without_costs(last)])
        engine = self._engine(self.bars, speaker)
        if engine.reason:
            return False
        wanted = [SCORES.index(name) for name in self.metrics]
        if self._crossed(columns, places, engine, speaker, (table, wanted, threads)):
            return True
        at_once = int(max(1, min(_AT_ONCE, self.memory * (1 - _SHEET_SHARE) / threads / (4 * len(self.bars)))))
        parts = [places[k : k + at_once] for k in range(0, len(places), at_once)]

        def work(part: list[int]) -> None:
            said = list(self._spoken(columns, part, speaker, refused))
            scores = engine.run([one for _, one in said if one is not None])
            table[[k for k, one in said if one is not None]] = scores[:, wanted]
            for k, one in said:
                if one is None:
                    self._alone(columns, k, table, refused)

        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, parts):
                pass
        return True

    def _spoken(
        self, columns: Mapping[str, list[Any]], part: list[int], speaker: Speaker, refused: dict[int, str]
    ) -> Iterator[tuple[int, Compact | None]]:
        """Give what combinations say; None where one has to be backtested by itself."""
        own = self.options.get("costs") or Costs()
        for k, settings in zip(part, _settings(columns, part), strict=True):
            try:
                said = speaker.speak(_without_costs(settings))
            except StrategyError as error:
                refused[k] = str(error)
                continue
            if said is not None and (charged := _charged(settings)):
                if "fee" in charged and "maker_fee" not in charged and own.maker_fee is None:
                    charged["maker_fee"] = charged["fee"]
                said = dataclasses.replace(said, **charged)
            yield k, said

    def _crossed(
        self, columns: Mapping[str, list[Any]], places: list[int], engine: Engine, speaker: Speaker,
        out: tuple[Floats, list[int], int],
    ) -> bool:  # fmt: skip
        """Score a strategy that is nothing but the crosses of two lines; False where it is more."""
        first = {name: values[places[0]] for name, values in columns.items()}
        if (
            not isinstance(speaker, GroupedSpeaker)
            or not engine.simple
            or not set(columns) <= set(self.strategy.declared)
        ):
            return False
        found = speaker.crossing(first)
        if found is None:
            return False
        own, crossing = found
        rows: dict[Any, int] = {}
        asked: list[tuple[int, dict[str, Any]]] = []
        pairs, begin = np.empty((len(places), 2), dtype=np.int64), np.empty(len(places), dtype=np.int64)
        for k, settings in enumerate(_settings(columns, places)):
            for side, node in enumerate((crossing.fast, crossing.slow)):
                key = own.key(node, settings)
                if key not in rows:
                    rows[key] = len(asked)
                    asked.append((node, settings))
                pairs[k, side] = rows[key]
            begin[k] = own.warm_up(settings)
        bars, (table, wanted, threads) = len(self.bars), out
        if 8 * len(asked) * bars > self.memory * (1 - _SHEET_SHARE):
            return False
        lines = np.empty((len(asked), bars))

        def fill(row: int) -> bool:
            """Work a line out; False where it is not known to its end."""
            node, settings = asked[row]
            lines[row] = own.value(node, settings)
            known = ~np.isnan(lines[row])
            return bool(known[int(known.argmax()) :].all())

        with ThreadPoolExecutor(threads) as pool:
            if not all(pool.map(fill, range(len(asked)))):
                return False
        table[places] = engine.run_crosses(lines, pairs, begin, threads)[:, wanted]
        return True

    def _speaker(self, bars: Bars, names: tuple[str, ...], samples: list[dict[str, Any]]) -> Speaker:
        with self._lock:
            if names not in self._speakers:
                self._sheet = self._sheet or Sheet(int(self.memory * _SHEET_SHARE))
                self._speakers[names] = speaker_of(self.strategy, bars, samples, self._sheet)
            return self._speakers[names]

    def _engine(self, bars: Bars, speaker: Speaker) -> Engine:
        key = (speaker.manner.size_unit, repr(speaker.manner.roi))
        with self._lock:
            if key not in self._engines:
                self._engines[key] = self._made_engine(speaker, bars)
            return self._engines[key]

    def _made_engine(self, speaker: Speaker, bars: Bars) -> Engine:
        refuse_poor([bars], self.options.get("max_missing"))
        options = {"leverage": self.strategy.leverage, **self.options}
        rules = options.get("rules") or Rules()
        if rules.protections is None and self.strategy.protections:
            options["rules"] = dataclasses.replace(rules, protections=tuple(self.strategy.protections))
        if rules.sizing is None and self.strategy.sizing is not None:
            options["rules"] = dataclasses.replace(options.get("rules") or rules, sizing=self.strategy.sizing)
        engine = Engine(bars, size_unit=speaker.manner.size_unit, roi=speaker.manner.roi, **options)
        if options.get("path", "auto") == "event":
            engine.reason = "the event path was asked for"
        if self.strategy.needs_next_open and options.get("fill") == "close":
            engine.reason = "it needs the next open"  # which the backtest refuses in its own words
        return engine

    def _slow(
        self, columns: Mapping[str, list[Any]], places: list[int], table: Floats, refused: dict[int, str], threads: int
    ) -> None:  # fmt: skip
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda k: self._alone(columns, k, table, refused), places):
                pass

    def _alone(self, columns: Mapping[str, list[Any]], k: int, table: Floats, refused: dict[int, str]) -> None:
        """Backtest one combination."""
        try:
            result = self.result({name: values[k] for name, values in columns.items()})
        except StrategyError as error:
            refused[k] = str(error)
            return
        table[k] = [number_of(result, name) for name in self.metrics]

    def returns(self, parameters: Mapping[str, Sequence[Any]]) -> Floats:
        """Give the returns per bar of many combinations, fractions, shape (k, n)."""
        columns = {name: _listed(values) for name, values in parameters.items()}
        count = len(next(iter(columns.values()))) if columns else 1
        return np.array([self.result(one).returns.to_numpy() for one in _settings(columns, range(count))])


def number_of(result: Result, name: str) -> float:
    """Give a metric of a result: one of its own, or one of its returns; NaN where there is no answer."""
    told = result.metrics
    if name in told:
        value = told[name]
        return float(value) if isinstance(value, int | float) else np.nan
    function = getattr(known_metrics, name)
    returns, periods = result.returns.to_numpy(), result.periods_per_year
    kind = known_metrics.METRICS[name]
    if kind.needs == "profits":
        return float(function(result.profits[result.closed]))
    if kind.needs == "dated":
        return float(function(result.returns))
    return float(function(returns, periods) if kind.annualised else function(returns))


def combinations_of(parameters: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Turn columns of parameters into one mapping a combination."""
    return [dict(zip(parameters, values, strict=True)) for values in zip(*parameters.values(), strict=True)]


def _settings(columns: Mapping[str, list[Any]], places: Iterable[int]) -> Iterator[dict[str, Any]]:
    for k in places:
        yield {name: values[k] for name, values in columns.items()}


def _charged(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the costs that a combination says; those that are None stay as they are."""
    return {name: float(settings[name]) for name in COSTS if settings.get(name) is not None}


def _without_costs(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in COSTS}


def _listed(values: Sequence[Any]) -> list[Any]:
    """Give plain Python values; NaN stands for none."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [None if isinstance(value, float) and value != value else value for value in listed]
