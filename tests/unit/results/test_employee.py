"""One employee's timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planalign.errors import UsageError
from planalign.results.employee import timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.results import Run


def test_events_and_snapshots_come_in_time_order(run: Run, changed: Callable[..., Run]) -> None:
    found = timeline(run, "EMP_000003")
    assert (found.scenario_id, found.replicate) == ("baseline", 0)
    assert [row["simulation_year"] for row in found.events] == [2025, 2026]
    assert [row["simulation_year"] for row in found.snapshots] == [2025, 2026]
    assert {row["employee_id"] for row in found.events + found.snapshots} == {"EMP_000003"}
    earlier = changed(
        "insert into fct_yearly_events select * replace (0 as event_sequence) "
        "from fct_yearly_events where employee_id = 'EMP_000003'"
    )
    assert [row["event_sequence"] for row in timeline(earlier, "EMP_000003").events] == [0, 1] * 2


def test_scenario_and_replicate_can_be_chosen(run: Run) -> None:
    found = timeline(run, "EMP_000003", "growth", 1)
    assert (found.scenario_id, found.replicate) == ("growth", 1)
    assert {row["scenario_id"] for row in found.snapshots} == {"growth"}
    assert timeline(run, "EMP_000003", replicate=1).scenario_id == "baseline"
    with pytest.raises(UsageError, match="has no scenario"):
        timeline(run, "EMP_000003", "other")


def test_an_unknown_id_names_near_ones(run: Run) -> None:
    with pytest.raises(UsageError, match=r"Near it: EMP_000003, EMP_\d+, EMP_\d+\."):
        timeline(run, "emp_00003")
    with pytest.raises(UsageError, match="Near it"):
        timeline(run, "O'Brien'; --")


def test_an_id_of_another_scenario_says_so(run: Run, changed: Callable[..., Run]) -> None:
    other = changed(
        "update fct_workforce_snapshot set employee_id = 'NEW_1' "
        "where scenario_id = 'growth' and employee_id = 'EMP_000003'"
    )
    with pytest.raises(UsageError, match="There is one in scenario growth, replicate 0"):
        timeline(other, "NEW_1")
