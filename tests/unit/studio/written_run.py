"""Runs made by hand: folders with a record, and no database unless one is finished."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def event(kind: str, time: float, **details: Any) -> dict[str, Any]:
    """Return an event at a time; its clock is the same."""
    return {"sequence": 1, "time": time, "clock": time, "kind": kind, **details}


def started(time: float = 100.0, *, resumed: bool = False) -> dict[str, Any]:
    """Return the first event of a session of four years."""
    return event(
        "run_started", time, format=2, runner="direct", first_year=2025, last_year=2028,
        trajectories=2, resumed=resumed, memory_limit_bytes=1_000,
    )  # fmt: skip


def year(number: int, time: float) -> dict[str, Any]:
    """Return the end of a year."""
    return event("year_completed", time, year=number, seconds=1.0, steps={}, rows={})


class Writer:
    """Writes the record of one run as a process would."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.partial = output.with_name(f"{output.name}.partial")
        self.partial.mkdir(parents=True)

    @property
    def file(self) -> Path:
        folder = self.output if self.output.exists() else self.partial
        return folder / "events.jsonl"

    def write(self, *events: dict[str, Any]) -> Writer:
        return self.raw("".join(json.dumps(one) + "\n" for one in events))

    def raw(self, text: str) -> Writer:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(text)
        return self

    def publish(self) -> Writer:
        (self.partial / "results.duckdb").touch()
        self.partial.rename(self.output)
        return self

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, as the process that works on the run does."""
        path = self.partial.with_name(f"{self.partial.name}.lock")
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        path.unlink()
