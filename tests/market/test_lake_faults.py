"""The lake when the disk is spoilt or full, when processes fork, and when two write at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.market.made_bars import assert_same, make_bars
from workbench.errors import DataError
from workbench.market.lake import Lake
from workbench.store import MANIFEST, PartStore

CODE = Path(__file__).parents[2]


def run(script: str, *arguments: object, command: tuple[str, ...] = ()) -> str:
    strict = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")  # Python >= 3.12 says so of every fork
    done = subprocess.run(
        [*command, sys.executable, *strict, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(CODE)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def pool(tmp_path: Path) -> Lake:
    pool = Lake(tmp_path / "lake")
    pool.write(make_bars(20_000), source="test")
    return pool


def part_of(pool: Lake, number: int) -> Path:
    [folder] = {path.parent for path in pool.root.rglob(MANIFEST)}
    store = PartStore(folder)
    return store.path(sorted(store.manifest().parts, key=lambda part: part.meta["start"])[number])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    path.write_bytes(content)


# ----- spoilt files

SPOILT = [
    (flip, "the file's checksum is"),
    (lambda path: os.truncate(path, path.stat().st_size // 2), "the file has [0-9,]+ bytes, [0-9,]+ were written"),
    (lambda path: path.write_bytes(b""), "the file has 0 bytes"),
    (Path.unlink, "the file is missing"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_a_corrupt_part_is_named_and_the_rest_still_read(
    pool: Lake, spoil: Callable[[Path], object], reason: str
) -> None:
    bars, part = make_bars(20_000), part_of(pool, 1)
    spoil(part)
    expected = (
        rf"BTC/USDT 1h at binance: 1 part is corrupt: {part} with the bars of 2022-01-01 to 2022-12-31 23:00 "
        rf"\({reason}.*\)\. Other ranges can be read .* skip_corrupt=True\. To mend it, .*drop_corrupt"
    )
    for start, end in ((None, None), ("2022-05-01", None), ("2021-12-31", "2022-01-02")):
        with pytest.raises(DataError, match=expected) as caught:
            pool.read("BTC/USDT", "1h", start, end)
        assert caught.value.fields["files"] == [str(part)]
    assert_same(pool.read("BTC/USDT", "1h", end="2022-01-01"), bars[:8_760])
    assert_same(pool.read("BTC/USDT", "1h", "2023-01-01"), bars[17_520:])
    rest = pool.read("BTC/USDT", "1h", skip_corrupt=True)
    assert rest.close.tolist() == [*bars.close[:8_760], *bars.close[17_520:]]
    assert [left["file"] for left in rest.provenance["left_out"]] == [part.name]
    with pytest.raises(DataError, match="1 part is corrupt"):
        pool.read("BTC/USDT", "1h", "2022-03-01", "2022-04-01", skip_corrupt=True)
    [finding] = pool.check()
    assert finding.file == str(part) and str(finding).startswith("BTC/USDT 1h at binance, 2022-01-01 to 2022-12-31")


def test_what_is_corrupt_can_be_taken_out_and_imported_again(pool: Lake) -> None:
    bars = make_bars(20_000)
    flip(part_of(pool, 1))
    with pytest.raises(DataError, match=r"is corrupt .*nothing can be merged with it\. Take it out with lake\.drop_c"):
        pool.write(bars, source="again")
    [finding] = pool.drop_corrupt("BTC/USDT", "1h")
    assert finding.problem.startswith("the file's checksum") and pool.check() == []
    assert pool.series()[0].missing == pool.read("BTC/USDT", "1h").gaps[0].missing == 8_760
    assert pool.drop_corrupt("BTC/USDT", "1h") == []
    report = pool.write(bars, source="again")
    assert (report.added, report.identical) == (8_760, 11_240)
    assert_same(pool.read("BTC/USDT", "1h"), bars)
    assert pool.series()[0].fingerprint == bars.fingerprint and pool.series()[0].missing == 0


def test_replacing_a_series_mends_it(pool: Lake) -> None:
    flip(part_of(pool, 0))
    pool.write(make_bars(20_000), source="again", mode="replace")
    assert pool.check() == [] and len(pool.read("BTC/USDT", "1h")) == 20_000


def test_a_series_of_which_nothing_is_left(pool: Lake) -> None:
    for number in range(3):
        flip(part_of(pool, number))
    assert len(pool.drop_corrupt("BTC/USDT", "1h")) == 3
    assert pool.series() == [] and pool.catalog().empty and pool.sql("FROM bars").empty
    with pytest.raises(DataError, match="has no BTC/USDT 1h"):
        pool.read("BTC/USDT", "1h")
    pool.write(make_bars(10, venue="kraken"), source="test")
    assert pool.read("BTC/USDT", "1h").venue == "kraken"
    pool.write(make_bars(10), source="again")
    assert len(pool.read("BTC/USDT", "1h", venue="binance")) == 10


def test_a_damaged_manifest_is_named_and_other_series_still_read(pool: Lake) -> None:
    pool.write(make_bars(10, symbol="ETH/USDT"), source="test")
    path = pool.root / "venue=binance" / "symbol=BTC%2FUSDT" / "timeframe=1h" / MANIFEST
    path.write_text(path.read_text()[:100])
    with pytest.raises(DataError, match=rf"{MANIFEST} is damaged"):
        pool.read("BTC/USDT", "1h")
    with pytest.warns(UserWarning, match=rf"BTC/USDT 1h at binance is left out: .*{MANIFEST} is damaged"):
        assert [info.symbol for info in pool.series()] == ["ETH/USDT"]
    [finding] = pool.check()
    assert finding.file == str(path) and finding.start is None and "is damaged" in str(finding)
    assert pool.check("ETH/USDT", "1h", venue="binance") == []
    pool.delete("BTC/USDT", "1h")
    assert pool.check() == []


def test_check_reads_the_values_too(pool: Lake) -> None:
    """A file that is whole but is not the one of its block: the manifest was tampered with."""
    path = next(pool.root.rglob(MANIFEST))
    digest = next(line for line in path.read_text().splitlines() if '"digest"' in line)
    path.write_text(path.read_text().replace(digest, digest.replace(digest.split('"')[3], "0" * 32)))
    assert [finding.problem for finding in pool.check()] == ["its bars are not the ones that were written"]


# ----- a full disk

FULL = """
import os, resource, sys
import numpy as np
from tests.market.made_bars import make_bars
from workbench.errors import DataError
from workbench.market.lake import Lake
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
pool = Lake(sys.argv[1])
pool.write(make_bars(100), source="test")
before, there = pool.series(), sorted(map(str, pool.root.rglob("*")))
try:
    noise = np.random.default_rng(0).random(60_000)  # does not compress
    pool.write(make_bars(60_000, volume=noise), source="test", on_conflict="replace")
except DataError as error:
    print(error)
assert pool.series() == before and sorted(map(str, pool.root.rglob("*"))) == there and pool.check() == []
assert len(pool.read("BTC/USDT", "1h")) == 100
pool.write(make_bars(110), source="test")
assert len(pool.read("BTC/USDT", "1h")) == 110
"""


def test_a_write_beyond_the_allowed_size_changes_nothing(tmp_path: Path) -> None:
    said = run(FULL, tmp_path, "limit")
    assert f"cannot write {tmp_path}" in said and "File too large" in said and "Nothing was changed" in said


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    mount = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    inside = f'mount -t tmpfs -o size=300k none "{tmp_path}" && exec "$@"'
    if not shutil.which("unshare") or subprocess.run([*mount, inside, "sh", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let a user mount a small disk")
    said = run(FULL, tmp_path, "full", command=(*mount, inside, "sh"))
    assert f"cannot write {tmp_path}" in said and "No space left on device" in said and "free some space" in said


# ----- several processes

FORKED = """
import multiprocessing, os, signal, sys
from workbench.market.lake import Lake

def rows(root):
    signal.alarm(60)  # whoever hangs goes
    return len(Lake(root).read("BTC/USDT", "1h"))

if __name__ == "__main__":
    assert rows(sys.argv[1]) == 20_000  # DuckDB's threads run now
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(rows, [sys.argv[1]] * 4) == [20_000] * 4
    if (child := os.fork()) == 0:
        assert rows(sys.argv[1]) == 20_000
        sys.exit(7)  # runs the interpreter's clean-up, which must not wait for the parent's threads
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert rows(sys.argv[1]) == 20_000
    print("done")
"""


def test_reading_works_on_both_sides_of_a_fork(pool: Lake) -> None:
    assert run(FORKED, pool.root) == "done\n"


WRITE = """
import sys
from tests.market.made_bars import make_bars
from workbench.market.lake import Lake
number, pool = int(sys.argv[2]), Lake(sys.argv[1])
for block in range(10):
    rows = slice(block * 2_000 + number * 1_000, block * 2_000 + number * 1_000 + 1_000)
    pool.write(make_bars(20_000)[rows], source=f"writer {number}")
"""


def test_two_writers_of_one_series_both_get_through(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), str(number)], env={**os.environ, "PYTHONPATH": str(CODE)}
        )
        for number in range(2)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    assert_same(Lake(tmp_path).read("BTC/USDT", "1h"), make_bars(20_000))
    assert Lake(tmp_path).series()[0].missing == 0 and Lake(tmp_path).check() == []
