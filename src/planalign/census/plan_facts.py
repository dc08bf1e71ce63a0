"""What a configured plan asks of the census: what to look for there before it is simulated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from planalign.config import scenario_settings, value_at

if TYPE_CHECKING:
    from planalign.config import Config


@dataclass(frozen=True)
class PlanFacts:
    """What the plan of a scenario asks of the census.

    Args:
        scenario: its name.
        first_year: the first that is simulated.
        excluded_departments: of any year.
        excludes_union: in any year.
        enrolls_since: the first day of hire that automatic enrolment in the first
            year is for; None without it.

    """

    scenario: str
    first_year: int
    excluded_departments: frozenset[str]
    excludes_union: bool
    enrolls_since: date | None


def plan_facts(config: Config) -> tuple[PlanFacts, ...]:
    """Return what the plan of each scenario asks of the census."""
    years = config.simulation.years
    found = []
    for name, settings in scenario_settings(config).items():
        plan = settings.plan
        eligibility, automatic = plan.eligibility, plan.automatic_enrollment
        offered = [year for year in years if value_at(plan.offered, year)]
        departments = frozenset(
            department
            for year in offered
            for department in value_at(eligibility.excluded_departments, year)
        )
        since = None
        if years[0] in offered and value_at(automatic.enabled, years[0]):
            is_for_all = value_at(automatic.scope, years[0]) == "all"
            since = date.min if is_for_all else value_at(automatic.hired_since, years[0])
        excludes_union = any(value_at(eligibility.exclude_union, year) for year in offered)
        found.append(PlanFacts(name, years[0], departments, excludes_union, since))
    return tuple(found)
