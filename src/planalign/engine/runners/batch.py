"""Run groups of models with dbt in this process, one parsed manifest kept.

dbt keeps its adapters in a process-wide registry: two invocations must never
run at once, so that this runner has no thread of its own. dbt's threads run the
models of a command side by side.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from planalign.engine.runners.base import FinishedChecks, Timing, model_error, names_of, pack
from planalign.engine.runners.dbt_command import arguments, checks, environment
from planalign.errors import EnvironmentFaultError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planalign.engine.database import Database
    from planalign.engine.pipeline import Model, Pipeline, Step
    from planalign.engine.project import Project

MODELS_PER_COMMAND = 8


class BatchRunner:
    """In-process dbt, a dependency group of up to eight models a command."""

    name = "batch"
    overlaps_steps = False

    def __init__(self, project: Project, pipeline: Pipeline, database: Database) -> None:
        try:
            from dbt.cli.main import dbtRunner
        except ImportError as error:
            raise EnvironmentFaultError(f"dbt is not installed ({error})") from error
        self._project = project
        self._pipeline = pipeline
        self._database = database
        # The path must be absolute: a kept dbt stays with the first database it saw
        # when only the folder changes.
        self._environment = environment(database, database.path.resolve())
        parsed = self._invoke(dbtRunner(), ["parse"])
        self._dbt = dbtRunner(manifest=parsed.result)

    def load_seeds(self) -> None:
        """Run `dbt seed`."""
        done = self._invoke(self._dbt, ["seed", "--full-refresh"])
        self._raise_unless_run(done, "seed")

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Run the dependency groups of the steps, one dbt command each."""
        for step in steps:
            for command in pack(self._pipeline.groups(step), MODELS_PER_COMMAND):
                yield from self._run_group(step, {model.name: model for model in command})

    def start_tests(self, step: Step) -> FinishedChecks:
        """Run the step's data tests with one dbt command."""
        started = time.perf_counter()
        names = names_of(self._pipeline, step)
        if not names:
            return FinishedChecks([])
        done = self._invoke(self._dbt, ["test", "--select", *names])
        self._raise_unless_run(done, "test")
        found = {r.node.name: (str(r.status), r.failures) for r in done.result}
        return checks(self._database, self._pipeline.tests_of(step), found, started)

    def _run_group(self, step: Step, models: Mapping[str, Model]) -> Iterator[Timing]:
        threads = str(self._database.settings.models_of(step))
        done = self._invoke(self._dbt, ["run", "--threads", threads, "--select", *models])
        self._raise_unless_run(done, "run")
        for result in done.result:
            model = models.get(result.node.name)
            if result.status != "success":
                if model is None:
                    raise ModelError(f"{result.node.name} failed: {result.message}")
                raise model_error(model, self.name, str(result.message))
            if model is None:
                continue  # a hook of the project
            yield Timing(
                model.name,
                model.step,
                time.perf_counter() - result.execution_time,
                result.execution_time,
                result.thread_id,
            )

    def close(self) -> None:
        """Close dbt's own connection, which outlives its commands."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters

        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager.close_all_connections()
        reset_adapters()

    def _invoke(self, runner: Any, command: Sequence[str]) -> Any:
        self._database.release()
        before = {name: os.environ.get(name) for name in self._environment}
        os.environ.update(self._environment)
        try:
            return runner.invoke(arguments(self._project, self._database, command))
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def _raise_unless_run(self, done: Any, command: str) -> None:
        """Raise where dbt did not get as far as running anything."""
        if isinstance(done.exception, KeyboardInterrupt):
            raise done.exception
        if done.exception is not None:
            raise ModelError(f"dbt {command} failed: {done.exception}") from done.exception
        if done.result is None:
            raise ModelError(f"dbt {command} gave no result")
