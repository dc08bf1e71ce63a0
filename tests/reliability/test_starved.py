"""Where the machine falls short, a run says so, publishes nothing half, and is done afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starving import Disk, Said, Study, disk_at, planalign, started

from planalign.engine import compiler
from planalign.engine.pipeline import Pipeline
from planalign.engine.project import Project
from planalign.engine.year_cache import CACHE_BYTES, YearCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DISK_FULL = "No space left on device"
ROOM = "80m"
READ_ONLY = "Read-only file system"
FREE = "Free disk space, and go on with --resume."


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A small company for two years, and what becomes of it on a machine that has enough."""
    return Study.made(tmp_path_factory.mktemp("study"), employees=100)


@pytest.fixture
def disk(tmp_path: Path, study: Study) -> Iterator[Disk]:
    """A disk at `disk`, beside the study's configuration and census."""
    study.copy(tmp_path)
    with disk_at(tmp_path / "disk") as lent:
        yield lent


def refused(said: Said, *words: str) -> str:
    """Check that a command ended as an environment fault does, with these words; give them all."""
    assert said.code == 4, said
    assert "Traceback" not in said.err
    assert said.err.count("Error: ") >= 1
    for word in words:
        assert word in said.error
    assert not said.out
    return said.error


def assert_finished(study: Study, said: Said, fingerprint: Said) -> None:
    """Check that a command did well, and has the bits of the undisturbed run."""
    assert said.code == 0, said
    assert "Traceback" not in said.err
    assert json.loads(fingerprint.out) == study.fingerprint


def finish(study: Study, disk: Disk, *options: str) -> Said:
    """Go on with a run on the disk, now that nothing is in the way."""
    said = disk.planalign("simulate", "--output", "disk/run", "--no-cache", "--resume", *options)
    assert_finished(study, said, disk.planalign("fingerprint", "disk/run", "--json"))
    assert [path.name for path in disk.view.iterdir()] == ["run"]
    return said


# ---- a disk that is full


@pytest.mark.parametrize(
    ("kibibytes", "what"),
    [
        (4, "writing {partial} ran out of disk"),
        (16, "creating {partial}/results.duckdb ran out of disk"),
        (48, "the database of {partial} ran out of disk"),
    ],
)
def test_a_disk_that_is_full_before_the_first_year(
    study: Study, disk: Disk, kibibytes: int, what: str
) -> None:
    disk.mount(size=f"{kibibytes}k")
    said = disk.planalign("simulate", "--output", "disk/run", "--no-cache")
    partial = disk.path / "run.partial"
    error = refused(said, what.format(partial=partial), FREE)
    assert DISK_FULL in error
    # Nothing was there to be resumed: the same command does it.
    assert not [*disk.view.iterdir()]
    disk.change(size=ROOM)
    said = disk.planalign("simulate", "--output", "disk/run", "--no-cache")
    assert_finished(study, said, disk.planalign("fingerprint", "disk/run", "--json"))


@pytest.mark.parametrize(("runner", "year"), [("direct", 2025), ("direct", 2026), ("batch", 2025)])
def test_a_disk_that_another_program_fills_in_the_middle_of_a_year(
    study: Study, disk: Disk, runner: str, year: int
) -> None:
    disk.mount(size=ROOM)
    command = ["simulate", "--output", "disk/run", "--no-cache", "--runner", runner]
    with started(*command, cwd=disk.path.parent, before=disk.inside) as run:
        study.wait_for(disk.view / "run.partial", "year_started", year)
        disk.fill()
        said = run.ended()
    error = refused(said, str(disk.path / "run.partial"), DISK_FULL, FREE)
    assert re.match(
        r"(model \w+ \(models/|test \w+ \(|dbt test in |the database of |writing )", error
    ), error
    assert [path.name for path in disk.view.iterdir() if path.name != "filler"] == ["run.partial"]
    disk.free()
    finish(study, disk)


def test_a_disk_that_is_full_where_workers_are(study: Study, disk: Disk) -> None:
    options = ["--seeds", "2", "--no-cache"]
    disk.mount(size=ROOM)
    undisturbed = disk.planalign("simulate", "--output", "alone", "--workers", "1", *options)
    assert undisturbed.code == 0, undisturbed
    command = ["simulate", "--output", "disk/run", "--workers", "2", *options]
    with started(*command, cwd=disk.path.parent, before=disk.inside) as run:
        study.wait_for(disk.view / "run.partial", "year_started", 2025)
        disk.fill()
        said = run.ended()
    refused(said, str(disk.path / "run.partial"), DISK_FULL, FREE)
    disk.free()
    said = disk.planalign(*command, "--resume")
    assert said.code == 0, said
    assert [path.name for path in disk.view.iterdir()] == ["run"]
    digests = [
        json.loads(disk.planalign("fingerprint", run, "--json").out)
        for run in ("alone", "disk/run")
    ]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_disk_without_room_for_the_finished_database(
    study: Study, disk: Disk, share: float
) -> None:
    """The years are in the log, and the database cannot take them up."""
    disk.mount(size=str(int(study.bytes * share)))
    for options in ([], ["--resume"]):  # told as often as it is tried
        said = disk.planalign("simulate", "--output", "disk/run", "--no-cache", *options)
        error = refused(said, str(disk.path / "run.partial"), "--resume")
        assert "results.duckdb is not whole" in error or DISK_FULL in error
        assert [path.name for path in disk.view.iterdir()] == ["run.partial"]
    disk.change(size=ROOM)
    said = finish(study, disk)
    assert "2025: " not in said.err, "whole years are not computed again"


def test_a_full_cache_of_years_costs_a_warning_and_nothing_else(study: Study, disk: Disk) -> None:
    disk.mount(size="64k")
    command = ["simulate", "--cache-dir", "disk", "--output"]
    said = disk.planalign(*command, "run")
    assert_finished(study, said, disk.planalign("fingerprint", "run", "--json"))
    assert f"the cache of years does not keep {disk.path.parent / 'run'}" in said.err
    assert DISK_FULL in said.err
    assert not [*disk.view.glob("years/*")]
    disk.change(size=ROOM)
    kept = disk.planalign(*command, "later")
    assert "Warning" not in kept.err
    taken = disk.planalign(*command, "last")
    assert "2026: from cache" in taken.err
    assert_finished(study, taken, disk.planalign("fingerprint", "last", "--json"))


def test_what_a_killed_process_left_in_the_cache_goes_with_the_next_run(
    study: Study, tmp_path: Path
) -> None:
    years = tmp_path / "years"
    with subprocess.Popen([sys.executable, "-c", ""]) as killed:
        killed.wait()
    left = years / f".new-{killed.pid}-left"
    under_way = years / f".new-{os.getpid()}-under-way"
    for folder in (left, under_way):
        folder.mkdir(parents=True)
        (folder / "results.duckdb").write_bytes(b"part")
    YearCache(tmp_path, CACHE_BYTES).keep(study.run, {"key": 1.0})
    assert YearCache(tmp_path, CACHE_BYTES).find(["key"]).keys() == {"key"}
    assert not left.exists()
    assert under_way.exists()


def test_models_are_compiled_although_they_cannot_be_kept(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.at(None)
    compiled = compiler.pipeline_for(project)
    disk.mount(size="64k")
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(disk.view))
    monkeypatch.setattr(compiler, "SHIPPED", disk.view / "none")
    monkeypatch.setattr(compiler, "compile_project", lambda _: compiled)
    assert compiler.pipeline_for(project) == compiled
    assert not [path for path in disk.view.rglob("*") if path.is_file()]
    disk.change(size=ROOM)
    assert compiler.pipeline_for(project) == compiled
    # By its files, and by what of them counts.
    kept = [Pipeline.load(path) for path in disk.view.rglob("*") if path.is_file()]
    assert kept == [compiled, compiled]


@pytest.mark.parametrize("name", ["census.csv", "census.parquet"])
def test_a_census_that_does_not_fit(disk: Disk, name: str) -> None:
    disk.mount(size="16k")
    command = ["census", "generate", "--employees", "5000", "--output", f"disk/{name}"]
    refused(disk.planalign(*command), f"census disk/{name}", DISK_FULL, "disk space")
    assert not [*disk.view.iterdir()]
    disk.change(size=ROOM)
    assert disk.planalign(*command).code == 0
    assert [path.name for path in disk.view.iterdir()] == [name]


@pytest.mark.parametrize("fmt", ["csv", "parquet", "xlsx"])
def test_an_export_that_does_not_fit(study: Study, disk: Disk, fmt: str) -> None:
    disk.mount(size="16k")
    command = ["export", str(study.run), "--format", fmt, "--output", f"disk/out.{fmt}"]
    refused(disk.planalign(*command), f"Cannot write disk/out.{fmt}", DISK_FULL, "Free disk space")
    assert not [*disk.view.iterdir()]
    disk.change(size=ROOM)
    assert disk.planalign(*command).code == 0
    assert [path.name for path in disk.view.iterdir()] == [f"out.{fmt}"]


# ---- a disk that is read-only


def test_a_read_only_folder(study: Study, disk: Disk) -> None:
    disk.mount(size=ROOM)
    disk.change(ro="")
    said = disk.planalign("simulate", "--output", "disk/run", "--no-cache")
    refused(said, f"writing {disk.path / 'run.partial'} failed", READ_ONLY, "permissions")
    disk.change(rw="", size=str(int(study.bytes * 0.3)))
    assert disk.planalign("simulate", "--output", "disk/run", "--no-cache").code == 4

    disk.change(ro="")
    said = disk.planalign("simulate", "--output", "disk/run", "--no-cache", "--resume")
    refused(said, str(disk.path / "run.partial"), READ_ONLY, "permissions")
    disk.change(rw="", size=ROOM)
    finish(study, disk)

    disk.change(ro="")
    for command in ("show", "fingerprint"):
        said = disk.planalign(command, "disk/run")
        assert (said.code, said.err) == (0, ""), "a finished run is read where nothing is written"
    said = disk.planalign("simulate", "--output", "run", "--cache-dir", "disk")
    assert_finished(study, said, disk.planalign("fingerprint", "run", "--json"))
    assert "the cache of years does not keep" in said.err
    assert READ_ONLY in said.err
    for command in (
        ["census", "generate", "--employees", "10", "--output", "disk/census.csv"],
        ["export", "run", "--format", "csv", "--output", "disk/csv"],
    ):
        refused(disk.planalign(*command), command[-1], READ_ONLY, "permissions")


# ---- memory


def test_memory_that_does_not_suffice(tmp_path: Path) -> None:
    study = Study.made(tmp_path, employees=5_000)
    command = ["simulate", "--output", "starved", "--no-cache", "--threads", "2"]
    said = planalign(*command, "--memory-limit", "5MB", cwd=tmp_path)
    refused(said, f"census {tmp_path}/census.parquet", "Out of Memory", "--memory-limit")
    assert not [*tmp_path.glob("starved*")], "there is nothing to be resumed"

    said = planalign(*command, "--memory-limit", "25MB", cwd=tmp_path)
    tried = "also as the only model at a time, on one thread and with one trajectory at a time"
    error = refused(said, tried, "within 25MB", "--memory-limit", "--resume")
    assert re.match(r"model \w+ \(models/[\w/]+\.sql\) ran out of memory", error)
    assert "goes on with one model at a time" in said.err
    assert "goes on with one thread" in said.err
    assert not (tmp_path / "starved").exists()

    said = planalign(*command, "--memory-limit", "2GB", "--resume", cwd=tmp_path)
    assert_finished(study, said, planalign("fingerprint", "starved", "--json", cwd=tmp_path))


# ---- others at the same files


@contextmanager
def holding(database: Path, *before: str, read_only: bool = False) -> Iterator[None]:
    """Let another program, started by the command `before`, hold a database open."""
    script = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'True'); "
        "held.sql('show tables').fetchall(); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [*before, sys.executable, "-c", script, str(database), str(read_only)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.kill()


def test_a_second_process_on_the_same_output_keeps_its_hands_off(
    study: Study, tmp_path: Path
) -> None:
    study.copy(tmp_path)
    command = ["simulate", "--output", "run", "--no-cache"]
    with started(*command, cwd=tmp_path) as first:
        study.wait_for(tmp_path / "run.partial", "run_started")
        with first.halted():
            for options in ([], ["--resume"], ["--resume", "--runner", "batch"]):
                said = planalign(*command, *options, cwd=tmp_path)
                partial = tmp_path / "run.partial"
                refused(said, f"another process is writing {partial}. Wait for it, or name another")
        done = first.ended()
    assert_finished(study, done, planalign("fingerprint", "run", "--json", cwd=tmp_path))
    assert planalign(*command, cwd=tmp_path).code == 2
    assert not (tmp_path / "run.partial.lock").exists()


def test_an_unfinished_run_that_another_program_holds_open(study: Study, disk: Disk) -> None:
    disk.mount(size=str(int(study.bytes * 0.3)))
    assert disk.planalign("simulate", "--output", "disk/run", "--no-cache").code == 4
    disk.change(size=ROOM)
    database = disk.path / "run.partial" / "results.duckdb"
    with holding(database, *disk.inside):
        said = disk.planalign("simulate", "--output", "disk/run", "--no-cache", "--resume")
    refused(said, f"opening {database} failed, and again", "lock", "Close the program that holds")
    assert said.err.count("the next in") == 7
    finish(study, disk)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_finished_run_that_another_program_holds_open(study: Study, read_only: bool) -> None:
    with holding(study.run / "results.duckdb", read_only=read_only):
        said = planalign("show", str(study.run), cwd=study.folder)
    if read_only:
        assert said.code == 0
        assert said.err == ""
    else:
        refused(said, str(study.run / "results.duckdb"), "lock", "Another program is writing to it")
    said = planalign("fingerprint", str(study.run), "--json", cwd=study.folder)
    assert json.loads(said.out) == study.fingerprint


# ---- open files


def test_files_that_may_be_open_at_once(study: Study, tmp_path: Path) -> None:
    """From where Python starts to where a run finds enough: done, or told and then done."""
    study.copy(tmp_path)
    command = ["simulate", "--output", "run", "--no-cache", "--resume"]
    limit, codes = 3, []
    while 0 not in codes:
        limit += 1
        few = ["prlimit", f"--nofile={limit}:{limit}"]
        if not codes and planalign("--version", cwd=tmp_path, before=few).code != 0:
            continue
        said = planalign(*command, cwd=tmp_path, before=few)
        codes.append(said.code)
        if said.code != 0:
            error = refused(said, "Too many open files", "ulimit -n")
            # The file is one of the study, or one of the package.
            assert str(tmp_path) in error or "reference table" in error
            assert not (tmp_path / "run").exists()
    assert_finished(study, said, planalign("fingerprint", "run", "--json", cwd=tmp_path))
    assert len(codes) > 3, f"{limit} files were enough from the first on"


# ---- the clock

_CLOCK = """
import datetime, itertools, os, time

now, asked = time.time, itertools.count(1)
ahead, back_after = float(os.environ["CLOCK_AHEAD"]), float(os.environ["CLOCK_BACK_AFTER"])

def told():
    return now() + ahead - (3600 if next(asked) > back_after else 0)

class Day(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(told(), tz)

time.time, datetime.datetime = told, Day
"""


@pytest.fixture
def clock(tmp_path: Path) -> Callable[..., Said]:
    """A clock that is ahead by some seconds, and goes back an hour once it was asked often."""
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_CLOCK)

    def run(*arguments: str, ahead: float = 0, back_after: float = 1e9, **options: Any) -> Said:
        return planalign(
            *arguments,
            cwd=tmp_path,
            PYTHONPATH=str(folder),
            CLOCK_AHEAD=str(ahead),
            CLOCK_BACK_AFTER=str(back_after),
            **options,
        )

    return run


def events_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").open(encoding="utf-8")]


def test_a_clock_that_is_set_back_in_the_middle(
    study: Study, tmp_path: Path, clock: Callable[..., Said]
) -> None:
    study.copy(tmp_path)
    command = ["simulate", "--cache-dir", "cache", "--output"]
    said = clock(*command, "run", back_after=50)
    assert_finished(study, said, clock("fingerprint", "run", "--json"))
    events = events_of(tmp_path / "run")
    times = [event["time"] for event in events]
    assert max(times) - times[-1] > 3000, "the clock went back"
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert all(event.get("seconds", 0) < 3000 for event in events)
    assert all(event.get("seconds", 0) >= 0 for event in events)
    # A day before the run that it takes its years from.
    later = clock(*command, "later", ahead=-86_400)
    assert "2025: from cache" in later.err
    assert "2026: from cache" in later.err
    assert_finished(study, later, clock("fingerprint", "later", "--json"))


def test_a_run_that_goes_on_before_it_began(
    study: Study, disk: Disk, clock: Callable[..., Said]
) -> None:
    disk.mount(size=str(int(study.bytes * 0.3)))
    command = ["simulate", "--output", "disk/run", "--no-cache"]
    refused(clock(*command, before=disk.inside, ahead=86_400), "--resume")
    disk.change(size=ROOM)
    said = clock(*command, "--resume", before=disk.inside)
    assert_finished(study, said, disk.planalign("fingerprint", "disk/run", "--json"))
    events = events_of(disk.view / "run")
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["time"] - events[-1]["time"] > 80_000
