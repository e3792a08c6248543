"""`workbench strategies schema`: what editors complete rule files by."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import Command
from workbench.indicators import registry
from workbench.strategy.rules import schema


def test_schema_is_printed_as_json_that_an_editor_can_read(run: Command, desk: Path) -> None:
    done = run("strategies", "schema")
    assert (done.code, done.json()) == (0, schema())


def test_every_indicator_is_completed_with_what_it_takes() -> None:
    forms = {form["properties"]["indicator"].get("const"): form for form in schema()["$defs"]["indicator"]["anyOf"]}
    assert set(registry.names()) <= set(forms)
    assert {"fast", "slow", "signal", "output", "timeframe", "shift"} <= set(forms["macd"]["properties"])
    assert forms["macd"]["properties"]["output"] == {"enum": ["macd", "signal", "histogram"]}
    assert {"of", "length"} <= set(forms["sma"]["properties"])
