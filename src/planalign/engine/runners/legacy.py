"""Run every model with its own dbt process: the baseline of every speed-up.

Kept fair: variables never change and the profile never changes, so that dbt's
partial parsing works from the second command on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from planalign.engine.runners.base import FinishedChecks, Timing, model_error, names_of
from planalign.engine.runners.dbt_command import FOLDER, arguments, checks, environment
from planalign.errors import EnvironmentFaultError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.engine.database import Database
    from planalign.engine.pipeline import Pipeline, Step
    from planalign.engine.project import Project


class LegacyRunner:
    """One `dbt run --select MODEL` process per model."""

    name = "legacy"
    overlaps_steps = False

    def __init__(self, project: Project, pipeline: Pipeline, database: Database) -> None:
        self._project = project
        self._pipeline = pipeline
        self._database = database

    def load_seeds(self) -> None:
        """Run `dbt seed`."""
        done = self._run(["seed", "--full-refresh"])
        if done.returncode != 0:
            raise ModelError(f"dbt seed failed:\n{done.stdout}{done.stderr}")

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Run the models of the steps one after the other, in dependency order."""
        groups = (group for step in steps for group in self._pipeline.groups(step))
        for model in (model for group in groups for model in group):
            started = time.perf_counter()
            done = self._run(["run", "--select", model.name])
            if done.returncode != 0:
                raise model_error(model, self.name, done.stdout + done.stderr)
            seconds = time.perf_counter() - started
            yield Timing(model.name, model.step, started, seconds, "process")

    def start_tests(self, step: Step) -> FinishedChecks:
        """Run the step's data tests with one dbt process."""
        started = time.perf_counter()
        names = names_of(self._pipeline, step)
        if not names:
            return FinishedChecks([])
        done = self._run(["test", "--select", *names])
        results = self._results()
        if not results:
            raise ModelError(f"dbt test failed:\n{done.stdout}{done.stderr}")
        found = {
            result["unique_id"].split(".")[2]: (result["status"], result["failures"])
            for result in results
        }
        return checks(self._database, self._pipeline.tests_of(step), found, started)

    def close(self) -> None:
        """Nothing to give back: every process has ended."""

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self._database.release()
        # A path relative to the working folder keeps the parse valid across runs.
        variables = environment(self._database, self._database.path.name)
        self._results_file.unlink(missing_ok=True)
        try:
            return subprocess.run(
                [sys.executable, "-m", "dbt.cli.main",
                 *arguments(self._project, self._database, command)],
                cwd=self._database.path.parent,
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                check=False,
            )  # fmt: skip
        except OSError as error:
            raise EnvironmentFaultError(f"dbt cannot be started ({error})") from error

    @property
    def _results_file(self) -> Any:
        return self._database.path.parent / FOLDER / "target" / "run_results.json"

    def _results(self) -> list[dict[str, Any]]:
        if not self._results_file.is_file():
            return []
        results: list[dict[str, Any]] = json.loads(self._results_file.read_text())["results"]
        return results
