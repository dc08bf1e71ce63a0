"""Rows and sums of two runs side by side."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from planalign.errors import UsageError
from planalign.results.verify import Sum, summarise

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.results import Run
    from planalign.results.verify import MartSummary

    Changed = Callable[..., Run]

ONE_ROW = (
    "where employee_id = 'EMP_000003' and scenario_id = 'growth' and replicate = 1 "
    "and simulation_year = 2026"
)


def only_mart(a: Run, b: Run, **settings: object) -> MartSummary:
    [mart] = summarise(a, b, **settings).marts
    return mart


def total(run: Run, mart: str, column: str) -> Decimal:
    [(found,)] = run.sql(f"select sum({column}) from {mart}").fetchall()
    return found


def test_of_equal_runs_nothing_is_listed_but_on_demand(run: Run, changed: Changed) -> None:
    other = changed()
    summary = summarise(run, other)
    assert (summary.identical, summary.marts) == (True, ())
    whole = summarise(run, other, everything=True)
    assert [one.mart for one in whole.marts] == run.compared
    assert all(one.is_same and one.rows_a == one.rows_b for one in whole.marts)
    assert all(one.a == one.b for mart in whole.marts for one in mart.sums)
    [events] = [one for one in whole.marts if one.mart == "fct_yearly_events"]
    assert [(one.event_type, one.rows_a) for one in events.event_types] == [("raise", 160)]


def test_a_cent_is_told_of_its_column_alone(run: Run, changed: Changed) -> None:
    other = changed(
        "update fct_workforce_snapshot "
        f"set current_compensation = current_compensation + 0.01 {ONE_ROW}"
    )
    mart = only_mart(run, other)
    before = total(run, "fct_workforce_snapshot", "current_compensation")
    assert (mart.mart, mart.rows_a, mart.rows_b, mart.only_in) == (
        "fct_workforce_snapshot", 160, 160, None
    )  # fmt: skip
    assert mart.sums == (Sum("current_compensation", before, before + Decimal("0.01")),)
    assert mart.sums[0].difference == Decimal("0.01")
    assert mart.columns == ()


def test_events_are_told_by_type(run: Run, changed: Changed) -> None:
    other = changed(f"update fct_yearly_events set event_type = 'promotion' {ONE_ROW}")
    mart = only_mart(run, other)
    assert mart.sums == ()  # all together are what they were
    [promoted, raised] = mart.event_types
    assert (promoted.event_type, promoted.rows_a, promoted.rows_b) == ("promotion", 0, 1)
    assert [(one.column, one.a, one.b) for one in promoted.sums] == [
        ("compensation_amount", 0, Decimal("51014.00")),
        ("previous_compensation", 0, Decimal("50014.00")),
    ]
    assert (raised.rows_a, raised.rows_b) == (160, 159)
    assert raised.sums[0].difference == Decimal("-51014.00")


def test_marts_and_columns_of_one_run_are_named_with_their_sums(run: Run, changed: Changed) -> None:
    other = changed(
        "create table fct_new as select 1 as simulation_year, "
        "2.50::decimal(9, 2) as cost, 'x' as note;"
        "alter table dim_scenarios add column grade integer default 3;"
    )
    [scenarios, new] = summarise(run, other).marts
    assert [(one.column, one.type_a, one.type_b) for one in scenarios.columns] == [
        ("grade", None, "INTEGER")
    ]
    assert scenarios.sums == (Sum("grade", None, 12),)
    assert (new.only_in, new.rows_a, new.rows_b) == ("b", None, 1)
    assert new.sums == (Sum("cost", None, Decimal("2.50")),)
    assert new.sums[0].difference is None
    assert summarise(other, run).marts[1].only_in == "a"


def test_a_difference_that_no_sum_has_is_told_of_the_mart(run: Run, changed: Changed) -> None:
    mart = only_mart(run, changed(f"update fct_workforce_snapshot set age_band = '?' {ONE_ROW}"))
    assert (mart.is_same, mart.sums, mart.columns) == (False, (), ())


def test_sums_are_exact_beyond_what_a_float_or_python_holds(changed: Changed) -> None:
    table = "create table fct_large as select 1 as simulation_year, unnest([{}]) as amount"
    large = "12345678901234567890123456789012345.67::decimal(38, 2)"
    a, b = (changed(table.format(one)) for one in (large, f"{large}, 0.01"))
    [sums] = only_mart(a, b).sums
    assert sums.difference == Decimal("0.01")
    document = summarise(a, b).as_dict()["marts"][0]["sums"]
    assert document == [
        {
            "column": "amount",
            "a": "12345678901234567890123456789012345.67",
            "b": "12345678901234567890123456789012345.68",
            "difference": "0.01",
        }
    ]


def test_truths_are_counted_and_names_are_not_summed(run: Run, changed: Changed) -> None:
    other = changed(
        "update fct_workforce_snapshot "
        f"set is_plan_eligible = not is_plan_eligible, job_level = 5, employee_key = 1 {ONE_ROW}"
    )
    [one] = only_mart(run, other).sums
    assert (one.column, abs(one.difference or 0)) == ("is_plan_eligible", 1)


def test_a_part_of_the_runs_is_compared_alone(run: Run, changed: Changed) -> None:
    other = changed(f"delete from fct_workforce_snapshot {ONE_ROW}")
    assert summarise(run, other, scenario="baseline").identical
    mart = only_mart(run, other, scenario="growth", replicate=1)
    assert (mart.rows_a, mart.rows_b) == (40, 39)
    with pytest.raises(UsageError, match="has no scenario"):
        summarise(run, other, scenario="none")


def test_a_column_of_a_key_is_not_summed(run: Run, changed: Changed) -> None:
    other = changed(
        "create table fct_new as select 4 as grade, 7 as headcount; "
        "insert into run_marts values ('fct_new', ['grade'], ['grade'], null, null)"
    )
    assert only_mart(run, other).sums == (Sum("headcount", None, 7),)
