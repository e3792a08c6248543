"""A panel to look through the series of a lake: choose one, see its prices and its holes.

It holds no state of its own beyond the choice, and shows a plain chart where widgets cannot live (a report page).
"""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, WorkbenchError
from workbench.market.lake import Lake

if TYPE_CHECKING:
    from workbench.market.bars import Bars

__all__ = ["SeriesBrowser"]


class SeriesBrowser:
    """Show one series of a lake at a time.

    Parameters
    ----------
    lake : Lake
    symbol, timeframe, venue : str, optional
        The series shown first; the first of the lake when left out.

    Raises
    ------
    DataError
        The lake is empty, or has no such series.
    """

    def __init__(
        self, lake: Lake, *, symbol: str | None = None, timeframe: str | None = None, venue: str | None = None
    ) -> None:
        self._lake = lake
        self._keys = [(info.venue, info.symbol, str(info.timeframe)) for info in lake.series()]
        if not self._keys:
            raise DataError(f"{lake!r} has no series; import one with `workbench data import`, or run `workbench init`")
        wanted = (venue, symbol, timeframe)
        fitting = [
            key for key in self._keys if all(one is None or one == own for one, own in zip(wanted, key, strict=True))
        ]
        if not fitting:
            raise DataError(f"{lake!r} has no series {symbol} {timeframe} of venue {venue}; see lake.catalog()")
        self._chosen = fitting[0]

    @property
    def chosen(self) -> tuple[str, str, str]:
        """Venue, symbol and timeframe of the series shown."""
        return self._chosen

    def bars(self) -> Bars:
        """Read the series shown."""
        venue, symbol, timeframe = self._chosen
        return self._lake.read(symbol, timeframe, venue=venue)

    @cached_property
    def widget(self) -> Any:
        """The ipywidgets box: a list of the series above a chart."""
        import ipywidgets as widgets

        choice = widgets.Dropdown(
            options=[(f"{key[1]}  {key[2]}  ({key[0]})", key) for key in self._keys],
            value=self._chosen,
            description="Series",
            layout=widgets.Layout(width="28em"),
        )
        shown = widgets.HTML(value=self._picture())

        def follow(change: dict[str, Any]) -> None:
            self._chosen = change["new"]
            shown.value = self._picture()

        choice.observe(follow, names="value")
        return widgets.VBox([choice, shown])

    def _picture(self) -> str:
        """Give the chart of the series shown as HTML, or what went wrong in words: a panel never dies of its data."""
        import base64
        import io

        from workbench.backtest.charts import price_chart

        try:
            bars = self.bars()
        except WorkbenchError as error:
            return f"<p><strong>{escape(str(error))}</strong></p>"
        image = io.BytesIO()
        price_chart(bars).savefig(image, format="png", dpi=110, facecolor="white")
        words = escape(repr(bars)[1:-1])
        data = base64.b64encode(image.getvalue()).decode()
        return f'<p>{words}</p><img alt="{words}" style="max-width:100%" src="data:image/png;base64,{data}">'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = dict(self.widget._repr_mimebundle_(**options) or {})
        bundle["text/plain"] = f"SeriesBrowser showing {self._chosen[1]} {self._chosen[2]} ({self._chosen[0]})"
        return bundle
