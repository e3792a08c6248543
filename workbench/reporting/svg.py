"""Charts as part of the page: an SVG drawing made safe to put inline, in the page's own colours.

A drawing that stands alone may use any ids and rules it likes; several on one page would take each other's. So ids and
rules get a prefix, and what draws nothing (prolog, metadata, scripts) is left out. The colours of `workbench._ink`
become the page's variables, which is how a chart follows the light and the dark scheme.
"""

from __future__ import annotations

import re
from typing import Final

from workbench._ink import INK

__all__ = ["inline_svg"]

_NOISE = re.compile(
    r"<\?.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata\b.*?</metadata>|<script\b.*?</script>|<foreignObject\b.*?</foreignObject>",
    re.DOTALL | re.IGNORECASE,
)
_HANDLER = re.compile(r"""\son\w+\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_FOREIGN = re.compile(r"""\s(?:xlink:)?href\s*=\s*(["'])(?!#|data:image/).*?\1""", re.IGNORECASE)
_ID = re.compile(r"""(\sid\s*=\s*["'])([^"']+)""")
_REFERENCE = re.compile(r"""(url\(\s*["']?#|(?:xlink:)?href\s*=\s*["']#)([^"')\s]+)""")
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{")
_COLOUR = re.compile(
    r"""((?:fill|stroke|stop-color|color)\s*[:=]\s*["']?\s*)(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|black|white)\b"""
)
_ROOT = re.compile(r"<svg\b([^>]*)>", re.IGNORECASE)
_SIZE = re.compile(r"""\s(width|height)\s*=\s*["']([\d.]+)(pt|px)?["']""")

_PIXELS: Final = {"pt": 4 / 3, "px": 1.0, None: 1.0}
_VARIABLES: Final = {ink.light: f"var({ink.variable})" for ink in INK.values()} | {
    "#000000": f"var({INK['ink'].variable})",  # what other people's charts are drawn with
    "#000": f"var({INK['ink'].variable})",
    "black": f"var({INK['ink'].variable})",
    "#fff": f"var({INK['surface'].variable})",
    "white": f"var({INK['surface'].variable})",
}


def inline_svg(drawing: str, prefix: str) -> str:
    """Prepare an SVG drawing for being put into a page.

    Parameters
    ----------
    drawing : str
        A whole SVG file, as matplotlib writes it, or an `<svg>` element.
    prefix : str
        Unique on the page; put before every id.

    Returns
    -------
    str
        An `<svg>` element that is as wide as it was drawn, or as the column where that is narrower. Empty when there
        is no such element in the drawing.
    """
    text = _NOISE.sub("", drawing)
    text = _FOREIGN.sub("", _HANDLER.sub("", text))
    text = _ID.sub(rf"\1{prefix}-\2", text)
    text = _REFERENCE.sub(rf"\1{prefix}-\2", text)
    text = _STYLE.sub(lambda found: found[1] + _scoped(found[2], prefix) + found[3], text)
    text = _COLOUR.sub(lambda found: found[1] + _VARIABLES.get(found[2].lower(), found[2]), text)
    start = text.find("<svg")
    return "" if start < 0 else _ROOT.sub(lambda found: _root(found[1], prefix), text[start:], count=1).strip()


def _scoped(rules: str, prefix: str) -> str:
    if "@" in rules:  # imports and conditions: no chart needs them
        return ""
    return _RULE.sub(
        lambda found: ", ".join(f"#{prefix} {selector.strip()}" for selector in found[1].split(",")) + " {", rules
    )


def _root(attributes: str, prefix: str) -> str:
    size = {found[1]: float(found[2]) * _PIXELS[found[3]] for found in _SIZE.finditer(attributes)}
    kept = re.sub(r"""\s(?:id|role)\s*=\s*["'][^"']*["']""", "", _SIZE.sub("", attributes))
    if "viewbox" not in kept.lower() and len(size) == 2:
        kept += f' viewBox="0 0 {size["width"]:g} {size["height"]:g}"'
    width = f' width="{size["width"]:.0f}"' if "width" in size else ""
    return f'<svg id="{prefix}" role="img"{kept}{width}>'
