"""`workbench strategies`: what there is, what is broken, what one does."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import Command, call
from workbench.strategy.loader import list_strategies

RULES = '''"""Two rules."""
import workbench as wb


class First(wb.SignalStrategy):
    """The first.

    With a second paragraph.
    """

    stop: float | None = wb.param(None, low=0.01, doc="distance of the stop")
    mode: str = wb.param("fast", choices=("fast", "slow"))


class Second(wb.SignalStrategy):
    pass
'''


def test_list_shows_every_file_with_its_parameters(run: Command, desk: Path) -> None:
    found = list_strategies(desk / "strategies")
    assert len(found) >= 3
    done = run("strategies", "list")
    assert done.code == 0
    assert [line.split()[0] for line in done.lines[1:]] == [info.name for info in found]
    for line, info in zip(done.lines[1:], found, strict=True):
        assert info.summary in line
        assert line.endswith(info.code_hash[:8])
        assert all(f"{one.name}={one.default!r}" in line for one in info.parameters)
    plain = run("strategies", "list", "--json").json()
    assert [one["name"] for one in plain] == [info.name for info in found]
    sma = next(one for one in plain if one["name"] == "sma_cross")
    assert sma["parameters"][0] == {
        "name": "fast", "kind": "int", "default": 10, "low": 2, "high": 100, "choices": None, "optional": False,
        "doc": "bars of the fast mean",
    }  # fmt: skip


def test_a_broken_file_is_listed_with_its_error(own_desk: Path) -> None:
    (own_desk / "strategies" / "askew.py").write_text(
        "import workbench as wb\nclass Askew(wb.SignalStrategy:\n    pass\n"
    )
    done = call("--workspace", own_desk, "strategies", "list")
    assert done.code == 0
    assert any(line.startswith("askew ") and "cannot be loaded, see below" in line for line in done.lines)
    assert any(
        line.startswith("askew cannot be loaded: ") and "askew.py: line 2, column" in line for line in done.lines
    )
    plain = call("--workspace", own_desk, "strategies", "list", "--json").json()
    assert "line 2" in next(one for one in plain if one["name"] == "askew")["error"]
    shown = call("--workspace", own_desk, "strategies", "show", "askew")
    assert (shown.code, "askew.py: line 2" in shown.err) == (2, True)


def test_no_strategies_at_all(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").touch()
    done = call("--workspace", tmp_path, "strategies", "list")
    assert (done.code, "There are no strategies in" in done.out) == (0, True)


def test_show_has_the_description_the_parameters_and_the_source(run: Command, desk: Path) -> None:
    done = run("strategies", "show", "sma_cross")
    path = desk / "strategies" / "sma_cross.py"
    assert done.code == 0
    assert done.lines[0].startswith(f"SmaCross, {path}, code ")
    assert "Long while the fast mean is above the slow one." in done.lines
    assert ["fast", "int", "10", "2", "to", "100"] in [line.split()[:6] for line in done.lines]
    assert done.out.endswith(path.read_text().rstrip() + "\n")


def test_show_of_a_file_with_several_needs_the_class(own_desk: Path) -> None:
    (own_desk / "strategies" / "rules.py").write_text(RULES)
    several = call("--workspace", own_desk, "strategies", "show", "rules")
    assert (several.code, "several strategies (First, Second); name one: 'rules:First'" in several.err) == (2, True)
    done = call("--workspace", own_desk, "strategies", "show", "rules:First")
    assert done.code == 0
    assert "With a second paragraph." in done.lines
    rows = [line.split() for line in done.lines]
    assert ["stop", "float", "or", "None", "None", "from", "0.01", "distance", "of", "the", "stop"] in rows
    assert ["mode", "str", "'fast'", "'fast',", "'slow'"] in rows
    assert "It has no description." in call("--workspace", own_desk, "strategies", "show", "rules:Second").lines
