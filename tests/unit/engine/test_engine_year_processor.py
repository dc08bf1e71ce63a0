"""Seven steps in order, on a pipeline of three tiny models."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate

import pytest

from planalign.engine.database import WORK, Database, Settings
from planalign.engine.inputs import Trajectory
from planalign.engine.pipeline import (
    Column,
    DataTest,
    Materialization,
    Model,
    Pipeline,
    Source,
    Step,
)
from planalign.engine.project import Project
from planalign.engine.runners.direct import DirectRunner
from planalign.engine.year_processor import STEPS, StepOrderError, YearProcessor
from planalign.errors import ModelError
from planalign.marts.summary import COLUMNS

YEAR = "(select simulation_year from inputs.control)"


def fact(name: str, step: Step, sql: str, columns: tuple[Column, ...]) -> Model:
    return Model(name, step, f"models/{name}.sql", Materialization.YEARLY, sql, (), columns)


def small_pipeline(
    *, rule: str = "select 'Ann' as who where false", broken_model: bool = False
) -> Pipeline:
    counts = ", ".join(f"1 as {name}" for name in COLUMNS[3:])
    return Pipeline(
        fingerprint="f",
        files_fingerprint="f",
        sources=(
            Source(
                "control", (Column("simulation_year", "INTEGER"), Column("start_year", "INTEGER"))
            ),
            Source(
                "trajectories",
                (
                    Column("trajectory_id", "INTEGER"),
                    Column("scenario_id", "VARCHAR"),
                    Column("replicate", "INTEGER"),
                    Column("random_seed", "BIGINT"),
                ),
            ),
        ),
        seeds=(),
        models=(
            Model(
                "int_baseline",
                Step.BASELINE,
                "models/int_baseline.sql",
                Materialization.TABLE,
                "select nothing from nowhere" if broken_model else f"select {YEAR} as built_for",
                (),
            ),
            fact(
                "fct_financial_summary",
                Step.SNAPSHOT,
                f"select scenario_id, replicate, {YEAR} as simulation_year, {counts} "
                "from inputs.trajectories",
                (
                    Column("scenario_id", "VARCHAR"),
                    Column("replicate", "INTEGER"),
                    Column("simulation_year", "INTEGER"),
                    *(Column(name, "INTEGER") for name in COLUMNS[3:]),
                ),
            ),
        ),
        tests=(
            DataTest(
                "assert_nothing",
                Step.VALIDATION,
                "tests/assert_nothing.sql",
                rule,
            ),
        ),
    )


@pytest.fixture
def processor(tmp_path):
    made = []

    def make(pipeline: Pipeline, threads: int = 2) -> YearProcessor:
        pipeline = pipeline.with_intermediates_in(WORK)
        database = Database(tmp_path / "results.duckdb", Settings(threads, "1GB"))
        database.create()
        runner = DirectRunner(Project.at(None), pipeline, database)
        made.append((runner, database))

        def load_inputs(database: Database) -> None:
            with database.cursor() as cursor:
                for source in pipeline.sources:
                    cursor.execute(source.create_statement())
                cursor.execute("insert into inputs.control values (2025, 2025)")

        result = YearProcessor(pipeline, database, runner, load_inputs, lambda kind, **_: None)
        result.database = database
        return result

    yield make
    for runner, database in made:
        runner.close()
        database.release()


BLOCK = (Trajectory(0, "baseline", 0, 42), Trajectory(1, "baseline", 1, 43))


def ready(processor: YearProcessor) -> YearProcessor:
    processor.run_step(Step.SETUP)
    processor.begin_block(BLOCK)
    return processor


def query(processor: YearProcessor, sql: str) -> list[tuple[object, ...]]:
    with processor.database.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def test_a_year_gives_a_typed_result_and_is_marked_complete(processor):
    working = ready(processor(small_pipeline()))
    result = working.run_year(2025)
    assert result.year == 2025
    assert list(result.seconds_by_step) == list(STEPS[1:])
    assert set(result.seconds_by_model) == {"int_baseline", "fct_financial_summary"}
    assert result.rows == {"fct_financial_summary": 2}
    assert [s.replicate for s in result.summaries] == [0, 1]
    assert query(working, "from run_years order by all") == [
        ("baseline", 0, 2025),
        ("baseline", 1, 2025),
    ]
    tables = query(working, "select table_name from duckdb_tables() where table_name like 'int%'")
    assert tables == []  # what lives for a year is dropped with it


def test_the_asynchronous_interface_gives_the_same(processor):
    working = ready(processor(small_pipeline()))
    assert asyncio.run(working.process_year(2025)).rows == {"fct_financial_summary": 2}


def test_a_repeated_year_is_not_doubled_and_makes_later_years_stale(processor):
    working = ready(processor(small_pipeline()))
    for year in (2025, 2026, 2025):
        working.run_year(year)
    found = query(working, "select distinct simulation_year from fct_financial_summary")
    assert found == [(2025,)]
    assert query(working, "select count(*) from run_years") == [(2,)]


def test_years_are_strictly_in_order(processor):
    working = ready(processor(small_pipeline()))
    with pytest.raises(StepOrderError, match="year 2026 needs 2025"):
        working.run_year(2026)


@pytest.mark.parametrize("step", STEPS[2:])
def test_a_step_names_the_one_that_it_needs(processor, step):
    working = ready(processor(small_pipeline()))
    working.begin_year(2025)
    needed = STEPS[STEPS.index(step) - 1]
    with pytest.raises(StepOrderError) as caught:
        working.run_step(step)
    assert f"step {step} needs {needed}" in str(caught.value)
    assert "2025" in str(caught.value)


def test_nothing_runs_before_setup(processor):
    working = processor(small_pipeline())
    for attempt in (
        lambda: working.begin_block(BLOCK),
        lambda: working.begin_year(2025),
        lambda: working.run_step(Step.TRANSITION),
    ):
        with pytest.raises(StepOrderError, match="setup"):
            attempt()


def test_a_broken_rule_is_named_with_its_rows_and_the_year_is_not_complete(processor):
    working = ready(processor(small_pipeline(rule="select 'Ann' as who")))
    with pytest.raises(ModelError) as caught:
        working.run_year(2025)
    assert "assert_nothing" in str(caught.value)
    assert "Ann" in str(caught.value)
    assert query(working, "select count(*) from run_years") == [(0,)]


def test_a_broken_model_is_named_with_its_file(processor):
    working = ready(processor(small_pipeline(broken_model=True)))
    with pytest.raises(ModelError) as caught:
        working.run_year(2025)
    for word in ("int_baseline", "models/int_baseline.sql", "nowhere"):
        assert word in str(caught.value)


# Broken in 2025 only, by the rows that 2025 had: its control year, and what was built
# for it and is replaced in 2026.
BROKEN_IN_2025 = f"""
    select {YEAR} as control_year, built_for
    from "results"."main"."int_baseline"
    where {YEAR} = 2025
"""


# With one thread, the checks wait until every model of the next year is built.
@pytest.mark.parametrize("threads", [1, 2])
def test_checks_beside_the_next_year_see_their_own_year(processor, threads):
    working = ready(processor(small_pipeline(rule=BROKEN_IN_2025), threads))
    assert working.start_year(2025) == ()
    with pytest.raises(ModelError) as caught:
        working.start_year(2026)
    assert str(caught.value).startswith("2025: rule assert_nothing")
    assert "{'control_year': '2025', 'built_for': '2025'}" in str(caught.value)
    assert query(working, "from run_years") == []


@pytest.mark.parametrize("limit", [1, 2])
def test_models_of_a_step_side_by_side_are_limited(tmp_path, limit):
    models = tuple(
        Model(
            f"int_{number}",
            Step.EVENTS,
            "",
            Materialization.TABLE,
            "select sum(hash(range)) from range(1000000)",
            (),
        )
        for number in range(6)
    )
    pipeline = replace(small_pipeline(), models=models)
    settings = Settings(4, "1GB", {"events": limit})
    database = Database(tmp_path / "results.duckdb", settings)
    database.create()
    runner = DirectRunner(Project.at(None), pipeline, database)
    timings = list(runner.run_models((Step.EVENTS,)))
    runner.close()
    database.release()
    assert {timing.name for timing in timings} == {model.name for model in models}
    edges = [(t.started, 1) for t in timings] + [(t.started + t.seconds, -1) for t in timings]
    most = max(accumulate(change for _, change in sorted(edges)))
    assert most <= limit


# Builds in every year but 2026.
FAILS_IN_2026 = f"select case when {YEAR} = 2026 then error('boom') else 'built' end as built_for"


def with_model(pipeline: Pipeline, sql: str) -> Pipeline:
    baseline, *rest = pipeline.models
    return replace(pipeline, models=(replace(baseline, sql=sql), *rest))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_year_counts_though_the_next_cannot_be_built(processor, threads):
    working = ready(processor(with_model(small_pipeline(), FAILS_IN_2026), threads))
    working.start_year(2025)
    with pytest.raises(ModelError, match="boom"):
        working.start_year(2026)
    assert query(working, "select distinct simulation_year from run_years") == [(2025,)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_broken_rule_is_told_before_the_failure_that_may_follow_from_it(processor, threads):
    rule = f"select 'Ann' as who where {YEAR} = 2025"
    working = ready(processor(with_model(small_pipeline(rule=rule), FAILS_IN_2026), threads))
    working.start_year(2025)
    with pytest.raises(ModelError, match="2025: rule assert_nothing") as caught:
        working.start_year(2026)
    assert "boom" in str(caught.value.__context__)
    assert query(working, "from run_years") == []


def test_a_year_is_complete_when_its_checks_have_passed(processor):
    working = ready(processor(small_pipeline()))
    assert working.start_year(2025) == ()
    assert query(working, "from run_years") == []
    assert [result.year for result in working.start_year(2026)] == [2025]
    assert query(working, "select distinct simulation_year from run_years") == [(2025,)]
    assert [result.year for result in working.settle()] == [2026]
    assert working.settle() == ()
    assert query(working, "select count(*) from run_years") == [(4,)]


def test_another_year_than_the_next_waits_for_the_checks(processor):
    working = ready(processor(small_pipeline()))
    working.start_year(2025)
    for attempt in (lambda: working.start_year(2025), lambda: working.begin_block(BLOCK)):
        with pytest.raises(StepOrderError, match="2025 is still being checked"):
            attempt()


def test_threads_may_ask_for_cursors_at_once(tmp_path):
    database = Database(tmp_path / "results.duckdb", Settings(8, "1GB"))
    database.create()

    def count(_: int) -> int:
        with database.cursor() as cursor:
            return cursor.execute("select 1").fetchall()[0][0]

    # Each round begins without an idle cursor.
    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(count, range(64))) == 64
        database.release()
