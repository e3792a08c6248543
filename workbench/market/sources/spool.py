"""Answers that are kept at once, until enough of them are there to be worth a write to the lake.

Rewriting a Parquet block for every page of a thousand rows would cost more than asking for it. So a page is appended
to a plain file beside the series, one checked line each; a process that is killed leaves the file, and the next
download of the series takes it over. A line that was cut off by the kill is not counted: that page is asked again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench._durable import explained, make_folder
from workbench.market.coverage import SPOOL, Span

__all__ = ["Page", "Spool"]


class Page(NamedTuple):
    """What one answer gave.

    `span` is what it settles: all rows in it are here, ms UTC. `rows` are as the kind of series has them, oldest first,
    and lie in the span. `at` is when it was asked, by the venue's clock. `again` marks a span that was asked before.
    """

    span: Span
    rows: Sequence[Sequence[Any]]
    at: int
    again: bool = False


class Spool:
    """The pages of one series that are not in the lake yet.

    Parameters
    ----------
    folder : path
        Of the series' store.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / SPOOL

    def add(self, page: Page) -> None:
        """Keep a page; the kernel has it when this returns, so that a kill loses nothing."""
        body = json.dumps([*page.span, page.at, page.again, page.rows], separators=(",", ":")).encode()
        with explained(self.path):
            make_folder(self.path.parent)
            with open(self.path, "ab", buffering=0) as file:
                file.write(b"%08x " % zlib.crc32(body) + body + b"\n")

    def pages(self) -> list[Page]:
        """Read what is kept, up to the first line that is not whole."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        pages = []
        for line in content.split(b"\n")[:-1]:
            checksum, _, body = line.partition(b" ")
            if checksum != b"%08x" % zlib.crc32(body):
                break
            start, end, at, again, rows = json.loads(body)
            pages.append(Page(Span(start, end), rows, at, again))
        return pages

    def clear(self) -> None:
        """Forget everything: it is in the lake."""
        with explained(self.path):
            self.path.unlink(missing_ok=True)
