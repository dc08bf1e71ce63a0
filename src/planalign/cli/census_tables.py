"""Tables that describe a census; import this module only inside a command, for rich is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.cli.output import emit
from planalign.cli.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from planalign.census.profile import CensusProfile, Spread

_MOST_GROUPS = 20


def print_profile(
    profile: CensusProfile, active: int, census_date: date, levels: Sequence[str]
) -> None:
    """Print age and tenure, pay by level, savers and groups of the active employees.

    Args:
        profile: of a census.
        active: how many employees there are.
        census_date: the day that it describes.
        levels: the names of the job levels, the lowest first.
    """
    emit(f"\nActive employees on {census_date}")
    print_table(
        ["Years", "Lowest", "10 %", "Median", "90 %", "Highest"],
        [["Age", *_figures(profile.age)], ["Tenure", *_figures(profile.tenure)]],
        left=("Years",),
    )
    print_table(
        ["Level", "Employees", "Lowest pay", "Median pay", "Highest pay"],
        [
            [
                _titled(level.job_level, levels),
                f"{level.employees:,}",
                *map("{:,.0f}".format, pay),
            ]
            for level in profile.pay_by_level
            for pay in [(level.lowest, level.median, level.highest)]
        ],
    )
    emit(_savers(profile, active))
    _print_sizes("Department", [(one.department, one.employees) for one in profile.departments])
    for name, sizes in profile.extra_columns.items():
        _print_sizes(name, [(one.value, one.employees) for one in sizes])


def _titled(number: int, names: Sequence[str]) -> str:
    """Return a job level with its name, if it has more of one than its number."""
    name = names[number - 1]
    return str(number) if name == f"Level {number}" else f"{number} {name}"


def _print_sizes(title: str, sizes: Sequence[tuple[str | None, int]]) -> None:
    """Print how many employees have each value, the largest groups first."""
    shown, others = sizes[:_MOST_GROUPS], sizes[_MOST_GROUPS:]
    rows = [["(none)" if value is None else value, f"{count:,}"] for value, count in shown]
    if others:
        rows.append([f"{len(others):,} others", f"{sum(count for _, count in others):,}"])
    print_table([title, "Employees"], rows, left=(title,))


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
