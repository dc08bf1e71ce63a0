"""Files of a run that are damaged, or were made to harm who reads them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from run_folder import change_run
from typer.testing import CliRunner

from planalign.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

CONTENTS = {
    "empty": b"",
    "no text": b"\xff\xfe\x00year_from_cache\n" * 9,
    "another text": b"once upon a time: [\n",
    "a list": b"[]\n",
    "nested": b'{"a":' * 9_999 + b"1" + b"}" * 9_999 + b"\n",
    "a bomb of YAML": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "numbers without end": b'{"kind": "year_from_cache", "time": 1e999, "year": NaN}\n',
    "half of a character": b'{"kind": "year_from_cache", "time": 1, "year": "\\ud800"}\n',
    "a list as kind": b'{"kind": ["year_from_cache"], "time": 1}\n',
    "empty keys": b'{"fingerprints": null, "versions": []}\n',
}
READERS = {
    "provenance.json": (
        ["show", "{run}"],
        ["verify", "{run}", "{other}"],
        ["verify", "--against", "{run}"],
        ["verify", "--against", "{run}/provenance.json"],
        ["verify", "--against", "{other}", "--fingerprints", "{run}/provenance.json"],
        ["export", "{run}", "--format", "xlsx", "--output", "{run}.xlsx"],
        ["report", "{run}", "--output", "{run}.html"],
        ["bench", "--compare", "{run}/provenance.json"],
    ),
    "config.yaml": (
        ["show", "{run}"],
        ["export", "{run}", "--format", "xlsx", "--output", "{run}.xlsx"],
        ["verify", "--against", "{other}", "--config", "{run}/config.yaml"],
        ["simulate", "--config", "{run}/config.yaml", "--output", "{run}.new", "--resume"],
    ),
    "events.jsonl": (
        ["show", "{run}"],
        ["profile", "{run}"],
        ["profile", "{run}/events.jsonl"],
        ["report", "{run}", "--output", "{run}.html"],
        ["advise", "{run}"],
        ["advise", "{other}", "--earlier", "{run}"],
    ),
    "results.duckdb": (
        ["show", "{run}"],
        ["fingerprint", "{run}"],
        ["employee", "{run}", "EMP_000001"],
        ["compare", "{run}"],
        ["verify", "{run}", "{other}"],
        ["report", "{run}", "--output", "{run}.html"],
    ),
}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    path.mkdir()


def vast(path: Path) -> None:
    """Without an end of a line; it takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(1_000_000_000_000)


@pytest.fixture
def damaged(run_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run_path, tmp_path / "run")


def refused(run: Path, other: Path, name: str) -> int:
    """Ask every reader of a file; return how many refused, in words that name it or its folder."""
    count = 0
    for command in READERS[name]:
        arguments = [part.format(run=run, other=other) for part in command]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code in (0, 2, 4), (arguments, done.output, done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), arguments
        if done.exit_code:
            assert "Error: " in done.stderr, (arguments, done.stderr)
            count += str(run) in done.stderr
    return count


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", CONTENTS)
def test_a_damaged_file_is_told_of_in_words(
    damaged: Path, run_path: Path, name: str, content: str
) -> None:
    (damaged / name).write_bytes(CONTENTS[content])
    assert refused(damaged, run_path, name) > 0


@pytest.mark.parametrize(
    ("mart", "column", "value"),
    [
        ("fct_financial_summary", "payroll", "'x1'"),
        ("fct_financial_summary", "payroll", "[payroll]"),
        ("fct_financial_summary", "simulation_year", "simulation_year::varchar"),
        ("dim_scenarios", "replicate", "'x'"),
        ("fct_plan_costs", "employer_cost", "[1]"),
        ("fct_workforce_snapshot", "employee_id", "1"),
    ],
)
def test_a_column_of_another_type_is_told_of_in_words(
    damaged: Path, run_path: Path, mart: str, column: str, value: str
) -> None:
    change_run(
        damaged,
        f"create table t as select * replace ({value} as {column}) from {mart}; "
        f"drop table {mart}; alter table t rename to {mart}",
    )
    commands = ("show", "compare", "report --output new.html", "employee EMP_000003", "fingerprint")
    for command in commands:
        name, *options = command.split()
        done = CliRunner().invoke(app, [name, str(damaged), *options])
        assert done.exit_code in (0, 2, 4), (command, done.output, done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), command


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("put", [pipe, endless, circle, folder, vast])
def test_no_command_waits_for_a_file_that_is_none(
    damaged: Path, run_path: Path, name: str, put
) -> None:
    (damaged / name).unlink()
    put(damaged / name)
    assert refused(damaged, run_path, name) > 0


@pytest.mark.parametrize("name", [".", "/", ".partial", "none.partial"])
@pytest.mark.parametrize("command", [["show"], ["profile"], ["report", "--output", "new.html"]])
def test_a_folder_that_is_no_run_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], name: str
) -> None:
    (tmp_path / ".partial").mkdir()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [command[0], name, *command[1:]])
    assert done.exit_code == 2
    assert "Error: " in done.stderr
