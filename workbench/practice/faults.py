"""Faults on demand: what goes wrong on a practice exchange, decided by rules, each with a generator of its own.

The server asks at fixed points: `before` a request is handled, `after` it was, and for every `message` that it is about
to send; the exchange asks `act` as its clock goes on. Nothing is done here, so that the same rules serve every protocol
and can be tested without a server. The same scenario and seed give the same faults for the same sequence of requests:
a rule counts and draws only at what it matches, whatever else goes on. What was done is in `log`.

`faults_scenario` reads rules from a file, `faults_rules` says which there are, `faults_targets` what they match.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from workbench.practice import faults_answers, faults_market
from workbench.practice.faults_answers import PASS, Cut, Decision
from workbench.practice.faults_messages import Sending, send
from workbench.practice.faults_rules import (
    MARKET_RULES,
    MESSAGE_RULES,
    REQUEST_RULES,
    ClockSkew,
    Disconnect,
    Maintenance,
    RateLimit,
    Rule,
)
from workbench.practice.faults_scenario import Scenario, check_rule, load_scenario
from workbench.practice.faults_state import Live
from workbench.practice.faults_targets import Asked, has_fields, matches_request, matches_stream

__all__ = ["Asked", "Cut", "Decision", "Done", "Faults", "Sending"]

_LOGGED: Final = 100_000  # entries that are kept


class Done(NamedTuple):
    """A fault that was done.

    Parameters
    ----------
    ts : int
        When, by the exchange's clock (ms UTC).
    rule : int
        The rule's number, as `add` gave it.
    fault : str
        Its kind, such as "reset".
    target : str
        The request (`POST /api/v3/order`), stream or symbol.
    detail : str
        What was done, in words.
    """

    ts: int
    rule: int
    fault: str
    target: str
    detail: str

    def __str__(self) -> str:
        return f"{self.fault} at {self.target}: {self.detail}"


class Faults:
    """What goes wrong: rules that can be added and taken away while the exchange runs.

    Parameters
    ----------
    scenario : Scenario, path, mapping or sequence of mappings, optional
        Rules to begin with; a path names a scenario file, a bare name one of those that come with workbench.
    seed : int, optional
        Instead of the scenario's.
    now : callable, optional
        The exchange's clock, ms UTC; `begin` sets it.
    real : callable, optional
        The real clock in seconds, by which bans and reconnections wait.

    Raises
    ------
    ConfigError
        The scenario cannot be read, or something in it is wrong.

    Examples
    --------
    >>> faults = Faults()
    >>> faults.add("reset", target="submit", landed=True, when={"nth": 2})
    0
    >>> order = Asked("POST", "/api/v3/order", "binance")
    >>> [faults.after(order, 200, b"{}").action for _ in range(3)]
    ['pass', 'reset', 'pass']
    """

    def __init__(
        self,
        scenario: Scenario | str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        seed: int | None = None,
        now: Callable[[], int] = lambda: 0,
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scenario = load_scenario(scenario)
        self.seed = self.scenario.seed if seed is None else seed
        self.log: list[Done] = []
        self._now, self._real, self._began = now, real, 0
        self._lock = threading.RLock()
        self._live: dict[int, Live] = {}
        self._added = 0
        self._down: dict[str, float] = {}  # venue: real time until which websockets are refused
        self._banned: dict[str, faults_answers.Ban] = {}
        for rule in self.scenario.rules:
            self._put(rule)

    def __repr__(self) -> str:
        return f"Faults({len(self._live)} rules, seed={self.seed}, {len(self.log)} done)"

    def __len__(self) -> int:
        return len(self._live)

    def begin(self, now: Callable[[], int]) -> None:
        """Take the exchange's clock; relative times of rules count from now on."""
        with self._lock:
            self._now, self._began = now, now()

    def add(self, fault: str | Mapping[str, Any], /, **settings: Any) -> int:
        """Add a rule.

        Parameters
        ----------
        fault : str or mapping
            The kind, or a whole rule as in a scenario file.
        **settings
            The rule's other fields.

        Returns
        -------
        int
            Its number, for `remove`.

        Raises
        ------
        ConfigError
            There is no such fault, or a field is wrong.
        """
        told = {"fault": fault} if isinstance(fault, str) else dict(fault)
        return self._put(check_rule({**told, **settings}))

    def _put(self, rule: Rule) -> int:
        with self._lock:
            number, self._added = self._added, self._added + 1
            self._live[number] = Live(number, rule, self.seed)
            return number

    def remove(self, number: int) -> None:
        """Take a rule away; nothing happens if it is gone already."""
        with self._lock:
            self._live.pop(number, None)

    def clear(self) -> None:
        """Take all rules away, and lift bans."""
        with self._lock:
            self._live.clear()
            self._banned.clear()
            self._down.clear()

    def before(self, asked: Asked) -> Decision:
        """Decide what becomes of a request before it is handled; what is not `PASS` keeps it from taking effect."""
        with self._lock:
            barred = self._barred(asked)
            if barred is not None:
                return barred
            return self._decide(asked, False, lambda live: faults_answers.before(live, asked))

    def after(self, asked: Asked, status: int, body: bytes) -> Decision:
        """Decide what becomes of the answer to a request that was handled, given what it would be."""
        with self._lock:
            return self._decide(asked, True, lambda live: faults_answers.after(live, status, body))

    def message(self, stream: str, payload: Any, *, venue: str = "", connection: str = "") -> list[Sending]:
        """Decide how a message goes out: what is sent instead of it, in order, each after a delay.

        Parameters
        ----------
        stream : str
            Such as "btcusdt@trade"; "user" for an account's own, in every protocol.
        payload
            The message, as text or as what becomes JSON.
        venue : str
        connection : str
            Tells connections apart, for messages that are held back.

        Returns
        -------
        list of Sending
            `(delay_ms, payload)`; a payload may be a `Cut`, which ends the connection.
        """
        with self._lock:
            out = [Sending(0.0, payload)]
            for live in list(self._live.values()):
                rule = live.rule
                if not isinstance(rule, MESSAGE_RULES) or not self._addressed(live, venue):
                    continue
                if not matches_stream(stream, payload, rule.target) or not has_fields(payload, rule.having):
                    continue
                out, detail = send(live, live.fires(self._now(), self._began), out, (stream, connection))
                if detail:
                    self._note(live, stream, detail)
                if detail and isinstance(rule, Disconnect):
                    down = rule.down.draw(live.sizes) / 1_000
                    self._down[venue] = max(self._down.get(venue, 0.0), self._real() + down)
            return out

    def skew_ms(self, venue: str = "") -> int:
        """Give how much a venue's clock is ahead of true time now, in ms."""
        with self._lock:
            return sum(
                live.rule.skew
                for live in self._live.values()
                if isinstance(live.rule, ClockSkew) and self._addressed(live, venue)
                if live.rule.when.open(self._now(), self._began)
            )

    def closed(self, venue: str = "") -> bool:
        """Tell whether a venue is under maintenance now, when its websockets are to be closed."""
        with self._lock:
            return any(self._under_maintenance(live, venue) for live in self._live.values())

    def act(self, engine: faults_market.Market) -> int | None:
        """Do to the market what is due by the exchange's clock; give the next time (ms) at which something is.

        The exchange calls it as its clock goes on; to be exact, it stops at the time that was given.
        """
        with self._lock:
            now = self._now()
            market = [live for live in self._live.values() if isinstance(live.rule, MARKET_RULES)]
            for live in market:
                faults_market.undo(live, engine, now)
            for live in market:
                if live.due(now, self._began):
                    self._disturb(live, engine)
            times = [one for live in market for one in (live.until, live.starts(self._began))]
            return min((one for one in times if one is not None and one > now), default=None)

    def touch(self, asked: Asked, engine: faults_market.Market) -> None:
        """Do to the market what a request sets off, before it is handled."""
        with self._lock:
            for live in list(self._live.values()):
                rule = live.rule
                meant = isinstance(rule, MARKET_RULES) and bool(rule.target) and self._meant(live, asked)
                if meant and live.fires(self._now(), self._began):
                    self._disturb(live, engine)

    def _disturb(self, live: Live, engine: faults_market.Market) -> None:
        target, detail = faults_market.disturb(live, engine, self._now())
        self._note(live, target, detail)

    def _decide(self, asked: Asked, handled: bool, how: Callable[[Live], Decision]) -> Decision:
        """Let all rules count and add their delays, and the first that fires say what else is done."""
        decided = PASS
        for live in list(self._live.values()):
            if not isinstance(live.rule, REQUEST_RULES) or faults_answers.handled_first(live.rule) != handled:
                continue
            if isinstance(live.rule, (Maintenance, ClockSkew)) or not self._meant(live, asked):
                continue
            settled = decided.action != "pass"
            if not live.fires(self._now(), self._began, spend=not settled):
                continue
            said = how(live)
            if settled and said.action != "pass":
                continue
            if isinstance(live.rule, RateLimit):
                self._banned[asked.venue] = faults_answers.Ban.of(live.number, live.rule, self._real())
            self._note(live, str(asked), said.detail)
            decided = said._replace(delay_ms=decided.delay_ms + said.delay_ms) if not settled else decided
        return decided

    def _barred(self, asked: Asked) -> Decision | None:
        """Give the answer to a request that comes during a ban or maintenance, or while websockets are down."""
        for live in self._live.values():
            if self._under_maintenance(live, asked.venue) and matches_request(asked, live.rule.target):
                said = faults_answers.before(live, asked)
                self._note(live, str(asked), said.detail)
                return said
        now = self._real()
        ban = self._banned.get(asked.venue)
        if ban is not None and now < ban.until:
            said = ban.again(now)
            self._record(ban.rule, "rate_limit", str(asked), said.detail)
            return said
        if asked.method == "DIAL" and now < self._down.get(asked.venue, 0.0):
            return faults_answers.html(503, "the websockets are down")
        return None

    def _under_maintenance(self, live: Live, venue: str) -> bool:
        rule = live.rule
        return (
            isinstance(rule, Maintenance) and self._addressed(live, venue) and rule.when.open(self._now(), self._began)
        )

    def _addressed(self, live: Live, venue: str) -> bool:
        return live.rule.venue in ("*", venue)

    def _meant(self, live: Live, asked: Asked) -> bool:
        rule = live.rule
        return (
            self._addressed(live, asked.venue)
            and matches_request(asked, rule.target)
            and has_fields(asked.params, rule.having)
        )

    def _note(self, live: Live, target: str, detail: str) -> None:
        self._record(live.number, live.rule.fault, target, detail)

    def _record(self, rule: int, fault: str, target: str, detail: str) -> None:
        self.log.append(Done(self._now(), rule, fault, target, detail))
        if len(self.log) > _LOGGED:
            del self.log[: _LOGGED // 10]
