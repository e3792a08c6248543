"""`sizing:` of a rule file: the same sizing as in code, its numbers parameters if need be, and what is wrong named."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml  # type: ignore[import-untyped]

import workbench as wb
from tests.strategy.rules.made import rules, wandering
from workbench.errors import StrategyError
from workbench.risk import sizing as sz
from workbench.strategy.rules import schema
from workbench.strategy.rules.sizes import STEADY, sizing_in

GUIDE = (Path(__file__).resolve().parents[3] / "strategies" / "RULES.md").read_text(encoding="utf-8")
OK = "entry: close > open\nexit: close < open\n"
TABLE = re.findall(r"^\| `([a-z_]+: .+?)` \|", GUIDE.split("## Sizing\n")[1].split("\n## ")[0], flags=re.M)


def test_the_guide_has_every_kind() -> None:
    assert sorted(line.split(":")[0] for line in TABLE) == sorted(sz.KINDS)


@pytest.mark.parametrize("text", [*TABLE, "optimal_f", "fixed_risk: 0.02", "{cppi: , caps: {position: null}}"])
def test_every_kind_is_read_in_files_and_on_the_command_line(text: str) -> None:
    made = rules(f"{OK}sizing: {text if ':' not in text or text.startswith('{') else '{' + text + '}'}\n")()
    assert made.sizing == sizing_in(text, "--sizing")
    plain = yaml.safe_load(f"{OK}sizing: {text if ':' not in text or text.startswith('{') else '{' + text + '}'}\n")
    assert jsonschema.Draft202012Validator(schema()).is_valid(plain)


def test_caps_of_groups_are_read() -> None:
    text = "{fixed_cash: 500, caps: {position: 1/4, group: {majors: 0.5}, groups: {BTC/USDT: majors}, total: 1}}"
    caps = sz.Caps(position=0.25, group={"majors": 0.5}, groups={"BTC/USDT": "majors"}, total=1.0)
    assert rules(f"{OK}sizing: {text}\n")().sizing == sz.FixedCash(500.0, caps=caps) == sizing_in(text, "here")


def test_a_number_of_it_may_be_a_parameter() -> None:
    made = rules("""
        parameters: {share: {default: 0.1, low: 0.01, high: 0.5}, cap: 0.4}
        entry: close > open
        exit: close < open
        sizing: {percent_equity: share * 2, caps: {position: cap}}
    """)
    assert made().sizing == sz.PercentEquity(0.2, caps=sz.Caps(position=0.4))
    bars = wandering(1, 60)
    whole = wb.backtest(made(share=0.15), bars)
    assert whole.fills.equals(wb.backtest(rules(OK)(), bars, sizing=made(share=0.15).sizing).fills)
    assert whole.path == "compiled" and len(whole.fills) > 10
    risky = rules("parameters: {share: 0.1}\nentry: close > open\nsizing: {fixed_risk: share * 4}\n")
    with pytest.raises(StrategyError, match=r"FixedRisk: fraction = 2\.0; give a fraction of equity above 0"):
        risky(share=0.5)


@pytest.mark.parametrize("kind", STEADY)
def test_a_position_can_be_followed_beside_a_steady_sizing(kind: str) -> None:
    numbers = {"fixed_cash": 500, "fixed_quantity": 2, "percent_equity": 0.1}.get(kind, "")
    rules(f"entry: close > open\nexit: profit > 0.01\nsizing: {{{kind}: {numbers}}}\n")


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("sizing: {fixd_risk: 0.01}", r"no sizing 'fixd_risk'; did you mean 'fixed_risk'\?", 3, 10),
        ("sizing: 0.01", r"sizing: wants a kind and its numbers, as in .* not '0.01'", 3, 9),
        ("sizing: [cppi]", r"sizing: wants a kind and its numbers, as in .* not a list", 3, 9),
        ("sizing: {cppi: , kelly: }", r"sizing: wants one kind, .*; there are 2", 3, 9),
        ("sizing: {caps: {position: 0.1}}", r"sizing: wants one kind, .*; there are 0", 3, 9),
        ("sizing: {fixed_risk: {size: 1}}", r"fixed_risk has no 'size'", 3, 23),
        ("sizing: {fixed_risk: 2}", r"FixedRisk: fraction = 2; give a fraction of equity above 0 and at most 1", 3, 10),
        ("sizing: {fixed_risk: close}", r"close differs from bar to bar", 3, 22),
        ("sizing: {fixed_cash: }", r"fixed_cash wants money too", 3, 10),
        ("sizing: {cppi: , caps: {all: 1}}", r"caps has no 'all'", 3, 25),
        ("sizing: {pyramid: {base: {pyramids: }}}", r"no sizing 'pyramids'; did you mean 'pyramid'\?", 3, 27),
        ("sizing: cppi\nsize: 0.5", r"there is a size and a sizing", 3, 1),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(StrategyError) as caught:
        rules(f"{OK}{text}\n")
    (found,) = caught.value.fields["mistakes"]
    assert re.search(message, found[2]), found[2]
    assert found[:2] == (line, column), found


def test_a_position_cannot_be_followed_beside_a_sizing_that_refuses() -> None:
    for sizing in ("kelly", "{fixed_cash: 5, caps: {total: 0.5}}"):
        with pytest.raises(StrategyError, match=r"profit cannot be followed beside sizing"):
            rules(f"entry: close > open\nexit: profit > 0.01\nsizing: {sizing}\n")


def test_a_sizing_of_the_command_line_that_is_wrong_is_named() -> None:
    with pytest.raises(StrategyError, match=r"--sizing: line 1, column 1: there is no sizing 'kely'; did you mean"):
        sizing_in("kely", "--sizing")
