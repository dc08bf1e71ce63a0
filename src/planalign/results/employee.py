"""One employee's story: every event and every year-end snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

from planalign.census.columns import CARRIED
from planalign.errors import UsageError
from planalign.marts.packaged import packaged_marts
from planalign.results import database
from planalign.results.columns import listed
from planalign.results.scope import Scope, checked, present

if TYPE_CHECKING:
    from planalign.results.run import Run

_SNAPSHOT = "fct_workforce_snapshot"
_EVENTS = "fct_yearly_events"
_NEEDED = ("scenario_id", "replicate", "simulation_year", "employee_id")


@dataclass(frozen=True)
class Timeline:
    """Events and snapshots of one employee in time order, each a row by column name."""

    scenario_id: str
    replicate: int
    employee_id: str
    events: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]

    @property
    def groups(self) -> dict[str, Any]:
        """Return department, grade, location and what the study adds, from the last snapshot."""
        columns = {name for name, _ in packaged_marts()[_SNAPSHOT].columns}
        ours = columns - {"department", *CARRIED}
        last = self.snapshots[-1] if self.snapshots else {}
        return {name: value for name, value in last.items() if name not in ours}


def timeline(
    run: Run, employee_id: str, scenario: str | None = None, replicate: int | None = None
) -> Timeline:
    """Return the events and year-end snapshots of one employee.

    Args:
        run: an open run.
        employee_id: as in the census, or of someone hired in the simulation.
        scenario: default is the first in alphabetical order.
        replicate: default is the lowest of the scenario.

    Raises:
        UsageError: nobody has this id; names up to three near ones. Or the run lacks
            what tells an employee's rows.

    """
    checked(run, scenario, replicate)
    for mart in (_EVENTS, _SNAPSHOT):
        run.select(mart, _NEEDED)
    with database.faults(f"Cannot read {run.path}"):
        name, number = next(
            pair
            for pair in present(run)
            if scenario in (None, pair[0]) and replicate in (None, pair[1])
        )
        scope = Scope(name, number)
        events = _rows(run, _EVENTS, scope, employee_id, ("event_sequence", "effective_date"))
        snapshots = _rows(run, _SNAPSHOT, scope, employee_id, ())
        if not events and not snapshots:
            raise _unknown(run, scope, employee_id)
    return Timeline(name, number, employee_id, events, snapshots)


def _rows(
    run: Run, mart: str, scope: Scope, employee_id: str, then_by: tuple[str, ...]
) -> list[dict[str, Any]]:
    columns = run.columns(mart)
    names = [column.name for column in columns]
    order = ["simulation_year", *(name for name in then_by if name in names)]
    rows = (
        scope.select(run.relation(mart), columns)
        .filter(ColumnExpression("employee_id") == ConstantExpression(employee_id))
        .order(listed(order))
    )
    return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def _unknown(run: Run, scope: Scope, employee_id: str) -> UsageError:
    where = f"scenario {scope.scenario}, replicate {scope.replicate}"
    elsewhere = (
        run.relation(_SNAPSHOT)
        .filter(ColumnExpression("employee_id") == ConstantExpression(employee_id))
        .project("scenario_id, replicate")
        .distinct()
        .order("scenario_id, replicate")
        .limit(1)
        .fetchall()
    )
    if elsewhere:
        [(other, number)] = elsewhere
        return UsageError(
            f"{run.path} has no employee {employee_id!r} in {where}",
            f"There is one in scenario {other}, replicate {number}.",
        )
    column = ColumnExpression("employee_id")
    typed = ConstantExpression(employee_id.lower())
    near = (
        scope.select(run.relation(_SNAPSHOT), run.columns(_SNAPSHOT))
        .project("employee_id")
        .distinct()
        .sort(FunctionExpression("levenshtein", FunctionExpression("lower", column), typed), column)
        .limit(3)
        .fetchall()
    )
    remedy = f"Near it: {', '.join(str(one) for (one,) in near)}." if near else ""
    return UsageError(f"{run.path} has no employee {employee_id!r} in {where}", remedy)
