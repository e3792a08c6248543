"""Tables of the books as HTML, for notebooks."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Collection, Iterable, Sequence

__all__ = ["table_html", "time_text"]


def time_text(ts: int) -> str:
    """Write a time (ms UTC) as `2021-01-31 14:00:00`, with milliseconds where there are any."""
    when = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ts)
    return when.isoformat(" ", timespec="milliseconds" if ts % 1_000 else "seconds")


def table_html(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = (), caption: str = ""
) -> str:
    """Write a table.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequences of str
        Escaped here.
    numbers : collection of int
        Columns that are set to the right.
    caption : str, optional
    """
    align = ["right" if place in numbers else "left" for place in range(len(header))]

    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(
            f'<{tag} style="text-align:{side}">{html.escape(cell)}</{tag}>'
            for cell, side in zip(cells, align, strict=True)
        )
        return f"<tr>{inner}</tr>"

    told = f'<caption style="text-align:left">{html.escape(caption)}</caption>' if caption else ""
    body = "".join(line(row, "td") for row in rows)
    return f"<table>{told}<thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
