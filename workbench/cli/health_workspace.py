"""What `workbench doctor` looks at in a workspace: folders, settings, lake, samples, ledger, strategies, notebooks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.cli.health import Check
from workbench.cli.words import size

if TYPE_CHECKING:
    from workbench.settings import Settings
    from workbench.store import PartStore

__all__ = ["WORKSPACE", "find_workspace"]

_LITTLE: Final = 2 * 10**9  # bytes free: a warning
_TOO_LITTLE: Final = 200 * 10**6
_SHOWN: Final = 5


def find_workspace(found: list[Settings]) -> Iterator[Check]:
    """Look for the workspace, and put its settings into `found`; without one the checks of a workspace are left out."""
    from workbench.settings import SETTINGS_FILE, load_settings

    settings = load_settings()
    if not settings.found:
        yield Check(
            name="workspace",
            state="note",
            found=f"none: there is no {SETTINGS_FILE} in {settings.root} or above it",
            remedy="`workbench init DIR` makes one; call doctor in it, or with --workspace DIR",
        )
        return
    found.append(settings)
    folders = (settings.data, settings.strategies, settings.notebooks, settings.reports)
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    locked = [str(folder) for folder in folders if folder.is_dir() and not os.access(folder, os.W_OK)]
    lacks = [*(f"{folder} is missing" for folder in missing), *(f"{folder} cannot be written" for folder in locked)]
    yield Check(
        name="workspace",
        state="fail" if lacks else "ok",
        found="; ".join(lacks) or str(settings.root),
        remedy=f"`workbench init {settings.root}` brings back what is missing"
        if missing
        else "become their owner"
        if locked
        else "",
    )
    yield Check(name="settings", state="ok", found=str(settings.source))


def _disk(settings: Settings) -> Iterator[Check]:
    free = shutil.disk_usage(settings.data if settings.data.is_dir() else settings.root).free
    state = "fail" if free < _TOO_LITTLE else "warn" if free < _LITTLE else "ok"
    yield Check(
        name="disk",
        state=state,  # type: ignore[arg-type]
        found=f"{size(free)} free",
        remedy="" if state == "ok" else f"make room on the disk of {settings.data}",
    )


def _lake(settings: Settings) -> Iterator[Check]:
    """Look for every part that a manifest lists, by name and size; `workbench data check` reads them."""
    from workbench.errors import DataError
    from workbench.market.lake_series import find_series
    from workbench.store import PartStore

    root = settings.lake_root
    keys = find_series(root)
    problems, parts, held = [], 0, 0
    for key in keys:
        store = PartStore(key.folder(root))
        try:
            found, lost = _parts(store)
        except DataError as error:
            problems.append(str(error))
            continue
        parts, held = parts + found, held + store.manifest().size
        problems += [f"{key}: {text}" for text in lost]
    if not keys:
        remedy = "`workbench init .` in the workspace brings the bundled series, `workbench data import FILE` your own"
        yield Check(name="lake", state="warn", found=f"there is no market data in {root}", remedy=remedy)
        return
    yield Check(
        name="lake",
        state="fail" if problems else "ok",
        found=_listed(problems)
        or f"{len(keys)} series in {parts} files, {size(held)}; `workbench data check` reads every byte",
        remedy="`workbench data check --drop` takes out what is damaged; then import it again" if problems else "",
    )


def _parts(store: PartStore) -> tuple[int, list[str]]:
    """Count the files of a store, and say which are missing or cut off."""
    manifest = store.manifest()
    sizes = {
        part.file: path.stat().st_size if (path := store.path(part)).is_file() else None for part in manifest.parts
    }
    lost = [
        f"{part.file} is missing"
        if sizes[part.file] is None
        else f"{part.file} has {sizes[part.file]} bytes, not {part.size}"
        for part in manifest.parts
        if sizes[part.file] != part.size
    ]
    return len(manifest.parts), lost


def _samples(settings: Settings) -> Iterator[Check]:
    from workbench.market.lake_series import find_series
    from workbench.market.samples import load_samples

    folder = settings.data / "sample"
    remedy = f"`workbench init {settings.root}` brings the bundled series back"
    if not folder.is_dir():
        yield Check(name="samples", state="note", found=f"{folder} is not there", remedy=remedy)
        return
    samples = load_samples(folder)
    there = {(key.venue, key.symbol, str(key.timeframe)) for key in find_series(settings.lake_root)}
    wanted = [
        (sample.bars.venue, sample.bars.symbol, str(timeframe))
        for sample in samples
        for timeframe in (sample.bars.timeframe, *sample.derive)
    ]
    missing = [
        f"{symbol} {timeframe}" for venue, symbol, timeframe in wanted if (venue, symbol, timeframe) not in there
    ]
    yield Check(
        name="samples",
        state="note" if missing else "ok",
        found=f"not in the lake: {_listed(missing)}" if missing else f"{len(wanted)} bundled series, unchanged",
        remedy=remedy if missing else "",
    )


def _ledger(settings: Settings) -> Iterator[Check]:
    from workbench.store import PartStore

    store = PartStore(settings.ledger_root)
    if not store.exists():
        yield Check(name="run ledger", state="ok", found="empty, no report has run yet")
        return
    parts, lost = _parts(store)
    yield Check(
        name="run ledger",
        state="fail" if lost else "ok",
        found=_listed(lost) or f"{store.manifest().rows:,} runs in {parts} files",
        remedy=f"restore {settings.ledger_root} from a backup" if lost else "",
    )


def _strategies(settings: Settings) -> Iterator[Check]:
    from workbench.strategy.loader import list_strategies

    found = list_strategies(settings.strategies)
    broken = [f"{info.name}: {info.error}" for info in found if info.error]
    yield Check(
        name="strategies",
        state="warn" if broken else "ok",
        found=_listed(broken) or f"{len(found)} in {settings.strategies}",
        remedy="mend the file at the line that is named" if broken else "",
    )


def _reports(settings: Settings) -> Iterator[Check]:
    from workbench.errors import ConfigError
    from workbench.reporting.definition import load_definition

    names = sorted(path.stem for path in settings.reports.glob("*.toml"))
    broken = []
    for name in names:
        try:
            load_definition(name, settings)
        except ConfigError as error:
            broken.append(str(error))
    yield Check(
        name="reports",
        state="warn" if broken else "ok",
        found=_listed(broken) or f"{', '.join(names) or 'none'}, in {settings.reports}",
        remedy="mend the keys that are named" if broken else "",
    )


def _notebooks(settings: Settings) -> Iterator[Check]:
    """Compare the cells of each notebook with those of its source, as jupytext pairs them."""
    sources = sorted(settings.notebooks.glob("*.py"))
    stale = [source.stem for source in sources if not _in_step(source)]
    yield Check(
        name="notebooks",
        state="warn" if stale else "ok",
        found=f"not as their .py says: {_listed(stale)}" if stale else f"{len(sources)} in step with their sources",
        remedy=f"`jupytext --to ipynb --update {settings.notebooks / '*.py'}` (or --to py, if the .ipynb is newer)"
        if stale
        else "",
    )


def _in_step(source: Path) -> bool:
    import jupytext
    import nbformat

    built = source.with_suffix(".ipynb")
    if not built.is_file():
        return False
    found: Any = nbformat.read(built, as_version=4)  # type: ignore[no-untyped-call]
    return _cells(jupytext.read(source)) == _cells(found)


def _cells(notebook: Any) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]


def _listed(problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(problems[:_SHOWN]) + more


WORKSPACE: Final[tuple[tuple[str, Callable[[Settings], Iterator[Check]]], ...]] = (
    ("disk", _disk),
    ("lake", _lake),
    ("samples", _samples),
    ("run ledger", _ledger),
    ("strategies", _strategies),
    ("reports", _reports),
    ("notebooks", _notebooks),
)
