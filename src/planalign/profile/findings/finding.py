"""What a finding says, and the words for its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.record.record import ModelRun

Severity = Literal["high", "medium", "low"]
Kind = Literal[
    "slow_model",
    "slower_than_earlier",
    "view_read_often",
    "single_threaded",
    "over_parallel",
    "spill",
    "memory_hog",
    "near_memory_limit",
    "cold_cache",
    "bad_estimate",
    "nested_loop",
    "cross_product",
    "repeated_scan",
    "unpruned_scan",
]

# Parts of the run's wall seconds that a finding must cost to be of that severity.
HIGH_SHARE, MEDIUM_SHARE = 0.2, 0.05


@dataclass(frozen=True)
class Finding:
    """Something that cost a run time or memory, and what to do about it.

    `evidence` are names and figures with their unit. `gain_seconds` is an estimate from
    the record, of the whole run; None where the record does not tell. `advise --try`
    measures it.
    """

    kind: Kind
    title: str
    model: str | None
    year: int | None
    evidence: tuple[tuple[str, str], ...]
    change: str
    gain: str
    gain_seconds: float | None
    severity: Severity


def severity_of(gain_seconds: float, wall_seconds: float) -> Severity:
    """Return how much seconds are of a run's."""
    share = gain_seconds / wall_seconds if wall_seconds > 0 else 0.0
    return "high" if share >= HIGH_SHARE else "medium" if share >= MEDIUM_SHARE else "low"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, those that cost most first."""
    rank = {"high": 0, "medium": 1, "low": 2}
    return tuple(
        sorted(
            findings,
            key=lambda one: (rank[one.severity], -(one.gain_seconds or 0.0), one.kind, one.title),
        )
    )


def seconds(value: float) -> str:
    """Return seconds as text."""
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def size(value: float) -> str:
    """Return bytes as text, in powers of ten."""
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"


def overlapping(one: ModelRun, others: Iterable[ModelRun]) -> list[ModelRun]:
    """Return those that were under way at some time while `one` was, itself too."""
    return [other for other in others if other.start < one.end and one.start < other.end]


def most_likely_cause(one: ModelRun, others: Iterable[ModelRun]) -> ModelRun:
    """Return, of the models under way with `one`, the one that took the longest.

    Memory and temporary files are those of the whole process; what fills them is not
    done in passing.
    """
    # One that took no time to speak of overlaps none.
    return max(overlapping(one, others), key=lambda other: other.seconds, default=one)
