"""Round trips, derived from fills: one function for both paths, for one instrument or many.

A trip goes from flat to flat: what was bought and sold in between, at average prices, with its fees and its funding;
its reason is that of the last fill. A fill that turns a position round ends one trip and begins the next, and its fee
is split by quantity. A trip that is not over is marked at the last close.

A *book* is what a fill belongs to: an instrument, or one leg of it in hedge mode. Everything here is arrays;
`frames` makes tables of them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel
from workbench.backtest.plan import Line, Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, REASON_CODES, Records, column

__all__ = [
    "AT_CLOSE",
    "AT_OPEN",
    "INSIDE",
    "OPEN",
    "TRIP_FIELDS",
    "Book",
    "averaged_nb",
    "base_rows",
    "books_of",
    "excursions_of",
    "moments_of",
    "places_of",
    "trip_column",
    "trips_of",
]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

TRIP_FIELDS: Final = (
    "instrument", "side", "entry_ts", "exit_ts", "entry_decided", "exit_decided", "quantity", "entry_price",
    "exit_price", "entry_fee", "exit_fee", "funding", "reason", "entry_place", "exit_place", "left",
)  # fmt: skip
OPEN: Final = 0  # the code of that reason
AT_OPEN, INSIDE, AT_CLOSE = 0, 1, 2  # where in its base bar a fill happened
_DECISIONS: Final = tuple(REASON_CODES[reason] for reason in ("entry", "signal", "reversal", "time_limit"))
_DUST: Final = 1e-12  # as in trading.positions: what floats leave behind, not a holding

# Columns of the tables as bare numbers: a kernel in the disk cache would not notice a change in `records`. A test holds
# them equal to the names.
_TS, _SIDE, _QUANTITY, _PRICE, _FEE, _REASON, _DECIDED = 0, 2, 3, 5, 6, 8, 9
_FUNDED_QUANTITY, _AMOUNT = 2, 5


def trip_column(trips: Floats, name: str) -> Floats:
    """Give one column of a table of trips by name, shape (m,)."""
    return column(trips, TRIP_FIELDS, name)


class Book(NamedTuple):
    """What the fills of one book are reckoned with.

    `instrument` is a position in the plan's lines, `mark` the last close, `end` the open time of the bar that it ends.
    """

    instrument: float
    mark: float
    end: float
    contract_size: float
    inverse: bool


def base_rows(line: Line, ts: Floats) -> Whole:
    """Give the row of a line's base bars that each time falls into, shape (n,); -1 before the first."""
    return np.searchsorted(line.ts, ts, side="right") - 1


def books_of(plan: Plan, records: Records) -> tuple[Whole, Whole]:
    """Give the book of each fill, shape (f,), and of each funding settlement, shape (g,).

    A book is the number of the instrument; in hedge mode twice that, and one more for the short leg. Which leg a fill
    was of is said by its order: `leg` of the one whose `number` the fill carries.
    """
    filled = column(records.fills, FILL_FIELDS, "instrument").astype(np.int64)
    funded = column(records.funding, FUNDING_FIELDS, "instrument").astype(np.int64)
    if not plan.account.hedge:
        return filled, funded
    short = [order.get("number", -1) for order in records.orders if order.get("leg") == "short"]
    legs = np.isin(column(records.fills, FILL_FIELDS, "order"), short)
    return 2 * filled + legs, 2 * funded + (column(records.funding, FUNDING_FIELDS, "quantity") < 0)


def places_of(plan: Plan, fills: Floats) -> Whole:
    """Say where in its base bar each fill happened: AT_OPEN, INSIDE or AT_CLOSE; shape (f,).

    What a strategy decides trades at the open, or at the close with `at_close`; so does what is left over from an
    earlier bar. Everything else happens on the way.
    """
    said = np.isin(column(fills, FILL_FIELDS, "reason"), _DECISIONS)
    earlier = column(fills, FILL_FIELDS, "decided") < column(fills, FILL_FIELDS, "ts")
    quoted, which = column(fills, FILL_FIELDS, "quoted"), column(fills, FILL_FIELDS, "instrument")
    places = np.where(said, AT_CLOSE if plan.at_close else AT_OPEN, INSIDE)
    doubtful = ~said & earlier
    for k in np.unique(which[doubtful]).astype(np.int64):
        line, mine = plan.lines[k], np.flatnonzero(doubtful & (which == k))
        rows = np.maximum(base_rows(line, column(fills, FILL_FIELDS, "ts")[mine]), 0)
        at = (line.close if plan.at_close else line.open)[rows] == quoted[mine]
        places[mine[at]] = AT_CLOSE if plan.at_close else AT_OPEN
    return places


def trips_of(plan: Plan, records: Records) -> Floats:
    """Derive the round trips of a run.

    Parameters
    ----------
    plan : Plan
    records : Records

    Returns
    -------
    float64 array, shape (m, len(TRIP_FIELDS))
        By their first fill, oldest first. `quantity` is all that was bought (sold, for a short) in the trip, prices are
        averages over it, `left` what is still held of it; `reason` is a position in `trading.orders.REASONS` and OPEN
        for a trip that is not over, whose `exit_price` counts what is left at the last close. `entry_place` and
        `exit_place` say where in its base bar the first and the last fill happened. Funding is positive when received.
    """
    fills = records.fills
    places = places_of(plan, fills)
    filled, funded = books_of(plan, records)
    order, paid_order = np.argsort(filled, kind="stable"), np.argsort(funded, kind="stable")
    found = [np.empty((0, len(TRIP_FIELDS) + 1))]
    legs = 2 if plan.account.hedge else 1
    when = moments_of(plan, fills, places)
    for book in np.unique(filled):
        mine, paid = _rows_of(filled, order, book), _rows_of(funded, paid_order, book)
        facts = _facts_of(plan.lines[book // legs], book // legs)
        trips = trips_nb(
            frozen(fills[mine]), frozen(when[mine]), frozen(places[mine], np.int64),
            frozen(records.funding[paid]), facts,
        )  # fmt: skip
        trips[:, -1] = mine[trips[:, -1].astype(np.int64)]
        found.append(trips)
    together = np.concatenate(found)
    by_first_fill = np.argsort(together[:, -1], kind="stable")
    result: Floats = np.ascontiguousarray(together[by_first_fill, :-1])
    result.flags.writeable = False
    return result


def _facts_of(line: Line, number: int) -> Book:
    return Book(float(number), float(line.close[-1]), float(line.bars.ts[-1]), line.contract_size, line.inverse)


def _rows_of(books: Whole, order: Whole, book: int) -> Whole:
    low, high = np.searchsorted(books, [book, book + 1], sorter=order)
    return order[low:high]


def moments_of(plan: Plan, fills: Floats, places: Whole) -> Floats:
    """Give a time for each fill by which funding can be told to come before or after it, ms, shape (f,)."""
    when = column(fills, FILL_FIELDS, "ts") + np.where(places == INSIDE, 0.5, 0.0)
    late, which = places == AT_CLOSE, column(fills, FILL_FIELDS, "instrument")
    for k in np.unique(which[late]).astype(np.int64):
        line, mine = plan.lines[k], np.flatnonzero(late & (which == k))
        rows = np.maximum(base_rows(line, when[mine]), 0)
        when[mine] += (line.span[rows] if len(line.span) > 1 else line.span[0]) - 0.5
    return when


@kernel
def averaged_nb(price: float, quantity: float, more: float, at: float, inverse: bool) -> float:
    """Give the average price of a quantity after more was traded; that of the first fill is its own, bit for bit."""
    if quantity == 0.0 or at == price:
        return at
    if inverse:
        return (quantity + more) / (quantity / price + more / at)
    return (quantity * price + more * at) / (quantity + more)


@kernel
def part_nb(row: Floats, part: float, share: float, entering: bool, fill: Floats, place: int, book: Book) -> None:
    """Book a part of a fill (its quantity, and its share of the fee) on one side of a trip."""
    traded, price, fee = (6, 7, 9) if entering else (16, 8, 10)
    row[price] = averaged_nb(row[price], row[traded], part, fill[_PRICE], book.inverse)
    row[traded] += part
    row[fee] += fill[_FEE] * share
    row[15] += part if entering else -part
    if not entering:
        row[3], row[5], row[12], row[14] = fill[_TS], fill[_DECIDED], fill[_REASON], place


@kernel
def begin_nb(row: Floats, fill: Floats, number: int, place: int, funding: float, book: Book) -> None:
    """Begin a trip with a fill; nothing is booked on it yet."""
    row[:] = 0.0
    row[0], row[1], row[2], row[4] = book.instrument, fill[_SIDE], fill[_TS], fill[_DECIDED]
    row[3], row[5], row[11], row[12] = fill[_TS], fill[_DECIDED], funding, OPEN
    row[13], row[14], row[17] = place, INSIDE, number


@kernel
def settled_nb(trip: Floats, funding: Floats, settled: int, until: float, waiting: float) -> tuple[int, float]:
    """Book the funding up to a moment; give how much is booked, and the amount that awaits a trip not begun yet."""
    while settled < funding.shape[0] and funding[settled, _TS] <= until:
        if trip[15] > 0.0 and trip[1] * funding[settled, _FUNDED_QUANTITY] > 0.0:
            trip[11] += funding[settled, _AMOUNT]
        else:  # paid by what is opened at this very time
            waiting += funding[settled, _AMOUNT]
        settled += 1
    return settled, waiting


@kernel
def finished_nb(rows: Floats, book: Book) -> Floats:
    """Mark the trip that is not over, and give all without the quantity that left."""
    for row in rows:
        if row[15] > 0.0:
            row[8] = averaged_nb(row[8], row[16], row[15], book.mark, book.inverse)
            row[3], row[5], row[12], row[14] = book.end, book.end, OPEN, AT_CLOSE
    done = np.empty((rows.shape[0], 17))
    done[:, :16] = rows[:, :16]
    done[:, 16] = rows[:, 17]
    return done


@kernel
def trips_nb(fills: Floats, when: Floats, places: Whole, funding: Floats, book: Book) -> Floats:
    """Derive the trips of one book.

    Parameters
    ----------
    fills : float64 array, shape (f, len(FILL_FIELDS))
    when, places : arrays, shape (f,)
        Moment (ms) and place of each fill.
    funding : float64 array, shape (g, len(FUNDING_FIELDS))
    book : Book

    Returns
    -------
    float64 array, shape (m, len(TRIP_FIELDS) + 1)
        The last column is the number of the first fill.
    """
    rows = np.empty((2 * fills.shape[0], 18))  # one more column than is given back: the quantity that left
    count, settled, waiting = 0, 0, 0.0
    trip = rows[0]
    trip[15] = 0.0
    for i in range(fills.shape[0]):
        settled, waiting = settled_nb(trip, funding, settled, when[i], waiting)
        fill, quantity, rest = fills[i], fills[i, _QUANTITY], fills[i, _QUANTITY]
        if trip[15] > 0.0 and trip[1] != fill[_SIDE]:
            held = trip[15]
            closing = held if abs(held - rest) <= _DUST * max(held, rest) else min(held, rest)
            part_nb(trip, closing, min(closing / quantity, 1.0), False, fill, places[i], book)
            rest = 0.0 if rest - closing <= _DUST * quantity else rest - closing
        if rest > 0.0:
            if trip[15] == 0.0:
                trip = rows[count]
                begin_nb(trip, fill, i, places[i], waiting, book)
                count, waiting = count + 1, 0.0
            part_nb(trip, rest, rest / quantity, True, fill, places[i], book)
    _, waiting = settled_nb(trip, funding, settled, np.inf, waiting)
    trip[11] += waiting
    return finished_nb(rows[:count], book)


class Stretch(NamedTuple):
    """The base bars of an instrument as the excursions need them, each of shape (m,)."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats


@kernel
def excursions_nb(trips: Floats, rows: Whole, prices: Stretch) -> Floats:
    """Say how far trips of one instrument went against and for their holder before they ended.

    Parameters
    ----------
    trips : float64 array, shape (m, len(TRIP_FIELDS))
    rows : int64 array, shape (m, 2)
        Base bars of the first and the last fill.
    prices : Stretch

    Returns
    -------
    float64 array, shape (m, 2)
        Adverse (zero or negative) and favourable (zero or positive), fractions of the entry price.
    """
    found = np.zeros((trips.shape[0], 2))
    for k in range(trips.shape[0]):
        side, entry_price, exit_price = trips[k, 1], trips[k, 7], trips[k, 8]
        first, last, entered, left = rows[k, 0], rows[k, 1], int(trips[k, 13]), int(trips[k, 14])
        low = high = entry_price
        if entered == INSIDE and (last > first or left == AT_CLOSE):
            low, high = min(low, prices.close[first]), max(high, prices.close[first])
        for i in range(first if entered == AT_OPEN else first + 1, last + 1 if left == AT_CLOSE else last):
            low, high = min(low, prices.low[i]), max(high, prices.high[i])
        if left != AT_CLOSE and (last > first or entered == AT_OPEN):
            low, high = min(low, prices.open[last]), max(high, prices.open[last])
        if left == INSIDE:
            low, high = min(low, exit_price), max(high, exit_price)
        worst, best = (low, high) if side > 0.0 else (high, low)
        found[k, 0] = min(0.0, side * (worst - entry_price) / entry_price)
        found[k, 1] = max(0.0, side * (best - entry_price) / entry_price)
    return found


def excursions_of(plan: Plan, trips: Floats) -> Floats:
    """Say how far each trip went against and for its holder before it ended, as fractions of the entry price.

    Parameters
    ----------
    plan : Plan
    trips : float64 array, shape (m, len(TRIP_FIELDS))

    Returns
    -------
    float64 array, shape (m, 2)
        Adverse (zero or negative) and favourable (zero or positive). The whole of every base bar held in full counts;
        of the bar that ended a trip only what surely came before its exit: its open, and the exit price itself; of a
        bar inside which it began only the close.
    """
    found = np.zeros((len(trips), 2))
    which = trip_column(trips, "instrument").astype(np.int64)
    order = np.argsort(which, kind="stable")
    for k in np.unique(which):
        line, mine = plan.lines[k], _rows_of(which, order, k)
        ends = trips[mine][:, [TRIP_FIELDS.index("entry_ts"), TRIP_FIELDS.index("exit_ts")]]
        rows = np.maximum(base_rows(line, ends), 0)
        rows[trip_column(trips[mine], "left") > 0, 1] = len(line.ts) - 1
        prices = Stretch(*(frozen(getattr(line, name)) for name in Stretch._fields))
        found[mine] = excursions_nb(frozen(trips[mine]), frozen(rows, np.int64), prices)
    return found
