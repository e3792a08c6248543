"""The real market data that comes with workbench, and how it gets into a lake.

A folder of samples is one Parquet file a series and `samples.toml`, which says what each holds, where it comes from,
under which licence, and the fingerprint that its content must have. Nothing here changes a price: the series that are
made on installation are resampled from complete bars and say so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.market import lens
from workbench.market.bars import COLUMNS, Bars
from workbench.market.instrument import Instrument
from workbench.market.resampling import resample
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    from workbench.market.lake import Lake

__all__ = ["Sample", "SamplesReport", "install_samples", "load_samples"]

_Key = tuple[str, str, str]  # venue, symbol, timeframe

_LIST: Final = "samples.toml"
_REQUIRED: Final = ("file", "timeframe", "source", "licence", "note", "fingerprint", "instrument")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A bundled series.

    Parameters
    ----------
    file : str
        Name of its Parquet file in the folder.
    bars : Bars
        `provenance` has source, licence and note.
    derive : tuple of Timeframe
        Longer bars that are made of it on installation.
    """

    file: str
    bars: Bars
    derive: tuple[Timeframe, ...]


@dataclass(frozen=True, kw_only=True)
class SamplesReport:
    """Which series an installation wrote, and which it found in the lake and left alone."""

    written: tuple[str, ...]
    present: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.written)} sample series written, {len(self.present)} were there"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A series as `samples.toml` describes it; its file has not been opened."""

    path: Path
    instrument: Instrument
    timeframe: Timeframe
    provenance: dict[str, str]
    fingerprint: str
    derive: tuple[Timeframe, ...]

    def wanted(self) -> list[_Key]:
        """List the series that this one becomes: itself and the derived ones, by venue, symbol and timeframe."""
        venue, symbol = self.instrument.venue, self.instrument.symbol
        return [(venue, symbol, str(timeframe)) for timeframe in (self.timeframe, *self.derive)]


def load_samples(folder: str | Path) -> list[Sample]:
    """Read every series of a folder of samples, in the order of its list.

    Raises
    ------
    DataError
        A file is missing or damaged, or `samples.toml` is not understood; the message names the file.
    """
    return [Sample(file=entry.path.name, bars=_read(entry), derive=entry.derive) for entry in _entries(Path(folder))]


def install_samples(lake: Lake, folder: str | Path) -> SamplesReport:
    """Write into a lake the sample series that it does not have yet, the derived ones included.

    Parameters
    ----------
    lake : Lake
    folder : str or Path
        Where `samples.toml` is.

    Returns
    -------
    SamplesReport
        A series that the lake has already is left as it is, whatever it contains.

    Raises
    ------
    DataError
        As `load_samples`; series written before the bad one stay.
    """
    have = {(info.venue, info.symbol, info.timeframe) for info in lake.series()}
    written, present = [], []
    for entry in _entries(Path(folder)):
        present += [key for key in entry.wanted() if key in have]
        lacking = [key for key in entry.wanted() if key not in have]
        for key, bars in zip(lacking, _made(entry, lacking), strict=True):
            origin = bars.provenance
            lake.write(bars, source=origin["source"], licence=origin["licence"], note=origin["note"])
            written.append(key)
    return SamplesReport(written=tuple(map(_named, written)), present=tuple(map(_named, present)))


def _made(entry: _Entry, keys: Sequence[_Key]) -> list[Bars]:
    """Give the bars of some of the series that an entry becomes; its file is only opened when there are any."""
    if not keys:
        return []
    bars = _read(entry)
    return [bars if timeframe == str(entry.timeframe) else resample(bars, timeframe) for _, _, timeframe in keys]


def _named(key: _Key) -> str:
    venue, symbol, timeframe = key
    return f"{symbol} {timeframe} at {venue}"


def _entries(folder: Path) -> list[_Entry]:
    path = folder / _LIST
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8"))["series"]
        return [_entry(folder, facts) for facts in listed]
    except OSError as error:
        raise DataError(f"{path}: the list of samples cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the list of samples is not valid TOML: {error}") from error
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: an entry is not understood ({error!r}); each needs {', '.join(_REQUIRED)}") from error


def _entry(folder: Path, facts: dict[str, Any]) -> _Entry:
    return _Entry(
        path=folder / facts["file"],
        instrument=Instrument.from_dict(facts["instrument"]),
        timeframe=Timeframe.parse(facts["timeframe"]),
        provenance={name: facts[name] for name in ("source", "licence", "note")},
        fingerprint=facts["fingerprint"],
        derive=tuple(Timeframe.parse(text) for text in facts.get("derive", ())),
    )


def _read(entry: _Entry) -> Bars:
    import duckdb

    if not entry.path.is_file():
        raise DataError(
            f"{entry.path}: this sample is listed in {_LIST} and not there; get it back from the repository"
        )
    try:
        columns = lens.columns([entry.path], ["ts", *COLUMNS])
        bars = Bars(
            instrument=entry.instrument,
            timeframe=entry.timeframe,
            provenance=entry.provenance,
            **{name: np.asarray(column) for name, column in columns.items()},
        )
    except (duckdb.Error, DataError) as error:
        raise DataError(f"{entry.path}: this sample is damaged; get it back from the repository ({error})") from error
    if bars.fingerprint != entry.fingerprint:
        raise DataError(
            f"{entry.path}: this sample is not the one that {_LIST} describes (fingerprint {bars.fingerprint}, listed "
            f"{entry.fingerprint}); get both back from the repository, or rebuild them with build.py",
            file=entry.path.name,
        )
    return bars
