"""What not every runner does alike is refused: all of it at once, with model, file and line."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from planalign.census import generate_census
from planalign.cli.app import app
from planalign.engine.compiler import compile_project, pipeline_for
from planalign.engine.dbt_rules import RULES, SOURCES, refused
from planalign.engine.project import Project
from planalign.errors import ModelError, ProjectError
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("dbt_is_warm")

HIRES = '{{ ref("int_hiring_events") }}'
# By file: its text, and the rule, or the words of DuckDB, that it must be refused with at
# a line, None where the fault is of no line.
REFUSED = {
    "models/events/int_python.py": (
        "def model(dbt, session):\n    return dbt.ref('int_hiring_events')\n",
        [("python", None)],
    ),
    "models/events/int_alias.sql": (
        "{{ config(alias='other', schema='mine') }}\nselect 1 as a\n",
        [("relation", None)],
    ),
    "models/events/int_hook.sql": (
        "{{ config(post_hook='select 1', sorted_by='a') }}\nselect 1 as a\n",
        [("hook", None), ("config", None)],
    ),
    "models/events/int_index.sql": (
        "{{ config(indexes=[{'columns': ['a'], 'unique': true}]) }}\nselect 1 as a\n",
        [("index", None)],
    ),
    "models/snapshot/int_kept.sql": (
        "{{ config(materialized='table', contract={'enforced': false}) }}\nselect 1 as a\n",
        [("kept", None)],
    ),
    "models/setup/dim_seen.sql": (
        "{{ config(materialized='view') }}\nselect 1 as a\n",
        [("view", None)],
    ),
    "models/snapshot/fct_bare.sql": (
        "{{ config(contract={'enforced': false}) }}\nselect 1 as a\n",
        [("contract", None), ("contract", None), ("mart", None)],
    ),
    "models/snapshot/fct_doubled.sql": (
        "select scenario_id\nfrom {{ ref('fct_yearly_events') }}\n",
        [("contract", None), ("block", 2), ("mart", None)],
    ),
    "models/snapshot/own.yml": (
        "models:\n"
        "  - name: fct_odd\n"
        "    config: {meta: {key: [b], order: a, sheet: {title: Inputs, place: 1}}}\n"
        "    columns: [{name: a, data_type: INTEGER}]\n"
        "  - name: costs\n"
        "    config: {meta: {key: [a]}}\n"
        "    columns: [{name: a, data_type: INTEGER}]\n"
        "  - name: fct_same_sheet\n"
        "    config: {meta: {key: [a], sheet: {title: event SUMMARY, place: 1}}}\n"
        "    columns: [{name: a, data_type: INTEGER}]\n"
        "  - name: fct_keyless\n"
        "    columns: [{name: a, data_type: INTEGER}]\n"
        "    data_tests: [unique_key]\n",
        [
            ("model fct_odd has a column in its key that it does not declare", 2),
            ("model fct_odd has an odd order", 2),
            ("model fct_odd has an odd sheet", 2),
            ("model costs is yearly, and no reader would see it", 5),
            ("model fct_same_sheet declares a sheet that another model declares too", 8),
            ("model fct_keyless declares no key", 11),
        ],
    ),
    **{
        f"models/snapshot/{name}.sql": ("select 1::integer as a\n", [])
        for name in ("fct_odd", "costs", "fct_same_sheet", "fct_keyless")
    },
    "models/int_nowhere.sql": ("select 1 as a\n", [("step", None)]),
    "models/validation/int_never_built.sql": (
        "{{ config(materialized='table') }}\nselect 1 as a\n",
        [("step", None)],
    ),
    "models/events/int_incremental.sql": (
        "{{ config(materialized='incremental') }}\nselect 1 as a\n",
        [("materialization", None)],
    ),
    "models/events/int_constraint.sql": ("select 1 as a\n", [("constraint", None)]),
    "models/baseline/int_early.sql": (f"select * from {HIRES}\n", [("order", 1)]),
    "models/events/int_last_year.sql": (
        'select * from {{ source("state", "prior_snapshot") }}\n',
        [("prior", None)],
    ),
    "models/events/int_chance.sql": (
        "select\n    random() as a,\n    current_date as b,\n    {{ stamp() }} as c\n"
        f"from {HIRES}\nusing sample 5\n",
        [("volatile", 2), ("volatile", 3), ("volatile", 4), ("sample", None)],
    ),
    "models/events/int_file.sql": (
        "select 1 as a\nfrom range(2), 'x.parquet', glob('*')\n"
        "union all\nselect 1 as a from results.main.stg_census_data\n",
        [("table", 2), ("table", 4), ("table function", ...)],
    ),
    "models/events/int_pivot.sql": (
        "pivot (select 1 as a, 2 as b) on a using sum(b)\n",
        [("query", None)],
    ),
    "models/events/int_empty.sql": ("", [("query", None)]),
    "models/events/int_comment.sql": ("-- {{ 'later' }}\n", [("query", None)]),
    "tests/assert_empty.sql": ("{# later #}\n", [("query", None)]),
    "models/events/INT_TWIN.sql": ("select 1 as a\n", []),
    "models/events/lower/int_twin.sql": ("select 1 as a\n", [("name", None)]),
    "models/setup/Run_Years.sql": ("select 1 as a\n", [("name", None)]),
    "models/setup/stg_new__dbt_tmp.sql": ("select 1 as a\n", [("name", None)]),
    "models/setup/DIM_SEEN_TOO.SQL": (
        "{{ config(materialized='view') }}\nselect 1 as a\n",
        [("view", None)],
    ),
    "models/events/int_misspelt.sql": (
        f"-- why\nwith a as (\n    select * from {HIRES}\n)\n\nselect\n    employee_idd\nfrom a\n",
        [('model int_misspelt: Binder Error: Referenced column "employee_idd" not found', 7)],
    ),
    # Of what rests on a faulty model, what cannot come from there.
    "models/events/int_after.sql": (
        'select\n    employee_idd,\n    elsewhere\nfrom {{ ref("int_misspelt") }}\n',
        [('model int_after: Binder Error: Referenced column "elsewhere" not found', 3)],
    ),
    "models/events/int_above_alias.sql": (
        'select absent from {{ ref("int_alias") }}\n',
        [],
    ),
    "models/events/int_syntax.sql": (
        f"select\n    employee_id,\n    case when then 1\nfrom {HIRES}\n",
        [("model int_syntax: Parser Error: syntax error at or near", 3)],
    ),
    "models/events/int_in_macro.sql": (
        f'select\n    {{{{ cents(\n        "absent"\n    ) }}}} as a\nfrom {HIRES}\n',
        [("(between lines 2 and 4, in what Jinja gives there)", 2)],
    ),
    "tests/assert_misspelt.sql": (
        f"select absent\nfrom {HIRES}\n",
        [('test assert_misspelt: Binder Error: Referenced column "absent"', 1)],
    ),
    "tests/assert_stored.sql": (
        f"{{{{ config(store_failures=true) }}}}\nselect 1 as a from {HIRES} where false\n",
        [("config", None)],
    ),
    "tests/assert_seldom.sql": (
        "{{ config(meta={'after_each_year': 'no'}) }}\nselect 1 as a where false\n",
        [("years", None)],
    ),
    "macros/own.sql": (
        "{% macro stamp() %}{% set x = run_query('select 1') %}now(){% endmacro %}\n\n"
        "{% macro who() %}{{ env_var('HOME') }}{% endmacro %}\n"
        "{% macro duckdb__create_table_as(a, b, c) %}{% endmacro %}\n",
        [("run", 1), ("run", 3), ("override", None)],
    ),
    "macros/UP.SQL": (
        "{% macro loud() %}\n{{ thread_id }}{{ range(9) | random }}{{ ref | string }}"
        "{% endmacro %}\n",
        [("Jinja uses thread_id", 2), ("the filter random", 2), ("ref without a call", 2)],
    ),
    "models/events/hidden.YML": (
        "models:\n  - name: int_misspelt\n"
        "    description: \"\\x7b\\x7b env_var('A', 'b') \\x7d\\x7d\"\n",
        [("run", 3)],
    ),
    "snapshots/own.sql": (
        "{% snapshot own %}{{ config(unique_key='a', strategy='check', check_cols='all') }}"
        "select 1 as a{% endsnapshot %}\n",
        [("kind", None)],
    ),
    "models/events/own.yml": (
        "sources:\n  - name: other\n    tables: [{name: elsewhere}]\nmodels:\n"
        "  - name: int_constraint\n    constraints: [{type: check, expression: a > 0}]\n"
        "    data_tests: [unique_key]\n"
        "  - name: int_chance\n    description: \"{{ var('a', 1) }}\"\n",
        [("source", None), ("run", 9), ("mart", None)],
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every fault at once."""
    folder = tmp_path_factory.mktemp("refused") / "models"
    shutil.copytree(PACKAGED, folder)
    for name, (text, _) in REFUSED.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    changed = {
        "models/snapshot/fct_plan_costs.sql": ("scenario_id", "scenario_identity"),
        "macros/yearly.sql": ("{#", "{# changed"),
    }
    for name, (old, new) in changed.items():
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(old, new, 1))
    return folder


@pytest.fixture(scope="module")
def problems(folder: Path) -> list:
    """What is told of it, in one go."""
    with pytest.raises(ProjectError) as caught:
        compile_project(Project.at(folder))
    assert caught.value.exit_code == 1
    return list(caught.value.problems)


@pytest.mark.parametrize("name", REFUSED)
def test_each_is_told_with_its_file_line_and_remedy(problems, folder, name):
    found = [one for one in problems if one.file == str(folder / name)]
    assert len(found) == len(REFUSED[name][1]), [str(one) for one in found]
    for rule, line in REFUSED[name][1]:
        assert [
            one
            for one in found
            if (one.remedy == RULES[rule].remedy if rule in RULES else rule in one.message)
            and line in (one.line, ...)
        ], (rule, line, [str(one) for one in found])


def test_what_the_engine_needs_is_as_it_is_shipped(problems, folder):
    told = {(one.file, one.remedy) for one in problems}
    assert (str(folder / "macros" / "yearly.sql"), RULES["engine"].remedy) in told
    [fact] = [one for one in problems if one.file.endswith("/fct_plan_costs.sql")]
    assert "scenario_id" in str(fact)


def test_every_rule_is_met_by_a_fault(problems):
    """Those of the settings and of what is missing are met below."""
    met = {one.remedy for one in problems}
    unmet = {name for name, rule in RULES.items() if rule.remedy not in met}
    assert unmet == {"package", "folder", "profile", "missing"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packaged project."""
    return shutil.copytree(PACKAGED, tmp_path / "models")


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("dbt_project.yml", ('model-paths: ["models"]', "model-paths: [models, more]"), "folder"),
        ("dbt_project.yml", ("profile: planalign", "profile: mine"), "profile"),
        ("dbt_project.yml", ("seeds:", "on-run-end: [select 1]\nseeds:"), "hook"),
        ("dbt_project.yml", ("seeds:", "packages-install-path: /tmp\nseeds:"), "package"),
        ("dbt_project.yml", ("seeds:", "query-comment: mine\nseeds:"), "config"),
        ("dbt_project.yml", ("  - \"{{ load", "  - select 1\n  - \"{{ load"), "hook"),
        ("profiles.yml", ("schema: main", "schema: main\n      extensions: [spatial]"), "profile"),
    ],
)  # fmt: skip
def test_settings_that_dbt_would_go_by_are_refused_before_it_starts(
    copy, monkeypatch, name, change, rule
):
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("dbt was started"))
    text = (copy / name).read_text()
    assert change[0] in text
    (copy / name).write_text(text.replace(*change, 1))
    with pytest.raises(ProjectError) as caught:
        compile_project(Project.at(copy))
    assert [one.remedy for one in caught.value.problems] == [RULES[rule].remedy]


def test_a_project_without_what_the_engine_needs_is_refused():
    nothing = {
        "metadata": {"project_name": "planalign"}, "nodes": {}, "sources": {}, "macros": {}
    }  # fmt: skip
    found = refused(nothing, Project.at(None))
    told = [one.message for one in found["project"] if one.remedy == RULES["missing"].remedy]
    assert told == [
        "model stg_census_data is not there", "model fct_financial_summary is not there"
    ]  # fmt: skip
    assert "source inputs.census is not there" in [one.message for one in found[SOURCES]]


def test_settings_that_are_none_are_told(copy):
    for text in ("- a list", "{"):
        (copy / "dbt_project.yml").write_text(text)
        with pytest.raises(ModelError, match=r"dbt_project\.yml"):
            compile_project(Project.at(copy))


@pytest.fixture(scope="module")
def compiled():
    """The packaged project, compiled."""
    return pipeline_for(Project.at(None))


@pytest.mark.parametrize(
    "name", ["packages.yml", "dependencies.yml", "dbt_packages/one/macros/money.sql"]
)
def test_a_package_is_refused_also_when_the_project_was_compiled_without_it(
    copy, compiled, tmp_path, monkeypatch, name
):
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(tmp_path / "cache"))
    project = Project.at(copy)
    compiled.save(tmp_path / "cache" / "pipelines" / f"{project.fingerprint}.json")
    assert pipeline_for(project).models
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_text("packages: []\n")
    generate_census(5, 1, tmp_path / "census.parquet")
    command = ["simulate", "--census", str(tmp_path / "census.parquet"), "--no-cache"]
    command += ["--dbt-project", str(copy), "--output", str(tmp_path / "run")]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 1
    assert "a package of dbt" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not [*tmp_path.glob("run*")]
