"""Commands that read runs: what goes to stdout, what to stderr, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from planalign.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


def test_fingerprint_prints_a_digest_per_mart(run_path: Path) -> None:
    text, document = (
        planalign("fingerprint", run_path),
        planalign("fingerprint", run_path, "--json"),
    )
    assert (text.exit_code, document.exit_code) == (0, 0)
    digests = as_json(document)
    assert list(digests)[-1] == "all"
    assert dict(line.split() for line in text.stdout.splitlines()) == digests
    one = as_json(planalign("fingerprint", run_path, "--scenario", "growth", "--json"))
    assert one["all"] != digests["all"]


def test_verify_exits_0_on_equal_and_3_on_different_runs(run_path: Path, other_path: Path) -> None:
    same = planalign("verify", run_path, run_path)
    assert same.exit_code == 0
    assert same.stdout.startswith("Identical: ")
    different = planalign("verify", run_path, other_path)
    assert different.exit_code == 3
    assert "employee_id=EMP_000003" in different.stdout
    assert "current_compensation: 51014.00 | 51014.01" in different.stdout
    document = planalign("verify", run_path, other_path, "--json")
    assert document.exit_code == 3
    assert as_json(document)["differences"][0]["mart"] == "fct_workforce_snapshot"
    limited = planalign("verify", run_path, other_path, "--scenario", "growth", "--replicate", "0")
    assert limited.exit_code == 0


def test_verify_sums_up_what_differs(run_path: Path, other_path: Path) -> None:
    same = planalign("verify", run_path, run_path, "--summary")
    assert (same.exit_code, same.stdout.split()[0]) == (0, "Identical:")
    different = planalign("verify", run_path, other_path, "--summary")
    assert different.exit_code == 3
    assert different.stdout.startswith("Different: 1 of ")
    lines = [line.split() for line in different.stdout.splitlines()]
    assert ["fct_workforce_snapshot", "160", "160", "0"] in lines
    [figures] = [line for line in lines if line and line[0] == "current_compensation"]
    assert figures[3] == "+0.01"
    assert max(map(len, different.stdout.splitlines())) <= 100
    assert not any("opening_compensation" in line for line in lines)
    everything = planalign("verify", run_path, other_path, "--summary", "--all").stdout
    assert max(map(len, everything.splitlines())) <= 100
    assert "opening_compensation" in everything
    document = planalign("verify", run_path, other_path, "--summary", "--json")
    assert document.exit_code == 3
    assert list(as_json(document)) == ["identical", "marts"]
    [mart] = as_json(document)["marts"]
    assert list(mart) == [
        "mart", "identical", "only_in", "rows_a", "rows_b", "columns", "sums", "event_types"
    ]  # fmt: skip
    assert [one["column"] for one in mart["sums"]] == ["current_compensation"]


@pytest.mark.parametrize("arguments", [["--all"], ["--summary", "--against", "provenance.json"]])
def test_a_summary_is_of_two_runs(run_path: Path, arguments: list[str]) -> None:
    runs = [] if "--against" in arguments else [run_path, run_path]
    refused = planalign("verify", *runs, *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--summary" in refused.stderr


def test_compare_prints_differences_growth_and_employees(run_path: Path, other_path: Path) -> None:
    shown = planalign("compare", run_path, "--employees", "1")
    assert shown.exit_code == 0
    assert "Against baseline" in shown.stdout
    assert "differences (p10-p90) of 2 replicates" in shown.stdout
    document = as_json(planalign("compare", run_path, other_path, "--json"))
    assert document["baseline"] == f"{run_path.name}/baseline"
    assert [one["scenario"] for one in document["employees"]] == [
        f"{run_path.name}/growth", f"{other_path.name}/baseline", f"{other_path.name}/growth"
    ]  # fmt: skip
    refused = planalign("compare", run_path, "--baseline", "none")
    assert refused.exit_code == 2


def test_show_prints_years_and_warns_on_stderr(run_path: Path) -> None:
    shown = planalign("show", run_path)
    assert shown.exit_code == 0
    assert "1,030 (1,030-1,031)" in shown.stdout
    assert "Mean (p10-p90) of 2 replicates" in shown.stdout
    assert "above its target" in shown.stderr
    assert "above its target" not in shown.stdout
    content = as_json(planalign("show", run_path, "--json"))
    assert list(content) == ["run", "rows", "spreads", "warnings", "cached_years", "saved_seconds"]
    assert (len(content["rows"]), len(content["spreads"])) == (8, 4)
    assert content["rows"][0]["terminations"] == 120
    assert content["spreads"][0]["measures"]["closing_headcount"] == {
        "mean": 1030.5,
        "p10": 1030.1,
        "p90": 1030.9,
    }


def test_employee_prints_events_and_snapshots(run_path: Path) -> None:
    text = planalign("employee", run_path, "EMP_000008")
    assert text.exit_code == 0
    assert "2026-07-01" in text.stdout
    assert "experienced_termination" in text.stdout
    content = as_json(
        planalign("employee", run_path, "EMP_000008", "--scenario", "growth", "--json")
    )
    assert list(content) == ["scenario_id", "replicate", "employee_id", "events", "snapshots"]
    assert content["events"][0]["compensation_amount"] == 51008.0
    assert content["snapshots"][0]["termination_date"] == "2025-06-15"


@pytest.mark.parametrize("fmt", ["csv", "parquet", "xlsx"])
def test_export_writes_once(run_path: Path, tmp_path: Path, fmt: str) -> None:
    arguments = ("export", run_path, "--format", fmt, "--output", tmp_path / "out")
    first, second = planalign(*arguments), planalign(*arguments)
    assert (first.exit_code, second.exit_code) == (0, 2)
    assert first.stdout == second.stdout == ""
    assert "exists already" in second.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["fingerprint", "absent"],
        ["show", "absent"],
        ["employee", "absent", "EMP_000001"],
        ["verify", "absent", "absent"],
        ["export", "absent", "--format", "csv", "--output", "out"],
        ["export", "absent", "--format", "ods", "--output", "out"],
        ["fingerprint"],
        ["unknown"],
    ],
)
def test_wrong_usage_exits_2_with_text_on_stderr_only(arguments: list[str]) -> None:
    result = planalign(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_run_exits_4(run_path: Path, tmp_path: Path) -> None:
    for name in ("config.yaml", "provenance.json"):
        (tmp_path / name).write_bytes((run_path / name).read_bytes())
    (tmp_path / "results.duckdb").write_text("no database")
    assert planalign("fingerprint", tmp_path).exit_code == 4


def run_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from planalign.cli.app import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_stdout_of_a_process_is_pure_json(run_path: Path) -> None:
    done = run_process("show", run_path, "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["rows"]) == 8


def test_a_traceback_shows_only_when_asked_for(run_path: Path) -> None:
    plain = run_process("employee", run_path, "nobody")
    assert (plain.returncode, plain.stdout) == (2, "")
    assert plain.stderr.startswith("Error: ")
    assert "Traceback" not in plain.stderr
    asked = run_process("employee", run_path, "nobody", PLANALIGN_DEBUG="1")
    assert asked.returncode == 2
    assert asked.stderr.startswith("Traceback")
