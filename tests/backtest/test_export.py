"""Results in files: they come back bit for bit, and what is damaged is refused."""

from __future__ import annotations

import json
import math
import os
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import workbench as wb
from tests.backtest.conftest import flags
from tests.backtest.handmade import HOUR, series
from workbench.backtest import compare, export
from workbench.backtest.packing import decoded, encoded
from workbench.errors import ConfigError, DataError, StrategyError

TABLES = ("trades", "fills", "orders", "positions", "exposure", "margin", "costs_by_kind")
CURVES = ("equity", "gross_equity", "returns")


class Dip(wb.OrderStrategy):
    """Buys a fall with a limit order and leaves it to a target and a stop."""

    depth: float = wb.param(0.01, low=0.001, high=0.2)

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.quantity() == 0 and not view.orders():
            return view.limit(
                "buy", price=bar.close * (1 - self.depth), size=0.5, size_unit="fraction", take_profit=0.02,
                stop_loss=0.03, tag="dip",
            )  # fmt: skip
        return None


class Crossing(wb.SignalStrategy):
    """Long above the mean, out below."""

    days: int = wb.param(5, low=2, high=50)
    roi: ClassVar = {0: 0.2, 120: 0.05}

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = pd.Series(bars.close).rolling(self.days).mean().to_numpy()
        return wb.Signals(entry=bars.close > mean, exit=bars.close < mean, stop_price=bars.low * 0.97)


def walk(symbol: str, seed: int, n: int = 400, **facts: Any) -> wb.Bars:
    rng = np.random.default_rng(seed)
    return series(symbol, 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n))), reach=0.4, **facts)


def single() -> wb.Result:
    rng = np.random.default_rng(1)
    words = {name: rng.random(400) < 0.05 for name in ("entry", "exit", "short_entry", "short_exit")}
    signals = wb.Signals(**words, size=rng.uniform(0.1, 1, 400), stop_loss=0.03, max_bars=20)
    return wb.backtest(signals, walk("A/USDT", 2), costs=wb.Costs(fee=0.001, impact="square_root"))


def portfolio() -> wb.Result:
    bars = [walk(f"{name}/USDT:USDT", seed, kind="linear", taker_fee=0.0005) for seed, name in enumerate("ABC")]
    rules = wb.Rules(margin="isolated", protections=[wb.Cooldown(2), wb.LosingPairs()], max_positions=2)
    return wb.backtest(Crossing(days=7), bars, leverage={bars[0].symbol: 3.0, bars[1].symbol: 5.0}, rules=rules)


def by_symbol() -> wb.Result:
    bars = [walk("A/USDT", 1), walk("B/USDT", 2)]
    told = {one.symbol: wb.Signals(entry=flags(400, 3, 90), exit=flags(400, 50), take_profit=0.04) for one in bars}
    return wb.backtest(told, bars, fill="close", cash=5_000.0)


def of_orders() -> wb.Result:
    return wb.backtest(Dip(depth=0.005), [walk("A/USDT", 3), walk("B/USDT", 4)])


def in_detail() -> wb.Result:
    fine = walk("A/USDT", 5, 400)
    coarse = wb.data.resample(fine, "4h")
    return wb.backtest(wb.Signals(entry=flags(len(coarse), 2, 40), stop_loss=0.02), coarse, detail=fine)


KINDS = {"single": single, "portfolio": portfolio, "by_symbol": by_symbol, "orders": of_orders, "detail": in_detail}


def assert_same(one: wb.Result, other: wb.Result) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True, obj=name)
    for name in CURVES:
        pd.testing.assert_series_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert repr(dict(one.metrics)) == repr(dict(other.metrics))
    assert (repr(one), one._repr_html_(), one.path) == (repr(other), other._repr_html_(), other.path)
    np.testing.assert_array_equal(one.buy_and_hold, other.buy_and_hold)
    assert [bars.fingerprint for bars in one.series] == [bars.fingerprint for bars in other.series]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["there", "there.zip"])
def test_everything_comes_back_bit_for_bit(kind: str, name: str, tmp_path: Path) -> None:
    result = KINDS[kind]()
    assert len(result.fills) > 2
    where = result.save(tmp_path / "deep" / name)
    assert where.is_dir() == (name == "there") and os.listdir(tmp_path / "deep") == [name]
    assert_same(result, wb.Result.load(where))
    assert_same(result, export.load_result(str(where)))


@pytest.mark.parametrize("kind", ["single", "portfolio", "by_symbol", "detail"])
def test_loaded_signals_can_be_run_again(kind: str, tmp_path: Path) -> None:
    result = KINDS[kind]()
    loaded = wb.Result.load(result.save(tmp_path / "there"))
    pd.testing.assert_frame_equal(loaded.cost_sensitivity(), result.cost_sensitivity(), check_exact=True)
    assert_same(compare.delayed(loaded), compare.delayed(result))


def test_to_run_orders_again_the_strategy_must_be_given(tmp_path: Path) -> None:
    result = of_orders()
    where = result.save(tmp_path / "there")
    loaded = wb.Result.load(where)
    assert (repr(loaded.strategy), loaded.strategy.parameters) == ("Dip(depth=0.005)", {"depth": 0.005})
    with pytest.raises(ConfigError, match=r"Dip\(depth=0.005\) was loaded from a file, which holds no strategy"):
        loaded.cost_sensitivity()
    again = wb.Result.load(where, strategy=Dip(depth=0.005))
    pd.testing.assert_frame_equal(again.cost_sensitivity([2.0]), result.cost_sensitivity([2.0]), check_exact=True)
    with pytest.raises(StrategyError, match=r"was made by Dip\(depth=0.005\), not by Dip\(depth=0.01\)"):
        wb.Result.load(where, strategy=Dip())


def test_another_code_of_the_same_name_is_refused(tmp_path: Path) -> None:
    where = of_orders().save(tmp_path / "there")

    def other() -> Any:
        class Dip(wb.OrderStrategy):
            depth: float = wb.param(0.005, low=0.001, high=0.2)

        return Dip()

    with pytest.raises(StrategyError, match=r"the code of Dip.* has changed since the result was saved"):
        wb.Result.load(where, strategy=other())
    with pytest.raises(StrategyError, match="was made of ready-made signals"):
        wb.Result.load(single().save(tmp_path / "signals"), strategy=Dip())


def test_no_pickle_and_a_manifest_for_people(tmp_path: Path) -> None:
    where = single().save(tmp_path / "there")
    assert {path.suffix for path in where.iterdir()} == {".json", ".jsonl", ".parquet"}
    manifest = json.loads((where / "manifest.json").read_text())
    assert (manifest["format"], manifest["version"]) == ("workbench result", 1)
    assert set(manifest["content"]["metrics"]) == set(wb.metrics.HEADLINE)
    assert len(pd.read_parquet(where / "fills.parquet")) == len(single().fills)


def test_nothing_is_overwritten_by_accident(tmp_path: Path) -> None:
    result = single()
    for name in ("there", "there.zip"):
        where = result.save(tmp_path / name)
        with pytest.raises(DataError, match="is there already; say overwrite=True"):
            result.save(where)
        by_symbol().save(where, overwrite=True)
        assert_same(wb.Result.load(where), by_symbol())
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="that is no saved result"):
        result.save(mine, overwrite=True)
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert sorted(os.listdir(tmp_path)) == ["mine", "there", "there.zip"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*a file stands where a folder is needed"):
        single().save(tmp_path / "file" / "there")
    with pytest.raises(DataError, match="cannot write"):
        single().to_csv(tmp_path / "file" / "tables")
    assert os.listdir(tmp_path) == ["file"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return portfolio().save(tmp_path_factory.mktemp("saved") / "there")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(saved: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    name = data.draw(st.sampled_from(sorted(os.listdir(saved))))
    content = bytearray((saved / name).read_bytes())
    if not content:
        return
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    broken = tmp_path_factory.mktemp("broken")
    for one in saved.iterdir():
        (broken / one.name).write_bytes(bytes(content) if one.name == name else one.read_bytes())
    if name == "manifest.json":
        try:
            same = json.loads(bytes(content)) == json.loads((saved / name).read_bytes())
        except ValueError:
            same = False
        if same:  # a space for a newline changes nothing
            return
    with pytest.raises(DataError):
        wb.Result.load(broken)


def test_a_changed_number_in_the_manifest_is_noticed(saved: Path, tmp_path: Path) -> None:
    for one in saved.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    manifest = (saved / "manifest.json").read_text()
    assert manifest.count('"cash": 10000.0') == 1
    (tmp_path / "manifest.json").write_text(manifest.replace('"cash": 10000.0', '"cash": 20000.0'))
    with pytest.raises(DataError, match=r"is damaged: manifest\.json is missing or not what was written"):
        wb.Result.load(tmp_path)


def test_what_was_said_comes_back_in_full(saved: Path) -> None:
    result, loaded = portfolio(), wb.Result.load(saved)
    for mine, theirs in zip(result.plan.lines, loaded.plan.lines, strict=True):
        for field in fields(wb.Signals):
            one, other = getattr(mine.signals, field.name), getattr(theirs.signals, field.name)
            np.testing.assert_equal(one if field.name != "ts" else None, other, err_msg=field.name)
        for field in fields(mine):
            if field.name not in ("bars", "signals"):
                np.testing.assert_equal(getattr(mine, field.name), getattr(theirs, field.name), err_msg=field.name)
    for name in ("exits", "guards"):
        np.testing.assert_equal(vars(getattr(result.plan, name)), vars(getattr(loaded.plan, name)))


def test_missing_cut_and_foreign_files(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no saved result; check the path"):
        wb.Result.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"is no saved result: it has no manifest\.json"):
        wb.Result.load(tmp_path / "empty")
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="cannot be read as a saved result"):
        wb.Result.load(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "part.zip", "w") as archive:
        for one in saved.iterdir():
            if one.name != "bars.parquet":
                archive.write(one, one.name)
    with pytest.raises(DataError, match=r"bars\.parquet is missing or not what was written"):
        wb.Result.load(tmp_path / "part.zip")


@pytest.mark.parametrize(("change", "message"), [
    ({"version": 2}, "was saved with schema version 2; this workbench reads version 1"),
    ({"format": "workbench store"}, "holds a 'workbench store', not a saved result"),
    ({"content": []}, "is damaged"),
])  # fmt: skip
def test_another_schema_is_refused(saved: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    for one in saved.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    manifest = json.loads((saved / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, **change}))
    with pytest.raises(DataError, match=message):
        wb.Result.load(tmp_path)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != "float"), inner),
    max_leaves=15,
)


@settings(max_examples=200)
@given(value=PLAIN)
def test_plain_data_survive_json(value: Any) -> None:
    text = json.dumps(encoded(value), allow_nan=False)
    assert repr(decoded(json.loads(text))) == repr(value)


def test_json_for_others(tmp_path: Path) -> None:
    result = portfolio()
    text = result.to_json(tmp_path / "result.json")
    assert (tmp_path / "result.json").read_text() == text
    told = json.loads(text)
    assert told["symbols"] == ["A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT"]
    assert told["equity"]["value"] == result.equity.tolist()
    assert told["equity"]["ts"][1] == "1970-01-01T01:00:00Z"
    assert [one["pnl"] for one in told["trades"]] == result.trades["pnl"].tolist()
    assert told["trades"][0]["entry_time"].endswith("Z") and told["metrics"]["trades"] == result.metrics["trades"]
    nothing = json.loads(wb.backtest(wb.Signals(entry=flags(5)), walk("A/USDT", 1, 5)).to_json())
    assert nothing["metrics"]["win_rate"] is None and nothing["trades"] == []


def test_csv_for_others(tmp_path: Path) -> None:
    result = by_symbol()
    written = result.to_csv(tmp_path / "tables")
    names = {"trades", "fills", "orders", "positions", "equity", "costs", "metrics"}
    assert {path.stem for path in written} == names and len(os.listdir(tmp_path / "tables")) == len(names)
    back = pd.read_csv(tmp_path / "tables" / "trades.csv", parse_dates=["entry_time"])
    assert back["pnl"].tolist() == result.trades["pnl"].tolist()
    assert back["entry_time"].tolist() == result.trades["entry_time"].tolist()
    curve = pd.read_csv(tmp_path / "tables" / "equity.csv", index_col="ts")
    assert curve["equity"].tolist() == result.equity.tolist() and curve.index[1] == "1970-01-01T01:00:00Z"
    assert {"gross_equity", "gross", "net", "margin_used", "margin_level"} <= set(curve.columns)
    result.to_csv(tmp_path / "tables")  # again, over the old ones
    assert math.isfinite(pd.read_csv(tmp_path / "tables" / "costs.csv")["total"].sum())


def test_one_bar_comes_back_too(tmp_path: Path) -> None:
    bars = series("A/USDT", [100.0])
    result = wb.backtest(wb.Signals(entry=[True]), bars, fill="close")
    assert_same(result, wb.Result.load(result.save(tmp_path / "one")))
    assert result.records.ts.tolist() == [0] and bars.end == HOUR
