"""The tax report: every lot, every disposal with its lots, income and expenses, totals by year, and what is missing.

It is arithmetic on the records that were given, under options that are stated; it is not tax advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from workbench.accounting.tax.calendar import Calendar
from workbench.accounting.tax.options import TaxOptions
from workbench.accounting.tax.prices import NO_PRICES, Prices
from workbench.accounting.tax.rows import Acquisition, Departure, Disposal, Finding, Flow, Holding
from workbench.accounting.tax.transaction import Transaction
from workbench.accounting.tax.working import Working
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["NOT_ADVICE", "TaxReport", "Totals", "tax_report"]

NOT_ADVICE: Final = (
    "This is arithmetic on the records that were given, under the options that are stated. It is not tax advice: which "
    "options apply, and what must be declared, is for you and your adviser to decide."
)
_ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """The sums of one tax year, rounded as stated, in the reporting currency.

    Parameters
    ----------
    year : int
    proceeds, cost, gain : Mapping of str to Decimal
        By term: "short", "long", or "" where there is no split. Rows with something unknown are not in them.
    derivatives : Decimal
        Results that settle in money (and funding, where it counts as a gain).
    income : Mapping of str to Decimal
        By kind.
    expenses : Decimal
        Fees and costs that are in no cost or proceeds; positive.
    open_rows : int
        Rows whose gain, income or expense is not known.
    open_proceeds : Decimal
        What the disposals among them brought, as far as it is known.
    """

    year: int
    proceeds: Mapping[str, Decimal]
    cost: Mapping[str, Decimal]
    gain: Mapping[str, Decimal]
    derivatives: Decimal
    income: Mapping[str, Decimal]
    expenses: Decimal
    open_rows: int
    open_proceeds: Decimal

    @property
    def gains(self) -> Decimal:
        """All gains: of lots and short positions in every term, and of derivatives."""
        return sum(self.gain.values(), _ZERO) + self.derivatives

    @property
    def complete(self) -> bool:
        """Whether nothing is left open."""
        return self.open_rows == 0


@dataclass(frozen=True, eq=False)
class TaxReport:
    """What came of the transactions; made by `tax_report`.

    Parameters
    ----------
    options : TaxOptions
    year : int or None
        The tax year that tables show; None shows all.
    acquisitions, disposals, departures, flows, holdings, findings : tuple
        All rows up to the end of that year, exact and in order. `holdings` is what is left then.
    balances : Mapping of (wallet, asset) to Decimal
        Quantities at the end, of money too.
    """

    options: TaxOptions
    year: int | None
    acquisitions: tuple[Acquisition, ...]
    disposals: tuple[Disposal, ...]
    departures: tuple[Departure, ...]
    flows: tuple[Flow, ...]
    holdings: tuple[Holding, ...]
    findings: tuple[Finding, ...]
    balances: Mapping[tuple[str, str], Decimal]
    _calendar: Calendar = field(repr=False)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Tax years in which something was disposed of, earned or paid; the one that was asked for is among them."""
        rows = (self.disposals, self.flows, self.departures)
        found = self._calendar.years(row.ts for part in rows for row in part)
        if self.year is None:
            return tuple(found)
        return (self.year,)

    @cached_property
    def totals(self) -> tuple[Totals, ...]:
        """The sums of each year that the report shows."""
        with _exactly():
            return tuple(self._totals(year) for year in self.years)

    def of_year(self, rows: Sequence[Any], year: int | None = None) -> list[Any]:
        """Give the rows of one tax year: of `year`, else of the report's, else all."""
        wanted = self.year if year is None else year
        if wanted is None:
            return list(rows)
        start, end = self._calendar.start_of(wanted), self._calendar.start_of(wanted + 1)
        return [row for row in rows if start <= row.ts < end]

    @property
    def complete(self) -> bool:
        """Whether every gain, income and expense shown is known."""
        return all(one.complete for one in self.totals)

    def _totals(self, year: int) -> Totals:
        rounded, per_row = self.options.rounded, self.options.round_at == "rows"
        proceeds: dict[str, Decimal] = {}
        cost: dict[str, Decimal] = {}
        open_rows, open_proceeds = 0, _ZERO
        for row in self.of_year(self.disposals, year):
            if row.proceeds is None or row.cost is None:
                open_rows += 1
                open_proceeds += row.proceeds or _ZERO
                continue
            brought, took = (rounded(row.proceeds), rounded(row.cost)) if per_row else (row.proceeds, row.cost)
            proceeds[row.term] = proceeds.get(row.term, _ZERO) + brought
            cost[row.term] = cost.get(row.term, _ZERO) + took
        flows: dict[tuple[str, str], Decimal] = {}
        for one in self.of_year(self.flows, year):
            open_rows += one.value is None
            value = one.value or _ZERO
            key = (one.category, one.kind if one.category == "income" else "")
            flows[key] = flows.get(key, _ZERO) + (rounded(value) if per_row else value)
        return Totals(
            year,
            {term: rounded(sum_) for term, sum_ in sorted(proceeds.items(), reverse=True)},
            {term: rounded(sum_) for term, sum_ in sorted(cost.items(), reverse=True)},
            {term: rounded(sum_ - cost[term]) for term, sum_ in sorted(proceeds.items(), reverse=True)},
            rounded(flows.get(("gain", ""), _ZERO)),
            {kind: rounded(value) for (category, kind), value in sorted(flows.items()) if category == "income"},
            rounded(-flows.get(("expense", ""), _ZERO)),
            open_rows,
            rounded(open_proceeds),
        )

    # --- as tables, files and pages

    def table(self, name: str, year: int | None = None) -> pd.DataFrame:
        """Give a table: totals, disposals, income, lots, departures, acquisitions, balances, warnings, options.

        Parameters
        ----------
        name : str
        year : int, optional
            Only this tax year.

        Returns
        -------
        DataFrame
            Amounts of money rounded as stated and quantities exact, both as Decimal; None is what is not known.

        Raises
        ------
        ConfigError
            There is no such table.
        """
        from workbench.accounting.tax.tables import table_of

        return table_of(self, name, year)

    def explain(self, transaction: str) -> str:
        """Say what came of one transaction: the lots that it took or made, its values and their sources.

        Raises
        ------
        DataError
            No row is of this transaction.
        """
        from workbench.accounting.tax.tables import explained_row

        return explained_row(self, transaction)

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write every table as CSV into a folder, all or none, safe to open in a spreadsheet; give the paths."""
        from workbench.accounting.tax.tables import write_csv

        return write_csv(self, folder)

    def to_json(self, file: str | Path | None = None) -> str:
        """Write the report as JSON, amounts as text so that they stay exact; also to a file if one is given."""
        from workbench.accounting.tax.tables import as_json

        return as_json(self, file)

    def to_html(self, file: str | Path | None = None) -> str:
        """Write the report as one page that needs nothing else; also to a file if one is given."""
        from workbench.accounting.tax.page import page_of

        return page_of(self, file)

    def _repr_html_(self) -> str:
        from workbench.accounting.tax.page import card_of

        return card_of(self)

    def __repr__(self) -> str:
        shown = "all years" if self.year is None else str(self.year)
        return (
            f"<TaxReport {shown}, {self.options.method}, {self.options.currency}: {len(self.of_year(self.disposals))} "
            f"disposals, {len(self.findings)} warnings>"
        )

    def check(self) -> None:
        """Hold that quantity and cost are conserved: what came is what was given, left, or is still there.

        Raises
        ------
        DataError
            They are not, which is a fault of workbench.
        """
        with _exactly():
            _require_conserved(self)


def _require_conserved(report: TaxReport) -> None:
    sums: dict[tuple[str, str], list[Decimal]] = {}

    def count(side: str, asset: str, quantity: Decimal, money: Decimal | None, sign: int) -> None:
        both = sums.setdefault((side, asset), [_ZERO, _ZERO])
        both[0] += sign * quantity
        both[1] += sign * (money or _ZERO)

    for came in report.acquisitions:
        count(came.side, came.asset, came.quantity, came.cost, 1)
    for row in report.disposals:
        if row.lot:
            count(row.side, row.asset, row.quantity, row.cost if row.side == "long" else row.proceeds, -1)
    for left in report.departures:
        if left.lot:
            count("long", left.asset, left.quantity, left.cost, -1)
    for held in report.holdings:
        count(held.side, held.asset, held.quantity, held.cost, -1)
    for (side, asset), (quantity, cost) in sums.items():
        if quantity or cost:
            raise DataError(
                f"{side} {asset} is not conserved: {quantity} units and {cost} {report.options.currency} are "
                "unaccounted for; please report this fault",
                asset=asset,
            )


def tax_report(
    transactions: Iterable[Transaction],
    options: TaxOptions | None = None,
    *,
    year: int | None = None,
    prices: Prices = NO_PRICES,
) -> TaxReport:
    """Work out lots, gains and income from transactions.

    Parameters
    ----------
    transactions : iterable of Transaction
        The whole history from the first purchase on, in any order: lots of earlier years are needed.
    options : TaxOptions, optional
    year : int, optional
        Show this tax year, and work out nothing that is later. All years if left out.
    prices : Prices, optional
        Asked where a transaction does not say what something was worth.

    Returns
    -------
    TaxReport

    Raises
    ------
    DataError
        An id stands twice, or a transaction gives a lot that is not there.

    Notes
    -----
    Money is worked out to 1e-18 of the currency and rounded only where it is shown; parts of a lot always add up to
    the lot. Order is by time; `TaxOptions.ties` says what comes first in one millisecond.

    Examples
    --------
    >>> from workbench.accounting.tax import read_transactions, tax_report
    >>> report = tax_report(read_transactions("trades.csv"), year=2024)  # doctest: +SKIP
    """
    chosen = options or TaxOptions()
    calendar = Calendar(chosen)
    with _exactly():
        working = Working(chosen, prices)
        for one in _in_order(list(transactions), working, calendar, year):
            working.work(one)
        state = working.state
        return TaxReport(
            chosen, year, tuple(state.acquisitions), tuple(state.disposals), tuple(state.departures),
            tuple(state.flows), tuple(state.holdings()), tuple(state.findings), dict(state.balances), calendar,
        )  # fmt: skip


def _in_order(given: list[Transaction], working: Working, calendar: Calendar, year: int | None) -> list[Transaction]:
    ids: set[str] = set()
    for one in given:
        if not isinstance(one, Transaction):
            raise DataError(f"{one!r:.80} is no Transaction; read a file with read_transactions", value=repr(one)[:80])
        if one.id in ids:
            raise DataError(f"the id {one.id!r} stands twice; is a file given twice? Ids must differ", id=one.id)
        ids.add(one.id)
    if year is not None:
        if not 1970 <= year <= 2199:
            raise ConfigError(f"year {year} must be 1970 to 2199", year=year)
        end = calendar.start_of(year + 1)
        given = [one for one in given if one.ts < end]
    if working.options.ties == "as_given":
        return sorted(given, key=lambda one: one.ts)
    return sorted(given, key=lambda one: (one.ts, working.order(one)))


def _exactly() -> Any:
    """Give the arithmetic of reports: room for every digit that inputs may have, and errors for what is no number."""
    return localcontext(Context(prec=80, traps=[InvalidOperation, DivisionByZero, Overflow]))
