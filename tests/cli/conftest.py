"""A workspace that `workbench init` made, and commands in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.commands import Command, Done, call, process


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A workspace made by `workbench init`, and what that said."""
    folder = tmp_path_factory.mktemp("cli")
    done = process("init", "desk", cwd=folder)
    assert done.code == 0, done.err
    return folder / "desk", done


@pytest.fixture(scope="session")
def desk(made: tuple[Path, Done]) -> Path:
    """A workspace with the bundled series. All tests share it: leave it as it is."""
    return made[0]


@pytest.fixture
def own_desk(desk: Path, tmp_path: Path) -> Path:
    """A copy of the workspace that a test may change."""
    shutil.copytree(desk, tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture
def run(desk: Path) -> Command:
    """Run a command in the shared workspace, in this process."""
    return lambda *words: call("--workspace", desk, *words)
