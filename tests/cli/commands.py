"""Running commands: in this process, as a process with pipes, on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent.parent


class Done(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Done]


def environment(**more: str) -> dict[str, str]:
    """The variables of a process: none of the user's settings, and this repository on its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "COV_"))}
    quiet = {name: value for name, value in kept.items() if name not in ("FORCE_COLOR", "NO_COLOR", "TERM", "COLUMNS")}
    return {**quiet, "PYTHONPATH": str(ROOT), **more}


def arguments(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "workbench", *map(str, words)]


def process(*words: str | Path, cwd: Path, **more: str) -> Done:
    """Run a command as a process, its output in pipes."""
    done = subprocess.run(arguments(*words), cwd=cwd, env=environment(**more), capture_output=True, timeout=240)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def call(*words: str | Path) -> Done:
    """Run a command in this process."""
    from workbench.cli import app

    result = CliRunner().invoke(app, [*map(str, words)], prog_name="workbench")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def on_terminal(
    *words: str | Path, cwd: Path, columns: int = 120, more: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run a command on a pseudo-terminal; give its exit code and all that it wrote."""
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "40", "TERM": "xterm-256color"}
    started = subprocess.Popen(
        arguments(*words), cwd=cwd, env=environment(**size, **(more or {})), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed: how Linux says that a terminal has ended
            break
        if not part:
            break
        said += part
    os.close(ours)
    return started.wait(timeout=60), said.decode().replace("\r\n", "\n")
