"""The gallery of indicators: a panel each, with what it shows named."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.backtest.charts_indicators import indicator_gallery
from workbench.errors import StrategyError
from workbench.indicators import registry
from workbench.indicators.indicator import GROUPS


@pytest.fixture(scope="module")
def bars(lake: wb.Lake) -> wb.Bars:
    return lake.read("BTC/USDT", "1h")[:150]


@pytest.mark.parametrize("group", GROUPS)
def test_every_indicator_of_a_group_has_a_panel(bars: wb.Bars, group: str) -> None:
    figure = indicator_gallery(bars, group)
    titles = [axes.get_title(loc="left").split(" ")[0] for axes in figure.axes if axes.get_visible()]
    assert titles == list(registry.names(group))
    for axes in figure.axes:
        assert not axes.get_visible() or axes.has_data()


def test_a_users_own_indicator_is_drawn_with_its_second_series(bars: wb.Bars, lake: wb.Lake) -> None:
    def ratio(close, other):  # type: ignore[no-untyped-def]
        return close / other

    with registry.register(ratio):
        panel = indicator_gallery(bars, "user", beside=lake.read("BTC/USDT", "1h")).axes[0]
        assert panel.get_title(loc="left") == "ratio"
        assert set(panel.lines[0].get_ydata()) == {1.0}


def test_a_group_that_is_none(bars: wb.Bars) -> None:
    with pytest.raises(StrategyError, match="there is no group 'trends' of indicators"):
        indicator_gallery(bars, "trends")
    assert not any(axes.get_visible() for axes in indicator_gallery(bars, "user").axes)
