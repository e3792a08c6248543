from __future__ import annotations

from pathlib import Path

from workbench.market.coverage import Span
from workbench.market.sources.spool import Page, Spool

PAGES = [Page(Span(number, number + 1), [[number, 0.1 + 0.2, "id"]], 9, number == 2) for number in range(4)]


def test_pages_come_back_as_they_were(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new")
    assert spool.pages() == []
    for page in PAGES:
        spool.add(page)
    assert spool.pages() == PAGES
    spool.clear()
    spool.clear()
    assert spool.pages() == []


def test_a_file_cut_off_anywhere_gives_the_pages_before_the_cut(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    ends = []
    for page in PAGES:
        spool.add(page)
        ends.append(spool.path.stat().st_size)
    content = spool.path.read_bytes()
    for cut in range(len(content) + 1):
        spool.path.write_bytes(content[:cut])
        assert spool.pages() == PAGES[: sum(end <= cut for end in ends)]


def test_a_line_that_is_not_as_it_was_written_ends_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for page in PAGES:
        spool.add(page)
    content = bytearray(spool.path.read_bytes())
    content[len(content) // 2] ^= 1
    spool.path.write_bytes(content)
    assert len(spool.pages()) < len(PAGES)
