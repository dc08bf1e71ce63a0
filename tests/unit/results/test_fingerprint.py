"""What a fingerprint must notice, and what it must not depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.errors import UsageError
from planalign.results import open_run
from planalign.results.columns import Column, row_digest
from planalign.results.fingerprint import fingerprint
from support.contracts import create_marts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planalign.results import Run

    Changed = Callable[..., Run]

TYPED = """
create table fct_typed as
select i, 'x' || i as label, null::varchar as absent, '' as blank, (-i / 4)::decimal(15, 2) as pay,
    i / 3 as share, date '2024-02-29' + i::integer as day, i % 2 = 0 as flag,
    (i * 977)::ubigint as key,
    printf('%032x', i)::uuid as id, json_object('a', i) as payload, [i, null] as numbers,
    {'a': i, 'b': 'it''s, "b"'} as nested, ['a', 'b'][1 + i % 2]::enum('a', 'b') as kind,
    timestamptz '2024-01-01 12:00:00+02' as moment
from range(3) t(i)
"""


def with_value(column: str, value: str) -> str:
    return f"""
    update fct_workforce_snapshot set {column} = {value}
    where employee_id = 'EMP_000003' and scenario_id = 'growth' and replicate = 1
        and simulation_year = 2026
    """


def snapshot_columns() -> list[tuple[str, str]]:
    with duckdb.connect() as connection:
        create_marts(connection)
        return connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where table_name = 'fct_workforce_snapshot' order by column_index"
        ).fetchall()


def changed_value(name: str, data_type: str) -> str:
    match data_type:
        case "VARCHAR":
            return f"coalesce({name}, '') || ' '"
        case "BOOLEAN":
            return f"not {name}"
        case "DATE":
            return f"coalesce({name}, date '2020-01-01') + 1"
        case _ if data_type.startswith("DECIMAL"):
            # Of one with nine decimals too, in whose nine digits no 1 has a place.
            return f"coalesce({name}, 0) + 0.01"
        case _:
            return f"{name} + 1"


def test_it_covers_every_mart_and_all_of_them(run: Run) -> None:
    prints = fingerprint(run)
    assert list(prints) == [*run.compared, "all"]
    assert all(len(digest) == 64 for digest in prints.values())
    assert len(set(prints.values())) == len(prints)


def test_moments_without_end_and_absent_ones_are_three(changed: Changed) -> None:
    values = ("'infinity'", "'-infinity'", "null", "'1970-01-01 00:00:00+00'")
    prints = {
        fingerprint(changed(f"create table fct_z as select {value}::timestamptz as at"))["fct_z"]
        for value in values
    }
    assert len(prints) == len(values)


@pytest.mark.parametrize("value", ["1::variant", "[1::variant]"])
def test_values_of_any_type_have_no_fingerprint(changed: Changed, value: str) -> None:
    run = changed(f"create table fct_z as select {value} as loose")
    with pytest.raises(UsageError, match="column loose is VARIANT"):
        fingerprint(run)


def test_it_does_not_depend_on_the_order_of_rows(run: Run, changed: Changed) -> None:
    shuffled = changed(
        """
        create temp table t as from fct_workforce_snapshot order by md5(employee_id), replicate;
        delete from fct_workforce_snapshot;
        insert into fct_workforce_snapshot from t
        """
    )
    assert fingerprint(shuffled) == fingerprint(run)


@pytest.fixture(scope="module")
def before(run_path: Path) -> dict[str, str]:
    with open_run(run_path) as run:
        return fingerprint(run)


@pytest.mark.parametrize(("name", "data_type"), snapshot_columns())
def test_one_value_of_any_column_changes_it(
    before: dict[str, str], changed: Changed, name: str, data_type: str
) -> None:
    after = fingerprint(changed(with_value(name, changed_value(name, data_type))))
    assert {mart for mart in before if before[mart] != after[mart]} == {
        "fct_workforce_snapshot",
        "all",
    }


@pytest.mark.parametrize(
    "sql",
    [
        # Twice the same row: XOR would cancel two more of them.
        "insert into fct_yearly_events from fct_yearly_events limit 1",
        "insert into fct_yearly_events from fct_yearly_events; "
        "insert into fct_yearly_events from fct_yearly_events",
        "delete from fct_yearly_events where employee_id = 'EMP_000001'",
        "alter table fct_yearly_events alter job_level type bigint",
        "alter table fct_yearly_events rename job_level to level",
        "alter table fct_yearly_events add column note varchar",
        "drop table fct_yearly_events",
    ],
)
def test_rows_types_names_and_tables_count(
    before: dict[str, str], changed: Changed, sql: str
) -> None:
    after = fingerprint(changed(sql))
    assert before["all"] != after["all"]
    assert before["fct_yearly_events"] != after.get("fct_yearly_events")


def test_null_and_the_empty_string_differ(changed: Changed) -> None:
    values = ["null", "''", "'0:'", "':'", "' '"]
    prints = {fingerprint(changed(with_value("age_band", value)))["all"] for value in values}
    assert len(prints) == len(values)


def test_values_cannot_move_from_one_column_to_the_next(changed: Changed) -> None:
    table = "create table fct_pair (a varchar, b varchar); insert into fct_pair values "
    pairs = ["('x', 'yz')", "('xy', 'z')", "('x;1:y', 'z')", "('x', ';')", "('x;', '')"]
    prints = {fingerprint(changed(table + pair))["fct_pair"] for pair in pairs}
    assert len(prints) == len(pairs)


def test_values_cannot_move_from_one_row_to_another(changed: Changed) -> None:
    table = "create table fct_pair (a integer, b integer); insert into fct_pair values "
    assert (
        fingerprint(changed(table + "(1, 2), (3, 4)"))["fct_pair"]
        != fingerprint(changed(table + "(1, 4), (3, 2)"))["fct_pair"]
    )


def test_its_value_is_the_same_on_every_version_of_duckdb(changed: Changed) -> None:
    # Computed with DuckDB 1.5.6 and 2.0.0. A new value means that stored fingerprints lapse.
    assert fingerprint(changed(TYPED))["fct_typed"] == GOLDEN


def test_the_time_zone_of_the_reader_does_not_matter(changed: Changed) -> None:
    run = changed(TYPED)
    before = fingerprint(run)
    run.sql("set TimeZone = 'Asia/Tokyo'")
    assert fingerprint(run) == before


def test_a_row_digest_is_what_md5_gives() -> None:
    columns = [Column("a", "INTEGER"), Column("b", "VARCHAR")]
    with duckdb.connect() as connection:
        [row] = connection.sql(
            f"select {row_digest(columns)} = md5_number('7;2:hi;') from (select 7 a, 'hi' b)"
        ).fetchall()
        # The halves are those of DuckDB's own functions.
        [halves] = connection.sql(
            "select (md5_number('x') & 18446744073709551615::uhugeint)::ubigint "
            "in (md5_number_lower('x'), md5_number_upper('x')), "
            "(md5_number('x') >> 64)::ubigint "
            "in (md5_number_lower('x'), md5_number_upper('x'))"
        ).fetchall()
    assert row == (True,)
    assert halves == (True, True)


def test_a_scenario_alone_equals_its_rows_in_the_study(run: Run, changed: Changed) -> None:
    alone = changed(scenarios=["growth"], replicates=1)
    assert fingerprint(run, "growth", 0) == fingerprint(alone)
    assert fingerprint(run, "growth", 0) == fingerprint(alone, "growth")
    assert fingerprint(run, "growth", 0)["all"] != fingerprint(run, "growth", 1)["all"]
    # No replicates in this mart: the scenario's rows count.
    assert (
        fingerprint(run, "growth", 1)["int_effective_parameters"]
        == fingerprint(alone)["int_effective_parameters"]
    )


def test_an_unknown_scenario_or_replicate_lists_those_there(run: Run, changed: Changed) -> None:
    with pytest.raises(UsageError, match="It has: baseline, growth"):
        fingerprint(run, scenario="grwth")
    with pytest.raises(UsageError, match="It has: 0 to 1"):
        fingerprint(run, scenario="growth", replicate=2)
    with pytest.raises(UsageError, match="It has: 0, 2 to 3"):
        fingerprint(changed("delete from dim_scenarios where replicate = 1", replicates=4), None, 1)


def test_an_empty_mart_has_a_fingerprint(run: Run, changed: Changed) -> None:
    empty = changed("delete from fct_yearly_events")
    assert fingerprint(empty)["fct_yearly_events"] != fingerprint(run)["fct_yearly_events"]


GOLDEN = "e9feee147c0841878c04e9ccd863387e142a10f9f4bb57bc8ace8e7a24b13f0f"
