"""Run groups of models with dbt in this process, one parsed manifest kept.

dbt keeps its adapters in a process-wide registry: two invocations must never
run at once, so that this runner has no thread of its own. dbt's threads run the
models of a command side by side.
"""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from planalign.engine.breaker import lighten
from planalign.engine.faults import Fault, ReportedError, fault_of, first_words
from planalign.engine.runners.base import Timing, model_failure, names_of, pack
from planalign.engine.runners.dbt_command import (
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
    from collections.abc import Callable, Iterator, Sequence

    from planalign.engine.checks import FinishedChecks
    from planalign.engine.database import Database
    from planalign.engine.meter import Usage
    from planalign.engine.pipeline import Model, Pipeline, Step
    from planalign.engine.project import Project

MODELS_PER_COMMAND = 8


def dbt_runner(manifest: Any = None) -> Any:
    """Return dbt in this process, with a manifest that it need not parse again.

    Raises:
        EnvironmentFaultError: dbt is not installed.
    """
    try:
        from dbt.cli.main import dbtRunner
    except ImportError as error:
        raise EnvironmentFaultError(f"dbt is not installed ({error})") from error
    return dbtRunner(manifest=manifest)


# Its results are returned, its errors told by us; stdout is for results.
_SILENT = ("--log-level", "none", "--log-level-file", "debug", "--no-write-json")


class BatchRunner:
    """In-process dbt, a dependency group of up to eight models a command.

    What a group leaves unbuilt is built model by model, so that an error names the
    one that failed.
    """

    name = "batch"
    overlaps_steps = False

    def __init__(
        self,
        project: Project,
        pipeline: Pipeline,
        database: Database,
        make_dbt: Callable[[Any], Any] = dbt_runner,
    ) -> None:
        self._project = project
        self._pipeline = pipeline
        self._database = database
        self._dbt = make_dbt(None)
        try:
            parsed = database.retry.run("dbt parse", lambda: self._invoke(["parse"]))
        except ReportedError as error:
            raise failure(f"dbt parse in {database.path.parent}", error) from error
        self._dbt = make_dbt(parsed)

    def load_seeds(self) -> None:
        """Run `dbt seed`."""

        def attempt() -> None:
            for result in self._invoke(["seed", "--full-refresh"]):
                if str(result.status) == "error":
                    raise reported(self._database, str(result.message))

        try:
            self._database.retry.run("dbt seed", attempt)
        except ReportedError as error:
            raise failure(f"dbt seed in {self._database.path.parent}", error) from error

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Run the dependency groups of the steps, one dbt command each."""
        for step in steps:
            for group in pack(self._pipeline.groups(step), MODELS_PER_COMMAND):
                yield from self._run_group(group)

    def start_tests(self, step: Step) -> FinishedChecks:
        """Run the step's data tests with one dbt command."""

        def run() -> dict[str, Result]:
            done = self._invoke(["test", "--select", *names_of(self._pipeline, step)])
            return {r.node.name: _result(r) for r in done}

        return run_tests(self._database, self._pipeline.tests_of(step), run)

    def _run_group(self, group: Sequence[Model]) -> Iterator[Timing]:
        """Build a group with one command, and what it leaves unbuilt one by one."""
        if len(group) == 1:
            yield self._run_alone(group[0])
            return
        built: set[str] = set()
        try:
            for timing in self._run_models(group):
                built.add(timing.name)
                yield timing
        except ReportedError as error:
            left = [model for model in group if model.name not in built]
            self._database.tell(
                "group_failed", models=[model.name for model in left], error=first_words(error)
            )
            if fault_of(error) is Fault.MEMORY:
                lighten(self._database, first_words(error), self._database.settings)
            for model in left:
                yield self._run_alone(model)

    def _run_alone(self, model: Model) -> Timing:
        """Build a model, again where its failure may pass, with less at once or not."""
        since = self._database.settings
        try:
            return self._database.retry.run(
                f"model {model.name}", lambda: next(self._run_models([model])), model=model.name
            )
        except ReportedError as error:
            if fault_of(error) is Fault.MEMORY and lighten(
                self._database, first_words(error), since
            ):
                return self._run_alone(model)
            raise model_failure(model, self.name, error) from error

    def _run_models(self, models: Sequence[Model]) -> Iterator[Timing]:
        """Build models with one command; tell of those built before the first failure is raised.

        Raises:
            ReportedError: not all of them were built.
        """
        threads = str(self._database.settings.models_of(models[0].step))
        steps = {model.name: model.step for model in models}
        failed = []
        results, usage = self._measured(["run", "--threads", threads, "--select", *steps])
        total = sum(result.execution_time for result in results)
        for result in results:
            name, status = result.node.name, str(result.status)
            if status in {"error", "fail"}:  # "skipped" follows from one of these
                failed.append(str(result.message))
            elif status == "success" and name in steps:  # otherwise a hook of the project
                said = _result(result)
                yield Timing(
                    name,
                    steps.pop(name),
                    _started(result),
                    result.execution_time,
                    result.thread_id,
                    usage=usage.part(result.execution_time / total if total else 0),
                    compile_seconds=said.compile_seconds,
                    execute_seconds=said.execute_seconds,
                )
        if failed or steps:
            words = failed[0] if failed else f"dbt did not run {', '.join(steps)}"
            raise reported(self._database, words)

    def close(self) -> None:
        """Close dbt's own connection, which outlives its commands."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters

        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager.close_all_connections()
        reset_adapters()

    def _invoke(self, command: Sequence[str]) -> Any:
        """Run a dbt command and return its results.

        Raises:
            ReportedError: dbt did not get as far as running anything.
        """
        return self._measured(command)[0]

    def _measured(self, command: Sequence[str]) -> tuple[Any, Usage]:
        nodes: list[Result] = []
        with told(self._database, command, nodes) as usage:
            done = self._run_command(command)
            if command[0] != "parse":  # whose result is the manifest
                nodes.extend(_result(result) for result in done)
        return done, usage

    def _run_command(self, command: Sequence[str]) -> Any:
        self._database.release()
        # The path must be absolute: a kept dbt stays with the first database it saw
        # when only the folder changes.
        variables = environment(self._database, self._database.path.resolve())
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        # On a full disk every line that dbt logs would be a traceback on stderr.
        were_raised, logging.raiseExceptions = logging.raiseExceptions, False
        try:
            done = self._dbt.invoke([*arguments(self._project, self._database, command), *_SILENT])
        finally:
            logging.raiseExceptions = were_raised
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        if isinstance(done.exception, KeyboardInterrupt):
            raise done.exception
        if done.exception is not None:
            raise reported(self._database, str(done.exception)) from done.exception
        if done.result is None:
            raise ReportedError(f"dbt {command[0]} gave no result")
        return done.result


def _result(result: Any) -> Result:
    """Return what dbt says of a node."""
    spent = {timing.name: timing for timing in result.timing}

    def seconds(name: str) -> float | None:
        timing = spent.get(name)
        if timing is None or timing.started_at is None or timing.completed_at is None:
            return None
        return float((timing.completed_at - timing.started_at).total_seconds())

    return Result(
        str(result.status),
        result.failures,
        str(result.message),
        result.execution_time,
        seconds("compile"),
        seconds("execute"),
        _started(result),
        result.thread_id,
    )


def _started(result: Any) -> float:
    """Return when dbt began a node, on the clock of `time.perf_counter`."""
    begun = min(
        (timing.started_at for timing in result.timing if timing.started_at is not None),
        default=None,
    )
    if begun is None:
        return time.perf_counter() - float(result.execution_time)
    ago = datetime.now(UTC).replace(tzinfo=None) - begun.replace(tzinfo=None)
    return time.perf_counter() - float(ago.total_seconds())
