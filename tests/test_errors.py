"""The error tree: one base, fields as data, and safe passage between processes."""

from __future__ import annotations

import inspect
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from workbench import errors

KINDS = [getattr(errors, name) for name in errors.__all__]


def _reject() -> None:
    error = errors.BrokerRejected("order 7: quantity 0.1 is below the lot of 1; round it up", order=7, lot=1.0)
    error.add_note("while opening a long position")
    raise error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_one_base_and_says_what_happens_next(kind: type[errors.WorkbenchError]) -> None:
    assert issubclass(kind, errors.WorkbenchError)
    assert len((inspect.getdoc(kind) or "").split()) > 8


def test_every_class_of_the_module_is_public() -> None:
    classes = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}
    defined = {name for name, value in classes.items() if value.__module__ == errors.__name__}
    assert defined == set(errors.__all__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_message_and_fields_survive_pickling(kind: type[errors.WorkbenchError]) -> None:
    error = pickle.loads(pickle.dumps(kind("symbol 'X' is unknown; try 'Y'", symbol="X", known=["Y"])))
    assert type(error) is kind
    assert str(error) == "symbol 'X' is unknown; try 'Y'"
    assert error.fields == {"symbol": "X", "known": ["Y"]}


def test_an_error_crosses_from_a_worker_process_whole() -> None:
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pool, pytest.raises(errors.BrokerError, match="below the lot of 1; round it up") as caught:
        pool.submit(_reject).result()
    assert type(caught.value) is errors.BrokerRejected
    assert caught.value.fields == {"order": 7, "lot": 1.0}


def test_the_message_is_the_text_and_no_field_is_lost_when_there_are_none() -> None:
    error = errors.DataError("empty series")
    assert (str(error), error.fields) == ("empty series", {})
