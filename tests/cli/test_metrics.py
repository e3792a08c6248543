"""`workbench metrics`: what there is, what each is, and where other packages differ."""

from __future__ import annotations

from tests.cli.commands import call
from workbench.risk import metrics as m


def test_list_shows_every_metric_by_group() -> None:
    done = call("metrics", "list")
    assert done.code == 0
    assert {line.split()[1] for line in done.lines[1:]} == set(m.METRICS)
    groups = [line.split()[0] for line in done.lines[1:]]
    assert len(list(dict.fromkeys(groups))) == sum(a != b for a, b in zip(groups, [*groups[1:], ""], strict=True))
    tails = call("metrics", "list", "--group", "tail", "--json").json()
    assert {one["name"] for one in tails} == {name for name, one in m.METRICS.items() if one.group == "tail"}
    wrong = call("metrics", "list", "--group", "tails")
    assert (wrong.code, "there is no group 'tails' of metrics; there are return," in wrong.err) == (2, True)


def test_show_is_what_explain_says() -> None:
    done = call("metrics", "show", "max_drawdown")
    assert done.out.strip() == m.explain("max_drawdown") == repr(m.explain("max_drawdown"))
    plain = call("metrics", "show", "ulcer_index", "--json").json()
    assert plain["source"] == m.METRICS["ulcer_index"].source
    assert {one["peer"] for one in plain["peers"]} == {"quantstats", "ffn", "vectorbt"}
    wrong = call("metrics", "show", "sharp")
    assert (wrong.code, "did you mean 'sharpe_ratio'" in wrong.err) == (2, True)


def test_differences_say_who_is_right() -> None:
    done = call("metrics", "differences", "sharpe_ratio")
    freqtrade = next(line for line in done.lines if "freqtrade" in line)
    assert "8.00117" in freqtrade and "12.7366" in freqtrade and " ours " in freqtrade
    assert "sqrt(trades per day)" in freqtrade
    everything = call("metrics", "differences", "--json").json()
    assert len(everything) == (m.differences()["right"] != "equal").sum()
    assert None in {one["theirs"] for one in everything}  # an infinity is no number of JSON
    assert call("metrics", "differences", "capacity").out == "No package is known to give another number of capacity.\n"
