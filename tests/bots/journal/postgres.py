"""A PostgreSQL server of one's own, in a temporary folder, on a socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NEEDED = ("initdb", "pg_ctl", "postgres")


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Run a server, and give the URL of a database in it; the test is skipped by name where there is no PostgreSQL."""
    if missing := [name for name in NEEDED if not _program(name)]:
        told = f"no PostgreSQL: {' and '.join(missing)} not on the PATH; `make postgres` installs it"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    user, who = _user()
    folder = Path(tempfile.mkdtemp(prefix="wb-pg-", dir="/tmp"))  # a socket's path must be short
    os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync={'on' if durable else 'off'}"
    try:
        _run("initdb", "-D", folder / "db", "-A", "trust", "-U", "desk", "--no-sync", "--locale=C", "-E", "UTF8", **who)
        _run("pg_ctl", "-D", folder / "db", "-l", folder / "log", "-w", "-o", options, "start", **who)
        yield f"postgresql://desk@/postgres?host={folder}"
    finally:
        _run("pg_ctl", "-D", folder / "db", "-w", "-m", "immediate", "stop", check=False, **who)
        shutil.rmtree(folder)


def _program(name: str) -> str | None:
    """Find a program of PostgreSQL; Debian keeps them where the PATH does not look."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _user() -> tuple[str, dict[str, Any]]:
    """Whom to run it as: PostgreSQL refuses to be run by root."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid()).pw_name, {}
    return "nobody", {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}


def _run(command: str, *words: object, check: bool = True, **who: Any) -> None:
    done = subprocess.run(
        [str(_program(command)), *map(str, words)], cwd="/tmp", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, timeout=60, check=False, **who,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
