"""What passes is told from what lasts, in the words of the real DuckDB and of dbt."""

from __future__ import annotations

import errno
import os

import duckdb
import pytest
from faulty import holding

from planalign.engine.faults import (
    FAILURES,
    Fault,
    ReportedError,
    environment_fault,
    fault_of,
    first_words,
)
from planalign.errors import EnvironmentFaultError, MemoryFaultError, ModelError


def raised_by(*statements: str, config: dict[str, str] | None = None) -> Exception:
    with duckdb.connect() as connection:
        for name, value in (config or {}).items():
            connection.execute(f"set {name} = '{value}'")
        try:
            for statement in statements:
                connection.execute(statement)
        except FAILURES as error:
            return error
    raise AssertionError(f"{statements} raised nothing")


@pytest.mark.parametrize(
    "sql",
    [
        "selekt 1",
        "select nothing from nowhere",
        "select 'x'::integer",
        "select error('IO Error: Input/output error')",
        "create table t (a integer not null); insert into t values (null)",
        "create table t (a integer primary key); insert into t values (1), (1)",
        "select 100::utinyint * 100::utinyint",
        "from read_csv('/there/is/none.csv')",
        "attach '/there/is/none.duckdb' (read_only)",
    ],
)
def test_what_lasts_is_never_tried_again(sql):
    assert fault_of(raised_by(*sql.split("; "))) is Fault.PERMANENT


def test_a_transaction_that_was_aborted_lasts():
    with duckdb.connect() as connection:
        connection.begin()
        with pytest.raises(duckdb.Error):
            connection.execute("select error('x')")
        with pytest.raises(duckdb.TransactionException) as caught:
            connection.execute("select 1")
    assert fault_of(caught.value) is Fault.PERMANENT


def test_a_damaged_file_lasts(tmp_path):
    path = tmp_path / "damaged.duckdb"
    path.write_bytes(b"x" * 20_000)
    with pytest.raises(duckdb.IOException) as caught:
        duckdb.connect(str(path))
    assert fault_of(caught.value) is Fault.PERMANENT
    assert isinstance(environment_fault("it", caught.value), EnvironmentFaultError)


def test_a_lock_of_another_process_passes(tmp_path):
    path = tmp_path / "held.duckdb"
    with holding(path), pytest.raises(duckdb.IOException) as caught:
        duckdb.connect(str(path))
    assert fault_of(caught.value) is Fault.TRANSIENT


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("update t set a = 2", "update t set a = 3"),
        ("alter table t add column b integer", "alter table t add column c integer"),
        ("create table u as select 1 as a", "create table u as select 2 as a"),
    ],
)
def test_a_conflict_of_transactions_passes(first, second):
    with duckdb.connect() as connection:
        connection.execute("create table t as select 1 as a")
        one, other = connection.cursor(), connection.cursor()
        one.begin()
        other.begin()
        one.execute(first)
        with pytest.raises(duckdb.TransactionException) as caught:
            other.execute(second)
        one.rollback()
        other.rollback()
    assert fault_of(caught.value) is Fault.TRANSIENT


def test_memory_is_told_from_a_full_disk(tmp_path):
    too_much = "create table x as select range as a, hash(range) as b from range(10000000)"
    memory = {"memory_limit": "20MB", "threads": "1", "temp_directory": ""}
    assert fault_of(raised_by(too_much, config=memory)) is Fault.MEMORY
    disk = {**memory, "temp_directory": str(tmp_path), "max_temp_directory_size": "1MB"}
    assert fault_of(raised_by(too_much, config=disk)) is Fault.DISK_FULL
    full = raised_by("copy (select range from range(100000)) to '/dev/full' (format csv)")
    assert fault_of(full) is Fault.DISK_FULL


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EIO, Fault.TRANSIENT),
        (errno.EINTR, Fault.TRANSIENT),
        (errno.EAGAIN, Fault.TRANSIENT),
        (errno.ENOSPC, Fault.DISK_FULL),
        (errno.EDQUOT, Fault.DISK_FULL),
        (errno.ENOENT, Fault.PERMANENT),
        (errno.EACCES, Fault.PERMANENT),
        (errno.EROFS, Fault.PERMANENT),
    ],
)
def test_errors_of_the_file_system(number, expected):
    assert fault_of(OSError(number, os.strerror(number))) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Could not set lock on file", Fault.TRANSIENT),
        ("Could not fsync file: Input/output error", Fault.TRANSIENT),
        ("Could not write file: No space left on device", Fault.DISK_FULL),
        ("Could not write file: Disk quota exceeded", Fault.DISK_FULL),
        ("Cannot open file: Permission denied", Fault.PERMANENT),
        ("Corrupt database file: computed checksum 1", Fault.PERMANENT),
        ("Trying to read a database file with version number 99", Fault.PERMANENT),
    ],
)
def test_dbt_tells_the_same_in_its_own_lines(said, expected):
    for text in (f"IO Error: {said}", f"Runtime Error in model m (m.sql)\n  IO Error: {said}\n  x"):
        assert fault_of(ReportedError(text)) is expected
        assert first_words(ReportedError(text)) == f"IO Error: {said}"


def test_words_in_the_data_do_not_decide():
    text = "Runtime Error in model m (m.sql)\n  Conversion Error: could not cast\n  IO Error: x"
    assert fault_of(ReportedError(text)) is Fault.PERMANENT
    assert environment_fault("m", ReportedError(text)) is None


def test_an_error_names_the_object_and_what_to_do():
    memory = environment_fault("model m", duckdb.OutOfMemoryException("Out of Memory Error: full"))
    assert isinstance(memory, MemoryFaultError)
    assert not isinstance(memory, ModelError)
    assert str(memory).startswith("model m ran out of memory (Out of Memory Error: full)")
    for word in ("resources.memory_limit", "threads", "seeds", "--resume"):
        assert word in str(memory)
    assert fault_of(MemoryError()) is Fault.MEMORY
    assert "Free disk space" in str(environment_fault("m", OSError(errno.ENOSPC, "full")))
