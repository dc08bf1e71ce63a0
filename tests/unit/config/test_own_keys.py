"""Columns and parameters that a study adds: their names, what they hold, how they merge."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.census.columns import OWN_TYPES
from planalign.config import to_yaml
from planalign.config.own import COLUMN_TYPES, RESERVED, names_in_use

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.config import Config
    from planalign.errors import Problem

    Load = Callable[..., Config]
    Refuse = Callable[..., list[Problem]]


def test_the_types_of_a_column_are_those_that_a_census_is_read_by() -> None:
    assert set(COLUMN_TYPES) == OWN_TYPES.keys()


def test_every_reserved_word_of_duckdb_is_refused() -> None:
    words = duckdb.sql(
        "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
    ).fetchall()
    assert {word for (word,) in words} <= RESERVED | names_in_use()


def test_a_column_of_each_type_is_taken_and_may_be_mapped(load_text: Load) -> None:
    config = load_text("""
        extra_columns:
          {location: text, grade: integer, score: number, joined: date, remote: boolean}
        census_columns: {location: SITE, employee_id: ID}
    """)
    assert dict(config.extra_columns) == {
        "location": "text",
        "grade": "integer",
        "score": "number",
        "joined": "date",
        "remote": "boolean",
    }
    assert dict(config.census_columns) == {"employee_id": "ID", "location": "SITE"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("department", "hides a name that the models use"),
        ("job_level", "hides a name that the models use"),
        ("match_balance", "hides a name that the models use"),
        ("group", "is a word of SQL"),
        ("user", "is a word of SQL"),
        ("Location", "is not a name"),
        ("2nd", "is not a name"),
        ("a" * 64, "is not a name"),
        ("site-code", "is not a name"),
    ],
)
def test_a_column_has_a_name_of_its_own(problems: Refuse, name: str, message: str) -> None:
    [problem] = problems(f"census: c.csv\nextra_columns:\n  {name!r}: text\n")
    assert (problem.message, problem.line) == (message, 3)
    assert problem.column == f"extra_columns.{name}"


def test_all_that_is_wrong_with_columns_is_told_at_once(problems: Refuse) -> None:
    found = problems("""
        extra_columns: {location: txt, select: text, union: boolean}
        census_columns: {locations: SITE}
    """)
    assert [(one.column, one.message) for one in found] == [
        ("extra_columns.location", "is not a type of a column"),
        ("extra_columns.select", "is a word of SQL"),
        ("extra_columns.union", "is a word of SQL"),
        ("census_columns.locations", "is not a census column"),
    ]
    assert "Did you mean location?" in found[-1].remedy


def test_a_scenario_changes_the_parameters_that_it_names(load_text: Load) -> None:
    config = load_text("""
        parameters: {factor: {2025: 1.4, 2027: 1.0}, hub: Austin}
        scenarios:
          base: {}
          calm: {parameters: {factor: 1}}
          more: {parameters: {further: 2.5}}
    """)
    given = {name: dict(one.parameters) for name, one in config.scenarios.items()}
    factor = {2025: Decimal("1.4"), 2027: Decimal(1)}
    assert given == {
        "base": {"factor": factor, "hub": "Austin"},
        "calm": {"factor": Decimal(1), "hub": "Austin"},
        "more": {"factor": factor, "hub": "Austin", "further": Decimal("2.5")},
    }


def test_a_configuration_with_its_own_is_written_and_read_again(load_text: Load) -> None:
    config = load_text("""
        extra_columns: {location: text}
        models: models
        parameters: {factor: {2025: 1.4, 2027: 1.0}, hub: "2025", other: x}
        scenarios: {base: {}, calm: {parameters: {factor: 1}}}
    """)
    assert load_text(to_yaml(config)) == config


def test_parameters_are_refused_at_their_place(problems: Refuse) -> None:
    found = problems("""
        parameters:
          factor: {2025: 1.4, 2026: [1]}
          late: {2027: 1}
          Hub: Austin
          precise: 0.1234567
          empty: ""
    """)
    assert {(one.line, one.column) for one in found} == {
        (3, "parameters.factor.2026"),
        (4, "parameters.late"),
        (5, "parameters.Hub"),
        (6, "parameters.precise"),
        (7, "parameters.empty"),
    }


def test_models_lie_in_the_folder_of_the_study(problems: Refuse) -> None:
    [problem] = problems("models: ../models")
    assert (problem.column, problem.message) == (
        "models",
        "leads out of the folder of the configuration",
    )
