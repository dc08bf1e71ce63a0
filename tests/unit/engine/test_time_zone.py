"""The machine's time zone is in no result: every connection has the same."""

from __future__ import annotations

import os
import subprocess
import sys

import yaml

from planalign.marts.packaged import PACKAGED

QUERY = "select ('2025-06-01 00:00:00+00'::timestamptz)::varchar"
# A process of its own: the calendar looks at the zone once.
PROGRAM = f"""
import sys, time
from pathlib import Path
import duckdb
from planalign import duck
from planalign.engine.database import Database, Settings

database = Database(Path(sys.argv[1]), Settings(1, "1GB"))
database.create()
with database.cursor() as one, database.cursor() as two, duck.connect() as memory:
    for connection in (one, two, memory, memory.cursor(), duckdb.connect()):
        print(connection.execute({QUERY!r}).fetchone()[0])
"""


def test_a_time_with_a_zone_is_the_same_text_wherever_a_run_is_made(tmp_path):
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "results.duckdb")],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    *ours, of_the_machine = shown
    assert of_the_machine == "2025-06-01 09:00:00+09"
    assert ours == ["2025-06-01 00:00:00+00"] * 4


def test_dbt_sets_the_same_zone():
    profiles = yaml.safe_load((PACKAGED / "profiles.yml").read_text())
    assert profiles["planalign"]["outputs"]["run"]["settings"]["TimeZone"] == "UTC"
