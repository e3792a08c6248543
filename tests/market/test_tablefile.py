"""Files of bars: CSV in its dialects, packed, broken, and Parquet."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from tests.market.made_tables import HOURS, SPOT, hours, opened, table, texts, times
from workbench.errors import DataError
from workbench.market.importing import clean, import_file


def csv(frame, **options):
    return frame.to_csv(index=False, **options)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_with_any_separator(tmp_path, separator):
    path = tmp_path / "bars.csv"
    path.write_text(csv(table(texts()), sep=separator))
    bars, report = import_file(path, **SPOT)
    assert bars == clean(table(texts()), **SPOT).bars
    assert bars.provenance["source"] == "bars.csv"
    assert report.rows_in == 6


def test_comments_blank_lines_and_a_byte_order_mark_are_skipped(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes(("\ufeff# a remark, with commas\n#\n\n" + csv(table(texts())) + "\n\n").encode())
    assert opened(import_file(path, **SPOT)) == HOURS


def test_text_that_marks_itself_as_utf_16(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes(csv(table(texts())).encode("utf-16"))
    assert opened(import_file(path, **SPOT)) == HOURS


def test_the_address_of_the_publisher_above_the_header_is_a_remark(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("https://www.example.com\n" + csv(table(texts())))
    assert opened(import_file(path, **SPOT)) == HOURS


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_compressed_csv_whatever_its_name(tmp_path, ending):
    text = csv(table(texts()), lineterminator=ending).encode()
    packed = tmp_path / "bars.bak"
    packed.write_bytes(gzip.compress(text))
    assert opened(import_file(packed, **SPOT)) == HOURS
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.csv", text)
    assert opened(import_file(packed, **SPOT)) == HOURS
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("another.csv", text)
    with pytest.raises(DataError, match=r"bars.bak: the archive holds 2 files"):
        import_file(packed, **SPOT)


@pytest.mark.parametrize("scale", [1_000, 1_000_000])  # Binance went from milliseconds to microseconds in 2025
def test_binance_candles_without_a_header(tmp_path, scale):
    path = tmp_path / "BTCUSDT-1h-2021-01.csv"
    opens = [1_609_459_200 + 3_600 * hour for hour in range(6)]
    rows = [(at * scale, 100.0, 101.5, 99.5, 100.5, at % 7 + 0.25, (at + 3_599) * scale, 1, 2, 3, 4, 0) for at in opens]
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    bars, report = import_file(path, **SPOT)
    assert times(bars) == HOURS
    assert bars.volume.tolist() == [at % 7 + 0.25 for at in opens]
    assert "quote_volume" in report.ignored


def test_csv_without_a_header_is_read_by_positions(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(csv(table(texts(style="%Y%m%d%H%M")), header=False))
    with pytest.raises(DataError, match=r"no column for 'ts', .* among 0, 1, 2, 3, 4, 5"):
        import_file(path, **SPOT)
    told = {"ts": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 5}
    assert opened(import_file(path, **SPOT, columns=told)) == HOURS


def test_a_headerless_row_that_begins_with_a_date_is_no_header(tmp_path):
    path = tmp_path / "bars.csv"
    frame = table(hours().dt.strftime("%Y.%m.%d"), "day")
    frame.insert(1, "clock", hours().dt.strftime("%H:%M"))
    path.write_text(csv(frame, header=False))
    told = {"ts": (0, 1), "open": 2, "high": 3, "low": 4, "close": 5, "volume": 6}
    assert opened(import_file(path, **SPOT, columns=told)) == HOURS


def test_the_same_name_twice_in_a_header_is_refused(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("date,open,high,low,close,volume,close\n2021-01-01,1,1,1,1,1,2\n2021-01-02,1,1,1,1,1,2\n")
    with pytest.raises(DataError, match="'close' could be any of the columns 'close', 'close'"):
        import_file(path, **SPOT)
    with pytest.raises(DataError, match=r"bars\.csv: several columns are named 'close'; rename all but one"):
        import_file(path, **SPOT, columns={"close": "close"})


def test_prices_are_read_to_the_last_bit(tmp_path):
    draw = np.random.default_rng(5)
    prices = np.exp(draw.normal(0, 3, 300))
    frame = table(texts(300), open=prices, high=prices, low=prices, close=prices, volume=draw.random(300))
    path = tmp_path / "bars.csv"
    path.write_text(csv(frame))
    assert import_file(path, **SPOT).bars == clean(frame, **SPOT).bars


def test_parquet_with_the_time_as_column_or_index(tmp_path):
    path = tmp_path / "bars.parquet"
    table(hours()).to_parquet(path, index=False)
    assert opened(import_file(path, **SPOT)) == HOURS
    table(hours()).set_index("date").to_parquet(path)
    assert opened(import_file(path, **SPOT)) == HOURS
    table(hours()).set_index("date").rename_axis(None).to_parquet(path)
    assert opened(import_file(path, **SPOT)) == HOURS


def test_files_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "bars.csv"
    with pytest.raises(DataError, match=r"bars\.csv: there is no such file"):
        import_file(path, **SPOT)
    with pytest.raises(DataError, match="cannot be read"):
        import_file(tmp_path, **SPOT)
    whole = io.BytesIO()
    table(hours()).to_parquet(whole)
    for content, message in (
        (b"", "the file is empty"),
        (b"# only\n# remarks\n", "the file has no rows"),
        (b"date,open,high,low,close,volume\n", "has a header but no rows"),
        (csv(table(texts())).encode("utf-16-le"), "not UTF-8 text|cannot be read"),
        ("date,Schlußkurs\n2021,1\n".encode("latin-1"), "not UTF-8 text"),
        (
            csv(table(texts())).encode() + b"2021-01-01 06:00,1,2\n",
            "cannot be read as CSV with ',' between the columns",
        ),
        (gzip.compress(csv(table(texts())).encode())[:60], "cannot be read"),
        (b"PK\x03\x04" + b"x" * 50, "cannot be read"),
        (b"PAR1 and then nothing of the kind", "cannot be read as Parquet"),
        (whole.getvalue()[:-20], "cannot be read as Parquet"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"bars.csv: .*{message}"):
            import_file(path, **SPOT)


def test_an_error_in_a_file_says_which_file(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(csv(table(["soon", "later"])))
    with pytest.raises(DataError, match="text that is no time") as caught:
        import_file(path, **SPOT)
    assert caught.value.__notes__ == [f"while importing {path}"]
