"""When a fault happens and how long things take: times by the exchange's clock, durations, their spread, conditions."""

from __future__ import annotations

import datetime as dt
import random
import re
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

__all__ = ["Duration", "Moment", "Part", "Spread", "Texts", "When", "as_texts", "duration_text", "read_duration"]

_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_DURATION_HELP: Final = "a duration such as 250ms, 30s, 5m, 2h or 1d (a bare number is milliseconds)"


class Moment(NamedTuple):
    """A time by the exchange's clock: ms UTC, or ms after the exchange began (`relative`)."""

    ms: int
    relative: bool

    def at(self, began: int) -> int:
        """Give it in ms UTC, for an exchange that began then."""
        return began + self.ms if self.relative else self.ms

    def __str__(self) -> str:
        if self.relative:
            return f"+{duration_text(self.ms)}"
        return (dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=self.ms)).isoformat() + "Z"


def duration_text(ms: float) -> str:
    """Write a duration as rules have it, in the largest unit that it is whole in, such as `10m` or `250ms`."""
    whole = round(ms)
    unit = next((one for one in ("d", "h", "m", "s") if whole and whole % _UNITS[one] == 0), "ms")
    return f"{whole // _UNITS[unit]}{unit}"


def read_duration(value: Any) -> Any:
    """Read a duration into ms; what is none is given back as it is, for others to refuse."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        return round(float(found[1]) * _UNITS[found[2]])
    return value


def _moment(value: Any) -> Moment:
    if isinstance(value, Moment):
        return value
    if isinstance(value, str) and value.startswith("+"):
        ms = read_duration(value[1:])
        if isinstance(ms, int):
            return Moment(ms, True)
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("not a time") from error
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)  # what YAML makes of a bare 2024-01-31
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return Moment(round(aware.timestamp() * 1_000), False)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Moment(value, False)
    raise ValueError("not a time")


def _numbers(value: Any) -> Any:
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else value


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def as_texts(value: Any) -> Any:
    """Make text of the names and values of a mapping."""
    return {str(key): str(one) for key, one in value.items()} if isinstance(value, dict) else value


_Moment = Annotated[Moment, BeforeValidator(_moment), PlainSerializer(str)]
Duration = Annotated[int, BeforeValidator(read_duration), Field(ge=0, description=_DURATION_HELP)]
Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_texts)]


class Part(BaseModel):
    """One part of a scenario. The description of a field is what an error tells to write."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Spread(Part):
    """How a random length of time is spread.

    Parameters
    ----------
    kind : {"fixed", "uniform", "normal", "exponential", "lognormal", "pareto"}
    ms : duration
        The value (fixed), the mean (normal, exponential), the median (lognormal) or the least (pareto).
    low, high : duration
        Bounds of uniform; the others are cut to them.
    sigma : float
        Of lognormal: of the logarithm; of normal: of ms, as a fraction. Of pareto it is the exponent.
    """

    kind: Literal["fixed", "uniform", "normal", "exponential", "lognormal", "pareto"] = "fixed"
    ms: Duration = 0
    low: Duration = 0
    high: Annotated[int, BeforeValidator(read_duration), Field(ge=0, le=600_000, description=_DURATION_HELP)] = 60_000
    sigma: Annotated[float, Field(gt=0, le=20, description="a number above 0, such as 0.5")] = 0.5

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"ms": value} if isinstance(value, (int, str)) else value

    @model_validator(mode="after")
    def _ordered(self) -> Spread:
        if self.low > self.high:
            raise ValueError(f"low ({self.low} ms) is above high ({self.high} ms)")
        return self

    def draw(self, generator: random.Random) -> float:
        """Draw a length of time, in ms."""
        match self.kind:
            case "fixed":
                return float(self.ms)
            case "uniform":
                return generator.uniform(self.low, self.high)
            case "normal":
                drawn = generator.gauss(self.ms, self.sigma * self.ms)
            case "exponential":
                drawn = generator.expovariate(1.0 / max(self.ms, 1))
            case "lognormal":
                drawn = self.ms * generator.lognormvariate(0.0, self.sigma)
            case "pareto":
                drawn = self.ms * generator.paretovariate(self.sigma)
        return min(max(drawn, self.low), self.high)


class When(Part):
    """At which of the requests or messages that a rule matches it acts; all conditions must hold.

    Parameters
    ----------
    nth : int or list of int
        Only at these, counted from 1 from when the window opens.
    every : int
        At each so many-th.
    skip : int
        Not at the first so many.
    count : int
        At most so often.
    probability : float
        With this probability, by the rule's own generator.
    start, end : time
        Only within this window by the exchange's clock: ISO 8601, ms UTC, or after the beginning as `+10m`.
    """

    nth: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...],
        BeforeValidator(_numbers),
        Field(description="a whole number from 1, or a list of them"),
    ] = ()
    every: Annotated[int | None, Field(ge=1, description="a whole number from 1")] = None
    skip: Annotated[int, Field(ge=0, description="a whole number from 0")] = 0
    count: Annotated[int | None, Field(ge=1, description="a whole number from 1")] = None
    probability: Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")] = 1.0
    start: Annotated[_Moment | None, Field(description="a time as 2024-01-31T14:00Z, or +10m after the start")] = None
    end: Annotated[_Moment | None, Field(description="a time as 2024-01-31T14:00Z, or +10m after the start")] = None

    def open(self, now: int, began: int) -> bool:
        """Tell whether the window is open."""
        after = self.start is None or now >= self.start.at(began)
        return after and (self.end is None or now < self.end.at(began))
