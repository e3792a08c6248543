"""`workbench init` and `workbench lab`."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from tests.cli.commands import Command, Done, call, process
from workbench.workspace import shipped_files


def test_init_makes_everything_and_says_what_to_do_next(made: tuple[Path, Done]) -> None:
    desk, done = made
    assert done.lines[0].startswith(f"workspace {desk}: {len(shipped_files()) + 2} files written; ")
    assert done.lines[-1] == "Next: cd desk && workbench report run nightly"
    assert all((desk / name).is_file() for name in shipped_files())


def test_init_again_overwrites_nothing(own_desk: Path) -> None:
    (own_desk / "strategies" / "sma_cross.py").write_text("# mine\n")
    done = call("init", own_desk)
    assert done.code == 0
    assert "0 files written" in done.out
    assert "Next" not in done.out
    assert (own_desk / "strategies" / "sma_cross.py").read_text() == "# mine\n"


def test_init_can_leave_the_kernels_for_later(tmp_path: Path) -> None:
    done = process("init", "desk", "--no-compile", cwd=tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert (done.code, "compiling" in done.out) == (0, False)
    assert list(tmp_path.rglob("*.nbc")) == []


@pytest.mark.long
def test_init_compiles_the_kernels_of_a_fresh_installation(tmp_path: Path) -> None:
    done = process("init", "desk", cwd=tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert (done.code, "compiling the kernels, once for this installation ..." in done.lines) == (0, True)
    assert list((tmp_path / "cache").rglob("*.nbc"))
    again = process("init", "desk", cwd=tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert (again.code, "compiling" in again.out) == (0, False)


def test_init_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "desk").touch()
    done = call("init", tmp_path / "desk")
    assert (done.code, "is a file; give the name of a folder" in done.err) == (2, True)


def test_init_of_a_folder_without_a_name_makes_nothing_here(tmp_path: Path) -> None:
    done = process("init", "", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "the name of the folder is empty" in done.err
    assert not list(tmp_path.iterdir())


def test_lab_is_jupyterlab_of_this_python_and_passes_options_on(desk: Path) -> None:
    done = process("lab", "--no-browser", "--", "--version", cwd=desk)
    assert (done.code, done.out.strip()) == (0, importlib.metadata.version("jupyterlab")), done.err


def test_lab_is_rooted_in_the_workspace(desk: Path) -> None:
    done = process("lab", "--show-config-json", cwd=desk / "notebooks")
    assert f'"root_dir": "{desk}"' in done.out


def test_lab_without_jupyterlab_says_what_to_install(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab", None)  # as Python sees a package that is not there
    done = run("lab")
    assert done.code == 2
    assert f"install it with `{sys.executable} -m pip install jupyterlab`" in done.err
