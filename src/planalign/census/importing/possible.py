"""Values that can be read and that no census has: each is asked about."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign.census.importing.dropping import drop, few
from planalign.census.importing.journal import at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.importing.file import File
    from planalign.census.importing.rows import Row

# By role, the least and the most that it may be; pay has its own question, for it is needed.
_BOUNDS = {
    "weekly_hours": (Decimal(0), Decimal(168)),
    "ownership": (Decimal(0), Decimal(1)),
    "balance_match": (Decimal(0), Decimal("99999999.99")),
    "balance_core": (Decimal(0), Decimal("99999999.99")),
    "pay_of_year": (Decimal(0), Decimal("99999999.99")),
    "deferral_percent": (Decimal(0), None),
    "roth_percent": (Decimal(0), None),
    "deferral_dollars": (Decimal(0), None),
    "roth_dollars": (Decimal(0), None),
    "annual_rate": (Decimal(0), Decimal("99999999.99")),
    "period_rate": (Decimal(0), None),
    "hourly_rate": (Decimal(0), None),
}
# Weeks of the periods for which payrolls state hours.
_WEEKS = {
    "weekly": Decimal(1),
    "biweekly": Decimal(2),
    "semimonthly": Decimal(52) / 24,
    "monthly": Decimal(52) / 12,
}
_YOUNGEST = 14


def settle_hours(file: File) -> None:
    """Ask of what period hours are that are too many for a week, and divide them."""
    work = file.work
    hours = sorted(row.weekly_hours for row in file.rows if row.weekly_hours)
    if not hours or hours[len(hours) // 2] <= _MOST_USUAL:
        return
    middle = hours[len(hours) // 2]
    header = work.mapping.names("weekly_hours")
    near = min(_WEEKS, key=lambda period: abs(middle / _WEEKS[period] - 40))
    answer = work.answers.choose(
        f"hours:{header[0]}",
        f'Half of the hours in "{header[0]}" are {middle.normalize():f} or fewer, more than a '
        "week has. Of what period are they?",
        columns=header,
        choices=list(_WEEKS),
        proposal=near,
    )
    for row in file.rows:
        if row.weekly_hours is not None:
            row.weekly_hours = (row.weekly_hours / _WEEKS[answer]).quantize(Decimal("0.01"))
    work.journal.add("hours", header[0], len(hours), f"hours are {answer}, and made weekly")


_MOST_USUAL = 60


def settle_bounds(file: File) -> None:
    """Ask of numbers below zero or beyond what their column can hold."""
    work = file.work
    for role, (least, most) in _BOUNDS.items():
        beyond = [
            row
            for row in file.rows
            if (value := getattr(row, role)) is not None
            and (value < least or (most is not None and value > most))
        ]
        if not beyond:
            continue
        header = work.mapping.names(role)[0]
        answer = work.answers.choose(
            f"impossible:{header}",
            f'{len(beyond)} values of "{header}" are below zero or larger than any '
            f"({few(beyond)}). Are they blank, nothing (0), or are the rows left out?",
            columns=[header],
            choices=["blank", "zero", "leave_out"],
        )
        for row in beyond:
            setattr(row, role, Decimal(0) if answer == "zero" else None)
        words = f"values below zero or larger than any: {answer}"
        work.journal.add("impossible", header, len(beyond), words, at(beyond))
        if answer == "leave_out":
            drop(file, beyond, "impossible", header, words)


def settle_order_of_dates(file: File) -> None:
    """Ask of people whose dates contradict each other."""
    work = file.work
    early = [row for row in file.rows if _is_too_young(row)]
    if early:
        columns = work.mapping.names("birth_date", "hire_date")
        work.answers.choose(
            "hired_as_a_child",
            f"{len(early)} people were hired before the age of {_YOUNGEST} or born before 1900 "
            f"({few(early)}). Are they left out?",
            columns=columns,
            choices=["leave_out"],
        )
        drop(file, early, "hired_as_a_child", ", ".join(columns), "dates of a child: left out")
    _settle_ends(file, [row for row in file.rows if _ends_before(row)])


def _settle_ends(file: File, ended: Sequence[Row]) -> None:
    if not ended:
        return
    work = file.work
    columns = work.mapping.names("hire_date", "termination_date")
    answer = work.answers.choose(
        "left_before_hire",
        f"{len(ended)} people left before they were hired ({few(ended)}). Is the date of leaving "
        "not known, or are they left out?",
        columns=columns,
        choices=["blank", "leave_out"],
    )
    for row in ended:
        row.termination_date = None
    words = f"left before they were hired: {answer}"
    work.journal.add("left_before_hire", ", ".join(columns), len(ended), words, at(ended))
    if answer == "leave_out":
        drop(file, ended, "left_before_hire", ", ".join(columns), words)


def _is_too_young(row: Row) -> bool:
    if row.birth_date is None or row.hire_date is None:
        return False
    if row.birth_date.year < 1900:
        return True
    # February 29 has its birthday on the day before.
    turns = (row.birth_date - timedelta(days=row.birth_date.day == 29)).replace(
        year=row.birth_date.year + _YOUNGEST
    )
    return row.hire_date < turns


def _ends_before(row: Row) -> bool:
    return (
        not row.is_active
        and row.termination_date is not None
        and row.hire_date is not None
        and row.termination_date < row.hire_date
    )
