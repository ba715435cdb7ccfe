"""The audit mirror: whatever is done to it is found and named, whatever happens while writing is survived."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import multiprocessing
import os
import random
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlgates.ledger import PROJECTED, Entry, Kind, facts
from pytest_mlgates.ledger.chain import AuditBroken, Head, sealed, walk
from pytest_mlgates.ports import Row
from pytest_mlgates.promotion.audit import SCHEMA, FileAnchor, compare, entries, mirror, verify

LOG = "m.mlgates-ledger"
Promise = Callable[[str, object], None]
COUNT = 40


def row(number: int, **more: str) -> Row:
    text, operation = f"no. {number}", f"{number:032x}"
    entry = Entry(Kind.HOLD, "ann", from_="1", to="2", after=1, reason=text, operation=operation, time="2026-01-01")
    return Row(number, facts(entry) | more)


ROWS = [row(number) for number in range(1, COUNT + 1)]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    assert mirror(file, LOG, ROWS) == COUNT
    return file


@pytest.fixture
def kept(pristine: Path, tmp_path: Path) -> Path:
    return copy(pristine, tmp_path)


def copy(file: Path, folder: Path) -> Path:
    there = folder / file.name
    there.write_bytes(file.read_bytes())
    (folder / f"{file.name}.head").write_bytes((file.parent / f"{file.name}.head").read_bytes())
    return there


def broken(file: Path) -> str:
    with pytest.raises(AuditBroken) as caught:
        verify(file)
    return str(caught.value)


def test_an_untouched_mirror_is_whole_and_says_what_the_log_says(kept: Path) -> None:
    assert verify(kept).entry == COUNT
    assert entries(kept) == ROWS
    compare(kept, ROWS)


def test_it_grows_by_what_is_new_only(kept: Path) -> None:
    before = kept.read_bytes()
    assert mirror(kept, LOG, ROWS) == 0
    assert kept.read_bytes() == before
    assert mirror(kept, LOG, [*ROWS, row(COUNT + 1), row(COUNT + 2)]) == 2
    assert kept.read_bytes().startswith(before)
    assert verify(kept).entry == COUNT + 2


def test_later_notes_and_foreign_tags_are_no_part_of_the_record(kept: Path) -> None:
    compare(kept, [row(1, **{PROJECTED: "today", "owner": "you"}), *ROWS[1:]])


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_found_and_its_entry_named(pristine: Path, tmp_path: Path, data: st.DataObject) -> None:
    file = copy(pristine, tmp_path)
    text = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(text)
    line = pristine.read_bytes()[:place].count(b"\n")
    said = broken(file)
    if line:
        assert f"line {line + 1}: " in said
        assert re.search(rf"entry {line}\b", said), (line, said)
    else:
        assert "line 1: the header is missing or was altered" in said


def first_named(text: bytes, known: Head) -> int:
    """The entry that a damaged mirror is said to be wrong at, 0 for its header."""
    with pytest.raises(AuditBroken) as caught:
        walk(io.BytesIO(text), known)
    said = str(caught.value)
    found = re.search(r"line (\d+): ", said)
    assert found, said
    assert found[1] == "1" or re.search(rf"entry {int(found[1]) - 1}\b", said), said
    return int(found[1]) - 1


@pytest.mark.long
def test_every_byte_of_a_mirror_and_bytes_of_ten_thousand_entries(
    pristine: Path, tmp_path: Path, promise: Promise
) -> None:
    small, dice = bytearray(pristine.read_bytes()), random.Random(1)
    known = FileAnchor(pristine).load()
    assert known is not None
    for place in range(len(small)):
        kept, small[place] = small[place], small[place] ^ dice.randrange(1, 256)
        line = pristine.read_bytes()[:place].count(b"\n")
        assert first_named(bytes(small), known) == line, place
        small[place] = kept
    file = tmp_path / "audit.jsonl"
    mirror(file, LOG, [row(number) for number in range(1, 10_001)])
    large, known = bytearray(file.read_bytes()), verify(file)
    places = [dice.randrange(len(large)) for _ in range(300)]
    for place in places:
        kept, large[place] = large[place], large[place] ^ dice.randrange(1, 256)
        assert first_named(bytes(large), known) == file.read_bytes()[:place].count(b"\n"), place
        large[place] = kept
    found = f"each of {len(small):,} bytes of {COUNT} entries, {len(places)} bytes of 10,000 entries: all named"
    promise("one byte of the audit mirror changed", found)


@pytest.mark.parametrize("line", range(COUNT + 1))
def test_any_removed_line_is_found_and_named(kept: Path, line: int) -> None:
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    said = broken(kept)
    if line == 0:
        assert "the header is missing" in said
    elif line == COUNT:
        assert f"it was truncated after entry {COUNT - 1}: it had {COUNT + 1} lines, up to {COUNT}" in said
    else:
        assert f"line {line + 1}: entry {line} is missing, or was altered: entry {line + 1} stands in its place" in said


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_two_lines_exchanged_are_found_and_named(pristine: Path, tmp_path: Path, data: st.DataObject) -> None:
    file = copy(pristine, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    first = data.draw(st.integers(1, COUNT - 1))
    second = data.draw(st.integers(first + 1, COUNT))
    lines[first], lines[second] = lines[second], lines[first]
    file.write_bytes(b"".join(lines))
    assert f"entry {second} stands before entry {first}: the order was changed" in broken(file)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_cut_anywhere_is_found(pristine: Path, tmp_path: Path, data: st.DataObject) -> None:
    file = copy(pristine, tmp_path)
    text = file.read_bytes()
    length = data.draw(st.integers(0, len(text) - 1))
    file.write_bytes(text[:length])
    whole = text[:length].count(b"\n")
    said = broken(file)
    if text[:length].endswith(b"\n") or not length:
        assert "it was truncated after entry" in said
    elif whole:
        assert f"entry {whole} is cut off in the middle" in said or f"entry {whole} was altered" in said


def test_a_repeated_line_is_found(kept: Path) -> None:
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:6] + lines[5:]))
    assert "entry 6 was altered or moved: entry 5 stands in its place" in broken(kept)


def test_a_mirror_sealed_anew_from_end_to_end_is_found_by_its_anchor(kept: Path) -> None:
    bodies = [{"schema": SCHEMA, "log": LOG}] + [
        {"entry": r.number, "facts": dict(r.facts) | ({"mlgates.actor": "eve"} if r.number == 5 else {})} for r in ROWS
    ]
    kept.write_bytes(sealed("", bodies)[0])
    assert "it was rewritten: entry 40 is not sealed as it was when it was written" in broken(kept)
    with pytest.raises(AuditBroken, match=r"^entry 5 differs between .* and the registry's log: mlgates\.actor$"):
        compare(kept, ROWS)


def test_nothing_is_added_to_a_damaged_mirror(kept: Path) -> None:
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:-1]))
    before = kept.read_bytes()
    with pytest.raises(AuditBroken, match="nothing was added to it: it was truncated after entry 39"):
        mirror(kept, LOG, [*ROWS, row(COUNT + 1)])
    assert kept.read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"lines": 1}'])
def test_a_damaged_anchor_is_said(kept: Path, damage: bytes) -> None:
    FileAnchor(kept).file.write_bytes(damage)
    assert "its anchor" in broken(kept)


def test_a_missing_anchor_is_said(kept: Path) -> None:
    FileAnchor(kept).file.unlink()
    assert "has no anchor: nothing says whether its end is missing" in broken(kept)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in broken(tmp_path / "none.jsonl")


def test_differences_from_the_registry_are_named(kept: Path) -> None:
    with pytest.raises(AuditBroken, match=r"entry 7 is in .*, but no longer in the registry's log"):
        compare(kept, [r for r in ROWS if r.number != 7])
    with pytest.raises(AuditBroken, match="entry 41 is in the registry's log, but not in"):
        compare(kept, [*ROWS, row(41)])


def test_a_gap_in_the_log_itself_does_not_break_the_mirror(tmp_path: Path) -> None:
    """Entry 3 was deleted before it could be mirrored: the log says so, the mirror stays usable."""
    file = tmp_path / "audit.jsonl"
    mirror(file, LOG, [r for r in ROWS[:10] if r.number != 3])
    assert verify(file).entry == 10


def test_a_newer_schema_is_refused_and_an_older_one_read(kept: Path) -> None:
    newer = kept.with_name("newer.jsonl")
    newer.write_bytes(sealed("", [{"schema": SCHEMA + 1, "log": LOG}, {"what": "else"}])[0])
    with pytest.raises(AuditBroken, match=r"written by a newer pytest-mlgates \(schema 2\): upgrade"):
        entries(newer)
    older = kept.with_name("older.jsonl")
    older.write_bytes(sealed("", [{"schema": 0, "log": LOG}, {"entry": 1, "facts": {}}])[0])
    assert entries(older) == [Row(1, {})]


def test_what_a_crash_left_half_written_is_replaced(kept: Path) -> None:
    whole = kept.read_bytes()
    grown, _ = sealed(whole.splitlines()[-1][:64].decode(), [{"entry": COUNT + 1, "facts": {}}])
    for length in range(1, len(grown)):
        kept.write_bytes(whole + grown[:length])
        assert mirror(kept, LOG, [*ROWS, row(COUNT + 1)]) == 1
        assert verify(kept).entry == COUNT + 1
        assert entries(kept)[-1] == row(COUNT + 1)
        FileAnchor(kept).store(Head(COUNT + 1, whole.splitlines()[-1][:64].decode(), COUNT))


def test_a_crash_between_the_mirror_and_its_anchor_is_no_damage(kept: Path) -> None:
    anchor = FileAnchor(kept).file.read_bytes()
    mirror(kept, LOG, [*ROWS, row(COUNT + 1)])
    FileAnchor(kept).file.write_bytes(anchor)
    assert verify(kept).entry == COUNT + 1
    assert mirror(kept, LOG, [*ROWS, row(COUNT + 1), row(COUNT + 2)]) == 1
    assert verify(kept).entry == COUNT + 2


def test_a_full_disk_leaves_the_mirror_as_it_was(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write, written = kept.read_bytes(), os.write, []

    def full(handle: int, text: bytes) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(text)
        return write(handle, text[:100])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(AuditBroken, match="cannot be written: No space left on device"):
        mirror(kept, LOG, [*ROWS, row(COUNT + 1)])
    monkeypatch.undo()
    assert written
    assert kept.read_bytes() == before
    assert verify(kept).entry == COUNT


def test_a_cut_the_anchor_knows_of_is_damage_and_stays_as_it_was_found(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-20])
    before = kept.read_bytes()
    with pytest.raises(AuditBroken, match="nothing was added to it"):
        mirror(kept, LOG, [*ROWS, row(COUNT + 1)])
    assert kept.read_bytes() == before


def test_nobody_else_may_write_meanwhile(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, refused = os.write, []

    def meanwhile(handle: int, text: bytes) -> int:
        if not refused:
            with kept.open("ab") as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            refused.append(handle)
        return write(handle, text)

    monkeypatch.setattr(os, "write", meanwhile)
    assert mirror(kept, LOG, [*ROWS, row(COUNT + 1)]) == 1
    assert refused


def _mirror_all(file: str, upto: int) -> None:
    for number in range(1, upto + 1):
        mirror(Path(file), LOG, [row(n) for n in range(1, number + 1)])


def test_processes_writing_at_once_take_turns(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("fork")
    crowd = [context.Process(target=_mirror_all, args=(str(file), 25)) for _ in range(4)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(60)
    assert [process.exitcode for process in crowd] == [0] * 4
    assert verify(file).entry == 25
    assert [r.number for r in entries(file)] == list(range(1, 26))


def _median(act: Callable[[], object]) -> float:
    def once() -> float:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began

    return statistics.median(once() for _ in range(7))


def test_verifying_ten_thousand_entries_costs_at_most_ten_times_hashing_the_file(
    tmp_path: Path, promise: Promise
) -> None:
    file = tmp_path / "audit.jsonl"
    mirror(file, LOG, [row(number) for number in range(1, 10_001)])

    def hash_it() -> str:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    ratio = _median(lambda: verify(file)) / _median(hash_it)
    promise("verifying 10,000 audit entries", f"{ratio:.1f} x hashing the file's {file.stat().st_size:,} bytes (<= 10)")
    assert ratio <= 10
    assert json.loads(FileAnchor(file).file.read_bytes())["entry"] == 10_000
