"""`planalign dashboard` before it serves: who may listen where, and what it needs."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from planalign.cli import dashboard as command
from planalign.cli.app import app
from planalign.errors import EnvironmentFaultError, ExitCode
from planalign.studio.access import Access
from planalign.studio.app import serve


def invoke(*arguments, **environment):
    return CliRunner().invoke(app, ["dashboard", *arguments], env=environment)


def test_other_machines_need_a_token():
    done = invoke("--host", "0.0.0.0")  # noqa: S104 - what is refused
    assert done.exit_code == ExitCode.INPUT
    assert "PLANALIGN_TOKEN" in done.stderr


def test_a_token_from_the_environment_must_be_long():
    done = invoke(PLANALIGN_TOKEN="short")  # noqa: S106 - what is refused
    assert done.exit_code == ExitCode.INPUT
    assert "characters" in done.stderr
    assert "short" not in done.stderr


def test_without_nicegui_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    done = invoke()
    assert done.exit_code == ExitCode.ENVIRONMENT
    assert "pip install 'planalign[studio]'" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFaultError, match=f"port {port}.*--port 0"):
            serve(tmp_path, tmp_path, Access("127.0.0.1"), port, print)


def test_a_port_is_a_port():
    assert invoke("--port", "70000").exit_code == ExitCode.INPUT
