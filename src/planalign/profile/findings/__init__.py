"""What cost a run time or memory, and what to change: detectors over its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.profile.findings.finding import Finding, in_order
from planalign.profile.findings.of_machine import cold_cache, memory_hogs, near_the_limit, spills
from planalign.profile.findings.of_models import (
    over_parallel,
    single_threaded,
    slow_models,
    slower_than_earlier,
    views_read_often,
)
from planalign.profile.findings.of_query_plans import (
    bad_estimates,
    quadratic_joins,
    read_plans,
    repeated_scans,
    unpruned_scans,
)

if TYPE_CHECKING:
    from planalign.profile.analysis import Analysis
    from planalign.record.record import Record

__all__ = ["Finding", "find"]


def find(record: Record, analysis: Analysis, earlier: Record | None = None) -> tuple[Finding, ...]:
    """Return what is worth a change, what costs most first; nothing of a clean run.

    Args:
        record: of the run.
        analysis: of that record.
        earlier: the record of another run of the same study, to compare with.
    """
    plans = read_plans(record)
    return in_order(
        (
            *slow_models(record, analysis),
            *slower_than_earlier(record, analysis, earlier),
            *views_read_often(record, analysis),
            *single_threaded(record, analysis),
            *over_parallel(record, analysis),
            *spills(record, analysis),
            *memory_hogs(record),
            *near_the_limit(record, analysis),
            *cold_cache(record, analysis, earlier),
            *bad_estimates(plans, analysis),
            *quadratic_joins(plans, analysis),
            *repeated_scans(plans, analysis),
            *unpruned_scans(plans, analysis),
        )
    )
