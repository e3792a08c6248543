"""Parameter files: written for every strategy of the library, read back to the same, and clear about every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.backtest.parameter_file import SeriesName, TradingSettings, read_parameter_file, template_of
from workbench.errors import ConfigError, WorkbenchError
from workbench.market.lake import Lake
from workbench.strategy import library


def written(folder: Path, text: str) -> Path:
    path = folder / "bot.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", library.names())
def test_a_template_reads_back_as_the_defaults(name: str, tmp_path: Path) -> None:
    text = template_of(name)
    strategy, terms = read_parameter_file(written(tmp_path, text))
    assert strategy == library.get(name)()
    assert terms == TradingSettings(instruments=terms.instruments) and terms.costs == wb.Costs()
    for one in library.get(name).declared.values():
        assert f"\n  # {one.doc}" in text and f"\n  {one.name}: " in text
    assert template_of(f"library:{name}") == text


def test_changed_values_and_what_is_left_out(tmp_path: Path) -> None:
    text = """
strategy: library:grid
parameters: {cells: 5, capital: 1, trailing: true, stop_loss: null, spacing: arithmetic, width: 1e-2}
instruments: [BTC/USDT 4h binance, "SPX  1d"]
cash: 500
leverage: 2
costs: {fee: 0.0005, slippage_bps: 3}
"""
    with pytest.raises(WorkbenchError, match=r"width = '1e-2' must be a number"):  # YAML reads no number in it
        read_parameter_file(written(tmp_path, text))
    strategy, terms = read_parameter_file(written(tmp_path, text.replace("1e-2", "0.01")))
    assert strategy == library.Grid(
        cells=5, capital=1.0, trailing=True, stop_loss=None, spacing="arithmetic", width=0.01
    )
    assert terms == TradingSettings(
        instruments=(SeriesName("BTC/USDT", "4h", "binance"), SeriesName("SPX", "1d")), cash=500.0, leverage=2.0,
        costs=wb.Costs(fee=0.0005, slippage_bps=3),
    )  # fmt: skip
    assert str(terms.instruments[0]) == "BTC/USDT 4h binance"


def test_its_series_are_read_and_the_strategy_runs(tmp_path: Path, lake: Lake) -> None:
    text = template_of("grid").replace("BTC/USDT 1h", "BTC/USDT 1d")
    strategy, terms = read_parameter_file(written(tmp_path, text))
    result = wb.backtest(strategy, terms.bars(lake), cash=terms.cash, leverage=terms.leverage, costs=terms.costs)
    assert len(result.fills) > 10


def test_a_strategy_of_the_workspace_has_its_parameters_checked(tmp_path: Path, workspace: Path) -> None:
    text = "strategy: sma_cross\nparameters: {fast: 7}\ninstruments: [BTC/USDT 1h]\n"
    strategy, _ = read_parameter_file(written(tmp_path, text))
    assert strategy.parameters == {"fast": 7, "slow": 30}


START = "strategy: library:grid\ninstruments: [BTC/USDT 1h]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"bot\.yaml holds a NoneType, not names and values; it begins with `strategy: library:grid`"),
        ("- a\n", "holds a list"),
        ("strategy: [\n", r"bot\.yaml, line 2, column 1: .*a parameter file is YAML"),
        (START + "cash: 1\ncash: 2\n", r"line 3, column 1: 'cash' is there twice"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("strategy: library:grid\n", r'instruments is missing; write a list of series, such as "- BTC/USDT 1h"'),
        (START + "chash: 5\n", "'chash' is no setting; there is strategy, parameters, instruments, cash"),
        (START + "cash: lots\n", "cash is 'lots'; write an amount above zero, such as 10000"),
        (START + "cash: -5\n", "cash is -5; write an amount above zero"),
        (START + "leverage: 0.5\n", "leverage is 0.5; write a number of at least 1"),
        (START + "cash: .nan\n", "cash is nan; write an amount above zero"),
        (START + "costs: {free: 1}\n", "costs: free: one of these is no cost; there is fee, maker_fee"),
        (START + "costs: {fee: 10}\n", r"costs: fee = 10"),
        (START + "parameters: {cels: 5}\n", r"Grid has no parameter 'cels': did you mean 'cells'\?"),
        (START + "parameters: {cells: 0}\n", r"parameter cells = 0 must be at least 1 and at most 200"),
        (START + "parameters: 5\n", "parameters is 5; write names and values"),
        (START.replace("grid", "gird"), r"no strategy 'gird' in the library: did you mean 'grid'\?"),
        (START.replace(" 1h", ""), "'BTC/USDT' is no series; write a symbol and a length of bar"),
        (START.replace(" 1h", " 1x"), "1x"),
    ],
)
def test_mistakes_say_where_and_what_to_write(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=message) as caught:
        read_parameter_file(written(tmp_path, text))
    assert "bot.yaml" in str(caught.value) + "".join(getattr(caught.value, "__notes__", []))


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`workbench bots template NAME --output FILE` writes one"):
        read_parameter_file(tmp_path / "none.yaml")
    with pytest.raises(WorkbenchError, match="did you mean 'dca'"):
        template_of("dcaa")


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip
names = st.sampled_from(("strategy", "parameters", "instruments", "cash", "leverage", "costs", "else"))


@settings(max_examples=60)
@given(st.dictionaries(names, plain | st.just("library:grid") | st.just(["BTC/USDT 1h"])) | plain | st.text())
def test_whatever_is_in_it_is_read_or_refused_with_words(
    tmp_path_factory: pytest.TempPathFactory, found: object
) -> None:
    text = found if isinstance(found, str) else yaml.safe_dump(found)
    path = tmp_path_factory.getbasetemp() / "bot.yaml"
    path.write_bytes(text.encode("utf-8", errors="replace"))
    try:
        read_parameter_file(path)
    except WorkbenchError as error:
        assert str(error)
