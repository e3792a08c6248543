"""What `workbench doctor` looks at in the installation: Python, packages, kernels, Jupyter, the machine."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from workbench.cli.health import Check

__all__ = ["INSTALLATION"]

_DISTRIBUTION: Final = "workbench-quant"
_OLDEST_PYTHON: Final = (3, 11)
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_KERNEL: Final = "python3"
_PLAIN_PYTHON: Final = ("python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}")
_A_ZONE: Final = "America/New_York"


def _python() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info >= _OLDEST_PYTHON
    yield Check(
        name="python",
        state="ok" if new_enough else "fail",
        found=f"{version}, {sys.executable}",
        remedy="" if new_enough else f"use Python {'.'.join(map(str, _OLDEST_PYTHON))} or later",
    )


def _packages() -> Iterator[Check]:
    """Compare what is installed with what the package says it needs; nothing is imported."""
    try:
        lines = importlib.metadata.requires(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        yield Check(
            name="packages",
            state="warn",
            found="workbench runs from its source and is not installed, so what it needs is not known",
            remedy="install it with `python -m pip install -e .` in the repository, or run `make setup`",
        )
        return
    needed = [line for line in lines if "extra ==" not in line]
    wrong = [problem for line in needed if (problem := _problem(line))]
    yield Check(
        name="packages",
        state="fail" if wrong else "ok",
        found="; ".join(wrong)
        if wrong
        else f"workbench {importlib.metadata.version(_DISTRIBUTION)} and all {len(needed)} packages that it needs",
        remedy=f"`{sys.executable} -m pip install --upgrade {_DISTRIBUTION}`, or `make setup` in the repository"
        if wrong
        else "",
    )


def _problem(requirement: str) -> str:
    """Say what is wrong with one required package, such as `numpy>=2.4`; empty when nothing is."""
    found = re.match(r"\s*([\w.-]+)(?:\[[^]]*\])?\s*\(?([^;)]*)", requirement)
    name, wanted = (found[1], found[2].strip()) if found else (requirement, "")
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} is missing"
    lowest = [text.strip().removeprefix(">=") for text in wanted.split(",") if text.strip().startswith(">=")]
    old = [low for low in lowest if _release(version) < _release(low)]
    return f"{name} is {version}, needed is {wanted}" if old else ""


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", re.split(r"[^\d.]", version.strip(), maxsplit=1)[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _kernels() -> Iterator[Check]:
    from workbench.warmup import cache_folder, uncompiled

    missing, folder = uncompiled(), cache_folder()
    command = f"`{sys.executable} -m workbench.warmup`"
    if folder is None or not os.access(folder if os.path.isdir(folder) else os.path.dirname(folder), os.W_OK):
        state = "warn" if missing else "note"
        yield Check(
            name="kernels",
            state="warn" if missing else "note",
            found=f"the folder for compiled kernels cannot be written ({folder or 'there is none'})",
            remedy=f"set NUMBA_CACHE_DIR to a folder that can be written, then run {command}"
            if state == "warn"
            else "",
        )
        return
    yield Check(
        name="kernels",
        state="warn" if missing else "ok",
        found=f"{len(missing)} not compiled yet, so a first call will wait"
        if missing
        else f"all compiled, in {folder}",
        remedy=f"run {command}" if missing else "",
    )


def _jupyter() -> Iterator[Check]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(_KERNEL)
    except NoSuchKernel:
        yield Check(
            name="jupyter kernel",
            state="fail",
            found=f"there is no kernel {_KERNEL!r}, which notebooks ask for",
            remedy=f"`{sys.executable} -m pip install ipykernel`",
        )
        return
    program, where = spec.argv[0], f"{_KERNEL} at {spec.resource_dir}"
    # jupyter_client starts a kernel whose program is plainly named with the Python that it runs in itself
    own = program in _PLAIN_PYTHON or os.path.abspath(program) == os.path.abspath(sys.executable)
    yield Check(
        name="jupyter kernel",
        state="ok" if own else "warn",
        found=where if own else f"{where} starts {program}, not this Python",
        remedy="" if own else f"`{sys.executable} -m ipykernel install --sys-prefix --name {_KERNEL}`",
    )


def _browser() -> Iterator[Check]:
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    yield Check(
        name="chromium",
        state="ok" if found else "note",
        found=found or "not there; only the tests that look at pages need it",
    )


def _clock() -> Iterator[Check]:
    """Hold the clock against the files of this package: behind them it is wrong, and every recorded time would be."""
    import zoneinfo

    installed = max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py"))
    behind = installed - time.time()
    yield Check(
        name="clock",
        state="fail" if behind > 3600 else "ok",
        found=f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"
        + (f", {behind / 3600:.0f} hours before workbench was installed" if behind > 3600 else ""),
        remedy="set the clock of this machine" if behind > 3600 else "",
    )
    try:
        zoneinfo.ZoneInfo(_A_ZONE)
    except zoneinfo.ZoneInfoNotFoundError:
        yield Check(
            name="timezones",
            state="fail",
            found=f"this machine knows no timezone {_A_ZONE!r}, so trading calendars cannot be worked out",
            remedy=f"install the system's tzdata, or `{sys.executable} -m pip install tzdata`",
        )


INSTALLATION: Final[tuple[tuple[str, Callable[[], Iterator[Check]]], ...]] = (
    ("python", _python),
    ("packages", _packages),
    ("kernels", _kernels),
    ("jupyter kernel", _jupyter),
    ("chromium", _browser),
    ("clock", _clock),
)
