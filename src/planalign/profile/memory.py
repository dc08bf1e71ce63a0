"""The memory of a run: how high it went, and what was under way then."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planalign.record.record import Record, Span

# What a run should stay within, whatever limit it was given: 4 GB.
BUDGET_BYTES = 4_000_000_000


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


def memory_of(record: Record) -> MemoryReport:
    """Return what a record says of memory."""
    readings = _readings(record)
    peaks = [(model.start, model.memory_peak) for model in record.models] + [
        (command.start, command.memory_peak) for command in record.dbt_commands
    ]
    highest = max((most for _, most in peaks if most is not None), default=None)
    at, peak = max(readings, key=lambda one: one[1], default=(None, None))
    if highest is not None and (peak is None or highest > peak):
        # Read while another piece of work began or ended: somewhere within this one.
        peak = highest
        at = next(start for start, most in peaks if most == highest)
    return MemoryReport(
        peak_bytes=peak,
        at=at,
        under_way=_under_way(record, at),
        by_model=_by(record, "name"),
        by_step=_by(record, "step"),
        by_tag=_by_tag(record),
        limit_bytes=record.memory_limit_bytes,
        is_within_budget=None if peak is None else peak <= BUDGET_BYTES,
    )


def _readings(record: Record) -> list[tuple[float, int]]:
    """Return every memory of the process that has an instant, in order of time."""
    found = [(sample.at, sample.resident_bytes) for sample in record.samples]
    for model in record.models:
        if model.memory_before is not None:
            found.append((model.start, model.memory_before))
        if model.memory_after is not None:
            found.append((model.end, model.memory_after))
    return sorted(found)


def _under_way(record: Record, at: float | None) -> tuple[str, ...]:
    if at is None:
        return ()
    spans = (*record.models, *record.tests, *record.work, *record.dbt_commands)
    return tuple(dict.fromkeys(span.name for span in spans if span.start <= at <= span.end))


def _by(record: Record, key: str) -> dict[str, int]:
    """Return the highest memory while each was under way, the highest first."""
    times = [sample.at for sample in record.samples]
    found: dict[str, int] = defaultdict(int)

    def sampled(span: Span) -> int:
        within = record.samples[bisect_left(times, span.start) : bisect_right(times, span.end)]
        return max((sample.resident_bytes for sample in within), default=0)

    for model in record.models:
        found[getattr(model, key) or ""] = max(
            found[getattr(model, key) or ""], model.memory_peak or 0, sampled(model)
        )
    for test in record.tests if key == "step" else ():
        found[test.step or ""] = max(found[test.step or ""], sampled(test))
    return dict(
        sorted(((n, b) for n, b in found.items() if n and b), key=lambda one: (-one[1], one[0]))
    )


def _by_tag(record: Record) -> dict[str, int]:
    found: dict[str, int] = {}
    for sample in record.samples:
        for tag, taken in sample.memory_by_tag.items():
            found[tag] = max(found.get(tag, 0), taken)
    return found
