"""What a look round shows that is not as the books have it: positions, orders and money, with both sides' numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from workbench.bots.brokers.talk import Snapshot
from workbench.bots.clerk import Clerk
from workbench.bots.clerk_lines import DOUBT, INF
from workbench.bots.killing import too_small
from workbench.trading.core import Core

__all__ = ["Difference", "Reconciler", "too_small_left", "under_way"]

_NEARLY: float = 0.98  # of a coin that is held: what fees took in the coin itself
_DRIFT: float = 0.001  # of the equity that money may differ by


class Difference(NamedTuple):
    """Something that a venue has otherwise than the books: a symbol or an asset, and how much each has of it."""

    what: str
    name: str
    venue: float
    books: float

    def __str__(self) -> str:
        return f"{self.what} {self.name}: the venue has {self.venue:.10g}, the books have {self.books:.10g}"


def under_way(clerk: Clerk) -> bool:
    """Tell whether anything of a clerk's own orders is under way or not known for certain."""
    return any(
        line.state in DOUBT or line.due < INF or line.flight or line.ending
        for line in clerk.lines.values()
        if line.state != "done"
    )


def too_small_left(core: Core, price_of: Callable[[str], float]) -> dict[str, str]:
    """Say of coins that are held and worth less than the venue takes that they stay, by symbol."""
    found = {}
    for one in core.account.positions:
        market, price = core.markets[one.symbol], price_of(one.symbol)
        price = price if price == price else core.prices.get(one.symbol, price)
        if market.instrument.kind == "spot" and abs(one.quantity) * price < market.lots.min_notional:
            found[one.symbol] = too_small(one.symbol, one.quantity, price)
    return found


class Reconciler:
    """Holds what a venue has against the books of one bot.

    A position that moves while it is asked for is no difference: only what two looks in a row show alike is.

    Parameters
    ----------
    core : Core

    Attributes
    ----------
    apart : dict of asset to float
        What the account has beyond the money of the books: as of the first look, or a change that was told since.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._before: tuple[Difference, ...] = ()
        self.apart: dict[str, float] = {}
        self._moved = 0.0

    @property
    def suspected(self) -> bool:
        """Whether the last look showed a difference that the next one must confirm."""
        return bool(self._before)

    def positions(self, seen: Snapshot) -> tuple[Difference, ...]:
        """Give the positions that differ, now and at the look before."""
        found = tuple(self._positions(seen))
        both = tuple(one for one in found if one in self._before)
        self._before = found
        return both

    def _positions(self, seen: Snapshot) -> list[Difference]:
        core, found = self._core, []
        for symbol, market in core.markets.items():
            if market.instrument.kind == "spot":
                base = symbol.partition("/")[0]
                held, there = core.account.quantity(symbol, "net"), seen.balances.get(base, 0.0)
                if there < _NEARLY * held:
                    found.append(Difference("coins of", symbol, there, held))
                continue
            legs = {one.leg for one in seen.positions if one.symbol == symbol}
            legs |= {one.leg for one in core.account.positions if one.symbol == symbol}
            for leg in sorted(legs):
                there = sum(one.quantity for one in seen.positions if (one.symbol, one.leg) == (symbol, leg))
                held = core.account.quantity(symbol, leg)
                if not math.isclose(there, held, rel_tol=1e-9, abs_tol=max(market.lots.lot / 2, 1e-12)):
                    found.append(Difference("position in", symbol, there, held))
        return found

    def money(self, seen: Snapshot) -> tuple[Difference, ...]:
        """Give what has come or gone at the venue since the first look ever that no event of the books explains.

        An account may have more money than the bot was given, so that only changes are compared, which two looks must
        show. They may differ by 0.1 % of the equity. A spot account may also have more, by all fees that were ever
        booked: a venue that takes fees in a coin of its own leaves the money that the books count as paid. What has
        borrowed on spot, or trades spot and contracts together, is left aside.
        """
        account = self._core.account
        asset = account.currency
        there, books = seen.balances.get(asset), self._money()
        if there is None or books is None:
            return ()
        apart = self.apart.setdefault(asset, there - books)
        moved, least = there - books - apart, _DRIFT * max(abs(account.equity), 1.0)
        before, self._moved = self._moved, moved
        spot = all(one.instrument.kind == "spot" for one in self._core.markets.values())
        most = least + max(account.fees, 0.0) if spot else least
        if -least <= moved <= most or abs(moved - before) > least:
            return ()
        self.apart[asset] = there - books
        return (Difference("money in", asset, there - apart, books),)

    def _money(self) -> float | None:
        """Give what the venue should have of the account's currency by the books; None where that cannot be said."""
        account = self._core.account
        kinds = {one.instrument.kind for one in self._core.markets.values()}
        if kinds == {"linear"}:
            return account.wallet
        cash = account.pools[account.currency].cash()
        borrows = cash < 0.0 or any(one.quantity < 0.0 for one in account.positions)
        return cash if kinds == {"spot"} and not borrows else None
