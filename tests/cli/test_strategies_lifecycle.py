"""`workbench strategies new … unretire`: a strategy from its template to its end, as a person would."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.commands import Command, call
from tests.strategy.test_loading_kinds import SIGNALS

EMPTY = "[paths]\n"


@pytest.fixture
def bare(tmp_path: Path) -> Command:
    """Commands in a workspace without data."""
    (tmp_path / "workbench.toml").write_text(EMPTY)
    (tmp_path / "strategies").mkdir()
    return lambda *words: call("--workspace", tmp_path, *words)


def test_from_template_to_end(bare: Command, tmp_path: Path) -> None:
    path = tmp_path / "strategies" / "my_trend.py"
    assert bare("strategies", "new", "my_trend").lines == [str(path)]
    fit = bare("strategies", "validate", "my_trend")
    assert (fit.code, fit.lines[-1]) == (0, "my_trend is fit to run")
    first = bare("strategies", "versions", "my_trend", "--json").json()
    assert [(one["current"], one["runs"], one["kind"]) for one in first] == [(True, 0, "signals")]
    code_hash = first[0]["code_hash"]
    path.write_text(path.read_text().replace("param(12", "param(13"))
    table = bare("strategies", "versions", "my_trend").lines
    assert [line.split()[-1] for line in table[1:]] == ["now", "0"]
    assert table[2].startswith(code_hash[:8])
    compared = bare("strategies", "compare", f"my_trend@{code_hash[:8]}", "my_trend")
    assert any(line.split()[:2] == ["fast", "12"] for line in compared.lines)
    assert '+    fast: int = wb.param(13, low=2, high=100, doc="bars of the fast mean")' in compared.lines
    retired = bare("strategies", "retire", "my_trend", "--reason", "it lost")
    assert retired.out.startswith("my_trend.py retired at version") and retired.out.rstrip().endswith(": it lost")
    assert "my_trend" not in bare("strategies", "list").out
    assert "my_trend" in bare("strategies", "list", "--retired").out
    refused = bare("strategies", "show", "my_trend")
    assert (refused.code, "was retired on" in refused.err, "it lost" in refused.err) == (2, True, True)
    assert bare("strategies", "show", f"my_trend@{code_hash[:8]}").code == 0
    kept = bare("strategies", "restore", f"my_trend@{code_hash[:8]}")
    assert (kept.code, "--force overwrites it" in kept.err) == (2, True)
    assert bare("strategies", "restore", f"my_trend@{code_hash[:8]}", "--force").lines == [str(path)]
    assert "param(12" in path.read_text()
    assert bare("strategies", "unretire", "my_trend").out.startswith("my_trend.py taken back at version")
    assert [one["name"] for one in bare("strategies", "list", "--json").json()] == ["my_trend"]


def test_what_is_not_fit_ends_with_1_and_says_why(bare: Command, tmp_path: Path) -> None:
    (tmp_path / "strategies" / "odd.yaml").write_text("entry: rsi(close) <\nfoo: 1\n")
    done = bare("strategies", "validate", "odd")
    assert done.code == 1
    assert done.lines[-1] == "odd is not fit to run"
    assert "line 1, column 19" in done.out and "line 2, column 1: there is no section 'foo'" in done.out
    plain = bare("strategies", "validate", "odd", "--json")
    assert (plain.code, plain.json()["fit"]) == (1, False)
    assert plain.json()["findings"][0]["level"] == "wrong"


def test_kinds_are_listed_and_the_library_when_asked(bare: Command, tmp_path: Path) -> None:
    for name, template in {"a": "signals", "b": "orders", "c": "rules", "d": "library:grid"}.items():
        assert bare("strategies", "new", name, "--template", template).code == 0
    rows = bare("strategies", "list", "--json").json()
    assert [(one["name"], one["kind"]) for one in rows] == [
        ("a", "signals"), ("b", "orders"), ("c", "rules"), ("d", "orders"),
    ]  # fmt: skip
    assert any(
        line.split()[:2] == ["library:grid", "library"] for line in bare("strategies", "list", "--library").lines
    )
    shown = bare("strategies", "show", "library:grid")
    assert shown.lines[0].startswith("Grid, ") and "class Grid(OrderStrategy):" in shown.lines


def test_results_side_by_side(run: Command) -> None:
    both = ("strategies", "compare", "sma_cross", "sma_cross.yaml", "--on", "SPX", "--timeframe", "1d")
    done = run(*both)
    total = next(line for line in done.lines if line.startswith("Total return"))
    assert total.split()[2:4] == total.split()[4:6]
    assert done.lines[0].startswith("sma_cross (")
    results = run(*both, "--json").json()["results"]
    assert results[0]["metrics"] == results[1]["metrics"]
    missing = run(*both[:-2])
    assert (missing.code, "--on needs --timeframe" in missing.err) == (2, True)


def test_an_editor_is_opened_and_what_was_there_is_kept_first(
    bare: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    path = tmp_path / "strategies" / "hold.py"
    path.write_text(SIGNALS)
    none = bare("strategies", "edit", "hold")
    assert (none.code, "no editor is set" in none.err, none.lines) == (2, True, [str(path)])
    script = tmp_path / "editor.py"
    script.write_text("import sys; open(sys.argv[1], 'a').write('# edited\\n')")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    assert bare("strategies", "edit", "hold").code == 0
    assert path.read_text().endswith("# edited\n")
    assert len(bare("strategies", "versions", "hold", "--json").json()) == 2
    assert bare("strategies", "new", "other", "--edit").code == 0
    assert (tmp_path / "strategies" / "other.py").read_text().endswith("# edited\n")
    monkeypatch.setenv("EDITOR", "no-such-editor-here")
    failed = bare("strategies", "edit", "hold")
    assert (failed.code, "which does not start" in failed.err) == (2, True)


def test_completion_offers_files_rules_and_the_library(bare: Command, tmp_path: Path) -> None:
    from workbench.cli.completion import strategy_names

    for name in ("gap.py", "gap.yaml", "_part.py"):
        (tmp_path / "strategies" / name).write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
        assert strategy_names("ga") == ["gap", "gap.yaml"]
        assert strategy_names("library:g") == ["library:grid"]
