"""The books: cash, positions, margin and equity, kept by fills, funding and deposits alone.

The core keeps one `Account` for a bot and the simulated venue another; fed the same events, they say the same. Money is
kept by settlement currency in *pools*: the positions of a pool stand in for each other, pools do not. Numbers of the
whole account are in `currency`; where they need another one, its rate is the mark of an instrument that converts.

Money is plain floats inside, so that an account reckons like compiled code does, and is rounded in one place, where it
leaves the account: `money`, used by `balances` and `statement`. These are made from sums that kept their rounding
errors, so no money appears or is lost however long the account lives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from workbench.errors import ConfigError, DataError
from workbench.market.instrument import Instrument
from workbench.trading import margin
from workbench.trading.events import Adjusted, Filled, Funded
from workbench.trading.positions import Line, Pool, Position, added
from workbench.trading.terms import AccountTerms

__all__ = ["Account", "money"]

VERSION: Final = 1
STEP: Final = 1e-8  # the smallest unit in which venues keep money
SLACK: Final = 1e-9  # what a float may lack of a price that is paid with all there is, as a fraction of it
INF: Final = math.inf


def money(amount: float, step: float = STEP) -> float:
    """Round an amount to the smallest unit of its currency (0.0: not at all); DataError for one that is not finite."""
    if not -INF < amount < INF:
        raise DataError(f"an amount of money is {amount!r}; the price or the fill it was made of is broken")
    if step <= 0.0:
        return amount
    digits = round(-math.log10(step))
    if abs(step * 10.0**digits - 1.0) < 1e-9:
        return round(amount, digits) + 0.0  # what rounds to nothing has no sign
    units, per_one = round(amount / step), round(1.0 / step)
    return units / per_one if abs(step * per_one - 1.0) < 1e-9 else units * step


class Account:
    """The books of one account.

    Parameters
    ----------
    cash : float, or mapping of currency to float
        What it starts with.
    terms : AccountTerms
    instruments : iterable of Instrument
        All that may be traded, in the order in which sums are made.
    tiers : mapping of symbol to rows of `terms.Tier`, optional
        Maintenance margins; without them those of the instrument, and none where it is paid in full.
    leverage : mapping of symbol to float, optional
        Where it is not that of the terms.
    currency : str, optional
        What the account reckons in. Only to be said where the cash is in several currencies, or in none and the
        instruments settle in several.

    Attributes
    ----------
    lines : dict of symbol to Line
        The instruments with their marks, leverage and tiers; only the account changes them.
    pools : dict of currency to Pool
        The money and positions of each settlement currency; only the account changes them.

    Raises
    ------
    ConfigError
        The terms contradict themselves or the instruments, or the currency is left open.
    """

    def __init__(
        self, cash: float | Mapping[str, float], terms: AccountTerms, instruments: Iterable[Instrument], *,
        tiers: Mapping[str, margin.Tiers] | None = None, leverage: Mapping[str, float] | None = None,
        currency: str | None = None,
    ) -> None:  # fmt: skip
        self.terms = terms
        given, wanted, tables = tuple(instruments), leverage or {}, tiers or {}
        for one in given:
            margin.check_terms(terms, one, wanted.get(one.symbol, terms.leverage))
        legs = ("long", "short") if terms.hedge else ("net",)
        lines = [Line(one, legs, wanted.get(one.symbol, terms.leverage), tables.get(one.symbol)) for one in given]
        self.lines = {line.symbol: line for line in lines}
        if len(self.lines) < len(lines) or (set(wanted) | set(tables)) - set(self.lines):
            raise ConfigError(
                f"the instruments are {[line.symbol for line in lines]}, tiers and leverage are given for "
                f"{sorted(set(wanted) | set(tables))}: name each instrument once, and no others"
            )
        settles = list(dict.fromkeys(line.settle for line in lines))
        self.currency = currency or _currency_of(cash, settles)
        start = cash if isinstance(cash, Mapping) else {self.currency: cash}
        self.pools = {}
        for name in dict.fromkeys((self.currency, *settles, *start)):
            mine = tuple(line for line in lines if line.settle == name)
            self.pools[name] = Pool(mine, float(start.get(name, 0.0)), terms.isolated)
        self._books = {
            (line.symbol, held.leg): (self.pools[line.settle], line, held) for line in lines for held in line.legs
        }
        self._held = tuple(held for line in lines for held in line.legs)
        self._in_full = terms.kind == "cash"

    def __repr__(self) -> str:
        held = "".join(f", {one.symbol} {one.quantity:g}" for one in self.positions)
        return f"<Account {self.terms.kind}: {money(self.pools[self.currency].cash())} {self.currency}{held}>"

    def apply(self, fill: Filled) -> None:
        """Book an execution.

        Raises
        ------
        DataError
            The instrument or leg is unknown, a number is out of range, or it would sell or spend what a cash account
            or a leg does not have. Nothing is booked then.
        """
        pool, line, held = self._books.get((fill.symbol, fill.leg)) or self._book(fill.symbol, fill.leg)
        quantity, price, fee = fill.quantity, fill.price, fill.fee
        if not (0.0 < quantity < INF and 0.0 < price < INF and -INF < fee < INF):
            raise DataError(f"{fill.symbol}: {quantity!r} at {price!r}, fee {fee!r}, is no fill; look at who made it")
        change = (quantity if fill.side == "buy" else -quantity) - fill.fee_base
        if self._in_full or held.leg != "net":
            lacks = self.shortfall(fill.symbol, change, price, fee, fill.leg)
            if lacks:
                raise DataError(f"fill of order {fill.id!r}: {lacks}", symbol=fill.symbol)
        if line.mark != line.mark:
            line.mark = price
        pool.ledger += held.apply(change, price, fee, fill.ts) - fee

    def write_off(self, symbol: str, leg: str = "net") -> None:
        """Close a position that is too small to be sold: its worth at the mark becomes a fee, no money moves."""
        pool, line, held = self._book(symbol, leg)
        if held.quantity:
            worth = held.value(line.mark)
            pool.ledger += held.apply(-held.quantity, line.mark, worth, held.opened) - worth

    def apply_funding(self, funded: Funded) -> None:
        """Book a settlement of funding; DataError as of `apply`."""
        if not -INF < funded.amount < INF:
            raise DataError(f"{funded.symbol}: funding of {funded.amount!r} cannot be booked; is its mark price known?")
        pool, _, held = self._book(funded.symbol, funded.leg)
        held.settle(funded.amount)
        pool.ledger += funded.amount

    def adjust(self, adjusted: Adjusted) -> None:
        """Book money that came in or went out; "interest" is a cost, everything else was paid in or taken out.

        In a cash account, coins of an instrument (no cash of the account) come in as a position at its last price.

        Raises
        ------
        DataError
            The asset is neither a currency of the account nor one of its coins, or such a coin has no price yet.
        """
        asset, amount = adjusted.asset, adjusted.amount
        if not -INF < amount < INF:
            raise DataError(f"{asset}: an adjustment of {amount!r} cannot be booked")
        pool = self.pools.get(asset)
        if pool is not None:
            pool.ledger += amount
            if adjusted.reason == "interest":
                pool.interest = added(pool.interest, amount)
            else:
                pool.paid_in = added(pool.paid_in, amount)
            return
        line = next((line for line in self.lines.values() if self._in_full and line.base == asset), None)
        if line is None or line.mark != line.mark:
            why = "no currency of this account" if line is None else f"a coin without a price; mark {line.symbol} first"
            raise DataError(f"{asset!r} is {why}; its currencies are {', '.join(self.pools)}", asset=asset)
        if amount:
            # what it is worth comes in as money that buys it at once, so the ledger stays as it is
            pool, flow = self.pools[line.settle], line.legs[0].apply(amount / line.size, line.mark, 0.0, adjusted.ts)
            pool.paid_in = added(pool.paid_in, -flow)

    def mark(self, symbol: str, price: float) -> None:
        """Set the price at which an instrument is valued; DataError for an unknown one, or for a price that is none."""
        line = self.lines.get(symbol) or self._line(symbol)
        if not 0.0 < price < INF:
            raise DataError(f"{symbol}: {price!r} is no price to value a position at", symbol=symbol)
        line.mark = price

    def set_leverage(self, symbol: str, leverage: float) -> None:
        """Change the leverage of an instrument; ConfigError where the account cannot have it."""
        line = self._line(symbol)
        margin.check_terms(self.terms, line.instrument, leverage)
        line.leverage = leverage

    def set_isolated(self, symbol: str, isolated: bool) -> None:
        """Change whether the positions of an instrument have their own margin; `AccountTerms.isolated` is for all."""
        self._line(symbol).isolated = isolated

    @property
    def positions(self) -> tuple[Position, ...]:
        """Positions that are open, in the order of the instruments."""
        return tuple(held for held in self._held if held.quantity != 0.0)

    @property
    def open_positions(self) -> int:
        """How many positions are open; the two legs of an instrument count as two."""
        count = 0
        for held in self._held:
            if held.quantity != 0.0:
                count += 1
        return count

    def position(self, symbol: str, leg: str = "net") -> Position:
        """Give a position, flat or not; DataError for an unknown one."""
        return (self._books.get((symbol, leg)) or self._book(symbol, leg))[2]

    def quantity(self, symbol: str, leg: str = "net") -> float:
        """Give the signed quantity held; of "net" in hedge mode, both legs together."""
        if leg == "net" and self.terms.hedge:
            return math.fsum(held.quantity for held in self._line(symbol).legs)
        return (self._books.get((symbol, leg)) or self._book(symbol, leg))[2].quantity

    def leverage(self, symbol: str) -> float:
        """Give the leverage at which an instrument is traded."""
        return (self.lines.get(symbol) or self._line(symbol)).leverage

    @property
    def cash(self) -> float:
        """Money that is not in positions; negative where it is borrowed."""
        return self._total(Pool.cash)

    @property
    def wallet(self) -> float:
        """Cash and positions at their entry prices: what is realised."""
        return self._total(Pool.wallet)

    @property
    def equity(self) -> float:
        """Cash and positions at their marks."""
        return self._total(Pool.equity)

    @property
    def margin_used(self) -> float:
        """Margin behind open positions: at marks, or each position's own where margin is isolated."""
        return self._total(Pool.margin_used)

    @property
    def available(self) -> float:
        """What is free to open positions with; below zero where there is less than nothing."""
        return self._total(Pool.available)

    @property
    def maintenance(self) -> float:
        """Sum of the maintenance margins of open positions at their marks."""
        return self._total(Pool.maintenance)

    @property
    def margin_level(self) -> float:
        """How often the equity covers the maintenance margins; infinity where there are none."""
        return margin.margin_level(self.equity, self.maintenance)

    @property
    def unrealised(self) -> float:
        """Profit of open positions at their marks, before fees and funding."""
        return self._total(Pool.unrealised)

    @property
    def realised(self) -> float:
        """Profit of what was closed, before fees and funding."""
        return self._total(lambda pool: math.fsum(held.realised for held in pool.held()))

    @property
    def fees(self) -> float:
        """Fees paid."""
        return self._total(lambda pool: math.fsum(held.fees for held in pool.held()))

    @property
    def funding(self) -> float:
        """Funding received, negative where more was paid."""
        return self._total(lambda pool: math.fsum(held.funding for held in pool.held()))

    def margin_of(self, symbol: str, leg: str = "net") -> float:
        """Give the margin behind a position, in its settlement currency."""
        pool, line, held = self._book(symbol, leg)
        return pool.margin_of(line, held) if held.quantity != 0.0 else 0.0

    def available_for(self, symbol: str) -> float:
        """Give what is free to open a position of this instrument with, in its settlement currency."""
        settle = self._line(symbol).settle
        return self._asset(settle) if self._in_full else self.pools[settle].available()

    def shortfall(self, symbol: str, change: float, price: float, fee: float, leg: str = "net") -> str:
        """Say in words what a fill would need that the account must not owe; "" where nothing.

        A cash account can neither sell nor spend what it does not have, and a leg cannot go past flat. What a margin
        account can afford is for the venue to judge.
        """
        _, line, held = self._book(symbol, leg)
        side = 1.0 if leg == "long" else -1.0
        if leg != "net" and side * (held.quantity + change) < -SLACK * abs(change):
            return f"{symbol}: {change:+g} would turn the {leg} leg of {held.quantity:g} round; close it first"
        if not self._in_full:
            return ""
        for asset, move in ((line.base, change * line.size), (line.settle, -(change * price * line.size) - fee)):
            if move < 0.0 and self._asset(asset) + move < SLACK * move:
                return f"{symbol}: it takes {-move:.12g} {asset} and a cash account has only {self._asset(asset):.12g}"
        return ""

    def liquidation_price(self, symbol: str, leg: str = "net") -> float:
        """Give the price of an instrument at which a position is liquidated, all other prices staying as they are.

        Returns
        -------
        float
            NaN for none; as of `margin.liquidation_level`. With cross margin in hedge mode, the price below the mark
            (leg "long") or above it ("short") at which both legs together are.
        """
        pool, line, held = self._book(symbol, leg)
        if held.quantity == 0.0:
            return math.nan
        if self.terms.isolated or line.isolated:
            return line.level(held, pool.margin_of(line, held))
        wallet = pool.wallet()
        for one, other in pool.open():
            if one.isolated:
                wallet -= pool.margin_of(one, other)
            elif one is not line:
                wallet += other.unrealised(one.mark) - one.maintenance(other)
        return line.hedged_level(wallet, leg) if self.terms.hedge else line.level(held, wallet)

    def balance(self, asset: str, step: float = STEP) -> float:
        """Give how much of a currency (or, in a cash account, of a coin) there is, rounded; 0.0 of others."""
        return self.balances(step).get(asset, 0.0)

    def balances(self, step: float = STEP) -> dict[str, float]:
        """Give the cash of each currency and, in a cash account, the coins, rounded."""
        found = {name: pool.exact() + pool.lent() for name, pool in self.pools.items()}
        for line in self.lines.values() if self._in_full else ():
            found[line.base] = found.get(line.base, 0.0) + line.legs[0].quantity * line.size
        return {asset: money(amount, step) for asset, amount in found.items()}

    def statement(self, currency: str | None = None, step: float = STEP) -> dict[str, float]:
        """Give where the money of one currency came from and where it is, rounded.

        `cash + positions = equity = deposits + realised + unrealised - fees + funding + interest`, but for the rounding
        of each amount to the step.
        """
        name = self.currency if currency is None else currency
        if name not in self.pools:
            raise DataError(f"{name!r} is no currency of this account; it has {', '.join(self.pools)}", currency=name)
        return {key: money(amount, step) for key, amount in self.pools[name].statement().items()}

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state as plain data for JSON; `restore` reads it back, bit for bit."""
        return {
            "version": VERSION, "terms": list(self.terms), "currency": self.currency,
            "pools": {
                name: {"ledger": pool.ledger, "paid_in": list(pool.paid_in), "interest": list(pool.interest)}
                for name, pool in self.pools.items()
            },
            "isolated": [line.symbol for line in self.lines.values() if line.isolated],
            "lines": [
                [line.symbol, line.leverage, None if line.mark != line.mark else line.mark,
                 [held.snapshot() for held in line.legs]]
                for line in self.lines.values()
            ],
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over the state that `snapshot` gave; the account must have been made with the same facts.

        Raises
        ------
        DataError
            The data are of another version or of another account; nothing is changed then.
        """
        if data.get("version") != VERSION:
            raise DataError(
                f"books of version {data.get('version')!r} cannot be read; this program writes {VERSION}: replay the "
                "journal instead of using the snapshot"
            )
        try:
            rows = [(name, lev, mark, list(map(Position.restore, held))) for name, lev, mark, held in data["lines"]]
            legs = [(name, one.leg) for name, _, _, held in rows for one in held]
            facts = list(data["terms"]), data["currency"], legs
            sums = [[data["pools"][name][key] for key in ("ledger", "paid_in", "interest")] for name in self.pools]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"the snapshot of an account is damaged: {error!r}; replay the journal instead") from error
        mine = list(self.terms), self.currency, list(self._books)
        if facts != mine:
            raise DataError(f"the snapshot is of an account with {facts}, this one has {mine}: make it the same")
        for pool, (ledger, paid_in, interest) in zip(self.pools.values(), sums, strict=True):
            pool.ledger, pool.paid_in, pool.interest = ledger, (paid_in[0], paid_in[1]), (interest[0], interest[1])
        for name, leverage, mark, held in rows:
            line = self.lines[name]
            line.leverage, line.mark = leverage, math.nan if mark is None else mark
            line.isolated = name in data.get("isolated", ())
            for one, read in zip(line.legs, held, strict=True):
                one.become(read)  # whoever holds the position goes on seeing it

    def _total(self, amount_of: Callable[[Pool], float]) -> float:
        if len(self.pools) == 1:
            return amount_of(self.pools[self.currency])
        amounts = {name: amount_of(pool) for name, pool in self.pools.items()}
        return math.fsum(amount * self.rate(name) for name, amount in amounts.items() if amount != 0.0)

    def rate(self, currency: str) -> float:
        """Give what one unit of a currency is worth, by the mark of the first instrument that converts."""
        if currency == self.currency:
            return 1.0
        pair = {currency, self.currency}
        found = [line for line in self.lines.values() if {line.base, line.instrument.quote} == pair]
        if not found:
            raise ConfigError(
                f"this account reckons in {self.currency} and has {currency}, but no instrument converts: add "
                f"{currency}/{self.currency} to its instruments and mark it",
                currency=currency,
            )
        line = next((line for line in found if line.mark == line.mark), None)
        if line is None:
            raise DataError(f"no rate of {currency} yet: {found[0].symbol} has no price; mark it first")
        return line.mark if line.base == currency else 1.0 / line.mark

    def _asset(self, asset: str) -> float:
        """Give how much of a currency or coin a cash account has."""
        coins = math.fsum(line.legs[0].quantity * line.size for line in self.lines.values() if line.base == asset)
        return coins + (self.pools[asset].ledger if asset in self.pools else 0.0)

    def _line(self, symbol: str) -> Line:
        line = self.lines.get(symbol)
        if line is None:
            known = ", ".join(self.lines) or "none"
            raise DataError(f"{symbol!r} is not an instrument of this account; it knows {known}", symbol=symbol)
        return line

    def _book(self, symbol: str, leg: str) -> tuple[Pool, Line, Position]:
        book = self._books.get((symbol, leg))
        if book is None:
            legs = " and ".join(repr(held.leg) for held in self._line(symbol).legs)
            mode = "hedge" if self.terms.hedge else "one-way"
            raise DataError(f"{symbol}: there is no leg {leg!r}; in {mode} mode there is {legs}", symbol=symbol)
        return book


def _currency_of(cash: float | Mapping[str, float], settles: list[str]) -> str:
    names = list(cash) if isinstance(cash, Mapping) and cash else settles
    if len(names) != 1:
        raise ConfigError(
            f"the account could reckon in {', '.join(names) or 'anything'}: say its `currency` (cash and instruments "
            "leave it open)"
        )
    return names[0]
