"""A dashboard as a user starts it, in a project of a small company."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from planalign.census.synthesise import generate_census

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

CONFIGURATION = """\
census: census.parquet
simulation: {start_year: 2025, end_year: 2027, random_seed: 42}
scenarios: {baseline: {}, growth: {workforce: {target_growth_rate: 0.06}}}
"""


def make_project(folder: Path) -> Path:
    """Make a project with a census and no runs."""
    folder.mkdir()
    (folder / "runs").mkdir()
    generate_census(200, 1, folder / "census.parquet")
    (folder / "planalign.yaml").write_text(CONFIGURATION)
    return folder


def connected(page: Page) -> None:
    """Wait until a page can be clicked at: what is pressed sooner is lost."""
    page.wait_for_function("window.socket?.connected && window.did_handshake")
    page.wait_for_load_state("networkidle")


def press(page: Page, name: str) -> None:
    """Press a button of a page that came by itself, as that of a run which started does."""
    button = page.get_by_role("button", name=name)
    button.wait_for()
    connected(page)
    button.click()


def unfinished(project: Path, name: str, record: Path, last: dict[str, Any] | None) -> Path:
    """Make a run that got no further than its first year; `last` is its last event."""
    partial = project / "runs" / f"{name}.partial"
    partial.mkdir()
    lines = (record / "events.jsonl").read_text().splitlines()
    end = next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == "year_completed")
    kept = lines[: end + 1]
    if last is not None:
        before = json.loads(kept[-1])
        kept.append(json.dumps({key: before[key] for key in ("sequence", "time", "clock")} | last))
    (partial / "events.jsonl").write_text("\n".join(kept) + "\n")
    return partial


@contextmanager
def held(partial: Path) -> Iterator[None]:
    """Hold a run as the process does that works on it."""
    with partial.with_name(f"{partial.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def add_finished(project: Path, name: str, run: Path) -> None:
    """Add a copy of a finished run."""
    shutil.copytree(run, project / "runs" / name)


@dataclass
class Dashboard:
    """A process of `planalign dashboard`, and where it is."""

    project: Path
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    address: str = ""
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def start(self) -> Dashboard:
        """Start it, on the port that it had if it was started before."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "planalign", "dashboard", f"--port={self.port}",
             *self.arguments],
            cwd=self.project,
            env={
                **os.environ,
                "PLANALIGN_CACHE_DIR": str(self.project.parent / "cache"),
                **self.environment,
            },
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.address = self.process.stdout.readline().strip().rstrip("/")
        assert self.address.startswith("http://127.0.0.1:"), "the dashboard did not start"
        self.port = int(self.address.rpartition(":")[2])
        return self

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(2)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code

    def opened(self) -> set[str]:
        """Return the names of the files that it has open."""
        return {
            one.path.rpartition("/")[2] for one in psutil.Process(self.process.pid).open_files()
        }

    def simulations(self) -> list[psutil.Process]:
        """Return the runs that it started and that go on."""
        return [
            child
            for child in psutil.Process(self.process.pid).children()
            if child.status() != psutil.STATUS_ZOMBIE
        ]
