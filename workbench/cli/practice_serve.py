"""Serving a practice exchange from the command line: what is served, what is said about it, and a clean end."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.cli.console import on_terminal, say
from workbench.cli.place import settings_here
from workbench.cli.words import iso, number
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.market.lake_series import SeriesInfo
    from workbench.practice.exchange import Exchange
    from workbench.practice.markets import Market

__all__ = ["Wanted", "serve_until_stopped"]

_DAY_MS: Final = 86_400_000
_BLINK_S: Final = 0.5
_MADE_UP: Final = ("BTC/USDT", "ETH/USDT")
_MADE_UP_MS: Final = 90 * _DAY_MS  # of history before the beginning
_PRICES: Final = {"BTC": 60_000.0, "ETH": 3_000.0}
_LAST_LINE: Final = "\r\x1b[2K"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for on the command line; the fields are the options of `workbench practice serve`."""

    symbols: tuple[str, ...]
    timeframe: str | None
    venue: str | None
    start: str | None
    end: str | None
    speed: float
    synthetic: bool
    tape: str | None
    seed: int | None
    scenario: str | None
    protocols: tuple[str, ...]
    port: int


def serve_until_stopped(wanted: Wanted) -> None:
    """Serve until Ctrl-C, a SIGTERM, or the end of what was recorded.

    Raises
    ------
    ConfigError
        An option is wrong, a practice exchange runs in this workspace already, or the port is taken.
    DataError
        A series is not in the lake.
    """
    from workbench.practice.clients import PRACTICE_FOLDER
    from workbench.practice.clock import RunningClock
    from workbench.practice.exchange import Exchange, Serving
    from workbench.practice.faults import Faults

    if wanted.speed <= 0:
        raise ConfigError(f"--speed {wanted.speed:g}: give a number above 0; 1 is real time, 60 a minute a second")
    settings = settings_here()
    folder = settings.data / PRACTICE_FOLDER
    _refuse_a_second(folder)
    faults = Faults(wanted.scenario, seed=wanted.seed)
    markets, begin = _markets(wanted, settings.lake_root)
    end = max(one.end for one in markets)
    serving = Serving(folder=folder, port=wanted.port)
    with (
        _stoppable() as stop,
        Exchange(
            markets, protocols=wanted.protocols, clock=RunningClock(wanted.speed, begin), faults=faults,
            serving=serving,
        ) as exchange,
    ):  # fmt: skip
        _introduce(exchange, markets, wanted, folder)
        try:
            ended = _watch(exchange, stop, end)
        except KeyboardInterrupt:
            ended = False
        summary = f"{exchange.requests:,} requests, {len(faults.log):,} faults"
    say(f"{'the markets end here' if ended else 'stopped'}: {summary}")


def _refuse_a_second(folder: Path) -> None:
    """Refuse where another one runs; a file that one left which was killed does not count."""
    from workbench.market.sources.clients import Route
    from workbench.practice.exchange import ROUTE_FILE

    try:
        there = Route.read(folder / ROUTE_FILE)
    except ConfigError:
        return
    if there.answers():
        raise ConfigError(
            f"a practice exchange runs in this workspace already, on port {there.port}; stop it with Ctrl-C where "
            "it runs, or serve from another workspace",
            port=there.port,
        )


def _markets(wanted: Wanted, lake_root: Path) -> tuple[list[Market], int]:
    """Give the markets, and when (ms UTC) the clock begins: a day in, so that there are 24 hours to look back at."""
    if wanted.tape is not None:
        return _taped(wanted, lake_root)
    if wanted.synthetic or not wanted.symbols:
        return _made_up(wanted)
    from workbench.market.bars import to_ms
    from workbench.market.lake import Lake
    from workbench.practice.markets import RecordedMarket

    lake = Lake(lake_root)
    markets: list[Market] = []
    for symbol in dict.fromkeys(wanted.symbols):
        known = _series(lake.series(), symbol, wanted)
        bars = lake.read(symbol, known.timeframe, None, wanted.end, venue=known.venue)
        markets.append(RecordedMarket(bars))
    first, last = max(one.start for one in markets), min(one.end for one in markets)
    begin = first + _DAY_MS if wanted.start is None else to_ms(wanted.start)
    if not first <= begin < last:
        when = "--start " + wanted.start if wanted.start is not None else "a day after the first bar"
        raise ConfigError(
            f"{when} is {iso(begin)}, but all these series are there only from {iso(first)} to {iso(last)}; choose a "
            "--start between them",
            start=begin,
        )
    return markets, begin


def _taped(wanted: Wanted, lake_root: Path) -> tuple[list[Market], int]:
    """Give the markets whose trades a tape has, from its first trade on."""
    from workbench.market.bars import to_ms
    from workbench.market.feeds.events import TradePrinted
    from workbench.market.feeds.tape import Tape
    from workbench.market.instrument import Instrument
    from workbench.practice.markets import RecordedMarket

    trades = [event for event in Tape(lake_root, str(wanted.tape)).events() if isinstance(event, TradePrinted)]
    there = sorted({trade.symbol for trade in trades})
    lacking = sorted(set(wanted.symbols) - set(there)) or ([] if there else ["any market"])
    if lacking:
        has = f"it has those of {', '.join(there)}" if there else "record them: data record … --channels trades"
        raise ConfigError(f"the tape {wanted.tape!r} has no trades of {', '.join(lacking)}; {has}", tape=wanted.tape)
    markets: list[Market] = [
        RecordedMarket.from_events(trades, instrument=Instrument.default(symbol, f"practice-{wanted.protocols[0]}"))
        for symbol in (wanted.symbols or there)
    ]
    first = min(one.start for one in markets)
    return markets, first if wanted.start is None else to_ms(wanted.start)


def _series(known: list[SeriesInfo], symbol: str, wanted: Wanted) -> SeriesInfo:
    """Choose the series of a symbol: the finest, unless it was said which."""
    from workbench.market.timeframe import Timeframe

    mine = [one for one in known if one.symbol == symbol and wanted.venue in (None, one.venue)]
    chosen = [one for one in mine if wanted.timeframe in (None, one.timeframe)]
    if not chosen:
        there = ", ".join(f"{one.timeframe} of {one.venue}" for one in mine)
        fix = f"there is {there}" if there else "`workbench data list` shows what there is, --synthetic makes one up"
        raise ConfigError(f"the lake has no {symbol} {wanted.timeframe or ''}".rstrip() + f"; {fix}", symbol=symbol)
    chosen.sort(key=lambda one: Timeframe.parse(one.timeframe).ms)
    others = sorted({one.venue for one in chosen})
    if len(others) > 1:
        raise ConfigError(f"{symbol} is there of {', '.join(others)}; choose one with --venue", symbol=symbol)
    return chosen[0]


def _made_up(wanted: Wanted) -> tuple[list[Market], int]:
    import time

    from workbench.market.bars import to_ms
    from workbench.market.instrument import Instrument
    from workbench.practice.markets import SyntheticMarket

    begin = int(time.time() * 1_000) if wanted.start is None else to_ms(wanted.start)
    markets: list[Market] = []
    for symbol in dict.fromkeys(wanted.symbols or _MADE_UP):
        price = _PRICES.get(symbol.partition("/")[0], 100.0)
        tick = 10.0 ** (math.floor(math.log10(price)) - 5)
        facts = replace(
            Instrument.default(symbol, venue=f"practice-{wanted.protocols[0]}"),
            tick_size=tick,
            lot_size=1e-5,
            min_notional=5.0,
        )
        first = begin - _MADE_UP_MS
        markets.append(
            SyntheticMarket(facts, seed=wanted.seed or 0, price=price, start=first, end=begin + 10 * _MADE_UP_MS)
        )
    return markets, begin


def _introduce(exchange: Exchange, markets: list[Market], wanted: Wanted, folder: Path) -> None:
    """Say where it is and how to get there."""
    from workbench.practice.exchange import ROUTE_FILE
    from workbench.practice.wire.signing import PRACTICE

    venues = ", ".join(wanted.protocols)
    say(f"practice exchange on 127.0.0.1:{exchange.route.port} (TLS), speaking for {venues}", "bold")
    scenario = exchange.faults.scenario
    facts = {
        "markets": ", ".join(f"{one.instrument.symbol}{' (synthetic)' if one.synthetic else ''}" for one in markets),
        "clock": f"{iso(exchange.now)}, {wanted.speed:g} times real time",
        "scenario": f"{scenario.name or wanted.scenario}: {len(scenario.rules)} faults, seed {exchange.faults.seed}"
        if scenario.rules
        else "nothing goes wrong",
        "account": f"{PRACTICE.account}: {_money(exchange)}",
        "key": PRACTICE.key,
        "secret": f"{PRACTICE.secret}  (opens nothing but this)",
        "route": str(folder / ROUTE_FILE),
        "certificate": exchange.route.certificate,
    }
    for name, value in facts.items():
        say(f"  {name:<12}{value}")
    say(f'  {"Python":<12}async with wb.practice.connect("{wanted.protocols[0]}") as client: ...')
    say(f"  {'commands':<12}those that talk to a venue take --practice")
    say("Ctrl-C ends it.", "dim")
    sys.stdout.flush()


def _money(exchange: Exchange) -> str:
    from workbench.practice.wire.signing import PRACTICE

    engine, parts = exchange.engine, []
    for wallet, purpose in (("spot", ""), ("linear", " for perpetuals")):
        balances = exchange.call(partial(engine.balances, PRACTICE.account, wallet))
        there = [f"{number(one.wallet)} {one.asset}" for one in balances if one.wallet]
        parts += [", ".join(there) + purpose] if there else []
    return "; ".join(parts) or "nothing"


def _watch(exchange: Exchange, stop: threading.Event, end: int) -> bool:
    """Keep one line up to date until told to stop or until `end`; tell whether it was that."""
    live = on_terminal()
    while not stop.wait(_BLINK_S):
        if live:
            sys.stdout.write(_LAST_LINE + _line(exchange))
            sys.stdout.flush()
        if exchange.now >= end:
            break
    if live:
        sys.stdout.write(_LAST_LINE)
    return not stop.is_set()


def _line(exchange: Exchange) -> str:
    def seen() -> tuple[int, str, int]:
        engine = exchange.engine
        symbol = engine.symbols[0]
        orders = sum(len(engine.open_orders(account)) for account in engine.accounts)
        return engine.now, f"{symbol} {number(engine.ticker(symbol).last)}", orders

    now, price, orders = exchange.call(seen)
    done = exchange.faults.log
    last = f" (last: {done[-1].fault})" if done else ""
    return (
        f"{iso(now - now % 1_000)}  {price}  requests {exchange.requests:,}  open orders {orders}  "
        f"faults {len(done):,}{last}"
    )


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and SIGTERM set while the block runs."""
    stop = threading.Event()

    def end(*_: Any) -> None:
        stop.set()

    before = {one: signal.signal(one, end) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
