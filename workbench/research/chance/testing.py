"""`significance`: whether a strategy did better than chance would have, asked in four ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.result import Result
from workbench.backtest.run import backtest, unobserved
from workbench.errors import ConfigError, WorkbenchError
from workbench.research.chance.candles import again_of, rerun
from workbench.research.chance.drawing import require_enough, trade_returns
from workbench.research.chance.entries import frozen_placing, placed_nb, placings_of, real_steps
from workbench.research.chance.pieces import in_pieces
from workbench.research.chance.resampling import block_length, draw, states_of, walk
from workbench.research.spreading import Place
from workbench.risk import metrics

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["ChanceTest", "Significance", "TestName", "p_value_of", "significance"]

Floats = NDArray[np.float64]
TestName = Literal["random_entries", "returns", "permuted_candles", "trade_order"]

_LEVEL: Final = 0.05
_MOST_CANDLES: Final = 200  # runs on candles when nobody asked for that test by name
_MOST_RUNS: Final = 100_000
_NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ChanceTest:
    """One test: what happened, and what chance alone gave.

    Attributes
    ----------
    name, title : str
    statistic : str
        The metric that is compared; a name of `wb.metrics.METRICS`.
    observed : float
        Of what happened.
    null : float64 array, shape (runs,)
        Of the runs of chance.
    p_value : float
        (b + 1) / (runs + 1), where b runs were at least as extreme.
    sentence : str
    """

    name: TestName
    title: str
    statistic: str
    observed: float
    null: Floats
    p_value: float
    sentence: str

    @property
    def runs(self) -> int:
        """How many runs there were."""
        return len(self.null)

    @property
    def typical(self) -> float:
        """Median of the runs."""
        return float(np.median(self.null))

    def plot(self) -> Figure:
        """Draw what chance gave, and what happened as a line."""
        from workbench.research.chance.charts import spread_chart

        title = f"{self.title.lower()}, p = {self.p_value:.3f}"
        return spread_chart(self.null, self.observed, metrics.METRICS[self.statistic], title)

    def __repr__(self) -> str:
        return f"<ChanceTest {self.name}: p = {self.p_value:.4f}, {self.statistic} {self.observed:.4f}>"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Significance:
    """What the tests of a result found.

    Attributes
    ----------
    name, market : str
    seed : int
    tests : mapping of str to ChanceTest
    skipped : mapping of str to str
        Tests that could not be done, and why.
    """

    name: str
    market: str
    seed: int
    tests: Mapping[str, ChanceTest]
    skipped: Mapping[str, str]

    @property
    def table(self) -> pd.DataFrame:
        """One row a test: `statistic observed chance` (median of the runs) `p_value runs`."""
        import pandas as pd

        columns = ["statistic", "observed", "chance", "p_value", "runs"]
        rows = {
            one.name: [one.statistic, one.observed, one.typical, one.p_value, one.runs] for one in self.tests.values()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("test")

    @property
    def sentence(self) -> str:
        """What the tests of the edge say together, in words; the order of trades says nothing about an edge."""
        found = {one.title.lower(): one.p_value for one in self.tests.values() if one.name != "trade_order"}
        if not found:
            return "No test of the edge could be done."
        good = [title for title, p in found.items() if p <= _LEVEL]
        if len(good) == len(found):
            told = f"Better than chance by every test done (largest p = {max(found.values()):.3f})"
        elif not good:
            told = f"Nothing here that chance would not give (smallest p = {min(found.values()):.3f})"
        else:
            rest = [title for title in found if title not in good]
            told = f"The tests disagree: better than chance by {', '.join(good)}, not by {', '.join(rest)}"
        return f"{told}. This judges one strategy by itself: one that was chosen among many must clear a higher bar."

    def plot(self) -> Figure:
        """Draw for each test what chance gave, and what happened as a line."""
        from workbench.research.chance.charts import nulls_chart

        return nulls_chart(self)

    def __repr__(self) -> str:
        told = ", ".join(f"{one.name} p = {one.p_value:.3f}" for one in self.tests.values())
        return f"<Significance of {self.name} on {self.market}: {told}>"

    def _repr_html_(self) -> str:
        from workbench.research.chance.pages import significance_card

        return significance_card(self)


def significance(
    subject: Any,
    bars: Any = None,
    *,
    tests: Sequence[TestName] | None = None,
    runs: int = 1_000,
    seed: int = 0,
    executor: Place = None,
    **options: Any,
) -> Significance:
    """Test whether a strategy did better than chance.

    Parameters
    ----------
    subject : Result, or strategy
    bars : Bars or list of Bars, optional
        With a strategy: what to run it on.
    tests : sequence of str, optional
        All that can be done when left out.

        - "random_entries": total return of the trades beside that of as many trades at random places, with the same
          holding times, sides, weights and costs.
        - "returns": mean return per bar beside that of its own blocks, moved to a mean of zero (White's reality check
          of a single rule).
        - "permuted_candles": total return beside that of the same strategy on the same candles in random order.
        - "trade_order": deepest fall between trades beside that of the same trades in random order. It says whether
          losses come in clusters; the order of trades does not change their total return, so nothing about an edge.
    runs : int, default 1000
        At most 100,000. Where `tests` is left out, the candles get at most 200.
    seed : int, default 0
        The same seed gives the same numbers, whatever the number of threads.
    executor : optional
        Who runs strategies on candles, as in `research.spreading.spread`; threads when left out.
    **options
        With a strategy: of `wb.backtest`.

    Returns
    -------
    Significance

    Raises
    ------
    ConfigError
        An option is out of range, or a test that was named cannot be done.
    DataError
        There are too few trades or bars, for every test.

    Notes
    -----
    p-values are (b + 1) / (runs + 1) (Davison and Hinkley 1997), uniform where there is no edge. Random entries and
    permuted candles leave the rise of the market to chance as well; `returns` compares with zero and does not. Of
    several instruments each gets its random places by itself, and permuted candles keep what moved together.

    White (2000), A Reality Check for Data Snooping; Masters (2018), Testing and Tuning Market Trading Systems;
    Aronson (2006), Evidence-Based Technical Analysis.
    """
    result = _result_of(subject, bars, options)
    chosen: Sequence[TestName] = get_args(TestName) if tests is None else _names(tests)
    if isinstance(runs, bool) or not isinstance(runs, (int, np.integer)) or not 1 <= runs <= _MOST_RUNS:
        raise ConfigError(f"runs = {runs!r}: give a whole number from 1 to {_MOST_RUNS:,}", runs=runs)
    done: dict[str, ChanceTest] = {}
    skipped: dict[str, str] = {}
    for name in chosen:
        count = min(runs, _MOST_CANDLES) if tests is None and name == "permuted_candles" else runs
        try:
            done[name] = _TESTS[name](result, int(count), seed, executor)
        except WorkbenchError as error:
            if tests is not None or (name == chosen[-1] and not done):
                raise
            skipped[name] = str(error)
    return Significance(name=result.name, market=result.market, seed=seed, tests=done, skipped=skipped)


def _result_of(subject: Any, bars: Any, options: Mapping[str, Any]) -> Result:
    if not isinstance(subject, Result):
        if bars is None:
            raise ConfigError(f"significance of {subject!r}: give a Result, or a strategy and the bars to run it on")
        return backtest(subject() if isinstance(subject, type) else subject, bars, **options)
    if bars is not None or options:
        given = ["bars"] * (bars is not None) + list(options)
        raise ConfigError(
            f"a Result has its bars and terms: leave out {', '.join(given)}, or give the strategy instead"
        )
    return subject


def _names(tests: Any) -> Sequence[TestName]:
    names: list[Any] = [tests] if isinstance(tests, str) else list(tests)
    wrong = [name for name in names if name not in get_args(TestName)]
    if wrong or not names:
        raise ConfigError(f"tests = {tests!r}: choose among {', '.join(map(repr, get_args(TestName)))}")
    return names


def p_value_of(null: Floats, observed: float, *, low: bool = False) -> float:
    """Give (b + 1) / (n + 1), where b of n values are at least as high as the observed one (as low, where asked so)."""
    near = 1e-12 * max(1.0, abs(observed))
    beaten = null <= observed + near if low else null >= observed - near
    return float((np.count_nonzero(beaten) + 1) / (len(null) + 1))


def _random_entries(result: Result, runs: int, seed: int, _: Place) -> ChanceTest:
    require_enough(len(result.trade_records), "trades", 2, "give a longer history")
    grown, real = np.zeros(runs), 0.0
    for book, placing in enumerate(placings_of(result)):
        states = states_of(seed, runs, 10 + book)
        states.flags.writeable = False
        grown += placed_nb(frozen_placing(placing), states)
        real += real_steps(placing)
    null, observed = np.expm1(grown), float(np.expm1(real))
    p = p_value_of(null, observed)
    text = metrics.METRICS["total_return"].text
    told = (
        f"{len(result.trade_records):,} trades at random places, as long, on the same sides and at the same costs, did "
        f"as well or better in {round(p * (runs + 1)) - 1:,} of {runs:,} runs: {text(float(np.median(null)))} in the "
        f"middle, against {text(observed)} (p = {p:.3f}).{_inside(result, observed)}"
    )
    return ChanceTest(
        name="random_entries", title="Random entries", statistic="total_return", observed=observed, null=null,
        p_value=p, sentence=told,
    )  # fmt: skip


def _inside(result: Result, observed: float) -> str:
    """Say it where fills inside bars made the trades worth something else than their bars' opens and closes do."""
    really = float(result.profits.sum()) / result.cash
    if abs(really - observed) <= 1e-6 * max(1.0, abs(really)):
        return ""
    text = metrics.METRICS["total_return"].text
    return f" All are measured at opens and closes of bars; fills inside bars really made it {text(really)}."


def _returns(result: Result, runs: int, seed: int, _: Place) -> ChanceTest:
    returns = metrics.returns_of(result.equity_values, result.cash)
    require_enough(len(returns), "bars", 10, "give a longer history")
    mean, periods = float(returns.mean()), result.periods_per_year
    block = block_length(returns, None)
    facts, _paths = draw(returns - mean, states_of(seed, runs, 2), len(returns), block=block, shown=_NOTHING)
    null = facts["mean"] * periods
    p = p_value_of(null, mean * periods)
    text = metrics.METRICS["annualised_mean"].text
    told = (
        f"With a true mean of zero, the mean return would be as high as {text(mean * periods)} a year with probability "
        f"{p:.3f} (blocks of {block:.1f} bars). The rise of the market counts for the strategy here."
    )
    return ChanceTest(
        name="returns", title="Mean return", statistic="annualised_mean", observed=mean * periods, null=null,
        p_value=p, sentence=told,
    )  # fmt: skip


def _permuted_candles(result: Result, runs: int, seed: int, executor: Place) -> ChanceTest:
    require_enough(len(result.bars), "bars", 10, "give a longer history")
    again = again_of(result, change="permuted", states=states_of(seed, runs, 3), shown=_NOTHING)
    # The runs have no finer bars, so what happened is measured without them too.
    real = rerun_real(again) if result.detail else float(result.metrics["total_return"])  # type: ignore[arg-type]
    null = in_pieces(rerun, again, runs, most=32, executor=executor)["total_return"]
    p = p_value_of(null, real)
    text = metrics.METRICS["total_return"].text
    told = (
        f"On the same candles in random order, where nothing can be foreseen, the strategy made "
        f"{text(float(np.median(null)))} in the middle of {runs:,} runs, against {text(real)} (p = {p:.3f})."
    )
    return ChanceTest(
        name="permuted_candles", title="Permuted candles", statistic="total_return", observed=real, null=null,
        p_value=p, sentence=told,
    )  # fmt: skip


def rerun_real(again: Any) -> float:
    """Give the total return on the real candles, on the terms of the runs."""
    bars = list(again.bars)
    with unobserved():
        found = backtest(again.strategy, bars if len(bars) > 1 else bars[0], **again.options)
    return float(found.metrics["total_return"])  # type: ignore[arg-type]


def _trade_order(result: Result, runs: int, seed: int, _: Place) -> ChanceTest:
    returns = trade_returns(result).returns
    real, _path = walk(returns, _NOTHING)
    facts, _paths = draw(returns, states_of(seed, runs, 4), len(returns), without=True, shown=_NOTHING)
    null, observed = facts["deepest"], float(real["deepest"][0])
    p = p_value_of(null, observed, low=True)
    text = metrics.METRICS["max_drawdown"].text
    how = "come in clusters" if p <= _LEVEL else "come as chance would order them"
    told = (
        f"Losses {how}: in random order the deepest fall between trades is {text(float(np.median(null)))} in the "
        f"middle, against {text(observed)} (p = {p:.3f}). "
        "Another order does not change the total return, so this says nothing about an edge."
    )
    return ChanceTest(
        name="trade_order", title="Trade order", statistic="max_drawdown", observed=observed, null=null, p_value=p,
        sentence=told,
    )  # fmt: skip


_TESTS: Final[Mapping[str, Callable[[Result, int, int, Place], ChanceTest]]] = {
    "random_entries": _random_entries,
    "returns": _returns,
    "permuted_candles": _permuted_candles,
    "trade_order": _trade_order,
}
