"""What is shown of a portfolio's risk: tables, sentences, pictures. The base class of `PortfolioRisk`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from workbench.risk.portfolio.liquidity import Market
from workbench.risk.portfolio.scenarios import Scenario

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from workbench.risk.portfolio.risk import PortfolioRisk

__all__ = ["Views"]


class Views:
    """Tables, sentences and pictures; every frame is new."""

    @property
    def _risk(self) -> PortfolioRisk:
        return cast("PortfolioRisk", self)

    def exposures(self, by: str = "asset") -> pd.DataFrame:
        """Give exposures by "bot", "venue", "account", "instrument", "asset", "group", "currency" or "position".

        Returns
        -------
        DataFrame
            One row a part, the largest first, then `all`: `equity` (what it adds to it), `long`, `short` (negative),
            `gross`, `net`, `positions` (how many), `gross_share` and `net_share` (of the equity of the whole).
        """
        from workbench.risk.portfolio.tables import exposure_table

        return exposure_table(self._risk, by)

    @property
    def currencies(self) -> pd.DataFrame:
        """What each currency makes up of equity: `amount` (in it), `value`, `share`, `rate`, and the `path` of it."""
        from workbench.risk.portfolio.tables import currency_table

        return currency_table(self._risk)

    def stress(
        self, scenarios: Iterable[Scenario] | Scenario | None = None, *, proxies: Mapping[str, str] | None = None
    ) -> pd.DataFrame:
        """Give what scenarios would do to what is held now, the worst first.

        Parameters
        ----------
        scenarios : Scenario or iterable of them, optional
            Left out: the crashes of which there are prices, everything moving alike, each asset by itself, each
            currency, the worst stretches of the prices, correlations going to one (the loss by a normal law, with the
            horizon and level of the terms), and selling all of it at a quarter of the volume, four times the spread and
            twice the volatility.
        proxies : mapping of series to series, optional
            What a series without prices of a time moves with, by its beta: `{"BTC/USDT": "SPX"}`.

        Returns
        -------
        DataFrame
            `kind`, `profit` (in money), `share` (of equity), `worst` (the position that loses most), `covered` (share
            of the gross exposure whose move is known: what is unknown stands still), `proxied`, `liquidated` (positions
            and accounts that would be taken away; their loss is that of the move all the same).
        """
        from workbench.risk.portfolio.tables import stress_table

        return stress_table(self._risk, scenarios, proxies)

    def liquidity(self, market: Market | None = None) -> pd.DataFrame:
        """Give how long selling takes, and what it costs.

        Returns
        -------
        DataFrame
            One row a position, the slowest first, then `all`: `exposure`, `daily_value`, `days`, `spread_cost`,
            `impact_cost`, `cost`, `cost_share` (of the position). NaN where something is not known.
        """
        from workbench.risk.portfolio.tables import liquidity_table

        return liquidity_table(self._risk, market)

    @property
    def liquidation(self) -> pd.DataFrame:
        """How far positions with a liquidation price are from it, the nearest first.

        `exposure`, `price`, `liquidation_price`, `distance` (the move of the price to it, a fraction), `volatilities`
        (of a row, that it is away), `probability` (to reach it within the horizon), `loss` (until then, negative).
        """
        from workbench.risk.portfolio.tables import liquidation_table

        return liquidation_table(self._risk)

    @property
    def accounts(self) -> pd.DataFrame:
        """What each account can bear: `equity`, `gross`, `net`, `leverage`, `maintenance` (margin), `used` (of equity).

        With cross margin it is liquidated when everything moves by `fall` or `rise`, or each position against itself by
        `against`; missing where that cannot happen, or a maintenance rate is not known.
        """
        from workbench.risk.portfolio.tables import account_table

        return account_table(self._risk)

    @property
    def sentences(self) -> list[str]:
        """What there is to say, in words, the most important first."""
        from workbench.risk.portfolio.words import sentences_of

        return sentences_of(self._risk)

    @property
    def sentence(self) -> str:
        """The first of the sentences."""
        return self.sentences[0]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain data that JSON can hold: None for what has no answer."""
        from workbench.risk.portfolio.words import plain_of

        return plain_of(self._risk)

    def plot(self, by: str = "asset") -> Figure:
        """Draw exposures and parts of the risk, profits of the past with the tail, the worst scenarios."""
        from workbench.risk.portfolio.charts import overview_chart

        return overview_chart(self._risk, by)

    def plot_correlations(self, by: str = "factor") -> Figure:
        """Draw the correlations as a map."""
        from workbench.risk.portfolio.charts import correlation_chart

        return correlation_chart(self._risk, by)

    def plot_stress(
        self, scenarios: Iterable[Scenario] | Scenario | None = None, *, proxies: Mapping[str, str] | None = None
    ) -> Figure:
        """Draw what each scenario does."""
        from workbench.risk.portfolio.charts import stress_chart

        return stress_chart(self._risk, self.stress(scenarios, proxies=proxies))

    def __repr__(self) -> str:
        from workbench.risk.portfolio.words import short_of

        return short_of(self._risk)

    def _repr_html_(self) -> str:
        from workbench.risk.portfolio.pages import risk_card

        return risk_card(self._risk)
