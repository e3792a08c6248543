"""The bundled notebooks: built files in step with their sources, run by papermill, with the results they promise."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import papermill
import pytest

from workbench.errors import ConfigError, RunError
from workbench.reporting.notebook_files import build, in_step, sources
from workbench.reporting.parameters import declared_parameters
from workbench.reporting.results import collect

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = [
    "backtest", "data_explorer", "indicator_gallery", "nightly", "order_strategies", "parity", "portfolio_risk",
    "quickstart", "research", "strategy_library",
]  # fmt: skip


def results_of(name: str, workspace: Path, tmp_path: Path, **parameters: object) -> dict:
    output = tmp_path / f"{name}.ipynb"
    papermill.execute_notebook(
        workspace / "notebooks" / f"{name}.ipynb", output, parameters, cwd=str(workspace), progress_bar=False
    )
    return collect(nbformat.read(output, as_version=4))


def test_there_is_a_source_for_each_and_it_is_in_step() -> None:
    assert [path.stem for path in sources(FOLDER)] == NAMES
    late = [path.name for path in sources(FOLDER) if not in_step(path)]
    assert not late, f"run `make notebooks`: {late}"


@pytest.mark.parametrize("name", NAMES)
def test_a_built_notebook_keeps_no_output_but_its_promise(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    kept = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(kept) == (0 if name == "nightly" else 1)
    assert all("nbval-check-output" in cell.metadata.tags for cell in kept)
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quickstart"])
def test_parameters_are_typed_and_each_has_a_comment(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text()
    cell = source.split('# %% tags=["parameters"]\n')[1].split("# %%")[0]
    for node in ast.parse(cell).body:
        assert isinstance(node, ast.AnnAssign), ast.unparse(node)
        assert "  # " in cell.splitlines()[node.lineno - 1]
    assert set(declared_parameters(FOLDER / f"{name}.ipynb"))


def test_backtest(workspace: Path, tmp_path: Path) -> None:
    found = results_of("backtest", workspace, tmp_path, strategy="donchian_breakout", symbol="SPX", timeframe="1d",
                       parameters={"short": False}, start="2000-01-01", end="2010-01-01")  # fmt: skip
    assert found["strategy"].startswith("DonchianBreakout(entry_length=55") and "short=False" in found["strategy"]
    assert (found["bars"], found["start"]) == (2515, "2000-01-03")
    assert found["trades"] == 26
    assert -0.5 < found["max_drawdown"] < 0 < found["exposure"] < 1
    assert len(ast.literal_eval(found["equity_points"])) == 240


def test_quickstart(workspace: Path, tmp_path: Path) -> None:
    found = results_of("quickstart", workspace, tmp_path)
    assert found["bars"] == 3 * 8_760 + 24 - 14  # three years to 2024-01-01 23:00, less the hours that Binance was down
    assert found["total_return_free"] > found["total_return"]


@pytest.mark.long
def test_data_explorer(workspace: Path, tmp_path: Path) -> None:
    found = results_of("data_explorer", workspace, tmp_path, symbol="BTC/USDT", timeframe="1h")
    assert (found["bars"], found["gaps"], found["missing"]) == (55_722, 28, 170)


@pytest.mark.long  # all of its charts; that it runs is seen with its usual parameters, too
def test_indicator_gallery(workspace: Path, tmp_path: Path) -> None:
    found = results_of(
        "indicator_gallery", workspace, tmp_path, start="2020-03-01", end="2020-03-08", beside="BTC/USDT"
    )
    assert (found["bars"], found["groups"]) == (7 * 24 - 1, 7)  # Binance was down for an hour
    assert 0.0 < found["last_rsi"] < 100.0


@pytest.mark.long
def test_order_strategies(workspace: Path, tmp_path: Path) -> None:
    found = results_of("order_strategies", workspace, tmp_path, start="2023-05-01", end="2023-06-15")
    assert found["strategy"].startswith("SmallGrid(step=0.01") and found["trades"] == 3


def test_parity(workspace: Path, tmp_path: Path) -> None:
    found = results_of("parity", workspace, tmp_path, start="2022-01-01", end="2022-01-15")
    assert (found["score"], found["causes"], found["alarm"]) == (1.0, "", "")
    assert found["trades"] == found["alike"] > 3 and found["lived"] == found["promised"]
    again = results_of("parity", workspace, tmp_path, bot=found["bot"])
    assert again == found


def test_portfolio_risk(workspace: Path, tmp_path: Path) -> None:
    found = results_of("portfolio_risk", workspace, tmp_path, at="2020-06-01", level=0.95)
    assert 0.0 < found["value_at_risk"] < found["expected_shortfall"] < -found["worst"] < 1.0
    assert -1.0 < found["drawdown"] <= 0.0 < found["equity"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("cash_and_carry", {"parameters": {"capital": 0.5}, "last": 400}),
        ("pairs", {"series": ["KO 1d", "WMT 1d"], "last": 900}),
    ],
)
def test_strategy_library(name: str, more: dict[str, object], workspace: Path, tmp_path: Path) -> None:
    found = results_of("strategy_library", workspace, tmp_path, strategy=name, **more)
    assert found["strategy"].lower().startswith(name.replace("_", ""))
    assert -1 < found["total_return"] < 1 and found["max_drawdown"] < 0


def test_nightly_before_any_report_says_so(workspace: Path, tmp_path: Path) -> None:
    found = results_of("nightly", workspace, tmp_path, report="never")
    assert (found["runs"], found["batch"]) == (0, None)


GOOD = """# ---
# jupyter: {}
# ---

# %% [markdown]
# # Title

# %%
{first}

# %% tags=["nbval-check-output"]
{last}
"""


def test_build_runs_what_promises_and_strips_the_rest(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text(GOOD.replace("{first}", "print('noise')").replace("{last}", "6 * 7"))
    assert not in_step(source)
    notebook = nbformat.read(build(source), as_version=4)
    assert in_step(source)
    assert [len(cell.get("outputs", [])) for cell in notebook.cells] == [0, 0, 0, 1]
    assert notebook.cells[3].outputs[0]["data"]["text/plain"] == "42"
    before = source.with_suffix(".ipynb").read_bytes()
    build(source)
    assert source.with_suffix(".ipynb").read_bytes() == before
    source.write_text(source.read_text().replace("6 * 7", "6 * 8"))
    assert not in_step(source)


def test_a_source_that_fails_leaves_the_built_notebook_alone(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text(GOOD.replace("{first}", "x = 1").replace("{last}", "x"))
    before = build(source).read_bytes()
    source.write_text(GOOD.replace("{first}", "x = 1 / 0").replace("{last}", "x"))
    with pytest.raises(RunError, match=r"one\.py: a cell raised ZeroDivisionError"):
        build(source)
    assert source.with_suffix(".ipynb").read_bytes() == before
    with pytest.raises(ConfigError, match="there is no notebook source"):
        build(tmp_path / "absent.py")
