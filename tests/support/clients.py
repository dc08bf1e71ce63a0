"""Made-up clients: a company's truth, and the files in which its systems would write it.

Every name, street, company and number is invented; what looks like a social security
number is 9xx-01..49-xxxx, which nobody has. A client is the same for the same seed.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

AS_OF = date(2024, 12, 31)
CENT, MILLIONTH = Decimal("0.01"), Decimal("0.000001")
DEPARTMENTS = ("Melting", "Casting", "Finishing", "Quality & Lab", "Office")
LOCATIONS = ("Tarnby", "Ulverhead")
PAY = (38_000, 57_000, 84_000, 122_000, 178_000)
PERIODS = {"W": 52, "B": 26, "S": 24, "M": 12}
_SYLLABLES = ("xa", "vo", "qui", "zer", "lom", "bak", "ril", "tof", "wyn", "jex", "pu", "gra")


@dataclass(frozen=True)
class Person:
    """One employee as the company knows him, whatever a file says of it.

    Money is in dollars and rates are fractions. `hired` is the first day of all, `back`
    the first of the present employment where it is another.
    """

    number: int
    last: str
    first: str
    ssn: str
    street: str
    mail: str
    birth: date
    hired: date
    back: date | None
    left: date | None
    standing: str
    reason: str
    department: str
    location: str
    level: int
    grade: int
    is_hourly: bool
    frequency: str
    hours: Decimal
    share: Decimal
    annual: Decimal
    hourly: Decimal
    pretax: Decimal
    roth: Decimal
    way: str
    enrolled: date | None
    paid: Decimal
    match: Decimal
    core: Decimal
    union: bool
    officer: bool
    owned: Decimal

    @property
    def is_active(self) -> bool:
        """Whether he is employed on the day of the census, on leave or not."""
        return self.standing != "inactive"

    @property
    def title(self) -> str:
        """What his job is called."""
        return f"{self.department} {('Hand', 'Smith', 'Lead', 'Chief', 'Head')[self.level - 1]}"


def cents(value: Decimal | float) -> Decimal:
    """Return an amount in whole cents."""
    return Decimal(value).quantize(CENT, ROUND_HALF_UP)


def word(draw: random.Random, parts: int = 3) -> str:
    """Return an invented name."""
    return "".join(draw.choice(_SYLLABLES) for _ in range(parts)).capitalize()


def day(draw: random.Random, first: date, last: date) -> date:
    """Return a day between two, both of them possible."""
    return first + timedelta(days=draw.randint(0, max(0, (last - first).days)))


def company(seed: int, count: int, as_of: date = AS_OF) -> list[Person]:
    """Return the people of a company: employed, on leave, gone in the year, and back."""
    draw = random.Random(seed)  # noqa: S311 - invented people
    numbers = draw.sample(range(100, max(99_999, 10 * count)), count)
    begin = date(as_of.year, 1, 1)
    people = []
    for place, number in enumerate(numbers):
        level = 1 + (place % 5 if place < 10 else draw.choice((0, 0, 0, 1, 1, 2, 2, 3, 4)))
        grade = 2 * level - draw.randint(0, 1) if place >= 10 else 2 * level - place // 5
        hired = day(draw, date(as_of.year - 25, 1, 1), as_of - timedelta(days=40))
        birth = day(draw, date(hired.year - 45, 1, 1), date(hired.year - 19, 12, 1))
        leaves = place % 9 == 5
        left = day(draw, max(begin, hired + timedelta(20)), as_of) if leaves else None
        back = None
        if place % 17 == 3 and hired < date(as_of.year - 3, 1, 1):
            back = day(draw, date(as_of.year - 1, 2, 1), date(as_of.year, 5, 1))
            left = None
        standing = "inactive" if left else "leave" if place % 29 == 7 else "active"
        is_hourly = level < 3 and draw.random() < 0.6
        share = Decimal(draw.choice(("1", "1", "1", "1", "0.8", "0.6", "0.5")))
        hours = 40 * share
        step = 1.1 if grade % 2 == 0 else 1.0
        full = Decimal(PAY[level - 1] * step * draw.uniform(0.97, 1.03))
        hourly = cents(full / 2080)
        annual = hourly * hours * 52 if is_hourly else cents(full * share)
        employed = ((left or as_of) - max(begin, back or hired)).days + 1
        days = (as_of - begin).days + 1
        paid = cents(annual * employed / days * Decimal(draw.uniform(0.985, 1.015)))
        saves = draw.random()
        pretax = Decimal(draw.choice((3, 4, 5, 6, 8, 10))) / 100 if saves < 0.6 else Decimal(0)
        roth = Decimal(draw.choice((2, 3, 4))) / 100 if saves < 0.15 or saves > 0.9 else Decimal(0)
        total = pretax + roth
        way = draw.choice(("automatic", "voluntary")) if total else "opted_out"
        people.append(
            Person(
                number,
                word(draw),
                word(draw, 2),
                f"9{draw.randint(0, 99):02d}-{draw.randint(1, 49):02d}-{draw.randint(0, 9999):04d}",
                f"{draw.randint(1, 999)} {word(draw, 4)} Lane",
                f"{word(draw).lower()}@{word(draw).lower()}.example",
                birth,
                hired,
                back,
                left,
                standing,
                draw.choice(("terminated", "retired", "deceased")),
                draw.choice(DEPARTMENTS),
                draw.choice(LOCATIONS),
                level,
                grade,
                is_hourly,
                draw.choice("WB") if is_hourly else draw.choice("BSM"),
                hours,
                share,
                annual,
                hourly,
                pretax,
                roth,
                way,
                max(hired, back or hired) + timedelta(30) if total else None,
                paid,
                cents(paid * min(total, Decimal("0.04")) * 3),
                cents(paid * Decimal("0.03")),
                level < 3 and draw.random() < 0.5,
                level == 5,
                Decimal("0.06") if place == 4 else Decimal(0),
            )
        )
    return people


@dataclass(frozen=True)
class Client:
    """A file of a client with its truth.

    Args:
        file: its name.
        write: writes it to a path.
        truth: what is to become of each person, by number of the row that tells it.
        dropped: numbers of the other rows, by reason.
        asks: answer by key of what the file leaves open; nothing else may be asked.
        mapping: what headers are to become.
        secrets: texts that may stand nowhere in what an import writes.
        as_of: the day the file describes.
    """

    file: str
    write: Callable[[Path], None]
    truth: dict[int, dict[str, Any]]
    dropped: dict[str, list[int]]
    asks: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    as_of: date = AS_OF

    def in_folder(self, folder: Path) -> Path:
        """Write the file and return its path."""
        path = folder / self.file
        self.write(path)
        return path

    @property
    def rows_in(self) -> int:
        """Rows of the file."""
        return len(self.truth) + sum(map(len, self.dropped.values()))

    @property
    def answers(self) -> list[str]:
        """The answers as arguments of the command."""
        return [part for key, value in self.asks.items() for part in ("--answer", f"{key}={value}")]


class Sheet:
    """Rows on their way into a file, each a person or left out for a reason."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.truth: dict[int, dict[str, Any]] = {}
        self.dropped: dict[str, list[int]] = {}

    def add(self, reason: str, *cells: Any) -> None:
        """Add a row that is no person."""
        self.rows.append([*cells])
        self.dropped.setdefault(reason, []).append(len(self.rows))

    def person(self, truth: dict[str, Any], cells: Iterable[Any]) -> None:
        """Add a row that is a person."""
        self.rows.append([*cells])
        self.truth[len(self.rows)] = truth

    def text(self, delimiter: str, encoding: str, end: str = "\r\n") -> bytes:
        """Return the rows as a text with a delimiter."""
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(self.rows)
        return out.getvalue().encode(encoding)


def secrets_of(people: Iterable[Person]) -> frozenset[str]:
    """Return what is nobody's business: names, numbers, streets and mail addresses."""
    found: set[str] = set()
    for one in people:
        found |= {one.last, one.ssn, one.ssn.replace("-", ""), one.street, one.mail}
    return frozenset(found)


def bytes_writer(content: bytes) -> Callable[[Path], None]:
    """Return what writes a content."""

    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def dollars(value: Decimal) -> str:
    """Return an amount as reports in dollars have it."""
    return f"${value:,.2f}"


def european(value: Decimal, thousands: str = ".") -> str:
    """Return an amount with a decimal comma."""
    return f"{value:,.2f}".replace(",", "\0").replace(".", ",").replace("\0", thousands)


def us(one: date | None) -> str:
    """Return a day, the month first; nothing for none."""
    return "" if one is None else f"{one.month}/{one.day}/{one.year}"


def us_short(one: date | None) -> str:
    """Return a day with a year of two digits."""
    return "" if one is None else f"{one:%m/%d/%y}"


def points(one: date | None, empty: str = "") -> str:
    """Return a day, the day first, with points."""
    return empty if one is None else f"{one:%d.%m.%Y}"


def _share(one: Person) -> Decimal | None:
    total = one.pretax + one.roth
    return (one.roth / total).quantize(MILLIONTH, ROUND_HALF_UP) if total else None


def _total(cells: Iterable[Decimal]) -> Decimal:
    return sum(cells, Decimal(0))


# --- a: a recordkeeper's workbook ------------------------------------------------------

_GROUPS = (
    ("Participant", ("Participant ID", "SSN", "Last Name", "First Name", "Address", "E-mail")),
    (
        "Employment",
        ("Birth Date", "Hire Date", "Rehire Date", "Term Date", "Status", "Division", "Job Grade",
         "Hrs/Week"),
    ),
    ("Compensation", ("Annual Salary", "Plan Year Comp")),
    ("Elections", ("Pre-Tax %", "Roth %", "Auto-Enrolled", "Enrollment Date")),
    ("Balances by Source", ("Pre-Tax", "Roth", "Employer Match", "Non-Elective", "Loan")),
    ("Testing", ("HCE", "Officer", "% Owned")),
)  # fmt: skip


def recordkeeper(seed: int, count: int, people: Sequence[Person] | None = None) -> Client:
    """Return a workbook with two rows of header, three sheets, totals and footnotes."""
    people = people or company(seed, count)
    sheet = Sheet()
    sheet.add("title", "Northmoor Retirement Services")
    sheet.add("title", "Participant Census - Tarn & Ulver Foundry 401(k) Plan (001)")
    sheet.add("title", "As of: 12/31/2024", "", "Run date: 01/14/2025")
    sheet.add("blank")
    upper = [name if n == 0 else "" for name, below in _GROUPS for n, _ in enumerate(below)]
    sheet.add("header", *upper)
    sheet.add("header", *(name for _, below in _GROUPS for name in below))
    for one in people:
        total = one.pretax + one.roth
        sheet.person(
            {
                "employee_id": str(one.number),
                "birth_date": one.birth,
                "hire_date": one.hired,
                "rehire_date": one.back,
                "termination_date": one.left,
                "is_active": one.is_active,
                "department": one.department,
                "job_level": one.level,
                "weekly_hours": one.hours,
                "annual_compensation": one.annual,
                "pay_of_year": one.paid,
                "deferral_rate": total,
                "roth_share": _share(one),
                "enrollment_status": (
                    "automatic" if one.way == "automatic" else "voluntary"
                    if total else "not_enrolled"
                ),
                "enrolled_on": one.enrolled,
                "balance_match": one.match,
                "balance_core": one.core,
                "officer": one.officer,
                "ownership": one.owned,
            },
            [
                one.number, one.ssn, one.last, one.first, one.street, one.mail,
                one.birth, one.hired, one.back or "", one.left or "",
                {"active": "Active", "leave": "Leave of Absence"}.get(
                    one.standing, one.reason.capitalize()
                ),
                one.department, f"S{one.grade}", float(one.hours),
                float(one.annual), float(one.paid),
                float(one.pretax), float(one.roth),
                "Y" if one.way == "automatic" else "N", one.enrolled or "",
                float(one.paid * 2), float(one.paid / 7), float(one.match), float(one.core),
                250 if one.level == 2 else "",
                "Y" if one.level > 3 else "N", "Y" if one.officer else "N", float(one.owned),
            ],
        )  # fmt: skip
    sums = [""] * len(upper)
    sums[0], sums[14], sums[15] = (
        f"TOTAL  {len(people)} participants",
        float(_total(one.annual for one in people)),
        float(_total(one.paid for one in people)),
    )
    sheet.add("blank")
    sheet.add("total", *sums)
    sheet.add("blank")
    sheet.add("footer", "* Elections are those of the last payroll of the year.")
    sheet.add("footer", "End of report")

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(path) as book:
            formats = {
                "day": book.add_format({"num_format": "mm/dd/yyyy"}),
                "percent": book.add_format({"num_format": "0.0%"}),
            }
            other = book.add_worksheet("Plan Provisions")
            for row, line in enumerate([("Provision", "Value"), ("Match", "50% up to 6%")]):
                other.write_row(row, 0, line)
            main = book.add_worksheet("Census")
            merged = _merges()
            for number, row in enumerate(sheet.rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, date):
                        main.write_datetime(number, column, cell, formats["day"])
                    elif column in {16, 17, 27} and isinstance(cell, float):
                        main.write_number(number, column, cell, formats["percent"])
                    elif cell != "":
                        main.write(number, column, cell)
                if number == 4:
                    for first, last, name in merged:
                        main.merge_range(4, first, 4, last, name)
            loans = book.add_worksheet("Loans")
            loans.write_row(0, 0, ["Participant ID", "Loan Date", "Loan Amount"])
            for number, one in enumerate(people[: len(people) // 2], start=1):
                loans.write_row(number, 0, [one.number, "3/15/2023", 1250])

    return Client(
        "Northmoor_Census.xlsx",
        write,
        sheet.truth,
        sheet.dropped,
        asks={
            "grade_levels": ", ".join(f"S{n}:{(n + 1) // 2}" for n in range(1, 11)),
            "rehired_hire_date": "original",
        },
        mapping={
            "Participant | Participant ID": "employee_id",
            "Participant | SSN": "ignored:pii",
            "Participant | Last Name": "ignored:pii",
            "Participant | Address": "ignored:pii",
            "Participant | E-mail": "ignored:pii",
            "Balances by Source | Pre-Tax": "ignored:other",
            "Balances by Source | Roth": "ignored:other",
            "Balances by Source | Employer Match": "balance_match",
            "Balances by Source | Non-Elective": "balance_core",
            "Elections | Pre-Tax %": "deferral_rate",
            "Testing | HCE": "ignored:other",
        },
        secrets=secrets_of(people),
    )


def _merges() -> list[tuple[int, int, str]]:
    found, begins = [], 0
    for name, below in _GROUPS:
        found.append((begins, begins + len(below) - 1, name))
        begins += len(below)
    return found


# --- b: a payroll's text ---------------------------------------------------------------

_PAYROLL = (
    "Emp No", "Employee Name", "SS#", "Street", "Birth Dt", "Hire Dt", "Rehire Dt", "Term Dt",
    "Stat", "Dept", "Grade", "Sal/Hrly", "Pay Freq", "Base Rate", "Std Hrs", "YTD Gross",
    "YTD 401k", "YTD Roth", "YTD Adj", "Union",
)  # fmt: skip


def payroll(seed: int, count: int, delimiter: str = ";", encoding: str = "cp1252") -> Client:
    """Return a register with rates of a period, dollars of the year, page breaks, subtotals."""
    people = [
        replace(one, last=one.last[:-1] + "é") if n % 7 == 0 else one
        for n, one in enumerate(company(seed, count))
    ]
    sheet = Sheet()
    sheet.add("title", "TARN & ULVER FOUNDRY - PAYROLL REGISTER", "", "PERIOD ENDING 12/31/24")
    sheet.add("title", "RUN 01/06/25 07:14", "", "PAGE 1")
    sheet.add("blank")
    sheet.add("header", *_PAYROLL)
    sheet.add("repeated_header", *("-" * len(name) for name in _PAYROLL))
    printed = 0
    unpaid = False
    for department in DEPARTMENTS:
        group = [one for one in people if one.department == department]
        for one in group:
            if printed and printed % 25 == 0:
                sheet.add("repeated_header", *_PAYROLL)
                sheet.add("repeated_header", *("-" * len(name) for name in _PAYROLL))
            printed += 1
            unpaid |= _payroll_row(sheet, one)
        sums = [""] * len(_PAYROLL)
        sums[0], sums[15] = f"Subtotal {department}", dollars(_total(o.paid for o in group))
        sheet.add("total", *sums)
    sums = [""] * len(_PAYROLL)
    sums[0], sums[15] = "GRAND TOTAL", dollars(_total(one.paid for one in people))
    sheet.add("total", *sums)
    sheet.add("footer", "*** END OF REPORT ***")
    asks = {
        "grade_levels": ", ".join(f"{n}:{(n + 1) // 2}" for n in range(1, 11)),
        "rehired_hire_date": "original",
    }
    if unpaid:
        asks["leave_pay"] = "pay_of_year"
    return Client(
        "register.csv" if delimiter == ";" else "register.txt",
        bytes_writer(sheet.text(delimiter, encoding)),
        sheet.truth,
        sheet.dropped,
        asks=asks,
        mapping={
            "SS#": "ignored:pii",
            "Employee Name": "ignored:pii",
            "Street": "ignored:pii",
            "Base Rate": "annual_compensation",
            "YTD Gross": "prior_year_compensation",
            "YTD Adj": "ignored:other",
            "Pay Freq": "helper:annual_compensation",
        },
        secrets=secrets_of(people),
    )


def _payroll_row(sheet: Sheet, one: Person) -> bool:
    """Add a person, and return whether he is on leave and has no rate."""
    rate = one.hourly if one.is_hourly else cents(one.annual / PERIODS[one.frequency])
    annual = rate * one.hours * 52 if one.is_hourly else rate * PERIODS[one.frequency]
    pretax, roth = cents(one.paid * one.pretax), cents(one.paid * one.roth)
    total = pretax + roth
    is_unpaid = one.standing == "leave"
    if is_unpaid:
        begin = max(one.back or one.hired, date(AS_OF.year, 1, 1))
        annual = cents(one.paid * 366 / ((AS_OF - begin).days + 1))
    sheet.person(
        {
            "employee_id": f"{one.number:05d}",
            "birth_date": one.birth,
            "hire_date": one.hired,
            "rehire_date": one.back,
            "termination_date": one.left,
            "is_active": one.is_active,
            "department": one.department,
            "job_level": one.level,
            "weekly_hours": one.hours,
            "annual_compensation": annual,
            "pay_of_year": one.paid,
            "deferral_rate": (total / one.paid).quantize(MILLIONTH, ROUND_HALF_UP),
            "roth_share": (roth / total).quantize(MILLIONTH, ROUND_HALF_UP) if total else None,
            "union": one.union,
        },
        [
            f"{one.number:05d}", f"{one.last}, {one.first}", one.ssn, one.street,
            us_short(one.birth), us_short(one.hired), us_short(one.back), us_short(one.left),
            {"active": "A", "leave": "L"}.get(one.standing, "T"),
            one.department + (" " if one.number % 5 == 0 else ""), one.grade,
            "H" if one.is_hourly else "S", one.frequency,
            "0.00" if is_unpaid else f"{rate:,.4f}" if one.is_hourly else f"{rate:,.2f}",
            one.hours, dollars(one.paid), dollars(pretax), dollars(roth),
            ("125.00-", "(35.10)", "0.00")[one.number % 3],
            "X" if one.union else "",
        ],
    )  # fmt: skip
    return is_unpaid


# --- c: exports of European personnel systems ------------------------------------------


def german(seed: int, count: int, encoding: str = "utf-16") -> Client:
    """Return a German export: decimal commas, monthly pay, degree of employment in percent."""
    people = [replace(one, is_hourly=False) for one in company(seed, count)]
    sheet = Sheet()
    sheet.add("title", "Mitarbeiterliste Gießerei Tarn GmbH, Stichtag 31.12.2024")
    sheet.add(
        "header", "Personalnummer", "Nachname", "Vorname", "Straße", "Geburtsdatum", "Eintritt",
        "Austritt", "Status", "Abteilung", "Standort", "Entgeltgruppe", "Monatsgehalt (Vollzeit)",
        "Beschäftigungsgrad %", "Währung",
    )  # fmt: skip
    words = {"active": "aktiv", "leave": "Elternzeit"}
    gone = {"terminated": "ausgetreten", "retired": "Rentner", "deceased": "verstorben"}
    for one in people:
        monthly = cents(one.annual / one.share / 12)
        sheet.person(
            {
                "employee_id": f"{one.number:06d}",
                "birth_date": one.birth,
                "hire_date": one.hired,
                "termination_date": one.left,
                "is_active": one.is_active,
                "department": one.department,
                "location": one.location,
                "job_level": one.level,
                "annual_compensation": cents(monthly * 12 * one.share),
            },
            [
                f"{one.number:06d}", one.last, one.first, one.street, points(one.birth),
                points(one.hired), points(one.left, "31.12.9999"),
                words.get(one.standing, gone[one.reason]), one.department, one.location,
                f"E{one.grade}", european(monthly), f"{one.share * 100:.1f}".replace(".", ","),
                "EUR",
            ],
        )  # fmt: skip
    sheet.add("total", "Summe", *[""] * 10, european(_total(
        cents(one.annual / one.share / 12) for one in people)))  # fmt: skip
    return Client(
        "Mitarbeiter.txt",
        bytes_writer(sheet.text("\t", encoding)),
        sheet.truth,
        sheet.dropped,
        asks={"grade_levels": ", ".join(f"E{n}:{(n + 1) // 2}" for n in range(1, 11))},
        mapping={
            "Personalnummer": "employee_id",
            "Nachname": "ignored:pii",
            "Straße": "ignored:pii",
            "Eintritt": "hire_date",
            "Monatsgehalt (Vollzeit)": "annual_compensation",
            "Beschäftigungsgrad %": "helper:weekly_hours",
        },
        secrets=secrets_of(people),
    )


def french(seed: int, count: int) -> Client:
    """Return a French export in Latin-1: blanks between thousands, share of full time."""
    people = company(seed, count)
    sheet = Sheet()
    sheet.add(
        "header", "Matricule", "Nom", "Prénom", "N° sécurité sociale", "Adresse",
        "Date de naissance", "Date d'embauche", "Date de sortie", "Statut", "Service",
        "Établissement", "Niveau", "Salaire annuel brut", "ETP",
    )  # fmt: skip
    words = {"active": "Présent", "leave": "Congé parental"}
    gone = {"terminated": "Sorti", "retired": "Retraité", "deceased": "Décédé"}
    for one in people:
        sheet.person(
            {
                "employee_id": f"T{one.number:05d}",
                "birth_date": one.birth,
                "hire_date": one.hired,
                "termination_date": one.left,
                "is_active": one.is_active,
                "department": one.department,
                "location": one.location,
                "job_level": one.level,
                "annual_compensation": one.annual,
            },
            [
                f"T{one.number:05d}", one.last, one.first, one.ssn, one.street,
                f"{one.birth:%d/%m/%Y}", f"{one.hired:%d/%m/%Y}",
                "" if one.left is None else f"{one.left:%d/%m/%Y}",
                words.get(one.standing, gone[one.reason]), one.department, one.location,
                one.level, f"{european(one.annual, chr(0xA0))} EUR",
                f"{one.share:.2f}".replace(".", ","),
            ],
        )  # fmt: skip
    return Client(
        "effectif_2024-12-31.csv",
        bytes_writer(sheet.text(";", "latin-1", "\n")),
        sheet.truth,
        sheet.dropped,
        asks={"part_time_pay": "actual"},
        mapping={
            "Matricule": "employee_id",
            "N° sécurité sociale": "ignored:pii",
            "Prénom": "ignored:pii",
            "Service": "department",
            "Salaire annuel brut": "annual_compensation",
        },
        secrets=secrets_of(people),
    )


# --- d: a list of spells ---------------------------------------------------------------


def spells(seed: int, count: int) -> Client:
    """Return a row for each assignment: transfers, returns, leavers."""
    draw = random.Random(seed + 1)  # noqa: S311 - invented people
    people = company(seed, count)
    sheet = Sheet()
    sheet.add(
        "header", "Person ID", "Worker Name", "Date of Birth", "Valid From", "Valid To",
        "Department Name", "Career Level", "Annual Base Salary", "Scheduled Weekly Hours",
        "Work Email",
    )  # fmt: skip
    rows: list[tuple[Person, date, date | None, bool]] = []
    for one in people:
        cuts = _spells_of(one, draw)
        rows += [(one, *spell, n == len(cuts) - 1) for n, spell in enumerate(cuts)]
    draw.shuffle(rows)
    for one, start, end, is_last in rows:
        pay = one.annual if is_last else cents(one.annual * Decimal("0.8"))
        cells = [
            f"P{one.number}", f"{one.first} {one.last}", one.birth.isoformat(), start.isoformat(),
            "9999-12-31" if end is None else end.isoformat(),
            one.department if is_last else draw.choice(DEPARTMENTS), one.level, f"{pay:.2f}",
            one.hours, one.mail,
        ]  # fmt: skip
        if not is_last:
            sheet.add("duplicate_of_rehired_person", *cells)
            continue
        sheet.person(
            {
                "employee_id": f"P{one.number}",
                "birth_date": one.birth,
                "hire_date": one.hired,
                "rehire_date": one.back,
                "termination_date": one.left,
                "is_active": one.left is None,
                "department": one.department,
                "job_level": one.level,
                "weekly_hours": one.hours,
                "annual_compensation": one.annual,
            },
            cells,
        )
    return Client(
        "assignments_2024-12-31.csv",
        bytes_writer(sheet.text(",", "utf-8-sig")),
        sheet.truth,
        sheet.dropped,
        asks={"rehired_hire_date": "original"},
        mapping={
            "Worker Name": "ignored:pii",
            "Work Email": "ignored:pii",
            "Valid From": "helper:hire_date",
            "Valid To": "helper:termination_date",
        },
        secrets=secrets_of(people),
    )


def _spells_of(one: Person, draw: random.Random) -> list[tuple[date, date | None]]:
    """Cut an employment into its assignments; a return begins after a gap."""
    starts = [one.hired]
    found: list[tuple[date, date | None]] = []
    last_end = one.left
    if one.back is not None:
        gap = one.back - timedelta(days=draw.randint(60, 300))
        found += _cut(one.hired, max(gap, one.hired + timedelta(5)), draw)
        starts = [one.back]
    return found + _cut(starts[0], last_end, draw)


def _cut(start: date, end: date | None, draw: random.Random) -> list[tuple[date, date | None]]:
    last = end or AS_OF
    if (last - start).days < 90 or draw.random() < 0.5:
        return [(start, end)]
    middle = day(draw, start + timedelta(30), last - timedelta(30))
    return [(start, middle - timedelta(1)), (middle, end)]


# --- e: a plan's census without grades -------------------------------------------------


def plan_census(seed: int, count: int, as_of: date = AS_OF, *, has_zeros: bool = False) -> Client:
    """Return a census of pay and dollars of the year alone; no date tells its order."""
    draw = random.Random(seed + 2)  # noqa: S311 - invented people
    people = [_undecidable(one, as_of, draw) for one in company(seed, count, as_of)]
    sheet = Sheet()
    sheet.add(
        "header", "EE ID", "SSN", "Name (Last, First)", "DOB", "DOH", "DOT", "Plan Comp",
        "EE Deferrals", "ER Match", "Hours of Service",
    )  # fmt: skip
    year = (as_of - date(as_of.year - 1, 12, 31)).days
    for one in people:
        begin = max(one.hired, date(as_of.year, 1, 1))
        days = ((one.left or as_of) - begin).days + 1
        annual = cents(one.paid * year / days)
        saved = cents(one.paid * one.pretax)
        sheet.person(
            {
                "employee_id": f"{one.number:05d}" if has_zeros else str(one.number),
                "birth_date": one.birth,
                "hire_date": one.hired,
                "termination_date": one.left,
                "is_active": one.left is None,
                "job_level": level_by_pay(annual),
                "annual_compensation": annual,
                "pay_of_year": one.paid,
                "deferral_rate": (saved / one.paid).quantize(MILLIONTH, ROUND_HALF_UP),
            },
            [
                f"{one.number:05d}" if has_zeros else str(one.number), one.ssn,
                f"{one.last}, {one.first}", f"{one.birth:%d/%m/%Y}", f"{one.hired:%d/%m/%Y}",
                "" if one.left is None else f"{one.left:%d/%m/%Y}", f"{one.paid:.2f}",
                f"{saved:.2f}", f"{saved / 2:.2f}", int(one.hours * days / 7),
            ],
        )  # fmt: skip
    asks = {f"date_order:{name}": "dmy" for name in ("DOB", "DOH", "DOT")}
    return Client(
        f"plan_census_{as_of.year}.csv",
        bytes_writer(sheet.text(",", "utf-8")),
        sheet.truth,
        sheet.dropped,
        asks={**asks, "pay_of_year": "annualise", "grade_levels": "by_pay"},
        mapping={
            "EE ID": "employee_id",
            "SSN": "ignored:pii",
            "Name (Last, First)": "ignored:pii",
            "Plan Comp": "annual_compensation",
            "EE Deferrals": "deferral_rate",
            "ER Match": "ignored:other",
        },
        secrets=secrets_of(people),
        as_of=as_of,
    )


def _undecidable(one: Person, as_of: date, draw: random.Random) -> Person:
    """Move every day of a person to one that may be read either way."""

    def moved(given: date) -> date:
        return given.replace(day=1 + draw.randrange(12))

    hired, left = moved(one.hired), one.left and moved(one.left)
    if left is not None and left <= hired:
        left = None
    if hired.year == as_of.year:
        hired = hired.replace(month=1)
    return replace(one, birth=moved(one.birth), hired=hired, back=None, left=left)


def level_by_pay(pay: Decimal) -> int:
    """Return the job level of a pay, cut half-way between the bands of the reference tables."""
    text = files("planalign").joinpath("dbt/seeds/market_bands.csv").read_text(encoding="utf-8")
    bands = [
        (Decimal(row["band_minimum"]), Decimal(row["band_maximum"]))
        for row in csv.DictReader(text.splitlines())
    ]
    return 1 + sum(pay >= (upper[0] + lower[1]) / 2 for lower, upper in pairwise(bands))


CLIENTS: dict[str, Callable[[int, int], Client]] = {
    "recordkeeper": recordkeeper,
    "payroll": payroll,
    "payroll_tabs": lambda seed, count: payroll(seed, count, "\t", "utf-8"),
    "german": german,
    "german_latin_1": lambda seed, count: german(seed, count, "latin-1"),
    "french": french,
    "spells": spells,
    "plan_census": plan_census,
}


# --- other formats ---------------------------------------------------------------------


def write_ods(path: Path, rows: Sequence[Sequence[Any]], name: str = "Census") -> None:
    """Write rows as the sheet of an OpenDocument workbook."""

    def cell(value: Any) -> str:
        if value is None or value == "":
            return "<table:table-cell/>"
        if isinstance(value, (date, datetime)):
            return (
                f'<table:table-cell office:value-type="date" office:date-value="{value}">'
                f"<text:p>{value}</text:p></table:table-cell>"
            )
        if isinstance(value, (int, float, Decimal)):
            return (
                f'<table:table-cell office:value-type="float" office:value="{value}">'
                f"<text:p>{value}</text:p></table:table-cell>"
            )
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{escape(str(value))}</text:p></table:table-cell>"
        )

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{key}:1.0"'
        for key in ("office", "table", "text")
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with ZipFile(path, "w", ZIP_DEFLATED) as parts:
        parts.writestr("mimetype", kind)
        parts.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest='
            '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" '
            'manifest:media-type="text/xml"/></manifest:manifest>',
        )
        parts.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} '
            f'office:version="1.2"><office:body><office:spreadsheet><table:table '
            f'table:name="{escape(name)}">{body}</table:table></office:spreadsheet>'
            "</office:body></office:document-content>",
        )
