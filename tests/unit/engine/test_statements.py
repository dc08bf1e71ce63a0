"""What DuckDB's own parser tells of a statement."""

from __future__ import annotations

import duckdb
import pytest

from planalign.engine.statements import Reader, without_comments


@pytest.fixture(scope="module")
def reader():
    with duckdb.connect() as connection:
        yield Reader(connection)


SQL = """-- first
select 'a -- b' /* c */ as x, E'it\\'s -- c' as y, -- d
    $$ -- d $$ as z, "q /* r" -- é
/* more */ , 1.5 as n
from t -- end"""
PLAIN = (
    "select 'a -- b' as x , E'it\\'s -- c' as y , $$ -- d $$ as z , \"q /* r\" , 1.5 as n from t"
)


def test_comments_and_layout_are_left_out_and_nothing_else():
    assert without_comments(SQL) == PLAIN
    assert without_comments(PLAIN.replace(" as n", "\t/**/ as\n\nn")) == PLAIN


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("a -- b", "a -- c"),
        PLAIN.replace("s -- c", "s -- b"),
        PLAIN.replace("$$ -- d $$", "$$ -- e $$"),
        PLAIN.replace('"q /* r"', '"q /* s"'),
        PLAIN.replace("1.5", "1.6"),
    ],
)
def test_what_only_looks_like_a_comment_stays(other):
    assert without_comments(other) != PLAIN


@pytest.mark.parametrize(
    "call",
    [
        "random()", "uuid()", "gen_random_uuid()", "now()", "today()", "current_setting('threads')",
        "nextval('s')", "txid_current()", "list_transform([1], lambda x: x + random())",
        "ago(interval 1 day)", "pg_sleep(1)", "sum(random()) over ()", "current_localtimestamp()",
        "current_localtime()", "version()", "age(timestamp '2025-01-01')", "get_block_size('m')",
        "reservoir_quantile(1, 0.5)", "pg_get_viewdef(1)",
    ],
)  # fmt: skip
def test_functions_that_change_are_found_also_in_macros_of_duckdb(reader, call):
    for sql in (f"select {call}", f"with a as (select 1 where {call} is null) from a"):
        read = reader.read(sql)
        assert any(map(reader.is_changing, read.functions)), sql


@pytest.mark.parametrize("name", ["current_date", "current_timestamp", "localtime", "current_user"])
def test_functions_without_brackets_are_found(reader, name):
    assert [one.name for one in reader.read(f"select {name}").bare] == [name]
    assert reader.is_value(name)


def test_functions_that_do_not_change_are_none_of_them(reader):
    sql = "select md5_number_lower(a), sum(b), round(c, 2), list_sum([d]), e // 2, f::date, "
    sql += "age(g, h), histogram(i), version from (select 1 as version) as t"
    read = reader.read(sql)
    assert len(read.functions) >= 5
    assert not any(map(reader.is_changing, read.functions))
    assert not any(reader.is_value(one.name) for one in read.bare)


def test_every_function_of_duckdb_can_be_looked_up(reader):
    query = "select distinct function_name from duckdb_functions()"
    names = [name for (name,) in reader._connection.execute(query).fetchall()]
    assert "fmod" in names
    assert not {name for name in names if reader.is_unstable(name)} & {"fmod", "age", "md5"}


def test_tables_are_those_that_the_statement_does_not_make_itself(reader):
    read = reader.read(
        "with recursive own as (select 1 as n union all select n + 1 from OWN where n < 3)\n"
        'select * from own, (select * from "results"."main"."T"), range(3) as r(i)\n'
        "union all select * from 'file.csv'\nunion all select * from glob('*')"
    )
    assert {one.name for one in read.tables} == {"results.main.t", '"file.csv"'}
    assert {one.name for one in read.table_functions} == {"range", "glob"}
    [file] = [one for one in read.tables if "file" in one.name]
    assert file.line == 3


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("with a as (select 1), b as (select * from a) select * from b, (from A)", []),
        ("with t as (select * from s.t) select * from t", ["s.t"]),
        ("with a as materialized (from t) from a where exists (from a union from a)", ["t"]),
        ("select 1 from d where x in (with d as (from a) from d)", ["a", "d"]),
        ("with b as (from a), a as (select 1) from a, b", ["a"]),
        ("with a as (from a) from a", ["a"]),
        ("with recursive a as (select 1 as n union all select n + 1 from a) from a", []),
        ("with a as (with b as (select 1) from b) from a, b", ["b"]),
        ('with "r.m.t" as (select 1) from "r.m.t", r.m.t', ["r.m.t"]),
        ('from "r.m.t"', ['"r.m.t"']),
        ("with a as (select 1) from main.a", ["main.a"]),
        ("(with a as (select 1) from a) union all from a", ["a"]),
    ],
)
def test_the_name_of_a_common_table_expression_is_seen_where_it_may_be(reader, sql, tables):
    assert sorted(one.name for one in reader.read(sql).tables) == tables


@pytest.mark.parametrize("what", ["show databases", "show all tables", "describe t", "summarize t"])
def test_what_asks_the_catalogue_in_from_is_found(reader, what):
    for sql in (f"from ({what})", f"select (with a as (from ({what})) select count(*) from a)"):
        assert len(reader.read(sql).catalogue) == 1
    assert not reader.read("from (values (1)), (pivot t on a in (1) using sum(b)), u").catalogue


@pytest.mark.parametrize(
    "sql", ["from t using sample 5", "from t tablesample 10%", "select (from t using sample 1)"]
)
def test_samples_are_counted(reader, sql):
    assert reader.read(sql).samples


def test_what_is_no_plain_query_cannot_be_read(reader):
    for sql in (
        "pivot t on a using sum(b)",
        "create table t (a int)",
        "select 1; select 2x 3",
        "select 1; select 2",
    ):
        assert reader.read(sql) is None
