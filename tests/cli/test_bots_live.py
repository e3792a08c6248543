"""`workbench bots run --live` at a practice exchange: a bot trades, is stopped, goes on; and what is refused."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import secret, swing
from tests.cli.commands import Command, arguments, call, environment
from tests.practice.stage import MINUTE, PERP, T0, market
from workbench.bots.journal import JournalReader, read_journal
from workbench.bots.vault import Secret, Vault
from workbench.errors import ConfigError, DataError
from workbench.practice.clock import RunningClock
from workbench.practice.exchange import Exchange, Serving, usual_account
from workbench.practice.wire.signing import Credential
from workbench.settings import load_settings

SOURCE = """
import workbench as wb

class Swinger(wb.OrderStrategy):
    \"\"\"Buys in one minute and closes two minutes later, with a stop far below.\"\"\"

    def on_bar(self, view, bar):
        minute = bar.ts // 60_000 % 4
        if minute == 0 and not view.quantity():
            return view.market("buy", 0.5, stop_loss=0.3)
        if minute == 2 and view.quantity():
            return [view.cancel_all(), view.close()]
        return None
"""
PASSPHRASE = "correct horse battery"
SPEED = 200.0
"""Of the exchange's clock: a minute in 0.3 s."""
PLANTED = "S8-PLANTED"
LIVE = (
    "swinger",
    "--live",
    "--at",
    "binance",
    "--on",
    f"{PERP}:1m",
    "--key",
    "desk",
    "--name",
    "demo",
    "--cash",
    "5000",
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a strategy and keys, those of an exchange that is not there yet."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "workbench.toml").touch()
    (folder / "strategies").mkdir()
    (folder / "strategies" / "swinger.py").write_text(SOURCE)
    vault = Vault.create(folder / "data" / "bots" / "vault.wbv", Secret(PASSPHRASE), cost=10)
    for name in ("desk", "greedy", "looker"):
        vault.add(name, "binance", {"key": f"key-of-{name}", "secret": secret(name)})
    vault.add("stranger", "binance", {"key": "K-OF-A-STRANGER", "secret": PLANTED})
    vault.add("other", "kraken", {"key": "K-OF-ANOTHER", "secret": PLANTED})
    words = folder / "passphrase"
    words.write_text(f"{PASSPHRASE}\n")
    words.chmod(0o600)
    return folder


@pytest.fixture
def exchange(desk: Path) -> Iterator[Exchange]:
    """A practice exchange of this workspace, whose clock runs."""
    markets = {PERP: market(PERP, swing(), tick_size=0.01, lot_size=0.001)}
    credentials = tuple(
        Credential("practice", f"key-of-{name}", secret(name), trades=name != "looker", withdraws=name == "greedy")
        for name in ("desk", "greedy", "looker")
    )
    with Exchange(
        markets, clock=RunningClock(SPEED, T0 + 100 * MINUTE), accounts={"practice": usual_account(markets)},
        serving=Serving(folder=desk / "data" / "practice", credentials=credentials),
    ) as served:  # fmt: skip
        yield served


@pytest.fixture
def bots(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("WORKBENCH_VAULT_FILE", str(desk / "passphrase"))
    return lambda *words: call("--workspace", desk, "bots", *words)


class Process:
    """A bot in a process of its own."""

    def __init__(self, desk: Path, exchange: Exchange, *words: str) -> None:
        self.desk = desk
        self.started = subprocess.Popen(
            arguments("bots", "run", *words, "--practice", f"https://127.0.0.1:{exchange.route.port}"),
            cwd=desk, env=environment(WORKBENCH_VAULT_FILE=str(desk / "passphrase")), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        self.started.kill()
        self.started.communicate()

    def waits(self, condition: Callable[[JournalReader], Any], seconds: float = 45.0) -> Any:
        """Wait until something stands in the journal."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.started.poll() is None:
            try:
                with read_journal("demo", load_settings(self.desk)) as reader:
                    found = condition(reader)
            except (ConfigError, DataError):  # not there yet, or being made
                found = None
            if found:
                return found
            time.sleep(0.05)
        self.started.kill()
        raise AssertionError(self.started.communicate())

    def ends(self, number: int) -> tuple[int, str, str]:
        self.started.send_signal(number)
        out, err = self.started.communicate(timeout=40)
        return self.started.returncode, out, err


def fills(reader: JournalReader) -> int:
    return len(list(reader.entries(kinds={"Filled"})))


def test_it_trades_is_stopped_and_goes_on(desk: Path, exchange: Exchange, bots: Command) -> None:
    with Process(desk, exchange, *LIVE) as process:
        process.waits(lambda reader: fills(reader) > 2)
        code, out, err = process.ends(signal.SIGINT)
    assert (code, "demo is STOPPED: stopped by its user" in out) == (0, True), err
    with Process(desk, exchange, *LIVE) as process:
        before = process.waits(fills)
        process.waits(lambda reader: fills(reader) > before)
        assert process.ends(signal.SIGTERM)[0] == 0
    assert bots("verify", "demo").code == 0
    with read_journal("demo", load_settings(desk)) as reader:
        sessions = reader.sessions()
        assert [one.reason for one in sessions] == ["stopped by its user"] * 2
        assert sessions[0].details["spec"]["venue"] == "practice-binance"
        assert sessions[0].details["instruments"][0]["symbol"] == PERP
