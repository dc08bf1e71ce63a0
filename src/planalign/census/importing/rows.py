"""The rows of one file as people or spells, typed but not yet understood."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from planalign.census.importing.mapping import AMOUNTS, COUNTS, DATES, FLAGS, RATES, TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from planalign.census.importing.readings import Reader


@dataclass(slots=True)
class Row:
    """One row of a file: who, since when, at what pay; then what was made of it.

    Money is in dollars, rates are fractions, hours are of a week but for `annual_hours`.
    """

    line: int
    employee_id: str = ""
    birth_date: date | None = None
    hire_date: date | None = None
    rehire_date: date | None = None
    termination_date: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    enrolled_on: date | None = None
    status: str | None = None
    department: str | None = None
    department_code: str | None = None
    location: str | None = None
    grade: str | None = None
    pay_type: str | None = None
    pay_frequency: str | None = None
    currency: str | None = None
    enrollment_status: str | None = None
    weekly_hours: Decimal | None = None
    annual_hours: Decimal | None = None
    fte: Decimal | None = None
    annual_rate: Decimal | None = None
    hourly_rate: Decimal | None = None
    period_rate: Decimal | None = None
    pay_of_year: Decimal | None = None
    deferral_percent: Decimal | None = None
    roth_percent: Decimal | None = None
    deferral_dollars: Decimal | None = None
    roth_dollars: Decimal | None = None
    ownership: Decimal | None = None
    balance_match: Decimal | None = None
    balance_core: Decimal | None = None
    union: str | bool | None = None
    officer: str | bool | None = None
    # What the steps of an import make of it.
    standing: str = "active"
    annual_compensation: Decimal | None = None
    deferral_rate: Decimal | None = None
    roth_share: Decimal | None = None
    job_level: int | None = None
    lines: tuple[int, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether the person is employed on the day that the file describes."""
        return self.standing in {"active", "leave"}

    @property
    def latest_start(self) -> date | None:
        """The day on which the present or last employment began."""
        return self.rehire_date or self.hire_date


_FIELDS = frozenset(one.name for one in fields(Row))


def rows_of(reader: Reader) -> list[Row]:
    """Read every mapped column of a table, and return its rows."""
    columns: dict[str, Sequence[Any]] = {}
    reader.prepare(sorted(DATES), sorted(AMOUNTS | RATES | COUNTS))
    for role, positions in reader.work.mapping.positions.items():
        if role not in _FIELDS:
            continue
        position = positions[0]
        if role in DATES:
            columns[role] = reader.days(role, position)
        elif role in AMOUNTS or role in COUNTS:
            columns[role] = reader.numbers(role, position)
        elif role in RATES:
            columns[role] = reader.rates(role, position)
        elif role == "employee_id":
            columns[role] = reader.ids(role, position)
        elif role in TEXTS or role in FLAGS:
            columns[role] = reader.texts(role, position)
    names = list(columns)
    rows = []
    for line, *values in zip(reader.work.table.lines, *columns.values(), strict=True):
        row = Row(line)
        for name, value in zip(names, values, strict=True):
            setattr(row, name, value)
        row.employee_id = row.employee_id or ""
        rows.append(row)
    if reader.currencies:
        for row, sign in zip(rows, reader.currencies, strict=True):
            row.currency = row.currency or sign
    return rows
