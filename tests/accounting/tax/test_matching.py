"""Withdrawals and deposits that are one transfer: found by amount and time, each once, and never by force."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.accounting.tax.histories import at, buy, history, sell, tx
from workbench.accounting.tax import Transaction, match_transfers, tax_report
from workbench.errors import ConfigError

HOUR = 3_600_000
NOON = at("2024-01-01T12:00")


def out(name: str, quantity: str, hours: float = 0, wallet: str = "a", **more: Any) -> Transaction:
    return tx(name, NOON + round(hours * HOUR), "withdrawal", wallet, sent=f"{quantity} BTC", **more)


def came(name: str, quantity: str, hours: float = 0, wallet: str = "b", **more: Any) -> Transaction:
    return tx(name, NOON + round(hours * HOUR), "deposit", wallet, received=f"{quantity} BTC", **more)


def kinds(given: list[Transaction], **how: Any) -> list[tuple[str, str]]:
    return [(one.id, one.kind) for one in match_transfers(given, **how)]


def test_a_pair_becomes_one_transfer_with_what_both_said() -> None:
    pair = [came("in", "0.999", 1, note="from a"), out("out", "1", fee="0.1 BNB", value="50000", note="to b")]
    (one,) = match_transfers(pair)
    assert (one.id, one.kind, one.ts, one.wallet, one.to_wallet) == ("out+in", "transfer", NOON, "a", "b")
    assert (str(one.sent), str(one.received), str(one.fee)) == ("1 BTC", "0.999 BTC", "0.1 BNB")
    assert (one.network_fee, one.value, one.note) == (Decimal("0.001"), Decimal(50000), "to b / from a")


@pytest.mark.parametrize(
    "arrival",
    [
        came("in", "1.0001", 1),  # more than was sent
        came("in", "0.97", 1),  # less than any network keeps
        came("in", "1", 25),  # too late
        came("in", "1", -0.1),  # before it left
        came("in", "1", 1, "a"),  # into the same wallet
        came("in", "1", 1, cost="10"),  # somebody said what it had cost: it is from elsewhere
        came("in", "1", 1, acquired=0),
        tx("in", NOON, "deposit", "b", received="1 ETH"),
        tx("in", NOON, "staking", "b", received="1 BTC"),
    ],
)
def test_what_does_not_fit_stays_as_it_is(arrival: Transaction) -> None:
    given = [out("out", "1"), arrival]
    assert match_transfers(given) == sorted(given, key=lambda one: one.ts)


def test_the_edges_fit() -> None:
    for arrival in (came("in", "1", 24), came("in", "1", -5 / 60), came("in", "0.98")):
        assert kinds([out("out", "1"), arrival]) == [("out+in", "transfer")]
    assert kinds([out("out", "1"), came("in", "0.9", 30)], hours=30, most_lost="0.1") == [("out+in", "transfer")]
    assert kinds([out("out", "1"), came("in", "0.9999")], most_lost=Decimal(0)) == [
        ("out", "withdrawal"), ("in", "deposit"),
    ]  # fmt: skip


def test_of_several_the_one_with_the_least_lost_counts_then_the_earliest_and_each_once() -> None:
    given = [out("o", "1"), came("late", "1", 3), came("early", "1", 2), came("less", "0.99", 1)]
    assert kinds(given) == [("o+early", "transfer"), ("less", "deposit"), ("late", "deposit")]
    assert kinds([*given, out("o2", "1", 0.5), out("o3", "1", 0.75)]) == [
        ("o+early", "transfer"), ("o2+late", "transfer"), ("o3+less", "transfer"),
    ]  # fmt: skip
    short = [out("o", "1"), out("o2", "1", 0.5), came("in", "1", 1)]
    assert kinds(short) == [("o+in", "transfer"), ("o2", "withdrawal")]


def test_lots_keep_their_date_and_cost_and_nothing_is_left_to_warn_of() -> None:
    given = [
        buy("b", "2023-01-01", "1", "100"),
        out("out", "1"),
        came("in", "1", 2),
        sell("s", "2024-02-01", "1", "900", "b"),
    ]
    apart, joined = tax_report(given), tax_report(match_transfers(given))
    assert {one.code for one in apart.findings} == {"unknown withdrawal", "unknown deposit"}
    assert not joined.findings
    assert [(row.lot, row.gain, row.term) for row in joined.disposals] == [("b", 800, "long")]


def test_nothing_is_lost_or_made_in_any_history() -> None:
    """All balances are as before, whatever is joined; and only withdrawals and deposits are."""
    found = 0
    for seed in range(150):
        random_ = random.Random(seed)
        given = history(seed)
        for number in range(random_.randrange(6)):
            quantity, hours = random_.choice(("1", "0.5")), random_.uniform(-3, 60)
            given.append(out(f"o{number}", quantity, hours, random_.choice("ab")))
            given.append(came(f"i{number}", random_.choice(("1", "0.495")), hours + random_.uniform(-1, 30), "c"))
        joined = match_transfers(given)
        found += len(given) - len(joined)
        assert tax_report(joined).balances == tax_report(given).balances
        parts = [part for one in joined for part in one.id.split("+")]
        assert sorted(parts) == sorted(one.id for one in given)
        assert [one.ts for one in joined] == sorted(one.ts for one in joined)
    assert found > 100


def test_a_choice_that_makes_no_sense_is_refused() -> None:
    for how in (
        {"hours": 0},
        {"hours": float("nan")},
        {"hours": float("inf")},
        {"most_lost": "1"},
        {"most_lost": "-0.1"},
    ):
        with pytest.raises(ConfigError, match=r"hours=.* must be above 0 and at most 8,760, and most_lost="):
            match_transfers([], **how)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"most_lost is 'little', which is no number.*give a share such as '0.02'"):
        match_transfers([], most_lost="little")
