"""Settings: where they come from, which wins, and what a wrong one says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.errors import ConfigError
from workbench.settings import SETTINGS_FILE, Settings, load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / SETTINGS_FILE
    path.write_text(text)
    return path


def test_without_a_file_the_folder_has_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert (settings.root, settings.found, settings.source) == (tmp_path, False, None)
    assert settings.data == tmp_path / "data"
    assert settings.strategies == tmp_path / "strategies"
    assert settings.notebooks == tmp_path / "notebooks"
    assert settings.reports == tmp_path / "reports"
    assert settings.lake_root == tmp_path / "data" / "lake"
    assert settings.ledger_root == tmp_path / "data" / "ledger"
    assert (settings.backtest.cash, settings.backtest.fill) == (10_000, "next_open")
    assert 1 <= settings.report.workers <= 8


def test_the_nearest_file_above_is_the_workspace(tmp_path: Path) -> None:
    write(tmp_path, "[backtest]\ncash = 1")
    inner = tmp_path / "inner"
    deep = inner / "notebooks" / "mine"
    deep.mkdir(parents=True)
    assert load_settings(deep).root == tmp_path
    source = write(inner, "[backtest]\ncash = 2")
    settings = load_settings(deep)
    assert (settings.root, settings.source, settings.backtest.cash) == (inner, source, 2.0)


def test_the_current_folder_is_where_the_search_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_WORKSPACE")
    write(tmp_path, "")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert load_settings().root == tmp_path


def test_the_variable_names_the_workspace_but_an_argument_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("said", "given"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "")
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "said"))
    assert load_settings().root == tmp_path / "said"
    assert load_settings(tmp_path / "given").root == tmp_path / "given"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[backtest]\ncash = 500\nfill = "close"\n[report]\nworkers = 3\n[paths]\ndata = "there"')
    monkeypatch.setenv("WORKBENCH_REPORT__WORKERS", "2")
    monkeypatch.setenv("WORKBENCH_REPORT__TIMEOUT_S", "1.5")
    monkeypatch.setenv("WORKBENCH_PATHS__DATA", "2024")
    settings = load_settings(tmp_path)
    assert (settings.report.workers, settings.report.timeout_s) == (2, 1.5)
    assert settings.data == tmp_path / "2024"
    assert (settings.backtest.cash, settings.backtest.fill) == (500, "close")


def test_folders_may_be_absolute_or_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    elsewhere = (tmp_path / "elsewhere").as_posix()
    write(tmp_path, f'[paths]\ndata = "{elsewhere}"\nreports = "~/reports"\nnotebooks = "a/../b"')
    settings = load_settings(tmp_path)
    assert settings.lake_root == tmp_path / "elsewhere" / "lake"
    assert settings.reports == tmp_path / "home" / "reports"
    assert settings.notebooks == tmp_path / "b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[report]\nworkers = 0", r"\[report\] workers is 0; it must be a whole number from 1 to 64"),
        ("[report]\nworkers = true", r"\[report\] workers is True; it must be a whole number"),
        ("[report]\nworkers = '2'", r"\[report\] workers is '2'; it must be a whole number"),
        ("[report]\ntimeout_s = 0", r"\[report\] timeout_s is 0; it must be a positive number of seconds"),
        ("[backtest]\ncash = -5", r"\[backtest\] cash is -5; it must be a positive amount of money"),
        ("[backtest]\ncash = inf", r"\[backtest\] cash is inf; it must be a positive amount"),
        ("[backtest]\nfill = 'open'", r"\[backtest\] fill is 'open'; it must be \"next_open\" or \"close\""),
        ("[paths]\ndata = ''", r"\[paths\] data is ''; it must be the path of a folder"),
        ("[report]\nworker = 2", r"\[report\] worker is no setting \(did you mean workers\?\)"),
        ("[report]\nemail = 2", r"\[report\] email is no setting \(there are workers, timeout_s\)"),
        ("[reports]\nworkers = 2", r"there is no section \[reports\] \(did you mean report\?\)"),
        ("report = 3", r"report is 3; it must be a section, written as \[report\]"),
        ("[paths]\ndata = 'a'\ndata = 'b'\n# end", r"is not valid TOML: .*line 3"),
        ("[backtest]\ncash = \n", r"is not valid TOML: .*line 2"),
    ],
)
def test_a_wrong_file_is_named_with_key_value_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings(tmp_path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "WORKBENCH_REPORT__WORKERS",
            "two",
            r"^WORKBENCH_REPORT__WORKERS: \[report\] workers is 'two'; it must",
        ),
        ("WORKBENCH_REPORT__WORKERS", "", r"workers is ''; it must be a whole number"),
        ("WORKBENCH_REPORT__WORKERS", "65", r"workers is '65'; it must be a whole number from 1 to 64"),
        ("WORKBENCH_BACKTEST__CASH", "nan", r"cash is 'nan'; it must be a positive amount"),
        ("WORKBENCH_REPORT__WORKER", "2", r"did you mean WORKBENCH_REPORT__WORKERS\?"),
        ("WORKBENCH_REPORT_WORKERS", "2", r"did you mean WORKBENCH_REPORT__WORKERS\?"),
        ("WORKBENCH_WORKSPCE", "/tmp", r"did you mean WORKBENCH_WORKSPACE\?"),
        ("WORKBENCH_X", "1", r"WORKBENCH_X is no setting of workbench \(there are WORKBENCH_PATHS__DATA, "),
    ],
)
def test_a_wrong_variable_is_named_with_value_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=message):
        load_settings(tmp_path)


def test_a_workspace_that_is_not_there_is_named_with_the_command_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"WORKBENCH_WORKSPACE is .*gone', which is not a folder; .*workbench init"):
        load_settings()
    with pytest.raises(ConfigError, match="gone' is not a folder"):
        load_settings(tmp_path / "gone")


def test_a_file_that_is_not_text_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / SETTINGS_FILE
    path.write_bytes(b"[paths]\n\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_settings(tmp_path)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.report.workers = 5  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.root = tmp_path  # type: ignore[misc]


@given(
    cash=st.floats(min_value=1e-6, max_value=1e15),
    workers=st.integers(1, 64),
    fill=st.sampled_from(["next_open", "close"]),
)
def test_file_and_environment_say_the_same_thing(
    tmp_path_factory: pytest.TempPathFactory, cash: float, workers: int, fill: str
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_BACKTEST__CASH", repr(cash))
        patch.setenv("WORKBENCH_REPORT__WORKERS", str(workers))
        patch.setenv("WORKBENCH_BACKTEST__FILL", fill)
        from_environment = load_settings(folder)
    write(folder, f'[backtest]\ncash = {cash!r}\nfill = "{fill}"\n[report]\nworkers = {workers}\n')
    from_file = load_settings(folder)
    assert from_file.model_copy(update={"source": None}) == from_environment
    assert (from_file.backtest.cash, from_file.report.workers) == (cash, workers)


def test_settings_can_be_pasted_into_a_message_and_load_nothing_heavy() -> None:
    code = (
        "import sys; from workbench.settings import Settings, load_settings; print(load_settings()); "
        "sys.exit(sorted({'numpy', 'pandas', 'numba', 'duckdb'} & set(sys.modules)) != [])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cash=10000.0" in done.stdout
    assert Settings.model_config["frozen"]
