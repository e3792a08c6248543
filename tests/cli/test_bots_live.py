"""`workbench bots run --live` at a practice exchange: a bot trades, is stopped, goes on; and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import secret, swing
from tests.cli.commands import Command, Done, arguments, call, environment
from tests.practice.stage import MINUTE, PERP, T0, market
from workbench.bots.journal import JournalReader, open_journal, read_journal
from workbench.bots.vault import Secret, Vault
from workbench.cli.bots_live_spec import Wanted, armed_now
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


def seen(desk: Path, condition: Callable[[JournalReader], Any], name: str = "demo") -> Any:
    """What a condition makes of the journal; nothing while there is none."""
    try:
        with read_journal(name, load_settings(desk)) as reader:
            return condition(reader)
    except (ConfigError, DataError):  # not there yet, or being made
        return None


def waits(desk: Path, name: str, condition: Callable[[JournalReader], Any], alive: Callable[[], bool]) -> None:
    """Wait until something stands in the journal, as long as it may come to that."""
    until = time.monotonic() + 60.0
    while time.monotonic() < until and alive() and not seen(desk, condition, name):
        time.sleep(0.05)


def here(bots: Command, desk: Path, exchange: Exchange, *words: str, until: Callable[[JournalReader], Any]) -> Done:
    """Run a bot in this process, and stop it as Ctrl-C would once something stands in its journal."""
    over = threading.Event()
    name = words[words.index("--name") + 1]

    def stop() -> None:
        try:
            waits(desk, name, until, lambda: not over.is_set())
        finally:
            if not over.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=stop, daemon=True)
    watcher.start()
    try:
        return bots("run", *words, "--practice", f"https://127.0.0.1:{exchange.route.port}")
    finally:
        over.set()
        watcher.join()


def fills(reader: JournalReader) -> int:
    return len(list(reader.entries(kinds={"Filled"})))


def running(reader: JournalReader) -> bool:
    """Whether the last session has come to trading."""
    last = [one.record.state for one in reader.entries(kinds={"Moved"})][-1:]
    return last == ["RUNNING"] and bool(list(reader.entries(kinds={"Started"})))


def test_it_is_armed_begins_small_is_stopped_and_goes_on(desk: Path, exchange: Exchange, bots: Command) -> None:
    done = here(bots, desk, exchange, *LIVE, until=lambda reader: running(reader) and bars_since_start(reader) > 4)
    assert done.code == 0 and "demo is STOPPED: stopped by " in done.out, done
    assert "the bot is not armed: nobody has armed it" in done.out
    assert seen(desk, fills) == 0  # it watched
    armed = here(bots, desk, exchange, *LIVE, "--arm", "demo", "--arm", "demo", until=lambda reader: fills(reader) > 1)
    assert armed.code == 0 and "the bot is armed by" in armed.out and "first 5 orders are small" in armed.out, armed
    count = seen(desk, fills)
    again = here(bots, desk, exchange, *LIVE, "--json", until=lambda reader: fills(reader) > count)
    told = json.loads(again.out)
    assert (told["state"], told["mode"], told["venue"]) == ("STOPPED", "live", "practice-binance")
    assert told["armed"].startswith("armed by ") and "orders small" in told["armed"]  # it stayed so
    assert bots("verify", "demo").code == 0
    with read_journal("demo", load_settings(desk)) as reader:
        assert [one.reason.startswith("stopped by") for one in reader.sessions()] == [True] * 3
        first = reader.sessions()[0].details
        assert first["spec"]["key"] == "desk" and first["instruments"][0]["symbol"] == PERP
        sizes = {one.record.order.quantity for one in reader.entries(kinds={"Submit"}) if not one.record.order.parent}
        assert max(sizes) < 0.25 and 0.5 not in sizes  # twice the least, where the strategy wants half a coin
    for secret_one in (secret("desk"), "key-of-desk", PASSPHRASE):
        assert secret_one not in done.out + armed.out + again.out
        assert secret_one.encode() not in (desk / "data" / "bots" / "demo.sqlite").read_bytes()
    check_other_ways(bots, desk, exchange)


def bars_since_start(reader: JournalReader) -> int:
    return len(list(reader.entries(kinds={"Bar"})))


def check_other_ways(bots: Command, desk: Path, exchange: Exchange) -> None:
    """The bot that is there is no other one, and nobody else runs it meanwhile."""
    url = ("--practice", f"https://127.0.0.1:{exchange.route.port}")
    paper = [one for one in LIVE if one not in ("--live", "--key", "desk")]
    for words, said in (
        ((*paper, "--paper", *url), "bot 'demo' was made to trade for money and stays so; to trade on paper, give"),
        ((*LIVE[:5], "MADE/UP:1h", *LIVE[6:], *url), "series was BTC/USDT:USDT:1m and is MADE/UP:1h"),
        ((*LIVE, "--policy", "halt", *url), "policy was 'alert' and is 'halt'"),
        ((*LIVE, "--arm", "demo", *url), "a bot is armed by its name, 'demo', given twice: once is too little"),
        ((*LIVE, "--arm", "demo", "--arm", "dmeo", *url), "'dmeo' is not its name; it was not armed"),
    ):  # fmt: skip
        done = bots("run", *words)
        assert done.code == 2 and said in done.err, done
    with open_journal("demo", load_settings(desk)):
        done = bots("run", *LIVE, *url)
    assert done.code == 2 and "another process writes the journal 'demo'" in done.err, done


def test_what_cannot_be_run_is_named(desk: Path, exchange: Exchange, bots: Command) -> None:
    url = ("--practice", f"https://127.0.0.1:{exchange.route.port}")
    usual = {"--at": "binance", "--on": f"{PERP}:1m", "--key": "desk", "--name": "wrong"}

    def told(mode: str = "--live", **changes: str | None) -> str:
        options = {**usual, **{f"--{name}": value for name, value in changes.items()}}
        words = [part for name, value in options.items() if value is not None for part in (name, value)]
        done = bots("run", "swinger", mode, *words, *(() if "practice" in changes else url))
        assert done.code == 2, done
        return done.err

    assert "ccxt knows no venue 'binanse'; did you mean 'binance'" in told(at="binanse")
    assert "is for kraken and the bot is to trade at binance" in told(key="other")
    assert "has no 'nobody'; it has" in told(key="nobody")
    assert "a live bot trades with a key of the vault: say --key NAME" in told(key=None)
    assert "a bot on paper trades without a key" in told("--paper")
    assert "has no market 'BTC/USDX:USDX'" in told(on="BTC/USDX:USDX:1m")
    assert "has no 7m bars of BTC/USDT:USDT; it has 1s, 1m" in told(on=f"{PERP}:7m")
    assert "is a contract that expires" in told(on="BTC/USDT:USDT-261225:1m")
    assert "'BTC/USDT' names no series" in told(on="BTC/USDT") or "timeframe" in told(on="BTC/USDT")
    assert "say where the bot trades" in told(on=None)
    assert "policy is 'ignore'; it is adopt, alert, halt" in told(policy="ignore")
    assert "the account has 100,000 USDT, less than --cash 1e+06" in told(cash="1000000")
    assert "is no practice exchange: give its address on this machine" in told(practice="https://binance.com:443")
    assert "of this workspace is on port" in told(practice="https://127.0.0.1:1")
    stranger = told(key="stranger")
    assert "practice-binanceusdm" in stranger and PLANTED not in stranger and "K-OF-A-STRANGER" not in stranger
    assert not (desk / "data" / "bots" / "wrong.sqlite").exists()


def test_at_a_terminal_a_wrong_name_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def typing(*texts: str) -> bool:
        left = iter(texts)
        monkeypatch.setattr("builtins.input", lambda words: next(left))
        wanted = Wanted(
            at="binance", mode="live", key="desk", practice=None, cash=None, account=None, policy="alert",
            passphrase_fd=None, arm=(), restarts=0, revive=False, resume=False, as_json=False,
        )  # fmt: skip
        return armed_now("kr", wanted, armed=False)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert typing("kr", "kr") and not typing("")
    for wrong in (("rk",), ("kr", "rk")):
        with pytest.raises(ConfigError, match="'rk' is not its name; it was not armed"):
            typing(*wrong)


def test_a_wrong_passphrase_opens_nothing(desk: Path, bots: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    words = desk / "other words"
    words.write_text("wrong horse battery\n")
    words.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_VAULT_FILE", str(words))
    done = bots("run", *LIVE)
    assert done.code == 2 and "its passphrase or key is another one" in done.err and "horse" not in done.err, done


def test_a_key_that_may_withdraw_or_only_look_ends_the_bot(desk: Path, exchange: Exchange, bots: Command) -> None:
    url = ("--practice", f"https://127.0.0.1:{exchange.route.port}")
    for key, said in (("greedy", "greedy may withdraw money; a bot must not hold such a key"), ("looker", "looker")):
        words = ["swinger", "--live", "--at", "binance", "--on", f"{PERP}:1m", "--key", key, "--name", key]
        done = bots("run", *words, "--cash", "5000", *url)
        assert done.code == 1 and f"{key} is FAILED" in done.out and said in done.out, done


@pytest.mark.long
def test_a_process_shows_no_secret_and_two_signals_kill_it(desk: Path, exchange: Exchange) -> None:
    words = ["swinger", "--live", "--at", "binance", "--on", f"{PERP}:1m", "--key", "desk", "--name", "apart"]
    started = subprocess.Popen(
        arguments("bots", "run", *words, "--cash", "5000", "--arm", "apart", "--arm", "apart", "--practice", "here"),
        cwd=desk, env=environment(WORKBENCH_VAULT_FILE=str(desk / "passphrase")), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not seen(desk, fills, "apart"):
            assert started.poll() is None, started.communicate()
            time.sleep(0.05)
        listed = Path(f"/proc/{started.pid}/cmdline").read_bytes() + Path(f"/proc/{started.pid}/environ").read_bytes()
        for secret_one in (secret("desk"), "key-of-desk", PASSPHRASE):
            assert secret_one.encode() not in listed
        started.send_signal(signal.SIGINT)
        started.send_signal(signal.SIGTERM)
        out, err = started.communicate(timeout=40)
    finally:
        started.kill()
        started.communicate()
    assert started.returncode in (0, 1) and ("KILLED" in out or "STOPPED" in out), err


@pytest.mark.long
def test_on_paper_at_live_prices(desk: Path, exchange: Exchange, bots: Command) -> None:
    words = ["swinger", "--paper", "--at", "binance", "--on", f"{PERP}:1m", "--name", "dry"]
    done = here(bots, desk, exchange, *words, until=lambda reader: fills(reader) > 1)
    assert done.code == 0 and "dry is STOPPED" in done.out, done
    assert "armed" not in done.out and seen(desk, fills, "dry") > 1
    assert exchange.call(lambda: list(exchange.engine.orders("practice", PERP))) == []
    (row,) = [one for one in bots("list", "--json").json() if one["name"] == "dry"]
    assert (row["mode"], row["venue"]) == ("paper", "practice-binance")
