"""`planalign profile`: finished, unfinished and failed runs, as tables, JSON and files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planalign.cli.app import app

DATA = Path(__file__).parents[1] / "record" / "data"
COMMANDS = Path(__file__).parents[3] / "docs" / "reference" / "commands.md"


def invoke(*arguments):
    return CliRunner().invoke(app, ["profile", *map(str, arguments)], env={"COLUMNS": "120"})


@pytest.fixture
def run(tmp_path):
    """A finished run, of which nothing but the record is left."""
    folder = tmp_path / "first"
    folder.mkdir()
    shutil.copy(DATA / "format-2.jsonl", folder / "events.jsonl")
    return folder


def lines_of(run):
    return (run / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)


def test_tables_of_a_finished_run(run):
    done = invoke(run)
    assert done.exit_code == 0
    assert "the run completed" in done.stdout
    for figure in (
        "Wall", "Critical path", "Longest model", "Peak memory", "Concurrency", "Cache hit rate",
    ):  # fmt: skip
        assert re.search(rf"^ {figure} ", done.stdout, re.MULTILINE), figure
    assert "within the budget of 4 GB" in done.stdout
    for word in ("fct_yearly_events", "validation", "Timeline", "model_0 ", "|2026"):
        assert word in done.stdout
    assert "No warnings, no faults." in done.stdout


def test_a_record_of_format_1_has_tables(tmp_path):
    shutil.copy(DATA / "format-1.jsonl", tmp_path / "events.jsonl")
    done = invoke(tmp_path)
    assert done.exit_code == 0
    assert "The record does not tell of memory." in done.stdout


def test_a_run_that_goes_on_is_found_under_its_name_and_says_so(run):
    lines = lines_of(run)
    partial = run.rename(run.with_name("first.partial"))
    (partial / "events.jsonl").write_text("".join(lines[:40]) + '{"seq', encoding="utf-8")
    done = invoke(run)
    assert done.exit_code == 0
    assert "it is not finished" in done.stdout
    assert re.search(r"Complete years: \d of 3", done.stdout)


def test_a_failed_run_says_so_with_its_error_and_faults(run):
    lines = lines_of(run)
    last = {key: json.loads(lines[39])[key] for key in ("sequence", "time", "clock")}
    told = [
        {**last, "kind": "retried", "what": "model int_a", "model": "int_a", "attempt": 1,
         "wait_seconds": 0.5, "error": "locked"},
        {**last, "kind": "run_failed", "error": "disk \x1b[31mfull"},
    ]  # fmt: skip
    text = "".join(lines[:40]) + "".join(json.dumps(event) + "\n" for event in told)
    (run / "events.jsonl").write_text(text, encoding="utf-8")
    done = invoke(run)
    assert done.exit_code == 0
    assert "the run failed" in done.stdout
    assert "full" in done.stdout
    assert "\x1b" not in done.stdout
    assert "retried: what model int_a" in done.stdout
    found = json.loads(invoke(run, "--json").stdout)
    assert (found["outcome"], [note["kind"] for note in found["notes"]]) == ("failed", ["retried"])


def test_dbts_times_are_beside_ours(run):
    lines = lines_of(run)
    command = {
        **json.loads(lines[30]), "kind": "dbt_command_completed", "command": "run", "nodes": 2,
        "started": json.loads(lines[0])["clock"], "seconds": 0.1, "dbt_compile_seconds": 0.01,
        "dbt_execute_seconds": 0.04, "cpu_seconds": 0.1, "memory_peak": None,
    }  # fmt: skip
    lines.insert(31, json.dumps(command) + "\n")
    (run / "events.jsonl").write_text("".join(lines), encoding="utf-8")
    done = invoke(run)
    for row in ("dbt compile", "dbt execute", "dbt overhead", "1 dbt commands", "as we time them"):
        assert row in done.stdout


def documented_keys():
    text = COMMANDS.read_text(encoding="utf-8").split("\n## planalign profile\n")[1]
    rows = re.findall(r"^\| (`[a-z][^|]*) \|", text.split("\n## ")[0], re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def test_json_has_the_documented_keys(run):
    found = json.loads(invoke(run, "--json").stdout)
    assert found.keys() <= documented_keys()
    compared = json.loads(invoke(run, "--compare", run, "--json").stdout)
    assert compared.keys() == found.keys() | {"comparison"}
    assert compared["comparison"].keys() <= documented_keys()
    assert compared["comparison"]["models"][0]["is_beyond_noise"] is False
    assert found["memory"]["budget_bytes"] == 4_000_000_000


def test_a_run_compared_with_itself_has_not_changed(run):
    done = invoke(run, "--compare", run)
    assert done.exit_code == 0
    assert "5 models of 5 did not change beyond noise." in done.stdout


def test_a_model_made_slow_is_told(run, tmp_path):
    slow = tmp_path / "slow"
    slow.mkdir()
    events = [json.loads(line) for line in lines_of(run)]
    for event in events:
        if event.get("model") == "int_baseline_workforce":
            event["seconds"] += 2
        if event["kind"] == "run_started":
            event["threads"] = 1
    text = "".join(json.dumps(event) + "\n" for event in events)
    (slow / "events.jsonl").write_text(text, encoding="utf-8")
    done = invoke(slow, "--compare", run)
    assert "Models that changed" in done.stdout
    assert "int_baseline_workforce" in done.stdout
    assert "4 models of 5 did not change beyond noise." in done.stdout
    assert "Not alike: threads 2, then 1" in done.stdout


@pytest.mark.parametrize(("fmt", "key"), [("speedscope", "profiles"), ("chrome", "traceEvents")])
def test_a_file_for_a_viewer_is_written_once(run, tmp_path, fmt, key):
    output = tmp_path / "out.json"
    done = invoke(run, "--format", fmt, "--output", output)
    assert (done.exit_code, done.stdout) == (0, "")
    assert key in json.loads(output.read_text(encoding="utf-8"))
    again = invoke(run, "--format", fmt, "--output", output)
    assert again.exit_code == 2
    assert "exists" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "chrome"], "belong together"),
        (["--output", "x.json"], "belong together"),
        (["--format", "chrome", "--output", "x.json", "--compare", "."], "Leave --compare out"),
        (["--format", "chrome", "--output", "nowhere/x.json"], "cannot be written"),
    ],
)
def test_what_does_not_fit_is_refused(run, arguments, told):
    done = invoke(run, *arguments)
    assert done.exit_code == 2
    assert told in done.stderr


def test_what_is_no_run_is_refused(tmp_path):
    done = invoke(tmp_path)
    assert done.exit_code == 2
    assert "the record cannot be read" in done.stderr
