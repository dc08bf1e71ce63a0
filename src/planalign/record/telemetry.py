"""What a run records of itself: numbered events, one JSON object a line."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from planalign.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


# Of events.jsonl: told by `run_started`. Keys are only ever added within a format.
FORMAT = 2

_PIECE = 1_000_000
_ENCODE = json.JSONEncoder().encode


class Listener(Protocol):
    """Something that wants to know how a run goes: the file, the progress bar."""

    def __call__(self, kind: str, **details: Any) -> None:
        """Take one event."""


def unheard(kind: str, **details: Any) -> None:
    """Take an event that nobody listens to."""


class EventLog:
    """Append-only `events.jsonl`: `sequence`, `time`, `clock`, `kind`, details.

    `time` is Unix time in seconds; `clock`, in seconds too, never goes back within a
    process, and is the one of every `started`. A resumed run goes on with the next
    number. Safe to call from any thread.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sequence = 0
        if path.exists():
            whole = size = 0
            with open_regular(path) as file:
                while piece := file.read(_PIECE):
                    self._sequence += piece.count(b"\n")
                    last = piece.rfind(b"\n")
                    whole = size + last + 1 if last >= 0 else whole
                    size += len(piece)
            if whole != size:  # the process died inside a line
                os.truncate(path, whole)  # writing it anew may meet a full disk
        self._file = path.open("ab")

    def __call__(self, kind: str, **details: Any) -> None:
        """Write one event."""
        with self._lock:
            line = {
                "sequence": self._sequence + 1,
                "time": round(self._clock(), 6),
                "clock": round(time.perf_counter(), 6),
                "kind": kind,
                **details,
            }
            before = self._file.tell()
            try:
                self._file.write(f"{_ENCODE(line)}\n".encode())
                self._file.flush()
            finally:  # Ctrl-C may come before the line is written or after it
                self._sequence += self._file.tell() > before

    def close(self) -> None:
        """Close the file; what a full disk did not take has been told of when it was written."""
        with suppress(OSError):
            self._file.close()


def saving(seconds: float) -> str:
    """Return in words what years from the cache saved: to take one may last longer than it did."""
    return f"saved {seconds:.2f} s" if seconds >= 0.005 else "saved no time"


def broadcast(*listeners: Listener) -> Listener:
    """Return a listener that passes each event on to all."""

    def tell(kind: str, **details: Any) -> None:
        for listener in listeners:
            listener(kind, **details)

    return tell


@contextmanager
def timed(tell: Listener, what: str, year: int | None = None) -> Iterator[None]:
    """Tell how long the work of the block took that builds no model."""
    started = time.perf_counter()
    yield
    tell(
        "work_completed",
        year=year,
        what=what,
        started=round(started, 6),
        seconds=round(time.perf_counter() - started, 6),
        thread=threading.current_thread().name,
    )
