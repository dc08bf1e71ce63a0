"""Check the reference tables of a dbt project before anything is simulated with them.

The files are read as text, because what loads them is lenient: it goes by the place of
a column and not by its name, and rounds what does not fit. The rules of their content
are the project's own data tests.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from planalign import duck
from planalign.census.columns import quoted
from planalign.census.source import numbered_records
from planalign.engine.checks import check_failure
from planalign.errors import InputError, ModelError, Problem
from planalign.interruption import is_interruption

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from planalign.engine.pipeline import Column, DataTest, Pipeline, Seed
    from planalign.engine.project import Project

MOST_PROBLEMS = 1000
_MOST_OF_A_VALUE = 100

_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\(\s*\d+\s*,\s*(\d+)\s*\)", re.IGNORECASE)
_WHOLE = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.([0-9]+))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a data test tells of a fault, if it is one of `reference_..`.
_FAULT = ("row_number", "column_name", "value", "message", "remedy")


@dataclass
class _Table:
    """A file as far as it can be read: cells as text, by row; none is empty text."""

    seed: Seed
    file: str
    rows: list[list[str | None]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_readable: bool = True

    def refuse(
        self, message: str, remedy: str, line: int | None = None, value: str | None = None
    ) -> None:
        """Note that rows and columns of the file cannot be told apart."""
        self.is_readable = False
        self.problems.append(Problem(message, remedy, self.file, line, value=_cut(value)))

    def text(self, row: int, column: str) -> str | None:
        """Return what the file has in a cell, or nothing if `column` names several."""
        names = [declared.name for declared in self.seed.columns]
        return self.rows[row - 1][names.index(column)] if column in names else None

    def problem(
        self, row: int, column: str, value: str | None, message: str, remedy: str
    ) -> Problem:
        """Return the problem of a cell; `row` counts from 1."""
        return Problem(message, remedy, self.file, self.lines[row - 1], row, column, _cut(value))


def check_reference_tables(project: Project, pipeline: Pipeline) -> None:
    """Read every reference table and apply the data tests of its content.

    Raises:
        InputError: with every problem of every file, at most 1,000 of them.
        ModelError: a column has a type, or a test has SQL, that DuckDB refuses.

    """
    tables = [
        _read(seed, project.folder / seed.path, project.place(seed.path)) for seed in pipeline.seeds
    ]
    with duck.connect(threads="1") as connection:
        connection.execute("attach ':memory:' as results; use results")
        for table in tables:
            _load(connection, table)
        problems = [problem for table in tables for problem in table.problems]
        known = {(problem.file, problem.row, problem.column) for problem in problems}
        unreadable = [table.seed.relation for table in tables if not table.is_readable]
        for test in pipeline.tests:
            is_possible = not any(name in test.sql for name in unreadable)
            if test.is_of_reference_table and is_possible:
                found = _faults(connection, test, tables)
                problems += (p for p in found if (p.file, p.row, p.column) not in known)
    if problems:
        raise _error(project, problems)


def _error(project: Project, problems: list[Problem]) -> InputError:
    count = f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
    problems.sort(key=lambda problem: (problem.file or "", problem.row or 0))
    if len(problems) > MOST_PROBLEMS:
        more = f"{len(problems) - MOST_PROBLEMS:,} more problems are not listed"
        file = str(project.name)
        problems[MOST_PROBLEMS:] = [Problem(more, "Correct those above first", file)]
    return InputError(f"the reference tables of {project.name} have {count}", problems)


def _read(seed: Seed, path: Path, name: Path) -> _Table:
    """Read a file as text, noting what is wrong with its header and records.

    `name` is what a user calls it.
    """
    table = _Table(seed, str(name))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        table.refuse("not UTF-8 text", "Save the file as CSV in UTF-8", line)
        return table
    except OSError as error:
        table.refuse(f"cannot be read ({error.strerror})", "Put a readable file there")
        return table
    (first_line, header), *records = [*_records(text)] or [(1, [])]
    found = header if isinstance(header, list) else []
    declared = [column.name for column in seed.columns]
    if not declared:
        remedy = "Declare them with their types under column_types in a YAML file of seeds/"
        table.refuse("columns without a type", remedy, first_line, ",".join(found) or None)
        return table
    if found != declared:
        table.refuse(
            "the columns are not those declared in seeds.yml" if found else "no header",
            f"Begin the file with the line {','.join(declared)}",
            first_line,
            ",".join(found) or None,
        )
        return table
    if not records:
        table.refuse("no rows", "Write the rows of the table below its header")
    for line, record in records:
        table.lines.append(line)
        if isinstance(record, csv.Error):
            table.refuse(f"not a CSV record: {record}", "Close every quote", line)
        elif len(record) != len(declared):
            table.refuse(
                f"{len(record)} values where the header has {len(declared)} columns",
                "Give every row the same columns; quote values that hold a comma",
                line,
                ",".join(record),
            )
        else:
            table.rows.append([cell or None for cell in record])
    return table


def _records(text: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each record that is not blank, or why it is none, and the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return ((line, record) for line, record in numbered_records(reader) if record != [])


def _load(connection: duckdb.DuckDBPyConnection, table: _Table) -> None:
    """Make the table; a cell that is no value of its type is a problem, and null."""
    columns = table.seed.columns
    if not table.is_readable:
        return
    for number, cells in enumerate(table.rows, start=1):
        for place, (column, text) in enumerate(zip(columns, cells, strict=True)):
            words = _fault_of(column, text) if text is not None else None
            if words:
                table.problems.append(table.problem(number, column.name, text, *words))
                cells[place] = None
    casts = ", ".join(
        f"try_cast(cells[{place}] as {column.data_type}) as {quoted(column.name)}"
        for place, column in enumerate(columns, start=1)
    )
    try:
        connection.execute(
            f"create table {table.seed.relation} as select {casts} "  # noqa: S608 - compiled names
            "from (select unnest(cast(? as varchar[][])) as cells)",
            [table.rows],
        )
        loaded = connection.execute(f"from {table.seed.relation} order by rowid").fetchall()
    except duckdb.Error as error:
        if is_interruption(error):
            raise
        raise ModelError(
            f"reference table {table.seed.name} ({table.seed.path}) cannot be made ({error})",
            "Mend its column_types in seeds.yml.",
        ) from error
    for number, (cells, values) in enumerate(zip(table.rows, loaded, strict=True), start=1):
        for column, text, value in zip(columns, cells, values, strict=True):
            if text is not None and value is None:
                words = (f"not a value of type {column.data_type}", "Correct it")
                table.problems.append(table.problem(number, column.name, text, *words))


def _fault_of(column: Column, text: str) -> tuple[str, str] | None:
    """Return what is wrong with a text that DuckDB might take nevertheless."""
    if _CONTROL.search(text):
        return "a control character in the text", "Remove it"
    decimal, whole = _DECIMAL.fullmatch(column.data_type), _WHOLE.fullmatch(column.data_type)
    if not decimal and not whole:
        return None
    number = _NUMBER.fullmatch(text.strip(" "))
    if not number:
        return "not a number", "Write plain digits, and a rate as a fraction: 0.06 for 6 %"
    places = len((number[1] or "").rstrip("0"))
    if whole and places:
        return "not a whole number", "Write a whole number"
    if decimal and places > int(decimal[1]):
        return f"more than {decimal[1]} decimal places", "Round it"
    return None


def _faults(
    connection: duckdb.DuckDBPyConnection, test: DataTest, tables: Sequence[_Table]
) -> Iterable[Problem]:
    """Return the problems that a data test finds, if it is one that stops a run."""
    try:
        verdict = connection.execute(test.statement).fetchone()
        if test.severity != "ERROR" or not verdict or not verdict[2]:
            return
        found = connection.execute(test.sql)
        names = tuple(column[0] for column in found.description or ())
        rows = found.fetchall()
    except duckdb.Error as error:
        if is_interruption(error):
            raise
        raise check_failure(test, error) from error
    # The table that a test is on is the first that its SQL names.
    table = min(
        (table for table in tables if table.seed.relation in test.sql),
        key=lambda table: test.sql.index(table.seed.relation),
        default=None,
    )
    for row in rows:
        if table and names == _FAULT:
            number, column, value, message, remedy = row
            if number is None:
                yield Problem(message, remedy, table.file, column=column, value=_cut(value))
            else:
                text = table.text(number, column)  # 1.6 in the file is 1.600000 in the table
                yield table.problem(number, column, text or value, message, remedy)
        else:
            shown = ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
            yield Problem(
                f"breaks the rule {test.name}",
                f"The rule is in {test.path}",
                file=table.file if table else None,
                value=_cut(shown),
            )


def _cut(value: str | None) -> str | None:
    if value is None or len(value) <= _MOST_OF_A_VALUE:
        return value
    return value[:_MOST_OF_A_VALUE] + "..."
