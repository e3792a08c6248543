"""The shape of the house, held by reading the source: floors, purity, names, docstrings, size, and clean files."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "workbench"

# Lowest first. Imports go down, or beside within a floor as long as they make no circle. Private modules of the package
# itself (workbench/_*.py) belong to the lowest floor.
FLOORS = (
    {"errors", "settings", "store", *(path.stem for path in PACKAGE.glob("_[!_]*.py"))},
    {"indicators", "market", "risk"},
    {"trading"},
    {"strategy"},
    {"backtest"},
    {"accounting", "bots", "practice", "research"},
    {"cli", "reporting", "warmup", "widgets", "workspace"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What the core may import: nothing of these reads a clock, a file, a socket or a random number.
PURE = {
    "__future__", "abc", "bisect", "collections", "copy", "dataclasses", "decimal", "enum", "fractions", "functools",
    "hashlib", "heapq", "itertools", "json", "math", "numba", "numpy", "operator", "types", "typing", "workbench",
}  # fmt: skip

FOREIGN_ERRORS = {"AssertionError", "Exception", "IndexError", "KeyError", "RuntimeError", "TypeError", "ValueError"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package, by dotted name, as a syntax tree."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "_workspace" in path.parts:
            continue
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return trees


def is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def room(module: str) -> str | None:
    """The part of the house that a module belongs to; None for the front door."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imports(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports anywhere in it, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = name.split(".")
            if node.level:
                base = base[: len(base) - node.level + is_package(name)]
            prefix = ".".join([*base, *filter(None, [node.module])]) if node.level else str(node.module)
            yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)


def inner_imports() -> Iterator[tuple[str, int, str]]:
    """Importing module, line and imported name, for imports of the package by itself."""
    for name, tree in modules().items():
        for line, target in imports(name, tree):
            if target.split(".")[0] == "workbench":
                yield name, line, target


def test_every_room_has_a_floor() -> None:
    rooms = {room(name) for name in modules()} - {None, "__main__"}
    assert rooms <= set(FLOOR_OF), "a new part of the house: give it a floor here and in ARCHITECTURE.md"


def test_imports_only_go_down() -> None:
    wrong = []
    for name, line, target in inner_imports():
        here, there = room(name), room(target)
        if here in FLOOR_OF and there in FLOOR_OF and FLOOR_OF[there] > FLOOR_OF[here]:
            wrong.append(f"{name}:{line} imports {target}")
    assert wrong == []


def test_rooms_of_one_floor_import_in_one_direction() -> None:
    edges = {(room(name) or "", room(target) or "") for name, _, target in inner_imports()}
    beside = {(here, there) for here, there in edges if here != there and FLOOR_OF.get(here) == FLOOR_OF.get(there)}
    reached: dict[str, frozenset[str]] = dict.fromkeys(FLOOR_OF, frozenset())
    for _ in FLOOR_OF:
        for here, there in beside:
            reached[here] = reached[here] | {there} | reached[there]
    assert [here for here, others in reached.items() if here in others] == []


def test_the_package_does_not_go_through_its_own_front_door() -> None:
    allowed = {"workbench.__version__"}
    wrong = [
        f"{name}:{line} imports {target}"
        for name, line, target in inner_imports()
        if target not in allowed and room(target) not in FLOOR_OF
    ]
    assert wrong == [], "import from the module that defines the name"


def test_the_core_is_pure() -> None:
    wrong = []
    for name, tree in modules().items():
        if room(name) != "trading":
            continue
        for line, target in imports(name, tree):
            if target.split(".")[0] not in PURE or target.startswith("numpy.random"):
                wrong.append(f"{name}:{line} imports {target}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"input", "np.random", "open", "print"}:
                wrong.append(f"{name}:{node.lineno} calls {ast.unparse(node.func)}")
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(("np.random", "numpy.random")):
                wrong.append(f"{name}:{node.lineno} uses {ast.unparse(node)}")
            if isinstance(node, (ast.AsyncFunctionDef, ast.Await)):
                wrong.append(f"{name}:{node.lineno} is asynchronous")
    assert wrong == []


def order(name: str) -> tuple[bool, bool, str]:
    """Constants, then classes, then functions, as ruff sorts `__all__`."""
    return (not name.isupper(), not name[0].isupper(), name)


def test_every_list_of_public_names_is_sorted_and_true() -> None:
    wrong = []
    for name, tree in modules().items():
        module = importlib.import_module(name)
        public = getattr(module, "__all__", None)
        if public is None:
            continue
        if list(public) != sorted(public, key=order):
            wrong.append(f"{name}.__all__ is not sorted: {sorted(public, key=order)}")
        wrong += [f"{name}.__all__ names {item!r}, which is not there" for item in public if not hasattr(module, item)]
        if is_package(name):
            brought = {
                alias.asname or alias.name
                for node in tree.body
                if isinstance(node, ast.ImportFrom) and (node.level or str(node.module).split(".")[0] == "workbench")
                for alias in node.names
            }
            hidden = sorted(item for item in brought - set(public) if not item.startswith("_"))
            wrong += [f"{name} imports {item!r} but does not list it in __all__" for item in hidden]
    assert wrong == []


def test_every_package_lists_its_public_names() -> None:
    bare = []
    for name, tree in modules().items():
        statements = [node for node in tree.body if not isinstance(node, ast.Expr)]
        if name != "workbench" and is_package(name) and statements:
            names = {target.id for node in statements for target in _targets(node)}
            bare += [] if "__all__" in names else [name]
    assert bare == []


def _targets(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target for target in targets if isinstance(target, ast.Name)]


def test_every_module_is_described() -> None:
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def definitions(name: str, body: list[ast.stmt], outer: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public functions and classes of a module, and the public methods of public classes."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield f"{name}:{node.lineno} {outer}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from definitions(name, node.body, f"{outer}{node.name}.")


def test_everything_public_has_a_docstring() -> None:
    silent = []
    for name, tree in modules().items():
        for where, node in definitions(name, tree.body):
            marks = {ast.unparse(mark).split(".")[-1].split("(")[0] for mark in node.decorator_list}
            if not ast.get_docstring(node) and not marks & {"overload", "override", "setter"}:
                silent.append(where)
    assert silent == []


def test_a_users_mistake_is_never_an_assert_or_a_bare_error() -> None:
    wrong = []
    for name, tree in modules().items():
        excused = {id(node) for validator in _validators(tree) for node in ast.walk(validator)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                wrong.append(f"{name}:{node.lineno} asserts")
            if isinstance(node, ast.Raise) and node.exc is not None and id(node) not in excused:
                raised = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
                if raised in FOREIGN_ERRORS:
                    wrong.append(f"{name}:{node.lineno} raises {raised}")
    assert wrong == [], "raise a WorkbenchError that names the thing, the value and the remedy"


def _validators(tree: ast.Module) -> Iterator[Function]:
    """Functions that pydantic calls: they must raise ValueError, which becomes a ConfigError or DataError outside."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and "Validator" in ast.unparse(node.func)]
    named = {argument.id for call in calls for argument in call.args if isinstance(argument, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (
            node.name in named or any("validator" in ast.unparse(mark) for mark in node.decorator_list)
        ):
            yield node


def test_no_file_grows_without_end() -> None:
    folders = [PACKAGE, ROOT / "tests", ROOT / "notebooks", ROOT / "strategies"]
    lengths = {path: len(path.read_text().splitlines()) for folder in folders for path in folder.rglob("*.py")}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines >= 450} == {}


def test_import_workbench_loads_nothing_heavy() -> None:
    heavy = "duckdb matplotlib numba numpy pandas papermill plotly pyarrow pydantic rich typer vectorbt".split()
    code = f"import sys, workbench; dir(workbench); print(*sorted(set(sys.modules) & set({heavy!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_every_name_of_the_front_door_opens() -> None:
    import workbench

    public = [name for name in dir(workbench) if not name.startswith("_")]
    assert {"Bars", "Instrument", "Timeframe", "WorkbenchError"} <= set(public)
    for name in public:
        getattr(workbench, name)
    with pytest.raises(AttributeError, match="has no attribute 'Candles'"):
        workbench.Candles  # noqa: B018


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        paths = [path for path in ROOT.rglob("*") if not _made(path.relative_to(ROOT))]
    return tuple(path for path in paths if path.is_file())


def _made(path: Path) -> bool:
    made = {".git", ".venv", "__pycache__", "build", "dist", "lake", "ledger", "output"}
    return any(part in made or part.endswith("_cache") for part in path.parts)


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="replace")


# Spelt in pieces, so that this file does not name them either.
REGISTRIES = [*("py" + tail for tail in ("pi.org", "pi.python", "thonhosted.org")), "ana" + "conda.org", "npm" + "js."]
MACHINE = re.compile(r"(?<![\w.-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+|tmp/ipykernel_\d+)/")


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    wrong = []
    for path in files():
        for number, line in enumerate(text_of(path).splitlines(), 1):
            found = [host for host in REGISTRIES if host in line.lower()] + MACHINE.findall(line)
            wrong += [f"{path.relative_to(ROOT)}:{number} names {item}" for item in found]
    assert wrong == []


def test_no_secret_and_nothing_made_is_under_version_control() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in files()]
    unwanted = re.compile(r"(^|/)(\.env|.*\.(key|pem|pyc)|__pycache__|\.venv|\.DS_Store)(/|$)")
    wrong = [name for name in names if unwanted.search(name)]
    wrong += [name for name in names if name.startswith(("data/lake/", "data/ledger/", "reports/output/"))]
    assert wrong == []
