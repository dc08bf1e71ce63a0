"""The checks of a step: beside the models of the next year where the runner can, and judged."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from planalign.engine.faults import FAILURES, environment_fault
from planalign.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from planalign.engine.database import Database
    from planalign.engine.parsed import Statements
    from planalign.engine.pipeline import DataTest, Step
    from planalign.errors import PlanalignError
    from planalign.record.telemetry import Listener


@dataclass(frozen=True)
class Outcome:
    """What a data test found; of a broken one also the first rows, by column.

    `started` and `seconds` as of a `Timing`.
    """

    test: DataTest
    failures: int
    is_warning: bool = False
    is_error: bool = False
    first_rows: tuple[dict[str, str], ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    thread: str = ""


class Checks(Protocol):
    """Data tests of a step that are under way."""

    @property
    def is_beside(self) -> bool:
        """Say whether they go on while the next year is built."""

    @property
    def seconds(self) -> float:
        """Return the seconds from their start to the end of the last."""

    def outcomes(self) -> Sequence[Outcome]:
        """Wait for all of them."""


@dataclass(frozen=True)
class FinishedChecks:
    """Checks of a runner that ends them before it goes on."""

    found: Sequence[Outcome]
    seconds: float = 0.0
    is_beside: bool = False

    def outcomes(self) -> Sequence[Outcome]:
        """Return what was found."""
        return self.found


class ChecksBeside:
    """The tests of a step, on cursors that see the database as it was when they began.

    The year that follows may change the control table and replace what lives for
    a year meanwhile. The cursors are given back with the last test, so that what
    was replaced does not stay in memory longer than that.
    """

    def __init__(
        self,
        database: Database,
        statements: Statements,
        pool: ThreadPoolExecutor,
        tests: Sequence[DataTest],
        *,
        views: int,
        is_beside: bool,
    ) -> None:
        self.is_beside = is_beside
        self._database = database
        self._statements = statements
        self._pool = pool
        self._left = deque(tests)
        self._unfinished = len(tests)
        self._lock = threading.Lock()
        self._futures: list[Future[Outcome]] = []
        self._started = time.perf_counter()
        self._ended = self._started
        self._stack = ExitStack()
        self._views: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        for _ in range(min(views, len(tests))):
            self._views.put(self._stack.enter_context(database.view()))

    @property
    def seconds(self) -> float:
        """Return the seconds from the start to the end of the last test."""
        return self._ended - self._started

    @property
    def have_ended(self) -> bool:
        """Say whether every test has run."""
        return self._unfinished == 0

    def start_next(self) -> Future[Outcome] | None:
        """Start one more test, if there is one left."""
        if not self._left:
            return None
        future = self._pool.submit(self._run, self._left.popleft())
        self._futures.append(future)
        return future

    def outcomes(self) -> list[Outcome]:
        """Start what is left and wait for all."""
        try:
            self.finish()
            return [future.result() for future in self._futures]
        except BaseException:
            self.abandon()
            raise

    def finish(self) -> None:
        """Start what is left and wait for all; `outcomes` tells what they found."""
        while self.start_next() is not None:
            pass
        wait(self._futures)

    def abandon(self) -> None:
        """End the tests that are under way, and start no more."""
        self._left.clear()
        for future in self._futures:
            future.cancel()
        if not all(future.done() for future in self._futures):
            self._database.interrupt()
        wait(self._futures)
        self._stack.close()

    def _run(self, test: DataTest) -> Outcome:
        view = self._views.get()
        started = time.perf_counter()
        try:
            found = self._statements.execute(view, test.statement).fetchone()
            failures, warns, fails = found or (0, False, False)
            is_error = test.severity == "ERROR" and bool(fails)
            return Outcome(
                test,
                int(failures or 0),
                bool(warns) and not is_error,
                is_error,
                first_rows(view, test) if is_error else (),
                started,
                time.perf_counter() - started,
                threading.current_thread().name,
            )
        except FAILURES as error:
            raise check_failure(test, error) from error
        finally:
            self._views.put(view)
            with self._lock:
                self._unfinished -= 1
                if self._unfinished == 0:
                    self._ended = time.perf_counter()
                    self._stack.close()


def judge(tell: Listener, step: Step, year: int | None, checks: Checks) -> list[str]:
    """Wait for checks, and tell of each; return what they warn of.

    Args:
        tell: is told.
        step: whose checks they are.
        year: in hand; none in the setup.
        checks: under way.

    Raises:
        ModelError: one is broken, which stops the run.
    """
    outcomes = checks.outcomes()
    for outcome in outcomes:
        tell(
            "test_completed",
            year=year,
            step=step.value,
            test=outcome.test.name,
            started=round(outcome.started, 6),
            seconds=round(outcome.seconds, 6),
            thread=outcome.thread,
            failures=outcome.failures,
        )
        if outcome.is_warning or outcome.is_error:
            tell(
                "test_failed",
                year=year,
                step=step.value,
                test=outcome.test.name,
                failures=outcome.failures,
                is_error=outcome.is_error,
            )
    failed = [outcome for outcome in outcomes if outcome.is_error]
    if failed:
        raise ModelError(
            f"{year or 'setup'}: " + "; ".join(_describe(outcome) for outcome in failed),
            "The rule is in the file named."
            + (" The years before are complete." if year is not None else ""),
        )
    return [
        f"test {outcome.test.name} found {outcome.failures} rows"
        for outcome in outcomes
        if outcome.is_warning
    ]


def check_failure(test: DataTest, error: BaseException) -> PlanalignError:
    """Return the error that names a test that could not be run, and its file."""
    what = f"test {test.name} ({test.path})"
    return environment_fault(what, error) or ModelError(f"{what} failed to run: {error}")


def first_rows(cursor: duckdb.DuckDBPyConnection, test: DataTest) -> tuple[dict[str, str], ...]:
    """Return a few of the rows that break a test, for people to read."""
    found = cursor.execute(f"select * from ({test.sql}) limit 3")  # noqa: S608 - compiled names
    names = [column[0] for column in found.description or ()]
    return tuple(dict(zip(names, map(str, row), strict=True)) for row in found.fetchall())


def _describe(outcome: Outcome) -> str:
    """Name the rule, how many rows break it, and the first of them."""
    return (
        f"rule {outcome.test.name} ({outcome.test.path}) is broken by "
        f"{outcome.failures} rows, first: {list(outcome.first_rows)}"
    )
