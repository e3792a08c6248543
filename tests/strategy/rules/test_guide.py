"""`strategies/RULES.md` teaches what is there: its example loads, and each line of its tables is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.strategy.rules.made import rules
from workbench.strategy.rules import sections
from workbench.strategy.rules.scope import PRICES

GUIDE = (Path(__file__).resolve().parents[3] / "strategies" / "RULES.md").read_text(encoding="utf-8")
AROUND = """
parameters:
  oversold: 30.0
  n: 14
  short: true
  mode: {{default: fast, choices: [fast, slow]}}
require: ["n > 0", "oversold > 0"]
indicators:
  {{fast: sma(5), slow: sma(9), strength: rsi(14), x: open, y: close, a: open, b: close, c: open, d: close, m: macd()}}
entry:
  - n > 0
  - oversold > 0
  - short
  - mode == 'fast'
  - {}
"""


def rows(heading: str) -> list[list[str]]:
    part = GUIDE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [re.split(r" \| ", line.strip("| ")) for line in part.splitlines() if line.startswith("| `")]


def test_the_example_at_the_top_is_a_strategy() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.S)
    assert repr(rules(example, "dip.yaml")(rsi_length=21)) == "Dip(rsi_length=21, oversold=30.0)"


@pytest.mark.parametrize("row", rows("Conditions"), ids=lambda row: row[0])
def test_each_condition_of_the_table_is_understood(row: list[str]) -> None:
    text, *forms = re.findall(r"`([^`]+)`", row[0])
    if text.startswith("a > b"):  # `a > b and c > d`, `or`, `not`
        assert forms == ["or", "not"]
    made = rules(AROUND.format(f'"{text}"'))
    for spelt in re.findall(r"`(\{.+?\})`", row[1]):
        condition = spelt.replace("...", 'left: strength, op: "<", right: 30')
        assert rules(AROUND.format(condition)).file.sides == made.file.sides


@pytest.mark.parametrize("text", [one for row in rows("Values") for one in re.findall(r"`([^`]+)`", row[0])])
def test_each_value_of_the_table_is_understood(text: str) -> None:
    if text in ("+ - * /", "bars_held", "profit") or text.startswith("ta:"):
        return
    for one in text.split(" ") if set(text.split(" ")) <= set(PRICES) else [text]:
        rules(AROUND.format(f'"({one}) != 12345"'))


def test_every_section_is_explained() -> None:
    told = {name for row in rows("Sections") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(sections.SECTIONS)
