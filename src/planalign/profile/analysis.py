"""What a record says of time and memory: pure functions of it, without clock or machine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression, median
from typing import TYPE_CHECKING

from planalign.engine.pipeline import Step
from planalign.profile.intervals import union
from planalign.profile.memory import BUDGET_BYTES, MemoryReport, memory_of
from planalign.profile.path import critical_path, overheads, seconds_on
from planalign.record.record import ModelRun, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planalign.record.record import Record

__all__ = ["BUDGET_BYTES", "Analysis", "Gap", "MemoryReport", "ModelStatistics", "analyse"]

# Seconds. A shorter gap is what it takes to tell of one piece of work and begin another.
SHORTEST_GAP = 0.001
# Fewer years than these have no trend.
YEARS_OF_A_TREND = 3
# Of `seconds_by_step`: what is done beside models and tests.
OTHER_WORK = "other work"


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

    `p95` lies between the two nearest. `growth_by_year` is the slope of seconds over
    simulated years, of three or more, as a part of their median; the runs in which its
    statements had yet to be parsed are left out if three years are left.
    `memory_growth` and `spilled_bytes` are those of the run of it that had most.
    `seconds_per_million_rows` is over all of its rows. None where the record does not
    tell.
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
class Analysis:
    """What a run did with its time.

    Shares are parts of 1, of the wall seconds. `concurrency` is how many models and
    tests were under way at a time, on average over the time in which any was;
    `overhead` is time in which none was. The critical path is the chain of spans that
    each could begin only when the one before had ended, from the end of the run back
    (`path` has the rule). `seconds_by_step` are those in which any of a step's models
    and tests was under way, with other work and dbt's own under `OTHER_WORK`; they overlap where
    steps do. `seconds_by_year` are from a year's start to that of the one which follows,
    or to the end of its session, over all blocks. `longest_model` is the one whose total
    is the longest. `cpu_seconds` are those between the first and the last sample of each
    session.
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


def analyse(record: Record) -> Analysis:
    """Return what a record says of time and memory; of an unfinished run what it says so far."""
    wall = record.seconds
    path = critical_path(record)
    on_path = seconds_on(path)
    measured: tuple[Span, ...] = (*record.models, *record.tests)
    busy = union(measured).seconds
    models = _statistics(record, path, on_path)
    cpu = _cpu_seconds(record)
    return Analysis(
        wall_seconds=wall,
        critical_path=path,
        critical_path_seconds=sum(on_path),
        concurrency=sum(span.seconds for span in measured) / busy if busy else 0.0,
        busy_seconds=busy,
        overhead_seconds=max(0.0, wall - busy),
        gaps=_gaps(record),
        models=models,
        seconds_by_step=_by_step(record),
        seconds_by_year=_by_year(record),
        longest_model=models[0].name if models else None,
        memory=memory_of(record),
        cache_hit_rate=_hit_rate(record),
        cpu_seconds=cpu,
        cores_busy=cpu / wall if cpu is not None and wall else None,
        dbt_seconds=_dbt_seconds(record),
    )


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which a part of 1 of the sorted values lies, between the nearest."""
    position = (len(values) - 1) * part
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def _statistics(
    record: Record, path: Sequence[Span], on_path: Sequence[float]
) -> tuple[ModelStatistics, ...]:
    runs: dict[str, list[ModelRun]] = defaultdict(list)
    for model in record.models:
        runs[model.name].append(model)
    critical: dict[str, float] = defaultdict(float)
    for span, seconds in zip(path, on_path, strict=True):
        if isinstance(span, ModelRun):
            critical[span.name] += seconds
    everything = sum(model.seconds for model in record.models)
    found = [
        _statistic(name, all_of_it, everything, critical[name]) for name, all_of_it in runs.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.total, one.name)))


def _statistic(
    name: str, runs: Sequence[ModelRun], everything: float, critical: float
) -> ModelStatistics:
    seconds = sorted(run.seconds for run in runs)
    told = [run for run in runs if run.rows is not None]
    rows = sum(run.rows or 0 for run in told)
    return ModelStatistics(
        name=name,
        layer=name.partition("_")[0],
        step=runs[0].step or "",
        count=len(runs),
        total=sum(seconds),
        median=median(seconds),
        p95=quantile(seconds, 0.95),
        longest=seconds[-1],
        share=sum(seconds) / everything if everything else 0.0,
        on_critical_path=critical,
        rows=rows if told else None,
        cpu_seconds=_sum(run.cpu_seconds for run in runs),
        memory_peak=_most(run.memory_peak for run in runs),
        memory_growth=_most(
            run.memory_after - run.memory_before
            for run in runs
            if run.memory_after is not None and run.memory_before is not None
        ),
        spilled_bytes=_most(run.spilled_bytes for run in runs),
        growth_by_year=_growth(runs),
        seconds_per_million_rows=(
            sum(run.seconds for run in told) / rows * 1_000_000 if rows else None
        ),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _growth(runs: Sequence[ModelRun]) -> float | None:
    prepared = [run for run in runs if run.is_prepared is not False]
    for some in (prepared, runs):
        points = [(run.year, run.seconds) for run in some if run.year is not None]
        if len({year for year, _ in points}) < YEARS_OF_A_TREND:
            continue
        years, seconds = zip(*points, strict=True)
        middle = median(seconds)
        return linear_regression(years, seconds).slope / middle if middle else None
    return None


def _gaps(record: Record) -> tuple[Gap, ...]:
    """Return when nothing was under way, with what is around it."""
    cached = [
        Span(f"{year.year} from the cache", year.start, year.end, "main")
        for year in record.years
        if year.is_from_cache and year.end is not None
    ]
    spans = [*record.models, *record.tests, *record.work, *record.dbt_commands, *cached]
    by_end = {span.end: span.name for span in spans}
    by_start = {span.start: span.name for span in spans}
    return tuple(
        Gap(start, end, by_end.get(start), by_start.get(end))
        for start, end in union(spans).gaps(record.seconds)
        if end - start >= SHORTEST_GAP
    )


def _by_step(record: Record) -> dict[str, float]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for span in (*record.models, *record.tests):
        spans[span.step or OTHER_WORK].append(span)
    other = [*record.work, *overheads(record)]
    if other:
        spans[OTHER_WORK].extend(other)
    order = [step.value for step in Step]
    steps = sorted(spans, key=lambda step: order.index(step) if step in order else len(order))
    return {step: union(spans[step]).seconds for step in steps}


def _by_year(record: Record) -> dict[int, float]:
    years = sorted(record.years, key=lambda year: year.start)
    found: dict[int, float] = defaultdict(float)
    for year, following in [*pairwise(years), *((year, None) for year in years[-1:])]:
        session = next(
            (s.end for s in record.sessions if s.start <= year.start < s.end), year.start
        )
        last = year.end if following is None and year.end is not None else session
        end = last if following is None else min(following.start, session)
        found[year.year] += max(0.0, end - year.start)
    return dict(sorted(found.items()))


def _hit_rate(record: Record) -> float:
    complete = [year for year in record.years if year.end is not None]
    everything = sum(year.trajectories for year in complete)
    cached = sum(year.trajectories for year in complete if year.is_from_cache)
    return cached / everything if everything else 0.0


def _cpu_seconds(record: Record) -> float | None:
    counted: dict[int, list[float]] = defaultdict(list)
    for sample in record.samples:
        counted[sample.session].append(sample.cpu_seconds)
    return _sum(of[-1] - of[0] for of in counted.values())


def _dbt_seconds(record: Record) -> dict[str, float]:
    """Return what dbt says of its time, and what its commands took beside their nodes."""
    if not record.dbt_commands:
        return {}
    # Nodes of `batch` run side by side, so that their sum may exceed the command; those
    # of `legacy` are not told where they lie within it.
    overhead = (
        sum(command.overhead_seconds for command in record.dbt_commands)
        if record.runner == "legacy"
        else sum(span.seconds for span in overheads(record))
    )
    return {
        "compile": sum(command.dbt_compile_seconds for command in record.dbt_commands),
        "execute": sum(command.dbt_execute_seconds for command in record.dbt_commands),
        "overhead": overhead,
    }
