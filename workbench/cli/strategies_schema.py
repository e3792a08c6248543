"""`workbench strategies schema`: what editors complete rule files by."""

from __future__ import annotations

import typer

from workbench.cli.console import show_json
from workbench.cli.options import examples

__all__ = ["add_schema"]


def add_schema(app: typer.Typer) -> None:
    """Add the command to those of `workbench strategies`."""
    app.command("schema", epilog=examples("workbench strategies schema > strategies/rules.schema.json"))(show_schema)


def show_schema() -> None:
    """Print the JSON schema of rule files, which editors complete and check them by."""
    from workbench.strategy.rules.schema import schema

    show_json(schema())
