"""Cells into values: one declared reading per column, proposed from all its values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign.census.importing.dates import (
    NO_DAY,
    OPEN_END_AFTER,
    day_of,
    evidence,
    spelled,
)
from planalign.census.importing.mapping import NUMBERED
from planalign.census.importing.numbers import (
    decimal_sign,
    exact,
    is_missing,
    is_telling,
    number_in,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.importing.dates import Spelled
    from planalign.census.importing.grid import Cell
    from planalign.census.importing.work import Work

# Until when a date may lie behind the day that the file describes: planned hires, leavers.
_AHEAD = timedelta(days=366)
_YOUNGEST = 14
# Cells of dates that may all have a day up to 12 without a reason.
_MOST_BY_CHANCE = 6


@dataclass
class Reader:
    """Reads the columns of one table, and keeps what it could not read.

    Args:
        work: the file.
        unread: rows by role, of cells that have no value in the reading of their column.
    """

    work: Work
    unread: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)
    learned: dict[str, str] = field(default_factory=dict)
    currencies: list[str | None] = field(default_factory=list)
    _order: str | None = None
    _sign: str | None = None
    _telling: dict[int, list[str]] = field(default_factory=dict)

    def prepare(self, dates: Sequence[str], numbers: Sequence[str]) -> None:
        """Find the habits of the file, which its undecided columns follow."""
        orders, signs = Counter[str](), Counter[str]()
        for position in (p for role in dates for p in self.work.mapping.positions.get(role, [])):
            seen = evidence(filter(None, map(spelled, set(self._cells(position)))))
            orders["mdy"] += bool(seen.month_first and not seen.day_first)
            orders["dmy"] += bool(seen.day_first and not seen.month_first)
        for position in (p for role in numbers for p in self.work.mapping.positions.get(role, [])):
            sign, points, commas = decimal_sign(self._bodies(position))
            if sign:
                signs[sign] += 1 + min(points + commas, 50)
        decided = [order for order, n in orders.items() if n]
        self._order = decided[0] if len(decided) == 1 else None
        self._sign = next(iter(signs)) if len(signs) == 1 else None

    def _cells(self, position: int) -> list[Cell]:
        return [cell for cell in self.work.table.columns[position] if not is_missing(cell)]

    def _bodies(self, position: int) -> list[str]:
        if position not in self._telling:
            texts = {cell for cell in self._cells(position) if isinstance(cell, str)}
            found = (number_in(text) for text in texts)
            self._telling[position] = [
                number.body for number in found if number and is_telling(number.body)
            ]
        return self._telling[position]

    def _note(self, role: str, row: int, cell: Cell) -> None:
        self.unread.setdefault(role, []).append((row, str(cell)[:60]))

    def texts(self, role: str, position: int) -> list[str | None]:
        """Read a column as texts without blanks around or doubled within."""
        known: dict[Any, str | None] = {}
        out = []
        for cell in self.work.table.columns[position]:
            key = (type(cell), cell)
            if key not in known:
                known[key] = None if is_missing(cell) else _text(cell)
            out.append(known[key])
        self.readings[role] = "text"
        return out

    def ids(self, role: str, position: int) -> list[str | None]:
        """Read a column of ids, of those beside which a name stands the number alone."""
        found = self.texts(role, position)
        seen = self.work.mapping.profiles[position]
        if seen.names <= 0.5 or seen.numbered <= 0.95:
            return found
        self.readings[role] = "the number beside a name"
        numbers = [NUMBERED.fullmatch(text) if text else None for text in found]
        return [number[1] if number else None for number in numbers]

    def days(self, role: str, position: int) -> list[date | None]:
        """Read a column of dates."""
        cells = self.work.table.columns[position]
        header = self.work.table.headers[position]
        known: dict[Any, Spelled | None] = {}
        for cell in cells:
            key = (type(cell), cell)
            if key not in known:
                known[key] = None if is_missing(cell) else spelled(cell)
        order = self._order_of(role, header, [one for one in known.values() if one])
        if self._are_swapped(header, [one for one in known.values() if one]):
            known = {key: _swapped(one) for key, one in known.items()}
        newest = self.work.as_of + _AHEAD
        never = date(self.work.as_of.year + OPEN_END_AFTER, 1, 1)
        if role == "birth_date":
            newest = self.work.as_of - timedelta(days=365 * _YOUNGEST)
        values: dict[Any, date | None] = {
            key: None if one is None else day_of(one, order, newest) for key, one in known.items()
        }
        out: list[date | None] = []
        open_ends = 0
        for row, cell in enumerate(cells):
            value = values[(type(cell), cell)]
            if value is None and not is_missing(cell) and not _is_zero(cell):
                self._note(role, row, cell)
            elif value is not None and (value in NO_DAY or value >= never):
                open_ends += 1
                value = None
            out.append(value)
        if open_ends:
            self.work.journal.add(
                "no_day", header, open_ends, "days such as 1/1/1900 or 12/31/9999 stand for none"
            )
        return out

    def _are_swapped(self, header: str, found: list[Spelled]) -> bool:
        """Ask where a spreadsheet may have read days as months and left the others as text.

        It makes cells of dates of what it can read in its own order, all of them with a
        day up to 12, and keeps as texts those that it cannot.
        """
        texts = [one for one in found if one.shape == "numbers"]
        cells = [one.day for one in found if one.shape == "cell" and one.day is not None]
        seen = evidence(texts)
        decided = bool(seen.month_first) != bool(seen.day_first) and not seen.either
        if not decided or len(cells) < _MOST_BY_CHANCE or any(day.day > 12 for day in cells):
            return False
        answer = self.work.answers.choose(
            f"swapped_dates:{header}",
            f'"{header}" has {len(cells)} cells of dates, none of them beyond the 12th, and '
            f"{len(texts)} texts with a day beyond it: a spreadsheet has taken days for months "
            "where it could. Are day and month of the cells to be exchanged?",
            columns=[header],
            choices=["exchange", "keep"],
            proposal="exchange",
        )
        return answer == "exchange"

    def _order_of(self, role: str, header: str, found: list[Spelled]) -> str:
        seen = evidence(found)
        shapes = ", ".join(sorted(seen.shapes))
        if not seen.month_first and not seen.day_first and not seen.either:
            self.readings[role] = f"date ({shapes})"
            return self._order or "mdy"
        if bool(seen.month_first) != bool(seen.day_first):
            order = "mdy" if seen.month_first else "dmy"
            certain = seen.month_first + seen.day_first
            self.learned[f"date_order:{header}"] = order
            self.readings[role] = f"{order} ({certain:,} different values have a day beyond 12)"
            return order
        if seen.month_first and seen.day_first:
            answer = self.work.answers.choose(
                f"date_order:{header}",
                f'In "{header}" {seen.month_first} values can only be month/day/year and '
                f"{seen.day_first} only day/month/year: two habits in one column. Which holds "
                "where both are possible?",
                columns=[header],
                choices=["mdy", "dmy"],
            )
            self.readings[role] = f"{answer}, as answered"
            return answer
        if self._order is not None:
            self.readings[role] = f"{self._order}, as the other dates of the file"
            return self._order
        answer = self.work.answers.choose(
            f"date_order:{header}",
            f'Every date in "{header}" can be month/day/year and day/month/year, as can the '
            "others of the file. Which is it?",
            columns=[header],
            choices=["mdy", "dmy"],
        )
        self.readings[role] = f"{answer}, as answered"
        return answer

    def numbers(self, role: str, position: int) -> list[Decimal | None]:
        """Read a column of amounts or counts."""
        return [value for value, _ in self._numbers(role, position)]

    def _numbers(
        self, role: str, position: int, *, takes_money: bool = True
    ) -> list[tuple[Decimal | None, bool]]:
        cells = self.work.table.columns[position]
        header = self.work.table.headers[position]
        sign = self._sign_of(role, header, position)
        known: dict[Any, tuple[Decimal | None, bool, str | None]] = {}
        out = []
        keep_currency = role in {"annual_rate", "hourly_rate", "period_rate", "pay_of_year"}
        if keep_currency and not self.currencies:
            self.currencies = [None] * len(cells)
        for row, cell in enumerate(cells):
            key = (type(cell), cell)
            if key not in known:
                known[key] = _number(cell, sign)
            value, is_percent, currency = known[key]
            if currency and not takes_money:
                # Dollars of each pay day among rates are no percent.
                value = None
            if value is None and not is_missing(cell):
                self._note(role, row, cell)
            if keep_currency and currency and value:
                self.currencies[row] = currency
            out.append((value, is_percent))
        return out

    def _sign_of(self, role: str, header: str, position: int) -> str:
        bodies = self._bodies(position)
        sign, points, commas = decimal_sign(bodies)
        if sign:
            self.readings[role] = f'"{sign}" before decimals'
            return sign
        if not bodies:
            self.readings[role] = "number"
            return self._sign or "."
        if points and commas:
            answer = self.work.answers.choose(
                f"decimal:{header}",
                f'In "{header}" {points} values have a decimal point and {commas} a decimal '
                "comma. Which holds where both are possible?",
                columns=[header],
                choices=[".", ","],
            )
            self.readings[role] = f'"{answer}" before decimals, as answered'
            return answer
        if self._sign:
            self.readings[role] = f'"{self._sign}" before decimals, as elsewhere in the file'
            return self._sign
        # A single sign before three digits: thousands, as the size of the number tells.
        grouping = "," if any("," in body for body in bodies) else "."
        thousands = "." if grouping == "," else ","
        if role in {"annual_rate", "pay_of_year"}:
            self.readings[role] = f'"{grouping}" between thousands, as no pay is below 1,000'
            return thousands
        answer = self.work.answers.choose(
            f"decimal:{header}",
            f'Every number in "{header}" has one "{grouping}" before three digits. Does it '
            "come before decimals, or between thousands?",
            columns=[header],
            choices=["decimals", "thousands"],
            proposal="thousands" if grouping == "," else None,
        )
        self.readings[role] = f'"{grouping}" before {answer}, as answered'
        return grouping if answer == "decimals" else thousands

    def rates(self, role: str, position: int) -> list[Decimal | None]:
        """Read a column of rates as fractions."""
        header = self.work.table.headers[position]
        found = self._numbers(role, position, takes_money=False)
        bare = [value for value, is_percent in found if value and not is_percent]
        unit = self._unit_of(role, header, bare)
        if unit != "percent_text":
            self.learned[f"percent:{header}"] = unit
        self.readings[role] = {
            "percent_text": "percent, by its sign",
            "percent": "percent",
            "fraction": "fraction",
        }[unit]
        hundred = Decimal(100)
        return [
            None if value is None else value / hundred if is_percent or unit == "percent" else value
            for value, is_percent in found
        ]

    def _unit_of(self, role: str, header: str, bare: list[Decimal]) -> str:
        """Return whether numbers without a percent sign are percent or fractions."""
        if not bare:
            return "percent_text"
        largest = max(bare)
        small = [value for value in bare if value < 1]
        if largest > 1 and not [v for v in small if v < Decimal("0.25")]:
            return "percent"
        if (
            largest <= 1
            and any(value < Decimal("0.2") for value in bare)
            and (largest < 1 or role == "fte" or len(small) * 10 >= len(bare) * 9)
        ):
            # Nobody defers a fifth of a percent, and every election is below one percent.
            fine = [value for value in small if value * 100 == int(value * 100)]
            if len(fine) * 2 >= len(small):
                return "fraction"
        if role == "fte":
            return "percent" if largest > 3 else "fraction"
        return self.work.answers.choose(
            f"percent:{header}",
            f'Are the numbers in "{header}" percent or fractions? The largest is {largest}, '
            f"{len(small)} of {len(bare)} are below 1.",
            columns=[header],
            choices=["percent", "fraction"],
        )


def _swapped(one: Spelled | None) -> Spelled | None:
    """Return a cell of a date with day and month exchanged."""
    if one is None or one.shape != "cell" or one.day is None:
        return one
    return replace(one, day=one.day.replace(month=one.day.day, day=one.day.month))


def _is_zero(cell: Cell) -> bool:
    """Return whether a cell of dates is empty in the way of a system: zeros."""
    if isinstance(cell, bool):
        return False
    if isinstance(cell, (int, float)):
        return cell == 0
    return not str(cell).strip("0-/. :T")


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).split())


def _number(cell: Cell, sign: str) -> tuple[Decimal | None, bool, str | None]:
    if is_missing(cell) or isinstance(cell, bool):
        return None, False, None
    if isinstance(cell, int):
        return Decimal(cell), False, None
    if isinstance(cell, float):
        return exact(cell), False, None
    if not isinstance(cell, str):
        return None, False, None
    number = number_in(cell)
    if number is None:
        return None, False, None
    return value_of(number, sign), number.is_percent, number.currency
