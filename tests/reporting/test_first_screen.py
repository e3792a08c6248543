"""The page of a backtest in a real browser: what is doubtful about it comes before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from tests.reporting.test_index_browser import ARGUMENTS
from workbench.reporting.render import Page, render_notebook
from workbench.reporting.results import collect


@pytest.fixture(scope="module")
def executed(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_WORKSPACE", str(workspace))
        output = tmp_path_factory.mktemp("page") / "backtest.ipynb"
        told = {"strategy": "donchian_breakout", "symbol": "SPX", "timeframe": "1d"}
        papermill.execute_notebook(
            workspace / "notebooks" / "backtest.ipynb", output, told, cwd=str(workspace), progress_bar=False
        )
    return output


@pytest.fixture(scope="module")
def page(executed: Path) -> Path:
    facts = (("Strategy", "donchian_breakout"), ("Market", "SPX 1d"))
    return render_notebook(executed, executed.with_suffix(".html"), page=Page(title="SPX", facts=facts))


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield started
        started.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_diagnosis_is_on_the_first_screen(browser: Any, page: Path, scheme: str, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    opened = context.new_page()
    opened.goto(page.as_uri())
    diagnosis = opened.locator("section[aria-label=Diagnosis]")
    place, figure = diagnosis.bounding_box(), opened.locator("figure").first.bounding_box()
    assert place is not None and figure is not None
    assert place["y"] < 450 and place["y"] + place["height"] < figure["y"]
    assert "What to do:" in diagnosis.inner_text()
    hidden = opened.get_by_text("Looked at and found fine")
    assert hidden.is_visible() and not opened.get_by_text("No position was liquidated.").is_visible()
    hidden.click()
    assert opened.get_by_text("No position was liquidated.").is_visible()
    diagnosis.evaluate("section => section.querySelectorAll('details').forEach(one => { one.open = true })")
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_the_notebook_records_the_worst(executed: Path) -> None:
    found = collect(nbformat.read(executed, as_version=4))
    assert found["doctor_worst"] in ("critical", "warning", "note", "fine")
    counted = {name: found[f"doctor_{name}"] for name in ("critical", "warnings", "notes")}
    assert all(isinstance(n, int) for n in counted.values()) and found["doctor_worst"] == "critical"
    assert counted["critical"] and found["doctor_says"]
