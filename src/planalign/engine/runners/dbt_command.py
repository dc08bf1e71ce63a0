"""What the two runners that use dbt share: its arguments and its environment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from planalign.engine.runners.base import FinishedChecks, Outcome, first_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from planalign.engine.database import Database
    from planalign.engine.pipeline import DataTest
    from planalign.engine.project import Project

FOLDER = "dbt"


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
        "PLANALIGN_DBT_THREADS": str(database.settings.threads),
        "PLANALIGN_DUCKDB_THREADS": str(database.settings.threads),
        "PLANALIGN_MEMORY_LIMIT": database.settings.memory_limit,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def checks(
    database: Database,
    tests: Iterable[DataTest],
    found: Mapping[str, tuple[str, int | None]],
    started: float,
) -> FinishedChecks:
    """Return the outcome of each test from dbt's (status, failures) by name.

    A test that dbt did not report counts as failed: nothing is skipped silently.
    """
    outcomes = []
    for test in tests:
        status, failures = found.get(test.name, ("missing", None))
        is_error = status not in {"pass", "warn"}
        rows: tuple[dict[str, str], ...] = ()
        if is_error and failures:
            with database.cursor() as cursor:
                rows = first_rows(cursor, test)
        outcomes.append(
            Outcome(
                test,
                failures or 0,
                is_warning=status == "warn",
                is_error=is_error,
                first_rows=rows,
            )
        )
    return FinishedChecks(outcomes, time.perf_counter() - started)
