"""A census file as something DuckDB can scan, CSV or Parquet."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import os
import zlib
from dataclasses import dataclass
from statistics import median
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import duckdb

from planalign.census.findings import Findings
from planalign.census.layout import key
from planalign.errors import EnvironmentFaultError, MemoryFaultError, Problem
from planalign.files import open_regular

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from planalign.census.findings import CensusError
    from planalign.errors import PlanalignError

DELIMITERS = (",", ";", "\t", "|")
# Long enough for any header; the rest of a file is left to DuckDB.
_HEAD_BYTES = 1 << 20
# Records to look for the header in.
_MOST_ABOVE_A_HEADER = 50
# What a file can fail with: opened as text, and scanned by DuckDB (whose binding
# raises RuntimeError for what its library throws outside its own errors).
READ_ERRORS = (OSError, EOFError, zlib.error)
UNREADABLE = (duckdb.Error, UnicodeError, RuntimeError, MemoryError)


@dataclass(frozen=True)
class Source:
    """A file that can be scanned.

    Args:
        names: column names as they stand in the file, by position.
        identifiers: what DuckDB calls the same columns.
        types: their DuckDB types; a type in brackets cannot be read.
        scan: table function to select from, without any text of the user; None for
            a CSV file that must be read record by record.
        parameters: values to bind to it.
        delimiter: of a CSV file.
        skipped: records of a CSV file up to and with its header.

    """

    names: tuple[str, ...]
    identifiers: tuple[str, ...]
    types: tuple[str, ...]
    scan: str | None
    parameters: dict[str, Any]
    delimiter: str = ""
    skipped: int = 0


def unusable(file: str, message: str, remedy: str, line: int | None = None) -> CensusError:
    """Return the error of a census that cannot be read at all."""
    found = Findings(1)
    found.add(Problem(message, remedy, file=file, line=line))
    return found.error(file)


def open_source(connection: duckdb.DuckDBPyConnection, path: Path, wanted: set[str]) -> Source:
    """Look at the beginning of a file and return how to scan it.

    Args:
        connection: where Parquet metadata is read.
        path: the file, ending in .csv, .csv.gz or .parquet.
        wanted: compared column names that the caller hopes to find; they help to
            tell the delimiter of a CSV file.

    Raises:
        InputError: the file is not there, or is not what its name says.
        EnvironmentFaultError: memory or disk did not suffice.

    """
    file, name = str(path), path.name.lower()
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise unusable(file, "neither CSV nor Parquet", "Give a .csv, .csv.gz or .parquet file")
    try:
        located = _location(path)
        with open_regular(path) as stream:
            empty = not stream.read(1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "Give the path of a census file that you may read"
        raise starved(file, error) or unusable(
            file, f"cannot be opened: {reason}", remedy
        ) from error
    if empty:
        raise unusable(file, "empty file", "Export the census again, with a header")
    if name.endswith(".parquet"):
        return _parquet(connection, located, file)
    return _csv(path, file, wanted)


def csv_records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the records of a CSV file with the line each begins on, or why it is none.

    Slower than DuckDB, but goes on behind a broken record. Bytes that are not
    UTF-8 become surrogates.
    """
    with _open_text(path) as stream:
        yield from numbered_records(
            csv.reader(stream, delimiter=delimiter, strict=True, skipinitialspace=True)
        )


def numbered_records(reader: Reader) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the records of a reader with the line each begins on, or why it is none."""
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
        else:
            yield line, record


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, short enough for a message."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200].rstrip(".")


def _location(path: Path) -> str:
    # DuckDB expands wildcards in a path, and ~ at its beginning.
    located = glob.escape(os.path.abspath(path))  # noqa: PTH100 - keeps symbolic links
    located.encode()
    return located


def _open_text(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _parquet(connection: duckdb.DuckDBPyConnection, located: str, file: str) -> Source:
    scan = "read_parquet($path, hive_partitioning = false, binary_as_string = true)"
    parameters = {"path": located}
    try:
        found = connection.execute(f"from {scan} limit 0", parameters).description
        schema = connection.execute(
            "select name, coalesce(num_children, 0), coalesce(precision, 0),"
            " coalesce(logical_type like 'Float16%', false)"
            " from parquet_schema($path)",
            parameters,
        ).fetchall()
    except UNREADABLE as error:
        raise unreadable_parquet(file, error) from error
    top = _top_level(schema)
    identifiers = tuple(str(column[0]) for column in found)
    types = [str(column[1]) for column in found]
    if len(top) != len(identifiers):
        top = [(name, 0, False) for name in identifiers]
    for position, (_, precision, is_half) in enumerate(top):
        # DuckDB reads wider decimals as DOUBLE, and 1.5 misreads them.
        if precision > 38:
            types[position] = f"[DECIMAL with {precision} digits]"
        # DuckDB reads it as FLOAT, which tells more numbers apart.
        if is_half:
            types[position] = "FLOAT16"
    names = tuple(name for name, *_ in top)
    return Source(names, identifiers, tuple(types), scan, parameters)


def unreadable_parquet(file: str, error: BaseException) -> PlanalignError:
    """Return the error of a Parquet file that DuckDB cannot read."""
    return starved(file, error) or unusable(
        file,
        f"not a readable Parquet file: {first_line(error)}",
        "Write the file again; it may be cut off, damaged, encrypted or of another kind",
    )


def starved(file: str, error: BaseException) -> EnvironmentFaultError | None:
    """Return the error of a census for which the machine did not suffice, or nothing.

    Memory, disk or open files.
    """
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return MemoryFaultError(
            f"census {file} could not be loaded: {first_line(error)}",
            "Raise resources.memory_limit (--memory-limit), or free memory.",
        )
    if isinstance(error, duckdb.IOException) and "No space left on device" in str(error):
        return EnvironmentFaultError(
            f"census {file} could not be loaded: {first_line(error)}", "Free disk space."
        )
    if isinstance(error, OSError | duckdb.IOException) and "Too many open files" in str(error):
        return EnvironmentFaultError(
            f"census {file} could not be loaded: {first_line(error)}",
            "Raise the limit of open files (ulimit -n).",
        )
    return None


def _top_level(schema: list[tuple[str, int, int, bool]]) -> list[tuple[str, int, bool]]:
    """Return the outermost columns of a depth-first schema: all of a row but the children."""
    top = []
    position = 1
    while position < len(schema):
        name, _, precision, is_half = schema[position]
        top.append((name, precision, is_half))
        pending = 1
        while pending and position < len(schema):
            pending += schema[position][1] - 1
            position += 1
    return top


def _csv(path: Path, file: str, wanted: set[str]) -> Source:
    try:
        head, is_vast = _looked_through(path)
    except READ_ERRORS as error:
        message = f"cannot be read: {first_line(error)}"
        remedy = "Write the file again; it may be cut off, damaged or not compressed at all"
        raise unusable(file, message, remedy) from error
    names, delimiter, skipped = _header(head, file, wanted)
    # DuckDB miscounts what it skips, without a word, if the header is not the first
    # line or goes on in the next one; and an empty line is a row of a single column.
    in_one_line = not any("\n" in name or "\r" in name for name in names)
    simple = skipped == 1 and in_one_line and len(names) > 1 and not is_vast
    scan, parameters = csv_scan(path, width=len(names), delimiter=delimiter)
    identifiers = tuple(f"c{position}" for position in range(len(names)))
    return Source(
        names,
        identifiers,
        ("VARCHAR",) * len(names),
        scan if simple else None,
        parameters,
        delimiter,
        skipped,
    )


def csv_scan(path: Path, *, width: int, delimiter: str) -> tuple[str, dict[str, Any]]:
    """Return table function and parameters that read `width` text columns, c0 and on.

    The first line is left out: it is the header, and its end tells DuckDB that of
    the others. Nothing else is detected, because what DuckDB makes of a header or of
    types depends on the rows it samples.

    Args:
        path: the file.
        width: how many columns it has.
        delimiter: what stands between two values.

    """
    columns = ", ".join(f"'c{position}': 'varchar'" for position in range(width))
    scan = (
        "read_csv($path, auto_detect = false, header = false, skip = 1,"
        " delim = $delimiter, quote = '\"', escape = '\"', strict_mode = true,"
        " null_padding = false, max_line_size = 8000000, hive_partitioning = false,"
        f" compression = $compression, columns = {{{columns}}})"
    )
    parameters = {
        "path": _location(path),
        "delimiter": delimiter,
        "compression": "gzip" if path.name.lower().endswith(".gz") else "none",
    }
    return scan, parameters


def _header(head: bytes, file: str, wanted: set[str]) -> tuple[tuple[str, ...], str, int]:
    """Return the column names, the delimiter, and the records up to and with the header."""
    # With its mark, or without: every other byte of plain letters is none.
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or head[:4].count(0) >= 2:
        raise unusable(file, "UTF-16 text", "Save it as CSV in UTF-8")
    records = {delimiter: _first_records(head, delimiter) for delimiter in DELIMITERS}
    candidates = [
        (_matches(found[0].fields, wanted), len(found[0].fields), delimiter)
        for delimiter, found in records.items()
        if found
    ]
    below = _header_below(records.values(), wanted)
    if below is not None:
        raise _not_the_header(below, file)
    if not candidates:
        remedy = "Write the column names there, as UTF-8 text"
        raise unusable(file, "no header in the first line", remedy)
    # The first of equals, hence the comma where nothing tells.
    *_, delimiter = max(candidates, key=lambda found: found[:2])
    header = records[delimiter][0]
    return header.fields, delimiter, header.number


def _looked_through(path: Path) -> tuple[bytes, bool]:
    """Return the beginning of a file, and whether it has a line that no census has.

    DuckDB leaves out, without a word, a last line of some hundred megabytes; and 1.5 takes
    the end of a compressed file that was cut off for its proper end.
    """
    is_vast = False
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        piece = head = stream.read(_HEAD_BYTES)
        while len(piece) == _HEAD_BYTES:
            is_vast = is_vast or not (b"\n" in piece or b"\r" in piece)
            piece = stream.read(_HEAD_BYTES)
    return head, is_vast


class _Record(NamedTuple):
    """A record that is not empty: its fields, its number, and the line it begins on."""

    fields: tuple[str, ...]
    number: int
    line: int


def _first_records(head: bytes, delimiter: str) -> list[_Record]:
    """Return the first records of a file, up to one that is none."""
    text = head.decode("utf-8-sig", errors="replace")
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    found: list[_Record] = []
    for number, (line, record) in enumerate(numbered_records(reader), start=1):
        if isinstance(record, csv.Error) or len(found) == _MOST_ABOVE_A_HEADER:
            break
        if record:
            found.append(_Record(tuple(record), number, line))
    return found


def _matches(fields: Sequence[str], wanted: set[str]) -> int:
    return len(wanted.intersection(map(key, fields)))


def _header_below(by_delimiter: Iterable[list[_Record]], wanted: set[str]) -> _Record | None:
    """Return the record that looks like the header, if it is another than the first.

    It names at least two wanted columns more than the first, for a row of data may
    have one of the names as a value. Where the first names none, it may be a title:
    it has at most half as many texts as the widest record; then the header is the
    first that has more.
    """
    kept = [records for records in by_delimiter if len(records) > 1]
    known = max((_matches(records[0].fields, wanted) for records in kept), default=0)
    named = max(
        (record for records in kept for record in records),
        key=lambda record: _matches(record.fields, wanted),
        default=None,
    )
    if named is None or _matches(named.fields, wanted) >= known + 2:
        return named
    if known:
        return None
    # The delimiter that most records agree on; text has some other in places.
    records = max(kept, key=lambda records: median(len(_texts(record)) for record in records))
    widest = max(len(_texts(record)) for record in records)
    if widest < 3 or len(_texts(records[0])) * 2 > widest:
        return None
    return next(record for record in records if len(_texts(record)) * 2 > widest)


def _texts(record: _Record) -> list[str]:
    return [field for field in record.fields if field.strip()]


def _not_the_header(record: _Record, file: str) -> CensusError:
    names = ", ".join(name.strip()[:64] for name in _texts(record)[:8])
    more = ", ..." if len(_texts(record)) > 8 else ""
    message = f"the header seems to be in line {record.line}, below a title: {names}{more}"
    return unusable(file, message, "Remove the lines above it", record.line)
