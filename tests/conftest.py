"""What every test may use: a workspace with the bundled market data, apart from the user's own, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from workbench.market.lake import Lake

# A shared machine may stall for seconds, which says nothing about the code: no deadlines.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True, database=None)
settings.register_profile("long", settings.get_profile("default"), max_examples=2_000)
settings.load_profile("ci" if os.environ.get("CI") else "default")


# Tests that wait for kernels, browsers and servers: begun first, so that none of them is left alone at the end.
_WAITING = ("tests/reporting/", "tests/notebooks/", "tests/research/spreading/", "tests/cli/", "tests/market/sources/",
            "tests/test_warmup", "tests/backtest/test_against_vectorbt")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, whatever order the rest is in; needs --no-loadscope-reorder."""
    items.sort(key=lambda item: not item.nodeid.startswith(_WAITING))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the bundled series in its lake. All tests of a session share it: leave its files as they are."""
    from workbench.workspace import init_workspace

    with pytest.MonkeyPatch.context() as patch:
        _forget_settings(patch)
        return init_workspace(tmp_path_factory.mktemp("workspace")).root


@pytest.fixture(scope="session")
def lake(workspace: Path) -> Lake:
    """The lake of `workspace`, with the bundled series. Read only."""
    from workbench.market.lake import Lake

    return Lake(workspace / "data" / "lake")


@pytest.fixture(scope="session")
def _nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nowhere")


@pytest.fixture(autouse=True)
def _own_settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _nowhere: Path) -> Iterator[None]:
    """Let no test see the user's settings or workspace: it has the session's, if it asks for it, or an empty folder."""
    _forget_settings(monkeypatch)
    wants = {"workspace", "lake"} & set(request.fixturenames)
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(request.getfixturevalue("workspace") if wants else _nowhere))
    yield


def _forget_settings(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WORKBENCH_"):
            patch.delenv(name)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; tests that need one are skipped by name where it is missing, and fail in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    missing = "no Chromium on the PATH: `make chromium` installs it"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)
