"""What the two runners that use dbt share: its arguments and its environment."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.engine.checks import FinishedChecks, Outcome, check_failure, first_rows
from planalign.engine.faults import Fault, ReportedError, environment_fault, fault_of
from planalign.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from planalign.engine.database import Database
    from planalign.engine.meter import Usage
    from planalign.engine.pipeline import DataTest
    from planalign.engine.project import Project
    from planalign.errors import PlanalignError

FOLDER = "dbt"


@dataclass(frozen=True)
class Result:
    """What dbt says of one node: its status, rows that break a test, and its words.

    `seconds` are those that dbt gives it; of them, to compile and to execute. `started`
    is on the clock of `time.perf_counter`, None where dbt does not tell.
    """

    status: str
    failures: int | None
    message: str
    seconds: float = 0.0
    compile_seconds: float | None = None
    execute_seconds: float | None = None
    started: float | None = None
    thread: str = "dbt"


@contextmanager
def told(database: Database, command: Sequence[str], nodes: list[Result]) -> Iterator[Usage]:
    """Measure a dbt command, and tell what it took and what dbt says of it.

    Args:
        database: of the run.
        command: the arguments that say what dbt does, such as `run --select ..`.
        nodes: filled by the block with what dbt says of each node.
    """
    started = time.perf_counter()
    usage = database.meter.begin()
    try:
        yield usage
    finally:
        database.meter.end(usage)
        database.tell(
            "dbt_command_completed",
            command=command[0],
            nodes=len(nodes),
            started=round(started, 6),
            seconds=round(time.perf_counter() - started, 6),
            dbt_compile_seconds=round(sum(node.compile_seconds or 0 for node in nodes), 6),
            dbt_execute_seconds=round(sum(node.execute_seconds or 0 for node in nodes), 6),
            **usage.as_dict(),
        )


def arguments(project: Project, database: Database, command: Sequence[str]) -> list[str]:
    """Return a dbt command line that writes into the run's folder only."""
    folder = database.path.parent / FOLDER
    return [
        *command,
        "--project-dir", str(project.folder),
        "--profiles-dir", str(project.folder),
        "--target-path", str(folder / "target"),
        "--log-path", str(folder / "logs"),
        "--no-use-colors",
        "--quiet",
    ]  # fmt: skip


def environment(database: Database, path: Path | str) -> dict[str, str]:
    """Return the variables that the project's profile reads.

    dbt must open the file with the settings of our own connection, or DuckDB
    refuses the second of the two.
    """
    return {
        "PLANALIGN_DATABASE": str(path),
        "PLANALIGN_DBT_THREADS": str(1 if database.settings.alone else database.settings.threads),
        "PLANALIGN_DUCKDB_THREADS": str(database.settings.threads),
        "PLANALIGN_MEMORY_LIMIT": database.settings.memory_limit,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def run_tests(
    database: Database, tests: Sequence[DataTest], run: Callable[[], Mapping[str, Result]]
) -> FinishedChecks:
    """Run tests, and again where a transient fault kept one from being run.

    A test that dbt did not report counts as failed: nothing is skipped silently.

    Args:
        database: of the run.
        tests: what is to be run; nothing else may change the data meanwhile.
        run: runs them all with dbt, and returns what it says by name.
    """
    if not tests:
        return FinishedChecks([])
    started = time.perf_counter()

    def attempt() -> Mapping[str, Result]:
        found = run()
        for test in tests:
            result = found.get(test.name)
            if result is not None and result.status == "error":
                error = reported(database, result.message)
                if fault_of(error) is Fault.TRANSIENT:
                    raise error
                raise check_failure(test, error)
        return found

    try:
        found = database.retry.run(f"tests of {tests[0].step}", attempt)
    except ReportedError as error:
        raise failure(f"dbt test in {database.path.parent}", error) from error
    outcomes = []
    for test in tests:
        result = found.get(test.name, Result("missing", None, ""))
        is_error = result.status not in {"pass", "warn"}
        rows: tuple[dict[str, str], ...] = ()
        if is_error and result.failures:
            with database.cursor() as cursor:
                rows = first_rows(cursor, test)
        outcomes.append(
            Outcome(
                test,
                result.failures or 0,
                is_warning=result.status == "warn",
                is_error=is_error,
                first_rows=rows,
                started=started if result.started is None else result.started,
                seconds=result.seconds,
                thread=result.thread,
            )
        )
    return FinishedChecks(outcomes, time.perf_counter() - started)


def reported(database: Database, message: str) -> ReportedError:
    """Return the error that dbt tells; of a full disk without a place, with the run's folder."""
    error, folder = ReportedError(message), str(database.path.parent)
    is_placed = fault_of(error) is not Fault.DISK_FULL or folder in message
    return error if is_placed else ReportedError(f"{message} in {folder}")


def failure(command: str, error: ReportedError) -> PlanalignError:
    """Return the error of a dbt command that did not get as far as running anything."""
    return environment_fault(command, error) or ModelError(f"{command} failed:\n{error}")
