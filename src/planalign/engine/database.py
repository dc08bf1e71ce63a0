"""The database of a run while it is being built: one file, one set of settings."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import duckdb

from planalign.errors import EnvironmentFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Read by every DuckDB version that planalign supports.
STORAGE_VERSION = "v1.5.0"
# The compiled models name their catalogue, and DuckDB names it after the file.
FILE_NAME = "results.duckdb"
# Where what lives for one year is kept, if nobody else has to see it: in memory,
# neither compressed nor written; beyond the memory limit it spills.
WORK = "work"
_WAL_SIZE = "1GB"


@dataclass(frozen=True)
class Settings:
    """How much of the machine DuckDB may use.

    `threads` are DuckDB's worker threads, `memory_limit` a size such as `4GB`;
    `models_at_once` limits how many models of a step run side by side.
    """

    threads: int
    memory_limit: str
    models_at_once: Mapping[str, int] = field(default_factory=dict)

    def models_of(self, step: str) -> int:
        """Return how many models of a step may run side by side."""
        return min(self.threads, self.models_at_once.get(step, self.threads))


class Database:
    """The one connection of this process to a run's database, and its cursors.

    dbt must be alone with the file: `release` closes the connection before a dbt
    command, and the next `cursor` opens it again, with the same settings.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._idle: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        self._lent: set[duckdb.DuckDBPyConnection] = set()

    def create(self) -> None:
        """Create the file, if it is not there, in the oldest supported format."""
        if self.path.exists():
            return
        quoted = str(self.path).replace("'", "''")
        with duckdb.connect() as memory:
            memory.execute(f"attach '{quoted}' as results (storage_version '{STORAGE_VERSION}')")
            memory.execute("create schema results.inputs")

    def open(self) -> duckdb.DuckDBPyConnection:
        """Return the connection, opening it where it is not.

        Raises:
            EnvironmentFaultError: the file is locked or cannot be read.
        """
        if self._connection is None:
            try:
                # Set after opening, as dbt does: DuckDB refuses a second connection of
                # a process that opens the file with another configuration.
                self._connection = duckdb.connect(str(self.path))
                self._connection.execute("set threads = ?", [self.settings.threads])
                self._connection.execute("set memory_limit = ?", [self.settings.memory_limit])
                # A checkpoint inside a year writes half-filled row groups twice.
                self._connection.execute("set wal_autocheckpoint = ?", [_WAL_SIZE])
                self._connection.execute(f"attach if not exists ':memory:' as {WORK}")
            except duckdb.IOException as error:
                raise EnvironmentFaultError(
                    f"{self.path} cannot be opened ({error})",
                    "Close the program that holds it, or remove the unfinished run.",
                ) from error
        return self._connection

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor; one that is idle is used again."""
        with self._lock:  # DuckDB refuses two calls at once on a connection
            connection = self.open()
            try:
                cursor = self._idle.get_nowait()
            except Empty:
                cursor = connection.cursor()
        self._lent.add(cursor)
        try:
            yield cursor
        except BaseException:
            self._lent.discard(cursor)
            cursor.close()  # its transaction may be broken
            raise
        self._lent.discard(cursor)
        self._idle.put(cursor)

    @contextlib.contextmanager
    def view(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor that goes on seeing every database as it is now."""
        with self.cursor() as cursor:
            cursor.begin()
            # A transaction begins in a database with the first look into it; this
            # looks into all that are attached.
            cursor.execute("select count(*) from duckdb_tables()").fetchall()
            try:
                yield cursor
            finally:
                cursor.rollback()

    def interrupt(self) -> None:
        """Stop whatever the lent cursors are doing."""
        for cursor in tuple(self._lent):
            cursor.interrupt()

    def release(self) -> None:
        """Close the connection and every cursor."""
        with contextlib.suppress(Empty):
            while True:
                self._idle.get_nowait().close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
