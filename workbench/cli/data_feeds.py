"""`workbench data record` and `workbench data tapes`: what a venue says now onto a tape, and what tapes there are."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson
from workbench.cli.place import settings_here
from workbench.cli.words import iso, size
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from workbench.market.feeds.events import Event
    from workbench.market.feeds.feed import Access
    from workbench.market.feeds.record import Recording
    from workbench.market.feeds.tape import Tape, TapeInfo
    from workbench.settings import Settings

__all__ = ["RECORD_EXAMPLES", "TAPES_EXAMPLES", "list_tapes", "record_feed"]

RECORD_EXAMPLES: Final = (
    "workbench data record binance BTC/USDT ETH/USDT --for 1h",
    "workbench data record binance BTC/USDT --channels trades,books --name btc-monday",
    "workbench data record binance BTC/USDT --practice --for 30s",
)
TAPES_EXAMPLES: Final = (
    "workbench data tapes",
    "workbench data tapes btc-monday --last 20      the end of one",
)


def record_feed(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="As ccxt names it, such as binance.")],
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Such as BTC/USDT.")],
    bars: Annotated[
        str, typer.Option(metavar="TIMEFRAMES", help="Closed bars of these lengths, such as 1m,1h; none for no bars.")
    ] = "1m",
    channels: Annotated[
        str, typer.Option(metavar="NAMES", help="More to tape: tickers, trades, books; several with commas.")
    ] = "",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the tape; one that is there is gone on with.")
    ] = None,
    length: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long, such as 30s, 10m or 8h; until Ctrl-C else.")
    ] = None,
    events: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How many events; the first limit that is met ends it.")
    ] = None,
    practice: Annotated[bool, typer.Option("--practice", help="From the practice exchange that runs here.")] = False,
) -> None:
    """Tape what a venue says, live: closed bars, trades, tickers, order books.

    What was taped can be replayed bit by bit: `wb.data.replay("NAME")`. A lost connection is mended, and bars and
    trades missed meanwhile are asked for. Ctrl-C ends the tape; a killed process loses the last seconds.
    """
    from workbench.market.feeds.ccxt_feed import CcxtFeed
    from workbench.market.feeds.feed import Watch
    from workbench.market.feeds.record import Recording
    from workbench.market.feeds.tape import Tape

    settings = settings_here()
    seconds = _seconds(length)
    watch = Watch.of(symbols, _listed(bars) or None, _public(_listed(channels)))
    feed = CcxtFeed(venue, watch, access=_access(settings, practice))
    tape = Tape(settings.lake_root, name or f"{feed.name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    try:
        asyncio.run(_tape(Recording(feed, tape), seconds, events))
    except KeyboardInterrupt:
        say()  # the tape is whole: it was closed on the way here
    _say_end(tape.info)


async def _tape(recording: Recording, seconds: float | None, events: int | None) -> None:
    async with recording:
        say(f"Taping {recording.name} onto {recording.tape.name!r}; Ctrl-C ends it")
        try:
            async with asyncio.timeout(seconds):
                taped = 0
                async for event in recording:
                    _say_change(event)
                    taped += 1
                    if taped == events:
                        break
        except TimeoutError:
            pass  # as long as was asked for


def _say_change(event: Event) -> None:
    from workbench.market.feeds.events import ConnectionMoved, GapFound

    if isinstance(event, ConnectionMoved):
        style = {"live": "green", "polling": "yellow"}.get(event.state, "red")
        reason = f": {event.reason}" if event.reason else ""
        say(f"{iso(event.received)[11:19]}  {event.symbol} {event.channel} {event.state}{reason}", style)
    elif isinstance(event, GapFound):
        say(f"{iso(event.received)[11:19]}  {event.symbol} {event.channel} missing: {event.reason}", "yellow")


def _say_end(info: TapeInfo) -> None:
    say(f"{info.name}: {info.events:,} events ({_kinds(info)}), {size(info.size_bytes)}", "green")
    say(f'Replay it in a notebook: wb.data.replay("{info.name}")')


def _seconds(length: str | None) -> float | None:
    from workbench.market.timeframe import Timeframe

    if length is None:
        return None
    try:
        return Timeframe.parse(length).ms / 1_000
    except DataError as error:
        raise ConfigError(f"--for {length}: write a whole number and s, m, h, d or w, such as 30s or 8h") from error


def _listed(text: str) -> list[str]:
    return [] if text == "none" else [one.strip() for one in text.split(",") if one.strip()]


def _public(channels: list[str]) -> list[str]:
    if "orders" in channels:
        raise ConfigError("own orders need a key, which no command takes; tape them from Python with wb.data.feed(…)")
    return channels


def _access(settings: Settings, practice: bool) -> Access:
    from workbench.market.feeds.feed import Access
    from workbench.practice.clients import running_route

    if not practice:
        return Access()
    return Access(route=running_route(settings.data))


def list_tapes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this one, with its last events.")] = None,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="How many of its last events to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """List the tapes in the lake: what is on them, how much, since when."""
    from workbench.market.feeds.tape import Tape, tapes_in

    root = settings_here().lake_root
    infos = [tape.info for tape in ([Tape(root, name)] if name else tapes_in(root))]
    if as_json:
        show_json([_plain(info) for info in infos])
    elif not infos:
        say("There are no tapes: `workbench data record VENUE SYMBOL` makes one.")
    else:
        _show(infos)
        if name:
            _show_last(Tape(root, name), last)


def _plain(info: TapeInfo) -> dict[str, Any]:
    times = {"start": iso(info.start), "end": iso(info.end)}
    return {
        "name": info.name, "feed": info.feed, "events": info.events, **times, "kinds": info.kinds,
        "symbols": list(info.symbols), "size_bytes": info.size_bytes,
    }  # fmt: skip


def _show(infos: list[TapeInfo]) -> None:
    columns = [
        Column("Tape"), Column("Feed"), Column("Events", number=True), Column("From"), Column("To"),
        Column("Symbols", wrap=True), Column("Kinds", wrap=True), Column("Size", number=True),
    ]  # fmt: skip
    show_table(
        columns,
        [
            (
                Cell(info.name, "bold"), info.feed, f"{info.events:,}", _when(info.start), _when(info.end),
                ", ".join(info.symbols), _kinds(info), size(info.size_bytes),
            )
            for info in infos
        ],
    )  # fmt: skip


def _kinds(info: TapeInfo) -> str:
    return ", ".join(f"{count:,} {kind}{'s' * (count != 1)}" for kind, count in info.kinds.items()) or "nothing"


def _when(ts: int) -> str:
    return iso(ts // 1_000 * 1_000).replace("T", " ").removesuffix("Z") if ts else ""


def _show_last(tape: Tape, count: int) -> None:
    from collections import deque

    say()
    rows = []
    for event in deque(tape.events(), maxlen=count):
        told = ", ".join(
            f"{field}={value}"
            for field, value in zip(event._fields, event, strict=True)
            if field not in ("symbol", "ts", "received") and value not in (None, "", ())
        )
        rows.append((iso(event.received), type(event).__name__, event.symbol, told))
    show_table([Column("Received (UTC)"), Column("Event"), Column("Symbol"), Column("What", cut=True)], rows)
