"""How long a bot with 10,000 events takes to become what it was: by its newest snapshot, and by its whole journal."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bots.quick_stage import Crosses, Story
from workbench.bots.quick_start import EVERY

EVENTS = 10_000


def main() -> None:
    """Print seconds, and how many times quicker the snapshot is; it is as old as it can get."""
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder), bars=EVENTS)
        bars = 0
        while story.journal.position < EVENTS:
            story.lives(bars, bars + 10)
            bars += 10
            if story.quick.due and story.journal.position < EVENTS - EVERY:
                began = time.perf_counter()
                story.quick.keep()
                kept = time.perf_counter() - began
        before, took = story.state(), {}
        for how in ("snapshot", "whole journal"):
            story.journal.close()
            story.open(Crosses())
            if how == "whole journal":
                story.quick._making = "none of them fits"
            began = time.perf_counter()
            story.quick.recover(0)
            took[how] = time.perf_counter() - began
            assert story.state() == before
        print(f"{story.journal.position:,} entries, {bars:,} bars; keeping the state takes {1_000 * kept:.1f} ms")
        for how, seconds in took.items():
            print(f"{how:14} {seconds:.3f} s")
        print(f"ratio          {took['whole journal'] / took['snapshot']:.1f}")
        story.journal.close()


if __name__ == "__main__":
    main()
