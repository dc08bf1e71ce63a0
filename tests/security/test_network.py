"""Nothing listens, and nothing is sent: no command binds, connects or looks up a host."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from planalign import duck
from planalign.engine.database import Database, Settings
from planalign.errors import EnvironmentFaultError
from planalign.marts.packaged import PACKAGED
from planalign.results import open_run

if TYPE_CHECKING:
    from pathlib import Path


def test_no_command_listens_or_connects(used):
    assert not used.sockets_seen.exists(), used.sockets_seen.read_text()


def test_the_commands_were_watched(used):
    watched = used.processes_watched.read_text().splitlines()
    for part in (" simulate ", " --runner batch ", " export ", " init "):
        assert any(part in line for line in watched), part


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.socket().listen()",
        "import socket; socket.create_server(('127.0.0.1', 0))",
    ],
)
def test_a_process_that_connects_or_listens_would_have_been_seen(home, code):
    assert home.python("-c", code).returncode == 70
    assert home.sockets_seen.read_text()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A database of another program, for which DuckDB would fetch and run an extension."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    with sqlite3.connect(folder / "results.duckdb") as connection:
        connection.execute("create table fct_financial_summary (scenario_id)")
    (folder / "config.yaml").write_text("census: x.csv\n")
    (folder / "provenance.json").write_text(json.dumps({}))
    return folder


def test_a_foreign_file_in_place_of_results_fetches_no_extension(foreign):
    with pytest.raises(EnvironmentFaultError) as caught:
        open_run(foreign)
    assert "valid DuckDB database" in str(caught.value)
    assert "xtension" not in str(caught.value)


def test_a_foreign_file_in_place_of_an_unfinished_run_fetches_no_extension(foreign):
    database = Database(foreign / "results.duckdb", Settings(1, "1GB"))
    with pytest.raises(EnvironmentFaultError, match="is no DuckDB database"):
        database.create()


def test_no_connection_fetches_extensions(tmp_path):
    settings = "select name, value from duckdb_settings() where name like 'auto%_extensions'"
    database = Database(tmp_path / "results.duckdb", Settings(1, "1GB"))
    database.create()
    with database.cursor() as cursor, duck.connect() as memory:
        for connection in (cursor, memory):
            found = dict(connection.execute(settings).fetchall())
            assert found == {
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
    database.release()


def test_statistics_of_dbt_are_turned_off():
    assert "send_anonymous_usage_stats: false" in (PACKAGED / "dbt_project.yml").read_text()
