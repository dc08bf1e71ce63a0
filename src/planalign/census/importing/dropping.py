"""Rows of a file that are no person of the census: each is asked about, counted, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.census.importing.journal import at, at_lines

if TYPE_CHECKING:
    from collections.abc import Collection

    from planalign.census.importing.file import File
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


def drop_unread(file: File, reader: Reader) -> None:
    """Ask what becomes of cells that have no value in the reading of their column."""
    work = file.work
    gone: set[int] = set()
    for role, cells in reader.unread.items():
        header = work.mapping.names(role)[0]
        lines = [work.table.lines[row] for row, _ in cells]
        is_private = role in {"birth_date", "employee_id"}
        shown = "" if is_private else " such as " + ", ".join(repr(text) for _, text in cells[:3])
        answer = work.answers.choose(
            f"unreadable:{header}",
            f'Cells of "{header}"{shown} cannot be read. Are they blank, or are the rows left out?',
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


def drop_too_long(file: File) -> None:
    """Ask of rows in which it is not sure which cell is of which column."""
    long = set(file.work.table.too_long)
    rows = [row for row in file.rows if row.line in long]
    if rows:
        file.work.answers.choose(
            "rows_too_long",
            "Rows have more cells than the header, so that it is not sure which is which. Are they "
            "left out?",
            where=few(rows),
            choices=["leave_out"],
        )
    drop(file, rows, "rows_too_long", "(row)", "rows with more cells than the header are left out")


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
