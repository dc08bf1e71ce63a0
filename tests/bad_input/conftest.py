"""What tests of bad input share: commands that must refuse, and leave nothing behind."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sound_census import HEADER, SOUND
from typer.testing import CliRunner

from planalign.cli.app import app
from planalign.engine.compiler import pipeline_for
from planalign.engine.project import Project
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planalign.engine.pipeline import Pipeline


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a user, with a sound census and an empty configuration."""
    (tmp_path / "census.csv").write_text(f"{HEADER}\n{SOUND}\n")
    (tmp_path / "planalign.yaml").write_text("census: census.csv\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(folder: Path) -> Callable[..., list[str]]:
    """Run a command that must refuse its input; return the problems that it lists."""

    def run(*arguments: object, listed_on: str = "stderr") -> list[str]:
        before = {*folder.rglob("*")}
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 2, result.output
        assert isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        if listed_on == "stderr":
            assert result.stdout == ""
        # The folder that runs are put into may have been made; no run is in it.
        assert {*folder.rglob("*")} - before <= {folder / "runs"}
        lines = getattr(result, listed_on).splitlines()
        return [line.strip() for line in lines if line.startswith("  ")]

    return run


@pytest.fixture(scope="session")
def compiled() -> Pipeline:
    """The packaged project, compiled."""
    return pipeline_for(Project.at(None))


@pytest.fixture
def changed_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: Pipeline
) -> Callable[..., Path]:
    """Copy the packaged project, with other reference tables.

    Its compiled form is the same but for the fingerprint, so that no test waits for dbt.
    """
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(tmp_path / "cache"))

    def copy(**tables: bytes) -> Path:
        folder = tmp_path / "models"
        shutil.copytree(PACKAGED, folder)
        for name, content in tables.items():
            (folder / "seeds" / f"{name}.csv").write_bytes(content)
        project = Project.at(folder)
        replace(compiled, fingerprint=project.fingerprint).save(
            tmp_path / "cache" / "pipelines" / f"{project.fingerprint}.json"
        )
        return folder

    return copy
