"""Ending a bot on a tape whose strategy never gives the step in hand back."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.bots.guard_stage import interrupt, until
from tests.cli.commands import arguments, call, environment
from tests.cli.made import workspace_in
from workbench.bots.journal import read_journal
from workbench.settings import load_settings

SOURCE = """
import itertools
from pathlib import Path

import workbench as wb

class Stuck(wb.OrderStrategy):
    where: str = wb.param("")

    def on_bar(self, view, bar):
        if not view.quantity():
            return [view.market("buy", 1.0, stop_loss=0.2), view.limit("buy", 1.0, price=10.0)]
        if Path(self.where).exists():
            Path(self.where).unlink()
            all(itertools.repeat(True))
"""


def words(folder: Path) -> tuple[str, ...]:
    where = f"where={folder / 'marker'}"
    return ("bots", "run", "stuck", "--paper", "--replay", "MADE/UP:1h", "--name", "stuck", "-p", where)


def test_ctrl_c_twice_ends_a_bot_whose_step_never_ends(tmp_path: Path) -> None:
    workspace_in(tmp_path, 200)
    (tmp_path / "strategies" / "stuck.py").write_text(SOURCE)
    (tmp_path / "marker").touch()
    stuck = subprocess.Popen(
        arguments(*words(tmp_path)), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        until(lambda: not (tmp_path / "marker").exists(), "it does not begin")
        interrupt(stuck.pid)
        _, err = stuck.communicate(timeout=30)
    finally:
        stuck.kill()
    assert stuck.returncode == -signal.SIGKILL and b"killed by Ctrl-C" in err
    assert '"state": "KILLED"' in call("--workspace", tmp_path, "bots", "list", "--json").out
    again = call("--workspace", tmp_path, *words(tmp_path))
    assert again.code == 2 and "was killed (killed by Ctrl-C" in again.err and "--revive" in again.err
    revived = call("--workspace", tmp_path, *words(tmp_path), "--revive")
    assert revived.code == 0 and "the tape has ended" in revived.out
    with read_journal("stuck", load_settings(tmp_path)) as journal:
        assert journal.verify().ok
        assert any(line.text.startswith("killed by its guard") for line in journal.logs(level="critical").lines)
        kinds = [(one.record.state, one.record.then) for one in journal.entries(kinds=["Moved"])]
    assert ("KILLED", "cancel") in kinds and kinds[-1] == ("STOPPED", "")
