"""Protections: what blocks new entries for a while after round trips that ended badly.

State is in preallocated arrays, so that compiled code and Python share one writing: `note_trip` is told of every trip
that ends, `blocked_by` answers whether an entry may be made. `note_trip_nb` and `blocked_by_nb` are the same, compiled.
Times are ms UTC; lookbacks and pauses are in strategy bars.

A slot per instrument says until when it is blocked and by what; one more slot, the last, holds for all. The latest end
wins; of equal ends the one that was set first, and an instrument's own before that of all.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel
from workbench.errors import ConfigError

__all__ = [
    "COOLDOWN",
    "DRAWDOWN_PAUSE",
    "FOREVER",
    "LOSING_PAIR",
    "LOW_PROFIT",
    "STOPS",
    "STOP_GUARD",
    "GuardState",
    "Guarding",
    "blocked_by",
    "blocked_by_nb",
    "guarding_of",
    "new_state",
    "note_trip",
    "note_trip_nb",
    "with_room",
]

# Codes as bare numbers, not looked up in the tables they come from: a kernel in the disk cache notices a change in this
# file, and would not notice one in the file of the tables. A test holds both equal.
COOLDOWN, STOP_GUARD, DRAWDOWN_PAUSE, LOW_PROFIT, LOSING_PAIR = 6, 7, 8, 9, 10
STOPS: Final = (3, 5, 6, 10, 11)  # stop_loss, trailing_stop, bankruptcy, custom_stop, liquidation
FOREVER: Final = 2**62

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class GuardRows(Protocol):
    """What `guarding_of` reads: the numbers of `backtest.plan.Guards`."""

    @property
    def cooldown(self) -> int:
        """Strategy bars."""

    @property
    def stops(self) -> Floats:
        """Shape (a, 4)."""

    @property
    def drawdowns(self) -> Floats:
        """Shape (b, 4)."""

    @property
    def profits(self) -> Floats:
        """Shape (c, 4)."""

    @property
    def losing(self) -> Floats:
        """Shape (d, 4)."""


class Guarding(NamedTuple):
    """The protections as numbers; no rows, or a cooldown of zero, turn one off.

    `cooldown` strategy bars; `stops` rows of (limit, lookback, pause, only_this); `drawdowns` (limit, lookback, pause,
    min_trips); `profits` (required, lookback, pause, min_trips); `losing` (losses, roi, min_trips, review). Arrays
    float64, shape (rows, 4); a lookback, pause or review of infinity never ends.
    """

    cooldown: int
    stops: Floats
    drawdowns: Floats
    profits: Floats
    losing: Floats


class GuardState(NamedTuple):
    """What the protections remember.

    `until`, `why`: int64, shape (instruments + 1,), the last for all instruments. `ts`, `instrument`, `pnl`,
    `return_`, `was_stop`, `equity`: a ring of trips, shape (capacity,), `equity` the realised equity after the trip.
    `streak`, `trips`, `returns`, `review`: per instrument, shape (instruments,): losses in a row, number and summed
    return of trips since the last review, and when the next review is. `noted`, `realised`: shape (1,): trips noted so
    far, realised equity.
    """

    until: Whole
    why: Whole
    ts: Whole
    instrument: Whole
    pnl: Floats
    return_: Floats
    was_stop: NDArray[np.bool_]
    equity: Floats
    streak: Whole
    trips: Whole
    returns: Floats
    review: Whole
    noted: Whole
    realised: Floats


def guarding_of(guards: GuardRows) -> Guarding:
    """Give protections as read-only arrays of one type each, as kernels take them.

    Raises
    ------
    ConfigError
        Rows are not four numbers each.
    """
    rows = [guards.stops, guards.drawdowns, guards.profits, guards.losing]
    for name, values in zip(("stops", "drawdowns", "profits", "losing"), rows, strict=True):
        if np.ndim(values) != 2 or np.shape(values)[1] != 4:
            raise ConfigError(f"guards.{name} has shape {np.shape(values)}; it must be rows of 4", name=name)
    return Guarding(int(guards.cooldown), *(frozen(values) for values in rows))


def new_state(instruments: int, capacity: int, cash: float) -> GuardState:
    """Make the state of a run that has seen no trip yet.

    Parameters
    ----------
    instruments : int
    capacity : int
        Trips that the log holds; a full log forgets its oldest trip, so whoever cannot grow it (`with_room`) makes it
        as large as the number of trips can become.
    cash : float
        Starting cash: the realised equity before the first trip.
    """
    n, room = instruments, max(capacity, 1)
    return GuardState(
        until=np.full(n + 1, -FOREVER),
        why=np.full(n + 1, -1),
        ts=np.zeros(room, dtype=np.int64),
        instrument=np.zeros(room, dtype=np.int64),
        pnl=np.zeros(room),
        return_=np.zeros(room),
        was_stop=np.zeros(room, dtype=np.bool_),
        equity=np.zeros(room),
        streak=np.zeros(n, dtype=np.int64),
        trips=np.zeros(n, dtype=np.int64),
        returns=np.zeros(n),
        review=np.full(n, FOREVER),
        noted=np.zeros(1, dtype=np.int64),
        realised=np.array([cash], dtype=np.float64),
    )


def with_room(state: GuardState) -> GuardState:
    """Give a state whose log has room for one more trip: the same, or one with a log twice as long.

    Only a state that goes through here before every trip remembers them all.
    """
    if state.noted[0] < state.ts.size:
        return state
    log = ("ts", "instrument", "pnl", "return_", "was_stop", "equity")
    return state._replace(**{name: np.resize(getattr(state, name), 2 * state.ts.size) for name in log})


@kernel
def after_nb(ts: int, bars: float, tf_ms: int) -> int:
    """Give the time some bars after another (before it, for a negative number); FOREVER after infinitely many."""
    span = bars * tf_ms
    return ts + int(span) if abs(span) < FOREVER else FOREVER if span > 0.0 else -FOREVER


@kernel
def block_nb(state: GuardState, slot: int, until: int, why: int) -> None:
    """Block a slot until a time, unless it is blocked that long already."""
    if until > state.until[slot]:
        state.until[slot], state.why[slot] = until, why


@kernel
def window_nb(state: GuardState, instrument: int, since: int, tf_ms: int) -> tuple[int, int, float]:
    """Sum up the trips of an instrument (-1: of all) that ended after a time: how many, how many by a stop, return."""
    trips, stopped, returns = 0, 0, 0.0
    newest, room = state.noted[0] - 1, state.ts.size
    for number in range(newest, max(newest - room, -1), -1):
        at = number % room
        # trips are noted in the order of their exits, but for those within one strategy bar
        if state.ts[at] <= since - tf_ms:
            break
        if state.ts[at] > since and (instrument < 0 or state.instrument[at] == instrument):
            trips += 1
            stopped += state.was_stop[at]
            returns += state.return_[at]
    return trips, stopped, returns


@kernel
def drawdown_nb(state: GuardState, since: int, tf_ms: int) -> tuple[int, float]:
    """Count the trips that ended after a time, and give how far realised equity is below its highest since then.

    The value before the first of these trips counts as a high too. A fraction; 1 once nothing is left.
    """
    trips, highest = 0, state.realised[0]
    newest, room = state.noted[0] - 1, state.ts.size
    for number in range(newest, max(newest - room, -1), -1):
        at = number % room
        if state.ts[at] <= since - tf_ms:
            break
        if state.ts[at] > since:
            trips += 1
            highest = max(highest, state.equity[at], state.equity[at] - state.pnl[at])
    now = state.realised[0]
    return trips, (highest - now) / highest if now > 0.0 else 1.0


@kernel
def log_trip_nb(state: GuardState, instrument: int, ts: int, pnl: float, return_: float, was_stop: bool) -> None:
    """Write a trip into the log and into its instrument's history, which starts anew after a review."""
    state.realised[0] += pnl
    at = state.noted[0] % state.ts.size
    state.ts[at], state.instrument[at], state.pnl[at], state.return_[at] = ts, instrument, pnl, return_
    state.was_stop[at], state.equity[at] = was_stop, state.realised[0]
    state.noted[0] += 1
    if ts >= state.review[instrument]:
        state.streak[instrument], state.trips[instrument], state.returns[instrument] = 0, 0, 0.0
        state.review[instrument] = FOREVER
    state.streak[instrument] = state.streak[instrument] + 1 if pnl < 0.0 else 0
    state.trips[instrument] += 1
    state.returns[instrument] += return_


@kernel
def judge_losing_nb(state: GuardState, rows: Floats, k: int, ts: int, tf_ms: int) -> None:
    """Block an instrument that lost too often in a row, or too much, until its next review."""
    for losses, roi, min_trips, review in rows:
        poor = state.trips[k] >= min_trips and state.returns[k] < roi
        if state.streak[k] >= losses or poor:
            until = after_nb(ts, review, tf_ms)
            block_nb(state, k, until, LOSING_PAIR)
            state.review[k] = until if state.review[k] == FOREVER else max(state.review[k], until)


def note_trip(
    state: GuardState,
    guarding: Guarding,
    instrument: int,
    ts_exit: int,
    tf_ms: int,
    pnl: float,
    return_: float,
    reason_code: int,
) -> None:
    """Note a round trip that has ended, and block what the protections say.

    Parameters
    ----------
    state : GuardState
        Changed in place. Python callers pass it through `with_room` first.
    guarding : Guarding
    instrument : int
    ts_exit : int
        Open time of the base bar of its last exit fill, ms.
    tf_ms : int
        Length of a strategy bar.
    pnl : float
        What the trip brought after fees and funding; below zero it is a loss.
    return_ : float
        `pnl` as a fraction of the entry value.
    reason_code : int
        Why its last exit fill happened, a position in `orders.REASONS`.
    """
    log_trip_nb(state, instrument, ts_exit, pnl, return_, reason_code in STOPS)
    everywhere = state.until.size - 1
    if guarding.cooldown > 0:
        block_nb(state, instrument, after_nb(ts_exit, guarding.cooldown, tf_ms), COOLDOWN)
    for limit, lookback, pause, only_this in guarding.stops:
        whose, slot = (instrument, instrument) if only_this > 0.0 else (-1, everywhere)
        if window_nb(state, whose, after_nb(ts_exit, -lookback, tf_ms), tf_ms)[1] >= limit:
            block_nb(state, slot, after_nb(ts_exit, pause, tf_ms), STOP_GUARD)
    for limit, lookback, pause, min_trips in guarding.drawdowns:
        trips, drawdown = drawdown_nb(state, after_nb(ts_exit, -lookback, tf_ms), tf_ms)
        if trips >= min_trips and drawdown >= limit:
            block_nb(state, everywhere, after_nb(ts_exit, pause, tf_ms), DRAWDOWN_PAUSE)
    for required, lookback, pause, min_trips in guarding.profits:
        trips, _, returns = window_nb(state, instrument, after_nb(ts_exit, -lookback, tf_ms), tf_ms)
        if trips >= min_trips and returns < required:
            block_nb(state, instrument, after_nb(ts_exit, pause, tf_ms), LOW_PROFIT)
    judge_losing_nb(state, guarding.losing, instrument, ts_exit, tf_ms)


def blocked_by(state: GuardState, instrument: int, ts: int) -> int:
    """Say which protection forbids an entry decided on a bar that opens at `ts`.

    Returns
    -------
    int
        A position in `backtest.records.SKIP_REASONS`; -1 when the entry may be made.
    """
    own, everywhere = state.until[instrument], state.until[-1]
    if ts >= own and ts >= everywhere:
        return -1
    return int(state.why[instrument] if own >= everywhere else state.why[-1])


note_trip_nb = kernel(note_trip)
blocked_by_nb = kernel(blocked_by)
