"""Statements are planned on empty tables: contracts, indexes, and what a change of SQL is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planalign.engine import compiler
from planalign.engine.model_check import problems_of
from planalign.engine.pipeline import (
    Column,
    DataTest,
    Materialization,
    Model,
    Pipeline,
    Seed,
    Source,
    Step,
)
from planalign.engine.project import Project

MODEL = Model("m", Step.EVENTS, "models/events/m.sql", Materialization.TABLE, "select 1 as a", ())
TEST = DataTest("t", Step.VALIDATION, "tests/t.sql", 'select a from "results"."main"."m"')


def told(tmp_path, *models, tests=()):
    for one in (*models, *tests):
        file = tmp_path / one.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(one.sql)
    pipeline = Pipeline("f", "f", (), (), models, tests)
    relations = {one.name: {"results.main.m"} for one in (*models, *tests)}
    return problems_of(pipeline, Project(tmp_path), relations)


def test_sound_models_and_tests_have_no_problem(tmp_path):
    indexed = replace(MODEL, indexes=(("a",), ("a",)))  # twice is two indexes
    view = replace(MODEL, name="v", materialization=Materialization.VIEW, depends_on=("m",))
    assert told(tmp_path, indexed, view, tests=(TEST,)) == []


def test_an_index_that_cannot_be_made_is_found_when_the_project_is_compiled(tmp_path):
    [problem] = told(tmp_path, replace(MODEL, indexes=(("absent",),)))
    assert "model m: " in problem.message
    assert '"absent"' in problem.message
    assert problem.file == str(tmp_path / MODEL.path)


def test_a_broken_contract_names_every_column(tmp_path):
    columns = (Column("a", "VARCHAR"), Column("b", "INTEGER"))
    fact = replace(MODEL, materialization=Materialization.YEARLY, columns=columns)
    (tmp_path / "models/events").mkdir(parents=True)
    (tmp_path / "models/events/own.yml").write_text(
        "models:\n  - name: m\n    columns:\n      - {name: a, data_type: VARCHAR}\n"
    )
    first, second = told(tmp_path, fact)
    assert "a: contract VARCHAR, model INTEGER" in first.message
    assert "b: contract INTEGER, model absent" in second.message
    # Where each is declared, or else the model.
    place = str(tmp_path / "models/events/own.yml")
    assert [(one.file, one.line) for one in (first, second)] == [(place, 4), (place, 2)]


def test_a_type_that_is_none_is_told_once_and_not_of_what_rests_on_it(tmp_path):
    columns = (Column("a", "INTEGRE"),)
    fact = replace(MODEL, materialization=Materialization.YEARLY, columns=columns)
    above = replace(
        MODEL, name="n", sql='select absent from "results"."main"."m"', depends_on=("m",)
    )
    [problem] = told(tmp_path, fact, above, tests=(TEST,))
    assert "INTEGRE" in problem.message


def test_every_column_that_is_missing_is_told_also_in_what_reads_such_a_model(tmp_path):
    below = replace(MODEL, sql="select 1 as a,\n  x.absent,\n  gone\nfrom (select 2 as b) as x")
    above = replace(
        MODEL,
        name="n",
        path="models/events/n.sql",
        sql='select a, gone,\n  lost from "results"."main"."m"',
        depends_on=("m",),
    )
    found = told(tmp_path, below, above)
    assert [(one.message.split()[1], one.line) for one in found] == [
        ("m:", 2),
        ("m:", 3),
        ("n:", 2),
    ]
    assert "lost" in found[2].message


def test_wrong_syntax_is_told_of_all_models_and_nothing_that_may_come_of_it(tmp_path):
    below = replace(MODEL, sql="selec 1 as a")
    changes = {"depends_on": ("m",), "sql": 'select a + from "results"."main"."m"'}
    above = replace(MODEL, name="n", path="models/events/n.sql", **changes)
    unsure = replace(
        MODEL,
        name="o",
        path="models/events/o.sql",
        **{**changes, "sql": 'select a from "results"."main"."m"'},
    )
    found = told(tmp_path, below, above, unsure)
    assert [one.message.split()[1] for one in found] == ["m:", "n:"]


def test_a_model_that_reads_a_refused_one_waits_for_it(tmp_path):
    reader = replace(MODEL, sql='select a from "results"."main"."prior"')
    file = tmp_path / reader.path
    file.parent.mkdir(parents=True)
    file.write_text(reader.sql)
    pipeline = Pipeline("f", "f", (), (), (reader,), ())
    assert problems_of(pipeline, Project(tmp_path), {"m": {"results.main.prior"}}) == []


def test_a_test_is_planned_with_its_conditions(tmp_path):
    [problem] = told(tmp_path, MODEL, tests=(replace(TEST, fail_calc="sum(absent)"),))
    assert "test t: " in problem.message
    assert '"absent"' in problem.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fail_calc": "count(*) + (random() > 0.5)::int"}, "calls random()"),
        ({"warn_if": "> (select count(*) from glob('*'))"}, "reads glob()"),
        ({"error_if": "> (select count(*) from other)"}, "reads other"),
        ({"fail_calc": "count(*) from (select 1); select 1"}, "is no plain query"),
        ({"sql": "select 1 as a from (show databases)"}, "reads show, describe or summarize"),
    ],
)
def test_the_conditions_of_a_test_are_looked_at_as_its_query_is(tmp_path, change, words):
    [problem] = told(tmp_path, MODEL, tests=(replace(TEST, **change),))
    assert f"test t {words}" in problem.message
    assert problem.file == str(tmp_path / TEST.path)


@pytest.mark.parametrize("sql", ["from read_text('{0}')", "from '{0}'"])
def test_no_file_is_read_to_look_at_a_model(tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("secret_column\n1\n")
    [problem] = told(tmp_path, replace(MODEL, sql=f"select * {sql.format(secret)}"))
    assert "secret_column" not in str(problem)


def test_only_the_catalogue_is_open_to_tests_beyond_the_project(tmp_path):
    sql = "select 1 as a from duckdb_indexes() where false"
    assert told(tmp_path, MODEL, tests=(replace(TEST, sql=sql),)) == []
    [problem] = told(tmp_path, replace(MODEL, sql=sql))
    assert "duckdb_indexes()" in problem.message


WHOLE = Pipeline(
    "f",
    "f",
    (Source("census", (Column("a", "INTEGER"),)),),
    (Seed("s", "seeds/s.csv", (Column("a", "INTEGER"),)),),
    (MODEL, replace(MODEL, name="n", depends_on=("m",))),
    (TEST,),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"models": tuple(replace(one, sql="-- why\nselect 1\n  as a") for one in WHOLE.models)},
        {"models": tuple(replace(one, path="models/events/x/y.sql") for one in WHOLE.models)},
        {"models": WHOLE.models[::-1]},
        {"tests": (replace(TEST, sql=f"{TEST.sql} /* all */"),)},
        {"fingerprint": "g", "files_fingerprint": "g"},
    ],
)
def test_what_changes_no_result_is_the_same_model(changes):
    assert compiler._fingerprint(replace(WHOLE, **changes)) == compiler._fingerprint(WHOLE)


@pytest.mark.parametrize(
    "changes",
    [
        {"sources": (Source("census", (Column("a", "BIGINT"),)),)},
        {"seeds": (Seed("s", "seeds/s.csv", (Column("a", "BIGINT"),)),)},
        {"models": (WHOLE.models[0],)},
        {"models": tuple(replace(one, sql="select 2 as a") for one in WHOLE.models)},
        {"models": tuple(replace(one, step=Step.BASELINE) for one in WHOLE.models)},
        {"models": tuple(replace(one, indexes=(("a",),)) for one in WHOLE.models)},
        {"models": tuple(replace(one, columns=(Column("a", "INT"),)) for one in WHOLE.models)},
        {"tests": ()},
        {"tests": (replace(TEST, severity="WARN"),)},
    ],
)
def test_what_may_change_a_result_or_its_proof_is_another_model(changes):
    assert compiler._fingerprint(replace(WHOLE, **changes)) != compiler._fingerprint(WHOLE)
