"""What `load_rules` makes: a strategy class like one in code, the same wherever it is made."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.strategy.rules.garbling import garbled
from tests.strategy.rules.made import rules, wandering
from workbench.errors import StrategyError, WorkbenchError
from workbench.strategy.rules import load_rules

TEXT = """
description: |
  Buy dips.

  And no more.
parameters:
  n: {default: 14, low: 2, high: 50, doc: "bars of the RSI, of the close"}
  level: {default: 30, low: 5.0, high: 50}
  frame: {default: 4h, choices: [4h, 1d]}
  stop_loss: {default: null, type: float, low: 0.01, high: 0.5, optional: true}
entry: rsi(close, n) < level and close > close @ frame
"""


def test_it_is_a_strategy_class_like_one_in_code() -> None:
    made = load_rules(Path("buy_the_dip.yaml"), TEXT)
    assert issubclass(made, wb.SignalStrategy) and made.__doc__ == "Buy dips.\n\nAnd no more."
    one = made(n=21)
    assert repr(one) == "BuyTheDip(n=21, level=30.0, frame='4h', stop_loss=None)"
    assert one.replace(n=14) == made() != one and hash(one) == hash(made(n=21))
    assert made.declared["n"] == wb.Parameter(
        name="n", kind=int, default=14, low=2, high=50, doc="bars of the RSI, of the close"
    )
    assert made.declared["level"].kind is float
    assert made.declared["stop_loss"].optional
    assert one.code_hash == hashlib.sha256(TEXT.encode()).hexdigest()[:16]
    with pytest.raises(StrategyError, match="BuyTheDip: parameter n = 51 must be at most 50"):
        made(n=51)
    with pytest.raises(StrategyError, match="BuyTheDip has no parameter 'm'"):
        made(m=3)


def test_the_name_of_the_class_is_that_of_the_file_unless_the_file_has_its_own() -> None:
    assert rules("entry: close > 3", "sma-cross 2.yaml").__name__ == "SmaCross2"
    assert rules("entry: close > 3", "3_days.yaml").__name__ == "Rules3Days"
    assert rules("name: Buy the RSI dip\nentry: close > 3").__name__ == "BuyTheRSIDip"


def test_the_same_file_is_the_same_class_and_an_edited_one_is_another() -> None:
    first, again = rules("entry: close > 3"), rules("entry: close > 3")
    assert first is again and first() == again()
    assert rules("entry: close > 4") is not first and rules("entry: close > 4")().code_hash != first().code_hash


def test_a_parameter_that_is_called_like_a_stop_is_that_stop() -> None:
    made = load_rules(Path("dip.yaml"), TEXT)
    bars = wandering(1, 60)
    assert wb.strategy.signals_of(made(stop_loss=0.2), bars).stop_loss.tolist() == [0.2]


def test_another_process_makes_the_same_strategy_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dip.yaml"
    path.write_text(TEXT)
    code = (
        "import sys; from pathlib import Path; from workbench.strategy.rules import load_rules; p = Path(sys.argv[1]); "
        "one = load_rules(p, p.read_text())(n=21); print(repr(one), one.code_hash)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    here = load_rules(path, TEXT)(n=21)
    assert done.stdout.split() == f"{here!r} {here.code_hash}".split()


def test_files_from_other_editors_are_read_alike() -> None:
    plain = rules("parameters: {n: 14}\nentry: rsi(n) < 30\n")
    windows = rules("parameters: {n: 14}\r\nentry: rsi(n) < 30\r\n", "windows.yaml")
    marked = rules("\ufeffparameters: {n: 14}\nentry: rsi(n) < 30\n", "marked.yaml")
    assert plain.file.sides == windows.file.sides == marked.file.sides
    with pytest.raises(StrategyError, match="line 2, column 8: 'x' is no price"):
        rules("parameters: {n: 14}\r\nentry: x < n\r\n")


def test_the_signals_keep_nothing_between_calls() -> None:
    strategy, bars = load_rules(Path("dip.yaml"), TEXT)(level=50), wandering(4, 300)
    first = strategy.signals(bars).entry
    strategy.signals(bars[:50])
    np.testing.assert_array_equal(strategy.signals(bars).entry, first)
    assert first.any()


def _survives(seed: int, bars: wb.Bars) -> bool:
    """Load what a seed makes; tell whether it is a class. Anything but a StrategyError with a place fails."""
    try:
        made = load_rules(Path("garbled.yaml"), garbled(seed))
    except StrategyError as error:
        assert {"line", "column", "mistakes"} <= set(error.fields), seed
        assert error.fields["line"] >= 1 and error.fields["column"] >= 1
        return False
    try:
        wb.strategy.signals_of(made(), bars)
    except WorkbenchError:
        pass  # such as a stop that is no fraction, which only bars can tell
    return True


def test_garbled_files_give_a_class_or_an_error_with_a_place() -> None:
    bars = wandering(0, 40)
    assert 5 < sum(_survives(seed, bars) for seed in range(300)) < 150


@pytest.mark.long
def test_ten_thousand_garbled_files_give_a_class_or_an_error_with_a_place() -> None:
    bars = wandering(0, 40)
    assert sum(_survives(seed, bars) for seed in range(300, 10_300)) > 100
