from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from workbench.market.sources import progress as module
from workbench.market.sources.progress import BarProgress, PlainProgress, SilentProgress, progress_on


def test_plain_lines_come_every_few_seconds_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 1.0, 6.0, 7.0, 12.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    plain = PlainProgress(stream)
    plain.begin(100.0, 3)
    for _ in range(4):
        plain.advanced(5.0, 1_000, "BTC/USDT")
    plain.failed("ETH/USDT 1m", "refused")
    plain.end()
    assert stream.getvalue().splitlines() == [
        "asking for what is missing of 3 series",
        " 10 %, 2,000 rows, 54 s left",
        " 20 %, 4,000 rows, 48 s left",
        "ETH/USDT 1m: refused",
    ]


def test_a_bar_shows_rows_and_what_failed_and_nothing_to_do_shows_nothing() -> None:
    stream = io.StringIO()
    bar = BarProgress(Console(file=stream, force_terminal=True, width=100))
    bar.begin(10.0, 2)
    bar.advanced(10.0, 1_234, "BTC/USDT")
    bar.failed("ETH/USDT 1m", "refused [bold]")
    bar.end()
    assert re.search(r"1,234 rows", stream.getvalue())
    assert "refused [bold]" in stream.getvalue()
    silent = io.StringIO()
    for one in (BarProgress(Console(file=silent)), PlainProgress(silent), SilentProgress()):
        one.begin(0.0, 0)
        one.advanced(0.0, 0, "")
        one.end()
    assert silent.getvalue() == ""
    assert isinstance(progress_on(io.StringIO()), PlainProgress)


def test_times_are_spoken() -> None:
    assert [module._spoken(seconds) for seconds in (59.4, 61, 3_725)] == ["59 s", "1 min 1 s", "1 h 2 min"]
