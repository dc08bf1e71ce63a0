"""Who may write a run's folder, and what is left of one that came to nothing."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys

import pytest

from planalign.engine import run_folder
from planalign.engine.run_folder import RunFolder
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.record.telemetry import EventLog
from planalign.run_format import FORMAT

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


RUN_STARTED = (
    '{"sequence": 1, "kind": "run_started", "format": 4, "runner": "direct", "trajectories": 1, '
    '"versions": {}}\n'
)
BEGUN = {
    "somebody's": {"photo.jpg": "x"},
    "somebody's with our names": {"events.jsonl": RUN_STARTED, "config.yaml.bak": "x"},
    "a project of dbt": {"dbt/models/one.sql": "x"},
    "without provenance": {
        "events.jsonl": RUN_STARTED,
        "config.yaml": "a: 1",
        "results.duckdb": "",
    },
    "years, by the record": {
        "events.jsonl": RUN_STARTED + '{"sequence": 2, "kind": "run_planned"}\n',
        "results.duckdb": "",
    },
    "nothing but a database": {"results.duckdb": "x"},
    "a record of something else": {"events.jsonl": "clicks\n"},
    "an empty record beside a project": {"events.jsonl": "", "dbt/models/one.sql": "x"},
    "a cut record beside a database": {"events.jsonl": '{"sequ', "results.duckdb": "x"},
    "a note without an end": {"events.jsonl": "mine"},
    "a record that only looks so": {"events.jsonl": '{"kind": "run_started"}\n', "dbt/a": "x"},
}


def fill(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def content_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("files", BEGUN.values(), ids=BEGUN)
@pytest.mark.parametrize("resume", [True, False])
def test_what_is_no_run_that_can_go_on_is_said_and_not_touched(folder, files, resume):
    fill(folder.partial, files)
    before = content_of(folder.partial)
    with pytest.raises(UsageError) as caught, folder.claimed(resume=resume):
        pass
    assert "provenance.json" in caught.value.what or "is no unfinished run" in caught.value.what
    assert content_of(folder.partial) == before


def test_a_run_that_came_to_nothing_is_begun_anew_and_leaves_nothing_where_it_fails(folder):
    files = {"events.jsonl": RUN_STARTED, "results.duckdb": "half", "results.duckdb.tmp/1": "x",
             "dbt/target/manifest.json": "{", "provenance.json.new": "{"}  # fmt: skip
    fill(folder.partial, files)
    with folder.claimed(resume=True):
        assert content_of(folder.partial) == {}
    fill(folder.partial, files)

    def fail():
        fill(folder.partial, {**files, "notes.txt": "mine"})
        raise UsageError("no such scenario")

    with pytest.raises(UsageError, match="no such"), folder.claimed(resume=True):
        fail()
    assert content_of(folder.partial) == {"notes.txt": b"mine"}


@pytest.mark.parametrize("record", ["", '{"sequ', '{"sequence": 1, "time": 17'])
def test_of_a_run_that_was_stopped_in_its_first_line_nothing_is_left(folder, record):
    fill(folder.partial, {"events.jsonl": record})
    with folder.claimed(resume=True):
        assert content_of(folder.partial) == {}


def test_what_no_run_writes_is_not_published_with_it(folder):
    fill(folder.partial, {"provenance.json": "{}", "notes.txt": "mine"})
    with (
        pytest.raises(UsageError, match=r"holds notes\.txt, which no run writes"),
        folder.claimed(resume=True),
    ):
        pass
    assert content_of(folder.partial)["notes.txt"] == b"mine"


def test_a_file_of_the_name_of_the_lock_stays(folder):
    folder.output.parent.mkdir()
    lock_of(folder).write_text("mine")
    with folder.claimed(resume=False):
        pass
    assert lock_of(folder).read_text() == "mine"


def test_links_in_the_place_of_files_are_refused_and_not_followed(folder, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    fill(folder.partial, {"provenance.json": "{}"})
    (folder.partial / "events.jsonl").symlink_to(mine)
    with (
        pytest.raises(UsageError, match=r"links in the place of files: events"),
        folder.claimed(resume=True),
    ):
        pass
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("damage", ["", "[]", "{", "{}", '{"fingerprints": 1}', "[" * 9999])
def test_a_damaged_provenance_is_said(folder, damage):
    fill(folder.partial, {"provenance.json": damage})
    with pytest.raises(EnvironmentFaultError, match="computed from is lost"):
        folder.check_same_study({"fingerprints": {"census": "a"}})


def test_a_pipe_is_not_waited_for(folder):
    fill(folder.partial, {"results.duckdb": ""})
    os.mkfifo(folder.partial / "provenance.json")
    with pytest.raises(EnvironmentFaultError, match="not a regular file"):
        folder.check_same_study({"fingerprints": {"census": "a"}})
    (folder.partial / "provenance.json").unlink()
    os.mkfifo(folder.events)
    with (
        pytest.raises(EnvironmentFaultError, match="not a regular file"),
        folder.claimed(resume=True),
    ):
        pass
    with pytest.raises(OSError, match="not a regular file"):
        EventLog(folder.events)


@pytest.mark.parametrize("name", ["q.partial", "q.partial.lock"])
def test_a_run_is_not_called_as_an_unfinished_one(tmp_path, name):
    with pytest.raises(UsageError, match="would be taken for an unfinished run"):
        run_folder.run_folder(tmp_path / name)


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


STUDY = {"fingerprints": {"census": "c0ffee"}, "versions": {"duckdb": "2.0.0"}}


def begun(folder, **record):
    folder.partial.mkdir(parents=True)
    folder.begin({**STUDY, **record})


def test_a_run_of_this_format_goes_on(folder):
    begun(folder, format=FORMAT)
    folder.check_same_study(STUDY)


@pytest.mark.parametrize("record", [{}, {"format": FORMAT - 1, "versions": {"planalign": "0.0.9"}}])
def test_a_run_that_an_earlier_format_was_begun_in_does_not_go_on(folder, record):
    begun(folder, **record)
    with pytest.raises(
        UsageError, match=rf"was begun in format {record.get('format', 0)}.*start anew"
    ):
        folder.check_same_study(STUDY)


def test_a_run_of_a_later_format_does_not_go_on(folder):
    begun(folder, format=FORMAT + 1)
    with pytest.raises(EnvironmentFaultError, match=f"has format {FORMAT + 1}"):
        folder.check_same_study(STUDY)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("fingerprints", "models"), ("versions", "duckdb"), ("versions", "planalign")],
)
def test_a_run_is_not_resumed_with_what_its_years_were_not_computed_from(folder, kind, name):
    """Its provenance would name the last alone, and nobody could compute it again."""
    record = {
        "format": FORMAT,
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
