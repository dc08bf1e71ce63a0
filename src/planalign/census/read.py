"""Read a census file into a table, or report everything that is wrong with it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.census import statements
from planalign.census.cells import explain, text_of
from planalign.census.columns import COLUMNS, NAMES, POSITION, quoted
from planalign.census.layout import lay_out, wanted_keys
from planalign.census.records import keep_sound_records
from planalign.census.rules import RULES
from planalign.census.source import (
    UNREADABLE,
    csv_scan,
    first_line,
    open_source,
    starved,
    unreadable_parquet,
    unusable,
)
from planalign.errors import EnvironmentFaultError, InputError, Problem
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from planalign.census.layout import Layout
    from planalign.census.source import Source

MOST_PROBLEMS = 1000
_MOST_OF_A_VALUE = 100


@dataclass(frozen=True)
class CensusSummary:
    """What a census that was read holds.

    Args:
        rows: employees in the file.
        active: hired on or before the census date, not terminated by it, not
            marked inactive.
        terminated: the others.
        ignored_columns: columns of the file that are not read and not stored.
        warnings: sentences about what is allowed but unusual.

    """

    rows: int
    active: int
    terminated: int
    ignored_columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as the object that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True)
class _Task:
    """One census on its way into a table."""

    connection: duckdb.DuckDBPyConnection
    path: Path
    source: Source
    layout: Layout
    census_date: date

    def problem(
        self,
        column: str,
        message: str,
        remedy: str,
        *,
        row: int | None = None,
        value: str | None = None,
    ) -> Problem:
        """Return a problem of a census column, with the file's name of it if another."""
        name = self.layout.file_name(column)
        if name is not None:
            message += f' (column "{name[:_MOST_OF_A_VALUE]}" of the file)'
        if value is not None and len(value) > _MOST_OF_A_VALUE:
            value = value[:_MOST_OF_A_VALUE] + "..."
        return Problem(message, remedy, file=str(self.path), row=row, column=column, value=value)


@dataclass
class _Findings:
    """Problems so far: at most `MOST_PROBLEMS` of each origin, and how many in all."""

    listed: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(self, *problems: Problem, total: int | None = None) -> None:
        self.listed += problems[:MOST_PROBLEMS]
        self.total += len(problems) if total is None else total

    def error(self, file: str) -> InputError:
        """Return the error that reports them by row and column, the first ones if many."""
        ordered = sorted(
            self.listed,
            key=lambda problem: (problem.row or 0, POSITION.get(problem.column or "", -1)),
        )[:MOST_PROBLEMS]
        more = self.total - len(ordered)
        if more:
            remedy = "Correct those above, then check again"
            ordered.append(Problem(f"{more:,} more problems are not listed", remedy, file=file))
        noun = "problem" if self.total == 1 else "problems"
        return InputError(f"census {file} has {self.total} {noun}", ordered)


def read_census(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    columns: Mapping[str, str],
    census_date: date,
    table: str = "census",
) -> CensusSummary:
    """Read a CSV or Parquet census into `table`, with exact types and no unknown columns.

    Column names are compared without case and surrounding blanks. The table has
    every column of `columns.COLUMNS` in that order; optional ones that the file
    lacks are null. Nothing else of the file is stored. A table of that name is
    replaced; where there is any problem it is left alone.

    Args:
        connection: where the table is made.
        path: .csv (UTF-8; comma, semicolon, tab or bar), .csv.gz or .parquet.
        columns: census column -> its name in the file, where that is another.
        census_date: the day the census describes; later dates are in the future.
        table: name of the table, with or without a schema in front.

    Raises:
        InputError: the file cannot be used; carries every problem, sorted by row
            and column, at most 1,000 of them and one that counts the others. A
            Parquet file that is damaged inside may make DuckDB close the database.
        EnvironmentFaultError: memory or disk did not suffice.
        ValueError: `table` is not a plain name.

    """
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", part) for part in table.split(".")):
        raise ValueError(f"not the name of a table: {table!r}")
    target = ".".join(quoted(part) for part in table.split("."))
    source = open_source(connection, path, set(wanted_keys(columns).values()))
    layout = lay_out(source.names, columns, str(path))
    task = _Task(connection, path, source, layout, census_date)
    found = _Findings()
    found.add(*layout.problems)
    try:
        if layout.positions:
            summary = _read(task, found)
        if found.total:
            raise found.error(str(path))
        connection.execute(statements.publish(target))
    except (duckdb.OutOfMemoryException, duckdb.IOException, MemoryError) as error:
        what = f"census {path} could not be loaded: {first_line(error)}"
        raise starved(str(path), error) or EnvironmentFaultError(
            what, "Look at the disk of the census and of the database."
        ) from error
    finally:
        # Some damage in a Parquet file is a fatal error that closes the database.
        with suppress(duckdb.FatalException):
            connection.execute(statements.DROP_CELLS)
    return summary


def _read(task: _Task, found: _Findings) -> CensusSummary:
    """Fill the table of cells, and find every problem in it."""
    texts = _texts(task, found)
    _load(task, texts, found)
    summary = _summarise(task, found)
    _find_violations(task, set(texts), found)
    return summary


def _texts(task: _Task, found: _Findings) -> dict[str, str]:
    """Return census column -> expression for its text, of the columns that have one."""
    texts = {}
    for column in COLUMNS:
        position = task.layout.positions.get(column.name)
        if position is None:
            continue
        sql_type = task.source.types[position]
        text = text_of(quoted(task.source.identifiers[position]), sql_type, column.kind)
        if text is not None:
            texts[column.name] = text
            continue
        message = f"a column of type {sql_type[:_MOST_OF_A_VALUE]}"
        remedy = "Write it as text, number, date or boolean"
        found.add(task.problem(column.name, message, remedy))
    return texts


def _load(task: _Task, texts: Mapping[str, str], found: _Findings) -> None:
    """Fill the table of cells; from a CSV that DuckDB refuses, with its sound records."""
    if task.source.scan is None:
        _load_sound_records(task, found)
        return
    statement = statements.load(task.source.scan, "row_number() over ()", texts)
    try:
        task.connection.execute(statement, task.source.parameters)
    except UNREADABLE as error:
        if not task.source.delimiter:
            raise unreadable_parquet(str(task.path), error) from error
        if fault := starved(str(task.path), error):
            raise fault from error
        _load_sound_records(task, found)


def _load_sound_records(task: _Task, found: _Findings) -> None:
    # Only the columns that are read, so that no personal identifier is copied.
    taken = [column for column in COLUMNS if column.name in task.layout.positions]
    positions = [task.layout.positions[column.name] for column in taken]
    texts = {
        column.name: text_of(f"c{number}", "VARCHAR", column.kind) or ""
        for number, column in enumerate(taken, start=1)
    }
    with scratch("census") as folder:
        sound = folder / "sound.csv"
        with sound.open("w", encoding="utf-8", newline="") as stream:
            found.add(*keep_sound_records(task.path, task.source, positions, stream))
        scan, parameters = csv_scan(sound, width=len(taken) + 1, delimiter=",")
        statement = statements.load(scan, "cast(c0 as bigint)", texts)
        try:
            task.connection.execute(statement, parameters)
        except UNREADABLE as error:
            remedy = "Save the file again as CSV in UTF-8"
            message = f"cannot be read: {first_line(error)}"
            file = str(task.path)
            raise starved(file, error) or unusable(file, message, remedy) from error


def _summarise(task: _Task, found: _Findings) -> CensusSummary:
    """Count the employees; it is a problem if there are none."""
    rows, active, undated, low_paid, stale_hire, numbered = task.connection.execute(
        statements.SUMMARY, {"census_date": task.census_date}
    ).fetchall()[0]
    file = str(task.path)
    if not rows and not found.total:
        found.add(Problem("no employees in the file", "Write one row per employee", file=file))
    if rows and not active:
        message = f"no active employee on the census date {task.census_date}"
        remedy = "Check hire dates, termination dates, active, and census_date"
        found.add(Problem(message, remedy, file=file))
    warnings = []
    if stale_hire is not None:
        warnings.append(
            f"The latest hire was on {stale_hire}, more than two years before the census date "
            f"{task.census_date}; check census_date."
        )
    if undated:
        warnings.append(f"Inactive without a termination date, counted as terminated: {undated:,}.")
    if low_paid:
        warnings.append(
            f"Active with a yearly pay below {statements.LOW_PAY:,} dollars, perhaps an hourly "
            f"or monthly rate: {low_paid:,}."
        )
    if numbered:
        # Without a value: a warning is kept in the run.
        warnings.append(
            "Employee id or department looks like a social security number, and would be "
            f"stored as it is; give these employees other ids: {numbered:,}."
        )
    return CensusSummary(rows, active, rows - active, task.layout.ignored, tuple(warnings))


def _find_violations(task: _Task, readable: set[str], found: _Findings) -> None:
    """Add a problem for each cell that breaks a rule."""
    chosen = [rule for rule in RULES if rule.column in readable or not rule.needs_column]
    rows = task.connection.execute(
        statements.violations(chosen, MOST_PROBLEMS), {"census_date": task.census_date}
    ).fetchall()
    problems = []
    for file_row, number, _, first_row, *cells in rows:
        rule, texts = chosen[number], dict(zip(NAMES, cells, strict=True))
        value = texts[rule.column]
        context = {"first_row": first_row, "census_date": task.census_date, **texts}
        message, remedy = rule.message.format_map(context), rule.remedy
        if not message:
            message, remedy = explain(COLUMNS[POSITION[rule.column]], value or "")
        problems.append(task.problem(rule.column, message, remedy, row=file_row, value=value))
    if rows:
        found.add(*problems, total=rows[0][2])
