"""What of Jinja a project may use: names that give the same in each command."""

from __future__ import annotations

import pytest
from dbt.context import base, configured, providers

from planalign.engine import dbt_rules
from planalign.engine.dbt_rules import RULES
from planalign.engine.project import Project


def macro(name, text, package="dbt", path="macros/own.sql", calls=()):
    return {
        "unique_id": f"macro.{package}.{name}",
        "name": name,
        "package_name": package,
        "original_file_path": path,
        "macro_sql": text,
        "depends_on": {"macros": [f"macro.dbt.{one}" for one in calls]},
    }


MACROS = [
    macro("own", "{% macro own() %}1{% endmacro %}", "planalign"),
    macro("load_sample_inputs", "", "planalign", "macros/sample_inputs.sql"),
    macro("run_query", "{% macro run_query(s) %}{% endmacro %}", calls=["statement"]),
    macro("statement", "{% macro statement() %}{{ adapter.execute() }}{% endmacro %}"),
    macro("type_string", "{% macro type_string() %}{{ api.Column }}{% endmacro %}"),
]


def told(tmp_path, text, name="models/events/m.sql", node=None):
    """Return what is refused of a project with one file."""
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    manifest = {
        "metadata": {"project_name": "planalign"},
        "macros": {one["unique_id"]: one for one in MACROS},
        "nodes": {} if node is None else {"n": node},
    }
    found = [*dbt_rules._of_jinja(manifest, Project(tmp_path))]
    assert all(one.remedy == RULES["run"].remedy for one in found)
    assert all(one.file == str(file) for one in found)
    return [(one.message.removeprefix("Jinja uses "), one.line) for one in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ model.created_at }}", "model.created_at"),
        ("{{ range(9) | random }}", "the filter random"),
        ("{{ [[1, 2]] | map('random') | list }}", "the filter map with another one"),
        ("{{ [[1, 2]] | map('ran' ~ 'dom') | list }}", "the filter map with another one"),
        ("{{ lipsum() }}", "lipsum"),
        ("{{ set(['a', 'b']) | join }}", "set"),
        ("{{ dbt_metadata_envs }}", "dbt_metadata_envs"),
        ("{{ render('{' ~ '{ env_v' ~ 'ar(1) }' ~ '}') }}", "render"),
        ("{{ thread_id }}", "thread_id"),
        ("{{ this }}", "this"),
        ("{{ ref | string }}", "ref without a call"),
        ("{{ config.get }}", "config.get without a call"),
        ("{{ config.model.created_at }}", "config.model"),
        ("{{ 'a' ~ source }}", "source without a call"),
        ("{{ own }}", "own without a call"),
        ("{{ own(ref) }}", "ref without a call"),
        ("{% set a = ref %}", "ref without a call"),
        ("{{ dbt['run_query']('select 1') }}", "dbt"),
        ("{{ dbt.run_query('select 1') }}", "dbt.run_query"),
        ("{{ run_query('select 1') }}", "run_query"),
        ("{{ load_sample_inputs() }}", "load_sample_inputs"),
        ("{{ adapter.dispatch('run_' ~ 'query')() }}",
         "adapter.dispatch with a name that is not written out"),
        ("{{ adapter.execute('select 1') }}", "adapter.execute"),
        ("{{ exceptions.warn('a') }}", "exceptions.warn"),
        ("{% if false %}{% set env_var = 1 %}{% endif %}{{ env_var('HOME') }}", "env_var"),
        ("{% macro a(var) %}{{ var }}{% endmacro %}{{ var('a') }}", "var"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_in_each_command_is_refused(tmp_path, text, words):
    assert told(tmp_path, f"select 1\n{text}") == [(words, 2)]


def test_a_suffix_in_capitals_hides_nothing(tmp_path):
    for name in ("macros/UP.SQL", "models/a.YML", "tests/a.Yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert told(tmp_path, "'{{ env_var(1) }}'", name) == [("env_var", 1)]
        (tmp_path / name).unlink()


def test_an_escape_of_yaml_hides_nothing(tmp_path):
    text = "models:\n  - enabled: \"\\x7b\\x7b env_var('A') == 'b' \\x7d\\x7d\"\n"
    assert told(tmp_path, text, "models/a.yml") == [("env_var", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ config(materialized='table') }}{{ config.get('a') }}select * from {{ ref('a') }}",
        "{% set a = namespace(b=1) %}{% for c in range(2) %}{% set a.b = c %}{% endfor %}{{ a.b }}",
        "{% macro a(b, c=none) %}{% do return(b or c) %}{% endmacro %}{{ own() }}",
        "{{ adapter.dispatch('own')() }}{{ adapter.dispatch(macro_name='own')() }}",
        "{{ dbt.type_string() }}{{ type_string() }}{{ planalign.own() }}",
        "{% test a(model, b) %}select {{ b | join }} from {{ model }}{% endtest %}",
        "{% for a, b in {'c': 1}.items() %}{{ a if not loop.last else b }}{% endfor %}",
        "{% if 1 %}{% set a = 1 %}{% endif %}{{ a }}",
        "{% if 2 > 1 %}{{ exceptions.raise_compiler_error('no') }}{% endif %}",
        "{{ tojson(fromjson('{}')) }}{% for a, b in zip([1], [2]) %}{{ a }}{% endfor %}",
        "{{ [{'a': 1}] | map(attribute='a') | map('string') | join(', ') }}",
        "{% call own() %}a{% endcall %}{% raw %}{{ env_var('A') }}{% endraw %}{# var('b') #}",
    ],
)
def test_what_is_the_same_in_each_command_is_taken(tmp_path, text):
    assert told(tmp_path, text) == []


def test_the_hooks_of_the_project_call_the_macros_of_the_engine(tmp_path):
    text = "on-run-start: ['{{ load_sample_inputs() }}']\n"
    assert told(tmp_path, text, "dbt_project.yml") == []


def test_what_is_no_template_is_told(tmp_path):
    [(message, _)] = told(tmp_path, "{% snapshot a %}{% endsnapshot %}")
    assert message.startswith("no template that can be looked into (line 1: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"compiled_code": "select '<built-in method items of dict object at 0x7f3a>'"},
         "the Jinja of model m writes where an object is in memory"),
        ({"depends_on": {"macros": ["macro.dbt.run_query"]}},
         "model m calls statement of dbt, which uses adapter"),
    ],
)  # fmt: skip
def test_what_no_name_shows_is_found_in_what_it_gives_or_calls(tmp_path, change, words):
    node = {
        "resource_type": "model",
        "language": "sql",
        "name": "m",
        "original_file_path": "models/events/m.sql",
        "depends_on": {"macros": []},
        "compiled_code": "select 1",
        **change,
    }
    assert told(tmp_path, "{{ {}.items }}", node=node) == [(words, None)]


def test_every_name_of_dbts_context_is_taken_or_not():
    names = {
        name
        for module in (base, configured, providers)
        for one in vars(module).values()
        for name in getattr(one, "_context_members_", ())
    }
    assert len(names) > 50
    assert names <= dbt_rules._OF_A_RUN | dbt_rules._TAKEN_OF_JINJA.keys()
