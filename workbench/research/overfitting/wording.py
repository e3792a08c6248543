"""The words of a verdict: its sentence, the checks, and the sections of the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.research.overfitting.verdicts import CLAIM, Check, Level, Section

if TYPE_CHECKING:
    from workbench.research.overfitting.judging import Overfitting

__all__ = ["checks_of", "number", "percent", "sections_of", "sentence_of", "span"]

_OPENING: Final = {
    "noise": "Nothing here that luck does not explain",
    "unclear": "Perhaps something, but not shown",
    "likely real": "Likely more than luck",
}
_MOST_LINKED: Final = 6


def percent(fraction: float) -> str:
    """Write a fraction as percent, with a decimal where it is small or near the whole."""
    if math.isnan(fraction):
        return "unknown"
    if 0.0 < fraction < 0.001:
        return "under 0.1 %"
    if 0.999 < fraction < 1.0:
        return "over 99.9 %"
    return f"{fraction * 100:.{1 if fraction < 0.1 or fraction > 0.9 else 0}f} %".replace(".0 %", " %")


def number(value: float) -> str:
    """Write a ratio with two decimals."""
    return "unknown" if math.isnan(value) else f"{value:.2f}".replace("-0.00", "0.00")


def span(observations: float, periods_per_year: float) -> str:
    """Write a number of observations as a length of time."""
    if math.isnan(observations):
        return "unknown"
    years = observations / periods_per_year
    if math.isinf(years):
        return "no length of time"
    if years >= 1000.0:
        return "over a thousand years"
    if years >= 1.0:
        return f"{years:.1f} years" if years < 20.0 else f"{years:.0f} years"
    days = years * 365.0
    return f"{days:.0f} days" if days >= 2.0 else f"{days * 24.0:.1f} hours"


def _count(number_: float, what: str) -> str:
    return f"{number_:,.0f} {what}{'' if round(number_) == 1 else 's'}"


def checks_of(found: Overfitting) -> tuple[Check, Check]:
    """Make the two checks of the rule."""
    deflated = found.deflated
    best = "The best of all these trials" if found.trials.count > 1 else "A single trial"
    return (
        Check(
            name="Chance", value=found.chance, limit=CLAIM, passed=found.chance <= CLAIM,
            said=f"{best} would look at least this good in {percent(found.chance)} of worlds without any edge; "
            f"at most {percent(CLAIM)} is asked.",
        ),
        Check(
            name="Deflated Sharpe ratio", value=deflated, limit=1.0 - CLAIM, passed=deflated >= 1.0 - CLAIM,
            said=f"With {percent(deflated)} the true Sharpe ratio is above {number(found.expected_maximum * found.annual)}, "
            f"what the best of {_count(found.effective, 'independent trial')} shows by luck; at least "
            f"{percent(1.0 - CLAIM)} is asked.",
        ),
    )  # fmt: skip


def sentence_of(found: Overfitting, level: Level) -> str:
    """Write the verdict in one sentence."""
    trials = found.trials
    if math.isnan(found.chance):
        return f"{_OPENING[level]}: the chosen trial has too few returns, or none that vary, for anything to be said about it."
    what = "The only trial" if trials.count == 1 else f"The chosen one of {trials.count:,} trials"
    return (
        f"{_OPENING[level]}. {what} has a Sharpe ratio of {number(found.sharpe * found.annual)} a year over "
        f"{span(trials.observations, trials.periods_per_year)}; without any edge, the best of as many would look at "
        f"least as good with a probability of {percent(found.chance)}."
    )


def sections_of(found: Overfitting, level: Level) -> tuple[Section, ...]:
    """Write the sections of the page."""
    made = (
        Section(title="What was tried", lines=_tried(found)),
        Section(title="What can be believed", lines=_believed(found)),
        Section(title="Was the choice among the trials worth anything", lines=_choice(found)),
        Section(title="What would be needed", lines=_needed(found, level)),
        Section(title="What this page cannot see", lines=_unseen()),
    )
    return tuple(section for section in made if section.lines)


def _tried(found: Overfitting) -> tuple[str, ...]:
    trials = found.trials
    lines = [f"{_count(trials.distinct_count or 0, 'different trial')} in this study"
             + (f", in {_count(trials.raw_count or 0, 'run')} with repeats." if trials.raw_count != trials.distinct_count
                else ".")]  # fmt: skip
    if trials.linked:
        shown = [f"{name} ({number_:,})" for name, number_ in list(trials.linked.items())[:_MOST_LINKED]]
        more = len(trials.linked) - len(shown)
        lines.append(
            f"The same question was asked under other names, and those trials count too: {', '.join(shown)}"
            f"{f' and {more} more' if more > 0 else ''}. Together {trials.count:,}."
        )
    if found.clusters is None:
        lines.append(
            "Their returns are not at hand, so each is taken as independent of all others: the strictest view."
        )
    elif trials.count > 1:
        sample = "" if trials.complete else f", judged by a sample of {len(found.clusters.labels):,} of them"
        lines.append(
            f"Many did much the same. By how their returns move together they fall into "
            f"{_count(found.clusters.count, 'group')} and amount to about {_count(found.effective, 'independent trial')}"
            f"{sample}."
        )
    return tuple(lines)


def _believed(found: Overfitting) -> tuple[str, ...]:
    if math.isnan(found.chance):
        return ()
    annual, trials = found.annual, found.trials
    low, high = found.interval
    holm = found.haircuts["holm"]
    lines = [
        f"The found Sharpe ratio (mean return over its spread, a year) is {number(found.sharpe * annual)}. Taken alone, "
        f"as if nothing else had been tried, the true one lies between {number(low * annual)} and "
        f"{number(high * annual)} with 95 %."
    ]
    if trials.count > 1:
        lines.append(
            f"But it was chosen. The best of {_count(found.effective, 'independent trial')} without any edge shows "
            f"{number(found.expected_maximum * annual)}; of {trials.count:,}, {number(found.expected_maximum_raw * annual)}. "
            f"That the true one is above this (the deflated Sharpe ratio) has a probability of {percent(found.deflated)}; "
            f"of {percent(found.deflated_raw)} if all trials were independent."
        )
    if not math.isnan(holm.haircut):
        lines.append(
            f"Corrected for {_count(trials.count, 'test')} (Holm), {number(holm.sharpe * annual)} is left of the "
            f"{number(found.sharpe * annual)}: a haircut of {percent(holm.haircut)}."
        )
    if found.inflation > 1.2:
        lines.append(
            "Gains tend to follow gains in these returns, so the history tells as much as one "
            f"{found.inflation:.1f} times shorter would."
        )
    if found.against_benchmark is not None and trials.place is not None:
        p_value = float(found.against_benchmark.adjusted[trials.place])
        lines.append(
            f"Compared with the benchmark (such as buying and holding), chance explains its lead with a probability of "
            f"{percent(p_value)}: {'it is ahead' if p_value <= CLAIM else 'not shown to be any better'}."
        )
    return tuple(lines)


def _choice(found: Overfitting) -> tuple[str, ...]:
    cross = found.cross_validation
    if cross is None or math.isnan(cross.probability):
        return ()
    worth = (
        "Picking the best by its past was no better than picking one blindly: do not trust these very parameters over "
        "their neighbours."
        if cross.probability >= 0.5
        else "Picking the best by its past helped a little: look at the neighbours of the choice before trusting it."
        if cross.probability >= 0.2
        else "What was best in one half mostly stayed good in the other."
    )
    lines = [
        f"The history was cut into {cross.blocks} pieces, and each half of them chose a winner for the other half to test, "
        f"{len(cross.logits):,} times. In {percent(cross.probability)} of these the winner then fell below the middle of "
        f"all trials (the probability of backtest overfitting). {worth}",
        f"In {percent(cross.probability_of_loss)} of them the winner lost money in the half that it had not seen.",
    ]
    if math.isfinite(cross.slope):
        lines.append(
            f"The winners' Sharpe ratio was {number(float(cross.inside.mean()) * found.annual)} a year on average where "
            f"they were chosen, and {number(float(cross.outside.mean()) * found.annual)} where they were not."
        )
    return tuple(lines)


def _needed(found: Overfitting, level: Level) -> tuple[str, ...]:
    trials, year = found.trials, found.trials.periods_per_year
    if math.isnan(found.chance):
        return ("Returns that vary: a longer history, or a strategy that trades.",)
    have = span(trials.observations, year)
    if level == "likely real":
        return (
            f"The history of {have} is enough at 5 %. Before money: data that no trial has seen, and a bot on paper. "
            "Each further trial raises the bar.",
        )
    if found.sharpe <= 0.0:
        return ("The chosen trial earned nothing: no length of history makes that evidence of an edge.",)
    lines = [
        f"If the Sharpe ratio stayed at {number(found.sharpe * found.annual)}, it would take about "
        f"{span(found.needed, year)} of history for it to stand out among "
        f"{_count(found.effective, 'independent trial')}; there are {have}. For a single trial that was fixed beforehand "
        f"{span(found.minimum_track_record, year)} would do.",
    ]
    lines.append(
        "So the cheapest evidence is new data for this one choice: run it on paper, or on a market and years that no trial "
        "has seen, with parameters fixed. More trials on the same history only raise the bar."
    )
    return tuple(lines)


def _unseen() -> tuple[str, ...]:
    return (
        "Trials that were made elsewhere and are not in the ledger, ideas taken from others who tried them on the same "
        "history, look-ahead in the strategy or the data, costs that are too low, and markets that change. Each makes the "
        "truth worse than this page.",
    )
