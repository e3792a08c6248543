"""Parameter files (`workbench bots template`) for bots: strategy, parameters, series, money and costs in one YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.bots.spec import Series
    from workbench.settings import Settings

__all__ = ["FromFile", "read_bot_file"]


class FromFile:
    """What a parameter file says of a bot; of no file it says nothing but the strategy.

    Attributes
    ----------
    strategy : str
    parameters : dict
    series : tuple of Series
    cash, fee, slippage_bps, leverage : float or None
    name : str
        The file's, without its ending; empty for none.
    """

    def __init__(self, strategy: str, **said: Any) -> None:
        self.strategy = strategy
        self.name: str = said.get("name", "")
        self.parameters: dict[str, Any] = said.get("parameters", {})
        self.series: tuple[Series, ...] = said.get("series", ())
        self.cash: float | None = said.get("cash")
        self.fee: float | None = said.get("fee")
        self.slippage_bps: float | None = said.get("slippage_bps")
        self.leverage: float | None = said.get("leverage")


def read_bot_file(strategy: str, settings: Settings) -> FromFile:
    """Read a parameter file, where the name of a strategy is one; a rule file is a strategy of its own.

    Raises
    ------
    ConfigError
        It says what a bot cannot heed, or as `read_parameter_file`.
    """
    path = _path(strategy, settings)
    if path is None:
        return FromFile(strategy)
    from workbench.backtest.costs import Costs
    from workbench.backtest.parameter_file import read_parameter_file
    from workbench.bots.spec import Series

    made, said = read_parameter_file(path)
    costs = said.costs
    if costs != Costs(fee=costs.fee, slippage_bps=costs.slippage_bps):
        raise ConfigError(
            f"{path}: of costs a bot takes fee and slippage_bps; leave the others out, or as the template has them",
            path=str(path),
        )
    return FromFile(
        _named(path), name=path.stem, parameters={name: getattr(made, name) for name in made.declared},
        series=tuple(Series(one.symbol, one.timeframe, one.venue) for one in said.instruments),
        cash=said.cash, fee=costs.fee, slippage_bps=costs.slippage_bps, leverage=said.leverage,
    )  # fmt: skip


def _path(strategy: str, settings: Settings) -> Path | None:
    """Give the parameter file that is meant, None where it is none."""
    if not strategy.endswith((".yaml", ".yml")):
        return None
    given = Path(strategy).expanduser()
    tried = [given] if given.is_absolute() else [given, settings.root / given, settings.strategies / given]
    path = next((one for one in tried if one.is_file()), None)
    return path if path is not None and "instruments" in _said(path) else None


def _said(path: Path) -> dict[str, Any]:
    """Read what a file says; nothing where it is no YAML, which whoever loads it tells better."""
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(path: Path) -> str:
    return str(_said(path).get("strategy", ""))
