"""The compiled pipeline: groups and statements."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planalign.engine.pipeline import Column, DataTest, Materialization, Model, Pipeline, Step
from planalign.engine.runners.base import pack
from planalign.errors import EnvironmentFaultError


def model(name: str, *needs: str, step: Step = Step.EVENTS) -> Model:
    return Model(name, step, f"models/{name}.sql", Materialization.TABLE, "select 1 as a", needs)


def pipeline(*models: Model) -> Pipeline:
    return Pipeline("f", "f", (), (), models, ())


def names(groups) -> list[list[str]]:
    return [[m.name for m in group] for group in groups]


def test_groups_are_topological_levels_in_name_order():
    diamond = pipeline(
        model("b"), model("a"), model("d", "a", "b"), model("c", "a"), model("e", "d", "c")
    )
    assert names(diamond.groups(Step.EVENTS)) == [["a", "b"], ["c", "d"], ["e"]]
    assert diamond.needs_within(Step.EVENTS)["e"] == ("d", "c")


def test_a_model_of_an_earlier_step_is_not_waited_for():
    two = pipeline(model("a", step=Step.BASELINE), model("b", "a"))
    assert names(two.groups(Step.EVENTS)) == [["b"]]
    assert two.needs_within(Step.EVENTS) == {"b": ()}


def test_commands_join_levels_and_keep_their_order():
    chain = [(model("a"),), (model("b"), model("c")), (model("d"),)]
    assert names(pack(chain, 8)) == [["a", "b", "c", "d"]]
    assert names(pack(chain, 3)) == [["a", "b", "c"], ["d"]]
    assert names(pack([], 8)) == []


def test_a_yearly_fact_is_appended_by_name_after_its_year_is_removed():
    fact = replace(
        model("fct"),
        materialization=Materialization.YEARLY,
        columns=(
            Column("scenario_id", "VARCHAR", not_null=True),
            Column("replicate", "INTEGER"),
            Column("simulation_year", "INTEGER"),
        ),
    )
    delete, insert = fact.statements()
    assert "simulation_year >=" in delete
    assert "(scenario_id, replicate) in" in delete
    assert insert.startswith('insert into "results"."main"."fct" ("scenario_id", "replicate"')
    assert '"scenario_id" VARCHAR not null' in fact.create_statement()


def test_a_pipeline_survives_saving_and_a_damaged_one_is_refused(tmp_path):
    whole = replace(
        pipeline(model("a"), model("b", "a")),
        tests=(DataTest("t", Step.VALIDATION, "tests/t.sql", "select 1", limit=5),),
    )
    path = tmp_path / "folder" / "pipeline.json"
    whole.save(path)
    assert Pipeline.load(path) == whole
    for damage in ("", "{", '{"format": 999}', json.dumps({"format": 1})):
        path.write_text(damage)
        with pytest.raises(EnvironmentFaultError):
            Pipeline.load(path)


def test_indexes_are_kept_and_made(tmp_path):
    made = replace(model("m"), indexes=(("a", "b"), ("b",)))
    pipeline(made).save(tmp_path / "pipeline.json")
    [kept] = Pipeline.load(tmp_path / "pipeline.json").models
    assert kept == made
    assert kept.index_statements() == (
        'create index "m 1" on "results"."main"."m" (a, b)',
        'create index "m 2" on "results"."main"."m" (b)',
    )


def test_a_data_test_may_decline_the_years():
    tests = tuple(
        DataTest(name, Step.VALIDATION, "p", "select 1", in_years=name == "yes")
        for name in ("yes", "no")
    )
    assert replace(pipeline(), tests=tests).tests_of(Step.VALIDATION) == tests[:1]


def test_moving_intermediates_changes_their_names_everywhere_and_nothing_else():
    source = replace(model("int_a"), sql='select 1 as a from "results"."inputs"."control"')
    reader = replace(
        model("fct_b", "int_a"),
        materialization=Materialization.YEARLY,
        sql='select a from "results"."main"."int_a" join "results"."main"."int_ab" using (a)',
        columns=(Column("a", "INTEGER"),),
    )
    test = DataTest("t", Step.VALIDATION, "t.sql", 'select * from "results"."main"."int_a"')
    moved = replace(pipeline(source, reader), tests=(test,)).with_intermediates_in("work")
    assert (
        moved.models[0].statements()[0].startswith('create or replace table "work"."main"."int_a"')
    )
    assert '"results"."inputs"."control"' in moved.models[0].sql
    assert moved.models[1].relation == '"results"."main"."fct_b"'
    assert moved.models[1].sql == (
        'select a from "work"."main"."int_a" join "results"."main"."int_ab" using (a)'
    )
    assert moved.tests[0].sql == 'select * from "work"."main"."int_a"'
