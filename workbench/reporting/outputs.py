"""One output of a cell as HTML: the richest form that works in a page that runs nothing and loads nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from nbconvert.filters.ansi import ansi2html

from workbench.reporting.cleaning import clean_html
from workbench.reporting.markdown import latex_html, markdown_html
from workbench.reporting.svg import inline_svg
from workbench.reporting.tables import dress_tables
from workbench.reporting.worker import strip_colours

__all__ = ["PLOTLY", "merged", "output_html", "text_html"]

PLOTLY: Final = "application/vnd.plotly.v1+json"
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_LINES: Final = 300  # of printed text; more than that nobody reads in a report
_CHARACTERS: Final = 60_000
_TAG: Final = re.compile(r"<style\b.*?</style>|<[^>]+>", re.DOTALL)
_DRAWS: Final = re.compile(r"<(?:img|svg|table|math|hr|meter|progress)\b", re.IGNORECASE)


def merged(outputs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Join printed text that arrived in pieces, without moving it past anything that was shown in between."""
    for (kind, name), pieces in groupby(outputs, key=lambda output: (output["output_type"], output.get("name"))):
        if kind == "stream":
            yield {"output_type": kind, "name": name, "text": "".join(_joined(piece["text"]) for piece in pieces)}
        else:
            yield from map(dict, pieces)


def output_html(output: Mapping[str, Any], *, name: str, folder: Path, traceback: bool) -> str:
    """Give one output as HTML.

    Parameters
    ----------
    output : mapping
        As a notebook stores it.
    name : str
        Unique on the page, for ids.
    folder : Path
        Of the notebook, for images in Markdown.
    traceback : bool
        Whether an error shows its traceback at once; otherwise it opens on a click.

    Returns
    -------
    str
        Empty where there is nothing to show.
    """
    kind = output["output_type"]
    if kind == "stream":
        modifier = " wb-stream--stderr" if output.get("name") == "stderr" else ""
        text = _joined(output["text"])
        return f'<pre class="wb-stream{modifier}">{text_html(text)}</pre>' if text.strip() else ""
    if kind == "error":
        return _error(output, opened=traceback)
    return _data(output["data"], output.get("metadata", {}), name, folder)


def text_html(text: str) -> str:
    """Escape printed text, turn terminal colours into classes, and leave out the middle of what is far too long."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.rstrip("\n").split("\n")]  # progress bars
    if len(lines) > _LINES:
        left_out = len(lines) - _LINES
        half = _LINES // 2
        lines = [*lines[:half], f"… {left_out:,} lines left out; the notebook has them …", *lines[-half:]]
    shortened = "\n".join(lines)
    if len(shortened) > _CHARACTERS:
        left_out, half = len(shortened) - _CHARACTERS, _CHARACTERS // 2
        middle = f"\n… {left_out:,} characters left out; the notebook has them …\n"
        shortened = f"{shortened[:half]}{middle}{shortened[-half:]}"
    return str(ansi2html(shortened))  # type: ignore[no-untyped-call]


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _error(output: Mapping[str, Any], *, opened: bool) -> str:
    title = strip_colours(f"{output.get('ename', '')}: {output.get('evalue', '')}".strip(": "))
    trace = "\n".join(output.get("traceback", []))
    return (
        f'<details class="wb-error"{" open" if opened else ""}><summary>{escape(title[:500])}</summary>'
        f'<pre class="wb-trace">{text_html(trace)}</pre></details>'
    )


def _data(data: Mapping[str, Any], metadata: Mapping[str, Any], name: str, folder: Path) -> str:
    if PLOTLY in data:
        return _plotly(data[PLOTLY])
    if "image/svg+xml" in data:
        drawing = inline_svg(_joined(data["image/svg+xml"]), name)
        return f'<figure class="wb-figure">{drawing}</figure>' if drawing else ""
    if "text/html" in data:
        return _html(_joined(data["text/html"]))
    if "text/markdown" in data:
        return f'<div class="wb-text">{markdown_html(_joined(data["text/markdown"]), folder=folder)}</div>'
    for image in _IMAGES:
        if image in data:
            return _image(image, _joined(data[image]), metadata.get(image, {}))
    if "text/latex" in data:
        return latex_html(_joined(data["text/latex"]))
    if _WIDGET in data:
        return '<p class="wb-note">An interactive control, which works in the open notebook only.</p>'
    if "text/plain" in data:
        return f'<pre class="wb-stream">{text_html(_joined(data["text/plain"]))}</pre>'
    return f'<p class="wb-note">An output of a kind that a page cannot show ({escape(", ".join(sorted(data)))}).</p>'


def _html(html: str) -> str:
    cleaned = dress_tables(clean_html(html))
    if _TAG.sub("", cleaned).strip() or _DRAWS.search(cleaned):
        return f'<div class="wb-html">{cleaned}</div>'
    if not html.strip():
        return ""
    return '<p class="wb-note">An output that needs scripts, which works in the open notebook only.</p>'


def _image(kind: str, encoded: str, metadata: Mapping[str, Any]) -> str:
    size = "".join(f' {side}="{int(metadata[side])}"' for side in ("width", "height") if side in metadata)
    source = "".join(encoded.split())
    text = escape(str(metadata.get("alt", "Figure")))
    return f'<figure class="wb-figure"><img src="data:{kind};base64,{escape(source)}" alt="{text}"{size}></figure>'


def _plotly(figure: Mapping[str, Any]) -> str:
    content = json.dumps(_finite({"data": figure.get("data", []), "layout": figure.get("layout", {})}), allow_nan=False)
    safe = content.replace("<", "\\u003c")  # so that no text in the figure can end the element
    return (
        '<figure class="wb-figure wb-plotly"><div></div>'
        f'<script type="application/json">{safe}</script>'
        '<noscript><p class="wb-note">An interactive chart, which needs scripts.</p></noscript></figure>'
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
