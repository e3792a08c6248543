"""Books against what a venue says it holds: differences by asset, and what is likely behind each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.accounting.books import Books
from workbench.accounting.entries import Entry, Posting, parts_of
from workbench.accounting.happenings import About, adjustment
from workbench.accounting.money import Money, total
from workbench.accounting.reading import number
from workbench.accounting.showing import table_html, time_text
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.market.sources.session import Connection

__all__ = ["Difference", "Reconciliation", "fetch_reported", "reconcile"]

_ROUNDED: Final = Decimal("5e-9")  # half of the eighth place, to which venues round what a trade has made


@dataclass(frozen=True)
class Difference:
    """One asset: what the books say and what the venue says.

    Attributes
    ----------
    booked, reported : Money
    causes : tuple of str
        What is likely behind it where they differ.
    rounding : Money, optional
        What they may differ by besides the tolerance: venues round the profit of each contract trade.
    """

    booked: Money
    reported: Money
    causes: tuple[str, ...] = ()
    rounding: Money | None = None

    @property
    def amount(self) -> Money:
        """What the venue has more than the books."""
        return self.reported - self.booked

    def beyond(self, tolerance: str) -> bool:
        """Tell whether the two differ by more than a tolerance and rounding."""
        allowed = Money(tolerance, self.booked.currency)
        return abs(self.amount) > (allowed + self.rounding if self.rounding else allowed)


@dataclass(frozen=True)
class Reconciliation:
    """A wallet compared with its venue.

    Attributes
    ----------
    wallet : str
    assets : tuple of Difference
        Every asset that either side has.
    tolerance : str
        Differences up to it count as equal.
    """

    wallet: str
    assets: tuple[Difference, ...]
    tolerance: str = "0.00000001"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The assets that differ."""
        return tuple(one for one in self.assets if one.beyond(self.tolerance))

    @property
    def agrees(self) -> bool:
        """Whether the books say what the venue says."""
        return not self.differences

    def adjustments(self, ts: int, note: str = "reconciled with the venue") -> list[Entry]:
        """Give entries that would make the books agree, as adjustments; find the cause first."""
        return [adjustment(self.wallet, one.amount, ts, About(note=note)) for one in self.differences]

    def rows(self) -> list[tuple[str, ...]]:
        """Give a line for each asset, as text."""
        off = set(map(id, self.differences))
        return [
            (one.booked.currency, one.booked.text, one.reported.text, one.amount.text if id(one) in off else "",
             "; ".join(one.causes) if id(one) in off else "")
            for one in self.assets
        ]  # fmt: skip

    def __repr__(self) -> str:
        if self.agrees:
            return f"<Reconciliation of {self.wallet}: {len(self.assets)} assets agree>"
        told = ", ".join(str(one.amount) for one in self.differences)
        return f"<Reconciliation of {self.wallet}: the venue differs by {told}>"

    def _repr_html_(self) -> str:
        header = ("Asset", "Books", "Venue", "Difference", "Likely cause")
        return table_html(header, self.rows(), numbers=(1, 2, 3), caption=self.wallet)


def reconcile(
    books: Books, wallet: str, reported: Mapping[str, Any], *, at: int | None = None, tolerance: str = "0.00000001"
) -> Reconciliation:
    """Compare what books say of a wallet with what its venue reports.

    Parameters
    ----------
    books : Books
    wallet : str
    reported : mapping of str to Decimal, str, int or float
        By currency, as the venue tells; contracts by symbol, signed. Floats are read as ccxt gives them.
    at : int, optional
        The moment of the report, ms UTC; all entries count when left out.
    tolerance : str, default "0.00000001"
        In units of each asset.

    Examples
    --------
    >>> from workbench.accounting import Books, deposit, own
    >>> books = Books([deposit(own("binance"), Money("10", "USDT"), 0)])
    >>> reconcile(books, own("binance"), {"USDT": "9"})
    <Reconciliation of own:binance:main: the venue differs by -1 USDT>
    """
    root, venue, name = parts_of(wallet)
    if root != "own":
        raise DataError(f"{wallet!r} is no wallet; give own(venue, name)", account=wallet)
    Money(tolerance, "X")  # refuses what is no number
    booked: dict[str, Money] = dict(books.balances(at).get(wallet, {}))
    for account, held in books.balances(at).items():
        if account.startswith(f"positions:{venue}:{name}:"):
            for currency, amount in held.items():
                if ":" in currency:
                    booked[currency] = booked.get(currency, Money.zero(currency)) + amount
    trades = _contract_trades(books, wallet, at)
    told = {one: Money(number(amount, f"the balance of {one}"), one) for one, amount in reported.items()}
    found = []
    for currency in sorted({*booked, *told}):
        ours, theirs = (side.get(currency) or Money.zero(currency) for side in (booked, told))
        if ours or theirs:
            one = Difference(ours, theirs, rounding=Money(_ROUNDED * trades[currency], currency))
            causes = _causes(books, wallet, one.amount, at) if one.beyond(tolerance) else []
            found.append(replace(one, causes=tuple(causes)))
    return Reconciliation(wallet, tuple(found), tolerance)


def _contract_trades(books: Books, wallet: str, at: int | None) -> Counter[str]:
    """Count the trades of contracts by the currencies that they settle in."""
    _, venue, name = parts_of(wallet)
    entries = books.entries(account=f"positions:{venue}:{name}", end=None if at is None else at + 1)
    return Counter(currency for one in entries for currency in one.currencies if ":" not in currency)


def _causes(books: Books, wallet: str, amount: Money, at: int | None) -> list[str]:
    """Name what is likely behind a difference, the most telling first."""
    currency = amount.currency
    end = None if at is None else at + 1
    _, venue, name = parts_of(wallet)
    held = f"positions:{venue}:{name}"
    mine = [one for account in (wallet, held) for one in books.entries(account=account, currency=currency, end=end)]
    if not mine:
        return [
            f"the books never saw {currency} here: a deposit, an airdrop, or what was there before the first import"
        ]
    same = [one for one in mine if abs(one.change(wallet, currency)) == abs(amount)]
    causes = []
    for one in same[:2]:
        sign = one.change(wallet, currency).amount * amount.amount
        told = (
            "a second one like it is missing in the books" if sign > 0 else "the venue does not know it (booked twice?)"
        )
        causes.append(f"exactly the {one.kind} of {time_text(one.ts)} ({one.id}): {told}")
    if amount.amount < 0 and any(one.refs.get("fee") == "unknown" for one in mine):
        causes.append("fees that the venue did not tell with its trades")
    paid = total((p.amount for one in mine for p in one.postings if _is_fee(p, currency)), currency)
    if paid and abs(amount) == abs(paid) and not same:
        causes.append("exactly all fees in it: they are booked on one side only")
    for account, waiting in books.in_transit(at).items():
        if currency in waiting and abs(waiting[currency]) == abs(amount):
            causes.append(f"exactly what is in transit ({account}): it has arrived, book its arrival")
    if not causes:
        causes.append(_direction(amount))
    return causes


def _is_fee(one: Posting, currency: str) -> bool:
    return one.account.startswith("fees") and one.amount.currency == currency


def _direction(amount: Money) -> str:
    if ":" in amount.currency:
        return "trades of the contract that were not imported, or a delivery"
    if amount.amount > 0:
        return "not in the books: deposits, income, interest, or trades in markets that were not asked for"
    return "not in the books: withdrawals, fees, funding or interest, or trades in markets that were not asked for"


def _totals(answer: Mapping[str, Any]) -> dict[str, str]:
    """Give what is held by currency; at Binance without the profit of open positions, which ccxt's totals include."""
    found = {currency: str(amount) for currency, amount in answer["total"].items() if amount is not None}
    said = answer.get("info")
    rows = said.get("assets") if isinstance(said, dict) else said
    for row in rows if isinstance(rows, list) else ():
        held = row.get("walletBalance") if isinstance(row, dict) else None
        if held is not None and row.get("asset") in found:
            found[row["asset"]] = str(held)
    return found


def fetch_reported(venue: str, connection: Connection) -> dict[str, str]:
    """Ask a venue what it holds: totals by currency, and contracts by symbol, signed.

    Notes
    -----
    Books hold cash without the profit of positions that are open. At Binance that is asked for; where a venue gives
    nothing but equity, positions in profit or loss show as a difference of just that.

    Raises
    ------
    ConfigError
        The venue refuses the key.
    DataError
        It does not answer soundly.
    """
    from workbench.market.sources.apart import run_apart
    from workbench.market.sources.session import open_session

    async def ask() -> dict[str, str]:
        async with open_session(venue, connection) as session:
            client = session.client
            client.number = str
            found = await session.asker.ask("balances", client.fetch_balance, _totals)
            spot = any(one.get("spot") for one in client.markets.values())
            if client.has.get("fetchPositions") is True and not spot:
                rows = await session.asker.ask("positions", client.fetch_positions, list)
                for row in rows:
                    if row.get("contracts"):
                        sign = -1 if row.get("side") == "short" else 1
                        found[row["symbol"]] = str(number(row["contracts"], "contracts") * sign)
            return found

    return run_apart(ask)
