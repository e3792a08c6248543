"""Rebuild the sample series from the packages that they come from.

    python data/sample/build.py --gapless DIR --arch DIR --gym DIR --skfolio DIR

Each DIR is an unpacked release: the source archive of gapless-crypto-data 2.5.0, and the wheels of arch 8.0.0,
gym-anytrading 2.0.0 and skfolio 1.12.2. The script takes the figures out of them, cleans them with
`workbench.market.importing`, and writes beside itself one Parquet file a series, `samples.toml` and the packages'
licences. The same packages give the same content (the fingerprints in `samples.toml`). No price is changed; the rows
that had to be left out are counted in the notes. README.md describes the series in words and is kept by hand.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.market.bars import COLUMNS, Bars, moment
from workbench.market.importing import Cleaned, clean, import_file
from workbench.market.instrument import Instrument, Kind

HERE = Path(__file__).parent

GAPLESS = "gapless-crypto-data 2.5.0"
ARCH = "arch 8.0.0"
GYM = "gym-anytrading 2.0.0"
SKFOLIO = "skfolio 1.12.2"
LICENCES = {GAPLESS: "MIT", ARCH: "NCSA", GYM: "MIT", SKFOLIO: "BSD-3-Clause"}
LICENCE_FILES = {
    GAPLESS: "LICENSE",
    ARCH: "arch-8.0.0.dist-info/licenses/LICENSE.md",
    GYM: "gym_anytrading-2.0.0.dist-info/LICENSE",
    SKFOLIO: "skfolio-1.12.2.dist-info/licenses/LICENSE",
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One series: where its figures are in a package, and what is known about it."""

    package: str
    path: str
    origin: str
    note: str
    facts_from: str
    instrument: Instrument
    options: dict[str, Any] = field(default_factory=dict)
    derive: tuple[str, ...] = ()
    blank: tuple[str, str] | None = None  # a column and the text by which it says that there is no value

    def load(self, root: Path) -> tuple[Cleaned, int]:
        """Clean the package's file; give the bars, and how many rows without a value were left out before."""
        told = {"symbol": self.instrument.symbol, "instrument": self.instrument, **self.options}
        if self.blank is None:
            return import_file(root / self.path, **told), 0
        frame = pd.read_csv(root / self.path, dtype=str)
        column, text = self.blank
        empty = frame[column] == text
        return clean(frame[~empty], **told), int(empty.sum())


def _us_market(symbol: str, venue: str, kind: Kind) -> Instrument:
    return Instrument(
        symbol=symbol, venue=venue, kind=kind, maker_fee=0.0001, taker_fee=0.0001, spread_bps=2.0, calendar="XNYS"
    )


US_SHARE_FACTS = (
    "Fees and spread: workbench's defaults for a liquid US share. Calendar: the New York exchange's sessions."
)
ADJUSTED_FACTS = f"{US_SHARE_FACTS} Tick and lot are left open, as adjusted prices keep to neither."
INDEX_FACTS = f"{US_SHARE_FACTS} An index cannot be traded itself: the costs are those of a fund on it."

BTC = Recipe(
    package=GAPLESS,
    path="test_data_large/binance_spot_BTCUSDT-1h_20140101-20240101_v2.5.0_gapped.csv.bak",
    origin="Binance public data, spot klines",
    note=(
        "As Binance published it, with the holes of its outages (the variant that the package has not filled). Twelve "
        "bars are cut short by outages, four of them without volume."
    ),
    facts_from=(
        "Tick, lot and smallest order: QuantConnect's symbol properties, as of today; all were coarser in 2017. Fees: "
        "Binance's published rate without discounts. Spread: workbench's default, wide for today and narrow for 2017."
    ),
    instrument=Instrument(
        symbol="BTC/USDT", venue="binance", kind="spot", quote="USDT", tick_size=0.01, lot_size=0.00001,
        min_notional=5.0, maker_fee=0.001, taker_fee=0.001, spread_bps=2.0, calendar="24/7",
    ),
    options={"timeframe": "1h", "off_grid": "drop"},
    derive=("4h", "1d"),
)  # fmt: skip
EURUSD = Recipe(
    package=GYM,
    path="gym_anytrading/datasets/data/FOREX_EURUSD_1H_ASK.csv",
    origin="broker not named",
    note=(
        "Ask prices: what a buyer pays; the data has no bid. Volume is the broker's own count, not the market's. The "
        "package names no timezone: the weeks open and close at 17:00 New York when the times are read as UTC."
    ),
    facts_from=(
        "Venue: the package's name, as it names no broker. Tick: the five decimals of the data. Fees and spread: "
        "workbench's defaults for a small currency account."
    ),
    instrument=Instrument(
        symbol="EUR/USD", venue="gym-anytrading", kind="fx", quote="USD", tick_size=0.00001,
        maker_fee=0.00002, taker_fee=0.00002, spread_bps=1.0, calendar="24/5",
    ),
    options={"timeframe": "1h"},
)  # fmt: skip
SPX = Recipe(
    package=ARCH,
    path="arch/data/sp500/sp500.csv.gz",
    origin="source not named; laid out as by Yahoo Finance",
    note=(
        "The open is the previous close on 2,004 of 5,031 days, nearly all of them until 2006: a fill at the next open "
        "is then a fill at the close before. Volume counts the shares of the whole index. Without dividends."
    ),
    facts_from=INDEX_FACTS,
    instrument=_us_market("SPX", "index", "index"),
    options={"timeframe": "1d"},
)
IXIC = Recipe(
    package=ARCH,
    path="arch/data/nasdaq/nasdaq.csv.gz",
    origin="source not named; laid out as by Yahoo Finance",
    note=(
        "Volume counts the shares of the whole index and is 0 on 2015-05-12 and 2018-01-09, which were ordinary "
        "trading days. Without dividends."
    ),
    facts_from=INDEX_FACTS,
    instrument=_us_market("IXIC", "index", "index"),
    options={"timeframe": "1d"},
)
GOOGL = Recipe(
    package=GYM,
    path="gym_anytrading/datasets/data/STOCKS_GOOGL.csv",
    origin="source not named; laid out as by Yahoo Finance",
    note="Adjusted for the split of 2014, as the company paid no dividend; not for that of 2022, which came later.",
    facts_from=ADJUSTED_FACTS,
    instrument=_us_market("GOOGL", "nasdaq", "equity"),
    options={"timeframe": "1d"},
)
WTI = Recipe(
    package=ARCH,
    path="arch/data/wti/wti.csv.gz",
    origin="FRED, series DCOILWTICO",
    note=(
        "Spot price of crude oil at Cushing, one figure a day. Its holidays are not quite New York's: the 29 missing "
        "days and 30 days on which the exchange was closed are those of the source."
    ),
    facts_from=f"{US_SHARE_FACTS} That calendar comes closest; the price is an assessment and cannot be traded itself.",
    instrument=_us_market("WTI", "fred", "index"),
    options={"timeframe": "1d", "close_only": True, "columns": {"close": "DCOILWTICO"}},
    blank=("DCOILWTICO", "."),
)


def _stock(symbol: str, venue: str) -> Recipe:
    return Recipe(
        package=SKFOLIO,
        path="skfolio/datasets/data/sp500_dataset.csv.gz",
        origin="source not named",
        note=(
            "Closes adjusted for splits and dividends, rounded to a thousandth of a dollar. The package gives them for "
            "tests and examples only and says that they are not meant for investment, trading or commercial use."
        ),
        facts_from=f"{ADJUSTED_FACTS} Venue: where the share was listed.",
        instrument=_us_market(symbol, venue, "equity"),
        options={"timeframe": "1d", "close_only": True, "columns": {"close": symbol}},
    )


SHARES = {"JPM": "nyse", "KO": "nyse", "MSFT": "nasdaq", "WMT": "nyse", "XOM": "nyse"}
RECIPES = (BTC, EURUSD, SPX, IXIC, GOOGL, WTI, *(_stock(symbol, venue) for symbol, venue in SHARES.items()))


def main() -> None:
    """Write every file of this folder except README.md and this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, package in (("gapless", GAPLESS), ("arch", ARCH), ("gym", GYM), ("skfolio", SKFOLIO)):
        parser.add_argument(f"--{option}", type=Path, required=True, help=f"{package}, unpacked")
    given = parser.parse_args()
    roots = {GAPLESS: given.gapless, ARCH: given.arch, GYM: given.gym, SKFOLIO: given.skfolio}
    entries = []
    for recipe in RECIPES:
        cleaned, blanks = recipe.load(roots[recipe.package])
        entries.append(_entry(recipe, cleaned, blanks))
        print(entries[-1]["file"], f"{len(cleaned.bars):,} bars", *cleaned.report.notes, sep="; ")
    (HERE / "samples.toml").write_text(HEAD + "".join(map(_toml, entries)), encoding="utf-8")
    _copy_licences(roots)


def _entry(recipe: Recipe, cleaned: Cleaned, blanks: int) -> dict[str, Any]:
    bars, report = cleaned
    file = f"{bars.venue}_{bars.symbol.replace('/', '-')}_{bars.timeframe}.parquet"
    _write(bars, HERE / file)
    done = [f"{blanks} rows without a value left out", *report.notes] if blanks else report.notes
    only = "; meant for tests and examples only" if recipe.package == SKFOLIO else ""
    return {
        "file": file,
        "timeframe": str(bars.timeframe),
        "source": f"{recipe.package} ({recipe.origin})",
        "source_file": recipe.path,
        "licence": f"{LICENCES[recipe.package]} (the package's{only})",
        "note": " ".join((recipe.note, *(f"{text[0].upper()}{text[1:]}." for text in done))),
        "facts_from": recipe.facts_from,
        **({"derive": list(recipe.derive)} if recipe.derive else {}),
        "rows_in_source": report.rows_in + blanks,
        "rows": len(bars),
        "first": moment(bars.ts[0]),
        "last": moment(bars.ts[-1]),
        "gaps": report.gaps,
        "missing": report.missing,
        "fingerprint": bars.fingerprint,
        "instrument": bars.instrument.to_dict(),
    }


def _write(bars: Bars, path: Path) -> None:
    table = pa.table({name: getattr(bars, name) for name in ("ts", *COLUMNS)})
    encoding = {"ts": "DELTA_BINARY_PACKED"} | dict.fromkeys(COLUMNS, "PLAIN")
    pq.write_table(
        table, path, compression="zstd", compression_level=19, use_dictionary=False, column_encoding=encoding
    )


def _toml(entry: dict[str, Any]) -> str:
    """Write one entry; text as JSON is text as TOML."""
    instrument = entry.pop("instrument")
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items()]
    facts = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in instrument.items()]
    return "\n".join(("", "[[series]]", *lines, "[series.instrument]", *facts, ""))


def _copy_licences(roots: dict[str, Path]) -> None:
    folder = HERE / "licences"
    folder.mkdir(exist_ok=True)
    for package, file in LICENCE_FILES.items():
        name = package.replace(" ", "-")
        shutil.copyfile(roots[package] / file, folder / f"{name}-{LICENCES[package]}.txt")


HEAD = """\
# The sample series: what each file holds and where it comes from. Written by build.py; README.md says it in words.
# "rows_in_source" counts the source's rows, "missing" the bars that the calendar expects inside the series and that
# are not there. The fingerprint is that of the content; tests and installation compare it.
"""

if __name__ == "__main__":
    main()
