"""Finding strategies by name and loading them: from Python files, rule files, the library and the kept versions.

A strategy file is the user's own Python and is run when loaded, as importing it would; a rule file is only read. Each
version of a file gets a module of its own, so editing a file and loading it again gives the new class while older
objects keep the old one. Names are read in `names`, versions kept in `versions`, retired files noted in `retirement`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal, TypeAlias

from workbench.errors import StrategyError, WorkbenchError
from workbench.strategy.names import LIBRARY, StrategyName, find_file, no_such, parse_name, strategy_files
from workbench.strategy.parameterised import Parameterised
from workbench.strategy.parameters import Parameter
from workbench.strategy.retirement import require_active, retired_in
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    from workbench.settings import Settings
    from workbench.strategy.orders import OrderStrategy

    StrategyClass: TypeAlias = type[SignalStrategy] | type[OrderStrategy]

__all__ = ["Kind", "StrategyInfo", "classes_of", "kind_of", "list_strategies", "load_strategy"]

Kind = Literal["signals", "orders", "rules", "library", ""]


@dataclass(frozen=True, slots=True)
class StrategyInfo:
    """One strategy: its name, path and class, or why it cannot be loaded.

    `kind` is `signals` or `orders` for code, `rules` for a rule file, `library` for what comes with workbench; empty
    for a file of code that cannot be loaded.
    """

    name: str
    path: Path
    summary: str
    parameters: tuple[Parameter, ...]
    code_hash: str
    error: str | None = None
    kind: Kind = ""


def load_strategy(name: str | Path, *, settings: Settings | None = None) -> StrategyClass:
    """Load a strategy class.

    Parameters
    ----------
    name : str or Path
        `"sma_cross"` is `sma_cross.py` in the workspace's strategies folder, or the rule file `sma_cross.yaml` where
        there is no such code; `"sma_cross.yaml"` is always the rules. A path names a file itself. A file with several
        strategies needs the class too: `"my_file:MyStrategy"`. `"library:grid"` comes with workbench, and so does
        `"grid"` where the workspace has no such file. `"sma_cross@3f2a9c"` is the version with that code hash, as it
        was, even where the file has changed or is gone.
    settings : Settings, optional
        Of the workspace; the current one when left out.

    Returns
    -------
    type
        A subclass of `SignalStrategy` or `OrderStrategy`; call it with parameters.

    Raises
    ------
    StrategyError
        There is no such file, class or version, the strategy is retired, or the file does not run; the message names
        the file, line and column.

    Examples
    --------
    >>> import tempfile
    >>> source = '''
    ... import workbench as wb
    ... class Always(wb.SignalStrategy):
    ...     days: int = wb.param(3, low=1)
    ...     def signals(self, bars):
    ...         return wb.Signals(entry=bars.close > 0)
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "always.py"
    ...     _ = path.write_text(source)
    ...     load_strategy(path)(days=5)
    Always(days=5)
    """
    near = Path.cwd() if settings is None else None
    settings = _current() if settings is None else settings
    said = parse_name(name)
    path = None if said.library else find_file(said, settings, near)
    if said.version:
        from workbench.strategy.versions import Archive

        version = Archive.of(settings).find(said, path)
        return _chosen(
            classes_of(version.path, version.source, as_module=version.kind == "library"), said, version.path
        )
    if path is None:
        return _from_library(said, settings)
    require_active(path)
    return _chosen(classes_of(path), said, path)


def list_strategies(folder: Path | None = None, *, library: bool = False, retired: bool = False) -> list[StrategyInfo]:
    """List the strategy files of a folder (the workspace's own by default), broken ones with their error.

    Parameters
    ----------
    folder : Path, optional
    library : bool, default False
        Also list what comes with workbench; that loads all of it.
    retired : bool, default False
        Also list the files that were retired.
    """
    folder = _current().strategies if folder is None else Path(folder)
    hidden = set() if retired else set(retired_in(folder))
    taken: set[str] = set()
    found = []
    for path in strategy_files(folder):
        if path.name not in hidden:
            found += _infos(path, path.name if path.stem in taken else path.stem)
        taken.add(path.stem)
    return [*found, *(_library_infos() if library else ())]


def classes_of(path: Path, source: str | None = None, *, as_module: bool = False) -> dict[str, StrategyClass]:
    """Load the strategies of a file, retired or not.

    Parameters
    ----------
    path : Path
        Its ending says what it is.
    source : str, optional
        The text to load in place of what the file holds now.
    as_module : bool, default False
        Let the hash of a class be that of its own source, as for the modules of the library, and not of the file.

    Returns
    -------
    dict of str to type
    """
    source = _read(path) if source is None else source
    if path.suffix != ".py":
        from workbench.strategy.rules import load_rules

        rules = load_rules(path, source)
        return {rules.__name__: rules}
    module = _load_module(path, source, as_module=as_module)
    found: dict[str, StrategyClass] = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and _is_strategy(value)
    }
    return found


def kind_of(cls: type, path: Path | None = None) -> Kind:
    """Say what a strategy class is; None for the path of one that comes with workbench."""
    if path is None:
        return "library"
    if path.suffix != ".py":
        return "rules"
    return "signals" if issubclass(cls, SignalStrategy) else "orders"


def _current() -> Settings:
    from workbench.settings import load_settings

    return load_settings()


def _is_strategy(value: type) -> bool:
    """Tell whether a class is a strategy; only who has loaded an order strategy has that base class, and the core."""
    orders = sys.modules.get("workbench.strategy.orders")
    return issubclass(value, SignalStrategy if orders is None else (SignalStrategy, orders.OrderStrategy))


def _chosen(classes: dict[str, StrategyClass], said: StrategyName, path: Path) -> StrategyClass:
    if said.wanted:
        if said.wanted not in classes:
            raise StrategyError(
                f"{said.file}: no strategy class {said.wanted!r}; it has {', '.join(classes) or 'none'}"
            )
        return classes[said.wanted]
    if len(classes) == 1:
        return next(iter(classes.values()))
    if not classes:
        raise StrategyError(
            f"{path}: no strategy in this file; write a class that extends wb.SignalStrategy or wb.OrderStrategy"
        )
    raise StrategyError(
        f"{said.file}: several strategies ({', '.join(classes)}); name one: {said.file + ':' + min(classes)!r}"
    )


def _from_library(said: StrategyName, settings: Settings) -> StrategyClass:
    from workbench.strategy.library import get, names

    if said.file not in names():
        raise no_such(said, settings, names())
    found: StrategyClass = get(said.file)  # type: ignore[assignment]
    return found


def _infos(path: Path, name: str) -> list[StrategyInfo]:
    """Describe the strategies of a file; one of several is named `file:Class`, as `load_strategy` takes it."""
    try:
        path = path.resolve()
        classes = classes_of(path)
        if len(classes) <= 1:
            classes = {"": _chosen(classes, StrategyName(file=name), path)}
    except WorkbenchError as error:
        return [_broken(name, path, error)]
    return [_info(f"{name}:{one}" if one else name, path, cls, kind_of(cls, path)) for one, cls in classes.items()]


def _library_infos() -> Iterable[StrategyInfo]:
    from workbench.strategy.library import get, names

    for name in names():
        cls: StrategyClass = get(name)  # type: ignore[assignment]
        yield _info(f"{LIBRARY}{name}", Path(str(sys.modules[cls.__module__].__file__)), cls, "library")


def _info(name: str, path: Path, cls: type[Parameterised], kind: Kind) -> StrategyInfo:
    try:
        code_hash = cls().code_hash
    except WorkbenchError as error:
        return _broken(name, path, error)
    summary = (cls.__doc__ or "").strip().split("\n")[0]
    return StrategyInfo(name, path, summary, tuple(cls.declared.values()), code_hash, kind=kind)


def _broken(name: str, path: Path, error: WorkbenchError) -> StrategyInfo:
    return StrategyInfo(name, path, "", (), "", str(error), kind="" if path.suffix == ".py" else "rules")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StrategyError(f"{path}: cannot be read as a UTF-8 text file: {error}") from error


def _load_module(path: Path, source: str, *, as_module: bool) -> ModuleType:
    digest = hashlib.sha256(f"{path}\n{source}".encode()).hexdigest()[:12]
    module_name = f"workbench_user_{path.stem}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_loader(module_name, loader=None, origin=str(path))
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    module.__file__ = str(path)
    if not as_module:
        module.__workbench_source__ = source  # type: ignore[attr-defined]
    sys.modules[module_name] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except SyntaxError as error:
        del sys.modules[module_name]
        raise StrategyError(
            f"{path}: line {error.lineno}, column {error.offset}: {error.msg}: {(error.text or '').strip()}",
            path=str(path),
            line=error.lineno,
        ) from error
    except WorkbenchError as error:
        del sys.modules[module_name]
        error.add_note(f"while loading {path}")
        raise
    except (Exception, SystemExit) as error:  # a file that calls sys.exit() ends its own loading, not the program
        del sys.modules[module_name]
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = frames[-1].lineno if frames else "?"
        raise StrategyError(f"{path}: line {line}: {type(error).__name__}: {error}", path=str(path)) from error
    return module
