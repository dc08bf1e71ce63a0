"""A row of the financial summary, as the engine tells it of a year and readers of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class YearSummary:
    """One scenario, replicate and year; counts are employees, amounts dollars."""

    scenario_id: str
    replicate: int
    simulation_year: int
    opening_headcount: int
    hires: int
    experienced_terminations: int
    new_hire_terminations: int
    promotions: int
    raises: int
    closing_headcount: int
    target_closing_headcount: int | None
    unmet_reduction: int | None
    payroll: Decimal | None
    closing_annual_payroll: Decimal | None
    average_compensation: Decimal | None
    plan_eligible_headcount: int | None

    @property
    def terminations(self) -> int:
        """Return all who left in the year."""
        return self.experienced_terminations + self.new_hire_terminations


COLUMNS = tuple(field.name for field in fields(YearSummary))
