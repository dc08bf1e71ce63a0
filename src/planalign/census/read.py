"""Read a census file into a table, or report everything that is wrong with it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import duckdb

from planalign.census import statements
from planalign.census.cells import WHOLE_UP_TO, reasons, text_of
from planalign.census.columns import quoted, with_own
from planalign.census.findings import (
    MOST_EXAMPLES,
    MOST_OF_A_VALUE,
    Example,
    Finding,
    Findings,
    cut,
)
from planalign.census.layout import lay_out, wanted_keys
from planalign.census.records import keep_sound_records, lines_of
from planalign.census.rules import rules_of
from planalign.census.source import (
    UNREADABLE,
    csv_scan,
    first_line,
    open_source,
    starved,
    unreadable_parquet,
    unusable,
)
from planalign.census.warnings import row_warnings, warnings_of_the_file
from planalign.config import default_levels
from planalign.errors import EnvironmentFaultError, Problem
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence, Set
    from datetime import date
    from pathlib import Path

    from planalign.census.columns import Column
    from planalign.census.layout import Layout
    from planalign.census.plan_facts import PlanFacts
    from planalign.census.rules import Rule
    from planalign.census.source import Source

MOST_PROBLEMS = 1000


@dataclass(frozen=True)
class CensusSummary:
    """What a census that was read holds.

    Args:
        rows: employees in the file.
        active: hired on or before the census date, not terminated by it, not
            marked inactive.
        terminated: the others.
        ignored_columns: columns of the file that are not read and not stored.
        warnings: what is allowed but unusual, by column.

    """

    rows: int
    active: int
    terminated: int
    ignored_columns: tuple[str, ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Task:
    """One census on its way into a table."""

    connection: duckdb.DuckDBPyConnection
    path: Path
    columns: Sequence[Column]
    source: Source
    layout: Layout
    census_date: date
    plans: Sequence[PlanFacts]
    levels: int

    def column(self, name: str) -> Column:
        """Return a column of the census by its name."""
        return next(column for column in self.columns if column.name == name)

    def message(self, column: str | None, message: str) -> str:
        """Return a message about a census column, with the file's name of it if another."""
        name = self.layout.file_name(column) if column else None
        if name is None:
            return message
        return f'{message} (column "{name[:MOST_OF_A_VALUE]}" of the file)'

    def type_of(self, column: str) -> str:
        """Return the type of the file's column of a census column."""
        return self.source.types[self.layout.positions[column]]


@dataclass(frozen=True)
class _Hit:
    """A row of the file that meets a rule, as `statements.violations` gives it."""

    row: int
    rule: Rule
    reason: int | None
    value: str | None
    detail: str | None
    first_row: int | None
    rows_of_kind: int
    place_in_kind: int
    place: int


def read_census(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    columns: Mapping[str, str],
    census_date: date,
    levels: int | None = None,
    extra_columns: Mapping[str, str] = MappingProxyType({}),
    table: str = "census",
    plans: Sequence[PlanFacts] = (),
    most: int = MOST_PROBLEMS,
) -> CensusSummary:
    """Read a CSV or Parquet census into `table`, with exact types and no unknown columns.

    Column names are compared without case and surrounding blanks. The table has
    every column of `columns.COLUMNS` in that order, and then those that a study adds;
    optional ones that the file lacks are null. Nothing else of the file is stored. A
    table of that name is replaced; where there is any problem it is left alone.

    Args:
        connection: where the table is made.
        path: .csv (UTF-8; comma, semicolon, tab or bar), .csv.gz or .parquet.
        columns: census column -> its name in the file, where that is another.
        census_date: the day the census describes; later dates are in the future.
        levels: how many job levels the study has; by default as many as the packaged tables.
        extra_columns: type of each column that a study adds, by name, as `OWN_TYPES` says.
        table: name of the table, with or without a schema in front.
        plans: what the scenarios ask of the census, to warn where it does not fit.
        most: how many problems to list one by one.

    Raises:
        CensusError: the file cannot be used; carries every kind of problem, and the
            problems sorted by row and column, at most `most` of them and one that
            counts the others. A Parquet file that is damaged inside may make DuckDB
            close the database.
        EnvironmentFaultError: memory or disk did not suffice.
        ValueError: `table` is not a plain name.

    """
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", part) for part in table.split(".")):
        raise ValueError(f"not the name of a table: {table!r}")
    target = ".".join(quoted(part) for part in table.split("."))
    census = with_own(extra_columns)
    source = open_source(connection, path, set(wanted_keys(census, columns).values()))
    layout = lay_out(census, source.names, columns, str(path))
    levels = len(default_levels()) if levels is None else levels
    task = _Task(connection, path, census, source, layout, census_date, plans, levels)
    found = Findings(most, census)
    found.add(*layout.problems)
    summary = CensusSummary(0, 0, 0)
    try:
        if layout.positions:
            summary = _read(task, found)
        if found:
            raise found.error(str(path), summary.warnings)
        connection.execute(statements.publish(census, target))
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


def _read(task: _Task, found: Findings) -> CensusSummary:
    """Fill the table of cells, and find every problem in it."""
    texts = _texts(task, found)
    floating = {name for name in texts if task.type_of(name) in WHOLE_UP_TO}
    _load(task, texts, floating, found)
    rows, active = _count(task, found)
    broken = _hits(task, rules_of(task.columns, task.levels), texts, floating, found.most)
    unusual = _hits(task, row_warnings(task.columns), texts, floating, 0)
    lines = _lines(task, [*broken, *unusual])
    problems = [_problem(task, hit, floating, lines) for hit in broken if hit.place <= found.most]
    found.list(*problems)
    for kind in _kinds(task, broken, floating, lines):
        found.add_kind(kind)
    warnings = [
        *_kinds(task, unusual, floating, lines),
        *warnings_of_the_file(task.connection, task.census_date, task.plans),
    ]
    names = [column.name for column in task.columns]
    warnings.sort(key=lambda warning: names.index(warning.column or names[0]))
    return CensusSummary(rows, active, rows - active, task.layout.ignored, tuple(warnings))


def _texts(task: _Task, found: Findings) -> dict[str, str]:
    """Return census column -> expression for its text, of the columns that have one."""
    texts = {}
    for column in task.columns:
        position = task.layout.positions.get(column.name)
        if position is None:
            continue
        sql_type = task.source.types[position]
        text = text_of(quoted(task.source.identifiers[position]), sql_type, column.kind)
        if text is not None:
            texts[column.name] = text
            continue
        message = task.message(column.name, f"a column of type {sql_type[:MOST_OF_A_VALUE]}")
        remedy = "Write it as text, number, date or boolean"
        found.add(Problem(message, remedy, file=str(task.path), column=column.name))
    return texts


def _load(task: _Task, texts: Mapping[str, str], floating: Set[str], found: Findings) -> None:
    """Fill the table of cells; from a CSV that DuckDB refuses, with its sound records."""
    if task.source.scan is None:
        _load_sound_records(task, found)
        return
    statement = statements.load(
        task.columns, task.source.scan, "row_number() over ()", texts, floating
    )
    try:
        task.connection.execute(statement, task.source.parameters)
    except UNREADABLE as error:
        if not task.source.delimiter:
            raise unreadable_parquet(str(task.path), error) from error
        if fault := starved(str(task.path), error):
            raise fault from error
        _load_sound_records(task, found)


def _load_sound_records(task: _Task, found: Findings) -> None:
    # Only the columns that are read, so that no personal identifier is copied.
    taken = [column for column in task.columns if column.name in task.layout.positions]
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
        statement = statements.load(task.columns, scan, "cast(c0 as bigint)", texts, frozenset())
        try:
            task.connection.execute(statement, parameters)
        except UNREADABLE as error:
            remedy = "Save the file again as CSV in UTF-8"
            message = f"cannot be read: {first_line(error)}"
            file = str(task.path)
            raise starved(file, error) or unusable(file, message, remedy) from error


def _count(task: _Task, found: Findings) -> tuple[int, int]:
    """Return the employees and those who are active; it is a problem if there are none."""
    rows, active = task.connection.execute(
        statements.SUMMARY, {"census_date": task.census_date}
    ).fetchall()[0]
    file = str(task.path)
    if not rows and not found:
        found.add(Problem("no employees in the file", "Write one row per employee", file=file))
    if rows and not active:
        message = f"no active employee on the census date {task.census_date}"
        remedy = "Check hire dates, termination dates, active, and census_date"
        found.add(Problem(message, remedy, file=file))
    return rows, active


def _hits(
    task: _Task, rules: Sequence[Rule], readable: Container[str], floating: Set[str], most: int
) -> list[_Hit]:
    """Return the first rows that meet a rule; of each kind the examples in any case."""
    chosen = [rule for rule in rules if rule.column in readable or not rule.needs_column]
    rows = task.connection.execute(
        statements.violations(task.columns, chosen, floating, most),
        {"census_date": task.census_date},
    ).fetchall()
    return [_Hit(row, chosen[number], *others) for row, number, *others in rows]


def _lines(task: _Task, hits: Sequence[_Hit]) -> Mapping[int, int]:
    """Return the line of the file on which each row begins; none of a Parquet file."""
    if not task.source.delimiter:
        return {}
    rows = {row for hit in hits for row in (hit.row, hit.first_row) if row is not None}
    return lines_of(task.path, task.source, rows)


def _kinds(
    task: _Task, hits: Sequence[_Hit], floating: Set[str], lines: Mapping[int, int]
) -> list[Finding]:
    """Return a finding per rule and reason, with its examples."""
    kinds: dict[tuple[Rule, int | None], list[_Hit]] = {}
    for hit in hits:
        if hit.place_in_kind <= MOST_EXAMPLES:
            kinds.setdefault((hit.rule, hit.reason), []).append(hit)
    found = []
    for (rule, _), shown in kinds.items():
        shown.sort(key=lambda hit: hit.place_in_kind)
        message, remedy = _words(task, shown[0], floating)
        examples = tuple(
            Example(lines.get(hit.row), hit.row, _value(hit), _detail(hit, lines)) for hit in shown
        )
        found.append(
            Finding(message, remedy, rule.column, shown[0].rows_of_kind, examples, rule.code)
        )
    return found


def _problem(task: _Task, hit: _Hit, floating: Set[str], lines: Mapping[int, int]) -> Problem:
    message, remedy = _words(task, hit, floating)
    detail = _detail(hit, lines)
    if detail:
        message += f" ({detail})"
    return Problem(
        message,
        remedy,
        file=str(task.path),
        line=lines.get(hit.row),
        row=hit.row,
        column=hit.rule.column,
        value=_value(hit),
    )


def _words(task: _Task, hit: _Hit, floating: Set[str]) -> tuple[str, str]:
    """Return message and remedy of a hit."""
    rule = hit.rule
    message, remedy = rule.message.format(census_date=task.census_date), rule.remedy
    if rule.column and hit.reason is not None:
        column = task.column(rule.column)
        reason = reasons(column, floating=column.name in floating)[hit.reason]
        message, remedy = reason.message, reason.remedy.replace("{levels}", str(task.levels))
    return task.message(rule.column, message), remedy


def _value(hit: _Hit) -> str | None:
    return None if hit.value is None else cut(hit.value, MOST_OF_A_VALUE)


def _detail(hit: _Hit, lines: Mapping[int, int]) -> str | None:
    if hit.first_row is None:
        return hit.detail
    line = lines.get(hit.first_row)
    return f"row {hit.first_row}" if line is None else f"line {line}, row {hit.first_row}"
