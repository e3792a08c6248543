"""What a strategy may not ask: clocks, random numbers without a seed, files, the network, the environment.

Found twice over. The source of the author's functions is read for calls whose name leads to one of these (`uses_in`);
nothing is run for that. And calls of the built-in ones are heard while the strategy runs (`BUILT_IN`), whatever name
they go by.
"""

from __future__ import annotations

import ast
import builtins
import datetime as dt
import inspect
import os
import random
import re
import textwrap
import time
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final, Literal, NamedTuple

import numpy as np

__all__ = ["BUILT_IN", "Kind", "Use", "uses_in"]

Kind = Literal["clock", "randomness", "seed", "file", "environment"]


class Use(NamedTuple):
    """One call of something outside: what kind, which, and where in the author's code."""

    kind: Kind
    name: str
    path: str
    line: int


_CLOCKS: Final = {
    "time.time": time.time, "time.time_ns": time.time_ns, "time.localtime": time.localtime, "time.gmtime": time.gmtime,
    "datetime.datetime.now": dt.datetime.now, "datetime.datetime.utcnow": dt.datetime.utcnow,
    "datetime.datetime.today": dt.datetime.today, "datetime.date.today": dt.date.today,
}  # fmt: skip
_DRAWS: Final = ("random", "randrange", "randint", "choice", "choices", "shuffle", "sample", "uniform", "gauss",
                 "normalvariate", "betavariate", "expovariate", "getrandbits", "randbytes", "triangular")  # fmt: skip
_NUMPY_DRAWS: Final = (
    "rand", "randn", "randint", "random", "random_sample", "ranf", "sample", "choice", "shuffle", "permutation",
    "uniform", "normal", "standard_normal", "exponential", "poisson", "binomial", "lognormal", "laplace", "beta",
    "gamma", "standard_t",
)  # fmt: skip
_FILES: Final = {"open": builtins.open, "os.listdir": os.listdir, "os.stat": os.stat}


def _built_in() -> dict[Any, tuple[Kind, str]]:
    found: dict[Any, tuple[Kind, str]] = {call: ("clock", name) for name, call in _CLOCKS.items()}
    found |= {getattr(random, name): ("randomness", f"random.{name}") for name in _DRAWS}
    found |= {getattr(np.random, name): ("randomness", f"numpy.random.{name}") for name in _NUMPY_DRAWS}
    found[os.urandom] = ("randomness", "os.urandom")
    return found | {call: ("file", name) for name, call in _FILES.items()}


BUILT_IN: Final[Mapping[Any, tuple[Kind, str]]] = _built_in()
"""By the callable itself: its kind and name."""

_NAMED: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("clock", re.compile(r"time\.(time|time_ns|localtime|gmtime|ctime|asctime)")),
    ("clock", re.compile(r"datetime\.(datetime\.(now|utcnow|today)|date\.today)")),
    ("clock", re.compile(r"pandas\.(.*\.)?Timestamp\.(now|utcnow|today)")),
    ("randomness", re.compile(rf"random\.({'|'.join(_DRAWS)})")),
    ("randomness", re.compile(rf"numpy\.random\.({'|'.join(_NUMPY_DRAWS)})")),
    ("randomness", re.compile(r"secrets\..+|uuid\.uuid[14]|os\.urandom|random\.SystemRandom")),
    ("seed", re.compile(r"(numpy\.)?random\.seed")),
    ("environment", re.compile(r"os\.(environ(\..+)?|getenv|cpu_count|getcwd|getpid|uname)|platform\..+")),
    ("environment", re.compile(r"socket\.(gethostname|getfqdn)")),
    ("file", re.compile(r"(builtins\.|io\.|_io\.|os\.)?open|os\.(listdir|stat|scandir)")),
    ("file", re.compile(r"pathlib\.(.*\.)?Path(\(\))?(\..+)?\.(read_text|read_bytes|open|exists|glob|stat)")),
    ("file", re.compile(r"pandas\.(.*\.)?read_\w+|numpy\.(.*\.)?(load|loadtxt|genfromtxt|fromfile|memmap)")),
    ("file", re.compile(r"(socket|requests|urllib|urllib3|http|httpx|aiohttp|subprocess|ccxt|sqlite3|duckdb)\..+")),
    ("file", re.compile(r"workbench\.(.*\.)?(lake|read|Lake)(\(.*)?|workbench\.market\.lake\..+")),
)
_SEEDED: Final = re.compile(r"numpy\.random\.(.*\.)?(default_rng|RandomState)|random\.Random")
_NOW: Final = re.compile(r"numpy\.datetime64|pandas\.(.*\.)?(Timestamp|to_datetime)")


def uses_in(functions: tuple[FunctionType, ...]) -> list[Use]:
    """Read the source of functions for what they ask of the outside.

    Returns
    -------
    list of Use
        In the order of the source; nothing for functions that have none.
    """
    found: dict[Use, None] = {}
    for function in functions:
        for use in _uses_of(function):
            found.setdefault(use)
    return list(found)


def _uses_of(function: FunctionType) -> Iterator[Use]:
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return
    names = {**vars(builtins), **function.__globals__, **_closed_over(function), **_imported(tree)}
    path = function.__code__.co_filename
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Call, ast.Subscript)):
            continue
        name = _name_of(node.func if isinstance(node, ast.Call) else node.value, names)
        kind = _kind_of(name, node) if name and (isinstance(node, ast.Call) or name == "os.environ") else None
        if kind is not None:
            yield Use(kind, name, path, first + node.lineno - 1)


def _closed_over(function: FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    found = {}
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def _imported(tree: ast.AST) -> dict[str, Any]:
    """Give what a function imports by itself, as dotted names."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0]: _Dotted(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: _Dotted(f"{node.module}.{alias.name}") for alias in node.names}
    return found


class _Dotted(str):
    """A name that is known although nothing was imported to learn it."""


def _name_of(node: ast.expr, names: Mapping[str, Any]) -> str:
    """Give the full name that an expression leads to, "" where it leads nowhere known."""
    if isinstance(node, ast.Attribute):
        outer = _name_of(node.value, names)
        return f"{outer}.{node.attr}" if outer else ""
    if isinstance(node, ast.Call):
        outer = _name_of(node.func, names)
        return f"{outer}()" if outer else ""
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    value = names[node.id]
    if isinstance(value, _Dotted):
        return str(value)
    if isinstance(value, ModuleType):
        return value.__name__
    try:
        if value in BUILT_IN:
            return BUILT_IN[value][1]
    except TypeError:
        return ""
    if value is os.environ:
        return "os.environ"
    home, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return f"{home}.{name}" if isinstance(home, str) and isinstance(name, str) else ""


def _kind_of(name: str, node: ast.AST) -> Kind | None:
    arguments: list[Any] = [*node.args, *node.keywords] if isinstance(node, ast.Call) else []
    if _SEEDED.fullmatch(name):
        given = arguments[0] if arguments else None
        seed = given.value if isinstance(given, ast.keyword) else given
        return "randomness" if seed is None or (isinstance(seed, ast.Constant) and seed.value is None) else None
    if _NOW.fullmatch(name):
        said = arguments[0] if arguments else None
        return "clock" if isinstance(said, ast.Constant) and said.value in ("now", "today") else None
    if name.startswith("datetime.") and name.endswith(".now") and not name.startswith("datetime.datetime"):
        return None
    return next((kind for kind, pattern in _NAMED if pattern.fullmatch(name)), None)
