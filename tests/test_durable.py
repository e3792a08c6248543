"""Whole files in the place of old ones: all or none, whatever the disk says."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench._durable import replace_files
from workbench.errors import DataError

CODE = Path(workbench.__file__).parents[1]
WRITE = """
import resource, sys
from pathlib import Path
from workbench._durable import replace_files
from workbench.errors import DataError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    replace_files(Path(sys.argv[1]), {"a.csv": b"new", "b.csv": b"x" * 50_000})
except DataError as error:
    print(error)
"""
KILLED = """
import os, sys
from pathlib import Path
import workbench._durable as durable
known = durable.write_new
def die(path, content):
    known(path, content)
    if path.name == "b.csv":
        os._exit(9)
durable.write_new = die
durable.replace_files(Path(sys.argv[1]), {"a.csv": b"new", "b.csv": b"new"})
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env={**os.environ, "PYTHONPATH": str(CODE)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    replace_files(tmp_path / "made" / "of two", {"a.csv": b"old a", "b.csv": b"old b"})
    (tmp_path / "made" / "of two" / "mine.txt").write_text("mine")
    return tmp_path / "made" / "of two"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


OLD = {"a.csv": b"old a", "b.csv": b"old b", "mine.txt": b"mine"}


def test_files_of_these_names_are_replaced_and_others_stay(folder: Path) -> None:
    assert replace_files(folder, {"b.csv": b"", "c.csv": b"new"}) == [folder / "b.csv", folder / "c.csv"]
    assert content(folder) == {**OLD, "b.csv": b"", "c.csv": b"new"}
    assert len(os.listdir(folder)) == 4


def test_a_disk_that_refuses_the_second_leaves_the_first_as_it_was(folder: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = run(WRITE, folder)
    assert done.stdout.startswith(f"cannot write {folder}: File too large; this process may not write files that large")
    assert "Nothing was changed" in done.stdout and content(folder) == OLD
    assert sorted(os.listdir(folder)) == sorted(OLD)  # nothing half written lies about


def test_a_process_that_dies_in_between_leaves_all_as_it_was(folder: Path) -> None:
    assert run(KILLED, folder).returncode == 9
    assert content(folder) == OLD


def test_a_folder_in_the_way_is_named_before_anything_changes(folder: Path) -> None:
    (folder / "c.csv").mkdir()
    with pytest.raises(DataError, match=r"cannot write .*c\.csv: a folder is there.*Nothing was changed"):
        replace_files(folder, {"a.csv": b"new", "c.csv": b"new"})
    assert content(folder) == OLD
    with pytest.raises(DataError, match="a file stands where a folder is needed"):
        replace_files(folder / "a.csv", {"x": b""})
    assert content(folder) == OLD
