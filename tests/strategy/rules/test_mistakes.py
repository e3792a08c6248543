"""A file for each kind of mistake: what is said, and that the place is the one of the mistake."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml  # type: ignore[import-untyped]

from tests.strategy.rules.made import rules
from tests.strategy.rules.mistakes import WRONG, Wrong
from workbench.errors import StrategyError
from workbench.strategy.rules import schema


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.name)
def test_a_mistake_is_said_with_its_place(wrong: Wrong) -> None:
    with pytest.raises(StrategyError) as caught:
        rules(wrong.text, "some/file.yaml")
    fields = caught.value.fields
    line, column, message = fields["mistakes"][0]
    assert re.search(wrong.message, message), message
    assert (line, column) == (fields["line"], fields["column"]) == (wrong.line, wrong.column), message
    assert str(caught.value).startswith(f"some/file.yaml: line {line}, column {column}: ")
    assert len(fields["mistakes"]) == 1, "one mistake is said once, and brings no others with it"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("wrong", [one for one in WRONG if one.structural], ids=lambda one: one.name)
def test_the_schema_refuses_what_is_wrong_in_structure(
    wrong: Wrong, validator: jsonschema.Draft202012Validator
) -> None:
    assert not validator.is_valid(yaml.safe_load(wrong.text))


@pytest.mark.parametrize("wrong", [one for one in WRONG if not one.structural], ids=lambda one: one.name)
def test_the_schema_leaves_the_rest_to_the_parser(wrong: Wrong, validator: jsonschema.Draft202012Validator) -> None:
    """So that no fixture is called structural less often than it could be."""
    try:
        read = yaml.safe_load(wrong.text)
    except yaml.YAMLError:
        return
    assert read is None or validator.is_valid(read)


def test_all_mistakes_of_a_file_are_said_at_once_in_its_order() -> None:
    with pytest.raises(StrategyError) as caught:
        rules("entry: rsii < 30\nstops: {stoploss: 3}\nexit: close >\nfoo: 1\n")
    assert [one[:2] for one in caught.value.fields["mistakes"]] == [(1, 8), (2, 9), (3, 13), (4, 1)]


def test_the_line_is_shown_with_a_mark_under_the_place() -> None:
    with pytest.raises(StrategyError) as caught:
        rules("entry:\n  all:\n    - close > opn\n")
    assert str(caught.value).splitlines()[1:] == ["        - close > opn", "                  ^"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('entry: "close > opn"\n', (1, 17)),
        ("entry: >-\n  close > open\n  and close > opn\n", (3, 15)),
        ("entry: |\n  close > opn\n", (2, 11)),
        ("entry: close > open\n  and close > opn\n", (2, 15)),
        ("entry: 'close > 3 and\n  close > opn'\n", (2, 11)),
        ('entry: "close \\u003e opn"\n', (1, 22)),
        ("# ünïcödé\nentry: close > opn # ☃\n", (2, 16)),
    ],
)
def test_places_are_right_in_every_style_of_text(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(StrategyError) as caught:
        rules(text)
    assert (caught.value.fields["line"], caught.value.fields["column"]) == place


def test_a_parameter_that_fits_no_indicator_is_refused_when_the_strategy_is_made() -> None:
    made = rules("parameters: {n: 14}\nentry: rsi(close, n) < 30\n", "dip.yaml")
    with pytest.raises(StrategyError, match=r"Dip: rsi: length is 0; .* \(line 2 of dip.yaml\)"):
        made(n=0)


def test_a_requirement_is_held_when_the_strategy_is_made() -> None:
    made = rules("parameters: {a: 3, b: 9}\nrequire: [a < b]\nentry: rsi(a) < rsi(b)\n")
    with pytest.raises(StrategyError, match="Made: a = 12, b = 9 is not what the file requires: a < b"):
        made(a=12)


def test_the_error_survives_being_sent_to_another_process() -> None:
    import pickle

    with pytest.raises(StrategyError) as caught:
        rules("entry: rsii < 30\n")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.fields) == (StrategyError, str(caught.value), caught.value.fields)


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for text in (
        f"entry: !!python/object/apply:os.mkdir ['{mark}']\n",
        f"entry: __import__('os').mkdir('{mark}') > 0\n",
    ):
        with pytest.raises(StrategyError):
            rules(text)
    assert not mark.exists()
