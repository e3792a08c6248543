"""`workbench indicators`: what there is, by group, and all that is to know of one."""

from __future__ import annotations

from tests.cli.commands import call
from workbench.indicators import registry
from workbench.indicators.indicator import GROUPS


def test_list_shows_every_indicator_by_group() -> None:
    done = call("indicators", "list")
    assert done.code == 0
    assert tuple(line.split()[1] for line in done.lines[1:]) == registry.names()
    shown = [line.split()[0] for line in done.lines[1:]]
    assert shown == sorted(shown, key=GROUPS.index)
    macd = next(line for line in done.lines if line.split()[1] == "macd")
    for part in ("fast=12 (2 to 100), slow=26 (3 to 300), signal=9 (2 to 100)", "macd, signal, histogram", "  34  "):
        assert part in macd


def test_list_of_one_group() -> None:
    done = call("indicators", "list", "--group", "volatility")
    assert tuple(line.split()[1] for line in done.lines[1:]) == registry.names("volatility")
    wrong = call("indicators", "list", "--group", "trends")
    assert (wrong.code, "there is no group 'trends' of indicators; there are trend, momentum" in wrong.err) == (2, True)


def test_list_as_json() -> None:
    plain = call("indicators", "list", "--json").json()
    assert tuple(one["name"] for one in plain) == registry.names()
    rsi = next(one for one in plain if one["name"] == "rsi")
    assert rsi == {
        "name": "rsi", "group": "momentum", "summary": registry.get("rsi").summary, "inputs": ["close"],
        "parameters": [{"name": "length", "default": 14, "low": 2, "high": 100}], "outputs": ["rsi"],
        "unit": "percent", "warm_up": 15, "cumulative": False, "source": registry.get("rsi").source,
    }  # fmt: skip


def test_list_of_the_bridge_says_what_is_refused() -> None:
    done = call("indicators", "list", "--group", "ta")
    assert tuple(line.split()[0] for line in done.lines[1:]) == registry.names("ta")
    lines = {line.split()[0]: line for line in done.lines}
    assert "it looks ahead: row 14 changes" in lines["ta:trend.kst"]
    assert lines["ta:momentum.rsi"] == "ta:momentum.rsi"
    plain = {one["name"]: one["refused"] for one in call("indicators", "list", "--group", "ta", "--json").json()}
    assert plain["ta:momentum.rsi"] == []
    assert len(plain["ta:trend.ichimoku_a"]) == 2


def test_show_has_the_documentation_the_range_the_warm_up_the_source_and_an_example() -> None:
    done = call("indicators", "show", "macd")
    assert done.code == 0
    assert done.lines[0] == "macd, momentum"
    assert registry.get("macd").summary in done.lines
    assert ["slow", "26", "3", "to", "300"] in [line.split() for line in done.lines]
    assert "Warm-up:  macd 26, signal 34, histogram 34 bars with the defaults" in done.lines
    assert f"Source:   {registry.get('macd').source}" in done.lines
    assert done.lines[-1] == "Example:  wb.indicators.compute('macd', bars, fast=12, slow=26, signal=9)"


def test_show_of_a_column_that_looks_ahead_says_so() -> None:
    done = call("indicators", "show", "ta:trend.kst")
    assert done.code == 0
    assert done.lines[1].startswith("Refused unless forced: it looks ahead: row 14 changes by 23")
    assert done.lines[-1].endswith("fillna=False, force=True)")
    assert len(call("indicators", "show", "ta:trend.kst", "--json").json()["refused"]) == 1


def test_show_of_an_unknown_name() -> None:
    done = call("indicators", "show", "rsl")
    assert (done.code, "there is no indicator 'rsl'; did you mean" in done.err) == (2, True)
