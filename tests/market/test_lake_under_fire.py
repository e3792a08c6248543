"""Eight processes read a series in a loop while a writer is killed time and again: nothing torn, nothing lost.

The file is also the script that starts these processes (a light one, so that a writer is forked in a millisecond).
The writer adds bars and rewrites the whole series in turns, and says which moment it has written only when `write`
has returned. A moment is one growing number made of a generation, which all bars carry as their volume, and of the
number of bars; so a reader can tell a mixture of two moments, and a moment that was lost.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workbench.market.bars import Bars, to_ms
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.timeframe import Timeframe

READERS = 8
START, STEP = to_ms("2021-01-01"), 3_600_000
# one bar an hour in a timeframe of seconds: a block is a day, so that even a short series has several parts
INSTRUMENT, SECOND = Instrument.default("BTC/USDT", "binance"), Timeframe.parse("1s")
GENERATION = 1_000_000
MOMENT = struct.Struct("q")  # eight bytes are written and read in one go, also between processes


def make(first: int, count: int, generation: int) -> Bars:
    ts = START + np.arange(first, first + count) * STEP
    close = (100 + ts // STEP % 97).astype(np.float64)
    volume = np.full(count, float(generation))
    return Bars(
        instrument=INSTRUMENT, timeframe=SECOND, ts=ts,
        open=close - 0.5, high=close + 1, low=close - 1, close=close, volume=volume,
    )  # fmt: skip


def look(pool: Lake) -> int:
    """Read everything, check that it is one moment and not a mixture, and give its number."""
    bars = pool.read("BTC/USDT", "1s")
    expected = make(0, len(bars), int(bars.volume[0]))
    for name in ("ts", "open", "high", "low", "close", "volume"):
        if getattr(bars, name).tobytes() != getattr(expected, name).tobytes():
            raise SystemExit(f"torn: {name} of {len(bars)} bars, {len(set(bars.volume))} generations at once")
    return int(bars.volume[0]) * GENERATION + len(bars)


def write(root: str, pipe: int) -> None:
    """Write until killed."""
    pool, dice = Lake(root, grace_s=0.2), random.Random()
    generation, count = divmod(look(pool), GENERATION)
    while True:
        if dice.random() < 0.7 and count < 150:
            new, count = make(count, grown := dice.randint(1, 40), generation), count + grown
            pool.write(new, source="fire")
        elif dice.random() < 0.5:
            generation += 1
            pool.write(make(0, count, generation), source="fire", on_conflict="replace")
        else:
            generation, count = generation + 1, 50
            pool.write(make(0, count, generation), source="fire", mode="replace")
        os.write(pipe, MOMENT.pack(generation * GENERATION + count))


def read(root: str, said: mmap.mmap, stop: Path) -> None:
    """Read until told to stop; what was said to be written before a read began must be in it."""
    os.nice(10)  # the writer is to get somewhere
    pool, parent, reads, last = Lake(root, grace_s=0.2), os.getppid(), 0, 0
    while not stop.exists() and os.getppid() == parent:
        (written,) = MOMENT.unpack_from(said)
        seen = look(pool)
        if seen < max(written, last):
            raise SystemExit(f"lost: moment {written} was written and {last} was seen, then {seen}")
        last, reads = seen, reads + 1
    os.write(1, f"{reads}\n".encode())


def forked(task: Callable[..., object], *arguments: object) -> int:
    if (child := os.fork()) == 0:
        code = 1
        try:
            task(*arguments)
            code = 0
        except SystemExit as end:
            print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def harness(root: str, seed: int, kills: int) -> None:
    # loaded once, so that each new writer is at work at once
    import duckdb  # noqa: F401
    import filelock  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    dice, stop = random.Random(seed), Path(root).with_name("stop")
    with mmap.mmap(-1, MOMENT.size) as said:  # shared with every child
        if code_of(forked(lambda: Lake(root).write(make(0, 50, 0), source="fire"))):
            raise SystemExit("the first write failed")
        MOMENT.pack_into(said, 0, 50)
        readers = [forked(read, root, said, stop) for _ in range(READERS)]
        try:
            words = sum(writer_killed(root, said, dice) for _ in range(kills))
        finally:
            stop.touch()
        codes = [code_of(reader) for reader in readers]
        print(json.dumps({"words": words, "codes": codes, "said": MOMENT.unpack_from(said)[0]}))


def writer_killed(root: str, said: mmap.mmap, dice: random.Random) -> int:
    """Let one writer say a few words, kill it at any point of what it does next, and count its words."""
    ours, theirs = os.pipe()
    begun = time.monotonic()
    writer = forked(write, root, theirs)
    os.close(theirs)
    words = hear(ours, said, dice.choice([0, 1, 1, 2]))
    usual_s = (time.monotonic() - begun) / max(1, words) if words else 0.1
    select.select([], [], [], dice.random() * min(usual_s, 0.2))
    os.kill(writer, signal.SIGKILL)
    if (code := code_of(writer)) != -signal.SIGKILL:
        raise SystemExit(f"the writer ended by itself with {code}")
    words += hear(ours, said, -1)  # what it had still said
    os.close(ours)
    return words


def hear(pipe: int, said: mmap.mmap, words: int) -> int:
    """Wait for so many words of the writer (-1: all that come before its pipe closes) and let the readers know."""
    heard = 0
    while heard != words and len(word := os.read(pipe, MOMENT.size)) == MOMENT.size:
        said[:] = word
        heard += 1
    return heard


@pytest.mark.parametrize("kills", [35, pytest.param(150, marks=pytest.mark.long)])
def test_readers_see_whole_moments_and_no_written_bar_is_lost(kills: int, tmp_path: Path) -> None:
    root, seed = tmp_path / "lake", random.randrange(2**32)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", __file__, str(root), str(seed), str(kills)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, f"seed {seed}\n{done.stderr}\n{done.stdout}"
    *reads, summary = done.stdout.splitlines()
    result = json.loads(summary)
    assert result["codes"] == [0] * READERS and len(reads) == READERS
    assert sum(map(int, reads)) >= kills and result["words"] >= kills / 2  # it was a fire
    pool = Lake(root, grace_s=0, lock_timeout_s=5)
    assert look(pool) >= result["said"]
    pool.write(make(0, 1, 10**6), source="after", mode="replace")  # the lock is free
    pool.write(make(1, 1, 10**6), source="after")  # and what the dead left behind is swept
    [folder] = {path.parent for path in root.rglob("manifest.json")}
    names = sorted(path.name for path in folder.iterdir() if path.suffix != ".parquet")
    assert pool.check() == [] and names == [".lock", "manifest.json"] and len(list(folder.glob("*.parquet"))) <= 2


if __name__ == "__main__":
    harness(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
