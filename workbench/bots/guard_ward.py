"""Who is guarded: what a guard must know to find a bot's process, its kill files, its journal and its venue.

It is written as `NAME.guard.json` beside the journal, without anything secret, so that `workbench bots kill` can tell
whether the bot runs, and can wind it down at the venue when it does not.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench._durable import replace_files

if TYPE_CHECKING:
    from workbench.bots.brokers.ccxt_broker import CcxtBroker
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.guard_terms import GuardTerms
    from workbench.bots.journal import Journal

__all__ = ["Ward", "alive", "birth_of", "silence_file", "silent_since", "ward_file"]


@dataclass
class Ward:
    """Who is guarded.

    Attributes
    ----------
    bot, folder : str
        Its name, and the folder of bots.
    files : list of str
        Its kill files.
    pid, born : int, float
        Its process, and when that began, by which another of the same number is told apart. Likewise `guard_pid` and
        `guard_born`.
    place : str
        Of its journal: a path, or a URL.
    core_name : str
        What the ids of its orders are made of.
    tape : bool
        It trades on a replayed tape.
    venue : str
        ccxt's name; "" for a bot whose orders leave this machine never. `route`, `markets` and `share` say how it is
        reached, `vault_name` with which key of the vault.
    ended : dict
        How it ended, by itself or by its guard: `state`, `reason`, `clean` (a kill was carried out and verified),
        `stays` (what is too small to be closed).
    """

    bot: str
    folder: str
    files: list[str]
    pid: int
    born: float
    place: str
    core_name: str
    tape: bool = False
    venue: str = ""
    vault_name: str = ""
    route: dict[str, Any] | None = None
    share: float = 1.0
    markets: list[dict[str, Any]] = field(default_factory=list)
    guard_pid: int = 0
    guard_born: float = 0.0
    ended: dict[str, Any] = field(default_factory=dict)

    def at(self, broker: CcxtBroker) -> None:
        """Note where a broker trades."""
        self.venue, self.vault_name = broker.wire.venue, broker.wire.credentials.name
        route = broker.terms.route
        self.route = asdict(route) if route is not None else None
        self.share = broker.terms.share
        self.markets = [
            {"instrument": one.instrument.to_dict(), "lots": list(one.lots), "leverage": one.leverage}
            for one in broker.markets.values()
        ]

    def broker(self, credentials: Credentials, terms: GuardTerms) -> CcxtBroker:
        """Make a broker of one's own at the venue.

        Raises
        ------
        ConfigError, DataError
            What was written down cannot be used.
        """
        from workbench.bots.brokers.ccxt_broker import CcxtBroker, Terms
        from workbench.market.feeds.feed import Tuning
        from workbench.market.instrument import Instrument
        from workbench.market.sources.clients import Route
        from workbench.trading.terms import CostTerms, Lots
        from workbench.trading.trader import traded

        markets = {}
        for one in self.markets:
            instrument = Instrument.from_dict(one["instrument"])
            markets[instrument.symbol] = traded(instrument, Lots(*one["lots"]), CostTerms(), one["leverage"])
        route = Route(**self.route) if self.route is not None else None
        options = Terms(route=route, share=self.share, tuning=Tuning(timeout_s=terms.timeout_s))
        return CcxtBroker(self.venue, markets, credentials=credentials, terms=options)

    def journal(self, key: bytes, **options: Any) -> Journal:
        """Open the journal to write it; errors as of `Journal.open`."""
        from workbench.bots.journal import Journal

        return Journal.open(self.place, self.bot, key, **options)

    @property
    def runs(self) -> bool:
        """Whether the bot's process is there."""
        return alive(self.pid, self.born)

    @property
    def guarded(self) -> bool:
        """Whether its guard's process is there."""
        return alive(self.guard_pid, self.guard_born)

    def write(self) -> None:
        """Write the file; DataError where the disk refuses."""
        content = json.dumps(asdict(self), indent=1).encode()
        replace_files(Path(self.folder), {ward_file(Path(self.folder), self.bot).name: content})

    @classmethod
    def read(cls, folder: Path, name: str) -> Ward | None:
        """Read the file; None where there is none, or none that says anything."""
        try:
            return cls(**json.loads(ward_file(folder, name).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def ward_file(folder: Path, name: str) -> Path:
    """Give the path of the file in the folder of bots."""
    return folder / f"{name}.guard.json"


def silence_file(folder: Path, name: str) -> Path:
    """Give the path of the file that a guard keeps while its bot gives no sign of life."""
    return folder / f"{name}.silent"


def silent_since(folder: Path, name: str) -> int | None:
    """Give when a running bot was last heard of by its guard (ms UTC), where it gives no sign of life; else None."""
    try:
        since = int(silence_file(folder, name).read_text())
    except (OSError, ValueError):
        return None
    ward = Ward.read(folder, name)
    return since if ward is not None and ward.runs and ward.guarded else None


def birth_of(pid: int) -> float:
    """Give when a process began, seconds since 1970; 0 where there is none."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def alive(pid: int, born: float) -> bool:
    """Tell whether a process is there and still that one; one that is dead and not buried is not."""
    import psutil

    try:
        process = psutil.Process(pid)
        return pid > 0 and abs(process.create_time() - born) < 0.02 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
