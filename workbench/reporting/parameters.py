"""What a notebook may be told, read from its cell tagged `parameters`, and whether what it is told fits.

papermill takes any name and any value: a misspelt parameter silently runs the default. So the cell is read here (its
syntax tree; nothing is executed) and everything given is checked against it before anything starts.
"""

from __future__ import annotations

import ast
import datetime as dt
import difflib
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.errors import ConfigError

__all__ = ["REQUIRED", "Declared", "check_parameters", "declared_parameters", "read_notebook"]

REQUIRED: Final = "(required)"
"""The default of a parameter that has none: `symbol: str`, or `symbol = ...`."""

_MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """One parameter as the notebook declares it.

    Parameters
    ----------
    name : str
    default : object
        Its value when none is given; the source text where it is not a plain value; `REQUIRED` where there is none.
    annotation : str
        What it takes, as a type annotation: as written, or else the type of the default. Empty takes anything.
    comment : str
        What it means, from the comment on its line or above it.
    """

    name: str
    default: Any
    annotation: str
    comment: str = ""

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED

    def accepts(self, value: object) -> bool:
        """Tell whether a value is of the declared type. An int is a float; a bool is not an int."""
        return not self.annotation or _fits(ast.parse(self.annotation, mode="eval").body, value)


def read_notebook(notebook: Path) -> dict[str, Any]:
    """Read a notebook file as plain data.

    Raises
    ------
    ConfigError
        The file is missing or is not a notebook of format 4.
    """
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"notebook {notebook} does not exist; check the name", notebook=str(notebook)) from error
    except (ValueError, OSError) as error:
        raise ConfigError(
            f"notebook {notebook} cannot be read as a notebook: {error}", notebook=str(notebook)
        ) from error
    if not isinstance(content, dict) or content.get("nbformat") != 4 or not isinstance(content.get("cells"), list):
        raise ConfigError(
            f"notebook {notebook} is not in notebook format 4; open and save it in JupyterLab", notebook=str(notebook)
        )
    return content


def declared_parameters(notebook: Path | Mapping[str, Any]) -> dict[str, Declared]:
    """Read the parameters that a notebook declares, in the order of the cell.

    Parameters
    ----------
    notebook : Path or mapping
        The file, or its content. Nothing of it is executed.

    Returns
    -------
    dict of str to Declared
        Empty when no cell is tagged `parameters`.

    Raises
    ------
    ConfigError
        The file is not a notebook, or the cell is not valid Python.
    """
    content = read_notebook(notebook) if isinstance(notebook, Path) else notebook
    label = notebook.name if isinstance(notebook, Path) else "given"
    for cell in content["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            source = _MAGIC.sub("", "".join(cell["source"]))
            try:
                tree = ast.parse(source)
            except SyntaxError as error:
                raise ConfigError(
                    f"notebook {label}: line {error.lineno} of the cell tagged 'parameters' is not Python: {error.msg}"
                ) from error
            comments = _comments(source)
            return {found.name: found for node in tree.body if (found := _declared(node, comments)) is not None}
    return {}


def check_parameters(notebook: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check values for a notebook's parameters against what it declares.

    Parameters
    ----------
    notebook : Path
    given : mapping of str to object
        Dates and times are turned into ISO text first, since a notebook's parameters are plain data.

    Returns
    -------
    dict
        The values to run the notebook with (only those given; the notebook knows its own defaults).

    Raises
    ------
    ConfigError
        A name is unknown, a value is of the wrong type or not plain data, or a required parameter is missing.
    """
    declared = declared_parameters(notebook)
    label = f"notebook {notebook.name}"
    checked = {}
    for name, value in given.items():
        if name not in declared:
            raise ConfigError(f"{label} has no parameter {name!r}{_nearest(name, declared)}", parameter=name)
        checked[name] = _plain(value, f"{label}: parameter {name!r}")
        if not declared[name].accepts(checked[name]):
            raise ConfigError(
                f"{label}: parameter {name!r} is {value!r} ({type(value).__name__}); it takes "
                f"{declared[name].annotation}{_example(declared[name])}",
                parameter=name,
                value=value,
            )
    for parameter in declared.values():
        if parameter.required and parameter.name not in given:
            raise ConfigError(
                f"{label}: parameter {parameter.name!r} is missing and has no default; give it a value of type "
                f"{parameter.annotation or 'any'}",
                parameter=parameter.name,
            )
    return checked


def _nearest(name: str, declared: Mapping[str, Declared]) -> str:
    if not declared:
        return "; it declares none (no cell is tagged 'parameters')"
    close = difflib.get_close_matches(name, declared, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(map(repr, declared))}"


def _example(parameter: Declared) -> str:
    return "" if parameter.required or parameter.default is None else f", such as {parameter.default!r}"


def _plain(value: Any, label: str) -> Any:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, label) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, label) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(
        f"{label} is a {type(value).__name__}; a notebook takes numbers, texts, booleans, and lists and tables of them"
    )


def _declared(node: ast.stmt, comments: Mapping[tuple[int, bool], str]) -> Declared | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        name, annotation, value = node.target.id, ast.unparse(node.annotation), node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name, annotation, value = node.targets[0].id, "", node.value
    else:
        return None
    default = _default(value)
    if not annotation and value is not None and default is not REQUIRED and default is not None:
        annotation = "" if default == ast.unparse(value) else type(default).__name__
    beside, above = (node.end_lineno or node.lineno, False), (node.lineno - 1, True)
    comment = comments.get(beside) or comments.get(above, "")
    return Declared(name=name, default=default, annotation=annotation, comment=comment)


def _default(value: ast.expr | None) -> Any:
    if value is None:
        return REQUIRED
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError):
        return ast.unparse(value)  # computed: shown as written, and of a type that only an annotation can tell
    return REQUIRED if literal is ... else literal


def _comments(source: str) -> dict[tuple[int, bool], str]:
    """Give the comment of each line and whether it stands alone; those that do join the ones directly above them."""
    comments: dict[tuple[int, bool], str] = {}
    for line, alone, text in _comment_tokens(source):
        before = comments.get((line - 1, True), "") if alone else ""
        comments[line, alone] = f"{before} {text}".strip()
    return comments


def _comment_tokens(source: str) -> Iterator[tuple[int, bool, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], not token.line[: token.start[1]].strip(), token.string.lstrip("# ").strip()


def _fits(annotation: ast.expr, value: object) -> bool:
    match annotation:
        case ast.Constant(value=None):
            return value is None
        case ast.Constant(value=str(text)):  # a forward reference
            return _fits(ast.parse(text, mode="eval").body, value)
        case ast.BinOp(op=ast.BitOr()):
            return _fits(annotation.left, value) or _fits(annotation.right, value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _is(name, value)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return _fits_generic(name, annotation.slice, value)
    return True


def _fits_generic(name: str, inner: ast.expr, value: object) -> bool:
    items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    match name:
        case "Optional":
            return value is None or _fits(inner, value)
        case "Union":
            return any(_fits(item, value) for item in items)
        case "Literal":
            choices = [ast.literal_eval(item) for item in items]
            return any(value == choice and type(value) is type(choice) for choice in choices)
        case "list" | "List" | "Sequence" | "set" | "frozenset":
            return isinstance(value, list) and all(_fits(inner, item) for item in value)
        case "tuple" | "Tuple":
            return isinstance(value, list)
        case "dict" | "Dict" | "Mapping":
            return isinstance(value, dict) and all(_fits(items[-1], item) for item in value.values())
        case "Final" | "Annotated" | "ClassVar":
            return _fits(items[0], value)
    return True


def _is(name: str, value: object) -> bool:
    match name:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "str":
            return isinstance(value, str)
        case "list" | "List" | "Sequence" | "tuple" | "Tuple" | "set":
            return isinstance(value, list)
        case "dict" | "Dict" | "Mapping":
            return isinstance(value, dict)
        case "Path" | "date" | "datetime" | "Timestamp":
            return isinstance(value, str)
    return True  # a type that plain data cannot be: the notebook itself has to judge
