"""A bot as a process whose network is cut, in a network namespace of its own, comes through and recovers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bots.processes.stage import ROOT

_ALONE = ("unshare", "--user", "--map-root-user", "--net")


def _may() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run([*_ALONE, "true"], capture_output=True).returncode


@pytest.mark.long
@pytest.mark.parametrize("cuts", [("2",), ("0.4", "4", "12")])
def test_a_network_that_is_cut(tmp_path: Path, cuts: tuple[str, ...]) -> None:
    if not _may():
        pytest.skip("no network namespace may be made here")
    command = [*_ALONE, sys.executable, "-m", "tests.bots.processes.cut_off", str(tmp_path), *cuts]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=200)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0 and said.endswith("well\n"), said[-5_000:]
