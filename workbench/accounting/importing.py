"""A venue's history of an account, through ccxt into the books; safe to stop and to repeat.

Every page is booked as it comes, and every entry has the venue's id, so that a second import books nothing twice and
one that was cut off goes on. Pages are asked for without trust in their order or size: after each one both sides of it
are asked for again until nothing new comes, and Binance's trades by their number, as it gives times a day at a time
only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.accounting.books import StoredBooks
from workbench.accounting.reading import READERS, Owner, Pending
from workbench.accounting.showing import table_html
from workbench.accounting.venues import histories_of, is_binance, transfer_ways
from workbench.errors import ConfigError, DataError, WorkbenchError

if TYPE_CHECKING:
    from workbench.market.sources.session import Connection, Session

__all__ = ["HISTORIES", "History", "ImportReport", "import_history"]

_METHODS: Final = {
    "trades": ("fetchMyTrades", "fetch_my_trades"),
    "deposits": ("fetchDeposits", "fetch_deposits"),
    "withdrawals": ("fetchWithdrawals", "fetch_withdrawals"),
    "funding": ("fetchFundingHistory", "fetch_funding_history"),
    "interest": ("fetchBorrowInterest", "fetch_borrow_interest"),
    "transfers": ("fetchTransfers", "fetch_transfers"),
    "ledger": ("fetchLedger", "fetch_ledger"),
}
HISTORIES: Final = tuple(_METHODS)
"""What can be imported, by the name that `what` takes."""

_LINEAR: Final = "BTC/USDT:USDT"
_DAY: Final = 86_400_000
_WINDOW: Final = {"trades": 7 * _DAY}  # where ccxt says nothing; what venues give at once of anything else is longer
_USUAL: Final = 30 * _DAY
_OVERLAP: Final = _DAY  # asked for again from before the last import: venues book late
_FEW: Final = 10  # a page with fewer rows was not cut off


@dataclass
class History:
    """What came of one history: `what` of a `symbol` ("" for all), rows by what became of them, and what went wrong."""

    what: str
    symbol: str = ""
    added: int = 0
    known: int = 0
    pending: int = 0
    without_fee: int = 0
    problems: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    venue, account : str
    histories : tuple of History
    """

    venue: str
    account: str
    histories: tuple[History, ...]

    @property
    def added(self) -> int:
        """Entries that are new."""
        return sum(one.added for one in self.histories)

    @property
    def failures(self) -> tuple[History, ...]:
        """Histories that could not be read, or not in full."""
        return tuple(one for one in self.histories if one.error or one.problems)

    def rows(self) -> list[tuple[str, ...]]:
        """Give a line for each history, as text; parts of one (a symbol, a way) that had nothing are left out."""
        return [
            (one.what, one.symbol, str(one.added), str(one.known), str(one.pending), str(one.without_fee),
             one.error or "; ".join(one.problems[:2]))
            for one in self.histories
            if not one.symbol or one.added or one.known or one.pending or one.error or one.problems
        ]  # fmt: skip

    def __repr__(self) -> str:
        return f"<ImportReport {self.venue}: {self.added:,} new entries, {len(self.failures)} problems>"

    def _repr_html_(self) -> str:
        header = ("What", "Symbol", "New", "There", "Pending", "No fee told", "Problem")
        return table_html(header, self.rows(), numbers=range(2, 6))


def import_history(
    books: StoredBooks,
    venue: str,
    *,
    what: Sequence[str] = (),
    symbols: Sequence[str] = (),
    since: int | None = None,
    connection: Connection | None = None,
    account: str = "main",
) -> ImportReport:
    """Ask a venue for the past of an account and book what is new.

    Parameters
    ----------
    books : StoredBooks
    venue : str
        As ccxt calls it.
    what : sequence of str
        Of `HISTORIES`; all that the venue has when empty.
    symbols : sequence of str
        For venues that give trades one symbol at a time; markets between the assets held when empty.
    since : int, optional
        From when on, ms UTC; a day before the last import ended when left out, or five years ago.
    connection : Connection
        With the key, which needs to read only.
    account : str, default "main"
        What to call the account in the books.

    Returns
    -------
    ImportReport
        A history that failed is told there, and does not keep others from being booked.

    Raises
    ------
    ConfigError
        There is no key, or the venue refuses it; `what` names something else.
    """
    from workbench.market.sources.apart import run_apart

    wrong = [one for one in what if one not in HISTORIES]
    if wrong:
        raise ConfigError(f"what has {wrong[0]!r}; it must be of {', '.join(HISTORIES)}")
    if connection is None or not connection.key:
        raise ConfigError(f"the past of an account at {venue} needs its key; give a connection with key and secret")
    importer = _Importer(books, connection, symbols, since, account)
    return run_apart(lambda: importer.run(venue, what))


class _Importer:
    def __init__(
        self, books: StoredBooks, way: Connection, symbols: Sequence[str], since: int | None, account: str
    ) -> None:
        self._books, self._way, self._symbols, self._since, self._account = books, way, list(symbols), since, account
        self._marks = books.marks()

    async def run(self, venue: str, what: Sequence[str]) -> ImportReport:
        from workbench.market.sources.session import open_session

        found: list[History] = []
        # whatever is asked for, Binance's contracts are read too: without them its funding is told as of spot
        listed = [*self._symbols, _LINEAR] if self._symbols and is_binance(venue) else self._symbols
        async with open_session(venue, self._way, symbols=listed) as session:
            session.client.number = str  # exact text in place of floats
            owner = Owner(venue=session.name, name=self._account, markets=session.client.markets)
            for kind in what or [one for one in HISTORIES if _offered(session, one)]:
                try:
                    symbols = await self._symbols_of(session, kind)
                except WorkbenchError as error:
                    found.append(History(kind, error=str(error)))
                    continue
                for symbol in symbols:
                    found.append(await self._one(session, owner, kind, symbol))
        return ImportReport(owner.venue, self._account, tuple(found))

    async def _symbols_of(self, session: Session, kind: str) -> list[str]:
        """Give the symbols to ask for, or "" for all at once."""
        client = session.client
        if not client.has.get(_METHODS[kind][0]):
            raise DataError(f"{session.name} gives no {kind} through ccxt")
        if kind == "transfers" and is_binance(session.name):
            return transfer_ways(session.name)
        if kind != "trades" or (not self._symbols and not _symbol_required(client)):
            return [""]
        if self._symbols:
            session.require(self._symbols, "account")
            return self._symbols
        balance = await session.asker.ask("balances", client.fetch_balance, dict)
        held = {asset for asset, amount in (balance.get("total") or {}).items() if amount and float(amount)}
        held |= {one.amount.currency for entry in self._books.entries(account=f"own:{session.name}:{self._account}")
                 for one in entry.postings}  # fmt: skip
        found = [
            name
            for name, market in client.markets.items()
            if market.get("active") is not False
            and (market.get("settle") in held if market.get("contract") else {market["base"], market["quote"]} <= held)
        ]
        return sorted(found)

    async def _one(self, session: Session, owner: Owner, kind: str, symbol: str) -> History:
        told = History(kind, symbol)
        name = ":".join((owner.venue, owner.name, kind, symbol or "all"))
        until = session.now()
        last = self._marks.get(name, {}).get("until")
        start = self._since if self._since is not None else (last - _OVERLAP if last else until - 5 * 365 * _DAY)
        try:
            async for page in _pages(session, kind, symbol, (max(0, start), until)):
                self._book(owner, kind, page, told)
            self._books.post([], marks={name: {"until": until}})
        except WorkbenchError as error:
            told.error = str(error)
        return told

    def _book(self, owner: Owner, kind: str, rows: Sequence[Mapping[str, Any]], told: History) -> None:
        entries = []
        for row in rows:
            try:
                entries.append(READERS[kind](owner, row))
            except Pending:
                told.pending += 1
            except WorkbenchError as error:
                told.problems.append(f"{kind} {row.get('id')}: {error}")
        posted = self._books.post(entries, on_conflict="keep")
        told.added += posted.added
        told.known += posted.known
        told.without_fee += sum(one.refs.get("fee") == "unknown" for one in entries)
        told.problems += [f"{one} is booked otherwise; the books keep theirs" for one in posted.conflicts]


def _offered(session: Session, kind: str) -> bool:
    """Tell whether a venue has a history."""
    known = histories_of(session.name)
    return bool(session.client.has.get(_METHODS[kind][0])) and (known is None or kind in known)


def _symbol_required(client: Any) -> bool:
    kinds = ("spot",) if any(one.get("spot") for one in client.markets.values()) else ("swap", "future")
    markets = [one for one in client.markets.values() if one.get("type") in kinds]
    return bool(markets and client.feature_value(markets[0]["symbol"], "fetchMyTrades", "symbolRequired"))


async def _pages(
    session: Session, kind: str, symbol: str, span: tuple[int, int]
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """Ask for the rows of a span, page by page."""
    if kind == "trades" and symbol and is_binance(session.name):
        async for page in _by_number(session, symbol, span[0]):
            yield page
        return
    days = session.client.feature_value(symbol, "fetchMyTrades", "untilDays") if kind == "trades" and symbol else None
    window = int(days) * _DAY if days else _WINDOW.get(kind, _USUAL)
    seen: set[str] = set()
    for begin in range(span[0], span[1] + 1, window):
        waiting = [(begin, min(begin + window - 1, span[1]))]
        while waiting:
            first, last = waiting.pop()
            rows = await _ask(session, kind, symbol, since=first, params={"until": last})
            fresh = [row for row in rows if _name(row) not in seen]
            seen.update(map(_name, fresh))
            if not fresh:
                continue
            yield fresh
            times = [row["timestamp"] for row in fresh if row.get("timestamp")]
            if len(rows) >= _FEW and times:
                low, high = max(first, int(min(times))), min(last, int(max(times)))
                waiting += [(first, low), (high, last)] if (low, high) != (first, last) else []


async def _by_number(session: Session, symbol: str, since: int) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """Ask Binance for trades from a number on, from the first: by time it gives no more than a day at once."""
    after = 0
    while True:
        rows = await _ask(session, "trades", symbol, limit=1_000, params={"fromId": after})
        fresh = [row for row in rows if int(row["id"]) >= after]
        if not fresh:
            return
        yield [row for row in fresh if row["timestamp"] >= since]
        after = max(int(row["id"]) for row in fresh) + 1


async def _ask(session: Session, kind: str, symbol: str, **more: Any) -> Sequence[Mapping[str, Any]]:
    method = getattr(session.client, _METHODS[kind][1])
    if kind == "transfers" and ">" in symbol:
        source, _, target = symbol.partition(">")
        more["params"] = {**more.get("params", {}), "fromAccount": source, "toAccount": target}
        symbol = ""
    given = {"code" if kind in ("deposits", "withdrawals", "transfers", "ledger") else "symbol": symbol or None, **more}
    return await session.asker.ask(
        f"{kind} of {symbol or 'the account'}", lambda: method(**given), lambda answer: _rows(answer)
    )


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    from workbench.market.sources.asking import Garbled

    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise Garbled(f"a list was asked for, {type(answer).__name__} came")
    return answer


def _name(row: Mapping[str, Any]) -> str:
    """Name a row so that it is known again: by its id, or by all it says."""
    if row.get("id") is not None:
        return f"{row.get('symbol')}:{row['id']}"
    return repr([row.get(name) for name in ("timestamp", "symbol", "currency", "side", "price", "amount", "interest")])
