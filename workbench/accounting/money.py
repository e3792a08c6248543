"""Money: an exact decimal amount of one currency.

A `Money` never holds a float, never rounds unless told how, and never meets another currency: sums of euros and
dollars are errors, not numbers. Whoever converts multiplies by a rate and says the new currency (`converted`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import lru_cache
from typing import Any, Final

from workbench.errors import DataError

__all__ = ["ROUNDINGS", "Amount", "Money", "decimal", "left_over", "places_of", "total"]

Amount = Decimal | int | str
"""What an amount may be given as. Floats are refused: 0.1 as a float is not a tenth."""

ROUNDINGS: Final = {
    "half_even": ROUND_HALF_EVEN,  # bankers: halves to the even neighbour, no drift over many amounts
    "half_up": ROUND_HALF_UP,  # halves away from zero, as tax offices and invoices round
    "half_down": ROUND_HALF_DOWN,
    "down": ROUND_DOWN,  # towards zero: what is had is never overstated
    "up": ROUND_UP,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
}
"""Rules of rounding by name."""

_DIGITS: Final = 60  # before and after the point: far above any token, far below what would fill the memory
_TRAPS: Final = [Inexact, InvalidOperation, Overflow, DivisionByZero]
_NUMBER: Final = re.compile(r"[+-]?(\d[\d_,]*\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_CURRENCY: Final = re.compile(r"[^\s\"'\\]{1,40}")

# ISO 4217's minor units, where they are not 2; what is not a currency of a state has 8 places, as bitcoin has
_MINOR: Final = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0) | (
    dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
)
_CENTS: Final = frozenset(
    "AED ARS AUD BGN BRL CAD CHF CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR KES KZT MAD MXN MYR NGN NOK NZD PEN "
    "PHP PKR PLN QAR RON RSD SAR SEK SGD THB TRY TWD UAH USD ZAR".split()
)


@lru_cache(maxsize=4_096)
def _is_code(currency: str) -> bool:
    return _CURRENCY.fullmatch(currency) is not None and _NUMBER.fullmatch(currency) is None


def decimal(value: Amount, what: str = "the amount") -> Decimal:
    """Read an exact decimal.

    Parameters
    ----------
    value : Decimal, int or str
        A string may group thousands by commas, and have an exponent.
    what : str, optional
        How errors call it.

    Returns
    -------
    Decimal
        Without exponent above zero, and never a negative zero.

    Raises
    ------
    DataError
        It is a float, not a finite number, or has more than 60 digits before or after the point.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        hint = ": write it as text or Decimal, a float is not exact" if isinstance(value, float) else ""
        raise DataError(f"{what} is {value!r}, a {type(value).__name__}{hint}", value=repr(value))
    if isinstance(value, str):
        number = _text(value, what)
    elif isinstance(value, int) and value.bit_length() > 4 * _DIGITS:
        raise DataError(f"{what} has more than {_DIGITS} digits", value=None)
    else:
        number = Decimal(value)
    return _checked(number, what)


def _text(value: str, what: str) -> Decimal:
    text = value.strip()
    plain = _NUMBER.fullmatch(text) is not None and len(text) <= 3 * _DIGITS
    if not plain or ("," in text and not _GROUPED.fullmatch(text)):
        raise DataError(
            f"{what} is {value[:60]!r}, which is no number; write 1234.5 or 1,234.5", value=value[: 3 * _DIGITS]
        )
    return Decimal(text.replace(",", ""))


def _checked(number: Decimal, what: str) -> Decimal:
    if not number.is_finite():
        raise DataError(f"{what} is {number}; it must be a finite number", value=str(number))
    if not number:
        places = -int(number.as_tuple().exponent)
        return Decimal((0, (0,), -min(max(places, 0), _DIGITS)))
    exponent = int(number.as_tuple().exponent)
    if number.adjusted() >= _DIGITS or exponent < -_DIGITS:
        raise DataError(
            f"{what} is {number:.6g}, with more than {_DIGITS} digits before or after the point; round it first",
            value=str(number),
        )
    return number if exponent <= 0 else Decimal(int(number))


class _Own(threading.local):
    """What each thread has for itself: contexts are not for several, and making one takes longer than a sum."""

    def __init__(self) -> None:
        self.exact = Context(prec=4 * _DIGITS + 8, traps=_TRAPS)


_OWN: Final = _Own()


def _exact() -> Context:
    """Give the thread's context in which whatever is not exact is an error."""
    return _OWN.exact


def places_of(currency: str) -> int:
    """Give the places after the point of a currency's smallest unit.

    Returns
    -------
    int
        ISO 4217's minor unit for currencies of states (2 for USD, 0 for JPY, 3 for KWD); 8 for everything else.

    Examples
    --------
    >>> places_of("EUR"), places_of("JPY"), places_of("BTC")
    (2, 0, 8)
    """
    return 2 if currency in _CENTS else _MINOR.get(currency, 8)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency.

    Parameters
    ----------
    amount : Decimal, int or str
        Never a float.
    currency : str
        The code as venues write it: `USD`, `BTC`, `1INCH`, `kPEPE`. Upper and lower case differ.

    Raises
    ------
    DataError
        The amount is a float or no finite number, or the currency is no code.

    Notes
    -----
    Sums, differences, negation and products with whole or decimal numbers are exact. Everything else that could round
    has to be told how: `rounded`, `divided`, `split`, `converted`. Amounts of different currencies are unequal, and
    adding or ordering them is a DataError. `Money("1.50", "EUR") == Money("1.5", "EUR")`.

    Examples
    --------
    >>> Money("0.1", "USDT") + Money("0.2", "USDT")
    Money('0.3', 'USDT')
    >>> Money.parse("1,250.5 EUR") * 2
    Money('2501.0', 'EUR')
    >>> f"{Money('1250.456', 'EUR').rounded():,}"
    '1,250.46 EUR'
    """

    amount: Decimal
    currency: str

    def __init__(self, amount: Amount, currency: str) -> None:
        if not isinstance(currency, str) or not _is_code(currency):
            raise DataError(
                f"the currency is {currency!r:.60}; give a code such as 'USD' or 'BTC'", currency=str(currency)[:60]
            )
        object.__setattr__(self, "amount", decimal(amount, f"the amount of {currency}"))
        object.__setattr__(self, "currency", currency)

    # --- reading and writing

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Give nothing of a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read `12.5 USDT` or `USDT 12.5`.

        Raises
        ------
        DataError
            The text is not a number and a currency with a space between.
        """
        words = text.split() if isinstance(text, str) else []
        if len(words) == 2:
            number, code = words if _NUMBER.fullmatch(words[0]) else reversed(words)
            if _NUMBER.fullmatch(number):
                return cls(number, code)
        raise DataError(f"{text!r:.80} is no money; write an amount and a currency, as in '12.5 USDT'", value=text)

    @classmethod
    def from_plain(cls, plain: Any) -> Money:
        """Read what `to_plain` gave, from JSON for example."""
        if not isinstance(plain, dict) or set(plain) != {"amount", "currency"} or not isinstance(plain["amount"], str):
            raise DataError(
                f"{plain!r:.120} is no money; it needs exactly 'amount' (text) and 'currency'", value=repr(plain)[:120]
            )
        return cls(plain["amount"], plain["currency"])

    def to_plain(self) -> dict[str, str]:
        """Give it as data for JSON; the amount is text, so that no reader makes a float of it."""
        return {"amount": self.text, "currency": self.currency}

    @property
    def text(self) -> str:
        """The amount in plain digits, without exponent."""
        return f"{self.amount:f}"

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    def __repr__(self) -> str:
        return f"Money({self.text!r}, {self.currency!r})"

    def __format__(self, spec: str) -> str:
        """Format the amount as a Decimal (`,.2f`), with the currency behind it."""
        if not spec:
            return str(self)
        try:
            return (
                f"{format(self.amount, spec if spec[-1].isalpha() or spec[-1] == '%' else spec + 'f')} {self.currency}"
            )
        except ValueError as error:
            raise DataError(f"{spec!r} does not format money; write for example ',.2f'", spec=spec) from error

    # --- arithmetic

    def __add__(self, other: Money) -> Money:
        self._same(other, "add to")
        return Money(_exact().add(self.amount, other.amount), self.currency)

    def __radd__(self, other: object) -> Money:
        raise DataError(f"cannot add {other!r} and {self}; for a sum of several write total(amounts, currency)")

    def __sub__(self, other: Money) -> Money:
        self._same(other, "subtract from")
        return Money(_exact().subtract(self.amount, other.amount), self.currency)

    def __rsub__(self, other: object) -> Money:
        raise DataError(f"cannot subtract {self} from {other!r}; both must be money of one currency")

    def __mul__(self, factor: Amount) -> Money:
        if isinstance(factor, Money):
            raise DataError(f"cannot multiply {self} by {factor}: money times money is no money")
        return Money(_exact().multiply(self.amount, decimal(factor, "the factor")), self.currency)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Decimal:
        raise DataError(
            f"{self} / {other!r} could need rounding: use divided(by, places=..., rounding=...) or ratio(other)"
        )

    def __neg__(self) -> Money:
        return Money(self.amount.copy_negate(), self.currency)

    def __pos__(self) -> Money:
        return self

    def __abs__(self) -> Money:
        return Money(self.amount.copy_abs(), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        self._same(other, "compare with")
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other, "compare with")
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        self._same(other, "compare with")
        return self.amount > other.amount

    def __ge__(self, other: Money) -> bool:
        self._same(other, "compare with")
        return self.amount >= other.amount

    def _same(self, other: object, verb: str) -> None:
        if not isinstance(other, Money):
            raise DataError(f"cannot {verb} {self}: {other!r} is no money; write Money({str(other)!r}, 'USD')")
        if other.currency != self.currency:
            raise DataError(
                f"cannot {verb} {self}: {other} is another currency; convert one with converted(rate, currency)",
                currencies=[self.currency, other.currency],
            )

    # --- what may round, and says how

    def rounded(self, places: int | None = None, rounding: str = "half_even") -> Money:
        """Round to places after the point.

        Parameters
        ----------
        places : int, optional
            `places_of(currency)` when left out. Negative places round to tens, hundreds, and so on.
        rounding : str, default "half_even"
            One of `ROUNDINGS`.
        """
        size = places_of(self.currency) if places is None else places
        if not -_DIGITS < size <= _DIGITS:
            raise DataError(f"places is {size}; it must be at most {_DIGITS}", places=size)
        context = Context(prec=4 * _DIGITS, rounding=_rule(rounding))
        return Money(self.amount.quantize(Decimal((0, (1,), -size)), context=context), self.currency)

    def divided(self, by: Amount, places: int | None = None, rounding: str = "half_even") -> Money:
        """Divide by a number, rounded once, as `rounded` does; the remainder is lost (`split` keeps it)."""
        divisor = decimal(by, "the divisor")
        if not divisor:
            raise DataError(f"cannot divide {self} by zero")
        size = places_of(self.currency) if places is None else places
        if not 0 <= size <= _DIGITS:
            raise DataError(f"places is {size}; it must be from 0 to {_DIGITS}", places=size)
        # both sides become whole numbers, and one division with its remainder decides: no rounding happens twice
        (over, under), (by_over, by_under) = self.amount.as_integer_ratio(), divisor.as_integer_ratio()
        return Money(_ratio(over * by_under * 10**size, under * by_over, size, rounding), self.currency)

    def converted(self, rate: Amount, currency: str) -> Money:
        """Multiply by a rate, exactly, and name the result's currency.

        Parameters
        ----------
        rate : Decimal, int or str
            How many units of the new currency one unit of this one is worth.
        currency : str
            The new currency.
        """
        return Money((self * decimal(rate, "the rate")).amount, currency)

    def ratio(self, other: Money) -> Decimal:
        """Divide by money of the same currency: a plain number of 28 significant digits."""
        self._same(other, "compare with")
        if not other.amount:
            raise DataError(f"cannot divide {self} by {other}")
        return Context(prec=28).divide(self.amount, other.amount)

    def split(self, weights: Sequence[Amount], places: int | None = None) -> tuple[Money, ...]:
        """Share it out by weights so that the shares add up to exactly this amount.

        Parameters
        ----------
        weights : sequence of Decimal, int or str
            Not negative, not all zero.
        places : int, optional
            Of the shares; `places_of(currency)` or the amount's own places, whichever is more, when left out.

        Returns
        -------
        tuple of Money
            Each share rounded towards zero; the units left over go to the largest remainders, earlier ones first.
        """
        parts = [decimal(weight, "a weight") for weight in weights]
        if not parts or min(parts) < 0 or not any(parts):
            raise DataError(f"cannot split {self} by {list(map(str, weights))}; weights are not negative, not all zero")
        own = -int(self.amount.as_tuple().exponent)
        size = max(own, places_of(self.currency)) if places is None else places
        if size < own and self.rounded(size) != self:
            raise DataError(f"cannot split {self} into shares of {size} places: it has more itself", places=size)
        units = int(self.amount.copy_abs().scaleb(size, _exact()))
        scale = max(-int(part.as_tuple().exponent) for part in parts)
        whole = [int(part.scaleb(scale, _exact())) for part in parts]
        shares = [divmod(units * weight, sum(whole)) for weight in whole]
        left = units - sum(share for share, _ in shares)
        lucky = sorted(range(len(shares)), key=lambda index: (-shares[index][1], index))[:left]
        sign = -1 if self.amount < 0 else 1
        return tuple(
            Money(Decimal(sign * (share + (index in lucky))).scaleb(-size, _exact()), self.currency)
            for index, (share, _) in enumerate(shares)
        )


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add amounts of one currency; nothing of it when there are none.

    Examples
    --------
    >>> total([Money("1", "USD"), Money("2.50", "USD")], "USD")
    Money('3.50', 'USD')
    """
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def left_over(amounts: Iterable[Money]) -> dict[str, Money]:
    """Add amounts of any currencies, and give the sums that are not zero, by currency."""
    add, sums = _exact().add, dict[str, Decimal]()
    for one in amounts:
        sums[one.currency] = add(sums[one.currency], one.amount) if one.currency in sums else one.amount
    return {currency: Money(amount, currency) for currency, amount in sums.items() if amount}


def _rule(rounding: str) -> str:
    try:
        return ROUNDINGS[rounding]
    except KeyError:
        raise DataError(
            f"rounding is {rounding!r}; it must be one of {', '.join(ROUNDINGS)}", rounding=rounding
        ) from None


def _ratio(top: int, bottom: int, places: int, rounding: str) -> Decimal:
    """Round a fraction of whole numbers to a whole number of units of `places`."""
    sign = -1 if (top < 0) != (bottom < 0) else 1
    whole, rest = divmod(abs(top), abs(bottom))
    # one digit is enough to say whether less, equal or more than a half is left
    digit = 0 if rest == 0 else 5 if 2 * rest == abs(bottom) else 2 if 2 * rest < abs(bottom) else 7
    number = Decimal(sign * (10 * whole + digit)).scaleb(-1, _exact())
    return number.quantize(Decimal(1), context=Context(prec=4 * _DIGITS, rounding=_rule(rounding))).scaleb(
        -places, _exact()
    )
