"""`workbench data tickers` and `workbench data cache`, asked of a practice exchange."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import call
from tests.practice.stage import flat, market
from workbench.practice.exchange import Exchange, Serving


def test_prices_now_and_what_is_kept_of_them(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text("")
    desk = ("--workspace", tmp_path, "data")
    alone = call(*desk, "tickers", "BTC/USDT", "--practice")
    assert alone.code == 2 and "workbench practice serve" in alone.err
    serving = Serving(folder=tmp_path / "data" / "practice")
    with Exchange([market("BTC/USDT", flat(100.0, 1_500)), market("ETH/USDT", flat(10.0, 1_500))], serving=serving):
        both = call(*desk, "tickers", "BTC/USDT", "ETH/USDT", "--practice", "--json")
        assert both.code == 0 and [row["last"] for row in both.json()["tickers"]] == [100.0, 10.0]
        assert both.json()["venue"] == "practice-binance"
        some = call(*desk, "tickers", "BTC/USD", "ETH/USDT", "--practice")
        assert some.code == 1 and "ETH/USDT" in some.out and "BTC/USD: the venue does not list it" in some.err
        assert call(*desk, "tickers", "ETH/USDT", "--practice", "--csv").out.splitlines()[1].startswith("ETH/USDT,")
    assert call(*desk, "cache", "stats", "--json").json()["items"] == 1  # the markets
    assert "1 value forgotten" in call(*desk, "cache", "clear", "--kind", "markets").out
    assert call(*desk, "cache", "stats", "--json").json()["items"] == 0
