"""Making a workspace: everything is there, nothing is overwritten, and what cannot be done is said."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from workbench.errors import ConfigError
from workbench.settings import SETTINGS_FILE, load_settings
from workbench.workspace import init_workspace, shipped_files, template_folder

WRITTEN = {SETTINGS_FILE, ".gitignore"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_workspace_has_every_shipped_file_unchanged(workspace: Path) -> None:
    names = shipped_files()
    for first in ("notebooks/", "strategies/", "data/sample/", "reports/"):
        assert any(name.startswith(first) for name in names), f"nothing is shipped in {first}"
    for name in names:
        assert (workspace / name).read_bytes() == (template_folder() / name).read_bytes()
    assert load_settings(workspace / "notebooks").root == workspace


def test_the_settings_file_of_a_new_workspace_states_the_defaults(workspace: Path, tmp_path: Path) -> None:
    settings = load_settings(workspace)
    assert settings.found
    assert settings.model_copy(update={"root": tmp_path, "source": None}) == load_settings(tmp_path)
    shown = tomllib.loads((workspace / SETTINGS_FILE).read_text())
    assert set(shown) == {"paths", "backtest", "report", "bots", "limits"}


def test_by_products_are_not_shipped() -> None:
    parts = {part for name in shipped_files() for part in name.split("/")}
    assert not {part for part in parts if part.startswith(".") or part == "__pycache__"}
    assert not any(name.startswith(("data/lake", "data/ledger", "reports/output")) for name in shipped_files())


def test_nothing_is_left_behind_beside_the_files(workspace: Path) -> None:
    assert [name for name in contents(workspace) if name.endswith(".part")] == []


def test_made_again_it_overwrites_nothing_and_brings_back_what_was_removed(tmp_path: Path) -> None:
    first = init_workspace(tmp_path / "desk")
    root = first.root
    assert root == tmp_path / "desk"
    assert set(first.created) == {*shipped_files(), *WRITTEN}
    assert (first.kept, first.series > 0) == ((), True)

    mine = next(root / name for name in shipped_files() if name.startswith("strategies/"))
    mine.write_text("# my own work\n")
    lost = next(name for name in shipped_files() if name.startswith("notebooks/"))
    (root / lost).unlink()
    second = init_workspace(root)
    assert mine.read_text() == "# my own work\n"
    assert second.created == (lost,)
    assert set(second.kept) == {*shipped_files(), *WRITTEN} - {lost}
    assert second.series == first.series
    assert str(second).startswith(f"workspace {root}: 1 files written")


def test_made_again_the_lake_is_the_same(tmp_path: Path) -> None:
    from workbench.market.lake import Lake

    init_workspace(tmp_path)
    before = Lake(tmp_path / "data" / "lake").catalog()
    init_workspace(tmp_path)
    after = Lake(tmp_path / "data" / "lake").catalog()
    assert len(before) >= 8
    assert before.equals(after)


def test_the_workspace_settings_say_where_files_go(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text('[paths]\ndata = "elsewhere/data"\nstrategies = "ideas"\n')
    report = init_workspace(tmp_path)
    assert report.kept == (SETTINGS_FILE,)
    assert list((tmp_path / "ideas").glob("*.py"))
    assert (tmp_path / "elsewhere" / "data" / "sample").is_dir()
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "strategies").exists()


def test_a_dangling_link_counts_as_the_users_file(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to(tmp_path / "not-yet")
    report = init_workspace(tmp_path)
    assert ".gitignore" in report.kept
    assert not (tmp_path / "not-yet").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "desk").write_text("a letter")
    with pytest.raises(ConfigError, match="desk is a file; give the name of a folder, new or existing"):
        init_workspace(tmp_path / "desk")
    with pytest.raises(ConfigError, match="cannot be written"):
        init_workspace(tmp_path / "desk" / "inner")
    assert (tmp_path / "desk").read_text() == "a letter"


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root may write everywhere but where the kernel says no
        folder = Path("/proc/workbench")
        if not folder.parent.is_dir():
            pytest.skip("run as root on a system without /proc: no folder refuses root")
    else:
        folder = tmp_path / "theirs"
        folder.mkdir()
        folder.chmod(0o500)
    with pytest.raises(ConfigError, match=r"cannot be written: .*; choose a folder that you may write to"):
        init_workspace(folder)


def test_broken_settings_stop_before_anything_else_is_written(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[paths]\ndata = 3\n")
    with pytest.raises(ConfigError, match=r"\[paths\] data is 3"):
        init_workspace(tmp_path)
    assert list(contents(tmp_path)) == [SETTINGS_FILE]
