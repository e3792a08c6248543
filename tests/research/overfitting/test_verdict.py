"""The verdict: how often noise is believed, how power grows, what the page says, and what wrong input does."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.research.overfitting.studies import (
    NOISE,
    independent,
    level_of,
    level_of_study,
    planted,
    rising,
    sampled,
    sma_crosses,
    trending,
)
from workbench.errors import DataError
from workbench.research.overfitting import Overfitting, Trials, deflated_sharpe, judge
from workbench.research.overfitting.tables import MEANINGS


def most(studies: int, share: float = 0.05) -> float:
    """The largest count of false claims that is at most a share, plus three standard errors of sampling."""
    return studies * share + 3.0 * math.sqrt(studies * share * (1.0 - share))


@pytest.fixture(scope="module")
def noise() -> Overfitting:
    returns = sma_crosses(900, np.random.default_rng(3))
    base = independent(900, np.random.default_rng(0), trials=1)[:, 0]
    return judge(
        Trials.of_returns(
            returns, periods_per_year=365, name="sma on <btc>", raw_count=80, benchmark=base,
            linked={"sma again": 66, "btc trend": 33},
        ),
        draws=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Overfitting:
    returns = planted(2_000, np.random.default_rng(1), annual_sharpe=3.5)
    return judge(Trials.of_returns(returns, periods_per_year=365), draws=300)


def test_noise_is_seldom_believed() -> None:
    levels = Counter(level_of(make, 250, seed, draws=200) for make in NOISE.values() for seed in range(4))
    levels += Counter(level_of_study(make, 250, seed) for make in (sampled, rising) for seed in range(4))
    studies = sum(levels.values())
    assert studies == 40 and levels["likely real"] <= most(studies)
    assert levels["noise"] >= studies * 0.7


@pytest.mark.long
@pytest.mark.parametrize("days", [250, 1_000])
@pytest.mark.parametrize("family", [*NOISE, "sampled", "rising"])
def test_noise_is_believed_in_at_most_one_study_of_twenty(family: str, days: int) -> None:
    if family in NOISE:
        levels = Counter(level_of(NOISE[family], days, seed) for seed in range(200))
    else:
        make = {"sampled": sampled, "rising": rising}[family]
        levels = Counter(level_of_study(make, days, seed) for seed in range(200))
    assert levels["likely real"] <= most(200)
    assert levels["noise"] >= 150


def test_power_grows_with_length() -> None:
    found = [sum(level_of(planted, days, seed, draws=200) == "likely real" for seed in range(6)) for days in
             (250, 1_500, 3_500)]  # fmt: skip
    assert found == sorted(found) and found[0] <= 1 and found[-1] >= 5


@pytest.mark.long
@pytest.mark.parametrize("make", [planted, trending])
def test_power_grows_to_near_certainty(make: Any) -> None:
    found = [
        sum(level_of(make, days, seed) == "likely real" for seed in range(40)) for days in (365, 1_460, 5_840, 11_680)
    ]
    assert found[0] < found[1] < found[2] <= found[3] and found[3] >= 34


def test_the_page_of_noise(noise: Overfitting) -> None:
    verdict = noise.verdict()
    assert verdict.level == "noise" and not any(check.passed for check in verdict.checks)
    assert verdict.sentence.startswith("Nothing here that luck does not explain: the chosen one of 165 trials")
    page = str(verdict)
    for said in (
        "SMA ON <BTC>: NOISE".lower(), "66 different trials in this study, in 80 runs with repeats",
        "sma again (66), btc trend (33). Together 165.", "independent trials", "deflated Sharpe ratio", "haircut",
        "12,870 times", "benchmark", "of history to stand out", "What this page cannot see",
    ):  # fmt: skip
        assert said in " ".join(page.replace("\N{NO-BREAK SPACE}", " ").split()) or said in page.lower()
    assert max(map(len, page.splitlines())) <= 100
    assert "nan" not in page.lower().split() and "inf" not in page.lower().split()


def test_the_page_of_an_edge(real: Overfitting) -> None:
    verdict = real.verdict()
    assert verdict.level == "likely real" and all(check.passed for check in verdict.checks)
    assert real.trials.chosen == 0
    assert "is enough at" in verdict.text and "What was best in one half mostly stayed good" in " ".join(
        verdict.text.split()
    )


def test_html_is_escaped_and_plain_data_is_json(noise: Overfitting) -> None:
    verdict = noise.verdict()
    for page in (verdict._repr_html_(), noise._repr_html_()):
        assert "sma on &lt;btc&gt;" in page and "<btc>" not in page and "<script" not in page
    assert json.loads(json.dumps(verdict.to_dict(), allow_nan=False))["level"] == "noise"
    assert repr(noise) == "<Overfitting of 'sma on <btc>': noise, 165 trials>"


def test_the_table_has_every_number_and_its_meaning(noise: Overfitting) -> None:
    table = noise.table
    assert table.columns.tolist() == ["name", "value", "meaning"] and table["name"].tolist() == list(MEANINGS)
    assert table["value"].notna().all()
    value = table.set_index("name")["value"]
    assert value["trials_counted"] == 165 and value["trials_run"] == 80
    assert value["sharpe_ratio"] == pytest.approx(noise.trials.sharpe.max() * math.sqrt(365))
    assert value["deflated_sharpe_raw"] == pytest.approx(
        deflated_sharpe(
            noise.sharpe, 900 / noise.inflation, trials=165, variance=noise.trials.sharpe.var(ddof=1), skew=noise.skew,
            kurtosis=noise.kurtosis,
        )
    )  # fmt: skip
    assert value["deflated_sharpe"] > value["deflated_sharpe_raw"]
    assert value["sharpe_low"] < value["sharpe_ratio"] < value["sharpe_high"]


def test_a_rising_market_does_not_pass_for_skill() -> None:
    study = rising(3_000, np.random.default_rng(2))
    found = judge(study, draws=300)
    assert found.luck <= 0.05 and found.deflated >= 0.95  # the Sharpe ratio is real enough
    verdict = found.verdict()
    assert verdict.level == "noise" and [check.passed for check in verdict.checks] == [True, True, False]
    assert verdict.sentence.startswith("Nothing here that the market and luck do not explain")
    assert found.beyond is not None and 0.2 < found.beyond.beta < 0.8
    assert judge(dataclasses.replace(study, benchmark=None), draws=300).level == "likely real"


def test_skill_beyond_the_market_is_seen() -> None:
    study = rising(3_000, np.random.default_rng(2))
    returns = np.array(study.returns)
    returns[:, 5] += 0.12 * returns[:, 5].std()
    found = judge(Trials.of_returns(returns, periods_per_year=365, benchmark=study.benchmark), draws=300)
    value = found.table.set_index("name")["value"]
    assert found.level == "likely real" and found.trials.chosen == 5 and value["luck_beyond_benchmark"] < 0.05
    slope, intercept = np.polyfit(np.array(study.benchmark), returns[:, 5], 1)
    assert value["benchmark_beta"] == pytest.approx(slope)
    assert value["benchmark_alpha"] == pytest.approx(intercept * 365)


def test_more_trials_raise_the_bar(real: Overfitting) -> None:
    crowded = judge(dataclasses.replace(real.trials, linked={"before": 2_000_000}), draws=200)
    assert crowded.effective > real.effective and crowded.chance > real.chance
    assert crowded.deflated < real.deflated and crowded.needed > real.needed
    assert crowded.haircuts["holm"].haircut > real.haircuts["holm"].haircut


def test_a_sample_judges_as_the_whole() -> None:
    part = judge(sampled(600, np.random.default_rng(4)), draws=200)
    assert part.trials.count > len(part.clusters.labels)  # type: ignore[union-attr]
    assert part.independence is not None and part.independence.of(part.trials.count) >= part.independence.count
    bare = judge(dataclasses.replace(part.trials, returns=None, columns=None))
    assert bare.effective == bare.trials.count and bare.chance >= part.chance - 1e-9
    assert "strictest view" in bare.verdict().text and bare.cross_validation is None
    assert math.isnan(bare.table.set_index("name")["value"]["spa_p_value"])


def test_the_chart_draws_what_there_is(noise: Overfitting) -> None:
    titles = [axes.get_title(loc="left") or axes.get_title() for axes in noise.plot().axes]
    assert titles[0].startswith("Sharpe ratio a year") and "below middle" in titles[1] and "Winners" in titles[2]
    bare = Trials(sharpe=[math.nan], observations=100, skew=[0.0], kurtosis=[3.0], periods_per_year=365)
    words = [text.get_text() for axes in judge(bare).plot().axes for text in axes.texts]
    assert "No trial has returns that vary" in words and words.count("Too few trials or returns to compare") == 2


NOTHING = [
    np.zeros((100, 3)), np.full((50, 1), math.nan), np.zeros((1, 2)), np.empty((0, 1)), np.full((60, 2), 0.01),
    np.resize([0.01, -0.02, 0.0, 0.003, -0.01], (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("returns", NOTHING)
def test_nothing_to_judge_is_noise_without_a_warning(returns: Any) -> None:
    found = judge(Trials.of_returns(returns, periods_per_year=365))
    verdict = found.verdict()
    assert verdict.level == "noise" and verdict.text and verdict.html and found._repr_html_() and found.plot()


def test_a_losing_choice_is_noise() -> None:
    returns = independent(500, np.random.default_rng(2), trials=5) - 0.002
    verdict = judge(Trials.of_returns(returns, periods_per_year=365, chosen=3)).verdict()
    assert verdict.level == "noise" and "earned nothing" in verdict.text


def test_returns_of_a_frame_and_the_chosen_column() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(independent(200, np.random.default_rng(2), trials=4), columns=list("abcd"))
    trials = Trials.of_returns(frame, periods_per_year=252, chosen=2)
    assert trials.place == 2 and trials.complete and trials.count == 4 and trials.years == pytest.approx(200 / 252)
    assert judge(trials, draws=200).sharpe == pytest.approx(frame["c"].mean() / frame["c"].std())


OK: dict[str, Any] = {"sharpe": [0.1, 0.2], "observations": 50, "skew": [0, 0], "kurtosis": [3, 3],
                      "periods_per_year": 365}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sharpe": []}, r"shape \(2,\); give shape \(0,\)"),
        ({"sharpe": [], "skew": [], "kurtosis": []}, "no trial to judge"),
        ({"skew": [0.0]}, r"skew has shape \(1,\); give shape \(2,\)"),
        ({"kurtosis": ["fat", "thin"]}, "kurtosis must be numbers"),
        ({"observations": 1.5}, "observations is 1.5"),
        ({"chosen": 2}, "chosen is 2; give the position of a trial, 0 to 1"),
        ({"periods_per_year": 0}, "periods_per_year is 0"),
        ({"distinct_count": 0}, "distinct_count is 0"),
        ({"raw_count": 1}, "raw_count is 1, below the 2 different trials"),
        ({"linked": {"other": -1}}, "linked study 'other' has -1"),
        ({"returns": np.zeros((50, 1))}, "returns of 1 out of 2 trials: say which"),
        ({"returns": np.zeros((50, 1)), "columns": [0]}, "returns of the chosen trial 1 are not among"),
        ({"returns": np.zeros((50, 1)), "columns": [5]}, "position from 0 to 1 for each of the 1"),
        ({"returns": np.zeros(50)}, "trials in columns"),
        ({"returns": np.zeros((50, 2)), "benchmark": np.zeros(3)}, r"benchmark has shape \(3,\)"),
    ],
)
def test_wrong_trials_are_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Trials(**{**OK, **change})


def test_wrong_questions_are_named() -> None:
    with pytest.raises(DataError, match="judge needs Trials, found list"):
        judge([0.1])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="100 or more"):
        judge(Trials(**OK), draws=10)
