"""`planalign employee`: one employee's timeline."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign.cli.options import Json, Replicate, RunFolder, Scenario
from planalign.cli.output import emit, emit_json

if TYPE_CHECKING:
    from planalign.results.employee import Timeline

_EVENTS = {
    "Date": "effective_date",
    "Event": "event_type",
    "Level": "job_level",
    "Pay before": "previous_compensation",
    "Pay": "compensation_amount",
    "Details": "event_payload",
}
_SNAPSHOTS = {
    "Year": "simulation_year",
    "Status": "detailed_status",
    "Age": "current_age",
    "Tenure": "current_tenure",
    "Level": "job_level",
    "Pay at year end": "current_compensation",
    "Paid in the year": "prorated_annual_compensation",
    "Eligible": "is_plan_eligible",
}
_PLAN = {
    "Year": "simulation_year",
    "Plan": "enrollment_status",
    "Deferral": "deferral_rate",
    "Plan pay": "plan_compensation",
    "Pre-tax": "pre_tax_deferral",
    "Roth": "roth_deferral",
    "Catch-up": "catch_up_deferral",
    "Match": "match_contribution",
    "True-up": "true_up_contribution",
    "Core": "core_contribution",
    "Forfeited": "forfeiture",
}


def employee(
    run: RunFolder,
    employee_id: Annotated[str, typer.Argument(metavar="ID", help="Employee id.")],
    scenario: Scenario = None,
    replicate: Replicate = None,
    json: Json = False,
) -> None:
    """Print the events and year-end snapshots of one employee.

    Without --scenario and --replicate: the first scenario in alphabetical
    order, and its lowest replicate.

    Keys of --json: scenario_id; replicate; employee_id; events and snapshots,
    lists with all columns of fct_yearly_events and fct_workforce_snapshot.
    """
    from planalign.results import open_run  # noqa: PLC0415 - duckdb is slow to import
    from planalign.results.employee import timeline  # noqa: PLC0415

    with open_run(run) as opened:
        found = timeline(opened, employee_id, scenario, replicate)
    if json:
        emit_json(asdict(found))
    else:
        _print(found)


def _print(found: "Timeline") -> None:
    from planalign.cli.tables import print_table  # noqa: PLC0415 - rich is slow to import

    emit(f"Employee {found.employee_id}, scenario {found.scenario_id}, replicate {found.replicate}")
    groups = [f"{name} {value}" for name, value in found.groups.items() if value is not None]
    if groups:
        emit(", ".join(groups))
    for columns, rows, left in (
        (_EVENTS, found.events, ("Event", "Details")),
        (_SNAPSHOTS, found.snapshots, ("Status",)),
        # A run from before there was a plan has no such columns.
        (_PLAN, [row for row in found.snapshots if "enrollment_status" in row], ("Plan",)),
    ):
        if not rows and columns is _PLAN:
            continue
        cells = [[_cell(row.get(name)) for name in columns.values()] for row in rows]
        print_table(list(columns), cells, left=left)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
