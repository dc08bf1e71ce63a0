"""Hand out blocks, a bounded number ahead, and merge what comes back in whatever order it does."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.engine.breaker import lighten
from planalign.engine.faults import Fault, fault_of, first_words
from planalign.errors import EnvironmentFaultError
from planalign.files import make_folder
from planalign.study.blocks.job import QUICK, BlockJob, BlockOutcome, Told
from planalign.study.blocks.local import WorkerLostError
from planalign.study.blocks.merging import merge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from planalign.engine.database import Database
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.year_processor import YearResult
    from planalign.record.telemetry import Listener
    from planalign.study.blocks.local import Workers

# Blocks handed out for each worker: one that it does, and one that it goes on with.
AHEAD = 2
# How often a block is begun, if its worker is lost each time.
ATTEMPTS = 3
# Seconds between looks at what workers tell.
_PAUSE = 0.1


def split(asked: Sequence[Trajectory], workers: int, most: int) -> list[tuple[Trajectory, ...]]:
    """Return blocks of at most `most` trajectories: as few as give each worker equally many.

    A block costs the planning of its statements, whatever its size.
    """
    rounds = -(-len(asked) // (workers * most))
    count = min(len(asked), workers * rounds)
    bounds = [len(asked) * number // count for number in range(count + 1)] if count else [0]
    return [tuple(asked[a:b]) for a, b in itertools.pairwise(bounds)]


@dataclass
class SideBySide:
    """The blocks of a run that workers do, and what the run's record says of them.

    `years_before` and `blocks_before` are those that the run's own process has done.
    """

    pipeline: Pipeline
    database: Database
    workers: Workers
    folder: Path
    tell: Listener
    years_each: int
    years_before: int = 0
    blocks_before: int = 0
    compression: str = QUICK
    _lanes: dict[str, int] = field(default_factory=dict, init=False)
    _shifts: dict[str, float] = field(default_factory=dict, init=False)
    _numbers: dict[tuple[str, int], int] = field(default_factory=dict, init=False)
    _current: dict[str, int] = field(default_factory=dict, init=False)
    _planned: dict[int, int] = field(default_factory=dict, init=False)
    _done: Counter[int] = field(default_factory=Counter, init=False)
    _lost_years: int = field(default=0, init=False)

    def years(self, blocks: Sequence[Sequence[Trajectory]]) -> Iterator[YearResult]:
        """Have every block done; yield its years when its rows are in the run's database.

        Raises:
            ModelError: a model failed, or a check found rows, in one of them.
            EnvironmentFaultError: a machine is in the way, or workers are lost again and again.
        """
        waiting = deque(
            BlockJob(number, tuple(one), self.compression) for number, one in enumerate(blocks, 1)
        )
        self._planned = {job.number: self.years_each for job in waiting}
        self._tell_planned()
        running: dict[Future[BlockOutcome], BlockJob] = {}
        losses: Counter[int] = Counter()
        while waiting or running:
            while waiting and len(running) < AHEAD * self.workers.count:
                job = waiting.popleft()
                running[self.workers.submit(job)] = job
            ended, _ = wait(running, timeout=_PAUSE, return_when=FIRST_COMPLETED)
            self._hear()
            outcomes = []
            for future in ended:
                job = running.pop(future)
                try:
                    outcomes.append(future.result())
                except WorkerLostError as error:
                    losses[job.number] += 1
                    self._lose(job, error, losses[job.number])
                    waiting.append(job)
            # What is whole first: an error ends the run.
            for outcome in sorted(
                outcomes, key=lambda one: (one.error is not None, one.job.number)
            ):
                yield from self._merged(outcome)

    def _merged(self, outcome: BlockOutcome) -> Sequence[YearResult]:
        for told in outcome.events:
            self._retell(told)
        if outcome.parts:
            files = {name: self._as_file(outcome, name) for name in outcome.parts}
            block = f"a block of {len(outcome.job.trajectories)}"
            size = sum(file.stat().st_size for file in files.values())
            started = time.perf_counter(), time.process_time()
            self._merge(files, block)
            self.tell(
                "block_merged",
                trajectories=len(outcome.job.trajectories),
                bytes=size,
                seconds=round(time.perf_counter() - started[0], 6),
                cpu_seconds=round(time.process_time() - started[1], 6),
                worker_seconds=round(outcome.seconds, 6),
                worker_cpu_seconds=round(outcome.cpu_seconds, 6),
            )
            for file in files.values():
                file.unlink()
        if outcome.error is not None:
            raise outcome.error
        return outcome.years

    def _merge(self, files: Mapping[str, Path], block: str) -> None:
        """Merge a block; where memory runs short, with less at once."""
        while True:
            since = self.database.settings
            try:
                return merge(self.database, self.pipeline, files, block)
            except duckdb.OutOfMemoryException as error:
                reason = f"merging {block} ran out of memory ({first_words(error)})"
                is_memory = fault_of(error) is Fault.MEMORY  # and no full disk
                if not is_memory or not lighten(self.database, reason, since):
                    raise

    def _as_file(self, outcome: BlockOutcome, name: str) -> Path:
        part = outcome.parts[name]
        if not isinstance(part, bytes):
            return part
        path = self.folder / f"{outcome.job.number}-{name}.parquet"
        make_folder(path.parent)
        path.write_bytes(part)
        return path

    def _lose(self, job: BlockJob, error: WorkerLostError, times: int) -> None:
        """Tell that a worker was lost.

        Raises:
            EnvironmentFaultError: the block was begun often enough.
        """
        lost = f"the worker of a block of {len(job.trajectories)} {error}"
        if times == ATTEMPTS:
            raise EnvironmentFaultError(
                f"{lost}, {times} times in a row",
                "Where the machine runs out of memory, lower resources.memory_limit "
                "(--memory-limit) or resources.workers (--workers); then go on with --resume.",
            ) from error
        self.tell("warning", message=f"{lost}; the block is done again")
        self._lost_years += self._done.pop(job.number, 0)
        self._planned[job.number] = self.years_each
        self._tell_planned()

    def _tell_planned(self) -> None:
        years = sum(self._planned.values()) + self._lost_years + self.years_before
        blocks = sum(years // self.years_each for years in self._planned.values())
        self.tell(
            "run_planned",
            years=years,
            blocks=blocks + self.blocks_before,
            workers=self.workers.count,
        )

    def _hear(self) -> None:
        for told in self.workers.heard():
            self._retell(told)

    def _retell(self, told: Told) -> None:
        """Tell the run's record what a worker told, with its number and that of its block."""
        details: dict[str, Any] = {**told.details}
        if told.kind == "run_planned":
            if self._planned[told.job] != details["years"]:  # its blocks became smaller
                self._planned[told.job] = details["years"]
                self._tell_planned()
            return
        if told.kind == "year_started":
            key = (f"{told.job} {told.worker}", details["block"])
            new = self.blocks_before + len(self._numbers) + 1
            self._current[told.worker] = self._numbers.setdefault(key, new)
        if details.get("year") is not None and told.worker in self._current:
            details["block"] = self._current[told.worker]
        self._done[told.job] += told.kind == "year_completed"
        lane = self._lanes.setdefault(told.worker, len(self._lanes) + 1)
        shift = self._shift(told)
        if "thread" in details:
            details["thread"] = f"worker {lane} {details['thread']}"
        if "started" in details:
            details["started"] = round(details["started"] + shift, 6)
        self.tell(
            told.kind,
            worker=lane,
            time=round(told.time, 6),
            clock=round(told.clock + shift, 6),
            **details,
        )

    def _shift(self, told: Told) -> float:
        """Return what a worker's clock is behind ours: nothing for processes of this machine."""
        if told.worker not in self._shifts:
            shift = (told.time - told.clock) - (time.time() - time.perf_counter())
            self._shifts[told.worker] = shift if abs(shift) > _PAUSE else 0.0
        return self._shifts[told.worker]
