"""A portfolio's risk in sentences, and as plain data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.risk.portfolio.tables import concentration

if TYPE_CHECKING:
    import pandas as pd

    from workbench.risk.portfolio.risk import PortfolioRisk

__all__ = ["amount", "horizon_of", "percent", "plain_of", "sentences_of", "short_of"]

_MINUS = "\N{MINUS SIGN}"
_DASH = "\N{EN DASH}"


def percent(fraction: float, digits: int = 1) -> str:
    """Write a fraction as percent; a dash where there is none."""
    if not math.isfinite(fraction):
        return _DASH
    return f"{fraction:z,.{digits}%}".replace("%", " %").replace("-", _MINUS)


def amount(value: float, currency: str = "") -> str:
    """Write an amount: whole units from a thousand on, cents below; a dash where there is none."""
    if not math.isfinite(value):
        return _DASH
    size = abs(value)
    digits = 0 if size >= 1_000 or size < 1e-9 else 2 if size >= 0.01 else 6
    return f"{value:z,.{digits}f} {currency}".strip().replace("-", _MINUS)


def horizon_of(risk: PortfolioRisk) -> str:
    """Say the horizon, `1-day`."""
    return f"{risk.terms.horizon}-{risk.step}"


def sentences_of(risk: PortfolioRisk) -> list[str]:
    """Say what there is to say."""
    told = [_exposed(risk)]
    if risk.levels is not None:
        told.insert(0, _lost(risk))
        told += [*_stressed(risk.stress())]
    told += [*_taken(risk), *_sold(risk)]
    if risk.history is not None:
        told.append(risk.drawdown().now.sentence)
    return told


def _lost(risk: PortfolioRisk) -> str:
    """Value at risk, shortfall, and where they come from."""
    loss, tail = risk.value_at_risk, risk.expected_shortfall
    name = f"{horizon_of(risk)} {risk.terms.percent} VaR"
    if loss <= 0.0:
        return f"{name}: at this level nothing is lost ({risk.terms.method})."
    head = f"{name} is {percent(risk.of_equity(loss))} of equity ({amount(loss, risk.currency)})"
    if risk.equity <= 0.0:
        head = f"{name} is {amount(loss, risk.currency)}"
    parts = risk.tails("asset").drop(index="all")
    where = ""
    if len(parts):
        share = parts["component_var"] / loss
        largest = str(share.idxmax())
        where = f"; {percent(float(share.max()), 0)} of it is {largest}"
    beyond = percent(risk.of_equity(tail)) if risk.equity > 0.0 else amount(tail, risk.currency)
    return f"{head}{where}. Beyond it the mean loss is {beyond} ({risk.terms.method})."


def _exposed(risk: PortfolioRisk) -> str:
    count = sum(1 for line in risk.book.lines if line.exposure)
    if not count:
        return f"No positions; equity is {amount(risk.equity, risk.currency)}."
    nets = risk.exposures("asset").query("positions > 0")["net"].drop("all", errors="ignore")
    largest = str(nets.abs().idxmax())
    effective = concentration(nets.tolist())
    many = f"{count} position{'s' if count > 1 else ''}"
    if risk.equity <= 0.0:
        return f"{many}, gross {amount(risk.gross, risk.currency)}, net {amount(risk.net, risk.currency)}."
    return (
        f"{many}: gross {risk.leverage:.2f}x equity, net {risk.of_equity(risk.net):+.2f}x".replace("-", _MINUS)
        + f"; the largest asset is {largest} ({percent(risk.of_equity(float(nets[largest])), 0)} of equity), together "
        + f"as concentrated as {effective:.1f} equal ones."
    )


def _stressed(table: pd.DataFrame) -> list[str]:
    real = table[table["kind"].isin(["crash", "worst"])]
    if not len(real) or not float(real["profit"].iloc[0]) < 0.0:
        return []
    row = real.iloc[0]
    partly = f", as far as prices reach ({percent(row['covered'], 0)} of the exposure)" if row["covered"] < 1.0 else ""
    lost = percent(-row["share"]) + " of equity" if math.isfinite(row["share"]) else amount(-row["profit"])
    who = f"; liquidated: {row['liquidated']}" if row["liquidated"] else ""
    return [f"The worst of the past, {real.index[0]}, would cost {lost}{partly}{who}."]


def _taken(risk: PortfolioRisk) -> list[str]:
    table, told = risk.liquidation, []
    if len(table):
        row = table.iloc[0]
        away = f", {row['volatilities']:.1f} {risk.step}s' volatilities" if math.isfinite(row["volatilities"]) else ""
        way = "+" if row["distance"] > 0.0 else ""
        told.append(f"Nearest to liquidation: {table.index[0]} at a move of {way}{percent(row['distance'])}{away}.")
    accounts = risk.accounts
    bound = accounts["against"].dropna()
    if len(bound):
        name = str(bound.idxmin())
        told.append(
            f"Account {name} is liquidated when every position moves {percent(float(bound[name]))} against it "
            f"({percent(float(accounts['used'][name]), 0)} of its equity is maintenance margin)."
        )
    return told


def _sold(risk: PortfolioRisk) -> list[str]:
    table = risk.liquidity()
    if not len(table):
        return []
    whole = {name: float(table[name]["all"]) for name in ("days", "cost_share")}
    if not math.isfinite(whole["days"]):
        return []
    days = whole["days"]
    time = "within a day" if days <= 1.0 else f"in {days:,.1f} days"
    cost = f" and costs {percent(float(whole['cost_share']), 2)} of it" if math.isfinite(whole["cost_share"]) else ""
    return [f"All of it can be sold {time} at a tenth of the volume{cost}."]


def short_of(risk: PortfolioRisk) -> str:
    """Say it in one line."""
    count = sum(1 for line in risk.book.lines if line.exposure)
    told = f"<PortfolioRisk {count} positions, equity {amount(risk.equity, risk.currency)}"
    told += f", gross {amount(risk.gross)}, net {amount(risk.net)}"
    if risk.levels is not None:
        told += f", {horizon_of(risk)} {risk.terms.percent} VaR {amount(risk.value_at_risk)}"
        told += f", ES {amount(risk.expected_shortfall)}, {risk.terms.method}"
    return told + ">"


def plain_of(risk: PortfolioRisk) -> dict[str, Any]:
    """Give everything as plain data."""
    found: dict[str, Any] = {
        "currency": risk.currency,
        "equity": risk.equity,
        "gross": risk.gross,
        "net": risk.net,
        "leverage": risk.leverage,
        "exposures": {by: _records(risk.exposures(by)) for by in ("bot", "venue", "account", "asset", "currency")},
        "currencies": _records(risk.currencies),
        "liquidation": _records(risk.liquidation),
        "accounts": _records(risk.accounts),
        "liquidity": _records(risk.liquidity()),
        "notes": risk.notes,
        "sentences": risk.sentences,
    }
    if risk.levels is not None:
        found |= {
            "level": risk.terms.level,
            "horizon": risk.terms.horizon,
            "step": risk.step,
            "method": risk.terms.method,
            "value_at_risk": risk.value_at_risk,
            "expected_shortfall": risk.expected_shortfall,
            "volatility": risk.volatility,
            "tails": {by: _records(risk.tails(by)) for by in ("bot", "account", "asset", "factor")},
            "correlations": _records(risk.correlations()),
            "stress": _records(risk.stress()),
        }
    if risk.history is not None:
        found["drawdown"] = risk.drawdown().now._asdict()
    plain: dict[str, Any] = _plain(found)
    return plain


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: dict[Any, dict[Any, Any]] = frame.to_dict("index")
    return [{str(frame.index.name or "name"): str(name), **row} for name, row in rows.items()]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
