"""Exported files: complete, harmless to a spreadsheet, and only there when finished."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import duckdb
import pytest

from planalign.errors import EnvironmentFaultError, UsageError
from planalign.results.compare import FIGURES
from planalign.results.export import EXCEL_ROWS, Format, export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planalign.results import Run

    Changed = Callable[..., Run]

DANGEROUS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\uff1d1"]
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows_of(query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.sql(query).fetchall()


def dangerous_levels() -> str:
    values = ", ".join(f"('{text}')" for text in DANGEROUS)
    return (
        "create table fct_text (label varchar, amount decimal(15, 2), payload json); "
        f"insert into fct_text select *, -5, '-5' from (values {values})"
    )


def test_csv_has_every_mart_in_key_order(run: Run, tmp_path: Path) -> None:
    export(run, "csv", tmp_path / "out")
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == run.marts
    file = tmp_path / "out" / "fct_workforce_snapshot.csv"
    rows = rows_of(
        "select scenario_id, replicate, simulation_year, employee_id, current_compensation "
        f"from '{file}'"
    )
    assert len(rows) == 160
    keys = [row[:4] for row in rows]
    assert keys == sorted(keys)


def test_csv_text_is_never_a_formula(changed: Changed, tmp_path: Path) -> None:
    export(changed(dangerous_levels()), "csv", tmp_path / "out")
    file = tmp_path / "out" / "fct_text.csv"
    rows = rows_of(f"from read_csv('{file}', all_varchar=true)")
    assert [label for label, *_ in rows] == [f"'{text}" for text in sorted(DANGEROUS)]
    # Numbers stay numbers; JSON is text.
    assert {(amount, payload) for _, amount, payload in rows} == {("-5.00", "'-5")}


def test_parquet_has_every_mart(run: Run, tmp_path: Path) -> None:
    export(run, "parquet", tmp_path / "out")
    snapshot = tmp_path / "out" / "fct_workforce_snapshot"
    assert rows_of(f"select count(*) from '{snapshot}/**/*.parquet'") == [(160,)]
    assert rows_of(f"select count(*) from '{tmp_path}/out/dim_scenarios.parquet'") == [(4,)]
    written = {path.name.removesuffix(".parquet") for path in (tmp_path / "out").iterdir()}
    assert written == set(run.marts)


def sheets(path: Path) -> dict[str, list[list[tuple[str, str]]]]:
    """Return the cells of a workbook: by sheet and row, the type and text of each."""
    found = {}
    with zipfile.ZipFile(path) as book:
        contents = ET.fromstring(book.read("xl/workbook.xml"))  # noqa: S314 - our own file
        for number, sheet in enumerate(contents.iter(f"{MAIN}sheet"), start=1):
            root = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
            assert not list(root.iter(f"{MAIN}f"))
            found[sheet.get("name", "")] = [
                [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row]
                for row in root.iter(f"{MAIN}row")
            ]
    return found


def test_a_workbook_has_inputs_summaries_and_provenance(run: Run, tmp_path: Path) -> None:
    export(run, "xlsx", tmp_path / "out.xlsx")
    found = sheets(tmp_path / "out.xlsx")
    assert list(found) == [
        "Inputs",
        "Comparison",
        "Financial summary",
        "Compensation trends",
        "Event summary",
        "Plan costs",
        "Plan costs by group",
        "Provenance",
    ]
    assert ("inlineStr", "workforce.target_growth_rate") in [row[0] for row in found["Inputs"]]
    assert ("inlineStr", "census.fingerprint") in [row[0] for row in found["Provenance"]]
    header, *compared = found["Comparison"]
    assert [text for _, text in header][:4] == [
        "scenario_id", "simulation_year", "figure", "mean"
    ]  # fmt: skip
    assert {row[0][1] for row in compared} == {"baseline", "growth"}
    assert len(compared) == 2 * 2 * len(FIGURES)
    header, first, *rest = found["Financial summary"]
    assert [text for _, text in header][:3] == ["scenario_id", "replicate", "simulation_year"]
    assert first[:3] == [("inlineStr", "baseline"), ("n", "0"), ("n", "2025")]
    assert ("n", "52000000.25") in first
    assert len(rest) == 7


def test_workbook_text_is_never_a_formula_and_big_numbers_keep_their_digits(
    changed: Changed, tmp_path: Path
) -> None:
    run = changed(
        "create or replace table fct_compensation_trends (label varchar, key ubigint, day date, "
        "flag boolean); "
        + "; ".join(
            f"insert into fct_compensation_trends values "
            f"('{text}', 18446744073709551615, '2025-01-01', true)"
            for text in DANGEROUS
        )
    )
    export(run, "xlsx", tmp_path / "out.xlsx")
    _, *rows = sheets(tmp_path / "out.xlsx")["Compensation trends"]
    assert {row[0][0] for row in rows} == {"inlineStr"}
    assert [row[0][1] for row in rows][2:] == sorted(DANGEROUS)[2:]
    assert rows[0][1:] == [("inlineStr", "18446744073709551615"), ("n", "45658"), ("b", "1")]


@pytest.mark.parametrize("fmt", ["csv", "parquet", "xlsx"])
def test_equal_results_give_equal_files(changed: Changed, tmp_path: Path, fmt: Format) -> None:
    # A mart whose grain nobody wrote down, and rows that are there twice.
    keyless = (
        "create table int_limits as select unnest(['b', 'a', 'b', 'b', null]) as name, "
        "unnest([2, 3, 1, 1, 0]) as amount; create or replace table fct_plan_costs_by_group as "
        "select 'baseline' as scenario_id, 0 as replicate, 2025 as simulation_year, "
        "range::varchar as group_name, 1 as headcount from range(50);"
    )
    shuffled = "".join(
        f"create temp table kept as from {mart}; delete from {mart}; "
        f"insert into {mart} from kept order by md5(kept::varchar || '{mart}'); drop table kept;"
        for mart in (*changed(keyless).marts,)
    )
    written = []
    for number, sql in enumerate((keyless, keyless + shuffled)):
        run = changed(sql)
        run.sql(f"set threads = {number + 1}")
        export(run, fmt, tmp_path / f"{number}.{fmt}")
        written.append(contents(tmp_path / f"{number}.{fmt}"))
    assert written[0].keys() == written[1].keys()
    assert [name for name, content in written[0].items() if content != written[1][name]] == []


def contents(path: Path) -> dict[str, bytes]:
    files = [one for one in (path, *path.rglob("*")) if one.is_file()]
    return {one.relative_to(path).as_posix(): one.read_bytes() for one in files}


def test_a_workbook_does_not_say_when_it_was_written(run: Run, tmp_path: Path) -> None:
    export(run, "xlsx", tmp_path / "out.xlsx")
    with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
        assert b">1980-01-01T00:00:00Z<" in book.read("docProps/core.xml")
        assert {one.date_time[0] for one in book.infolist()} == {1980}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (f"from range({EXCEL_ROWS}) select range as r", "would have a header and 1,048,576 rows"),
        ("select repeat('x', 32768) as label", "has 32,768 characters"),
    ],
)
def test_what_excel_cannot_hold_is_refused(
    changed: Changed, tmp_path: Path, sql: str, reason: str
) -> None:
    run = changed(f"create or replace table fct_compensation_trends as {sql}")
    with pytest.raises(UsageError, match=reason) as caught:
        export(run, "xlsx", tmp_path / "books" / "out.xlsx")
    assert "--format parquet" in caught.value.remedy
    assert not list((tmp_path / "books").iterdir())


@pytest.mark.parametrize("fmt", ["csv", "parquet", "xlsx"])
def test_an_existing_target_is_refused(run: Run, tmp_path: Path, fmt: str) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(UsageError, match="exists already"):
        export(run, fmt, target)
    assert not list(target.iterdir())


def test_a_failure_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(run), "ordered", lambda run, name: run.sql("select error('full')"))
    with pytest.raises(EnvironmentFaultError, match="Cannot write"):
        export(run, "csv", tmp_path / "made" / "out")
    assert not list((tmp_path / "made").iterdir())


def test_an_unknown_format_or_a_missing_library_is_a_usage_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="xlsx, csv, parquet"):
        export(run, "ods", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match=r"planalign\[excel\]"):
        export(run, "xlsx", tmp_path / "out.xlsx")
