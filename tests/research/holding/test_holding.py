"""Results, files and the lake into portfolios: nothing is lost on the way, and nothing of later is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ConfigError, DataError
from workbench.market.lake import Lake
from workbench.research.holding import holdings_of, lake_prices, portfolio_risk, prices_of, read_holdings
from workbench.risk.portfolio import Balance, Holding, Scenario
from workbench.trading.margin import maintenance_margin

RATES = {"USDT/USD": 1.0}
DAY = 86_400_000


def bars_of(kind: str = "linear", rows: int = 60) -> wb.Bars:
    close = 100.0 + np.sin(np.arange(rows))
    symbol = "ABC/USDT:USDT" if kind == "linear" else "ABC/USDT"
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, kind=kind, quote="USDT", venue="here"),  # type: ignore[arg-type]
        timeframe="1d",
        ts=np.arange(rows, dtype=np.int64) * DAY,
        open=close,
        high=close + 1.0,
        low=close - 1.0,
        close=close,
        volume=np.full(rows, 1e6),
    )


def run(bars: wb.Bars, side: int = 1, size: float | None = None, **options: object) -> wb.Result:
    """Enter on the third bar and stay."""
    at, none = np.arange(len(bars)) == 2, np.zeros(len(bars), dtype=bool)
    long, short = (at, none) if side > 0 else (none, at)
    return wb.backtest(
        wb.Signals(entry=long, exit=none, short_entry=short, short_exit=none, size=size), bars, **options
    )


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("margin", ["cross", "isolated"])
def test_a_leveraged_position_keeps_equity_and_knows_its_liquidation(side: int, margin: str) -> None:
    bars = bars_of()
    result = run(bars, side, 0.9, leverage=5.0, rules=wb.Rules(margin=margin, funding=0.0))  # type: ignore[arg-type]
    held, money = holdings_of(result, "one")
    assert isinstance(held, Holding) and isinstance(money, Balance)
    assert np.sign(held.quantity) == side and held.margined and (held.bot, held.leverage) == ("one", 5.0)
    assert held.counted + money.amount == pytest.approx(result.equity_values[-1])
    level = held.liquidation_price
    assert level is not None and held.entry_price is not None
    # At that price what stands behind the position is its maintenance margin.
    stands = abs(held.quantity) * held.entry_price / 5.0 if margin == "isolated" else money.amount
    kept = maintenance_margin(abs(held.quantity) * level, result.plan.lines[0].tiers)
    assert stands + held.quantity * (level - held.entry_price) == pytest.approx(kept, rel=1e-9)
    assert held.maintenance == pytest.approx(0.005)
    assert held.daily_value == pytest.approx(1e6 * float(bars.close[-30:].mean()))


def test_spot_counts_with_its_value_and_flat_is_money_alone() -> None:
    result = run(bars_of("spot"))
    held, money = holdings_of(result)
    assert not held.margined and held.liquidation_price is None
    assert held.counted + money.amount == pytest.approx(result.equity_values[-1])
    assert holdings_of(result, at=1 * DAY) == [
        Balance(amount=float(result.cash), currency="USDT", account=held.account, bot=held.bot, venue="here")
    ]
    with pytest.raises(DataError, match="begins 1970-01-01"):
        holdings_of(result, at=0)


def test_what_comes_later_is_not_known() -> None:
    bars = bars_of()
    at = 40 * DAY
    early, late = run(bars_of(rows=40)), run(bars)
    one, other = (portfolio_risk([result], currency="USDT", at=at) for result in (early, late))
    assert one.value_at_risk == other.value_at_risk and one.equity == pytest.approx(other.equity)
    assert other.prices().index[-1] == pd.Timestamp(39 * DAY, unit="ms", tz="UTC")
    assert other.history is not None and other.history.iloc[-1] == pytest.approx(other.equity)


def test_two_bots_as_positions_and_as_wholes(lake: Lake) -> None:
    btc, jpm = lake.read("BTC/USDT", "1d"), lake.read("JPM", "1d")
    cross = wb.load_strategy("sma_cross")()
    results = {"coins": wb.backtest(cross, btc), "bank": wb.backtest(cross, jpm)}
    risk = portfolio_risk(results, rates=RATES)
    assert risk.equity == pytest.approx(sum(result.equity_values[-1] for result in results.values()))
    assert set(risk.exposures("bot").index) == {"coins", "bank", "all"}
    assert any("not of one moment: bank" in note for note in risk.notes)
    assert not portfolio_risk(results, rates=RATES, at="2022-12-28").remarks
    whole = portfolio_risk(results, rates=RATES, view="equity")
    assert (whole.gross, whole.net) == pytest.approx((risk.equity, risk.equity))
    daily = results["bank"].equity
    both = pd.concat((daily, prices_of(results["coins"]).iloc[:, 0]), axis=1, sort=True).dropna()
    moves = whole.moves()
    assert len(moves) == len(both) - 1
    assert moves["bank"].to_numpy() == pytest.approx(both.iloc[:, 0].pct_change().dropna().to_numpy())


def test_the_twelfth_of_march_is_in_the_sample(lake: Lake) -> None:
    held = [Holding(symbol="BTC/USDT:USDT", quantity=2.0, price=10_000.0, currency="USDT", margined=True)]
    risk = portfolio_risk([*held, Balance(amount=20_000.0, currency="USDT")], currency="USDT")
    closes = lake.read("BTC/USDT", "1d").to_pandas()["close"]
    fall = closes["2020-03-12"] / closes["2020-03-11"] - 1.0
    found = risk.stress()
    assert fall == pytest.approx(-0.395, abs=0.001)
    assert found["share"]["Bitcoin, 12 March 2020"] == pytest.approx(fall)
    assert found["profit"]["worst day, to 2020-03-12"] == pytest.approx(20_000.0 * fall)
    shares = portfolio_risk([Holding(symbol="JPM", quantity=1.0, price=100.0, currency="USD")])
    crisis = Scenario(name="Lehman", window=("2008-09-12", "2008-11-20"))
    close = lake.read("JPM", "1d").to_pandas()["close"]
    assert shares.stress(crisis)["share"]["Lehman"] == pytest.approx(close["2008-11-20"] / close["2008-09-12"] - 1)


def test_prices_are_the_last_of_each_day(lake: Lake) -> None:
    hourly = lake.read("BTC/USDT", "1h", "2023-12-30")
    table = prices_of(hourly)
    assert len(table) == 3 and table["BTC/USDT"].iloc[-1] == hourly.close[-1]
    assert lake_prices(["BTC/USDT:USDT", "SPX"]).columns.tolist() == ["BTC/USDT", "SPX"]
    with pytest.raises(DataError, match="has no NOPE 1d"):
        lake_prices(["NOPE"])
    with pytest.raises(DataError, match="two series are called 'BTC/USDT'"):
        prices_of([hourly, hourly])


def test_wrong_items_are_refused() -> None:
    result = run(bars_of())
    with pytest.raises(DataError, match="neither a Result nor a Holding nor a Balance"):
        portfolio_risk([result, 5])
    with pytest.raises(ConfigError, match="view = 'moon'"):
        portfolio_risk(result, view="moon")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no rate leads from USDT to USD"):
        portfolio_risk(result)


GOOD = "symbol,quantity,price,currency,bot,margined,amount\nBTC/USDT,0.5,40000,USDT,a,no,\n,,,USD,,,1000\n"


def test_a_file_of_holdings(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text(GOOD)
    assert read_holdings(file) == [
        Holding(symbol="BTC/USDT", quantity=0.5, price=40_000.0, currency="USDT", bot="a"),
        Balance(amount=1_000.0, currency="USD"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no line below"),
        ("symbol,colour\na,b\n", "the column 'colour' is unknown"),
        ("symbol,symbol\na,b\n", "the column 'symbol' stands twice"),
        (GOOD.replace("0.5", "half"), "line 2: quantity = 'half' is no number"),
        (GOOD.replace(",no,", ",maybe,"), "line 2: margined = 'maybe': write yes or no"),
        (GOOD.replace("40000", ""), "line 2: BTC/USDT has no price"),
        (GOOD.replace("40000", "-1"), "line 2: BTC/USDT: price = -1"),
        (GOOD.replace("no,", "no,7"), "line 2: give a symbol"),
        (GOOD + "a,1,1,USD,b,no,,9\n", "line 4: has 8 cells for 7 columns"),
    ],
)
def test_a_wrong_file_says_where(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=says):
        read_holdings(file)
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_holdings(tmp_path / "absent.csv")
