"""The lab book of a study: what is backtested inside counts, and nothing stale ever comes from the ledger."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ConfigError, DataError
from workbench.market.lake import Lake
from workbench.research import Ledger, Run
from workbench.research.labbook import LabBook, current_study, study, uncounted
from workbench.research.ranking import leaderboard
from workbench.research.recorder import asked_identity, identity_of, record_run
from workbench.research.rerunning import rerun
from workbench.research.trials import Count
from workbench.settings import load_settings
from workbench.strategy.loader import load_strategy
from workbench.strategy.versions import Archive

SOURCE = """
import numpy as np
import workbench as wb

class Up(wb.SignalStrategy):
    bars: int = wb.param(3, low=1, high=99)

    def signals(self, bars):
        before = np.roll(bars.close, self.bars)
        return wb.Signals(entry=bars.close > before, exit=bars.close < before)
"""
LEVEL = 0.0


class InNotebook(wb.SignalStrategy):
    def signals(self, bars: wb.Bars) -> wb.Signals:
        change = np.diff(bars.close, prepend=bars.close[0])
        return wb.Signals(entry=change > LEVEL, exit=change < LEVEL)


def made_bars(seed: int = 1, count: int = 400) -> wb.Bars:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, count)))
    edge = np.concatenate((close[:1], close[:-1]))
    columns = {"open": edge, "high": np.maximum(edge, close), "low": np.minimum(edge, close), "close": close}
    return wb.Bars(instrument=wb.Instrument(symbol="MADE/UP"), timeframe="1h", ts=np.arange(count) * 3_600_000,
                   volume=np.full(count, 1e6), **columns)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "workbench.toml").touch()
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "up.py").write_text(SOURCE)
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    Lake(tmp_path / "data" / "lake").write(made_bars())
    return tmp_path


@pytest.fixture
def bars(desk: Path) -> wb.Bars:
    return Lake(desk / "data" / "lake").read("MADE/UP", "1h")


def same(one: Any, other: Any) -> bool:
    return {name: repr(value) for name, value in one.items()} == {name: repr(value) for name, value in other.items()}


def test_backtests_inside_count_and_those_outside_do_not(bars: wb.Bars) -> None:
    up = load_strategy("up")
    wb.backtest(up(), bars)
    with study("going up") as book:
        assert current_study() is book
        for length in (2, 3, 3):
            result = wb.backtest(up(bars=length), bars)
        with uncounted():
            wb.backtest(up(bars=50), bars)
    wb.backtest(up(bars=60), bars)
    assert current_study() is None and book.count == Count(raw=3, distinct=2) == study("going up").count
    row = book.trials.iloc[-1]
    returns = result.returns
    assert row["sharpe"] == pytest.approx(returns.mean() / returns.std(), rel=1e-12)
    assert row["skew"] == pytest.approx(returns.skew(), rel=0.02) and row["observations"] == 400
    run = book.ledger.run(book.runs["run_id"][0])
    assert run.strategy == "up.py:Up" and run.parameters == {"bars": 3} and run.identity == identity_of(result)
    assert "3 trials, 2 distinct" in book._repr_html_() and "3 trials" in repr(book)


def test_what_was_computed_before_comes_from_the_ledger(bars: wb.Bars) -> None:
    up, book = load_strategy("up"), study("going up")
    first = book.backtest(up(), bars)
    again = book.backtest(up(), bars)
    assert not first.from_ledger and again.from_ledger and "from the ledger" in repr(again)
    assert same(first.metrics, again.metrics) and again.run.run_id == first.run.run_id
    assert same(again.result.metrics, first.metrics) and book.count == Count(1, 1)
    assert not book.backtest(up(), bars, again=True).from_ledger
    other = study("another name")
    assert other.backtest(up(), bars).from_ledger and other.count == Count(1, 1)
    assert other.linked["study"].tolist() == ["going up"]


@pytest.mark.parametrize(
    "changed",
    [
        {"costs": wb.Costs(fee=0.002)}, {"fill": "close"}, {"cash": 5_000.0}, {"leverage": 2.0},
        {"rules": wb.Rules(latency_ms=5)}, {"rules": wb.Rules(protections=[wb.Cooldown(2)])},
    ],
)  # fmt: skip
def test_other_terms_are_another_computation(bars: wb.Bars, changed: dict[str, Any]) -> None:
    up, book = load_strategy("up"), study("going up")
    book.backtest(up(), bars)
    assert not book.backtest(up(), bars, **changed).from_ledger
    assert book.backtest(up(), bars, **changed).from_ledger


def test_other_code_data_and_instruments_are_another_computation(
    desk: Path, bars: wb.Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    up, book = load_strategy("up"), study("going up")
    book.backtest(up(), bars)
    assert not book.backtest(up(bars=4), bars).from_ledger
    assert not book.backtest(up(), bars[1:]).from_ledger
    dear = dataclasses.replace(bars, instrument=bars.instrument.replace(taker_fee=0.01))
    assert not book.backtest(up(), dear).from_ledger
    protected = up()
    object.__setattr__(protected, "stop_loss", 0.01)  # as a sweep does it
    assert not book.backtest(protected, bars).from_ledger
    (desk / "strategies" / "up.py").write_text(SOURCE.replace("exit=bars.close < before", "exit=bars.close <= before"))
    assert not book.backtest(load_strategy("up")(), bars).from_ledger
    book.backtest(InNotebook(), bars)
    assert book.backtest(InNotebook(), bars).from_ledger
    monkeypatch.setitem(globals(), "LEVEL", 0.5)  # what the class reaches for, beyond its own lines
    assert not book.backtest(InNotebook(), bars).from_ledger
    monkeypatch.setitem(globals(), "LEVEL", type("Odd", (), {"__gt__": None})())
    assert asked_identity(InNotebook(), bars, {}) is None


def test_the_identity_is_known_before_and_after(bars: wb.Bars) -> None:
    up = load_strategy("up")()
    options: dict[str, Any] = {"costs": wb.Costs(fee=0.0004), "leverage": 2, "rules": wb.Rules(margin="isolated")}
    assert asked_identity(up, bars, options) == identity_of(wb.backtest(up, bars, **options)) is not None
    signals = wb.Signals(entry=np.ones(len(bars), bool))
    assert asked_identity(signals, bars, {}) == identity_of(wb.backtest(signals, bars)) is not None


def test_a_study_needs_a_workspace_and_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    with pytest.raises(ConfigError, match="is not in a workspace, so nothing would remember the trials"):
        study("x")
    with pytest.raises(ConfigError, match="study = ' ': give it a name"):
        LabBook(" ", load_settings())


def test_notes_and_tags_are_added_and_never_rewritten(bars: wb.Bars) -> None:
    book = study("going up")
    run = book.backtest(load_strategy("up")(), bars).run
    parts = {path: path.read_bytes() for path in book.ledger.root.glob("*.parquet")}
    book.note("begun with a hunch")
    book.tag("btc")
    book.ledger.tag([run.run_id[-8:]], "good", "odd")
    book.ledger.tag([run.run_id], "odd", remove=True)
    book.ledger.note(run.run_id[:20], "one")
    book.ledger.note(run.run_id, "two")
    assert book.notes["text"].tolist() == ["begun with a hunch", "btc"] and "hunch" in book._repr_html_()
    after = book.ledger.run(run.run_id)
    assert after.tags == ("good",) and after.note == "one\ntwo"
    assert json.loads(book.ledger.runs()["tags"][0]) == ["good"]
    assert {path: path.read_bytes() for path in parts} == parts
    with pytest.raises(DataError, match="the note is ' '; write a text"):
        book.note(" ")


def test_a_run_is_run_again_and_agrees(desk: Path, bars: wb.Bars) -> None:
    settings, up = load_settings(), load_strategy("up")
    options: dict[str, Any] = {"costs": wb.Costs(fee=0.0004), "leverage": 2.0, "rules": wb.Rules(margin="isolated")}
    run = record_run(wb.backtest(up(bars=5), bars[10:300], cash=777.0, **options), tags=["kept"], note="n")
    (desk / "strategies" / "up.py").unlink()
    found = rerun(run.run_id[-8:])
    assert found.reproduced and found.causes == () and found.differences.empty
    assert found.run.tags == ("kept",) and found.run.note == "n"
    Archive.of(settings).versions()[0].path.unlink()
    lost = rerun(run.run_id)
    assert lost.result is None and not lost.reproduced and lost.causes[0].startswith("code: ")


def test_a_rerun_says_what_changed(desk: Path, bars: wb.Bars) -> None:
    up = load_strategy("up")
    run = record_run(wb.backtest(up(), bars))
    ledger = Ledger(load_settings().ledger_root)
    ledger.append(dataclasses.replace(run, run_id="old", versions={**run.versions, "numpy": "1.0"}))
    assert rerun("old").reproduced and "version: numpy was 1.0" in rerun("old").causes[0]
    ledger.append(dataclasses.replace(run, run_id="other", metrics={**run.metrics, "sharpe_ratio": 9.0}))
    [cause] = rerun("other").causes
    assert cause.startswith("chance: ") and rerun("other").differences["metric"].tolist() == ["sharpe_ratio"]
    Lake(desk / "data" / "lake").write(made_bars(2), mode="replace")
    found = rerun(run.run_id)
    assert not found.reproduced and found.causes[0].startswith("data: MADE/UP 1h has changed: ")
    assert {"total_return", "sharpe_ratio"} <= set(found.differences["metric"])
    Lake(desk / "data" / "lake").delete("MADE/UP", "1h")
    gone = rerun(run.run_id)
    assert gone.result is None and gone.causes[0].startswith("data: MADE/UP 1h is not in the lake")
    book = study("s")
    ready = book.backtest(wb.Signals(entry=np.ones(len(bars), bool)), bars).run
    assert "ready-made signals" in rerun(ready.run_id).causes[0]


def test_the_class_of_a_notebook_is_kept_and_can_be_given(bars: wb.Bars) -> None:
    run = record_run(wb.backtest(InNotebook(), bars))
    [version] = Archive.of(load_settings()).versions()
    assert version.name == "notebook:InNotebook" and version.source.startswith("class InNotebook")
    assert "was written in a notebook; give the class" in rerun(run.run_id).causes[0]
    assert rerun(run.run_id, strategy=InNotebook).reproduced


def test_what_is_pruned_still_counts(bars: wb.Bars) -> None:
    up, book = load_strategy("up"), study("going up")
    runs = [book.backtest(up(bars=length), bars).run for length in range(1, 7)]
    book.ledger.tag([runs[0].run_id], "good")
    before, trials = book.count, book.trials
    would = book.ledger.prune(older_than="0h", keep=2)
    assert would["run_id"].tolist() == [one.run_id for one in reversed(runs[1:4])] and len(book.runs) == 6
    assert book.ledger.prune(older_than="1d", keep=0).empty
    book.ledger.prune(older_than="0h", keep=2, dry_run=False)
    assert book.runs["run_id"].tolist() == [runs[n].run_id for n in (5, 4, 0)]
    assert book.count == before == Count(6, 6)
    columns = ["identity", "sharpe", "run_id", "skew", "observations"]
    sort = ["run_id"]
    pd.testing.assert_frame_equal(
        book.trials[columns].sort_values(sort, ignore_index=True), trials[columns].sort_values(sort, ignore_index=True)
    )
    with pytest.raises(ConfigError, match="older_than = 'old': write an age such as '90d'"):
        book.ledger.prune(older_than="old")


def test_the_best_of_every_study_with_its_trials(bars: wb.Bars) -> None:
    up = load_strategy("up")
    with study("many") as many:
        for length in (1, 2, 3, 4):
            wb.backtest(up(bars=length), bars)
    study("one").backtest(up(bars=9), bars)
    board = leaderboard().set_index("study")
    assert dict(board["trials"]) == {"many": 4, "one": 1} and dict(board["linked"]) == {"many": 1, "one": 4}
    assert board.loc["many", "value"] == pytest.approx(many.runs["sharpe_ratio"].max(), rel=1e-9)
    assert board["deflated_sharpe"].between(0, 1).all() and board["value"].is_monotonic_decreasing
    fall = leaderboard("max_drawdown")
    assert fall["value"].tolist()[0] == pytest.approx(Ledger(many.ledger.root).runs()["max_drawdown"].max())
    with pytest.raises(DataError, match="no run records 'sharp'; there are"):
        leaderboard("sharp")


def test_compare_export_and_sql(bars: wb.Bars, tmp_path: Path) -> None:
    up, book = load_strategy("up"), study("going up")
    ids = [book.backtest(up(bars=length), bars).run.run_id for length in (1, 2)]
    table = book.ledger.compare(ids)
    assert table.loc[("parameter", "bars"), ids].tolist() == [1, 2] and table.loc[("parameter", "bars"), "differs"]
    assert not table.loc[("run", "data_fingerprint"), "differs"]
    with pytest.raises(DataError, match="1 run to compare: give at least two ids"):
        book.ledger.compare(ids[:1])
    for ending, read in (("csv", pd.read_csv), ("json", pd.read_json), ("parquet", pd.read_parquet)):
        frame = read(book.ledger.export(tmp_path / f"runs.{ending}", study="going up"))
        assert frame["run_id"].tolist() == ids[::-1]
        assert frame["sharpe_ratio"].tolist() == pytest.approx(book.runs["sharpe_ratio"].tolist())
    with pytest.raises(ConfigError, match="is there already"):
        book.ledger.export(tmp_path / "runs.csv")
    found = book.ledger.sql("SELECT study, count(*) AS n FROM runs GROUP BY study")
    assert found.to_dict("records") == [{"study": "going up", "n": 2}]
    assert book.ledger.sql("SELECT count(DISTINCT identity) AS n FROM trials")["n"][0] == 2
    for query in ("DROP TABLE runs", "SELECT * FROM read_csv('/etc/passwd')", "COPY runs TO 'x.csv'"):
        with pytest.raises(DataError, match=r"the ledger|the query"):
            book.ledger.sql(query)


def test_ids_by_a_part_of_them(bars: wb.Bars) -> None:
    book = study("going up")
    run = book.backtest(load_strategy("up")(), bars).run
    assert book.ledger.run(run.run_id[-8:]).run_id == book.ledger.run(run.run_id[:21]).run_id == run.run_id
    book.backtest(load_strategy("up")(bars=9), bars)
    with pytest.raises(DataError, match=r"'20': 2 runs have such an id: .*; give more of it"):
        book.ledger.run("20")
    near = run.run_id[-8:-1] + ("0" if run.run_id[-1] != "0" else "1")
    with pytest.raises(DataError, match=rf"no run of .* has such an id; the nearest are {run.run_id}"):
        book.ledger.run(near)


def test_a_ledger_of_an_older_workbench_is_read(tmp_path: Path) -> None:
    ledger, now = Ledger(tmp_path), pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime()
    ledger.append(Run(run_id="a", report="r", batch="b", name="n", notebook="x", started=now, finished=now))
    [part] = ledger.store.manifest().parts
    new = {"study", "session", "identity", "series", "rules", "tags", "note"}
    with ledger.store.transaction() as change:
        change.retire(part)
        change.add(ledger.store.table([part]).drop_columns(sorted(new)))
    ledger.append(Run(run_id="b", report="r", batch="b", name="n", notebook="x", started=now, finished=now, study="s"))
    later, old = ledger.records()
    assert (old.study, old.series, old.tags, old.note) == (None, (), (), "") and later.study == "s"
    frame = ledger.runs()
    assert new <= set(frame.columns) and frame["tags"].tolist() == ["[]", "[]"]
    ledger.tag(["a"], "old")
    assert ledger.run("a").tags == ("old",) and math.isnan(frame["sharpe_ratio"][0])


@pytest.mark.parametrize("how", [{}, {"costs": wb.Costs(fee=0.002), "fill": "close"}, {"leverage": 2.0}])
def test_a_backtest_and_the_row_of_a_sweep_that_is_the_same_are_one_trial(bars: wb.Bars, how: dict[str, Any]) -> None:
    up = load_strategy("up")
    with study("going up") as book:
        wb.sweep(up, bars, grid={"bars": [2, 3, 4], "stop_loss": [None, 0.05]}, **how)
        assert book.count == Count(raw=6, distinct=6)
        wb.backtest(up(bars=3), bars, **how)
        assert book.count == Count(raw=7, distinct=6)
        wb.backtest(up(bars=3), bars, **{**how, "fill": "next_open", "costs": wb.Costs(fee=0.003)})
        assert book.count == Count(raw=8, distinct=7)


def test_swept_costs_and_leverage_are_those_of_a_backtest(bars: wb.Bars) -> None:
    up = load_strategy("up")
    with study("going up") as book:
        wb.sweep(up, bars, grid={"fee": [0.001, 0.002], "leverage": [1.0, 3.0]})
        wb.backtest(up(), bars, costs=wb.Costs(fee=0.002), leverage=3.0)
    assert book.count == Count(raw=5, distinct=4)


def test_a_search_and_a_backtest_of_what_it_tried_are_one_trial(bars: wb.Bars) -> None:
    up = load_strategy("up")
    with study("going up") as book:
        found = wb.optimise(
            up, bars, trials=4, sampler="random", space={"bars": [2, 3, 4, 5], "stop_loss": (0.01, 0.2)}
        )
        tried = found.best()
        assert book.count == Count(raw=4, distinct=4)
        strategy = up(bars=tried["bars"])
        object.__setattr__(strategy, "stop_loss", tried["stop_loss"])
        wb.backtest(strategy, bars, rules=wb.Rules(protections=()))
    assert book.count == Count(raw=5, distinct=4)


def test_a_walk_forward_is_one_trial_and_a_cross_validation_as_many_as_its_points(bars: wb.Bars) -> None:
    up, grid = load_strategy("up"), {"bars": [2, 3, 4]}
    with study("going up") as book:
        kept = [lambda result: True, lambda result: True, lambda result: len(result.trades) > 0]
        for keeps, distinct in zip(kept, (1, 1, 2), strict=True):  # the first two do the same
            found = wb.walk_forward(
                up, bars, train=150, test=50, grid=grid, where=lambda p: p["bars"] > 2, constraints={"few": keeps}
            )
            assert book.count.distinct == distinct
        assert book.count.raw == 3
        row = book.trials.iloc[0]
        assert row["source"] == "walk_forward" and row["observations"] == len(found.returns)
        assert row["sharpe"] == pytest.approx(found.returns.mean() / found.returns.std(), rel=1e-9)
        assert row["kurtosis"] == pytest.approx(found.returns.kurt() + 3, rel=0.2)
        wb.cross_validate(up, bars, grid=grid)
        assert book.count == Count(raw=6, distinct=5)
