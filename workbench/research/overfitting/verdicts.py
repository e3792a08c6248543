"""The verdict: one rule that decides, and a page that says why.

The rule. Two checks, three with a benchmark:

1. *Chance*: the probability that the best of all these trials would look at least this good if none had an edge is at
   most 5 %. Hansen's resampling where the returns of all trials are there; else also the chosen trial's own probability
   raised to the number of independent trials (`independence`), and the larger of the two.
   With a benchmark the same must hold of what is left after each trial's share of it: else a rising market passes for
   skill.
2. *Deflated Sharpe*: the deflated Sharpe ratio with the effective number of independent trials is at least 95 %.

All hold: "likely real". Chance (the larger, with a benchmark) above 10 %, or not to be computed: "noise". Else
"unclear". How often pure noise is
called likely real was simulated (tests/benchmarks/bench_overfitting.py): it must not be more than 5 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from workbench.research.overfitting.judging import Overfitting

__all__ = ["CLAIM", "DOUBT", "Check", "Level", "Section", "Verdict", "level_of", "reach"]

Level = Literal["noise", "unclear", "likely real"]
CLAIM: Final = 0.05
DOUBT: Final = 0.10


@dataclass(frozen=True, kw_only=True)
class Check:
    """One of the checks that the rule rests on.

    Parameters
    ----------
    name : str
    value : float
        What was found, a fraction; NaN where it could not be.
    limit : float
    passed : bool
    said : str
        Both in a sentence.
    """

    name: str
    value: float
    limit: float
    passed: bool
    said: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading of the page with its sentences."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """What can be believed, in a sentence and a page. Printed it is the page as text, in a notebook as HTML.

    Parameters
    ----------
    level : {"noise", "unclear", "likely real"}
    sentence : str
    checks : tuple of Check
    sections : tuple of Section
        The page without the sentence and the checks.
    name : str
        Of the study.
    """

    level: Level
    sentence: str
    checks: tuple[Check, ...]
    sections: tuple[Section, ...]
    name: str

    @property
    def text(self) -> str:
        """The page as plain text."""
        from workbench.research.overfitting.pages import verdict_text

        return verdict_text(self)

    @property
    def html(self) -> str:
        """The page as a piece of HTML: no scripts, inline styles, light and dark by the page it stands on."""
        from workbench.research.overfitting.pages import verdict_html

        return verdict_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data, ready for JSON; NaN as None."""
        return {
            "name": self.name,
            "level": self.level,
            "sentence": self.sentence,
            "checks": [
                {"name": one.name, "value": one.value if math.isfinite(one.value) else None, "limit": one.limit,
                 "passed": one.passed, "said": one.said}
                for one in self.checks
            ],
            "sections": [{"title": one.title, "lines": list(one.lines)} for one in self.sections],
        }  # fmt: skip

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Verdict {self.level}: {self.sentence}>"

    def _repr_html_(self) -> str:
        return self.html


def reach(found: Overfitting) -> Verdict:
    """Decide by the rule, and write the page."""
    from workbench.research.overfitting.wording import checks_of, sections_of, sentence_of

    checks = checks_of(found)
    level = found.level
    return Verdict(
        level=level, sentence=sentence_of(found, level), checks=checks, sections=sections_of(found, level),
        name=found.trials.name,
    )  # fmt: skip


def level_of(chance: float, deflated: float) -> Level:
    """Apply the rule."""
    if chance <= CLAIM and deflated >= 1.0 - CLAIM:
        return "likely real"
    return "unclear" if chance <= DOUBT else "noise"
