"""A run proven again by another process: later, elsewhere, and with the other DuckDB."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from planalign.census import generate_census

CONFIG = """\
census: census.parquet
simulation: {start_year: 2025, end_year: 2026, random_seed: 7, replicates: 2}
scenarios: {baseline: {}, exact: {workforce: {alignment: exact}}}
"""
OTHER_DUCKDB = Path(sys.prefix) / "other-duckdb"


def planalign(folder: Path, *arguments: object, **variables: str):
    return subprocess.run(
        [sys.executable, "-m", "planalign", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a run, whose files were moved elsewhere afterwards."""
    made = tmp_path / "made"
    made.mkdir()
    generate_census(200, 7, made / "census.parquet")
    (made / "planalign.yaml").write_text(CONFIG)
    done = planalign(made, "simulate", "--output", "run", "--no-cache", "--replicate", "1")
    assert done.returncode == 0, done.stderr
    return made.rename(tmp_path / "moved")


def test_an_archived_run_is_proven_on_either_duckdb(project):
    assert planalign(project, "verify", "--against", "run").returncode == 2  # census has moved
    arguments = ("verify", "--against", "run/provenance.json", "--census", "census.parquet")

    here = planalign(project, *arguments, "--json")
    there = planalign(project, *arguments, PYTHONPATH=str(OTHER_DUCKDB))

    assert here.returncode == 0, here.stderr
    document = json.loads(here.stdout)
    assert (document["identical"], document["changes"]) == (True, [])
    assert there.returncode == 0, there.stderr
    assert there.stdout.startswith("Not as recorded: versions of duckdb: ")
    assert f"Identical: {document['fingerprint_a']['all']}" in there.stdout
    assert sorted(path.name for path in project.iterdir()) == [
        "census.parquet", "planalign.yaml", "run"
    ]  # fmt: skip


def test_another_model_is_told_and_its_difference_named(project):
    """The models of today take the highest pay for the lowest."""
    packaged = Path(__file__).parents[2] / "src" / "planalign" / "dbt"
    shutil.copytree(packaged, project / "models", ignore=shutil.ignore_patterns("target", "logs"))
    model = next((project / "models").rglob("fct_compensation_trends.sql"))
    model.write_text(model.read_text().replace("min(", "max("))
    (project / "today.yaml").write_text(f"{CONFIG}dbt_project: models\n")

    done = planalign(project, "verify", "--against", "run", "--config", "today.yaml", "--json")

    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert [one["what"] for one in document["changes"]] == ["fingerprints.models"]
    [difference] = document["differences"]
    assert difference["mart"] == "fct_compensation_trends"
    assert list(difference["rows"][0]["columns"]) == ["minimum_compensation"]
