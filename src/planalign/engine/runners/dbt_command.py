"""What the two runners that use dbt share: its arguments and its environment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.engine.faults import Fault, ReportedError, environment_fault, fault_of
from planalign.engine.runners.base import FinishedChecks, Outcome, check_failure, first_rows
from planalign.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from planalign.engine.database import Database
    from planalign.engine.pipeline import DataTest
    from planalign.engine.project import Project
    from planalign.errors import PlanalignError

FOLDER = "dbt"


@dataclass(frozen=True)
class Result:
    """What dbt says of one node: its status, rows that break a test, and its words."""

    status: str
    failures: int | None
    message: str


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
                error = ReportedError(result.message)
                if fault_of(error) is Fault.TRANSIENT:
                    raise error
                raise check_failure(test, error)
        return found

    try:
        found = database.retry.run(f"tests of {tests[0].step}", attempt)
    except ReportedError as error:
        raise failure("dbt test", error) from error
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
            )
        )
    return FinishedChecks(outcomes, time.perf_counter() - started)


def failure(command: str, error: ReportedError) -> PlanalignError:
    """Return the error of a dbt command that did not get as far as running anything."""
    return environment_fault(command, error) or ModelError(f"{command} failed:\n{error}")
