"""Read-only DuckDB connections to the databases of finished runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from planalign import duck
from planalign.errors import EnvironmentFaultError
from planalign.files import require_path
from planalign.interruption import is_interruption

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE = "results.duckdb"
# Five years of 1,000,000 employees were exported in 1 GB as fast as in 3.
_MEMORY_LIMIT = "2GB"


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory connection that spills outside any run folder, past 2 GB.

    Databases are attached to it rather than opened by it, so a reader never
    collides with another connection of the process that has other settings.
    """
    return duck.connect(memory_limit=_MEMORY_LIMIT)


def attach(connection: duckdb.DuckDBPyConnection, folder: Path, alias: str) -> None:
    """Attach the database of a run folder read-only under `alias`.

    Raises:
        UsageError: DuckDB cannot read its path.
        EnvironmentFaultError: the database is locked, damaged or too new.

    """
    path = folder / DATABASE
    require_path(path, without="\\")
    with faults(f"Cannot open {path}"):
        connection.execute(f"attach {duck.literal(path)} as {alias} (type duckdb, read_only)")


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Turn a failure of DuckDB or of the file system into an `EnvironmentFaultError`."""
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if is_interruption(error):
            raise KeyboardInterrupt from error
        raise
    except (duckdb.Error, OSError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise EnvironmentFaultError(f"{what}: {reason.rstrip('.')}", _remedy(reason)) from error


def _remedy(reason: str) -> str:
    lowered = reason.lower()
    if "lock" in lowered or "already attached" in lowered:
        return "Another program is writing to it: wait for it to finish or close it, then retry."
    if "version number" in lowered:
        return "Upgrade duckdb to the version that wrote the run, or newer."
    if "memory" in lowered:
        return "Close other programs, or free space for temporary files."
    if "space" in lowered:
        return "Free disk space and retry."
    return "Check the file's permissions and its disk; if it is damaged, simulate the run again."
