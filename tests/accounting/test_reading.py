"""Rows as ccxt gives them, of venues of every kind, and the entries that they become."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from workbench.accounting import Entry, Money, own, positions
from workbench.accounting.reading import READERS, Owner, Pending, number
from workbench.errors import DataError

MARKETS: dict[str, dict[str, Any]] = {
    "BTC/USDT": {"spot": True},
    "BTC/USDT:USDT": {"contract": True, "contractSize": 1.0, "inverse": False},
    "BTC/USD:BTC": {"contract": True, "contractSize": "100", "inverse": True},
    "ETH/USDT:USDT": {"contract": True, "contractSize": "0.1", "inverse": False},
}
TRADE = {
    "id": "7", "timestamp": 1_700_000_000_000, "symbol": "BTC/USDT", "side": "buy", "amount": "0.1", "price": "30000.5",
    "cost": "3000.05", "fee": {"cost": "0.0001", "currency": "BTC"}, "order": "o1",
}  # fmt: skip
MOVE = {"id": "m", "timestamp": 1_700_000_000_000, "currency": "BTC", "amount": "0.5", "status": "ok", "txid": "abc"}


def read(kind: str, row: dict[str, Any], venue: str = "kraken") -> Entry:
    return READERS[kind](Owner(venue=venue, name="main", markets=MARKETS), row)


def test_a_trade_on_spot_moves_both_assets_and_its_fee() -> None:
    entry = read("trades", TRADE)
    home = own("kraken")
    assert (entry.id, entry.ts, entry.kind) == ("kraken:main:trade:BTC/USDT:7", 1_700_000_000_000, "trade")
    assert entry.change(home, "BTC") == Money("0.0999", "BTC") and entry.change(home, "USDT") == Money(
        "-3000.05", "USDT"
    )
    assert dict(entry.refs) == {"order": "o1", "price": "30000.5", "side": "buy", "symbol": "BTC/USDT"}
    sold = read(
        "trades", TRADE | {"side": "sell", "fee": None, "fees": [{"cost": "3", "currency": "USDT"}], "cost": None}
    )
    assert sold.change(home, "USDT") == Money("2997.05", "USDT")


def test_floats_become_what_the_venue_wrote() -> None:
    entry = read(
        "trades", TRADE | {"amount": 0.1, "price": 30000.5, "cost": 3000.05, "fee": {"cost": 1e-4, "currency": "BTC"}}
    )
    assert entry.postings == read("trades", TRADE).postings
    assert number(2.0, "x") == Decimal("2") and str(number(1e-7, "x")) == "1E-7"


def test_contracts_are_positions_at_their_size() -> None:
    row = TRADE | {"symbol": "ETH/USDT:USDT", "amount": "5", "price": "2000", "cost": None}
    entry = read("trades", row | {"fee": {"cost": "0.5", "currency": "USDT"}}, "okx")
    held = positions(own("okx"))
    assert entry.change(held, "ETH/USDT:USDT") == Money("5", "ETH/USDT:USDT")
    assert entry.change(held, "USDT") == Money("-1000.0", "USDT")  # five of a tenth
    assert entry.change(own("okx"), "USDT") == Money("-0.5", "USDT")
    short = read("trades", row | {"side": "sell", "info": {"positionSide": "SHORT"}}, "okx")
    assert short.change(positions(own("okx"), "short"), "ETH/USDT:USDT") == Money("-5", "ETH/USDT:USDT")


def test_inverse_contracts_are_reckoned_in_coins() -> None:
    row = TRADE | {"symbol": "BTC/USD:BTC", "amount": "3", "price": "40000"}
    entry = read("trades", row, "binancecoinm")
    held = positions(own("binancecoinm"))
    assert entry.change(held, "BTC") == Money("0.0075", "BTC")  # 300 USD at 40,000, which is owed the other way


def test_binances_wallets_are_told_apart_whichever_client_asks() -> None:
    perp = TRADE | {"symbol": "BTC/USDT:USDT"}
    assert read("trades", perp, "binance") == read("trades", perp, "binanceusdm")
    assert read("trades", TRADE, "practice-binance").accounts[0] == "own:practice-binance:main"
    for kind in ("deposits", "withdrawals"):
        assert read(kind, MOVE, "binanceusdm") == read(kind, MOVE, "binance")
    paid = {"id": "9", "timestamp": 5, "symbol": "BTC/USDT", "amount": "-1.5", "code": "USDT"}
    spot, futures = (read("funding", paid | {"symbol": one}, venue) for one, venue in
                     (("BTC/USDT", "binance"), ("BTC/USDT:USDT", "binanceusdm")))  # fmt: skip
    assert spot.id == futures.id and spot.change(own("binanceusdm"), "USDT") == Money("-1.5", "USDT")
    moved = MOVE | {"fromAccount": "spot", "toAccount": "linear"}
    one = read("transfers", moved, "binanceusdm")
    assert one == read("transfers", moved, "binance") and one.change(own("binanceusdm"), "BTC") == Money("0.5", "BTC")
    assert read("transfers", moved | {"toAccount": "funding"}, "okx").accounts == (
        "own:okx:main",
        "own:okx-funding:main",
    )


def test_money_comes_and_goes() -> None:
    came = read("deposits", MOVE)
    assert came.kind == "deposit" and came.refs["txid"] == "abc"
    gone = read("withdrawals", MOVE | {"fee": {"cost": "0.0005", "currency": "BTC"}})
    assert gone.change(own("kraken"), "BTC") == Money("-0.5005", "BTC")
    owed = read("interest", {"timestamp": 5, "currency": "USDT", "interest": "0.25"})
    assert owed.change(own("kraken"), "USDT") == Money("-0.25", "USDT")
    gift = {"id": "g", "timestamp": 5, "currency": "ETH", "amount": "1", "type": "airdrop", "direction": "in"}
    assert read("ledger", gift).kind == "income"
    taken = read("ledger", gift | {"direction": "out", "info": {"type": "interest"}})
    assert taken.kind == "interest" and taken.change(own("kraken"), "ETH") == Money("-1", "ETH")


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("deposits", MOVE | {"status": "pending"}),
        ("withdrawals", MOVE | {"status": "canceled"}),
        ("transfers", MOVE | {"status": "failed"}),
        ("ledger", MOVE | {"type": "trade"}),
        ("ledger", MOVE | {"type": None, "info": {"incomeType": "REALIZED_PNL"}}),
    ],
)
def test_what_is_not_over_or_told_elsewhere_waits(kind: str, row: dict[str, Any]) -> None:
    with pytest.raises(Pending):
        read(kind, row)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"timestamp": None}, "its time is None"),
        ({"amount": None}, "its amount is missing"),
        ({"amount": float("nan")}, "its amount is nan"),
        ({"amount": "0"}, "above zero"),
        ({"price": "many"}, "its price is 'many'"),
        ({"side": None}, "its side is None"),
    ],
)
def test_a_garbled_row_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        read("trades", TRADE | wrong)


def test_a_trade_without_a_fee_is_booked_and_marked() -> None:
    entry = read("trades", TRADE | {"fee": {"cost": None, "currency": None}})
    assert entry.refs["fee"] == "unknown" and entry.change(own("kraken"), "BTC") == Money("0.1", "BTC")


def test_rows_without_an_id_are_known_again() -> None:
    row = {key: value for key, value in TRADE.items() if key != "id"}
    assert read("trades", row).id == read("trades", dict(row)).id != read("trades", row | {"amount": "0.2"}).id
