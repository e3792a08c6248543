"""`workbench …`: one group of commands a room of the house; each calls one public function and shows its answer.

`program` puts the commands together and turns errors into words, `console` writes, every other module is a group or a
command. Nothing is computed here. Modules are imported with typer alone, so that `--help` and completion are quick;
what a command needs it imports when it runs.
"""

from workbench.cli.program import app, main

__all__ = ["app", "main"]
