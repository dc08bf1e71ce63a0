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
_SCOPE, _HIRED_SINCE, _MONTHS = (
    "automatic_enrollment.scope",
    "automatic_enrollment.hired_since",
    "eligibility.months_of_service",
)
# What the default deferral follows from, and who is left out of it.
DEFAULT_SETTINGS = (_DEFAULT, _FORMULA, _AUTOMATIC, _ESCALATED, _STEP, _CAP, _DATE)
SPARED_SETTINGS = (_HIRED_SINCE, _FORMULA, _SCOPE, _MONTHS)


@dataclass(frozen=True)
class Breach:
    """A year in which the arrangement is not qualified, the setting at fault, what to show."""

    year: int
    key: str
    shown: tuple[Any, ...]
    is_above: bool = False


def default_breaches(years: range, at: Settings) -> Iterator[Breach]:
    """Yield what is no qualified percentage, of who enrols by default in each of the years.

    Nobody enrols before the first of the years. The default rate itself, in a year with
    a qaca match, has a rule of its own.
    """
    if any(_is_qaca(at, year) for year in years):
        for entered in years:
            # A qaca match without automatic enrollment is refused for that.
            if at(_AUTOMATIC, entered) or _is_qaca(at, entered):
                yield from _breaches_of(range(entered, years.stop), at)


def _breaches_of(years: range, at: Settings) -> Iterator[Breach]:
    """Yield the breaches of who enrols by default in the first of the years."""
    first = highest = at(_DEFAULT, years.start)
    begun, paused = None, False
    for year in years:
        # Nobody's deferral rises in the year of enrolment.
        before, rises, cap = highest, year > years.start, at(_CAP, year)
        if rises and at(_ESCALATED, year) and highest < cap:
            highest = min(cap, highest + at(_STEP, year))
        paused = paused or (rises and not at(_ESCALATED, year))
        if not _is_qaca(at, year):
            continue
        begun = year if begun is None else begun
        number = year - begun + 1
        if number > len(_LEAST):
            return  # what has come to the last percentage never falls below it
        if not rises:
            continue
        # The percentage is one of the whole plan year: before a rise within it, too.
        lowest = highest if at(_DATE, year) == "01-01" else before
        least = _LEAST[number - 1]
        if lowest < least:
            limit = _CAP if lowest >= cap else _STEP
            yield Breach(year, _ESCALATED if paused else limit, (lowest, number, least))
        most = _MOST_AT_FIRST if number <= _FIRST_YEARS else MOST
        risen = highest > first
        if highest > most and (risen or not _is_qaca(at, years.start)):
            yield Breach(year, _CAP if risen else _DEFAULT, (highest, number, most), is_above=True)


def spared_breaches(years: range, at: Settings) -> Iterator[Breach]:
    """Yield the years in which a default for new hires leaves out whom the law does not spare.

    Section 401(k)(13)(C)(iv) spares who was eligible immediately before the arrangement
    began and had an election in effect then: to defer so much, or not at all. Who had
    not served the months of service by then was not eligible.
    """
    begun = next((year for year in years if _is_qaca(at, year)), None)
    if begun is None:
        return
    months = at(_MONTHS, begun)
    latest = datetime.date(begun - (months > 0), -months % 12 + 1, 1)
    for year in years:
        limited = _is_qaca(at, year) and at(_SCOPE, year) == "new_hires"
        if limited and at(_HIRED_SINCE, year) > latest:
            yield Breach(year, _HIRED_SINCE, (latest, begun))


def _is_qaca(at: Settings, year: int) -> bool:
    return bool(at(_FORMULA, year) == "qaca")
