from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DAY = datetime.date(1985, 3, 31)
HIRED = datetime.date(2024, 6, 1)


@pytest.fixture
def parquet(tmp_path):
    """Write a table of sound columns, some of them replaced."""

    def write_columns(**replaced: pa.Array):
        columns = {
            "employee_id": pa.array(["a", "b"]),
            "birth_date": pa.array([DAY, DAY]),
            "hire_date": pa.array([HIRED, HIRED]),
            "annual_compensation": pa.array([Decimal("1000.50"), Decimal("2000.00")]),
            "job_level": pa.array([1, 2]),
        } | replaced
        path = tmp_path / "census.parquet"
        pq.write_table(pa.table(columns), path)
        return path

    return write_columns


@pytest.fixture
def column(read, connection, parquet):
    def read_column(name: str, values: pa.Array) -> list[object]:
        read(parquet(**{name: values}))
        found = connection.execute(f'select "{name}" from census order by rowid').fetchall()
        return [value for (value,) in found]

    return read_column


def midnights(unit: str, zone: str | None = None) -> pa.Array:
    moments = [datetime.datetime.combine(DAY, datetime.time())] * 2
    return pa.array(moments, pa.timestamp(unit)).cast(pa.timestamp(unit, zone))


GOOD = [
    ("employee_id", pa.array([7, 12345678901], pa.int64()), ["7", "12345678901"]),
    ("employee_id", pa.array([7, 9], pa.uint8()), ["7", "9"]),
    ("employee_id", pa.array([900000001.0, 900000002.0]), ["900000001", "900000002"]),
    ("employee_id", pa.array([" a ", "b"], pa.large_string()), ["a", "b"]),
    ("employee_id", pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    ("employee_id", pa.array([b"a", b"b"], pa.binary()), ["a", "b"]),
    ("employee_id", pa.array([Decimal(7), Decimal(10)], pa.decimal128(18, 0)), ["7", "10"]),
    ("birth_date", pa.array(["1985-03-31"] * 2), [DAY] * 2),
    ("birth_date", pa.array([DAY] * 2, pa.date64()), [DAY] * 2),
    ("birth_date", midnights("ms"), [DAY] * 2),
    ("birth_date", midnights("us"), [DAY] * 2),
    ("birth_date", midnights("ns"), [DAY] * 2),
    ("birth_date", midnights("us", "UTC"), [DAY] * 2),
    ("annual_compensation", pa.array([1000, 2000]), [1000, 2000]),
    (
        "annual_compensation",
        pa.array([0.1 + 0.2, 99999999.99]),
        [Decimal("0.30"), Decimal("99999999.99")],
    ),
    ("annual_compensation", pa.array([1000.0000009, 2000.5]), [1000, Decimal("2000.50")]),
    ("annual_compensation", pa.array([1000.5, 2000], pa.float32()), [Decimal("1000.50"), 2000]),
    ("annual_compensation", pa.array([Decimal("1.5000"), Decimal("2.0000")]), [Decimal("1.50"), 2]),
    ("annual_compensation", pa.array(["1000.5", "2000"]), [Decimal("1000.50"), 2000]),
    ("job_level", pa.array([1.0, 5.0]), [1, 5]),
    ("job_level", pa.array([1, 5], pa.int8()), [1, 5]),
    ("job_level", pa.array(["1", "5"]), [1, 5]),
    ("active", pa.array([True, False]), [True, False]),
    ("active", pa.array([1, 0]), [True, False]),
    ("active", pa.array([1.0, None]), [True, None]),
    ("active", pa.array(["Y", "n"]), [True, False]),
    ("active", pa.nulls(2), [None, None]),
    ("deferral_rate", pa.array([0.06, 1e-05]), [Decimal("0.06"), Decimal("0.00001")]),
    (
        "deferral_rate",
        pa.array([0.06, 1 / 3], pa.float32()),
        [Decimal("0.06"), Decimal("0.333333")],
    ),
    (
        "deferral_rate",
        pa.array(np.array([0.5, 0.25], np.float16())),
        [Decimal("0.5"), Decimal("0.25")],
    ),
    ("weekly_hours", pa.array([40, 37]), [40, 37]),
    ("weekly_hours", pa.array([37.5, None]), [Decimal("37.50"), None]),
]


@pytest.mark.parametrize(("name", "values", "expected"), GOOD)
def test_sensible_types(column, name, values, expected):
    assert column(name, values) == expected


BAD = [
    ("annual_compensation", pa.array([1.0, 1000.123]), "more than two decimals", "1000.123"),
    ("annual_compensation", pa.array([1.0, float("nan")]), "not a finite", "nan"),
    ("annual_compensation", pa.array([1.0, float("inf")]), "not a finite", "inf"),
    ("annual_compensation", pa.array([1.0, 1e300]), "not told apart", "1e+300"),
    ("annual_compensation", pa.array([1.0, 1e20]), "not told apart", "1e+20"),
    ("annual_compensation", pa.array([1.0, None]), "empty", None),
    ("annual_compensation", pa.array([True, False]), "not a number", "false"),
    (
        "birth_date",
        pa.array([datetime.datetime(1985, 3, 31, h) for h in (0, 8)]),
        "time of day",
        "1985-03-31 08:00:00",
    ),
    ("birth_date", pa.array([0, 2**63 - 1], pa.timestamp("us", "UTC")), "not a date", "infinity"),
    ("birth_date", pa.array([19850331, 31137]), "not a date", "31137"),
    ("employee_id", pa.array(["a", "  "]), "empty", None),
    ("employee_id", pa.array(["a", "a"]), "same employee as in an earlier row (row 1)", "a"),
    ("job_level", pa.array([1, 2**63 - 1]), "far outside", str(2**63 - 1)),
    ("job_level", pa.array([1, 1.5]), "not a whole number", "1.5"),
    ("deferral_rate", pa.array([0.5, float("-inf")]), "not a finite", "-inf"),
    ("weekly_hours", pa.array([1e10, 200.0]), "outside 0 to 168", "200"),
    ("active", pa.array([1, 2]), "not true or false", "2"),
]


@pytest.mark.parametrize("case", BAD, ids=[f"{name}-{message}" for name, _, message, _ in BAD])
def test_bad_values_of_other_types(parquet, problems, case):
    name, values, message, value = case
    problem = problems(parquet(**{name: values}))[-1]
    assert message in problem.message
    assert (problem.row, problem.column, problem.value) == (2, name, value)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([datetime.time(1), datetime.time(2)]),
        pa.array([Decimal(1), Decimal(2)], pa.decimal256(50, 4)),
    ],
)
def test_types_that_hold_no_census_value(parquet, problems, values):
    (problem,) = problems(parquet(job_level=values))
    assert (problem.row, problem.column) == (None, "job_level")
    assert problem.message.startswith("a column of type")


def test_odd_types_are_ignored_in_ignored_columns(parquet, read):
    odd = {"list": pa.array([[1], [2]]), "bytes": pa.array([b"\xff", b"\xfe"])}
    assert read(parquet(**odd)).ignored_columns == ("list", "bytes")


def test_bytes_that_are_not_text(parquet, problems):
    (problem,) = problems(parquet(department=pa.array([b"\xff", b"a"])))
    assert "not a readable Parquet file" in problem.message


def test_duplicate_names_are_seen_through(tmp_path, problems):
    path = tmp_path / "census.parquet"
    names = ["employee_id", "birth_date", "hire_date", "annual_compensation", "job_level"]
    arrays = [pa.array(["a"]), pa.array([DAY]), pa.array([HIRED]), pa.array([1]), pa.array([1])]
    nested = pa.array([{"x": 1, "job_level": {"y": 2}}])
    pq.write_table(
        pa.table([nested, *arrays, pa.array([1])], names=["nested", *names, "JOB_LEVEL"]), path
    )
    (problem,) = problems(path)
    assert problem.column == "job_level"
    assert problem.message.startswith("2 columns")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_truncated_file(parquet, problems, kept):
    path = parquet()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    (problem,) = problems(path)
    assert "not a readable Parquet file" in problem.message


def test_csv_under_the_name_of_parquet(parquet, problems):
    path = parquet()
    path.write_text("employee_id\n1\n")
    (problem,) = problems(path)
    assert "not a readable Parquet file" in problem.message


def test_columns_with_quotes_in_their_names(parquet, read, connection):
    name = 'a"b; drop table x --'
    read(parquet(**{name: pa.array(["A", "B"])}), department=name)
    assert connection.execute("select department from census order by 1").fetchall() == [
        ("A",),
        ("B",),
    ]


def test_a_column_may_be_called_as_a_row_number(parquet, read):
    odd = {"file_row_number": pa.array([1, 2]), "file_row": pa.array([1, 2])}
    assert read(parquet(**odd)).rows == 2


def test_time_zone_of_the_session_does_not_matter(parquet, read, connection):
    connection.execute("set TimeZone = 'America/New_York'")
    read(parquet(birth_date=midnights("us", "UTC")))
    assert connection.execute("select distinct birth_date from census").fetchall() == [(DAY,)]
