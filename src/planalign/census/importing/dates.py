"""Dates in any habit, and the one reading that a column's values allow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.census.importing.grid import Cell

# Months as their languages write and shorten them: English, German, French, Spanish,
# Italian, Dutch. The first three letters tell them apart but for June and July.
_MONTHS = {
    1: "jan january januar janner jaenner janvier janv ene enero gen gennaio januari",
    2: "feb february februar fevrier fev fevr febrero febbraio februari",
    3: "mar march marz maerz mrz mars marzo maart mrt",
    4: "apr april avril avr abr abril aprile",
    5: "may mai mayo mag maggio mei",
    6: "jun june juni juin junio giu giugno",
    7: "jul july juli juillet juil julio lug luglio",
    8: "aug august aout ago agosto augustus",
    9: "sep sept september septembre septiembre set settembre",
    10: "oct october okt oktober octobre octubre ott ottobre",
    11: "nov november novembre noviembre",
    12: "dec december dez dezember decembre dic diciembre dicembre",
}
MONTHS = {word: month for month, words in _MONTHS.items() for word in words.split()}

_TIME = re.compile(
    r"[T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([ap]\.?m\.?)?\s*(Z|[+-]\d\d:?\d\d)?$", re.IGNORECASE
)
_THREE = re.compile(r"(\d{1,4})\s*[-/.\s]\s*(\d{1,2})\s*[-/.\s]\s*(\d{1,4})\.?")
_NAMED = re.compile(r"(\d{1,4})[-/.,\s]*([^\W\d_]{3,12})\.?[-/.,\s]*(\d{2,4})")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,12})\.?[-/.\s]*(\d{1,2})(?:st|nd|rd|th)?[-/.,\s]+(\d{2,4})")
_SERIAL = re.compile(r"\d{4,5}(\.\d+)?")
_DIGITS = re.compile(r"\d{6}|\d{7}|\d{8}")

EXCEL_EPOCH = date(1899, 12, 30)
# Days that stand for no day: nobody is employed since, or leaves at, one of them.
NO_DAY = {date(1900, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1901, 1, 1),
          date(1800, 1, 1), date(1, 1, 1), date(1753, 1, 1)}  # fmt: skip
# Years from the day of a file on after which a date stands for no end.
OPEN_END_AFTER = 50


@dataclass(frozen=True)
class Spelled:
    """What a cell says of a day before the order of its parts is known.

    Args:
        day: the day, where nothing is open: a cell of a date, year first, month by name.
        parts: first, second, year, where day and month are both numbers; the year may
            have two digits.
        is_short: whether the year has two digits.
        shape: how it is written.
    """

    shape: str
    day: date | None = None
    parts: tuple[int, int, int] | None = None
    is_short: bool = False


def spelled(cell: Cell) -> Spelled | None:
    """Return what a cell says of a day; nothing where it is none, such as February 30."""
    if isinstance(cell, date):
        return Spelled("cell", cell.date() if isinstance(cell, datetime) else cell)
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, (int, float)):
        whole = str(int(cell)) if float(cell).is_integer() else ""
        return _digits(whole) if _DIGITS.fullmatch(whole) else _serial(float(cell))
    return _of_text(_TIME.sub("", cell.strip().strip("'").strip()).strip())


def _of_text(text: str) -> Spelled | None:
    if found := _THREE.fullmatch(text):
        return _of_three(*found.groups())
    if _DIGITS.fullmatch(text):
        return _digits(text)
    if _SERIAL.fullmatch(text):
        return _serial(float(text))
    return _of_a_name(text)


def _of_a_name(text: str) -> Spelled | None:
    if found := _NAMED.fullmatch(text):
        first, name, last = found.groups()
    elif found := _NAMED_FIRST.fullmatch(text):
        name, first, last = found.groups()
    else:
        return None
    month = MONTHS.get(_without_accents(name))
    if month is None:
        return None
    if len(first) == 4:
        day = _day(int(first), month, int(last))
        return Spelled("named", day) if day else None
    if len(last) == 2:
        return Spelled("named", parts=(int(first), month, int(last)), is_short=True)
    day = _day(int(last), month, int(first))
    return Spelled("named", day) if day else None


def _without_accents(name: str) -> str:
    import unicodedata  # noqa: PLC0415 - of names of months alone

    text = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def _of_three(first: str, second: str, third: str) -> Spelled | None:
    if len(first) >= 3:
        day = _day(int(first), int(second), int(third))
        return Spelled("ymd", day) if day and len(first) == 4 else None
    if len(third) == 3:
        return None
    if len(third) == 1:
        return None
    return Spelled("numbers", parts=(int(first), int(second), int(third)), is_short=len(third) == 2)


def _digits(text: str) -> Spelled | None:
    """Read six, seven or eight digits: year first, or month and day first."""
    if len(text) == 8:
        day = _day(int(text[:4]), int(text[4:6]), int(text[6:]))
        if day and (1850 <= day.year <= 2200 or day.year == 9999 or day in NO_DAY):
            return Spelled("yyyymmdd", day)
        return Spelled("digits", parts=(int(text[:2]), int(text[2:4]), int(text[4:])))
    if len(text) == 7:
        return Spelled("digits", parts=(int(text[:1]), int(text[1:3]), int(text[3:])))
    return Spelled("digits", parts=(int(text[:2]), int(text[2:4]), int(text[4:])), is_short=True)


def _serial(value: float) -> Spelled | None:
    days = int(value)
    if not 0 <= days < 3_000_000:
        return None
    return Spelled("serial", EXCEL_EPOCH + timedelta(days=days))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@dataclass
class Evidence:
    """What the values of a column say about day and month.

    Args:
        month_first: how many can be read with the month first alone.
        day_first: with the day first alone.
        either: with both.
        neither: with none.
    """

    month_first: int = 0
    day_first: int = 0
    either: int = 0
    neither: int = 0
    shapes: dict[str, int] = field(default_factory=dict)


def evidence(found: Iterable[Spelled]) -> Evidence:
    """Count what values say about the order of day and month."""
    seen = Evidence()
    for one in found:
        seen.shapes[one.shape] = seen.shapes.get(one.shape, 0) + 1
        if one.parts is None or one.shape == "named":
            continue
        first, second, year = one.parts
        full = year + 2000 if one.is_short else year
        month_first = _day(full, first, second) is not None
        day_first = _day(full, second, first) is not None
        if month_first and day_first:
            # The same day of the same month tells nothing and can be read.
            seen.either += first != second
        elif month_first:
            seen.month_first += 1
        elif day_first:
            seen.day_first += 1
        else:
            seen.neither += 1
    return seen


def day_of(one: Spelled, order: str, newest: date) -> date | None:
    """Return the day that a cell says, read in an order.

    Args:
        one: the cell.
        order: `mdy` or `dmy`, of numbers.
        newest: of years of two digits, the latest day that is meant.
    """
    if one.day is not None or one.parts is None:
        return one.day
    first, second, year = one.parts
    if one.shape == "named" or order == "dmy":
        day, month = first, second
    else:
        month, day = first, second
    if not one.is_short:
        return _day(year, month, day)
    century = newest.year // 100 * 100
    found = _day(century + year, month, day)
    if found is None or found > newest:
        return _day(century - 100 + year, month, day)
    return found
