"""Run the compiled SQL straight on DuckDB, independent models side by side."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.engine.runners.base import Outcome, Timing, model_error
from planalign.errors import EnvironmentFaultError, ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from planalign.engine.database import Database
    from planalign.engine.pipeline import DataTest, Model, Pipeline, Seed, Step
    from planalign.engine.project import Project


class DirectRunner:
    """Statements of the pipeline on cursors of one connection, on a thread pool."""

    name = "direct"

    def __init__(self, project: Project, pipeline: Pipeline, database: Database) -> None:
        self._project = project
        self._pipeline = pipeline
        self._database = database
        self._pool = ThreadPoolExecutor(
            max_workers=database.settings.threads, thread_name_prefix="model"
        )

    def load_seeds(self) -> None:
        """Load each CSV under its declared columns."""
        futures = [self._pool.submit(self._load, seed) for seed in self._pipeline.seeds]
        with self._all_or_none(futures):
            for future in futures:
                future.result()

    def run_models(self, step: Step) -> Iterator[Timing]:
        """Start each model on the pool as soon as those of the step that it needs are built."""
        waiting = TopologicalSorter(self._pipeline.needs_within(step))
        waiting.prepare()
        models = {model.name: model for group in self._pipeline.groups(step) for model in group}
        running: dict[Future[Timing], str] = {}
        with self._all_or_none(running):
            while waiting.is_active():
                for name in sorted(waiting.get_ready()):
                    running[self._pool.submit(self._build, models[name])] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                    waiting.done(running.pop(future))

    def run_tests(self, step: Step) -> Sequence[Outcome]:
        """Run the tests of a step side by side."""
        futures = [self._pool.submit(self._test, test) for test in self._pipeline.tests_of(step)]
        with self._all_or_none(futures):
            return [future.result() for future in futures]

    def close(self) -> None:
        """Stop the pool."""
        self._pool.shutdown(cancel_futures=True)

    @contextmanager
    def _all_or_none(self, futures: Collection[Future[Any]]) -> Iterator[None]:
        """End the other statements at once when one fails or the user stops the run.

        The main thread only waits, so that Ctrl-C reaches it in a long statement.
        """
        try:
            yield
        except BaseException:
            for future in futures:
                future.cancel()
            self._database.interrupt()
            wait(futures)
            raise

    def _load(self, seed: Seed) -> None:
        types = ", ".join(f"'{c.name}': '{c.data_type}'" for c in seed.columns)
        try:
            with self._database.cursor() as cursor:
                cursor.execute(
                    f"create or replace table {seed.relation} as select * from read_csv("
                    f"?, header = true, delim = ',', auto_detect = false, columns = {{{types}}})",
                    [str(self._project.folder / seed.path)],
                )
        except duckdb.Error as error:
            raise ModelError(
                f"reference table {seed.name} ({seed.path}) cannot be loaded ({error})",
                "Mend the file; its columns and types are declared in seeds.yml.",
            ) from error

    def _build(self, model: Model) -> Timing:
        started = time.perf_counter()
        statements = model.statements()
        rows = None
        try:
            with self._database.cursor() as cursor:
                if len(statements) > 1:
                    cursor.begin()
                for statement in statements:
                    rows = _count(cursor.execute(statement))
                if len(statements) > 1:
                    cursor.commit()
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise EnvironmentFaultError(
                f"model {model.name} ran out of memory or disk ({error})",
                "Free disk space, or raise --memory-limit.",
            ) from error
        except duckdb.Error as error:
            raise model_error(model, self.name, str(error)) from error
        return Timing(
            model.name,
            started,
            time.perf_counter() - started,
            threading.current_thread().name,
            rows,
        )

    def _test(self, test: DataTest) -> Outcome:
        try:
            with self._database.cursor() as cursor:
                found = cursor.execute(test.statement).fetchone()
        except duckdb.Error as error:
            raise ModelError(f"test {test.name} ({test.path}) failed to run: {error}") from error
        failures, warns, fails = found or (0, False, False)
        is_error = test.severity == "ERROR" and bool(fails)
        return Outcome(test, int(failures or 0), bool(warns) and not is_error, is_error)


def _count(result: duckdb.DuckDBPyConnection) -> int | None:
    row = result.fetchone()
    return row[0] if row and isinstance(row[0], int) else None
