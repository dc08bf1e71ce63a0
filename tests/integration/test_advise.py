"""Faults planted in the models are each found and named; a clean run has none; advice is tried."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.marts.packaged import PACKAGED
from planalign.profile import prompt, trial
from planalign.profile.analysis import analyse
from planalign.profile.findings import find
from planalign.profile.suggestions import Materialize, Proposal
from planalign.record.reading import read_record
from planalign.study import run_study

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.usefixtures("dbt_is_warm")

OTHER_DUCKDB = Path(sys.prefix) / "other-duckdb"
# Read by every planted model, so that each is built once a year.
YEAR = "{{ ref('int_trajectories') }}"


def wide(rows: int) -> str:
    return f"select i as key, md5(i::varchar) as text from {YEAR}, range({rows}) as t(i)"


def view_of_many(rows: int) -> dict[str, str]:
    readers = {
        f"int_reader_{name}": "select trajectory_id, max(total) as most "
        f"from {{{{ ref('int_series') }}}} where part <> {number} group by all"
        for number, name in enumerate("abcdefgh")
    }
    series = (
        "select trajectory_id, i % 100 as part, sum(hash(i * 7 + trajectory_id) % 1000) as total "
        f"from {YEAR}, range({rows}) as t(i) group by all"
    )
    return {"int_series": f"{series} {{{{ config(materialized='view') }}}}", **readers}


CROSS = {
    "int_pairs": "select count(*) as pairs from {{ ref('int_baseline_workforce') }} as a, "
    "{{ ref('int_baseline_workforce') }} as b, range(20) as t(i) "
    "where a.age + b.tenure > i + 300"
}
LOOP = {
    "int_unequal": "select count(*) as pairs from {{ ref('int_baseline_workforce') }} as a "
    "inner join {{ ref('int_baseline_workforce') }} as b on a.age + b.age <> a.tenure + b.tenure"
}
# Every row has the same keys, which the planner cannot know of what is computed.
EXPLODES = {
    "int_exploded": f"with many as (select i as key from {YEAR}, range(12000) as t(i)) "
    "select count(*) as pairs, max(a.key - b.key % 2) as most from many as a inner join many as b "
    "on a.key // 20000 = b.key // 30000 and (a.key + 1) // 20000 = (b.key + 1) // 30000"
}
SORT_THAT_MIXES = {
    "int_mixed": f"{wide(3_000_000)} order by hash(i)",
    "int_few": "select count(text) as n from {{ ref('int_mixed') }} where key < 1000",
}
SCANS = {
    "int_wide": wide(2_000_000),
    "int_again": " union all ".join(
        f"select max(text) as n from {{{{ ref('int_wide') }}}} where text like '%{letter}%'"
        for letter in "abcd"
    ),
}
SLOW = {
    "int_slow": "select max(place) as places from (select row_number() over "
    f"(order by hash(i), trajectory_id) as place from {YEAR}, range(12000000) as t(i))"
}
HOG = {
    "int_hog": "select list(s) as everything from "
    f"(select repeat('x', 100) || i as s from {YEAR}, range(3000000) as t(i))"
}
SPILL = {
    "int_sorted": "select max(place) as places from (select s, row_number() over "
    "(partition by i % 3 order by s) as place from (select i, md5(i::varchar) || "
    f"md5((i + 1)::varchar) || md5((i + 2)::varchar) as s from {YEAR}, range(1500000) as t(i))) "
    "where s <> ''"
}


class Bench:
    """Runs of one company, planted or not, each made when it is first asked for."""

    def __init__(self, studies) -> None:
        self._studies = studies
        self._made: dict[str, Path] = {}

    @cached_property
    def census(self) -> Path:
        return self._studies.generated(1_000)

    def project(self, models: Mapping[str, str]) -> Path:
        project = self._studies.new()
        shutil.copytree(PACKAGED, project)
        for name, sql in models.items():
            (project / "models" / "events" / f"{name}.sql").write_text(f"{sql}\n")
        return project

    def run(self, name: str, models: Mapping[str, str] | None = None, **sections) -> Path:
        if name not in self._made:
            if models is not None:
                sections["dbt_project"] = str(self.project(models))
            simulation = {"start_year": 2025, "end_year": 2025 if models is not None else 2027}
            self._made[name] = self._studies.simulate(
                self.census, {"with_query_plans": True}, simulation=simulation, **sections
            ).path
        return self._made[name]


@pytest.fixture(scope="module")
def bench(shared_studies):
    return Bench(shared_studies)


def found(run: Path):
    """Return the findings of a run, but for what lies between its models.

    That is the machine's, whatever else it does: it is tested on given times.
    """
    record = read_record(run)
    return {
        (one.kind, one.model): one
        for one in find(record, analyse(record))
        if one.kind != "over_parallel"
    }


def planalign(*arguments: object, **variables: str):
    done = subprocess.run(
        [sys.executable, "-m", "planalign", *map(str, arguments)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_clean_run_has_no_findings(bench):
    assert found(bench.run("clean")) == {}


def test_a_clean_run_without_plans_has_no_findings(studies):
    run = studies.simulate(
        studies.generated(1_000), simulation={"start_year": 2025, "end_year": 2027}
    )
    assert found(run.path) == {}


@pytest.mark.parametrize("plans", [[], ["--profile", "plans"]], ids=["record", "plans"])
def test_a_clean_run_of_the_other_duckdb_has_no_findings(bench, tmp_path, plans):
    output = tmp_path / "run"
    planalign(
        "simulate", "2025-2027", "--census", bench.census, "--output", output, "--no-cache", *plans,
        PYTHONPATH=str(OTHER_DUCKDB),
    )  # fmt: skip
    assert read_record(output).versions["duckdb"] != duckdb.__version__
    assert found(output) == {}


MIXED = {**CROSS, **LOOP, **EXPLODES, **SORT_THAT_MIXES, **SCANS, **view_of_many(6_000_000)}


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("cross_product", "int_pairs"),
        ("nested_loop", "int_unequal"),
        ("bad_estimate", "int_exploded"),
        ("unpruned_scan", "int_few"),
        ("repeated_scan", "int_again"),
        ("view_read_often", "int_series"),
    ],
)
def test_a_planted_fault_of_a_plan_is_found_and_named(bench, kind, model):
    finding = found(bench.run("mixed", MIXED))[kind, model]
    assert model in finding.title
    assert finding.evidence
    assert finding.change
    assert finding.gain


def test_nothing_else_is_found_of_what_was_not_planted(bench):
    planted = {*MIXED}
    assert {model for _, model in found(bench.run("mixed", MIXED))} <= planted


def test_a_model_made_slow_is_found(bench):
    finding = found(bench.run("slow", SLOW))["slow_model", "int_slow"]
    assert finding.gain_seconds


def test_a_memory_hog_is_found(bench):
    run = bench.run("hog", HOG, resources={"memory_limit": "2GB"})
    finding = found(run)["memory_hog", "int_hog"]
    assert "of the limit" in dict(finding.evidence)


def test_a_model_that_spills_is_found_and_no_other(bench):
    run = bench.run("spill", SPILL, resources={"memory_limit": "300MB"})
    spilled = {model for kind, model in found(run) if kind == "spill"}
    assert spilled == {"int_sorted"}


def test_findings_are_printed(bench):
    run = bench.run("slow", SLOW)
    done = planalign("advise", run)
    assert "int_slow is slow" in done.stdout
    assert "Change:" in done.stdout
    content = json.loads(planalign("advise", run, "--json").stdout)
    assert content["has_plans"]
    assert content["trial"] is None
    assert "slow_model" in [one["kind"] for one in content["findings"]]


def test_a_run_without_plans_is_told_of_them(studies):
    run = studies.simulate(studies.generated(50), simulation={"end_year": 2025})
    assert "--profile plans" in planalign("advise", run.path).stderr


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


class Timed:
    """Simulates, and says that it took the seconds given: those of the machine prove nothing."""

    def __init__(self, as_it_is: float, changed: float) -> None:
        self.project: Path | None = None
        self.seconds = (as_it_is, changed)

    def __call__(self, request):
        project = request.config.dbt_project
        self.project = self.project or project  # the reference comes first
        return replace(run_study(request), seconds=self.seconds[project != self.project])


@pytest.mark.parametrize(("seconds", "verdict"), [(1.4, "helps"), (2.0, "no_gain")])
def test_a_view_made_a_table_is_tried_on_copies(bench, tmp_path, monkeypatch, seconds, verdict):
    """What it gains in truth, `benchmarks/advice.py` measures."""
    run = bench.run("view", view_of_many(1_000))
    record = read_record(run)
    config = next(line for line in (run / "config.yaml").read_text().splitlines()
                  if line.startswith("dbt_project:"))  # fmt: skip
    project = Path(config.partition(": ")[2])
    before = contents(run), contents(project)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(trial, "run_study", Timed(2.0, seconds))

    table = Materialize(model="int_series", materialization="table")
    tried = trial.try_out(run, record, [Proposal(table, "eight read it")], 8_000_000_000, years=1)

    [outcome] = tried.outcomes
    assert (outcome.verdict, tried.changes) == (verdict, ())
    assert outcome.judgement.seconds_with == seconds
    assert (contents(run), contents(project)) == before
    assert record.graph["int_series"].materialization == "view"
    assert list(tmp_path.iterdir()) == []


def test_no_value_of_the_census_is_told_to_a_language_model(bench):
    with duckdb.connect() as connection:
        rows = connection.execute(f"from '{bench.census}'").fetchall()  # one of each column
        columns = [name for name, *_ in connection.description or ()]
    values = {
        str(value)
        for row in rows
        for name, value in zip(columns, row, strict=True)
        if name in {"employee_id", "birth_date", "hire_date", "annual_compensation"}
    }
    some = dict(zip(columns, rows[0], strict=True))
    plants = {
        "int_one": "select count(*) as n from {{ ref('stg_census_data') }} "
        f"where employee_id = '{some['employee_id']}' or birth_date = date '{some['birth_date']}' "
        f"or annual_compensation = {some['annual_compensation']}",
        "int_own": "select employee_id, birth_date, min(hire_date) as first from "
        "{{ ref('stg_census_data') }} where employee_id > "
        f"'{some['employee_id']}' group by all",
    }
    record = read_record(bench.run("literals", plants))
    in_plans = json.dumps(list(record.query_plans.values()))
    assert str(some["employee_id"]) in in_plans
    analysis = analyse(record)
    text = json.dumps(prompt.messages(record, analysis, find(record, analysis)))
    assert "stg_census_data" in text
    assert [value for value in values if value in text] == []
