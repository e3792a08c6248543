"""What became of a strategy: its versions with the runs that used them, what changed, and whether it is fit to run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.strategy.test_loading_kinds import ORDERS, RULES, SIGNALS
from workbench.errors import StrategyError
from workbench.research import Ledger, Run, new_run_id
from workbench.research.lineage import Finding, changes, history, validate
from workbench.settings import Settings, load_settings
from workbench.strategy.loader import load_strategy
from workbench.strategy.versions import Archive

EARLY = dt.datetime(2026, 7, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """A workspace without data."""
    (tmp_path / "workbench.toml").touch()
    (tmp_path / "strategies").mkdir()
    for name, text in {"hold.py": SIGNALS, "hold.yaml": RULES, "dip.py": ORDERS}.items():
        (tmp_path / "strategies" / name).write_text(text)
    return load_settings(tmp_path)


def record(desk: Settings, strategy: str, code_hash: str, when: dt.datetime) -> None:
    run = Run(
        run_id=new_run_id(when), report="night", batch="b", name="n", notebook="backtest", strategy=strategy,
        code_hash=code_hash, started=when, finished=when,
    )  # fmt: skip
    Ledger(desk.ledger_root).append(run)


def test_history_joins_what_is_kept_with_what_ran(desk: Settings) -> None:
    first = history("hold", desk)[0].code_hash
    for days in (0, 3):
        record(desk, "hold", first, EARLY + dt.timedelta(days=days))
    record(desk, "strategies/hold.py", "dead" * 4, EARLY)  # nobody kept it
    record(desk, "hold.yaml", "beef" * 4, EARLY)  # the rules of that name are another strategy
    record(desk, "dip", "f00d" * 4, EARLY)
    (desk.strategies / "hold.py").write_text(SIGNALS.replace("param(3", "param(4"))
    now, *before = history("hold", desk)
    assert (now.current, now.runs, now.first) == (True, 0, None)
    ran = {use.code_hash: use for use in before}
    assert set(ran) == {first, "dead" * 4}
    assert (ran[first].runs, ran[first].first, ran[first].last) == (2, EARLY, EARLY + dt.timedelta(days=3))
    assert ran["dead" * 4].version is None
    assert {use.code_hash for use in history("hold.yaml", desk)} >= {"beef" * 4}
    (desk.strategies / "hold.py").unlink()
    (desk.strategies / "hold.yaml").unlink()
    assert {use.code_hash for use in history("hold.py", desk)} >= {first, now.code_hash}
    for _ in range(2):
        assert [use.current for use in history("library:grid", desk)] == [True]
    with pytest.raises(StrategyError, match="there is no strategy 'hodl'"):
        history("hodl", desk)


def test_a_file_that_no_longer_loads_still_has_its_history(desk: Settings) -> None:
    first = history("hold", desk)[0].code_hash
    (desk.strategies / "hold.py").write_text("class (")
    assert [(use.code_hash, use.current) for use in history("hold", desk)] == [(first, False)]


def test_changes_are_of_source_and_parameters(desk: Settings) -> None:
    first = history("hold", desk)[0].code_hash
    edited = SIGNALS.replace("param(3", "param(4").replace("    def ", "    band: float = wb.param(0.5)\n    def ")
    (desk.strategies / "hold.py").write_text(edited)
    change = changes(f"hold@{first[:8]}", "hold", desk)
    assert change.parameters == {"days": ("3 (1 to 9)", "4 (1 to 9)"), "band": ("", "0.5")}
    assert "-    days: int = wb.param(3, low=1, high=9)" in change.diff.splitlines()
    assert "+    days: int = wb.param(4, low=1, high=9)" in change.diff.splitlines()
    assert change.hashes == (first, load_strategy("hold", settings=desk)().code_hash)
    assert changes("hold", "hold", desk).diff == ""
    assert changes("library:grid", "library:dca", desk).diff.startswith("--- library:grid\n+++ library:dca\n")


def found(findings: list[Finding], check: str) -> tuple[str, str]:
    return next((one.level, one.message) for one in findings if one.check == check)


@pytest.mark.parametrize("name", ["hold", "hold.yaml", "dip"])
def test_a_sound_strategy_of_each_kind_is_fit_and_kept(desk: Settings, name: str) -> None:
    findings = validate(name, desk)
    assert {one.level for one in findings} <= {"good", "note"}
    assert "on 1,500 bars of MADE/UP 1h" in found(findings, "runs")[1]
    assert Archive.of(desk).versions()[0].code_hash[:8] in found(findings, "loads")[1]


BODIES = {
    "class (": ("loads", "wrong", "line 1, column"),
    SIGNALS.replace("bars.close > 0", "bars.close[1:] > 0"): ("runs", "wrong", "1499 values for 1500 bars"),
    SIGNALS.replace("bars.close > 0", "bars.close < 0"): ("runs", "note", "no entry on 1,500 bars"),
    SIGNALS.replace("bars.close > 0", "bars.close / nothing"): ("runs", "wrong", "name 'nothing' is not defined"),
    SIGNALS + "    def validate(self): raise wb.errors.StrategyError('never')": ("defaults", "wrong", "never"),
    SIGNALS.replace('    "Always in."\n', ""): ("description", "note", "it has none"),
    SIGNALS.replace(", high=9", ""): ("bounds", "note", "days: without low and high no sweep is possible"),
    ORDERS.replace("bar.close", "bar.clothes"): ("runs", "wrong", "AttributeError: 'Bar' object has no attribute"),
}


@pytest.mark.parametrize("body", BODIES)
def test_what_is_wrong_is_found(desk: Settings, body: str) -> None:
    (desk.strategies / "odd.py").write_text(body)
    check, level, message = BODIES[body]
    got = found(validate("odd", desk), check)
    assert got[0] == level
    assert message in got[1]
    if "clothes" in body:
        assert "line 8 of odd.py" in got[1]


def test_wrong_rules_are_shown_with_line_and_column(desk: Settings) -> None:
    (desk.strategies / "odd.yaml").write_text("entry: rsi(close) <\n")
    assert "odd.yaml: line 1, column 19" in found(validate("odd", desk), "loads")[1]


def test_an_unknown_series_is_named(desk: Settings) -> None:
    assert found(validate("hold", desk, symbols=["X"]), "runs") == (
        "wrong", "the lake has no X; `workbench data list` shows what it has",
    )  # fmt: skip
