"""Run the compiled SQL straight on DuckDB, independent models side by side."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from planalign.duck import literal
from planalign.engine.breaker import lighten
from planalign.engine.checks import ChecksBeside
from planalign.engine.faults import FAILURES, environment_fault
from planalign.engine.parsed import Statements
from planalign.engine.pipeline import Step
from planalign.engine.runners.base import Timing, model_failure
from planalign.errors import MemoryFaultError, ModelError, PlanalignError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from planalign.engine.checks import Outcome
    from planalign.engine.database import Database, Settings
    from planalign.engine.pipeline import Model, Pipeline, Seed
    from planalign.engine.project import Project


class DirectRunner:
    """Statements of the pipeline on cursors of one connection, on a thread pool.

    A model starts as soon as what it reads is built; checks that go on beside
    take the threads that no model needs.
    """

    name = "direct"
    overlaps_steps = True

    def __init__(
        self,
        project: Project,
        pipeline: Pipeline,
        database: Database,
        *,
        with_query_plans: bool = False,
    ) -> None:
        self._project = project
        self._pipeline = pipeline
        self._database = database
        self._with_query_plans = with_query_plans
        self._threads = database.settings.threads
        self._pool = ThreadPoolExecutor(max_workers=self._threads, thread_name_prefix="model")
        self._statements = Statements()
        self._beside: list[ChecksBeside] = []

    def load_seeds(self) -> None:
        """Load each CSV under its declared columns."""
        since = self._database.settings
        futures = [self._pool.submit(self._load, seed) for seed in self._pipeline.seeds]
        try:
            with self._all_or_none(futures):
                for future in futures:
                    future.result()
        except MemoryFaultError as error:
            if not lighten(self._database, error.what, since):
                raise
            # Each buffer of a CSV takes DuckDB 1.5 32 MB.
            for seed in self._pipeline.seeds:
                self._load(seed)

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Start each model on the pool as soon as those that it reads are built."""
        waiting = TopologicalSorter(self._pipeline.needs_within(steps))
        waiting.prepare()
        models = {model.name: model for model in self._pipeline.models if model.step in steps}
        ready: list[str] = []
        running: dict[Future[Timing], str] = {}
        since: dict[str, Settings] = {}
        checks: set[Future[Outcome]] = set()
        if self._database.settings.alone:
            self._finish_checks()
        with self._all_or_none(running):
            while waiting.is_active():
                ready = sorted([*ready, *waiting.get_ready()])
                for name in self._startable(ready, running, models):
                    ready.remove(name)
                    since[name] = self._database.settings
                    running[self._pool.submit(self._build, models[name])] = name
                while len(running) + len(checks) < self._threads and (check := self._start_check()):
                    checks.add(check)
                under_way: list[Future[Any]] = [*running, *checks]
                wait(under_way, return_when=FIRST_COMPLETED)
                checks = {check for check in checks if not check.done()}
                for future in [future for future in running if future.done()]:
                    name = running.pop(future)
                    if self._can_be_repeated(future, since[name]):
                        ready.append(name)
                        continue
                    yield future.result()
                    waiting.done(name)

    def start_tests(self, step: Step) -> ChecksBeside:
        """Begin the tests of a step; `run_models` goes on with them."""
        checks = ChecksBeside(
            self._database,
            self._statements,
            self._pool,
            self._pipeline.tests_of(step),
            views=self._threads,
            is_beside=not self._database.settings.alone,
        )
        # Kept until they have ended, so that `close` can end them.
        self._beside = [*(one for one in self._beside if not one.have_ended), checks]
        return checks

    def close(self) -> None:
        """Stop the pool and what is still under way on it."""
        for checks in self._beside:
            checks.abandon()
        self._pool.shutdown(cancel_futures=True)

    def _startable(
        self,
        ready: Sequence[str],
        running: Mapping[Future[Timing], str],
        models: Mapping[str, Model],
    ) -> list[str]:
        """Return the ready models that the limits of their steps allow beside the others."""
        if self._database.settings.alone:
            return [] if running else list(ready[:1])
        free = {step: self._database.settings.models_of(step) for step in Step}
        for name in running.values():
            free[models[name].step] -= 1
        started = []
        for name in ready:
            step = models[name].step
            if free[step] > 0:
                free[step] -= 1
                started.append(name)
        return started

    def _can_be_repeated(self, future: Future[Timing], since: Settings) -> bool:
        """Say whether a model ran out of memory, and there is less to do at once now."""
        error = future.exception()
        if not isinstance(error, MemoryFaultError):
            return False
        if not lighten(self._database, error.what, since):
            return False
        self._finish_checks()
        return True

    def _finish_checks(self) -> None:
        """Let no check be beside a model; they hold on to the year before."""
        for checks in self._beside:
            checks.finish()

    def _start_check(self) -> Future[Outcome] | None:
        """Start one of the checks that wait for a thread."""
        started = (checks.start_next() for checks in self._beside)
        return next((check for check in started if check is not None), None)

    @contextmanager
    def _all_or_none(self, futures: Collection[Future[Any]]) -> Iterator[None]:
        """Start no more when one fails; end all statements when the user stops the run.

        After a failure the checks beside go on: whether the year before counts is
        theirs to say. The main thread only waits, so that Ctrl-C reaches it in a long
        statement.
        """
        try:
            yield
        except PlanalignError:
            for future in futures:
                future.cancel()
            wait(futures)
            raise
        except BaseException:
            for future in futures:
                future.cancel()
            self._database.retry.stopped.set()
            self._database.interrupt()
            wait(futures)
            raise

    def _load(self, seed: Seed) -> None:
        types = ", ".join(f"'{c.name}': '{c.data_type}'" for c in seed.columns)
        what = f"reference table {seed.name} ({seed.path})"
        sql = (
            f"create or replace table {seed.relation} as select * from read_csv("  # noqa: S608 - compiled names
            f"?, header = true, delim = ',', auto_detect = false, columns = {{{types}}})"
        )
        parameters = [str(self._project.folder / seed.path)]
        try:
            self._database.attempt(what, lambda cursor: cursor.execute(sql, parameters))
        except FAILURES as error:
            raise environment_fault(what, error) or ModelError(
                f"{what} cannot be loaded ({error})",
                "Mend the file; its columns and types are declared in seeds.yml.",
            ) from error

    def _build(self, model: Model) -> Timing:
        started = time.perf_counter()
        statements = model.statements()
        is_prepared = all(self._statements.has(statement) for statement in statements)
        in_one = len(statements) + len(model.indexes) > 1
        attempts = 0
        query_plan = None

        def work(cursor: duckdb.DuckDBPyConnection) -> int | None:
            nonlocal attempts, query_plan
            attempts += 1
            rows = None
            if in_one:
                cursor.begin()
            with self._profiled(cursor) as profile:
                for statement in statements:
                    if profile is not None:
                        profile.unlink(missing_ok=True)
                    rows = _count(self._statements.execute(cursor, statement))
                # Of the last statement, which builds the rows; DuckDB writes none of a view.
                if profile is not None and profile.exists():
                    query_plan = profile.read_text(encoding="utf-8")
            for statement in model.index_statements():
                cursor.execute(statement)
            if in_one:
                cursor.commit()
            return rows

        try:
            with self._database.meter.measured() as usage:
                rows = self._database.attempt(f"model {model.name}", work, model=model.name)
        except FAILURES as error:
            raise model_failure(model, self.name, error) from error
        return Timing(
            model.name,
            model.step,
            started,
            time.perf_counter() - started,
            threading.current_thread().name,
            rows,
            attempt=attempts,
            is_prepared=is_prepared,
            usage=usage,
            query_plan=query_plan,
        )

    @contextmanager
    def _profiled(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[Path | None]:
        """Let DuckDB write the profile of each statement of the block into the file lent."""
        if not self._with_query_plans:
            yield None
            return
        name = f"{threading.current_thread().name}.profile.json"
        path = self._database.path.with_name(name)
        cursor.execute("set enable_profiling = 'json'")
        cursor.execute(f"set profiling_output = {literal(path)}")
        try:
            yield path
        finally:
            cursor.execute("pragma disable_profiling")
            path.unlink(missing_ok=True)


def _count(result: duckdb.DuckDBPyConnection) -> int | None:
    row = result.fetchone()
    return row[0] if row and isinstance(row[0], int) else None
