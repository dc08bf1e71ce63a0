"""The dbt unit tests are dbt's affair: the engine runs data tests, by their names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import yaml

from planalign.engine.compiler import pipeline_for
from planalign.engine.project import Project

if TYPE_CHECKING:
    from pathlib import Path


def _files() -> list[Path]:
    return sorted(Project.at(None).folder.rglob("unit_tests/*.yml"))


def _tests_in(file: Path) -> list[dict[str, object]]:
    return yaml.safe_load(file.read_text())["unit_tests"]


def _unit_tests() -> list[dict[str, object]]:
    return [test for file in _files() for test in _tests_in(file)]


def test_the_unit_tests_of_a_model_are_in_one_file_named_after_it() -> None:
    models = {path.stem: path.parent for path in Project.at(None).folder.rglob("models/**/*.sql")}
    for file in _files():
        assert {test["model"] for test in _tests_in(file)} == {file.stem}
        assert models[file.stem] == file.parent.parent


def test_the_pipeline_has_no_unit_test() -> None:
    names = {test["name"] for test in _unit_tests()}
    assert len(names) >= 20
    pipeline = pipeline_for(Project.at(None))
    # A name that both share would make `dbt test --select` run both.
    assert not names & {test.name for test in pipeline.tests}
    assert not names & {model.name for model in pipeline.models}


def test_names_of_unit_tests_are_unique() -> None:
    repeated = {
        name for name, times in Counter(t["name"] for t in _unit_tests()).items() if times > 1
    }
    assert not repeated
