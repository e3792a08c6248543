"""`workbench bots run --live` as a process: killed and taken up again, and its key is nowhere but in the vault."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import swing
from tests.bots.vault.test_planted_keys import forms
from tests.cli.commands import arguments, environment, process
from tests.practice.stage import MINUTE, PERP, T0, market
from workbench.bots.brokers.names import Names
from workbench.bots.journal import JournalReader, read_journal
from workbench.bots.vault import Secret, Vault
from workbench.errors import ConfigError, DataError
from workbench.practice.clock import RunningClock
from workbench.practice.exchange import Exchange, Serving, usual_account
from workbench.practice.wire.signing import Credential
from workbench.settings import load_settings

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc, the list of processes")

SOURCE = """
from pathlib import Path

import workbench as wb

class Swinger(wb.OrderStrategy):
    \"\"\"Buys in one minute and closes two minutes later, with a stop far below; breaks where it is told to.\"\"\"

    def on_bar(self, view, bar):
        if Path("break").exists():
            raise KeyError("what was to be looked up")
        minute = bar.ts // 60_000 % 4
        if minute == 0 and not view.quantity():
            return view.market("buy", 0.5, stop_loss=0.3)
        if minute == 2 and view.quantity():
            return [view.cancel_all(), view.close()]
        return None
"""
WORDS = "correct horse battery"
PLANTED = {"key": "PlantedKey0123456789", "secret": "PlantedSecret/9876+543210==", "password": "PlantedPassphrase~1"}
WRONG = {"key": "PlantedWrongKey987", "secret": "PlantedWrongSecret/135=="}
SPEED = 120.0


class Desk:
    """A workspace, an exchange, and a bot that is a process."""

    def __init__(self, folder: Path, exchange: Exchange) -> None:
        self.folder, self.exchange = folder, exchange
        self.said: dict[str, bytes] = {}
        self.bot: Any = None

    def starts(self, key: str = "desk") -> None:
        """Run the command."""
        number = len(self.said)
        environs = {"WORKBENCH_VAULT_FILE": str(self.folder / "words"), "PYTHONFAULTHANDLER": "1"}
        words = ("swinger", "--live", "--at", "binance", "--on", f"{PERP}:1m", "--key", key, "--name", "demo",
                 "--cash", "5000", "--arm", "demo", "--arm", "demo")  # fmt: skip
        with (self.folder / f"said {number}").open("wb") as said:
            self.bot = subprocess.Popen(
                arguments("bots", "run", *words, "--practice", "here"), cwd=self.folder,
                env=environment(**environs), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip
        self.said[f"said {number}"] = b""

    def listed(self) -> None:
        """Keep what everybody may see of the process."""
        for name in ("cmdline", "environ"):
            self.said[f"{name} {self.bot.pid}"] = Path(f"/proc/{self.bot.pid}/{name}").read_bytes()

    def ends(self, number: int = 0) -> int:
        """Wait for the end, which a signal brings about where one is given."""
        if number:
            self.bot.send_signal(number)
        return int(self.bot.wait(60))

    def printed(self) -> str:
        return "".join(one.read_text() for one in sorted(self.folder.glob("said *")))

    def waits(self, condition: Callable[[JournalReader], Any], seconds: float = 60.0) -> None:
        """Wait for something to stand in the journal."""
        end = time.monotonic() + seconds
        while True:
            assert self.bot.poll() is None and time.monotonic() < end, self.printed()[-4_000:]
            try:
                with read_journal("demo", load_settings(self.folder)) as reader:
                    if condition(reader):
                        return
            except (ConfigError, DataError):  # it is not there yet
                pass
            time.sleep(0.05)

    def problems(self, reader: JournalReader) -> list[str]:
        """What is not as it must be."""
        return self.exchange.call(lambda: self._problems(reader))

    def _problems(self, reader: JournalReader) -> list[str]:
        engine, names, found = self.exchange.engine, Names("binanceusdm"), []
        orders = engine.orders("practice", PERP, limit=100_000)
        if twice := [name for name, count in Counter(one.client_id for one in orders).items() if count > 1]:
            found.append(f"sent twice: {twice}")
        wanted = [one.record.order.id for one in reader.entries(kinds=["Submit"])]
        if len(set(wanted)) != len(wanted) or {names.read(one.client_id)[0] for one in orders} - set(wanted):
            found.append(f"orders {[one.client_id for one in orders]} were intended as {wanted}")
        fills = [one.record for one in reader.entries(kinds=["Filled"])]
        there = sorted(str(one.id) for one in engine.executions("practice", limit=100_000))
        if sorted(one.trade for one in fills) != there:
            found.append(f"fills {there} are booked as {[one.trade for one in fills]}")
        held = sum(one.quantity for one in engine.positions("practice"))
        stops = [one for one in engine.open_orders("practice") if one.type == "stop"]
        booked = sum(one.quantity if one.side == "buy" else -one.quantity for one in fills)
        if abs(booked - held) > 1e-9 or bool(stops) != bool(held):
            found.append(f"{held} are held and {booked} are booked; stops: {stops}")
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "workbench.toml").touch()
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "swinger.py").write_text(SOURCE)
    vault = Vault.create(tmp_path / "data" / "bots" / "vault.wbv", Secret(WORDS), cost=10)
    vault.add("desk", "binance", PLANTED)
    vault.add("wrong", "binance", WRONG)
    (tmp_path / "words").write_text(f"{WORDS}\n")
    (tmp_path / "words").chmod(0o600)
    markets = {PERP: market(PERP, swing(), tick_size=0.01, lot_size=0.001)}
    credentials = (Credential("practice", PLANTED["key"], PLANTED["secret"]),)
    with Exchange(
        markets, clock=RunningClock(SPEED, T0 + 100 * MINUTE), accounts={"practice": usual_account(markets)},
        serving=Serving(folder=tmp_path / "data" / "practice", credentials=credentials),
    ) as exchange:  # fmt: skip
        one = Desk(tmp_path, exchange)
        try:
            yield one
        finally:
            if one.bot is not None:
                one.bot.kill()
                one.bot.wait()


def fills(count: int) -> Callable[[JournalReader], bool]:
    return lambda reader: len(list(reader.entries(kinds={"Filled"}))) >= count


def runs(desk: Desk) -> Callable[[JournalReader], bool]:
    """The session in hand has come to work."""

    def so(reader: JournalReader) -> bool:
        states = [one.record.state for one in reader.entries(kinds={"Moved"})]
        starts = sum(name.startswith("said") for name in desk.said)
        return states.count("STARTING") == starts and states[-1] == "RUNNING"

    return so


def is_refused(reader: JournalReader) -> bool:
    return any("Planted" not in one.record.text for one in reader.entries(kinds={"Rejected"}))


def killed_in_the_middle(desk: Desk) -> None:
    """It trades; the venue refuses an order in words that repeat the key; it is killed, and another takes it up."""
    desk.starts()
    desk.waits(fills(2))
    desk.listed()
    echo = f"apiKey {PLANTED['key']} secret {PLANTED['secret']} may not do this"
    desk.exchange.faults.add("reject", target="submit", code=-2010, text=echo, when={"count": 2})
    desk.waits(is_refused)
    desk.waits(fills(4))
    desk.ends(signal.SIGKILL)
    desk.starts()
    desk.waits(fills(6))
    desk.waits(lambda reader: desk.problems(reader) == [])


def crashes(desk: Desk) -> None:
    """It crashes inside a library, and prints where."""
    desk.starts()
    before = len(desk.exchange.call(lambda: desk.exchange.engine.executions("practice", limit=100_000)))
    desk.waits(fills(before + 1))
    assert desk.ends(signal.SIGABRT) == -signal.SIGABRT
    assert "Fatal Python error" in desk.printed()


def breaks(desk: Desk) -> None:
    """Its strategy raises."""
    desk.starts()
    desk.waits(runs(desk))
    (desk.folder / "break").touch()
    assert desk.ends() == 1
    assert "demo is FAILED: StrategyError: Swinger().on_bar at" in desk.printed()
    desk.starts()
    assert desk.ends() == 2  # it breaks again at what its journal tells
    (desk.folder / "break").unlink()
    assert "Error: Swinger().on_bar at" in desk.printed() and "what was to be looked up" in desk.printed()


def has_the_wrong_key(desk: Desk) -> None:
    """The venue does not know the key."""
    desk.starts("wrong")
    assert desk.ends() != 0


def is_nowhere(desk: Desk) -> None:
    """Nothing that was planted is anywhere: not in files, print, the list of processes, or what is exported."""
    with read_journal("demo", load_settings(desk.folder)) as reader:
        reader.export(desk.folder / "exported")
        assert reader.verify().ok
    places = dict(desk.said)
    secret = (desk.folder / "words", desk.folder / "data" / "bots" / "vault.wbv")
    places |= {str(path): path.read_bytes() for path in desk.folder.rglob("*") if path.is_file() and path not in secret}
    assert any(name.endswith(".parquet") for name in places) and any(name.startswith("cmdline") for name in places)
    for text in (*PLANTED.values(), *WRONG.values(), WORDS):
        found = [(name, form) for name, data in places.items() for form in forms(text) if form in data]
        assert found == []


def changed(place: Path, position: int) -> None:
    """Change one byte of an entry."""
    with closing(sqlite3.connect(place)) as connection, connection:
        (body,) = connection.execute("SELECT body FROM bot_entries WHERE position = ?", (position,)).fetchone()
        connection.execute("UPDATE bot_entries SET body = ? WHERE position = ?", (body.replace("1", "2", 1), position))


def is_not_taken_up_once_its_journal_was_changed(desk: Desk) -> None:
    place = desk.folder / "data" / "bots" / "demo.sqlite"
    with read_journal("demo", load_settings(desk.folder)) as reader:
        position = next(one.position for one in reader.entries(kinds={"Filled"}))
    changed(place, position)
    asked = desk.exchange.call(lambda: len(desk.exchange.engine.orders("practice", PERP, limit=100_000)))
    desk.starts()
    assert desk.ends() != 0
    assert f"entry {position:,}" in " ".join(desk.printed().split()), desk.printed()
    assert desk.exchange.call(lambda: len(desk.exchange.engine.orders("practice", PERP, limit=100_000))) == asked
    done = process("bots", "verify", "demo", "--json", cwd=desk.folder)
    assert done.code != 0 and json.loads(done.out)[0]["position"] == position


@pytest.mark.long
def test_it_is_killed_and_goes_on_and_its_key_is_nowhere(desk: Desk) -> None:
    killed_in_the_middle(desk)
    desk.ends(signal.SIGKILL)
    is_nowhere(desk)
    is_not_taken_up_once_its_journal_was_changed(desk)


@pytest.mark.long
def test_a_key_is_nowhere_whatever_becomes_of_the_bot(desk: Desk) -> None:
    killed_in_the_middle(desk)
    assert desk.ends(signal.SIGTERM) == 0
    crashes(desk)
    breaks(desk)
    has_the_wrong_key(desk)
    is_nowhere(desk)
