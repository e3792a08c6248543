"""How a peer answers: it reads the bars once, then runs once for every line it is sent, and says what came of it.

Run by `bench_event_path.py` with an interpreter of its own, that knows nothing of workbench. The first line out is
`{"ready": "name version"}`, or `{"missing": "why"}`.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from typing import Any


def answer(load: Callable[[str], tuple[str, Callable[[int, int], dict[str, Any]]]]) -> None:
    """Serve runs on standard input and output.

    Parameters
    ----------
    load : callable
        Given the path of the bars, gives the peer's name and what runs it: `(fast, slow) -> seconds, trades, equity`.
    """
    out = sys.stdout
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            name, run = load(sys.argv[1])
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=out, flush=True)
        return
    print(json.dumps({"ready": name}), file=out, flush=True)
    for line in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            done = run(*json.loads(line))
        print(json.dumps(done), file=out, flush=True)
