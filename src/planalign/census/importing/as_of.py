"""The day that a file describes, by its title, its name or its dates."""

from __future__ import annotations

import calendar
import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from planalign.census.importing.dates import MONTHS, day_of, spelled
from planalign.census.importing.headers import folded

if TYPE_CHECKING:
    from planalign.census.importing.locate import Table
    from planalign.census.importing.mapping import Mapping
    from planalign.census.importing.questions import Answers

_DAY = re.compile(
    r"\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|(?:19|20)\d\d[-/._]\d{1,2}[-/._]\d{1,2}"
    r"|(?<![\d/.-])\d{1,2}[/.]\d{1,2}[/.]\d\d(?![\d/.-])"
    r"|\d{1,2}\.? ?[-. ]? ?[^\W\d_]{3,10}\.?,?[- ](?:19|20)\d\d"
    r"|[^\W\d_]{3,10}\.? \d{1,2},? (?:19|20)\d\d"
    r"|(?<!\d)(?:19|20)\d{6}(?!\d)"
)
# The last day of a title's year of two digits.
_LATEST = date(2069, 12, 31)
_YEAR = re.compile(r"(?<!\d)(20\d\d|19[5-9]\d)(?!\d)")
_MONTH = re.compile(r"(?<!\d)(20\d\d)[-_. ]?(0[1-9]|1[0-2])(?!\d)")
_QUARTER = re.compile(r"\bQ([1-4])[- /]?(20\d\d)\b", re.IGNORECASE)
_QUARTER_LAST = re.compile(r"(?<!\d)(20\d\d)[- /]?Q([1-4])\b", re.IGNORECASE)
_NAMED_MONTH = re.compile(r"([^\W\d_]{3,10})\.?[ -](20\d\d)(?!\d)")
# What stands before the day that is meant, and before the day on which a report was made.
_MEANT = re.compile(
    r"as of|as at|as-of|effective|year end|year-end|plan year|period end|ending|ended|through|"
    r"stand|stichtag|zum|per|\bau\b|arret|al \d|\bop\b|peildatum|census date",
    re.IGNORECASE,
)
_MADE = re.compile(
    r"\brun\b|\bprinted|\bcreated|\bgenerated|\bprepared|\bexport(?:ed|date)?\b|report date"
    r"|gedruckt|erstellt|date d'[eé]dition|imprim[eé]",
    re.IGNORECASE,
)


def as_of_day(table: Table, mapping: Mapping, answers: Answers, *, many: bool) -> date:
    """Return the day that a table describes: by its title, its sheet, its file's name.

    Args:
        table: with the texts above its header.
        mapping: what its columns are.
        answers: who is asked where nothing tells.
        many: whether there are several files, so that the question names this one.
    """
    name = table.grid.file.name
    texts = [*table.titles, table.grid.sheet or "", re.sub(r"[_]+", " ", name.rpartition(".")[0])]
    meant = [_without_making(text) for text in texts]
    for group in ([text for text in meant if _MEANT.search(text)], meant):
        days = {day for text in group for day in _days(text)}
        if len(days) == 1:
            return days.pop()
    newest = _newest_year(table, mapping)
    for text in meant:
        if found := _months(text):
            year, month = max(found)
            if newest is None or year <= newest <= year + 1:
                return date(year, month, calendar.monthrange(year, month)[1])
    years = {int(year) for text in meant for year in _YEAR.findall(text)}
    likely = [year for year in years if newest is None or newest - 1 <= year <= newest + 1]
    if len(likely) == 1:
        return date(likely[0], 12, 31)
    proposal = f"{newest}-12-31" if newest else None
    key = f"as_of:{name}" if many else "as_of"
    answer = answers.choose(
        key,
        f"Which day does {name} describe? Neither title, sheet nor name of the file says it"
        + (f"; its newest dates are of {newest}" if newest else "")
        + ". Answer as yyyy-mm-dd, or with --as-of.",
        proposal=proposal,
        accepts=lambda text: _iso(text) is not None,
    )
    return _iso(answer) or date(newest or 2000, 12, 31)


def _without_making(text: str) -> str:
    """Return a title without the day on which it was made: from its word to its day."""
    made = _MADE.search(text)
    if made is None:
        return text
    day = _DAY.search(text, made.end())
    rest = text[made.end() :] if day is None else text[day.end() :]
    if day is not None and (meant := _MEANT.search(text, made.end(), day.start())):
        # "Prepared by somebody as of 12/31/2024": the day is that of the other words.
        rest = text[meant.start() :]
    return text[: made.start()] + rest


def _months(text: str) -> set[tuple[int, int]]:
    """Return the months of a title that names no day, a quarter as its last one."""
    found = {(int(year), int(month)) for year, month in _MONTH.findall(text)}
    found |= {(int(year), 3 * int(q)) for q, year in _QUARTER.findall(text)}
    found |= {(int(year), 3 * int(q)) for year, q in _QUARTER_LAST.findall(text)}
    for name, year in _NAMED_MONTH.findall(text):
        if (month := MONTHS.get(folded(name))) is not None:
            found.add((int(year), month))
    return found


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days(text: str) -> set[date]:
    found = set()
    for words in _DAY.findall(text):
        one = spelled(words.replace("_", "-"))
        if one is None:
            continue
        both = {day for order in ("mdy", "dmy") if (day := day_of(one, order, _LATEST))}
        ends = {d for d in both if d.day == calendar.monthrange(d.year, d.month)[1]}
        found |= ends if len(both) > 1 and len(ends) == 1 else both
    return found


def _newest_year(table: Table, mapping: Mapping) -> int | None:
    """Return the year that most of the newest hires and leavers are of."""
    years: Counter[int] = Counter()
    for role in ("hire_date", "rehire_date", "termination_date", "valid_from"):
        for position in mapping.positions.get(role, []):
            for cell in table.columns[position]:
                one = spelled(cell)
                if one is None:
                    continue
                year = one.day.year if one.day else one.parts[2] if one.parts else 0
                if one.is_short:
                    # Nobody was hired before 1970 in a file that shortens its years.
                    year += 2000 if year < 70 else 1900
                if 1950 <= year <= 2100:
                    years[year] += 1
    total = sum(years.values())
    common = [year for year, count in years.items() if count * 200 >= total]
    return max(common, default=None)
