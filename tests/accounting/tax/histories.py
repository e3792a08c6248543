"""Transactions for tests: short words for single ones, and whole histories that are made up."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from workbench.accounting.money import Money
from workbench.accounting.tax import INCOME, Transaction

DAY = 86_400_000
START = 1_577_836_800_000  # 2020-01-01


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def tx(identifier: str, when: str | int, kind: str, wallet: str = "a", **more: Any) -> Transaction:
    """A transaction; amounts as "0.5 BTC", values as text."""
    for name in ("sent", "received", "fee"):
        if isinstance(more.get(name), str):
            more[name] = Money.parse(more[name])
    for name in ("value", "fee_value", "cost"):
        if isinstance(more.get(name), str):
            more[name] = Decimal(more[name])
    return Transaction(id=identifier, ts=at(when) if isinstance(when, str) else when, kind=kind, wallet=wallet, **more)


def buy(identifier: str, when: str | int, quantity: str, paid: str, wallet: str = "a", **more: Any) -> Transaction:
    return tx(identifier, when, "trade", wallet, sent=f"{paid} USD", received=f"{quantity} BTC", **more)


def sell(identifier: str, when: str | int, quantity: str, got: str, wallet: str = "a", **more: Any) -> Transaction:
    return tx(identifier, when, "trade", wallet, sent=f"{quantity} BTC", received=f"{got} USD", **more)


def history(seed: int, length: int = 40) -> list[Transaction]:
    """A history in which everything may happen: gaps, dust, ties, 18 decimals, shorts, unknown values."""
    random_ = random.Random(seed)
    ts, found = START, []
    for number in range(random_.randrange(1, length)):
        ts += random_.choice((0, 1, 3_600_000, DAY, 40 * DAY))
        found.append(_any(random_, f"{seed}-{number}", ts))
    return found


def _quantity(random_: random.Random, asset: str) -> Money:
    digits, places = random_.choice(((3, 0), (9, 8), (19, 18), (1, 18)))
    return Money(Decimal(random_.randrange(1, 10**digits)).scaleb(-places), asset)


def _any(random_: random.Random, identifier: str, ts: int) -> Transaction:
    kind = random_.choice(
        ("trade",) * 8 + ("transfer",) * 3 + ("short_sale", "short_cover", "deposit", "withdrawal", "gift_received",
         "gift_given", "donation", "spend", "lost", "fee", "funding", "realised", random_.choice(INCOME))
    )  # fmt: skip
    assets = random_.sample(("BTC", "ETH", "USD", "EUR", "SOL"), 2)
    more: dict[str, Any] = {}
    if kind in ("trade", "short_sale", "short_cover", "withdrawal", "gift_given", "donation", "spend", "lost", "fee"):
        more["sent"] = _quantity(random_, assets[0])
    if kind in ("trade", "short_sale", "short_cover", "deposit", "gift_received", *INCOME):
        more["received"] = _quantity(random_, assets[1])
    if kind in ("funding", "realised"):
        more[random_.choice(("sent", "received"))] = _quantity(random_, assets[0])
    if kind == "transfer":
        sent = _quantity(random_, assets[0])
        kept = sent.amount if random_.random() < 0.3 else sent.amount / 2
        more |= {"sent": sent, "received": Money(kept, sent.currency), "to_wallet": "c"}
    if random_.random() < 0.4:
        more["fee"] = _quantity(random_, random_.choice((*assets, "BNB")))
    if random_.random() < 0.7:
        more |= {"value": _quantity(random_, "USD").amount, "fee_value": _quantity(random_, "USD").amount}
    if kind in ("deposit", "gift_received") and random_.random() < 0.5:
        more |= {"cost": _quantity(random_, "USD").amount, "acquired": ts - random_.randrange(0, 500) * DAY}
    return Transaction(id=identifier, ts=ts, kind=kind, wallet=random_.choice("ab"), **more)
