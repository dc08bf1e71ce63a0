"""A machine that fails when a test tells it to, around the real DuckDB."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.engine.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IO_ERROR = duckdb.IOException(
    'IO Error: Could not read from file "results.duckdb": Input/output error'
)


# How many faults of each kind were raised, in all tests.
INJECTED: Counter[str] = Counter()


class Heard(list[dict[str, Any]]):
    """A listener that keeps what it is told."""

    def __call__(self, kind: str, **details: Any) -> None:
        self.append({"kind": kind, **details})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self if event["kind"] == kind]


@dataclass
class Fault:
    """Raise `error` before the statements that contain `text`, `times` times.

    The first `spared` of them pass; `begin` and `commit` are statements too.
    """

    text: str
    error: BaseException
    times: int = 1
    spared: int = 0


@dataclass
class Faults:
    """The faults that wait for their statement; what was raised, and each wait."""

    waiting: list[Fault] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, sql: str) -> None:
        """Raise the fault that waits for this statement."""
        with self.lock:
            self.statements.append(sql)
            for fault in self.waiting:
                if fault.text not in sql or fault.times == 0:
                    continue
                if fault.spared > 0:
                    fault.spared -= 1
                    continue
                fault.times -= 1
                self.raised.append(sql)
                INJECTED[type(fault.error).__name__] += 1
                raise fault.error

    def machine(self, **changes: Any) -> Machine:
        """Return the machine that has them; it waits without sleeping."""
        return Machine(
            **{
                "connect": lambda path: Connection(duckdb.connect(path), self),
                "sleep": self.waits.append,
                **changes,
            }
        )


class Connection:
    """A DuckDB connection, or cursor, that meets faults."""

    def __init__(self, real: duckdb.DuckDBPyConnection, faults: Faults) -> None:
        self.real = real
        self.faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.real.close()

    def cursor(self) -> Connection:
        return Connection(self.real.cursor(), self.faults)

    def execute(self, sql: Any, *parameters: Any) -> Any:
        self.faults.before(getattr(sql, "query", sql))
        return self.real.execute(sql, *parameters)

    def begin(self) -> Any:
        self.faults.before("begin")
        return self.real.begin()

    def commit(self) -> Any:
        self.faults.before("commit")
        return self.real.commit()


@contextmanager
def holding(path: Path) -> Iterator[Callable[[], None]]:
    """Let another process hold a database; what is lent lets go of it."""
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        def let_go() -> None:
            process.kill()
            process.wait()

        try:
            yield let_go
        finally:
            let_go()
