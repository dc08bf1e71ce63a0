"""Projects and runs for the parity tests, through the command line as a user would."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from planalign.census import generate_census

_CONFIG = """\
census: census.parquet
simulation: {{start_year: 2025, end_year: 2029, random_seed: 42}}
scenarios:
{scenarios}
"""
_SCENARIOS = {
    "baseline": "  baseline: {}",
    "growth": "  growth: {workforce: {target_growth_rate: 0.06}}",
    "exact": "  exact: {workforce: {alignment: exact, promotion_rate: {2025: 0.05, 2027: 0.08}}}",
    "frugal": "  frugal: {compensation: {cola_rate: 0.01, merit_budget: {1: 0.04, 2: 0.03, "
    "3: 0.03, 4: 0.02, 5: 0.01}}}",
    "shrink": "  shrink: {workforce: {target_growth_rate: -0.05}, "
    "plan: {eligibility: {entry_dates: monthly}, core: {rate: 0.04}}}",
    # Every part of the plan at work, with limits that many meet.
    "plan": """\
  plan:
    plan:
      pay_frequency: semimonthly
      eligibility: {hours_of_service: 1000, excluded_departments: [Marketing]}
      automatic_enrollment: {enabled: true, reenrollment: {2025: false, 2026: true}}
      escalation: {enabled: true, scope: all, date: 04-01}
      deferrals: {highly_compensated_maximum_rate: 0.09}
      match:
        formula: tiers
        by: service
        tiers:
          - {up_to: 0.03, rate: 1}
          - {up_to: 0.06, rate: 0.5}
          - {from: 3, up_to: 0.08, rate: 0.75}
        maximum_amount: 9000
      core: {by: points, tiers: [{from: 0, rate: 0.01}, {from: 45, rate: 0.03}], last_day: true}
      vesting: {match: [0, 0.2, 0.4, 0.6, 0.8, 1], core: [0, 0, 0, 1]}
      forfeitures: {use: reallocate}
      highly_compensated: {top_paid_group: true}
      limits: {amounts: {elective_deferral: {2025: 6000, 2026: 6500}}}""",
}


@dataclass(frozen=True)
class Parity:
    """Runs the command line, in a project of a generated company."""

    def project(
        self, folder: Path, employees: int, scenarios: tuple[str, ...] = ("baseline",)
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        generate_census(employees, 7, folder / "census.parquet")
        text = "\n".join(_SCENARIOS[name] for name in scenarios)
        (folder / "planalign.yaml").write_text(_CONFIG.format(scenarios=text))
        return folder

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str):
        return subprocess.run(
            [sys.executable, "-m", "planalign", *arguments],
            cwd=cwd,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def simulate(self, project: Path, output: str, years: str, *options: str, **variables) -> Path:
        done = self.run(
            "simulate", years, "--no-cache", "--output", output, *options, cwd=project, **variables
        )
        assert done.returncode == 0, done.stderr
        return project / output

    def copy(self, run: Path, target: Path) -> Path:
        return Path(shutil.copytree(run, target))


@pytest.fixture(scope="session")
def parity() -> Parity:
    return Parity()


@pytest.fixture(scope="session")
def stop_after():
    """Start a run and send it Ctrl-C once a year is complete; give its exit code."""

    def stop(project: Path, output: str, year: int, *arguments: str, **variables: str) -> int:
        command = [
            sys.executable, "-m", "planalign", "simulate", "--output", output, *arguments,
        ]  # fmt: skip
        # Where the tests run as a background job they ignore Ctrl-C, and their children would.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            command,
            cwd=project,
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        signal.signal(signal.SIGINT, before)
        for line in process.stderr:
            if line.startswith(f"{year}: complete"):
                os.killpg(process.pid, signal.SIGINT)
        assert not (project / output).exists()
        return process.wait()

    return stop


@pytest.fixture(scope="session")
def other_duckdb() -> Path:
    """The folder with DuckDB of the other supported major version, to put on PYTHONPATH."""
    folder = Path(sys.prefix) / "other-duckdb"
    assert (folder / "duckdb").is_dir(), f"{folder} is missing: `make test` installs it"
    return folder
