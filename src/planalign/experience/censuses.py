"""Read the censuses of several years into one table, each dated."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from planalign.census.columns import COLUMNS, quoted, with_own
from planalign.census.read import read_census
from planalign.errors import InputError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from planalign.config import Config

FEWEST, MOST = 2, 10
# Two censuses belong to years that follow each other if so many days lie between them.
_SHORTEST, _LONGEST = 350, 380

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")

# Columns that a study adds to its census tell something to the fit by the end of their names.
_RATING, _REASON = "rating", "reason"


@dataclass(frozen=True)
class Census:
    """A census file, the day it describes, and how that is known.

    Args:
        path: of the file.
        day: the census date.
        told_by: `option`, `file name` or `year of the file name`: with the last one
            December 31 is assumed.
        rows: employees in it, once it was read.
        active: of these, employed on the day.

    """

    path: Path
    day: date
    told_by: str
    rows: int = 0
    active: int = 0

    @property
    def year(self) -> int:
        """The year whose experience the census ends; of January 1, the year before."""
        return (self.day - timedelta(days=1)).year if self.is_new_year else self.day.year

    @property
    def is_new_year(self) -> bool:
        """Whether the census describes January 1, the same as the evening before."""
        return (self.day.month, self.day.day) == (1, 1)

    @property
    def is_year_end(self) -> bool:
        """Whether it describes the turn of a year, as simulated years end with."""
        return self.is_new_year or (self.day.month, self.day.day) == (12, 31)


def dated(files: Sequence[Path], days: Sequence[date] = ()) -> tuple[Census, ...]:
    """Return the censuses in the order of their days.

    Args:
        files: two to ten, in any order.
        days: of each file, in the order of the files; empty if their names tell.

    Raises:
        UsageError: there are too few or too many, or as many days as there are not files.
        InputError: a day is not known, or two files do not follow each other by a year.

    """
    if not FEWEST <= len(files) <= MOST:
        raise UsageError(
            f"{len(files)} censuses are given",
            f"Name {FEWEST} to {MOST} yearly censuses of the same company.",
        )
    if days and len(days) != len(files):
        raise UsageError(
            f"--as-of is given {len(days)} times for {len(files)} censuses",
            "Give it once for each file, in their order, or leave it out.",
        )
    told = [_told(file, days[number] if days else None) for number, file in enumerate(files)]
    found = [one for one in told if isinstance(one, Census)]
    problems = [one for one in told if isinstance(one, Problem)]
    found.sort(key=lambda one: (one.day, str(one.path)))
    for before, after in pairwise(found):
        between = (after.day - before.day).days
        if not _SHORTEST <= between <= _LONGEST:
            problems.append(
                Problem(
                    f"of {after.day}: {between} days after {before.path.name} of {before.day}",
                    "Give one census a year, of the same day each year; say with --as-of which "
                    "day each describes, if its name says another",
                    str(after.path),
                )
            )
    if problems:
        raise InputError("the censuses do not follow each other year by year", problems)
    return tuple(found)


def read_all(
    connection: duckdb.DuckDBPyConnection, censuses: Sequence[Census], config: Config
) -> tuple[Census, ...]:
    """Read censuses into the table `person_years`, one row per person and census.

    `number` counts the censuses from 0; `start_day` and `end_day` are the first and last
    day of the year that ends with it. Beside the columns of a census it has `is_active`,
    and `rating` and `reason`, which are null where the study has no such column.

    Raises:
        CensusError: a file has problems; all of them are listed.

    """
    own = with_own(config.extra_columns)
    rating, reason = (
        next((quoted(name) for name in config.extra_columns if name.endswith(ending)), "null")
        for ending in (_RATING, _REASON)
    )
    read = []
    for number, census in enumerate(censuses):
        summary = read_census(
            connection,
            census.path,
            columns=config.census_columns,
            census_date=census.day,
            extra_columns=config.extra_columns,
            table="one_census",
        )
        last = census.day - timedelta(days=1) if census.is_new_year else census.day
        before = censuses[number - 1].day if number else _year_before(census.day)
        start = before if (before.month, before.day) == (1, 1) else before + timedelta(days=1)
        names = ", ".join(quoted(column.name) for column in own if column in COLUMNS)
        select = (
            # Names that are quoted, and numbers.
            f"select {number} as number, $start::date as start_day, $last::date as end_day, "  # noqa: S608
            f"{names}, {rating}::varchar as rating, {reason}::varchar as reason, "
            "coalesce(hire_date <= $day, true) and coalesce(termination_date > $day, true) "
            "and coalesce(active, true) as is_active from one_census"
        )
        into = "insert into person_years by name" if number else "create table person_years as"
        connection.execute(f"{into} {select}", {"start": start, "last": last, "day": census.day})
        read.append(replace(census, rows=summary.rows, active=summary.active))
    connection.execute("drop table one_census")
    return tuple(read)


def _told(file: Path, day: date | None) -> Census | Problem:
    if day is not None:
        return Census(file, day, "option")
    whole = _DAY.search(file.name)
    if whole:
        try:
            return Census(file, date(*map(int, whole.groups())), "file name")
        except ValueError:
            return Problem(
                f"has {whole[0]} in its name, which is no day",
                "Say with --as-of which day each census describes",
                str(file),
            )
    year = set(_YEAR.findall(file.name))
    if len(year) == 1:
        return Census(file, date(int(year.pop()), 12, 31), "year of the file name")
    return Problem(
        "does not say in its name which year it is of",
        "Say with --as-of which day each census describes, once for each file in their order",
        str(file),
    )


def _year_before(day: date) -> date:
    # February 29 of a leap year: the day before March 1.
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
