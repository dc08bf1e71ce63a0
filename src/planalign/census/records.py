"""Records of a CSV file that DuckDB refuses: find the broken ones, keep the others."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING

from planalign.census.rules import BLANK_ROW
from planalign.census.source import READ_ERRORS, csv_records, first_line, unusable
from planalign.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence, Set
    from pathlib import Path

    from planalign.census.source import Source


def keep_sound_records(
    path: Path, source: Source, positions: Sequence[int], sound: IO[str]
) -> list[Problem]:
    """Write the number and the wanted fields of each sound record, as CSV.

    Args:
        path: the file.
        source: what is known about it.
        positions: of the wanted fields.
        sound: where to write, quoted records below a header.

    Returns:
        A problem for each other record; the last one is a value so long that nothing
        behind it can be told from it.

    Raises:
        InputError: the file cannot be read to its end.

    """
    file = str(path)
    problems: list[Problem] = []
    writer = csv.writer(sound, quoting=csv.QUOTE_ALL, lineterminator="\n")
    # DuckDB takes the first line end for that of the file, be it inside quotes.
    sound.write("header\n")
    row = 0
    try:
        for count, (line, record) in enumerate(csv_records(path, source.delimiter)):
            if count < source.skipped or not record:
                continue
            row += 1
            wrong = _what_is_wrong(record, len(source.names))
            if wrong is not None:
                problems.append(Problem(*wrong, file=file, line=line, row=row))
                if _is_endless(record):
                    break
            elif not isinstance(record, csv.Error):
                writer.writerow([row, *(record[position] for position in positions)])
    except READ_ERRORS as error:
        remedy = "Write the file again; it may be cut off or damaged"
        raise unusable(file, f"cannot be read: {first_line(error)}", remedy) from error
    return problems


def lines_of(path: Path, source: Source, rows: Set[int]) -> dict[int, int]:
    """Return the line of the file on which each of some rows begins, 1-based both.

    Another one than the row where there are blank lines, or values with line ends.
    """
    found: dict[int, int] = {}
    last, row = max(rows, default=0), 0
    for count, (line, record) in enumerate(csv_records(path, source.delimiter)):
        if row == last:
            break
        if count >= source.skipped and record:
            row += 1
            if row in rows:
                found[row] = line
    return found


def _is_endless(record: list[str] | csv.Error) -> bool:
    return isinstance(record, csv.Error) and "field limit" in str(record)


def _what_is_wrong(record: list[str] | csv.Error, width: int) -> tuple[str, str] | None:
    if _is_endless(record):
        return (
            f"a value of more than {csv.field_size_limit():,} characters; what follows is not read",
            "Shorten it, or close the quote that it begins with",
        )
    if isinstance(record, csv.Error):
        return (
            f"not a CSV record: {first_line(record)}",
            'Close every quote, and write a quote inside a quoted value twice ("")',
        )
    if len(record) != width and not any(field.strip() for field in record):
        return BLANK_ROW
    if len(record) != width:
        return (
            f"{len(record)} values where the header has {width} columns",
            "Quote values that hold the delimiter, and give every row the same columns",
        )
    try:
        "".join(record).encode()
    except UnicodeEncodeError:
        return "not UTF-8 text", "Save the file as CSV in UTF-8"
    return None
