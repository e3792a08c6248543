"""`workbench limits`: limits are shown, explained and changed in the user's own file, and every change is kept."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.commands import call
from workbench.bots.limit_settings import change_limit, limit_changes, limits_here
from workbench.errors import ConfigError, DataError
from workbench.risk.limits import RULES, Bound, strictest
from workbench.settings import load_settings

MINE = """\
[backtest]
cash = 5000 # mine

[limits] # careful
max_positions = 3 # few
groups = { majors = [
    "BTC/USDT", "ETH/USDT",
] }

[limits.bots."odd name"]
order_cash = 900
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "workbench.toml").write_text(MINE)
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    return tmp_path


def test_the_strictest_of_workspace_account_and_bot_holds(desk: Path) -> None:
    (desk / "workbench.toml").write_text(
        "[limits]\nprofile = 'default'\nspread = false\n[limits.accounts.main]\ndaily_loss = 0.03\n"
        "[limits.bots.trend]\ndaily_loss = { at = 0.04, action = 'reduce' }\nmax_positions = 2\n"
    )
    found = limits_here(load_settings(), bot="trend", account="main")
    merged = strictest(found.values())
    assert sorted(found) == ["account", "bot", "workspace"] and merged.spread is None
    assert merged.daily_loss == Bound(0.03, "flatten", 0.03) and merged.max_positions == Bound(2.0, "reject")
    assert sorted(limits_here(load_settings(), bot="other")) == ["workspace"]
    shown = call("limits", "show", "--bot", "trend", "--account", "main")
    assert ["daily_loss", "3.00%", "3.00%", "flatten", "account"] in [line.split() for line in shown.lines]
    assert call("limits", "show", "--json").json()["limits"]["max_positions"] == {"at": 20.0, "action": "reject"}


def test_a_change_touches_one_line_and_is_kept_with_who_and_why(desk: Path) -> None:
    done = call("limits", "set", "daily_loss", "0.03", "--warn", "0.02", "--why", "a calmer month")
    assert done.out == '[limits] daily_loss: not said -> {"at": 0.03, "warn": 0.02}\n'
    call("limits", "set", "order_cash", "500", "--bot", "odd name")
    call("limits", "set", "max_positions", "off")
    text = (desk / "workbench.toml").read_text()
    assert set(MINE.splitlines()) - set(text.splitlines()) == {"max_positions = 3 # few", "order_cash = 900"}
    assert tomllib.loads(text)["limits"] == {
        "daily_loss": {"at": 0.03, "warn": 0.02}, "max_positions": False, "bots": {"odd name": {"order_cash": 500}},
        "groups": {"majors": ["BTC/USDT", "ETH/USDT"]},
    }  # fmt: skip
    last = [(one.where, one.limit, one.before, one.after, one.why) for one in limit_changes(load_settings())][-3:]
    assert last == [
        ("limits", "daily_loss", None, {"at": 0.03, "warn": 0.02}, "a calmer month"),
        ("limits.bots.odd name", "order_cash", 900, 500, ""), ("limits", "max_positions", 3, False, ""),
    ]  # fmt: skip
    assert limit_changes(load_settings())[-1].who


def test_a_change_by_hand_is_noticed_once(desk: Path) -> None:
    limits_here(load_settings())
    known = len(limit_changes(load_settings()))
    (desk / "workbench.toml").write_text(MINE.replace("max_positions = 3", "max_positions = 30"))
    limits_here(load_settings())
    limits_here(load_settings())
    (new,) = limit_changes(load_settings())[known:]
    assert (new.limit, new.before, new.after, new.why) == ("max_positions", 3, 30, "found in workbench.toml")
    assert "max_positions  3         30" in call("limits", "history").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dayly_loss", "0.05"), "[limits] dayly_loss is no limit; did you mean daily_loss?"),
        (("daily_loss", "5"), "[limits] daily_loss = 5; give a fraction (0.05 is five percent)"),
        (("spread", "wide"), "[limits] spread = 'wide'; give a number from 0 on or a Bound"),
        (("leverage", "2", "--action", "reduce"), "leverage cannot be kept by a smaller order"),
        (("profile", "brave"), "there is no profile 'brave'"),
        (("groups", "x"), "[limits] groups = 'x'; give a mapping"),
        (("trading_hours", "always"), "trading hours 'always'"),
    ],
)
def test_a_wrong_change_writes_nothing(words: tuple[str, ...], said: str, desk: Path) -> None:
    done = call("limits", "set", *words)
    assert done.code == 2 and said in " ".join(done.err.split())
    assert (desk / "workbench.toml").read_text() == MINE


def test_what_is_written_over_several_lines_is_left_to_the_hand(desk: Path) -> None:
    with pytest.raises(ConfigError, match="groups is not written on one line; change it there by hand"):
        change_limit(load_settings(), "groups", {"majors": ["BTC/USDT"]})
    assert (desk / "workbench.toml").read_text() == MINE


def test_a_bad_line_of_the_file_is_named_with_its_section(desk: Path) -> None:
    (desk / "workbench.toml").write_text("[limits.bots.trend]\nmax_position = 2\n")
    with pytest.raises(ConfigError, match=r"\[limits.bots.trend\] max_position is no limit; did you mean max_pos"):
        limits_here(load_settings())
    (desk / "workbench.toml").write_text("[limits]\nbots = 3\n")
    with pytest.raises(ConfigError, match=r"\[limits.bots\] is 3; write a section"):
        limits_here(load_settings())


def test_a_damaged_record_of_changes_is_named_and_a_torn_last_line_is_not(desk: Path) -> None:
    limits_here(load_settings())
    path = desk / "data" / "limits" / "changes.jsonl"
    whole = path.read_text()
    path.write_text(whole + '{"ts": 1, "wh')
    assert len(limit_changes(load_settings())) == whole.count("\n")
    path.write_text("{}\n" + whole)
    with pytest.raises(DataError, match="line 1 is damaged"):
        limit_changes(load_settings())


def test_every_limit_is_explained(desk: Path) -> None:
    assert [one["name"] for one in call("limits", "explain", "--json").json()] == [rule.name for rule in RULES]
    told = call("limits", "explain", "daily_loss").lines
    assert told[0] == "daily_loss: fall of the equity since the day began (UTC)." and "5.00%" in told[2]
    assert call("limits", "explain", "daily").code == 2


def test_without_limits_it_says_how_to_set_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workbench.toml").write_text("")
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    assert "workbench limits set profile default" in call("limits", "show").out
    assert call("limits", "history").out == "No limit has been set yet.\n"
