"""Faults of the market itself, done through what the exchange's engine offers to everybody."""

from __future__ import annotations

from typing import Protocol

from workbench.practice.faults_rules import BalanceChange, Delist, Halt, PartialFills, PriceGap, StaleBook
from workbench.practice.faults_state import Live

__all__ = ["Market", "disturb", "undo"]


class Market(Protocol):
    """What of an engine is needed to disturb its market."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the accounts."""
        ...

    def adjust(self, account: str, asset: str, amount: float, reason: str, *, wallet: str) -> object:
        """Change a balance from outside."""
        ...

    def gap(self, symbol: str, fraction: float) -> object:
        """Let the price jump by a fraction."""
        ...

    def halt(self, symbol: str) -> object:
        """Stop trading in a symbol until `resume`."""
        ...

    def resume(self, symbol: str) -> object:
        """Let it trade again."""
        ...

    def delist(self, symbol: str) -> object:
        """End trading in a symbol for good."""
        ...

    def freeze_book(self, symbol: str, frozen: bool) -> object:
        """Let the book show what it shows now, or go on."""
        ...

    def limit_fills(self, symbol: str, fraction: float) -> object:
        """Let orders get only this fraction of what is there at a time; 1 is all."""
        ...


def disturb(live: Live, engine: Market, now: int) -> tuple[str, str]:
    """Do what a rule says, and give what it was done to and what in words."""
    rule = live.rule
    if isinstance(rule, (Halt, StaleBook, PartialFills)):
        live.until = now + rule.lasting
    match rule:
        case PriceGap():
            engine.gap(rule.symbol, rule.fraction)
            return rule.symbol, f"price moved by {rule.fraction * 100:+.4g} %"
        case Halt():
            engine.halt(rule.symbol)
            return rule.symbol, f"trading stopped for {rule.lasting / 1_000:g} s"
        case Delist():
            engine.delist(rule.symbol)
            return rule.symbol, "taken off the venue"
        case StaleBook():
            engine.freeze_book(rule.symbol, True)
            return rule.symbol, f"book stands still for {rule.lasting / 1_000:g} s"
        case PartialFills():
            engine.limit_fills(rule.symbol, rule.fraction)
            return rule.symbol, f"orders get {rule.fraction * 100:g} % at a time"
        case BalanceChange():
            for account in (rule.account,) if rule.account else engine.accounts:
                engine.adjust(account, rule.asset, rule.amount, rule.reason, wallet=rule.wallet)
            return rule.asset, f"balance changed by {rule.amount:+g}"
    return "", ""


def undo(live: Live, engine: Market, now: int) -> None:
    """End what a rule did for a while, if that is over."""
    if live.until is None or now < live.until:
        return
    live.until = None
    match live.rule:
        case Halt(symbol=symbol):
            engine.resume(symbol)
        case StaleBook(symbol=symbol):
            engine.freeze_book(symbol, False)
        case PartialFills(symbol=symbol):
            engine.limit_fills(symbol, 1.0)
