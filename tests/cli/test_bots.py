"""`workbench bots`: templates listed, printed and written, and read back."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import Command, call
from workbench.backtest.parameter_file import read_parameter_file, template_of
from workbench.strategy import library


def test_templates_lists_the_library(run: Command) -> None:
    done = run("bots", "templates")
    assert done.code == 0 and all(name in done.out for name in library.names())
    found = run("bots", "templates", "--json").json()
    assert [one["name"] for one in found] == list(library.names())
    grid = next(one for one in found if one["name"] == "grid")
    assert grid["series"] == ["BTC/USDT 1h"] and grid["parameters"]["cells"] == 20 and grid["summary"].endswith(".")


def test_a_template_is_printed_or_written_and_reads_back(tmp_path: Path) -> None:
    assert call("bots", "template", "dca").out == template_of("dca")
    path = tmp_path / "my_dca.yaml"
    done = call("bots", "template", "dca", "--output", path)
    assert (done.code, done.out.split()[0]) == (0, "wrote")
    assert read_parameter_file(path)[0] == library.Dca()


def test_no_file_is_replaced_and_an_unknown_name_has_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    done = call("bots", "template", "grid", "--output", path)
    assert done.code == 2 and "is there already; name another file" in " ".join(done.err.split())
    assert path.read_text() == "mine"
    gone = call("bots", "template", "grid", "--output", tmp_path / "no" / "folder.yaml")
    assert gone.code == 2 and "cannot be written" in gone.err
    done = call("bots", "template", "gird")
    assert done.code == 2 and "did you mean 'grid'?" in " ".join(done.err.split())
