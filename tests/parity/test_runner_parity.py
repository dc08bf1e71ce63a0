"""`batch` and `direct` leave the same bits, small and large, stopped or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.results import open_run
from planalign.results.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

YEARS = "2025-2027"
SIZES = (1_000, 60_000)


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, parity, stop_after
) -> dict[tuple[int, str], Path]:
    """Run each size with each runner; the small one of `batch` is stopped and resumed."""
    folder = tmp_path_factory.mktemp("runners")
    found = {}
    for employees in SIZES:
        project = parity.project(folder / str(employees), employees, scenarios=("baseline", "plan"))
        for runner in ("direct", "batch"):
            options = [YEARS, "--runner", runner]
            if (employees, runner) == (SIZES[0], "batch"):
                assert stop_after(project, runner, 2026, *options, "--no-cache") == 130
                options.append("--resume")
            found[employees, runner] = parity.simulate(project, runner, *options)
    return found


@pytest.mark.parametrize("employees", SIZES)
def test_batch_and_direct_leave_the_same_bits(runs, employees):
    with open_run(runs[employees, "direct"]) as a, open_run(runs[employees, "batch"]) as b:
        comparison = verify(a, b)
        assert comparison.identical, comparison.as_dict()
        assert len(a.summary()) == 2 * 3


def test_every_table_has_the_same_schema_and_says_the_same_of_itself(runs):
    def schema(path: Path) -> list[tuple[object, ...]]:
        with duckdb.connect(str(path / "results.duckdb"), read_only=True) as connection:
            return connection.execute(
                "select schema_name, table_name, column_index, column_name, data_type, "
                "is_nullable, column_default, comment from duckdb_columns() "
                "where not internal order by all"
            ).fetchall()

    def told(path: Path) -> list[tuple[object, ...]]:
        with duckdb.connect(str(path / "results.duckdb"), read_only=True) as connection:
            return [
                row
                for query in (
                    "from dim_run",
                    "from run_marts order by all",
                    "select table_name, comment from duckdb_tables() order by all",
                )
                for row in connection.execute(query).fetchall()
            ]

    assert told(runs[1_000, "direct"]) == told(runs[1_000, "batch"])
    direct = schema(runs[1_000, "direct"])
    assert direct == schema(runs[1_000, "batch"])
    assert {row[0] for row in direct} == {"inputs", "main"}


def test_one_changed_cent_is_found_and_named(runs, parity, tmp_path):
    original = runs[1_000, "direct"]
    copy = parity.copy(original, tmp_path / "copy")
    with duckdb.connect(str(copy / "results.duckdb")) as connection:
        employee, year = connection.execute(
            "select employee_id, simulation_year from fct_workforce_snapshot "
            "where scenario_id = 'plan' order by employee_id, simulation_year limit 1 offset 700"
        ).fetchone()
        connection.execute(
            "update fct_workforce_snapshot set current_compensation = current_compensation + 0.01 "
            "where scenario_id = 'plan' and employee_id = ? and simulation_year = ?",
            [employee, year],
        )
    done = parity.run("verify", str(original), str(copy))
    assert done.returncode == 3
    assert employee in done.stdout
    assert "current_compensation" in done.stdout
    same = parity.run("verify", str(original), str(copy), "--scenario", "baseline")
    assert same.returncode == 0, same.stdout
