"""What a run takes of the machine: shared among the work under way, and sampled.

The counters of a process know nothing of models. Between two instants at which work
begins or ends, what they grew by is shared in equal parts among what was under way, so
that the parts add up to the process; memory is that of the whole process.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planalign.engine.machine import Reading
    from planalign.record.telemetry import Listener

# A reading costs a tenth of a millisecond: where a model begins, that of one that ended
# not longer ago than this, in seconds, serves again.
SERVES_AGAIN = 0.001
# Seconds between samples: at first, and as a part of what the run has taken, so that
# an hour has some 3,000.
FIRST_INTERVAL = 0.25
GROWING_INTERVAL = 1 / 600


@dataclass
class Usage:
    """What one piece of work took; `end` completes it.

    Memory in bytes, of the whole process, spilled bytes those in temporary files at
    most; CPU in seconds; bytes read and written by calls to the system. None where the
    system does not tell.
    """

    memory_before: int | None = None
    memory_peak: int | None = None
    memory_after: int | None = None
    cpu_seconds: float = 0.0
    read_bytes: int | None = None
    written_bytes: int | None = None
    spilled_bytes: int = 0

    def part(self, share: float) -> Usage:
        """Return the share of one of several that were done together; memory is all theirs."""
        return replace(
            self,
            cpu_seconds=self.cpu_seconds * share,
            read_bytes=None if self.read_bytes is None else int(self.read_bytes * share),
            written_bytes=None if self.written_bytes is None else int(self.written_bytes * share),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as keys of an event."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**found, "cpu_seconds": round(self.cpu_seconds, 6)}


class Meter:
    """Shares what the process takes among the work under way. Safe from any thread."""

    def __init__(
        self, read: Callable[[], Reading], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._running: list[Usage] = []
        self._last: Reading | None = None
        self._read_at = 0.0

    def begin(self) -> Usage:
        """Begin a piece of work."""
        with self._lock:
            is_fresh = self._clock() - self._read_at < SERVES_AGAIN
            now = self._last if self._last is not None and is_fresh else self._share()
            usage = Usage(now.resident_bytes, now.resident_bytes)
            if now.read_bytes is not None:
                usage.read_bytes = usage.written_bytes = 0
            self._running.append(usage)
            return usage

    def end(self, usage: Usage) -> None:
        """End a piece of work, which has its share from then on."""
        with self._lock:
            now = self._share()
            usage.memory_after = now.resident_bytes
            # By identity: two that took the same are equal.
            self._running = [one for one in self._running if one is not usage]

    def tick(self) -> Reading:
        """Read the counters, also for the peaks of what is under way."""
        with self._lock:
            return self._share()

    @contextmanager
    def measured(self) -> Iterator[Usage]:
        """Measure the work of the block."""
        usage = self.begin()
        try:
            yield usage
        finally:
            self.end(usage)

    def _share(self) -> Reading:
        now, last = self._read(), self._last
        self._last, self._read_at = now, self._clock()
        part = len(self._running)
        for usage in self._running:
            if last is None:  # nothing can run before the first reading
                break
            usage.cpu_seconds += (now.cpu_seconds - last.cpu_seconds) / part
            if usage.read_bytes is not None and usage.written_bytes is not None:
                usage.read_bytes += ((now.read_bytes or 0) - (last.read_bytes or 0)) // part
                usage.written_bytes += (
                    (now.written_bytes or 0) - (last.written_bytes or 0)
                ) // part
            usage.memory_peak = max(usage.memory_peak or 0, now.resident_bytes)
            usage.spilled_bytes = max(usage.spilled_bytes, now.spilled_bytes)
        return now


class Sampler:
    """Tells of the process, time and again, while a run goes on."""

    def __init__(
        self,
        meter: Meter,
        tell: Listener,
        busy_by_core: Callable[[], list[tuple[int, int]]],
        memory_by_tag: Callable[[], Mapping[str, int]],
    ) -> None:
        self._meter = meter
        self._tell = tell
        self._cores = busy_by_core
        self._tags = memory_by_tag
        self._stop = threading.Event()
        self._before: list[tuple[int, int]] = []
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._before = self._cores()
        self._thread.start()

    def stop(self) -> None:
        """End; nothing is told from then on."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        started = time.perf_counter()
        wait = FIRST_INTERVAL
        while not self._stop.wait(wait):
            with suppress(OSError):  # a full disk: the run meets it too, and tells
                self._sample()
            wait = max(FIRST_INTERVAL, (time.perf_counter() - started) * GROWING_INTERVAL)

    def _sample(self) -> None:
        now, cores = self._meter.tick(), self._cores()
        busy = [
            round((b - b0) / (t - t0), 3) if t > t0 else 0.0
            for (b0, t0), (b, t) in zip(self._before, cores, strict=False)
        ]
        self._before = cores
        self._tell(
            "sample",
            resident_bytes=now.resident_bytes,
            cpu_seconds=round(now.cpu_seconds, 6),
            busy_by_core=busy,
            read_bytes=now.read_bytes,
            written_bytes=now.written_bytes,
            spilled_bytes=now.spilled_bytes,
            memory_by_tag=dict(self._tags()),
        )
