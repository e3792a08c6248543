"""What the shell offers when a user presses Tab: names of strategies, symbols, reports. Never an error, never slow."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["report_names", "scenario_names", "series_symbols", "strategy_names"]

_LIBRARY: Final = "library:"


def strategy_names(incomplete: str) -> list[str]:
    """Offer the strategy files of the workspace, rules with their ending; the library to who begins to write it."""
    code = _names("strategies", "*.py", incomplete)
    rules = [
        f"{name}{ending}" for ending in (".yaml", ".yml") for name in _names("strategies", f"*{ending}", incomplete)
    ]
    return [*code, *sorted(rules), *_library(incomplete)]


def _library(incomplete: str) -> list[str]:
    if not incomplete or not _LIBRARY.startswith(incomplete[: len(_LIBRARY)]):
        return []
    from workbench.strategy.library import names

    return [name for one in names() if (name := f"{_LIBRARY}{one}").startswith(incomplete)]


def report_names(incomplete: str) -> list[str]:
    """Offer the reports that are defined in the workspace."""
    return _names("reports", "*.toml", incomplete)


def scenario_names(incomplete: str) -> list[str]:
    """Offer the scenarios that come with workbench."""
    from workbench.practice.faults_scenario import scenarios

    return [name for name in scenarios() if name.startswith(incomplete)]


def series_symbols(incomplete: str) -> list[str]:
    """Offer the symbols in the lake."""
    from workbench.errors import WorkbenchError

    try:
        from workbench.market.lake_series import find_series
        from workbench.settings import load_settings

        found = {key.symbol for key in find_series(load_settings().lake_root)}
    except WorkbenchError:
        return []
    return sorted(symbol for symbol in found if symbol.startswith(incomplete))


def _names(folder: str, pattern: str, incomplete: str) -> list[str]:
    from workbench.errors import WorkbenchError
    from workbench.settings import load_settings

    try:
        place: Path = getattr(load_settings(), folder)
    except WorkbenchError:
        return []
    names = (path.stem for path in place.glob(pattern) if not path.name.startswith("_"))
    return sorted(name for name in names if name.startswith(incomplete))
