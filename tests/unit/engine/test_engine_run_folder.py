"""Who may write a run's folder, and what is left of one that came to nothing."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys

import pytest

from planalign.engine import run_folder
from planalign.engine.run_folder import RunFolder
from planalign.errors import EnvironmentFaultError, UsageError

HOLD = """
import sys, time
from pathlib import Path
from planalign.engine.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).claimed(resume=True):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "runs" / "one")


def lock_of(folder):
    return folder.partial.with_name(f"{folder.partial.name}.lock")


def test_a_second_process_is_refused_and_the_next_one_is_not(folder):
    command = [sys.executable, "-c", HOLD, str(folder.output)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(EnvironmentFaultError, match="another process"),
            folder.claimed(resume=True),
        ):
            pass
        other.stdin.close()
        assert other.wait() == 0
    with folder.claimed(resume=True):
        assert folder.partial.is_dir()


@pytest.fixture
def while_waiting(monkeypatch):
    """Do something as soon as a lock is waited for, however slow the machine is."""

    def on_the_first_wait(do):
        monkeypatch.setattr(run_folder, "LOCK_SECONDS", 600.0)
        left = [do]
        monkeypatch.setattr(run_folder.time, "sleep", lambda _: left.pop()() if left else None)

    return on_the_first_wait


def test_who_looks_whether_a_run_goes_on_keeps_none_from_starting(folder, while_waiting):
    folder.output.parent.mkdir()
    with lock_of(folder).open("w") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        while_waiting(looking.close)
        with folder.claimed(resume=False):
            assert folder.partial.is_dir()


def test_a_lock_that_its_holder_removed_is_not_taken_for_one(folder, monkeypatch):
    """It is opened before the run ends that removes it, and locked after."""
    folder.output.parent.mkdir()
    old = lock_of(folder)
    old.touch()
    locked = []
    real = fcntl.flock

    def flock(file, kind):
        if not locked:
            old.unlink()  # the other run ends here
        locked.append(file)
        real(file, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    with folder.claimed(resume=True):
        assert len(locked) == 2
        with lock_of(folder).open() as third, pytest.raises(BlockingIOError):
            real(third, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_of_a_run_that_came_to_nothing_no_folder_is_left(folder, tmp_path):
    with pytest.raises(UsageError), folder.claimed(resume=False):
        raise UsageError("no")
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_before_stays(folder):
    folder.output.parent.mkdir()
    beside = folder.output.with_name("other")
    beside.touch()
    with pytest.raises(UsageError), folder.claimed(resume=False):
        raise UsageError("no")
    assert list(folder.output.parent.iterdir()) == [beside]


def test_an_unfinished_run_is_refused_and_kept(folder):
    folder.partial.mkdir(parents=True)
    (folder.partial / "provenance.json").touch()
    with pytest.raises(UsageError, match="holds an unfinished run"), folder.claimed(resume=False):
        pass
    assert [path.name for path in folder.partial.iterdir()] == ["provenance.json"]
    assert not lock_of(folder).exists()


def test_who_waits_for_a_run_that_removes_its_folders_makes_them_again(folder, while_waiting):
    folder.output.parent.mkdir()
    with lock_of(folder).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def end():
            lock_of(folder).unlink()
            folder.output.parent.rmdir()
            held.close()

        while_waiting(end)
        with folder.claimed(resume=False):
            assert folder.partial.is_dir()


def test_a_name_that_is_too_long_leaves_no_folder(tmp_path):
    folder = RunFolder(tmp_path / "new" / "one" / ("x" * 250))
    with pytest.raises(EnvironmentFaultError), folder.claimed(resume=False):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("fingerprints", "models"), ("versions", "duckdb"), ("versions", "planalign")],
)
def test_a_run_is_not_resumed_with_what_its_years_were_not_computed_from(folder, kind, name):
    """Its provenance would name the last alone, and nobody could compute it again."""
    record = {
        "fingerprints": {"models": "a", "census": "b"},
        "versions": {"duckdb": "2.0.0", "planalign": "1.0.0"},
    }
    folder.partial.mkdir(parents=True)
    folder.begin(record)
    folder.check_same_study(record)
    changed = json.loads(json.dumps(record))
    changed[kind][name] = "another"
    with pytest.raises(UsageError, match=f"started with other {kind} of {name}"):
        folder.check_same_study(changed)
    assert json.loads((folder.partial / "provenance.json").read_text()) == record
