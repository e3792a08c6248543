"""The part store: what counts, what is deleted when, and what a reader gets."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.store import MANIFEST, Manifest, PartStore


def table(*values: int) -> pa.Table:
    return pa.table({"value": pa.array(values, pa.int64())})


def values(store: PartStore) -> list[int]:
    rows = store.table()
    return rows["value"].to_pylist() if rows.num_columns else []


def files(store: PartStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()} - {".lock", MANIFEST}


# ----- what counts


def test_rows_come_back_in_the_order_they_were_added(tmp_path: Path) -> None:
    store = PartStore(tmp_path / "a" / "b")
    assert not store.exists() and values(store) == [] and not store.folder.exists()
    part = store.append(table(3, 1), {"note": "first"})
    store.append(table(2))
    assert store.exists() and values(store) == [3, 1, 2]
    manifest = store.manifest()
    assert (manifest.version, manifest.rows, len(manifest.parts)) == (2, 3, 2)
    assert manifest.parts[0] == part and part.meta == {"note": "first"} and part.rows == 2
    assert manifest.size == sum(store.path(part).stat().st_size for part in manifest.parts)
    assert files(store) == {part.file for part in manifest.parts}


def test_every_part_has_a_name_of_its_own(tmp_path: Path) -> None:
    store = PartStore(tmp_path, grace_s=0)
    names = set()
    for _ in range(5):
        with store.transaction() as change:
            for part in change.parts:
                change.retire(part)
            names.add(change.add(table(1)).file)
    assert len(names) == 5 and files(store) <= names


def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    store = PartStore(tmp_path)
    store.append(table(1))
    before, there = store.manifest(), files(store)
    with pytest.raises(KeyError, match="no"), store.transaction() as change:
        change.retire(change.parts[0])
        change.add(table(2))
        change.meta["x"] = 1
        raise KeyError("no")
    assert store.manifest() == before and files(store) == there


def test_a_transaction_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    store = PartStore(tmp_path)
    store.append(table(1))
    before = (tmp_path / MANIFEST).stat().st_ino
    with store.transaction() as change:
        change.meta.update({})
    assert (tmp_path / MANIFEST).stat().st_ino == before and store.manifest().version == 1


def test_notes_of_the_store_and_of_parts_can_change(tmp_path: Path) -> None:
    store = PartStore(tmp_path)
    store.append(table(1), {"n": 1})
    with store.transaction() as change:
        change.meta["series"] = ["x"]
        change.note(change.parts[0], {"n": 2})
    manifest = store.manifest()
    assert manifest.meta == {"series": ["x"]} and manifest.parts[0].meta == {"n": 2}
    assert manifest.retired == () and values(store) == [1]


class _Nothing(Exception):
    pass


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.lists(st.integers(-9, 9), min_size=1, max_size=3)),
            st.tuples(st.just("retire"), st.integers(0, 5)),
            st.tuples(st.just("fail"), st.lists(st.integers(-9, 9), min_size=1, max_size=3)),
            st.tuples(st.just("compact"), st.integers(0, 4)),
        ),
        max_size=8,
    )
)
def test_any_sequence_of_changes_equals_a_list_of_lists(steps: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, model = PartStore(folder, grace_s=0), list[list[int]]()
        for step, what in steps:
            if step == "add":
                store.append(table(*what))
                model.append(list(what))
            elif step == "retire" and model:
                number = what % len(model)
                with store.transaction() as change:
                    change.retire(change.parts[number])
                del model[number]
            elif step == "fail":
                with pytest.raises(_Nothing), store.transaction() as change:
                    change.add(table(*what))
                    raise _Nothing
            elif step == "compact" and len(model) > what:
                assert store.compact(more_than=what) == len(model)
                model = [list(chain.from_iterable(model))]
            assert [store.table([part])["value"].to_pylist() for part in store.manifest().parts] == model
        with store.transaction():
            pass
        assert files(store) == {part.file for part in store.manifest().parts}  # a last writer has swept the rest


# ----- what is deleted, and when


def test_a_retired_file_stays_for_the_grace_period(tmp_path: Path) -> None:
    slow, fast = PartStore(tmp_path, grace_s=3_600), PartStore(tmp_path, grace_s=0)
    old = slow.append(table(1))
    with slow.transaction() as change:
        change.retire(old)
        new = change.add(table(2))
    slow.append(table(3))
    assert slow.path(old).exists() and [entry.file for entry in slow.manifest().retired] == [old.file]
    fast.append(table(4))
    assert not slow.path(old).exists() and slow.path(new).exists() and slow.manifest().retired == ()


def test_a_fast_writer_does_not_fill_the_disk_within_the_grace_period(tmp_path: Path) -> None:
    store = PartStore(tmp_path, grace_s=3_600)
    with store.transaction() as change:
        old = [change.add(table(number)) for number in range(80)]
    with store.transaction() as change:
        for part in old:
            change.retire(part)
        change.add(table(1))
    path = tmp_path / MANIFEST
    document = json.loads(path.read_text())
    document["retired"] = [{**entry, "at": entry["at"] - 10_000} for entry in document["retired"]]  # ten seconds later
    path.write_text(json.dumps(document))
    with store.transaction():
        pass
    assert len(files(store)) == 64 + 1


def test_what_killed_writers_leave_is_swept_when_it_is_old(tmp_path: Path) -> None:
    store = PartStore(tmp_path, grace_s=60)
    part = store.append(table(1))
    for name in ("00000002-dead.parquet", "manifest-dead.tmp", "README.md"):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "00000002-young.parquet").write_bytes(b"x")
    os.utime(store.path(part), (0, 0))
    store.append(table(2))
    assert {"README.md", "00000002-young.parquet", part.file} <= files(store)
    assert not {"00000002-dead.parquet", "manifest-dead.tmp"} & files(store)


def test_a_store_can_be_deleted_and_begun_again(tmp_path: Path) -> None:
    store = PartStore(tmp_path / "x")
    store.append(table(1))
    store.delete()
    assert not store.folder.exists() and values(store) == []
    store.append(table(2))
    assert values(store) == [2] and store.manifest().version == 1


def test_deleting_keeps_what_is_not_the_stores(tmp_path: Path) -> None:
    store = PartStore(tmp_path / "x")
    store.append(table(1))
    (store.folder / "README.md").write_text("mine")
    store.delete()
    assert [path.name for path in store.folder.iterdir()] == ["README.md"] and not store.exists()


# ----- readers


def replace_all(store: PartStore, value: int) -> None:
    with store.transaction() as change:
        for part in change.parts:
            change.retire(part)
        change.add(table(value))
    with store.transaction():  # sweeps, for there is no grace
        pass


def test_a_reader_whose_parts_are_gone_reads_again(tmp_path: Path) -> None:
    store = PartStore(tmp_path, grace_s=0)
    store.append(table(1))
    seen = []

    def load(manifest: Manifest) -> list[int]:
        seen.append(manifest.version)
        if len(seen) < 3:
            replace_all(store, 10 + len(seen))
        return list(store.table(manifest.parts)["value"].to_pylist())

    assert store.read(load) == [12] and seen == [1, 2, 3]


def test_a_reader_that_never_gets_through_gives_up(tmp_path: Path) -> None:
    store = PartStore(tmp_path, grace_s=0)
    store.append(table(1))

    def load(manifest: Manifest) -> pa.Table:
        replace_all(store, 2)
        return store.table(manifest.parts)

    with pytest.raises(DataError, match="replaced 20 times while they were read; pause the writer"):
        store.read(load)


def test_a_readers_own_error_comes_through_at_once(tmp_path: Path) -> None:
    store, calls = PartStore(tmp_path, grace_s=0), []
    store.append(table(1))

    def load(manifest: Manifest) -> None:
        calls.append(manifest)
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        store.read(load)
    assert len(calls) == 1


def test_columns_that_a_part_lacks_are_null(tmp_path: Path) -> None:
    store = PartStore(tmp_path)
    store.append(pa.table({"a": [1]}))
    store.append(pa.table({"a": [2.5], "b": ["x"]}))
    assert store.table().to_pydict() == {"a": [1.0, 2.5], "b": [None, "x"]}


# ----- many small parts


def test_small_parts_are_merged_when_there_are_many(tmp_path: Path) -> None:
    store = PartStore(tmp_path)
    big = store.append(table(*range(50)))
    for number in range(4):
        store.append(table(100 + number))
    assert store.compact(more_than=4, below_rows=10) == 0 and len(store.manifest().parts) == 5
    assert store.compact(more_than=3, below_rows=10, meta={"merged": True}) == 4
    first, second = store.manifest().parts
    assert first == big and second.rows == 4 and second.meta == {"merged": True}
    assert values(store) == [*range(50), 100, 101, 102, 103]


# ----- spoilt files


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "the file is missing"),
        (lambda path: os.truncate(path, 10), r"the file has 10 bytes, \d+ were written"),
        (lambda path: path.write_bytes(path.read_bytes()[::-1]), "the file's checksum is [0-9a-f]{8}, [0-9a-f]{8} was"),
    ],
)
def test_a_spoilt_part_is_named(tmp_path: Path, spoil: Callable[[Path], object], reason: str) -> None:
    store = PartStore(tmp_path)
    good, bad = store.append(table(1)), store.append(table(2))
    spoil(store.path(bad))
    assert store.damage(good) is None
    with pytest.raises(DataError, match=f"{bad.file}: {reason}"):
        store.table()
    assert store.table([good])["value"].to_pylist() == [1]


WRONG_PART = '{"format": 1, "version": 1, "meta": {}, "parts": [{"a": 1}], "retired": []}'


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "x"}', "null", WRONG_PART])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=rf"{MANIFEST} is damaged .*restore it from a backup"):
        PartStore(tmp_path).manifest()
    with pytest.raises(DataError, match="is damaged"):
        PartStore(tmp_path).append(table(1))


def test_a_manifest_of_the_future_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"format": 2}')
    with pytest.raises(DataError, match="format 2, this workbench knows 1: upgrade"):
        PartStore(tmp_path).append(table(1))
    assert (tmp_path / MANIFEST).read_text() == '{"format": 2}'
