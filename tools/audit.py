"""Audit what the project depends on: `make audit`, and as part of `make check`.

Without a network: every requirement of the lock files has a hash, what is installed
is what is locked, and every licence may be used (the list is in pyproject.toml).
Then pip-audit asks PyPI's service for known vulnerabilities. Of a requirement that
the service does not know it says that none was found; here that is no audit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-other-duckdb.lock")
# What is installed without a lock: the project, and what `python -m venv` puts there.
UNLOCKED = {"planalign", "pip", "setuptools"}


class NoAuditError(Exception):
    """The service did not answer for every requirement."""


def requirements(lock: Path) -> list[str]:
    """Return the requirements of a lock file, each on one line with its hashes."""
    whole = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.partition(" #")[0].strip() for line in whole.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def without_hash(locked: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with requirements that name no version or no hash."""
    for line in locked:
        if "==" not in line or "--hash=sha256:" not in line:
            yield f"{line.split(' ')[0]} is locked without a version or a hash"


def not_as_locked(locked: Iterable[str], installed: dict[str, str]) -> Iterator[str]:
    """Yield each difference of what is installed (name -> version) from what is locked."""
    wanted = {}
    for line in locked:
        requirement = Requirement(line.partition(" --hash")[0])
        if requirement.marker is None or requirement.marker.evaluate():
            wanted[canonicalize_name(requirement.name)] = str(requirement.specifier)[2:]
    for name in sorted({*wanted, *installed} - (UNLOCKED - wanted.keys())):
        if wanted.get(name) != installed.get(name):
            found = installed.get(name, "not installed")
            yield f"{name} is {found}, locked is {wanted.get(name, 'none')}"


def licence_faults() -> Iterator[str]:
    """Yield what pip-licenses says of a licence that is not on the list, if of any."""
    done = _run("piplicenses", "--order=license")
    if done.returncode:
        yield (done.stderr or done.stdout).strip()


def vulnerabilities(report: dict[str, list[dict[str, object]]]) -> Iterator[str]:
    """Yield the findings of pip-audit's JSON.

    Raises:
        NoAuditError: the service did not answer for every requirement.
    """
    dependencies = report["dependencies"]
    skipped = [str(one["name"]) for one in dependencies if "skip_reason" in one]
    if skipped or not dependencies:
        few = ", ".join(skipped[:3])
        raise NoAuditError(
            f"the service knows nothing of {len(skipped)} of {len(dependencies)} ({few}, ...)"
        )
    for one in dependencies:
        for found in one["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            yield f"{one['name']} {one['version']}: {found['id']}, mended in {mended}"


def audited(lock: Path) -> list[str]:
    """Return the known vulnerabilities of a lock file.

    Raises:
        NoAuditError: the service cannot be reached.
    """
    done = _run(
        "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip",
        "--progress-spinner=off", "--timeout=10", "--format=json",
    )  # fmt: skip
    try:
        report = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise NoAuditError(f"pip-audit failed: {lines[-1][:200]}") from None
    return list(vulnerabilities(report))


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def main() -> int:
    """Print every finding; exit with 1 if there is any, or if there was no audit."""
    parser = argparse.ArgumentParser(description="Audit the dependencies.")
    parser.add_argument(
        "--if-reachable", action="store_true", help="say so, but do not fail, without the service"
    )
    optional = parser.parse_args().if_reachable
    installed = {
        canonicalize_name(one.metadata["Name"]): one.version for one in metadata.distributions()
    }
    locked = requirements(LOCKS[0])
    faults = [
        *without_hash([line for lock in LOCKS for line in requirements(lock)]),
        *not_as_locked(locked, installed),
        *licence_faults(),
    ]
    missed = None
    try:
        for lock in LOCKS:
            faults += audited(lock)
    except NoAuditError as error:
        missed = f"NOT audited for known vulnerabilities: {error}"
    for line in (*faults, *([missed] if missed else [])):
        print(line, file=sys.stderr)
    if faults or (missed and not optional):
        return 1
    print(f"{len(installed)} distributions are as locked, with hashes and allowed licences")
    if not missed:
        print("No known vulnerability")
    return 0


if __name__ == "__main__":
    sys.exit(main())
