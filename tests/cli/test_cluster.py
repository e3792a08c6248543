"""`workbench cluster`; that it serves a report and ends cleanly is tested in `tests/reporting/test_elsewhere.py`."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.cli.commands import process


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = process("cluster", "start", "--port", str(port), cwd=tmp_path)
    assert done.code == 2 and done.out == ""
    message = " ".join(done.err.split())
    assert f"does not start at 127.0.0.1:{port}: [Errno 98] Address already in use; choose another --port" in message
    assert "Traceback" not in done.err
