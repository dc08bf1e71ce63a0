from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from planalign.census.columns import NAMES
from planalign.census.read import read_census
from planalign.config.models import CENSUS_COLUMNS

EXACT_TYPES = [
    ("employee_id", "VARCHAR"),
    ("birth_date", "DATE"),
    ("hire_date", "DATE"),
    ("annual_compensation", "DECIMAL(15,2)"),
    ("job_level", "INTEGER"),
    ("termination_date", "DATE"),
    ("active", "BOOLEAN"),
    ("department", "VARCHAR"),
    ("deferral_rate", "DECIMAL(9,6)"),
    ("weekly_hours", "DECIMAL(5,2)"),
    ("union", "BOOLEAN"),
    ("prior_year_compensation", "DECIMAL(15,2)"),
    ("ownership_percent", "DECIMAL(9,6)"),
    ("officer", "BOOLEAN"),
    ("balance_match", "DECIMAL(15,2)"),
    ("balance_core", "DECIMAL(15,2)"),
    ("enrollment_status", "VARCHAR"),
    ("enrolled_on", "DATE"),
    ("rehire_date", "DATE"),
    ("roth_share", "DECIMAL(9,6)"),
    ("grade", "VARCHAR"),
    ("location", "VARCHAR"),
]


def test_configuration_knows_the_same_columns():
    assert CENSUS_COLUMNS == NAMES


def test_exact_types_and_order(write, read, connection):
    read(write({}))
    described = connection.execute("describe census").fetchall()
    assert [(name, sql_type) for name, sql_type, *_ in described] == EXACT_TYPES


def test_absent_optional_columns_are_null(write, read, connection):
    read(write({}))
    (row,) = connection.execute("select * from census").fetchall()
    assert row == (
        "E1",
        date(1985, 3, 31),
        date(2015, 6, 1),
        Decimal("52000.50"),
        2,
        *[None] * 17,
    )


def test_values_of_every_column(write, read, connection):
    read(
        write(
            {},
            {
                "termination_date": "2024-06-30",
                "active": "N",
                "department": "  Research & Development ",
                "deferral_rate": "0.0612345",
                "weekly_hours": "37.345",
                "union": "Yes",
                "prior_year_compensation": "51000",
                "ownership_percent": "0.05",
                "officer": "0",
                "balance_match": "1234.56",
                "balance_core": "0",
                "enrollment_status": "automatic",
                "enrolled_on": "2016-01-01",
                "rehire_date": "2018-05-01",
                "roth_share": "0.3333335",
                "grade": " G7 ",
                "location": "Austin",
            },
        )
    )
    rows = connection.execute("select * exclude employee_id from census").fetchall()
    assert rows[1][4:] == (
        date(2024, 6, 30),
        False,
        "Research & Development",
        Decimal("0.061235"),
        Decimal("37.35"),
        True,
        Decimal("51000.00"),
        Decimal("0.050000"),
        False,
        Decimal("1234.56"),
        Decimal("0.00"),
        "automatic",
        date(2016, 1, 1),
        date(2018, 5, 1),
        Decimal("0.333334"),
        "G7",
        "Austin",
    )


def test_headers_are_matched_without_case_and_blanks(write, read, connection):
    path = write({})
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("hire_date", "  Hire_DATE\t"), encoding="utf-8")
    assert read(path).ignored_columns == ()


def test_other_columns_are_named_and_not_stored(write, read, connection):
    summary = read(write({"SSN": "078-05-1120", " name": "Ann", "": "x"}))
    assert summary.ignored_columns == ("SSN", "name", "(unnamed column 8)")
    stored = connection.execute("select column_name from duckdb_columns() where not internal")
    assert {name for (name,) in stored.fetchall()} == set(NAMES)
    assert connection.execute("select table_name from duckdb_tables()").fetchall() == [("census",)]


def test_mapped_column(write, read, connection):
    path = write({"Base Pay": "61000"})
    summary = read(path, annual_compensation=" base pay ")
    assert connection.execute("select annual_compensation from census").fetchall() == [
        (Decimal("61000.00"),)
    ]
    assert summary.ignored_columns == ("annual_compensation",)


def test_two_columns_may_be_swapped_by_mapping(write, read, connection):
    path = write({"birth_date": "2015-06-01", "hire_date": "1985-03-31"})
    read(path, birth_date="hire_date", hire_date="birth_date")
    assert connection.execute("select birth_date from census").fetchall() == [(date(1985, 3, 31),)]


def test_a_mapped_column_is_not_also_taken_by_its_own_name(write, read, connection):
    read(write({"prior_year_compensation": "9"}), annual_compensation="prior_year_compensation")
    assert connection.execute(
        "select annual_compensation, prior_year_compensation from census"
    ).fetchall() == [(Decimal("9.00"), None)]


def test_problem_in_a_mapped_column_gives_both_names(write, problems):
    (problem,) = problems(write({"Pay Rate": "x"}), annual_compensation="pay rate")
    assert problem.column == "annual_compensation"
    assert 'column "Pay Rate" of the file' in problem.message


def test_mapping_to_a_missing_column_names_the_nearest(write, problems):
    (problem,) = problems(write({"Base Pay": "1"}), annual_compensation="Base Pya")
    assert (problem.row, problem.column, problem.value) == (None, "annual_compensation", "Base Pya")
    assert "Did you mean Base Pay?" in problem.remedy


def test_mapping_of_no_census_column(write, problems):
    (problem,) = problems(write({}), birthdate="birth_date")
    assert problem.column == "birthdate"
    assert "Did you mean birth_date?" in problem.remedy


def test_every_missing_column_is_named(tmp_path, problems):
    path = tmp_path / "census.csv"
    path.write_text("Employee ID,hired_date\n1,2\n", encoding="utf-8")
    found = problems(path)
    assert [(p.row, p.column) for p in found] == [(None, name) for name in NAMES[:5]]
    assert "Did you mean Employee ID?" in found[0].remedy
    assert "Did you mean hired_date?" in found[2].remedy


def test_duplicate_column_names(write, problems):
    path = write({"Hire_Date ": "2015-06-02"})
    (problem,) = problems(path)
    assert problem.column == "hire_date"
    assert problem.message.startswith("2 columns")


def test_duplicate_names_of_ignored_columns_do_no_harm(write, read):
    assert read(write({"note": "a", "NOTE": "b"})).ignored_columns == ("note", "NOTE")


def test_table_in_a_schema(write, connection):
    connection.execute("create schema inputs")
    read_census(
        connection,
        write({}),
        columns={},
        census_date=date(2024, 12, 31),
        table="inputs.census",
    )
    assert connection.execute("select count(*) from inputs.census").fetchall() == [(1,)]


@pytest.mark.parametrize("table", ["", "a b", "x; drop table y", 'q"', "a..b"])
def test_table_name_is_checked(write, connection, table):
    with pytest.raises(ValueError, match="not the name of a table"):
        read_census(connection, write({}), columns={}, census_date=date(2024, 12, 31), table=table)


def test_a_table_that_is_there_is_replaced_only_by_a_sound_census(write, read, connection):
    connection.execute("create table census as select 1 as old")
    with pytest.raises(Exception, match="job_level"):
        read(write({"job_level": "0"}))
    assert connection.execute("from census").fetchall() == [(1,)]
    read(write({}))
    assert connection.execute("select count(*) from census").fetchall() == [(1,)]


def test_counts(write, read):
    summary = read(
        write(
            {},
            {"termination_date": "2024-12-31"},
            {"active": "false"},
            {"active": "false", "termination_date": "2024-12-01"},
            {"active": "true"},
        )
    )
    assert (summary.rows, summary.active, summary.terminated) == (5, 2, 3)


def test_warnings_are_in_the_order_of_the_columns(write, read):
    rows = [{"active": "no"}, {"annual_compensation": "27.50"}, {"hire_date": "2022-12-30"}, {}]
    warnings = read(write(*rows)).warnings
    assert [warning.code for warning in warnings] == [
        "latest_hire",
        "low_pay",
        "undated_termination",
    ]
    assert "2022-12-30" in str(warnings[0])


def test_no_warning_at_two_years(write, read):
    assert read(write({"hire_date": "2022-12-31"})).warnings == ()
