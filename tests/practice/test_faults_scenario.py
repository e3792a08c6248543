"""Scenario files: those that come with workbench are right, and mistakes are named with their place and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.practice.faults_scenario import load_scenario, scenarios


@pytest.mark.parametrize("name", scenarios())
def test_ready_made_scenarios_are_right(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.rules and scenario.description and scenario.name.replace(" ", "_") == name


def test_a_scenario_is_yaml_json_or_data(tmp_path: Path) -> None:
    rules = [{"fault": "reset", "target": ["submit", "GET */klines"], "when": {"start": "2024-01-31", "every": 2}}]
    (tmp_path / "one.json").write_text(json.dumps({"seed": 3, "rules": rules}))
    (tmp_path / "one.yaml").write_text(
        "seed: 3\nrules:\n  - fault: reset\n    target: [submit, GET */klines]\n"
        "    when: {start: 2024-01-31, every: 2}\n"
    )
    from_json, from_yaml = load_scenario(tmp_path / "one.json"), load_scenario(str(tmp_path / "one.yaml"))
    assert from_json == from_yaml == load_scenario({"seed": 3, "rules": rules})
    assert load_scenario(rules).rules == from_json.rules
    assert load_scenario(None).rules == ()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"fault": "rset"}, r"rule 2 has the fault 'rset' \(did you mean reset\?\)"),
        ({"target": "submit"}, "rule 2 does not say which `fault` it is"),
        ({"fault": "reset", True: "submit"}, "rule 2 has the name True"),
        (7, "rule 2 is 7; write `fault: ...`"),
        ({"fault": "reset", "target": "sumbit"}, r"rule 2 \(reset\): target is 'sumbit'.*did you mean submit"),
        ({"fault": "drop", "target": "trade"}, r"target is 'trade', which names no streams \(did you mean trades\?\)"),
        ({"fault": "reset", "landed": "maybe"}, r"rule 2 \(reset\) landed is 'maybe'; write true or false"),
        ({"fault": "latency"}, r"\(latency\) latency is missing; write milliseconds, or"),
        ({"fault": "latency", "latency": "fast"}, "latency.ms is 'fast'; write a duration such as 250ms"),
        ({"fault": "latency", "latency": {"kind": "uniform", "low": 9, "high": 2}}, "low .9 ms. is above high"),
        ({"fault": "reset", "when": {"probability": 2}}, "when.probability is 2; write a number from 0 to 1"),
        ({"fault": "reset", "when": {"nht": 2}}, r"when.nht is no setting \(there are nth, every"),
        ({"fault": "reset", "when": {"start": "noon"}}, r"when.start is 'noon'; write a time as 2024-01-31T14:00Z"),
        ({"fault": "halt", "symbol": "BTC/USDT"}, "nothing sets it off; give `when"),
        ({"fault": "balance", "asset": "BTC", "amount": 0, "target": "submit"}, "amount is 0: zero changes nothing"),
    ],
)
def test_mistakes_are_named_with_their_place(rule: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_scenario([{"fault": "reset"}, rule])


def test_a_file_that_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("rules:\n  - fault: [\n")
    with pytest.raises(ConfigError, match=r"line 3, column 1.*a scenario is YAML or JSON"):
        load_scenario(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read as a UTF-8"):
        load_scenario(broken)
    broken.write_text("")
    with pytest.raises(ConfigError, match="holds nothing; write `rules:`"):
        load_scenario(broken)
    broken.write_text("x: !!python/object/apply:os.system [true]\n")
    with pytest.raises(ConfigError, match="could not determine a constructor"):
        load_scenario(broken)
    broken.write_text("# nothing but words\n" * 60_000)
    with pytest.raises(ConfigError, match="more than 1,000,000 bytes, which is no scenario"):
        load_scenario(broken)
    with pytest.raises(ConfigError, match=r"no scenario 'bad-day'; did you mean bad_day\?"):
        load_scenario("bad-day")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["reset", "latency", "price_gap", "+1m", "submit", "5s"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("rules fault target when latency nth start seed x".split()), inner),
    max_leaves=12,
)  # fmt: skip


@given(_JSON, st.sampled_from(["reset", "latency", "drop", "balance"]))
def test_whatever_is_written_is_a_scenario_or_a_config_error(content: Any, fault: str) -> None:
    for told in (content, {"rules": [content]}, [{**content, "fault": fault}] if isinstance(content, dict) else None):
        try:
            if not isinstance(told, str):
                load_scenario(told)
        except ConfigError as error:
            assert str(error)
