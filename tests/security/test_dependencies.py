"""The audit finds what is not locked, has no hash or no allowed licence, and never pretends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import audit  # noqa: E402 - a program, not a package

HASH = "--hash=sha256:00"


def test_every_requirement_of_every_lock_has_a_version_and_a_hash():
    assert set(audit.LOCKS) == set(ROOT.glob("requirements*.lock"))
    for lock in audit.LOCKS:
        assert audit.requirements(lock)
        assert list(audit.without_hash(audit.requirements(lock))) == []


def test_a_lock_names_no_host():
    for lock in audit.LOCKS:
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text


@pytest.mark.parametrize("line", ["typer==1.0", f"typer>=1.0 {HASH}"])
def test_a_requirement_without_hash_or_version_is_a_fault(line):
    assert len(list(audit.without_hash([line]))) == 1


def test_what_is_installed_is_compared_with_what_is_locked():
    locked = [
        f"typer==1.0 {HASH}",
        f"rich==2.0 {HASH}",
        f"numpy==1 ; python_version < '3' {HASH}",
        f"numpy==2 ; python_version >= '3' {HASH}",
    ]
    good = {"typer": "1.0", "rich": "2.0", "numpy": "2", "pip": "1", "planalign": "0"}
    assert list(audit.not_as_locked(locked, good)) == []
    bad = {"typer": "1.1", "numpy": "2", "stray": "1"}
    assert list(audit.not_as_locked(locked, bad)) == [
        "rich is not installed, locked is 2.0",
        "stray is 1, locked is none",
        "typer is 1.1, locked is 1.0",
    ]


def test_a_vulnerability_is_a_finding():
    found = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    report = {"dependencies": [{"name": "typer", "version": "1.0", "vulns": [found]}]}
    assert list(audit.vulnerabilities(report)) == ["typer 1.0: PYSEC-1, mended in 1.1"]


@pytest.mark.parametrize(
    "dependencies",
    [
        [],
        [{"name": "typer", "skip_reason": "not found"}],
        [{"name": "rich", "version": "1", "vulns": []}, {"name": "typer", "skip_reason": "?"}],
    ],
)
def test_a_service_that_does_not_answer_for_all_is_no_audit(dependencies):
    with pytest.raises(audit.NoAuditError):
        list(audit.vulnerabilities({"dependencies": dependencies}))


@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["--if-reachable"], 0)])
def test_without_the_service_it_says_that_there_was_no_audit(monkeypatch, capsys, arguments, code):
    def unreachable(lock: Path) -> list[str]:
        raise audit.NoAuditError("nobody answers")

    monkeypatch.setattr(audit, "audited", unreachable)
    monkeypatch.setattr(audit, "not_as_locked", lambda *_: [])
    monkeypatch.setattr(audit, "licence_faults", list)
    monkeypatch.setattr(sys, "argv", ["audit.py", *arguments])
    assert audit.main() == code
    said = capsys.readouterr()
    assert said.err == "NOT audited for known vulnerabilities: nobody answers\n"
    assert "No known vulnerability" not in said.out


@pytest.mark.parametrize(
    ("licence", "is_allowed"), [("MIT", True), ("LicenseRef-Proprietary", False), ("", False)]
)
def test_a_licence_that_is_not_on_the_list_is_a_fault(tmp_path, licence, is_allowed):
    information = tmp_path / "stray-1.0.dist-info"
    information.mkdir()
    expression = f"License-Expression: {licence}\n" if licence else ""
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: stray\nVersion: 1.0\n{expression}"
    )
    done = subprocess.run(
        [sys.executable, "-m", "piplicenses", "--packages", "stray"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == is_allowed, done.stdout + done.stderr
