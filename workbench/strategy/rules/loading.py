"""`load_rules`: a rule file into a strategy class."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Final, cast

from workbench.strategy.rules.checking import check_file
from workbench.strategy.rules.limits import Check, checks_of, wrong_numbers
from workbench.strategy.rules.mistakes import Mistakes
from workbench.strategy.rules.plan import RuleFile
from workbench.strategy.rules.reading import read_yaml
from workbench.strategy.rules.sections import read_file
from workbench.strategy.rules.strategy import RuleStrategy
from workbench.strategy.rules.timelimit import split_time_limit
from workbench.strategy.strategy import SignalStrategy

__all__ = ["load_rules"]

_PREFIX: Final = "workbench_rules"


def load_rules(path: Path, source: str) -> type[SignalStrategy]:
    """Make a strategy class of a rule file.

    Parameters
    ----------
    path : Path
        Of the file, for messages and for the name of the class; it is not read.
    source : str
        The text of the file.

    Returns
    -------
    type
        A subclass of `SignalStrategy` with the file's parameters; the same path and source give the same class.

    Raises
    ------
    StrategyError
        The file is wrong. The message has a line and column, what was found, what would be accepted and the line
        itself, for every mistake.

    Notes
    -----
    Nothing in the file is run. Like the module of a strategy in code, that of the class holds the source, of which
    `code_hash` is made.

    Examples
    --------
    >>> source = '''
    ... parameters:
    ...   length: {default: 14, low: 2, high: 50}
    ... entry: rsi(close, length) < 30
    ... exit: rsi(close, length) > 60
    ... '''
    >>> Dip = load_rules(Path("dip.yaml"), source)
    >>> Dip(length=21)
    Dip(length=21)
    >>> Dip().warm_up
    14
    """
    digest = hashlib.sha256(f"{path}\n{source}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    module_name = f"{_PREFIX}_{digest}"
    if module_name not in sys.modules:
        file, checks = _checked(Path(path), source)
        sys.modules[module_name] = _module(module_name, file, checks, source)
    made: type[SignalStrategy] = sys.modules[module_name].strategy
    return made


def _checked(path: Path, source: str) -> tuple[RuleFile, tuple[Check, ...]]:
    mistakes = Mistakes(path, source)
    root = read_yaml(mistakes)
    file = split_time_limit(read_file(root, path, mistakes))
    mistakes.settle()
    check_file(file, mistakes)
    mistakes.settle()
    checks = checks_of(file)
    for place, message in wrong_numbers(file, checks, {name: one.default for name, one in file.settings.items()}):
        mistakes.add(message, place)
    mistakes.settle()
    return file, checks


def _module(name: str, file: RuleFile, checks: tuple[Check, ...], source: str) -> ModuleType:
    """Make the module that the class lives in, as the loader does for a file of code."""
    module = ModuleType(name, file.summary)
    module.__file__ = str(file.path)
    summary = file.summary or f"The rules of {file.path.name}."
    chosen = tuple(one for one in checks if one.chosen)
    members = {
        "checks": chosen,
        "__module__": name,
        "__doc__": summary,
        "file": file,
        "needs_next_open": file.follows_position,
    }
    made = cast(type[RuleStrategy], type(file.name, (RuleStrategy,), members))
    made.declared = dict(file.settings)
    module.__workbench_source__ = source  # type: ignore[attr-defined]
    setattr(module, file.name, made)
    module.strategy = made  # type: ignore[attr-defined]
    return module
