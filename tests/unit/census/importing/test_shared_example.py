"""Three years of one company, as workbooks and as texts, become the truth beside them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from planalign.census.importing import import_once, open_sources

FOLDER = Path(__file__).parents[4] / "examples" / "client"
EXPECTED = json.loads((FOLDER / "expect.json").read_text(encoding="utf-8"))
YEARS = (2022, 2023, 2024)
# What is asked, by the name it has in the file of expectations, with the truth's answer.
ASKED = {
    "status_a_with_past_term": ("active_with_termination_date", "left"),
    "birth_date_missing": ("birth_date_missing", "leave_out"),
    "leave_pay": ("leave_pay", "year_before"),
    "rehired_hire_date": ("rehired_hire_date", "original"),
    "grade_levels": (
        "grade_levels",
        ", ".join(f"{g}:{level}" for g, level in EXPECTED["files"][0]["levels"]["map"].items()),
    ),
}
ATTRIBUTES = {
    "active": "is_active",
    "prior_year_compensation": "pay_of_year",
    "ownership_percent": "ownership",
}
COLUMNS = (
    "employee_id",
    "birth_date",
    "hire_date",
    "annual_compensation",
    "job_level",
    "termination_date",
    "active",
    "department",
    "deferral_rate",
    "weekly_hours",
    "union",
    "prior_year_compensation",
    "ownership_percent",
    "officer",
    "balance_match",
    "balance_core",
)


@pytest.fixture(scope="module", params=["csv", "xlsx"])
def found(request):
    sources = open_sources([FOLDER / f"Census_{year}.{request.param}" for year in YEARS], None)
    return sources, import_once(sources, dict(ASKED.values()))


@pytest.fixture(scope="module")
def truth() -> dict[tuple[int, int], dict[str, Any]]:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select census_year, source_row, {names} from read_parquet(?)",
            [str(FOLDER / "truth.parquet")],
        ).fetchall()
    return {(year, line): dict(zip(COLUMNS, row, strict=True)) for year, line, *row in rows}


def test_exactly_what_must_be_asked_is_asked(found):
    sources, answered = found
    asked = import_once(sources, {})
    assert {question.key for question in asked.questions} == {key for key, _ in ASKED.values()}
    assert {one["id"] for one in EXPECTED["must_ask"]} == set(ASKED)
    assert answered.questions == []


@pytest.mark.parametrize("number", range(3))
def test_rows_and_columns_are_what_they_are(found, number):
    file = found[1].files[number]
    expected = next(one for one in EXPECTED["files"] if one["file"] == file.name)
    about = file.as_dict()
    assert about["as_of"] == expected["census_date"]
    assert about["mapping"] == expected["mapping"]
    assert about["dropped"] == expected["dropped"]
    lines = {reason: [] for reason in expected["dropped_rows"]}
    for line, reason in sorted(file.dropped.items()):
        lines[reason].append(line)
    assert lines == expected["dropped_rows"]
    for name, value in expected["sums"].items():
        if name in about["totals"]:
            assert about["totals"][name] == pytest.approx(value, abs=0.006), name
    stated = {f"{one['column']} of all rows": one["stated"] for one in about["file_totals"]}
    for name, value in expected["file_totals"].items():
        if "of all rows" in name:
            assert stated[name] == value


def test_every_cell_is_the_truth(found, truth):
    seen = set()
    for file in found[1].files:
        for row in file.rows:
            expected = truth[file.as_of.year, row.line]
            seen.add((file.as_of.year, row.line))
            for name, value in expected.items():
                read = getattr(row, ATTRIBUTES.get(name, name))
                if name == "termination_date" and row.is_active:
                    continue
                if isinstance(value, float) and isinstance(read, Decimal):
                    read = float(read)
                wanted = value.date() if hasattr(value, "date") else value
                assert read == wanted, (file.name, row.line, name)
    assert seen == set(truth)
