"""What a guard has done about a killed bot: in a sealed file until the journal and the books have it.

`NAME.killed.json` is written before anything is sent, and again at every step, so that whoever comes next (the guard of
the bot's next start, or a human) knows what was done even where the database is locked, the disk of it full, or the
guard itself gone. As long as it lies there, the bot counts as killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench._durable import explained, replace_files
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.bots.brokers.talk import VenueFill
    from workbench.bots.journal import Journal

__all__ = ["Record", "forget_record", "guard_mark", "keep_record", "note_in_journal", "read_record", "record_file"]

_MARK: Final = 12  # characters of a client order id that say whose guard has given it


def guard_mark(core_name: str) -> str:
    """Give what the client order ids of a bot's guard begin with: an execution of such an order is the guard's.

    Parameters
    ----------
    core_name : str
        What the ids of the bot's own orders are made of.
    """
    from hashlib import blake2b

    return "wb" + blake2b(f"{core_name}|guard".encode(), digest_size=(_MARK - 2) // 2).hexdigest()


@dataclass
class Record:
    """What was ordered and what was done.

    Attributes
    ----------
    how : {"cancel", "flatten"}
    reason : str
        Who ordered it, and why the bot did not do it itself.
    at : int
        When, ms UTC, and `venue_ts` by the venue's clock; 0 where that is not known.
    verified : bool
        The venue was looked at, and it is so.
    text : str
        What was done, for a human.
    closings : list of [id, symbol, leg, side, quantity]
        Orders of the guard, written down before they were sent.
    fills : list of list
        Their executions, the values of `VenueFill`.
    journalled : bool
        The journal says that the bot was killed.
    venue : bool
        Its orders are at a venue. A bot that trades on paper winds down itself when it is started again.
    """

    bot: str
    how: str
    reason: str
    at: int
    verified: bool = False
    text: str = ""
    closings: list[list[Any]] = field(default_factory=list)
    fills: list[list[Any]] = field(default_factory=list)
    venue_ts: int = 0
    journalled: bool = False
    venue: bool = True

    @property
    def summary(self) -> str:
        """Why and what, in one line."""
        if not self.venue:
            return f"{self.reason}; its orders on paper end when it is started again"
        done = self.text or "nothing has been done at the venue yet"
        return f"{self.reason}; {done}" + ("" if self.verified else "; NOT DONE, see to it at the venue")

    def go_on_from(self, before: Record | None) -> None:
        """Take over what an earlier guard did and the books have not been told of yet."""
        if before is not None and before.venue:
            self.closings, self.fills = [*before.closings, *self.closings], [*before.fills, *self.fills]
            self.venue_ts = before.venue_ts  # from when on the venue is asked for executions

    def add(self, fills: Iterable[VenueFill]) -> None:
        """Note executions, each once."""
        known = {(one.symbol, one.trade_id) for one in self.executions()}
        self.fills += [list(one) for one in fills if (one.symbol, one.trade_id) not in known]

    def executions(self) -> tuple[VenueFill, ...]:
        """Give the executions of the guard's orders."""
        from workbench.bots.brokers.talk import VenueFill

        return tuple(VenueFill(*one) for one in self.fills)


def record_file(folder: Path, name: str) -> Path:
    """Give the path of the file in the folder of bots."""
    return folder / f"{name}.killed.json"


def keep_record(folder: Path, record: Record, key: bytes) -> None:
    """Write the file, whole and on disk when this returns.

    Raises
    ------
    DataError
        The disk refuses.
    """
    plain = asdict(record)
    content = json.dumps({**plain, "seal": _seal(plain, key)}, indent=1).encode()
    replace_files(folder, {record_file(folder, record.bot).name: content})


def read_record(folder: Path, name: str, key: bytes) -> Record | None:
    """Read the file; None where there is none.

    Raises
    ------
    DataError
        It is not as it was written.
    """
    path = record_file(folder, name)
    try:
        with explained(path):
            plain = json.loads(path.read_bytes())
        if plain.pop("seal") != _seal(plain, key):
            raise DataError(f"{path} is not as it was written", path=str(path))
        return Record(**plain)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{path}, which says how {name!r} was killed, cannot be read: look at the venue, then move it away",
            path=str(path),
        ) from None
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def forget_record(folder: Path, name: str) -> None:
    """Remove the file, once the journal and the books have what it says."""
    record_file(folder, name).unlink(missing_ok=True)


def note_in_journal(journal: Journal, record: Record, *, moves: bool = True) -> None:
    """Write into a journal that its bot was killed, and what its guard did.

    The executions are not written here: the bot takes them into its books when it goes on, behind its own that nobody
    has told it of yet.

    Parameters
    ----------
    journal : Journal
        Open for writing.
    record : Record
        Marked as journalled when this returns.
    moves : bool
        Whether the journal's bot may be told between any two entries. A bot on a replayed tape may not.

    Raises
    ------
    DataError, RunError
        As `Journal.write`.
    """
    from workbench.trading.events import Moved
    from workbench.trading.lifecycle import ENDED

    if moves:
        last = None
        for entry in journal.entries(journal.head.base, kinds=("Moved",)):
            last = entry.record
        ts = max(record.venue_ts, last.ts if last is not None else 0) or record.at
        if last is not None and last.state in ENDED - {"KILLED"}:
            journal.write(Moved(ts, "STARTING"))  # what has ended otherwise must not be killed without a new start
        # on paper the bot cancels and closes by this word when it is started again; at a venue that has been done
        journal.write(Moved(ts, "KILLED", record.summary, "" if record.venue else record.how))
    facts = {"how": record.how, "verified": record.verified, "closings": record.closings, "fills": record.fills}
    journal.log("critical", "system", f"killed by its guard: {record.summary}", facts)
    session = next(reversed(journal.sessions()), None)
    if session is not None and session.ended is None:
        journal.end_session(record.summary)
    journal.flush()
    record.journalled = True


def _seal(plain: dict[str, Any], key: bytes) -> str:
    from workbench.bots.journal.chain import seal_of

    return seal_of(key, json.dumps(plain, sort_keys=True).encode()).hex()
