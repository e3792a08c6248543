"""Quantity and cost are conserved, whatever happens and however it is treated."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from tests.accounting.tax.histories import history
from workbench.accounting.tax import METHODS, TaxOptions, TaxReport, Transaction, tax_report

TREATED = {
    "pools": ("wallet", "universal"), "rank": ("cost", "price"), "fees": ("basis", "expense"),
    "network_fee": ("disposal", "cost", "loss"), "funding": ("gain", "income"), "gifts": ("at_cost", "disposal"),
    "lost": ("loss", "at_cost"), "swap_value": ("received", "sent"), "shorts": ("declared", "allowed"),
    "unknown_cost": ("missing", "zero", "value"), "ties": ("arrivals_first", "as_given"),
}  # fmt: skip


def options(seed: int) -> TaxOptions:
    random_ = random.Random(-seed - 1)
    chosen = {name: random_.choice(values) for name, values in TREATED.items()}
    chosen["dust"] = random_.choice((Decimal(0), Decimal("0.00001"), Decimal(10**6)))
    return TaxOptions(method=random_.choice(tuple(METHODS)), **chosen)  # type: ignore[arg-type]


def require_conserved(seed: int) -> TaxReport:
    given = history(seed)
    report = tax_report(given, options(seed))
    report.check()
    assert dict(report.balances) == balances(given)
    for asset in {asset for _, asset in report.balances} - report.options.cash:
        assert held(report, asset) == sum(q for (_, name), q in report.balances.items() if name == asset)
    assert all(
        row.proceeds is None or row.cost is None or row.gain == row.proceeds - row.cost for row in report.disposals
    )
    return report


def held(report: TaxReport, asset: str) -> Decimal:
    """What the lots say is there: less what is short, and less what was given without a lot."""
    lots = sum((one.quantity if one.side == "long" else -one.quantity) for one in report.holdings if one.asset == asset)
    rows = (*report.disposals, *report.departures)
    return Decimal(lots - sum(row.quantity for row in rows if row.asset == asset and not row.lot)) - conjured(
        report, asset
    )


def conjured(report: TaxReport, asset: str) -> Decimal:
    """What transfers moved without having it: it arrived with an unknown cost."""
    return sum(
        (row.quantity for row in report.acquisitions if row.kind == "transfer" and row.asset == asset), Decimal(0)
    )


def balances(given: list[Transaction]) -> dict[tuple[str, str], Decimal]:
    """The same by adding up, without a lot."""
    found: dict[tuple[str, str], Decimal] = {}
    for one in given:
        for money, sign, wallet in (
            (one.sent, -1, one.wallet), (one.received, 1, one.to_wallet or one.wallet), (one.fee, -1, one.wallet),
        ):  # fmt: skip
            if money is not None:
                key = (wallet, money.currency)
                found[key] = found.get(key, Decimal(0)) + sign * money.amount
    return found


def test_quantity_and_cost_are_conserved() -> None:
    for seed in range(300):
        require_conserved(seed)


@pytest.mark.long
@pytest.mark.parametrize("thousand", range(10))
def test_quantity_and_cost_are_conserved_in_ten_thousand_histories(thousand: int) -> None:
    for seed in range(300 + thousand * 1000, 1300 + thousand * 1000):
        require_conserved(seed)


def test_the_histories_hold_what_they_should() -> None:
    """Gaps, shorts, unknown values and every kind are among them, else the test above shows little."""
    reports = [require_conserved(seed) for seed in range(60)]
    assert {one.kind for seed in range(60) for one in history(seed)} >= {
        "trade",
        "short_cover",
        "transfer",
        "lost",
        "fork",
    }
    assert {one.code for report in reports for one in report.findings} >= {
        "more than was held", "nothing short", "price missing", "unknown cost", "unknown deposit", "unknown withdrawal",
    }  # fmt: skip
    assert {row.side for report in reports for row in report.disposals} == {"long", "short"}


def test_the_sum_of_all_years_is_the_whole() -> None:
    for seed in range(40):
        report = require_conserved(seed)
        rows = [row for year in report.years for row in report.of_year(report.disposals, year)]
        assert rows == list(report.disposals)
        if report.years:
            cut = tax_report(history(seed), report.options, year=report.years[0])
            assert report.of_year(report.disposals, report.years[0]) == cut.of_year(cut.disposals)
