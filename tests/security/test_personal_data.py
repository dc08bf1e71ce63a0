"""No name and no social security number is kept, whatever a census holds beside."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.census.check import check_census

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GIVEN = {"staff.csv", "staff.parquet"}
NUMBER = "123-45-6789"
SECRETS = ("987-65-4321", "987654321", "Quixworth", "quixworth", "Nowherelane", "Quaxday")


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in GIVEN]


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a file holds: its bytes, and what they are compressed from."""
    yield "bytes", path.read_bytes().decode("latin-1")
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            for name in book.namelist():
                yield name, book.read(name).decode("latin-1")
    elif path.suffix == ".parquet":
        with duckdb.connect() as connection:
            yield "rows", str(connection.sql(f"from read_parquet('{path}')").fetchall())
            yield "columns", str(connection.sql(f"from parquet_schema('{path}')").fetchall())
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.sql("select schema_name, table_name from duckdb_tables()")
            for schema, table in tables.fetchall():
                relation = connection.table(f'{schema}."{table}"')
                yield table, f"{relation.columns} {relation.fetchall()}"


def test_no_personal_column_is_in_any_file(used):
    found = [
        (str(path.relative_to(used.folder)), part, secret)
        for path in files_of(used.folder)
        for part, text in texts(path)
        for secret in SECRETS
        if secret in text
    ]
    assert found == []


def test_what_is_kept_would_have_been_found(used):
    """The same search meets the ids of the employees, in every kind of file."""
    found = {
        path.suffix
        for path in files_of(used.folder)
        for _, text in texts(path)
        if "E0000001" in text
    }
    assert found >= {".duckdb", ".csv", ".parquet"}


@pytest.mark.parametrize(
    ("column", "taken"), [("birth_date", "ssn"), ("annual_compensation", "name")]
)
def test_a_personal_column_mapped_to_another_kind_is_refused_and_not_kept(
    used, home, column, taken
):
    (home.folder / "cache").symlink_to(used.folder / "cache")
    (home.project / "staff.csv").write_bytes((used.project / "staff.csv").read_bytes())
    (home.project / "planalign.yaml").write_text(
        f"census: staff.csv\ncensus_columns: {{{column}: {taken}}}\n"
    )
    done = home.planalign("simulate", "--output", "run")
    assert done.returncode == 2
    assert f"  {column}: " in done.stderr
    assert "line 2 (row 1)" in done.stderr
    assert [path.name for path in files_of(home.project)] == ["planalign.yaml"]


@pytest.fixture
def by_number(used, tmp_path: Path) -> Path:
    """A census whose employee ids are social security numbers."""
    path = tmp_path / "by_number.csv"
    with (used.project / "staff.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow({**row, "employee_id": f"{NUMBER[:-2]}{number:02}"})
    return path


def test_ids_that_look_like_social_security_numbers_are_warned_of_without_a_value(
    used, home, by_number
):
    (home.folder / "cache").symlink_to(used.folder / "cache")
    done = home.planalign("simulate", "2025", "--no-cache", "--census", by_number, "--output", "r")
    assert done.returncode == 0, done.stderr
    assert "looks like a social security number" in done.stderr
    events = (home.project / "r" / "events.jsonl").read_text()
    warnings = [
        event["message"]
        for event in map(json.loads, events.splitlines())
        if event["kind"] == "warning"
    ]
    assert any("looks like a social security number" in message for message in warnings)
    for text in (events, done.stdout, done.stderr):
        assert NUMBER[:-2] not in text


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("123-45-6789", True), ("123 45 6789", True), ("123456789", False), ("E123-45-6789", False)],
)
@pytest.mark.parametrize("column", ["employee_id", "department"])
def test_what_looks_like_a_social_security_number(tmp_path, column, number, is_one):
    path = tmp_path / "census.csv"
    row = {
        "employee_id": "E1",
        "birth_date": "1980-01-01",
        "hire_date": "2024-01-01",
        "annual_compensation": "50000",
        "job_level": "1",
        "department": "Sales",
        column: number,
    }
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    report = check_census(path, columns={}, census_date=date(2024, 12, 31))
    assert report.summary is not None
    found = [str(warning) for warning in report.warnings if "social security" in str(warning)]
    assert bool(found) == is_one
    assert not any(number in text for text in found)
