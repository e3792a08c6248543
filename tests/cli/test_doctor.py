"""`workbench doctor` finds what is wrong, says what mends it, and what it says mends it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jupyter_client.kernelspec
import pytest

from tests.cli.commands import call, environment
from workbench.cli.health_installation import _clock, _problem


def examined(desk: Path) -> dict[str, dict[str, str]]:
    """What doctor says of a workspace, by check."""
    done = call("--workspace", desk, "doctor", "--json")
    checks = {check["name"]: check for check in done.json()}
    assert done.code == (1 if "fail" in {check["state"] for check in checks.values()} else 0)
    return checks


def states(checks: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: check["state"] for name, check in checks.items()}


def test_a_new_workspace_is_healthy(desk: Path) -> None:
    checks = examined(desk)
    assert list(checks) == [
        "python", "packages", "kernels", "jupyter kernel", "chromium", "clock",
        "workspace", "settings", "disk", "lake", "samples", "run ledger", "strategies", "reports", "notebooks",
    ]  # fmt: skip
    assert {name: check for name, check in checks.items() if check["state"] == "fail"} == {}
    well = ("workspace", "settings", "lake", "samples", "run ledger", "strategies", "reports", "notebooks")
    assert {name: checks[name]["state"] for name in well} == dict.fromkeys(well, "ok")
    assert all(not check["remedy"] for check in checks.values() if check["state"] == "ok")


def test_it_shows_a_table_then_the_remedies(own_desk: Path) -> None:
    shutil.rmtree(own_desk / "reports")
    done = call("--workspace", own_desk, "doctor")
    assert done.code == 1
    assert done.lines[0].split() == ["State", "What", "Found"]
    assert any(line.startswith("fail") and f"{own_desk / 'reports'} is missing" in line for line in done.lines)
    assert f"fail: workspace: `workbench init {own_desk}` brings back what is missing" in done.lines
    assert "1 failed" in done.lines[-1]
    assert call("init", own_desk).code == 0
    assert call("--workspace", own_desk, "doctor").code == 0


def test_without_a_workspace_it_looks_at_the_installation(tmp_path: Path) -> None:
    checks = examined(tmp_path)
    assert checks["workspace"]["state"] == "note"
    assert "`workbench init DIR` makes one" in checks["workspace"]["remedy"]
    assert "lake" not in checks


def test_a_wrong_setting_is_a_finding(own_desk: Path) -> None:
    (own_desk / "workbench.toml").write_text("[report]\nworkers = 0\n")
    checks = examined(own_desk)
    assert checks["workspace"]["state"] == "fail"
    assert "[report] workers is 0; it must be a whole number from 1 to 64" in checks["workspace"]["found"]


def test_a_lost_part_of_the_lake_is_named(own_desk: Path) -> None:
    parts = sorted((own_desk / "data" / "lake").rglob("symbol=SPX/**/*.parquet"))
    parts[0].unlink()
    lake = examined(own_desk)["lake"]
    assert lake["state"] == "fail"
    assert f"SPX 1d at index: {parts[0].name} is missing" in lake["found"]
    assert "workbench data check --drop" in lake["remedy"]
    assert call("--workspace", own_desk, "data", "check", "--drop").code == 0
    assert examined(own_desk)["lake"]["state"] == "ok"


def test_a_part_that_was_cut_off_is_named(own_desk: Path) -> None:
    part = next((own_desk / "data" / "lake").rglob("symbol=SPX/**/*.parquet"))
    size = part.stat().st_size
    os.truncate(part, size - 1)
    assert f"{part.name} has {size - 1} bytes, not {size}" in examined(own_desk)["lake"]["found"]


def test_a_damaged_manifest_is_named_and_the_other_checks_still_run(own_desk: Path) -> None:
    manifest = next((own_desk / "data" / "lake").rglob("symbol=SPX/**/manifest.json"))
    manifest.write_text("{")
    checks = examined(own_desk)
    assert str(manifest) in checks["lake"]["found"]
    assert checks["strategies"]["state"] == "ok"


def test_samples_that_are_gone_come_back_with_init(own_desk: Path) -> None:
    shutil.rmtree(own_desk / "data" / "lake")
    checks = examined(own_desk)
    assert states(checks)["lake"] == "warn"
    assert states(checks)["samples"] == "note"
    assert checks["samples"]["found"].startswith("not in the lake: ")
    call("init", own_desk)
    assert states(examined(own_desk))["samples"] == "ok"


def test_a_sample_that_was_changed_is_named(own_desk: Path) -> None:
    sample = next((own_desk / "data" / "sample").glob("*SPX*.parquet"))
    shutil.copyfile(next((own_desk / "data" / "sample").glob("*IXIC*.parquet")), sample)
    found = examined(own_desk)["samples"]
    assert (found["state"], sample.name in found["found"]) == ("fail", True)


def test_a_broken_strategy_a_broken_report_and_a_stale_notebook(own_desk: Path) -> None:
    (own_desk / "strategies" / "askew.py").write_text("class Askew(:\n")
    (own_desk / "reports" / "nightly.toml").write_text("[reprot]\n")
    source = own_desk / "notebooks" / "backtest.py"
    source.write_text(source.read_text() + "\n# %%\n1 + 1\n")
    (own_desk / "notebooks" / "quickstart.ipynb").unlink()
    checks = examined(own_desk)
    assert {states(checks)[name] for name in ("strategies", "reports", "notebooks")} == {"warn"}
    assert checks["strategies"]["found"].startswith("askew: ")
    assert "reprot" in checks["reports"]["found"]
    assert checks["notebooks"]["found"] == "not as their .py says: backtest; quickstart"
    command = checks["notebooks"]["remedy"].partition("`")[2].partition("`")[0]
    jupytext = command.replace("jupytext", f"{sys.executable} -m jupytext --quiet", 1)
    subprocess.run(jupytext, shell=True, check=True, env=environment(), capture_output=True)
    assert states(examined(own_desk))["notebooks"] == "ok"


def test_kernels_that_are_not_compiled(tmp_path: Path) -> None:
    code = "from workbench.cli.health_installation import _kernels; print([c.__dict__ for c in _kernels()])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(NUMBA_CACHE_DIR=str(tmp_path)), capture_output=True, text=True
    )
    (check,) = ast.literal_eval(done.stdout)
    assert (check["state"], "not compiled yet" in check["found"]) == ("warn", True)
    assert check["remedy"] == f"run `{sys.executable} -m workbench.warmup`"


def test_a_jupyter_kernel_of_another_python(tmp_path: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    content: dict[str, Any] = {"argv": ["/opt/other/bin/python"], "display_name": "Python 3", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(content))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernel = examined(desk)["jupyter kernel"]
    assert kernel["state"] == "warn"
    assert kernel["found"] == f"python3 at {spec} starts /opt/other/bin/python, not this Python"
    assert "-m ipykernel install --sys-prefix --name python3" in kernel["remedy"]


def test_no_jupyter_kernel(desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)  # as Python sees a package that is not there
    monkeypatch.setattr(jupyter_client.kernelspec, "jupyter_path", lambda *parts: [str(tmp_path)])
    kernel = examined(desk)["jupyter kernel"]
    assert (kernel["state"], "there is no kernel 'python3'" in kernel["found"]) == ("fail", True)
    assert kernel["remedy"] == f"`{sys.executable} -m pip install ipykernel`"


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("numpy>=1.0", ""),
        ("numpy", ""),
        ("NumPy>=1.20,!=1.99", ""),
        ("exchange_calendars>=0.1", ""),
        ("numpy>=999.1", "needed is >=999.1"),
        ("no-such-thing>=1", "no-such-thing is missing"),
    ],
)
def test_a_package_that_is_missing_or_too_old_is_named(requirement: str, problem: str) -> None:
    said = _problem(requirement)
    assert problem in said
    assert bool(said) == bool(problem)


def test_a_clock_that_is_behind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 86_400.0)
        (clock,) = _clock()
    assert (clock.state, clock.remedy) == ("fail", "set the clock of this machine")
    assert "before workbench was installed" in clock.found
    assert [check.state for check in _clock()] == ["ok"]
