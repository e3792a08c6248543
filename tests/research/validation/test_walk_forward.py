"""Walk-forward: what was chosen on the past is traded on what follows, at its costs, and nothing leaks."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.research.validation.markets import FREE, HOUR, Above, Ordered, of_prices, walk
from workbench.errors import ConfigError
from workbench.research.optimising import optimise
from workbench.research.validation import walk_forward

GRID = {"length": [5, 10, 20, 40]}
BARS = walk(1_200)
USUAL = {"train": 300, "test": 150, "grid": GRID}


def test_each_window_is_the_best_of_its_training_traded_on_its_test() -> None:
    found = walk_forward(Above, BARS, **USUAL)
    assert len(found) == 6 and len(found.equity) == 900
    cash = 10_000.0
    for number, window in enumerate(found.windows):
        first = 150 * number
        training = {n: wb.backtest(Above(length=n), BARS[first : first + 300]).metrics for n in GRID["length"]}
        best = max(training, key=lambda n: training[n]["sharpe_ratio"])
        assert window.parameters == {"length": best}
        assert window.choice.score.values[0] == pytest.approx(training[best]["sharpe_ratio"], rel=1e-9)
        # the definition: the strategy over all bars, entering and leaving inside the test only
        said = Above(length=best).signals(BARS[: first + 450])
        rows = np.arange(first + 450)
        inside = (rows >= first + 300) & (rows < first + 448)
        by_hand = wb.Signals(entry=said.entry & inside, exit=said.exit | (rows >= first + 448))
        equity = wb.backtest(by_hand, BARS[: first + 450], cash=cash).equity_values
        assert window.equity == pytest.approx(equity[first + 300 :], rel=1e-12)
        assert window.result.closed.all(), "nothing is left open at a border"
        cash = window.end_cash
    assert found.equity.iloc[-1] == cash
    assert found.metrics["total_return"] == pytest.approx(cash / 10_000.0 - 1.0)
    assert found.metrics["sharpe_ratio"] == pytest.approx(
        wb.metrics.sharpe_ratio(found.returns.to_numpy(), BARS.periods_per_year)
    )
    assert found.metrics["trades"] == sum(len(one.trade_records) for one in found.results)


def test_indicators_are_warm_on_the_first_bar_of_a_test() -> None:
    close = np.linspace(100.0, 200.0, 400)  # always above its mean
    found = walk_forward(Above, of_prices(close, close), train=200, test=50, grid={"length": [60]})
    for window in found.windows:
        assert window.result.trip("entry_ts").tolist() == [window.test[0] + HOUR]  # decided at the first close


def test_re_entering_at_a_border_costs_what_it_costs() -> None:
    close = np.full(400, 100.0) * np.exp(np.arange(400) * 1e-4)
    bars = of_prices(close, close)
    options = {"train": 200, "test": 50, "grid": {"length": [5]}}
    paid = walk_forward(Above, bars, costs=wb.Costs(fee=0.001, slippage_bps=0.0), **options)
    free = walk_forward(Above, bars, costs=FREE, **options)
    assert paid.equity.iloc[-1] / free.equity.iloc[-1] == pytest.approx((0.999 / 1.001) ** 4, rel=1e-3)


@pytest.mark.parametrize("anchored", [False, True])
def test_changing_what_comes_after_a_window_changes_nothing_before(anchored: bool) -> None:
    whole = walk_forward(Above, BARS, anchored=anchored, **USUAL)
    changed = np.concatenate((BARS.close[:750], BARS.close[750:] * np.linspace(1.0, 3.0, 450)))
    opened = np.concatenate(([100.0], changed[:-1]))
    other = walk_forward(Above, of_prices(opened, changed), anchored=anchored, **USUAL)
    assert other.equity_values[:450].tolist() == whole.equity_values[:450].tolist()
    assert [one.parameters for one in other.windows[:4]] == [one.parameters for one in whole.windows[:4]]
    assert other.equity_values[-1] != whole.equity_values[-1]
    cut = walk_forward(Above, BARS[:750], anchored=anchored, **USUAL)
    assert cut.equity_values.tolist() == whole.equity_values[:450].tolist()


class Leaky(wb.SignalStrategy):
    """Knows the next bar's move up to bar `known`; from there on that label is scrambled."""

    known: int = wb.param(0, low=0, high=100_000)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        rows = ((bars.ts - MOVES_START) // HOUR).astype(int)
        up = np.where(rows < self.known, MOVES[rows], SCRAMBLED[rows])
        return wb.Signals(entry=up, exit=~up)


LONG = walk(3_000, seed=8)
MOVES = np.append(LONG.close[1:] > LONG.close[:-1], False)  # of the bar that is traded next
SCRAMBLED = np.random.default_rng(1).permutation(MOVES)
MOVES_START = int(LONG.ts[0])


@pytest.mark.parametrize("anchored", [False, True])
def test_a_label_that_is_scrambled_outside_the_training_gives_chance(anchored: bool) -> None:
    """Were any bar of a test in the training, a later `known` would look better there, and the test would be too."""
    found = walk_forward(
        Leaky, LONG, train=600, test=300, anchored=anchored, costs=FREE, grid={"known": range(0, 3_001, 300)}
    )
    assert [one.parameters["known"] for one in found.windows] == list(range(600, 3_000, 300))
    assert all(one.choice.score.values[0] > 50 for one in found.windows), "in sample it knows all"
    returns = found.returns.to_numpy()
    held = (LONG.close[600:] / LONG.close[599:-1] - 1.0) * 0.5  # in the market half the time
    chance = (returns - held).mean() / (returns.std() / np.sqrt(len(returns)))
    assert abs(chance) < 3
    assert found.efficiency < 0.1


def test_a_search_in_each_window_is_the_search_on_its_bars() -> None:
    found = walk_forward(Above, BARS, train=500, test=350, trials=9, sampler="random", seed=2, objective="calmar")
    for number, window in enumerate(found.windows):
        first = 350 * number
        alone = optimise(Above, BARS[first : first + 500], trials=9, sampler="random", seed=2, objective="calmar")
        assert window.parameters == alone.best()
        assert window.choice.tried == 9


def test_several_instruments_share_the_account() -> None:
    other = walk(1_000, seed=9, symbol="ETH/USDT")
    found = walk_forward(Above, [BARS, other], **USUAL)
    assert len(found.equity) == 900 and found.equity.index.is_monotonic_increasing
    assert {bars.symbol for bars in found.windows[0].result.series} == {"BTC/USDT", "ETH/USDT"}
    assert [bars.symbol for bars in found.windows[-1].result.series] == ["BTC/USDT"]  # the other has ended
    assert all(one.result.closed.all() for one in found.windows)


def test_decisions_that_fill_at_the_close_leave_at_the_last_close() -> None:
    found = walk_forward(Above, BARS, fill="close", **USUAL)
    for window in found.windows:
        assert window.result.closed.all()
        assert window.result.trip("entry_ts").min() >= window.test[0]


def test_exits_and_costs_may_be_chosen_too() -> None:
    found = walk_forward(Above, BARS, train=300, test=300, grid={"stop_loss": [0.005, 0.2], "length": [10]})
    for window in found.windows:
        reasons = set(window.result.trades["exit_reason"])
        assert ("stop" in " ".join(reasons)) == (window.parameters["stop_loss"] == 0.005)


def test_a_training_without_an_answer_trades_nothing() -> None:
    found = walk_forward(Ordered, BARS, constraints={"trades": (">=", 1e6)}, **USUAL)
    assert (found.equity_values == 10_000.0).all() and found.results == ()
    assert found.table["trades"].sum() == 0 and np.isnan(found.efficiency)
    assert "WalkForward" in repr(found)


def test_stability_says_how_steady_the_choice_was() -> None:
    found = walk_forward(Above, BARS, **USUAL)
    chosen = np.array([one.parameters["length"] for one in found.windows], dtype=float)
    row = found.stability().loc["length"]
    assert row["changes"] == pytest.approx(np.mean(np.diff(chosen) != 0))
    assert row["drift"] == pytest.approx(np.abs(np.diff(chosen)).mean() / 35)
    assert (row["lowest"], row["highest"], row["values"]) == (chosen.min(), chosen.max(), len(set(chosen)))


def test_efficiency_and_what_it_is_compared_with() -> None:
    found = walk_forward(Above, BARS, **USUAL)
    promised = np.mean([one.choice.score.numbers["annualised_return"] for one in found.windows])
    assert promised > 0 and found.efficiency == pytest.approx(found.metrics["annualised_return"] / promised)
    table = found.compare()
    held = wb.backtest(Above(), BARS[300:]).buy_and_hold
    assert table.loc["total_return", "buy and hold"] == pytest.approx(held[-1] / 10_000.0 - 1.0)
    assert table.loc["total_return", "out of sample"] == found.metrics["total_return"]
    for figure in (found.plot(), found.plot_parameters()):
        assert figure.axes
    assert "buy and hold" in found._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": "365d", "test": "90d"}, "takes all of the 1,200 bars"),
        ({"train": 300, "test": "90d"}, "both in bars"),
        ({"train": 300, "test": 90, "objective": ["sharpe", "ulcer"]}, "chooses by one objective"),
        ({"train": 300, "test": 90, "study": "x"}, "study= keeps the trials of one search"),
        ({"train": 300, "test": 90, "anchord": True}, "no option 'anchord': did you mean 'anchored'"),
    ],
)
def test_what_cannot_be_walked_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        walk_forward(Above, BARS, **options)  # type: ignore[arg-type]
