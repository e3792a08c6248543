"""A planted key is nowhere but in the vault: not in the journal, logs, errors, the process list or a crash."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench.bots.journal import JournalReader
from workbench.bots.vault import Secret, Vault

WORDS = "correct horse battery"
KEYS = {"key": "PlantedKey0123456789", "secret": "PlantedSecret/9876+543210=="}

BOT = """
import faulthandler, logging, os, pickle, sys
import rich.traceback
from workbench.bots.journal import Journal
from workbench.bots.vault import Vault
from workbench.bots.vault.sources import passphrase_given
from workbench.errors import WorkbenchError
from workbench.trading.events import Alert

faulthandler.enable()
rich.traceback.install(show_locals=True, width=200, locals_max_length=None, locals_max_string=None)
logging.basicConfig(level="DEBUG")
vault = Vault.open(sys.argv[1], passphrase_given())
journal = Journal.open(sys.argv[2], "demo", hide=vault.hide)

def venue(key, secret):
    # a library that puts what it was given into its error
    raise RuntimeError(f"GET https://venue.example/orders?apiKey={key.reveal()} signed by {secret!r}")

credential = vault["desk"]
journal.begin_session({"keys": str(credential), "argv": sys.argv})
try:
    venue(credential["key"], credential["secret"])
except RuntimeError as error:
    said = vault.hide(str(error))
    journal.log("error", "system", str(error), {"secret": credential["secret"].reveal(), "all": repr(credential)})
    journal.write(Alert(0, "error", str(error)), True)
    logging.error("%s %r", said, credential)
def send():
    pickle.dumps(dict(credential.fields))

def keep():
    journal.log("info", "system", "x", {"key": credential["key"]})

for dump in (send, keep):
    try:
        dump()
    except (WorkbenchError, TypeError) as error:
        print(type(error).__name__, error)
print("ready", flush=True)
sys.stdin.readline()

def crash(vault, credential, journal):
    return credential["nothing"].reveal()

crash(vault, credential, journal)
"""


def forms(text: str) -> list[bytes]:
    """How a text may be written somewhere."""
    plain = text.encode()
    return [plain, plain.hex().encode(), base64.b64encode(plain), text.encode("utf-16-le"), plain.replace(b"/", rb"\/")]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc, the list of processes")
def test_a_planted_key_is_nowhere_but_in_the_vault(tmp_path: Path) -> None:
    Vault.create(tmp_path / "bots" / "vault.wbv", Secret(WORDS), cost=10).add("desk", "binance", KEYS)
    reading, writing = os.pipe()
    os.write(writing, WORDS.encode() + b"\n")
    os.close(writing)
    place = tmp_path / "bots" / "demo.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", BOT, str(tmp_path / "bots" / "vault.wbv"), str(place)],
        env={**os.environ, "PYTHONPATH": str(Path(workbench.__file__).parents[1]), "WORKBENCH_VAULT_FD": str(reading)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(reading,), cwd=tmp_path,
    ) as process:  # fmt: skip
        os.close(reading)
        assert process.stdout is not None
        said = b""
        while not said.endswith(b"ready\n"):
            line = process.stdout.readline()
            assert line, process.communicate()[1].decode()
            said += line
        listed = [Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        out, crashed = process.communicate(b"\n", timeout=60)
    assert process.returncode == 1 and "has no field 'nothing'" in crashed.decode()
    assert b"ConfigError a secret cannot be pickled" in said and b"DataError a Secret has no place" in said
    places = {"printed": said + out, "crash": crashed, "processes": b"".join(listed)}
    places |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for text in (*KEYS.values(), WORDS):
        assert [where for where, data in places.items() for form in forms(text) if form in data] == []
    with JournalReader.open(place, "demo") as journal:
        texts = [line.text for line in journal.logs(level="error").lines]
        assert texts == ["GET https://venue.example/orders?apiKey=<desk.key> signed by Secret(***)"] * 2
        assert journal.verify().ok
