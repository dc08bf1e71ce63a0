"""Text of a user is a value or a quoted name, never a part of SQL."""

from __future__ import annotations

import csv
import glob
from typing import TYPE_CHECKING

import duckdb
import pytest
from typer.testing import CliRunner, Result

from planalign import duck
from planalign.census.check import check_census
from planalign.census.columns import DEFAULT_CENSUS_DATE
from planalign.census.synthesise import generate_census
from planalign.cli.app import app
from planalign.config import load
from planalign.errors import InputError
from planalign.results import open_run
from planalign.results.columns import quote
from planalign.study import Request, configuration, run_study

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = (
    "'; drop table fct_workforce_snapshot; --",
    '"; drop schema inputs cascade; --',
    "' or '1'='1",
    "$1 ?",
    "{0} {scenario} %s",
    "\\'); attach 'x' as y; --",
    "from_csv('/etc/passwd')",
)


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sql") / 'it\'s [a] "study"; --*'
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def census(folder: Path) -> tuple[Path, dict[str, str]]:
    """A Parquet census of hostile names, ids and departments, and its mapping."""
    plain, path = folder / "plain.parquet", folder / "it's; drop table x.parquet"
    generate_census(30, 1, plain)
    with duckdb.connect() as connection:
        rows = connection.read_parquet(glob.escape(str(plain)))
        names = {
            name: f"{text} {name}" for name, text in zip(rows.columns, HOSTILE * 2, strict=False)
        }
        columns = ", ".join(f"{name} as {quote(other)}" for name, other in names.items())
        beside = ", ".join(f"1 as {quote(text)}" for text in HOSTILE)
        connection.execute("create table hostile as select unnest($1) as text", [list(HOSTILE)])
        connection.execute(
            "create table census as select rows.* replace (coalesce(text, employee_id) as "
            "employee_id, coalesce(text, department) as department) "
            f"from (select *, row_number() over () as n from ({rows.sql_query()})) as rows "
            "left join (select text, row_number() over () as n from hostile) using (n)"
        )
        connection.sql(f"select {columns}, {beside} from census").write_parquet(str(path))
    return path, names


@pytest.fixture(scope="module")
def run_path(folder: Path, census: tuple[Path, dict[str, str]]) -> Path:
    config = configuration(
        {
            "census": str(census[0]),
            "census_columns": census[1],
            "simulation": {"end_year": 2025},
            "plan": {"eligibility": {"excluded_departments": [HOSTILE[0]]}},
        }
    )
    return run_study(Request(config, output=folder / "runs" / "it's; --")).path


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_names_of_columns_may_be_anything(census, folder, ending):
    path, names = census
    if ending == "csv":
        with duckdb.connect() as connection:
            rows = connection.read_parquet(glob.escape(str(path)))
            path = path.with_suffix(".csv")
            with path.open("w", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(rows.columns)
                writer.writerows(rows.fetchall())
    report = check_census(path, columns=names, census_date=DEFAULT_CENSUS_DATE)
    assert report.problems == ()
    assert report.summary is not None
    assert report.summary.rows == 30
    assert set(HOSTILE) <= set(report.summary.ignored_columns)


def test_ids_and_departments_are_kept_word_for_word(run_path):
    with open_run(run_path) as run:
        found = run.sql("select employee_id, department from inputs.census").fetchall()
    assert {(text, text) for text in HOSTILE} <= set(found)
    assert len(found) == 30


@pytest.mark.parametrize("text", HOSTILE)
def test_an_employee_is_found_by_any_id(run_path, text):
    found = planalign("employee", run_path, text, "--json")
    assert found.exit_code == 0, found.stderr


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "command", [["employee", "{run}", "x{text}"], ["fingerprint", "{run}", "--scenario", "{text}"],
                ["verify", "{run}", "{run}", "--scenario", "{text}"],
                ["compare", "{run}", "--baseline", "{text}"],
                ["employee", "{run}", "E0000020", "--scenario", "{text}"]],
)  # fmt: skip
def test_what_is_not_there_is_said_to_be_not_there(run_path, command, text):
    before = (run_path / "results.duckdb").read_bytes()
    done = planalign(*(part.format(run=run_path, text=text) for part in command))
    assert done.exit_code == 2, done.stderr
    assert "Error: " in done.stderr
    assert (run_path / "results.duckdb").read_bytes() == before


@pytest.mark.parametrize("fmt", ["csv", "parquet", "xlsx"])
def test_a_run_is_exported_from_and_to_any_path(run_path, tmp_path, fmt):
    output = tmp_path / "it's; --" / f"book.{fmt}"
    done = planalign("export", run_path, "--format", fmt, "--output", output)
    assert done.exit_code == 0, done.stderr
    assert output.exists()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "section", ["scenarios: {{{}: {{}}}}", "designs: {{{}: {{}}}}", "census_columns: {{{}: x}}"]
)
def test_names_of_a_configuration_are_checked(tmp_path, section, text):
    path = tmp_path / "planalign.yaml"
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    path.write_text(section.format(quoted))
    with pytest.raises(InputError):
        load(path)


@pytest.mark.parametrize("text", [*HOSTILE, "", "''", "\n"])
def test_a_literal_is_read_back_as_it_was(text):
    with duck.connect() as connection:
        assert connection.sql(f"select {duck.literal(text)}").fetchall() == [(text,)]
