"""Markdown to HTML, with formulas as MathML, which browsers draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import latex2mathml.converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from workbench.reporting.cleaning import clean_html
from workbench.reporting.tables import dress_tables

__all__ = ["formula_html", "latex_html", "markdown_html"]

_DISPLAY = re.compile(r"\s*(?:\$\$(?P<a>.*?)\$\$|\\\[(?P<b>.*?)\\\])\s*", re.DOTALL)
_INLINE = re.compile(r"\s*(?:\$(?P<a>[^$]+)\$|\\\((?P<b>.*?)\\\))\s*", re.DOTALL)
_UNNUMBERED = re.compile(r"\\(?:label|tag)\{[^}]*\}|\\(?:nonumber|notag)\b|\\displaystyle\b")


def formula_html(source: str, *, block: bool) -> str:
    """Turn a formula in TeX into MathML; into its own source where it cannot be read."""
    try:
        return str(
            latex2mathml.converter.convert(
                _UNNUMBERED.sub("", source), "http://www.w3.org/1998/Math/MathML", "block" if block else "inline"
            )
        )
    except Exception:  # the library raises what it likes on TeX that it does not know
        return f'<code class="wb-math">{escape(source.strip())}</code>'


def latex_html(text: str) -> str:
    """Turn a `text/latex` output into HTML: one formula, or text with nothing known about it."""
    for pattern, block in ((_DISPLAY, True), (_INLINE, False)):
        found = pattern.fullmatch(text)
        if found is not None:
            return f'<div class="wb-math">{formula_html(found["a"] or found["b"], block=block)}</div>'
    if text.lstrip().startswith("\\begin"):
        return f'<div class="wb-math">{formula_html(text, block=True)}</div>'
    return f'<pre class="wb-stream">{escape(text)}</pre>'


def markdown_html(source: str, *, folder: Path, attachments: Mapping[str, Any] | None = None) -> str:
    """Turn Markdown into HTML that loads nothing.

    Parameters
    ----------
    source : str
    folder : Path
        Where images named by a relative path are; they are put into the page.
    attachments : mapping, optional
        Images of the cell itself, by name.
    """
    renderer = _Renderer(
        escape=False,
        attachments=dict(attachments or {}),
        embed_images=True,
        path=str(folder),
        exclude_anchor_links=True,
    )
    html = MarkdownWithMath(renderer=renderer).render(source)
    return dress_tables(clean_html(html))


class _Renderer(IPythonRenderer):
    def block_math(self, body: str) -> str:
        return formula_html(body, block=True)

    def inline_math(self, body: str) -> str:
        return formula_html(body, block=False)

    def latex_environment(self, name: str, body: str) -> str:
        return formula_html(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        level = max(level, 2)  # the page has one heading of the first level, its title
        return f'<h{level} id="{_slug(text)}">{text}</h{level}>\n'


def _slug(text: str) -> str:
    words = re.sub(r"<[^>]+>|&\w+;", "", text)
    return re.sub(r"\W+", "-", words).strip("-").lower() or "section"
