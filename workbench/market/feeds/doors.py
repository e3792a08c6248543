"""The doors to feeds: `wb.data.feed`, `wb.data.replay`, `wb.data.tape`, `wb.data.tapes`, `wb.data.collect`.

Feeds are asynchronous; a notebook can `async for` over them as it is. `collect` is for code that is not: it reads a
feed in a thread of its own and gives a list.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError
from workbench.market.feeds.events import Event
from workbench.market.feeds.feed import Access, Feed, Tuning, Watch
from workbench.market.feeds.replay import ReplayFeed, Source, StepClock
from workbench.market.feeds.tape import Tape, TapeInfo, tapes_in
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

    from workbench.market.feeds.ccxt_feed import CcxtFeed

__all__ = ["collect", "feed", "record_feed", "replay", "tape", "tapes"]


def feed(
    venue: str,
    symbols: str | Sequence[str],
    *,
    bars: str | Timeframe | Sequence[str | Timeframe] | None = "1m",
    channels: str | Sequence[str] = (),
    start: Any = None,
    access: Access | None = None,
) -> CcxtFeed:
    """Give a live feed of a venue.

    Parameters
    ----------
    venue : str
        ccxt's name, such as "binance".
    symbols : str or sequence of str
        In ccxt's notation, such as "BTC/USDT".
    bars : str, Timeframe or sequence of these, default "1m"
        Lengths of bars; None for none.
    channels : str or sequence of str
        More to tell: "tickers", "trades", "books", "orders" (own orders and fills; needs a key).
    start : str, datetime or int (ms UTC), optional
        Tell the bars from here on, those that are over already first; from now on when left out.
    access : Access, optional
        A key, and the route to a practice exchange: `Access(route=…, key=…, secret=…)`.

    Returns
    -------
    CcxtFeed
        Open it with `async with`, iterate over it with `async for`. `CcxtFeed(…, tuning=…)` sets its patience.

    Raises
    ------
    ConfigError
        Nothing is asked for, a channel is unknown, or own orders are asked for without a key.
    DataError
        A timeframe or the start is not understood.
    """
    from workbench.market.feeds.ccxt_feed import CcxtFeed

    return CcxtFeed(venue, Watch.of(symbols, bars, channels, start), access=access, tuning=Tuning())


def replay(*sources: Source | str, speed: float | StepClock = math.inf, root: str | Path | None = None) -> ReplayFeed:
    """Give a feed of what happened.

    Parameters
    ----------
    *sources : Bars, Ticks, Tape, str or sequence of events
        A text is the name of a tape. Several are merged in order of time.
    speed : float or StepClock, default inf
        How many times faster than it happened, or a clock to go along with; see `ReplayFeed`.
    root : path, optional
        Folder of the lake whose tapes are meant; that of the workspace when left out.

    Returns
    -------
    ReplayFeed

    Raises
    ------
    DataError
        There is no such tape, or a source is of another kind.
    ConfigError
        There is no source, or the speed is not above zero.
    """
    found = [tape(source, root=root) if isinstance(source, str) else source for source in sources]
    return ReplayFeed(*found, speed=speed)


def tape(name: str, *, root: str | Path | None = None) -> Tape:
    """Give a tape of the lake by its name, whether there is something on it or not."""
    return Tape(_root(root), name)


def tapes(*, root: str | Path | None = None) -> pd.DataFrame:
    """Give one row per tape of the lake: `name feed events start end kinds symbols size_bytes`; times are UTC.

    A tape that is damaged is left out with a warning.
    """
    import pandas as pd

    infos = _infos(_root(root))
    frame = pd.DataFrame(
        [{name: getattr(info, name) for name in TapeInfo.__slots__} for info in infos], columns=list(TapeInfo.__slots__)
    )
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="ms", utc=True)
    return frame


def _infos(root: Path) -> list[TapeInfo]:
    import warnings

    from workbench.errors import DataError

    infos = []
    for one in tapes_in(root):
        try:
            infos.append(one.info)
        except DataError as error:
            warnings.warn(f"tape {one.name!r} is left out: {error}", stacklevel=3)
    return infos


def collect(source: Feed, *, events: int | None = None, seconds: float | None = None) -> list[Event]:
    """Read a feed from code that is not asynchronous, such as a plain notebook cell.

    Parameters
    ----------
    source : Feed
        Not open yet.
    events : int, optional
        Stop after so many.
    seconds : float, optional
        Stop after so long. A live feed needs one of the two.

    Returns
    -------
    list of events

    Raises
    ------
    ConfigError
        Neither is given for a feed that does not end by itself.
    """
    if events is None and seconds is None and not isinstance(source, ReplayFeed):
        raise ConfigError("a live feed does not end: say how many events=… or seconds=… to collect")
    found: list[Event] = []

    async def read() -> None:
        async with source:
            try:
                async with asyncio.timeout(seconds):
                    while events is None or len(found) < events:
                        found.append(await anext(source))
            except (TimeoutError, StopAsyncIteration):
                pass  # both are a good end

    _in_thread(read)
    return found


def record_feed(
    source: Feed, name: str, *, events: int | None = None, seconds: float | None = None, root: str | Path | None = None
) -> TapeInfo:
    """Tape a feed from code that is not asynchronous; see `workbench.market.feeds.record.record`."""
    from workbench.market.feeds.record import record

    found: list[TapeInfo] = []

    async def run() -> None:
        found.append(await record(source, tape(name, root=root), events=events, seconds=seconds))

    _in_thread(run)
    return found[0]


def _in_thread(job: Any) -> None:
    """Run a coroutine in a thread with a loop of its own, for a notebook's own loop is busy running the cell."""
    failed: list[BaseException] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(job())

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except BaseException as error:
            failed.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    thread = threading.Thread(target=run, name="feed", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:  # a kernel that was interrupted: close what is open, then say so
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if failed:
        raise failed[0]


def _root(root: str | Path | None) -> Path:
    if root is not None:
        return Path(root)
    from workbench.settings import load_settings

    return Path(load_settings().lake_root)
