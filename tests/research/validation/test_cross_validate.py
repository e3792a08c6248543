"""Cross-validation: each choice is made on its training alone, and the tests join to whole paths."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.research.validation.markets import FREE, HOUR, Above, walk
from workbench.errors import ConfigError
from workbench.research.validation import CombinatorialPurged, PurgedKFold, cross_validate

BARS = walk(1_200)
GRID = {"length": [5, 10, 20, 40]}


@pytest.mark.parametrize(
    "splitter", [PurgedKFold(folds=4, purge=5, embargo=10), CombinatorialPurged(groups=5, tested=2, purge=5, embargo=9)]
)
def test_choices_and_paths_are_those_of_the_returns(splitter: PurgedKFold | CombinatorialPurged) -> None:
    found = cross_validate(Above, BARS, splitter=splitter, grid=GRID)
    returns = {n: wb.backtest(Above(length=n), BARS).returns.to_numpy() for n in GRID["length"]}
    made = []
    for row, (train, test) in zip(found.table.to_dict("records"), splitter.split(len(BARS)), strict=True):
        scores = {n: wb.metrics.sharpe_ratio(one[train], BARS.periods_per_year) for n, one in returns.items()}
        best = max(scores, key=lambda n: scores[n])
        assert row["length"] == best and row["in_sample_sharpe_ratio"] == pytest.approx(scores[best])
        assert (row["train_bars"], row["test_bars"]) == (len(train), len(test))
        made.append(best)
    if isinstance(splitter, PurgedKFold):
        whole = np.concatenate([returns[n][test] for n, (_, test) in zip(made, found.pairs, strict=True)])
        assert found.path_returns.tolist() == [whole.tolist()]
    else:
        assert found.path_returns.shape == (4, 1_200) and len(found.paths) == 4
        for path, row in zip(splitter.paths, found.path_returns, strict=True):
            for split, rows in zip(path, splitter.blocks(1_200), strict=True):
                assert row[rows].tolist() == returns[made[split]][rows].tolist()
    assert found.paths["sharpe_ratio"].iloc[0] == pytest.approx(
        wb.metrics.sharpe_ratio(found.path_returns[0], BARS.periods_per_year)
    )
    assert found.plot().axes and "median" in found._repr_html_()
    assert 0.0 <= found.chance_of_loss <= 1.0


SPLITTER = CombinatorialPurged(groups=6, tested=2)
PRICES = walk(3_000, seed=5)
MOVES = np.append(PRICES.close[1:] > PRICES.close[:-1], False)
SCRAMBLED = np.random.default_rng(2).permutation(MOVES)
PAIRS = list(SPLITTER.split(3_000))


class Leaky(wb.SignalStrategy):
    """Knows the next bar's move on the training of one split; elsewhere that label is scrambled."""

    split: int = wb.param(0, low=0, high=14)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        rows = ((bars.ts - PRICES.ts[0]) // HOUR).astype(int)
        known = np.isin(rows, PAIRS[self.split][0])
        up = np.where(known, MOVES[rows], SCRAMBLED[rows])
        return wb.Signals(entry=up, exit=~up)


def test_a_label_that_is_scrambled_outside_the_training_gives_chance() -> None:
    found = cross_validate(Leaky, PRICES, splitter=SPLITTER, grid={"split": range(15)}, costs=FREE)
    assert found.table["split"].tolist() == list(range(15)), "each choice saw its own training only"
    assert (found.table["in_sample_sharpe_ratio"] > 50).all()
    held = np.diff(PRICES.close, prepend=100.0) / np.append(100.0, PRICES.close[:-1]) * 0.5
    # the first bar after a border holds what was decided before it: it is not of the test's own making
    own = np.concatenate([rows[1:] for rows in SPLITTER.blocks(3_000)])
    for row in found.path_returns:
        beyond = (row - held)[own]
        assert abs(beyond.mean() / (row[own].std() / np.sqrt(len(own)))) < 3
    assert found.paths["sharpe_ratio"].max() < 0.1 * found.table["in_sample_sharpe_ratio"].min()


def test_without_a_grid_combinations_are_drawn_the_same_for_a_seed() -> None:
    first, second = (cross_validate(Above, BARS, trials=6, seed=3, objective="calmar") for _ in range(2))
    assert first.table.equals(second.table) and first.splitter == CombinatorialPurged(embargo=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "sqn"}, "chooses by one metric of returns"),
        ({"objective": lambda result: 1.0}, "chooses by one metric of returns"),
        ({"splitter": PurgedKFold(folds=2, purge=2_000)}, "leave nothing to train on"),
        ({"folds": 3}, "no option 'folds'"),
    ],
)
def test_what_cannot_be_cross_validated_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cross_validate(Above, BARS, grid=GRID, **options)  # type: ignore[arg-type]
