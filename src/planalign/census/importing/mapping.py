"""Which column of a file is what, by its name and by what it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from planalign.census.importing.dates import spelled
from planalign.census.importing.headers import plain, roles_of_column
from planalign.census.importing.numbers import decimal_sign, is_missing, number_in, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.importing.grid import Cell
    from planalign.census.importing.locate import Table
    from planalign.census.importing.questions import Answers

# From here on a header says by itself what a column is; from there on it is asked.
SURE, POSSIBLE = 0.78, 0.62
_SAMPLE = 4000
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
NUMBERED = re.compile(r"\D*(\d{2,})\D*")
_WORDS = re.compile(r"[^\W\d_]{2,}[\s,]+[^\W\d_]{2,}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")

DATES = frozenset(
    [
        "birth_date",
        "hire_date",
        "rehire_date",
        "termination_date",
        "valid_from",
        "valid_to",
        "enrolled_on",
    ]
)
AMOUNTS = frozenset(
    [
        "annual_rate",
        "hourly_rate",
        "period_rate",
        "pay_of_year",
        "deferral_dollars",
        "roth_dollars",
        "balance_match",
        "balance_core",
    ]
)
RATES = frozenset(["deferral_percent", "roth_percent", "ownership", "fte"])
COUNTS = frozenset(["weekly_hours", "annual_hours"])
FLAGS = frozenset(["union", "officer"])
TEXTS = frozenset(
    [
        "employee_id",
        "status",
        "department",
        "location",
        "grade",
        "pay_type",
        "pay_frequency",
        "currency",
        "enrollment_status",
        "department_code",
    ]
)
USED = DATES | AMOUNTS | RATES | COUNTS | FLAGS | TEXTS

# What a role becomes, as the mapping is reported.
_REPORTED = {
    "rehire_date": "helper:hire_date",
    "valid_from": "helper:hire_date",
    "valid_to": "helper:termination_date",
    "status": "active",
    "grade": "job_level",
    "annual_rate": "annual_compensation",
    "hourly_rate": "annual_compensation",
    "period_rate": "annual_compensation",
    "pay_of_year": "prior_year_compensation",
    "pay_type": "helper:annual_compensation",
    "pay_frequency": "helper:annual_compensation",
    "currency": "helper:annual_compensation",
    "annual_hours": "helper:annual_compensation",
    "fte": "helper:weekly_hours",
    "deferral_percent": "deferral_rate",
    "roth_percent": "deferral_rate",
    "deferral_dollars": "deferral_rate",
    "roth_dollars": "deferral_rate",
    "ownership": "ownership_percent",
    "ssn": "ignored:pii",
    "pii": "ignored:pii",
}
# Where two columns have the same role, the words that tell which of them it is.
_PREFERRED = {
    "hire_date": ("original", "first", "initial", "ersteintritt"),
    "employee_id": ("employee", "personnel", "participant", "person"),
    "department": ("department", "abteilung", "departement"),
    "pay_of_year": ("gross", "plan", "eligible", "w", "total"),
    "grade": ("grade", "level"),
    "deferral_percent": ("current", "deferral", "pretax", "pre"),
    "termination_date": ("termination", "separation"),
    "status": ("employment", "status"),
}


@dataclass(frozen=True)
class Profile:
    """What a column holds, of its first cells that have a value.

    Args:
        count: cells with a value, of how many rows.
        distinct: how many different ones.
        days: share that can be read as a day.
        numbers: share that can be read as a number.
        percents: share with a percent sign.
        ssns: share that looks like a social security number.
        mails: share that looks like an address of mail.
        names: share with two words or more, other than of a month.
        numbered: share with one number of two digits or more, whatever stands beside it.
        middle: median of the numbers.
        largest: the largest of them.
        rows: rows that were looked at.
    """

    count: int
    distinct: int
    days: float
    numbers: float
    percents: float
    ssns: float
    mails: float
    names: float
    numbered: float
    middle: float
    largest: float
    rows: int


@dataclass
class Mapping:
    """What each column of a table is.

    Args:
        positions: columns by role, those of one role in the order of the file.
        reported: their header -> what it became.
        reasons: their header -> why, in words, with the score.
        headers: name by column.
        profiles: what each column holds.
    """

    positions: dict[str, list[int]]
    reported: dict[str, str]
    reasons: dict[str, str]
    headers: Sequence[str]
    profiles: Sequence[Profile] = field(default_factory=list)

    def names(self, *roles: str) -> list[str]:
        """Return the headers of the columns of some roles."""
        return [self.headers[p] for role in roles for p in self.positions.get(role, [])]

    def has(self, role: str) -> bool:
        """Return whether a column has a role."""
        return bool(self.positions.get(role))


def profile(cells: Sequence[Cell]) -> Profile:
    """Look at what a column holds."""
    step = max(1, len(cells) // _SAMPLE)
    sample = list(cells[::step])
    values = [cell for cell in sample if not is_missing(cell)]
    texts = [str(cell).strip() for cell in values]
    count = len(values)
    numbers = [_as_number(cell) for cell in values]
    found = [number for number in numbers if number is not None]
    return Profile(
        count,
        len(set(texts)),
        _share(sum(spelled(c) is not None and not _is_amount(c) for c in values), count),
        _share(len(found), count),
        _share(sum(text.endswith("%") for text in texts), count),
        _share(sum(bool(_SSN.fullmatch(text)) for text in texts), count),
        _share(sum(bool(_MAIL.fullmatch(text)) for text in texts), count),
        _share(sum(bool(_WORDS.search(text)) and spelled(text) is None for text in texts), count),
        _share(sum(bool(NUMBERED.fullmatch(text)) for text in texts), count),
        median(found) if found else 0.0,
        max(found, default=0.0),
        len(sample),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _is_amount(cell: Cell) -> bool:
    """Return whether a number could not be a day in any habit but as a count of days."""
    if isinstance(cell, bool):
        return True
    if isinstance(cell, (int, float)):
        return not 1_000 <= cell < 100_000_000 or not float(cell).is_integer()
    return isinstance(cell, str) and bool(re.search(r"[$€£%]|\d,\d{3}\b", cell))


def _as_number(cell: Cell) -> float | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, (int, float)):
        return float(cell)
    number = number_in(cell) if isinstance(cell, str) else None
    if number is None:
        return None
    sign, *_ = decimal_sign([number.body])
    for tried in (sign or ".", ","):
        if (value := value_of(number, tried)) is not None:
            return float(value)
    return None


def map_columns(table: Table, answers: Answers) -> Mapping:
    """Propose what each column is, and ask where neither name nor content is sure."""
    profiles = [profile(cells) for cells in table.columns]
    mapping = Mapping({}, {}, {}, table.headers, profiles)
    proposals = [
        _proposal(header, seen) for header, seen in zip(table.headers, profiles, strict=True)
    ]
    chosen: dict[int, str] = {}
    by_role: dict[str, list[tuple[float, int]]] = {}
    for position, (role, score, reason) in enumerate(proposals):
        header = table.headers[position]
        mapping.reasons[_name(header, position)] = reason
        answer = answers.given.get(f"column:{header}")
        if answer is not None and (answer in USED or answer in {"ignore", "pii"}):
            answers.used[f"column:{header}"] = answer
            chosen[position] = answer
            by_role.setdefault(answer, []).append((2.0, position))
        elif role in USED:
            by_role.setdefault(role, []).append((score, position))
        else:
            chosen[position] = role
    for role, found in by_role.items():
        for position in _settled(role, found, table, profiles, answers):
            chosen[position] = role
    _settle_pay_of_hire_dates(chosen, table.headers)
    for position, header in enumerate(table.headers):
        role = chosen.get(position, "other")
        name = _name(header, position)
        if role in USED:
            mapping.positions.setdefault(role, []).append(position)
            mapping.reported[name] = _REPORTED.get(role, role)
        elif role in {"ssn", "pii"}:
            mapping.reported[name] = "ignored:pii"
            if role == "ssn":
                mapping.positions.setdefault("ssn", []).append(position)
        elif header or profiles[position].count:
            mapping.reported[name] = "ignored:ask" if role == "ask" else "ignored:other"
    _fill_required(mapping, chosen, answers)
    _report_pay(mapping)
    return mapping


def _report_pay(mapping: Mapping) -> None:
    if not any(mapping.has(role) for role in ("annual_rate", "hourly_rate", "period_rate")):
        for name in mapping.names("pay_of_year"):
            mapping.reported[name] = "annual_compensation"


def _name(header: str, position: int) -> str:
    return header or f"(column {position + 1} without a name)"


def _proposal(header: str, seen: Profile) -> tuple[str, float, str]:
    """Return role, score and reason of one column."""
    if private := _private(seen):
        if private[0] == "pii" and seen.numbered > 0.95 and "employee_id" in _meant(header):
            return "employee_id", private[1], "numbers beside names, which are left out"
        return private
    candidates = roles_of_column(header)
    for role, score, phrase in candidates:
        fitted = _fitted(role, seen, header)
        if fitted is not None:
            words = (
                f'"{phrase}" is a word for it' if score >= 0.95 else f'"{phrase}" is in its name'
            )
            return fitted, score, f"{words} ({score:.2f}); {_contents(seen)}"
    if candidates:
        _, score, phrase = candidates[0]
        return "other", score, f'named "{phrase}", and does not hold it: {_contents(seen)}'
    if seen.distinct * 2 > seen.count and seen.numbers < 0.5 and seen.days < 0.5:
        return "pii", 0.5, "text of its own in most rows, under a name that says nothing"
    return "other", 0.0, f"no known name; {_contents(seen)}"


def _meant(header: str) -> set[str]:
    return {role for role, score, _ in roles_of_column(header) if score >= SURE}


def _private(seen: Profile) -> tuple[str, float, str] | None:
    """Return what a column is that holds what is nobody's business, whatever it is called."""
    if seen.ssns > 0.5:
        return "ssn", 1.0, f"{seen.ssns:.0%} look like social security numbers"
    if seen.mails > 0.5:
        return "pii", 1.0, f"{seen.mails:.0%} are mail addresses"
    if seen.names > 0.5 and seen.distinct > 20 and seen.distinct * 2 > seen.count:
        return "pii", 0.9, f"{seen.names:.0%} are words of their own, as names and addresses are"
    return None


def _contents(seen: Profile) -> str:
    parts = [f"{seen.distinct:,} different values"]
    if seen.days > 0.5:
        parts.append(f"{seen.days:.0%} days")
    elif seen.percents > 0.5:
        parts.append(f"{seen.percents:.0%} percentages")
    elif seen.numbers > 0.5:
        parts.append(f"{seen.numbers:.0%} numbers, half below {seen.middle:,.2f}")
    return ", ".join(parts)


def _fitted(role: str, seen: Profile, header: str) -> str | None:
    """Return the role that a column has by its content, or nothing where it cannot be."""
    if not seen.count:
        return role
    if role in _SAVED:
        if seen.numbers < 0.5:
            return None
        is_money = bool(_MONEY & set(plain(header).split())) and role.endswith("dollars")
        is_rate = seen.percents > 0.5 or (seen.largest <= 100 and not is_money)
        return f"{role.partition('_')[0]}_{'percent' if is_rate else 'dollars'}"
    if role == "weekly_hours" and seen.numbers >= 0.5 and seen.middle > _MOST_HOURS:
        return "annual_hours"
    return role if _holds(role, seen) else None


# Words that say that savings are stated in dollars, however few they are.
_MONEY = {"amount", "amounts", "dollars", "ytd", "contributions", "deferrals"}
# The habits in which savings are stated: of one header, the content tells which.
_SAVED = frozenset(["deferral_percent", "roth_percent", "deferral_dollars", "roth_dollars"])
# The hours of a month; a column with more of them has those of a year.
_MOST_HOURS = 400
# Different values that a column of codes has at most.
_MOST_CODES = {"grade": 60, "union": 30, "officer": 30, "status": 40}


def _holds(role: str, seen: Profile) -> bool:
    if role in DATES:
        return seen.days >= 0.5
    if role in AMOUNTS:
        return seen.numbers >= 0.5 and seen.percents < 0.5
    if role in RATES or role in COUNTS:
        return seen.numbers >= 0.5
    if role in _MOST_CODES:
        return seen.distinct <= _MOST_CODES[role]
    return role != "employee_id" or seen.days <= 0.9 or seen.distinct * 2 >= seen.count


def _settled(
    role: str,
    found: list[tuple[float, int]],
    table: Table,
    profiles: Sequence[Profile],
    answers: Answers,
) -> list[int]:
    """Return the columns that have a role, of those that may."""
    answered = [position for score, position in found if score > 1.5]
    if answered:
        return answered
    wanted = _PREFERRED.get(role, ())

    def rank(one: tuple[float, int]) -> tuple[float, float, int]:
        score, position = one
        words = plain(table.headers[position]).split()
        liked = next((len(wanted) - n for n, word in enumerate(wanted) if word in words), 0)
        empty = profiles[position].count == 0
        return (score - empty / 100 + liked / 50, profiles[position].count, -position)

    ranked = sorted(found, key=rank, reverse=True)
    best = rank(ranked[0])[0]
    header = table.headers[ranked[0][1]]
    if best < POSSIBLE:
        return []
    if ranked[0][0] < SURE:
        answer = answers.choose(
            f"column:{header}",
            f'Is the column "{header}" {_words(role)}? It holds '
            f"{_contents(profiles[ranked[0][1]])}.",
            columns=[header],
            choices=[role, "ignore"],
            proposal=role,
        )
        return [ranked[0][1]] if answer == role else []
    second = [one for one in ranked[1:] if rank(one)[0] > best - 0.005]
    same = [one for one in second if table.columns[one[1]] != table.columns[ranked[0][1]]]
    if same and role in {
        "employee_id",
        "birth_date",
        "hire_date",
        "annual_rate",
        "status",
        "grade",
    }:
        choices = [table.headers[position] for _, position in [ranked[0], *same]]
        answer = answers.choose(
            f"which:{role}",
            f"{len(choices)} columns could be {_words(role)}. Which one is it?",
            columns=choices,
            choices=choices,
        )
        return [table.headers.index(answer)] if answer in choices else [ranked[0][1]]
    return [ranked[0][1]]


def _words(role: str) -> str:
    return {
        "employee_id": "what tells employees apart",
        "grade": "the grade or level of the job",
        "annual_rate": "the annual rate of pay",
        "period_rate": "the rate of pay",
        "pay_of_year": "the pay of the year",
        "pay_type": "the kind of pay, salaried or hourly",
    }.get(role, "the " + role.replace("_", " "))


def _settle_pay_of_hire_dates(chosen: dict[int, str], headers: Sequence[str]) -> None:
    """Take a second column of hire dates as the latest, where the first says original."""
    first = [position for position, role in chosen.items() if role == "hire_date"]
    if not first or "rehire_date" in chosen.values():
        return
    words = plain(headers[first[0]]).split()
    if not {"original", "first", "initial", "ersteintritt"} & set(words):
        return
    for position, header in enumerate(headers):
        if (
            position not in chosen
            and roles_of_column(header)[:1]
            and roles_of_column(header)[0][0] == "hire_date"
        ):
            chosen[position] = "rehire_date"
            return


def _could_be(role: str, seen: Profile) -> bool:
    if role == "employee_id":
        return seen.count > 0 and seen.distinct * 10 >= seen.count * 9 and seen.days < 0.9
    return seen.days > 0.8


def _fill_required(mapping: Mapping, chosen: dict[int, str], answers: Answers) -> None:
    """Ask for what a census cannot do without and no header names."""
    for role in ("employee_id", "birth_date", "hire_date"):
        if mapping.has(role) or (role == "hire_date" and mapping.has("valid_from")):
            continue
        free = [
            position
            for position, seen in enumerate(mapping.profiles)
            if chosen.get(position, "other") in {"other", "ask"} and _could_be(role, seen)
        ]
        choices = [mapping.headers[p] for p in free if mapping.headers[p]]
        if not choices:
            continue
        answer = answers.choose(
            f"which:{role}",
            f"No column is named like {_words(role)}. Which one is it?",
            columns=choices,
            choices=[*choices, "none"],
        )
        if answer in choices and f"which:{role}" in answers.used:
            position = mapping.headers.index(answer)
            mapping.positions[role] = [position]
            mapping.reported[answer] = _REPORTED.get(role, role)
            chosen[position] = role
