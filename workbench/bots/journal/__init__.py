"""The journal of a bot: what its core handled and wanted, in order, on disk, in a chain that shows any change.

`open_journal` writes the journal of a workspace's bot, `read_journal` reads and checks it, also while the bot runs;
`Journal.open` and `JournalReader.open` do so with any database. `records` are what it keeps
beside events and actions, `chain` the hashes and seals, `database` SQLite and PostgreSQL, `telling` the log in words.
"""

from workbench.bots.journal.findings import LogLine, LogPage, Session, Snapshot, Verification
from workbench.bots.journal.journal import Journal
from workbench.bots.journal.keys import seal_key
from workbench.bots.journal.names import check_name
from workbench.bots.journal.places import bots_folder, journal_names, open_journal, read_journal
from workbench.bots.journal.reader import JournalReader
from workbench.bots.journal.records import CATEGORIES, LEVELS

__all__ = [
    "CATEGORIES",
    "LEVELS",
    "Journal",
    "JournalReader",
    "LogLine",
    "LogPage",
    "Session",
    "Snapshot",
    "Verification",
    "bots_folder",
    "check_name",
    "journal_names",
    "open_journal",
    "read_journal",
    "seal_key",
]
