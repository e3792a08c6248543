"""A story for a network namespace of its own: an exchange and a bot whose network goes down and comes back.

Both live in the namespace, whose loopback is their whole network; while that is down every packet is lost without a
word, in both directions, as behind a pulled cable. Run by `test_cut_off.py`.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
from pathlib import Path

from tests.bots.processes.stage import Nursery, Stand

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def network(*, up: bool) -> None:
    """Let loopback be up or down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        name, flags = struct.unpack("16sh", fcntl.ioctl(one, _GET_FLAGS, struct.pack("16sh", b"lo", 0)))
        flags = flags | _UP if up else flags & ~_UP
        fcntl.ioctl(one, _SET_FLAGS, struct.pack("16sh", name, flags))


def story(folder: Path, *cuts: float) -> None:
    """Cut the network for so many seconds each while the bot trades; then for good, as far as that life goes."""
    with Nursery() as nursery, Stand(nursery, folder, 5) as bot:
        bot.start()
        bot.runs()
        for seconds in cuts:
            bot.waits(bot.protected, "opened a position")
            network(up=False)
            upto = bot.exchange.now + round(seconds * bot.speed) * 1_000
            bot.waits(lambda upto=upto: bot.exchange.now >= upto, "lived through the cut", 60.0)
            network(up=True)
            before = len(bot.books.booked)
            bot.calms(60.0)
            bot.watch.go()
            bot.waits(lambda before=before: bot.books.problems() and len(bot.books.booked) > before, "traded on", 60.0)
        bot.waits(bot.protected, "opened a position")
        network(up=False)
        bot.kill()
        network(up=True)
        bot.watch.stop()
        assert bot.protected() or not bot.held()
        bot.watch.go()
        bot.start()
        bot.runs()
        bot.calms(60.0)
        assert bot.books.reader.verify().ok


if __name__ == "__main__":
    network(up=True)
    story(Path(sys.argv[1]), *map(float, sys.argv[2:]))
    print("well")
