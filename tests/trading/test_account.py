"""The books: no money appears or is lost, whatever happens; and margin, equity and rates by hand."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError, DataError
from workbench.market.instrument import Instrument
from workbench.trading.account import Account, money
from workbench.trading.events import Adjusted, Filled, Funded
from workbench.trading.terms import AccountTerms

COIN = Instrument.default("BTC/USD:BTC").replace(contract_size=100.0)
SPOT, LINEAR, ETHER, CROSS_PAIR = map(Instrument.default, ("BTC/USDT", "BTC/USDT:USDT", "ETH/USDT", "ETH/BTC"))
MODES = {
    "spot": (AccountTerms(), (SPOT, ETHER)),
    "cash": (AccountTerms("cash"), (SPOT, ETHER, CROSS_PAIR)),
    "cross": (AccountTerms(leverage=5.0), (LINEAR, ETHER)),
    "isolated": (AccountTerms(isolated=True, leverage=5.0), (LINEAR, ETHER)),
    "hedge": (AccountTerms(hedge=True, leverage=5.0), (LINEAR, ETHER)),
    "isolated hedge": (AccountTerms(isolated=True, hedge=True, leverage=5.0), (LINEAR,)),
    "inverse": (AccountTerms(leverage=5.0), (COIN,)),
    "two currencies": (AccountTerms(leverage=5.0), (LINEAR, COIN, SPOT)),
}
Step = tuple[str, int, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(("fill", "fill", "fill", "fill", "funding", "cash", "mark")),
        st.integers(0, 5), st.integers(-1_000, 1_000).filter(bool), st.integers(1, 10_000_000), st.integers(-50, 1_000),
    ), min_size=1, max_size=40,
)  # fmt: skip
modes = st.sampled_from(sorted(MODES))


def fill(symbol: str, quantity: float, price: float, fee: float = 0.0, leg: str = "net", ts: int = 0) -> Filled:
    side = "buy" if quantity > 0.0 else "sell"
    return Filled(ts, "id", symbol, side, abs(quantity), price, fee, False, price, "entry", 0, leg)


def new(mode: str, cash: float = 9e6) -> Account:
    terms, instruments = MODES[mode]
    return Account({"USDT": cash} if mode != "inverse" else {"BTC": cash}, terms, instruments)


class Reference:
    """What the books must say, in fractions: money in, and what each event moved."""

    def __init__(self, account: Account, mode: str) -> None:
        self.account, self.instruments = account, {one.symbol: one for one in MODES[mode][1]}
        self.money = {asset: Fraction(amount) for asset, amount in account.balances().items()}
        self.paid_in = dict(self.money)
        self.held: dict[tuple[str, str], Fraction] = {}
        self.marks: dict[str, float] = {}

    def play(self, step: Step, ts: int) -> None:
        kind, pick, lots, ticks, points = step
        one = list(self.instruments.values())[pick % len(self.instruments)]
        leg = "net" if not self.account.terms.hedge else "long" if pick % 2 else "short"
        price, quantity = ticks / 100, lots / 1_000
        if kind == "fill":
            self.fill(one, quantity, price, abs(quantity) * price * points * 1e-5, leg, ts)
        elif kind == "funding":
            amount = quantity * points
            self.account.apply_funding(Funded(ts, one.symbol, quantity, price, 1e-4, amount, leg))
            self.money[one.settle] += Fraction(amount)
        elif kind == "cash":
            reason = "interest" if pick == 0 else "deposit"
            self.account.adjust(Adjusted(ts, one.settle, float(lots * 100), reason))
            self.money[one.settle] += lots * 100
        else:
            self.account.mark(one.symbol, price)
            self.marks[one.symbol] = price

    def fill(self, one: Instrument, quantity: float, price: float, fee: float, leg: str, ts: int) -> None:
        event = fill(one.symbol, quantity, price, fee, leg, ts)
        if self.account.shortfall(one.symbol, quantity, price, fee, leg):
            before = self.account.snapshot()
            with pytest.raises(DataError, match=r"close it first|a cash account has only"):
                self.account.apply(event)
            assert self.account.snapshot() == before
            return
        self.account.apply(event)
        self.marks.setdefault(one.symbol, price)
        size = one.contract_size
        moved = quantity * size / price if one.kind == "inverse" else -(quantity * price * size)
        self.money[one.settle] += Fraction(moved) - Fraction(fee)
        change = Fraction(round(quantity * 1_000), 1_000)
        self.held[one.symbol, leg] = self.held.get((one.symbol, leg), Fraction(0)) + change

    def equity(self, currency: str) -> Fraction:
        total = self.money[currency]
        for (symbol, _), quantity in self.held.items():
            one, mark = self.instruments[symbol], Fraction(self.marks[symbol])
            if one.settle == currency:
                size = Fraction(one.contract_size)
                total += -quantity * size / mark if one.kind == "inverse" else quantity * mark * size
        return total


@given(modes, steps)
def test_no_money_appears_or_is_lost(mode: str, done: list[Step]) -> None:
    account = new(mode)
    exact = Reference(account, mode)
    for ts, step in enumerate(done):
        exact.play(step, ts)
    for name in exact.money:
        if name not in account.pools:
            continue
        says = account.statement(name, step=0.0)
        earned = says["realised"] + says["unrealised"] - says["fees"] + says["funding"] + says["interest"]
        assert abs(says["deposits"] + earned - says["equity"]) <= 1e-8
        assert abs(Fraction(says["equity"]) - exact.equity(name)) <= Fraction(1, 10**8)
        assert says["cash"] + says["positions"] == says["equity"]
        rounded = account.statement(name)
        assert all(abs(rounded[key] - amount) <= 0.6e-8 for key, amount in says.items())
    # the numbers that decisions are made with are plain sums: a few last bits of nine million apart
    if len(account.pools) == 1:
        name = account.currency
        assert account.equity == pytest.approx(float(exact.equity(name)), abs=4e-9 * (len(done) + 2))
        assert account.cash == pytest.approx(account.balance(name), abs=4e-9 * (len(done) + 2))
        for key in ("realised", "unrealised", "fees", "funding"):
            assert getattr(account, key) == account.statement(step=0.0)[key]


@given(modes, steps, st.integers(0, 40))
def test_books_restored_go_on_as_if_nothing_had_been(mode: str, done: list[Step], at: int) -> None:
    whole, first, again = new(mode), new(mode), new(mode, cash=0.0)
    player, head = Reference(whole, mode), Reference(first, mode)
    for ts, step in enumerate(done):
        player.play(step, ts)
        if ts < at:
            head.play(step, ts)
    again.restore(json.loads(json.dumps(first.snapshot(), allow_nan=False)))
    assert again.snapshot() == first.snapshot()
    tail = Reference(again, mode)
    for ts, step in enumerate(done[at:], start=at):
        tail.play(step, ts)
    assert again.snapshot() == whole.snapshot()
    assert [repr(one) for one in again.positions] == [repr(one) for one in whole.positions]


@given(modes, steps)
def test_what_is_available_is_what_the_contract_says(mode: str, done: list[Step]) -> None:
    account = new(mode)
    exact = Reference(account, mode)
    for ts, step in enumerate(done):
        exact.play(step, ts)
    if len(account.pools) > 1:
        return
    equity = wallet = float(exact.money[account.currency])
    behind = own = 0.0
    for held in account.positions:
        one, mark, leverage = exact.instruments[held.symbol], exact.marks[held.symbol], account.leverage(held.symbol)
        size = held.quantity * one.contract_size
        inverse = one.kind == "inverse"
        equity += -size / mark if inverse else size * mark
        wallet += -size / held.price if inverse else size * held.price
        behind += abs(size) / mark / leverage if inverse else abs(size) * mark / leverage
        own += (abs(size) / held.price if inverse else abs(size) * held.price) / leverage + held.settled
    free = wallet - own if account.terms.isolated else equity - behind
    assert account.available == pytest.approx(free, abs=1e-6)
    assert account.margin_used == pytest.approx(own if account.terms.isolated else behind, abs=1e-6)
    assert account.wallet == pytest.approx(wallet, abs=1e-6)
    assert account.equity - account.wallet == pytest.approx(account.unrealised, abs=1e-6)


@given(modes, steps)
def test_at_its_liquidation_price_a_position_has_its_maintenance_margin(mode: str, done: list[Step]) -> None:
    account = new(mode, cash=5e4)
    exact = Reference(account, mode)
    for ts, step in enumerate(done):
        exact.play(step, ts)
    for held in account.positions:
        level = account.liquidation_price(held.symbol, held.leg)
        if not 0.0 < level < math.inf or level == exact.marks[held.symbol]:
            continue
        settle, at_mark = exact.instruments[held.symbol].settle, exact.marks[held.symbol]
        account.mark(held.symbol, level)
        pool = account.pools[settle]
        line = account.lines[held.symbol]
        if account.terms.isolated:
            left, scale = account.margin_of(held.symbol, held.leg) + held.unrealised(level), abs(held.value(level))
            assert left == pytest.approx(line.maintenance(held), abs=1e-8 * (1.0 + scale))
        else:
            scale = sum(abs(one.cost) + abs(one.value(where.mark)) for where, one in pool.open())
            assert pool.equity() == pytest.approx(pool.maintenance(), abs=1e-8 * (1.0 + scale))
        account.mark(held.symbol, at_mark)


def test_whoever_holds_a_position_sees_it_restored() -> None:
    account, other = new("cross"), new("cross")
    account.apply(fill("ETH/USDT", 2.0, 1_000.0))
    seen = other.position("ETH/USDT")
    other.restore(account.snapshot())
    other.apply(fill("ETH/USDT", 1.0, 1_300.0))
    assert other.position("ETH/USDT") is seen
    assert (seen.quantity, seen.price) == (3.0, 1_100.0)


def test_linear_and_spot_by_hand() -> None:
    account = Account(10_000.0, AccountTerms(leverage=5.0), [LINEAR, ETHER], leverage={"ETH/USDT": 1.0})
    account.apply(fill("BTC/USDT:USDT", 1.0, 20_000.0, fee=10.0))
    account.apply(fill("ETH/USDT", -2.0, 1_000.0, fee=2.0))
    account.mark("BTC/USDT:USDT", 21_000.0)
    account.mark("ETH/USDT", 1_100.0)
    assert account.cash == 10_000 - 20_010 + 2_000 - 2
    assert account.wallet == 9_988
    assert (account.equity, account.unrealised) == (10_788, 800)
    assert account.margin_used == 21_000 / 5 + 2_200
    assert account.available == 10_788 - 4_200 - 2_200
    assert account.maintenance == 21_000 * 0.005  # what is paid in full needs none
    assert account.margin_level == pytest.approx(10_788 / 105)
    assert (account.quantity("ETH/USDT"), account.open_positions, len(account.positions)) == (-2.0, 2, 2)
    assert account.margin_of("ETH/USDT") == 2_200
    account.apply_funding(Funded(0, "BTC/USDT:USDT", 1.0, 21_000.0, 1e-4, -2.1))
    assert account.funding == -2.1
    account.set_leverage("BTC/USDT:USDT", 10.0)
    assert account.margin_of("BTC/USDT:USDT") == 2_100
    account.apply(fill("BTC/USDT:USDT", -1.0, 21_000.0, fee=10.5))
    assert (account.realised, account.fees) == (1_000.0, 22.5)
    assert account.equity == pytest.approx(10_000 + 1_000 - 200 - 22.5 - 2.1)


def test_the_margin_of_an_isolated_position_is_its_own() -> None:
    account = Account(10_000.0, AccountTerms(isolated=True, leverage=10.0), [LINEAR, ETHER])
    account.apply(fill("BTC/USDT:USDT", 1.0, 20_000.0))
    account.apply_funding(Funded(0, "BTC/USDT:USDT", 1.0, 20_000.0, 0.01, -200.0))
    account.mark("BTC/USDT:USDT", 30_000.0)
    assert account.margin_of("BTC/USDT:USDT") == 2_000 - 200
    assert account.available == 9_800 - 1_800  # what is not realised opens nothing
    level = account.liquidation_price("BTC/USDT:USDT")
    assert level == pytest.approx((20_000 - 1_800) / (1 - 0.005))
    account.apply(fill("ETH/USDT", 10.0, 1_000.0))
    assert account.liquidation_price("BTC/USDT:USDT") == level
    assert account.liquidation_price("ETH/USDT") > 900.0  # ten times levered: no longer paid in full
    account.apply(fill("BTC/USDT:USDT", -1.0, 30_000.0))
    assert math.isnan(account.liquidation_price("BTC/USDT:USDT"))
    assert account.margin_of("BTC/USDT:USDT") == 0.0


def test_an_inverse_account_keeps_coins_that_only_profit_moves() -> None:
    account = Account(2.0, AccountTerms(leverage=10.0), [COIN])
    account.apply(fill("BTC/USD:BTC", 200.0, 20_000.0, fee=0.001))
    assert account.currency == "BTC"
    assert account.cash == pytest.approx(1.999)
    account.mark("BTC/USD:BTC", 25_000.0)
    assert account.cash == account.wallet == pytest.approx(1.999)
    assert account.equity == pytest.approx(1.999 + 1.0 - 0.8)
    assert account.margin_used == pytest.approx(0.08)
    account.apply(fill("BTC/USD:BTC", -200.0, 25_000.0, fee=0.001))
    assert account.cash == account.equity == pytest.approx(2.198)
    assert account.balance("BTC") == 2.198


def test_two_legs_of_one_instrument() -> None:
    account = Account(10_000.0, AccountTerms(hedge=True, leverage=10.0), [LINEAR])
    account.apply(fill("BTC/USDT:USDT", 1.0, 20_000.0, leg="long"))
    account.apply(fill("BTC/USDT:USDT", -0.4, 21_000.0, leg="short"))
    assert account.quantity("BTC/USDT:USDT") == 0.6
    assert account.quantity("BTC/USDT:USDT", "short") == -0.4
    assert account.open_positions == 2
    account.mark("BTC/USDT:USDT", 20_000.0)
    assert account.margin_used == pytest.approx(2_000 + 800)
    assert account.unrealised == pytest.approx(400)
    # 10,000 + (p - 20,000) - 0.4 (p - 21,000) = 1.4 p * 0.005
    assert account.liquidation_price("BTC/USDT:USDT", "long") == pytest.approx(1_600 / 0.593)
    assert math.isnan(account.liquidation_price("BTC/USDT:USDT", "short"))
    for leg, quantity in (("long", -1.5), ("short", 0.5)):
        with pytest.raises(DataError, match=rf"would turn the {leg} leg of .* round; close it first"):
            account.apply(fill("BTC/USDT:USDT", quantity, 20_000.0, leg=leg))
    with pytest.raises(DataError, match="there is no leg 'net'; in hedge mode there is 'long' and 'short'"):
        account.apply(fill("BTC/USDT:USDT", 1.0, 20_000.0))


def test_a_cash_account_sells_and_spends_only_what_it_has() -> None:
    account = Account(1_000.0, AccountTerms("cash"), [SPOT, CROSS_PAIR], currency="USDT")
    account.apply(fill("BTC/USDT", 0.04, 20_000.0, fee=1.0))
    assert account.balances() == {"USDT": 199.0, "BTC": 0.04, "ETH": 0.0}
    with pytest.raises(DataError, match=r"it takes 0\.05 BTC and a cash account has only 0\.04"):
        account.apply(fill("BTC/USDT", -0.05, 20_000.0))
    with pytest.raises(DataError, match="it takes 201 USDT and a cash account has only 199"):
        account.apply(fill("BTC/USDT", 0.01, 20_000.0, fee=1.0))
    assert account.available_for("ETH/BTC") == 0.04
    account.apply(fill("ETH/BTC", 0.5, 0.05))
    assert account.balances() == {"USDT": 199.0, "BTC": pytest.approx(0.015), "ETH": 0.5}
    assert account.equity == pytest.approx(1_000 - 1)
    account.adjust(Adjusted(0, "ETH", 0.5))
    assert account.balance("ETH") == 1.0
    assert account.position("ETH/BTC").quantity == 1.0
    assert account.statement("BTC")["deposits"] == 0.025
    account.apply(fill("ETH/BTC", -1.0, 0.06))
    assert (account.balance("ETH"), account.balance("BTC")) == (0.0, 0.075)


def test_a_cash_account_can_spend_all_and_sell_all_that_floats_know() -> None:
    account = Account(0.3, AccountTerms("cash"), [SPOT])
    for _ in range(3):
        account.apply(fill("BTC/USDT", 0.1, 1.0))  # 0.3 - 0.1 - 0.1 is a little below 0.1
    assert (account.balance("USDT"), account.balance("BTC")) == (0.0, 0.3)
    account.apply(fill("BTC/USDT", -0.1, 1.0))
    account.apply(fill("BTC/USDT", -0.2, 1.0))
    assert (account.open_positions, account.balance("BTC"), account.balance("USDT")) == (0, 0.0, 0.3)


def test_ten_thousand_small_deposits_are_all_there() -> None:
    account = Account(9e6, AccountTerms(), [SPOT])
    for _ in range(10_000):
        account.adjust(Adjusted(0, "USDT", 0.001))
        account.adjust(Adjusted(0, "USDT", -0.0007, "interest"))
    assert account.balance("USDT") == 9_000_003.0
    says = account.statement()
    assert (says["deposits"], says["interest"], says["equity"]) == (9_000_010.0, -7.0, 9_000_003.0)


def test_an_equity_in_one_currency_needs_a_rate() -> None:
    alone = Account({"USDT": 1_000.0, "BTC": 0.5}, AccountTerms(), [LINEAR, COIN], currency="EUR")
    with pytest.raises(ConfigError, match="reckons in EUR and has USDT, but no instrument converts: add USDT/EUR"):
        alone.equity  # noqa: B018
    assert alone.statement("BTC")["equity"] == 0.5
    account = Account({"USDT": 1_000.0, "BTC": 0.5}, AccountTerms(), [LINEAR, COIN, SPOT], currency="USDT")
    with pytest.raises(DataError, match="no rate of BTC yet: BTC/USDT:USDT has no price"):
        account.equity  # noqa: B018
    account.mark("BTC/USDT", 20_000.0)
    assert account.equity == account.cash == 11_000.0
    account = Account({"USDT": 1_000.0, "BTC": 0.5}, AccountTerms(), [SPOT], currency="BTC")
    account.mark("BTC/USDT", 20_000.0)
    assert account.equity == 0.55
    assert Account(5.0, AccountTerms(), [LINEAR, COIN], currency="USDT").equity == 5.0  # nothing of BTC: no rate needed


@pytest.mark.parametrize(
    ("cash", "terms", "instruments", "more", "said"),
    [
        (1.0, AccountTerms("cash"), [LINEAR], {}, r"\(linear, leverage 1\) cannot be in a cash account"),
        (1.0, AccountTerms("cash", leverage=2.0), [SPOT], {}, "nothing is borrowed there; use kind 'margin'"),
        (1.0, AccountTerms("cash", hedge=True), [SPOT], {}, "cannot be in a cash account with hedge=True"),
        (1.0, AccountTerms("gold"), [SPOT], {}, "kind 'gold' does not exist; there are 'cash' and 'margin'"),
        (1.0, AccountTerms(leverage=0.5), [SPOT], {}, "leverage is 0.5; give 1 or more"),
        (1.0, AccountTerms(), [SPOT, COIN], {}, "could reckon in USDT, BTC: say its `currency`"),
        (1.0, AccountTerms(), [], {}, "could reckon in anything: say its `currency`"),
        ({"USDT": 1.0, "EUR": 1.0}, AccountTerms(), [SPOT], {}, "could reckon in USDT, EUR: say its `currency`"),
        (1.0, AccountTerms(), [SPOT, SPOT], {}, "name each instrument once"),
        (1.0, AccountTerms(), [SPOT], {"leverage": {"ETH/USDT": 2.0}}, r"given for \['ETH/USDT'\]"),
        (1.0, AccountTerms(), [SPOT], {"tiers": {"BTC/USDT": ((0.0, 2.0, 0.0, 1.0),)}}, "no table of"),
    ],
)  # fmt: skip
def test_terms_that_contradict_themselves_are_refused(
    cash: float, terms: AccountTerms, instruments: list, more: dict, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        Account(cash, terms, instruments, **more)


def test_what_cannot_be_booked_is_refused() -> None:
    account = Account(1_000.0, AccountTerms(), [SPOT])
    before = account.snapshot()
    for broken in (fill("BTC/USDT", 0.0, 1.0), fill("BTC/USDT", 1.0, math.nan), fill("BTC/USDT", 1.0, 1.0, math.inf)):
        with pytest.raises(DataError, match=r"BTC/USDT: .* is no fill"):
            account.apply(broken)
    for act in (
        lambda: account.apply(fill("DOGE", 1.0, 1.0)), lambda: account.mark("DOGE", 1.0),
        lambda: account.position("DOGE"), lambda: account.quantity("DOGE"), lambda: account.liquidation_price("DOGE"),
        lambda: account.apply_funding(Funded(0, "DOGE", 1.0, 1.0, 0.1, 0.1)), lambda: account.set_leverage("DOGE", 2.0),
    ):  # fmt: skip
        with pytest.raises(DataError, match="'DOGE' is not an instrument of this account; it knows BTC/USDT"):
            act()
    with pytest.raises(DataError, match="no leg 'long'; in one-way mode there is 'net'"):
        account.quantity("BTC/USDT", "long")
    with pytest.raises(DataError, match=r"-1\.0 is no price to value a position at"):
        account.mark("BTC/USDT", -1.0)
    with pytest.raises(DataError, match="'DOGE' is no currency of this account; its currencies are USDT"):
        account.adjust(Adjusted(0, "DOGE", 1.0))
    with pytest.raises(DataError, match="adjustment of nan"):
        account.adjust(Adjusted(0, "USDT", math.nan))
    with pytest.raises(DataError, match="'BTC' is a coin without a price; mark BTC/USDT first"):
        Account(1.0, AccountTerms("cash"), [SPOT]).adjust(Adjusted(0, "BTC", 1.0))
    with pytest.raises(DataError, match="'EUR' is no currency of this account; it has USDT"):
        account.statement("EUR")
    with pytest.raises(ConfigError, match="leverage is inf"):
        account.set_leverage("BTC/USDT", math.inf)
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 7}, "books of version 7 cannot be read"), ({"pools": {}}, "damaged"), ({"lines": 3}, "damaged"),
        ({"currency": "EUR"}, r"the snapshot is of an account with .*'EUR'"), ({"lines": []}, "make it the same"),
    ],
)  # fmt: skip
def test_a_snapshot_of_another_account_is_refused(change: dict, said: str) -> None:
    account = new("cross")
    before = account.snapshot()
    with pytest.raises(DataError, match=said):
        account.restore({**before, **change})
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("amount", "step", "rounded"),
    [(0.1 + 0.2, 0.01, 0.3), (1e7 + 4e-9, 1e-8, 1e7), (-7.3, 2.5, -7.5), (0.125, 0.05, 0.1), (0.13, 0.05, 0.15),
     (12_349.0, 10.0, 12_350.0), (1 / 3, 0.0, 1 / 3), (0.5, 1.0, 0.0), (1.5, 1.0, 2.0)],
)  # fmt: skip
def test_money_is_rounded_to_its_smallest_unit(amount: float, step: float, rounded: float) -> None:
    assert money(amount, step) == rounded


def test_an_amount_that_is_none_is_refused() -> None:
    assert str(money(-1e-12)) == "0.0"
    with pytest.raises(DataError, match="an amount of money is nan"):
        money(math.nan)
    assert repr(new("cross")) == "<Account margin: 9000000.0 USDT>"
