"""The settings of a workspace: `workbench.toml`, then `WORKBENCH_*` variables over it, checked once, frozen.

A workspace is a folder with data, strategies, notebooks and reports. `load_settings` finds it, reads its file and says
in one sentence what is wrong with a setting, where it stands and what to write instead. Nothing is created or changed
here (`workspace` does that), and nothing secret belongs here: the file is meant to be committed and shown.

A variable is named after the section and the key: `WORKBENCH_REPORT__WORKERS=2` is `workers = 2` under `[report]`.
"""

from __future__ import annotations

import copy
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import ConfigError

__all__ = [
    "SETTINGS_FILE",
    "BacktestSettings",
    "BotSettings",
    "LimitSettings",
    "LiveSettings",
    "PathSettings",
    "ReportSettings",
    "Settings",
    "load_settings",
]

SETTINGS_FILE: Final = "workbench.toml"
_PREFIX: Final = "WORKBENCH_"
_WORKSPACE: Final = "WORKBENCH_WORKSPACE"
_OTHERS: Final = (_WORKSPACE, "WORKBENCH_VAULT_FD", "WORKBENCH_VAULT_FILE")  # where things are, and no settings


class _Section(BaseModel):
    """One table of the file. The description of a field is what an error message tells the user to write."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


_Folder = Annotated[str, Field(min_length=1, description="the path of a folder, relative to the workspace or absolute")]


class PathSettings(_Section):
    """`[paths]`: where the four folders of the workspace are.

    Parameters
    ----------
    data, strategies, notebooks, reports : str
        Relative to the workspace, or absolute; `~` is the home folder.
    """

    data: _Folder = "data"
    strategies: _Folder = "strategies"
    notebooks: _Folder = "notebooks"
    reports: _Folder = "reports"


class BacktestSettings(_Section):
    """`[backtest]`: what a backtest assumes when the caller does not say.

    Parameters
    ----------
    cash : float
        Starting cash, in the quote currency.
    fill : {"next_open", "close"}
        At which price a signal is filled.
    max_missing : float
        Largest share of a series' bars that may be missing or filled; a backtest on one with more is refused.
    """

    cash: float = Field(10_000.0, gt=0, description="a positive amount of money, such as 10000")
    fill: Literal["next_open", "close"] = Field("next_open", description='"next_open" or "close"')
    max_missing: float = Field(0.05, ge=0, le=1, description="a fraction from 0 to 1, such as 0.05 for five percent")


def _usual_workers() -> int:
    return max(1, min(os.cpu_count() or 1, 8))


class ReportSettings(_Section):
    """`[report]`: how notebooks are run into reports, where a report's own file does not say.

    Parameters
    ----------
    workers : int
        How many notebooks run at the same time; as many as there are processors, at most 8, when left out.
    timeout_s : float
        Longest time for one notebook, in seconds; it is stopped and reported as failed after that.
    """

    workers: int = Field(default_factory=_usual_workers, ge=1, le=64, description="a whole number from 1 to 64")
    timeout_s: float = Field(600.0, gt=0, description="a positive number of seconds, such as 600")


class BotSettings(_Section):
    """`[bots]`: where bots keep what happened.

    Parameters
    ----------
    journal : str
        URL of a PostgreSQL database for the journals, without a password; when empty, each has a file of its own,
        `data/bots/NAME.sqlite`.
    """

    journal: str = Field("", description="the URL of a database, such as postgresql://USER@HOST/DATABASE")


class LiveSettings(_Section):
    """`[live]`: how a bot that trades for money begins once it is armed.

    Parameters
    ----------
    first_orders : int
        How many orders that open positions are held small.
    first_value : float
        The most that each of them may be worth, in the currency of the account; 0 for twice the least that the venue
        takes.
    max_loss : float
        Largest loss since arming, as a fraction of the equity then; 0 for no limit.
    beyond : {"flatten", "pause"}
        What happens beyond it: positions are closed, or nothing new is opened. The bot is disarmed in both cases.
    """

    first_orders: int = Field(5, ge=0, le=1_000, description="a whole number from 0 to 1000")
    first_value: float = Field(0.0, ge=0, description="an amount of money, such as 20; 0 for twice the venue's least")
    max_loss: float = Field(0.05, ge=0, lt=1, description="a fraction below 1, such as 0.05; 0 for no limit")
    beyond: Literal["flatten", "pause"] = Field("flatten", description='"flatten" or "pause"')


class LimitSettings(BaseModel):
    """`[limits]`: limits on risk of all bots of the workspace, and under `bots` and `accounts` those of each by name.

    They are taken as they stand here; `risk.limits.scoped` reads and checks them for a bot.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def said(self) -> dict[str, Any]:
        """What the section says, as plain data."""
        return copy.deepcopy(self.model_extra or {})


class Settings(BaseModel):
    """Everything that is set for a workspace; made by `load_settings`.

    Parameters
    ----------
    root : Path
        The workspace, absolute.
    source : Path, optional
        The settings file that was read; None where there is none and the defaults hold.
    paths : PathSettings
    backtest : BacktestSettings
    report : ReportSettings
    bots : BotSettings
    live : LiveSettings
    limits : LimitSettings
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path
    source: Path | None = None
    paths: PathSettings = PathSettings()
    backtest: BacktestSettings = BacktestSettings()
    report: ReportSettings = Field(default_factory=ReportSettings)
    bots: BotSettings = BotSettings()
    live: LiveSettings = LiveSettings()
    limits: LimitSettings = LimitSettings()

    @property
    def found(self) -> bool:
        """Whether `root` has a settings file; without one it is a folder like any other, taken with the defaults."""
        return self.source is not None

    @property
    def data(self) -> Path:
        """Folder of all data (absolute)."""
        return self._folder(self.paths.data)

    @property
    def strategies(self) -> Path:
        """Folder of the user's strategy files (absolute)."""
        return self._folder(self.paths.strategies)

    @property
    def notebooks(self) -> Path:
        """Folder of notebooks (absolute)."""
        return self._folder(self.paths.notebooks)

    @property
    def reports(self) -> Path:
        """Folder of report definitions and their output (absolute)."""
        return self._folder(self.paths.reports)

    @property
    def lake_root(self) -> Path:
        """Where market data is kept."""
        return self.data / "lake"

    @property
    def ledger_root(self) -> Path:
        """Where runs are recorded."""
        return self.data / "ledger"

    def _folder(self, text: str) -> Path:
        return Path(os.path.abspath(self.root / Path(text).expanduser()))


_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "paths": PathSettings,
    "backtest": BacktestSettings,
    "report": ReportSettings,
    "bots": BotSettings,
    "live": LiveSettings,
    "limits": LimitSettings,
}


def load_settings(start: str | Path | None = None) -> Settings:
    """Find the workspace and read its settings.

    Parameters
    ----------
    start : str or Path, optional
        Where to look: this folder or the nearest one above it that holds `workbench.toml`. When left out, it is
        `$WORKBENCH_WORKSPACE` itself if that is set, else the search starts at the current folder.

    Returns
    -------
    Settings
        `.found` is False when there is no `workbench.toml`: then the folder itself is the workspace, with the defaults.

    Raises
    ------
    ConfigError
        The folder does not exist, the file cannot be read or is not TOML, or a setting in the file or in a
        `WORKBENCH_*` variable is unknown or has a bad value.

    Examples
    --------
    >>> load_settings().backtest.cash
    10000.0
    """
    source = _find(start)
    root = source.parent
    values: dict[str, dict[str, Any]] = {name: {} for name in _SECTIONS}
    exists = source.is_file()
    if exists:
        for name, content in _read(source).items():
            values[name].update(content)
    for name, content in _from_environment(os.environ).items():
        values[name].update(content)
    sections = {name: model.model_validate(values[name]) for name, model in _SECTIONS.items()}
    return Settings(root=root, source=source if exists else None, **sections)


def _find(start: str | Path | None) -> Path:
    """Give the path that the settings file has or would have."""
    said = os.environ.get(_WORKSPACE, "")
    if start is None and said:
        root = Path(said).expanduser()
        if not root.is_dir():
            raise ConfigError(
                f"{_WORKSPACE} is {said!r}, which is not a folder; make a workspace there with "
                f"`workbench init {said}`, or set {_WORKSPACE} to one that exists",
                variable=_WORKSPACE,
                value=said,
            )
        return root.resolve() / SETTINGS_FILE
    folder = Path.cwd() if start is None else Path(start).expanduser().resolve()
    if not folder.is_dir():
        raise ConfigError(f"{str(start)!r} is not a folder; give the folder of a workspace, or one inside it")
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return candidate / SETTINGS_FILE
    return folder / SETTINGS_FILE


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; check who may read it") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; mend it there", path=str(path)) from error
    for name, content in document.items():
        if name not in _SECTIONS:
            raise ConfigError(
                f"{path}: there is no section [{name}]{_suggest(name, _SECTIONS)}; remove it or rename it",
                path=str(path),
                key=name,
            )
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: {name} is {content!r}; it must be a section, written as [{name}]", key=name)
        try:
            _SECTIONS[name].model_validate(content, strict=True)
        except ValidationError as error:
            raise _explain(error, name, str(path)) from error
    return document


def _from_environment(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    known = {_variable(section, key): (section, key) for section, key in _keys()}
    values: dict[str, dict[str, Any]] = {}
    for variable in sorted(variables):
        if not variable.startswith(_PREFIX) or variable in _OTHERS:
            continue
        if variable not in known:
            raise ConfigError(
                f"the environment variable {variable} is no setting of workbench"
                f"{_suggest(variable, [*known, *_OTHERS])}; unset it or rename it",
                variable=variable,
            )
        section, key = known[variable]
        try:
            read = _SECTIONS[section].model_validate_strings({key: variables[variable]})
        except ValidationError as error:
            raise _explain(error, section, variable) from error
        values.setdefault(section, {})[key] = getattr(read, key)
    return values


def _keys() -> list[tuple[str, str]]:
    return [(section, key) for section, model in _SECTIONS.items() for key in model.model_fields]


def _variable(section: str, key: str) -> str:
    return f"{_PREFIX}{section}__{key}".upper()


def _explain(error: ValidationError, section: str, origin: str) -> ConfigError:
    """Say the first thing that pydantic found in our words: which setting, its value, and what to write instead."""
    first = error.errors(include_url=False)[0]
    key, value = str(first["loc"][0]), first["input"]
    fields = _SECTIONS[section].model_fields
    place = f"{origin}: [{section}] {key}"
    if key not in fields:
        message = f"{place} is no setting{_suggest(key, fields)}; remove it or rename it"
    else:
        message = f"{place} is {value!r}; it must be {fields[key].description}"
    return ConfigError(message, origin=origin, section=section, key=key, value=value)


def _suggest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f" (did you mean {close[0]}?)" if close else f" (there are {', '.join(known)})"
