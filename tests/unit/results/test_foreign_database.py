"""A run may come from anybody: what its database holds beside tables answers no question."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest
from run_folder import change_run
from typer.testing import CliRunner, Result

from planalign import duck
from planalign.cli.app import app
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.results import database, open_run
from planalign.results.compare.sides import read_sides
from planalign.results.export import export
from planalign.results.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from planalign.results import Run

# Rows that differ, and functions that hide it: DuckDB takes operators from a catalogue, too.
FORGED = """
    update fct_financial_summary set payroll = payroll + 1;
    create macro md5_number(text) as 7::uhugeint;
    create macro sum(amount) as 7;
    create macro count() as 7;
    create macro concat(a, b, c) as 'forged';
    create macro "+"(a, b) as 7;
    create macro "||"(a, b) as 'forged';
    create macro duckdb_functions() as table select 'none' as function_name where false;
"""
ODD = {
    "macro": ("create macro md5_number(text) as 7::uhugeint", "macro md5_number"),
    "table_macro": ("create macro odd() as table select 1", "macro odd"),
    "type": ("create type mood as enum ('a')", "type mood"),
    "schema": ("create schema system", "schema system"),
    "computed": (
        "create or replace table dim_odd (a integer, b double generated always as (random()))",
        "computed columns of dim_odd",
    ),
    "view": (
        "create view fct_odd as select content from read_text('{secret}')",
        "view main.fct_odd",
    ),
    "in_capitals": (
        "drop table dim_scenarios; create view DIM_SCENARIOS as select content as scenario_id, "
        "0 as replicate, 0 as random_seed from read_text('{secret}')",
        "view main.DIM_SCENARIOS",
    ),
    "declared": (
        "drop table run_marts; create view run_marts as select 'fct_a' as mart",
        "view main.run_marts",
    ),
    "of_inputs": ("create schema inputs; create view inputs.census as select 1", "view inputs"),
}


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def forge(run_path: Path, tmp_path: Path):
    """Return a copy of the study, changed by some SQL, under a name of its own."""

    def build(sql: str) -> Path:
        folder = tmp_path / f"forged{len(list(tmp_path.iterdir()))}"
        shutil.copytree(run_path, folder)
        change_run(folder, sql)
        return folder

    return build


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("a local file")
    return path


@pytest.mark.parametrize("odd", ODD)
def test_a_database_that_holds_what_no_run_holds_is_refused(
    run_path: Path, forge, secret: Path, odd: str
) -> None:
    sql, named = ODD[odd]
    folder = forge(sql.format(secret=secret))
    for command in (
        ["show", folder],
        ["fingerprint", folder],
        ["verify", run_path, folder],
        ["verify", folder, run_path],
        ["compare", folder, run_path],
        ["employee", folder, "EMP_000001"],
        ["export", folder, "--format", "csv", "--output", folder.with_name("out")],
    ):
        done = planalign(*command)
        assert done.exit_code == 4, (command, done.output)
        assert f"holds what no run holds: {named}" in done.stderr
        assert "a local file" not in done.output


@pytest.mark.parametrize(
    "sql",
    [
        "update run_marts set sheet = '[odd]' where place = 10",
        "alter table run_marts drop key",
        "alter table run_marts alter place type varchar; update run_marts set place = 'first'",
    ],
)
def test_marts_that_cannot_be_declared_so_are_a_damaged_run(forge, sql: str) -> None:
    folder = forge(sql)
    done = planalign("export", folder, "--format", "csv", "--output", folder.with_name("out"))
    assert done.exit_code == 4
    assert str(folder) in done.stderr.replace("\n", "")


def test_functions_of_a_run_hide_no_difference_even_where_they_are_not_found(
    run: Run, forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = forge(FORGED)
    monkeypatch.setattr(duck, "oddities", lambda *_: [])
    with open_run(folder) as forged:
        found = verify(run, forged)
        [(total,)] = forged.sql("select sum(replicate + 1) from dim_scenarios").fetchall()
    assert not found.identical
    [changed] = found.differences
    assert (changed.mart, changed.rows_changed) == ("fct_financial_summary", 8)
    assert {name for row in changed.rows for name in row.cells} == {"payroll"}
    assert total == 6


def test_a_view_of_the_setup_stays_and_is_no_mart(forge) -> None:
    with open_run(forge("create view stg_odd as select 1 as a")) as opened:
        assert "stg_odd" not in opened.marts
        assert opened.sql("from results.main.stg_odd").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "from read_text('{secret}')",
        "from '{secret}'",
        "from glob('{folder}/*')",
        "copy (select 1) to '{folder}/written.csv'",
        "attach '{folder}/written.duckdb' as other",
        "export database '{folder}/written'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set allowed_directories = ['{folder}']",
        "install httpfs",
    ],
)
def test_a_query_reads_the_run_alone(run: Run, secret: Path, query: str) -> None:
    with pytest.raises(duckdb.Error):
        run.sql(query.format(secret=secret, folder=secret.parent))
    assert [path.name for path in secret.parent.iterdir()] == [secret.name]


def test_a_view_of_a_run_reads_no_file(forge, secret: Path) -> None:
    folder = forge(f"create view stg_odd as select content from read_text('{secret}')")
    with open_run(folder) as opened, pytest.raises(duckdb.Error, match="disabled"):
        opened.sql("from results.main.stg_odd").fetchall()


def test_queries_may_be_given_threads_memory_and_a_time_zone(run: Run) -> None:
    for setting in ("threads = 1", "memory_limit = '500MB'", "timezone = 'Asia/Tokyo'"):
        run.sql(f"set {setting}")
    assert run.sql("select count(*) from run_years").fetchall() == [(8,)]


def test_a_query_larger_than_memory_still_spills(run: Run) -> None:
    run.sql("set threads = 1")
    run.sql("set memory_limit = '60MB'")
    [(rows,)] = run.sql(
        "select count(distinct text) from (select repeat('x', 40) || i as text "
        "from range(1500000) as r(i))"
    ).fetchall()
    assert rows == 1_500_000


def test_an_export_writes_below_its_target_alone(run: Run, tmp_path: Path) -> None:
    for fmt in ("csv", "parquet"):
        export(run, fmt, tmp_path / "out" / fmt)
        assert (tmp_path / "out" / fmt).is_dir()
    with run.writing(tmp_path / "out") as writing:
        rows = writing.relation("dim_scenarios")
        rows.write_csv(str(tmp_path / "out" / "dim.csv"))
        for elsewhere in (tmp_path / "dim.csv", tmp_path / "out" / ".." / "dim.csv"):
            with pytest.raises(duckdb.PermissionException):
                rows.write_csv(str(elsewhere))


def test_a_mart_that_is_gone_is_named(forge, run_path: Path) -> None:
    folders = [forge("drop table dim_scenarios"), run_path]
    with pytest.raises(UsageError, match="lacks dim_scenarios"):
        read_sides(folders)


def test_a_pipe_in_the_place_of_a_log_is_not_waited_for(forge) -> None:
    folder = forge("")
    os.mkfifo(folder / f"{database.DATABASE}.wal")
    with pytest.raises(EnvironmentFaultError, match="not a regular file"):
        open_run(folder)
