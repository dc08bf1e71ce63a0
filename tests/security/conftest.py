"""A project that every command has been run in, with a census full of what must not be kept."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.census.synthesise import generate_census
from planalign.engine.compiler import pipeline_for
from planalign.engine.project import Project

if TYPE_CHECKING:
    from pathlib import Path

EMPLOYEES = 40
# What stands in columns of the census that the engine does not know.
MARKERS = {
    "ssn": "987-65-4321",
    "name": "Zebulon Quixworth",
    "email": "zq@quixworth.example",
    "address": "17 Nowherelane",
    "note": "on probation since Quaxday",
}
CONFIG = """\
simulation: {start_year: 2025, end_year: 2025}
scenarios:
  baseline: {}
  growth: {workforce: {target_growth_rate: 0.06}}
"""
# Ends a process that connects, listens, binds or looks up a host. A library of dbt's
# binds a socket of the loopback once, without listening, to learn whether there is IPv6.
_NO_SOCKETS = """\
import os, socket, sys

def refuse(*what):
    with open(os.environ["SOCKETS_SEEN"], "a") as seen:
        seen.write(f"{what}\\n")
    os._exit(70)

def hear(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo"}:
        refuse(event, arguments)
    if event == "socket.bind" and arguments[1] != ("::1", 0):
        refuse(event, arguments)

sys.addaudithook(hear)
socket.socket.listen = lambda self, *backlog: refuse("listen", self)
with open(os.environ["PROCESSES_WATCHED"], "a") as watched:
    watched.write(" ".join(sys.orig_argv) + "\\n")
"""


@dataclass(frozen=True)
class Home:
    """A folder for a project, its cache and its temporary files, and what is run in it."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    @property
    def sockets_seen(self) -> Path:
        return self.folder / "watch" / "sockets"

    @property
    def processes_watched(self) -> Path:
        return self.folder / "watch" / "processes"

    def prepare(self) -> None:
        for folder in (self.project, self.temporary, self.folder / "watch"):
            folder.mkdir(parents=True)
        (self.folder / "watch" / "sitecustomize.py").write_text(_NO_SOCKETS)

    def python(self, *arguments: object, umask: int = 0) -> subprocess.CompletedProcess[str]:
        """Run Python in the project; files are everybody's unless something is done."""
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.project,
            env={
                **os.environ,
                "HOME": str(self.folder),
                "PLANALIGN_CACHE_DIR": str(self.folder / "cache"),
                "TMPDIR": str(self.temporary),
                "PYTHONPATH": str(self.folder / "watch"),
                "SOCKETS_SEEN": str(self.sockets_seen),
                "PROCESSES_WATCHED": str(self.processes_watched),
            },
            umask=umask,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def planalign(self, *arguments: object, umask: int = 0) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "planalign", *arguments, umask=umask)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which every command has done its work, in processes of its own."""
    home = Home(tmp_path_factory.mktemp("security") / "home")
    home.prepare()
    write_census(home.project)
    keep_pipeline(home)
    (home.project / "planalign.yaml").write_text(f"census: staff.csv\n{CONFIG}")
    for command in (
        ["simulate", "--output", "runs/direct"],
        ["simulate", "--census", "staff.parquet", "--output", "runs/parquet", "--no-cache"],
        ["simulate", "--runner", "batch", "--output", "runs/batch"],
        ["simulate", "--output", "runs/cached", "--json"],
        ["show", "runs/direct"],
        ["compare", "runs/direct"],
        ["employee", "runs/direct", "H2025-000001"],
        ["fingerprint", "runs/direct"],
        ["verify", "runs/direct", "runs/cached"],
        ["verify", "runs/direct", "runs/cached", "--summary", "--all"],
        ["verify", "--against", "runs/direct"],
        ["pack", "runs/direct", "--output", "packs/direct.zip"],
        ["export", "runs/direct", "--format", "csv", "--output", "exports/csv"],
        ["export", "runs/direct", "--format", "parquet", "--output", "exports/parquet"],
        ["export", "runs/direct", "--format", "xlsx", "--output", "exports/book.xlsx"],
        ["census", "generate", "--employees", "10", "--output", "made.csv"],
        ["census", "generate", "--employees", "10", "--output", "made.parquet"],
        ["census", "check", "staff.csv"],
        ["init", "new/project"],
    ):
        done = home.planalign(*command)
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return home


def keep_pipeline(home: Home) -> None:
    """Keep the compiled models in the cache of a home, which dbt takes 10 s to compile."""
    project = Project.at(None)
    pipeline = pipeline_for(project)
    pipeline.save(home.folder / "cache" / "pipelines" / f"{project.fingerprint}.json")


def write_census(folder: Path) -> None:
    """Write a census with personal columns, as CSV and as Parquet, for the owner alone."""
    generate_census(EMPLOYEES, 1, folder / "plain.parquet")
    personal = ", ".join(
        f"'{value} ' || row_number() over () as {name}" for name, value in MARKERS.items()
    )
    with duckdb.connect() as connection:
        rows = connection.sql(f"select *, {personal} from '{folder / 'plain.parquet'}'")
        rows.write_parquet(str(folder / "staff.parquet"))
        with (folder / "staff.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(rows.columns)
            writer.writerows(rows.fetchall())
    (folder / "plain.parquet").unlink()
