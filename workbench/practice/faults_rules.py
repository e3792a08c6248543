"""What can go wrong on a practice exchange, as checked data: which fault, on what, and when.

Each class is one kind of fault, named by its `fault`; a scenario is a list of them. They say nothing about how a fault
is done (`faults` decides, the server acts) and know no venue but through the patterns of `faults_targets`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from workbench.practice.faults_when import Duration, Part, Spread, Texts, When, as_texts, read_duration

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
    "PartialFills",
    "PriceGap",
    "RateLimit",
    "Reject",
    "Reorder",
    "Reset",
    "Rule",
    "ServerError",
    "StaleBook",
    "Timeout",
]


class _Rule(Part):
    """What all faults share: `target` (patterns), `having` (fields of the request or message), `when`, `venue`."""

    target: Annotated[Texts, Field(description="a pattern such as 'POST */order', or a name such as submit, or a list")]
    having: Annotated[dict[str, str], BeforeValidator(as_texts)] = Field(
        default_factory=dict, description="names and values, such as {symbol: BTCUSDT}"
    )
    venue: Annotated[str, Field(description="a venue such as binance, binanceusdm, kraken; * for all")] = "*"
    when: Annotated[When, Field(description="conditions such as {nth: 3} or {probability: 0.05}")] = When()


class _Asked(_Rule):
    target: Annotated[Texts, Field(description="a pattern such as 'GET */klines', or a name such as submit")] = ("any",)


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
    retry_after: Duration = 1_000
    patience: Annotated[int | None, Field(ge=0, description="a whole number from 0")] = 3
    ban: Duration = 10_000
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
    hold: Duration = 60_000


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
    target: Annotated[Texts, Field(description="a pattern such as 'POST */order', or a name such as submit")] = (
        "submit",
    )
    code: Annotated[int | str, Field(description="a code such as -2010, or insufficient_margin")] = -2010
    text: Annotated[str, Field(description="what the venue says; its usual text for the code when left out")] = ""


class ClockSkew(_Asked):
    """The venue's clock shows other than true time, so that signed requests of a right clock are refused."""

    fault: Literal["clock_skew"]
    skew: Annotated[
        int, BeforeValidator(read_duration), Field(description="a duration such as 30s or -500ms; negative is behind")
    ] = 30_000


class Maintenance(_Asked):
    """Everything is answered with 503 and sockets are closed, for as long as the window of `when` is open."""

    fault: Literal["maintenance"]
    text: str = "System is under maintenance."


class _Sent(_Rule):
    target: Annotated[Texts, Field(description="a stream such as '*@trade', or a name such as user, fills, book")] = (
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
    """Changes the market or an account: once when the clock reaches `when.start`, or at requests named by `target`."""

    target: Annotated[Texts, Field(description="requests that set it off; by `when: {start: +10m}` when left out")] = ()

    @model_validator(mode="after")
    def _set_off(self) -> _Market:
        if not self.target and self.when.start is None:
            raise ValueError("nothing sets it off; give `when: {start: +10m}`, or requests such as `target: submit`")
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
    lasting: Duration = 300_000


class Delist(_Market):
    """A symbol is taken off the venue for good."""

    fault: Literal["delist"]
    symbol: str


class StaleBook(_Market):
    """The order book shows what it showed before, for `lasting`, while the market trades on."""

    fault: Literal["stale_book"]
    symbol: str
    lasting: Duration = 60_000


class PartialFills(_Market):
    """The book has one level a side and only a fraction of it, for `lasting`, so that orders fill in parts."""

    fault: Literal["partial_fills"]
    symbol: str
    fraction: Annotated[float, Field(gt=0, le=1, description="a fraction above 0, up to 1")] = 0.5
    lasting: Duration = 86_400_000


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("zero changes nothing")
    return value


class BalanceChange(_Market):
    """A balance changes from outside: a deposit, a withdrawal, a fee that nobody announced; of all accounts or one."""

    fault: Literal["balance"]
    asset: str
    amount: Annotated[float, AfterValidator(_not_zero), Field(description="an amount other than 0, such as -500")]
    account: str = ""
    wallet: Annotated[Literal["spot", "linear"], Field(description="spot or linear")] = "spot"
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
