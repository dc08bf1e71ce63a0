"""The database of a run while it is being built: one file, one set of settings."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import duckdb

from planalign.duck import literal, oddities, seal
from planalign.engine.faults import FAILURES, environment_fault
from planalign.engine.machine import Machine, reading
from planalign.engine.meter import Meter
from planalign.engine.retry import Policy, Retry
from planalign.errors import EnvironmentFaultError
from planalign.files import open_regular
from planalign.record.telemetry import unheard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from planalign.record.telemetry import Listener

_T = TypeVar("_T")

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
    `models_at_once` limits how many models of a step run side by side; `alone`, a
    model has neither another model nor a check beside it.
    """

    threads: int
    memory_limit: str
    models_at_once: Mapping[str, int] = field(default_factory=dict)
    alone: bool = False

    def models_of(self, step: str) -> int:
        """Return how many models of a step may run side by side."""
        if self.alone:
            return 1
        return min(self.threads, self.models_at_once.get(step, self.threads))

    def lighter(self) -> Settings | None:
        """Return the next settings that need less memory, or nothing where none do."""
        if not self.alone:
            return replace(self, alone=True)
        return replace(self, threads=1) if self.threads > 1 else None


class Database:
    """The one connection of this process to a run's database, and its cursors.

    dbt must be alone with the file: `release` closes the connection before a dbt
    command, and the next `cursor` opens it again, with the same settings.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        tell: Listener = unheard,
        *,
        machine: Machine = Machine(),  # noqa: B008 - frozen
        policy: Policy = Policy(),  # noqa: B008 - frozen
    ) -> None:
        self.path = path
        self.settings = settings
        self.tell = tell
        self.machine = machine
        self.retry = Retry(tell, policy, machine.sleep)
        temporary = path.with_name(f"{path.name}.tmp")
        self.meter = Meter(lambda: reading(machine.resident_bytes, machine.cpu_seconds, temporary))
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._idle: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        self._lent: set[duckdb.DuckDBPyConnection] = set()
        self._is_known = True  # made here, or looked into

    def create(self) -> None:
        """Create the file, if it is not there, in the oldest supported format.

        Raises:
            EnvironmentFaultError: it cannot be written, or is there and something else.
        """
        if not self.path.exists():
            self._guarded("creating", self._create)
        elif not _is_database(self.path):
            # DuckDB would look for an extension that reads it.
            raise EnvironmentFaultError(
                f"{self.path} is no DuckDB database", "Remove the unfinished run and start anew."
            )
        else:
            self._is_known = False

    def open(self) -> duckdb.DuckDBPyConnection:
        """Return the connection, opening it where it is not.

        Raises:
            EnvironmentFaultError: the file stays locked or cannot be read.
        """
        if self._connection is None:
            self._connection = self._guarded("opening", self._open)
        return self._connection

    def _guarded(self, doing: str, work: Callable[[], _T]) -> _T:
        what = f"{doing} {self.path}"
        try:
            return self.retry.run(what, work)
        except FAILURES as error:
            fault = environment_fault(what, error)
            if fault is None:
                raise
            raise fault from error

    def _create(self) -> None:
        with self.machine.connect(":memory:") as memory:
            memory.execute(
                f"attach {literal(self.path)} as results "
                f"(type duckdb, storage_version '{STORAGE_VERSION}')"
            )
            memory.execute("create schema if not exists results.inputs")

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = self.machine.connect(str(self.path))
        try:
            seal(connection)
            # Set after opening, as dbt does: DuckDB refuses a second connection of
            # a process that opens the file with another configuration.
            connection.execute("set threads = ?", [self.settings.threads])
            connection.execute("set memory_limit = ?", [self.settings.memory_limit])
            # A checkpoint inside a year writes half-filled row groups twice.
            connection.execute("set wal_autocheckpoint = ?", [_WAL_SIZE])
            connection.execute(f"attach if not exists ':memory:' as {WORK}")
            if not self._is_known:
                self._look_into(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _look_into(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Refuse to go on with a database whose functions would take the place of DuckDB's."""
        connection.execute(f"use {WORK}")
        odd = oddities(connection, self.path.stem)
        connection.execute(f"use {self.path.stem}")
        if odd:
            raise EnvironmentFaultError(
                f"{self.path} holds what no run holds: {', '.join(odd[:5])}",
                "Remove the unfinished run and start anew.",
            )
        self._is_known = True

    def use(self, settings: Settings) -> None:
        """Go on with other settings; what is under way may end under the old ones."""
        self.settings = settings
        if self._connection is not None:
            with self.cursor() as cursor:
                cursor.execute("set threads = ?", [settings.threads])
                cursor.execute("set memory_limit = ?", [settings.memory_limit])

    def attempt(
        self,
        what: str,
        work: Callable[[duckdb.DuckDBPyConnection], _T],
        *,
        model: str | None = None,
    ) -> _T:
        """Do work on a cursor, again while a transient fault keeps it from being done.

        Args:
            what: what is worked on, for people to read.
            work: one statement or one transaction. Where it fails, the cursor is
                closed, which rolls back.
            model: its name, where the work builds one.
        """

        def once() -> _T:
            with self.cursor() as cursor:
                return work(cursor)

        return self.retry.run(what, once, model=model)

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

    def memory_by_tag(self) -> dict[str, int]:
        """Return the bytes that DuckDB holds for each purpose; nothing while it is closed."""
        with self._lock:  # nobody may close the connection meanwhile
            if self._connection is None:
                return {}
            try:
                with self._connection.cursor() as cursor:
                    return dict(
                        cursor.execute(
                            "select tag, memory_usage_bytes from duckdb_memory() "
                            "where memory_usage_bytes > 0 order by tag"
                        ).fetchall()
                    )
            except duckdb.Error:  # what is only looked at is no reason to fail
                return {}

    def release(self) -> None:
        """Close the connection and every cursor."""
        with self._lock:
            with contextlib.suppress(Empty):
                while True:
                    self._idle.get_nowait().close()
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _is_database(path: Path) -> bool:
    """Say whether a file begins as DuckDB's do; an empty one becomes a database."""
    try:
        with open_regular(path) as file:
            head = file.read(12)
    except OSError as error:
        raise EnvironmentFaultError(
            f"{path} cannot be read ({error.strerror})", "Remove the unfinished run and start anew."
        ) from error
    return not head or head[8:] == b"DUCK"
