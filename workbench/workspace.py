"""Making a workspace: the folders, notebooks, strategies, samples and settings that a user starts from.

The files come from the wheel, or from the repository when workbench runs from there; the settings file is written
with the defaults, never copied. A file that exists is not touched, so that making a workspace twice, or on top of one's
own work, is safe. What the settings mean is in `settings`; what the lake then holds is the business of `market`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from workbench.errors import ConfigError
from workbench.settings import SETTINGS_FILE, Settings, load_settings

__all__ = ["SHIPPED", "InitReport", "init_workspace", "shipped_files", "template_folder"]

SHIPPED: Final = (
    "notebooks/*.py",
    "notebooks/*.ipynb",
    "strategies/*.py",
    "strategies/*.yaml",
    "strategies/*.md",
    "strategies/*.json",
    "data/sample/**/*",
    "reports/*.toml",
)
_PACKAGE: Final = Path(__file__).resolve().parent
_SETTINGS: Final = """\
# Settings of this workspace. Every key may be left out; the values shown are what holds then.
# A variable in the environment wins over this file: WORKBENCH_REPORT__WORKERS=2 is `workers = 2` under [report].

[paths]                     # relative to this file, or absolute
data = "data"               # market data (data/lake), runs (data/ledger), bundled samples (data/sample)
strategies = "strategies"
notebooks = "notebooks"
reports = "reports"         # what to run (*.toml) and what came out (reports/output)

[backtest]
cash = 10_000               # starting cash, in the quote currency
fill = "next_open"          # or "close": at the close of the bar that gave the signal
max_missing = 0.05          # share of bars that may be missing or filled before a backtest is refused

[report]                    # holds for a report whose own file does not say
# workers = 2               # notebooks at the same time; as many as there are processors (at most 8) when left out
timeout_s = 600             # longest time for one notebook, in seconds

[bots]
# journal = "postgresql://USER@HOST/DATABASE"     # for the journals; a file each, data/bots/NAME.sqlite, when left out

[limits]                    # on risk, of all bots; `workbench limits explain` lists what can be limited
# profile = "default"       # or "conservative", "aggressive"; nothing is limited when left out
# daily_loss = 0.05         # of the equity: all is closed and nothing opened until the next day (UTC)
# [limits.bots.NAME]        # of one bot, [limits.accounts.NAME] of one account; the strictest wins
"""
_IGNORE: Final = """\
# Market data, the record of runs, bots and reports are made by workbench; they are not for version control.
/data/lake/
/data/bots/
/data/ledger/
/data/strategies/
/reports/output/
.ipynb_checkpoints/
__pycache__/
"""


@dataclass(frozen=True, kw_only=True)
class InitReport:
    """What `init_workspace` did.

    Parameters
    ----------
    root : Path
        The workspace, absolute.
    created : tuple of str
        Files that were written, by their name in a fresh workspace, such as `"strategies/sma_cross.py"`.
    kept : tuple of str
        Files that existed already and were left as they are.
    series : int
        Bundled series in the lake.
    """

    root: Path
    created: tuple[str, ...]
    kept: tuple[str, ...]
    series: int

    def __str__(self) -> str:
        kept = f", {len(self.kept)} kept as they were" if self.kept else ""
        return f"workspace {self.root}: {len(self.created)} files written{kept}; {self.series} series in the lake"


def template_folder() -> Path:
    """Give the folder that the files of a new workspace are copied from: inside the wheel, or the repository.

    Raises
    ------
    ConfigError
        The installation lacks those files.
    """
    for folder in (_PACKAGE / "_workspace", _PACKAGE.parent):
        if (folder / "notebooks").is_dir():
            return folder
    raise ConfigError(
        f"this installation of workbench ({_PACKAGE}) has no files for a workspace; install it again from its wheel "
        "or its repository"
    )


def shipped_files() -> tuple[str, ...]:
    """Give the names of all files that a new workspace is given copies of, sorted, relative to `template_folder()`."""
    template = template_folder()
    found = {path.relative_to(template) for pattern in SHIPPED for path in template.glob(pattern) if path.is_file()}
    return tuple(sorted(name.as_posix() for name in found if not _is_byproduct(name)))


def _is_byproduct(name: Path) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in name.parts)


def init_workspace(folder: str | Path) -> InitReport:
    """Make a workspace, or complete one that lacks something.

    Parameters
    ----------
    folder : str or Path
        Made with its parents if it does not exist.

    Returns
    -------
    InitReport

    Raises
    ------
    ConfigError
        The folder is a file, cannot be written, or holds a `workbench.toml` with an error in it.
    DataError
        A bundled series cannot be put into the lake.

    Notes
    -----
    A file that exists is never overwritten. Each file appears whole or not at all, so that a run that was cut off can
    simply be repeated. Where the workspace's own settings place a folder elsewhere, its files go there.
    """
    root = Path(folder).expanduser().resolve()
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is a file; give the name of a folder, new or existing", folder=str(root))
    created: list[str] = []
    kept: list[str] = []
    try:
        root.mkdir(parents=True, exist_ok=True)
        _place(SETTINGS_FILE, root / SETTINGS_FILE, _SETTINGS.encode(), created, kept)
        settings = load_settings(root)
        for path in (settings.data, settings.strategies, settings.notebooks, settings.reports):
            path.mkdir(parents=True, exist_ok=True)
        for name in shipped_files():
            _place(name, _home(name, settings), template_folder() / name, created, kept)
        _place(".gitignore", root / ".gitignore", _IGNORE.encode(), created, kept)
    except OSError as error:
        raise ConfigError(
            f"the workspace {root} cannot be written: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}; choose a folder that you may write to, "
            "on a disk that has room",
            folder=str(root),
        ) from error
    return InitReport(root=root, created=tuple(created), kept=tuple(kept), series=_install(settings))


def _home(name: str, settings: Settings) -> Path:
    """Give the place of a shipped file in a workspace: its first part names one of the four folders."""
    first, *rest = PurePosixPath(name).parts
    folders = {
        "data": settings.data,
        "strategies": settings.strategies,
        "notebooks": settings.notebooks,
        "reports": settings.reports,
    }
    return folders[first].joinpath(*rest)


def _place(name: str, target: Path, content: bytes | Path, created: list[str], kept: list[str]) -> None:
    (created if _create(target, content) else kept).append(name)


def _create(target: Path, content: bytes | Path) -> bool:
    """Write a file unless one is there; tell whether it was written."""
    if os.path.lexists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        return _publish(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _publish(unfinished: Path, target: Path) -> bool:
    """Give a finished file its name unless another process was first."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: the check and the rename are then two steps
        if os.path.lexists(target):
            return False
        os.replace(unfinished, target)
    return True


def _install(settings: Settings) -> int:
    from workbench.market.lake import Lake
    from workbench.market.samples import install_samples

    report = install_samples(Lake(settings.lake_root), settings.data / "sample")
    return len(report.written) + len(report.present)
