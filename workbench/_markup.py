"""Pieces of HTML that cards of several rooms are made of. Plain HTML, no scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["table_of"]


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table: the first column to the left, the others (numbers) to the right."""
    cell = 'style="padding:.15em 1.1em .15em 0;text-align:{};border:0;vertical-align:top"'
    sides = ("left", "right;white-space:nowrap")

    def line(tag: str, cells: Sequence[str]) -> str:
        inner = "".join(
            f"<{tag} {cell.format(sides[min(place, 1)])}>{escape(text)}</{tag}>" for place, text in enumerate(cells)
        )
        return f"<tr>{inner}</tr>"

    body = "".join(line("td", row) for row in rows)
    return (
        '<table style="font-size:.9em;font-variant-numeric:tabular-nums;border-collapse:collapse;margin:.5em 0">'
        f"{line('th', head)}{body}</table>"
    )
