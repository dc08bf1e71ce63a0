"""The commands refuse a census that cannot be used: exit 2, every problem, nothing left behind."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sound_census import HEADER, SOUND
from typer.testing import CliRunner

from planalign.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Refused = Callable[..., list[str]]


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def parquet_of(**changes: list[object]) -> bytes:
    values = [value.split(",") for value in [SOUND, SOUND.replace("E1", "E2")]]
    columns = dict(zip(HEADER.split(","), map(list, zip(*values, strict=True)), strict=True))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns | changes), sink)
    return sink.getvalue().to_pybytes()


BIG = "x" * 10_000_000

# By name of the file, its content, and for each problem what its line says.
CENSUSES: dict[str, tuple[str, bytes, list[list[str]]]] = {
    "types": (
        "c.csv",
        csv_of("E1,31.03.1985,2015-06-01 09:30,$52000,two", "E1,1985-02-30,20150601,5.2e4,2.5"),
        [
            ["row 1 birth_date", "'31.03.1985'", "yyyy-mm-dd"],
            ["row 1 hire_date", "'2015-06-01 09:30'", "time of day"],
            ["row 1 annual_compensation", "'$52000'", "plain digits"],
            ["row 1 job_level", "'two'", "whole number from 1 to 5"],
            ["row 2 employee_id", "'E1'", "row 1", "one row per employee"],
            ["row 2 birth_date", "no such day", "'1985-02-30'"],
            ["row 2 hire_date", "'20150601'", "yyyy-mm-dd"],
            ["row 2 annual_compensation", "'5.2e4'", "plain digits"],
            ["row 2 job_level", "'2.5'", "whole number"],
        ],
    ),
    "latin-1": (
        "c.csv",
        csv_of(SOUND, header=HEADER).replace(b"E1", b"Ren\xe9"),
        [[":2 row 1", "not UTF-8", "Save the file as CSV in UTF-8"]],
    ),
    "utf-16": ("c.csv", csv_of(SOUND).decode().encode("utf-16"), [["UTF-16", "UTF-8"]]),
    "no byte": ("c.csv", b"", [["empty file", "with a header"]]),
    "no row": ("c.csv", csv_of(), [["no employees", "one row per employee"]]),
    "no row in Parquet": (
        "c.parquet",
        parquet_of(**{name: pa.array([], pa.string()) for name in HEADER.split(",")}),
        [["no employees", "one row per employee"]],
    ),
    "nobody active": (
        "c.csv",
        csv_of(f"{SOUND},2020-01-31", header=f"{HEADER},termination_date"),
        [["no active employee", "2024-12-31", "termination dates"]],
    ),
    "duplicate columns": (
        "c.csv",
        csv_of(f"{SOUND},7", header=f"{HEADER}, Employee_ID "),
        [["employee_id", "2"]],
    ),
    "missing columns": (
        "c.csv",
        csv_of("E1,1985-03-31", header="employee_id,born"),
        [["birth_date"], ["hire_date"], ["annual_compensation"], ["job_level"]],
    ),
    "records": (
        "c.csv",
        csv_of(f"{SOUND},9", SOUND, 'E2,"1985-03-31"x,2015-06-01,1,1'),
        [[":2 row 1", "6 values", "5 columns", "Quote"], [":4 row 3", "not a CSV record", "quote"]],
    ),
    "ten megabytes in CSV": (
        "c.csv",
        csv_of(SOUND, f"{BIG},1985-03-31,2015-06-01,52000,2"),
        [[":3 row 2", "more than 131,072 characters", "Shorten it"]],
    ),
    "ten megabytes in Parquet": (
        "c.parquet",
        parquet_of(employee_id=["E1", BIG], job_level=[BIG, "2"], department=[BIG, "Sales"]),
        [
            ["row 1 job_level", "'xxx", "whole number"],
            ["row 1 department", "longer than 256", "'xxx", "short name"],
            ["row 2 employee_id", "longer than 64", "'xxx", "unique text"],
        ],
    ),
    "truncated Parquet": ("c.parquet", parquet_of()[:-20], [["arquet", "rite"]]),
    "the first half of a Parquet file": (
        "c.parquet",
        parquet_of()[: len(parquet_of()) // 2],
        [["arquet", "rite"]],
    ),
    "truncated gzip": (
        "c.csv.gz",
        gzip.compress(csv_of(SOUND), mtime=0)[:-9],
        [["cut off", "Write the file again"]],
    ),
    "CSV as Parquet": ("c.parquet", csv_of(SOUND), [["arquet", "rite"]]),
    "dates from 1800 to 9999": (
        "c.csv",
        csv_of(
            "E1,1800-01-01,1899-12-31,1,1",
            "E2,1899-12-31,9999-12-31,1,1",
            "E3,9999-12-31,1985-01-01,1,1",
            "E4,10000-01-01,0000-01-01,1,1",
            "E5,-0044-03-15,infinity,1,1",
        ),
        [
            ["row 1 birth_date", "before 1900-01-01", "'1800-01-01'", "Correct"],
            ["row 2 birth_date", "before 1900-01-01", "'1899-12-31'", "Correct"],
            ["row 2 hire_date", "in the future", "'9999-12-31'", "census_date"],
            ["row 3 birth_date", "after the census date", "'9999-12-31'", "census_date"],
            ["row 4 birth_date", "'10000-01-01'", "yyyy-mm-dd"],
            ["row 4 hire_date", "'0000-01-01'", ""],
            ["row 5 birth_date", "'-0044-03-15'", "yyyy-mm-dd"],
            ["row 5 hire_date", "'infinity'", "yyyy-mm-dd"],
        ],
    ),
    "no number in CSV": (
        "c.csv",
        csv_of("E1,1985-03-31,2015-06-01,NaN,inf", f"{SOUND.replace('E1', 'E2')}"),
        [
            ["row 1 annual_compensation", "not a finite number", "'NaN'", "plain digits"],
            ["row 1 job_level", "not a finite number", "'inf'", "whole number"],
        ],
    ),
    "no number in Parquet": (
        "c.parquet",
        parquet_of(
            annual_compensation=[float("nan"), float("inf")],
            job_level=[float("-inf"), 2.0],
            deferral_rate=[0.05, float("nan")],
        ),
        [
            ["row 1 annual_compensation", "not a finite number", "'nan'", "plain digits"],
            ["row 1 job_level", "not a finite number", "'-inf'", "whole number"],
            ["row 2 annual_compensation", "not a finite number", "'inf'", "plain digits"],
            ["row 2 deferral_rate", "not a finite number", "'nan'", "fraction"],
        ],
    ),
    "another kind of file": ("c.xlsx", b"PK", [["neither CSV nor Parquet", ".parquet"]]),
}


@pytest.mark.parametrize("kind", CENSUSES)
def test_simulate_and_check_list_the_same_problems_and_leave_nothing(
    folder: Path, refused: Refused, kind: str
) -> None:
    name, content, expected = CENSUSES[kind]
    (folder / name).write_bytes(content)
    kinds = refused("simulate", "--census", name)
    assert kinds == refused("census", "check", folder / name, listed_on="stdout")
    listed = refused("census", "check", folder / name, "--all", listed_on="stdout")
    listed = [line for line in listed if not line.startswith("Warning: ")]
    assert len(listed) == len(expected), listed
    for line, words in zip(listed, expected, strict=True):
        assert line.startswith(str(folder / name))
        assert all(word in line for word in words), line


def test_problems_as_json_have_file_row_column_value_and_remedy(folder: Path) -> None:
    name, content, expected = CENSUSES["types"]
    (folder / name).write_bytes(content)
    result = CliRunner().invoke(app, ["census", "check", name, "--json"])
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert len(problems) == len(expected)
    for problem in problems:
        assert all(problem[key] for key in ("file", "row", "column", "value", "remedy"))


@pytest.mark.parametrize("path", ["absent.csv", "", "folder.csv"])
def test_what_is_no_file_is_refused(folder: Path, refused: Refused, path: str) -> None:
    (folder / "folder.csv").mkdir()
    assert refused("simulate", "--census", path)


def test_a_process_says_it_on_stderr_only(folder: Path) -> None:
    (folder / "c.csv").write_bytes(CENSUSES["types"][1])
    done = subprocess.run(
        [sys.executable, "-m", "planalign", "simulate", "--census", "c.csv", "--output", "out"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "c.csv has 9 problems of 9 kinds" in done.stderr
    assert done.stderr.count("in line ") == 9
    assert sorted(path.name for path in folder.iterdir()) == [
        "c.csv", "census.csv", "planalign.yaml"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "ends"), [("", "\n"), ("\ufeff", "\n"), ("\ufeff", "\r\n"), ("", "\r")]
)
def test_one_row_with_a_byte_order_mark_or_other_line_ends_is_simulated(
    folder: Path, mark: str, ends: str
) -> None:
    text = mark + csv_of(SOUND).decode().replace("\n", ends)
    (folder / "c.csv").write_bytes(text.encode())
    result = CliRunner().invoke(app, ["census", "check", "c.csv"])
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0, "c.csv: 1 employees, 1 active, 0 terminated; no problems"
    )  # fmt: skip
