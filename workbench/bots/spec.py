"""What a bot is: its strategy, what it trades, with what money and at which costs, as plain data in its journal.

The first session of a journal says what the bot is; every later one must say the same, so that whoever runs it again
takes up this bot and not another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from workbench.bots.journal import check_name
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.backtest.plan import Plan
    from workbench.market.bars import Bars
    from workbench.settings import Settings

__all__ = ["MODES", "BotSpec", "Policy", "Series", "Tape"]

MODES: Final = ("replay", "paper", "live")
Policy = Literal["adopt", "alert", "halt"]


def _said(value: Any) -> str:
    """Say a value of a spec as a person would."""
    if isinstance(value, list):
        return ", ".join(f"{one['symbol']}:{one['timeframe']}" for one in value)
    return repr(value)


@dataclass(frozen=True, slots=True)
class Series:
    """A series that a bot hears: symbol, timeframe, and the venue where several have it.

    Examples
    --------
    >>> Series.parse("BTC/USDT:USDT:1h")
    Series(symbol='BTC/USDT:USDT', timeframe='1h', venue=None)
    """

    symbol: str
    timeframe: str
    venue: str | None = None

    @classmethod
    def parse(cls, text: str, venue: str | None = None) -> Series:
        """Read `SYMBOL:TIMEFRAME`.

        Raises
        ------
        ConfigError
            The timeframe is missing or is none.
        """
        from workbench.market.timeframe import Timeframe

        symbol, colon, length = text.rpartition(":")
        if not colon or not symbol:
            raise ConfigError(f"{text!r} names no series: write SYMBOL:TIMEFRAME, such as BTC/USDT:1h", value=text)
        return cls(symbol, str(Timeframe.parse(length)), venue)

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe}"


@dataclass(frozen=True, slots=True)
class Tape:
    """What a replayed market is made of: fingerprints of the bars, and the code of the strategy."""

    data: tuple[str, ...]
    code: str


@dataclass(frozen=True, kw_only=True)
class BotSpec:
    """What a bot is.

    Parameters
    ----------
    name : str
    strategy : str
        As `load_strategy` takes it.
    parameters : mapping
    series : tuple of Series
    mode : {"replay", "paper", "live"}
        Whether it plays a tape, trades on paper at a venue's prices, or with money.
    venue : str
        Where it trades, as its data is stored: that of a practice exchange says so. Empty for a tape.
    key : str
        The name in the vault of what it trades with; only that.
    policy : {"adopt", "alert", "halt"}
        What is done about what others do on its account; `RunTerms` has it in full.
    start, end : str, optional
        Of a replayed tape.
    cash : float
    fee, slippage_bps, leverage : float, optional
        The instrument's where left out.
    margin : {"cross", "isolated"}
    account : str
        Whose limits it shares, as `[limits.accounts.NAME]` has them.

    Raises
    ------
    ConfigError
        The name cannot be one, there is no series, or the mode, venue, key and policy do not go together.
    """

    name: str
    strategy: str
    series: tuple[Series, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "replay"
    start: str | None = None
    end: str | None = None
    cash: float = 10_000.0
    fee: float | None = None
    slippage_bps: float | None = None
    leverage: float | None = None
    margin: str = "cross"
    account: str = "paper"
    venue: str = ""
    key: str = ""
    policy: Policy = "alert"

    def __post_init__(self) -> None:
        check_name(self.name)
        if not self.series:
            raise ConfigError(f"bot {self.name!r} hears no series: give at least one, such as BTC/USDT:1h")
        if self.mode not in MODES:
            raise ConfigError(f"bot {self.name!r}: mode is {self.mode!r}; it is {', '.join(MODES)}", mode=self.mode)
        if (self.mode == "replay") == bool(self.venue) or (self.mode == "live") != bool(self.key):
            raise ConfigError(
                f"bot {self.name!r}: a {self.mode} bot with venue {self.venue!r} and key {self.key!r}; a replayed tape "
                "has neither, a bot on paper a venue, a live one both",
                name=self.name,
            )
        if self.policy not in get_args(Policy):
            raise ConfigError(f"bot {self.name!r}: policy is {self.policy!r}; it is {', '.join(get_args(Policy))}")

    def to_plain(self) -> dict[str, Any]:
        """Give it as plain data; `from_plain` reads it."""
        return {**asdict(self), "series": [asdict(one) for one in self.series], "parameters": dict(self.parameters)}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> BotSpec:
        """Read what `to_plain` gave.

        Raises
        ------
        ConfigError
            It is not that.
        """
        try:
            return cls(**{**data, "series": tuple(Series(**one) for one in data["series"])})
        except (KeyError, TypeError) as error:
            raise ConfigError(f"this does not say what a bot is: {error}") from error

    def differences(self, other: BotSpec) -> list[str]:
        """Say in words in what another one differs."""
        mine, yours = self.to_plain(), other.to_plain()
        return [f"{key} was {_said(mine[key])} and is {_said(yours[key])}" for key in mine if mine[key] != yours[key]]

    def check_same(self, told: Mapping[str, Any], code: str, more: Iterable[str] = ()) -> None:
        """Make sure that a journal is of this bot.

        Parameters
        ----------
        told : mapping
            The details of its first session: `spec` and `code`.
        code : str
            The hash of the strategy's code as it is now.
        more : iterable of str
            What else is not as it was, in words.

        Raises
        ------
        ConfigError
            It is of a bot that was made otherwise; what differs is named.
        """
        found = BotSpec.from_plain(told.get("spec", {})).differences(self)
        if told.get("code") != code:
            found.append("its strategy's code has changed")
        found += more
        if found:
            raise ConfigError(
                f"bot {self.name!r} is not what it was: {'; '.join(found)}. Run it as it was, or give another --name "
                "to begin a new bot",
                name=self.name,
            )

    def bars(self, settings: Settings) -> list[Bars]:
        """Read the tape from the lake of a workspace."""
        from workbench.market.lake import Lake

        lake = Lake(settings.lake_root)
        return [lake.read(one.symbol, one.timeframe, self.start, self.end, venue=one.venue) for one in self.series]

    def made(self, settings: Settings) -> Any:
        """Make the strategy with its parameters."""
        from workbench.strategy.loader import load_strategy

        return load_strategy(self.strategy, settings=settings)(**self.parameters)

    def options(self) -> dict[str, Any]:
        """Give what `wb.backtest` is told of money, costs and leverage."""
        from workbench.backtest.costs import Costs
        from workbench.backtest.rules import Rules

        # what a spot account has of a coin beside the bot's is its owner's, so that nothing is sold but what was bought
        spot = bool(self.venue) and all(":" not in one.symbol for one in self.series)
        return {
            "cash": self.cash, "costs": Costs(fee=self.fee, slippage_bps=self.slippage_bps), "leverage": self.leverage,
            "rules": Rules(margin=self.margin, account="cash" if spot else "margin"),  # type: ignore[arg-type]
        }  # fmt: skip

    def plan(self, settings: Settings) -> Plan:
        """Lay out what is traded and how.

        Raises
        ------
        ConfigError, DataError, StrategyError
            The strategy or a series is not there, or they do not fit.
        """
        from workbench.backtest.prepare import prepare

        return prepare(self.made(settings), self.bars(settings), **self.options())
