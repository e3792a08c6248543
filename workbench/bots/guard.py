"""The guard of a bot: a small process beside it that ends it when it was ordered to end and does not.

It hears from its bot by its standard input, one JSON object a line: first whom it guards, how, and the key of the
account, which is never on a command line or in the environment; then, before any order goes out, what the bot has at
the venue, and a word now and then that its consumer still turns. It looks for the kill files itself, and sees Ctrl-C
even while the bot's interpreter is stuck: the C handler of a signal writes its number into a pipe that the guard reads.

When the bot does not react to an order, its process is killed with SIGKILL, so that surely nothing is sent any more:
never another process that has got its number. Then the guard cancels and closes at the venue itself, looks until the
venue shows it, and sees that the journal says it. It stands in a session of its own: neither Ctrl-C nor a closed
terminal reaches it. While nothing is wrong it needs no network, no database and no more than a few wake-ups a second.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward, silence_file
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.guard_record import Record

__all__ = ["Guard", "main"]

_LOOK_S: Final = 0.25
_DEATH_S: Final = 5.0  # that a killed process may take to be gone
_TWICE: Final = "killed by Ctrl-C"
_INTERRUPTS: Final = frozenset((int(signal.SIGINT), int(signal.SIGTERM)))


class Guard:
    """The guard of one bot, in its own process.

    Parameters
    ----------
    ward : Ward
    terms : GuardTerms
    credentials : Credentials or None
        None where the bot is at no venue.
    signals : int
        File descriptor from which the numbers of the bot's signals come; -1 for none.
    """

    def __init__(self, ward: Ward, terms: GuardTerms, credentials: Credentials | None, signals: int) -> None:
        self.ward, self.terms, self.credentials, self.signals = ward, terms, credentials, signals
        self.state: dict[str, Any] | None = None  # what the bot has at the venue
        self.how = self.reason = ""  # what was ordered
        self.ordered = 0.0
        self.ended: dict[str, Any] | None = None
        self.heard = time.monotonic()
        self.refused = False  # its journal takes nothing
        self._interrupts = 0
        self._text = b""
        self._over = False
        self._told_of_hanging = False
        self._panel = terms.panel and sys.stderr.isatty()

    def watch(self) -> int:
        """Watch until the bot has ended, or was ended, and give the exit code."""
        self._note_silence(False)
        try:
            return self._watch()
        finally:
            self._note_silence(False)

    def _watch(self) -> int:
        while True:
            sources = [0, self.signals] if self.signals >= 0 else [0]
            ready = [] if self._over else select.select(sources, [], [], _LOOK_S)[0]
            if self.signals in ready:
                self._count(os.read(self.signals, 1_024))
            if 0 in ready:
                self._hear()
            self._find_orders()
            now = time.monotonic()
            if self.ended is not None:
                return self._finish("the bot could not do it itself") if self._wanted() else 0
            if self._over or not self.ward.runs:
                if not self._is_dead():
                    return 0
                if self.ended is None:
                    return self._died()
                continue
            if why := self._given_up_on(now):
                return self._finish(why)

    def _given_up_on(self, now: float) -> str:
        """Say why a bot that was ordered to end is waited for no longer; "" where it is, or was not ordered."""
        silent, waited = now - max(self.heard, self.ordered), now - self.ordered
        if not self.how:
            if silent > self.terms.hang_s and not self._told_of_hanging:
                self._told_of_hanging = True
                self._note_silence(True)
                ends = "Ctrl-C twice kills it" if self._panel else f"`workbench bots kill {self.ward.bot}` ends it"
                self.say(f"it gives no sign of life for {silent:.0f} s; {ends}")
            return ""
        if silent > self.terms.grace_s or waited > self.terms.patience_s:
            return f"the bot did not react within {waited:.1f} s and its process was ended"
        if self.refused and waited > self.terms.grace_s:
            return "the bot's journal took no intent, and its process was ended"
        return ""

    def say(self, text: str) -> None:
        """Tell a human, on the standard error."""
        said = f"guard of {self.ward.bot}: {text}"
        with suppress(OSError):
            at_terminal = sys.stderr.isatty()
            width = (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1 if at_terminal else 0
            if self._panel and self.ended is None and self.ward.runs:
                # over the last line of the picture, which lives on; where it does not, this stays
                print(f"\0337\r\033[2K{said[:width]}\0338", end="", file=sys.stderr, flush=True)
                return
            if at_terminal:
                said = "\r\n".join(textwrap.wrap(said, width, break_on_hyphens=False, subsequent_indent="  "))
            if self._panel:  # the picture is dead: a fresh line, and the cursor that it had hidden
                self._panel = False
                print("\r\n\033[?25h", end="", file=sys.stderr)
                said = f"(the picture above is of the past)\r\n{said}" if not self.ward.runs else said
            print(said, file=sys.stderr, flush=True)

    def _note_silence(self, silent: bool) -> None:
        """Let `workbench bots list` know whether the bot gives a sign of life."""
        file = silence_file(Path(self.ward.folder), self.ward.bot)
        with suppress(OSError):
            if silent:
                file.write_text(str(round((time.time() - time.monotonic() + self.heard) * 1_000)))
            else:
                file.unlink(missing_ok=True)

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            data = os.read(0, 65_536)
            self._over = not data
            *lines, self._text = (self._text + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, told: dict[str, Any]) -> None:
        self.heard = time.monotonic()
        if self._told_of_hanging:
            self._told_of_hanging = False
            self._note_silence(False)
        if "orders" in told:
            self.state = told
            self.refused = bool(told.get("refused"))
        if told.get("kill"):
            self._order(told["kill"], told.get("reason") or "killed")
        if "ended" in told:
            self.ended = told["ended"]
            if self.ended.get("state") == "STOPPED" and self.reason == _TWICE:
                self.how = ""  # it came when the bot had stopped; a kill file is found again

    def _count(self, numbers: bytes) -> None:
        """Take signals that the bot's process got: the first stops it, the second kills it."""
        self._interrupts += sum(one in _INTERRUPTS for one in numbers)
        if self._interrupts > 1:
            self._order("cancel", _TWICE)

    def _find_orders(self) -> None:
        from workbench.bots.killing import order_in

        how = order_in(Path(file) for file in self.ward.files)
        if how:
            self._order(how, "a kill file was found")

    def _order(self, how: str, reason: str) -> None:
        if not self.how:
            self.reason, self.ordered = reason, time.monotonic()
        if how != self.how and self.how != "flatten":
            self.how = how

    def _wanted(self) -> bool:
        return bool(self.how) and not (self.ended or {}).get("clean")

    def _is_dead(self) -> bool:
        """Wait for the end of a process that has closed its side, and hear what it had said last.

        One that lives on has another guard.
        """
        end = time.monotonic() + _DEATH_S
        while self.ward.runs and time.monotonic() < end:
            time.sleep(0.01)
        if self.ward.runs:
            return False
        while not self._over and select.select([0], [], [], 0.0)[0]:
            self._hear()
        return True

    def _died(self) -> int:
        """The bot is gone without a word: what was ordered is done, or else what the terms say."""
        self._find_orders()
        if not self.how and self.terms.on_death:
            self._order(self.terms.on_death, "the bot died")
        return self._finish("the bot's process was gone") if self.how else 0

    # what is done

    def _finish(self, why: str) -> int:
        """End the bot's process if it is there, wind down at the venue, and have the journal say so."""
        from workbench.bots.guard_record import Record, read_record
        from workbench.bots.journal.keys import seal_key

        gone = self.ended is not None or self._end_process()
        record = Record(
            self.ward.bot, self.how, f"{self.reason}; {why}", time.time_ns() // 1_000_000,
            venue=bool(self.ward.venue),
        )  # fmt: skip
        key = b""
        with suppress(WorkbenchError):
            key = seal_key(Path(self.ward.folder))
            record.go_on_from(read_record(Path(self.ward.folder), self.ward.bot, key))
        if self.ward.venue:
            closes = "its orders are cancelled and its positions closed"
            self.say(f"{record.reason}; {closes if self.how == 'flatten' else 'its orders are cancelled'} now")
        self._keep(record, key)
        if self.ward.venue:
            self._wind_down(record, key)
            self._find_orders()
            if self.how != record.how:  # closing out was ordered meanwhile
                record.how, record.verified = self.how, False
                self._wind_down(record, key)
            if self._text:
                record.verified, record.text = False, f"{record.text}; the last that it said was cut off"
        else:
            record.verified = True
        if not gone:
            record.verified, record.text = False, f"{record.text}; its process could not be ended"
        self._keep(record, key)
        self.say(record.summary)
        if self.ended is None or not self.ward.runs:
            self._tell_journal(record, key)
        self._note_end(record)
        return 0 if record.verified else 1

    def _note_end(self, record: Record) -> None:
        """Write down for who waits for it that the guard has come to its end, unless the bot has been started again."""
        ward = Ward.read(Path(self.ward.folder), self.ward.bot)
        if ward is not None and (ward.pid, ward.born) == (self.ward.pid, self.ward.born):
            ward.ended = {"state": "KILLED", "reason": record.summary, "clean": record.verified}
            with suppress(WorkbenchError):
                ward.write()

    def _end_process(self) -> bool:
        """Kill the bot's process, unless its number is another's by now, and wait until it is gone."""
        import psutil

        with suppress(psutil.Error):
            process = psutil.Process(self.ward.pid)
            if self.ward.runs:
                process.kill()  # looks itself that it is still the same one
        return self._is_dead()

    def _keep(self, record: Record, key: bytes) -> None:
        from workbench.bots.guard_record import keep_record

        try:
            keep_record(Path(self.ward.folder), record, key)
        except WorkbenchError as error:  # what is to be done at the venue is done all the same
            self.say(str(error))

    def _wind_down(self, record: Record, key: bytes) -> None:
        import asyncio

        from workbench.bots.guard_winding import wind_down_as

        if self.credentials is None:
            self.say("no key was given to it: see to the venue yourself")
            return
        try:
            asyncio.run(
                wind_down_as(
                    self.ward,
                    self.credentials,
                    self.terms,
                    self.state,
                    record,
                    keep=lambda: self._keep(record, key),
                    tell=self.say,
                )
            )
        except Exception as error:  # whatever it is, the journal and a human are told that it is not done
            record.verified = False
            record.text = f"it could not be done: {error or type(error).__name__}"
            self._keep(record, key)

    def _tell_journal(self, record: Record, key: bytes) -> None:
        """Have the journal say it; where another process keeps it, the file stays for the bot's next start."""
        from workbench.bots.guard_record import forget_record, note_in_journal

        hide = self.credentials.hide if self.credentials is not None else None
        end = time.monotonic() + self.terms.journal_s
        while True:
            try:
                with self.ward.journal(key, hide=hide) as journal:
                    note_in_journal(journal, record, moves=not self.ward.tape)
                break
            except WorkbenchError as error:
                if time.monotonic() > end:
                    self.say(f"{error}; what was done stays in {self.ward.bot}.killed.json until the bot's next start")
                    return
                time.sleep(0.2)
        if record.verified and not record.fills and not self.ward.tape:
            forget_record(Path(self.ward.folder), self.ward.bot)
        else:
            self._keep(record, key)


def main() -> int:
    """Read whom to guard, and guard it; the exit code is 1 where something is left to be done by a human."""
    for number in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
        signal.signal(number, signal.SIG_IGN)
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no key of an account in a file of crash output
    text = b""
    while not text.endswith(b"\n"):  # a byte at a time, so that nothing of the next line is taken
        more = os.read(0, 1)
        if not more:
            return 0
        text += more
    hello = json.loads(text)
    del text
    credentials = None
    if hello["key"]:
        import ccxt.async_support  # noqa: F401 -- now, and not when every second counts

        from workbench.bots.brokers.credentials import Credentials
        from workbench.bots.guard_winding import Winding  # noqa: F401 -- likewise

        key, secret, password = hello.pop("key")
        credentials = Credentials(key, secret, password=password, name=hello["ward"]["vault_name"])
    guard = Guard(Ward(**hello["ward"]), GuardTerms(**hello["terms"]), credentials, hello["signals"])
    os.set_blocking(0, False)
    return guard.watch()


if __name__ == "__main__":
    sys.exit(main())
