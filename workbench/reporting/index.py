"""The index page of a batch: one HTML file that opens offline, in light and in dark, and asks nobody for anything.

Here the page is put together from the records of the runs; what its sections say is worked out in `index_sections` and
`index_sources`, how it looks is in `templates/index.*`. Everything that came from a user's file is escaped there.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.reporting import index_sections as sections
from workbench.reporting import index_sources as sources
from workbench.reporting.batch import Batch, write_whole
from workbench.reporting.plan import Plan, PlannedRun
from workbench.reporting.render import BRAND, TEMPLATES, stylesheet
from workbench.reporting.standings import standings
from workbench.reporting.verdicts import verdict_of
from workbench.research.run import Run
from workbench.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

__all__ = ["Edition", "render_index", "write_index"]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What an index page is about.

    Parameters
    ----------
    plan : Plan
    batch : Batch
    runs : sequence of Run
        The last attempt of each run that has started, in the order of the plan.
    not_run : sequence of PlannedRun
        Those that have not.
    interrupted : bool
    duration_s : float
        Of this attempt; 0 where it had nothing left to run.
    """

    plan: Plan
    batch: Batch
    runs: Sequence[Run]
    not_run: Sequence[PlannedRun] = ()
    interrupted: bool = False
    duration_s: float = 0.0


def write_index(edition: Edition, settings: Settings) -> Path:
    """Write the index page of a batch, whole or not at all, and give its path."""
    write_whole(edition.batch.index, render_index(edition, settings))
    return edition.batch.index


def render_index(edition: Edition, settings: Settings) -> str:
    """Give the index page as HTML."""
    script = (TEMPLATES / "index.js").read_text(encoding="utf-8")
    return _template().render(_context(edition, settings), script=script, policy=_policy(script))


def _context(edition: Edition, settings: Settings) -> dict[str, Any]:
    plan, runs = edition.plan, edition.runs
    table = standings(runs)
    labels = {run.name: run.label for run in plan.all}
    summaries = {run.name for run in plan.summary}
    return {
        "brand": BRAND,
        "stylesheet": stylesheet() + (TEMPLATES / "index.css").read_text(encoding="utf-8"),
        "title": plan.title,
        "kicker": f"{settings.root.name} / {plan.report}",
        "when": edition.batch.started,
        "report": plan.report,
        "batch": edition.batch.id,
        "interrupted": edition.interrupted,
        "sentences": sections.standfirst(table),
        "facts": sections.facts(plan, runs, table, edition.duration_s),
        "failures": sections.failures(runs, labels),
        "not_run": [run.label for run in edition.not_run],
        "summaries": sections.links([run for run in runs if run.name in summaries], labels),
        "others": sections.links(sections.other_notebooks(runs, summaries), labels),
        "luck": sections.luck(table),
        "strip": sections.strip(table, labels),
        "columns": sections.COLUMNS,
        "league": sections.league(table),
        "judged": any(verdict_of(row.run) for row in table.rows),
        "markets": sections.markets(plan, runs),
        "falls": sections.falls(runs),
        "data": sources.provenance(plan, runs, settings),
        "costs": sources.costs(runs),
        "conventions": sources.conventions(runs),
        "strategies": sources.strategies(runs),
        "formulas": sources.formulas(),
        "versions": sources.versions_of(runs),
    }


@functools.cache
def _template() -> Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template("index.html.j2")


def _policy(script: str) -> str:
    """Give a content security policy under which the page's own script runs, nothing else, and nothing is fetched."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"


def _breakable(text: str) -> Markup:
    """Let a long name break after its underscores, where the reader expects it."""
    from markupsafe import Markup, escape

    return Markup("_<wbr>").join(escape(part) for part in text.split("_"))
