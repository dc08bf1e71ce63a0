"""One row for each person, where a file has several: spells, transfers, copies."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign.census.importing.dropping import drop, few
from planalign.census.importing.journal import at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planalign.census.importing.file import File
    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

# A new row within so many days of the end of the last is a transfer, not a return.
_BREAK = timedelta(days=31)
# Sums over the rows of a person, unless each of them repeats the same amount.
_SUMMED = ("pay_of_year", "deferral_dollars", "roth_dollars", "balance_match", "balance_core")


def drop_copies(file: File) -> None:
    """Drop rows that equal an earlier one in every cell."""
    table = file.work.table
    seen: set[tuple[object, ...]] = set()
    kept: list[Row] = []
    copies: list[Row] = []
    repeated = _repeated_ids(file.rows)
    number = {line: position for position, line in enumerate(table.lines)}
    for row in file.rows:
        if row.employee_id not in repeated:
            kept.append(row)
            continue
        cells = tuple(str(column[number[row.line]]).strip() for column in table.columns)
        (copies if cells in seen else kept).append(row)
        seen.add(cells)
    file.rows[:] = kept
    file.dropped |= {row.line: "duplicate_exact" for row in copies}
    words = "rows that equal an earlier one"
    file.work.journal.add("duplicate_exact", "employee_id", len(copies), words, at(copies))


def _repeated_ids(rows: Iterable[Row]) -> set[str]:
    counts = Counter(row.employee_id for row in rows)
    return {name for name, count in counts.items() if count > 1}


def one_row_each(file: File) -> None:
    """Keep a row for each person.

    The present row tells job, pay and savings; `hire_date` is the first day of all, or of
    the present spell if so answered, `rehire_date` the first of the present spell.
    """
    work = file.work
    groups: dict[str, list[Row]] = {}
    for row in file.rows:
        groups.setdefault(row.employee_id, []).append(row)
    strangers = [row for found in groups.values() if len(_births(found)) > 1 for row in found]
    if strangers:
        answer = work.answers.choose(
            "same_id",
            "An id stands in several rows with different birth dates. Is each of them one person, "
            "whose latest row is right, or are they left out?",
            where=few(strangers),
            columns=work.mapping.names("employee_id", "birth_date"),
            choices=["one_person", "leave_out"],
        )
        if answer == "leave_out":
            drop(file, strangers, "same_id", "employee_id", "one id of several people: left out")
            for row in strangers:
                groups.pop(row.employee_id, None)
    people: list[Row] = []
    older: list[Row] = []
    _settle_present(groups, work)
    for found in groups.values():
        person, others = _joined(found, work.as_of)
        people.append(person)
        older += others
    file.dropped |= {row.line: "duplicate_of_rehired_person" for row in older}
    work.journal.add(
        "several_rows",
        ", ".join(work.mapping.names("employee_id")),
        len(older),
        "older rows of people with several: spells and transfers",
        at(older),
    )
    _settle_hire_dates(people, work)
    file.rows[:] = sorted(people, key=lambda row: row.line)


# What adds up where somebody has two jobs.
_ADDED = ("annual_rate", "period_rate", "weekly_hours", "fte")


def _settle_present(groups: dict[str, list[Row]], work: Work) -> None:
    """Ask of people with several rows of the present day and different pay in them."""
    several = [
        present
        for found in groups.values()
        if len(present := [row for row in found if _is_present(row, work.as_of)]) > 1
        and len({(row.annual_rate, row.period_rate, row.hourly_rate) for row in present}) > 1
    ]
    if not several:
        return
    rows = [row for present in several for row in present]
    answer = work.answers.choose(
        "several_jobs",
        f"{len(several)} people have several rows of the same day with different pay "
        f"({few(rows)}). Are these jobs beside each other, whose pay adds up, or is the latest "
        "row right?",
        columns=work.mapping.names("employee_id", *_ADDED),
        choices=["add", "latest"],
    )
    if answer == "add":
        for present in several:
            for name in _ADDED:
                values = [value for row in present if (value := getattr(row, name)) is not None]
                for row in present:
                    setattr(row, name, sum(values, Decimal(0)) if values else None)
    words = f"several jobs at the same time: {answer}"
    work.journal.add("several_jobs", "employee_id", len(several), words, at(rows))


def _is_present(row: Row, as_of: date) -> bool:
    start, end = _start(row), _end(row)
    return row.is_active and (start is None or start <= as_of) and (end is None or end > as_of)


def _births(found: Sequence[Row]) -> set[date]:
    return {row.birth_date for row in found if row.birth_date is not None}


def _start(row: Row) -> date | None:
    return row.valid_from or row.rehire_date or row.hire_date


def _end(row: Row) -> date | None:
    return row.valid_to or row.termination_date


def _joined(found: list[Row], as_of: date) -> tuple[Row, list[Row]]:
    """Return the present row of a person with what the others add, and the others."""
    if len(found) == 1 and found[0].valid_from is None:
        found[0].lines = (found[0].line,)
        return found[0], []

    def order(row: Row) -> tuple[bool, bool, date, date, int]:
        start, end = _start(row) or date.min, _end(row) or date.max
        return (start <= as_of, row.is_active, start, end, row.line)

    by_time = sorted(found, key=order)
    person = by_time[-1]
    others = by_time[:-1]
    spells = sorted(
        ((_start(row), row) for row in found), key=lambda one: (one[0] or date.min, one[1].line)
    )
    latest = None
    ended: date | None = None
    for start, row in spells:
        if start is None:
            continue
        if latest is None or ended is None or start - ended > _BREAK:
            latest = start if latest is None or ended is not None else latest
        ended = max(filter(None, (ended, _end(row) or date.max)))
    starts = [day for row in found for day in (row.hire_date, row.valid_from) if day is not None]
    if starts:
        person.hire_date = min(starts)
    if latest is not None and person.hire_date is not None and latest > person.hire_date:
        person.rehire_date = max(filter(None, (person.rehire_date, latest)))
    if person.valid_from is not None and person.termination_date is None:
        end = person.valid_to
        person.termination_date = end if end is not None and end <= as_of else None
        if person.termination_date is not None and person.standing == "active":
            person.standing = "inactive"
    person.birth_date = person.birth_date or next(iter(_births(others)), None)
    for name in _SUMMED:
        amounts = [value for row in found if (value := getattr(row, name)) is not None]
        if len(amounts) > 1:
            once = len(set(amounts)) == 1
            setattr(person, name, amounts[0] if once else sum(amounts, Decimal(0)))
    person.lines = tuple(sorted(row.line for row in found))
    return person, others


def _settle_hire_dates(people: Sequence[Row], work: Work) -> None:
    back = [
        row
        for row in people
        if row.hire_date and row.rehire_date and row.rehire_date > row.hire_date
    ]
    for row in people:
        if row.hire_date is None and row.rehire_date is not None:
            row.hire_date, row.rehire_date = row.rehire_date, None
        elif (
            row.rehire_date is not None
            and row.hire_date is not None
            and row.rehire_date <= row.hire_date
        ):
            row.rehire_date = None
    if not back:
        return
    answer = work.answers.choose(
        "rehired_hire_date",
        "People were hired again. Is their hire date the original or the latest one? Beside the "
        "original the latest is kept as rehire_date.",
        where=few(back),
        columns=work.mapping.names("hire_date", "rehire_date", "valid_from"),
        choices=["original", "latest"],
        proposal="original",
        certain=True,
    )
    if answer == "latest":
        for row in back:
            row.hire_date, row.rehire_date = row.rehire_date, None
    work.journal.add(
        "rehired",
        ", ".join(work.mapping.names("hire_date", "rehire_date")),
        len(back),
        f"hired again: hire_date is the {answer} one",
        at(back),
    )
