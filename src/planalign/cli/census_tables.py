"""Tables that describe a census; import this module only inside a command, for rich is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.cli.output import emit
from planalign.cli.tables import print_table

if TYPE_CHECKING:
    from datetime import date

    from planalign.census.profile import CensusProfile, Spread

_MOST_DEPARTMENTS = 20


def print_profile(profile: CensusProfile, active: int, census_date: date) -> None:
    """Print age and tenure, pay by level, savers and departments of the active employees."""
    emit(f"\nActive employees on {census_date}")
    print_table(
        ["Years", "Lowest", "10 %", "Median", "90 %", "Highest"],
        [["Age", *_figures(profile.age)], ["Tenure", *_figures(profile.tenure)]],
        left=("Years",),
    )
    print_table(
        ["Level", "Employees", "Lowest pay", "Median pay", "Highest pay"],
        [
            [level.job_level, f"{level.employees:,}", *map("{:,.0f}".format, pay)]
            for level in profile.pay_by_level
            for pay in [(level.lowest, level.median, level.highest)]
        ],
    )
    emit(_savers(profile, active))
    shown = profile.departments[:_MOST_DEPARTMENTS]
    print_table(
        ["Department", "Employees"],
        [
            *(
                ["(none)" if one.department is None else one.department, f"{one.employees:,}"]
                for one in shown
            ),
            *_others(profile),
        ],
        left=("Department",),
    )


def _figures(spread: Spread) -> list[int]:
    return [spread.lowest, spread.p10, spread.median, spread.p90, spread.highest]


def _savers(profile: CensusProfile, active: int) -> str:
    unknown = active - profile.savers - profile.non_savers
    if unknown == active:
        return "Savers: the census does not tell"
    text = f"Savers: {profile.savers:,}"
    if profile.mean_deferral_rate is not None:
        text += f", with {100 * profile.mean_deferral_rate:.1f} % of pay on average"
    return text + f"; not saving: {profile.non_savers:,}; not known: {unknown:,}"


def _others(profile: CensusProfile) -> list[list[str]]:
    others = profile.departments[_MOST_DEPARTMENTS:]
    if not others:
        return []
    employees = sum(one.employees for one in others)
    return [[f"{len(others):,} others", f"{employees:,}"]]
