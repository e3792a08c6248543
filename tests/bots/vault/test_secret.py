"""A secret gives nothing away, whichever way it is printed, copied or sent."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import logging
import pickle
import pprint
import traceback
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
import pytest
import rich.console
import rich.pretty

from workbench.bots.journal.records import Logged, write_body
from workbench.bots.vault import Credential, Secret
from workbench.errors import ConfigError, DataError

PLANTED = "PLANTED-s3cr3t"
SECRET = Secret(PLANTED)


@pytest.mark.parametrize(
    "show",
    [
        repr, str, "{}".format, "{0!r:>30}".format, lambda one: f"{one}", lambda one: f"{one:>40}",
        lambda one: f"{one} {one!r}", ascii, pprint.pformat, lambda one: repr([one, {"key": one}]),
        lambda one: repr(Credential(name="a", venue="b", fields={"key": one}, added=0, rotated=0)),
        lambda one: repr(dataclasses.asdict(Credential(name="a", venue="b", fields={"key": one}, added=0, rotated=0))),
        lambda one: repr([(name, value) for name, value in inspect.getmembers(one) if not callable(value)]),
        lambda one: repr(copy.deepcopy({"key": copy.copy(one)})), lambda one: rich.pretty.pretty_repr({"key": one}),
    ],
)  # fmt: skip
def test_it_is_not_shown(show: Any) -> None:
    shown = show(SECRET)
    assert PLANTED not in shown and "s3cr3t" not in shown and shown
    assert SECRET.reveal() == PLANTED


def test_it_is_not_in_a_log_or_a_traceback_with_all_variables(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("x").error("key %s in %r", SECRET, {"key": SECRET})
    assert PLANTED not in caplog.text
    key = SECRET
    try:
        key.nothing  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert PLANTED not in "".join(told.format())
        console = rich.console.Console(record=True, quiet=True)
        console.print_exception(show_locals=True)
        assert PLANTED not in console.export_text()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dump", [pickle.dumps, cloudpickle.dumps])
def test_it_cannot_be_pickled(dump: Any, protocol: int) -> None:
    with pytest.raises(ConfigError, match="a secret cannot be pickled"):
        dump({"key": SECRET}, protocol)


def test_it_is_no_json_and_has_no_place_in_a_journal() -> None:
    with pytest.raises(TypeError, match="Secret is not JSON serializable"):
        json.dumps({"key": SECRET})
    with pytest.raises(DataError, match="a Secret has no place in a journal") as caught:
        write_body(Logged(0, "info", "system", "x", {"key": SECRET}))
    assert PLANTED not in str(caught.value)


def test_it_compares_and_counts_as_a_text_does() -> None:
    assert Secret("a") == Secret("a") != Secret("b") and Secret("a") != "a"
    assert Secret("x") and not Secret("")
    assert Secret("wörds \N{KEY}").reveal() == "wörds \N{KEY}"
    assert len({SECRET, copy.copy(SECRET)}) == 1
