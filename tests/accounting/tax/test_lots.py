"""Which lots are given and what they cost: every method, transfers, shorts, and lots that are named; worked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.accounting.tax.histories import buy, sell, tx
from workbench.accounting.tax import LotChoice, TaxOptions, TaxReport, Transaction, tax_report
from workbench.errors import DataError

BUYS = [
    buy("b1", "2020-01-01", "1", "100"),
    buy("b2", "2020-02-01", "2", "600"),
    buy("b3", "2020-03-01", "1", "200"),
]
SALE = sell("s", "2021-02-01", "1.5", "750")


def report(given: list[Transaction], year: int | None = None, **options: Any) -> TaxReport:
    made = tax_report(given, TaxOptions(**options), year=year)
    made.check()
    return made


def given(made: TaxReport) -> list[tuple[str, str, str | None]]:
    """Lot, quantity and cost of each row."""
    return [(row.lot, f"{row.quantity:f}", shown(row.cost)) for row in made.disposals]


def shown(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.quantize(Decimal('0.01')):f}"


@pytest.mark.parametrize(
    ("method", "rows"),
    [
        ("fifo", [("b1", "1", "100.00"), ("b2", "0.5", "150.00")]),
        ("lifo", [("b3", "1", "200.00"), ("b2", "0.5", "150.00")]),
        ("hifo", [("b2", "1.5", "450.00")]),
        ("lofo", [("b1", "1", "100.00"), ("b3", "0.5", "100.00")]),
        ("average", [("b1", "1", "225.00"), ("b2", "0.5", "112.50")]),  # 900 for 4
    ],
)
def test_each_method_gives_its_lots(method: str, rows: list[tuple[str, str, str]]) -> None:
    made = report([*BUYS, SALE], method=method)
    assert given(made) == rows
    assert sum(row.proceeds or 0 for row in made.disposals) == 750


def test_proceeds_are_shared_by_quantity_and_the_holding_period_is_that_of_each_lot() -> None:
    made = report([*BUYS, SALE])
    assert [(row.proceeds, row.days, row.term) for row in made.disposals] == [
        (Decimal(500), 397, "long"),
        (Decimal(250), 366, "long"),
    ]
    made = report([*BUYS, SALE], long_after=380)
    assert [row.term for row in made.disposals] == ["long", "short"]
    assert made.totals[0].gain == {"short": Decimal("100.00"), "long": Decimal("400.00")}
    assert report([*BUYS, SALE], long_after=None).totals[0].gain == {"": Decimal("500.00")}


def test_a_long_term_begins_on_the_day_that_is_stated() -> None:
    before, on = sell("s", "2020-12-31T00:00", "1", "1"), sell("s", "2020-12-31T00:01", "1", "1")
    bought = buy("b", "2020-01-01T00:01", "1", "1")
    assert [row.term for row in report([bought, before]).disposals] == ["short"]  # 364 days and 23:59
    assert [row.term for row in report([bought, on]).disposals] == ["long"]
    assert [row.term for row in report([bought, before], days="calendar").disposals] == ["long"]


def test_named_lots_are_given() -> None:
    sale = sell("s", "2021-02-01", "1.5", "750", lots=(LotChoice("b3"), LotChoice("b2", Decimal("0.5"))))
    made = report([*BUYS, sale], method="specific")
    assert given(made) == [("b3", "1", "200.00"), ("b2", "0.5", "150.00")]
    assert not made.findings


def test_what_is_not_named_is_given_first_in_first_out_with_a_warning() -> None:
    sale = sell("s", "2021-02-01", "1.5", "750", lots=(LotChoice("b3"),))
    made = report([*BUYS, sale, sell("t", "2021-03-01", "1", "1")], method="specific")
    assert given(made) == [
        ("b3", "1", "200.00"),
        ("b1", "0.5", "50.00"),
        ("b1", "0.5", "50.00"),
        ("b2", "0.5", "150.00"),
    ]
    assert [(one.code, one.transaction) for one in made.findings] == [("no lot named", "s"), ("no lot named", "t")]
    assert report([*BUYS, sale]).findings[0].code == "lots ignored"


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (
            (LotChoice("b9"),),
            "gives lot 'b9' of BTC, which a does not hold then: there is none.*lots there: b1, b2, b3",
        ),
        ((LotChoice("b1", Decimal(2)),), "gives 2 BTC of lot 'b1', but 1 of it is held"),
        ((LotChoice("b2", Decimal("1.6")),), "gives 1.6 BTC of lot 'b2', but only 1.5 is still to give"),
        ((LotChoice("b1"), LotChoice("b1")), "lot 'b1' of BTC.*used up"),
        ((LotChoice("late"),), "lot 'late'"),
        ((LotChoice("other"),), "lot 'other' of BTC, which a does not hold then: it is in b"),
    ],
)
def test_a_lot_that_is_not_there_is_refused(choices: tuple[LotChoice, ...], said: str) -> None:
    more = [buy("late", "2022-01-01", "1", "1"), buy("other", "2020-01-01", "1", "1", wallet="b")]
    with pytest.raises(DataError, match=said):
        report([*BUYS, *more, sell("s", "2021-02-01", "1.5", "750", lots=choices)], method="specific")


def move(identifier: str, when: str, sent: str, received: str, **more: Any) -> Transaction:
    return tx(
        identifier, when, "transfer", sent=f"{sent} BTC", received=f"{received} BTC", to_wallet="cold", **more
    )  # fmt: skip


def test_a_transfer_keeps_cost_and_date_and_its_fee_is_a_disposal() -> None:
    made = report(
        [*BUYS, move("m", "2020-06-01", "1.5", "1.4", fee_value="50"), sell("s", "2021-02-01", "1.4", "700", "cold")]
    )
    fee, first, second = made.disposals
    assert (fee.kind, fee.lot, fee.quantity, fee.proceeds, fee.cost) == ("network_fee", "b1", Decimal("0.1"), 50, 10)
    assert [(row.lot, row.quantity, row.cost, row.term) for row in (first, second)] == [
        ("b1", Decimal("0.9"), 90, "long"),
        ("b2", Decimal("0.5"), 150, "long"),
    ]
    assert made.balances["cold", "BTC"] == 0
    assert [(one.wallet, one.lot, one.quantity) for one in made.holdings] == [
        ("a", "b2", Decimal("1.5")),
        ("a", "b3", 1),
    ]


def test_the_fee_of_a_transfer_may_add_to_the_cost_of_what_arrives_or_be_a_loss() -> None:
    moved = [*BUYS, move("m", "2020-06-01", "1.5", "1.4"), sell("s", "2021-02-01", "1.4", "700", "cold")]
    kept = report(moved, network_fee="cost")
    assert sum(row.cost or 0 for row in kept.disposals) == 250  # all that 1.5 had cost
    assert [row.kind for row in kept.disposals] == ["sale", "sale"]
    assert not kept.findings  # no price is needed
    lost = report(moved, network_fee="loss")
    assert (lost.disposals[0].kind, lost.disposals[0].gain) == ("network_fee", Decimal(-10))


def test_gas_in_another_asset_adds_to_the_cost_of_what_it_moved() -> None:
    gas = tx("e", "2020-01-01", "trade", sent="30 USD", received="3 ETH")
    moved = move("m", "2020-06-01", "1", "1", fee="0.5 ETH", fee_value="20")
    made = report([*BUYS, gas, moved], network_fee="cost")
    assert {(one.asset, one.wallet): one.cost for one in made.holdings if one.wallet == "cold"} == {
        ("BTC", "cold"): 105
    }
    assert [(row.kind, row.asset, row.cost) for row in made.departures] == [("network_fee", "ETH", 5)]
    made = report([*BUYS, gas, moved])
    assert [(row.kind, row.asset, row.gain) for row in made.disposals] == [("network_fee", "ETH", 15)]
    made = report([*BUYS, move("m", "2020-06-01", "1", "1", fee="7 USD")], network_fee="cost")
    assert next(one.cost for one in made.holdings if one.wallet == "cold") == 107


def test_the_average_cost_after_transfers_is_that_of_each_wallet() -> None:
    moved = [*BUYS, move("m", "2020-06-01", "2", "2"), buy("c", "2020-07-01", "2", "1000", "cold")]
    made = report(
        [*moved, sell("s", "2021-02-01", "1", "500", "cold"), sell("t", "2021-03-01", "1", "500")], method="average"
    )
    assert [row.cost for row in made.disposals] == [Decimal(1450) / 4, Decimal(225)]  # 2 at 225 and 1000 for 2
    assert sum(one.cost or 0 for one in made.holdings) == 900 + 1000 - Decimal("362.5") - 225


def test_wallets_have_their_own_lots_or_share_them() -> None:
    two = [
        buy("b1", "2020-01-01", "1", "100"),
        buy("b2", "2020-02-01", "1", "900", "b"),
        sell("s", "2020-03-01", "1", "500", "b"),
    ]
    assert given(report(two)) == [("b2", "1", "900.00")]
    assert given(report(two, pools="universal")) == [("b1", "1", "100.00")]


def test_a_short_position_opens_by_a_sale_and_closes_by_a_purchase() -> None:
    opened = tx("o", "2020-01-01", "short_sale", sent="2 BTC", received="1000 USD", fee="10 USD")
    closed = tx("c", "2020-02-01", "short_cover", sent="300 USD", received="1 BTC", fee="5 USD")
    made = report([opened, closed])
    (row,) = made.disposals
    assert (row.lot, row.side, row.proceeds, row.cost, row.days) == ("o", "short", Decimal(495), Decimal(305), 31)
    assert [(one.side, one.quantity, one.cost) for one in made.holdings] == [("short", 1, Decimal(495))]
    assert not made.findings
    over = tx("d", "2021-02-01", "short_cover", sent="900 USD", received="3 BTC")
    made = report([opened, closed, over], short_term_of_shorts="short")
    assert made.findings[0].code == "nothing short"
    assert [(one.side, one.quantity, one.cost) for one in made.holdings] == [("long", 2, Decimal(600))]
    assert made.disposals[-1].term == "short"
    assert report([opened, closed, over]).disposals[-1].term == "long"


def test_the_highest_short_is_the_one_with_the_least_gain() -> None:
    opened = [
        tx(name, "2020-01-01", "short_sale", sent="1 BTC", received=f"{got} USD")
        for name, got in (("x", 500), ("y", 400))
    ]
    closed = tx("c", "2020-02-01", "short_cover", sent="300 USD", received="1 BTC")
    assert report([*opened, closed], method="hifo").disposals[0].lot == "y"
    assert report([*opened, closed], method="lofo").disposals[0].lot == "x"


def test_sales_of_what_is_not_held_open_shorts_only_where_that_is_said() -> None:
    both = [sell("s", "2020-01-01", "1", "500"), buy("b", "2020-02-01", "3", "900")]
    gap = report(both)
    assert [(row.lot, row.cost, row.gain) for row in gap.disposals] == [("", None, None)]
    assert gap.findings[0].code == "more than was held"
    short = report(both, shorts="allowed")
    assert [(row.lot, row.gain, row.side) for row in short.disposals] == [("s", Decimal(200), "short")]
    assert [(one.quantity, one.cost) for one in short.holdings] == [(2, Decimal(600))]
    assert short.complete
