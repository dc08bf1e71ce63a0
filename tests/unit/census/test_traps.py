"""What reads without an error and is more often a mistake: refused, or warned of, by kind."""

from __future__ import annotations

import gzip
import json
from datetime import date

import duckdb
import pytest

from planalign.census.check import check_census
from planalign.census.plan_facts import PlanFacts
from planalign.census.source import open_source
from planalign.config.models import CENSUS_COLUMNS

CENSUS_DATE = date(2024, 12, 31)
SAVES = {"deferral_rate": "0.05"}
NEVER_EXCLUDED = frozenset[str]()


def checked(path, plans=()):
    return check_census(path, columns={}, census_date=CENSUS_DATE, plans=plans)


def found(report):
    """Return the codes of warnings but for the latest hire, and the columns of problems."""
    codes = {warning.code for warning in report.warnings} - {"latest_hire"}
    return codes, {kind.column for kind in report.kinds}


@pytest.mark.parametrize("status", ["A,T,L", "A,I,T", "Y,T,P"])
def test_letters_among_status_codes_are_no_flags(write, status):
    report = checked(write(*({"active": code} for code in status.split(","))))
    assert found(report)[1] == {"active"}
    # Each row is told, also those whose letter alone would be read as a flag.
    assert {problem.row for problem in report.problems} == {1, 2, 3}


def test_flags_in_any_habit_stay_flags(write):
    for habit in ("true,false", "Y,N", "t,f", "1,0"):
        report = checked(write(*({"active": word} for word in habit.split(","))))
        assert report.ok, habit


def test_a_column_of_t_alone_is_warned_of(write):
    assert found(checked(write({"active": "T"}, {"active": "T"}))) == ({"only_t"}, set())


def test_who_saves_is_no_rate(write):
    report = checked(write(*({"deferral_rate": str(n % 2)} for n in range(20))))
    assert found(report) == (set(), {"deferral_rate"})
    [kind] = report.kinds
    assert (kind.count, len(kind.examples)) == (10, 3)


def test_a_rate_of_one_is_warned_of(write):
    report = checked(write({"deferral_rate": "1"}, SAVES, {"deferral_rate": "0"}))
    assert found(report) == ({"whole_pay_deferred"}, set())


@pytest.mark.parametrize(
    ("born", "codes", "columns"),
    [
        ("1900-01-01", set(), {"birth_date"}),
        ("1929-12-31", {"early_birth"}, set()),
        ("1930-01-01", set(), set()),
    ],
)
def test_births_that_stand_for_unknown_ones_or_another_century(write, born, codes, columns):
    assert found(checked(write({"birth_date": born}, {}, {}))) == (codes, columns)


@pytest.mark.parametrize(
    ("pay", "is_high"),
    [("1000000", False), ("1000000.01", True), ("40000", False), ("400001", True)],
)
def test_pay_beyond_a_million_or_twenty_times_the_median(write, pay, is_high):
    others = [{"annual_compensation": "20000" if len(pay) < 7 else "60000"}] * 5
    report = checked(write({"annual_compensation": pay}, *others))
    assert found(report) == ({"high_pay"} if is_high else set(), set())


def test_ids_that_lost_their_zeros_are_warned_of(write):
    ids = [str(100_000 + 7_919 * n) for n in range(100)]
    assert found(checked(write(*({"employee_id": one} for one in ids)))) == (set(), set())
    short = checked(write(*({"employee_id": one} for one in [*ids, "4711", "812"])))
    assert found(short) == ({"stripped_zeros"}, set())
    assert [warning.count for warning in short.warnings if warning.code == "stripped_zeros"] == [2]
    # Numbers from 1 on are of different lengths by themselves.
    counted = checked(write(*({"employee_id": str(n)} for n in range(1, 101))))
    assert found(counted) == (set(), set())


def facts(**changes):
    return PlanFacts(
        **{
            "scenario": "baseline",
            "first_year": 2025,
            "excluded_departments": NEVER_EXCLUDED,
            "excludes_union": False,
            "enrolls_since": None,
            **changes,
        }
    )


def test_what_a_plan_keeps_out_and_nobody_is_in_is_warned_of(write):
    path = write({"department": "Sales"}, {"department": "Legal"})
    plan = facts(excluded_departments=frozenset({"Sale", "Legal"}), excludes_union=True)
    report = checked(path, [plan])
    assert found(report) == ({"excluded_department", "excluded_union"}, set())
    [one] = [warning for warning in report.warnings if warning.code == "excluded_department"]
    assert "'Sale'" in str(one)
    assert "did you mean 'Sales'" in str(one)


def test_whom_automatic_enrollment_sweeps_in_is_counted(write):
    path = write({"deferral_rate": "0"}, SAVES, {"hire_date": "2024-07-01"}, {"active": "false"})
    everybody = facts(enrolls_since=date.min)
    of_new_hires = facts(scenario="late", enrolls_since=date(2024, 7, 1))
    report = checked(path, [everybody, of_new_hires])
    counts = [one.count for one in report.warnings if one.code == "automatic_enrollment"]
    assert counts == [2, 1]
    assert found(checked(path, [facts()]))[0] == {"undated_termination"}


def test_whom_the_census_says_more_of_is_not_swept_in_unknown(write):
    """Nor counted: who is enrolled, has opted out, or is known not to have been asked."""
    known = [{"enrollment_status": status} for status in ("opted_out", "not_enrolled", "voluntary")]
    path = write(
        *known,
        {"enrolled_on": "2020-01-01"},
        {"enrolled_on": "2020-01-01", "deferral_rate": "0"},
        {"rehire_date": "2024-07-01"},
        {},
    )
    everybody = facts(enrolls_since=date.min)
    of_new_hires = facts(scenario="late", enrolls_since=date(2024, 7, 1))
    report = checked(path, [everybody, of_new_hires])
    swept = [one for one in report.warnings if one.code == "automatic_enrollment"]
    assert [one.count for one in swept] == [3, 1]
    assert "enrollment_status" in swept[0].remedy


@pytest.mark.parametrize("status", ["automatic", "voluntary"])
def test_who_is_enrolled_and_saves_nothing_is_warned_of(write, status):
    stopped = {"enrollment_status": status, "deferral_rate": "0"}
    report = checked(write(stopped, {"enrollment_status": status}, stopped | {"active": "no"}))
    assert found(report) == ({"stopped_saving", "undated_termination"}, set())
    [one] = [warning for warning in report.warnings if warning.code == "stopped_saving"]
    assert one.count == 1


def test_a_day_of_enrolment_of_who_is_not_enrolled_is_warned_of(write):
    day = {"enrolled_on": "2020-01-01"}
    report = checked(write(*({"enrollment_status": s, **day} for s in ("opted_out", "automatic"))))
    assert found(report) == ({"enrolled_on_of_others"}, set())


@pytest.mark.parametrize("column", ["employee_id", "department"])
@pytest.mark.parametrize(("first", "is_sound"), [(2**53 - 8, True), (2**53, False)])
def test_doubles_are_refused_where_they_are_not_told_apart(tmp_path, column, first, is_sound):
    path = tmp_path / "census.parquet"
    values = {"employee_id": "'E' || n", "department": "'x'"} | {column: f"({first} + n)::double"}
    duckdb.execute(
        f"copy (select {', '.join(f'{text} as {name}' for name, text in values.items())}, "
        "date '1985-03-31' as birth_date, date '2024-06-01' as hire_date, "
        f"52000 as annual_compensation, 2 as job_level from range(0, 6, 2) rows(n)) to '{path}'"
    )
    report = checked(path)
    assert report.ok == is_sound
    assert {kind.column for kind in report.kinds} == (set() if is_sound else {column})


def test_a_title_above_the_header_is_one_message(tmp_path, write):
    table = write({}, {}).read_text(encoding="utf-8")
    path = tmp_path / "titled.csv"
    path.write_text(f"ACME Corporation\n\nCensus of 2024\n{table}", encoding="utf-8")
    [problem] = checked(path).problems
    assert problem.line == 4
    assert "the header seems to be in line 4" in problem.message


def test_blank_rows_are_one_kind_with_a_message_each(tmp_path, write):
    head, one, two = write({}, {}).read_text(encoding="utf-8").splitlines()
    path = tmp_path / "blank.csv"
    path.write_text("\n".join([head, one, ",,,,", two, "", ",,,,"]), encoding="utf-8")
    report = checked(path)
    [kind] = report.kinds
    assert "a blank row" in kind.message
    assert [(problem.line, problem.row) for problem in report.problems] == [(3, 2), (6, 4)]


def test_rows_are_told_by_their_line_where_cells_have_lines_of_their_own(write):
    path = write({"department": "A\nB\nC"}, {"birth_date": "1985-13-01"}, {"job_level": "9"})
    places = [(problem.line, problem.row) for problem in checked(path).problems]
    assert places == [(5, 2), (6, 3)]


def test_a_cell_without_an_end_is_refused_by_its_place(write):
    report = checked(write({}, {"department": "x" * 200_000}, {"job_level": "9"}))
    [problem] = [one for one in report.problems if "characters" in one.message]
    assert (problem.line, problem.row) == (3, 2)
    assert len(str(problem)) < 500


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_last_line_without_measure_is_not_left_to_duckdb(write, tmp_path, ending, end):
    """It would leave out one of some hundred megabytes, and say nothing."""
    content = write({}).read_text() + "x" * 4_000_000 + end
    path = tmp_path / f"vast{ending}"
    path.write_bytes(gzip.compress(content.encode()) if ending == ".csv.gz" else content.encode())
    with duckdb.connect() as connection:
        assert open_source(connection, path, set(CENSUS_COLUMNS)).scan is None
    [problem] = checked(path).problems
    assert "characters" in problem.message


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le"])
def test_text_of_two_bytes_a_letter_is_one_message(write, tmp_path, encoding):
    path = tmp_path / "wide.csv"
    path.write_text(write({}).read_text(), encoding=encoding)
    [problem] = checked(path).problems
    assert problem.message == "UTF-16 text"


def test_many_problems_are_few_lines(write):
    changes = {"birth_date": "31.03.1985", "annual_compensation": "52.000,50"}
    report = checked(write(*[changes] * 3_000))
    assert report.total == 6_000
    assert [(kind.column, kind.count) for kind in report.kinds] == [
        ("birth_date", 3_000),
        ("annual_compensation", 3_000),
    ]
    assert len(report.problems) == 6_000
    assert json.loads(json.dumps(report.as_dict(), default=str))["problem_count"] == 6_000


def test_the_profile_is_of_who_is_active(write):
    report = checked(
        write(
            {"department": "Sales", **SAVES},
            {"department": "Sales", "deferral_rate": "0", "job_level": "5"},
            {"department": "Legal", "termination_date": "2024-06-30"},
        )
    )
    profile = report.as_dict()["profile"]
    assert (profile["savers"], profile["non_savers"], profile["mean_deferral_rate"]) == (1, 1, 0.05)
    assert [row["employees"] for row in profile["departments"]] == [2]
    assert [row["job_level"] for row in profile["pay_by_level"]] == [2, 5]
