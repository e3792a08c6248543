"""What a person sees of a bot at a venue: a live picture at a terminal, lines of a log everywhere else."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from workbench.cli.console import on_terminal
from workbench.cli.words import iso

if TYPE_CHECKING:
    from rich.console import Console

    from workbench.bots.standing import Line, Standing

__all__ = ["Screen", "drawn", "line_text", "no_sign_of_life", "prints_aside", "repainted", "watching"]

_OLD_S: Final = 15.0  # without a word from the market, or from the bot: what is shown may be of the past
_WIDTH: Final = 78
_LOG_LINES: Final = 6
_ORDER_LINES: Final = 4
_STATES: Final = {
    "RUNNING": "bold green", "PAUSED": "bold yellow", "CIRCUIT_OPEN": "bold yellow", "FAILED": "bold red",
    "KILLED": "bold red",
}  # fmt: skip
_LEVELS: Final = {"warning": "yellow", "error": "red", "critical": "bold red"}
_CONNECTED: Final = {"live": "green", "polling": "yellow"}
_PLAINLY: Final = {"polling": "over REST", "down": "does not answer"}


class Screen:
    """Where a bot is shown.

    Parameters
    ----------
    show : callable, optional
        Takes what the terminal shows from now on; plain lines are printed without.
    quiet : bool
        Whether nothing is shown at all.
    """

    def __init__(self, show: Callable[[tuple[Standing, list[Line]]], None] | None = None, *, quiet: bool = False):
        self._show, self._quiet, self._out = show, quiet, sys.stdout

    @property
    def is_panel(self) -> bool:
        """Whether a picture stands at a terminal."""
        return self._show is not None

    def line(self, line: Line) -> None:
        """Take a line of the log."""
        if self._show is None and not self._quiet:
            print(line_text(line), file=self._out, flush=True)

    def show(self, now: Standing, lines: Iterable[Line]) -> None:
        """Take how the bot stands."""
        if self._show is not None:
            self._show((now, list(lines)))


@contextmanager
def watching(*, quiet: bool) -> Iterator[Screen]:
    """Give where a bot is shown, while it runs."""
    if quiet or not on_terminal():
        screen = Screen(quiet=quiet)
        with prints_aside():
            yield screen
        return
    with repainted(lambda said, silent: drawn(said[0], said[1], silent)) as show:
        yield Screen(show)


@contextmanager
def prints_aside() -> Iterator[None]:
    """Let what a strategy prints go to the standard error: the other is for the answer of the command."""
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def repainted(draw: Callable[[Any, float], Any], console: Console | None = None) -> Iterator[Callable[[Any], None]]:
    """Show at a terminal what was told last, drawn anew several times a second, also while its teller hangs.

    Parameters
    ----------
    draw : callable
        `(told, silent)`: makes the picture; `silent` is how long ago it was told, real seconds.
    console : rich.console.Console, optional
        The terminal; that of the process when left out.
    """
    from rich.live import Live

    told: tuple[Any, float] | None = None

    def show(what: Any) -> None:
        nonlocal told
        told = what, time.monotonic()

    def picture() -> Any:
        shown = told
        return "" if shown is None else draw(shown[0], time.monotonic() - shown[1])

    with Live(get_renderable=picture, console=console, refresh_per_second=4, transient=True) as live:
        try:
            yield show
        finally:
            told = None
            live.refresh()  # as rich ends it draws all once more, and can wipe no more than the window


def no_sign_of_life(silent: float) -> str:
    """Say that a bot was not heard of for some seconds; "" where that is not long."""
    if silent <= _OLD_S:
        return ""
    return f"no sign of life for {silent:,.0f} s: it hangs, or its disk; Ctrl-C twice kills it"


def line_text(line: Line) -> str:
    """Write a line of the log for a file or a pipe."""
    return f"{iso(line.ts)}  {line.level:<8}  {line.category:<9}  {line.text}"


def drawn(now: Standing, lines: list[Line], silent: float = 0.0) -> Any:
    """Draw how a bot stood `silent` seconds ago, for a terminal of 80 columns."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    hangs = no_sign_of_life(silent)
    if hangs:
        now = replace(now, connections=tuple(one._replace(age_s=one.age_s + silent) for one in now.connections))
    live = now.mode == "live"
    money = "FOR MONEY" if live else "on paper"
    title = f"{now.name}: {money} at {now.venue}"
    return Panel(
        Group(*([Text(hangs, style="bold red")] if hangs else []), _facts(now), *_holdings(now), *_log(lines)),
        title=title, width=_WIDTH, subtitle="Ctrl-C stops, twice kills", border_style="red" if live else "cyan",
    )  # fmt: skip


def _facts(now: Standing) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, *parts: tuple[str, str]) -> None:
        table.add_row(name, Text.assemble(*parts))

    reason = f": {now.reason}" if now.reason else ""
    row("state", (now.state, _STATES.get(now.state, "bold")), (f"{reason}, session {now.session}", ""))
    if now.armed:
        row("armed", (now.armed, "green" if now.armed.startswith("armed") else "bold yellow"))
    row("venue", *_connected(now))
    gain = now.equity / now.cash - 1.0
    row("equity", (f"{now.equity:,.2f} {now.currency}  ", "bold"), (f"{gain:+.2%}", "green" if gain >= 0 else "red"))
    old = "dim" if now.prices and _is_old(now) else ""
    prices = ",  ".join(f"{symbol} {price:,.10g}" for symbol, price in now.prices.items()) or "none yet"
    row("last prices", (prices, old), ("  (old)" if old else "", "bold red"))
    if now.limits:
        row("limits", (now.limits, "bold yellow"))
    shown = [*now.orders[:_ORDER_LINES]]
    shown += [f"and {len(now.orders) - _ORDER_LINES} more"] if len(now.orders) > _ORDER_LINES else []
    row("open orders", ("\n".join(shown) or "none", "" if shown else "dim"))
    waited = "" if math.isnan(now.latency_ms) else f", answered in {now.latency_ms:,.0f} ms"
    row("done", (f"{now.fills:,} executions{waited}; journal {now.entries:,} entries", ""))
    row("time", (iso(now.now // 1_000 * 1_000).replace("T", " "), ""))
    return table


def _is_old(now: Standing) -> bool:
    ages = [one.age_s for one in now.connections if one.name == "market"]
    return not ages or not min(ages) <= _OLD_S


def _connected(now: Standing) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    for one in now.connections:
        age = "" if math.isnan(one.age_s) else f" ({one.age_s:,.0f} s ago)"
        old = one.name == "market" and not one.age_s <= _OLD_S
        parts += [
            (f"{one.name} ", "dim"),
            (_PLAINLY.get(one.state, one.state) + age, "red" if old else _CONNECTED.get(one.state, "red")),
            ("  ", ""),
        ]
    return parts or [("not connected yet", "yellow")]


def _holdings(now: Standing) -> list[Any]:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not now.holdings:
        return [Text("no position", style="dim")]
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for label in ("Position", "Quantity", "Entered at", "Last", "Unrealised"):
        table.add_column(label, justify="left" if label == "Position" else "right", no_wrap=True)
    for one in now.holdings:
        colour = "green" if one.unrealised >= 0 else "red"
        table.add_row(
            one.symbol, f"{one.quantity:+,.8g}", f"{one.entry:,.8g}", f"{one.price:,.8g}",
            Text(f"{one.unrealised:+,.2f}", style=colour),
        )  # fmt: skip
    return [table]


def _log(lines: list[Line]) -> list[Any]:
    from rich.rule import Rule
    from rich.text import Text

    found = []
    for line in lines[-_LOG_LINES:]:
        text = Text(f"{iso(line.ts)[11:19]} {line.text}", style=_LEVELS.get(line.level, "dim"), no_wrap=True)
        text.overflow = "ellipsis"
        found.append(text)
    return [Rule(style="dim"), *found] if found else []
