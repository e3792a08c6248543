"""How fees, income, funding, presents, swaps, years and rounding are treated, and that nothing unknown becomes zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.accounting.tax.histories import at, buy, sell, tx
from tests.accounting.tax.test_lots import report
from workbench.accounting.tax import INCOME, PriceTable, TaxOptions, tax_report
from workbench.errors import ConfigError, DataError

D = Decimal
SWAP = [
    buy("b", "2020-01-01", "1", "100"),
    tx("w", "2020-02-01", "trade", sent="0.5 BTC", received="10 ETH", fee="2 USD", value="80"),
]


def test_a_fee_adds_to_cost_and_takes_from_proceeds_or_is_listed_by_itself() -> None:
    both = [buy("b", "2020-01-01", "1", "100", fee="3 USD"), sell("s", "2020-02-01", "1", "150", fee="4 USD")]
    (row,) = report(both).disposals
    assert (row.proceeds, row.cost, row.gain) == (146, 103, 43)
    listed = report(both, fees="expense")
    assert listed.disposals[0].gain == 50
    assert listed.totals[0].expenses == 7
    assert listed.totals[0].gains - listed.totals[0].expenses == report(both).totals[0].gains


def test_a_fee_in_the_asset_that_is_sold_goes_with_it() -> None:
    made = report([buy("b", "2020-01-01", "2", "200"), sell("s", "2020-02-01", "1", "150", fee="0.5 BTC")])
    (row,) = made.disposals
    assert (row.quantity, row.proceeds, row.cost) == (D("1.5"), 150, 150)


def test_a_fee_in_the_asset_that_is_bought_makes_the_rest_dearer() -> None:
    made = report([buy("b", "2020-01-01", "1", "100", fee="0.01 BTC")])
    assert [(one.quantity, one.cost) for one in made.holdings] == [(D("0.99"), 100)]
    assert not made.findings  # it needs no price


def test_a_fee_in_a_third_asset_is_a_disposal_of_it_and_counts_as_a_fee() -> None:
    given = [
        tx("n", "2020-01-01", "trade", sent="10 USD", received="1 BNB"),
        buy("b", "2020-02-01", "1", "100", fee="0.1 BNB", fee_value="3"),
    ]
    made = report(given)
    assert [(row.asset, row.kind, row.proceeds, row.cost) for row in made.disposals] == [("BNB", "fee", 3, 1)]
    assert {one.asset: one.cost for one in made.holdings} == {"BNB": 9, "BTC": 103}


def test_a_swap_is_a_disposal_at_fair_value_with_its_source() -> None:
    made = report(SWAP)
    (row,) = made.disposals
    assert (row.kind, row.proceeds, row.cost, row.source) == ("swap", 78, 50, "stated")  # the fee counts once, here
    assert {one.asset: one.cost for one in made.holdings} == {"BTC": 50, "ETH": 80}


def test_a_swap_takes_prices_of_what_came_or_of_what_was_given_and_says_which() -> None:
    table = PriceTable()
    table.add("BTC", "USDT", {at("2020-01-31"): D(180)}, "bars of BTC")
    table.add("USD", "ETH", {at("2020-01-31"): D("0.1")}, "bars of ETH")
    swap = [SWAP[0], tx("w", "2020-02-01", "trade", sent="0.5 BTC", received="10 ETH")]
    for side, proceeds, source in (("received", 100, "1 / bars of ETH"), ("sent", 90, "bars of BTC")):
        made = tax_report(swap, TaxOptions(swap_value=side, pegs={"USDT": "USD"}), prices=table)
        assert [(row.proceeds, row.source) for row in made.disposals] == [(proceeds, source)]


def test_what_has_no_price_stays_open_and_is_never_zero() -> None:
    made = report(
        [
            SWAP[0],
            tx("w", "2020-02-01", "trade", sent="0.5 BTC", received="10 ETH"),
            sell("s", "2020-03-01", "0.5", "90"),
        ]
    )
    assert [(row.proceeds, row.gain) for row in made.disposals] == [(None, None), (90, 40)]
    assert next(one.cost for one in made.holdings) is None
    (total,) = made.totals
    assert (total.open_rows, total.complete, made.complete) == (1, False, False)
    assert total.gain == {"short": 40}
    assert [one.code for one in made.findings] == ["price missing"]
    assert made.table("disposals").loc[0, "unknown"] == "proceeds"


@pytest.mark.parametrize(
    ("treated", "gain", "holding"), [("missing", None, None), ("zero", D(90), D(0)), ("value", D(40), D(50))]
)
def test_an_unknown_deposit_is_treated_as_stated_and_always_warned_of(treated: str, gain: Any, holding: Any) -> None:
    given = [tx("d", "2020-01-01", "deposit", received="2 BTC", value="100"), sell("s", "2020-02-01", "1", "90")]
    made = report(given, unknown_cost=treated)
    assert [row.gain for row in made.disposals] == [gain]
    assert [one.cost for one in made.holdings] == [holding]
    assert [one.code for one in made.findings] == ["unknown deposit"]


def test_a_deposit_or_present_may_bring_its_cost_and_date() -> None:
    for kind in ("deposit", "gift_received"):
        came = tx("d", "2020-06-01", kind, received="1 BTC", cost="70", acquired=at("2018-01-01"))
        made = report([came, sell("s", "2020-07-01", "1", "90")])
        assert [(row.gain, row.term) for row in made.disposals] == [(20, "long")]
        assert not made.findings


def test_income_is_counted_when_it_comes_and_is_then_what_it_cost() -> None:
    for kind in INCOME:
        made = report([tx("i", "2020-01-01", kind, received="1 BTC", value="100"), sell("s", "2021-06-01", "1", "150")])
        assert [(total.year, dict(total.income), total.gains) for total in made.totals] == [
            (2020, {kind: 100}, 0),
            (2021, {}, 50),
        ]
    dropped = [tx("i", "2020-01-01", "airdrop", received="1 BTC", value="100"), sell("s", "2020-06-01", "1", "150")]
    (total,) = report(dropped, no_income=("airdrop",)).totals
    assert (total.income, total.gains) == ({}, 150)


def test_funding_counts_as_a_gain_or_as_income_and_expense() -> None:
    given = [tx("p", "2020-01-01", "funding", sent="5 USD"), tx("r", "2020-02-01", "funding", received="3 USD")]
    (total,) = report(given).totals
    assert (total.derivatives, total.income, total.expenses) == (-2, {}, 0)
    (total,) = report(given, funding="income").totals
    assert (total.derivatives, total.income, total.expenses) == (0, {"funding": 3}, 5)


def test_funding_in_an_asset_makes_and_takes_lots() -> None:
    given = [
        tx("r", "2020-01-01", "realised", received="1 BTC", value="100"),
        tx("p", "2020-02-01", "funding", sent="0.5 BTC", value="80"),
    ]
    made = report(given)
    assert [(row.kind, row.gain) for row in made.disposals] == [("funding", 30)]
    (total,) = made.totals
    assert (total.derivatives, total.gains) == (20, 50)


def test_presents_and_losses_are_treated_as_stated() -> None:
    given = [
        buy("b", "2020-01-01", "4", "400"), tx("g", "2020-02-01", "gift_given", sent="1 BTC", value="150"),
        tx("n", "2020-02-02", "donation", sent="1 BTC", value="160"), tx("l", "2020-02-03", "lost", sent="1 BTC"),
        tx("p", "2020-02-04", "spend", sent="1 BTC", value="170"),
    ]  # fmt: skip
    made = report(given)
    assert [(row.kind, row.cost) for row in made.departures] == [("gift_given", 100), ("donation", 100)]
    assert [(row.kind, row.gain) for row in made.disposals] == [("lost", -100), ("spend", 70)]
    made = report(given, gifts="disposal", lost="at_cost")
    assert [(row.kind, row.gain) for row in made.disposals] == [("gift_given", 50), ("donation", 60), ("spend", 70)]
    assert [(row.kind, row.cost) for row in made.departures] == [("lost", 100)]


def test_a_withdrawal_to_nobody_knows_where_leaves_at_cost_with_a_warning() -> None:
    made = report([buy("b", "2020-01-01", "1", "100"), tx("o", "2020-02-01", "withdrawal", sent="1 BTC")])
    assert not made.disposals
    assert [(row.kind, row.cost) for row in made.departures] == [("withdrawal", 100)]
    assert [one.code for one in made.findings] == ["unknown withdrawal"]


def test_a_year_begins_where_the_time_zone_and_the_law_say() -> None:
    given = [
        buy("b", "2020-01-01", "2", "2"),
        sell("s", "2023-12-31T23:30", "1", "5"),
        sell("t", "2024-04-05T23:30", "1", "5"),
    ]
    years = {
        zone: [one.year for one in report(given, zone=zone).totals]
        for zone in ("UTC", "Europe/Berlin", "America/New_York")
    }
    assert years == {"UTC": [2023, 2024], "Europe/Berlin": [2024], "America/New_York": [2023, 2024]}
    assert [one.year for one in report(given, zone="Europe/London", year_start=(4, 6)).totals] == [
        2023,
        2024,
    ]  # in summer
    assert [one.year for one in report(given, year_start=(4, 6)).totals] == [2023]
    shown = report(given, year=2023)
    assert [row.transaction for row in shown.disposals] == ["s"]
    assert [(one.quantity, one.cost) for one in shown.holdings] == [(1, 1)]


def test_of_one_millisecond_what_brings_comes_first() -> None:
    given = [sell("s", "2020-01-01", "1", "5"), buy("b", "2020-01-01", "1", "2")]
    assert [row.gain for row in report(given).disposals] == [3]
    assert [row.gain for row in report(given, ties="as_given").disposals] == [None]
    chain = [
        sell("s", "2020-01-01", "1", "5", "c"),
        tx("m", "2020-01-01", "transfer", sent="1 BTC", received="1 BTC", to_wallet="c"),
        buy("b", "2020-01-01", "1", "2"),
    ]  # fmt: skip
    assert [row.gain for row in report(chain).disposals] == [3]


def test_dust_of_eighteen_decimals_is_kept() -> None:
    whole, part = "0.123456789012345678", "0.000000000000000001"
    made = report([buy("b", "2020-01-01", whole, "100"), *(sell(f"s{n}", "2020-02-01", part, "1") for n in range(3))])
    assert [one.quantity for one in made.holdings] == [D("0.123456789012345675")]
    assert sum((row.cost or 0 for row in made.disposals), D(0)) + (made.holdings[0].cost or 0) == 100
    assert made.table("disposals").loc[0, "quantity"] == D(part)


def test_dust_that_records_round_away_costs_nothing_and_warns_of_nothing() -> None:
    given = [
        buy("b", "2020-01-01", "1", "100"),
        sell("s", "2020-02-01", "1.00000001", "150"),
        tx("m", "2020-03-01", "transfer", sent="0.00000001 BTC", received="0.00000001 BTC", to_wallet="c"),
        tx("g", "2020-04-01", "gift_given", sent="0.00000001 BTC"),
    ]  # fmt: skip
    assert [one.code for one in report(given).findings] == ["more than was held"] * 3
    for shorts in ("declared", "allowed"):
        made = report(given, dust=D("0.00000001"), shorts=shorts)
        assert made.complete and not made.findings
        assert made.totals[0].gain == {"short": D("50.00")}
    assert len(report(given, dust=D("0.000000009")).findings) == 3
    assert TaxOptions.from_words({"dust": "1e-8"}).dust == D("0.00000001")


def test_parts_of_a_cost_that_does_not_divide_add_up_to_it() -> None:
    made = report([buy("b", "2020-01-01", "3", "100"), *(sell(f"s{n}", "2020-02-01", "1", "1") for n in range(3))])
    assert sum(row.cost or 0 for row in made.disposals) == 100
    assert not made.holdings


def test_rounding_is_as_stated() -> None:
    given = [buy("b", "2020-01-01", "3", "100"), *(sell(f"s{n}", "2020-02-01", "1", "50.005") for n in range(3))]
    of_sums, of_rows = report(given), report(given, round_at="rows", rounding="half_up")
    assert (of_sums.totals[0].gain, of_rows.totals[0].gain) == ({"short": D("50.02")}, {"short": D("50.04")})
    rows = of_rows.table("disposals")
    assert (rows["proceeds"] - rows["cost"] == rows["gain"]).all()
    assert rows["gain"].sum() == D("50.04")
    assert report(given, places=0, rounding="down").totals[0].gain == {"short": D(50)}


def test_every_number_can_be_traced() -> None:
    made = report(
        [
            *SWAP,
            tx("x", "2020-03-01", "withdrawal", sent="1 ETH"),
            tx("i", "2020-04-01", "staking", received="1 SOL", value="7"),
        ]
    )
    assert made.explain("w") == (
        "w\n"
        "  acquired 10 ETH in a at a cost of 80.00 USD (stated)\n"
        "  swap: 0.5 BTC of lot b of 2020-01-01T00:00:00Z: proceeds 78.00 (stated) - cost 50.00 = 28.00 USD, "
        "held 31 days, short"
    )
    assert "its lot was given in: w" in made.explain("b")
    assert "lot w left at 8.00 USD" in made.explain("x")
    assert "income: staking of 1 SOL, 7.00 USD (stated)" in made.explain("i")
    with pytest.raises(DataError, match="nothing came of a transaction 'nix'"):
        made.explain("nix")


def test_choices_and_tables_that_do_not_exist_are_refused() -> None:
    for words, said in (
        ({"method": "fifi"}, "method='fifi' is not known; choose one of fifo"),
        ({"zone": "Mars/Base"}, "zone='Mars/Base' is no time zone"),
        ({"metod": "fifo"}, "there is no option 'metod'; did you mean 'method'"),
        ({"long_after": "soon"}, "long_after='soon' cannot be read; such as 365 or none"),
        ({"year_start": "13-40"}, r"year_start=\(13, 40\) must be a month and a day"),
        ({"no_income": "luck"}, "no_income='luck' is no income"),
        ({"places": "40"}, "places=40"),
        ({"dust": "little"}, "dust='little' cannot be read; such as 0.00000001"),
        ({"dust": "-1"}, "must be a Decimal, 0 or more"),
        ({"pegs": "USDT"}, "pegs='USDT' cannot be read; such as USDT=USD"),
        ({"currency": ""}, "currency is empty"),
        ({"long_after": "-1"}, "long_after=-1"),
    ):
        with pytest.raises(ConfigError, match=said):
            TaxOptions.from_words(words)
    with pytest.raises(ConfigError, match="there is no table 'gains'; there are totals, disposals"):
        report(SWAP).table("gains")
    with pytest.raises(ConfigError, match="year 20 must be 1970 to 2199"):
        report(SWAP, year=20)
    with pytest.raises(DataError, match="the id 'b' stands twice"):
        report([SWAP[0], SWAP[0]])


def test_the_choices_are_said_in_words() -> None:
    told = TaxOptions.from_words({"pegs": "USDT=USD, USDC=USD", "long_after": "none", "year_start": "04-06"}).in_words()
    assert told["method"] == "fifo: first in, first out: the lot acquired first is given first"
    assert (told["pegs"], told["long_after"]) == ("USDT = 1 USD, USDC = 1 USD", "None")
