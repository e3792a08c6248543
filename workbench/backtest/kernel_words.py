"""What the strategy's word on a closed bar makes of what is held and pending."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_parts import (
    inner,
    ratchet_level_nb,
    round_to_tick_nb,
    time_is_up_nb,
)
from workbench.backtest.kernel_state import (
    ENTRY,
    EXIT,
    LEAVE,
    NOTHING,
    SHORT_ENTRY,
    SHORT_EXIT,
    SIGNAL,
    TIME_LIMIT,
    Account,
    One,
    forget_wish_nb,
    is_decided_nb,
    number_nb,
    side_of_nb,
)

__all__ = ["decide_nb", "ratchet_nb", "wanted_nb"]

Floats = NDArray[np.float64]


@inner
def wanted_nb(stance: float, said: int) -> int:
    """Say what a word asks for of who is long (+1), short (-1) or flat: NOTHING, LEAVE, +1 or -1."""
    entry, leave = said & ENTRY != 0, said & EXIT != 0
    short_entry, short_leave = said & SHORT_ENTRY != 0, said & SHORT_EXIT != 0
    if entry and leave:
        entry = leave = False
    if short_entry and short_leave:
        short_entry = short_leave = False
    if entry and short_entry:
        entry = short_entry = False
    if stance > 0.0:
        return -1 if short_entry else LEAVE if leave else NOTHING
    if stance < 0.0:
        return 1 if entry else LEAVE if short_leave else NOTHING
    return 1 if entry else -1 if short_entry else NOTHING


@inner
def ratchet_nb(one: One, bar: int, stops: Floats) -> None:
    """Let the custom stop follow its series, in favour of the position only."""
    side = side_of_nb(one.quantity)
    level = ratchet_level_nb(one.custom, number_nb(stops, one.custom_from, one.custom_step, bar), side)
    if level != one.custom and not np.isnan(level):
        one.custom, one.changed, one.moves = level, 1, -1
        one.custom_at = round_to_tick_nb(level, one.tick, side < 0.0)


@inner
def decide_nb(account: Account, one: One, said: int, ts: int, blocked: int) -> int:
    """Hear the word of the strategy bar in hand; give the side of an entry that a protection forbids, else 0.

    `blocked` is a position in `backtest.records.SKIP_REASONS`, or -1 while entries may be made.
    """
    if one.want == LEAVE and not is_decided_nb(one):
        return 0  # a stop was reached: nothing is heard before it has let go of everything
    pending = one.want == 1 or one.want == -1
    stance = float(one.want) if pending else side_of_nb(one.quantity)
    want, reason, forbidden = wanted_nb(stance, said), SIGNAL, 0
    late = one.quantity != 0.0 and time_is_up_nb(one.word, one.opened, account.max_bars, account.at_close != 0)
    if want == NOTHING and late:
        want, reason = LEAVE, TIME_LIMIT
    if blocked >= 0 and (want == 1 or want == -1):
        forbidden = want
        want = LEAVE if one.quantity != 0.0 else NOTHING
    if want != NOTHING and want != one.want:
        forget_wish_nb(one)
        # who is flat has nothing to leave, and what is held is not wanted again: what was waiting is called off
        if one.quantity != 0.0 if want == LEAVE else one.quantity * want <= 0.0:
            one.want, one.reason, one.asked, one.asked_ts = want, reason, one.word, ts
    return forbidden
