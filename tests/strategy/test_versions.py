"""Versions: kept by their hash, given back as they were, and refused where they would not be what ran."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from tests.strategy.test_loading_kinds import ORDERS, RULES, SIGNALS
from workbench.errors import DataError, StrategyError
from workbench.settings import Settings, load_settings
from workbench.strategy import lifecycle, retirement
from workbench.strategy.library import names
from workbench.strategy.loader import list_strategies, load_strategy
from workbench.strategy.versions import Archive, keep, source_of

EDITED = SIGNALS.replace("param(3", "param(4")


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """A workspace with code and rules of one name."""
    (tmp_path / "workbench.toml").touch()
    folder = tmp_path / "strategies"
    folder.mkdir()
    for name, text in {"hold.py": SIGNALS, "hold.yaml": RULES, "dip.py": ORDERS}.items():
        (folder / name).write_text(text)
    return load_settings(tmp_path)


def kept(name: str, settings: Settings) -> str:
    version = keep(load_strategy(name, settings=settings), settings)
    assert version is not None
    return version.code_hash


def test_a_version_is_given_back_as_it_was_after_the_file_changed_and_after_it_went(desk: Settings) -> None:
    before = load_strategy("hold", settings=desk)
    first = kept("hold", desk)
    (desk.strategies / "hold.py").write_text(EDITED)
    second = kept("hold", desk)
    assert first == before().code_hash != second
    for name in (f"hold@{first[:6]}", f"hold.py@{first}", f"strategies/hold.py@{first[:8]}:Hold"):
        again = load_strategy(name, settings=desk)
        assert (again().code_hash, again().days, source_of(again)) == (first, 3, SIGNALS)
    assert load_strategy("hold", settings=desk)().days == 4
    (desk.strategies / "hold.py").unlink()
    (desk.strategies / "hold.yaml").unlink()
    assert load_strategy(f"hold@{second[:6]}", settings=desk)().days == 4


@pytest.mark.parametrize(("name", "kind"), [("hold", "signals"), ("hold.yaml", "rules"), ("dip", "orders")])
def test_every_kind_of_file_has_versions(desk: Settings, name: str, kind: str) -> None:
    code_hash = kept(name, desk)
    version = Archive.of(desk).versions()[0]
    assert (version.code_hash, version.kind, version.siblings) == (code_hash, kind, {})
    assert version.path == desk.data / "strategies" / f"{code_hash}{Path(version.name).suffix}"
    shutil.rmtree(desk.strategies)
    file = version.name
    assert load_strategy(f"{file}@{code_hash[:5]}", settings=desk)().code_hash == code_hash


@pytest.mark.parametrize("name", names())
def test_a_version_of_the_library_is_the_same_code(desk: Settings, name: str) -> None:
    code_hash = kept(f"library:{name}", desk)
    again = load_strategy(f"library:{name}@{code_hash[:8]}", settings=desk)
    assert (again().code_hash, again.__module__.startswith("workbench_user_")) == (code_hash, True)
    assert kept(f"library:{name}@{code_hash[:8]}", desk) == code_hash  # what was loaded from there is there


def test_keeping_again_changes_nothing_and_the_same_text_under_two_names_is_two(desk: Settings) -> None:
    code_hash = kept("hold", desk)
    (desk.strategies / "twin.py").write_text(SIGNALS)
    assert kept("twin", desk) == code_hash
    files = {path.name: path.stat().st_mtime_ns for path in (desk.data / "strategies").iterdir()}
    assert sorted(files) == [f"{code_hash}.hold.py.json", f"{code_hash}.py", f"{code_hash}.twin.py.json"]
    kept("hold", desk)
    assert files == {path.name: path.stat().st_mtime_ns for path in (desk.data / "strategies").iterdir()}
    assert [one.name for one in Archive.of(desk).versions("twin.py")] == ["twin.py"]


def test_a_version_of_the_file_as_it_is_needs_no_archive(desk: Settings) -> None:
    code_hash = load_strategy("hold", settings=desk)().code_hash
    assert load_strategy(f"hold@{code_hash[:4]}", settings=desk)().days == 3
    assert not (desk.data / "strategies").exists()


def test_wrong_and_ambiguous_hashes(desk: Settings) -> None:
    code_hash = kept("hold", desk)
    with pytest.raises(StrategyError, match=f"hold@ffff: no version of hold .* kept are {code_hash[:8]}"):
        load_strategy("hold@ffff", settings=desk)
    with pytest.raises(StrategyError, match="none of its versions is kept"):
        load_strategy("absent@ffff", settings=desk)
    root = desk.data / "strategies"
    for name in (f"{code_hash}.py", f"{code_hash}.hold.py.json"):
        shutil.copy(root / name, root / name.replace(code_hash, code_hash[:8] + "0" * 8))
    with pytest.raises(StrategyError, match="several versions begin so: .*; give more digits"):
        load_strategy(f"hold@{code_hash[:6]}", settings=desk)
    with pytest.raises(StrategyError, match="was changed since it was kept"):
        load_strategy(f"hold@{code_hash[:8]}0000", settings=desk)
    (root / f"{code_hash}.hold.py.json").write_text("[]")
    with pytest.raises(StrategyError, match="is no note of a version"):
        Archive.of(desk).versions()


def test_a_class_without_a_file_has_no_version(desk: Settings) -> None:
    import workbench as wb

    class Here(wb.SignalStrategy):
        pass

    assert keep(Here, desk) is None


def test_a_version_that_imports_a_file_beside_it_is_refused_once_that_changed(
    desk: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(desk.strategies))
    monkeypatch.delitem(sys.modules, "shared_levels", raising=False)
    (desk.strategies / "shared_levels.py").write_text("LEVEL = 5\n")
    (desk.strategies / "leans.py").write_text("import shared_levels\nimport math\n" + SIGNALS)
    code_hash = kept("leans", desk)
    assert list(Archive.of(desk).versions("leans.py")[0].siblings) == ["shared_levels.py"]
    assert load_strategy(f"leans@{code_hash[:6]}", settings=desk)().days == 3
    for change in ("LEVEL = 6\n", None):
        path = desk.strategies / "shared_levels.py"
        path.unlink() if change is None else path.write_text(change)
        with pytest.raises(StrategyError, match=r"imports shared_levels\.py from beside it, which changed or went"):
            load_strategy(f"leans@{code_hash[:6]}", settings=desk)


def test_restoring_never_overwrites_unless_told_and_then_keeps_what_was_there(desk: Settings) -> None:
    first = kept("hold", desk)
    path = desk.strategies / "hold.py"
    assert lifecycle.restore(f"hold@{first[:6]}", desk) == path  # it holds that already
    path.write_text(EDITED)
    with pytest.raises(StrategyError, match="is there, and differs from .* --force overwrites it"):
        lifecycle.restore(f"hold@{first[:6]}", desk)
    lifecycle.restore(f"hold@{first[:6]}", desk, force=True)
    assert path.read_text() == SIGNALS
    assert {one.source for one in Archive.of(desk).versions("hold.py")} == {SIGNALS, EDITED}
    other = lifecycle.restore(f"hold@{first[:6]}", desk, to=desk.root / "new" / "old_hold.py")
    assert other.read_text() == SIGNALS
    with pytest.raises(StrategyError, match="'hold' names no version"):
        lifecycle.restore("hold", desk)
    assert not [one for one in desk.strategies.iterdir() if one.name.endswith(".tmp")]


def test_a_retired_strategy_is_hidden_and_refused_unless_named_with_its_hash(desk: Settings) -> None:
    made = lifecycle.retire("hold", desk, reason='it "lost"\nmoney')
    assert (made.file, made.action, made.reason) == ("hold.py", "retire", 'it "lost"\nmoney')
    assert [one.name for one in list_strategies(desk.strategies)] == ["dip", "hold.yaml"]
    assert [one.name for one in list_strategies(desk.strategies, retired=True)] == ["dip", "hold", "hold.yaml"]
    with pytest.raises(StrategyError, match=r"hold\.py was retired on .*To run that version .* 'hold\.py@"):
        load_strategy("hold", settings=desk)
    with pytest.raises(StrategyError, match="was retired"):
        load_strategy(desk.strategies / "hold.py", settings=desk)
    assert load_strategy(f"hold.py@{made.code_hash[:8]}", settings=desk)().days == 3
    assert load_strategy("hold.yaml", settings=desk)().days == 3
    with pytest.raises(StrategyError, match=r"hold\.py is retired already, since"):
        lifecycle.retire("hold", desk)
    lifecycle.unretire("hold", desk)
    assert load_strategy("hold", settings=desk)().days == 3
    with pytest.raises(StrategyError, match=r"hold\.py is not retired; no file is"):
        lifecycle.unretire("hold", desk)
    notes = tomllib.loads((desk.strategies / retirement.NOTES).read_text())["decision"]
    assert [(one["action"], one["file"]) for one in notes] == [("retire", "hold.py"), ("unretire", "hold.py")]
    assert all(one["by"] and one["at"].endswith("+00:00") for one in notes)


@pytest.mark.parametrize(
    "text", ["decision = 3", "[[decision]]\nfile = 'a'", "[[decision]]\nfile='a'\naction='x'\nat=''\nby=''", "= 3"]
)
def test_notes_that_were_spoilt_are_named(desk: Settings, text: str) -> None:
    (desk.strategies / retirement.NOTES).write_text(text)
    with pytest.raises(StrategyError, match=r"\.retired\.toml"):
        load_strategy("hold", settings=desk)


@pytest.mark.parametrize("template", ["signals", "orders", "rules", *(f"library:{name}" for name in names())])
def test_every_template_makes_a_strategy_that_loads(desk: Settings, template: str) -> None:
    path = lifecycle.create("my_first", desk, template=template)
    cls = load_strategy("my_first", settings=desk)
    assert cls().declared
    assert (cls.__doc__ or "").strip()
    with pytest.raises(StrategyError, match="is there already"):
        lifecycle.create("my_first", desk, template=template)
    assert path.parent == desk.strategies


@pytest.mark.parametrize("name", ["My", "1st", "class", "a-b", "_x", "../up", ""])
def test_a_name_that_is_no_name_of_a_file_is_refused(desk: Settings, name: str) -> None:
    with pytest.raises(StrategyError, match="cannot be the name of a strategy"):
        lifecycle.create(name, desk)


def test_wrong_templates_and_files(desk: Settings) -> None:
    with pytest.raises(StrategyError, match="there is no template 'signal'; there is orders, rules, signals, library:"):
        lifecycle.create("mine", desk, template="signal")
    with pytest.raises(StrategyError, match="grid is of the library and has no file here"):
        lifecycle.retire("grid", desk)
    with pytest.raises(StrategyError, match="there is no strategy 'hodl'"):
        lifecycle.retire("hodl", desk)
    (desk.root / "data").mkdir()
    (desk.root / "data" / "strategies").touch()
    with pytest.raises(DataError, match="Nothing was changed"):
        kept("hold", desk)


def test_the_note_of_a_version_is_plain(desk: Settings) -> None:
    code_hash = kept("hold", desk)
    note = json.loads((desk.data / "strategies" / f"{code_hash}.hold.py.json").read_text())
    assert sorted(note) == ["ending", "kept_at", "kind", "siblings", "workbench"]
