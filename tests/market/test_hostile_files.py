"""Thousands of hostile files: each is read or refused with a DataError, and a refused one leaves the lake as it was."""

from __future__ import annotations

import hashlib
import random
import warnings
from collections import Counter
from pathlib import Path

import pytest

from tests.market.hostile import hostile
from tests.market.made_bars import make_bars
from workbench.errors import DataError
from workbench.market import lake_import
from workbench.market.importing import import_file
from workbench.market.lake import Lake
from workbench.market.lake_import import import_into_lake


def state(lake: Lake) -> str:
    digest = hashlib.blake2b()
    for path in sorted(lake.root.rglob("*")):
        digest.update(str(path.relative_to(lake.root)).encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def attack(seeds: range, folder: Path) -> Counter[str]:
    """Import files made from seeds, whole and in pieces, some over a series that is there."""
    # what was replaced earlier may be swept by any write; here nothing may change at all
    lake, path, outcomes = Lake(folder / "lake", grace_s=1e9), folder / "bars", Counter[str]()
    lake.write(make_bars(200), source="test")
    for seed in seeds:
        draw = random.Random(-seed)
        path.write_bytes(hostile(seed))
        options = {"symbol": draw.choice(["BTC/USDT", "AAPL"]), "venue": draw.choice(["binance", "unknown"])}
        options["tz"] = draw.choice([None, None, "America/New_York"])
        more = {"off_grid": draw.choice(["error", "drop"]), "missing_volume": draw.choice(["error", "zero"])}
        more["close_only"] = draw.random() < 0.1
        before = state(lake)
        try:
            if draw.random() < 0.3:
                import_file(path, **options, **more)
                outcomes["read"] += 1
                continue
            import_into_lake(path, **options, **more, into=lake, memory="17MB")
            outcomes["written"] += 1
            assert lake.check() == [], seed
        except DataError as error:
            assert str(error) and len(str(error)) < 20_000, seed
            assert state(lake) == before, seed
            outcomes["refused"] += 1
        except Exception as error:
            error.add_note(f"hostile file {seed}")
            raise
    return outcomes


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_import, "_LEAST", 1 << 20)
    warnings.simplefilter("error")


def test_some_hundred_hostile_files(tmp_path: Path) -> None:
    outcomes = attack(range(400), tmp_path)
    assert outcomes["refused"] > 200 and outcomes["written"] > 4 and outcomes["read"] > 1


@pytest.mark.parametrize("seed", [999, 1_999, 2_999, 3_999])
def test_what_unpacks_without_end(tmp_path: Path, seed: int) -> None:
    attack(range(seed, seed + 1), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '[{"ts":' + "[" * 200_000,
        '{"ts":1,"open":1,"high":1,"low":1,"close":1,"volume":1}\n{"ts":' + '{"a":' * 100_000,
    ],
)
def test_what_is_nested_without_end(tmp_path: Path, text: str) -> None:
    (tmp_path / "bars.json").write_text(text)
    with pytest.raises(DataError, match="it is nested too deeply"):
        import_into_lake(tmp_path / "bars.json", symbol="A", into=Lake(tmp_path / "lake"), memory="17MB")
    assert not (tmp_path / "lake").exists()


@pytest.mark.long
@pytest.mark.parametrize("start", range(0, 10_000, 1_000))
def test_ten_thousand_hostile_files(tmp_path: Path, start: int) -> None:
    attack(range(start, start + 1_000), tmp_path)
