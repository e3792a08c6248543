"""freqtrade's published table of what happens inside a candle, as far as both mean the same.

The candles, settings and results of every second case of its table are in `data/freqtrade_cases.json`. Three kinds:

* SAME: signals, stops, targets, trailing stops and leverage that our words can say; trades, bars and prices are equal.
* ORDERS: its limit entries and exits (custom prices), which are an `OrderStrategy` here; equal as well.
* DIFFERENT: freqtrade assumes a price that nobody is sure to get, or orders the checks in another way. The test holds
  what we do instead.

=====  ==========================================================  =================================================
case   freqtrade                                                   workbench
=====  ==========================================================  =================================================
tc16   a target of -100 % from minute 65 on sells at the low       no such target; a limit of two bars sells at the
       of the candle                                               open
tc20   a target that became lower between two candles sells at     sells at the open, which is already beyond it
       the target, though the candle opens above it
tc24   the target goes before the trailing stop, though the        sells at that open
       candle opens below the stop
tc36   a trailing stop moves inside the candle of the entry and    the target is touched, and a trailing stop moves
tc38   is assumed at its lowest (highest); a target that is only   on bars that are over
       just touched does not count
tc40   a limit above the market buys at the candle's high          buys at the open
tc44   a target that is only touched does not count; then a        the target is touched
       limit below the market sells at the candle's low
tc48   a limit moved above the market buys at that limit           buys at the open
tc52
=====  ==========================================================  =================================================
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import workbench as wb
from tests.backtest.cases import arguments, bars_of, simplest

TABLE: Final = json.loads((Path(__file__).parent / "data" / "freqtrade_cases.json").read_text(encoding="utf-8"))
CASES: Final = {one["id"]: one for one in TABLE["cases"]}
PESSIMISTIC: Final = "tc0 tc2 tc4 tc6 tc8 tc10 tc14 tc18 tc22 tc26 tc28 tc30 tc32 tc34".split()
# the trailing stop of tc12 moves inside the candle, as along the path from the open to the nearer extreme
SAME: Final = {**dict.fromkeys(PESSIMISTIC, "pessimistic"), "tc12": "path"}
ORDERS: Final = {"tc42", "tc46", "tc50"}
DIFFERENT: Final[dict[str, list[Any]]] = {
    "tc16": [("time_limit", "long", 1, 3, 5000.0, 4975.0)],
    "tc20": [("roi", "long", 1, 3, 5000.0, 5200.0)],
    "tc24": [("trailing_stop", "long", 1, 3, 5000.0, 4850.0)],
    "tc36": [("roi", "long", 1, 1, 5000.0, 5500.0)],
    "tc38": [("roi", "short", 1, 1, 5000.0, 4500.0)],
}
LIMITS_BEYOND_THE_MARKET: Final = {"tc40": 5000.0, "tc44": 5500.0, "tc48": 4900.0, "tc52": 4900.0}
REASONS: Final = {"exit_signal": "signal", "trailing_stop_loss": "trailing_stop", "force_exit": "open"}


def case_of(name: str, **rules: Any) -> dict[str, Any]:
    """Say a case of theirs in our words."""
    config, candles = CASES[name]["config"], CASES[name]["candles"]
    leverage = config["leverage"]
    loss = abs(config["stop_loss"]) / leverage
    said: dict[str, Any] = {
        "stop_loss": loss,
        "roi": [[float(minutes), gain / leverage] for minutes, gain in config["roi"].items() if gain > -1],
        "leverage": leverage,
        "maintenance_margin": 0.0,
    }
    if config.get("trailing_stop"):
        distance = config.get("trailing_stop_positive")
        said["trailing_stop"] = distance / leverage if distance else loss
        if config.get("trailing_only_offset_is_reached"):
            said["trailing_activation"] = config["trailing_stop_positive_offset"] / leverage
    words = "".join(f"{row[4]:x}" for row in candles)
    return simplest([row[:4] for row in candles], words, **said, **rules)


def told(result: wb.Result) -> list[tuple[Any, ...]]:
    index = result.equity.index
    rows = result.trades
    return [
        (row.exit_reason, row.side, index.get_loc(row.entry_time), index.get_loc(row.exit_time),
         pytest.approx(row.entry_price, rel=1e-9), pytest.approx(row.exit_price, rel=1e-9))
        for row in rows.itertuples()
    ]  # fmt: skip


def expected(name: str) -> list[tuple[Any, ...]]:
    return [(REASONS.get(reason, reason), *rest) for reason, *rest in CASES[name]["trades"]]


def test_every_case_is_accounted_for() -> None:
    groups = [set(SAME), ORDERS, set(DIFFERENT), set(LIMITS_BEYOND_THE_MARKET)]
    assert set.union(*groups) == set(CASES) and sum(map(len, groups)) == len(CASES) == 27


@pytest.mark.parametrize("path", ["compiled", "event"])
@pytest.mark.parametrize("name", SAME)
def test_a_case_that_both_mean_alike(name: str, path: str) -> None:
    found = wb.backtest(**arguments(case_of(name, intrabar=SAME[name])), path=path)
    assert told(found) == expected(name)
    returns = [(trade[5].expected / trade[4].expected - 1) * (1 if trade[1] == "long" else -1) for trade in told(found)]
    np.testing.assert_allclose(found.trades["pnl"] / found.trades["quantity"] / found.trades["entry_price"], returns)


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_case_that_we_mean_otherwise(name: str) -> None:
    changes = {"max_bars": 2} if name == "tc16" else {}
    found = wb.backtest(**arguments(case_of(name, **changes)))
    assert told(found) == DIFFERENT[name] != expected(name)


class Limits(wb.OrderStrategy):
    """Enters and leaves by limits, as the custom prices of a case say."""

    case = ""

    def on_bar(self, view: Any, bar: Any) -> Any:
        config, words = CASES[self.case]["config"], [row[4] for row in CASES[self.case]["candles"]]
        word = words[len(view.bars()) - 1]
        if word & 5:
            side, price = ("buy" if word & 1 else "sell"), config.get("custom_entry_price")
            exits = {"stop_loss": -config["stop_loss"], "size": 1.0, "size_unit": "fraction"}
            gain = config["roi"].get("0")
            exits |= {"take_profit": gain} if gain else {}
            return view.limit(side, price=price, tag="entry", **exits) if price else view.market(side, **exits)
        if word & 10 and view.quantity():
            price, side = config.get("custom_exit_price"), "sell" if word & 2 else "buy"
            leave = view.limit(side, abs(view.quantity()), price=price, reduce_only=True) if price else view.close()
            return [*(one for one in view.cancel_all(tag="entry")), leave]
        moved = config.get("adjust_entry_price")
        return [view.amend(one.id, price=float(moved)) for one in view.orders(tag="entry")] if moved else None


def limits(name: str) -> wb.Result:
    case = case_of(name)
    strategy = type("Limits", (Limits,), {"case": name})()
    return wb.backtest(strategy, bars_of(case["instruments"][0]), costs=wb.Costs(**case["costs"]))


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_limits_that_both_mean_alike(name: str) -> None:
    found = [(side, *rest) for _, side, *rest in told(limits(name))]
    theirs = [(side, *rest) for reason, side, *rest in expected(name)]
    if name == "tc46":  # never reached: they close it at the last open, we mark it at the last close
        found, theirs = [one[:-1] for one in found], [one[:-1] for one in theirs]
    assert found == theirs
    assert len(found) == {"tc42": 1, "tc46": 1, "tc50": 0}[name]


@pytest.mark.parametrize("name", LIMITS_BEYOND_THE_MARKET)
def test_a_limit_beyond_the_market_gets_no_worse_price_than_there_is(name: str) -> None:
    entry_or_exit = 5 if name == "tc44" else 4
    found = told(limits(name))[0][entry_or_exit]
    assert found == LIMITS_BEYOND_THE_MARKET[name] != expected(name)[0][entry_or_exit]
