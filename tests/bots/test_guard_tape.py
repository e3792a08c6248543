"""Ending a bot on a tape whose strategy never gives the step in hand back."""

from __future__ import annotations

import signal
import subprocess
from itertools import pairwise
from pathlib import Path

from tests.bots.guard_stage import interrupt, until
from tests.cli.commands import arguments, call, environment
from tests.cli.made import workspace_in
from workbench.bots.guard_tape import guarded_tape
from workbench.bots.journal import open_journal, read_journal
from workbench.bots.replaying import ReplayBot
from workbench.bots.spec import BotSpec, Series
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


def test_going_through_a_journal_again_is_a_sign_of_life(tmp_path: Path) -> None:
    workspace_in(tmp_path, 200)
    settings = load_settings(tmp_path)
    spec = BotSpec(name="again", strategy="library:grid", series=(Series("MADE/UP", "1h"),))
    signs: list[int] = []
    for _ in range(2):
        with open_journal("again", settings) as journal:
            bot = ReplayBot(spec, spec.plan(settings), journal)
            with guarded_tape(bot, settings) as guarding:
                guarding.beat = lambda bot=bot: signs.append(bot.recovered)  # type: ignore[method-assign,misc]
                for _ in bot.steps():
                    pass
    assert bot.recovered > 200 and signs[0] <= 1 and len(signs) > 200  # all the way
    assert max(later - earlier for earlier, later in pairwise(signs)) <= 1
