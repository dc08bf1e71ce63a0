"""What a project of the user's own may state of a model, every runner does."""

from __future__ import annotations

import shutil

import pytest

from planalign.engine.project import PACKAGED
from planalign.results.fingerprint import fingerprint

INDEX = "\n{{ config(indexes=[{'columns': ['trajectory_id', 'employee_key']}]) }}\n"
IS_THERE = """\
select {{ ref('int_hiring_events') }}.trajectory_id from {{ ref('int_hiring_events') }}
where (
    select count(*) from duckdb_indexes() where table_name = 'int_hiring_events'
) <> 1
limit 1
"""


@pytest.mark.parametrize("runner", ["direct", "batch"])
def test_an_index_is_there_each_year_and_changes_no_bit(studies, runner):
    census = studies.generated(60)
    simulation = {"start_year": 2025, "end_year": 2026}
    project = studies.new()
    shutil.copytree(PACKAGED, project)
    with (project / "models/events/int_hiring_events.sql").open("a") as file:
        file.write(INDEX)
    (project / "tests/validation/assert_indexed.sql").write_text(IS_THERE)
    indexed = studies.simulate(
        census, {"runner": runner}, simulation=simulation, dbt_project=str(project)
    )
    plain = studies.simulate(census, simulation=simulation)
    assert fingerprint(indexed) == fingerprint(plain)
