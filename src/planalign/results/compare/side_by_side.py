"""Set scenarios side by side: each year's figures against a baseline, and who gains or loses.

Differences are taken replicate by replicate before anything is averaged: the same
replicate has the same luck in every scenario of a seed, so that a difference is
caused by the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

from planalign.config.models import BASELINE
from planalign.errors import UsageError
from planalign.results import database
from planalign.results.compare.sides import FIGURES, Side, read_sides, received
from planalign.results.summary import Spread, spread_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    import duckdb

# Of these the growth per year is told.
GROWING = ("closing_headcount", "payroll", "average_compensation")


@dataclass(frozen=True)
class Figure:
    """A figure of a year over the replicates, and its difference from the baseline.

    `difference` is over the replicates that both have; `percent` is the mean
    difference in percent of the baseline's mean. None where there is none: in the
    baseline itself, or where it is zero or empty.
    """

    value: Spread | None
    difference: Spread | None = None
    percent: float | None = None


@dataclass(frozen=True)
class YearFigures:
    """One scenario and year."""

    scenario: str
    simulation_year: int
    replicates: int
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Growth:
    """Compound growth per year of a scenario's figures, in percent.

    From the mean of the first year to that of the last; None with a single year,
    or where the first is not above zero.
    """

    scenario: str
    first_year: int
    last_year: int
    percent: Mapping[str, float | None]


@dataclass(frozen=True)
class Change:
    """What an employee receives in all compared years, in the baseline and in a scenario.

    Pay and the employer's contributions with their return, less forfeitures, dollars.
    """

    replicate: int
    employee_id: str
    baseline: Decimal
    received: Decimal

    @property
    def difference(self) -> Decimal:
        """Return what the scenario gives more."""
        return self.received - self.baseline


@dataclass(frozen=True)
class Employees:
    """Who is better or worse off than in the baseline, over all compared years.

    By pay and the employer's contributions with their return, less forfeitures. Numbers are
    means over the replicates; amounts are dollars an employee.
    """

    scenario: str
    replicates: int
    better_off: float
    worse_off: float
    the_same: float
    only_in_baseline: float
    only_in_scenario: float
    mean_gain: float | None
    mean_loss: float | None
    most: tuple[Change, ...] = ()
    least: tuple[Change, ...] = ()


@dataclass(frozen=True)
class SideBySide:
    """Scenarios of one or more runs, in their order; the baseline's name."""

    baseline: str
    years: tuple[YearFigures, ...]
    growth: tuple[Growth, ...]
    employees: tuple[Employees, ...]
    warnings: tuple[str, ...] = ()


def side_by_side(folders: Sequence[Path], baseline: str | None = None, most: int = 0) -> SideBySide:
    """Compare the scenarios of finished runs with one of them.

    Args:
        folders: run folders. Of a single run its scenarios are compared under their
            names; of several, each is called RUN/SCENARIO.
        baseline: what to compare with. By default the scenario `baseline` of the
            first run, or its first one by name.
        most: how many employees to name who gain most, and who lose most.

    Raises:
        UsageError: there is nothing to compare, no such baseline, or no year that
            all have.
        EnvironmentFaultError: a database cannot be read.
    """
    sides = read_sides(folders)
    names = [side.name for side in sides]
    if len(sides) < 2:
        raise UsageError(
            f"{folders[0]} has a single scenario, {names[0]}",
            "Name another run to compare with, or simulate more scenarios.",
        )
    if baseline is not None and baseline not in names:
        raise UsageError(f"there is no scenario {baseline!r}", f"Use one of {', '.join(names)}.")
    base = _base(sides, baseline)
    years = sorted(set.intersection(*(side.years for side in sides)))
    if not years:
        raise UsageError(
            f"no year is in all of {', '.join(names)}", "Compare runs of the same years."
        )
    runs = {f"run_{number}": folder.resolve() for number, folder in enumerate(folders)}
    with database.read(runs) as connection:
        employees = tuple(
            _employees(connection, base, side, years, most)
            for side in sides
            if side is not base and base.replicates(years[0]) & side.replicates(years[0])
        )
    return SideBySide(
        baseline=base.name,
        years=tuple(_year(base, side, year) for side in sides for year in years),
        growth=tuple(_growth(side, years) for side in sides),
        employees=employees,
        warnings=tuple(_warnings(base, sides, years)),
    )


def _base(sides: Sequence[Side], name: str | None) -> Side:
    if name is not None:
        return next(side for side in sides if side.name == name)
    first_run = [side for side in sides if side.alias == sides[0].alias]
    return next((side for side in first_run if side.scenario == BASELINE), first_run[0])


def _year(base: Side, side: Side, year: int) -> YearFigures:
    own = side.replicates(year)
    both = sorted(own & base.replicates(year)) if side is not base else []

    def value(which: Side, replicate: int, name: str) -> float | None:
        found = which.rows[year, replicate][name]
        return None if found is None else float(found)

    figures = {}
    for name in FIGURES:
        pairs = [
            (before, after)
            for replicate in both
            if (before := value(base, replicate, name)) is not None
            and (after := value(side, replicate, name)) is not None
        ]
        mean = fmean(before for before, _ in pairs) if pairs else 0.0
        changes = [after - before for before, after in pairs]
        figures[name] = Figure(
            value=spread_of([value(side, replicate, name) for replicate in sorted(own)]),
            difference=spread_of(changes),
            percent=100 * fmean(changes) / mean if mean else None,
        )
    return YearFigures(side.name, year, len(own), figures)


def _growth(side: Side, years: Sequence[int]) -> Growth:
    first, last = years[0], years[-1]

    def percent(name: str) -> float | None:
        start, end = (
            spread_of([side.rows[year, r][name] for r in side.replicates(year)])
            for year in (first, last)
        )
        if start is None or end is None or start.mean <= 0 or first == last:
            return None
        return 100 * float((end.mean / start.mean) ** (1 / (last - first)) - 1)

    return Growth(side.name, first, last, {name: percent(name) for name in GROWING})


# What each employee received in the baseline and in a scenario. The names of attached
# databases and of columns are ours.
_CHANGES = """
    create or replace temp table changes as
    with before as (
        select replicate, employee_id, sum({received}) as baseline
        from {base}.main.fct_workforce_snapshot
        where scenario_id = $base and simulation_year between $first and $last
            and list_contains($replicates, replicate)
        group by replicate, employee_id
    ), after as (
        select replicate, employee_id, sum({received}) as received
        from {side}.main.fct_workforce_snapshot
        where scenario_id = $side and simulation_year between $first and $last
            and list_contains($replicates, replicate)
        group by replicate, employee_id
    )
    select replicate, employee_id, baseline, received
    from before full join after using (replicate, employee_id)
"""
_COUNTS = """
    select count(*) filter (received > baseline), count(*) filter (received < baseline),
        count(*) filter (received = baseline), count(*) filter (received is null),
        count(*) filter (baseline is null),
        sum(received - baseline) filter (received > baseline),
        sum(received - baseline) filter (received < baseline)
    from changes
"""
_MOST = """
    select replicate, employee_id, baseline, received from changes where received > baseline
    order by received - baseline desc, employee_id, replicate limit ?
"""
_LEAST = """
    select replicate, employee_id, baseline, received from changes where received < baseline
    order by received - baseline, employee_id, replicate limit ?
"""


def _employees(
    connection: duckdb.DuckDBPyConnection,
    base: Side,
    side: Side,
    years: Sequence[int],
    most: int,
) -> Employees:
    replicates = sorted(base.replicates(years[0]) & side.replicates(years[0]))
    with database.faults(f"Cannot compare {base.name} with {side.name}"):
        connection.execute(
            _CHANGES.format(base=base.alias, side=side.alias, received=received((base, side))),
            {
                "base": base.scenario,
                "side": side.scenario,
                "first": years[0],
                "last": years[-1],
                "replicates": replicates,
            },
        )
        [counts] = connection.execute(_COUNTS).fetchall()
        gains, losses = (
            tuple(Change(*row) for row in connection.execute(query, [most]).fetchall())
            for query in (_MOST, _LEAST)
        )
    more, less, same, only_base, only_side, gain, loss = counts
    runs = max(1, len(replicates))
    return Employees(
        scenario=side.name,
        replicates=len(replicates),
        better_off=more / runs,
        worse_off=less / runs,
        the_same=same / runs,
        only_in_baseline=only_base / runs,
        only_in_scenario=only_side / runs,
        mean_gain=float(gain / more) if more else None,
        mean_loss=float(loss / less) if less else None,
        most=gains,
        least=losses,
    )


def _warnings(base: Side, sides: Sequence[Side], years: Sequence[int]) -> Iterator[str]:
    for side in sides:
        for one, other in ((side, base), (base, side)):
            figures = [name for name in one.lacks if name not in other.lacks]
            unshared = [name for name in other.contributions if name not in one.contributions]
            if figures or unshared:
                yield (
                    f"{one.name} lacks what {other.name} has: {', '.join(figures + unshared)}. "
                    "It has another format or other models, and is compared without that."
                )
        both = base.replicates(years[0]) & side.replicates(years[0])
        if not both:
            yield f"{side.name} and {base.name} have no replicate in common: no differences."
        elif any(side.seeds.get(r) != base.seeds.get(r) for r in both):
            yield (
                f"{side.name} has other random seeds than {base.name}: "
                "differences are those of the scenarios and of luck."
            )
        left_out = sorted((side.years | base.years) - set(years))
        if side is not base and left_out:
            yield f"{side.name}: years that not all have are left out: {_text(left_out)}."
    yield from _shared_luck(sides)


def _shared_luck(sides: Sequence[Side]) -> Iterator[str]:
    """Say which runs have seeds in common that belong to different replicates.

    Replicate k has the seed of its run plus k. Runs of the same seed are paired replicate by
    replicate; runs of seeds further apart than their replicates have nothing in common.
    Between the two, a run is another one shifted: neither paired nor independent.
    """
    runs = {side.alias: side for side in sides}.values()  # scenarios of a run share its seeds
    for one, other in combinations(runs, 2):
        replicate_of = {seed: replicate for replicate, seed in one.seeds.items()}
        shared = sorted(
            seed
            for replicate, seed in other.seeds.items()
            if replicate_of.get(seed, replicate) != replicate
        )
        if shared:
            most = max(len(one.seeds), len(other.seeds))
            which = (
                f"the {len(shared)} seeds from {shared[0]} to {shared[-1]} are"
                if len(shared) > 1
                else f"seed {shared[0]} is"
            )
            yield (
                f"{one.run} and {other.run} share luck: {which} in both, in different replicates. "
                "They are neither paired nor independent; give both one random_seed, or two that "
                f"are {most} or more apart."
            )


def _text(years: Sequence[int]) -> str:
    return ", ".join(map(str, years))
