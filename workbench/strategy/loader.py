"""Finding strategies by name and loading them from files.

A strategy file is the user's own Python and is run when loaded, as importing it would. Each version of a file gets a
module of its own, so editing a file and loading it again gives the new class while older objects keep the old one.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from workbench.errors import StrategyError, WorkbenchError
from workbench.strategy.parameters import Parameter
from workbench.strategy.strategy import SignalStrategy

__all__ = ["StrategyInfo", "list_strategies", "load_strategy"]


@dataclass(frozen=True, slots=True)
class StrategyInfo:
    """One strategy file: its name, path and class, or why it cannot be loaded."""

    name: str
    path: Path
    summary: str
    parameters: tuple[Parameter, ...]
    code_hash: str
    error: str | None = None


def load_strategy(name: str | Path) -> type[SignalStrategy]:
    """Load a strategy class.

    Parameters
    ----------
    name : str or Path
        `"sma_cross"` is `sma_cross.py` in the workspace's strategies folder; a path names a file itself. A file with
        several strategies needs the class too: `"my_file:MyStrategy"`.

    Returns
    -------
    type
        A subclass of `SignalStrategy`; call it with parameters.

    Raises
    ------
    StrategyError
        There is no such file or class, or the file does not run; the message names the file, line and column.

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
    text, _, wanted = str(name).partition(":") if not isinstance(name, Path) else (str(name), "", "")
    module = _load_module(_find(text))
    classes = _strategies_in(module)
    if wanted:
        if wanted not in classes:
            raise StrategyError(f"{text}: no strategy class {wanted!r}; it has {', '.join(classes) or 'none'}")
        return classes[wanted]
    if len(classes) == 1:
        return next(iter(classes.values()))
    if not classes:
        raise StrategyError(
            f"{module.__file__}: no strategy in this file; write a class that extends wb.SignalStrategy"
        )
    raise StrategyError(f"{text}: several strategies ({', '.join(classes)}); name one: {text + ':' + min(classes)!r}")


def list_strategies(folder: Path | None = None) -> list[StrategyInfo]:
    """List the strategy files of a folder (the workspace's own by default), broken ones with their error."""
    folder = _workspace_folder() if folder is None else Path(folder)
    paths = [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
    return [info for path in paths for info in _infos(path)]


def _infos(path: Path) -> list[StrategyInfo]:
    """Describe the strategies of a file; one of several is named `file:Class`, as `load_strategy` takes it."""
    try:
        classes = _strategies_in(_load_module(path.resolve()))
        if len(classes) <= 1:
            return [_info(path.stem, path, load_strategy(path))]
    except WorkbenchError as error:
        return [StrategyInfo(path.stem, path, "", (), "", str(error))]
    return [_info(f"{path.stem}:{name}", path, cls) for name, cls in classes.items()]


def _info(name: str, path: Path, cls: type[SignalStrategy]) -> StrategyInfo:
    try:
        code_hash = cls().code_hash
    except WorkbenchError as error:
        return StrategyInfo(name, path, "", (), "", str(error))
    summary = (cls.__doc__ or "").strip().split("\n")[0]
    return StrategyInfo(name, path, summary, tuple(cls.declared.values()), code_hash)


def _workspace_folder() -> Path:
    from workbench.settings import load_settings

    return load_settings().strategies


def _find(text: str) -> Path:
    if text.endswith(".py") or "/" in text or "\\" in text:
        path = Path(text).expanduser()
        candidates = [path] if path.is_absolute() else [Path.cwd() / path, _workspace_folder().parent / path]
        for candidate in candidates:
            if candidate.is_file():
                return candidate.resolve()
        raise StrategyError(f"there is no strategy file {text}; looked at {', '.join(map(str, candidates))}")
    folder = _workspace_folder()
    if (folder / f"{text}.py").is_file():
        return (folder / f"{text}.py").resolve()
    names = sorted(path.stem for path in folder.glob("*.py") if not path.name.startswith("_"))
    near = difflib.get_close_matches(text, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise StrategyError(
        f"there is no strategy {text!r} in {folder}: {hint}there is "
        f"{', '.join(names) or 'nothing (`workbench init .` puts the bundled ones there)'}",
        name=text,
    )


def _load_module(path: Path) -> ModuleType:
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StrategyError(f"{path}: cannot be read as a UTF-8 text file: {error}") from error
    digest = hashlib.sha256(f"{path}\n{source}".encode()).hexdigest()[:12]
    module_name = f"workbench_user_{path.stem}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_loader(module_name, loader=None, origin=str(path))
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    module.__file__ = str(path)
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


def _strategies_in(module: ModuleType) -> dict[str, type[SignalStrategy]]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, SignalStrategy) and value.__module__ == module.__name__
    }
