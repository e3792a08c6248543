"""One exchange for all tests of a module; its faults are taken away after each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bots.brokers.stage import PERP, SPOT, USD, swinging
from workbench.practice.exchange import Exchange


@pytest.fixture(scope="module")
def _served() -> Iterator[Exchange]:
    with swinging(SPOT, PERP, USD) as exchange:
        yield exchange


@pytest.fixture
def exchange(_served: Exchange) -> Iterator[Exchange]:
    yield _served
    _served.faults.clear()
