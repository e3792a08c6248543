"""What the doctor said of runs, read from what they recorded, for the index page and the summary notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workbench.research.run import Run

__all__ = ["Verdict", "count_of", "verdict_of"]

# Worst first: the words that `Diagnosis.named_results` records, each with the tone of its pill.
_TONES: Final = {"critical": "negative", "warning": "warning", "note": "muted", "fine": "positive"}
_WORDS: Final = tuple(_TONES)


@dataclass(frozen=True)
class Verdict:
    """The worst of what the doctor found in one run.

    Parameters
    ----------
    word : str
        A severity: critical, warning, note or fine.
    tone : str
        How it is coloured: the modifier of a `wb-pill`.
    rank : int
        1 for fine up to 4 for critical, to sort by.
    says : str
        Which findings are that bad, in a few words; may be empty.
    """

    word: str
    tone: str
    rank: int
    says: str


def verdict_of(run: Run) -> Verdict | None:
    """Give the verdict that a run recorded; None where it recorded none, or something else by that name."""
    word, says = run.metrics.get("doctor_worst"), run.metrics.get("doctor_says")
    if not run.succeeded or not isinstance(word, str) or word not in _TONES:
        return None
    return Verdict(word, _TONES[word], len(_WORDS) - _WORDS.index(word), says if isinstance(says, str) else "")


def count_of(runs: Sequence[Run], word: str) -> tuple[int, int]:
    """Count the runs whose worst finding is of a severity, and all that recorded a verdict."""
    verdicts = [verdict for run in runs if (verdict := verdict_of(run)) is not None]
    return sum(verdict.word == word for verdict in verdicts), len(verdicts)
