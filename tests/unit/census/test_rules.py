from __future__ import annotations

import pytest

from planalign.census.read import MOST_PROBLEMS
from planalign.errors import InputError

BAD_CELLS = [
    ("employee_id", "", "empty"),
    ("employee_id", "x" * 65, "longer than 64"),
    ("employee_id", "a\x07b", "control character"),
    ("employee_id", "a\nb", "control character"),
    ("employee_id", "H2025-000001", "reserved"),
    ("employee_id", "H2025-12345678", "reserved"),
    ("birth_date", "", "empty"),
    ("birth_date", "31/03/1985", "not a date"),
    ("birth_date", "1985-3-31", "not a date"),
    ("birth_date", "19850331", "not a date"),
    ("birth_date", "1985-02-30", "no such day"),
    ("birth_date", "infinity", "not a date"),
    ("birth_date", "1985-03-31 08:30:00", "time of day"),
    ("birth_date", "1899-12-31", "before 1900"),
    ("birth_date", "2025-01-01", "after the census date"),
    ("hire_date", "", "empty"),
    ("hire_date", "2025-01-01", "in the future"),
    ("hire_date", "1999-03-30", "before the age of 14"),
    ("annual_compensation", "", "empty"),
    ("annual_compensation", "0", "zero or negative"),
    ("annual_compensation", "-1", "zero or negative"),
    ("annual_compensation", "$52000", "currency"),
    ("annual_compensation", "52000€", "currency"),
    ("annual_compensation", "52,000", "thousands"),
    ("annual_compensation", "52 000", "thousands"),
    ("annual_compensation", "52000.505", "more than two decimals"),
    ("annual_compensation", "5e4", "not a number"),
    ("annual_compensation", "nan", "not a finite"),
    ("annual_compensation", "-Infinity", "not a finite"),
    ("annual_compensation", "100000000.00", "above 99999999.99"),
    ("annual_compensation", "9" * 30, "far outside"),
    ("job_level", "", "empty"),
    ("job_level", "0", "outside 1 to 5"),
    ("job_level", "6", "outside 1 to 5"),
    ("job_level", "2.5", "not a whole number"),
    ("job_level", "senior", "not a number"),
    ("job_level", "9" * 20, "far outside"),
    ("termination_date", "2015-05-31", "before the hire date"),
    ("termination_date", "2025-01-01", "in the future"),
    ("termination_date", "n/a", "not a date"),
    ("active", "maybe", "not true or false"),
    ("deferral_rate", "6%", "percentage"),
    ("deferral_rate", "6", "outside 0 to 1"),
    ("deferral_rate", "-0.01", "outside 0 to 1"),
    ("deferral_rate", "nan", "not a finite"),
    ("deferral_rate", "1000", "far outside"),
    ("weekly_hours", "168.5", "outside 0 to 168"),
    ("weekly_hours", "-1", "outside 0 to 168"),
    ("weekly_hours", "full", "not a number"),
    ("union", "2", "not true or false"),
    ("prior_year_compensation", "-0.01", "negative"),
    ("prior_year_compensation", "100000000", "above 99999999.99"),
    ("ownership_percent", "1.01", "outside 0 to 1"),
    ("ownership_percent", "inf", "not a finite"),
    ("officer", "CEO", "not true or false"),
    ("balance_match", "-0.01", "outside 0 to 99999999.99"),
    ("balance_match", "100000000", "outside 0 to 99999999.99"),
    ("balance_core", "-1", "outside 0 to 99999999.99"),
    ("balance_core", "1e3", "not a number"),
    ("enrollment_status", "enrolled", "not one of automatic, voluntary, opted_out, not_enrolled"),
    ("enrollment_status", "Automatic", "not one of"),
    ("enrolled_on", "2015-05-31", "before the hire date"),
    ("enrolled_on", "2025-01-01", "in the future"),
    ("enrolled_on", "yes", "not a date"),
    ("rehire_date", "2015-06-01", "not after the hire date"),
    ("rehire_date", "2025-01-01", "in the future"),
    ("roth_share", "1.01", "outside 0 to 1"),
    ("roth_share", "-0.01", "outside 0 to 1"),
    ("roth_share", "25%", "percentage"),
]


@pytest.mark.parametrize("dialect", [{}, {"delimiter": ";", "lineterminator": "\n"}])
def test_every_bad_cell_is_one_problem_and_no_other_cell_is(write, problems, dialect):
    rows = [{}, *({column: value} for column, value, _ in BAD_CELLS), {}]
    found = problems(write(*rows, **dialect))
    assert len(found) == len(BAD_CELLS)
    for row, (problem, (column, value, message)) in enumerate(
        zip(found, BAD_CELLS, strict=True), start=2
    ):
        assert message in problem.message
        assert (problem.row, problem.column) == (row, column)
        assert problem.value == (value or None)


GOOD_CELLS = [
    ("employee_id", "x" * 64),
    ("employee_id", "H2025-00001"),
    ("employee_id", "h2025-000001"),
    ("employee_id", "Zoë Ñ-1"),
    ("birth_date", "1985-03-31T00:00:00Z"),
    ("birth_date", "1985-03-31 00:00:00.000"),
    ("hire_date", "2024-12-31"),
    ("hire_date", "1999-03-31"),
    ("annual_compensation", "0.01"),
    ("annual_compensation", "+99999999.99"),
    ("job_level", "5.0"),
    ("deferral_rate", "1"),
    ("deferral_rate", ".06"),
    ("weekly_hours", "168"),
    ("prior_year_compensation", "0"),
    ("ownership_percent", "0.050000001"),
    ("balance_match", "0"),
    ("balance_core", "99999999.99"),
    ("enrollment_status", "not_enrolled"),
    ("enrolled_on", "2015-06-01"),
    ("enrolled_on", "2024-12-31"),
    ("rehire_date", "2015-06-02"),
    ("rehire_date", "2024-12-31"),
    ("roth_share", "1"),
    ("grade", "x" * 256),
    ("location", "123 Main Street"),
]


def test_good_cells_at_boundaries(write, read):
    rows = [{}, *({column: value} for column, value in GOOD_CELLS)]
    assert read(write(*rows)).rows == len(rows)


CONTRADICTIONS = [
    ({"enrollment_status": "opted_out", "deferral_rate": "0.000001"}, "enrollment_status"),
    ({"enrollment_status": "not_enrolled", "deferral_rate": "1"}, "enrollment_status"),
    ({"rehire_date": "2020-01-02", "termination_date": "2020-01-01"}, "termination_date"),
]


@pytest.mark.parametrize(("row", "column"), CONTRADICTIONS)
def test_what_contradicts_is_a_problem_of_one_cell(write, problems, row, column):
    (problem,) = problems(write(row, {}))
    assert (problem.row, problem.column, problem.value) == (1, column, row[column])


@pytest.mark.parametrize(
    "row",
    [
        {"enrollment_status": "opted_out", "deferral_rate": "0"},
        {"enrollment_status": "not_enrolled"},
        {"enrollment_status": "voluntary", "deferral_rate": "0.06", "roth_share": "0"},
        # Of who has left it is of no use.
        {"enrollment_status": "opted_out", "deferral_rate": "0.06", "active": "false"},
        {"rehire_date": "2020-01-02", "termination_date": "2020-01-02", "active": "false"},
    ],
)
def test_what_does_not_contradict_is_read(write, read, row):
    assert read(write(row, {})).rows == 2


@pytest.mark.parametrize(
    ("born", "hired", "accepted"),
    [
        ("2008-02-29", "2022-02-28", False),
        ("2008-02-29", "2022-03-01", True),
        ("2008-03-01", "2022-02-28", False),
        ("2008-03-01", "2022-03-01", True),
    ],
)
def test_age_of_fourteen_is_exact(write, read, born, hired, accepted):
    path = write({"birth_date": born, "hire_date": hired})
    if accepted:
        assert read(path).rows == 1
    else:
        with pytest.raises(InputError, match="before the age of 14"):
            read(path)


def test_birth_on_the_census_date_is_not_in_the_future(write, problems):
    found = problems(write({"birth_date": "2024-12-31"}, {}))
    assert [problem.column for problem in found] == ["hire_date"]


def test_duplicate_id_names_both_rows(write, problems):
    found = problems(write({}, {"employee_id": "E1"}, {}, {"employee_id": " E1 "}))
    assert [(p.row, p.column, p.value) for p in found] == [
        (2, "employee_id", "E1"),
        (4, "employee_id", "E1"),
    ]
    assert all("row 1" in problem.message for problem in found)


def test_ids_differ_by_case(write, read):
    assert read(write({"employee_id": "e9"}, {"employee_id": "E9"})).rows == 2


@pytest.mark.parametrize("ended", ["2024-12-31", "2020-01-01"])
def test_active_and_terminated_contradict(write, problems, ended):
    (problem,) = problems(write({}, {"active": "true", "termination_date": ended}))
    assert (problem.row, problem.column) == (2, "active")
    assert ended in problem.message


@pytest.mark.parametrize("pay", ["0", "-5"])
def test_terminated_employee_may_be_without_pay(write, read, pay):
    summary = read(write({}, {"annual_compensation": pay, "termination_date": "2024-12-31"}))
    assert (summary.rows, summary.active, summary.terminated) == (2, 1, 1)


def test_every_problem_is_found_at_once_by_row_and_column(write, problems):
    path = write(
        {"job_level": "9", "birth_date": "x"},
        {},
        {"annual_compensation": "0", "deferral_rate": "2", "hire_date": ""},
        {"employee_id": "", "job_level": ""},
    )
    assert [(p.row, p.column) for p in problems(path)] == [
        (1, "birth_date"),
        (1, "job_level"),
        (3, "hire_date"),
        (3, "annual_compensation"),
        (3, "deferral_rate"),
        (4, "employee_id"),
        (4, "job_level"),
    ]


def test_problems_of_columns_come_with_those_of_cells(write, problems, read):
    path = write({"job_level": "9", "hire_date": "2030-01-01"})
    text = path.read_text(encoding="utf-8").replace("birth_date", "born")
    path.write_text(text, encoding="utf-8")
    assert [(p.row, p.column) for p in problems(path)] == [
        (None, None),
        (None, "birth_date"),
        (1, "hire_date"),
        (1, "job_level"),
    ]


def test_no_rows(write, problems):
    (problem,) = problems(write())
    assert problem.message == "no employees in the file"


def test_nobody_active(write, problems):
    (problem,) = problems(write({"termination_date": "2024-01-01"}, {"active": "no"}))
    assert "no active employee" in problem.message
    assert problem.row is None


def test_a_date_that_cannot_be_read_makes_nobody_inactive(write, problems):
    (problem,) = problems(write({"termination_date": "soon"}))
    assert problem.column == "termination_date"


def test_long_lists_are_cut_and_counted(write, read):
    with pytest.raises(InputError) as caught:
        read(write({}, *[{"job_level": "7", "active": "?"}] * 700))
    found = caught.value.problems
    assert caught.value.what.endswith("has 1,400 problems of 2 kinds")
    assert len(found) == MOST_PROBLEMS + 1
    assert (found[0].row, found[999].row) == (2, 501)
    assert found[-1].message == "400 more problems are not listed"


def test_message_counts_one_problem(write, read):
    with pytest.raises(InputError) as caught:
        read(write({}, {"job_level": "7"}))
    assert caught.value.what.endswith("census.csv has 1 problem")


def test_long_value_is_cut(write, problems):
    (problem,) = problems(write({}, {"job_level": "7" * 5000}))
    assert len(problem.value) < 120
