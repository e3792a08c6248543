"""The panel that looks through the lake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DataError
from workbench.market.lake import Lake
from workbench.widgets import SeriesBrowser


def test_it_starts_where_it_is_told_and_follows_the_choice(lake: Lake) -> None:
    browser = SeriesBrowser(lake, symbol="SPX", timeframe="1d")
    choice, shown = browser.widget.children
    assert "SPX 1d" in shown.value and "data:image/png;base64," in shown.value
    choice.value = ("fred", "WTI", "1d")
    assert browser.chosen == ("fred", "WTI", "1d")
    assert "WTI 1d" in shown.value
    assert browser.bars() == lake.read("WTI", "1d")


def test_a_damaged_series_is_told_in_the_panel(lake: Lake, tmp_path: Path) -> None:
    own = Lake(tmp_path / "lake")
    own.write(lake.read("SPX", "1d"), source="test")
    part = next((tmp_path / "lake").rglob("*.parquet"))
    part.write_bytes(b"not a parquet file")
    assert part.name in SeriesBrowser(own).widget.children[1].value


def test_in_a_page_without_widgets_there_is_text(lake: Lake) -> None:
    bundle = SeriesBrowser(lake, symbol="BTC/USDT", timeframe="4h")._repr_mimebundle_()
    assert bundle["text/plain"] == "SeriesBrowser showing BTC/USDT 4h (binance)"
    json.dumps(bundle)


def test_an_empty_lake_and_an_unknown_series_say_what_to_do(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no series; import one with `workbench data import`"):
        SeriesBrowser(wb.Lake(tmp_path))
    with pytest.raises(DataError, match="has no series DOGE/USDT 1h"):
        SeriesBrowser(lake, symbol="DOGE/USDT", timeframe="1h")
