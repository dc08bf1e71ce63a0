"""Findings from memory, temporary files and caches; they need no plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.engine.breaker import BESIDE_THE_LIMIT
from planalign.profile.analysis import BUDGET_BYTES
from planalign.profile.findings.finding import (
    Finding,
    most_likely_cause,
    overlapping,
    seconds,
    severity_of,
    size,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planalign.profile.analysis import Analysis
    from planalign.record.record import ModelRun, Record, Sample

# Less than a block of DuckDB's is no spilling.
SPILLED_BYTES = 1_000_000
# Of the memory limit. Blocks are sized for 0.83 of it; from 0.95 on the engine takes
# less at once.
NEAR_LIMIT = 0.9
# What DuckDB keeps of files because there is room, and drops when there is not.
DROPPABLE = ("BASE_TABLE", "EXTERNAL_FILE_CACHE", "OBJECT_CACHE")
# A model that takes so much of the limit, and times as much as any other not beside it.
HOG_SHARE, HOG_BYTES, HOG_FACTOR = 0.2, 300_000_000, 4.0
# Seconds until the first work of a run: compiling takes more, a warm start a tenth.
COLD_SECONDS = 3.0


def spills(record: Record, analysis: Analysis) -> Iterator[Finding]:
    """Find models that wrote to temporary files because memory did not suffice."""
    worst: dict[str, ModelRun] = {}
    spent: dict[str, float] = {}
    for run in record.models:
        if (run.spilled_bytes or 0) < SPILLED_BYTES or _is_left_over(record, run):
            continue
        beside = [one for one in overlapping(run, record.models) if one.spilled_bytes]
        if most_likely_cause(run, beside) is not run:
            continue
        spent[run.name] = spent.get(run.name, 0.0) + run.seconds
        if run.name not in worst or (run.spilled_bytes or 0) > (worst[run.name].spilled_bytes or 0):
            worst[run.name] = run
    for name, run in worst.items():
        limit = record.memory_limit_bytes
        yield Finding(
            "spill", f"{name} spills {size(run.spilled_bytes or 0)} to disk",
            name, run.year,
            (("spilled", size(run.spilled_bytes or 0)),
             ("memory limit", size(limit) if limit else "not told"),
             ("seconds", seconds(run.seconds))),
            "Raise resources.memory_limit, take fewer models at once (resources.models_at_once) or "
            "fewer trajectories, or carry fewer columns through its sort, join or window.",
            "What writing and reading the temporary files takes.",
            spent[name] / 2, severity_of(spent[name] / 2, analysis.wall_seconds),
        )  # fmt: skip


def _is_left_over(record: Record, run: ModelRun) -> bool:
    """Say whether the files were there already: of a model that ended before this began."""
    before = [
        one
        for one in record.models
        if one.end <= run.start and (one.spilled_bytes or 0) >= (run.spilled_bytes or 0)
    ]
    last = max(before, key=lambda one: one.end, default=None)
    return last is not None and not any(
        last.end <= sample.at <= run.start and sample.spilled_bytes == 0
        for sample in record.samples
    )


def memory_hogs(record: Record) -> Iterator[Finding]:
    """Find a model that takes far more memory than any other."""
    grown = [run for run in record.models if _growth(run)]
    if not grown:
        return
    limit = min(record.memory_limit_bytes or BUDGET_BYTES, BUDGET_BYTES)
    hog = most_likely_cause(max(grown, key=_growth), grown)
    beside = {one.name for run in record.models if run.name == hog.name
              for one in overlapping(run, grown)}  # fmt: skip
    others = max((_growth(run) for run in grown if run.name not in beside), default=0)
    taken = _growth(hog)
    if taken < max(HOG_SHARE * limit, HOG_BYTES) or taken < HOG_FACTOR * others:
        return
    yield Finding(
        "memory_hog", f"{hog.name} takes {size(taken)} of memory", hog.name, hog.year,
        (("memory before", size(hog.memory_before or 0)), ("peak", size(hog.memory_peak or 0)),
         ("most that another takes", size(others)), ("of the limit", f"{taken / limit:.0%}")),
        "Aggregate before it joins, sorts or lists; carry fewer columns; split it in two.",
        "Memory: a smaller limit would do, or more trajectories at once.",
        None, "high" if taken >= 0.5 * limit else "medium",
    )  # fmt: skip


def near_the_limit(record: Record, analysis: Analysis) -> Iterator[Finding]:
    """Find that memory came near its limit, or that the engine took less at once for it.

    As in the engine, pages of files that DuckDB may drop do not count, nor what the
    process has beside the limit.
    """
    limit = record.memory_limit_bytes
    tripped = [note for note in record.notes if note.kind == "breaker_tripped"]
    fullest = max(record.samples, key=_needed, default=None)
    needed = _needed(fullest) if fullest else 0
    if not tripped and not (limit and needed >= NEAR_LIMIT * limit):
        return
    at = tripped[0].at if tripped or fullest is None else fullest.at
    models = [run for run in record.models if run.start <= at <= run.end]
    longest = max(models, key=lambda run: run.seconds, default=None)
    evidence = [("needed at most", size(needed)), ("limit", size(limit or 0)),
                ("peak of the process", size(analysis.memory.peak_bytes or 0))]  # fmt: skip
    evidence += [("under way", ", ".join(run.name for run in models))] if models else []
    evidence += [("took less at once", f"{len(tripped)} times")] if tripped else []
    yield Finding(
        "near_memory_limit", "Memory came near its limit",
        longest.name if longest else None, longest.year if longest else None,
        tuple(evidence),
        "Raise resources.memory_limit if the machine has more, or take fewer trajectories or "
        "models at once.",
        "No spilling, and nothing done a second time.",
        None, "high" if tripped else "medium",
    )  # fmt: skip


def _needed(sample: Sample) -> int:
    droppable = sum(sample.memory_by_tag.get(tag, 0) for tag in DROPPABLE)
    return sample.resident_bytes - BESIDE_THE_LIMIT - droppable


def cold_cache(record: Record, analysis: Analysis, earlier: Record | None) -> Iterator[Finding]:
    """Find years that could not be cached, and a start far slower than an earlier one.

    A first start compiles the project; without another to compare with it is no finding.
    """
    ignored = [note for note in record.notes if note.kind == "cache_ignored"]
    if ignored:
        yield Finding(
            "cold_cache", "The cache of years was passed over", None, None,
            (("times", str(len(ignored))), ("reason", str(ignored[0].details.get("reason", "")))),
            "Mend what the reason says, or name another --cache-dir.",
            "The seconds of the years that an earlier run has computed.",
            None, "medium",
        )  # fmt: skip
    start, before = _first_work(record), _first_work(earlier) if earlier else None
    if start is None or before is None or start - before < COLD_SECONDS:
        return
    yield Finding(
        "cold_cache", f"{seconds(start)} went by until the first work", None, None,
        (("until the first work", seconds(start)), ("in the earlier run", seconds(before))),
        "Keep the cache folder (PLANALIGN_CACHE_DIR) between runs: a project is compiled once for "
        "each version of it.",
        f"{seconds(start - before)} at the start of a run.",
        start - before, severity_of(start - before, analysis.wall_seconds),
    )  # fmt: skip


def _growth(run: ModelRun) -> int:
    if run.memory_peak is None or run.memory_before is None:
        return 0
    return run.memory_peak - run.memory_before


def _first_work(record: Record) -> float | None:
    return min((span.start for span in (*record.work, *record.models)), default=None)
