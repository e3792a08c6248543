"""One nursery for all bots of a session: its imports take longer than a life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bots.processes.stage import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as one:
        yield one
