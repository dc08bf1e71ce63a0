"""The six figures that a reader sees first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.profile.analysis import BUDGET_BYTES
from planalign.record.telemetry import saving
from planalign.report import words

if TYPE_CHECKING:
    from planalign.profile.analysis import Analysis, MemoryReport
    from planalign.record.record import Record


@dataclass(frozen=True)
class Tile:
    """A figure with its name; `value` is the bare number, in seconds, bytes or parts of 1."""

    key: str
    name: str
    figure: str
    value: float | None
    note: str
    verdict: str | None = None  # "good" or "bad"


def tiles_of(record: Record, analysis: Analysis) -> tuple[Tile, ...]:
    """Return wall, critical path, longest model, peak memory, concurrency and cache hits."""
    wall = analysis.wall_seconds
    longest = next((m for m in analysis.models if m.name == analysis.longest_model), None)
    memory = analysis.memory
    years = len({year.year for year in record.years if year.end is not None})
    return (
        Tile(
            "wall", "Wall time", words.seconds(wall), wall,
            f"{words.seconds(wall / years)} a simulated year" if years else "no year is complete",
        ),
        Tile(
            "critical-path", "Critical path", words.seconds(analysis.critical_path_seconds),
            analysis.critical_path_seconds,
            f"{words.percent(analysis.critical_path_seconds / wall if wall else None)} of the wall "
            "time; more threads cannot make it shorter",
        ),
        Tile(
            "longest-model", "Longest model", words.seconds(longest.total if longest else None),
            longest.total if longest else None,
            f"{longest.name}, {words.percent(longest.share)} of the seconds of all models"
            if longest else "no model was built",
        ),
        Tile(
            "peak-memory", "Peak memory", words.size(memory.peak_bytes), memory.peak_bytes,
            verdict_of(memory),
            None if memory.is_within_budget is None
            else "good" if memory.is_within_budget else "bad",
        ),
        Tile(
            "concurrency", "Concurrency", words.decimal(analysis.concurrency),
            analysis.concurrency,
            "models and tests at a time"
            + (f", of {record.threads} threads" if record.threads else "")
            + f"; none for {words.seconds(analysis.overhead_seconds)}",
        ),
        Tile(
            "cache-hit-rate", "Cache hit rate", words.percent(analysis.cache_hit_rate),
            analysis.cache_hit_rate,
            _saved(record),
        ),
    )  # fmt: skip


def verdict_of(memory: MemoryReport) -> str:
    """Return the verdict on peak memory, in words."""
    budget = words.size(BUDGET_BYTES)
    if memory.peak_bytes is None:
        return "not recorded"
    part = words.percent(memory.peak_bytes / BUDGET_BYTES)
    if memory.is_within_budget:
        return f"within the budget of {budget}: {part} of it"
    return f"over the budget of {budget}: {part} of it"


def _saved(record: Record) -> str:
    cached = [year for year in record.years if year.is_from_cache]
    if not cached:
        return "every year was computed"
    saved = sum(year.saved_seconds for year in cached)
    count = len({year.year for year in cached})
    years = "year" if count == 1 else "years"
    return f"{count} {years} taken, {saving(saved)}"
