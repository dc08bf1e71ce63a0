"""What is wrong with a study's own files is found before dbt is started, with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planalign.engine.overlay import lay_over
from planalign.engine.project import PACKAGED, Project
from planalign.engine.source_check import problem_of_words, problems_of_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Told = Callable[..., list[tuple[str, int | None, str]]]


@pytest.fixture
def laid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Project]:
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(tmp_path / "cache"))

    def lay(files: dict[str, str]) -> Project:
        for name, text in files.items():
            file = tmp_path / "models" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("latin-1"))
        return lay_over(Project.at(PACKAGED), tmp_path / "models", {})

    return lay


@pytest.fixture
def told(laid: Callable[[dict[str, str]], Project], tmp_path: Path) -> Told:
    """The file (in the study's folder), line and words of each problem of some files."""

    def problems(files: dict[str, str]) -> list[tuple[str, int | None, str]]:
        found = problems_of_files(laid(files))
        folder = f"{tmp_path / 'models'}/"
        assert all(one.file and one.file.startswith(folder) for one in found)
        told = [(str(one.file).removeprefix(folder), one.line, one.message) for one in found]
        return sorted(told)

    return problems


def test_text_that_cannot_be_read_is_told_all_at_once(told: Told) -> None:
    found = told(
        {
            "fct_accent.sql": "select 1 as a\n-- caf\xe9\n",
            "fct_brace.sql": "select\n    {{ year_in_hand( }} as a\n",
            "fct_block.sql": "{% if true %}\nselect 1 as a\n",
            "fct_brace.yml": "models:\n  - name: fct_brace\n   description: x\n",
        }
    )
    assert [(file, line) for file, line, _ in found] == [
        ("fct_accent.sql", 2),
        ("fct_block.sql", 1),
        ("fct_brace.sql", 2),
        ("fct_brace.yml", 3),
    ]
    assert "UTF-8" in found[0][2]


def test_what_is_there_twice_is_told_of_the_studys_own_file(told: Told) -> None:
    found = told(
        {
            "macros/mine.sql": "\n{% macro year_in_hand() %}2025{% endmacro %}\n",
            "seeds/fct_twice.csv": "a\n1\n",
            "fct_twice.sql": "select 1 as a\n",
        }
    )
    assert [(file, line) for file, line, _ in found] == [
        ("macros/mine.sql", 2),
        ("seeds/fct_twice.csv", None),
    ]
    assert str(PACKAGED / "macros/doors.sql") in found[0][2]


def test_what_a_model_reads_is_there(told: Told) -> None:
    found = told(
        {
            "fct_a.sql": 'select *\nfrom {{ ref("fct_workforce_snapshots") }}\n',
            "fct_b.sql": "select * from {{ ref('planalign', 'fct_a') }}\n",
            "macros/mine.sql": "{% macro mine() %}{{ ref('gone') }}{% endmacro %}\n",
        }
    )
    assert found == [
        ("fct_a.sql", 2, "there is no model or reference table fct_workforce_snapshots"),
        ("macros/mine.sql", 1, "there is no model or reference table gone"),
    ]


def test_models_that_rest_on_each_other_are_told(told: Told) -> None:
    found = told(
        {
            "events/int_a.sql": "select 1 as a\nfrom {{ ref('int_b') }}\n",
            "events/int_b.sql": "select * from {{ ref('int_a') }}\n",
        }
    )
    assert found == [
        ("events/int_a.sql", 2, "model int_a reads int_b, which rests on it"),
        ("events/int_b.sql", 1, "model int_b reads int_a, which rests on it"),
    ]


def test_a_circle_through_our_models_is_told_of_the_studys_own(told: Told) -> None:
    [(file, line, _)] = told(
        {"int_employment.sql": "select * from {{ ref('int_plan_contributions') }}\n"}
    )
    assert (file, line) == ("int_employment.sql", 1)


SAID = {
    "of a macro of ours": (
        "12:00:00  Encountered an error:\nCompilation Error in model int_moves "
        "(models/events/int_moves.sql)\n  with_draws: unknown decision 'moving'; add it\n  \n"
        "  > in macro with_draws (macros/draws.sql)\n"
        "  > called by model int_moves (models/events/int_moves.sql)",
        ("events/int_moves.sql", 2),
    ),
    "of a list that a macro of theirs fills": (
        "12:00:00  Encountered an error:\nCompilation Error in model fct_yearly_events "
        "(models/events/fct_yearly_events.sql)\n  own_events: 'moved' has number 3\n",
        ("macros/own_events.sql", 3),
    ),
    "with its line, of a path in its folder": (
        "12:00:00  Encountered an error:\nParsing Error\n  Error reading planalign: "
        "events/int_moves.sql - Runtime Error\n    Syntax error near line 4\n",
        ("events/int_moves.sql", 4),
    ),
    "of nothing in particular": (
        "12:00:00  Encountered an error:\nRuntime Error\n  no",
        ("", None),
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_the_words_of_dbt_are_told_of_the_studys_own_file(
    laid: Callable[[dict[str, str]], Project], tmp_path: Path, what: str
) -> None:
    project = laid(
        {
            "events/int_moves.sql": "select *\nfrom {{ with_draws('a', ['moving']) }}\n",
            "events/int_others.sql": "-- moved\nselect 1 as a\n",
            "macros/own_events.sql": "{% macro own_events() %}\n{{ return([\nevent('moved', 3)]) }}"
            "{% endmacro %}\n",
        }
    )
    said, (file, line) = SAID[what]
    problem = problem_of_words(said, project)
    assert (problem.file, problem.line) == (str(tmp_path / "models" / file), line)
    assert "Encountered" not in problem.message
    assert "12:00:00" not in problem.message
