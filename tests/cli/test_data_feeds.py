"""`workbench data record` and `workbench data tapes`, at a practice exchange as a person would use them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import call
from tests.market.feeds.made_events import bar, trade
from tests.market.feeds.practice_feed import synthetic
from workbench.market.bars import to_ms
from workbench.market.feeds.tape import Tape
from workbench.practice.clock import RunningClock
from workbench.practice.exchange import Exchange, Serving


def desk_in(tmp_path: Path) -> Path:
    (tmp_path / "workbench.toml").touch()
    return tmp_path


def test_record_tapes_a_practice_exchange_and_tapes_lists_it(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    serving = Serving(folder=desk / "data" / "practice")
    with Exchange([synthetic()], clock=RunningClock(100.0, to_ms("2024-01-02")), serving=serving):
        done = call(
            "--workspace", desk, "data", "record", "binance", "BTC/USDT", "--practice", "--channels", "trades",
            "--name", "try", "--for", "60s", "--events", "24",
        )  # fmt: skip
        wrong = call("--workspace", desk, "data", "record", "binance", "BTC/USD", "--practice")
    assert done.code == 0 and "Taping practice-binance onto 'try'" in done.out
    assert "BTC/USDT bars 1m live" in done.out and 'wb.data.replay("try")' in done.out
    (tape,) = call("--workspace", desk, "data", "tapes", "--json").json()
    assert tape["feed"] == "practice-binance" and tape["kinds"]["trade"] > 3
    assert tape["events"] == 24 == len(list(Tape(desk / "data" / "lake", "try").events()))
    assert wrong.code == 2 and "did you mean 'BTC/USDT'?" in wrong.err


def test_tapes_shows_the_end_of_one(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    assert "There are no tapes" in call("--workspace", desk, "data", "tapes").out
    with Tape(desk / "data" / "lake", "short").writer("binance") as writer:
        for number in range(9):
            writer.add(trade(number))
        writer.add(bar(9))
    lines = call("--workspace", desk, "data", "tapes", "short", "--last", "2").lines
    assert lines[1].split()[:3] == ["short", "binance", "10"]
    assert "TradePrinted" in lines[-2] and "id=8" in lines[-2] and "BarClosed" in lines[-1]


def test_wrong_words_are_named(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    for words, message in (
        (("record", "binance", "BTC/USDT", "--for", "soon"), "--for soon: write a whole number and s, m, h, d or w"),
        (("record", "binance", "BTC/USDT", "--channels", "orders"), "own orders need a key"),
        (("record", "binance", "BTC/USDT", "--channels", "candles"), "channel 'candles' is unknown"),
        (("record", "binance", "BTC/USDT", "--bars", "none"), "nothing is asked for"),
        (("record", "binance", "BTC/USDT", "--practice"), "no practice exchange runs here"),
        (("tapes", "gone"), "there is no tape 'gone'"),
    ):
        done = call("--workspace", desk, "data", *words)
        assert done.code == 2 and message in done.err
