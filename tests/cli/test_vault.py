"""`workbench vault`: keys go in by prompt or pipe, the passphrase never as an argument, and nothing is shown."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.cli.commands import Done, arguments, environment
from workbench.bots.vault import Secret, Vault

WORDS = "correct horse battery"
KEYS = {"key": "K7-PLANTED", "secret": "S9-PLANTED"}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, with the passphrase of its vault in a file."""
    words = tmp_path / "words"
    words.write_text(f"{WORDS}\n")
    words.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_VAULT_FILE", str(words))
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "workbench.toml").write_text("")
    return tmp_path / "desk"


@pytest.fixture
def vault(desk: Path) -> Vault:
    made = Vault.create(desk / "data" / "bots" / "vault.wbv", Secret(WORDS), cost=10)
    made.add("desk", "binance", KEYS)
    return made


def call(desk: Path, *words: str, piped: Any = None) -> Done:
    from workbench.cli import app

    text = piped if isinstance(piped, str) else json.dumps(piped)
    done = CliRunner().invoke(app, ["--workspace", str(desk), "vault", *words], input=text)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert "PLANTED" not in done.stdout + done.stderr
    return Done(done.exit_code, done.stdout, done.stderr)


def test_the_first_name_makes_the_vault(desk: Path) -> None:
    done = call(desk, "add", "desk", "--venue", "binance", piped=KEYS)
    assert (done.code, done.out) == (0, "desk is in the vault (key, secret)\n")
    made = Vault.open(desk / "data" / "bots" / "vault.wbv", Secret(WORDS))
    assert made["desk"]["secret"].reveal() == "S9-PLANTED" and made["desk"].venue == "binance"
    assert (desk / "data" / "bots" / ".gitignore").read_text().endswith("*\n")


def test_names_are_listed_without_their_keys(desk: Path, vault: Vault) -> None:
    assert call(desk, "list").out.splitlines()[1].split() == [
        "desk",
        "binance",
        "key,",
        "secret",
        *_today(vault),
        "today",
    ]
    (told,) = json.loads(call(desk, "list", "--json").out)
    assert told["name"] == "desk" and told["fields"] == ["key", "secret"]
    vault.remove("desk")
    assert call(desk, "list").out.startswith("The vault is empty.")


def _today(vault: Vault) -> list[str]:
    from workbench.cli.vault import _date

    return [_date(vault["desk"].added)]


def test_keys_and_passphrase_are_rotated(desk: Path, vault: Vault) -> None:
    assert call(desk, "rotate", "desk", piped=KEYS).code == 2  # nothing is new
    done = call(desk, "rotate", "desk", piped={"key": "K8-PLANTED", "secret": "S8-PLANTED"})
    assert done.out == "desk has new keys; end the old ones at binance\n"
    reading, writing = os.pipe()
    os.write(writing, b"another set of words\n")
    os.close(writing)
    assert call(desk, "rotate", "--new-passphrase-fd", str(reading)).code == 0
    os.close(reading)
    again = Vault.open(vault.path, Secret("another set of words"))
    assert again["desk"]["key"].reveal() == "K8-PLANTED"
    assert "is another one, or the file was changed" in call(desk, "list").err


def test_a_check_says_what_could_be_better(desk: Path, vault: Vault) -> None:
    assert call(desk, "check").out.endswith("vault.wbv is as it was written: 1 name, opened with a passphrase\n")
    vault.path.chmod(0o644)
    vault.add("mail", "smtp", {"password": "P-PLANTED"})
    vault.path.chmod(0o640)
    done = call(desk, "check")
    assert done.code == 1 and "others than its owner may read the file (mode 0640): chmod 600" in done.err
    assert "mail has no key and no secret" in done.err
    data = bytearray(vault.path.read_bytes())
    data[-1] ^= 1
    vault.path.write_bytes(data)
    assert call(desk, "check").code == 2


def test_a_name_is_removed(desk: Path, vault: Vault) -> None:
    assert call(desk, "remove", "desk").out == "desk is no longer in the vault; end its keys at binance too\n"
    assert Vault.open(vault.path, Secret(WORDS)).names() == ()


@pytest.mark.parametrize(
    "piped", ["", "K7-PLANTED S9-PLANTED", '["K7-PLANTED"]', '{"key": "K7-PLANTED"}', '{"key": 7}']
)
def test_what_is_piped_in_must_be_the_fields(desk: Path, vault: Vault, piped: str) -> None:
    before = vault.path.read_bytes()
    done = call(desk, "add", "new", "--venue", "okx", piped=piped)
    assert done.code == 2 and ("as a JSON object of texts" in done.err or "has no secret" in done.err)
    assert vault.path.read_bytes() == before


def test_without_a_terminal_the_ways_to_give_the_passphrase_are_named(
    desk: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_VAULT_FILE")
    done = call(desk, "list")
    assert done.code == 2
    assert all(way in done.err for way in ("--passphrase-fd N", "WORKBENCH_VAULT_FD", "WORKBENCH_VAULT_FILE"))


def test_a_venue_that_is_none_and_a_short_passphrase_are_refused_before_anything_is_typed(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call(desk, "add", "desk2", "--venue", "binanse", piped="not read")
    assert done.code == 2 and "ccxt knows no venue 'binanse'; did you mean 'binance'" in done.err
    assert call(desk, "add", "desk2", "--venue", "practice-binanceusdm", piped=KEYS).code == 0
    (desk / "data" / "bots" / "vault.wbv").unlink()
    words = desk / "short"
    words.write_text("too short\n")
    words.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_VAULT_FILE", str(words))
    done = call(desk, "add", "desk", "--venue", "binance", piped="not read")
    assert done.code == 2 and "needs 12 characters or more" in done.err


def test_there_is_no_way_to_write_a_secret_on_the_command_line() -> None:
    from typer.main import get_command

    from workbench.cli.vault import app

    group: Any = get_command(app)
    for command in group.commands.values():
        for one in command.params:
            assert one.name in {
                "name", "venue", "field", "keyring", "passphrase_fd", "new_fd", "as_json", "help"
            }  # fmt: skip


def test_at_a_terminal_nothing_that_is_typed_is_shown(desk: Path) -> None:
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [*arguments("vault", "add", "desk", "--venue", "binance")],
        cwd=desk, env=environment(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    for asked, answer in (
        (b"New passphrase of the vault: ", WORDS), (b"The same again: ", WORDS),
        (b"key of desk: ", "K7-PLANTED"), (b"secret of desk: ", "S9-PLANTED"),
    ):  # fmt: skip
        while not said.endswith(asked):
            said += os.read(ours, 1024)
        os.write(ours, f"{answer}\n".encode())
    try:
        while part := os.read(ours, 1024):
            said += part
    except OSError:  # the other end is closed: how Linux says that a terminal has ended
        pass
    os.close(ours)
    assert started.wait(timeout=60) == 0 and said.endswith(b"desk is in the vault (key, secret)\r\n")
    assert b"PLANTED" not in said and WORDS.encode() not in said
    assert Vault.open(desk / "data" / "bots" / "vault.wbv", Secret(WORDS))["desk"]["key"].reveal() == "K7-PLANTED"


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
