"""What bots hold, by their journals: positions at the last prices that they heard, and the money beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import ConfigError, DataError
from workbench.market.instrument import Instrument
from workbench.risk.portfolio import Balance, Holding
from workbench.trading.events import Filled, Funded

if TYPE_CHECKING:
    from workbench.bots.spec import BotSpec
    from workbench.settings import Settings

__all__ = ["bot_holdings"]


def bot_holdings(name: str, *, settings: Settings | None = None) -> list[Holding | Balance]:
    """Give what a bot holds now, as its journal tells it; the bot may be running.

    Parameters
    ----------
    name : str
        As `workbench bots list` shows it.
    settings : Settings, optional
        Of the workspace; the current one when left out.

    Returns
    -------
    list of Holding and Balance
        Positions by what was executed, at the last prices that the bot heard, and what is left of its money. Its
        account is named by the bot: a paper bot has one of its own.

    Raises
    ------
    ConfigError
        There is no such bot, or it has not begun.
    DataError
        The journal is not whole, or tells of a position without a price.
    """
    from workbench.bots.comparison.lived import read_life
    from workbench.bots.journal import read_journal
    from workbench.bots.spec import BotSpec
    from workbench.settings import load_settings

    settings = settings or load_settings()
    with read_journal(name, settings) as journal:
        sessions = journal.sessions()
        life = read_life(entry.record for entry in journal.entries())
    if not sessions:
        raise ConfigError(f"bot {name!r} has not begun yet, so it holds nothing", name=name)
    spec = BotSpec.from_plain(sessions[0].details["spec"])
    return _holdings(spec, life.told, life.prices, _instruments(spec, settings))


def _instruments(spec: BotSpec, settings: Settings) -> dict[str, Instrument]:
    return {bars.symbol: bars.instrument for bars in spec.bars(settings)}


def _holdings(
    spec: BotSpec, told: list[Filled | Funded], prices: dict[str, float], instruments: dict[str, Instrument]
) -> list[Holding | Balance]:
    from workbench.trading.positions import Position

    held: dict[tuple[str, str], Position] = {}
    money = spec.cash
    for one in told:
        facts, key = instruments[one.symbol], (one.symbol, one.leg)
        if key not in held:
            held[key] = Position(*key, contract_size=facts.contract_size, inverse=facts.kind == "inverse")
        if isinstance(one, Funded):
            money += one.amount
            continue
        money += held[key].apply(one.change, one.price, one.fee, one.ts) - one.fee
    found: list[Holding | Balance] = []
    for (symbol, _), position in held.items():
        if position.quantity == 0.0:
            continue
        facts, price = instruments[symbol], prices.get(symbol)
        if price is None:
            raise DataError(f"bot {spec.name!r} holds {symbol} and has heard no price of it", symbol=symbol)
        margined, inverse = facts.kind in ("linear", "inverse"), facts.kind == "inverse"
        quantity = position.quantity * facts.contract_size
        if margined:  # nothing was paid for it but its fee
            money += -quantity / position.price if inverse else quantity * position.price
        found.append(
            Holding(
                symbol=symbol, quantity=quantity, price=price, currency=facts.quote, entry_price=position.price,
                venue=facts.venue, margined=margined, inverse=inverse, leverage=spec.leverage or 1.0,
                spread=facts.spread_bps / 10_000.0, bot=spec.name, account=spec.name,
            )
        )  # fmt: skip
    first = next(iter(instruments.values()))
    settles = {one.settle for one in instruments.values()}
    if len(settles) > 1:
        raise DataError(f"bot {spec.name!r} settles in {', '.join(sorted(settles))}: what is money is not one sum")
    return [*found, Balance(amount=money, currency=settles.pop(), venue=first.venue, bot=spec.name, account=spec.name)]
