"""What a dbt user types in the project folder: parse, build, run again, test, docs.

Each command has a process of its own, begun by one that has imported dbt already.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.engine.compiler import pipeline_for
from planalign.engine.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


class DbtFolder:
    """A copy of the packaged project, as it leaves the wheel."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self._variables = variables
        shutil.copytree(
            Project.at(None).folder, folder, ignore=shutil.ignore_patterns("target", "logs")
        )

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DBT_", "PLANALIGN_"))
        }
        environment.update(self._variables)
        return subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def results(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "target" / "run_results.json").read_text())["results"]

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table of the project, its rows in order."""
        with duckdb.connect(str(self.folder / "results.duckdb"), read_only=True) as connection:
            names = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'main'"
            ).fetchall()
            return {
                name: connection.execute(f'select * from "{name}" order by all').fetchall()
                for (name,) in names
            }

    def set_year(self, year: int) -> None:
        with duckdb.connect(str(self.folder / "results.duckdb")) as connection:
            connection.execute("update inputs.control set simulation_year = ?", [year])


class Session:
    """The commands of this module in their order."""

    def __init__(self, project: DbtFolder) -> None:
        self.project = project
        self.parsed = project.dbt("parse", "--no-partial-parse", "--show-all-deprecations")
        self.built = project.dbt("build")
        self.build_results = project.results()
        self.after_build = project.tables()
        self.rerun = project.dbt("run")
        self.after_rerun = project.tables()
        # Without the unit tests, which look at no table and were part of the build.
        self.tested = project.dbt("test", "--exclude", "test_type:unit")
        self.test_results = project.results()
        self.documented = project.dbt("docs", "generate")
        project.set_year(2026)
        self.next_year = project.dbt("run")
        self.after_next_year = project.tables()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, warm_dbt: Mapping[str, str]) -> Session:
    return Session(DbtFolder(tmp_path_factory.mktemp("dbt") / "project", warm_dbt))


def _by_year(rows: dict[str, list[tuple[Any, ...]]], year: int) -> dict[str, list[tuple[Any, ...]]]:
    facts = pipeline_for(Project.at(None)).yearly_facts
    positions = {
        fact.name: [column.name for column in fact.columns].index("simulation_year")
        for fact in facts
        if any(column.name == "simulation_year" for column in fact.columns)
    }
    return {
        name: [row for row in rows[name] if row[position] == year]
        for name, position in positions.items()
    }


def kinds_of(results: list[dict[str, Any]]) -> Counter[str]:
    return Counter(result["unique_id"].partition(".")[0] for result in results)


def test_parse_shows_no_warning(session: Session) -> None:
    assert session.parsed.returncode == 0, session.parsed.stdout
    said = session.parsed.stdout.lower()
    assert "deprecat" not in said
    assert "warning" not in said


def test_build_of_the_bare_folder_simulates_the_sample_company(session: Session) -> None:
    assert session.built.returncode == 0, session.built.stdout
    statuses = {result["status"] for result in session.build_results}
    assert statuses == {"success", "pass"}
    assert kinds_of(session.build_results)["unit_test"] >= 100
    snapshot = _by_year(session.after_build, 2025)["fct_workforce_snapshot"]
    assert len(snapshot) > 200


def test_the_models_run_again_leave_the_same_rows(session: Session) -> None:
    assert session.rerun.returncode == 0, session.rerun.stdout
    assert session.after_rerun == session.after_build


def test_tests_pass_on_their_own(session: Session) -> None:
    assert session.tested.returncode == 0, session.tested.stdout
    kinds = kinds_of(session.test_results)
    assert (kinds["test"], kinds["unit_test"]) == (len(pipeline_for(Project.at(None)).tests), 0)


def test_docs_know_every_model_and_source(session: Session) -> None:
    assert session.documented.returncode == 0, session.documented.stdout
    catalog = json.loads((session.project.folder / "target" / "catalog.json").read_text())
    documented = {key.split(".")[-1] for key in {**catalog["nodes"], **catalog["sources"]}}
    pipeline = pipeline_for(Project.at(None))
    assert {model.name for model in pipeline.models} <= documented
    assert {source.name for source in pipeline.sources} <= documented
    assert not catalog["errors"]


def test_the_year_after_is_appended(session: Session) -> None:
    assert session.next_year.returncode == 0, session.next_year.stdout
    assert _by_year(session.after_next_year, 2025) == _by_year(session.after_build, 2025)
    appended = _by_year(session.after_next_year, 2026)
    assert all(appended.values()), [name for name, rows in appended.items() if not rows]


def test_the_sample_inputs_are_what_the_tool_writes() -> None:
    tool = ROOT / "tools" / "declared.py"
    found = subprocess.run(
        [sys.executable, str(tool), "--check"], check=False, capture_output=True, text=True
    )
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
