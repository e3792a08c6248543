"""What happened to somebody's assets, one record for each event: the only thing that lots and tax are worked out from.

A transaction says what left, what came, what fee was paid and where. It never says what that means for tax: the kind
names the fact, and `TaxOptions` states how each kind is treated.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from workbench.accounting.money import Money
from workbench.errors import DataError

__all__ = ["INCOME", "KINDS", "LotChoice", "Transaction"]

_SIDES: Final = MappingProxyType({
    "trade": "sr", "short_sale": "sr", "short_cover": "sr", "transfer": "sr", "deposit": "r", "withdrawal": "s",
    "interest": "r", "staking": "r", "mining": "r", "airdrop": "r", "fork": "r", "reward": "r", "wages": "r",
    "gift_received": "r", "gift_given": "s", "donation": "s", "spend": "s", "lost": "s", "fee": "s",
    "funding": "one", "realised": "one",
})  # fmt: skip
KINDS: Final = MappingProxyType({
    "trade": "one asset given for another: a purchase, a sale, or a swap of two crypto assets",
    "short_sale": "an asset that was borrowed and sold: opens a short position",
    "short_cover": "an asset bought to give back what was borrowed: closes a short position",
    "transfer": "a move between two own wallets; what is sent and does not arrive is the network fee",
    "deposit": "came from outside, from where is not said (money, or an asset with `cost` and `acquired`)",
    "withdrawal": "went outside, where to is not said",
    "interest": "interest or lending income",
    "staking": "staking income",
    "mining": "mining income",
    "airdrop": "received for nothing from a project",
    "fork": "received when a chain split",
    "reward": "rebates, referrals, cashback, learning rewards",
    "wages": "pay for work",
    "gift_received": "a present received; `cost` and `acquired` carry what the giver had",
    "gift_given": "a present made",
    "donation": "given to charity",
    "spend": "paid for goods or services",
    "lost": "lost or stolen",
    "fee": "a fee by itself: borrowing cost, gas of a failed call, account fee",
    "funding": "a funding payment of a perpetual: received or sent",
    "realised": "profit (received) or loss (sent) of a derivative that settles in money",
})  # fmt: skip
INCOME: Final = ("airdrop", "fork", "interest", "mining", "reward", "staking", "wages")
_LARGEST: Final = Decimal("1e30")
_FINEST: Final = -30
_LAST: Final = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True, slots=True)
class LotChoice:
    """Part of a specific lot that a disposal takes.

    Parameters
    ----------
    lot : str
        Id of the transaction that acquired it.
    quantity : Decimal, optional
        How much of it; as much as there is and as is needed where left out.
    """

    lot: str
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One event, exact.

    Parameters
    ----------
    id : str
        Names it in every table; also the name of the lot that it acquires.
    ts : int
        Milliseconds since 1970 in UTC.
    kind : str
        One of `KINDS`.
    wallet : str
        Account or wallet that it happened in.
    sent, received : Money, optional
        What left and what came, fees aside. Which of them a kind needs is checked.
    fee : Money, optional
        What was paid besides. A rebate is a `reward`, not a negative fee.
    to_wallet : str, default ""
        Where a transfer arrives.
    value : Decimal, optional
        Fair value of what moved, without the fee, in the currency of the report, where it is known.
    fee_value : Decimal, optional
        The same of the fee: of `fee`, and for a transfer of what did not arrive.
    cost, acquired : Decimal, int, optional
        For a deposit or a present received: what it had cost and when it was acquired (milliseconds).
    lots : tuple of LotChoice, default ()
        Lots that are given, for the method `specific`.
    note : str, default ""

    Raises
    ------
    DataError
        Something is missing, not finite, not positive, or does not belong to the kind.
    """

    id: str
    ts: int
    kind: str
    wallet: str
    sent: Money | None = None
    received: Money | None = None
    fee: Money | None = None
    to_wallet: str = ""
    value: Decimal | None = None
    fee_value: Decimal | None = None
    cost: Decimal | None = None
    acquired: int | None = None
    lots: tuple[LotChoice, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.id or self.id != self.id.strip() or ";" in self.id or not self.id.isprintable():
            raise DataError(
                f"a transaction needs an id, not {self.id!r}: a text that no other one has, without ; or spaces around",
                field="id",
            )
        if self.kind not in _SIDES:
            raise self._wrong("kind", f"kind {self.kind!r} is not known; there are {', '.join(KINDS)}")
        if isinstance(self.ts, bool) or not isinstance(self.ts, int) or not 0 <= self.ts < _LAST:
            raise self._wrong("ts", f"ts {self.ts!r} must be whole milliseconds since 1970 (UTC)")
        if not self.wallet:
            raise self._wrong("wallet", "the wallet is missing: name the account that it happened in")
        self._check_sides()
        self._check_numbers()
        if self.kind == "transfer":
            self._check_transfer()
        elif self.to_wallet:
            raise self._wrong("to_wallet", f"to_wallet is for transfers; this is a {self.kind}")

    def _check_sides(self) -> None:
        needs = _SIDES[self.kind]
        if needs == "one":
            if (self.sent is None) is (self.received is None):
                raise self._wrong("sent", f"a {self.kind} payment needs either sent or received, and not both")
            return
        for name, letter, money in (("sent", "s", self.sent), ("received", "r", self.received)):
            if letter in needs and money is None:
                raise self._wrong(name, f"a {self.kind} needs {name}: an amount and an asset")
            if letter not in needs and money is not None:
                raise self._wrong(name, f"a {self.kind} has no {name}; see the list of kinds, or call it a trade")
        trades = needs == "sr" and self.kind != "transfer"
        if trades and self.sent and self.received and self.sent.currency == self.received.currency:
            raise self._wrong("received", f"a {self.kind} of {self.sent.currency} for itself; is it a transfer?")

    def _check_numbers(self) -> None:
        for name, money in (("sent", self.sent), ("received", self.received), ("fee", self.fee)):
            if money is None:
                continue
            if not isinstance(money, Money):
                raise self._wrong(name, f"{name} {money!r} must be Money(Decimal, asset)")
            _require_exact(self, name, money.amount)
            if money.amount < 0 or (name != "fee" and not money.amount):
                hint = "a rebate is a reward" if name == "fee" else "turn it round: sent leaves, received comes"
                raise self._wrong(name, f"{name} {money.amount} {money.currency} must be above zero; {hint}")
        for name, number in (("value", self.value), ("fee_value", self.fee_value), ("cost", self.cost)):
            if number is not None:
                _require_exact(self, name, number)
                if number < 0:
                    raise self._wrong(name, f"{name} {number} must not be negative")
        if (self.cost is not None or self.acquired is not None) and self.kind not in ("deposit", "gift_received"):
            raise self._wrong("cost", f"cost and acquired are for a deposit or gift_received; this is a {self.kind}")
        if self.acquired is not None and not 0 <= self.acquired <= self.ts:
            raise self._wrong("acquired", f"acquired {self.acquired} must not be later than the transaction itself")

    def _check_transfer(self) -> None:
        sent, received = self.sent, self.received
        if sent is None or received is None:
            return
        if sent.currency != received.currency:
            raise self._wrong("received", f"sends {sent.currency} and receives {received.currency}: that is a trade")
        if received.amount > sent.amount:
            raise self._wrong("received", f"receives {received.amount} of {sent.amount} sent: more than was sent")
        if not self.to_wallet or self.to_wallet == self.wallet:
            raise self._wrong("to_wallet", f"to_wallet {self.to_wallet!r} must be another wallet than {self.wallet!r}")

    def _wrong(self, field: str, message: str) -> DataError:
        return DataError(f"transaction {self.id}: {message}", transaction=self.id, field=field)

    @property
    def network_fee(self) -> Decimal:
        """What a transfer sent and did not arrive; zero for every other kind."""
        if self.kind != "transfer" or self.sent is None or self.received is None:
            return Decimal(0)
        return self.sent.amount - self.received.amount


def _require_exact(transaction: Transaction, name: str, number: Decimal) -> None:
    if not isinstance(number, Decimal):
        hint = "write Decimal('0.1'), not 0.1: a float is not the number that you see"
        raise DataError(f"transaction {transaction.id}: {name} {number!r} must be a Decimal; {hint}", field=name)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST or abs(number) > _LARGEST:
        raise DataError(
            f"transaction {transaction.id}: {name} {number} must be finite, at most {_LARGEST} and with at most "
            f"{-_FINEST} decimals",
            field=name,
        )
