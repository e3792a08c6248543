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
_OPENING_MARKET: Final = "Nothing here that the market and luck do not explain"
_WORTH: Final = (
    "Picking the best by its past was hardly better than picking blindly: do not trust these very parameters over "
    "others.",
    "Picking the best by its past helped somewhat: look at the neighbours of the choice before trusting it.",
    "What was best in one half mostly stayed good in the other.",
)
_UNSEEN: Final = (
    "Trials that were made elsewhere and are not in the ledger, ideas taken from others who tried them on the same "
    "history, look-ahead in the strategy or the data, costs that are too low, and markets that change. Each makes the "
    "truth worse than this page."
)
_NO_BENCHMARK: Final = (
    "Whether it beats buying and holding: no benchmark was given, and in a market that rose, being long by chance "
    "looks good too."
)
_CHEAPEST: Final = (
    "The cheapest evidence is new data for this one choice, with its parameters fixed: a bot on paper, or markets and "
    "years that no trial has seen. More trials on the same history only raise the bar."
)
_MOST_LINKED: Final = 6


def percent(fraction: float) -> str:
    """Write a fraction as percent, with a decimal where it is small or near the whole."""
    if math.isnan(fraction):
        return "unknown"
    if 0.0 < fraction < 0.001:
        return "under 0.1\u00a0%"
    if 0.999 < fraction < 1.0:
        return "over 99.9\u00a0%"
    return f"{fraction * 100:.{1 if fraction < 0.1 or fraction > 0.9 else 0}f}\u00a0%".replace(".0\u00a0%", "\u00a0%")


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


def checks_of(found: Overfitting) -> tuple[Check, ...]:
    """Make the checks of the rule."""
    deflated = found.deflated
    luck = f"a year (what the best of {_count(found.effective, 'independent trial')} shows by luck)"
    bar = f"{number(found.expected_maximum * found.annual)} {luck}" if found.expected_maximum > 0.0 else "zero"
    best = "The best of all these trials" if found.trials.count > 1 else "A single trial"
    asked = f"at most {percent(CLAIM)} is asked."
    chance = f"{best} would look at least this good in {percent(found.luck)} of worlds without any edge; {asked}"
    if math.isnan(found.luck):
        chance = f"How often {best[0].lower()}{best[1:]} would look as good without any edge is not known; {asked}"
    checks = [
        Check(name="Chance", value=found.luck, limit=CLAIM, passed=found.luck <= CLAIM, said=chance),
        Check(
            name="Deflated Sharpe ratio", value=deflated, limit=1.0 - CLAIM, passed=deflated >= 1.0 - CLAIM,
            said=f"The true Sharpe ratio is above {bar} with a probability of {percent(deflated)}; "
            f"at least {percent(1.0 - CLAIM)} is asked.",
        ),
    ]  # fmt: skip
    if found.beyond is not None and not math.isnan(found.beyond.chance):
        own = found.beyond.chance
        said = (
            f"{best} would earn this much beyond its share of the benchmark in {percent(own)} of such worlds; {asked}"
        )
        checks.append(Check(name="Beyond the benchmark", value=own, limit=CLAIM, passed=own <= CLAIM, said=said))
    return tuple(checks)


def sentence_of(found: Overfitting, level: Level) -> str:
    """Write the verdict in one sentence."""
    trials, opening = found.trials, _OPENING[level]
    if math.isnan(found.chance):
        return f"{opening}: the chosen trial has too few returns, or none that vary, to say anything about it."
    what = "the only trial" if trials.count == 1 else f"the chosen one of {trials.count:,} trials"
    best = "one without any edge" if trials.count == 1 else "the best of as many without any edge"
    ratio = f"{what} has a Sharpe ratio of {number(found.sharpe * found.annual)} a year over "
    ratio += span(trials.observations, trials.periods_per_year)
    if level != "likely real" and found.luck <= CLAIM < found.chance and found.beyond is not None:
        return (
            f"{_OPENING_MARKET if level == 'noise' else opening}: {ratio}, but what it earned beyond its share of the "
            f"benchmark, {best} would earn too with a probability of {percent(found.chance)}."
        )
    return f"{opening}: {ratio}, and {best} would look at least as good with a probability of {percent(found.luck)}."


def sections_of(found: Overfitting, level: Level) -> tuple[Section, ...]:
    """Write the sections of the page."""
    made = (
        Section(title="What was tried", lines=_tried(found)),
        Section(title="What can be believed", lines=_believed(found)),
        Section(title="What choosing among the trials was worth", lines=_choice(found)),
        Section(title="What would be needed", lines=_needed(found, level)),
        Section(title="What this page cannot see", lines=_unseen(found)),
    )
    return tuple(section for section in made if section.lines)


def _unseen(found: Overfitting) -> tuple[str, ...]:
    return (_UNSEEN,) if found.beyond is not None else (_NO_BENCHMARK, _UNSEEN)


def _tried(found: Overfitting) -> tuple[str, ...]:
    trials, clusters = found.trials, found.clusters
    again = f", in {_count(trials.raw_count or 0, 'run')} with repeats"
    lines = [
        f"{_count(trials.distinct_count or 0, 'different trial')} in this study"
        f"{again if trials.raw_count != trials.distinct_count else ''}."
    ]
    if trials.linked:
        shown = [f"{name} ({many:,})" for name, many in list(trials.linked.items())[:_MOST_LINKED]]
        more = len(trials.linked) - len(shown)
        lines.append(
            f"The same question was asked under other names, and those trials count too: {', '.join(shown)}"
            f"{f' and {more} more' if more > 0 else ''}. Together {trials.count:,}."
        )
    if trials.count > 1 and clusters is None:
        lines.append(
            "Their returns are not at hand, so each is taken as independent of the others: the strictest view."
        )
    elif trials.count > 1 and clusters is not None:
        sample = "" if trials.complete else f", judging by {len(clusters.labels):,} of them"
        lines.append(
            f"Trials on one history do much the same. By how their returns move together these form "
            f"{_count(clusters.count, 'group')} and amount to about "
            f"{_count(found.effective, 'independent trial')}{sample}."
        )
    return tuple(lines)


def _believed(found: Overfitting) -> tuple[str, ...]:
    if math.isnan(found.chance):
        return ()
    trials, holm = found.trials, found.haircuts["holm"]
    ratio, low, high, bar, raw = (
        number(one * found.annual)
        for one in (found.sharpe, *found.interval, found.expected_maximum, found.expected_maximum_raw)
    )
    lines = [
        f"The Sharpe ratio found (mean return over its spread, a year) is {ratio}. Taken alone, as if nothing else had "
        f"been tried, the true one lies between {low} and {high} with 95 %."
    ]
    if trials.count > 1:
        lines.append(
            f"But it was chosen. Without any edge the best of {_count(found.effective, 'independent trial')} shows "
            f"{bar}, the best of {trials.count:,} shows {raw}. The deflated Sharpe ratio is the probability that the "
            f"true one is above this: {percent(found.deflated)}, or {percent(found.deflated_raw)} if all trials were "
            "independent."
        )
    if trials.count > 1 and not math.isnan(holm.haircut):
        lines.append(
            f"Corrected for {_count(trials.count, 'test')} by Holm's method, {number(holm.sharpe * found.annual)} of "
            f"the {ratio} is left: a haircut of {percent(holm.haircut)}."
        )
    if found.inflation > 1.2:
        lines.append(
            f"Gains tend to follow gains here, so the history tells only as much as one {found.inflation:.1f} times "
            "shorter whose returns are independent."
        )
    return (*lines, *_beside(found))


def _beside(found: Overfitting) -> tuple[str, ...]:
    """Compare with the benchmark, where there is one."""
    beyond = found.beyond
    if beyond is None or math.isnan(beyond.chance):
        return ()
    alpha = beyond.alpha * found.trials.periods_per_year
    earned = f"lost {percent(-alpha)}" if alpha < 0.0 else f"earned {percent(alpha)}"
    return (
        f"The benchmark (such as buying and holding) explains a part: the trial moved with {number(beyond.beta)} of "
        f"it, and beyond that share {earned} a year, a Sharpe ratio of {number(beyond.sharpe * found.annual)}.",
    )


def _choice(found: Overfitting) -> tuple[str, ...]:
    cross = found.cross_validation
    if cross is None or math.isnan(cross.probability):
        return ()
    worth = _WORTH[0 if cross.probability >= 0.4 else 1 if cross.probability >= 0.1 else 2]
    inside, outside = (number(float(one.mean()) * found.annual) for one in (cross.inside, cross.outside))
    return (
        f"The history was cut into {cross.blocks} pieces, and {len(cross.logits):,} times one half of them chose a "
        f"winner for the other half to test. In {percent(cross.probability)} of these the winner fell below the "
        f"middle of all trials (the probability of backtest overfitting), in {percent(cross.probability_of_loss)} it "
        f"lost money. {worth}",
        f"The winners' Sharpe ratio was {inside} a year on average where they were chosen, and {outside} where they "
        "were not.",
    )


def _needed(found: Overfitting, level: Level) -> tuple[str, ...]:
    trials, year = found.trials, found.trials.periods_per_year
    if math.isnan(found.chance):
        return ("Returns that vary: a longer history, or a strategy that trades.",)
    have = span(trials.observations, year)
    if level == "likely real":
        return (
            f"The history of {have} is enough at {percent(CLAIM)}. Before money: data that no trial has seen, and a "
            "bot on paper. Each further trial raises the bar.",
        )
    if found.sharpe <= 0.0:
        return ("The chosen trial earned nothing: no length of history makes that evidence of an edge.",)
    alone = f" For a single trial that was fixed beforehand {span(found.minimum_track_record, year)} would do."
    return (_length(found) + (alone if trials.count > 1 else ""), _CHEAPEST)


def _length(found: Overfitting) -> str:
    """Say how long a history it would take."""
    trials, year = found.trials, found.trials.periods_per_year
    have, among = span(trials.observations, year), _count(found.effective, "independent trial")
    what, needed = f"the Sharpe ratio stayed at {number(found.sharpe * found.annual)}", found.needed
    if found.luck <= CLAIM < found.chance and found.beyond is not None:
        what = f"the Sharpe ratio beyond the benchmark stayed at {number(found.beyond.sharpe * found.annual)}"
        needed = found.needed_beyond
    if math.isinf(needed):
        return (
            "Beyond its share of the benchmark it earned nothing: no length of history makes that evidence of an edge."
        )
    if needed <= trials.observations:
        return f"The history of {have} is nearly enough for the best of {among}; a little more may settle it."
    return (
        f"If {what}, it would take about {span(needed, year)} of history to stand out among {among}; there are {have}."
    )
