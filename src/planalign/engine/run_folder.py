"""A run's folder while it is being built, and its publication by one rename."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from planalign._version import __version__
from planalign.engine.database import FILE_NAME
from planalign.engine.faults import environment_fault, is_short_of_files
from planalign.errors import EnvironmentFaultError, InputError, Problem, UsageError
from planalign.files import (
    LARGEST,
    make_folder,
    open_regular,
    parse_json,
    protect,
    read_object,
    require_path,
)
from planalign.run_format import FORMAT, require_this_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project
    from planalign.engine.retry import Retry

PARTIAL = ".partial"
_PROVENANCE = "provenance.json"
_CONFIG = "config.yaml"
_EVENTS = "events.jsonl"
# What a run writes before it can be resumed, and what is removed of one that came to nothing.
# No other name is touched: the folder may be somebody's.
_OWN_FILES = frozenset(
    {
        *(f"{name}{end}" for name in (_PROVENANCE, _CONFIG) for end in ("", ".new")),
        *(f"{FILE_NAME}{end}" for end in ("", ".wal", ".wal.checkpoint", ".wal.recovery")),
        _EVENTS,
    }
)
# Where blocks are that workers do: of no use once nobody works on the run.
_BLOCKS = "blocks"
_OWN_FOLDERS = frozenset({"dbt", f"{FILE_NAME}.tmp", _BLOCKS})
# How the record of a run begins.
_FIRST = b'{"sequence": 1, "time": '
LOCK_SECONDS = 0.5


@dataclass(frozen=True)
class RunFolder:
    """`output` is what a finished run is called; until then it is `output.partial`."""

    output: Path

    @property
    def partial(self) -> Path:
        """Return the folder that the run is built in."""
        return self.output.with_name(f"{self.output.name}{PARTIAL}")

    @property
    def database(self) -> Path:
        """Return the database that is being built."""
        return self.partial / FILE_NAME

    @property
    def blocks(self) -> Path:
        """Return the folder for what workers compute, until it is in the database."""
        return self.partial / _BLOCKS

    @property
    def events(self) -> Path:
        """Return the telemetry file."""
        return self.partial / _EVENTS

    @contextmanager
    def claimed(self, *, resume: bool) -> Iterator[None]:
        """Hold the partial folder for this process alone.

        Raises:
            UsageError: the run is finished already, or an unfinished one is there
                and `resume` was not asked for, or what is there is no run that can go on.
            EnvironmentFaultError: another process is writing it, or it cannot be
                written: also by what is done while it is held.
        """
        try:
            with self._locked(resume=resume):
                yield
        except OSError as error:
            what = f"writing {self.partial}"
            raise environment_fault(what, error) or error from error

    @contextmanager
    def _locked(self, *, resume: bool) -> Iterator[None]:
        self._refuse_finished()
        missing = [one for one in self.output.parents if not one.exists()]
        # Beside the folder: inside, it would be published, or be gone too early.
        path = self.partial.with_name(f"{self.partial.name}.lock")
        try:
            with self._lock(path):
                # Again, now that nobody else can change what is there.
                self._refuse_finished()
                make_folder(self.partial)
                self._refuse_others(resume=resume)
                with self._kept_if_begun():
                    if not self._can_go_on():
                        self._remove_own()
                    self.drop_blocks()
                    yield
        finally:
            _remove_empty(missing)

    @contextmanager
    def _lock(self, path: Path) -> Iterator[None]:
        try:
            lock = _locked_file(path)
        except BlockingIOError as error:
            raise EnvironmentFaultError(
                f"another process is writing {self.partial}",
                "Wait for it, or name another --output.",
            ) from error
        with lock:
            try:
                yield
            finally:
                with suppress(FileNotFoundError):
                    if path.stat().st_size == 0:  # as ours is
                        path.unlink()

    @contextmanager
    def _kept_if_begun(self) -> Iterator[None]:
        """Remove the folder if the block fails before anything was simulated to be resumed."""
        try:
            yield
        except BaseException:
            if not self._can_go_on():
                with suppress(OSError):
                    self._remove_own()
                    self.partial.rmdir()
            raise

    def _refuse_finished(self) -> None:
        if self.output.exists():
            raise UsageError(
                f"{self.output} is there already", "Name another --output, or remove it."
            )

    def _can_go_on(self) -> bool:
        """Say whether it was written down what the run is computed from."""
        return os.path.lexists(self.partial / _PROVENANCE)

    def _refuse_others(self, *, resume: bool) -> None:
        """Refuse a folder that is no run's, or of a run of which nobody knows what it was."""
        there = {path.name: path for path in self.partial.iterdir()}
        links = sorted(name for name, path in there.items() if path.is_symlink())
        if links:
            raise UsageError(
                f"{self.partial} has links in the place of files: {', '.join(links[:3])}",
                "Name another --output, or remove the folder.",
            )
        others = sorted(there.keys() - _OWN_FILES - _OWN_FOLDERS)
        if others:  # they would be published with the run
            is_run = _PROVENANCE in there
            raise UsageError(
                f"{self.partial} {'' if is_run else 'is no unfinished run: it '}holds "
                f"{', '.join(others[:3])}{', which no run writes' if is_run else ''}",
                f"Name another --output, or move {'them' if is_run else 'the folder'} away.",
            )
        if there and _PROVENANCE not in there and not self._has_come_to_nothing(there):
            raise UsageError(
                f"{self.partial} has no {_PROVENANCE}: what the run was computed from is lost",
                "Remove the folder, and start anew.",
            )
        if there and not resume:
            raise UsageError(
                f"{self.partial} holds an unfinished run",
                "Go on with --resume, or remove the folder.",
            )

    def _has_come_to_nothing(self, there: Mapping[str, Path]) -> bool:
        """Say whether the run was stopped before anything was simulated, by its own record."""
        if _CONFIG in there or _EVENTS not in there:
            return False
        with open_regular(self.events) as lines:
            first = lines.readline(LARGEST)
            if not first.endswith(b"\n"):  # stopped before its first line was whole
                is_ours = _FIRST.startswith(first) or first.startswith(_FIRST)
                return is_ours and there.keys() == {_EVENTS}
            return _begins_a_run(first) and not any(
                b'"run_planned"' in line for line in iter(lambda: lines.readline(LARGEST), b"")
            )

    def _remove_own(self) -> None:
        """Remove what a run that came to nothing has written, and nothing else."""
        for name in _OWN_FILES:
            (self.partial / name).unlink(missing_ok=True)
        for name in _OWN_FOLDERS:
            shutil.rmtree(self.partial / name, ignore_errors=True)

    def begin(self, provenance: Mapping[str, Any]) -> None:
        """Write down what the run is computed from: from here on it can be resumed."""
        self.write(_PROVENANCE, json.dumps(provenance, indent=2) + "\n")

    def drop_blocks(self) -> None:
        """Remove what workers have left."""
        shutil.rmtree(self.blocks, ignore_errors=True)

    def write(self, name: str, text: str) -> None:
        """Write a small file of the run, whole or not at all."""
        path = self.partial / name
        temporary = path.with_name(f"{name}.new")
        temporary.unlink(missing_ok=True)
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)

    def check_same_study(self, provenance: Mapping[str, Any]) -> None:
        """Refuse to resume a run that was started from something else.

        Raises:
            UsageError: format, configuration, census, models or versions differ.
            EnvironmentFaultError: what it was started from cannot be read.
        """
        path = self.partial / _PROVENANCE
        if not self._can_go_on():
            return  # nothing was simulated yet
        try:
            recorded = read_object(path)
            if not isinstance(recorded.get("fingerprints"), dict):
                raise ValueError("it has no fingerprints")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise EnvironmentFaultError(
                f"{path} cannot be read ({reason}): what the run was computed from is lost",
                "Remove the folder, and start anew.",
            ) from error
        require_this_format(self.partial, recorded)
        before = {
            kind: found if isinstance(found := recorded.get(kind), dict) else {}
            for kind in ("fingerprints", "versions")
        }
        differing = [
            f"{kind} of {name}"
            for kind, found in before.items()
            for name, value in provenance[kind].items()
            if found.get(name) != value
        ]
        if differing:
            # Also another version: nobody could compute again what is half of each.
            raise UsageError(
                f"{self.partial} was started with other {', '.join(differing)}",
                "Resume with what it was started with, or remove the folder and start anew.",
            )

    def publish(self, retry: Retry, rename: Callable[[Path, Path], None] = os.rename) -> Path:
        """Give the closed run its name. From here on it is never written again.

        Raises:
            EnvironmentFaultError: the database was not written whole when it was closed.
            OSError: it could not be written out, which is not tried again, for the
                system may have dropped what it could not write; or not be renamed.
        """
        log = self.partial / f"{FILE_NAME}.wal"
        if log.exists() and log.stat().st_size > 0:
            raise EnvironmentFaultError(
                f"{self.database} is not whole: a part of it is still in {log.name}",
                "Free disk space or look at the disk, and go on with --resume.",
            )
        log.unlink(missing_ok=True)
        shutil.rmtree(self.partial / f"{FILE_NAME}.tmp", ignore_errors=True)
        self.drop_blocks()
        protect(self.partial)
        for path in self.partial.iterdir():
            if path.is_file():
                _synchronise(path)
        retry.run(f"publishing {self.output}", lambda: rename(self.partial, self.output))
        _synchronise(self.output.parent)
        return self.output


def _begins_a_run(line: bytes) -> bool:
    """Say whether a line is what a run of ours begins its record with."""
    try:
        event = parse_json(line.decode())
    except ValueError:
        return False
    return (
        isinstance(event, dict)
        and event.get("kind") == "run_started"
        and {"sequence", "format", "runner", "trajectories", "versions"} <= event.keys()
    )


def _locked_file(path: Path) -> IO[str]:
    """Return the lock of a run, held by this process until it is closed.

    Who looks whether a run goes on takes the lock for a moment: it is waited for. So is
    another run that ends, and removes the lock and the folders that it made.

    Raises:
        BlockingIOError: another process holds it.
    """
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            make_folder(path.parent)
            lock = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                    return lock
                raise BlockingIOError(errno.EWOULDBLOCK, "who held it has removed it", str(path))
            except BaseException:
                lock.close()
                raise
        except (BlockingIOError, FileNotFoundError):
            if time.monotonic() >= until:
                raise
        time.sleep(0.02)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders that were made for a run and hold none, the innermost first."""
    with suppress(OSError):  # not empty
        for folder in folders:
            folder.rmdir()


def run_folder(output: Path | None, runner: str = "direct") -> RunFolder:
    """Return the folder for `output`, or a new one in `runs/`, named by the time.

    Raises:
        UsageError: a run of that name would be taken for an unfinished one; or DuckDB, or
            dbt in the runner `batch`, would write somewhere else.
    """
    if output is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        output = Path("runs") / f"{stamp}-{os.getpid()}"
    output = output.resolve()
    if output.name.endswith((PARTIAL, f"{PARTIAL}.lock")):
        raise UsageError(
            f"{output} would be taken for an unfinished run",
            f"Name an --output that does not end in {PARTIAL}.",
        )
    require_path(output, without="\\?#" if runner == "batch" else "\\?")
    return RunFolder(output)


def provenance(
    influences: str, census: str, project: Project, pipeline: Pipeline
) -> dict[str, Any]:
    """Return what a run is computed from: fingerprints and versions, and its format.

    Args:
        influences: all of the configuration that may change a result, as text.
        census: fingerprint of the census.
        project: the reference tables.
        pipeline: the models, compiled.
    """
    return {
        "format": FORMAT,
        "fingerprints": {
            "configuration": hashlib.sha256(influences.encode()).hexdigest(),
            "census": census,
            **models_fingerprints(project, pipeline),
        },
        "versions": versions(),
    }


def models_fingerprints(project: Project, pipeline: Pipeline) -> dict[str, str]:
    """Return the fingerprints of the models and of the reference tables."""
    return {
        "models": pipeline.models_fingerprint,
        "reference_tables": _tables_digest(project, pipeline),
    }


def census_fingerprint(census: Path) -> str:
    """Return the SHA-256 of a census file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return _file_digest(census)
    except OSError as error:
        if is_short_of_files(error):
            raise
        raise InputError(
            "the census cannot be read",
            [
                Problem(
                    f"cannot be read ({error.strerror})",
                    "Name a census with --census or in planalign.yaml.",
                    file=str(census),
                )
            ],
        ) from error


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result is computed with."""
    return {
        "planalign": __version__,
        **{name: metadata.version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")},
    }


def _file_digest(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tables_digest(project: Project, pipeline: Pipeline) -> str:
    digest = hashlib.sha256()
    for seed in sorted(pipeline.seeds, key=lambda one: one.name):
        digest.update(f"{seed.name} {_file_digest(project.folder / seed.path)}\n".encode())
    return digest.hexdigest()


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
