"""`workbench practice`: scenarios are listed and checked, and a served exchange can be reached, and ends cleanly."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import arguments, call, environment
from workbench.practice.clients import connect, running_route
from workbench.practice.faults_scenario import scenarios


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An empty workspace."""
    (tmp_path / "workbench.toml").write_text("")
    return tmp_path


@pytest.fixture
def served(desk: Path) -> Iterator[subprocess.Popen[str]]:
    """A practice exchange as a process, which has said that it serves."""
    words = (
        "practice",
        "serve",
        "BTC/USDT",
        "--synthetic",
        "--seed",
        "3",
        "--speed",
        "60",
        "--scenario",
        "lost_orders",
    )
    started = subprocess.Popen(
        arguments(*words, "--protocol", "binance", "--protocol", "kraken"), cwd=desk, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    yield started
    started.kill()
    started.wait(timeout=60)


def test_scenarios_are_listed_and_shown(desk: Path) -> None:
    listed = call("practice", "scenarios", "--json").json()
    assert [one["name"] for one in listed] == list(scenarios())
    shown = call("practice", "scenario", "crash")
    assert "price_gap" in shown.out and "fraction -0.12" in shown.out and "start +5m" in shown.out
    assert shown.lines[-1] == "6 faults, seed 5: the scenario is right."


def test_what_a_scenario_shows_as_json_can_be_served_again(desk: Path) -> None:
    from workbench.practice.faults_scenario import load_scenario

    for name in scenarios():
        told = call("practice", "scenario", name, "--json")
        (desk / "again.json").write_text(told.out)
        assert load_scenario(desk / "again.json") == load_scenario(name)


def test_a_wrong_scenario_is_an_error_with_its_place(desk: Path) -> None:
    (desk / "mine.yaml").write_text("rules:\n  - fault: latency\n")
    done = call("practice", "scenario", desk / "mine.yaml")
    assert done.code == 2
    assert "rule 1 (latency) latency is missing; write milliseconds" in done.err
    assert call("practice", "scenario", "bad-day").err.strip().endswith("did you mean bad_day?")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("NOPE/USDT",), "the lake has no NOPE/USDT"),
        (("--speed", "0"), "--speed 0: give a number above 0"),
        (("--protocol", "bybit"), "does not speak for 'bybit', but for binance, kraken"),
        (("--scenario", "nope"), "there is no scenario 'nope'"),
        (("--tape", "nope"), "no tape 'nope'"),
    ],
)
def test_wrong_options(desk: Path, words: tuple[str, ...], said: str) -> None:
    done = call("--workspace", desk, "practice", "serve", *words)
    assert (done.code, said in done.err) == (2, True)
    assert not (desk / "data" / "practice" / "route.json").exists()


def test_serving_until_ctrl_c(desk: Path, served: subprocess.Popen[str]) -> None:
    assert served.stdout is not None and served.stderr is not None
    said: list[str] = []
    while not said or said[-1] != "Ctrl-C ends it.\n":
        said.append(served.stdout.readline())
        assert said[-1], served.stderr.read()
    assert said[0].endswith("speaking for binance, kraken\n")
    assert any("lost orders: 6 faults, seed 3" in line for line in said)

    async def ask() -> tuple[float, float]:
        prices = []
        for venue in ("binance", "kraken"):
            async with connect(venue, route=running_route(desk / "data"), enableRateLimit=False) as client:
                prices.append((await client.fetch_ticker("BTC/USDT"))["last"])
        return prices[0], prices[1]

    one, other = asyncio.run(ask())
    assert one == pytest.approx(other, rel=0.01)
    second = call("--workspace", desk, "practice", "serve")
    assert second.code == 2 and "runs in this workspace already, on port" in second.err

    os.kill(served.pid, signal.SIGINT)
    rest, errors = served.communicate(timeout=60)
    assert (served.returncode, errors) == (0, "")
    assert rest.startswith("stopped: ") and rest.endswith("0 faults\n")
    assert not (desk / "data" / "practice" / "route.json").exists()
    assert json.loads(call("practice", "scenarios", "--json").out)
