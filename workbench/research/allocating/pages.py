"""The card that a notebook shows for an allocation. Plain HTML, no scripts."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from workbench.backtest.html import sparkline
from workbench.research.chance.pages import table_of
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    from workbench.research.allocating.allocation import Allocation

__all__ = ["allocation_card"]

_MUTED: Final = "color:var(--wb-muted,var(--jp-ui-font-color2,#5d656e))"
_RULE: Final = "var(--wb-grid,var(--jp-border-color2,#e4e2dc))"


def allocation_card(found: Allocation) -> str:
    """Write the card: the sentence, the allocation beside its parts, what each part did, the terms."""
    table = found.table
    head = ["", *(METRICS[name].label for name in table.columns)]
    rows = [
        [
            found.method.replace("_", " ") if number == 0 else str(label),
            *(METRICS[name].text(float(row[name])) for name in table.columns),
        ]
        for number, (label, row) in enumerate(table.iterrows())
    ]
    parts = [[str(label), *(_percent(float(value)) for value in row)] for label, row in found.contributions.iterrows()]
    index = found.inputs.index
    title = f"{found.method.replace('_', ' ')} of {len(found.names)} strategies"
    under = f"{index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}, {len(found.decided)} decisions"
    notes = "".join(f"<div>{escape(term)}</div>" for term in found.terms)
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:66em">'
        f'<div style="display:flex;justify-content:space-between;gap:1em;flex-wrap:wrap">'
        f"<div><strong>{escape(title)}</strong><br><span>{escape(under)}</span></div>"
        f'<div style="color:var(--wb-accent,var(--jp-brand-color1,#1f4e8c))">{sparkline(found.walked.growth)}</div>'
        f"</div>"
        f"<p>{escape(found.sentence)}</p>{table_of(head, rows)}"
        f"{table_of(('what each did', 'mean weight', 'to the return', 'to the risk'), parts)}"
        f'<div style="{_MUTED};font-size:.82em">{notes}</div></div>'
    )


def _percent(value: float) -> str:
    return "" if math.isnan(value) else METRICS["total_return"].text(value)
