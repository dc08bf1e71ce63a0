"""Files that would harm, or are damaged, are refused in words; what a workbook shows is read."""

from __future__ import annotations

import gzip
import json
import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

import duckdb
import pytest
import xlsxwriter
from typer.testing import CliRunner

from planalign.census.importing import import_once, open_sources
from planalign.cli.app import app
from planalign.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

OLDER = Path(__file__).parent / "older_formats"
HEADER = ("Employee ID", "Birth Date", "Hire Date", "Annual Salary")
PEOPLE = [(f"E{n:03d}", "1980-03-15", "2015-06-20", 52_000 + n) for n in range(1, 9)]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8"?>'


def cell(place: str, value: object) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def row(number: int, values: Iterable[object]) -> str:
    cells = (cell(f"{'ABCDEFGH'[n]}{number}", value) for n, value in enumerate(values))
    return f'<row r="{number}">{"".join(cells)}</row>'


ROWS = [row(n, values) for n, values in enumerate([HEADER, *PEOPLE], start=1)]


def workbook(path: Path, rows: Iterable[str], dimension: str = "A1:D9") -> Path:
    """Write a workbook whose sheet is made of the given XML."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/><Override '
        f'PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Census" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><dimension ref="{dimension}"/>'
        f"<sheetData>{''.join(rows)}</sheetData></worksheet>",
    }
    with ZipFile(path, "w", ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(name, _XML + text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as refusal:
        open_sources([path], None)
    return str(refusal.value)


def test_a_workbook_that_unpacks_to_a_thousand_times_its_size(tmp_path):
    bomb = row(20, ["A" * 40_000_000])
    path = workbook(tmp_path / "bomb.xlsx", [*ROWS, bomb])
    assert path.stat().st_size < 100_000
    assert "unpacks from" in refused(path)


def test_ten_million_empty_rows(tmp_path):
    path = workbook(tmp_path / "rows.xlsx", [*ROWS, "<row></row>" * 10_000_000])
    assert "unpacks from" in refused(path)


def test_a_dimension_without_cells_is_no_row(tmp_path):
    path = workbook(tmp_path / "census_2024-12-31.xlsx", ROWS, "A1:XFD1048576")
    (file,) = import_once(open_sources([path], None), {}).files
    assert file.work.table.rows_in == 9


def test_a_cell_in_the_last_row_and_column(tmp_path):
    path = workbook(tmp_path / "far.xlsx", [*ROWS, '<row><c r="XFD1048576"><v>1</v></c></row>'])
    assert "of memory to read" in refused(path)


def test_a_cell_beyond_every_sheet(tmp_path):
    path = workbook(tmp_path / "far.xlsx", [*ROWS, '<row><c r="ZZZZ99999999"><v>1</v></c></row>'])
    assert "of memory to read" in refused(path)


def test_an_encrypted_workbook():
    assert "encrypted with a password" in refused(OLDER / "encrypted.xlsx")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.98])
def test_a_workbook_cut_off(tmp_path, part):
    content = workbook(tmp_path / "whole.xlsx", ROWS).read_bytes()
    path = tmp_path / "part.xlsx"
    path.write_bytes(content[: int(len(content) * part)])
    assert "no workbook" in refused(path)


def test_a_workbook_with_damaged_bytes(tmp_path):
    content = bytearray(workbook(tmp_path / "whole.xlsx", ROWS).read_bytes())
    begins = content.index(b"xl/worksheets/sheet1.xml") + 60
    draw = random.Random(1)  # noqa: S311 - damage
    content[begins : begins + 200] = draw.randbytes(200)
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(content)
    assert "damaged" in refused(path)


def test_a_text_packed_a_thousand_times(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"," * 60_000_000))
    assert "packed into" in refused(path)


def test_an_archive_and_a_web_page_are_no_workbooks(tmp_path):
    archive = tmp_path / "census.zip"
    with ZipFile(archive, "w") as made:
        made.writestr("census.csv", "Employee ID,Birth Date\n")
    assert "an archive" in refused(archive)
    page = tmp_path / "census.xls"
    page.write_text("<html><table><tr><td>Employee ID</td></tr></table></html>")
    assert "a web page" in refused(page)


def test_a_workbook_and_a_text_are_known_whatever_they_are_called(tmp_path):
    book = workbook(tmp_path / "census_2024-12-31.xls", ROWS)
    text = tmp_path / "census_2023-12-31.xls"
    lines = ["\t".join(map(str, values)) for values in [HEADER, *PEOPLE]]
    text.write_text("\n".join(lines))
    found = import_once(open_sources([book, text], None), {})
    assert [len(file.rows) for file in found.files] == [8, 8]


def test_formulas_and_links_to_other_files_are_the_values_that_were_saved(tmp_path):
    path = tmp_path / "census_2024-12-31.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Census")
        sheet.write_row(0, 0, HEADER)
        for number, (name, birth, hired, pay) in enumerate(PEOPLE, start=1):
            sheet.write_row(number, 0, [name, birth, hired])
            sheet.write_formula(number, 3, "='[http://127.0.0.1:9/rates.xlsx]Pay'!A1*2", None, pay)
    (file,) = import_once(open_sources([path], None), {}).files
    assert [row.annual_compensation for row in file.rows] == [Decimal(p) for *_, p in PEOPLE]


def test_errors_of_formulas_are_asked_about(tmp_path):
    lines = [",".join(map(str, values)) for values in [HEADER, *PEOPLE]]
    lines[1] = lines[1].replace("52001", "#DIV/0!")
    path = tmp_path / "census_2024-12-31.csv"
    path.write_text("\n".join(lines))
    found = import_once(open_sources([path], None), {})
    assert "pay_missing" in {question.key for question in found.questions}


def test_a_refusal_is_one_of_input_for_the_command_and_prints_no_trace(tmp_path):
    path = workbook(tmp_path / "far.xlsx", [*ROWS, '<row><c r="XFD1048576"><v>1</v></c></row>'])
    output = tmp_path / "census.parquet"
    done = CliRunner().invoke(app, ["census", "import", str(path), "--output", str(output)])
    assert done.exit_code == 2
    assert "Delete rows and columns" in done.output
    assert "backtrace" not in done.output
    assert not output.exists()


def test_a_workbook_of_the_older_format_is_its_census():
    truth = json.loads((OLDER / "assignments_2024-12-31.json").read_text())
    sources = open_sources([OLDER / "assignments_2024-12-31.xls"], None)
    found = import_once(sources, {"rehired_hire_date": "original"})
    assert found.questions == []
    (file,) = found.files
    rows = {str(row.line): row for row in file.rows}
    assert set(rows) == set(truth["truth"])
    for line, expected in truth["truth"].items():
        for name, value in expected.items():
            read = getattr(rows[line], name)
            if isinstance(read, Decimal):
                read, value = float(read), float(value)  # noqa: PLW2901 - as numbers
            assert (str(read) if isinstance(read, date) else read) == value, (line, name)
    assert file.counts()["duplicate_of_rehired_person"] == len(
        truth["dropped"]["duplicate_of_rehired_person"]
    )


def test_an_enrolment_that_contradicts_is_asked_about_and_none_of_it_is_refused(tmp_path):
    path = tmp_path / "census.csv"
    path.write_text(
        "Emp ID,DOB,Hire Date,Rehire Date,Status,Annual Salary,Job Level,401k %,"
        "Enrollment Type,Enrollment Date\n"
        "10001,1980-02-01,2010-03-01,2019-05-13,Active,80000,2,5%,Auto,2011-01-01\n"
        "10002,1981-02-13,2011-03-21,,Active,70000,2,0%,Opted Out,\n"
        "10003,1982-02-14,2012-03-22,,Active,60000,1,3%,Not Enrolled,\n"
        "10004,1983-02-15,2013-03-23,,Active,50000,1,4%,Voluntary,2025-07-01\n"
    )
    output = tmp_path / "census.parquet"
    given = {
        "rehired_hire_date": "latest",
        "enrolled_before_hire": "hire_date",
        "enrolled_or_saving": "rate",
    }

    def done(answers):
        listed = [part for key in answers for part in ("--answer", f"{key}={answers[key]}")]
        call = ["census", "import", str(path), "--as-of", "2024-12-31", "--output", str(output)]
        return CliRunner().invoke(app, [*call, *listed, "--json"])

    asked = json.loads(done({"rehired_hire_date": "latest"}).stdout)
    assert {one["key"] for one in asked["questions"]} == set(given) - {"rehired_hire_date"}
    assert done(given).exit_code == 0
    rows = duckdb.sql(
        "select hire_date::varchar, enrollment_status, enrolled_on::varchar, deferral_rate::double "
        f"from '{output}' order by employee_id"
    ).fetchall()
    assert rows == [
        ("2019-05-13", "automatic", "2019-05-13", 0.05),
        ("2011-03-21", "opted_out", None, 0),
        ("2012-03-22", "voluntary", None, 0.03),
        ("2013-03-23", "voluntary", None, 0.04),
    ]
