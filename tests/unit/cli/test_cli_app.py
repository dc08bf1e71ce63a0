"""The command itself: help, version, interruption, and what it must not import."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args, get_type_hints

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from planalign.cli.app import app
from planalign.cli.export import export
from planalign.errors import InterruptedRunError
from planalign.results.export import Format

HEAVY = {"duckdb", "pydantic", "rich", "yaml", "dbt", "pandas", "polars", "pyarrow", "xlsxwriter"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['planalign', '--help']\n"
        "from planalign.cli.app import main\n"
        "try: main()\n"
        f"finally: print(sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "verify" in done.stdout
    assert done.stderr.strip() == "[]"


def test_version_goes_to_stdout() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, "planalign 0.1.0\n")


def test_every_command_is_explained_and_documents_its_json() -> None:
    commands = [([], get_command(app))]
    while commands:
        path, command = commands.pop()
        assert command.help, path
        for name, inner in getattr(command, "commands", {}).items():
            commands.append(([*path, name], inner))
        if any("--json" in option.opts for option in command.params):
            assert "Keys of --json" in command.help, path


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedRunError("Stopped")])
def test_an_interruption_exits_130(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def interrupted(path: object) -> None:
        raise error

    monkeypatch.setattr("planalign.results.open_run", interrupted)
    result = CliRunner().invoke(app, ["fingerprint", "run"])
    assert result.exit_code == 130
    assert result.stdout == ""
    assert result.stderr


def test_the_formats_of_export_are_those_of_the_library() -> None:
    hints = get_type_hints(export)
    assert get_args(hints["fmt"]) == get_args(Format)
