"""Quotes, SQL, formulas and markup in every text come back unchanged, or are refused."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import duckdb
import pytest
from sound_census import HEADER
from typer.testing import CliRunner

from planalign.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Refused = Callable[..., list[str]]

IDS = [
    "'; drop table fct_workforce_snapshot; --", "\"quoted\" 'single'", "it''s", "a,b;c|d",
    "=cmd|' /C calc'!A0", "+1", "-1+1", "@sum", "\uff1d1", "[bold]markup[/bold]", "{{ config() }}",
    "%s {0} $1 ?", "\\n", "../../etc", "a/b*?", "NULL", "null", "true", "1e5", "007", "--json", "-",
    "é", "e\u0301", "\U0001d518\U0001d52b", "عربى", "x" * 64, ".", "\u200b", "1985-03-31",
]  # fmt: skip
DEPARTMENTS = [*IDS, "line\nend", "tab\tin", "return\rin", "\x1b[31mred\x1b[0m", "d" * 256]
PEOPLE = {
    (IDS[number] if number < len(IDS) else f"E{number}"): department
    for number, department in enumerate(DEPARTMENTS)
}
ID_COLUMN, DEPARTMENT_COLUMN = "id \"of\" 'us'; drop table x", "=dept, {{ x }}"
FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of people with odd ids, in folders and from files with odd names."""
    folder = tmp_path_factory.mktemp('o\'dd "folder"; --')
    census = folder / 'it\'s "a" census; 100%{x}*?.csv'
    with census.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        names = HEADER.replace("employee_id,", "").split(",")
        writer.writerow([ID_COLUMN, *names, DEPARTMENT_COLUMN])
        for person, department in PEOPLE.items():
            writer.writerow([person, "1985-03-31", "2024-06-01", "52000.50", "2", department])
    (folder / "planalign.yaml").write_text(
        json.dumps(
            {
                "census": census.name,
                "census_columns": {"employee_id": ID_COLUMN, "department": DEPARTMENT_COLUMN},
                "workforce": {"total_termination_rate": 0, "new_hire_termination_rate": 0},
                "scenarios": {"a-b_c": {}, "2025": {}, "null": {}},
            }
        )
    )
    run = folder / "out of 'x' \"y\"; drop\nline"
    command = ["simulate", "2025", "--config", folder / "planalign.yaml", "--no-cache"]
    planalign(*command, "--output", run)
    return run


def planalign(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_run_holds_every_id_and_department_unchanged(study: Path) -> None:
    with duckdb.connect(str(study / "results.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select employee_id, department from fct_workforce_snapshot "
            "where scenario_id = 'null' and employee_id not like 'H2025-%'"
        ).fetchall()
    assert dict(rows) == PEOPLE
    shown = json.loads(planalign("show", study, "--json"))["rows"]
    assert {row["scenario_id"] for row in shown} == {"a-b_c", "2025", "null"}


@pytest.mark.parametrize("person", IDS)
def test_every_employee_is_found_by_id_and_shown(study: Path, person: str) -> None:
    options = ("--scenario", "2025")
    found = json.loads(planalign("employee", study, *options, "--json", "--", person))
    assert found["employee_id"] == person
    assert [row["department"] for row in found["snapshots"]] == [PEOPLE[person]]
    # A terminal would show nothing of a character without width.
    shown = person.replace("\u200b", r"\u200b")
    assert f"Employee {shown}, scenario 2025" in planalign(
        "employee", study, *options, "--", person
    )


def test_parquet_has_them_unchanged(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "ex 'p'; \"q\""
    planalign("export", study, "--format", "parquet", "--output", target)
    files = str(target / "fct_workforce_snapshot").replace("'", "''")
    with duckdb.connect() as connection:
        rows = connection.sql(
            f"select employee_id, department from read_parquet('{files}/**/*.parquet') "
            "where employee_id not like 'H2025-%'"
        ).fetchall()
    assert dict(rows) == PEOPLE
    assert len(rows) == 3 * len(PEOPLE)


def test_csv_has_them_without_a_formula_and_they_are_read_back(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "ex 'c'; \"q\"\nline"
    planalign("export", study, "--format", "csv", "--output", target)
    with (target / "fct_workforce_snapshot.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {original(row["employee_id"]): original(row["department"]) for row in rows}
    assert {key: value for key, value in found.items() if not key.startswith("H2025-")} == PEOPLE
    texts = [row[name] for row in rows for name in ("employee_id", "department", "scenario_id")]
    assert not [text for text in texts if text[:1] in [*FORMULA]]


def original(cell: str) -> str:
    return re.sub(r"(^|[;\t\r\n])'", r"\1", cell)


def test_a_workbook_has_names_and_paths_as_text(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "ex 'x'; \"q\".xlsx"
    planalign("export", study, "--format", "xlsx", "--output", target)
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    texts = set()
    with zipfile.ZipFile(target) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                root = ET.fromstring(book.read(name))  # noqa: S314 - our own file
                assert not list(root.iter(f"{main}f"))
                texts |= {"".join(cell.itertext()) for cell in root.iter(f"{main}c")}
    assert {ID_COLUMN, DEPARTMENT_COLUMN, "a-b_c", "null"} <= texts


@pytest.mark.parametrize(
    "person", ["line\nend", "tab\tin", "\x1b[31m", "nul\0", "x" * 65, "H2025-000001"]
)
def test_ids_that_no_command_could_name_are_refused(
    folder: Path, refused: Refused, person: str
) -> None:
    with (folder / "c.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [HEADER.split(","), [person, "1985-03-31", "2024-06-01", "52000", "2"]]
        )
    [line] = refused("simulate", "--census", "c.csv")
    assert line.startswith("employee_id: ")
    assert "(row 1)" in line
    assert "Use a short unique text" in line or "other ids" in line


@pytest.mark.parametrize(
    "text", ["'; drop table x; --", "no/such/run", "a\nb", "", ".", "/", "\udcff"]
)
def test_runs_and_employees_that_are_not_there_are_refused(refused: Refused, text: str) -> None:
    for command in (["show"], ["employee"], ["compare"], ["fingerprint"]):
        refused(*command, text, *(["x"] if command == ["employee"] else []))
    refused("verify", text, text)
    refused("export", text, "--format", "csv", "--output", "out")
