"""Tables of a portfolio: exposures, scenarios, liquidity, liquidation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import ConfigError
from workbench.risk.portfolio.liquidation import account_rows, position_rows
from workbench.risk.portfolio.liquidity import Market, liquidity_rows
from workbench.risk.portfolio.scenarios import CRASHES, Scenario, uniform_shocks
from workbench.risk.portfolio.stress import Outcome, play
from workbench.risk.portfolio.tails import Normal

if TYPE_CHECKING:
    import pandas as pd

    from workbench.risk.portfolio.risk import PortfolioRisk

__all__ = [
    "account_table",
    "currency_table",
    "exposure_table",
    "liquidation_table",
    "liquidity_table",
    "stress_table",
]

STRESSED: Final = Market(volume=0.25, spread=4.0, volatility=2.0)
_DAY_S: Final = 86_400.0
_SPANS: Final = (1, 5, 20)


def exposure_table(risk: PortfolioRisk, by: str) -> pd.DataFrame:
    """Give exposures by a dimension; see `PortfolioRisk.exposures`."""
    import pandas as pd

    rows = {
        name: (longs, shorts, longs - shorts, longs + shorts, count)
        for name, (longs, shorts, count) in risk.exposed(by).items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["long", "short", "gross", "net", "positions"])
    frame = frame.sort_values("gross", ascending=False, kind="stable")
    frame.loc["all"] = frame.sum()
    equities: dict[str, float] = {}
    for line, name in zip(risk.book.lines, risk.book.labels(by), strict=True):
        equities[name] = equities.get(name, 0.0) + line.counted
    equities["all"] = risk.equity
    frame.insert(0, "equity", [equities[str(name)] for name in frame.index])
    frame["gross_share"] = [risk.of_equity(value) for value in frame["gross"]]
    frame["net_share"] = [risk.of_equity(value) for value in frame["net"]]
    return frame.astype({"positions": int}).rename_axis(by)


def currency_table(risk: PortfolioRisk) -> pd.DataFrame:
    """Give what each currency makes up of equity; see `PortfolioRisk.currencies`."""
    import pandas as pd

    rows: dict[str, list[Any]] = {}
    for line in risk.book.lines:
        row = rows.setdefault(line.what.currency, [0.0, 0.0, line.rate, ""])
        row[0] += line.counted / line.rate
        row[1] += line.counted
        row[3] = risk.book.rates.between(line.what.currency, risk.currency).path
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["amount", "value", "rate", "path"])
    frame.insert(2, "share", [risk.of_equity(value) for value in frame["value"]])
    return frame.sort_values("value", ascending=False, kind="stable").rename_axis("currency")


def stress_table(
    risk: PortfolioRisk, scenarios: Iterable[Scenario] | Scenario | None, proxies: Mapping[str, str] | None
) -> pd.DataFrame:
    """Give what scenarios would do; see `PortfolioRisk.stress`."""
    import pandas as pd

    rows = list(_played(risk, scenarios, proxies))
    if scenarios is None:
        if risk.levels is not None and risk.series:
            rows += [*_stretches(risk), *_correlated(risk)]
        rows += _illiquid(risk)
    columns = ["kind", "profit", "share", "worst", "covered", "proxied", "liquidated"]
    frame = pd.DataFrame([row[1:] for row in rows], index=[row[0] for row in rows], columns=columns)
    return frame.sort_values("profit", kind="stable").rename_axis("scenario")


def _played(
    risk: PortfolioRisk, scenarios: Iterable[Scenario] | Scenario | None, proxies: Mapping[str, str] | None
) -> list[tuple[Any, ...]]:
    given = [scenarios] if isinstance(scenarios, Scenario) else scenarios
    wanted = list(_usual(risk)) if given is None else list(given)
    wrong = next((one for one in wanted if not isinstance(one, Scenario)), None)
    if wrong is not None:
        raise ConfigError(f"{wrong!r} is no Scenario; write Scenario(name='coins halve', shocks={{'BTC': -0.5}})")
    rows = []
    for one in wanted:
        found = play(risk.book, one, risk.levels if one.window else None, proxies)
        if given is None and one.window is not None and found.covered <= 0.0:
            continue  # nothing that is held has prices of that time
        kind = "crash" if one.window is not None else "shock"
        rows.append(_row(risk, one.name, kind, found))
    return rows


def _usual(risk: PortfolioRisk) -> list[Scenario]:
    assets = list(dict.fromkeys(str(held.asset) for held in risk.book.holdings if held.quantity))
    minus = "\N{MINUS SIGN}20 %"
    single = [Scenario(name=f"{one} {minus}", shocks={one: -0.2}) for one in assets] if len(assets) > 1 else []
    money = sorted({line.what.currency for line in risk.book.lines} - {risk.currency})
    rates = [
        Scenario(name=f"{one} \N{MINUS SIGN}10 % against {risk.currency}", currencies={one: -0.1}) for one in money
    ]
    return [*(CRASHES if risk.levels is not None else ()), *uniform_shocks(), *single, *rates]


def _row(risk: PortfolioRisk, name: str, kind: str, found: Outcome) -> tuple[Any, ...]:
    profit = float(found.profit.sum())
    names, worst = risk.book.labels("position"), int(np.argmin(found.profit))
    who = names[worst] if found.profit[worst] < 0.0 else ""
    return (
        name, kind, profit, risk.of_equity(profit), who, found.covered, ", ".join(found.proxied),
        ", ".join(found.liquidated),
    )  # fmt: skip


def _stretches(risk: PortfolioRisk) -> list[tuple[Any, ...]]:
    """Find the worst day, week and month of what is held now, in all that prices tell."""
    rows: list[tuple[Any, ...]] = []
    for span in _SPANS:
        if len(risk.moves(1)) <= span:
            continue
        profits = risk.profits(span)
        last, profit = profits.idxmin(), float(profits.min())
        name = f"worst {risk.step}" if span == 1 else f"worst {span} {risk.step}s"
        rows.append((f"{name}, to {last:%Y-%m-%d}", "worst", profit, risk.of_equity(profit), "", 1.0, "", ""))
    return rows


def _correlated(risk: PortfolioRisk) -> list[tuple[Any, ...]]:
    """Say what the value at risk by a normal law would be, were all correlations one, or every hedge failed."""
    how = replace(risk.terms, method="parametric")
    stakes, series = risk.book.stakes(risk.legs), risk.series
    held = np.zeros(len(series))
    for stake, leg in zip(stakes, risk.legs, strict=True):
        held[series.index(leg.series)] += stake
    spread = np.sqrt(np.diag(risk.matrix()) * how.horizon)
    together = Normal(held, np.outer(spread, spread), how.level)
    against = Normal(np.abs(held), np.outer(spread, spread), how.level)
    everything = np.ones(len(series), dtype=np.bool_)
    rows = []
    laws = [("correlations go to one", together)]
    if np.abs(held).sum() > abs(held.sum()):
        laws.append(("every hedge fails", against))
    for name, law in laws:
        loss = -law.alone(everything).value_at_risk
        title = f"{name}, {how.percent} loss of {_span(risk)}"
        rows.append((title, "correlation", loss, risk.of_equity(loss), "", 1.0, "", ""))
    return rows


def _span(risk: PortfolioRisk) -> str:
    return f"a {risk.step}" if risk.terms.horizon == 1 else f"{risk.terms.horizon} {risk.step}s"


def _illiquid(risk: PortfolioRisk) -> list[tuple[Any, ...]]:
    """Say what selling everything in a stressed market costs, of what is known."""
    rows = liquidity_rows(risk.book, STRESSED, day_volatility(risk))
    known = [row for row in rows if not math.isnan(row["cost"])]
    if not known:
        return []
    cost = -sum(row["cost"] for row in known)
    covered = sum(abs(row["exposure"]) for row in known) / risk.gross
    worst = max(known, key=lambda row: row["cost"])["position"]
    name = "selling all of it in a bad market"
    return [(name, "liquidity", cost, risk.of_equity(cost), worst, covered, "", "")]


def row_volatility(risk: PortfolioRisk) -> dict[int, float]:
    """Give the volatility of one row's return of each line that has prices."""
    if risk.levels is None or not risk.series:
        return {}
    spread = dict(zip(risk.series, np.sqrt(np.diag(risk.matrix())).tolist(), strict=True))
    return {leg.line: spread[leg.series] for leg in risk.legs if leg.price}


def day_volatility(risk: PortfolioRisk) -> dict[int, float]:
    """Give the volatility of a day's return of each line that has prices."""
    import pandas as pd

    rows = row_volatility(risk)
    if not rows:
        return rows
    index = pd.DatetimeIndex(risk.moves(1).index)
    usual = float(np.median(np.diff(index.as_unit("s").asi8))) if len(index) > 1 else _DAY_S
    return {line: value * math.sqrt(_DAY_S / usual) for line, value in rows.items()}


def liquidity_table(risk: PortfolioRisk, market: Market | None) -> pd.DataFrame:
    """Give what selling takes and costs; see `PortfolioRisk.liquidity`."""
    import pandas as pd

    columns = ["exposure", "daily_value", "days", "spread_cost", "impact_cost", "cost", "cost_share"]
    rows = liquidity_rows(risk.book, market or Market(), day_volatility(risk))
    frame = pd.DataFrame(rows, columns=["position", *columns]).set_index("position")
    frame = frame.sort_values("days", ascending=False, kind="stable")
    if len(frame):
        sums = [frame[name].sum(skipna=False) for name in ("spread_cost", "impact_cost", "cost")]
        share = sums[2] / risk.gross
        frame.loc["all"] = [risk.net, math.nan, frame["days"].max(skipna=False), *sums, share]
    return frame


def liquidation_table(risk: PortfolioRisk) -> pd.DataFrame:
    """Give how far positions are from liquidation; see `PortfolioRisk.liquidation`."""
    import pandas as pd

    columns = ["exposure", "price", "liquidation_price", "distance", "volatilities", "probability", "loss"]
    rows = position_rows(risk.book, row_volatility(risk), risk.terms.horizon)
    return pd.DataFrame(rows, columns=["position", *columns]).set_index("position")


def account_table(risk: PortfolioRisk) -> pd.DataFrame:
    """Give what accounts can bear; see `PortfolioRisk.accounts`."""
    import pandas as pd

    columns = ["equity", "gross", "net", "leverage", "maintenance", "used", "fall", "rise", "against"]
    return pd.DataFrame(account_rows(risk.book), columns=["account", *columns]).set_index("account")


def concentration(values: Sequence[float]) -> float:
    """Give how many equal positions would be as concentrated: one over the sum of squared shares; NaN without any."""
    sizes = np.abs(np.asarray(values, dtype=np.float64))
    total = float(sizes.sum())
    return float(total**2 / (sizes @ sizes)) if total > 0.0 else math.nan
