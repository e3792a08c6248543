"""HTML that came out of a notebook, without anything that would leave the page or run.

A report is read long after it was made, offline, by people who did not run it. What a cell displayed may draw, but it
may not load anything, run scripts or send anything. (The page's content policy forbids the same once more.)
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

__all__ = ["clean_html"]

_SUSPICIOUS = re.compile(
    r"<\s*/?\s*(?:script|link|meta|base|iframe|frame|object|embed|applet|img|video|audio|source|track|picture|image|use|"
    r"form|input|button|textarea|select|style|svg|math|a|html|head|body|title)\b|<!|\son\w+\s*=|url\s*\(|@import|"
    r"(?:src|srcset|srcdoc|poster|background|data|action|style)\s*=|javascript:",
    re.IGNORECASE,
)
_DROPPED: Final = frozenset(
    {"html", "head", "body", "link", "meta", "base", "frame", "embed", "applet", "track", "form", "input"}
)
_DROPPED_WHOLE: Final = frozenset({"script", "iframe", "object", "noscript", "template", "title"})
_LOADING: Final = frozenset(
    {"src", "srcset", "poster", "background", "data", "xlink:href", "formaction", "action", "ping"}
)
_VOID: Final = frozenset({"area", "br", "col", "hr", "img", "source", "wbr"})
_LOADS_IN_STYLE = re.compile(r"url\s*\(\s*['\"]?(?!data:|#)[^)]*\)|@import[^;]*;?|expression\s*\(", re.IGNORECASE)
_SAFE_LINK = re.compile(r"(?:https?:|mailto:|#|[^:]*$|[^:/?#]*[/?#])", re.IGNORECASE)


def clean_html(html: str) -> str:
    """Remove scripts, event handlers and everything that would be loaded from somewhere else.

    Parameters
    ----------
    html : str
        A piece of a page. Images given as data stay; one given by address is replaced by a short remark.
    """
    if not _SUSPICIOUS.search(html):
        return html
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.kept)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self.inside: list[str] = []  # dropped elements that are still open
        self.style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WHOLE:
            self.inside.append(tag)
        if self.inside or tag in _DROPPED:
            return
        self.style = tag == "style"
        if tag in ("img", "image") and not _is_data(attrs):
            name = next((value for key, value in attrs if key == "alt" and value), "")
            self.kept.append(
                f'<span class="wb-note">[image not in this file{": " if name else ""}{escape(name)}]</span>'
            )
            return
        self.kept.append(f"<{tag}{''.join(_attribute(tag, key, value) for key, value in attrs)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WHOLE:
            return
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and tag not in _DROPPED and tag != "image" and not self.inside:
            self.kept.append(f"</{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass
        elif not self.inside and tag not in _DROPPED and tag not in _VOID:
            self.style = False
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._keep(_LOADS_IN_STYLE.sub("", data) if self.style else data)

    def handle_entityref(self, name: str) -> None:
        self._keep(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._keep(f"&#{name};")

    def _keep(self, text: str) -> None:
        if not self.inside:
            self.kept.append(text)


def _is_data(attributes: list[tuple[str, str | None]]) -> bool:
    sources = [value or "" for key, value in attributes if key in ("src", "href", "xlink:href")]
    return bool(sources) and all(source.strip().lower().startswith(("data:image/", "#")) for source in sources)


def _attribute(tag: str, name: str, value: str | None) -> str:
    if name.startswith("on") or name in ("srcdoc", "srcset"):
        return ""
    if value is None:
        return f" {name}"
    address = value.strip()
    if name in _LOADING and not address.lower().startswith(("data:image/", "#")):
        return ""
    if name == "href" and not (_SAFE_LINK.match(address) if tag == "a" else address.startswith(("#", "data:image/"))):
        return ""
    if name == "style":
        value = _LOADS_IN_STYLE.sub("", value)
    return f' {name}="{escape(value)}"'
