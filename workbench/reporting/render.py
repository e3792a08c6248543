"""Pages of executed notebooks: one file each, which opens offline in any browser, in light and in dark.

`render_notebook` is what to call; the work is done by `exporter` (imported on first use: nbconvert takes a moment).
`stylesheet` gives the look to whoever writes other pages, such as the index.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from workbench._ink import INK
from workbench.reporting.job import Notice, Page

__all__ = ["BRAND", "TEMPLATES", "Notice", "Page", "render_notebook", "stylesheet"]

TEMPLATES: Final = Path(__file__).parent / "templates"
"""The folder of the page template and of `workbench.css`, which documents the colours and classes."""

BRAND: Final = (
    '<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">'
    '<path d="M2 13.5 6.5 8l3.5 3L16 3.5" fill="none" stroke="currentColor" stroke-width="2.2" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
"""The mark before the name in the masthead, as inline SVG."""


@cache
def stylesheet() -> str:
    """Give the CSS of a page: the colours for both schemes, then `templates/workbench.css`."""
    light = " ".join(f"{ink.variable}: {ink.light};" for ink in INK.values())
    dark = " ".join(f"{ink.variable}: {ink.dark};" for ink in INK.values())
    rules = re.sub(r"/\*.*?\*/\n*", "", (TEMPLATES / "workbench.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{rules}"


def render_notebook(
    notebook: Path | Mapping[str, Any],
    html: Path,
    *,
    page: Page | None = None,
    notice: Notice | None = None,
    folder: Path | None = None,
) -> Path:
    """Write the page of an executed notebook.

    Parameters
    ----------
    notebook : Path or mapping
        The file, or its content.
    html : Path
        The page; missing folders are made, and it appears whole or not at all.
    page : Page, optional
        Title, facts and the link back.
    notice : Notice, optional
        What went wrong, for the top of the page.
    folder : Path, optional
        Where images that Markdown names by a relative path are; the notebook's folder when left out.

    Returns
    -------
    Path
        `html`.

    Raises
    ------
    ConfigError
        The file is missing or is not a notebook.
    """
    import nbformat

    from workbench.reporting.exporter import ReportExporter
    from workbench.reporting.parameters import read_notebook

    content = read_notebook(notebook) if isinstance(notebook, Path) else notebook
    folder = folder or (notebook.parent if isinstance(notebook, Path) else Path("."))
    node = nbformat.from_dict(json.loads(json.dumps(content)))  # type: ignore[no-untyped-call]
    text, _ = ReportExporter().from_notebook_node(
        node, resources={"workbench": {"page": page, "notice": notice, "folder": folder}}
    )
    html.parent.mkdir(parents=True, exist_ok=True)
    part = html.with_name(f".{html.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(html)
    return html
