"""The card that a notebook shows for a portfolio's risk. Plain HTML, no scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from workbench._markup import table_of
from workbench.risk.portfolio.words import amount, horizon_of, percent

if TYPE_CHECKING:
    from workbench.risk.portfolio.risk import PortfolioRisk

__all__ = ["risk_card"]

_MUTED: Final = "color:var(--wb-muted,var(--jp-ui-font-color2,#5d656e))"
_RULE: Final = "var(--wb-grid,var(--jp-border-color2,#e4e2dc))"
_MOST: Final = 12


def risk_card(risk: PortfolioRisk) -> str:
    """Write the card: what there is to say, exposures, parts of the risk by bot and asset, the worst scenarios."""
    bots = len({line.what.bot for line in risk.book.lines})
    accounts = len(set(risk.book.labels("account")))
    count = sum(1 for line in risk.book.lines if line.exposure)
    title = f"Risk of {count} position{'s' if count != 1 else ''}, equity {amount(risk.equity, risk.currency)}"
    under = f"{bots} bot{'s' if bots > 1 else ''}, {accounts} account{'s' if accounts > 1 else ''}"
    told = "".join(f"<p style='margin:.4em 0'>{escape(sentence)}</p>" for sentence in risk.sentences)
    notes = "".join(f"<div>{escape(note)}</div>" for note in [*_terms(risk), *risk.notes])
    tables = [_parts(risk, by) for by in (("bot", "asset") if bots > 1 else ("asset",))]
    return (
        f'<div style="border:1px solid {_RULE};border-radius:8px;padding:.9em 1.1em;max-width:66em">'
        f"<div><strong>{escape(title)}</strong><br><span>{escape(under)}</span></div>"
        f"{told}{''.join(tables)}{_scenarios(risk)}"
        f'<div style="{_MUTED};font-size:.82em">{notes}</div></div>'
    )


def _terms(risk: PortfolioRisk) -> list[str]:
    if risk.levels is None:
        return []
    moves = risk.moves()
    span = f"{moves.index[0]:%Y-%m-%d} to {moves.index[-1]:%Y-%m-%d}"
    return [
        f"{horizon_of(risk)} horizon, {risk.terms.percent}, {risk.terms.method}, {len(moves):,} cases, {span}; "
        f"covariance by {risk.terms.covariance.replace('_', ' ')}; parts sum to the whole"
    ]


def _parts(risk: PortfolioRisk, by: str) -> str:
    exposures = risk.exposures(by)
    if risk.levels is None:
        head = [by, "long", "short", "net", "of equity"]
        rows = [
            [str(name), amount(row["long"]), amount(row["short"]), amount(row["net"]), percent(row["net_share"])]
            for name, row in exposures.head(_MOST).iterrows()
        ]
        return table_of(head, rows)
    head = [by, "gross", "net", "VaR alone", "part of VaR", "ES alone", "part of ES", "share of ES"]
    tails = risk.tails(by)
    moving = tails[(tails["exposure"] != 0.0) | (tails["component_es"] != 0.0)]
    shown = [name for name in moving.index if name != "all"][:_MOST]
    rows = []
    for name in [*shown, "all"]:
        row = tails.loc[name]
        gross = float(exposures["gross"].get(name, 0.0))
        rows.append(
            [
                str(name), amount(gross), *(amount(float(row[one])) for one in (
                    "exposure", "value_at_risk", "component_var", "expected_shortfall", "component_es")),
                percent(float(row["share"]), 0),
            ]
        )  # fmt: skip
    return table_of(head, rows)


def _scenarios(risk: PortfolioRisk) -> str:
    table = risk.stress().head(8)
    head = ["the worst scenarios", "profit", "of equity", "known", "liquidated"]
    rows = []
    for name, row in table.iterrows():
        told = [amount(float(row["profit"])), percent(float(row["share"])), percent(float(row["covered"]), 0)]
        rows.append([str(name), *told, str(row["liquidated"])])
    if all(not row[-1] for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    return table_of(head, rows) if rows else ""
