"""The compiled pipeline: groups, statements, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planalign.engine import compiler
from planalign.engine.pipeline import Column, DataTest, Materialization, Model, Pipeline, Step
from planalign.engine.runners.base import pack
from planalign.errors import EnvironmentFaultError, ModelError


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


def node(**changes):
    config = {
        "materialized": "table",
        "contract": {"enforced": False},
        "pre-hook": [],
        "post-hook": [],
        **changes.pop("config", {}),
    }
    return {
        "name": "m",
        "fqn": ["planalign", "events", "m"],
        "original_file_path": "models/events/m.sql",
        "raw_code": "select 1",
        "compiled_code": "select 1",
        "depends_on": {"nodes": []},
        "columns": {},
        "constraints": [],
        "config": config,
        **changes,
    }


def test_a_plain_model_is_read():
    assert compiler._model(node(), {}).step is Step.EVENTS


def test_the_indexes_of_a_table_are_read_kept_and_made(tmp_path):
    indexes = [{"columns": ["a", "b"]}, {"columns": ["b"]}]
    made = compiler._model(node(config={"indexes": indexes}), {})
    pipeline(made).save(tmp_path / "pipeline.json")
    [kept] = Pipeline.load(tmp_path / "pipeline.json").models
    assert kept == made
    assert kept.index_statements() == (
        'create index "m 1" on "results"."main"."m" (a, b)',
        'create index "m 2" on "results"."main"."m" (b)',
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"config": {"pre-hook": [{"sql": "select 1"}]}}, "pre-hook"),
        ({"config": {"sql_header": "set x"}}, "sql_header"),
        ({"config": {"indexes": [{"columns": ["a"], "unique": True}]}}, "unique"),
        ({"config": {"indexes": "employee_key"}}, "employee_key"),
        ({"config": {"indexes": ["employee_key"]}}, "employee_key"),
        ({"config": {"indexes": {"columns": ["employee_key"]}}}, "employee_key"),
        ({"config": {"indexes": [{}]}}, "columns"),
        ({"config": {"indexes": [{"columns": []}]}}, "columns"),
        ({"config": {"indexes": [{"columns": "a"}]}}, "columns"),
        ({"config": {"indexes": [{"columns": ['"a"']}]}}, "columns"),
        ({"config": {"indexes": [{"columns": [1]}]}}, "columns"),
        ({"config": {"indexes": [{"columns": ["a"]}], "materialized": "view"}}, "index"),
        (
            {
                "config": {
                    "indexes": [{"columns": ["a"]}],
                    "materialized": "yearly",
                    "contract": {"enforced": True},
                }
            },
            "index",
        ),
        ({"config": {"materialized": "incremental"}}, "incremental"),
        ({"config": {"materialized": "ephemeral"}}, "ephemeral"),
        ({"config": {"materialized": "yearly"}}, "contract"),
        ({"raw_code": "{% if is_incremental() %}"}, "is_incremental"),
        ({"raw_code": "{{ run_query('x') }}"}, "run_query"),
        ({"raw_code": "{{ var('year') }}"}, "var"),
        ({"fqn": ["planalign", "marts", "m"]}, "marts"),
        ({"constraints": [{"type": "check"}]}, "constraints"),
    ],
)
def test_what_direct_does_not_reproduce_is_refused(changes, word):
    with pytest.raises(ModelError) as caught:
        compiler._model(node(**changes), {})
    assert word in str(caught.value)
    assert "m" in str(caught.value)


@pytest.mark.parametrize(("meta", "in_years"), [({}, True), ({"after_each_year": False}, False)])
def test_a_data_test_may_decline_the_years(meta, in_years):
    test = compiler._data_test(data_test(meta), {})
    assert test.in_years is in_years
    tested = replace(pipeline(), tests=(test,))
    assert tested.tests_of(Step.VALIDATION) == (test,) * in_years


def test_a_data_test_that_declines_in_other_words_is_refused():
    with pytest.raises(ModelError, match=r"assert_a .* has after_each_year: 'no'"):
        compiler._data_test(data_test({"after_each_year": "no"}), {})


def data_test(meta):
    config = {
        "fail_calc": "count(*)",
        "warn_if": "!= 0",
        "error_if": "!= 0",
        "severity": "error",
        "limit": None,
        "meta": meta,
    }
    return node(name="assert_a", fqn=["planalign", "validation", "assert_a"], config=config)


def test_an_index_that_cannot_be_made_is_found_when_the_project_is_compiled():
    indexed = replace(model("m"), indexes=(("absent",),))
    with pytest.raises(ModelError, match=r"model m .* cannot have its index"):
        compiler._check_contracts(pipeline(indexed))


def test_the_same_index_twice_is_made_twice():
    indexed = replace(model("m"), sql="select 1 as a", indexes=(("a",), ("a",)))
    compiler._check_contracts(pipeline(indexed))


def test_an_index_of_a_reference_table_is_refused():
    table = node(config={"indexes": [{"columns": ["a"]}], "column_types": {}})
    with pytest.raises(ModelError, match="reference table m"):
        compiler._seed(table)


def test_a_broken_contract_is_named():
    fact = replace(
        model("fct"),
        materialization=Materialization.YEARLY,
        columns=(Column("a", "VARCHAR"), Column("b", "INTEGER")),
    )
    with pytest.raises(ModelError) as caught:
        compiler._check_contracts(pipeline(fact))
    assert "a: contract VARCHAR, model INTEGER" in str(caught.value)
    assert "b: contract INTEGER, model absent" in str(caught.value)


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
