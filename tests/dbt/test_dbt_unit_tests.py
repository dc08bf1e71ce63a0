"""The dbt unit tests are dbt's affair: the engine runs data tests, by their names."""

from __future__ import annotations

from collections import Counter

import yaml

from planalign.engine.compiler import pipeline_for
from planalign.engine.project import Project


def _unit_tests() -> list[dict[str, object]]:
    files = Project.at(None).folder.glob("models/*/unit_tests.yml")
    return [test for file in files for test in yaml.safe_load(file.read_text())["unit_tests"]]


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
