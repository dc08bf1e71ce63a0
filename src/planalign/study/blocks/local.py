"""Worker processes of this machine, behind the interface of `concurrent.futures`."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, Pipe
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from planalign.study.blocks.job import BlockOutcome, Told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planalign.study.blocks.job import BlockJob

# Of the terminal, and of who ends the run: the parent answers them, and ends its workers.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PROGRAM = "from planalign.study.blocks.worker import main; main()"


class WorkerLostError(Exception):
    """A worker ended in the middle of a block; the block may be done again."""


class Workers(Protocol):
    """Processes that do block jobs: of this machine, or of a cluster."""

    count: int

    def submit(self, job: BlockJob) -> Future[BlockOutcome]:
        """Hand out a job. The future raises `WorkerLostError` where it may be done again."""

    def heard(self) -> Iterator[Told]:
        """Yield what workers have told since the last time, without waiting."""

    def close(self) -> None:
        """End all work at once."""


class LocalWorkers:
    """A thread for each worker process, which starts it anew where it was lost."""

    def __init__(self, study: bytes, count: int, folder: Path) -> None:
        self.count = count
        self._study = study  # pickled, which is done once for all
        self._folder = folder
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count, "worker", initializer=_heed_no_signals)
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._started = 0
        self._is_closed = False

    def submit(self, job: BlockJob) -> Future[BlockOutcome]:
        """Hand out a job."""
        return self._threads.submit(self._do, job)

    def heard(self) -> Iterator[Told]:
        """Yield what workers have told."""
        while True:
            try:
                yield self._told.get_nowait()
            except Empty:
                return

    def close(self) -> None:
        """Kill the processes; what they were doing is lost."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in tuple(self._running):
            process.wait()

    def _do(self, job: BlockJob) -> BlockOutcome:
        process, connection = self._process()
        try:
            connection.send(job)
            while True:
                message = pickle.loads(connection.recv_bytes())  # noqa: S301 - of our own process
                if isinstance(message, Told):
                    self._told.put(message)
                elif isinstance(message, BlockOutcome):
                    return message
                else:
                    raise message
        except (EOFError, OSError) as error:
            raise WorkerLostError(self._ended(process)) from error

    def _process(self) -> tuple[subprocess.Popen[bytes], Connection]:
        """Return the process of this thread, which is started if there is none."""
        found: tuple[subprocess.Popen[bytes], Connection] | None
        found = getattr(self._mine, "process", None)
        if found is None or found[0].poll() is not None:
            found = self._mine.process = self._start()
        return found

    def _start(self) -> tuple[subprocess.Popen[bytes], Connection]:
        ours, theirs = Pipe()
        with theirs, self._lock:
            if self._is_closed:
                raise WorkerLostError("the run ends")
            self._started += 1
            folder = self._folder / f"{os.getpid()}-{self._started}"
            # `-P`: files of the working folder would be taken for the modules of their names.
            command = [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), str(folder)]
            process = subprocess.Popen(  # noqa: S603 - ourselves
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # The packages of this process, in the order in which it looks for them.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            self._running.add(process)
        try:
            ours.send_bytes(self._study)
        except OSError as error:
            raise WorkerLostError(self._ended(process)) from error
        return process, ours

    def _ended(self, process: subprocess.Popen[bytes]) -> str:
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        shutil.rmtree(str(process.args[-1]), ignore_errors=True)  # type: ignore[index]
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def _heed_no_signals() -> None:
    """Leave signals to the main thread; the processes that this thread starts inherit that."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
