"""What an answer must have to be one: clients make something of everything, also of half an answer.

ccxt reads `{"status": "ok"}` as an order without id, an empty body as no positions, and a cut one as text. For a bot
the difference between "nothing" and "no answer" is money, so an answer is looked at twice: whether it is data of the
venue's form, and whether what was made of it has what such a thing always has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["is_formed", "is_sound", "only_data", "place_of", "raw_answers"]

raw_answers: Final[ContextVar[list[Any] | None]] = ContextVar("raw_answers", default=None)
"""Where clients leave the answers as the venue gave them, while somebody wants them."""

_ORDER: Final = ("id",)
_LISTS: Final = {
    "fetch_open_orders": _ORDER, "fetch_orders": _ORDER, "fetch_closed_orders": _ORDER,
    "fetch_canceled_orders": _ORDER, "fetch_my_trades": ("id", "symbol", "amount", "price", "timestamp"),
    "fetch_positions": ("symbol",), "fetch_funding_history": ("timestamp",),
}  # fmt: skip
"""What every row has, by the method of ccxt."""

_WRAPPED: Final = {"kraken": "result", "bybit": "result", "okx": "data", "kucoin": "data", "bitget": "data"}
"""Under which name a venue's answers have what was asked for; ccxt takes it for empty where it is missing."""


def is_formed(venue: str, method: str, raw: Sequence[Any]) -> bool:
    """Tell whether the last answer of a venue, as it gave it, has the form of its answers.

    Parameters
    ----------
    venue : str
        ccxt's name.
    method : str
        Of ccxt, that asked.
    raw : sequence
        The answers to it that were no refusals.
    """
    if raw and venue in _WRAPPED:
        return isinstance(raw[-1], dict) and _WRAPPED[venue] in raw[-1]
    if raw and venue.startswith("binance") and method in _LISTS:
        return isinstance(raw[-1], list)  # ccxt leaves out what is no row, so that nothing is left
    return True


def is_sound(method: str, answer: Any) -> bool:
    """Tell whether what a method of ccxt gives can be what it is for."""
    if method == "fetch_order":
        return _has(answer, _ORDER)
    if method == "fetch_balance":  # also an account without money has the names of what it has none of
        return isinstance(answer, Mapping) and bool(answer.get("total"))
    needs = _LISTS.get(method)
    return needs is None or (isinstance(answer, list) and all(_has(row, needs) for row in answer))


def _has(row: Any, needs: tuple[str, ...]) -> bool:
    return (
        isinstance(row, Mapping)
        and isinstance(row.get("info"), Mapping)
        and all(row.get(name) is not None for name in needs)
    )


def only_data(client: Any) -> None:
    """Have a ccxt client raise where a venue's answer is no JSON object or list, rather than go on with its text."""
    import ccxt

    heed = client.handle_errors

    def heeding(code: int, reason: str, url: str, method: str, headers: Any, body: str, answer: Any, *more: Any) -> Any:
        if code < 400 and not isinstance(answer, (dict, list)):
            raise ccxt.OperationFailed(f"{client.id} {method}: the answer ({len(body)} characters) is no data")
        said = heed(code, reason, url, method, headers, body, answer, *more)
        if (kept := raw_answers.get()) is not None:  # no refusal, which has a form of its own
            kept.append(answer)
        return said

    client.handle_errors = heeding


def place_of(error: BaseException) -> str:
    """Give where an error was raised that nobody expected: the file and line of ours that is nearest to it.

    Examples
    --------
    >>> place_of(ValueError("raised nowhere"))
    ''
    """
    place, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.partition(".")[0] == "workbench":
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
