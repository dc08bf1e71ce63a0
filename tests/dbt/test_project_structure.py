"""How the dbt project is built: unions by name, keys, doors to the sources, layers, pages."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml
from pages import anchors

from planalign.engine.compiler import pipeline_for
from planalign.engine.pipeline import Pipeline, Step
from planalign.engine.project import Project
from planalign.marts.packaged import PACKAGED, packaged_marts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A staging model may read another one, or a source that another one reads, for a reason.
STAGING_ON_STAGING = {
    # Joins the plan, its schedules and its limits once per run: as an `int_` model it would
    # be a result of the run, in every year it would cost time.
    "stg_plan_provisions": {"stg_benefit_plans", "stg_plan_limits", "stg_plan_schedules"},
}
READ_TWICE = {
    # By the staging model of the source, and by one that may not rest on it.
    "inputs.benefit_plans": {"stg_benefit_plans", "stg_plan_limits"},
    "inputs.compensation_parameters": {"stg_compensation_parameters", "stg_market_data"},
    # Two values of the one row, a macro each.
    "inputs.control": {"doors"},
}
# What lives for a year, and has its key tested after each nevertheless: where a year begins.
TESTED_EACH_YEAR = {"int_trajectories", "int_baseline_workforce"}
# Makes the tables of schema `inputs`, whatever they are.
LOADS_SOURCES = {"sample_inputs"}

ROOT = Path(__file__).parents[2]
PARSER = duckdb.connect()


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return pipeline_for(Project.at(None))


def texts() -> dict[str, str]:
    """Return the SQL files of the project by name, without comments and quoted names."""
    comments = re.compile(r'\{#.*?#\}|--[^\n]*|"union"', re.DOTALL)
    return {path.stem: comments.sub("", path.read_text()) for path in PACKAGED.rglob("*.sql")}


# --- unions


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield each node of a parsed query."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def names_of(query: Mapping[str, Any]) -> list[str] | None:
    """Return the columns of a query, unless it has a star."""
    if query["type"] == "SET_OPERATION_NODE":
        return names_of(branches(query)[0])
    columns = query["select_list"]
    if any(column["class"] == "STAR" for column in columns):
        return None
    return [column["alias"] or column.get("column_names", [""])[-1] for column in columns]


def branches(query: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [query.get("left"), query.get("right"), *(query.get("children") or [])]
    return [branch for branch in found if branch]


def faults_of_unions(sql: str) -> list[str]:
    """Return where a column could be taken for another one, or be left out unnoticed."""
    [(text,)] = PARSER.execute("select json_serialize_sql(?)", [sql]).fetchall()
    parsed = json.loads(text)
    assert not parsed["error"], parsed
    faults = []
    for node in nodes(parsed):
        kind = node.get("type")
        # DuckDB has no recursion by name: there the names have one order, written out.
        if kind == "RECURSIVE_CTE_NODE":
            first, second = (names_of(branch) for branch in branches(node))
            if first is None or first != second:
                faults.append(f"recursion {node['cte_name']}: {first} and {second}")
        elif kind == "SET_OPERATION_NODE" and node["setop_type"] != "UNION_BY_NAME":
            faults.append(f"{node['setop_type']} by position")
        elif kind == "SET_OPERATION_NODE":
            # By name, a column that only one branch has is null in the others.
            listed = [names_of(branch) for branch in branches(node)]
            if len({frozenset(names) for names in listed if names is not None}) > 1:
                faults.append(f"other columns: {listed}")
    return faults


def test_rows_are_put_together_by_name(pipeline: Pipeline) -> None:
    queries = {model.name: model.sql for model in pipeline.models} | {
        test.name: test.sql for test in pipeline.tests
    }
    assert sum("union all by name" in sql for sql in queries.values()) > 10
    faults = {name: faults_of_unions(sql) for name, sql in queries.items()}
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as a, 2 as b union all select 2 as b, 1 as a",
        "select 1 as a union select 2 as a",
        "select 1 as a except select 2 as a",
        "select * from (select 1 as a intersect select 1 as a)",
        "with x as (select 1 as a union all select 2 as a) select * from x",
        "select 1 as a, 2 as b union all by name select 1 as a",
        "select 1 as a union all by name select 1 as a union all by name select 1 as c",
        "with recursive x as (select 1 as a, 2 as b union all select b, a from x) select * from x",
        "with recursive x as (select 1 as a union all select * from x) select * from x",
    ],
)
def test_rows_put_together_by_position_would_be_found(sql: str) -> None:
    assert faults_of_unions(sql)


def test_macros_and_inserts_go_by_name() -> None:
    macros = {path.stem for path in (PACKAGED / "macros").glob("*.sql")}
    for name, text in texts().items():
        if name in macros:
            assert not re.search(r"\bunion\b(?! all by name\b)|\bexcept\b|\bintersect\b", text), (
                name
            )
        for line in re.findall(r"\binsert into\b.*", text):
            assert re.fullmatch(r"insert into (\{\{[^}]*\}\}|\S+) \(.+\)", line), name


# --- keys


@cache
def declared() -> dict[str, list[dict[str, Any]]]:
    """Return what each model is declared to be, with its data tests."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in PACKAGED.glob("models/*/*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            for test in model.get("data_tests", []):
                if test == "unique_key" or "unique_key" in test:
                    found[model["name"]].append({} if test == "unique_key" else test["unique_key"])
    return found


def test_every_model_has_a_test_of_its_key(pipeline: Pipeline) -> None:
    keys = declared()
    assert [model.name for model in pipeline.models if not keys[model.name]] == []


def test_keys_of_what_lives_for_a_year_are_not_tested_after_each(pipeline: Pipeline) -> None:
    declined = {
        name
        for name, tests in declared().items()
        if not any(_after_each_year(test) for test in tests)
    }
    intermediate = {model.name for model in pipeline.intermediates}
    assert declined == intermediate - TESTED_EACH_YEAR
    run = {test.name for step in Step for test in pipeline.tests_of(step)}
    assert not {test.name for test in pipeline.tests if not test.in_years} & run
    of_events = {"unique_key_fct_yearly_events_event_id"}
    assert sum(not test.in_years for test in pipeline.tests) == len(declined) + len(of_events)


def test_the_key_of_what_is_kept_is_declared_once_and_of_the_year_in_hand(
    pipeline: Pipeline,
) -> None:
    keys, by_name = declared(), {test.name: test for test in pipeline.tests}
    for fact in pipeline.yearly_facts:
        assert {} in keys[fact.name], fact.name
        sql = by_name[f"unique_key_{fact.name}_"].sql
        # Else a year costs as much as its history.
        assert ("where simulation_year = " in sql) == fact.has_year
        assert fact.mart is not None
        grouped = re.findall(r"group by (.*)", sql)[0].split(", ")
        assert grouped == [name for name in fact.mart.key if name != "simulation_year"]


def test_the_marts_are_what_the_yaml_of_the_packaged_project_says(pipeline: Pipeline) -> None:
    # Of a run from before marts declared themselves, and on pages of help, that is read.
    assert {mart.name: mart for mart in pipeline.marts} == packaged_marts()
    for mart in pipeline.marts:
        assert mart.description
        assert all(text for _, text in mart.columns), mart.name


def _after_each_year(test: Mapping[str, Any]) -> bool:
    return test.get("config", {}).get("meta", {}).get("after_each_year", True)


# --- doors and layers


def test_a_source_is_named_in_one_place() -> None:
    named: dict[str, list[str]] = defaultdict(list)
    for name, text in texts().items():
        for schema, table in re.findall(r'source\(\s*"(\w+)",\s*"(\w+)"\s*\)', text):
            named[f"{schema}.{table}"].append(name)
        direct = re.search(r"\binputs\.", text)
        assert not direct or name in LOADS_SOURCES, name
        assert "source(" not in text or name == "doors" or name.startswith("stg_"), name
    declared_sources = yaml.safe_load((PACKAGED / "models/sources.yml").read_text())["sources"]
    assert named.keys() == {
        f"{source['name']}.{table['name']}"
        for source in declared_sources
        for table in source["tables"]
    }
    assert {source: set(at) for source, at in named.items() if len(at) > 1} == READ_TWICE


def test_tests_reach_sources_through_the_doors_too() -> None:
    for path in PACKAGED.glob("models/*/*.yml"):
        assert not re.search(r"\bfrom inputs\.", path.read_text()), path.name


def test_staging_models_rest_on_sources_and_reference_tables(pipeline: Pipeline) -> None:
    staging = {model.name: model for model in pipeline.models if model.step is Step.SETUP}
    assert all(name.startswith("stg_") for name in staging)
    resting = {name: set(model.depends_on) for name, model in staging.items() if model.depends_on}
    assert resting == STAGING_ON_STAGING
    assert not [
        m.name for m in pipeline.models if m.name.startswith("stg_") and m.name not in staging
    ]


# --- pages


@pytest.mark.parametrize(
    "path", sorted(PACKAGED.glob("models/*/*.sql")), ids=lambda path: str(path.stem)
)
def test_a_model_begins_with_its_page(path: Path) -> None:
    first = path.read_text().partition("\n")[0]
    found = re.fullmatch(r"-- (docs/method/[\w-]+\.md)(?:#([\w-]+))?", first)
    assert found, f"begins with {first!r}, not with the page of docs/method that explains it"
    page, anchor = found.groups()
    assert not anchor or anchor in anchors(ROOT / page)
    index = (ROOT / "docs/method/index.md").read_text()
    [row] = re.findall(rf"^\| \[.*\]\({Path(page).name}\) \| (.*) \|$", index, re.MULTILINE)
    assert f"`{path.stem}`" in row, f"the index of docs/method has it not at {page}"


def test_the_index_of_the_method_names_models_that_there_are() -> None:
    named = re.findall(r"`((?:stg|int|fct|dim)_\w+)`", (ROOT / "docs/method/index.md").read_text())
    assert set(named) == {path.stem for path in PACKAGED.glob("models/*/*.sql")}
