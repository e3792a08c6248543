"""How Binance writes things: symbols, numbers, intervals, parameters, and errors with its own codes."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe
from workbench.practice.wire.binance_errors import BinanceError

__all__ = ["INTERVALS", "Pair", "Params", "dump", "exact", "money", "places_of", "texts"]

_MOST_PLACES: Final = 8
_LONGEST: Final = 1 << 53
INTERVALS: Final[dict[str, Timeframe]] = {
    name: Timeframe.parse(name)
    for name in "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w".split()
}  # fmt: skip


def dump(value: Any) -> str:
    """Write JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def places_of(step: float) -> int:
    """Tell how many decimal places a step has; the most there are where there is no step."""
    if step <= 0.0:
        return _MOST_PLACES
    exponent = Decimal(repr(step)).normalize().as_tuple().exponent
    return min(max(-int(exponent), 0), _MOST_PLACES)


def exact(value: float, places: int = _MOST_PLACES) -> str:
    """Write a number with some decimal places, or with more where it would not read back the same."""
    text = f"{value:.{places}f}"
    return text if float(text) == value or not math.isfinite(value) else format(Decimal(repr(value)), "f")


def money(value: float) -> str:
    """Write an amount of money: eight places, no negative zero, nothing for what is not a number."""
    return f"{value + 0.0:.8f}" if math.isfinite(value) and abs(value) >= 5e-9 else "0.00000000"


def texts(column: NDArray[np.float64], places: int) -> tuple[str, list[Any]]:
    """Prepare a column for printf: the conversion, and what to convert.

    Numbers that have no more than `places` decimal places are left to the conversion; others are written exactly.
    """
    if np.array_equal(np.round(column, places), column):
        return f"%.{places}f", column.tolist()
    return "%s", [exact(value, places) for value in column.tolist()]


class Pair:
    """A symbol of Binance and the instrument that it is.

    Parameters
    ----------
    instrument : Instrument
    plain : bool
        Whether numbers are written with the instrument's own decimal places (futures) or always with eight (spot).
    """

    def __init__(self, instrument: Instrument, *, plain: bool) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.id = re.sub(r"[^A-Z0-9]", "", instrument.symbol.partition(":")[0].upper())
        self.price_places = places_of(instrument.tick_size)
        self.quantity_places = places_of(instrument.lot_size)
        self._written = (self.price_places, self.quantity_places) if plain else (_MOST_PLACES, _MOST_PLACES)

    def price(self, value: float) -> str:
        """Write a price; zero where there is none."""
        # a price is a whole number of ticks, but as a sum of floats it may be off in the sixteenth digit
        rounded = round(value, _MOST_PLACES) if math.isfinite(value) else 0.0
        return exact(rounded, self._written[0])

    def quantity(self, value: float) -> str:
        """Write a quantity; zero where there is none."""
        rounded = round(value, _MOST_PLACES) if math.isfinite(value) else 0.0
        return exact(rounded + 0.0, self._written[1])

    @property
    def written(self) -> tuple[int, int]:
        """Decimal places with which prices and quantities are written."""
        return self._written


class Params:
    """The parameters of a request, read one by one; what is missing or malformed is an error with Binance's code.

    Parameters
    ----------
    params : dict of str to str
    """

    def __init__(self, params: dict[str, str]) -> None:
        self._params = params

    def has(self, name: str) -> bool:
        """Tell whether it was sent and says something."""
        return self._params.get(name, "") != ""

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text; without a default it must be there."""
        found = self._params.get(name, "")
        if found:
            return found
        if default is None:
            raise BinanceError(
                -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            )  # fmt: skip
        return default

    def one_of(self, name: str, choices: Any, default: str | None = None) -> str:
        """Give a text that is one of some."""
        found = self.text(name, default)
        if found not in choices:
            code = {"timeInForce": -1115, "type": -1116, "side": -1117}.get(name, -1100)
            words = {"timeInForce": "Invalid timeInForce.", "type": "Invalid orderType.", "side": "Invalid side."}
            raise BinanceError(code, words.get(name, f"Illegal value '{found}' found in parameter '{name}'."))
        return found

    def integer(self, name: str, default: int | None = None) -> int:
        """Give a whole number, not negative; without a default it must be there."""
        if default is not None and not self.has(name):
            return default
        found = self.text(name)
        if not found.isascii() or not found.isdigit() or int(found) > _LONGEST:
            raise BinanceError(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.",
            )
        return int(found)

    def limit(self, default: int, most: int) -> int:
        """Give `limit`, at most what may be asked for."""
        found = self.integer("limit", default)
        if found < 1:
            raise BinanceError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(found, most)

    def number(self, name: str, places: int = _MOST_PLACES, default: float = math.nan) -> float:
        """Give a decimal number that is not negative; `default` where it was not sent."""
        if not self.has(name):
            return default
        found = self.text(name)
        if not re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", found):
            raise BinanceError(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is "
                "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
            )
        if len(found.partition(".")[2].rstrip("0")) > places:
            raise BinanceError(-1111, f"Parameter '{name}' has too much precision.")
        return float(found)

    def truth(self, name: str, default: bool = False) -> bool:
        """Give true or false."""
        found = self._params.get(name, "").lower()
        if found not in ("", "true", "false"):
            raise BinanceError(-1104, f"Illegal value '{found}' found in parameter '{name}'; send true or false.")
        return found == "true" if found else default

    def names(self, name: str) -> list[str]:
        """Give a list of texts, sent as JSON."""
        try:
            found = json.loads(self.text(name))
        except json.JSONDecodeError as error:
            raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'.") from error
        if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
            raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'.")
        return found
