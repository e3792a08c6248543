"""What is installed: the lock covers every requirement, the code imports what is declared, and a wheel has it all."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import workbench
from workbench.workspace import shipped_files

ROOT = Path(__file__).resolve().parent.parent

# Named by the user as tools to have; the other requirements must be imported by the package or explained below.
THE_USERS = {
    "ccxt", "duckdb", "ipywidgets", "jupyterlab", "matplotlib", "nbval", "numpy", "pandas", "papermill", "pytest",
    "ta", "vectorbt",
}  # fmt: skip
NOT_IMPORTED = {
    "ipykernel": "the kernel that notebooks run in",
    "jupytext": "builds the notebooks from their sources",
    "cmaes": "what optuna's CMA-ES is made of",
    "psycopg": "what SQLAlchemy speaks to PostgreSQL with, named by the URL alone",
}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def declared() -> list[Requirement]:
    table = project()["project"]
    extras = [line for lines in table["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in [*table["dependencies"], *extras, *project()["build-system"]["requires"]]]


@cache
def blocks() -> tuple[str, ...]:
    """The entries of the lock, each a pin with its hashes."""
    text = (ROOT / "requirements.lock").read_text()
    lines = "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return tuple(lines.replace("\\\n", " ").splitlines())


def pins() -> list[Requirement]:
    return [Requirement(re.sub(r"\s+--hash=\S+", "", block).strip()) for block in blocks()]


def pinned(python: str) -> dict[str, Version]:
    """What the lock installs on Linux for a version of Python."""
    environment: dict[str, Any] = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return {
        canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("=="))
        for pin in pins()
        if pin.marker is None or pin.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_requirement_is_met_by_a_pin_of_the_lock(python: str) -> None:
    have = pinned(python)
    found = [(need, have.get(canonicalize_name(need.name))) for need in declared()]
    unmet = [str(need) for need, version in found if version is None or version not in need.specifier]
    assert unmet == [], "run `make lock`"


def test_every_line_of_the_lock_is_one_pin_with_hashes_and_no_address() -> None:
    assert len(blocks()) > 100
    for block, pin in zip(blocks(), pins(), strict=True):
        assert re.fullmatch(r"==[\w.+!]+", str(pin.specifier)), f"{pin} is not pinned to one version"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), f"{pin} has no hash"
        assert pin.url is None
    assert "://" not in (ROOT / "requirements.lock").read_text()
    assert not [block for block in blocks() if block.startswith("-")], "no option such as an index belongs in the lock"


def test_what_is_installed_here_is_what_the_lock_says() -> None:
    from importlib.metadata import version

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    have = pinned(python)
    names = [canonicalize_name(need.name) for need in declared()]
    assert {name: version(name) for name in names} == {name: str(have[name]) for name in names}


def test_the_users_tools_are_core_requirements() -> None:
    core = {Requirement(line).name for line in project()["project"]["dependencies"]}
    assert core >= THE_USERS


def third_party(folder: Path) -> set[str]:
    """Top-level names that the Python files of a folder import, without the standard library and our own."""
    found = set()
    for path in folder.rglob("*.py"):
        if path.parent.name == "peers":  # scripts of benchmarks for interpreters that have what is compared with
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).split(".")[0])
    ours = {"workbench", "tests", *(path.stem for path in folder.rglob("*.py"))}
    return {name for name in found if name not in sys.stdlib_module_names and name not in ours}


def distributions(names: set[str]) -> set[str]:
    known = packages_distributions()
    return {canonicalize_name(known[name][0]) if name in known else name for name in names}


def test_the_package_imports_exactly_what_it_declares() -> None:
    core = {canonicalize_name(Requirement(line).name) for line in project()["project"]["dependencies"]}
    used = distributions(third_party(ROOT / "workbench"))
    assert used - core == set(), "imported but not in [project] dependencies of pyproject.toml"
    assert core - used - THE_USERS - set(NOT_IMPORTED) == set(), "declared, but nothing imports it"


def test_the_tests_and_notebooks_import_only_what_the_lock_installs() -> None:
    names = {canonicalize_name(need.name) for need in declared()}
    for folder in ("tests", "notebooks", "strategies"):
        assert distributions(third_party(ROOT / folder)) - names == set(), folder


def test_environment_yml_is_the_lock_on_a_python_that_it_was_made_for() -> None:
    text = (ROOT / "environment.yml").read_text()
    environment = yaml.safe_load(text)
    python, pip, packages = environment["dependencies"]
    assert re.fullmatch(r"python=3\.\d+", python)
    assert SpecifierSet(project()["project"]["requires-python"]).contains(python.removeprefix("python="))
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.lock"]}, "every pin comes from the lock, so that the two cannot differ"
    assert "://" not in text


def test_the_version_is_one_number_and_the_changelog_knows_it() -> None:
    assert project()["project"]["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", workbench.__version__)
    assert f"## {workbench.__version__} " in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this repository, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, **environment},
        cwd=environment.get("PWD"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_wheel_has_the_whole_package_and_every_file_of_a_workspace(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    prefix = "workbench/_workspace/"
    assert sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix)) == list(shipped_files())
    code = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "workbench").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert code - set(names) == set()
    assert {name.split("/")[0] for name in names} == {"workbench", f"workbench_quant-{workbench.__version__}.dist-info"}


def test_a_workspace_can_be_made_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    site, desk = tmp_path / "site", tmp_path / "desk"
    install = ("install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", site)
    run("-m", "pip", *install, wheel)
    script = (
        "import sys, workbench.workspace as w; from pathlib import Path; "
        "assert w.template_folder() == Path(sys.argv[1]) / 'workbench' / '_workspace', w.template_folder(); "
        "print(w.init_workspace(sys.argv[2]))"
    )
    done = run("-c", script, site, desk, PYTHONPATH=str(site), PWD=str(tmp_path))
    assert f"workspace {desk}: {len(shipped_files()) + 2} files written" in done.stdout
    assert {path.relative_to(desk).as_posix() for path in desk.rglob("*") if path.is_file()} >= set(shipped_files())


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):.*##", (ROOT / "Makefile").read_text(), flags=re.M))


def test_make_has_the_commands_to_know_and_lists_them() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    commands = {
        "setup",
        "report",
        "test",
        "test-long",
        "lab",
        "fmt",
        "lint",
        "type",
        "bench",
        "clean",
        "chromium",
        "lock",
    }
    assert commands <= makefile_targets()
    assert set(re.findall(r"make ([a-z-]+)", listed.stdout)) == makefile_targets()


def test_make_refuses_a_python_that_is_too_old_in_words(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.18;; *) exit 1;; esac\n')
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    done = subprocess.run(["make", "setup", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert re.search(
        r"needs Python 3\.11 or later; '.*old-python' is Python 3\.9\.18\. Name another: make", done.stderr
    )
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_what_a_person_runs() -> None:
    commands = re.findall(r"^make (.+)$", (ROOT / ".ci" / "run").read_text(), flags=re.M)
    assert "test" in commands
    assert {target for line in commands for target in line.split()} <= makefile_targets()
    assert not re.search(r"\b(pip|uv|apt-get|curl)\b", (ROOT / ".ci" / "run").read_text()), (
        "make installs, here and there"
    )
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
