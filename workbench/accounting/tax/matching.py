"""Withdrawals and deposits that are two halves of one transfer between own wallets, found by amount and time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from workbench.accounting.money import decimal
from workbench.accounting.tax.transaction import Transaction
from workbench.errors import ConfigError, DataError

__all__ = ["match_transfers"]

_HOUR: Final = 3_600_000
_MOST_HOURS: Final = 8_760  # a year
_EARLY: Final = 300_000  # clocks of two venues differ: a deposit may be five minutes before its withdrawal


def match_transfers(
    transactions: Iterable[Transaction], *, hours: float = 24, most_lost: Decimal | str = "0.02"
) -> list[Transaction]:
    """Join each withdrawal with the deposit that it became, where there is one.

    Parameters
    ----------
    transactions : iterable of Transaction
    hours : float, default 24
        How much later a deposit may be.
    most_lost : Decimal or str, default "0.02"
        Share of what was sent that the network may have kept.

    Returns
    -------
    list of Transaction
        In order of time. A pair is one `transfer` at the time of the withdrawal, with both ids in its id; what found
        no other half is as it was. Of several deposits that would do, the one with the least lost counts, then the
        earliest; each is used once. Deposits with a stated cost are never joined.

    Raises
    ------
    ConfigError
        `hours` or `most_lost` makes no sense.
    """
    lost = _share(most_lost)
    if not 0 < hours <= _MOST_HOURS or not 0 <= lost < 1:
        raise ConfigError(
            f"hours={hours} must be above 0 and at most {_MOST_HOURS:,}, and most_lost={most_lost} from 0 to below 1"
        )
    given = list(transactions)
    arrivals: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, one in enumerate(given):
        if one.kind == "deposit" and one.received is not None and one.cost is None and one.acquired is None:
            insort(arrivals[one.received.currency], (one.ts, place))
    gone: set[int] = set()
    joined: list[Transaction] = []
    for place, one in sorted(enumerate(given), key=lambda pair: pair[1].ts):
        if one.kind != "withdrawal" or one.sent is None:
            continue
        coming = arrivals[one.sent.currency]
        low = bisect_left(coming, (one.ts - _EARLY, -1))
        high = bisect_right(coming, (one.ts + round(hours * _HOUR), len(given)))
        best = _best(one, given, coming[low:high], lost)
        if best is not None:
            coming.remove(best)
            gone |= {place, best[1]}
            joined.append(_joined(one, given[best[1]]))
    return sorted([*(one for place, one in enumerate(given) if place not in gone), *joined], key=lambda one: one.ts)


def _share(said: Decimal | str) -> Decimal:
    try:
        return decimal(said, "most_lost")
    except DataError as error:
        raise ConfigError(f"{error}; give a share such as '0.02'") from error


def _best(
    one: Transaction, given: list[Transaction], coming: list[tuple[int, int]], most_lost: Decimal
) -> tuple[int, int] | None:
    sent = one.sent.amount if one.sent else Decimal(0)
    fits = []
    for ts, place in coming:
        came = given[place]
        lost = sent - (came.received.amount if came.received else sent)
        if came.wallet != one.wallet and 0 <= lost <= sent * most_lost:
            fits.append((lost, ts, place))
    return min(fits)[1:] if fits else None


def _joined(one: Transaction, came: Transaction) -> Transaction:
    note = " / ".join(text for text in (one.note, came.note) if text)
    return replace(
        one, id=f"{one.id}+{came.id}", kind="transfer", received=came.received, to_wallet=came.wallet, note=note
    )
