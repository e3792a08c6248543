"""Files that mean harm, or that something went wrong with: made from a seed, so that a bad one can be made again."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

NAMES = ["date", "open", "high", "low", "close", "volume"]
ODD_TEXTS = [
    "", " ", "nan", "NaN", "inf", "-inf", "null", "None", "true", "0x10", "1e400", "-1e400", "1e-400", "1_000", "1,5",
    "1.000,50", "$5", "٣", "９", "\x00", "\ufffe", "'; DROP TABLE bars; --", "=1+1", "../../etc", "9" * 400, "-0", '"',
    '""', "\r", "\n", "a,b;c\td|e", "2021-02-30", "0000-00-00", "9999-12-31", "-4000-01-01", "2021-13-01 25:61",
    "1/2/3", "12:00", "99999999999999999999", "2021-01-01T00:00:00+99:99", "1677-09-21", "2262-04-12",
    "2021-03-28 02:30", "🚀",
]  # fmt: skip
ODD_NUMBERS: list[Any] = [
    0, -1, 1, True, None, float("nan"), float("inf"), -float("inf"), 1e308, 5e-324, 2**31, 2**63 - 1, -(2**63), 2**63,
    2**64, 10**30, 10**400, 1_609_459_200, 1_609_459_200_000, 1_609_459_200_000_000, 20210101, 0.1,
]  # fmt: skip
ODD_JSON: list[Any] = [[], {}, [[]], {"a": {"b": [1]}}, "text", True, None]


def rows(draw: random.Random) -> list[list[Any]]:
    """Sound rows, mostly; some are replaced, repeated, moved or spoilt."""
    count, step = draw.choice([0, 1, 3, 20, 60, 60, 60]), draw.choice([60_000, 3_600_000, 3_600_000, 86_400_000, 7_777])
    start, price = draw.choice([1_609_459_200_000] * 6 + [0, -(10**13), 10**14, 4_102_444_800_000]), 100.0
    made: list[list[Any]] = []
    for number in range(count):
        price *= 1 + draw.uniform(-0.01, 0.01)
        made.append([start + number * step, price, price * 1.01, price * 0.99, price, draw.uniform(0, 9)])
    for _ in range(draw.choice([0, 0, 1, 1, 2, 8])):
        if not made:
            break
        row = draw.randrange(len(made))
        what = draw.randrange(6)
        if what == 0:
            made[row][draw.randrange(len(made[row]))] = draw.choice(ODD_NUMBERS)
        elif what == 1:
            made[row][draw.randrange(len(made[row]))] = draw.choice(ODD_TEXTS)
        elif what == 2:
            made.insert(draw.randrange(len(made)), list(made[row]))
        elif what == 3:
            draw.shuffle(made)
        elif what == 4:
            made[row] = made[row][: draw.randrange(1, 7)]
            made[row] += [0] * draw.choice([0, 6 - len(made[row])])
        else:
            for one in made:
                one[draw.randrange(len(one))] = draw.choice(ODD_NUMBERS + ODD_TEXTS)
    return made


def names(draw: random.Random) -> list[str]:
    chosen = list(NAMES)
    for _ in range(draw.choice([0, 0, 0, 0, 0, 1, 3])):
        chosen[draw.randrange(6)] = draw.choice(
            [*NAMES, "time", "adj close", "", "Date", "symbol", "x" * 9_999, *ODD_TEXTS]
        )
    return chosen


def csv_file(draw: random.Random) -> bytes:
    mark = draw.choice([",", ",", ",", ";", "\t", "|", " ", ":", ""])
    lines = [mark.join(names(draw))] if draw.random() < 0.8 else []
    for row in rows(draw):
        other = mark if draw.random() < 0.995 else draw.choice([";", ",", "|"])
        lines.append(other.join(f'"{value}"' if draw.random() < 0.01 else _text(value) for value in row))
    if draw.random() < 0.1:
        lines.insert(
            0, draw.choice(["# remark", "https://example.com", "\ufeff\ufeff", "sep=;", "\x00", "x" * 2_000_000])
        )
    text = draw.choice(["\n", "\r\n", "\r", "\n\n"]).join(lines)
    return text.encode(
        draw.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp500"]), errors="replace"
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def json_file(draw: random.Random) -> bytes:
    what, body, head = draw.randrange(14), rows(draw), names(draw)
    records = [dict(zip(head, row, strict=False)) for row in body]
    value: Any = body
    if what == 0:
        return draw.choice(["[", '{"a":', '[{"open":']).encode() * draw.choice([10, 1_000, 200_000])
    if what == 1:
        return b"".join(_dumped(record) + b"\n" for record in draw.choice([records, body]))
    if what == 2:
        return b"[[" + b"9" * draw.choice([20, 400, 5_000]) + b",1,1,1,1,1]]"
    if what in (3, 4):
        value = records
    elif what == 5:
        value = {"columns": head, "data": body, "index": draw.choice([None, [], [0], body])}
    elif what == 6:
        value = {name: [record.get(name) for record in records] for name in head}
    elif what == 7:
        value = {name: {str(number): record.get(name) for number, record in enumerate(records)} for name in head}
    elif what == 8:
        value = {str(row[0]): record for row, record in zip(body, records, strict=True)}
    elif what == 9:
        value = {
            draw.choice(["data", "result", "open", "schema"]): draw.choice([body, records, {"list": body}, 1, ODD_JSON])
        }
    elif what == 10 and records:
        draw.choice(records)[draw.choice(head)] = draw.choice(ODD_JSON)
        value = records
    elif what == 11:
        value = [*body, draw.choice(ODD_JSON)]
    text = _dumped(value)
    if draw.random() < 0.1:
        text = text.replace(b"open", b"close")  # one name twice
    return draw.choice([b"", b"\xef\xbb\xbf", b" \n", b"\xff\xfe"]) + text if draw.random() < 0.2 else text


def _dumped(value: Any) -> bytes:
    return json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", errors="replace")


def parquet_file(draw: random.Random) -> bytes:
    body, head = rows(draw), names(draw)
    columns = [[row[number] if number < len(row) else None for row in body] for number in range(6)]
    arrays = [_array(draw, column) for column in columns]
    chosen = [name.replace("\x00", "") for name in head]
    if draw.random() < 0.1:
        arrays[draw.randrange(6)] = pa.array([[1]] * len(body), pa.list_(pa.int8()))
    table = pa.Table.from_arrays(arrays, names=chosen)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=draw.choice(["none", "snappy", "zstd", "gzip", "lz4"]),
                   row_group_size=draw.choice([1, 7, 10_000]), version=draw.choice(["1.0", "2.6"]))  # fmt: skip
    content = bytearray(sink.getvalue())
    what = draw.randrange(6)
    if what == 0:  # the footer says another length
        content[-8:-4] = draw.choice([b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", draw.randbytes(4)])
    elif what == 1:  # the footer itself
        for _ in range(draw.choice([1, 1, 5, 50])):
            content[-draw.randrange(9, min(len(content), 900))] = draw.randrange(256)
    elif what == 2:  # the pages
        for _ in range(draw.choice([1, 1, 5, 50])):
            content[draw.randrange(4, len(content) - 8)] = draw.randrange(256)
    return bytes(content)


def _array(draw: random.Random, column: list[Any]) -> pa.Array:
    kinds: list[Any] = [
        pa.float64(), pa.float64(), pa.float64(), pa.int64(), pa.string(), pa.bool_(), pa.timestamp("ns"),
        pa.timestamp("s", "UTC"), pa.date32(), pa.float16(), pa.binary(), pa.uint64(), pa.decimal128(38, 2),
        pa.time64("us"), pa.duration("ms"), pa.null(), pa.dictionary(pa.int8(), pa.string()),
    ]  # fmt: skip
    kind = draw.choice(kinds) if draw.random() < 0.2 else None
    try:
        series = pd.Series(column)
        return (
            pa.Array.from_pandas(series)
            if kind is None
            else pa.Array.from_pandas(series.astype(float)).cast(kind, safe=False)
        )
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        return pa.array([str(value) for value in column], pa.string())


def bomb(draw: random.Random) -> bytes:
    """Small, and large once it is unpacked."""
    kind = draw.randrange(3)
    line = b"2021-01-01,1,1,1,1,1\n"
    if kind == 0:
        return gzip.compress(b"date,open,high,low,close,volume\n" + line * (90_000_000 // len(line)), 1)
    if kind == 1:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bars.json", b"[" * 90_000_000)
        return sink.getvalue()
    sink = io.BytesIO()
    table = pa.table({name: np.ones(6_000_000) for name in NAMES})
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def packed(draw: random.Random, content: bytes) -> bytes:
    what = draw.randrange(3)
    if what == 0:
        return gzip.compress(content, 1)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", draw.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])) as archive:
        archive.writestr(draw.choice(["bars.csv", "../../bars.csv", "/etc/bars", "ä", "a/b/"]), content)
        if what == 2 and draw.random() < 0.3:
            archive.writestr("second", b"")
    return sink.getvalue()


def hostile(seed: int) -> bytes:
    """Make file number `seed`."""
    draw = random.Random(seed)
    if seed % 1_000 == 999:
        return bomb(draw)
    content = draw.choice([csv_file, json_file, parquet_file])(draw)
    if draw.random() < 0.15:
        content = packed(draw, content)
    if draw.random() < 0.15 and content:
        content = content[: draw.randrange(len(content))]
    if draw.random() < 0.1 and content:
        spoilt = bytearray(content)
        for _ in range(draw.choice([1, 3, 30])):
            spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
        content = bytes(spoilt)
    return content
