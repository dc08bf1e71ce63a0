"""What the files of several years tell each other: births, pay of leave, who moved."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from planalign.census.importing.dropping import drop, few
from planalign.census.importing.journal import at
from planalign.census.importing.pay import RATES_OF_PAY, annualised

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from planalign.census.importing.file import File
    from planalign.census.importing.questions import Answers
    from planalign.census.importing.rows import Row


def fill_dates(files: Sequence[File], answers: Answers) -> None:
    """Take missing birth and hire dates from the other files, or ask for them."""
    for column in ("birth_date", "hire_date"):
        known: dict[str, set[date]] = {}
        for file in files:
            for row in file.rows:
                if (day := getattr(row, column)) is not None:
                    known.setdefault(row.employee_id, set()).add(day)
        for file in files:
            _take_dates(file, column, known, answers)
        still = {file.name: [r for r in file.rows if getattr(r, column) is None] for file in files}
        rows = [row for found in still.values() for row in found]
        if not rows:
            continue
        answers.choose(
            f"{column}_missing",
            f"People have no {column.replace('_', ' ')} in any file. Are they left out? Or enter "
            f"it: --answer '{column}[ID]=1980-01-31'.",
            where="; ".join(
                f"{file.name}: {few(found)}" for file in files if (found := still[file.name])
            ),
            columns=sorted({name for file in files for name in file.work.mapping.names(column)}),
            choices=["leave_out"],
        )
        for file in files:
            words = "in no file: left out"
            drop(file, still[file.name], f"{column}_missing", column, words)


def _take_dates(file: File, column: str, known: dict[str, set[date]], answers: Answers) -> None:
    """Give people of a file the date that was answered, or that all other files agree on."""
    taken = []
    for row in file.rows:
        if getattr(row, column) is not None:
            continue
        days = known.get(row.employee_id, set())
        answered = answers.cell(column, row.employee_id)
        if answered is not None and re.fullmatch(r"\d{4}-\d\d-\d\d", answered):
            setattr(row, column, date.fromisoformat(answered))
        elif len(days) == 1:
            setattr(row, column, next(iter(days)))
            taken.append(row)
    headers = ", ".join(file.work.mapping.names(column)) or column
    file.work.journal.add(
        f"{column}_from_another_file", headers, len(taken), "taken from another file", at(taken)
    )


def fill_pay(files: Sequence[File]) -> None:
    """Give people on leave, and others without a rate, the pay of another year; or ask."""
    known: dict[str, Decimal] = {}
    for file in files:
        file.work.answers.file = file.name if len(files) > 1 else ""
        for standing in _WHO:
            without = [
                row
                for row in file.rows
                if row.annual_compensation is None and row.standing == standing
            ]
            if without:
                _fill(file, without, known, has_others=len(files) > 1)
        known |= {
            row.employee_id: row.annual_compensation for row in file.rows if row.annual_compensation
        }


# By standing: the key of the question, and who they are.
_WHO = {
    "leave": ("leave_pay", "People on leave have"),
    "active": ("pay_missing", "Employed people have"),
    "inactive": ("pay_of_leavers", "People who have left have"),
}


def _fill(
    file: File, without: Sequence[Row], known: dict[str, Decimal], *, has_others: bool
) -> None:
    work = file.work
    key, who = _WHO[without[0].standing]
    headers = work.mapping.names(*RATES_OF_PAY, "pay_of_year")
    paid = {row.line: annualised(row, work.as_of) for row in without}
    before = sum(row.employee_id in known for row in without)
    choices = [
        *(["year_before"] if has_others else []),
        *(["pay_of_year"] if any(paid.values()) else []),
        "leave_out",
    ]
    answer = work.answers.choose(
        key,
        f"{who} no rate of pay, or one of 0. Which do they get: that of the year before from "
        "another file, the pay of the year by days employed, or are they left out?",
        where=few(without),
        columns=headers,
        choices=choices,
        proposal="year_before" if before == len(without) else None,
    )
    for row in without:
        if answer == "year_before":
            row.annual_compensation = known.get(row.employee_id)
        elif answer == "pay_of_year":
            row.annual_compensation = paid[row.line]
    rest = [row for row in without if row.annual_compensation is None]
    if rest and answer != "leave_out":
        work.answers.choose(
            f"{key}_unknown",
            f"{who} no such pay. Are they left out?",
            where=few(rest),
            columns=headers,
            choices=["leave_out"],
        )
    work.journal.add(
        key, ", ".join(headers), len(without), f"no rate of pay: {answer}", at(without)
    )
    drop(file, rest, key, ", ".join(headers), "no rate of pay: left out")


def compared(before: Sequence[Row], after: Sequence[Row]) -> dict[str, Any]:
    """Return what changed from one year's census to the next one's, as numbers and rows.

    Rows are those of the later file.
    """
    old = {row.employee_id: row for row in before}
    new = {row.employee_id: row for row in after}
    both = [(old[key], new[key]) for key in new if key in old]
    moved = [
        row
        for last, row in both
        if last.annual_compensation
        and row.annual_compensation
        and last.is_active
        and row.is_active
        and abs(row.annual_compensation / last.annual_compensation - 1) > 0.5
    ]
    return {
        "in_both": len(both),
        "joined": len(new.keys() - old.keys()),
        "no_longer_there": len(old.keys() - new.keys()),
        "left": sum(last.is_active and not row.is_active for last, row in both),
        "came_back": sum(row.is_active and not last.is_active for last, row in both),
        "vanished_while_active": sum(old[key].is_active for key in old.keys() - new.keys()),
        "birth_date_changed": _rows(r for last, r in both if last.birth_date != r.birth_date),
        "hire_date_changed": _rows(r for last, r in both if last.hire_date != r.hire_date),
        "pay_moved_by_more_than_half": _rows(moved),
    }


def _rows(found: Any) -> dict[str, Any]:
    lines = [row.line for row in found]
    return {"count": len(lines), "rows": lines[:20]}
