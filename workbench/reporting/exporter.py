"""The nbconvert exporter behind report pages: one file, nothing loaded from anywhere, in light and in dark.

Built on nbconvert's template machinery, but not on its HTML templates: those load scripts from the network and drop
Plotly figures. The template is `templates/report.html.j2`; what a cell or an output becomes is in `outputs` and
`markdown`. Text is escaped unless it was made here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup, escape
from nbconvert.exporters.templateexporter import TemplateExporter
from nbformat import NotebookNode
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from workbench.errors import ConfigError
from workbench.reporting.job import Notice, Page
from workbench.reporting.markdown import markdown_html
from workbench.reporting.outputs import PLOTLY, merged, output_html
from workbench.reporting.parameters import declared_parameters
from workbench.reporting.render import BRAND, TEMPLATES, stylesheet

__all__ = ["ReportExporter"]

_HEADING: Final = re.compile(r"\A\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)")
_MARKS: Final = re.compile(r"[*_`]|\[([^\]]*)\]\([^)]*\)")
_HEADINGS: Final = {
    "failed": ("The notebook failed", "negative"),
    "timed_out": ("The notebook was stopped at its time limit", "warning"),
    "kernel_died": ("The kernel died", "negative"),
    "worker_died": ("The run was lost", "negative"),
    "cancelled": ("The run was cancelled", "warning"),
}
_STOPPED: Final = Markup('<p class="wb-note">The run ended here; what follows in the notebook was not executed.</p>')
_NOT_SHOWN: Final = frozenset({"parameters", "injected-parameters", "papermill-error-cell-tag", "remove-cell"})


class ReportExporter(TemplateExporter):
    """Turns an executed notebook into a report page.

    `resources["workbench"]` may hold a `page` (`Page`), a `notice` (`Notice`) and the notebook's `folder` (`Path`).
    """

    export_from_notebook = "Report page"
    output_mimetype = "text/html"

    def __init__(self, **options: Any) -> None:
        options.setdefault("file_extension", ".html")
        options.setdefault("template_file", "report.html.j2")
        options.setdefault("template_paths", [str(TEMPLATES)])
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        return environment

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert a notebook; see `nbconvert.Exporter`."""
        resources = dict(resources or {})
        given = resources.get("workbench", {})
        resources["report"] = _report(
            nb, given.get("page") or Page(), given.get("notice"), Path(given.get("folder") or ".")
        )
        html, resources = super().from_notebook_node(nb, resources, **options)
        return html, resources


def _report(nb: Mapping[str, Any], page: Page, notice: Notice | None, folder: Path) -> dict[str, Any]:
    own, first = _heading(nb["cells"])
    scripts = list(_scripts(nb))
    return {
        "page": page,
        "title": page.title or own or "Report",
        "kicker": page.kicker or (own if page.title else None),
        "notice": None if notice is None else _notice(notice),
        "cells": list(_cells(nb["cells"], notice, folder, first)),
        "parameters": _parameters(nb),
        "foot": _foot(nb),
        "brand": Markup(BRAND),
        "stylesheet": Markup(stylesheet()),
        "scripts": [Markup(script) for script in scripts],
        "policy": _policy(scripts),
    }


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _heading(cells: list[Mapping[str, Any]]) -> tuple[str | None, int | None]:
    """Find the notebook's own title and the cell that begins with it."""
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "markdown" and not _NOT_SHOWN & _tags(cell):
            found = _HEADING.match(_joined(cell["source"]))
            return (_MARKS.sub(r"\1", found[1]), index) if found else (None, None)
    return None, None


def _tags(cell: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(cell.get("metadata", {}).get("tags", []))


def _notice(notice: Notice) -> dict[str, Any]:
    heading, tone = _HEADINGS.get(notice.status, ("Note", "warning"))
    return {
        "heading": heading,
        "tone": tone,
        "message": notice.message[:1].upper() + notice.message[1:],
        "trace": re.sub(r"\A-{20,}\n", "", notice.traceback),
        "anchor": None if notice.cell is None else f"cell-{notice.cell + 1}",
    }


def _cells(
    cells: list[Mapping[str, Any]], notice: Notice | None, folder: Path, titled: int | None
) -> Iterator[dict[str, Any]]:
    # papermill puts marker cells before the failing one after the run; the notice counts without them
    number = 0
    over = False
    for index, cell in enumerate(cells):
        tags = _tags(cell)
        if "papermill-error-cell-tag" in tags:
            continue
        failed = notice is not None and notice.cell == number
        number += 1
        if tags & _NOT_SHOWN and not failed:
            continue
        dressed = _cell(cell, f"cell-{number}", folder, notice, skip_heading=index == titled)
        if over:
            dressed["modifiers"] = " wb-cell--silent"
        if failed:
            dressed["modifiers"] = " wb-cell--failed"
            dressed["outputs"].append(_STOPPED)
        over = over or failed
        if dressed["text"] or dressed["source"] or dressed["outputs"]:
            yield dressed


def _cell(
    cell: Mapping[str, Any], anchor: str, folder: Path, notice: Notice | None, *, skip_heading: bool
) -> dict[str, Any]:
    source = _joined(cell["source"])
    dressed: dict[str, Any] = {"anchor": anchor, "modifiers": "", "text": None, "source": None, "outputs": []}
    if cell["cell_type"] == "markdown":
        text = _HEADING.sub("", source) if skip_heading else source
        html = markdown_html(text, folder=folder, attachments=cell.get("attachments")) if text.strip() else ""
        dressed["text"] = Markup(html) if html else None
    elif cell["cell_type"] == "code":
        dressed["source"] = _highlighted(source) if source.strip() else None
        told = notice is not None and bool(notice.traceback)
        html_of = [
            output_html(output, name=f"{anchor}-{place}", folder=folder, traceback=not told)
            for place, output in enumerate(merged(cell.get("outputs", [])))
        ]
        dressed["outputs"] = [Markup(html) for html in html_of if html]
        if not dressed["outputs"]:
            dressed["modifiers"] = " wb-cell--silent"
    return dressed


@cache
def _highlighter() -> tuple[Any, Any]:
    return get_lexer_by_name("ipython3"), HtmlFormatter(nowrap=True)


def _highlighted(source: str) -> Markup:
    lexer, formatter = _highlighter()
    return Markup(highlight(source, lexer, formatter))


def _parameters(nb: Mapping[str, Any]) -> list[dict[str, str]]:
    given = nb.get("metadata", {}).get("papermill", {}).get("parameters", {})
    try:
        declared = declared_parameters(nb)
    except ConfigError:  # a cell that is not Python: the page shows what was given
        declared = {}
    shown = {name: (parameter.default, parameter.comment) for name, parameter in declared.items()}
    shown |= {name: (value, shown.get(name, ("", ""))[1]) for name, value in given.items()}
    return [{"name": name, "value": _value(value), "comment": comment} for name, (value, comment) in shown.items()]


def _value(value: object) -> str:
    match value:
        case None | [] | "":
            return "–"
        case dict() if not value:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}"
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def _foot(nb: Mapping[str, Any]) -> Markup:
    run = nb.get("metadata", {}).get("papermill", {})
    when = ""
    if run.get("start_time"):
        started = datetime.fromisoformat(run["start_time"])
        when = f" from a notebook run on {started:%d %B %Y at %H:%M} UTC".replace(" 0", " ")
    return Markup("Made by workbench{}. This page is complete in itself: it loads nothing.").format(escape(when))


def _scripts(nb: Mapping[str, Any]) -> Iterator[str]:
    if any(PLOTLY in output.get("data", {}) for cell in nb["cells"] for output in cell.get("outputs", [])):
        from plotly.offline import get_plotlyjs

        yield get_plotlyjs()
        yield (TEMPLATES / "plotly.js").read_text(encoding="utf-8")


def _policy(scripts: list[str]) -> str:
    """Allow what is in the page, and exactly these scripts; forbid everything that would leave it."""
    allowed = ["default-src 'none'", "style-src 'unsafe-inline'", "img-src data: blob:", "font-src data:"]
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    sources = " ".join(f"'sha256-{code}'" for code in hashes)
    # Plotly compiles its WebGL shaders' helpers from text; only the scripts named here can make use of it
    return "; ".join([*allowed, f"script-src {sources} 'unsafe-eval'" if sources else "script-src 'none'"])
