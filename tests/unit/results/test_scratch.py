"""Scratch folders go with their process, or with the next one; never while one writes there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from planalign.errors import EnvironmentFaultError
from planalign.results import open_run
from planalign.results.export import export
from planalign.scratch import remove, scratch, take

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """\
import sys
from pathlib import Path
from planalign.scratch import scratch
with scratch("held", beside=Path(sys.argv[1])) as folder:
    (folder / "secret").write_text("pay")
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(target: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that writes into a scratch folder until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", HOLD, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, target.parent / process.stdout.readline().strip().rpartition("/")[2]


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path):
    target = tmp_path / "out.csv"
    killed, left = holder(target)
    with killed:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    living, held = holder(target)
    with living:
        assert not left.exists()
        with scratch("mine", beside=target) as folder:
            assert (held / "secret").read_text() == "pay"
            assert folder.stat().st_mode & 0o777 == 0o700
        assert not folder.exists()
        living.communicate("")
    assert list(tmp_path.iterdir()) == []


KILLED_WHILE_REMOVING = """\
import os, signal, sys
from pathlib import Path
from planalign.scratch import scratch

def kill(event, arguments):
    if event == "os.remove" and os.path.basename(arguments[0]).startswith("pay"):
        left.remove(os.path.basename(arguments[0]))
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

with scratch("held", beside=Path(sys.argv[1])) as folder:
    left = {f"pay{number}" for number in range(50)}
    for name in left:
        (folder / name).touch()
    sys.addaudithook(kill)
"""


def test_what_is_killed_while_it_removes_is_removed_by_the_next(tmp_path):
    command = [sys.executable, "-P", "-c", KILLED_WHILE_REMOVING, str(tmp_path / "x")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) != []
    with scratch("mine", beside=tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_while_it_is_removed_waits_until_it_is_gone(tmp_path, monkeypatch):
    removing = shutil.rmtree
    signals = iter([KeyboardInterrupt])

    def interrupted(*arguments, **options):
        for error in signals:
            raise error
        removing(*arguments, **options)

    monkeypatch.setattr("planalign.scratch.shutil.rmtree", interrupted)
    folder, held = take("mine", beside=tmp_path / "x")
    (folder / "inner").mkdir()
    (folder / "inner" / "secret").touch()
    with held, pytest.raises(KeyboardInterrupt):
        remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_only_folders_of_our_own_are_removed(tmp_path):
    of_user = tmp_path / "planalign-my-analysis"
    alike = tmp_path / ".planalign-export-abcdefgh.scratch"
    for folder in (of_user, alike):
        folder.mkdir()
        (folder / "notes").write_text("precious")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".held").touch()
    (tmp_path / ".planalign-export-linklink.scratch").symlink_to(elsewhere)
    (tmp_path / ".planalign-export-emptyone").mkdir()
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / ".planalign-export-justmade.scratch").mkdir()  # killed before it held it
    with scratch("export", beside=tmp_path / "x"):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_no_place_for_temporary_files_is_said(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    said = pytest.raises(EnvironmentFaultError, match=r"no place for temporary files.*TMPDIR")
    with said, scratch("verify"):
        raise AssertionError


@pytest.mark.parametrize("fmt", ["csv", "parquet", "xlsx"])
def test_an_export_that_was_killed_is_cleared_by_the_next(run_path, tmp_path, fmt):
    killed, left = holder(tmp_path / "out")
    with killed:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert left.is_dir()
    with open_run(run_path) as run:
        export(run, fmt, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
