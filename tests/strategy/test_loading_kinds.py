"""The loader over all kinds: code, orders, rules, the library, and names that say which one is meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.backtest import backtest
from workbench.errors import StrategyError
from workbench.market.lake import Lake
from workbench.settings import Settings, load_settings
from workbench.strategy import OrderStrategy, SignalStrategy
from workbench.strategy.library import names
from workbench.strategy.loader import list_strategies, load_strategy
from workbench.strategy.names import StrategyName, parse_name

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = """
import workbench as wb
class Hold(wb.SignalStrategy):
    "Always in."
    days: int = wb.param(3, low=1, high=9)
    def signals(self, bars):
        return wb.Signals(entry=bars.close > 0)
"""
ORDERS = """
import workbench as wb
class Dip(wb.OrderStrategy):
    "Buys below."
    depth: float = wb.param(0.01, low=0.001, high=0.2)
    def on_bar(self, view, bar):
        if view.quantity() == 0 and not view.orders():
            return view.limit("buy", price=bar.close * (1 - self.depth), quantity=1.0)
"""
RULES = "description: Always in.\nparameters:\n  days: {default: 3, low: 1, high: 9}\nentry: close > 0\n"


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """A workspace with one strategy of each kind, a rule file beside code of its name among them."""
    (tmp_path / "workbench.toml").touch()
    folder = tmp_path / "strategies"
    folder.mkdir()
    files = {"hold.py": SIGNALS, "hold.yaml": RULES, "dip.py": ORDERS, "plain.yml": RULES, "_part.py": SIGNALS}
    for name, text in files.items():
        (folder / name).write_text(text)
    return load_settings(tmp_path)


def test_every_kind_is_listed_by_the_name_that_loads_it(desk: Settings) -> None:
    found = list_strategies(desk.strategies)
    assert [(one.name, one.kind, one.error) for one in found] == [
        ("dip", "orders", None), ("hold", "signals", None), ("hold.yaml", "rules", None), ("plain", "rules", None),
    ]  # fmt: skip
    for one in found:
        cls = load_strategy(one.name, settings=desk)
        assert cls().code_hash == one.code_hash
        assert tuple(cls.declared.values()) == one.parameters
    whole = list_strategies(desk.strategies, library=True)
    assert [one.name for one in whole[4:]] == [f"library:{name}" for name in names()]
    assert {one.kind for one in whole[4:]} == {"library"}


def test_the_bare_name_is_the_code_and_the_ending_says_the_rules(desk: Settings) -> None:
    code, rules = load_strategy("hold", settings=desk), load_strategy("hold.yaml", settings=desk)
    assert issubclass(code, SignalStrategy) and issubclass(rules, SignalStrategy) and code is not rules
    assert load_strategy("hold.py", settings=desk) is code
    assert load_strategy("strategies/hold.yaml", settings=desk) is rules
    assert load_strategy(desk.strategies / "hold.yaml", settings=desk) is rules
    assert load_strategy("plain", settings=desk) is load_strategy("plain.yml", settings=desk)
    assert code(days=5).parameters == rules(days=5).parameters == {"days": 5}
    with pytest.raises(StrategyError, match="parameter days = 10 must be at most 9"):
        rules(days=10)


def test_order_strategies_of_files_and_of_the_library_trade(desk: Settings, lake: Lake) -> None:
    dip = load_strategy("dip", settings=desk)
    assert issubclass(dip, OrderStrategy)
    bars = lake.read("BTC/USDT", "1d")[:60]
    assert backtest(dip(), bars, cash=1e6).metrics["trades"] == 0  # it never sells; one trade is open
    grid = load_strategy("library:grid", settings=desk)
    assert load_strategy("grid", settings=desk) is grid
    assert grid(cells=5).cells == 5


def test_a_file_of_the_workspace_goes_before_the_library(desk: Settings) -> None:
    (desk.strategies / "grid.py").write_text(SIGNALS)
    assert load_strategy("grid", settings=desk).__name__ == "Hold"
    assert load_strategy("library:grid", settings=desk).__name__ == "Grid"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hodl", "there is no strategy 'hodl' in .*: did you mean 'hold'\\? there is dip, hold, hold.yaml, plain, lib"),
        ("hold.yml", "there is no strategy 'hold.yml' in .*: did you mean 'hold.yaml'"),
        ("gird", "did you mean 'library:grid'"),
        ("library:hold", "there is no strategy 'hold' in the library"),
        ("strategies/absent.yaml", "there is no strategy file strategies/absent.yaml; looked at"),
        ("dip:Other", "dip: no strategy class 'Other'; it has Dip"),
        ("dip@xyz", "after the @ stands 'xyz'; give the first 4 to 16 digits of a code hash"),
        ("", "names no strategy"),
        ("library:", "names no strategy"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_like_it(desk: Settings, name: str, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        load_strategy(name, settings=desk)


def test_a_wrong_rule_file_says_where(desk: Settings) -> None:
    (desk.strategies / "wrong.yaml").write_text("entry: rsi(close) <\n")
    with pytest.raises(StrategyError, match="wrong.yaml: line 1, column 20?"):
        load_strategy("wrong", settings=desk)
    assert next(one for one in list_strategies(desk.strategies) if one.name == "wrong").kind == "rules"


def test_names_are_read_in_parts() -> None:
    assert parse_name("a/b.py@0123:C") == StrategyName(file="a/b.py", version="0123", wanted="C")
    assert parse_name("library:grid@0123") == StrategyName(file="grid", version="0123", library=True)
    assert parse_name(Path("odd@name:x.py")) == StrategyName(file="odd@name:x.py")


def test_listing_plain_code_brings_neither_the_core_nor_numba(desk: Settings) -> None:
    (desk.strategies / "dip.py").unlink()
    code = (
        "import sys\nfrom pathlib import Path\nfrom workbench.strategy import list_strategies\n"
        "found = list_strategies(Path(sys.argv[1]))\n"
        "print(len(found), *sorted({'numba', 'pandas', 'workbench.trading.core'} & set(sys.modules)))"
    )
    for name in ("hold.yaml", "plain.yml"):
        (desk.strategies / name).unlink()
    words = [sys.executable, "-c", code, str(desk.strategies)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["1"]
