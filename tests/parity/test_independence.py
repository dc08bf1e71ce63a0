"""A result does not depend on how it was computed, nor on what it was computed with."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.results import open_run
from planalign.results.export import export
from planalign.results.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

YEARS = "2025-2027"
FIVE = ("baseline", "growth", "exact", "shrink", "plan")


@pytest.fixture(scope="module")
def project(tmp_path_factory, parity) -> Path:
    return parity.project(tmp_path_factory.mktemp("study"), 1_000, scenarios=FIVE)


@pytest.fixture(scope="module")
def whole(project, parity) -> Path:
    """Five scenarios and ten replicates as one block."""
    return parity.simulate(project, "whole", YEARS, "--seeds", "10")


def differences(a: Path, b: Path, **filters) -> dict[str, object] | None:
    with open_run(a) as left, open_run(b) as right:
        comparison = verify(left, right, **filters)
        return None if comparison.identical else comparison.as_dict()


@pytest.mark.parametrize("scenario", ["exact", "plan"])
def test_a_scenario_alone_is_the_same_as_among_five(project, whole, parity, scenario):
    alone = parity.simulate(project, scenario, YEARS, "--seeds", "10", "--scenario", scenario)
    assert differences(alone, whole, scenario=scenario) is None


def test_a_replicate_alone_is_the_same_as_among_ten(project, whole, parity):
    alone = parity.simulate(project, "seventh", YEARS, "--replicate", "7")
    assert differences(alone, whole, replicate=7) is None


def test_replicates_differ(whole):
    with open_run(whole) as run:
        closing = {row.closing_headcount for row in run.summary() if row.scenario_id == "baseline"}
    assert len(closing) > 10


def test_threads_change_nothing(parity, large):
    again = parity.simulate(large[0], "threads8", YEARS, "--threads", "8")
    assert differences(large[1], again) is None


@pytest.fixture(scope="module")
def large(tmp_path_factory, parity) -> tuple[Path, Path]:
    """A company that fills several of DuckDB's row groups, simulated by one thread."""
    folder = parity.project(tmp_path_factory.mktemp("large"), 60_000, scenarios=("plan", "exact"))
    return folder, parity.simulate(folder, "run", YEARS, "--threads", "1")


def test_the_other_duckdb_version_gives_the_same_bits(large, parity, other_duckdb):
    again = parity.simulate(large[0], "other", YEARS, PYTHONPATH=str(other_duckdb))
    with open_run(large[1]) as run, open_run(again) as other:
        ours, theirs = (r.provenance["versions"]["duckdb"].split(".")[0] for r in (run, other))
        assert ours != theirs
        comparison = verify(run, other)
        assert comparison.identical, comparison.as_dict()


def test_the_other_duckdb_version_reads_what_this_one_wrote(large, parity, other_duckdb):
    here = parity.run("fingerprint", str(large[1]), "--json")
    there = parity.run("fingerprint", str(large[1]), "--json", PYTHONPATH=str(other_duckdb))
    assert there.returncode == 0, there.stderr
    assert here.stdout == there.stdout


def test_direct_stopped_after_its_second_year_and_resumed(project, parity, stop_after):
    undisturbed = parity.simulate(project, "undisturbed", "2025-2029")
    assert stop_after(project, "stopped", 2026, "2025-2029") == 130
    refused = parity.run("simulate", "2025-2029", "--output", "stopped", cwd=project)
    assert refused.returncode == 2
    other = parity.run("simulate", "2025-2028", "--output", "stopped", "--resume", cwd=project)
    assert other.returncode == 2
    assert "configuration" in other.stderr
    resumed = parity.simulate(project, "stopped", "2025-2029", "--resume")
    assert differences(undisturbed, resumed) is None
    again = parity.run("simulate", "2025-2029", "--output", "stopped", "--resume", cwd=project)
    assert again.returncode == 2


def test_the_order_of_rows_changes_no_exported_file(project, parity, tmp_path):
    run = parity.simulate(project, "ordered", YEARS, "--scenario", "plan", "--seeds", "2")
    shuffled = shutil.copytree(run, tmp_path / "shuffled")
    with duckdb.connect(str(shuffled / "results.duckdb")) as connection:
        tables = connection.sql("select table_name from duckdb_tables() where schema_name = 'main'")
        for (table,) in tables.fetchall():
            connection.execute(
                f"create temp table rows as from {table}; delete from {table}; "
                f"insert into {table} from rows r order by md5(r::varchar); drop table rows"
            )
    assert differences(run, shuffled) is None
    first, second = (
        exported(folder, tmp_path / f"csv-{folder.name}") for folder in (run, shuffled)
    )
    assert {"fct_plan_costs_by_group.csv", "int_plan_limits.csv"} <= first.keys()
    assert first.keys() == second.keys()
    assert [name for name, content in first.items() if content != second[name]] == []


def exported(run: Path, target: Path) -> dict[str, bytes]:
    with open_run(run) as opened:
        export(opened, "csv", target)
    return {path.name: path.read_bytes() for path in target.iterdir()}


def test_models_compiled_anew_give_the_same_result(project, whole, parity, tmp_path):
    again = parity.simulate(
        project,
        "compiled",
        YEARS,
        "--scenario",
        "growth",
        "--replicate",
        "0",
        "--no-cache",
        PLANALIGN_CACHE_DIR=str(tmp_path),
    )
    assert differences(again, whole, scenario="growth", replicate=0) is None
