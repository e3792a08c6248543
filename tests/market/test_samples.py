"""The bundled data: every file against its description, and every remark in the description against the file."""

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.market.bars import moment
from workbench.market.calendar import expected_opens
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.samples import install_samples, load_samples

FOLDER = Path(__file__).resolve().parents[2] / "data" / "sample"
LISTED = {
    facts["file"]: facts for facts in tomllib.loads((FOLDER / "samples.toml").read_text(encoding="utf-8"))["series"]
}


@pytest.fixture(scope="module")
def samples():
    return {sample.file: sample for sample in load_samples(FOLDER)}


@pytest.fixture(scope="module")
def bars(samples):
    return {sample.bars.symbol: sample.bars for sample in samples.values()}


@pytest.fixture
def copied(tmp_path):
    """A folder with two small samples that a test may damage."""
    folder = tmp_path / "sample"
    folder.mkdir()
    text = (FOLDER / "samples.toml").read_text(encoding="utf-8")
    few = [part for part in text.split("[[series]]") if "GOOGL" in part or "_KO_" in part]
    (folder / "samples.toml").write_text("".join(f"[[series]]{part}" for part in few), encoding="utf-8")
    for name in ("nasdaq_GOOGL_1d.parquet", "nyse_KO_1d.parquet"):
        shutil.copy(FOLDER / name, folder)
    return folder


@pytest.mark.parametrize("file", LISTED)
def test_each_file_is_what_its_description_says(file, samples):
    said, found = LISTED[file], samples[file].bars
    assert len(found) == said["rows"] <= said["rows_in_source"]
    assert (moment(found.ts[0]), moment(found.ts[-1])) == (said["first"], said["last"])
    assert (len(found.gaps), sum(gap.missing for gap in found.gaps)) == (said["gaps"], said["missing"])
    assert found.fingerprint == said["fingerprint"]
    assert found.instrument == Instrument.from_dict(said["instrument"])
    assert found.provenance == {name: said[name] for name in ("source", "licence", "note")}
    assert said["facts_from"]
    assert found.filled is None


def test_every_file_is_listed_small_and_licensed():
    assert {path.name for path in FOLDER.glob("*.parquet")} == set(LISTED)
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 15e6
    texts = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / "licences").iterdir()}
    for said in LISTED.values():
        package = said["source"].partition(" (")[0].replace(" ", "-")
        licence = said["licence"].partition(" (")[0]
        assert "Copyright" in texts[f"{package}-{licence}.txt"]


def test_the_readme_knows_every_series():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for said in LISTED.values():
        assert said["instrument"]["symbol"] in text
        assert f"{said['rows']:,} × {said['timeframe']}" in text
        assert f"{said['first']} to {said['last']}" in text
        assert (f"{said['gaps']} / {said['missing']}" if said["gaps"] else "none") in text
        assert said["source"].partition(" (")[0] in text


def test_there_are_crypto_indices_and_currencies_enough():
    kinds = [said["instrument"]["kind"] for said in LISTED.values()]
    assert kinds.count("spot") >= 1
    assert kinds.count("fx") >= 1
    assert sum(said["instrument"]["symbol"] in ("SPX", "IXIC") for said in LISTED.values()) == 2
    assert sum(1 + len(said.get("derive", ())) for said in LISTED.values()) >= 8


def test_the_remarks_about_the_data_are_true(bars):
    spx, ixic, btc, wti = (bars[symbol] for symbol in ("SPX", "IXIC", "BTC/USDT", "WTI"))
    assert int((spx.open[1:] == spx.close[:-1]).sum()) == 2_004
    assert [moment(ts) for ts in ixic.ts[ixic.volume == 0]] == ["2015-05-12", "2018-01-09"]
    assert [moment(ts) for ts in btc.ts[btc.volume == 0]] == [
        "2019-06-07 21:00",
        "2020-12-21 14:00",
        "2021-02-11 03:00",
        "2023-03-24 12:00",
    ]
    longest = max(btc.gaps, key=lambda gap: gap.missing)
    assert (moment(longest.start), moment(longest.end)) == ("2018-02-08 01:00", "2018-02-11 04:00")
    sessions = expected_opens("XNYS", "1d", wti.start, wti.end)
    assert int((~np.isin(wti.ts, sessions)).sum()) == 30
    for symbol in ("WTI", "JPM", "KO", "MSFT", "WMT", "XOM"):
        close_only = bars[symbol]
        assert (close_only.open == close_only.close).all()
        assert (close_only.high == close_only.low).all()
        assert not close_only.volume.any()
        assert "Close only" in close_only.provenance["note"]
    for symbol in ("JPM", "KO", "MSFT", "WMT", "XOM"):
        assert "tests and examples only" in bars[symbol].provenance["note"]


def test_prices_that_are_public_record_are_there(bars):
    day = bars["GOOGL"].between("2018-08-01", "2018-08-02")
    assert day.close[0] == pytest.approx(1_232.99, abs=0.005)
    assert bars["SPX"].between("2008-10-13", "2008-10-14").close[0] == pytest.approx(1_003.35, abs=0.005)


def test_installation_writes_each_series_once(copied, tmp_path):
    lake = Lake(tmp_path / "lake")
    first = install_samples(lake, copied)
    assert first.written == ("GOOGL 1d at nasdaq", "KO 1d at nyse")
    assert str(first) == "2 sample series written, 0 were there"
    before = lake.series()
    again = install_samples(lake, copied)
    assert (again.written, again.present) == ((), first.written)
    assert lake.series() == before
    stored = lake.read("KO", "1d")
    assert stored.provenance["source"] == LISTED["nyse_KO_1d.parquet"]["source"]
    assert stored.provenance["licence"].startswith("BSD-3-Clause")


def test_a_series_that_is_there_already_is_left_alone(copied, tmp_path):
    lake = Lake(tmp_path / "lake")
    own = load_samples(copied)[0].bars[:10]
    lake.write(own, source="mine")
    assert install_samples(lake, copied).present == ("GOOGL 1d at nasdaq",)
    assert lake.read("GOOGL", "1d") == own


def test_the_whole_folder_installs_with_the_derived_series(lake):
    have = {(info.symbol, info.timeframe): info for info in lake.series()}
    for said in LISTED.values():
        assert have[said["instrument"]["symbol"], said["timeframe"]].fingerprint == said["fingerprint"]
    for timeframe in ("4h", "1d"):
        note = lake.read("BTC/USDT", timeframe).provenance["note"]
        assert "resampled from 1h, complete bars only" in note
        assert "incomplete" in note


def test_installed_samples_are_found_without_opening_their_files(copied, tmp_path):
    lake = Lake(tmp_path / "lake")
    install_samples(lake, copied)
    for path in copied.glob("*.parquet"):
        path.unlink()
    assert install_samples(lake, copied).written == ()


def test_a_missing_sample_is_named(copied):
    (copied / "nyse_KO_1d.parquet").unlink()
    with pytest.raises(DataError, match=r"nyse_KO_1d\.parquet: this sample is listed in samples\.toml and not there"):
        load_samples(copied)


@pytest.mark.parametrize("damage", [b"", b"PAR1 nothing", None])
def test_a_damaged_sample_is_named(copied, damage, tmp_path):
    path = copied / "nyse_KO_1d.parquet"
    path.write_bytes(path.read_bytes()[:-500] if damage is None else damage)
    lake = Lake(tmp_path / "lake")
    with pytest.raises(DataError, match=r"nyse_KO_1d\.parquet: this sample is damaged"):
        install_samples(lake, copied)
    assert [info.symbol for info in lake.series()] == ["GOOGL"]  # what came before stays


def test_a_sample_with_other_content_is_named(copied):
    shutil.copy(FOLDER / "nyse_JPM_1d.parquet", copied / "nyse_KO_1d.parquet")
    with pytest.raises(
        DataError, match=r"nyse_KO_1d\.parquet: this sample is not the one that samples\.toml describes"
    ):
        load_samples(copied)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "the list of samples cannot be read"),
        ("series = [", "is not valid TOML"),
        ("[[series]]\nfile = 'x.parquet'", "an entry is not understood"),
        ("nothing = 1", "an entry is not understood"),
    ],
)
def test_a_bad_list_is_named(tmp_path, text, message):
    if text is not None:
        (tmp_path / "samples.toml").write_text(text)
    with pytest.raises(DataError, match=f"samples.toml: .*{message}"):
        load_samples(tmp_path)
