"""Naming what differs between two runs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from planalign.errors import UsageError
from planalign.results.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.results import Run

    Changed = Callable[..., Run]

ONE_ROW = (
    "where employee_id = 'EMP_000003' and scenario_id = 'growth' and replicate = 1 "
    "and simulation_year = 2026"
)
KEY = {
    "scenario_id": "growth",
    "replicate": 1,
    "simulation_year": 2026,
    "employee_id": "EMP_000003",
}


def test_equal_runs_are_identical(run: Run, changed: Changed) -> None:
    comparison = verify(run, changed())
    assert comparison.identical
    assert comparison.differences == ()
    assert verify(run, run).identical


def test_one_cent_is_named_by_row_and_column(run: Run, changed: Changed) -> None:
    other = changed(
        "update fct_workforce_snapshot "
        f"set current_compensation = current_compensation + 0.01 {ONE_ROW}"
    )
    comparison = verify(run, other)
    assert not comparison.identical
    [mart] = comparison.differences
    assert (mart.mart, mart.rows_a, mart.rows_b) == ("fct_workforce_snapshot", 160, 160)
    assert (mart.rows_changed, mart.rows_only_in_a, mart.rows_only_in_b) == (1, 0, 0)
    [row] = mart.rows
    assert (row.side, row.key) == ("both", KEY)
    assert row.cells == {"current_compensation": (Decimal("51014.00"), Decimal("51014.01"))}


def test_bits_count_where_values_compare_equal(changed: Changed) -> None:
    table = "create table fct_rate as select 1 as simulation_year, "
    plus, minus = (changed(f"{table} '{value}'::double as rate") for value in ("0.0", "-0.0"))
    [mart] = verify(plus, minus).differences
    assert mart.rows_changed == 1
    assert list(mart.rows[0].cells) == ["rate"]
    nan = f"{table} 'nan'::double as rate"
    assert verify(changed(nan), changed(nan)).identical


def test_null_and_the_empty_string_differ(changed: Changed) -> None:
    null, empty = (
        changed(f"update fct_workforce_snapshot set age_band = {value} {ONE_ROW}")
        for value in ("null", "''")
    )
    [mart] = verify(null, empty).differences
    assert mart.rows[0].cells == {"age_band": (None, "")}


def test_rows_of_one_side_are_named(run: Run, changed: Changed) -> None:
    shorter = changed(f"delete from fct_workforce_snapshot {ONE_ROW}")
    for a, b, side in ((run, shorter, "a"), (shorter, run, "b")):
        [mart] = verify(a, b).differences
        assert (mart.rows_only_in_a, mart.rows_only_in_b) == ((1, 0) if side == "a" else (0, 1))
        [row] = mart.rows
        assert (row.side, row.key) == (side, KEY)
        assert row.cells["job_level"] == ((4, None) if side == "a" else (None, 4))


def test_the_first_rows_come_in_key_order(run: Run, changed: Changed) -> None:
    [mart] = verify(run, changed("update fct_yearly_events set job_level = 9"), limit=3).differences
    assert mart.rows_changed == 160
    assert [row.key["employee_id"] for row in mart.rows] == [f"EMP_00000{i}" for i in range(3)]
    assert all(row.key["scenario_id"] == "baseline" for row in mart.rows)


def test_a_type_change_is_named_and_other_columns_are_still_compared(
    run: Run, changed: Changed
) -> None:
    other = changed(
        "alter table fct_financial_summary alter hires type bigint; "
        "update fct_financial_summary set payroll = payroll + 0.01 "
        "where scenario_id = 'baseline' and replicate = 0 and simulation_year = 2025"
    )
    [mart] = verify(run, other).differences
    [column] = mart.columns
    assert (column.column, column.type_a, column.type_b) == ("hires", "INTEGER", "BIGINT")
    [row] = mart.rows
    assert list(row.cells) == ["payroll"]


def test_an_extra_column_is_named(run: Run, changed: Changed) -> None:
    other = changed("alter table dim_scenarios add column note varchar default 'x'")
    [mart] = verify(run, other).differences
    [column] = mart.columns
    assert (column.column, column.type_a, column.type_b) == ("note", None, "VARCHAR")
    assert mart.rows == ()


def test_reordered_columns_are_a_difference(run: Run, changed: Changed) -> None:
    other = changed(
        "create table t as select random_seed, * exclude random_seed from dim_scenarios; "
        "drop table dim_scenarios; alter table t rename to dim_scenarios"
    )
    [mart] = verify(run, other).differences
    assert mart.reordered
    assert (mart.columns, mart.rows) == ((), ())


def test_tables_without_a_common_column_are_compared_by_columns(changed: Changed) -> None:
    a, b = (changed(f"create table fct_new as select 1 as {name}") for name in ("x", "y"))
    [mart] = verify(a, b).differences
    assert [column.column for column in mart.columns] == ["x", "y"]


def test_a_mart_of_one_run_is_named(run: Run, changed: Changed) -> None:
    other = changed("drop table fct_compensation_trends")
    [mart] = verify(run, other).differences
    assert (mart.mart, mart.only_in, mart.rows_a) == ("fct_compensation_trends", "a", 40)
    [mart] = verify(other, run).differences
    assert (mart.only_in, mart.rows_b) == ("b", 40)


def test_without_a_key_whole_rows_are_compared_as_a_multiset(run: Run, changed: Changed) -> None:
    twice = "insert into int_yearly_event_summary from int_yearly_event_summary"
    other = changed(f"{twice}; {twice} limit 1")
    again = changed(twice)
    [mart] = verify(other, again).differences
    assert mart.key == ()
    assert (mart.rows_only_in_a, mart.rows_only_in_b, mart.rows_changed) == (1, 0, 0)
    [row] = mart.rows
    assert (row.side, row.key) == ("a", {})
    assert row.cells["scenario_id"] == ("baseline", None)
    [mart] = verify(run, again, limit=4).differences
    assert mart.rows_only_in_b == 24
    assert len(mart.rows) == 4


@pytest.mark.parametrize(
    ("mart", "within_year"),
    [
        ("fct_workforce_snapshot", ["employee_id"]),
        ("fct_yearly_events", ["employee_id", "event_type"]),
        ("fct_financial_summary", []),
        ("fct_compensation_trends", ["job_level"]),
        ("int_yearly_event_summary", ["event_type"]),
    ],
)
def test_the_key_is_found(run: Run, changed: Changed, mart: str, within_year: list[str]) -> None:
    [found] = verify(run, changed(f"delete from {mart}")).differences
    assert list(found.key) == ["scenario_id", "replicate", "simulation_year", *within_year]


UNDECLARED = (
    "create table int_own as "
    "select scenario_id, simulation_year, name, 1.50::decimal(9, 2) as value from run_years, "
    "unnest(['a', 'b']) t(name) where replicate = 0; "
)


def test_a_mart_that_declares_nothing_has_its_leading_columns_as_key(changed: Changed) -> None:
    one, other = changed(UNDECLARED), changed(UNDECLARED + "update int_own set value = 0")
    [mart] = verify(one, other).differences
    assert mart.key == ("scenario_id", "simulation_year", "name")
    assert mart.rows_changed == 8


def test_a_declared_key_counts_on_either_side_unless_it_identifies_no_row(
    changed: Changed,
) -> None:
    declared = UNDECLARED + "insert into run_marts values ('int_own', ['{}'], [], null, null);"
    zero = "update int_own set value = 0; "
    unique = "alter table int_own add number integer; update int_own set number = rowid; "
    by_number = declared.format("number")
    for one, other in ((UNDECLARED, by_number), (by_number, UNDECLARED)):
        [mart] = verify(changed(one + unique), changed(other + unique + zero)).differences
        assert mart.key == ("number",)
    for key in ("name", "absent"):
        sql = declared.format(key)
        [mart] = verify(changed(sql), changed(sql + zero)).differences
        assert mart.key == ("scenario_id", "simulation_year", "name")


def test_what_a_run_is_computed_from_is_no_result(run: Run, changed: Changed) -> None:
    for sql in ("update dim_run set duckdb_version = '9', run_id = 'x'", "drop table dim_run"):
        assert verify(run, changed(sql)).identical


def test_scenario_and_replicate_limit_the_comparison(run: Run, changed: Changed) -> None:
    alone = changed(scenarios=["growth"], replicates=1)
    assert not verify(run, alone).identical
    assert verify(run, alone, scenario="growth", replicate=0).identical
    with pytest.raises(UsageError, match="has no scenario 'baseline'"):
        verify(run, alone, scenario="baseline")
    other = changed(f"update fct_workforce_snapshot set job_level = 9 {ONE_ROW}")
    assert verify(run, other, replicate=0).identical
    assert verify(run, other, "growth", 1).differences[0].rows[0].key == KEY


def test_the_comparison_is_json(run: Run, changed: Changed) -> None:
    other = changed(f"update fct_yearly_events set compensation_amount = 0 {ONE_ROW}")
    content = json.loads(json.dumps(verify(run, other).as_dict()))
    assert content["identical"] is False
    [mart] = content["differences"]
    assert mart["rows"][0]["columns"] == {"compensation_amount": {"a": "51014.00", "b": "0.00"}}
    assert mart["rows"][0]["key"]["employee_id"] == "EMP_000003"
