"""A table of people, written in any habit and imported, is the table."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clients import company, secrets_of

from planalign.census.importing import grid, import_once, open_sources, workbooks
from planalign.census.importing.mapping import USED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.clients import Person

# `make fuzz` tries many more.
LONG = settings().max_examples >= 1_000
AS_OF = date(2024, 12, 31)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

DATES: dict[str, Callable[[date], str]] = {
    "iso": date.isoformat,
    "mdy": lambda day: f"{day:%m/%d/%Y}",
    "mdy without zeros": lambda day: f"{day.month}/{day.day}/{day.year}",
    "mdy with hyphens": lambda day: f"{day:%m-%d-%Y}",
    "mdy, two digits": lambda day: f"{day:%m/%d/%y}",
    "dmy": lambda day: f"{day:%d/%m/%Y}",
    "dmy with points": lambda day: f"{day:%d.%m.%Y}",
    "dmy, two digits": lambda day: f"{day:%d.%m.%y}",
    "named": lambda day: f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year}",
    "named, two digits": lambda day: f"{day.day}-{MONTHS[day.month - 1].upper()}-{day:%y}",
    "named first": lambda day: f"{MONTHS[day.month - 1]} {day.day}, {day.year}",
    "digits": lambda day: f"{day:%Y%m%d}",
    "serial": lambda day: str((day - date(1899, 12, 30)).days),
    "mixed": lambda day: day.isoformat() if day.day % 3 else f"{day.month}/{day.day}/{day.year}",
    "with time": lambda day: f"{day.isoformat()} 00:00:00",
    "with time of America": lambda day: f"{day.month}/{day.day}/{day.year} 12:00:00 AM",
}
NUMBERS: dict[str, Callable[[Decimal], str]] = {
    "plain": lambda value: f"{value:.2f}",
    "thousands": lambda value: f"{value:,.2f}",
    "dollars": lambda value: f"${value:,.2f}",
    "dollars apart": lambda value: f"$ {value:,.2f} ",
    "code": lambda value: f"USD {value:,.2f}",
    "comma": lambda value: f"{value:.2f}".replace(".", ","),
    "points and comma": lambda value: _swapped(value, "."),
    "blanks and comma": lambda value: _swapped(value, " "),
    "no-break blanks": lambda value: _swapped(value, "\u00a0"),
    "apostrophes": lambda value: f"{value:,.2f}".replace(",", "'"),
    "euro behind": lambda value: _swapped(value, ".") + " EUR",
}
RATES: dict[str, Callable[[Decimal, str], str]] = {
    "sign": lambda rate, point: f"{rate * 100:.1f}%".replace(".", point),
    "sign apart": lambda rate, point: f"{rate * 100:.2f} %".replace(".", point),
    "percent": lambda rate, point: f"{rate * 100:.1f}".replace(".", point),
    "whole percent": lambda rate, _: f"{rate * 100:.0f}",
    "fraction": lambda rate, point: f"{rate:.3f}".replace(".", point),
}
FLAGS = [("Y", "N"), ("Yes", "No"), ("X", ""), ("TRUE", "FALSE"), ("1", "0"), ("ja", "nein")]
STATUSES = [
    ("A", "L", "T"),
    ("Active", "Leave of Absence", "Terminated"),
    ("ACTIVE", "LOA", "RETIRED"),
    ("Aktiv", "Elternzeit", "Ausgetreten"),
    ("actif", "congé", "sorti"),
]
TITLES = [
    [],
    ["Employee census as of 12/31/2024"],
    ["Tarn & Ulver Foundry", "Plan 001 - Census", ""],
    ["Report: Census", "Run date: 01/14/2025", "Filters: none", ""],
]
TAILS = ["", "end", "total", "both", "blank"]
# Columns of which an import wants nothing: header, and cell by number of the person.
NOISE: dict[str, tuple[str, Callable[[int], str]]] = {
    "gender": ("Gender", lambda n: "MFX"[n % 3]),
    "age": ("Age", lambda n: str(25 + n)),
    "comment": ("Comments", lambda n: 'said "no", twice' if n % 4 else "on two\nlines, 3"),
    "hce": ("HCE?", lambda n: "YN"[n % 2]),
    "zip": ("Zip Code", lambda n: f"{n:05d}"),
    "matched": ("YTD Match", lambda n: f"{n * 10}"),
    "vested": ("Vested %", lambda n: f"{n % 6 * 20}"),
    "reviewed": ("Last Review Date", lambda n: f"{n % 12 + 1}/{n % 28 + 1}/2024"),
    "company": ("Company Code", lambda n: f"T{n % 2}"),
    "manager": ("Manager ID", lambda n: f"{n % 3:05d}"),
    "spouse": ("Spouse Birth Date", lambda n: f"19{60 + n % 30}-02-03"),
    "empty": ("Reserved 1", lambda n: ""),
    "none": ("", lambda n: ""),
}
GROUPS = {
    "Employee Data": {"employee_id", "name", "ssn", "mail", "birth_date", "hire_date", "gender"},
    "Plan": {"deferral_percent", "roth_percent", "enrolled_on", "vested", "matched"},
}
STYLES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "star": lambda name: f"{name.title()}*",
    "colon": lambda name: f"{name.title()}:",
    "two lines": lambda name: name.title().replace(" ", "\n", 1),
    "title": str.title,
    "upper": str.upper,
    "snake": lambda name: name.replace(" ", "_"),
    "wide": lambda name: f"  {name.title()}  ",
}


def _swapped(value: Decimal, thousands: str) -> str:
    return f"{value:,.2f}".replace(".", "\0").replace(",", thousands).replace("\0", ",")


@cache
def names_of(role: str) -> list[str]:
    """Return the synonyms of a role."""
    text = files("planalign.census.importing").joinpath("synonyms.txt").read_text("utf-8")
    _, _, rest = text.partition(f"[{role}]\n")
    return rest.partition("\n\n")[0].splitlines()


ROLES = (
    "employee_id", "birth_date", "hire_date", "termination_date", "status", "department", "grade",
    "weekly_hours", "annual_rate", "pay_of_year", "deferral_percent", "roth_percent", "union",
    "officer", "ownership", "balance_match", "balance_core", "location", "enrolled_on",
)  # fmt: skip
REQUIRED = {"employee_id", "birth_date", "hire_date", "annual_rate", "grade"}


@st.composite
def habits(draw: st.DrawFn) -> dict[str, Any]:
    """Return how a client writes."""
    others = sorted(set(ROLES) - REQUIRED)
    chosen = draw(st.sets(st.sampled_from(others)))
    noise = draw(st.sets(st.sampled_from(sorted(NOISE))))
    columns = [*sorted(REQUIRED | chosen), "name", "ssn", "mail", *sorted(noise)]
    order = draw(st.permutations(columns))
    numbers = draw(st.sampled_from(sorted(NUMBERS)))
    is_european = "comma" in numbers or "euro" in numbers or "no-break" in numbers
    return {
        "seed": draw(st.integers(0, 10_000)),
        "people": draw(st.integers(12, 30)),
        "order": order,
        "groups": draw(st.booleans()),
        "names": {role: draw(st.sampled_from(names_of(role))) for role in ROLES},
        "style": draw(st.sampled_from(sorted(STYLES))),
        "dates": draw(st.sampled_from(sorted(DATES))),
        "numbers": numbers,
        "point": "," if is_european else ".",
        "rates": draw(st.sampled_from(sorted(RATES))),
        "flags": draw(st.sampled_from(FLAGS)),
        "statuses": draw(st.sampled_from(STATUSES)),
        "title": draw(st.sampled_from(TITLES)),
        "tail": draw(st.sampled_from(TAILS)),
        "blank": draw(st.booleans()),
        "repeats": draw(st.booleans()),
        "delimiter": draw(st.sampled_from(",;\t|")),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
    }


def _values(one: Person, is_short: bool) -> dict[str, Any]:
    birth = one.birth
    if is_short and birth.year < 1930:
        birth = birth.replace(year=1930)
    return {
        "employee_id": f"{one.number:05d}",
        "birth_date": birth,
        "hire_date": one.hired,
        "termination_date": one.left,
        "status": one.standing,
        "department": one.department,
        "grade": str(one.level),
        "weekly_hours": one.hours,
        "annual_rate": Decimal(one.level * 40_000) + one.annual % 1000,
        "pay_of_year": one.paid,
        "deferral_percent": one.pretax,
        "roth_percent": one.roth,
        "union": one.union,
        "officer": one.officer,
        "ownership": one.owned,
        "balance_match": one.match,
        "balance_core": one.core,
        "location": one.location,
        "enrolled_on": one.enrolled,
        "name": f"{one.last}, {one.first}",
        "ssn": one.ssn,
        "mail": one.mail,
    }


def _written(role: str, value: Any, habit: dict[str, Any]) -> str:
    """Return a value as a habit writes it."""
    if role in NOISE:
        return NOISE[role][1](value)
    text = "" if value is None else str(value)
    if role == "status":
        text = habit["statuses"][["active", "leave", "inactive"].index(value)]
    elif isinstance(value, bool):
        text = habit["flags"][0 if value else 1]
    elif isinstance(value, date):
        text = DATES[habit["dates"]](value)
    elif role in {"deferral_percent", "roth_percent", "ownership"}:
        text = RATES[habit["rates"]](value, habit["point"])
    elif role == "weekly_hours":
        text = f"{value:.1f}".replace(".", habit["point"])
    elif isinstance(value, Decimal):
        text = NUMBERS[habit["numbers"]](value)
    return text


def _header(role: str, habit: dict[str, Any]) -> str:
    if role in NOISE:
        return NOISE[role][0]
    own = {"name": "employee name", "ssn": "ssn", "mail": "email"}
    return STYLES[habit["style"]](own.get(role) or habit["names"][role])


def _groups(order: list[str]) -> list[str]:
    """Return the upper row of a header: each group once, above its first columns."""
    cells, last = [], ""
    for role in order:
        group = next((name for name, roles in GROUPS.items() if role in roles), "Other")
        cells.append(group if group != last else "")
        last = group
    return cells


def _rows(habit: dict[str, Any]) -> tuple[list[list[str]], dict[int, dict[str, Any]]]:
    """Return the rows of a file, and the values of each person by number of the row."""
    people = company(habit["seed"], habit["people"])
    width = len(habit["order"])
    header = [_header(role, habit) for role in habit["order"]]
    rows = [[title] for title in habit["title"]]
    if habit["groups"]:
        rows.append(_groups(habit["order"]))
    rows.append(header)
    truth: dict[int, dict[str, Any]] = {}
    for number, one in enumerate(people):
        if habit["blank"] and number % 7 == 6:
            rows.append([""] * width)
        if habit["repeats"] and number % 10 == 9:
            rows.append(header)
        values = _values(one, "two digits" in habit["dates"]) | dict.fromkeys(NOISE, number)
        rows.append([_written(role, values[role], habit) for role in habit["order"]])
        truth[len(rows)] = values
    if habit["tail"] in {"total", "both"}:
        total = sum((values["annual_rate"] for values in truth.values()), Decimal(0))
        cells = ["TOTAL" if role == "name" else "" for role in habit["order"]]
        cells[habit["order"].index("annual_rate")] = NUMBERS[habit["numbers"]](total)
        rows.append(cells)
    if habit["tail"] in {"end", "both"}:
        rows += [[""] * width, ["*** End of report ***"]]
    return rows, truth


def _expected(values: dict[str, Any], habit: dict[str, Any]) -> dict[str, Any]:
    """Return what the importer is to make of a person's values."""
    has = set(habit["order"])
    left = values["termination_date"] if "termination_date" in has else None
    gone = values["status"] == "inactive"
    expected = {
        "employee_id": values["employee_id"],
        "birth_date": values["birth_date"],
        "hire_date": values["hire_date"],
        "annual_compensation": values["annual_rate"],
        "job_level": int(values["grade"]),
        "is_active": not gone if has & {"status", "termination_date"} else True,
        "termination_date": left,
    }
    same = {"department", "weekly_hours", "pay_of_year", "union", "officer", "balance_match",
            "balance_core", "location", "enrolled_on", "ownership"}  # fmt: skip
    expected |= {role: values[role] for role in same & has}
    rates = [values[role] for role in ("deferral_percent", "roth_percent") if role in has]
    if rates:
        expected["deferral_rate"] = sum(rates, Decimal(0))
    return expected


def _answers(habit: dict[str, Any]) -> dict[str, str]:
    """Return the answers to what a habit may leave open, and nothing else."""
    names = {role: " ".join(_header(role, habit).split()) for role in habit["order"]}
    group, headers = "", {}
    for role, above in zip(habit["order"], _groups(habit["order"]), strict=True):
        group = above or group
        headers[role] = f"{group} | {names[role]}" if habit["groups"] else names[role]
    order = "dmy" if habit["dates"].startswith("dmy") else "mdy"
    unit = "fraction" if habit["rates"] == "fraction" else "percent"
    given = {
        f"date_order:{headers[role]}": order
        for role in ("birth_date", "hire_date", "termination_date", "enrolled_on")
        if role in headers
    }
    for role in ("deferral_percent", "roth_percent", "ownership"):
        if role in headers and not habit["rates"].startswith("sign"):
            given[f"percent:{headers[role]}"] = unit
    statuses = ("active", "leave", "inactive")
    given |= {
        f"status:{code}": meaning
        for code, meaning in zip(habit["statuses"], statuses, strict=True)
        if len(code) == 1
    }
    given["grade_levels"] = "1:1, 2:2, 3:3, 4:4, 5:5"
    return given


def _lines(rows: list[list[str]], out: Any, habit: dict[str, Any]) -> list[int]:
    """Write rows as a text, and return the line on which each begins."""
    lines, begins = [], 1
    for row in rows:
        text = io.StringIO()
        csv.writer(
            text,
            delimiter=habit["delimiter"],
            quoting=habit["quoting"],
            lineterminator=habit["end"],
        ).writerow(row)
        out.write(text.getvalue())
        lines.append(begins)
        begins += text.getvalue().count("\n")
    return lines


def _check(path: Path, habit: dict[str, Any], truth: dict[int, dict[str, Any]], size: int) -> None:
    found = import_once(open_sources([path], None), _answers(habit), as_of=AS_OF)
    assert [question.about for question in found.questions] == []
    (file,) = found.files
    assert {row.line for row in file.rows} == set(truth)
    assert file.work.table.rows_in == size
    assert len(file.rows) + sum(file.counts().values()) == size
    silent = {  # Nobody has it, and blanks say nothing.
        role
        for role in ("union", "officer")
        if "" in habit["flags"] and not any(values[role] for values in truth.values())
    }
    for row in file.rows:
        for name, value in _expected(truth[row.line], habit).items():
            if name in silent:
                continue
            assert getattr(row, name) == value, (name, file.readings, file.work.mapping.reasons)
    written = found.journal() + found.recipe
    assert not [secret for secret in secrets_of(company(habit["seed"], 12)) if secret in written]


@settings(max_examples=5_000 if LONG else settings().max_examples)
@given(habit=habits())
def test_a_text_in_any_habit_is_its_table(tmp_path, habit):
    rows, truth = _rows(habit)
    out = io.StringIO()
    lines = _lines(rows, out, habit)
    truth = {lines[number - 1]: values for number, values in truth.items()}
    path = tmp_path / "client.csv"
    path.write_bytes(out.getvalue().encode(habit["encoding"]))
    _check(path, habit, truth, len(rows))


@given(habit=habits())
def test_a_workbook_in_any_habit_is_its_table(tmp_path, habit):
    rows, truth = _rows(habit)
    path = tmp_path / "client.xlsx"
    with xlsxwriter.Workbook(path, {"remove_timezone": True}) as book:
        sheet = book.add_worksheet("Data")
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                value = truth.get(number + 1, {}).get(habit["order"][column])
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                elif isinstance(value, Decimal):
                    times = 100 if _is_percent(habit, habit["order"][column]) else 1
                    sheet.write_number(number, column, float(value * times))
                elif text:
                    sheet.write_string(number, column, text)
    with pytest.MonkeyPatch.context() as patch:
        # In this process: another one for each workbook would take most of the time.
        patch.setattr(grid, "read_workbook", lambda one: workbooks._sheets(str(one)))
        _check(path, habit, truth, len(rows))


def _is_percent(habit: dict[str, Any], role: str) -> bool:
    is_rate = role in {"deferral_percent", "roth_percent", "ownership"}
    return is_rate and habit["rates"] != "fraction"


GARBAGE = ["see note", "??/??/2020", "12/45/2020", "31.02.2020", "1.2.3,4", "12,5,00.0", "x"]


@given(
    habit=habits(),
    role=st.sampled_from(["birth_date", "hire_date", "annual_rate", "weekly_hours"]),
    garbage=st.sampled_from(GARBAGE),
    place=st.integers(0, 11),
)
def test_a_cell_that_cannot_be_read_is_asked_about(tmp_path, habit, role, garbage, place):
    habit = habit | {"order": list(dict.fromkeys([*habit["order"], "weekly_hours"]))}
    rows, truth = _rows(habit)
    line = list(truth)[place]
    rows[line - 1][habit["order"].index(role)] = garbage
    out = io.StringIO()
    _lines(rows, out, habit)
    path = tmp_path / "client.csv"
    path.write_bytes(out.getvalue().encode(habit["encoding"]))
    found = import_once(open_sources([path], None), _answers(habit), as_of=AS_OF)
    keys = {question.key.partition(":")[0] for question in found.questions}
    assert keys & {"unreadable", "rows_too_long", f"{role}_missing"}
    (file,) = found.files
    assert file.work.table.rows_in == len(rows)
    assert len(file.rows) + sum(file.counts().values()) == len(rows)


def test_every_role_of_the_habits_is_one_of_the_import():
    assert set(ROLES) <= USED
