"""The same blocks on the workers of a Dask scheduler that is there, by its `concurrent.futures`.

On each machine a block is done by a worker process of that machine, as for a run that stays on
one: it can be ended, and what becomes of it does not touch Dask's own process.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import warnings
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign import scratch
from planalign.engine.run_folder import versions
from planalign.errors import EnvironmentFaultError
from planalign.study.blocks.local import LocalWorkers, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from planalign.study.blocks.job import BlockJob, BlockOutcome, Told

CONNECTING_SECONDS = 10
# Seconds between looks at whether a block is still wanted.
_PAUSE = 1.0


class ClusterWorkers:
    """The workers of a scheduler; each does as many blocks at a time as it has threads."""

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            EnvironmentFaultError: Dask is not installed, no scheduler answers, it has no
                workers, or one of them has other versions than this process.
        """
        self.address = address
        self._client = _connected(address)
        try:
            self.count = self._checked()
        except BaseException:
            self._disconnect()
            raise
        self._executor = self._client.get_executor(pure=False)
        self._digest = ""
        self._study: Any = None

    def hold(self, study: bytes) -> None:
        """Send the pickled study of all blocks; a worker gets it with its first one."""
        self._digest = hashlib.sha256(study).hexdigest()
        # A task that gives its content: where a worker that has it is lost, it is sent again.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that it is large: it is sent once
            self._study = self._client.submit(bytes, study, key=f"planalign-study-{self._digest}")

    def submit(self, job: BlockJob) -> Future[BlockOutcome]:
        """Hand out a job."""
        outcome: Future[BlockOutcome] = Future()
        outcome.set_running_or_notify_cancel()

        def end(ended: Future[BlockOutcome]) -> None:
            try:
                outcome.set_result(ended.result())
            except BaseException as error:  # noqa: BLE001 - the loop raises it
                outcome.set_exception(self._told_as(error))

        future = self._executor.submit(do_block, self._digest, self._study, job)
        future.add_done_callback(end)
        return outcome

    def heard(self) -> Iterator[Told]:
        """Yield nothing: what happened in a block comes with it."""
        yield from ()

    def close(self) -> None:
        """End all work of this run on the cluster."""
        # Where the scheduler is lost its workers notice that nobody wants their blocks.
        with suppress(OSError, TimeoutError):
            if self._client.status == "running":
                self._executor.shutdown(wait=False)
                self._client.run(dismiss, self._digest, on_error="ignore")
        self._disconnect()

    def _disconnect(self) -> None:
        with suppress(OSError, TimeoutError):
            self._client.close()

    def _checked(self) -> int:
        """Return how many blocks the workers do at a time, all of which have our versions."""
        threads = self._client.nthreads()
        if not threads:
            raise EnvironmentFaultError(
                f"the scheduler at {self.address} has no workers",
                f"Start some: `dask worker {self.address} --nthreads 1`.",
            )
        differing = []
        for name, ours in versions().items():
            found = self._client.run(metadata.version, name, on_error="return")
            differing += [
                f"{worker} has {name} {theirs}"
                if isinstance(theirs, str)
                else f"{worker} has no {name}"
                for worker, theirs in found.items()
                if theirs != ours
            ]
        if differing:
            raise EnvironmentFaultError(
                f"workers have other versions than this process: {'; '.join(sorted(differing))}",
                "Install there what is here: "
                + ", ".join(f"{name} {ours}" for name, ours in versions().items())
                + ".",
            )
        return sum(threads.values())

    def _told_as(self, error: BaseException) -> BaseException:
        """Return what the end of a block means for the run."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return WorkerLostError(f"was lost with others that began it ({error})")
        if isinstance(error, CancelledError) or type(error).__name__ == "FutureCancelledError":
            return EnvironmentFaultError(
                f"the scheduler at {self.address} is lost",
                "Start it again, with its workers, and go on with --resume.",
            )
        return error


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise EnvironmentFaultError(
            "--cluster needs Dask, which is not installed",
            "Install the extra: pip install 'planalign[cluster]'.",
        ) from error
    # What becomes of the connection is told by us, in words.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=CONNECTING_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EnvironmentFaultError(
            f"no Dask scheduler answers at {address} ({str(error).strip() or 'no answer'})",
            "Start one with `dask scheduler`, and name its address, such as tcp://10.0.0.5:8786.",
        ) from error


# ---- on the cluster's workers


class _Place:
    """A worker process of this machine, with a scratch folder that goes with it."""

    def __init__(self, digest: str, content: bytes) -> None:
        self.digest = digest
        self._folder: Path
        self._held: IO[bytes]
        self._folder, self._held = scratch.take("block")
        self._workers = LocalWorkers(content, 1, self._folder)

    def do(self, job: BlockJob) -> BlockOutcome:
        """Do a block; end at once where nobody wants it any more."""
        future = self._workers.submit(job)
        while True:
            try:
                outcome = future.result(timeout=_PAUSE)
            except TimeoutError:
                if not _is_wanted():
                    raise WorkerLostError("was not wanted any more") from None
            else:
                events = tuple(self._workers.heard())
                return replace(outcome, parts=_contents(outcome.parts), events=events)

    def close(self) -> None:
        """End the process, and remove the folder."""
        self._workers.close()
        scratch.remove(self._folder)
        self._held.close()


_idle: list[_Place] = []
_lock = threading.Lock()


def do_block(digest: str, content: bytes, job: BlockJob) -> BlockOutcome:
    """Do a block on a worker of the cluster, in a process that is kept for the next one."""
    with _lock:
        found = next((one for one in _idle if one.digest == digest), None)
        others = [one for one in _idle if one.digest != digest]
        _idle[:] = [one for one in _idle if one.digest == digest and one is not found]
    for one in others:  # of a run that was killed
        one.close()
    place = found or _Place(digest, content)
    try:
        outcome = place.do(job)
    except BaseException:
        place.close()
        raise
    with _lock:
        _idle.append(place)
    return outcome


def dismiss(digest: str) -> None:
    """End the processes that are kept for a study."""
    with _lock:
        ended = [one for one in _idle if one.digest == digest]
        _idle[:] = [one for one in _idle if one.digest != digest]
    for one in ended:
        one.close()


def _is_wanted() -> bool:
    """Say whether the task of this thread is still one that somebody waits for."""
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is not None and task.state == "executing"


def _contents(parts: Mapping[str, Path | bytes]) -> dict[str, Path | bytes]:
    """Return files by content, and remove them."""
    found: dict[str, Path | bytes] = {}
    for name, part in parts.items():
        found[name] = part if isinstance(part, bytes) else part.read_bytes()
        if isinstance(part, Path):
            part.unlink()
    return found
