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

from planalign.engine.faults import ReportedError
from planalign.engine.runners.base import Timing, model_failure, names_of
from planalign.engine.runners.dbt_command import (
    FOLDER,
    Result,
    arguments,
    environment,
    failure,
    run_tests,
)
from planalign.errors import EnvironmentFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.engine.database import Database
    from planalign.engine.pipeline import Pipeline, Step
    from planalign.engine.project import Project
    from planalign.engine.runners.base import FinishedChecks


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
        try:
            self._run("dbt seed", ["seed", "--full-refresh"])
        except ReportedError as error:
            raise failure("dbt seed", error) from error

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Run the models of the steps one after the other, in dependency order."""
        groups = (group for step in steps for group in self._pipeline.groups(step))
        for model in (model for group in groups for model in group):
            started = time.perf_counter()
            try:
                self._run(f"model {model.name}", ["run", "--select", model.name], model.name)
            except ReportedError as error:
                raise model_failure(model, self.name, error) from error
            seconds = time.perf_counter() - started
            yield Timing(model.name, model.step, started, seconds, "process")

    def start_tests(self, step: Step) -> FinishedChecks:
        """Run the step's data tests with one dbt process."""

        def run() -> dict[str, Result]:
            done = self._start(["test", "--select", *names_of(self._pipeline, step)])
            results = self._results()
            if not results:
                raise ReportedError(done.stdout + done.stderr)
            return {
                result["unique_id"].split(".")[2]: Result(
                    result["status"], result["failures"], str(result["message"])
                )
                for result in results
            }

        return run_tests(self._database, self._pipeline.tests_of(step), run)

    def close(self) -> None:
        """Nothing to give back: every process has ended."""

    def _run(self, what: str, command: Sequence[str], model: str | None = None) -> None:
        """Run a dbt command, again while a transient fault makes it fail."""

        def attempt() -> None:
            done = self._start(command)
            if done.returncode != 0:
                raise ReportedError(done.stdout + done.stderr)

        self._database.retry.run(what, attempt, model=model)

    def _start(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
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
