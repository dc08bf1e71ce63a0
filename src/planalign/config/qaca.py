"""Qualified automatic contribution arrangements: section 401(k)(13)(C), over the years.

The percentage is told by the plan years of one employee: the first is that in which
the arrangement first takes a default contribution, the initial period ends with
the second.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

# What the setting of a key is in a year.
Settings: TypeAlias = Callable[[str, int], Any]

# At least, in the first, second, .. plan year: 401(k)(13)(C)(iii)(I) to (IV).
_LEAST = tuple(map(Decimal, ("0.03", "0.03", "0.04", "0.05", "0.06")))
# At most; the second figure as changed by section 102 of the SECURE Act.
_MOST_AT_FIRST, MOST = Decimal("0.10"), Decimal("0.15")
_FIRST_YEARS = 2
LEAST_AT_LAST = _LEAST[-1]
# Days from entry, the latest day of the notice, to the earlier of the last pay date of the
# second pay period that begins after it, and the first one after 30 days, however periods lie.
MOST_DAYS = {"weekly": 21, "biweekly": 42, "semimonthly": 46, "monthly": 61}
# Who enrols when a setting changes for the last time has all of the percentages by then.
YEARS_TO_LAST = len(_LEAST)

_FORMULA, _DEFAULT, _AUTOMATIC = (
    "match.formula",
    "automatic_enrollment.default_rate",
    "automatic_enrollment.enabled",
)
_ESCALATED, _STEP, _CAP, _DATE = (
    "escalation.enabled",
    "escalation.step",
    "escalation.cap",
    "escalation.date",
)
_SCOPE, _HIRED_SINCE = "automatic_enrollment.scope", "automatic_enrollment.hired_since"
_HIGHLY_COMPENSATED = "deferrals.highly_compensated_maximum_rate"
# What the default deferral follows from, who cannot defer it, and who is left out of it.
DEFAULT_SETTINGS = (_DEFAULT, _FORMULA, _AUTOMATIC, _ESCALATED, _STEP, _CAP, _DATE)
UNIFORM_SETTINGS = (
    _HIGHLY_COMPENSATED, _FORMULA, _DEFAULT, _AUTOMATIC, _ESCALATED, _STEP, _CAP
)  # fmt: skip
SPARED_SETTINGS = (_HIRED_SINCE, _FORMULA, _SCOPE)


@dataclass(frozen=True)
class Breach:
    """A year in which the arrangement is not qualified, the setting at fault, what to show."""

    year: int
    key: str
    shown: tuple[Any, ...]
    is_above: bool = False


@dataclass(frozen=True)
class _Course:
    """The default of one employee in a year with a qaca match: before its rise and after it.

    Args:
        year: calendar year.
        before: at its beginning.
        highest: at its end.
        number: of the employee's plan year, 1-based.
        rises: whether it is later than the year of enrolment, in which nobody's rises.
        paused: whether escalation was off in a year since the enrolment.
    """

    year: int
    before: Decimal
    highest: Decimal
    number: int
    rises: bool
    paused: bool


def default_breaches(years: range, at: Settings) -> Iterator[Breach]:
    """Yield what is no qualified percentage, of who enrols by default in each of the years.

    Nobody enrols before the first of the years. The default rate itself, in a year with
    a qaca match, has a rule of its own.
    """
    for entering in _entering(years, at):
        yield from _breaches_of(entering, at)


def uniform_breaches(years: range, at: Settings) -> Iterator[Breach]:
    """Yield the years in which the highly compensated may not defer a default that is reached.

    The percentage is one for all eligible employees: section 401(k)(13)(C)(iii).
    """
    for entering in _entering(years, at):
        for course in _course(entering, at):
            year, reached = course.year, course.highest
            if at(_ESCALATED, year) and at(_STEP, year) > 0:
                reached = max(reached, at(_CAP, year))  # sooner or later
            if at(_HIGHLY_COMPENSATED, year) < reached:
                yield Breach(year, _HIGHLY_COMPENSATED, (reached,))


def _entering(years: range, at: Settings) -> Iterator[range]:
    """Yield the years from each on in which somebody may be enrolled by default."""
    if any(_is_qaca(at, year) for year in years):
        for entered in years:
            # A qaca match without automatic enrollment is refused for that.
            if at(_AUTOMATIC, entered) or _is_qaca(at, entered):
                yield range(entered, years.stop)


def _course(years: range, at: Settings) -> Iterator[_Course]:
    """Yield the default, in years with a qaca match, of who enrols in the first of the years."""
    highest = at(_DEFAULT, years.start)
    begun, paused = None, False
    for year in years:
        # Nobody's deferral rises in the year of enrolment.
        before, rises, cap = highest, year > years.start, at(_CAP, year)
        if rises and at(_ESCALATED, year) and highest < cap:
            highest = min(cap, highest + at(_STEP, year))
        paused = paused or (rises and not at(_ESCALATED, year))
        if _is_qaca(at, year):
            begun = year if begun is None else begun
            yield _Course(year, before, highest, year - begun + 1, rises, paused)


def _breaches_of(years: range, at: Settings) -> Iterator[Breach]:
    """Yield the breaches of who enrols by default in the first of the years."""
    first = at(_DEFAULT, years.start)
    for course in _course(years, at):
        year, number, highest = course.year, course.number, course.highest
        if number > len(_LEAST):
            return  # what has come to the last percentage never falls below it
        if not course.rises:
            continue
        # The percentage is one of the whole plan year: before a rise within it, too.
        lowest = highest if at(_DATE, year) == "01-01" else course.before
        least = _LEAST[number - 1]
        if lowest < least:
            limit = _CAP if lowest >= at(_CAP, year) else _STEP
            yield Breach(year, _ESCALATED if course.paused else limit, (lowest, number, least))
        most = _MOST_AT_FIRST if number <= _FIRST_YEARS else MOST
        risen = highest > first
        if highest > most and (risen or not _is_qaca(at, years.start)):
            yield Breach(year, _CAP if risen else _DEFAULT, (highest, number, most), is_above=True)


def spared_breaches(years: range, at: Settings) -> Iterator[Breach]:
    """Yield the years in which a default for new hires leaves out who is hired with a qaca match.

    Section 401(k)(13)(C)(iv) spares who was eligible immediately before the arrangement
    began and had an election in effect then: to defer so much, or not at all. Who was
    hired before and became eligible later is enrolled by the model, whatever the scope.
    """
    begun = next((year for year in years if _is_qaca(at, year)), None)
    if begun is None:
        return
    first_day = datetime.date(begun, 1, 1)
    for year in years:
        limited = _is_qaca(at, year) and at(_SCOPE, year) == "new_hires"
        if limited and at(_HIRED_SINCE, year) > first_day:
            yield Breach(year, _HIRED_SINCE, (first_day,))


def _is_qaca(at: Settings, year: int) -> bool:
    return bool(at(_FORMULA, year) == "qaca")
