from __future__ import annotations

import hashlib
from datetime import date

import duckdb
import pytest

from planalign.census.read import read_census
from planalign.census.reference import BAND_SHARES, BAND_STARTS, TENURE_SHARES, TENURE_STARTS
from planalign.census.synthesise import generate_census
from planalign.errors import EnvironmentFaultError, UsageError

CENSUS_DATE = date(2024, 12, 31)


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    """A census of 20,000 employees, read, with exact age and completed months of tenure."""
    path = tmp_path_factory.mktemp("synthesised") / "census.parquet"
    generate_census(20_000, 42, path)
    with duckdb.connect() as connection:
        read_census(connection, path, columns={}, census_date=CENSUS_DATE)
        connection.execute(
            """
            create view people as
            select
                *,
                date_sub('year', birth_date, date '2024-12-31') as age,
                date_sub('month', hire_date, date '2024-12-31') as months
            from census
            """
        )
        yield connection


def band_of(column: str, starts: tuple[int, ...]) -> str:
    cases = " ".join(f"when {column} >= {start} then {start}" for start in reversed(starts))
    return f"case {cases} end"


def test_ages(census):
    band = band_of("age", BAND_STARTS)
    found = dict(
        census.execute(f"select {band}, count(*) / 200.0 from people group by 1").fetchall()
    )
    assert set(found) == set(BAND_STARTS)
    for start, share in zip(BAND_STARTS, BAND_SHARES, strict=True):
        assert abs(float(found[start]) - share) < 1.5


def test_tenure_by_age_is_that_of_the_bureau_of_labor_statistics(census):
    # Nobody is hired before 16, so the 0.1 % aged 16 to 19 with five years and
    # more, and aged 20 to 24 with ten, are spread over the shorter tenures. The
    # youngest band holds about 600 people, hence its wider margin.
    age, months = band_of("age", BAND_STARTS), band_of("months", TENURE_STARTS)
    counts = {
        (a, m): n
        for a, m, n in census.execute(
            f"select {age}, {months}, count(*) from people group by all"
        ).fetchall()
    }
    for column, first_age in enumerate(BAND_STARTS):
        everybody = sum(n for (a, _), n in counts.items() if a == first_age)
        margin = 5.0 if first_age == 16 else 2.5
        for row, first_month in enumerate(TENURE_STARTS):
            share = 100 * counts.get((first_age, first_month), 0) / everybody
            assert abs(share - TENURE_SHARES[row][column]) < margin, (first_age, first_month)


def test_nobody_is_hired_before_sixteen_or_stays_longer_than_45_years(census):
    youngest, longest = census.execute(
        "select min(date_sub('year', birth_date, hire_date)), max(months) from people"
    ).fetchall()[0]
    assert youngest == 16
    assert longest < 45 * 12


def test_job_levels(census):
    found = dict(
        census.execute("select job_level, count(*) / 200.0 from people group by 1").fetchall()
    )
    for level, share in enumerate([40, 28, 18, 10, 4], start=1):
        assert abs(float(found[level]) - share) < 2
    by_age = census.execute(
        "select avg(job_level) filter (age < 25), avg(job_level) filter (age >= 45) from people"
    ).fetchall()[0]
    assert by_age[0] + 0.5 < by_age[1]
    by_tenure = census.execute(
        "select avg(job_level) filter (months < 24), avg(job_level) filter (months >= 120)"
        " from people where age between 45 and 54"
    ).fetchall()[0]
    assert by_tenure[0] < by_tenure[1]


def test_pay_is_within_the_band_of_the_level_and_skewed(census):
    bands = [(38, 62), (55, 90), (80, 130), (115, 190), (170, 320)]
    for level, (low, high) in enumerate(bands, start=1):
        least, most, mean, median = census.execute(
            "select min(annual_compensation), max(annual_compensation),"
            " avg(annual_compensation), median(annual_compensation)"
            " from people where job_level = ?",
            [level],
        ).fetchall()[0]
        assert low * 1000 <= least < most <= high * 1000
        assert float(median) < mean
    short, long = census.execute(
        "select avg(annual_compensation) filter (months < 12),"
        " avg(annual_compensation) filter (months >= 120) from people where job_level = 2"
    ).fetchall()[0]
    assert short < long


def test_terminated_hours_and_deferrals(census):
    ended, earliest, part_time, without, mean, most = census.execute(
        """
        select
            avg(cast(not active as integer)),
            min(termination_date),
            avg(cast(weekly_hours < 40 as integer)),
            avg(cast(deferral_rate = 0 as integer)),
            avg(deferral_rate) filter (deferral_rate > 0),
            max(deferral_rate)
        from people
        """
    ).fetchall()[0]
    assert 0.015 < ended < 0.025
    assert earliest >= date(2022, 12, 31)
    assert 0.05 < part_time < 0.2
    assert 0.38 < without < 0.43
    assert 0.072 < mean < 0.08
    assert float(most) == 0.15
    young, old = census.execute(
        "select avg(deferral_rate) filter (age < 30), avg(deferral_rate) filter (age >= 60)"
        " from people"
    ).fetchall()[0]
    assert young + 0.02 < old


def test_ids(census):
    assert census.execute("select min(employee_id), max(employee_id) from people").fetchall() == [
        ("E0000001", "E0020000")
    ]


def test_the_same_arguments_give_the_same_file(tmp_path):
    for name in ("a.csv", "b.csv"):
        generate_census(500, 7, tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    generate_census(500, 8, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() != (tmp_path / "b.csv").read_bytes()


def test_content_is_that_of_every_version_of_duckdb(tmp_path):
    generate_census(300, 1, tmp_path / "census.csv")
    digest = hashlib.md5((tmp_path / "census.csv").read_bytes(), usedforsecurity=False)
    assert digest.hexdigest() == "0b7a8b9711476df5c1045710a5ad4dec"


@pytest.mark.parametrize("census_date", [date(2024, 2, 29), date(2020, 12, 31), date(2026, 6, 30)])
def test_every_census_can_be_read(tmp_path, census_date):
    generate_census(3000, 5, tmp_path / "census.parquet", census_date=census_date)
    with duckdb.connect() as connection:
        summary = read_census(
            connection, tmp_path / "census.parquet", columns={}, census_date=census_date
        )
    assert summary.rows == 3000
    assert summary.ignored_columns == summary.warnings == ()


@pytest.mark.parametrize("seed", [0, -3, 10**30, 11, 12, 13])
def test_a_census_of_one_is_of_an_active_employee(tmp_path, seed):
    generate_census(1, seed, tmp_path / "census.csv")
    with duckdb.connect() as connection:
        summary = read_census(
            connection, tmp_path / "census.csv", columns={}, census_date=CENSUS_DATE
        )
    assert (summary.rows, summary.active) == (1, 1)


def test_csv_parquet_and_shuffled_rows_read_the_same(tmp_path):
    tables = []
    generate_census(2000, 3, tmp_path / "a.parquet")
    generate_census(2000, 3, tmp_path / "b.csv")
    header, *rows = (tmp_path / "b.csv").read_text().splitlines(keepends=True)
    shuffled = "".join([header, *sorted(rows, key=lambda row: row[::-1])])
    (tmp_path / "c.csv").write_text(shuffled)
    for name in ("a.parquet", "b.csv", "c.csv"):
        with duckdb.connect() as connection:
            read_census(connection, tmp_path / name, columns={}, census_date=CENSUS_DATE)
            tables.append(connection.execute("select * from census order by all").fetchall())
    assert tables[0] == tables[1] == tables[2]


def test_only_the_file_is_left(tmp_path):
    generate_census(5, 1, tmp_path / "census.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["census.parquet"]


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    output = tmp_path / "census.csv"
    output.write_text("precious")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(EnvironmentFaultError, match="disk full"):
        generate_census(5, 1, output)
    assert [path.name for path in tmp_path.iterdir()] == ["census.csv"]
    assert output.read_text() == "precious"


@pytest.mark.parametrize("name", ["census.xlsx", "census", "census.json", "none/census.csv"])
def test_usage(tmp_path, name):
    with pytest.raises(UsageError):
        generate_census(5, 1, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_at_least_one_employee(tmp_path):
    with pytest.raises(UsageError, match=r"0 employees\. Ask for 1 to"):
        generate_census(0, 1, tmp_path / "census.csv")


def test_output_that_is_a_folder(tmp_path):
    (tmp_path / "census.csv").mkdir()
    with pytest.raises(UsageError, match="folder"):
        generate_census(5, 1, tmp_path / "census.csv")
