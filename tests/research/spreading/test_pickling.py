"""What a strategy is elsewhere: the same class, name and hash, whatever has become of its file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import RunError
from workbench.research.spreading.pickling import dumps
from workbench.strategy.loader import load_strategy

ROOT = Path(wb.__file__).parents[1]
STRATEGIES = ROOT / "strategies"
READ = """
import sys
from workbench.research.spreading.pickling import loads
for strategy in loads(sys.stdin.buffer.read()):
    print(repr(strategy), strategy.code_hash, type(strategy).__module__)
"""


def test_strategies_of_every_kind_come_back_as_they_were(tmp_path: Path) -> None:
    code = tmp_path / "mine.py"
    code.write_text((STRATEGIES / "sma_cross.py").read_text())
    rules = tmp_path / "rules.yaml"
    rules.write_text((STRATEGIES / "rsi_reversion.yaml").read_text())
    strategies = [load_strategy(code)(fast=7), load_strategy(rules)(), load_strategy("library:trend_following")()]
    content = dumps(strategies)
    code.write_text("raise SystemExit")
    rules.unlink()
    done = subprocess.run([sys.executable, "-c", READ], input=content, capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.decode().splitlines() == [
        f"{strategy!r} {strategy.code_hash} {type(strategy).__module__}" for strategy in strategies
    ]


def test_what_cannot_travel_is_told() -> None:
    with pytest.raises(RunError, match=r"cannot be sent to another process \(TypeError: .*run it on threads"):
        dumps(item for item in ())
