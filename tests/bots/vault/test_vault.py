"""A vault keeps what is put into it, opens for its key alone, and is refused when any byte of it was changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend

from workbench.bots.vault import Secret, Vault
from workbench.bots.vault.sealing import Header, derived, parsed
from workbench.bots.vault.sources import passphrase_given, read_passphrase
from workbench.errors import ConfigError, DataError

WORDS = Secret("correct horse battery staple")
PLANTED = "PLANTED-s3cr3t"
KEYS: dict[str, str | Secret] = {"key": "K7-PLANTED", "secret": PLANTED}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bots" / "vault.wbv"


@pytest.fixture
def vault(path: Path) -> Vault:
    made = Vault.create(path, WORDS, cost=10)
    made.add("desk", "binance", KEYS)
    return made


class Memory(KeyringBackend):
    """A keyring as a desktop has one."""

    priority = 1
    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def desktop() -> Iterator[Memory]:
    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    yield memory
    memory.kept.clear()
    keyring.set_keyring(before)


def test_what_is_kept_is_there_in_the_next_process(vault: Vault, path: Path) -> None:
    vault.add("okx-desk", "okx", {"key": "a", "secret": "b", "password": Secret("c")})
    again = Vault.open(path, WORDS)
    assert again.names() == ("desk", "okx-desk") and "desk" in again
    assert again["desk"]["secret"].reveal() == PLANTED and again["okx-desk"]["password"].reveal() == "c"
    assert again["okx-desk"].venue == "okx" and again["desk"].added == again["desk"].rotated > 1.6e12
    again.remove("okx-desk")
    assert Vault.open(path, WORDS).names() == ("desk",)
    assert repr(again) == f"Vault({str(path)!r}, 1 names)"


def test_the_file_holds_nothing_in_clear_and_is_its_owners(vault: Vault, path: Path) -> None:
    data = path.read_bytes()
    for word in ("PLANTED", "binance", "desk", WORDS.reveal()):
        assert word.encode() not in data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(path.parent)) == [".gitignore", ".vault.wbv.lock", "vault.wbv"]
    before = data
    vault.rotate("desk", {"key": "new", "secret": "new"})
    after = path.read_bytes()
    end = parsed(before)[1]
    assert after[:end] == before[:end] and after[end : end + 12] != before[end : end + 12]  # another nonce


def test_the_file_changed_at_every_single_byte_is_refused(vault: Vault, path: Path) -> None:
    data = path.read_bytes()
    for at in range(len(data)):
        for flip in (1, 0x80, 0xFF) if at % 16 == 0 else (1 << at % 8,):
            path.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
            with pytest.raises(ConfigError, match="cannot be opened"):
                Vault.open(path, WORDS)
    for changed in (data[:-1], data + b"\0", data[1:], b"", data[:40], data * 2):
        path.write_bytes(changed)
        with pytest.raises(ConfigError, match="cannot be opened"):
            Vault.open(path, WORDS)
    path.write_bytes(data)
    assert Vault.open(path, WORDS)["desk"]["key"].reveal() == "K7-PLANTED"


def test_another_passphrase_and_none_are_refused(vault: Vault, path: Path) -> None:
    with pytest.raises(ConfigError, match="its passphrase or key is another one, or the file was changed") as caught:
        Vault.open(path, Secret("correct horse battery stable"))
    assert "stable" not in str(caught.value)
    with pytest.raises(ConfigError, match="needs its passphrase"):
        Vault.open(path)
    with pytest.raises(ConfigError, match="there is a vault already"):
        Vault.create(path, WORDS)
    with pytest.raises(ConfigError, match=r"there is no vault .*`workbench vault add NAME"):
        Vault.open(path.with_name("other"), WORDS)
    with pytest.raises(ConfigError, match="needs 12 characters or more"):
        Vault.create(path.with_name("other"), Secret("short"))
    assert not path.with_name("other").exists()


@pytest.mark.parametrize(
    ("name", "fields", "match"),
    [
        ("desk", {"key": "x"}, "has 'desk' already: `workbench vault rotate desk`"),
        ("a b", {"key": "x"}, "'a b' cannot be a name"),
        ("new", {"key": ""}, "the key of 'new' is empty"),
        ("new", {"key": f"{PLANTED}\n"}, "the key of 'new' is empty, or has spaces or line breaks"),
        ("new", {}, "there is nothing to keep under 'new'"),
    ],
)
def test_what_cannot_be_kept(vault: Vault, path: Path, name: str, fields: dict[str, Any], match: str) -> None:
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=match) as caught:
        vault.add(name, "binance", fields)
    assert PLANTED not in str(caught.value) and path.read_bytes() == before


def test_names_and_fields_that_are_not_there_are_told_with_those_that_are(vault: Vault) -> None:
    with pytest.raises(ConfigError, match="has no 'dusk'; it has desk"):
        vault["dusk"]
    with pytest.raises(ConfigError, match="'desk' in the vault has no field 'password'; it has key, secret"):
        vault["desk"]["password"]
    with pytest.raises(ConfigError, match="has no 'dusk'"):
        vault.remove("dusk")
    with pytest.raises(ConfigError, match="the keys that 'desk' has already"):
        vault.rotate("desk", KEYS)


def test_two_processes_that_add_lose_nothing(vault: Vault, path: Path) -> None:
    other = Vault.open(path, WORDS)
    vault.add("first", "okx", {"key": "1"})
    other.add("second", "okx", {"key": "2"})
    assert Vault.open(path, WORDS).names() == ("desk", "first", "second") == other.names()


def test_the_passphrase_can_be_changed(vault: Vault, path: Path) -> None:
    new = Secret("another set of words")
    vault.change_key(new, cost=10)
    with pytest.raises(ConfigError, match="cannot be opened"):
        Vault.open(path, WORDS)
    assert Vault.open(path, new)["desk"]["secret"].reveal() == PLANTED


def test_the_keyring_of_the_system_keeps_the_key(path: Path, desktop: Memory) -> None:
    vault = Vault.create(path)
    vault.add("desk", "binance", KEYS)
    assert Vault.source(path) == "keyring"
    assert Vault.open(path)["desk"]["secret"].reveal() == PLANTED
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        with pytest.raises(ConfigError):
            Vault.open(path)
    path.write_bytes(data)
    vault.change_key(WORDS, cost=10)
    assert Vault.source(path) == "passphrase" and not desktop.kept  # the old key opens nothing any more
    vault.change_key(None)
    assert Vault.open(path).names() == ("desk",)
    desktop.kept.clear()
    with pytest.raises(ConfigError, match="the keyring of this system has no key for this vault"):
        Vault.open(path)


def test_a_system_without_a_keyring_is_told_what_to_do(vault: Vault, path: Path) -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        with pytest.raises(ConfigError, match=r"keyring of this system cannot be used .*with a passphrase instead"):
            Vault.create(path.with_name("other"))
        with pytest.raises(ConfigError, match="cannot be used"):
            vault.change_key(None)
    finally:
        keyring.set_keyring(before)
    assert not path.with_name("other").exists()
    assert Vault.open(path, WORDS).names() == ("desk",)
    vault.add("more", "okx", {"key": "1"})  # it goes on with the key that it had
    assert "more" in Vault.open(path, WORDS)


def test_secrets_are_taken_out_of_texts(vault: Vault) -> None:
    vault.add("tiny", "x", {"key": "abc"})
    assert vault.hide(f"GET /?key=K7-PLANTED&sign={PLANTED} abc") == "GET /?key=<desk.key>&sign=<desk.secret> abc"
    vault.add("kraken", "kraken", {"secret": 'a/b+"ü"=='})
    for form in ('a/b+"ü"==', "a%2Fb%2B%22%C3%BC%22%3D%3D", 'a/b+\\"\\u00fc\\"=='):
        assert vault.hide(f"<{form}>") == "<<kraken.secret>>"


def test_the_key_is_that_of_scrypt() -> None:
    header = Header(id="0" * 16, source="passphrase", salt=b"SodiumChloride\0\0".hex(), cost=14)
    assert derived(header, Secret("pleaseletmein")).reveal() == scrypt_by_cryptography(header, b"pleaseletmein").hex()


def scrypt_by_cryptography(header: Header, words: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=bytes.fromhex(header.salt), length=32, n=1 << header.cost, r=8, p=1).derive(words)


def test_a_newer_layout_is_named() -> None:
    with pytest.raises(DataError, match="of another version of workbench"):
        parsed(b"WBVAULT\x02" + bytes(100))


def test_a_passphrase_comes_from_a_descriptor_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert passphrase_given() is None
    file = tmp_path / "words"
    file.write_text("some words here\nand more\n")
    monkeypatch.setenv("WORKBENCH_VAULT_FILE", str(file))
    with pytest.raises(ConfigError, match=r"others than its owner may read it \(mode 0644\): chmod 600"):
        file.chmod(0o644)
        passphrase_given()
    file.chmod(0o600)
    assert passphrase_given() == Secret("some words here")
    with file.open("rb", buffering=0) as opened:
        monkeypatch.setenv("WORKBENCH_VAULT_FD", str(opened.fileno()))
        assert passphrase_given() == Secret("some words here")
    with pytest.raises(ConfigError, match=r"no passphrase can be read from file descriptor 999: .*in `workbench vault"):
        read_passphrase(999)
    monkeypatch.setenv("WORKBENCH_VAULT_FD", "three")
    with pytest.raises(ConfigError, match="WORKBENCH_VAULT_FD is 'three'; it must be the number"):
        passphrase_given()
    monkeypatch.delenv("WORKBENCH_VAULT_FD")
    file.write_text("\n")
    with pytest.raises(ConfigError, match="holds no passphrase"):
        passphrase_given()
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        passphrase_given()
