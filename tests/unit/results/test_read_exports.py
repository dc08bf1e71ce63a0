"""Exported files read back: by the recipes of the page, and by programs' default settings."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from run_folder import build_run

from planalign.duck import literal
from planalign.errors import UsageError
from planalign.results import open_run
from planalign.results.export import export

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.results import Run

    Changed = Callable[..., Run]

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "read-results.md"
MART = "fct_workforce_snapshot"
# Every text of up to three of these, and what was seen to go wrong.
SIGNS = "=-@\t\r\n'\"; ,a\uff1d\u200b\0"
TEXTS = [
    *("".join(signs) for length in (1, 2, 3) for signs in product(SIGNS, repeat=length)),
    *("-17", "'-17", "''-17", "x;=1+1;y", 'x;"=1+1";y', 'x;""\t=1', "line\n=1", "a\r\n+1"),
    *("=cmd|' /C calc'!A0", '"=1', "\ufe66x", "\uff20x", "\ufeff=1", "\xa0+1", "Smith; -John"),
    *("007", "1e5", "NULL", "null", "true", "NaN", "1985-03-31", "O'Brien", "it''s", "'"),
]
UUID = "00000000-0000-4000-8000-000000000001"
FORMULA = re.compile('["\\s\0\u200b\ufeff]*[=+@\ufe66\uff1d\uff20-]|[\t\r]')


def recipe(language: str, beginning: str) -> str:
    """Return the one block of the page in a language that begins with a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    [found] = [one for one in blocks if one.startswith(beginning)]
    return str(found)


def executed(code: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - of our own page
    return found


@pytest.fixture(scope="module")
def texts_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the CSV of texts, under the name that it has on the page."""
    folder = tmp_path_factory.mktemp("texts")
    build_run(folder / "run", employees=1, replicates=1, change=f"drop table {MART}")
    with duckdb.connect(str(folder / "run" / "results.duckdb")) as connection:
        given = pa.table({"number": range(len(TEXTS)), "label": TEXTS})
        connection.register("given", given)
        connection.execute(
            f"create table {MART} as select number::integer as number, label, "
            "-5.00::decimal(9, 2) as amount, [label] as labels, "
            '\'{"reason": "x;=1+1", "change": -3}\'::json as payload, '
            'label as "=1+1;-2" from given'
        )
    with open_run(folder / "run") as run:
        export(run, "csv", folder / "first-csv")
    return folder


def test_no_cell_is_a_formula_whatever_separates_cells(texts_run: Path) -> None:
    text = (texts_run / "first-csv" / f"{MART}.csv").read_bytes().decode()
    for separator in ",;\t":
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        found = {cell for row in rows for cell in row if FORMULA.match(cell)}
        # Numbers stay numbers.
        assert found == ({"-5.00"} if separator == "," else set()), separator


def test_texts_are_told_apart_and_read_back(
    texts_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(texts_run)
    header, *rows = executed(recipe("python", "import csv"))["rows"]
    assert header == ["number", "label", "amount", "labels", "payload", "=1+1;-2"]
    assert [row[1] for row in rows] == [row[5] for row in rows] == TEXTS
    assert {row[2] for row in rows} == {"-5.00"}
    assert json.loads(rows[0][4]) == {"reason": "x;=1+1", "change": -3}
    written = list(csv.reader((texts_run / "first-csv" / f"{MART}.csv").open(newline="")))
    assert len({row[1] for row in written[1:]}) == len(set(TEXTS))
    as_written = dict(zip(TEXTS, (row[1] for row in written[1:]), strict=True))
    assert (as_written["-17"], as_written["'-17"]) == ("'-17", "''-17")
    assert as_written["x;=1+1;y"] == "x;'=1+1;y"
    # Nothing is changed that needs not be.
    assert all(as_written[text] == text for text in ("O'Brien", "it''s", "007", ",a;", "NULL"))


def test_the_recipe_for_pandas_reads_texts_back(
    texts_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(texts_run)
    code = recipe("python", "import pandas as pd\n\npath")
    assert executed(code)["frame"]["label"].to_list() == TEXTS


def test_the_recipe_for_sql_reads_texts_back(
    texts_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(texts_run)
    with duckdb.connect() as connection:
        rows = connection.sql(recipe("sql", "select regexp_replace")).fetchall()
    assert [row[1] for row in rows] == TEXTS


SCENARIOS = ["1", "2025-01-01", "null", "a=b/c", "größe 日本", "_x", "..", "growth", "*?[a]%"]


@pytest.mark.parametrize("scenarios", [["1"], ["2025-01-01"], SCENARIOS])
def test_parquet_reads_alike_by_default_settings(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenarios: list[str]
) -> None:
    run = changed(scenarios=scenarios, employees=3)
    export(run, "parquet", tmp_path / "first-parquet")
    monkeypatch.chdir(tmp_path)
    for mart in run.compared:
        place = Path("first-parquet") / mart
        folder = str(place if place.is_dir() else place.with_suffix(".parquet"))
        code = recipe("python", "import duckdb\nimport pandas").replace(
            f"first-parquet/{MART}", folder
        )
        if not place.is_dir():
            code = code.replace("/**/*.parquet", "")
        found = executed(code)
        columns = run.columns(mart)
        names = [column.name for column in columns]
        expected = sorted(map(as_text, run.relation(mart).fetchall()))
        tables = {
            "pandas": found["frame"].itertuples(index=False, name=None),
            "pyarrow": zip(*found["table"].to_pydict().values(), strict=True),
            "polars": found["lazy"].collect().iter_rows(),
            "duckdb": found["relation"].fetchall(),
        }
        assert list(found["frame"].columns) == found["table"].column_names == names
        assert found["lazy"].collect_schema().names() == found["relation"].columns == names
        for reader, rows in tables.items():
            assert sorted(map(as_text, rows)) == expected, (mart, reader)
        assert found["frame"]["scenario_id"].map(type).eq(str).all()
        assert found["table"].schema.field("scenario_id").type == pa.string()
        assert found["lazy"].collect_schema()["scenario_id"] == pl.String
        assert found["relation"].types[0] == "VARCHAR"


def as_text(row: tuple[Any, ...]) -> list[str]:
    return ["" if pd.isna(value) else str(value) for value in row]


def test_every_scenario_and_year_has_a_file_of_its_own(run: Run, tmp_path: Path) -> None:
    export(run, "parquet", tmp_path / "out")
    mart = tmp_path / "out" / MART
    assert {path.relative_to(mart).as_posix() for path in mart.rglob("*.parquet")} == {
        f"{scenario}/{year}/data.parquet"
        for scenario in ("baseline", "growth")
        for year in (2025, 2026)
    }
    one = pq.read_table(mart / "growth" / "2026")
    assert set(one["scenario_id"].to_pylist()) == {"growth"}
    assert set(one["simulation_year"].to_pylist()) == {2026}


def test_types_that_readers_take_differently_are_written_alike(
    changed: Changed, tmp_path: Path
) -> None:
    values = {
        "payload": ("'{\"a\": 1}'::json", '{"a": 1}'),
        "event_id": (
            "'00000000-0000-4000-8000-000000000001'::uuid",
            "00000000-0000-4000-8000-000000000001",
        ),
        "total": ("9007199254740993::hugeint", "9007199254740993"),
        "span": ("interval 1 day", "1 day"),
    }
    columns = ", ".join(f"{sql} as {name}" for name, (sql, _) in values.items())
    run = changed(
        f"create table fct_types as select {columns}, null::varchar as scenario_id, "
        "2025 as simulation_year, 'E1' as employee_id"
    )
    export(run, "parquet", tmp_path / "out")
    folder = tmp_path / "out" / "fct_types"
    expected = [text for _, text in values.values()]
    with duckdb.connect() as connection:
        read = connection.sql(f"from read_parquet({literal(folder)})").fetchall()
    for [row] in (
        pd.read_parquet(folder).to_numpy().tolist(),
        [list(one.values()) for one in pq.read_table(folder).to_pylist()],
        pl.read_parquet(folder).rows(),
        read,
    ):
        assert [str(value) for value in row[:4]] == expected


def test_a_mart_that_leads_out_of_the_export_is_refused(changed: Changed, tmp_path: Path) -> None:
    run = changed('create table "fct_/../../x" as select 1 as one')
    with pytest.raises(UsageError, match="no file can have"):
        export(run, "csv", tmp_path / "made" / "out")
    assert not (tmp_path / "made").exists()
