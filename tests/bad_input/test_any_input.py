"""Any census, configuration or reference table is used as it is, or refused in full."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sound_census import HEADER, SOUND

from planalign.census.columns import COLUMNS, Kind
from planalign.census.read import read_census
from planalign.config import load
from planalign.config.designs import ConfigFile
from planalign.config.merge import section_of
from planalign.engine.project import Project
from planalign.engine.reference_tables import check_reference_tables
from planalign.errors import InputError, Problem
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import BaseModel

    from planalign.engine.pipeline import Pipeline

CENSUS_DATE = date(2024, 12, 31)
NAMES = HEADER.split(",")
VALUES = dict(zip(NAMES, SOUND.split(","), strict=True))


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for all inputs: opening one takes longer than most of them."""
    with duckdb.connect() as connection:
        yield connection


def problems_of(shared: duckdb.DuckDBPyConnection, path: Path) -> list[Problem]:
    """Read a census; a refusal has problems in words, and leaves no table."""
    shared.execute("drop table if exists census")
    try:
        read_census(shared, path, columns={}, census_date=CENSUS_DATE)
    except InputError as error:
        refusal = error
    else:
        return []
    assert refusal.problems
    assert shared.execute("select table_name from duckdb_tables()").fetchall() == []
    for problem in refusal.problems:
        assert problem.file == str(path)
        assert problem.message
        assert problem.remedy
    return list(refusal.problems)


# -- census: dates and numbers ------------------------------------------------------------

DATES = ("birth_date", "hire_date", "termination_date")


@given(
    column=st.sampled_from(DATES),
    day=st.dates(date(1800, 1, 1), date(9999, 12, 31)),
    suffix=st.sampled_from([".csv", ".parquet"]),
)
def test_a_date_is_taken_exactly_where_it_is_possible(tmp_path, shared, column, day, suffix):
    path = tmp_path / f"census{suffix}"
    row = {**VALUES, "termination_date": "", column: day.isoformat()}
    others = {**row, "employee_id": "E2", **{n: VALUES.get(n, "") for n in DATES}}
    if suffix == ".csv":
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            writer.writeheader()
            writer.writerows([row, others])
    else:
        columns = {name: [row[name] or None, others[name] or None] for name in row}
        columns[column] = pa.array([day, None if not others[column] else date(2015, 6, 1)])
        if column == "birth_date":
            columns[column] = pa.array([day, date(1985, 3, 31)])
        pq.write_table(pa.table(columns), path)
    born, hired = date(1985, 3, 31), date(2015, 6, 1)
    possible = {
        "birth_date": date(1900, 1, 1) <= day <= date(2001, 6, 1),
        "hire_date": date(1999, 3, 31) <= day <= CENSUS_DATE,
        "termination_date": hired <= day <= CENSUS_DATE,
    }
    assert born < hired
    found = problems_of(shared, path)
    assert (not found) is possible[column]
    assert {(problem.row, problem.column) for problem in found} <= {
        (1, column), (1, "hire_date")
    }  # fmt: skip
    if column != "birth_date":
        assert all(problem.value == day.isoformat() for problem in found)


NUMBERS = tuple(c.name for c in COLUMNS if c.kind in {Kind.MONEY, Kind.NUMBER, Kind.WHOLE})


@given(
    column=st.sampled_from(NUMBERS),
    value=st.floats(width=64) | st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    kind=st.sampled_from([pa.float64(), pa.float32(), pa.string()]),
)
def test_a_number_is_kept_to_the_decimals_of_its_column_or_refused(
    tmp_path, shared, column, value, kind
):
    columns = {name: [text] for name, text in VALUES.items()}
    try:
        columns[column] = pa.array([repr(value) if kind == pa.string() else value], kind)
    except (pa.ArrowException, OverflowError):
        assume(False)
    path = tmp_path / "census.parquet"
    pq.write_table(pa.table(columns), path)
    found = problems_of(shared, path)
    if not found:
        [(kept,)] = shared.execute(f'select "{column}" from census').fetchall()
        stored = columns[column][0].as_py()
        # What is not kept is rounded: hours have two decimals, rates and shares six.
        most = 0.005 if column == "weekly_hours" else 1e-6
        assert abs(float(kept) - float(stored)) <= max(most, abs(float(stored)) * 1e-12)
    for problem in found:
        assert (problem.row, problem.column) == (1, column)
        assert problem.value is not None


# -- census: encodings, cut files, texts --------------------------------------------------


@given(
    department=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-32"]),
)
def test_text_of_another_encoding_is_refused_or_means_the_same(
    tmp_path, shared, department, encoding
):
    cell = department.replace('"', '""')
    text = f'{HEADER},department\n{SOUND},"{cell}"\n'
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        assume(False)
    path = tmp_path / "census.csv"
    path.write_bytes(content)
    found = problems_of(shared, path)
    if encoding in {"utf-16", "utf-32"}:
        assert found
    elif encoding in {"utf-8", "utf-8-sig"} or department.isascii():
        assert not found
    for problem in found:
        assert "UTF-8" in problem.message + problem.remedy


@given(
    suffix=st.sampled_from([".csv.gz", ".parquet"]),
    share=st.floats(0, 1, exclude_max=True),
)
def test_a_cut_file_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"whole{suffix}"
    cells = ", ".join(f"'{text}' as {name}" for name, text in VALUES.items())
    with duckdb.connect() as connection:
        options = "format parquet" if suffix == ".parquet" else "header, compression gzip"
        connection.execute(f"copy (select {cells}) to '{path}' ({options})")
        content = path.read_bytes()
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(content[: int(share * len(content))])
        [problem] = problems_of(connection, cut)
    assert problem.value is None


NASTY = st.one_of(
    st.sampled_from(["'", '"', "'; drop table census; --", "=1+1", "$path", "?", "*", "{}", "é"]),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1),
)


@given(names=st.lists(NASTY, min_size=5, max_size=5, unique_by=lambda n: n.strip().casefold()),
       employee=NASTY, file=NASTY)  # fmt: skip
def test_names_of_columns_files_and_employees_are_never_sql(
    tmp_path, shared, names, employee, file
):
    assume(all(name.strip().strip("\ufeff\u00a0").strip() == name for name in [*names, employee]))
    assume(not {name.casefold() for name in names} & {column.name for column in COLUMNS})
    assume("/" not in file and len(file.encode()) < 200)
    assume(len(employee) <= 64)
    path = tmp_path / f"{file}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([names, [employee, *SOUND.split(",")[1:]]])
    columns = dict(zip(NAMES, names, strict=True))
    read_census(shared, path, columns=columns, census_date=CENSUS_DATE)
    assert shared.execute("select employee_id from census").fetchall() == [(employee,)]


# -- configuration ------------------------------------------------------------------------


def keys(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in model.model_fields:
        yield (*above, name)
        if below := section_of(model, name):
            yield from keys(below, (*above, name))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(2019, 2031) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(path=st.sampled_from(list(keys(ConfigFile))), value=ODD, above=st.integers(0, 5))
def test_any_value_of_any_key_is_taken_or_refused_at_its_line(tmp_path, path, value, above):
    data = value
    for name in reversed(path):
        data = {name: data}
    file = tmp_path / "planalign.yaml"
    text = "# a comment\n" * above + yaml.safe_dump(data, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    try:
        load(file)
    except InputError as error:
        refusal = error
    else:
        return
    assert refusal.problems
    for problem in refusal.problems:
        assert problem.file == str(file)
        assert problem.message
        assert problem.remedy
        assert problem.line is not None
        assert problem.line > above


# -- reference tables ---------------------------------------------------------------------

SEEDS = {path.stem: path.read_bytes() for path in sorted((PACKAGED / "seeds").glob("*.csv"))}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("models") / "models"
    shutil.copytree(PACKAGED, folder)
    return Project.at(folder)


def faults(project: Project, compiled: Pipeline, table: str, content: bytes) -> list[Problem]:
    """Check the packaged tables with one of them changed."""
    path = project.folder / "seeds" / f"{table}.csv"
    path.write_bytes(content)
    try:
        check_reference_tables(project, compiled)
    except InputError as error:
        found = list(error.problems)
    else:
        return []
    finally:
        path.write_bytes(SEEDS[table])
    assert found
    for problem in found:
        assert problem.file
        assert problem.message
        assert problem.remedy
    return found


def slow() -> settings:
    """Return settings for inputs that take a fifth of a second each."""
    return settings(max_examples=settings().max_examples // 5)


@slow()
@given(table=st.sampled_from(list(SEEDS)), data=st.data())
def test_any_damage_to_a_reference_table_is_refused_in_words(project, compiled, table, data):
    content = SEEDS[table]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    damage = data.draw(
        st.binary(max_size=6)
        | st.sampled_from([b",", b'"', b"\n", b"\r", b"\0", b"-", b"NaN", b"\xff", b"'; --"])
    )
    faults(project, compiled, table, content[:start] + damage + content[end:])


@slow()
@given(table=st.sampled_from(list(SEEDS)), cell=st.text(max_size=12), data=st.data())
def test_any_cell_of_a_reference_table_is_taken_or_refused_in_words(
    project, compiled, table, cell, data
):
    header, *rows = csv.reader(io.StringIO(SEEDS[table].decode()))
    row = data.draw(st.integers(0, len(rows) - 1))
    place = data.draw(st.integers(0, len(header) - 1))
    assume(cell.encode("utf-8", "replace").decode() == cell)
    rows[row][place] = cell
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([header, *rows])
    faults(project, compiled, table, buffer.getvalue().encode())


@slow()
@given(table=st.sampled_from(list(SEEDS)), data=st.data())
def test_a_number_that_no_rate_or_amount_can_be_is_found_at_its_cell(
    project, compiled, table, data
):
    header, *rows = csv.reader(io.StringIO(SEEDS[table].decode()))
    places = [place for place, text in enumerate(rows[0]) if is_number(text)]
    row, place = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.sampled_from(places))
    assume(is_number(rows[row][place]))
    wrong = data.draw(
        st.sampled_from(["-1", "-0.5", "nan", "inf", "", "1e3", "9" * 40, "x", "1,5"])
    )
    rows[row][place] = wrong
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([header, *rows])
    found = faults(project, compiled, table, buffer.getvalue().encode())
    columns = {column for p in found if p.row == row + 1 for column in (p.column or "").split(", ")}
    assert header[place] in columns


def is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
