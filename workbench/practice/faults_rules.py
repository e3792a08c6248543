"""What can go wrong on a practice exchange, as checked data: which fault, on what, and when.

Each class is one kind of fault, named by its `fault`; a scenario is a list of them. They say nothing about how a fault
is done (`faults` decides, the server acts) and know no venue but through the patterns of `faults_targets`.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

__all__ = [
    "MARKET_RULES",
    "MESSAGE_RULES",
    "REQUEST_RULES",
    "RULES",
    "BalanceChange",
    "ClockSkew",
    "Delay",
    "Delist",
    "Disconnect",
    "Drop",
    "Duplicate",
    "Garbage",
    "Garble",
    "Halt",
    "Latency",
    "Maintenance",
    "Moment",
    "PartialFills",
    "PriceGap",
    "RateLimit",
    "Reject",
    "Reorder",
    "Reset",
    "Rule",
    "ServerError",
    "Spread",
    "StaleBook",
    "Timeout",
    "When",
]

_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_DURATION_HELP: Final = "a duration such as 250ms, 30s, 5m, 2h or 1d (a bare number is milliseconds)"


class Moment(NamedTuple):
    """A time by the exchange's clock: ms UTC, or ms after the exchange began (`relative`)."""

    ms: int
    relative: bool

    def at(self, began: int) -> int:
        """Give it in ms UTC, for an exchange that began then."""
        return began + self.ms if self.relative else self.ms


def _duration(value: Any) -> Any:
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        return round(float(found[1]) * _UNITS[found[2]])
    return value


def _moment(value: Any) -> Moment:
    if isinstance(value, Moment):
        return value
    if isinstance(value, str) and value.startswith("+"):
        ms = _duration(value[1:])
        if isinstance(ms, int):
            return Moment(ms, True)
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
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


def _as_texts(value: Any) -> Any:
    return {str(key): str(one) for key, one in value.items()} if isinstance(value, dict) else value


_Moment = Annotated[Moment, BeforeValidator(_moment)]
_Duration = Annotated[int, BeforeValidator(_duration), Field(ge=0, description=_DURATION_HELP)]
_Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_texts)]
_Symbols = Annotated[_Texts, Field(description="a symbol such as BTC/USDT, or a list of them; all when left out")]


class _Model(BaseModel):
    """One part of a scenario. The description of a field is what an error tells to write."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Spread(_Model):
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
    ms: _Duration = 0
    low: _Duration = 0
    high: Annotated[int, BeforeValidator(_duration), Field(ge=0, le=600_000, description=_DURATION_HELP)] = 60_000
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


class When(_Model):
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


class _Rule(_Model):
    """What all faults share: `on` (patterns), `having` (fields of the request or message), `when`, `venue`."""

    on: Annotated[_Texts, Field(description="a pattern such as 'POST */order', or a name such as submit, or a list")]
    having: Annotated[
        dict[str, str], BeforeValidator(_as_texts), Field(description="names and values, such as {symbol: BTCUSDT}")
    ] = {}
    venue: Annotated[str, Field(description="a venue such as binance, binanceusdm, kraken; * for all")] = "*"
    when: Annotated[When, Field(description="conditions such as {nth: 3} or {probability: 0.05}")] = When()


class _Asked(_Rule):
    on: Annotated[_Texts, Field(description="a pattern such as 'GET */klines', or a name such as submit")] = ("any",)


class _OnOrder(_Asked):
    landed: Annotated[bool, Field(description="true or false: whether the request takes effect all the same")] = False


class Latency(_Asked):
    """The answer comes late."""

    fault: Literal["latency"]
    latency: Annotated[Spread, Field(description="milliseconds, or {kind: lognormal, ms: 80, sigma: 0.6}")]


class RateLimit(_Asked):
    """429 with Retry-After; who asks on `patience` times before that is over is banned with 418.

    Both waits are by the real clock, since a client waits by its own.
    """

    fault: Literal["rate_limit"]
    retry_after: _Duration = 1_000
    patience: Annotated[int | None, Field(ge=0, description="a whole number from 0")] = 3
    ban: _Duration = 10_000
    banned: Annotated[bool, Field(description="true to begin with the ban (418) at once")] = False


class ServerError(_OnOrder):
    """A 5xx (or 403) answer, as html or in the venue's own form with an error code."""

    fault: Literal["server_error"]
    status: Annotated[int, Field(ge=400, le=599, description="an HTTP status from 400 to 599")] = 503
    code: Annotated[int | None, Field(description="the venue's code, such as -1001; an html page when left out")] = None
    text: str = "Internal error; unable to process your request. Please try again."


class Timeout(_OnOrder):
    """No answer; the connection stays open that long, or until the client gives up."""

    fault: Literal["timeout"]
    hold: _Duration = 60_000


class Garbage(_OnOrder):
    """Status 200 and nonsense in the body; `truncated` cuts the true answer, so what was asked for took effect."""

    fault: Literal["garbage"]
    kind: Annotated[
        Literal["html", "truncated", "empty", "wrong"], Field(description="html, truncated, empty or wrong")
    ] = "html"

    @property
    def after(self) -> bool:
        """Whether the request is handled first."""
        return self.landed or self.kind == "truncated"


class Reset(_OnOrder):
    """The TCP connection is cut without an answer."""

    fault: Literal["reset"]


class Reject(_Asked):
    """The venue refuses, in its own form: `code` as the venue's number or text, or as a code of the gate."""

    fault: Literal["reject"]
    on: Annotated[_Texts, Field(description="a pattern such as 'POST */order', or a name such as submit")] = ("submit",)
    code: Annotated[int | str, Field(description="a code such as -2010, or insufficient_margin")] = -2010
    text: Annotated[str, Field(description="what the venue says; its usual text for the code when left out")] = ""


class ClockSkew(_Asked):
    """The venue's clock shows other than true time, so that signed requests of a right clock are refused."""

    fault: Literal["clock_skew"]
    skew: Annotated[int, BeforeValidator(_duration), Field(description="ms; negative is behind")] = 30_000


class Maintenance(_Asked):
    """Everything is answered with 503 and sockets are closed, for as long as the window of `when` is open."""

    fault: Literal["maintenance"]
    text: str = "System is under maintenance."


class _Sent(_Rule):
    on: Annotated[_Texts, Field(description="a stream such as '*@trade', or a name such as user, fills, book")] = (
        "any",
    )


class Disconnect(_Sent):
    """The websocket is cut at a message, before or after it is `delivered`; new ones are refused for `down`.

    `close` says by a close frame (1001) rather than by cutting the connection (seen by clients as 1006).
    """

    fault: Literal["disconnect"]
    delivered: Annotated[bool, Field(description="true or false: whether the message still arrives")] = False
    close: Annotated[bool, Field(description="true for a close frame, false for a cut")] = False
    down: Annotated[Spread, Field(description="milliseconds, or {kind: uniform, low: 10, high: 200}")] = Spread()


class Drop(_Sent):
    """The message never arrives; with a window or `skip` alone the stream goes silent."""

    fault: Literal["drop"]


class Duplicate(_Sent):
    """The message comes again, `copies` times, `delay` later."""

    fault: Literal["duplicate"]
    copies: Annotated[int, Field(ge=1, le=100, description="a whole number from 1 to 100")] = 1
    delay: Annotated[Spread, Field(description="milliseconds, or {kind: uniform, low: 10, high: 200}")] = Spread()


class Delay(_Sent):
    """The message comes late, and those behind it may overtake."""

    fault: Literal["delay"]
    delay: Annotated[Spread, Field(description="milliseconds, or {kind: uniform, low: 10, high: 200}")]


class Reorder(_Sent):
    """The message is held until `behind` later ones of its stream went out, and comes after them."""

    fault: Literal["reorder"]
    behind: Annotated[int, Field(ge=1, le=1_000, description="a whole number from 1 to 1000")] = 1


class Garble(_Sent):
    """The message arrives cut in half, which is no JSON."""

    fault: Literal["garble"]


class _Market(_Rule):
    """Changes the market or an account: once when the clock reaches `when.start`, or at requests named by `on`."""

    on: Annotated[_Texts, Field(description="requests that set it off; by `when: {start: +10m}` when left out")] = ()

    @model_validator(mode="after")
    def _set_off(self) -> _Market:
        if not self.on and self.when.start is None:
            raise ValueError("nothing sets it off; give `when: {start: +10m}`, or requests such as `on: submit`")
        return self


class PriceGap(_Market):
    """From here on the price is higher or lower by a fraction, without trades between."""

    fault: Literal["price_gap"]
    symbol: str
    fraction: Annotated[float, Field(gt=-1, lt=100, description="a fraction such as -0.1 (ten percent down)")]


class Halt(_Market):
    """Trading in a symbol stops for `lasting`."""

    fault: Literal["halt"]
    symbol: str
    lasting: _Duration = 300_000


class Delist(_Market):
    """A symbol is taken off the venue for good."""

    fault: Literal["delist"]
    symbol: str


class StaleBook(_Market):
    """The order book shows what it showed before, for `lasting`, while the market trades on."""

    fault: Literal["stale_book"]
    symbol: str
    lasting: _Duration = 60_000


class PartialFills(_Market):
    """Only a part of what an order could get is there at once, for `lasting`; the rest of it waits."""

    fault: Literal["partial_fills"]
    symbol: str
    fraction: Annotated[float, Field(gt=0, le=1, description="a fraction above 0, up to 1")] = 0.5
    lasting: _Duration = 86_400_000


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("zero changes nothing")
    return value


class BalanceChange(_Market):
    """A balance changes from outside: a deposit, a withdrawal, a fee that nobody announced."""

    fault: Literal["balance"]
    asset: str
    amount: Annotated[float, AfterValidator(_not_zero), Field(description="an amount other than 0, such as -500")]
    account: str = ""
    reason: str = "changed from outside"


_Request = Latency | RateLimit | ServerError | Timeout | Garbage | Reset | Reject | ClockSkew | Maintenance
_Message = Disconnect | Drop | Duplicate | Delay | Reorder | Garble
_OfMarket = PriceGap | Halt | Delist | StaleBook | PartialFills | BalanceChange
Rule = Annotated[_Request | _Message | _OfMarket, Field(discriminator="fault")]

REQUEST_RULES: Final = get_args(_Request)
MESSAGE_RULES: Final = get_args(_Message)
MARKET_RULES: Final = get_args(_OfMarket)
RULES: Final[dict[str, type[_Rule]]] = {
    get_args(kind.model_fields["fault"].annotation)[0]: kind for kind in (*REQUEST_RULES, *MESSAGE_RULES, *MARKET_RULES)
}
