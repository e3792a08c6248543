"""What the backtest promised and what the bot did: equal where nothing happened, and explained where something did."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from tests.bots.planted import PLANTED, case, other
from workbench.backtest.prepare import prepare
from workbench.bots.comparison import compare_lives, parity
from workbench.bots.comparison.causes import CAUSES
from workbench.bots.comparison.lived import read_life
from workbench.bots.comparison.pairing import pair_up
from workbench.bots.comparison.trips import Trip, trips_of
from workbench.bots.journal import open_journal
from workbench.bots.mind import Mind
from workbench.bots.papering import PaperReplay
from workbench.bots.replaying import ReplayBot
from workbench.bots.spec import BotSpec, Series
from workbench.errors import ConfigError
from workbench.market.lake import Lake
from workbench.reporting.strategy_page import sample_bars
from workbench.settings import load_settings
from workbench.strategy import library
from workbench.trading.events import Filled, Funded, from_plain, to_plain

STARTS = {"momentum": "2015-01-01", "pairs": "2015-01-01", "rebalancer": "2015-01-01"}
BTC = wb.Instrument(symbol="BTC/USDT", venue="x", quote="USDT", tick_size=0.01, lot_size=0.001)


def fill(ts: int, side: str, quantity: float, price: float, fee: float = 0.0, name: str = "") -> Filled:
    return Filled(
        ts, name or f"wb{ts}", "BTC/USDT", side, quantity, price, fee, False, price, "signal", ts - 1, "net", True
    )


def trips(*told: Any, mark: float = 100.0) -> list[Trip]:
    return trips_of(told, {"BTC/USDT": BTC}, {"BTC/USDT": mark}, 1_000)


def test_trips_worked_by_hand() -> None:
    one, two = trips(fill(1, "buy", 1.0, 100.0, 0.1), fill(2, "buy", 1.0, 110.0, 0.1), fill(3, "sell", 3.0, 120.0, 0.3))
    assert (one.sign, one.quantity, one.entry, one.exit, one.reason) == (1.0, 2.0, 105.0, 120.0, "signal")
    assert one.fees == pytest.approx(0.1 + 0.1 + 0.2) and one.pnl == pytest.approx(30.0 - 0.4)
    assert (two.sign, two.quantity, two.entry, two.exit, two.reason) == (-1.0, 1.0, 120.0, 100.0, "open")
    assert two.pnl == pytest.approx(20.0 - 0.1)


def test_funding_belongs_to_what_is_held() -> None:
    (one,) = trips(
        Funded(1, "BTC/USDT", 1.0, 100.0, 0.01, -1.0), fill(2, "buy", 1.0, 100.0),
        Funded(3, "BTC/USDT", 1.0, 100.0, 0.01, -1.0), fill(4, "sell", 1.0, 101.0),
    )  # fmt: skip
    assert one.funding == -1.0 and one.pnl == pytest.approx(0.0)


def test_pairs_lie_as_near_as_can_be() -> None:
    a, b = trips(fill(100, "buy", 1.0, 1.0), fill(110, "sell", 1.0, 1.0), fill(200, "buy", 1.0, 1.0))
    (c,) = trips(fill(205, "buy", 1.0, 1.0))
    assert [(one.promised, one.lived) for one in pair_up([a, b], [c], 50)] == [(a, None), (b, c)]
    assert [(one.promised, one.lived) for one in pair_up([a], [c], 50)] == [(a, None), (None, c)]


def lived(strategy: Any, bars: Any, **options: Any) -> Any:
    heard: list[Any] = []
    plan = prepare(strategy, bars, **options)
    PaperReplay(plan, Mind(plan, name="bot"), heard.append).go()
    return compare_lives("bot", plan, read_life(from_plain(to_plain(one)) for one in heard))


# every strategy of the library trades the same in test_paper_replay; here some of each kind stand for all
@pytest.mark.parametrize("name", ["dca", "grid", "momentum", "trend_following"])
def test_a_paper_bot_of_the_library_is_what_its_backtest_promised(name: str, lake: Lake) -> None:
    series = sample_bars(name, start=STARTS.get(name, "2023-10-01"), source=lake)
    series = series if isinstance(series, list) else [series]
    end = min(int(one.ts[min(700, len(one)) - 1]) + one.timeframe.ms for one in series)
    report = lived(
        library.get(name)(), [one.between(None, end) for one in series], rules=wb.Rules(limit_fill="through")
    )
    assert report.score == 1.0 and len(report.causes) == 0
    assert len(report.compared)
    assert report.lived == report.promised and report.alarm == ""


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in library.names() if name != "triangular"])
def test_a_paper_bot_of_every_strategy_is_what_its_backtest_promised(name: str, lake: Lake) -> None:
    test_a_paper_bot_of_the_library_is_what_its_backtest_promised(name, lake)


def named(kind: str, seeds: range, lake: Lake) -> Counter[str]:
    """Count which cause comes first, in the cases in which what was planted made a difference."""
    found: Counter[str] = Counter()
    for seed in seeds:
        plan, heard = case(kind, seed, lake)
        report = compare_lives("bot", plan, read_life(heard))
        sums_up(report)
        if len(report.causes):
            found[report.causes.index[0]] += 1
    assert found.total() > len(seeds) / 2
    return found


def sums_up(report: Any) -> None:
    """Costs of causes are the whole difference between the profits, and parts those of slippage."""
    whole, bound = report.lived - report.promised, 1e-9 * report.cash
    assert abs(whole - math.fsum(one.difference for one in report.compared)) < bound
    assert abs(whole - math.fsum(report.causes["cost"])) < bound
    slipped = report.causes["cost"].get("price slippage", 0.0)
    assert abs(slipped - math.fsum(report.slippage["cost"])) < 2.0 * bound


@pytest.mark.parametrize("kind", PLANTED)
def test_what_was_planted_is_named(kind: str, lake: Lake) -> None:
    assert set(named(kind, range(2), lake)) == {PLANTED[kind]}


@pytest.mark.long
def test_what_was_planted_is_named_in_95_of_100(lake: Lake) -> None:
    rows = {kind: named(kind, range(1_000, 1_100), lake) for kind in PLANTED}
    table = pd.DataFrame.from_dict(rows, orient="index").fillna(0).astype(int)
    print(f"\nplanted, and what was named first\n{table.to_string()}")
    for kind, row in rows.items():
        assert row[PLANTED[kind]] >= 0.95 * row.total(), (kind, row)


@pytest.mark.long
def test_what_nobody_planted_is_not_made_up(lake: Lake) -> None:
    """A bot that ran with other parameters: nothing in its journal tells, so nothing but decisions differs."""
    for seed in range(20):
        plan, heard = other(seed, lake)
        report = compare_lives("bot", plan, read_life(heard))
        sums_up(report)
        assert set(report.causes.index) <= {"late decision", "unexplained", "carried over", "price slippage"}


def test_a_bot_is_compared_by_its_name(workspace: Path, tmp_path: Path) -> None:
    settings = load_settings(workspace)
    spec = BotSpec(
        name="compared", strategy="library:grid", series=(Series("BTC/USDT", "1h"),), start="2021-01-01",
        end="2021-01-06",
    )  # fmt: skip
    with open_journal(spec.name, settings) as journal:
        for _ in ReplayBot(spec, spec.plan(settings), journal).steps():
            pass
    report = parity("compared", settings=settings)
    assert report.score == 1.0 and len(report.trades) > 3
    assert "score 100.0%" in report.sentence
    page = report._repr_html_()
    assert "Parity of compared" in page and "100.0%" in page and "<script" not in page
    assert json.loads(json.dumps(report.to_dict(), default=str))["score"] == 1.0
    assert (report.trend["score"] == 1.0).all() and report.trend["trades"].sum() == len(report.trades)
    assert report.band.left is None and (report.band.lived == pytest.approx(report.band.promised))
    with pytest.raises(ConfigError, match="there is no bot 'nobody'"):
        parity("nobody", settings=settings)


def test_a_report_says_what_differs(lake: Lake) -> None:
    plan, heard = case("fee", 3, lake)
    report = compare_lives("bot", plan, read_life(heard))
    assert 0.0 < report.score < 1.0
    assert report.causes.loc["fee", "cost"] < 0.0
    assert set(report.causes.index) <= set(CAUSES)
    assert "fee accounts for" in report.sentence
    page = report._repr_html_()
    assert "another fee was charged than assumed" in page and "<script" not in page
    assert report.trades["cause"].isin([*CAUSES, ""]).all()


@pytest.mark.parametrize("limits", [{"order_value": 0.05}, {"max_drawdown": 0.001}])
def test_what_limits_kept_from_being_traded_is_named(limits: dict[str, float], workspace: Path) -> None:
    settings = load_settings(workspace)
    (name,) = limits
    spec = BotSpec(
        name=f"limited_{name}", strategy="library:grid", series=(Series("BTC/USDT", "1h"),), start="2021-01-01",
        end="2021-01-10",
    )  # fmt: skip
    with open_journal(spec.name, settings) as journal:
        for _ in ReplayBot(spec, spec.plan(settings), journal, limits={"bot": wb.risk.Limits(**limits)}).steps():
            pass
    report = parity(spec.name, settings=settings)
    assert report.score < 1.0
    assert report.causes.index[0] == "gate", report.causes
