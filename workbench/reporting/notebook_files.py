"""Notebooks are written as `.py` files (jupytext's percent format); the `.ipynb` beside each is built from it.

A built notebook carries no outputs but those of cells tagged `nbval-check-output`: these are promises, which
`pytest --nbval-lax` holds it to. `python -m workbench.reporting.notebook_files FOLDER` builds what is out of step.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, RunError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["build", "in_step", "sources"]

_PROMISE: Final = "nbval-check-output"


def sources(folder: Path) -> list[Path]:
    """List the notebook sources of a folder: its `.py` files that begin with a jupytext header."""
    found = [path for path in sorted(folder.glob("*.py")) if path.read_text(encoding="utf-8").startswith("# ---\n")]
    return [path for path in found if not path.name.startswith("_")]


def in_step(source: Path) -> bool:
    """Tell whether the `.ipynb` beside a source exists and has the same cells, with the same tags."""
    import nbformat

    built = source.with_suffix(".ipynb")
    if not built.is_file():
        return False
    try:
        there = nbformat.read(built, as_version=4)  # type: ignore[no-untyped-call]
    except Exception:  # whatever is wrong with the file, it is not what the source says
        return False
    return _content(there) == _content(_read(source))


def build(source: Path) -> Path:
    """Make the `.ipynb` beside a source, and run it where it has cells whose outputs are promised.

    Returns
    -------
    Path
        The notebook.

    Raises
    ------
    ConfigError
        The source is not there or is no notebook.
    RunError
        A cell raised; the notebook that was there is left as it was.
    """
    import nbformat

    notebook = _read(source)
    if any(_promised(cell) for cell in notebook.cells):
        _execute(notebook, source)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02}"
        if cell.cell_type == "code":
            # nbval takes outputs for promises only in a cell that has been run
            cell.execution_count = number if _promised(cell) else None
            cell.metadata.pop("execution", None)
            cell.outputs = [_plain(output) for output in cell.outputs] if _promised(cell) else []
    for name in ("language_info", "widgets"):
        notebook.metadata.pop(name, None)
    target = source.with_suffix(".ipynb")
    unfinished = target.with_name(f".{target.name}.new")
    nbformat.write(notebook, unfinished)  # type: ignore[no-untyped-call]
    unfinished.replace(target)
    return target


def _read(source: Path) -> NotebookNode:
    import jupytext

    if not source.is_file():
        raise ConfigError(f"there is no notebook source {source}")
    notebook: NotebookNode = jupytext.read(source, fmt="py:percent")
    return notebook


def _execute(notebook: NotebookNode, source: Path) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    resources = {"metadata": {"path": str(source.parent)}}
    client = NotebookClient(notebook, timeout=300, resources=resources, extra_arguments=["--log-level=ERROR"])
    try:
        client.execute()
    except CellExecutionError as error:
        raise RunError(f"{source}: a cell raised {error.ename}: {error.evalue}", path=str(source)) from error


def _promised(cell: Any) -> bool:
    return _PROMISE in cell.get("metadata", {}).get("tags", [])


def _plain(output: Any) -> Any:
    """Drop from an output what changes from run to run."""
    if "execution_count" in output:
        output["execution_count"] = None
    return output


def _content(notebook: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (cell.cell_type, cell.source.strip(), tuple(sorted(cell.get("metadata", {}).get("tags", []))))
        for cell in notebook.cells
    ]


def main(folders: list[str]) -> int:
    """Build the notebooks of some folders that are out of step; `--all` builds every one."""
    everything = "--all" in folders
    for folder in [Path(name) for name in folders if name != "--all"] or [Path("notebooks")]:
        for source in sources(folder):
            if everything or not in_step(source):
                print(f"built {build(source)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
