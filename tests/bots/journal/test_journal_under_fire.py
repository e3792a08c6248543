"""A journal whose process is killed, whose disk is full, whose database is held, and whose answer is lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import workbench
from tests.bots.journal.test_journal import STORY, WANTED, told
from workbench.bots.journal import Journal, JournalReader
from workbench.errors import DataError, RunError
from workbench.trading.events import CancelOrder, Marked

CODE = Path(workbench.__file__).parents[1]


def run(script: str, *arguments: object, command: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(CODE)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


WRITE = """
import itertools, sys
from workbench.bots.journal import Journal
from workbench.trading.events import CancelOrder, Marked
journal = Journal.open(sys.argv[1], "demo")
for number in itertools.count(journal.position + 1):
    durable = number % 5 == 0
    journal.write(CancelOrder(str(number)) if durable else Marked(number, "X", 1.0), durable)
    if durable:
        print(number, flush=True)
"""


def test_a_killed_process_loses_nothing_that_was_durable(tmp_path: Path) -> None:
    place = tmp_path / "demo.sqlite"
    promised = 0
    for kills in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE, str(place)],
            env={**os.environ, "PYTHONPATH": str(CODE)}, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for _ in range(20 + 7 * kills):
                promised = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split("\n")
            promised = max(promised, *(int(line) for line in rest[:-1] if line), 0)
        with JournalReader.open(place, "demo") as reader:
            assert reader.verify().ok and reader.head.position >= promised
            found = [entry.position for entry in reader.entries()]
            assert found == list(range(1, reader.head.position + 1))


def test_a_database_that_another_program_holds(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "demo.sqlite", "demo") as journal:
        journal.write(STORY[0], True)
        with closing(sqlite3.connect(tmp_path / "demo.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            journal.write(STORY[1])
            with pytest.raises(DataError, match=r"database is locked; another program holds it") as caught:
                journal.write(STORY[2], True)
            assert caught.value.fields["cause"] == "locked" and journal.waiting == 2
            other.execute("ROLLBACK")
        journal.write(STORY[3], True)  # what waited goes with it
        assert told(journal.entries()) == WANTED[:4] and journal.verify().ok


FULL = """
import sys
from workbench.bots.journal import Journal
from workbench.errors import DataError
from workbench.trading.events import CancelOrder
journal = Journal.open(sys.argv[1], "demo")
for number in range(1, 100_000):
    try:
        journal.write(CancelOrder(str(number) * 100), True)
    except DataError as error:
        print(number, error.fields["cause"], error)
        break
for path in sys.argv[2:]:
    open(path, "wb").close()
journal.flush()
journal.write(CancelOrder("last"), True)
print(journal.position, journal.verify())
journal.close()
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare and the right to mount, for a disk that is full")
def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room(tmp_path: Path) -> None:
    ballast = tmp_path / "ballast"
    inside = f'mount -t tmpfs -o size=900k none "{tmp_path}" && head -c 400k /dev/zero > "{ballast}" && exec "$@"'
    command = ("unshare", "--mount", "--map-root-user", "sh", "-c", inside, "sh")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk that is full")
    done = run(FULL, tmp_path / "demo.sqlite", ballast, command=command)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    number, cause = first.split()[:2]
    assert cause in ("full", "disk") and "cannot be used" in first and "free s" in first
    position = int(number) + 1
    assert second == f"{position} journal 'demo' is whole: {position:,} entries"


def test_a_commit_whose_answer_was_lost_is_not_written_twice(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "demo.sqlite", "demo") as journal:
        journal.write(STORY[0], True)

        def lose(connection: Any) -> None:
            connection.connection.dbapi_connection.commit()
            raise sqlite3.OperationalError("the line was cut")

        event.listen(journal._database.engine, "commit", lose)
        with pytest.raises(DataError, match="the line was cut"):
            journal.write(STORY[1], True)
        event.remove(journal._database.engine, "commit", lose)
        journal.write(STORY[2], False)
        journal.write(STORY[3], True)
        assert told(journal.entries()) == WANTED[:4] and journal.verify().ok


def test_a_writer_that_was_overtaken_stops(tmp_path: Path) -> None:
    place = tmp_path / "demo.sqlite"
    with Journal.open(place, "demo") as journal:
        journal.write(STORY[0], True)
        (tmp_path / "demo.sqlite.lock").unlink()  # as where a lock does not hold over a network
        with Journal.open(place, "demo") as other:
            other.write(STORY[1], True)
        with pytest.raises(RunError, match=r"another process has written the journal 'demo'.*stop one of the two"):
            journal.write(STORY[2], True)
        with JournalReader.open(place, "demo") as reader:
            assert told(reader.entries()) == WANTED[:2] and reader.verify().ok
        with pytest.raises(RunError, match="another process has written"):
            journal.close()
        journal._waiting.clear()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    place = tmp_path / "demo.sqlite"
    place.write_bytes(b"not at all " * 100)
    for opened in (Journal, JournalReader):
        with pytest.raises(DataError, match="file is not a database; it is no SQLite database: move it away"):
            opened.open(place, "demo")
    assert place.read_bytes() == b"not at all " * 100


def test_a_newer_workbench_is_named(tmp_path: Path) -> None:
    place = tmp_path / "demo.sqlite"
    Journal.open(place, "demo").close()
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '99'")
    for opened in (Journal, JournalReader):
        with pytest.raises(DataError, match=r"is of version 99, this workbench knows \d+: a newer one made it"):
            opened.open(place, "demo")


def test_writing_goes_on_after_a_reader_of_many_entries_stopped_halfway(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "demo.sqlite", "demo") as journal:
        for number in range(5_000):
            journal.write(Marked(number, "X", 1.0))
        reading = journal.entries()
        assert next(reading).position == 1
        journal.write(CancelOrder("x"), True)
        assert sum(1 for _ in reading) == 4_999  # what was there when the reading began
        assert journal.verify().last == 5_001


def test_many_bots_that_begin_at_once_share_one_key(tmp_path: Path) -> None:
    script = """
import sys
from workbench.bots.journal import Journal
sys.stdin.readline()
with Journal.open(sys.argv[1], sys.argv[2]) as journal:
    print(journal.verify())
"""
    names = ("a", "b", "c", "d")
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "bots" / f"{name}.sqlite"), name],
            env={**os.environ, "PYTHONPATH": str(CODE)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    for process in begun:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told_them = [process.communicate(timeout=60)[0] for process in begun]
    assert told_them == [f"journal '{name}' is whole: 0 entries\n" for name in names]
    assert sum(path.name.endswith(".key") for path in (tmp_path / "bots").iterdir()) == 1
