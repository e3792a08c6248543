# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a portfolio can lose
#
# Two bots and some shares, at two venues and in two currencies, become one portfolio: what is exposed to what, how much
# of it can be lost, by whom, and what the crashes of the past would do to it. The prices are those of the sample data.

# %% tags=["parameters"]
strategy: str = "sma_cross"  # a file in strategies/, or library:NAME; it trades both series below
coin: str = "BTC/USDT"  # as the lake has it
share: str = "JPM"  # as the lake has it
start: str = "2020-01-01"  # when the bots began, UTC
at: str = "2021-11-15"  # the moment of "now", UTC; nothing later is used
currency: str = "USD"  # in which everything is reported
rates: dict = {"USDT/USD": 1.0}  # what currencies are worth
level: float = 0.99  # confidence
method: str = "historical"  # or parametric, filtered

# %%
import workbench as wb
from workbench.research.holding import portfolio_risk
from workbench.risk.portfolio import Balance, Holding, Market, Scenario, Terms

chosen = wb.load_strategy(strategy)()
bots = [wb.backtest(chosen, wb.read(name, "1d", start=start)) for name in (coin, share)]
by_hand = [
    Holding(
        symbol="XOM", quantity=-50.0, price=60.0, currency="USD", venue="nyse", account="shares", bot="value",
        spread=0.0002,
    ),
    Holding(
        symbol="BTC/USDT:USDT", quantity=-0.2, price=65_519.0, currency="USDT", venue="binance", account="perpetuals",
        bot="hedge", margined=True, entry_price=60_000.0, liquidation_price=74_600.0, maintenance=0.005,
    ),
    Balance(amount=3_000.0, currency="USDT", venue="binance", account="perpetuals", bot="hedge"),
    Balance(amount=8_000.0, currency="USD", venue="nyse", account="shares", bot="value"),
]  # fmt: skip
terms = Terms(level=level, method=method)
prices = [wb.read(name, "1d") for name in (coin, share)]  # further back than the bots
risk = portfolio_risk([*bots, *by_hand], prices, currency=currency, rates=rates, at=at, terms=terms)
risk

# %%
risk.plot()

# %% [markdown]
# ## Who holds what
#
# Gross counts both sides of a hedge, net what is left of it.

# %%
risk.exposures("account")

# %%
risk.currencies

# %% [markdown]
# ## What adds to the risk
#
# Components sum to the whole; a negative one is a hedge. What each would lose alone stands beside it.

# %%
risk.tails("bot")

# %%
risk.plot_correlations()

# %%
risk.methods()

# %% [markdown]
# ## What if
#
# Coins had no price in 2008; with a proxy they move by their beta to a share that had.

# %%
risk.plot_stress(proxies={coin: share})

# %%
risk.stress(Scenario(name="coins halve, banks fall", shocks={coin.split("/")[0]: -0.5, share: -0.2}))

# %% [markdown]
# ## Liquidation and liquidity

# %%
risk.liquidation

# %%
risk.accounts

# %%
risk.liquidity(Market(participation=0.05))

# %% [markdown]
# ## The bots as wholes
#
# Not what they hold now, but how their equity has moved; with the drawdown of all of them.

# %%
wholes = portfolio_risk(bots, currency=currency, rates=rates, at=at, view="equity", terms=terms)
wholes.tails("bot")

# %%
wholes.drawdown().now

# %% tags=["nbval-check-output"]
wb.record(
    equity=risk.equity,
    leverage=risk.leverage,
    value_at_risk=risk.of_equity(risk.value_at_risk),
    expected_shortfall=risk.of_equity(risk.expected_shortfall),
    worst=risk.stress()["share"].iloc[0],
    drawdown=wholes.drawdown().now.depth,
)
