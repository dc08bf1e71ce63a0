"""Rows of a file that are no person of the census: each is asked about, counted, written down."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from planalign.census.importing.journal import at, at_lines

if TYPE_CHECKING:
    from collections.abc import Collection

    from planalign.census.importing.file import File
    from planalign.census.importing.locate import Table
    from planalign.census.importing.questions import Answers
    from planalign.census.importing.readings import Reader
    from planalign.census.importing.rows import Row


def few(rows: Collection[Row]) -> str:
    """Return how many rows there are, and the numbers of the first, as a question names them."""
    return few_lines([row.line for row in rows])


def few_lines(lines: Collection[int]) -> str:
    """Return the same of the numbers of rows."""
    shown = ", ".join(str(line) for line in sorted(lines)[:6])
    rows = "row" if len(lines) == 1 else "rows"
    return f"{len(lines):,} {rows}: {shown}" + (", .." if len(lines) > 6 else "")


def drop(file: File, rows: Collection[Row], rule: str, column: str, words: str) -> None:
    """Take rows out of the people of a file, as unusable."""
    gone = {id(row) for row in rows}
    if not gone:
        return
    file.dropped |= {row.line: "unusable" for row in rows}
    file.rows[:] = [row for row in file.rows if id(row) not in gone]
    file.work.journal.add(rule, column, len(gone), words, at(rows))


def drop_answered(file: File) -> None:
    """Drop the rows of which an answer said so."""
    gone = [row for row in file.rows if row.standing == "leave_out"]
    drop(file, gone, "left_out", "employee_id", "left out, as answered")


def _shape(text: str) -> str:
    """Return how a text is written without what it says, which may be somebody's name."""
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", text))[:30]


def drop_unread(file: File, reader: Reader) -> None:
    """Ask what becomes of cells that have no value in the reading of their column."""
    work = file.work
    gone: set[int] = set()
    for role, cells in reader.unread.items():
        header = work.mapping.names(role)[0]
        lines = [work.table.lines[row] for row, _ in cells]
        shapes = dict.fromkeys(_shape(text) for _, text in cells)
        shown = ", ".join(repr(shape) for shape in [*shapes][:3])
        answer = work.answers.choose(
            f"unreadable:{header}",
            f'Cells of "{header}" cannot be read, such as {shown} (a for letters, 9 for digits). '
            "Are they blank, or are the rows left out?",
            where=few_lines(lines),
            columns=[header],
            choices=["blank", "leave_out"],
        )
        if answer == "leave_out":
            gone |= set(lines)
        words = f"cells that cannot be read: {answer}"
        work.journal.add("unreadable", header, len(cells), words, at_lines(lines))
    rows = [row for row in file.rows if row.line in gone]
    drop(file, rows, "left_out", "(row)", "rows with cells that cannot be read, left out")


def drop_without_id(file: File) -> None:
    """Ask of rows that nobody can be told by."""
    without = [row for row in file.rows if not row.employee_id]
    if without:
        file.work.answers.choose(
            "id_missing",
            "Rows have no id. Are they left out?",
            where=few(without),
            columns=file.work.mapping.names("employee_id"),
            choices=["leave_out"],
        )
    drop(file, without, "id_missing", "employee_id", "rows without an id are left out")


def without_too_long(table: Table, answers: Answers) -> Table:
    """Ask of rows in which it is not sure which cell is of which column; they are not read."""
    if not table.too_long:
        return table
    long = set(table.too_long)
    answers.choose(
        "rows_too_long",
        "Rows have more cells than the header, so that it is not sure which is which. Are they "
        "left out?",
        where=few_lines(long),
        choices=["leave_out"],
    )
    kept = [n for n, line in enumerate(table.lines) if line not in long]
    return replace(
        table,
        columns=[[column[n] for n in kept] for column in table.columns],
        lines=[table.lines[n] for n in kept],
        left_out=table.left_out | dict.fromkeys(long, "unusable"),
    )


def drop_other_currencies(file: File) -> None:
    """Ask of people whose pay is in another currency than that of most."""
    counts: dict[str, int] = {}
    for row in file.rows:
        if row.currency:
            name = row.currency.upper()
            counts[name] = counts.get(name, 0) + 1
    if len(counts) < 2:
        return
    usual = max(counts, key=lambda name: (counts[name], name))
    others = [row for row in file.rows if row.currency and row.currency.upper() != usual]
    names = ", ".join(sorted(set(counts) - {usual}))
    columns = file.work.mapping.names("currency", "annual_rate", "period_rate", "pay_of_year")
    file.work.answers.choose(
        "other_currency",
        f"People are paid in another currency than {usual}: {names}. Are they left out?",
        where=few(others),
        columns=columns,
        choices=["leave_out"],
        proposal="leave_out",
    )
    drop(file, others, "other_currency", ", ".join(columns), f"paid in {names}: left out")


def drop_not_yet_hired(file: File) -> None:
    """Ask of people who are hired after the day that the file describes."""
    work = file.work
    later = [row for row in file.rows if row.hire_date is not None and row.hire_date > work.as_of]
    if later:
        work.answers.choose(
            "hired_later",
            "People are hired after the day that the file describes. Are they left out?",
            where=few(later),
            columns=work.mapping.names("hire_date", "rehire_date", "valid_from"),
            choices=["leave_out"],
            proposal="leave_out",
            certain=True,
        )
    drop(file, later, "hired_later", "hire_date", "hired after the day: left out")
