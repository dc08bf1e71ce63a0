"""Lines of a template, and what of a file reaches the compiled models."""

from __future__ import annotations

import pytest

from planalign.engine.templates import (
    reads_descriptions,
    source_lines,
    uses,
    uses_in,
    what_counts,
)

SOURCE = """\
-- why
with a as (
    select * from {{ ref("int_b") }}
)

select
    one,
    {{ money(
        "two"
    ) }} as two,
    three
from a
"""
COMPILED = """\
-- why
with a as (
    select * from "results"."main"."int_b"
)

select
    one,
    round(two, 2)
    ::decimal(15, 2) as two,
    three
from a"""


@pytest.mark.parametrize(
    ("compiled", "lines"),
    [(1, (1, 1)), (3, (3, 3)), (7, (7, 7)), (8, (8, 10)), (9, (8, 10)), (10, (11, 11)), (99, None)],
)
def test_a_line_is_found_again_and_what_jinja_gave_between_its_neighbours(compiled, lines):
    assert source_lines(SOURCE, COMPILED, compiled) == lines


def test_names_are_those_of_the_jinja_alone_with_their_lines():
    text = "-- var(\n{# env_var #}{% do adapter.dispatch('run_query') %}\n'{{ var('x') | upper }}'"
    assert [(one.name, one.attribute, one.line) for one in uses(text)] == [
        ("adapter", "dispatch", 2), ("var", "", 3), ("upper", "", 3)
    ]  # fmt: skip


def test_what_a_template_sets_is_no_name_from_outside():
    text = (
        "{% macro m(model, n: int = 2) %}{{ model }}{{ caller() }}{{ kwargs }}{% endmacro %}"
        "{% test t(model, column) %}{{ model }}{% for x in column %}{{ loop.last }}{% endfor %}"
        "{% endtest %}{% set a = [1] %}{% do a.append(2) %}{{ a[0] }}"
    )
    assert [*uses(text)] == []
    [one] = uses("{% if 1 %}{% set a = 1 %}{% endif %}{{ a }}")  # on one way alone
    assert one.is_set


def test_in_yaml_the_values_are_looked_at_as_dbt_reads_them(tmp_path):
    file = tmp_path / "a.YML"
    file.write_text(
        "# {{ comment() }}\n"
        'a: &a "\\x7b\\x7b one() \\x7d\\x7d"\n'
        "b: [*a, '{{ two() }}']\n"
        "c: |\n  text\n  {{ three() }}\n"
        '"{{ four() }}": 1\n'
        "metrics: [{filter: \"{{ Dimension('a') }} > 1\"}]\n"
    )
    assert {(one.name, one.line) for one in uses_in(file)} == {
        ("one", 2), ("two", 3), ("three", 6), ("four", 7)
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a.sql", "a.SQL", "a.yaml", "a.Yaml"])
def test_files_are_known_in_capitals_too(tmp_path, name):
    (tmp_path / name).write_text("'{{ one() }}'")
    assert [one.name for one in uses_in(tmp_path / name)] == ["one"]


MODEL = """
models:
  - name: a
    description: plain
    columns:
      - {name: b, description: plain, data_type: INTEGER, data_tests: [not_null]}
unit_tests:
  - {name: u, model: a, given: [], expect: {rows: []}}
"""


def counts(folder, name, text, *, with_descriptions=False):
    file = folder / name
    file.write_text(text)
    return what_counts(file, with_descriptions=with_descriptions)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("description: plain\n", "description: other\n"),
        ("description: plain,", "description: other,"),
        ("rows: []", "rows: [{b: 1}]"),
        ("unit_tests:", "\n# a comment\nunit_tests:"),
    ],
)
def test_descriptions_comments_and_unit_tests_reach_no_model(tmp_path, old, new):
    assert old in MODEL
    changed = MODEL.replace(old, new)
    assert counts(tmp_path, "a.yml", changed) == counts(tmp_path, "a.yml", MODEL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("INTEGER", "BIGINT"),
        ("[not_null]", "[unique]"),
        ("[not_null]", "[{own: {description: other}}]"),
        ("name: a", "name: c"),
        ("description: plain\n", "description: '{{ doc(1) }}'\n"),
    ],
)
def test_all_else_in_yaml_counts(tmp_path, old, new):
    assert old in MODEL
    changed = MODEL.replace(old, new)
    assert counts(tmp_path, "a.yml", changed) != counts(tmp_path, "a.yml", MODEL)


def test_where_a_template_reads_descriptions_they_count(tmp_path):
    model = tmp_path / "m.sql"
    model.write_text("-- description\nselect 1")
    assert not reads_descriptions(model)
    model.write_text("select '{{ model.description }}'")
    assert reads_descriptions(model)
    changed = MODEL.replace("description: plain\n", "description: other\n")
    assert counts(tmp_path, "a.yml", changed, with_descriptions=True) != counts(
        tmp_path, "a.yml", MODEL, with_descriptions=True
    )


def test_a_suffix_in_capitals_is_the_same_kind_of_file(tmp_path):
    assert counts(tmp_path, "a.YML", "a: 1 # one") == counts(tmp_path, "a.YML", "a: 1")
    assert counts(tmp_path, "a.SQL", "{# one #}select 1") == counts(
        tmp_path, "a.SQL", "{##}select 1"
    )
    assert counts(tmp_path, "a.CSV", "a\n1\n") == b""
    (tmp_path / "m.SQL").write_text("{{ model.description }}")
    assert reads_descriptions(tmp_path / "m.SQL")


def test_of_a_template_all_counts_but_comments_of_jinja(tmp_path):
    one = counts(tmp_path, "a.sql", "{# one #}select 1")
    assert counts(tmp_path, "a.sql", "{# two #}select 1") == one
    for other in (
        "{# one -#} select 1",
        "{# one #} select 1",
        "select 1 -- two",
        "{# one #}select '{# #}2'",
    ):
        assert counts(tmp_path, "a.sql", other) != one
