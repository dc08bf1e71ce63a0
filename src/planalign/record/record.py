"""The record of a run as plain values: what `events.jsonl` says, on one time axis.

The axis is in seconds, 0 where the run began. A run that was stopped and resumed has
several sessions; they follow each other on it without the time between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Span:
    """Something that was done from `start` to `end`, by one thread.

    dbt's threads, which are new ones for each command, are `dbt_0`, `dbt_1`, ...
    """

    name: str
    start: float
    end: float
    thread: str
    year: int | None = None
    block: int | None = None
    step: str | None = None

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return self.end - self.start


@dataclass(frozen=True)
class ModelRun(Span):
    """A model that was built: once for each year and block, in setup once per session.

    `group` is its topological level within the step, `attempt` the one that succeeded.
    Memory is that of the whole process in bytes, CPU seconds and bytes are the model's
    share of the process. None where the record does not tell.
    """

    group: int | None = None
    rows: int | None = None
    attempt: int = 1
    is_prepared: bool | None = None
    memory_before: int | None = None
    memory_peak: int | None = None
    memory_after: int | None = None
    cpu_seconds: float | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    spilled_bytes: int | None = None
    dbt_compile_seconds: float | None = None
    dbt_execute_seconds: float | None = None


@dataclass(frozen=True)
class TestRun(Span):
    """A data test that was run, and the rows that it found."""

    failures: int = 0


@dataclass(frozen=True)
class DbtCommand(Span):
    """A dbt command; of its seconds dbt gives its nodes those to compile and to execute."""

    nodes: int = 0
    dbt_compile_seconds: float = 0.0
    dbt_execute_seconds: float = 0.0
    cpu_seconds: float | None = None
    memory_peak: int | None = None

    @property
    def overhead_seconds(self) -> float:
        """Return what the command took beside its nodes, which may run side by side."""
        return max(0.0, self.seconds - self.dbt_compile_seconds - self.dbt_execute_seconds)


@dataclass(frozen=True)
class YearRun:
    """A year of a block. `end` is None while it is not complete.

    `steps` are seconds from the first start of a step's work to its last end; `rows`
    by mart, of all trajectories there are then.
    """

    year: int
    block: int
    trajectories: int
    start: float
    end: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    is_from_cache: bool = False
    saved_seconds: float = 0.0


@dataclass(frozen=True)
class Sample:
    """The process at an instant. Counters have grown since the process began.

    `busy_by_core` are parts of 1 of the time since the sample before, of every core of
    the machine, whoever used it.
    """

    at: float
    session: int
    resident_bytes: int
    cpu_seconds: float
    busy_by_core: tuple[float, ...]
    read_bytes: int | None
    written_bytes: int | None
    spilled_bytes: int
    memory_by_tag: Mapping[str, int]


@dataclass(frozen=True)
class Node:
    """A model of the graph: what it reads, and how it is materialised."""

    name: str
    step: str
    path: str
    materialization: str
    reads: tuple[str, ...]

    @property
    def layer(self) -> str:
        """Return the layer by dbt's naming: stg, int, fct, dim."""
        return self.name.partition("_")[0]


@dataclass(frozen=True)
class Note:
    """A warning or a fault: its kind in the record, and its details."""

    at: float
    kind: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """One process that worked on the run.

    `outcome` is `completed`, `failed`, `interrupted`, or None where the record does not
    tell: it goes on, or was killed.
    """

    start: float
    end: float
    started_at: float  # Unix time, seconds
    outcome: str | None = None
    error: str | None = None
    is_resumed: bool = False


@dataclass(frozen=True)
class Record:
    """All that a run recorded, in order of time. `format` is that of the first session."""

    format: int
    runner: str
    first_year: int
    last_year: int
    trajectories: int
    threads: int | None = None
    cores: int | None = None
    memory_limit_bytes: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    planned_years: int | None = None
    # That compiling the dbt project took, over all sessions; 0 where it had been before.
    compile_seconds: float = 0.0
    sessions: tuple[Session, ...] = ()
    graph: Mapping[str, Node] = field(default_factory=dict)
    models: tuple[ModelRun, ...] = ()
    tests: tuple[TestRun, ...] = ()
    work: tuple[Span, ...] = ()
    dbt_commands: tuple[DbtCommand, ...] = ()
    years: tuple[YearRun, ...] = ()
    samples: tuple[Sample, ...] = ()
    notes: tuple[Note, ...] = ()
    # DuckDB's own profile of the last statement of a model, by model, year and block.
    query_plans: Mapping[tuple[str, int | None, int | None], Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Return how long the sessions took, together."""
        return self.sessions[-1].end if self.sessions else 0.0

    def runs_of(self, model: str, year: int | None = None) -> list[ModelRun]:
        """Return the runs of a model: of a year, or of all."""
        return [one for one in self.models if one.name == model and year in (None, one.year)]

    @property
    def outcome(self) -> str | None:
        """Return how the last session ended; None where it goes on or was killed."""
        return self.sessions[-1].outcome if self.sessions else None
