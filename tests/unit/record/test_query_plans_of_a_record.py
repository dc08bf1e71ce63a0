"""Both versions of DuckDB tell the same of a query; the tree is the same."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from planalign.record.query_plans import query_plan_of

DATA = Path(__file__).parent / "data"


def kept(version: str):
    """A profile of `people join parts`, with a filter, as that version wrote it."""
    return query_plan_of(json.loads((DATA / f"duckdb-{version}.json").read_text()))


@pytest.mark.parametrize("version", ["1.5", "2.0"])
def test_the_tree_is_read(version):
    plan = kept(version)
    assert plan.root.kind == "CREATE_TABLE_AS"
    kinds = [operator.kind for operator in plan.walk()]
    assert kinds[-3:] == ["HASH_JOIN", "TABLE_SCAN", "TABLE_SCAN"]
    [join] = [operator for operator in plan.walk() if operator.kind == "HASH_JOIN"]
    assert (join.rows, join.estimated_rows, join.name) == (500, 1000, "hash join, inner")
    assert join.details["Conditions"] == "part = part"
    people, parts = join.children
    assert (people.name, people.rows, people.rows_scanned) == ("people", 500, 3000)
    assert (parts.name, parts.rows, parts.estimated_rows) == ("parts", 7, 7)
    assert people.is_scan
    assert not join.is_scan
    assert "key" in people.details["Filters"]
    assert "Estimated Cardinality" not in people.details


@pytest.mark.parametrize("version", ["1.5", "2.0"])
def test_the_totals_are_read(version):
    plan = kept(version)
    assert plan.seconds > plan.cpu_seconds > 0
    assert plan.cpu_seconds == pytest.approx(sum(o.seconds for o in plan.walk()), rel=0.5)
    assert plan.peak_memory_bytes > 1_000_000
    assert plan.spilled_bytes == 0


def test_row_groups_are_told_by_the_later_version_only():
    assert (kept("2.0").row_groups_scanned, kept("2.0").row_groups_total) == (2, 2)
    assert (kept("1.5").row_groups_scanned, kept("1.5").row_groups_total) == (None, None)
    scans = [operator for operator in kept("2.0").walk() if operator.is_scan]
    assert [(s.row_groups_scanned, s.row_groups_total) for s in scans] == [(1, 1), (1, 1)]


def test_the_planner_of_the_later_version_has_its_seconds():
    assert kept("1.5").planning_seconds is None
    assert (kept("2.0").planning_seconds or 0) > 0


def test_what_the_installed_version_writes_is_read(tmp_path):
    with duckdb.connect() as connection:
        connection.execute("create table numbers as select i from range(1000) as t(i)")
        connection.execute("set enable_profiling = 'json'")
        connection.execute(f"set profiling_output = '{tmp_path / 'plan.json'}'")
        connection.execute("create table few as select * from numbers where i < 10").fetchall()
    plan = query_plan_of(json.loads((tmp_path / "plan.json").read_text()))
    [scan] = [operator for operator in plan.walk() if operator.is_scan]
    assert (scan.name, scan.rows, scan.rows_scanned) == ("numbers", 10, 1000)
    assert plan.root.kind.endswith("CREATE_TABLE_AS")


def test_a_profile_without_operators_is_an_empty_plan():
    assert query_plan_of({"operator": [], "query": {"total_time": 0.5}}).seconds == 0.5
    assert query_plan_of({"latency": 0.5}).root.kind == "NOTHING"
