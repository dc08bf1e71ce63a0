"""What a record says of time and memory: pure functions of it, without clock or machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planalign.profile.record import Span

# What a run should stay within, whatever limit it was given: 4 GB.
BUDGET_BYTES = 4_000_000_000


@dataclass(frozen=True)
class Gap:
    """A time in which nothing was under way that the record knows of."""

    start: float
    end: float
    # What had ended last before it, and what began first behind it.
    after: str | None
    before: str | None


@dataclass(frozen=True)
class ModelStatistics:
    """A model over the years and blocks of a run; seconds, bytes.

    `growth_by_year` is the slope of seconds over simulated years, as a part of their
    median a year; `seconds_per_million_rows` is over all of its rows. None where the
    record does not tell.
    """

    name: str
    layer: str
    step: str
    count: int
    total: float
    median: float
    p95: float
    longest: float
    share: float  # of the seconds of all models
    on_critical_path: float  # seconds
    rows: int | None
    cpu_seconds: float | None
    memory_peak: int | None
    memory_growth: int | None  # at most, from before to after it
    spilled_bytes: int | None
    growth_by_year: float | None
    seconds_per_million_rows: float | None


@dataclass(frozen=True)
class MemoryReport:
    """The peak of the process's memory, who was under way then, and a verdict.

    `by_model` and `by_step` are the highest memory of the process while each was under
    way. `is_within_budget` is about `BUDGET_BYTES`.
    """

    peak_bytes: int | None
    at: float | None
    under_way: tuple[str, ...]
    by_model: Mapping[str, int]
    by_step: Mapping[str, int]
    by_tag: Mapping[str, int]  # DuckDB's own, each at its highest
    limit_bytes: int | None
    is_within_budget: bool | None


@dataclass(frozen=True)
class Analysis:
    """What a run did with its time.

    Shares are parts of 1, of the wall seconds. `concurrency` is how many models and
    tests were under way at a time, on average over the time in which any was;
    `overhead` is time in which none was. The critical path is the chain of spans that
    each could begin only when the one before had ended, from the end of the run back.
    """

    wall_seconds: float
    critical_path: tuple[Span, ...]
    critical_path_seconds: float
    concurrency: float
    busy_seconds: float
    overhead_seconds: float
    gaps: tuple[Gap, ...]
    models: tuple[ModelStatistics, ...]  # the longest total first
    seconds_by_step: Mapping[str, float]
    seconds_by_year: Mapping[int, float]
    longest_model: str | None
    memory: MemoryReport
    cache_hit_rate: float  # years of trajectories taken from the cache, as a part of all
    cpu_seconds: float | None
    cores_busy: float | None  # CPU seconds over wall seconds
    dbt_seconds: Mapping[str, float]  # compile, execute, overhead; empty with `direct`
