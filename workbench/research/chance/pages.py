"""The cards that a notebook shows: of a Monte Carlo, and of tests of significance. Plain HTML, no scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Final

from workbench._markup import table_of
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    from workbench.research.chance.simulated import MonteCarlo
    from workbench.research.chance.testing import Significance

__all__ = ["significance_card", "simulated_card", "table_of"]

_MUTED: Final = "color:var(--wb-muted,var(--jp-ui-font-color2,#5d656e))"
_RULE: Final = "var(--wb-grid,var(--jp-border-color2,#e4e2dc))"


def _card(title: str, under: str, inside: str, notes: Iterable[str]) -> str:
    told = "".join(f"<div>{escape(note)}</div>" for note in notes)
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:60em">'
        f"<div><strong>{escape(title)}</strong><br><span>{escape(under)}</span></div>{inside}"
        f'<div style="{_MUTED};font-size:.82em">{told}</div></div>'
    )


def simulated_card(found: MonteCarlo) -> str:
    """Write the card of a Monte Carlo: the sentence, the distribution of each metric, the year to come."""
    head = ("", "real", "5 %", "25 %", "50 %", "75 %", "95 %", "runs below")
    rows = []
    for name, row in found.table.iterrows():
        metric = METRICS[str(name)]
        values = [float(row[column]) for column in ("real", "5%", "25%", "50%", "75%", "95%")]
        rank = float(row["rank"])
        below = "cannot change" if math.isnan(rank) and not math.isnan(values[0]) else METRICS["win_rate"].text(rank)
        rows.append([metric.label, *(metric.text(value) for value in values), below])
    year = [
        [METRICS[str(name)].label, *(METRICS[str(name)].text(float(value)) for value in row)]
        for name, row in found.next_year.iterrows()
    ]
    outlook = table_of(("one year ahead", *map(str, found.next_year.columns)), year)
    under = f"{found.market}: {found.runs:,} runs by {found.method.replace('_', ' ')}, seed {found.seed}"
    inside = f"<p>{escape(found.sentence)}</p>{table_of(head, rows)}{outlook}"
    return _card(f"Monte Carlo of {found.name}", under, inside, found.notes)


def significance_card(found: Significance) -> str:
    """Write the card of tests: the sentence, one row a test with what it found, and what could not be tested."""
    rows = [
        [test.title, METRICS[test.statistic].label, METRICS[test.statistic].text(test.observed),
         METRICS[test.statistic].text(test.typical), f"{test.p_value:.3f}", f"{test.runs:,}"]
        for test in found.tests.values()
    ]  # fmt: skip
    table = table_of(("test", "measured by", "real", "by chance (median)", "p", "runs"), rows)
    told = "".join(f"<li>{escape(test.sentence)}</li>" for test in found.tests.values())
    notes = [f"{name.replace('_', ' ')}: not done, {reason}" for name, reason in found.skipped.items()]
    inside = f'<p>{escape(found.sentence)}</p>{table}<ul style="margin:.4em 0;padding-left:1.2em">{told}</ul>'
    return _card(f"Significance of {found.name}", f"{found.market}, seed {found.seed}", inside, notes)
