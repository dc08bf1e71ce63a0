"""Opening finished runs, and refusing everything else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest
from run_folder import CONFIG, build_run

from planalign.errors import EnvironmentFaultError, UsageError
from planalign.results import Run, database, open_run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_says_what_it_holds(run: Run) -> None:
    assert run.config_text == CONFIG
    assert run.provenance["census"] == {"fingerprint": "c0ffee"}
    assert run.years == [2025, 2026]
    assert run.marts == [
        "dim_run",
        "dim_scenarios",
        "fct_compensation_trends",
        "fct_financial_summary",
        "fct_plan_costs",
        "fct_plan_costs_by_group",
        "fct_workforce_snapshot",
        "fct_yearly_events",
        "int_effective_parameters",
        "int_plan_limits",
        "int_workforce_metrics",
        "int_yearly_event_summary",
    ]
    assert set(run.marts) - set(run.compared) == {"dim_run"}


@pytest.mark.parametrize(
    "name", ["config.yaml", "provenance.json", "results.duckdb", "events.jsonl"]
)
def test_a_link_in_the_place_of_a_file_is_not_followed(
    run_path: Path, tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(run_path, tmp_path / "run")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(run_path / name)
    with pytest.raises(UsageError, match=f"links in the place of files: {name}"):
        open_run(folder)


def test_a_mart_reads_as_relation_query_and_frames(run: Run) -> None:
    assert run.relation("fct_financial_summary").aggregate("count(*)").fetchall() == [(8,)]
    assert run.sql("select count(*) from fct_yearly_events").fetchall() == [(160,)]
    # The catalogue name under which the run was written keeps working.
    assert run.sql("select count(*) from results.main.dim_scenarios").fetchall() == [(4,)]
    assert run.arrow("fct_yearly_events").num_rows == 160
    assert len(run.pandas("fct_yearly_events")) == 160
    assert run.polars("fct_yearly_events").height == 160


def test_a_frame_without_its_library_names_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match=r"planalign\[polars\]"):
        run.polars("fct_yearly_events")


def test_an_unknown_mart_names_the_nearest(run: Run) -> None:
    with pytest.raises(UsageError, match="Did you mean fct_yearly_events"):
        run.relation("fct_yearly_event")
    with pytest.raises(UsageError, match="has no mart"):
        run.relation('dim_scenarios"; drop table x; --')
    with pytest.raises(UsageError, match="has no mart"):
        run.relation("stg_census_data")


def test_batches_are_in_key_order_and_leave_the_run_usable(run: Run) -> None:
    seen = []
    for batch in run.batches("fct_workforce_snapshot", size=7):
        assert len(batch) <= 7
        assert run.years
        seen += [row[:4] for row in batch]
    assert len(seen) == 160
    assert seen == sorted(seen)


def test_summary_rows_are_ordered_and_exact(run: Run) -> None:
    rows = run.summary()
    keys = [(row.scenario_id, row.replicate, row.simulation_year) for row in rows]
    assert keys == sorted(keys)
    assert rows[0].terminations == 120
    assert rows[0].payroll == Decimal("52000000.25")


def test_many_readers_at_once(run: Run, run_path: Path) -> None:
    with (
        open_run(run_path) as second,
        duckdb.connect(str(run_path / "results.duckdb"), read_only=True) as third,
    ):
        assert second.years == run.years
        assert third.sql("select count(*) from run_years").fetchall() == [(8,)]
    code = f"from planalign.results import open_run; print(open_run({str(run_path)!r}).years)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == "[2025, 2026]\n"


def test_a_run_on_a_quoted_path_opens(run_path: Path, tmp_path: Path) -> None:
    odd = tmp_path / "client's run; 1"
    shutil.copytree(run_path, odd)
    with open_run(odd) as opened:
        assert opened.years == [2025, 2026]


def test_nothing_is_written_beside_a_run(run: Run, run_path: Path) -> None:
    assert run.summary()
    assert {path.name for path in run_path.iterdir()} == {
        "results.duckdb",
        "config.yaml",
        "provenance.json",
        "events.jsonl",
    }


@pytest.mark.parametrize("name", ["results.duckdb", "config.yaml", "provenance.json"])
def test_a_missing_file_is_named(tmp_path: Path, run_path: Path, name: str) -> None:
    folder = shutil.copytree(run_path, tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(UsageError, match=f"it has no {name}"):
        open_run(folder)


def test_what_is_not_a_run_folder_is_refused(tmp_path: Path, run_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no run folder"):
        open_run(tmp_path / "absent")
    with pytest.raises(UsageError, match="is a file"):
        open_run(run_path / "results.duckdb")


def test_an_unfinished_run_says_how_to_finish_it(tmp_path: Path) -> None:
    partial = tmp_path / "study.v1.partial"
    partial.mkdir()
    for path in (partial, tmp_path / "study.v1"):
        with pytest.raises(UsageError) as caught:
            open_run(path)
        assert f"--resume --output {tmp_path / 'study.v1'}" in caught.value.remedy


def test_a_database_that_another_process_writes_is_an_environment_fault(tmp_path: Path) -> None:
    folder = build_run(tmp_path / "run")
    database = str(folder / "results.duckdb")
    code = f"import duckdb; c = duckdb.connect({database!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        writer.stdout.readline()
        with pytest.raises(EnvironmentFaultError, match="wait for it to finish"):
            open_run(folder)
        writer.stdin.close()


@pytest.mark.parametrize(
    ("name", "content"),
    [("results.duckdb", "no database"), ("provenance.json", "{"), ("provenance.json", "[]")],
)
def test_a_damaged_file_is_an_environment_fault(
    tmp_path: Path, run_path: Path, name: str, content: str
) -> None:
    folder = shutil.copytree(run_path, tmp_path / "run")
    (folder / name).write_text(content)
    with pytest.raises(EnvironmentFaultError, match=name):
        open_run(folder)


def test_an_interrupted_query_is_an_interruption() -> None:
    for error in (duckdb.InterruptException("INTERRUPT Error"), RuntimeError("Query interrupted")):
        error.__cause__ = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt), database.faults("Cannot read"):
            raise error
    with pytest.raises(RuntimeError, match="other"), database.faults("Cannot read"):
        raise RuntimeError("other")
