"""What `planalign profile --json` prints: analysis and comparison as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from planalign.profile.memory import BUDGET_BYTES

if TYPE_CHECKING:
    from planalign.profile.analysis import Analysis
    from planalign.profile.compare import Change, Comparison
    from planalign.record.record import Record, Span


def document(run: str, record: Record, analysis: Analysis) -> dict[str, Any]:
    """Return the analysis of a run; seconds and bytes."""
    longest = next((m for m in analysis.models if m.name == analysis.longest_model), None)
    return {
        "run": run,
        "runner": record.runner,
        "outcome": record.outcome,
        "error": record.sessions[-1].error if record.sessions else None,
        "sessions": [asdict(session) for session in record.sessions],
        "wall_seconds": analysis.wall_seconds,
        "critical_path_seconds": analysis.critical_path_seconds,
        "longest_model": None
        if longest is None
        else {"name": longest.name, "total": longest.total, "longest": longest.longest},
        "concurrency": analysis.concurrency,
        "cache_hit_rate": analysis.cache_hit_rate,
        "busy_seconds": analysis.busy_seconds,
        "overhead_seconds": analysis.overhead_seconds,
        "cpu_seconds": analysis.cpu_seconds,
        "cores_busy": analysis.cores_busy,
        "memory": {**asdict(analysis.memory), "budget_bytes": BUDGET_BYTES},
        "seconds_by_step": dict(analysis.seconds_by_step),
        "seconds_by_year": dict(analysis.seconds_by_year),
        "models": [asdict(model) for model in analysis.models],
        "critical_path": [_span(span) for span in analysis.critical_path],
        "gaps": [asdict(gap) for gap in analysis.gaps],
        "dbt_seconds": dict(analysis.dbt_seconds),
        "notes": [
            {"at": note.at, "kind": note.kind, "details": dict(note.details)}
            for note in record.notes
        ],
    }


def comparison_document(other: str, comparison: Comparison) -> dict[str, Any]:
    """Return what `--compare` found against the run `other`."""
    return {
        "other": other,
        "conditions": [
            {"name": name, "before": before, "after": after}
            for name, before, after in comparison.conditions
        ],
        "wall_seconds": [comparison.a.wall_seconds, comparison.b.wall_seconds],
        "critical_path_seconds": [
            comparison.a.critical_path_seconds,
            comparison.b.critical_path_seconds,
        ],
        "memory_peak_bytes": [comparison.a.memory.peak_bytes, comparison.b.memory.peak_bytes],
        "is_memory_changed": comparison.is_memory_changed,
        "years": _change(comparison.years),
        "models": [_change(change) for change in comparison.models],
        "only_before": list(comparison.only_a),
        "only_after": list(comparison.only_b),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        **asdict(change),
        "total_difference": change.total_difference,
        "ratio": change.ratio,
        "is_beyond_noise": change.is_beyond_noise,
    }


def _span(span: Span) -> dict[str, Any]:
    keys = ("name", "start", "end", "thread", "year", "block", "step")
    return {key: getattr(span, key) for key in keys}
