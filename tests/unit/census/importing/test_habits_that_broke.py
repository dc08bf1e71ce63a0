"""Single habits of files that an import once took for something else."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from planalign.census.importing import import_once, open_sources, page_of
from planalign.census.importing.headers import roles_of_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from planalign.census.importing import Imported
    from planalign.census.importing.rows import Row

BY_PAY = {"grade_levels": "by_pay"}
HEADER = ["Employee ID", "Birth Date", "Hire Date", "Annual Salary"]


def people(count: int = 12) -> list[list[str]]:
    """Return rows of the header above, whose dates have days beyond 12."""
    return [
        [f"{1000 + 7 * n:06d}", f"{n % 12 + 1}/{13 + n % 15}/19{60 + n % 25}",
         f"{n % 12 + 1}/{28 - n % 14}/{2013 + n % 12}", f"{40_000 + 1_250 * n}.50"]
        for n in range(count)
    ]  # fmt: skip


def with_column(name: str, cells: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the table with one more column, whose cells are repeated."""
    rows = people()
    return [*HEADER, name], [[*row, cells[number % len(cells)]] for number, row in enumerate(rows)]


def imported(
    folder: Path,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    answers: dict[str, str] | None = None,
    **options: Any,
) -> Imported:
    """Import a table that is written with tabs."""
    path = folder / "census_2024-12-31.txt"
    path.write_text("\n".join("\t".join(row) for row in [header, *rows]), encoding="utf-8")
    return import_once(open_sources([path], None), BY_PAY | (answers or {}), **options)


def rows_of(found: Imported) -> list[Row]:
    return found.files[0].rows


def keys_of(found: Imported) -> set[str]:
    return {question.key for question in found.questions}


def test_zeros_as_text_are_numbers(tmp_path):
    header, rows = with_column("401k Contributions", ["$0.00", "$0.00", "$0.00", "$1,200.00"])
    found = imported(tmp_path, [*header, "YTD Gross"], [[*row, "60000.00"] for row in rows])
    assert found.questions == []
    rates = [row.deferral_rate for row in rows_of(found)]
    assert rates[:4] == [Decimal(0), Decimal(0), Decimal(0), Decimal("0.02")]


def test_a_no_is_no_number(tmp_path):
    found = imported(tmp_path, *with_column("Officer", ["Yes", "No"]))
    assert found.questions == []
    assert [row.officer for row in rows_of(found)][:2] == [True, False]


def test_balances_are_those_of_their_group():
    for name, role in {
        "Balances by Source | Pre-Tax": "other",
        "Balances by Source | Roth": "other",
        "Account Balances | Employer Match": "balance_match",
        "Balance | Non-Elective": "balance_core",
        "Elections | Pre-Tax %": "deferral_percent",
        "Spouse | Birth Date": "other",
        "Participant | Birth Date": "birth_date",
    }.items():
        assert roles_of_column(name)[0][0] == role, name


@pytest.mark.parametrize(
    "shown", ['="{}"', "'{}"], ids=["formula of a text", "apostrophe in front"]
)
def test_ids_that_a_spreadsheet_protects(tmp_path, shown):
    rows = [[shown.format(name), *rest] for name, *rest in people()]
    found = imported(tmp_path, HEADER, rows)
    assert [row.employee_id for row in rows_of(found)] == [row[0] for row in people()]


def test_names_beside_an_id_are_not_stored(tmp_path):
    rows = [
        [f"{name} - Quixa{'bcdefghijklmno'[n]}, Vo{'pqrstuvwxyzabc'[n]}", *rest]
        for n, (name, *rest) in enumerate(people() * 2)
        for n in [n % 14]
    ]
    rows = [[row[0].replace("00", str(n), 1), *row[1:]] for n, row in enumerate(rows, 10)]
    found = imported(tmp_path, ["Employee", *HEADER[1:]], rows)
    assert all(row.employee_id.isdigit() for row in rows_of(found))
    assert "Quixa" not in found.journal() + found.recipe + page_of(found)


def test_names_alone_are_no_ids_whatever_their_header_says(tmp_path):
    rows = [
        [f"Quixa{chr(97 + n % 26)}, Vo{chr(97 + n // 2)}", *rest]
        for n, (_, *rest) in enumerate(people(30))
    ]
    found = imported(tmp_path, ["Employee", *HEADER[1:]], rows)
    assert keys_of(found) == {"employee_id"}
    assert found.as_dict()["mapping"]["Employee"] == "ignored:pii"
    assert "Quixa" not in found.journal() + found.recipe + page_of(found)


def test_a_cell_that_cannot_be_read_is_shown_by_its_shape(tmp_path):
    rows = people()
    rows[3][3] = "Quixa Vobak"
    rows[4][3] = "912-04-5678"
    found = imported(tmp_path, HEADER, rows)
    (question,) = (one for one in found.questions if one.key.startswith("unreadable"))
    assert "aaaaa aaaaa" in question.about
    assert "999-99-9999" in question.about
    told = found.journal() + page_of(found)
    assert "Quixa" not in told
    assert "912-04" not in told


def test_cells_of_a_row_that_is_too_long_are_not_read(tmp_path):
    header, rows = with_column("Status", ["A", "A", "T"])
    rows[5] = [rows[5][0], "Quixa", *rows[5][1:]]
    found = imported(tmp_path, header, rows)
    assert "rows_too_long" in keys_of(found)
    assert "Quixa" not in found.journal() + page_of(found)
    assert len(rows_of(found)) == 11


def test_dollars_among_percent_are_asked_about(tmp_path):
    found = imported(tmp_path, *with_column("Deferral Election", ["6%", "4%", "$100", "0%"]))
    assert keys_of(found) == {"unreadable:Deferral Election"}


@pytest.mark.parametrize(
    ("hours", "answer"), [("80", "biweekly"), ("86.67", "semimonthly"), ("173.33", "monthly")]
)
def test_hours_of_a_pay_period_are_made_weekly(tmp_path, hours, answer):
    header, rows = with_column("Standard Hours", [hours])
    asked = imported(tmp_path, header, rows)
    assert [(one.key, one.proposal) for one in asked.questions] == [
        ("hours:Standard Hours", answer)
    ]
    found = imported(tmp_path, header, rows, {"hours:Standard Hours": answer})
    assert {row.weekly_hours for row in rows_of(found)} == {Decimal("40.00")}


def test_a_total_whose_count_stands_in_the_column_of_ids(tmp_path):
    header, rows = with_column("SSN", [f"91{n}-04-567{n}" for n in range(10)])
    pay = sum(Decimal(row[3]) for row in rows)
    found = imported(tmp_path, header, [*rows, ["12", "", "", f"{pay:,.2f}", "TOTAL"]])
    assert found.questions == []
    assert found.files[0].counts()["total"] == 1
    assert found.files[0].totals[0]["agrees"]


def test_totals_by_department_and_a_mean_are_no_missing_rows(tmp_path):
    rows = people()
    halves = [rows[:5], rows[5:]]
    sums = [sum(Decimal(row[3]) for row in half) for half in halves]
    lines = [
        *halves[0], ["Subtotal", "", "", f"{sums[0]:.2f}"],
        *halves[1], ["Subtotal", "", "", f"{sums[1]:.2f}"],
        ["Grand total", "", "", f"{sum(sums):.2f}"],
        ["Average:", "", "", f"{sum(sums) / 12:.2f}"],
    ]  # fmt: skip
    found = imported(tmp_path, HEADER, lines)
    assert found.questions == []
    assert found.files[0].counts()["total"] == 4
    lines[5][3] = "1.00"
    assert keys_of(imported(tmp_path, HEADER, lines)) == {"total:Annual Salary"}


def test_a_row_that_says_how_columns_are_written_is_of_the_header(tmp_path):
    units = ["(number)", "(mm/dd/yyyy)", "(mm/dd/yyyy)", "(USD)"]
    found = imported(tmp_path, HEADER, [units, *people()])
    assert found.questions == []
    assert found.files[0].dropped[2] == "repeated_header"


@pytest.mark.parametrize(
    ("codes", "standings"),
    [
        (["A - Active", "T - Terminated"], ["active", "inactive"]),
        (["Active (Leave)", "Active/Full Time"], ["leave", "active"]),
    ],
)
def test_codes_with_their_words(tmp_path, codes, standings):
    found = imported(tmp_path, *with_column("Status", codes))
    assert found.questions == []
    assert [row.standing for row in rows_of(found)][:2] == standings


def test_a_code_whose_words_contradict_each_other_is_asked_about(tmp_path):
    found = imported(tmp_path, *with_column("Status", ["Active", "T - Active"]))
    assert keys_of(found) == {"status:T - Active"}


def test_only_whether_automatically_enrolled(tmp_path):
    header, rows = with_column("Auto-Enrolled", ["Y", "N", "N"])
    rates = ["3%", "5%", "0%"]
    rows = [[*row, rates[n % 3]] for n, row in enumerate(rows)]
    found = imported(tmp_path, [*header, "Pre-Tax %"], rows)
    assert found.questions == []
    ways = [row.enrollment_status for row in rows_of(found)]
    assert ways[:3] == ["automatic", "voluntary", "not_enrolled"]
    rows[0][-1] = "0%"
    assert keys_of(imported(tmp_path, [*header, "Pre-Tax %"], rows)) == {"automatic_without_saving"}


@pytest.mark.parametrize(
    ("column", "cells", "key"),
    [
        ("Match Balance", ["1,000.00", "(18.00)"], "impossible:Match Balance"),
        ("% Owned", ["0%", "0%", "150%"], "impossible:% Owned"),
    ],
)
def test_what_no_census_has_is_asked_and_can_be_answered(tmp_path, column, cells, key):
    header, rows = with_column(column, cells)
    assert keys_of(imported(tmp_path, header, rows)) == {key}
    found = imported(tmp_path, header, rows, {key: "blank"})
    assert found.questions == []
    assert len(rows_of(found)) == 12
    fewer = imported(tmp_path, header, rows, {key: "leave_out"})
    assert len(rows_of(fewer)) + fewer.files[0].counts()["unusable"] == 12


def test_dates_that_contradict_each_other_are_asked_about(tmp_path):
    header, rows = with_column("Term Date", [""])
    rows[0][1], rows[0][2] = "1/20/2010", "2/20/2015"
    rows[1][4] = "1/13/2000"
    found = imported(tmp_path, header, rows)
    assert keys_of(found) == {"hired_as_a_child", "left_before_hire"}
    answers = {"hired_as_a_child": "leave_out", "left_before_hire": "blank"}
    found = imported(tmp_path, header, rows, answers)
    assert found.questions == []
    assert len(rows_of(found)) == 11


def test_an_end_in_a_far_year_is_none(tmp_path):
    found = imported(tmp_path, *with_column("End Date", ["12/31/2099", "12/31/2999"]))
    assert {row.termination_date for row in rows_of(found)} == {None}


@pytest.mark.parametrize(
    ("title", "day"),
    [
        ("PERIOD ENDING 12/31/24", date(2024, 12, 31)),
        ("Census of June 2024", date(2024, 6, 30)),
        ("Headcount Q3 2024", date(2024, 9, 30)),
        ("Plan year ended June 30, 2024", date(2024, 6, 30)),
        ("Effectif au 30 juin 2024", date(2024, 6, 30)),
        ("As of 6/30/2023    Run date: 07/14/2023 09:12", date(2023, 6, 30)),
        ("Printed 1/15/2025, census as of 12/31/2024", date(2024, 12, 31)),
        ("Stichtag 31.12.2024, erstellt am 13.01.2025", date(2024, 12, 31)),
    ],
)
def test_the_day_of_a_title_is_not_that_on_which_it_was_made(tmp_path, title, day):
    path = tmp_path / "people.txt"
    lines = [[title], HEADER, *people()]
    path.write_text("\n".join("\t".join(row) for row in lines), encoding="utf-8")
    found = import_once(open_sources([path], None), BY_PAY)
    assert keys_of(found) <= {"hired_later"}
    assert found.files[0].as_of == day


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Straße", "Größe · Lager", "Café"]),
        ("latin-1", ["Établissement", "Gießerei"]),
        ("cp850", ["Gießerei München", "Büro Zürich", "Übergabe Köln"]),
        ("cp1250", ["Łódź magazyn", "Kraków sprzedaż", "Gdańsk księgowość"]),
        ("mac-roman", ["Café Orléans", "Bureau Évry", "Crédit à Besançon"]),
        ("utf-8", ["Łódź", "Größe"]),
        ("utf-16", ["Łódź", "Größe"]),
    ],
)
def test_letters_beyond_ascii_in_any_code_page(tmp_path, encoding, names):
    header, rows = with_column("Department", names)
    path = tmp_path / "census_2024-12-31.txt"
    text = "\n".join("\t".join(row) for row in [header, *rows])
    path.write_bytes(text.encode(encoding))
    found = import_once(open_sources([path], None), BY_PAY)
    assert {row.department for row in rows_of(found)} == set(names)


def test_headers_of_systems_that_were_not_known():
    for name, role in {
        "Monatsgehalt (Vollzeit)": "period_rate",
        "Beschäftigungsgrad %": "fte",
        "Salaire annuel brut (EUR)": "annual_rate",
        "Ktxt Orgeinheit": "department",
        "TrfGr": "grade",
        "Monatl. Entgelt": "period_rate",
        "% Arb.": "fte",
        "Position Status": "status",
        "Regular Pay Rate Amount": "period_rate",
        "Total Base Pay Annualized - Amount": "annual_rate",
        "Reports To Name": "other",
    }.items():
        found, score, _ = roles_of_column(name)[0]
        assert (found, score >= 0.78) == (role, True), name


def test_several_jobs_at_the_same_time_are_asked_about(tmp_path):
    rows = people()
    second = [*rows[3][:3], "10000.00"]
    assert keys_of(imported(tmp_path, HEADER, [*rows, second])) == {"several_jobs"}
    for answer, pay in {"add": "53750.50", "latest": "10000.00"}.items():
        found = imported(tmp_path, HEADER, [*rows, second], {"several_jobs": answer})
        assert found.questions == []
        row = next(row for row in rows_of(found) if row.employee_id == second[0])
        assert row.annual_compensation == Decimal(pay)
        assert found.files[0].counts()["duplicate_of_rehired_person"] == 1


def test_deferrals_of_a_pay_period_are_not_taken_for_those_of_a_year(tmp_path):
    header, rows = with_column("401k Amount", ["100.00", "0.00"])
    header, rows = [*header, "Pay Freq"], [[*row, "B"] for row in rows]
    assert keys_of(imported(tmp_path, header, rows)) == {"deferral_period"}
    found = imported(tmp_path, header, rows, {"deferral_period": "by_frequency"})
    assert found.questions == []
    first = rows_of(found)[0]
    assert first.deferral_rate == (2600 / Decimal("40000.50")).quantize(Decimal("0.000001"))


def test_people_of_two_sheets_are_one_census_if_so_answered(tmp_path):
    path = tmp_path / "census_2024-12-31.xlsx"
    rows = people()
    with xlsxwriter.Workbook(path) as book:
        for name, part in {"Active": rows[:9], "Terminated": rows[9:]}.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate([HEADER, *part]):
                sheet.write_row(number, 0, row)
    sources = open_sources([path], None)
    (asked,) = import_once(sources, BY_PAY).questions
    assert (asked.key, asked.proposal) == ("sheet", "together")
    found = import_once(sources, BY_PAY | {"sheet": "together"})
    assert found.questions == []
    assert [row.employee_id for row in rows_of(found)] == [row[0] for row in rows]
    assert found.files[0].work.table.rows_in == 14
    alone = import_once(sources, BY_PAY | {"sheet": "Terminated"})
    assert len(rows_of(alone)) == 3


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_decimal_commas_and_dates_are_no_delimiters(tmp_path, delimiter):
    header = [*HEADER, "Match Balance", "YTD Gross", "% Owned"]
    rows = [[*row[:3], row[3].replace(".", ","), "1,5", "2,25", "0,1%"] for row in people()]
    path = tmp_path / "census_2024-12-31.csv"
    path.write_text("\n".join(delimiter.join(row) for row in [header, *rows]))
    found = import_once(open_sources([path], None), BY_PAY)
    assert found.questions == []
    assert rows_of(found)[0].annual_compensation == Decimal("40000.50")


def test_dates_of_which_a_spreadsheet_has_exchanged_day_and_month(tmp_path):
    path = tmp_path / "census_2024-12-31.xlsx"
    births = [date(1970 + n, n % 12 + 1, 1 + (5 * n) % 28) for n in range(15)]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Census")
        style = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, HEADER)
        for number, (birth, row) in enumerate(zip(births, people(15), strict=True), start=1):
            sheet.write_row(number, 0, row)
            if birth.day <= 12:
                wrong = birth.replace(day=birth.month, month=birth.day)
                sheet.write_datetime(number, 1, wrong, style)
            else:
                sheet.write(number, 1, f"{birth:%d/%m/%Y}")
    sources = open_sources([path], None)
    key = "swapped_dates:Birth Date"
    assert keys_of(import_once(sources, BY_PAY)) == {key}
    found = import_once(sources, BY_PAY | {key: "exchange"})
    assert found.questions == []
    assert [row.birth_date for row in rows_of(found)] == births


def test_marks_of_footnotes_are_no_part_of_an_id_or_a_number(tmp_path):
    rows = people()
    rows[2][0] += "*"
    rows[3][3] += " **"
    found = imported(tmp_path, HEADER, rows)
    assert found.questions == []
    assert rows_of(found)[2].employee_id == people()[2][0]
    assert rows_of(found)[3].annual_compensation == Decimal(people()[3][3])


def test_two_columns_of_one_name_are_told_apart(tmp_path):
    header, rows = with_column("Annual Salary", ["99000.00"])
    found = imported(tmp_path, header, rows)
    (question,) = found.questions
    assert question.choices == ("Annual Salary", "Annual Salary (2)")
    answers = {question.key: "Annual Salary (2)"}
    found = imported(tmp_path, header, rows, answers)
    assert {row.annual_compensation for row in rows_of(found)} == {Decimal("99000.00")}


def test_salaries_a_year_are_no_days(tmp_path):
    header = [*HEADER[:3], "Monatsgehalt", "Anzahl Gehälter"]
    rows = [[*row[:3], "3.000,50", str(12 + n % 3)] for n, row in enumerate(people())]
    found = imported(tmp_path, header, rows)
    assert found.questions == []
    pays = [row.annual_compensation for row in rows_of(found)][:3]
    assert pays == [Decimal("3000.50") * n for n in (12, 13, 14)]


def test_an_id_of_two_columns(tmp_path):
    rows = [
        [name, birth, hired, pay, plant] for plant in "AB" for name, birth, hired, pay in people()
    ]
    for n, row in enumerate(rows[12:]):
        row[1] = f"{n % 12 + 1}/20/1985"
    found = imported(tmp_path, [*HEADER, "Plant"], rows)
    assert keys_of(found) == {"employee_id_parts"}
    found = imported(tmp_path, [*HEADER, "Plant"], rows, {"employee_id_parts": "both"})
    assert found.questions == []
    assert len({row.employee_id for row in rows_of(found)}) == 24
    assert found.as_dict()["mapping"]["Plant"] == "employee_id"


def test_pay_in_another_currency_is_asked_about(tmp_path):
    header, rows = with_column("Currency", ["USD", "USD", "USD", "CAD"])
    assert keys_of(imported(tmp_path, header, rows)) == {"other_currency"}
    found = imported(tmp_path, header, rows, {"other_currency": "leave_out"})
    assert len(rows_of(found)) == 9
    assert found.files[0].counts()["unusable"] == 3


def test_ids_that_may_be_social_security_numbers_are_asked_about(tmp_path):
    rows = [[f"9{n * 7:02d}04{5678 + n}", *rest] for n, (_, *rest) in enumerate(people())]
    found = imported(tmp_path, HEADER, rows)
    assert keys_of(found) == {"ids_are_ssns", "employee_id"}
    kept = imported(tmp_path, HEADER, rows, {"ids_are_ssns": "id"})
    assert kept.questions == []
    assert [row.employee_id for row in rows_of(kept)] == [row[0] for row in rows]
    salted = imported(tmp_path, HEADER, rows, {"ids_are_ssns": "ssn"}, salt=b"0123456789abcdef")
    assert salted.questions == []
    told = salted.journal() + salted.recipe + page_of(salted) + repr(rows_of(salted))
    assert not [row[0] for row in rows if row[0] in told]
    assert len({row.employee_id for row in rows_of(salted)}) == 12


def test_names_around_the_table_are_in_nothing_that_is_written(tmp_path):
    path = tmp_path / "people.txt"
    header, rows = with_column("Comments", ["Quixa Vobak is on leave", "see Quixa"])
    rows = [[*row[:4], f"{row[4]} {n}"] for n, row in enumerate(rows)]
    lines = [
        ["Prepared by Quixa Vobak, 12 Zerlom Lane, as of 12/31/2024"], header, *rows,
        ["", "", "", "", ""], ["* Quixa Vobak returns in May"],
    ]  # fmt: skip
    path.write_text("\n".join("\t".join(row) for row in lines), encoding="utf-8")
    found = import_once(open_sources([path], None), BY_PAY)
    told = found.journal() + found.recipe + page_of(found) + json.dumps(found.as_dict())
    assert found.questions == []
    assert not [word for word in ("Quixa", "Vobak", "Zerlom") if word in told]
