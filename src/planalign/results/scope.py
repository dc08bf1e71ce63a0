"""Which scenario and replicate of a run are meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from duckdb import ColumnExpression, ConstantExpression

from planalign.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from planalign.results.columns import Column
    from planalign.results.run import Run


@dataclass(frozen=True)
class Scope:
    """A scenario and a replicate; None means all of them."""

    scenario: str | None = None
    replicate: int | None = None

    def select(
        self, relation: duckdb.DuckDBPyRelation, columns: Sequence[Column]
    ) -> duckdb.DuckDBPyRelation:
        """Return the rows in scope; a table is filtered on those keys that it has."""
        names = {column.name for column in columns}
        for name, value in (("scenario_id", self.scenario), ("replicate", self.replicate)):
            if value is not None and name in names:
                relation = relation.filter(ColumnExpression(name) == ConstantExpression(value))
        return relation


def checked(run: Run, scenario: str | None, replicate: int | None) -> Scope:
    """Return the scope, having checked that the run contains it.

    Raises:
        UsageError: no such scenario or replicate; lists those that are there.

    """
    if scenario is None and replicate is None:
        return Scope()
    there = present(run)
    scenarios = sorted({name for name, _ in there})
    if scenario is not None and scenario not in scenarios:
        raise UsageError(
            f"{run.path} has no scenario {scenario!r}", f"It has: {', '.join(scenarios)}."
        )
    replicates = sorted({number for name, number in there if scenario in (None, name)})
    if replicate is not None and replicate not in replicates:
        raise UsageError(
            f"{run.path} has no replicate {replicate}", f"It has: {_ranges(replicates)}."
        )
    return Scope(scenario, replicate)


def present(run: Run) -> list[tuple[str, int]]:
    """Return the scenarios of a run with their replicates, sorted."""
    source = "dim_scenarios" if "dim_scenarios" in run.marts else "fct_financial_summary"
    pairs = run.select(source, ("scenario_id", "replicate")).distinct().fetchall()
    return sorted((str(scenario), int(replicate)) for scenario, replicate in pairs)


def only(run: Run) -> tuple[str | None, int | None]:
    """Return the scenario and the replicate of a run that has but one of them."""
    pairs = present(run)
    scenarios = {scenario for scenario, _ in pairs}
    replicates = {replicate for _, replicate in pairs}
    return (
        scenarios.pop() if len(scenarios) == 1 else None,
        replicates.pop() if len(replicates) == 1 else None,
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Return sorted numbers as text, with runs shortened: 0 to 99, 120."""
    parts: list[str] = []
    start = previous = numbers[0]
    for number in [*numbers[1:], None]:
        if number is not None and number == previous + 1:
            previous = number
            continue
        parts.append(str(start) if start == previous else f"{start} to {previous}")
        if number is not None:
            start = previous = number
    return ", ".join(parts)
