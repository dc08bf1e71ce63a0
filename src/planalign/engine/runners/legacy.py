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
from datetime import datetime
from typing import TYPE_CHECKING, Any

from planalign.engine.faults import ReportedError
from planalign.engine.runners.base import Timing, model_failure, names_of
from planalign.engine.runners.dbt_command import (
    FOLDER,
    Result,
    arguments,
    environment,
    failure,
    reported,
    run_tests,
    told,
)
from planalign.errors import EnvironmentFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.engine.checks import FinishedChecks
    from planalign.engine.database import Database
    from planalign.engine.meter import Usage
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
        try:
            self._run("dbt seed", ["seed", "--full-refresh"])
        except ReportedError as error:
            raise failure(f"dbt seed in {self._database.path.parent}", error) from error

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Run the models of the steps one after the other, in dependency order."""
        groups = (group for step in steps for group in self._pipeline.groups(step))
        for model in (model for group in groups for model in group):
            started = time.perf_counter()
            try:
                results, usage, attempt = self._run(
                    f"model {model.name}", ["run", "--select", model.name], model.name
                )
            except ReportedError as error:
                raise model_failure(model, self.name, error) from error
            result = results.get(model.name, Result("missing", None, ""))
            yield Timing(
                model.name,
                model.step,
                started,
                time.perf_counter() - started,
                "process",
                attempt=attempt,
                usage=usage,
                compile_seconds=result.compile_seconds,
                execute_seconds=result.execute_seconds,
            )

    def start_tests(self, step: Step) -> FinishedChecks:
        """Run the step's data tests with one dbt process."""

        def run() -> dict[str, Result]:
            done, results, _ = self._start(["test", "--select", *names_of(self._pipeline, step)])
            if not results:
                raise reported(self._database, done.stdout + done.stderr)
            return results

        return run_tests(self._database, self._pipeline.tests_of(step), run)

    def close(self) -> None:
        """Nothing to give back: every process has ended."""

    def _run(
        self, what: str, command: Sequence[str], model: str | None = None
    ) -> tuple[dict[str, Result], Usage, int]:
        """Run a dbt command, again while a transient fault makes it fail.

        Returns what dbt says by node, what the command took, and the attempt it was.
        """
        attempts = 0

        def attempt() -> tuple[dict[str, Result], Usage]:
            nonlocal attempts
            attempts += 1
            done, results, usage = self._start(command)
            if done.returncode != 0:
                raise reported(self._database, done.stdout + done.stderr)
            return results, usage

        return *self._database.retry.run(what, attempt, model=model), attempts

    def _start(
        self, command: Sequence[str]
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, Result], Usage]:
        nodes: list[Result] = []
        with told(self._database, command, nodes) as usage:
            done = self._process(command)
            results = self._results()
            nodes.extend(results.values())
        return done, results, usage

    def _process(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self._database.release()
        # A path relative to the working folder keeps the parse valid across runs.
        variables = environment(self._database, self._database.path.name)
        self._results_file.unlink(missing_ok=True)
        try:
            return subprocess.run(  # noqa: S603 - a list, no shell
                [sys.executable, "-P", "-m", "dbt.cli.main",
                 *arguments(self._project, self._database, command)],
                cwd=self._database.path.parent,
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                errors="backslashreplace",
                check=False,
            )  # fmt: skip
        except OSError as error:
            raise EnvironmentFaultError(f"dbt cannot be started ({error})") from error

    @property
    def _results_file(self) -> Any:
        return self._database.path.parent / FOLDER / "target" / "run_results.json"

    def _results(self) -> dict[str, Result]:
        if not self._results_file.is_file():
            return {}
        found = {}
        for result in json.loads(self._results_file.read_text(encoding="utf-8"))["results"]:
            spent = {
                timing["name"]: _seconds_between(timing["started_at"], timing["completed_at"])
                for timing in result["timing"]
            }
            found[result["unique_id"].split(".")[2]] = Result(
                result["status"],
                result["failures"],
                str(result["message"]),
                result["execution_time"],
                spent.get("compile"),
                spent.get("execute"),
                _started([timing["started_at"] for timing in result["timing"]]),
                result["thread_id"],
            )
        return found


def _started(instants: Sequence[str]) -> float | None:
    """Return when dbt began a node, on the clock of `time.perf_counter`."""
    if not instants:
        return None
    return time.perf_counter() - (time.time() - datetime.fromisoformat(min(instants)).timestamp())


def _seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
