"""Changed reference tables are checked whole: exit 2, with table, row, column, value, remedy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from planalign.cli.app import app
from planalign.engine.compiler import compile_project
from planalign.engine.project import Project
from planalign.engine.reference_tables import MOST_PROBLEMS, check_reference_tables
from planalign.errors import InputError, Problem
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planalign.engine.pipeline import Pipeline

    Refused = Callable[..., list[str]]


pytestmark = pytest.mark.usefixtures("dbt_is_warm")


def packaged(table: str) -> bytes:
    return (PACKAGED / "seeds" / f"{table}.csv").read_bytes()


def changed(table: str, old: str, new: str) -> bytes:
    before = packaged(table)
    assert old.encode() in before
    return before.replace(old.encode(), new.encode(), 1)


@pytest.fixture
def problems(
    tmp_path: Path, compiled: Pipeline
) -> Callable[..., list[tuple[str, int | None, str | None, str | None]]]:
    """Return what the check finds in changed tables: table, row, column and value of each."""

    def found(**tables: bytes) -> list[tuple[str, int | None, str | None, str | None]]:
        folder = tmp_path / "models"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(PACKAGED, folder)
        for name, content in tables.items():
            (folder / "seeds" / f"{name}.csv").write_bytes(content)
        try:
            check_reference_tables(Project.at(folder), compiled)
        except InputError as error:
            return [place(problem, folder) for problem in error.problems]
        return []

    def place(problem: Problem, folder: Path) -> tuple[str, int | None, str | None, str | None]:
        assert problem.message
        assert problem.remedy
        assert problem.file
        table = problem.file.removeprefix(f"{folder}/seeds/").removesuffix(".csv")
        return (table, problem.row, problem.column, problem.value)

    return found


Problems = "Callable[..., list[tuple[str, int | None, str | None, str | None]]]"

HAZARDS, AGES = "termination_hazards", "age_bands"
# A change of one table, and what is found in it: row, column and value.
CHANGES = {
    "gap": (AGES, "35-44,35", "35-44,37", [(3, "minimum_age", "37")]),
    "overlap": (AGES, "35-44,35", "35-44,30", [(3, "minimum_age", "30")]),
    "end": (AGES, "65,130", "65,99", [(6, "maximum_age", "99")]),
    "reversed band": (
        "tenure_bands", "2-4,2,4", "2-4,4,2",
        [(3, "minimum_tenure", "4"), (4, "minimum_tenure", "5")],
    ),
    "rate above 1": (HAZARDS, "0.608000", "1.01", [(1, "hazard", "1.01")]),
    "negative rate": (HAZARDS, "0.608000", "-0.1", [(1, "hazard", "-0.1")]),
    "no rate": (HAZARDS, "0.608000", "", [(1, "hazard", None)]),
    "blank rate": (HAZARDS, "0.608000", " ", [(1, "hazard", " ")]),
    "word": (HAZARDS, "0.608000", "high", [(1, "hazard", "high")]),
    "not a number": (HAZARDS, "0.608000", "NaN", [(1, "hazard", "NaN")]),
    "infinity": (HAZARDS, "0.608000", "inf", [(1, "hazard", "inf")]),
    "percentage": (HAZARDS, "0.608000", "60.8%", [(1, "hazard", "60.8%")]),
    "exponent": (HAZARDS, "0.608000", "6e-1", [(1, "hazard", "6e-1")]),
    "decimals": (HAZARDS, "0.608000", "0.6080000001", [(1, "hazard", "0.6080000001")]),
    "digits": (HAZARDS, "0.608000", "9" * 200, [(1, "hazard", "9" * 100 + "...")]),
    "key twice": (
        HAZARDS, "<25,1,", "<25,<1,",
        [(None, "age_band, tenure_band", "<25, 1"), (2, "age_band, tenure_band", "<25, <1")],
    ),
    "missing row": (HAZARDS, "<25,1,0.349000\n", "", [(None, "age_band, tenure_band", "<25, 1")]),
    "quotes and SQL": (
        HAZARDS, "<25,1,", "\"'; drop table x; --\",1,",
        [(None, "age_band, tenure_band", "<25, 1"), (2, "age_band", "'; drop table x; --")],
    ),
    "missing level": ("market_bands", "3,80000.00,130000.00\n", "", [(None, "job_level", "3")]),
    "no such level": (
        "market_bands", "\n5,", "\n6,", [(None, "job_level", "5"), (5, "job_level", "6")]
    ),
    "level of the same name": ("job_levels", "Level 4", "Level 3", [(4, "name", "Level 3")]),
    "level without a name": ("job_levels", "Level 4", "", [(4, "name", None)]),
    "share of nobody": ("job_levels", "0.300000", "-0.3", [(2, "hire_share", "-0.3")]),
    "pay out of order": ("market_bands", "38000.00", "98000.00", [(1, "band_minimum", "98000.00")]),
    "missing age": ("retirement_hazards", "\n50,0.000000", "", [(51, "age", "51")]),
    "missing year": ("plan_limits", "compensation,2024,345000\n", "", [(26, "plan_year", "2025")]),
    "unknown index": ("plan_limit_rules", "t,wage", "t,pay", [(8, "index_name", "pay")]),
    "unknown rounding": ("plan_limit_rules", "nearest", "up", [(8, "rounding", "up")]),
    "multiple of nothing": ("plan_limit_rules", "300,nearest", "0,nearest", [(8, "multiple", "0")]),
    "cents of a limit": ("plan_limits", ",19500", ",19500.50", [(1, "amount", "19500.50")]),
    "shares": ("deferral_choices", "0.14", "0.15", [(None, "share", "1.010000")]),
    "missing band": (
        "savings_ages", "35-44,0.64,1.0,0.076\n", "", [(None, "age_band", "35-44")]
    ),
    "pay bands": ("savings_pay_bands", "3,0.40", "3,0.10", [(3, "minimum_share", "0.10")]),
    "first pay band": ("savings_pay_bands", "1,0.00", "1,0.01", [(1, "minimum_share", "0.01")]),
    "column order": (
        "market_bands", "band_minimum,band_maximum", "band_maximum,band_minimum",
        [(None, None, "job_level,band_maximum,band_minimum")],
    ),
    "column twice": (
        "market_bands", "band_maximum", "band_minimum",
        [(None, None, "job_level,band_minimum,band_minimum")],
    ),
    "values": ("market_bands", "62000.00", "62000.00,1", [(None, None, "1,38000.00,62000.00,1")]),
    "open quote": ("market_bands", "4,115", '"4,115', [(None, None, None)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_a_fault_is_found_at_its_row_and_column(problems: Problems, kind: str) -> None:
    table, old, new, expected = CHANGES[kind]
    found = problems(**{table: changed(table, old, new)})
    assert found == [(table, *fault) for fault in expected]


def test_the_levels_of_a_table_are_those_of_the_job_levels(problems: Problems) -> None:
    assert problems(job_levels=changed("job_levels", "\n5,", "\n6,")) == [
        ("job_levels", 5, "job_level", "6"),
        ("market_bands", None, "job_level", "6"),
        ("market_bands", 5, "job_level", "5"),
    ]
    more = b"".join(b"%d,Level %d,1,0.1,0.1\n" % (level, level) for level in range(6, 32))
    bands = b"".join(b"%d,170000,320000\n" % level for level in range(6, 32))
    assert problems(
        job_levels=(PACKAGED / "seeds" / "job_levels.csv").read_bytes() + more,
        market_bands=(PACKAGED / "seeds" / "market_bands.csv").read_bytes() + bands,
    ) == [("job_levels", 31, "job_level", "31")]


@pytest.mark.parametrize("table", [path.stem for path in (PACKAGED / "seeds").glob("*.csv")])
def test_any_table_that_is_empty_or_no_text_is_refused(problems: Problems, table: str) -> None:
    header = packaged(table).split(b"\n")[0]
    for content in (b"", header + b"\n", packaged(table) + b"\xe9"):
        assert [name for name, *_ in problems(**{table: content})] == [table]


@pytest.mark.parametrize("table", [path.stem for path in (PACKAGED / "seeds").glob("*.csv")])
def test_every_missing_cell_and_row_of_any_table_is_noticed(problems: Problems, table: str) -> None:
    lines = packaged(table).decode().splitlines()
    middle = len(lines) // 2
    cells = lines[middle].split(",")
    for place in range(len(cells)):
        row = ",".join([*cells[:place], "", *cells[place + 1 :]])
        content = "\n".join([*lines[:middle], row, *lines[middle + 1 :]]).encode()
        assert (table, middle) in [found[:2] for found in problems(**{table: content})]
    if table != "plan_limits":  # the first and the last year that is published may be any
        content = "\n".join(lines[:middle] + lines[middle + 1 :]).encode()
        assert problems(**{table: content})


def test_a_byte_order_mark_and_other_line_ends_change_nothing(problems: Problems) -> None:
    for content in (
        b"\xef\xbb\xbf" + packaged(AGES),
        packaged(AGES).replace(b"\n", b"\r\n"),
        packaged(AGES) + b"\n\n",
        b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in packaged(AGES).split()),
    ):
        assert problems(**{AGES: content}) == []


def test_long_lists_are_cut_and_counted(problems: Problems) -> None:
    rows = b"".join(b"%d,-1\n" % age for age in range(MOST_PROBLEMS + 500))
    assert len(problems(retirement_hazards=b"age,hazard\n" + rows)) == MOST_PROBLEMS + 1


def test_simulate_compiles_a_changed_project_and_lists_every_problem_of_its_tables(
    folder: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(folder.parent / f"{folder.name}-cache"))
    shutil.copytree(PACKAGED, folder / "models")
    seeds = folder / "models" / "seeds"
    (seeds / "market_bands.csv").write_bytes(b"")
    (seeds / "age_bands.csv").write_bytes(changed(AGES, "35-44,35", "35-44,37"))
    (seeds / "termination_hazards.csv").write_bytes(changed(HAZARDS, "0.608000", "6%"))
    (folder / "planalign.yaml").write_text("census: census.csv\ndbt_project: models\n")
    assert refused("simulate") == [
        f"{seeds}/age_bands.csv:4 row 3 minimum_age: a gap: the bands before end at 34 "
        "(is '37'). Begin this band at 35, or correct another",
        f"{seeds}/market_bands.csv:1: no header. Begin the file with the line "
        "job_level,band_minimum,band_maximum",
        f"{seeds}/termination_hazards.csv:2 row 1 hazard: not a number (is '6%'). "
        "Write plain digits, and a rate as a fraction: 0.06 for 6 %",
    ]


def test_a_changed_table_in_order_is_simulated_with(
    folder: Path, changed_project: Callable[..., Path]
) -> None:
    job_levels = changed("job_levels", "1.150000", "1.5")
    models = changed_project(job_levels=b"\xef\xbb\xbf" + job_levels.replace(b"\n", b"\r\n"))
    (folder / "planalign.yaml").write_text(f"census: census.csv\ndbt_project: {models.name}\n")
    result = CliRunner().invoke(app, ["simulate", "2025", "--no-cache", "--output", "out"])
    assert result.exit_code == 0, result.output


def test_a_table_without_declared_columns_and_a_rule_of_ones_own_are_refused_in_words(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(PACKAGED, folder)
    (folder / "seeds" / "own.csv").write_text("a,b\n1,\n")
    (folder / "seeds" / "other.csv").write_text("a,b\n1,1\n1,2\n")
    (folder / "seeds" / "own.yml").write_text(
        "version: 2\n"
        "seeds:\n"
        "  - name: other\n"
        "    config: {column_types: {a: INTEGER, b: INTEGER}}\n"
        "    columns: [{name: a, data_tests: [unique]}]\n"
    )
    with pytest.raises(InputError) as caught:
        compile_project(Project.at(folder))
    rule, own = caught.value.problems
    assert (rule.file, rule.value) == (f"{folder}/seeds/other.csv", "unique_field 1, n_records 2")
    assert "unique_other_a" in rule.message
    assert "seeds/own.yml" in rule.remedy
    assert own.file == f"{folder}/seeds/own.csv"
    assert "column_types" in own.remedy
