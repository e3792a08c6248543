"""What an error of ccxt means for a bot: one table, read from the top, the first line that fits decides.

ccxt's classes mislead: a refused filter is a `BadRequest`, a bad key a `DDoSProtection`, an overloaded venue sometimes
no `NetworkError`. So the venue's words come first and the class only where they say nothing. What an ambiguous answer
means depends on what was asked: a read has failed and may be asked again; an order may have landed, and is looked for.
"""

from __future__ import annotations

import binascii
import re
import time
from typing import Any, Final, Literal, NamedTuple

from workbench.errors import BrokerError, BrokerFatal, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.market.sources.asking import retry_after_s, spoken
from workbench.trading.gate import REJECTIONS

__all__ = ["RULES", "VENUE_REJECTIONS", "Operation", "Rule", "Verdict", "code_of", "judge", "rule_of"]

Operation = Literal["submit", "cancel", "amend", "read"]
Verdict = Literal["rejected", "transient", "fatal", "ambiguous", "slow", "clock"]

VENUE_REJECTIONS: Final = {
    "price_out_of_band": "the price is further from the market than the venue takes",
    "refused_by_venue": "the venue refused it",
    "too_many_orders": "as many orders are open as the venue takes",
    "would_trigger": "its trigger would be reached at once",
}
"""Codes of refusals that only a venue has, beside those of `gate.REJECTIONS`."""

_BANNED_MS: Final = 120_000  # of a 418 that does not say how long
_SLOW_MS: Final = 1_000  # of a 429 that does not


class Rule(NamedTuple):
    """One line of the table: the name of a ccxt class (or of a parent), words of the venue, what it means, a code."""

    error: str
    words: str
    verdict: Verdict
    code: str = ""


RULES: Final = (
    # who asks, when, and how often
    Rule("", r'"code":\s*-2015\b|Invalid API-key, IP, or permissions', "fatal"),
    Rule("", r'"code":\s*-1021\b|outside of the recvWindow|EAPI:Invalid nonce', "clock"),
    Rule("InvalidNonce", "", "clock"),
    Rule("", r'"code":\s*-1008\b', "transient"),
    Rule("DDoSProtection", "", "slow"),
    Rule("RateLimitExceeded", "", "slow"),
    Rule("AuthenticationError", "", "fatal"),
    Rule("RestrictedLocation", "", "fatal"),
    Rule("", r"EAPI:Invalid (key|signature)|EGeneral:Permission denied", "fatal"),
    Rule("OnMaintenance", "", "transient"),
    Rule("", r"cancel-replace (partially )?failed", "rejected", "refused_by_venue"),
    # nobody knows
    Rule("OperationFailed", "", "ambiguous"),
    Rule("BadResponse", "", "ambiguous"),
    # the venue says no, in words
    Rule("", r"would (immediately )?trigger|ReduceOnly.*would immediately trigger", "rejected", "would_trigger"),
    Rule("", r"[Dd]uplicate(d)? (order|client)|is duplicated|cl_?ord_?id.*(exists|in use)|Duplicate order",
         "rejected", "duplicate_id"),
    Rule("DuplicateOrderId", "", "rejected", "duplicate_id"),
    Rule("", r"immediately match|could not be executed as maker|[Pp]ost.?[Oo]nly order", "rejected",
         "post_only_would_take"),
    Rule("OrderImmediatelyFillable", "", "rejected", "post_only_would_take"),
    Rule("", r"[Ii]nsufficient (balance|margin|funds)|[Mm]argin is insufficient", "rejected", "insufficient_margin"),
    Rule("InsufficientFunds", "", "rejected", "insufficient_margin"),
    Rule("", r"ReduceOnly Order is rejected|[Rr]educe.?only.*(rejected|no position)", "rejected",
         "reduce_only_would_increase"),
    Rule("", r"MIN_NOTIONAL|NOTIONAL|notional must be|costmin|Cost minimum not met", "rejected", "below_min_notional"),
    Rule("", r"less than or equal to zero|minimum amount|volume minimum not met|less than minimum", "rejected",
         "below_min_quantity"),
    Rule("", r"LOT_SIZE|Precision is over the maximum|amount.*precision", "rejected", "off_lot"),
    Rule("", r"PRICE_FILTER|tick size|[Ii]nvalid price", "rejected", "off_tick"),
    Rule("", r"PERCENT_PRICE|higher than the cap|lower than the floor|price.*(limit up|too far)", "rejected",
         "price_out_of_band"),
    Rule("", r"MAX_NUM_\w*ORDERS|max open order limit|[Oo]rders limit exceeded", "rejected", "too_many_orders"),
    Rule("", r"position side does not match|'positionSide' sent", "rejected", "wrong_leg"),
    Rule("", r"maximum allowable position at current leverage|[Ll]everage .*not valid", "rejected",
         "leverage_beyond_tier"),
    Rule("", r"Market is closed|Invalid symbol status|market_closed|cancel_only|post_only mode", "rejected",
         "not_trading"),
    Rule("MarketClosed", "", "rejected", "not_trading"),
    Rule("ContractUnavailable", "", "rejected", "not_trading"),
    Rule("BadSymbol", "", "rejected", "unknown_instrument"),
    Rule("OrderNotFound", "", "rejected", "unknown_order"),
    Rule("", r"type is not supported|not support(ed)?|not a valid order type|not allowed for|Invalid order type",
         "rejected", "not_supported"),
    Rule("NotSupported", "", "rejected", "not_supported"),
    Rule("ArgumentsRequired", "", "rejected", "not_supported"),
    Rule("ExchangeError", "", "rejected", "refused_by_venue"),
)  # fmt: skip
"""The table."""

_COMPILED: Final = tuple((rule, re.compile(rule.words) if rule.words else None) for rule in RULES)
_AMBIGUOUS: Final = Rule("", "", "ambiguous")
_BAD_SECRET: Final = Rule("", "", "fatal")
_NEVER_SENT: Final = Rule("", "", "transient")


def rule_of(error: BaseException) -> Rule:
    """Give the line of the table that an error falls under; what is no error of ccxt's is ambiguous."""
    if isinstance(error, binascii.Error):  # a secret that is not in the venue's form cannot sign anything
        return _BAD_SECRET
    cause = error.__cause__ or error.__context__
    if any(kind.__name__ == "ClientConnectorError" for kind in type(cause).__mro__):
        return _NEVER_SENT  # no connection came about, so nothing was sent
    parents = {kind.__name__ for kind in type(error).__mro__}
    if "BaseError" not in parents:
        return _AMBIGUOUS
    text = str(error)
    return next(
        (
            rule
            for rule, words in _COMPILED
            if (not rule.error or rule.error in parents) and (words is None or words.search(text))
        ),
        _AMBIGUOUS,
    )


def code_of(text: str) -> str:
    """Give the code of a refusal in a venue's words alone; "refused_by_venue" where they fit nothing."""
    fits = (rule.code for rule, words in _COMPILED if rule.code and words is not None and words.search(text))
    return next((code for code in fits if code != "refused_by_venue"), "refused_by_venue")


def judge(error: Exception, operation: Operation, *, venue: str, client: Any, asked: str = "") -> BrokerError:
    """Give the error of ours that an error of a client means.

    Parameters
    ----------
    error : Exception
    operation : {"submit", "cancel", "amend", "read"}
        What was asked: an answer that was lost means another thing for each.
    venue : str
        What to call it.
    client : ccxt client
        For what the last answer's headers say, and for what must not be said.
    asked : str, optional
        In words, such as "order wb…": what the message is about.

    Returns
    -------
    BrokerError
        `fields` have `verdict`, `code` (of `gate.REJECTIONS` or `VENUE_REJECTIONS`) where it was refused, and
        `retry_ms` where it may be asked again after that.
    """
    rule = rule_of(error)
    said = spoken(error, client)
    about = f"{venue}: {asked or operation}"
    facts: dict[str, Any] = {"venue": venue, "operation": operation, "verdict": rule.verdict}
    if rule.verdict == "fatal":
        return BrokerFatal(f"{about}: the key is refused: {said}; check what it may do, and from where", **facts)
    if rule.verdict == "slow":
        wait = _wait_ms(error, client)
        return BrokerTransient(f"{about}: too many requests, wait {wait / 1_000:g} s: {said}", **facts, retry_ms=wait)
    if rule.verdict == "clock":
        return BrokerTransient(f"{about}: the clocks differ: {said}", **facts, retry_ms=100)
    if rule.verdict == "transient" or (rule.verdict == "ambiguous" and operation == "read"):
        return BrokerTransient(f"{about}: no answer: {said}", **facts)
    if rule.verdict == "ambiguous":
        return BrokerUnknown(f"{about}: the answer was lost, it may have taken effect: {said}", **facts)
    why = REJECTIONS.get(rule.code) or VENUE_REJECTIONS[rule.code]
    return BrokerRejected(f"{about}: {why}: {said}", **facts, code=rule.code)


def _wait_ms(error: BaseException, client: Any) -> int:
    """Read how long a venue wants to be left alone."""
    asked = retry_after_s(getattr(client, "last_response_headers", None))
    if asked is not None:
        return round(asked * 1_000)
    text = str(error)
    until = re.search(r"(?:banned|wait) until (\d{13})", text)
    if until:
        return max(_SLOW_MS, int(until[1]) - time.time_ns() // 1_000_000)
    return _BANNED_MS if re.search(r"\b418\b", text) else _SLOW_MS
