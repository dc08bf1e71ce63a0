"""Find the runs of a folder, and tell what became of each. No database is opened."""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from planalign.engine.database import FILE_NAME as DATABASE
from planalign.errors import PlanalignError
from planalign.record.reading import FILE_NAME as EVENTS
from planalign.studio.live import Live
from planalign.studio.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from planalign.profile.analysis import Analysis
    from planalign.record.record import Record

PARTIAL = ".partial"
# How many runs are kept in memory with all of their events.
_KEPT = 8
# Seconds for which what was read counts as what is there: pages ask once a second each.
_FRESH = 0.9


class State(StrEnum):
    """What became of a run. Stale: it is unfinished, and no process works on it."""

    FINISHED = "finished"
    RUNNING = "running"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STALE = "stale"

    @property
    def is_resumable(self) -> bool:
        """Say whether the run can go on from its last whole year."""
        return self in (State.FAILED, State.INTERRUPTED, State.STALE)


def partial_of(output: Path) -> Path:
    """Return where a run is built that will be `output`."""
    return output.with_name(output.name + PARTIAL)


def is_locked(output: Path) -> bool:
    """Say whether a process is building the run.

    A shared lock that is let go at once: it fails where a run holds its own.
    """
    path = partial_of(output).with_name(f"{output.name}{PARTIAL}.lock")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def state_of(output: Path, outcome: str | None, *, is_working: Callable[[Path], bool]) -> State:
    """Return the state of a run, given how its last session ended."""
    if _is_file(output / DATABASE):
        return State.FINISHED
    if is_working(output):
        return State.RUNNING
    # It may have been published since the first look.
    if _is_file(output / DATABASE):
        return State.FINISHED
    if outcome == "failed":
        return State.FAILED
    return State.INTERRUPTED if outcome == "interrupted" else State.STALE


def names_in(folder: Path) -> list[str]:
    """Return the names of the runs in a folder, finished or not; links are followed by none."""
    return sorted(filter(is_text, _names_in(folder)))


def odd_names_in(folder: Path) -> list[str]:
    """Return the names of runs that are no text, which no page can show, as far as they are."""
    odd = (name for name in _names_in(folder) if not is_text(name))
    return sorted(name.encode("utf-8", "backslashreplace").decode() for name in odd)


def _names_in(folder: Path) -> set[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return set()
    return {
        entry.name.removesuffix(PARTIAL)
        for entry in entries
        if entry.name != PARTIAL  # of a run without a name
        and entry.is_dir(follow_symlinks=False)
        and _is_file(folder / entry.name / EVENTS)
    }


def is_text(name: str) -> bool:
    """Say whether a name of the file system is UTF-8; where not, Python keeps odd bytes in it."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _is_file(path: Path) -> bool:
    # Not Path.is_file, which fails where a folder may not be entered.
    return os.path.isfile(path)  # noqa: PTH113


@dataclass(frozen=True)
class Place:
    """The folder whose runs are shown; `only` one of them where a run was named."""

    folder: Path
    only: str | None = None

    def names(self) -> list[str]:
        """Return the names of the runs that there are now."""
        names = names_in(self.folder)
        return names if self.only is None else [name for name in names if name == self.only]

    def odd_names(self) -> list[str]:
        """Return the names of runs that no page can show."""
        return odd_names_in(self.folder) if self.only is None else []


def place_of(path: Path) -> Place:
    """Return what to show for the path of a run, finished or not, or of a folder of runs."""
    path = path.resolve()
    if path.name.removesuffix(PARTIAL) not in ("", path.name) and path.is_dir():
        path = path.with_name(path.name.removesuffix(PARTIAL))
    if _is_file(path / EVENTS) or (path.name and _is_file(partial_of(path) / EVENTS)):
        return Place(path.parent, path.name)
    return Place(path)


@dataclass(frozen=True)
class Summary:
    """A run as the list shows it."""

    name: str
    state: State
    live: Live
    damaged: int = 0


class Watched:
    """One run, whose record is read once for all who look at it."""

    def __init__(self, output: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.output = output
        self.events: list[Mapping[str, Any]] = []
        self._live = Live()
        self._tail = Tail(output)
        self._clock = clock
        self._read_at: float | None = None
        self._analysed: tuple[int, Record, Analysis] | None = None
        self._lock = threading.Lock()

    def summary(self, is_working: Callable[[Path], bool] = is_locked) -> Summary:
        """Return what the run is now; what was read less than a second ago is not read again."""
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= _FRESH:
                self._read()
                self._read_at = now
            live, damaged = self._live, self._tail.damaged
        state = state_of(self.output, live.outcome, is_working=is_working)
        if state is State.FINISHED and live.outcome is None:
            return self._again(is_working)
        return Summary(self.output.name, state, live, damaged)

    def _again(self, is_working: Callable[[Path], bool]) -> Summary:
        """Read to the end: the run was published behind the last look."""
        with self._lock:
            self._read()
            state = state_of(self.output, self._live.outcome, is_working=is_working)
            return Summary(self.output.name, state, self._live, self._tail.damaged)

    def record(self) -> tuple[Record, Analysis]:
        """Return the record until now, and what it says of time and memory.

        Raises:
            InputError: it cannot be read.
        """
        from planalign.profile.analysis import analyse  # noqa: PLC0415 - with the pages alone
        from planalign.record.reading import record_of  # noqa: PLC0415

        with self._lock:
            count = len(self.events)
            if self._analysed is None or self._analysed[0] != count:
                if not count or self.events[0]["kind"] != "run_started":
                    raise PlanalignError(f"the record of {self.output.name} is empty")
                record = record_of(self.events)
                self._analysed = (count, record, analyse(record))
            return self._analysed[1:]

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def _read(self) -> None:
        news = self._tail.read()
        if news.is_anew:
            self.events, self._live, self._analysed = [], Live(), None
        self.events.extend(news.events)
        self._live = self._live.after(news.events)


class Runs:
    """The runs of a place. A name that comes from outside is looked up, never made a path."""

    def __init__(self, place: Place, is_working: Callable[[Path], bool] = is_locked) -> None:
        self.place = place
        self.is_working = is_working
        self._watched: dict[str, Watched] = {}
        self._settled: dict[str, tuple[tuple[int, ...], Summary]] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Watched | None:
        """Return the run of a name, if there is one."""
        if name not in self.place.names():
            with self._lock:
                gone = self._watched.pop(name, None)
            if gone is not None:
                gone.close()
            return None
        return self._watch(name)

    def summaries(self) -> list[Summary]:
        """Return every run, the latest first."""
        found = [self._summary(name) for name in self.place.names()]
        return sorted(found, key=lambda one: (-(one.live.began or 0.0), one.name))

    def _summary(self, name: str) -> Summary:
        """Return a run; the record of one that nobody works on is read once."""
        mark = _mark(self.place.folder / name)
        settled = self._settled.get(name)
        if (
            settled is not None
            and settled[0] == mark
            and not self.is_working(self.place.folder / name)
        ):
            return settled[1]
        watched = self._watched.get(name)
        if watched is None:
            passing = Watched(self.place.folder / name)
            summary = passing.summary(self.is_working)
            passing.close()
        else:
            summary = watched.summary(self.is_working)
        if summary.state is State.RUNNING:
            self._watch(name)
        elif mark == _mark(self.place.folder / name):
            self._settled[name] = (mark, summary)
        return summary

    def _watch(self, name: str) -> Watched:
        with self._lock:
            watched = self._watched.pop(name, None) or Watched(self.place.folder / name)
            self._watched[name] = watched  # the last one looked at is the last to go
            if len(self._watched) > _KEPT:
                self._watched.pop(next(iter(self._watched))).close()
            return watched


def _mark(output: Path) -> tuple[int, ...]:
    """Return what changes when the record of a run does."""
    for at, path in enumerate((output / EVENTS, partial_of(output) / EVENTS)):
        try:
            found = path.stat()
        except OSError:
            continue
        return (at, found.st_ino, found.st_size, found.st_mtime_ns)
    return ()


_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_name(text: str) -> bool:
    """Say whether a new run may be called so: one part of a path, and no name of ours."""
    return (
        _ALLOWED.fullmatch(text) is not None
        and not text.endswith((PARTIAL, ".lock", "."))
        and ".partial." not in text
    )
