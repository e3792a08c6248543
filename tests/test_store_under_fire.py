"""The part store when several write, when a writer dies, and when the disk says no."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

import workbench
from workbench.errors import DataError
from workbench.store import MANIFEST, Manifest, PartStore

CODE = Path(workbench.__file__).parents[1]


def table(value: int) -> pa.Table:
    return pa.table({"value": [value]})


def values(store: PartStore) -> list[int]:
    return list(store.table()["value"].to_pylist())


def files(store: PartStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()} - {".lock", MANIFEST}


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CODE)}


def run(script: str, *arguments: object, command: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, sys.executable, "-c", script, *map(str, arguments)],
        env=environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


# ----- writers at the same time

HOLD = """
import os, sys
from workbench.store import PartStore
import pyarrow as pa
with PartStore(sys.argv[1]).transaction() as change:
    change.add(pa.table({"value": [99]}))
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def writer_in_a_transaction(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_writer_waits_for_another_one_only_so_long(tmp_path: Path) -> None:
    store = PartStore(tmp_path, lock_timeout_s=0.05)
    store.append(table(1))
    with (
        writer_in_a_transaction(tmp_path),
        pytest.raises(DataError, match=r"another process has been writing here for more than 0\.05 s.*ends with its"),
    ):
        store.append(table(2))
    assert values(store) == [1]


def test_a_killed_writer_blocks_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    store = PartStore(tmp_path, grace_s=0)
    store.append(table(1))
    with writer_in_a_transaction(tmp_path) as process:
        process.kill()
        process.wait()
        assert len(files(store)) == 2  # the dead writer's part lies there and does not count
        assert values(store) == [1]
        store.append(table(2))
    assert values(store) == [1, 2] and len(files(store)) == 2


APPEND = """
import sys
from workbench.store import PartStore
import pyarrow as pa
store = PartStore(sys.argv[1], grace_s=0)
for number in range(15):
    store.append(pa.table({"value": [int(sys.argv[2]) * 100 + number]}))
    store.compact(more_than=5)
"""


def test_writers_take_turns_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(tmp_path), str(number)], env=environment())
        for number in range(3)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    store = PartStore(tmp_path)
    assert sorted(values(store)) == [writer * 100 + number for writer in range(3) for number in range(15)]
    assert len(store.manifest().parts) <= 6


# ----- the disk says no

FULL = """
import os, resource, sys
import pyarrow as pa
from workbench.errors import DataError
from workbench.store import PartStore
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
store = PartStore(sys.argv[1], grace_s=0)
store.append(pa.table({"value": [1]}))
before, there = store.manifest(), sorted(os.listdir(store.folder))
try:
    store.append(pa.table({"value": [os.urandom(400_000)]}))
except DataError as error:
    print(error)
assert store.manifest() == before and sorted(os.listdir(store.folder)) == there
store.append(pa.table({"value": [2]}))
assert store.table()["value"].to_pylist() == [1, 2]
"""


def test_a_write_beyond_the_allowed_size_changes_nothing(tmp_path: Path) -> None:
    done = run(FULL, tmp_path, "limit")
    assert done.returncode == 0, done.stderr
    assert "cannot write" in done.stdout and "File too large; this process may not write" in done.stdout


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    mount = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    inside = f'mount -t tmpfs -o size=200k none "{tmp_path}" && exec "$@"'
    if not shutil.which("unshare") or subprocess.run([*mount, inside, "sh", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let a user mount a small disk")
    done = run(FULL, tmp_path, "full", command=(*mount, inside, "sh"))
    assert done.returncode == 0, done.stderr
    assert f"cannot write {tmp_path}" in done.stdout
    assert "No space left on device (0." in done.stdout and "MB free); free some space" in done.stdout


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(DataError, match=r"cannot write .*a file stands where a folder is needed"):
        PartStore(tmp_path / "x" / "y").append(table(1))
    assert PartStore(tmp_path / "x" / "y").manifest() == Manifest()


FORBIDDEN = """
import os, sys
import filelock, pyarrow as pa, pyarrow.parquet
from workbench.errors import DataError
from workbench.store import PartStore
if os.geteuid() == 0:
    os.seteuid(65_534)  # root may write everywhere
try:
    PartStore(sys.argv[1]).append(pa.table({"value": [1]}))
except DataError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    done = run(FORBIDDEN, tmp_path / "x")
    assert done.returncode == 0, done.stderr
    assert "cannot write" in done.stdout and "Permission denied; check who owns the folder" in done.stdout
